"""The NAN action frames of data paths: what one says, and their attributes in the order hostap has them.

Wi-Fi Aware 4.0, NDP and NDL setup; digest 2.15 to 2.18, 5.2 and 5.9. Rule 1: a frame is read once, into a `Step`, and
the state machine asks that; `NotTakenError` says which rule it breaks. Rule 2: what a device shows of itself (capability,
availability, NDC, NDL, elements) is configuration, only its variable octets are written here. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from protocols.errors import DecodeError, RemoteProtocolError
from protocols.layout import build
from protocols.wifi_aware import ndl
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.cipher_suite_information import CipherSuiteInformation
from protocols.wifi_aware.attributes.nan_availability import (
    COMMITTED,
    CONDITIONAL,
    NanAvailability,
)
from protocols.wifi_aware.attributes.ndc import Ndc
from protocols.wifi_aware.attributes.ndl import Ndl
from protocols.wifi_aware.attributes.ndl_qos import NO_LATENCY, NdlQos
from protocols.wifi_aware.attributes.ndp import Ndp
from protocols.wifi_aware.attributes.ndpe import IPV6, SERVICE, Ndpe, Tlv
from protocols.wifi_aware.attributes.security_context_information import (
    SecurityContextInformation,
)
from protocols.wifi_aware.ndl import Offer
from protocols.wifi_aware.service_info import GENERIC, SERVICE_INFO, WFA, ServiceInfo
from protocols.wifi_aware.station_settings import attribute_of
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.frames import Naf
    from protocols.wifi_aware.schedule import ScheduleEntry
    from protocols.wifi_aware.station_settings import StationSettings

__all__ = [
    "CONFIRM",
    "INSTALL",
    "REQUEST",
    "RESPONSE",
    "TERMINATION",
    "Additions",
    "Message",
    "NotTakenError",
    "Step",
    "agreed_availability",
    "ndc_of",
    "ndl_of",
    "ndp_of",
    "offer_of",
    "own_offer",
    "qos_of",
    "read",
]

SKDA = 0x24


class NotTakenError(RemoteProtocolError):
    """A frame that a rule of its engine refuses; the text names the rule."""


class Message(NamedTuple):
    """One of the five frames: its name in traces, its NAF subtype, the type of its NDP."""

    name: str
    subtype: int
    type: int


REQUEST = Message("ndp_m1", 5, 0)
RESPONSE = Message("ndp_m2", 6, 1)
CONFIRM = Message("ndp_m3", 7, 2)
INSTALL = Message("ndp_m4", 8, 3)
TERMINATION = Message("ndp_termination", 9, 4)


class Additions(NamedTuple):
    """What an application sends along; octets, empty for none."""

    service_info: bytes = b""
    interface_identifier: bytes = b""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a NAF of a data path says; None: the attribute is not there."""

    setup: Ndp | Ndpe
    additions: Additions
    csia: CipherSuiteInformation | None
    scia: SecurityContextInformation | None
    descriptor: Attr | None
    """SKDA; read with the suite of the path."""
    ndl: Ndl | None
    ndc: Ndc | None
    """the selected one."""
    qos: NdlQos | None
    availability: tuple[NanAvailability, ...]
    ndpe: bool | None
    """the sender knows NDPE, by its Device Capability."""

    @property
    def offer(self) -> Offer:
        """Its side of a link; what `read` gave has one."""
        return offer_of(self.availability, self.ndc, self.ndl, self.qos)


def read(frame: Naf) -> Step:
    """What a frame says. Raises NotTakenError."""
    try:
        step = _read(frame)
        _check_schedules(step.offer)
    except DecodeError as exc:
        raise NotTakenError(f"malformed attribute: {exc}") from exc
    _check_announced(step)
    return step


def _check_schedules(offer: Offer) -> None:
    """Raises DecodeError when a time bitmap cannot be expanded: whoever looks at slots later need not fear it."""
    ndl.scheduled((*offer.immutable, *(offer.ndc or ())))


def _read(frame: Naf) -> Step:
    capability = frame.first("device_capability")
    ndpe = None if capability is None else bool(capability.ndpe)
    setup: Ndp | Ndpe | None = _setup_of(frame, ndpe=ndpe)
    if setup is None:
        raise NotTakenError("neither NDP nor NDPE attribute")
    return Step(
        setup=setup,
        additions=_additions(setup),
        csia=frame.first("cipher_suite_information"),
        scia=frame.first("security_context_information"),
        descriptor=next((attr for attr in frame.attributes if attr.id == SKDA), None),
        ndl=frame.first("ndl"),
        ndc=next((one for one in frame.all("ndc") if one.selected), None),
        qos=frame.first("ndl_qos"),
        availability=tuple(frame.all("nan_availability")),
        ndpe=ndpe,
    )


def _setup_of(frame: Naf, *, ndpe: bool | None) -> Any:
    """NDPE of a sender that claims it, otherwise NDP (hostap); the other when only that is there."""
    names = ("ndp", "ndpe") if ndpe is False else ("ndpe", "ndp")
    found = (frame.first(name) for name in names)
    return next((one for one in found if one is not None), None)


def _check_announced(step: Step) -> None:
    """Bits of the NDL that speak of other attributes of the frame (digest 2.17)."""
    link = step.ndl
    if link is None:
        return
    if link.qos_present and step.qos is None:
        raise NotTakenError("its NDL announces a QoS attribute, and there is none")
    if link.ndc_present and step.ndc is None and link.status != ndl.REJECTED:
        raise NotTakenError("its NDL announces an NDC attribute, and none is selected")
    if len({one.sequence_id for one in step.availability}) > 1:
        raise NotTakenError("its Availability attributes have different Sequence IDs")


