"""Service discovery frames of an instance, and what is read out of those of others.

Wi-Fi Aware 4.0, service discovery frame; digest 2.4, 2.5, 3.5 and 7, in the order of hostap src/common/nan_de.c:
Service Descriptor, its extension, NPBA, the attributes of the device, those of the caller, CSIA, SCIA. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET, UnsetType

from protocols.errors import DecodeError
from protocols.wifi_aware import keys, saying
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.pairing_bootstrapping import ADVERTISE, PairingBootstrapping
from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
from protocols.wifi_aware.attributes.service_descriptor_extension import (
    RangeLimit,
    ServiceDescriptorExtension,
)
from protocols.wifi_aware.peer_facts import readable
from protocols.wifi_aware.security_attributes import ND_PMKID, csia_of, scia_of
from protocols.wifi_aware.service_info import WFA
from protocols.wifi_aware.service_options import Publication, Subscription
from protocols.wifi_aware.station_settings import attribute_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.discovery_settings import DiscoverySettings
    from protocols.wifi_aware.frames import Sdf
    from protocols.wifi_aware.peers import Service
    from protocols.wifi_aware.saying import Saying
    from protocols.wifi_aware.service_info import ServiceInfo
    from protocols.wifi_aware.service_options import Instance
    from protocols.wifi_aware.station import Station

__all__ = [
    "FOLLOW_UP",
    "PUBLISH",
    "SUBSCRIBE",
    "Sighting",
    "advertisement",
    "announcement",
    "follow_up",
    "nd_pmkid",
    "pmkids_of",
    "sightings",
    "suites_of",
]

PUBLISH, SUBSCRIBE, FOLLOW_UP = range(3)
"""Types of a Service Descriptor."""
_HEADER = 8
"""Hex digits of OUI and protocol in front of a service info."""
_CONTROL = (
    "fsd_required",
    "data_path_required",
    "qos_required",
    "security_required",
    "ranging_required",
    "gtk_required",
)
"""Control bits of the SDEA that are fields of a publication too."""


# --- what an instance sends -------------------------------------------------------------------------


def advertisement(service: Service) -> Attr | None:
    """NPBA of the methods that a service offers, None when it offers none (digest 6.1)."""
    if not service.methods:
        return None
    return make(
        PairingBootstrapping(
            dialog_token=0, type=ADVERTISE, status=0, reason=0, methods=service.methods
        )
    )


def nd_pmkid(terms: Publication, service_id: str, nmi: str) -> str:
    """ND-PMKID that a publish shows, hex; empty without passphrase and PMK. Raises UsageError for other suites."""
    if not (terms.passphrase or terms.pmk):
        return ""
    csid = keys.suite_of(terms.cipher_suites[0] if terms.cipher_suites else 0).csid
    pmk = terms.pmk or keys.nd_pmk_of_passphrase(terms.passphrase, csid, service_id, nmi)
    return keys.nd_pmkid(pmk, keys.BROADCAST, nmi, service_id, csid).hex()


def announcement(
    station: Station, settings: DiscoverySettings, instance: Instance, requestor: int
) -> tuple[Attr, ...]:
    """Attributes of a publish or subscribe frame, to nobody (`requestor` 0) or to an instance."""
    publishes, terms = instance.service.publish, instance.terms
    said = saying.said(settings, terms, terms.service_info or None, strings=publishes)
    dcea = settings.dcea_in_publish if publishes else settings.dcea_in_subscribe
    filtered = settings.filters_in_every_frame or not requestor
    kind = PUBLISH if publishes else SUBSCRIBE
    npba = advertisement(instance.service)
    return (
        *_descriptors(instance, kind, requestor, said, filtered=filtered),
        *(() if npba is None else (npba,)),
        *_extras(station, settings, instance, dcea=dcea, nira=settings.nira),
        *terms.attributes,
        *_security(station, instance),
    )


def follow_up(
    station: Station,
    settings: DiscoverySettings,
    instance: Instance,
    requestor: int,
    said: Saying,
    attributes: Iterable[Attr],
) -> tuple[Attr, ...]:
    """Attributes of a follow-up to instance `requestor`: the caller's stand before CSIA and SCIA."""
    filtered = settings.filters_in_every_frame
    dcea, nira = settings.dcea_in_follow_up, settings.nira_in_follow_up
    return (
        *_descriptors(instance, FOLLOW_UP, requestor, said, filtered=filtered),
        *_extras(station, settings, instance, dcea=dcea, nira=nira),
        *attributes,
        *_security(station, instance),
    )


