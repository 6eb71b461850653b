"""The attributes and elements of one frame as facts: what could be read of it, and what could not.

Only the attributes that rules ask for are decoded. One that is malformed becomes a sentence in `faults` and is
otherwise not there; of a repeated one the first counts, as in hostap src/common/nan_de.c. Where the pairing strings
stand is not settled (digest 12.3): every place that digest names is looked at. No clock, no IO.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from protocols.errors import DecodeError
from protocols.wifi_aware import service_info
from protocols.wifi_aware.attributes import (
    cipher_suite_information,
    device_capability,
    device_capability_extension,
    identity_resolution,
    nan_availability,
    ndl,
    ndp,
    ndpe,
    pairing_bootstrapping,
    service_descriptor,
    service_descriptor_extension,
    shared_key_descriptor,
    title_of,
)
from sim.explain.aware_observations import Offer, PairingInfo
from sim.explain.aware_pairs import Auth, NdpStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.frames import Authentication

__all__ = [
    "Facts",
    "auth_of",
    "facts_of",
    "info_of",
    "ndp_step_of",
    "offer_of",
    "said_of",
    "step_of",
]

GROUP_SUITES = (5, 6)
_CONTEXT = 0x23
_SINGLE = {
    device_capability.ID: "capability",
    device_capability_extension.ID: "dcea",
    pairing_bootstrapping.ID: "npba",
    cipher_suite_information.ID: "csia",
    identity_resolution.ID: "nira",
    shared_key_descriptor.ID: "skda",
    ndl.ID: "ndl",
    ndp.ID: "ndp",
    ndpe.ID: "ndp",
}
_READ = ("rsne", "pasn_parameters", "supported_groups", "wrapped_data")
"""Elements of an Authentication frame that are decoded."""
_STRINGS = {"vendorname": "vendor", "modelname": "model", "pairingname": "name"}
_REGULAR = 64
"""TU of a period with code 0, doubled by each code (digest 2.13)."""


class Facts(msgspec.Struct):
    """Typed bodies of the attributes of a frame; None: not there, or malformed."""

    descriptors: list[Any] = []
    extensions: dict[int, Any] = {}
    """Service Descriptor Extensions by instance."""
    capability: Any = None
    dcea: Any = None
    npba: Any = None
    csia: Any = None
    nira: Any = None
    skda: Any = None
    ndl: Any = None
    ndp: Any = None
    """NDP or NDP Extension."""
    has_context: bool = False
    periods_tu: set[int] = set()
    faults: list[str] = []

    @property
    def identity(self) -> str:
        """Nonce and tag of the NIRA as hex, empty without one."""
        if self.nira is None or self.nira.nonce is UNSET:
            return ""
        return f"{self.nira.nonce}{self.nira.tag}"


def facts_of(attributes: Iterable[Attr]) -> Facts:
    """What the attributes say."""
    facts = Facts()
    for attr in attributes:
        name = _SINGLE.get(attr.id)
        if attr.id == _CONTEXT:
            facts.has_context = True
        elif name is not None:
            if getattr(facts, name) is None:
                setattr(facts, name, _body(attr, facts))
        elif attr.id == service_descriptor.ID:
            if (body := _body(attr, facts)) is not None:
                facts.descriptors.append(body)
        elif attr.id == service_descriptor_extension.ID:
            if (body := _body(attr, facts)) is not None:
                facts.extensions[body.instance_id] = body
        elif attr.id == nan_availability.ID and (body := _body(attr, facts)) is not None:
            facts.periods_tu |= {
                _REGULAR << entry.time_bitmap.period
                for entry in body.entries
                if entry.time_bitmap is not UNSET and entry.time_bitmap.period
            }
    return facts


def _body(attr: Attr, facts: Facts) -> Any:
    try:
        return attr.fields
    except DecodeError as exc:
        facts.faults.append(f"{title_of(attr.id)}: {exc.message}")
        return None


def offer_of(facts: Facts, descriptor: Any) -> Offer:
    """What a frame offers with a service."""
    more = facts.extensions.get(descriptor.instance_id)
    dcea, npba, csia = facts.dcea, facts.npba, facts.csia
    return Offer(
        dcea=dcea is not None,
        pairing_setup=dcea is not None and dcea.pairing_setup,
        caching=dcea is not None and dcea.npk_nik_caching,
        methods=npba.methods
        if npba is not None and npba.type == pairing_bootstrapping.ADVERTISE
        else None,
        suites=None if csia is None else suites_of(csia, descriptor.instance_id),
        group_support=None if csia is None else csia.group_support,
        info=info_of(descriptor, more),
        info_octets=said_of(descriptor, more),
        security_required=more is not None and more.security_required,
        has_identity=facts.nira is not None,
    )


def suites_of(csia: Any, publish_id: int) -> tuple[int, ...]:
    """Suites for a service; entries for another instance do not count."""
    return tuple(one.suite for one in csia.suites if one.publish_id in (0, publish_id))


def said_of(descriptor: Any, more: Any) -> int:
    """Octets of service info in a descriptor and its extension."""
    count = 0 if descriptor.service_info is UNSET else len(descriptor.service_info) // 2
    if more is not None and more.service_info is not UNSET:
        count += len(more.service_info.specific) // 2
    return count


def info_of(descriptor: Any, more: Any) -> PairingInfo | None:
    """The pairing strings in the service info of a descriptor or its extension, None without any."""
    for octets in _texts(descriptor, more):
        found = service_info.strings(octets) or {}
        named = {
            _STRINGS[key.lower()]: value for key, value in found.items() if key.lower() in _STRINGS
        }
        if named:
            return PairingInfo(**named)
    return None


def _texts(descriptor: Any, more: Any) -> Iterable[bytes]:
    """Everything that may be a list of strings, the likeliest first."""
    if more is not None and more.service_info is not UNSET:
        specific = bytes.fromhex(more.service_info.specific)
        if more.service_info.protocol == service_info.GENERIC:
            for item in service_info.sub_attributes(specific) or ():
                yield item.value
        yield specific
    if descriptor.service_info is not UNSET:
        yield bytes.fromhex(descriptor.service_info)


def step_of(facts: Facts, descriptor: Any, frame: int, t_us: int) -> Step:
    """The bootstrapping step in a follow-up."""
    npba = facts.npba
    more = facts.extensions.get(descriptor.instance_id)
    after = npba.comeback_after_tu
    return Step(
        t_us=t_us,
        frame=frame,
        status=npba.status,
        reason=npba.reason,
        methods=npba.methods,
        comeback_tu=None if after is UNSET else after,
        has_info=info_of(descriptor, more) is not None,
        info_octets=said_of(descriptor, more),
    )


def ndp_step_of(facts: Facts, frame: int, t_us: int, sender: str) -> NdpStep:
    """The step of a data path in an action frame."""
    setup, link, key = facts.ndp, facts.ndl, facts.skda
    suites = None if facts.csia is None else tuple(one.suite for one in facts.csia.suites)
    return NdpStep(
        t_us=t_us,
        frame=frame,
        sender=sender,
        type=setup.type,
        status=setup.status,
        reason=setup.reason,
        ndl_status=None if link is None else link.status,
        ndl_reason=0 if link is None else link.reason,
        suites=None if suites is None else tuple(one for one in suites if one not in GROUP_SUITES),
        has_context=facts.has_context,
        has_key=key is not None,
        nonce="" if key is None else key.nonce,
        replay_counter=None if key is None else key.replay_counter,
        ports=tuple(_ports(getattr(setup, "tlvs", ()))),
    )


def _ports(tlvs: Iterable[Any]) -> Iterable[str]:
    """Port sub-attributes of the service info TLVs."""
    for tlv in tlvs:
        info = tlv.service_info
        if info is UNSET or info.protocol != service_info.GENERIC:
            continue
        for item in service_info.sub_attributes(bytes.fromhex(info.specific)) or ():
            if item.id == 0:
                yield item.value.hex()


def auth_of(
    frame: Authentication, facts: Facts, number: int, t_us: int, faults: tuple[str, ...]
) -> Auth:
    """A PASN message; elements that are malformed count as missing and are in `faults`."""
    found: dict[str, Any] = {}
    said = [*faults, *facts.faults]
    names = set[str]()
    for element in frame.elements:
        names.add(element.name)
        if element.name in _READ:
            try:
                found.setdefault(element.name, element.fields)
            except DecodeError as exc:
                said.append(f"{element.title}: {exc.message}")
    rsne, parameters = found.get("rsne"), found.get("pasn_parameters")
    listed = found.get("supported_groups")
    key = "" if parameters is None or parameters.public_key is UNSET else parameters.public_key
    return Auth(
        t_us=t_us,
        frame=number,
        sender=frame.source,
        transaction=frame.transaction,
        status=frame.status,
        identity=key or _digest(frame),
        group=None if parameters is None or parameters.group is UNSET else parameters.group,
        groups=None if listed is None else tuple(listed.groups),
        has_wrapped="wrapped_data" in names,
        has_mic="mic" in names,
        has_nan="nan" in names,
        suites=None if facts.csia is None else tuple(one.suite for one in facts.csia.suites),
        dcea=facts.dcea is not None,
        caching=facts.dcea is not None and facts.dcea.npk_nik_caching,
        nira=facts.identity,
        faults=tuple(said),
        **_security(rsne),
    )


def _security(rsne: Any) -> dict[str, Any]:
    """What the RSNE says."""
    if rsne is None:
        return {}
    capabilities = rsne.capabilities
    return {
        "has_rsne": True,
        "akm": _first(rsne.akms),
        "cipher": _first(rsne.pairwise_ciphers),
        "pmkid": _first(rsne.pmkids),
        "is_mfp": capabilities is not UNSET
        and capabilities.mfp_required
        and capabilities.mfp_capable,
    }


def _first(items: Any) -> str:
    return "" if items is UNSET or not items else items[0]


def _digest(frame: Authentication) -> str:
    octets = b"".join(bytes((element.id,)) + element.octets for element in frame.elements)
    return f"{zlib.crc32(octets):08x}"