def _additions(setup: Ndp | Ndpe) -> Additions:
    if isinstance(setup, Ndp):
        info = "" if setup.specific_info is UNSET else setup.specific_info
        return Additions(bytes.fromhex(info))
    info_octets, identifier = b"", b""
    for tlv in setup.tlvs:  # the last of a kind counts
        if tlv.type == IPV6 and tlv.interface_identifier is not UNSET:
            identifier = bytes.fromhex(tlv.interface_identifier)
        elif tlv.type == SERVICE:
            info_octets = _service_octets(tlv)
    return Additions(info_octets, identifier)


def _service_octets(tlv: Tlv) -> bytes:
    """Service info without the header of the Generic protocol; whole when it is another (hostap)."""
    info = tlv.service_info
    if info is UNSET:
        return b"" if tlv.value is UNSET else bytes.fromhex(tlv.value)
    if info.oui == WFA and info.protocol == GENERIC:
        return bytes.fromhex(info.specific)
    return build(SERVICE_INFO, info)


# --- attributes -----------------------------------------------------------------------------------


def ndp_of(message: Message, additions: Additions, *, ndpe: bool, **members: Any) -> Attr:
    """NDPE or NDP; `members` are those of `data_path.Setup` besides the type."""
    if ndpe:
        return make(Ndpe(type=message.type, gtk_required=False, tlvs=_tlvs(additions), **members))
    info = additions.service_info.hex() or UNSET
    return make(Ndp(type=message.type, specific_info=info, **members))


def _tlvs(additions: Additions) -> tuple[Tlv, ...]:
    """Service info first, identifier second (hostap)."""
    out: list[Tlv] = []
    if additions.service_info:
        info = ServiceInfo(oui=WFA, protocol=GENERIC, specific=additions.service_info.hex())
        out.append(Tlv(type=SERVICE, service_info=info))
    if additions.interface_identifier:
        identifier = additions.interface_identifier.hex()
        out.append(Tlv(type=IPV6, interface_identifier=identifier))
    return tuple(out)


def ndl_of(
    settings: StationSettings,
    *,
    type: int,  # noqa: A002  # the field's name
    status: int,
    token: int,
    reason: int = 0,
    ndc: bool = False,
    qos: bool = False,
) -> Attr:
    """The configured NDL as a step of a setup; a response that accepts has no immutable schedule (hostap)."""
    fields: Ndl = attribute_of(settings.ndl).fields
    changes: dict[str, Any] = {
        "dialog_token": token, "type": type, "status": status, "reason": reason,
        "ndc_present": ndc, "qos_present": qos,
    }  # fmt: skip
    if type != REQUEST.type and status != ndl.CONTINUED:
        changes["immutable_schedule"] = UNSET
    return make(msgspec.structs.replace(fields, **changes))


def ndc_of(
    settings: StationSettings, ndc_id: bytes, schedule: tuple[ScheduleEntry, ...] | None = None
) -> Attr:
    """A selected NDC: that ID, and a given schedule or the configured one."""
    if schedule is None:
        fields: Ndc = attribute_of(settings.ndc).fields
        return make(msgspec.structs.replace(fields, ndc_id=ndc_id.hex(), selected=True))
    return make(Ndc(ndc_id=ndc_id.hex(), selected=True, schedule=schedule))


def qos_of(min_slots: int, max_latency_slots: int) -> Attr | None:
    """NDL QoS; None without a preference."""
    if not min_slots and max_latency_slots == NO_LATENCY:
        return None
    return make(NdlQos(min_slots=min_slots, max_latency_slots=max_latency_slots))


def agreed_availability(attr: Attr) -> Attr:
    """An Availability whose conditional slots are committed now: the link stands (digest 5.5)."""
    fields: NanAvailability = attr.fields
    if not any(entry.type & CONDITIONAL for entry in fields.entries):
        return attr
    entries = tuple(
        msgspec.structs.replace(entry, type=entry.type ^ CONDITIONAL | COMMITTED)
        if entry.type & CONDITIONAL
        else entry
        for entry in fields.entries
    )
    return make(msgspec.structs.replace(fields, entries=entries))


# --- offers ---------------------------------------------------------------------------------------


def offer_of(
    availability: tuple[NanAvailability, ...],
    ndc: Ndc | None,
    link: Ndl | None,
    qos: NdlQos | None,
) -> Offer:
    """What attributes offer. Raises DecodeError."""
    immutable = () if link is None or link.immutable_schedule is UNSET else link.immutable_schedule
    return Offer(
        usable=ndl.usable(availability),
        ndc=None if ndc is None else ndc.schedule,
        immutable=immutable,
        min_slots=0 if qos is None else qos.min_slots,
        max_latency_slots=NO_LATENCY if qos is None else qos.max_latency_slots,
    )


def own_offer(settings: StationSettings) -> Offer:
    """What the configuration offers; empty settings offer nothing of that kind."""
    availability: tuple[NanAvailability, ...] = ()
    if settings.availability:
        availability = (attribute_of(settings.availability).fields,)
    ndc: Ndc | None = attribute_of(settings.ndc).fields if settings.ndc else None
    link: Ndl | None = attribute_of(settings.ndl).fields if settings.ndl else None
    return offer_of(availability, ndc, link, None)