def _descriptors(
    instance: Instance, kind: int, requestor: int, said: Saying, *, filtered: bool
) -> list[Attr]:
    terms = instance.terms
    who = terms.response_filter if isinstance(terms, Subscription) and filtered else None
    tx_filter = terms.tx_filter if filtered else None
    descriptor = ServiceDescriptor(
        service_id=instance.service.service_id,
        instance_id=instance.handle,
        requestor_instance_id=requestor,
        type=kind,
        range_limited=terms.close_range and filtered,
        matching_filter=UNSET if tx_filter is None else tx_filter.hex(),
        response_filter=UNSET if who is None else who,
        service_info=said.descriptor,
    )
    extension = _extension(instance, said.extension)
    return [make(descriptor)] if extension is None else [make(descriptor), make(extension)]


def _extension(
    instance: Instance, info: ServiceInfo | UnsetType
) -> ServiceDescriptorExtension | None:
    """The SDEA, None when it would say nothing; only a publish sets control bits (hostap)."""
    terms, indicator = instance.terms, instance.update_indicator
    control: dict[str, Any] = {name: getattr(terms, name, False) for name in _CONTROL}
    limit = terms.range_limit_cm if isinstance(terms, Publication) else None
    if info is UNSET and indicator is None and limit is None and not any(control.values()):
        return None
    return ServiceDescriptorExtension(
        instance_id=instance.handle,
        **control,
        fsd_method=0,
        data_path_type=0,
        range_limit=UNSET if limit is None else RangeLimit(ingress_cm=limit[0], egress_cm=limit[1]),
        service_update_indicator=UNSET if indicator is None else indicator,
        service_info=info,
    )


def _extras(
    station: Station, settings: DiscoverySettings, instance: Instance, *, dcea: bool, nira: bool
) -> list[Attr]:
    apart = instance.terms.unsynchronised
    if not (settings.unsynchronised.extras if apart else settings.extras):
        return []
    shown = station.device_attributes()
    if dcea and station.settings.dcea:
        shown.append(attribute_of(station.settings.dcea))
    if nira:
        shown.append(station.nira())
    return shown


def _security(station: Station, instance: Instance) -> list[Attr]:
    terms, handle = instance.terms, instance.handle
    if not isinstance(terms, Publication) or not terms.cipher_suites:
        return []
    shown = [csia_of(station.settings.security_capabilities, handle, *terms.cipher_suites)]
    if instance.service.pmkid:
        shown.append(scia_of(handle, bytes.fromhex(instance.service.pmkid)))
    return shown


# --- what others say --------------------------------------------------------------------------------


class Sighting(NamedTuple):
    """One Service Descriptor of a frame, with what belongs to it."""

    descriptor: ServiceDescriptor
    extension: ServiceDescriptorExtension | None
    """the last one of the same instance."""
    service_info: str
    """as hex: that of the extension when it is of Wi-Fi Alliance, else that of the descriptor."""


def sightings(frame: Sdf, *, strip_header: bool) -> tuple[list[Sighting], list[str]]:
    """The Service Descriptors of a frame, and in words what is wrong with those that cannot be read."""
    found: list[Sighting] = []
    faults: list[str] = []
    for attr in frame.attributes:
        if attr.name != "service_descriptor":
            continue
        try:
            found.append(_sighting(frame, attr.fields, strip_header=strip_header))
        except DecodeError as exc:
            faults.append(f"Service Descriptor: {exc}")
    return found, faults


def _sighting(frame: Sdf, descriptor: ServiceDescriptor, *, strip_header: bool) -> Sighting:
    extension: ServiceDescriptorExtension | None = None
    for one in readable(frame, "service_descriptor_extension"):
        if one.instance_id == descriptor.instance_id:
            extension = one
    info = "" if descriptor.service_info is UNSET else descriptor.service_info
    if strip_header and info.startswith(WFA):
        info = info[_HEADER:]
    said = UNSET if extension is None else extension.service_info
    if said is not UNSET and said.oui == WFA:
        info = said.specific
    return Sighting(descriptor, extension, info)


def suites_of(frame: Sdf, publish_id: int) -> tuple[int, ...]:
    """Cipher suites that a frame offers for a publish instance; an entry for instance 0 is for any."""
    return tuple(
        entry.suite
        for csia in readable(frame, "cipher_suite_information")
        for entry in csia.suites
        if entry.publish_id in (0, publish_id)
    )


def pmkids_of(frame: Sdf, publish_id: int) -> tuple[str, ...]:
    """ND-PMKIDs that a frame shows for a publish instance, hex."""
    return tuple(
        context.identifier
        for scia in readable(frame, "security_context_information")
        for context in scia.contexts
        if context.type == ND_PMKID and context.publish_id in (0, publish_id)
    )
