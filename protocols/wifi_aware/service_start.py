"""Whether a publish or subscribe can run as its application asked for it, and what it begins with.

Wi-Fi Aware 4.0, service discovery; digest 1.9, 3.1, 3.2 and pairing digest 9.2. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.errors import EncodeError, UsageError
from protocols.wifi_aware import discovery_frames, matching, saying
from protocols.wifi_aware.peers import Service
from protocols.wifi_aware.service_options import Instance, Publication, State
from protocols.wifi_aware.station import RefusedError

if TYPE_CHECKING:
    from protocols.wifi_aware.discovery_settings import DiscoverySettings
    from protocols.wifi_aware.service_options import Subscription
    from protocols.wifi_aware.station import Station

__all__ = ["check", "new_instance", "renew"]

LONGEST_NAME = 255
PMK = 32
PASSPHRASE = range(8, 64)
"""Octets of a passphrase of a data path."""
LARGEST_BODY = 2304
"""Octets of a management frame's body (IEEE 802.11-2020)."""
_ACTION = 6
"""Octets of category, action, OUI and type in front of the attributes."""


def new_instance(
    station: Station,
    settings: DiscoverySettings,
    name: str,
    terms: Publication | Subscription,
) -> Instance:
    """An instance that has not begun. Raises RefusedError."""
    service = _service(station, settings, name, terms)
    instance = Instance(service, terms, _first_state(terms), station.nmi)
    if settings.zero_ttl == "once" and instance.service.publish and not terms.ttl_windows:
        instance.windows_left = 1
    check(station, settings, instance)
    return instance


def check(station: Station, settings: DiscoverySettings, instance: Instance) -> None:
    """Raise RefusedError when what an instance is to say cannot be sent."""
    terms, limit = instance.terms, settings.service_info_limit
    octets = len(terms.service_info)
    if limit is not None and octets > limit:
        raise RefusedError(f"service info has {octets} octets; this device takes {limit}")
    obstacle = saying.obstacle(settings, terms)
    if obstacle:
        raise RefusedError(f"service info cannot go with the pairing strings: {obstacle}")
    try:
        content = discovery_frames.announcement(station, settings, instance, 0)
        size = sum(len(attr.written()) for attr in content)
    except EncodeError as exc:
        raise RefusedError(f"service cannot be announced: {exc}") from exc
    if size > LARGEST_BODY - _ACTION:
        raise RefusedError(f"{size} octets of attributes; a frame takes {LARGEST_BODY - _ACTION}")


def renew(station: Station, instance: Instance) -> None:
    """Make the ND-PMKID of a publish anew when the device has another NMI."""
    if instance.nmi != station.nmi:
        instance.nmi = station.nmi
        if isinstance(instance.terms, Publication):
            instance.service.pmkid = _pmkid(station, instance.terms, instance.service.service_id)


def _service(
    station: Station, settings: DiscoverySettings, name: str, terms: Publication | Subscription
) -> Service:
    octets = len(name.encode())
    if not 0 < octets <= LONGEST_NAME:
        raise RefusedError(f"service name has {octets} octets; it needs 1 to {LONGEST_NAME}")
    asked = terms if isinstance(terms, Publication) else None
    if asked and not (asked.unsolicited or asked.solicited):
        raise RefusedError("a publish must be unsolicited, solicited or both")
    taken = ((one.name, one.publish) for one in station.services.values())
    if settings.one_per_name and (name, asked is not None) in taken:
        raise RefusedError(f"{name} runs already: end that {'publish' if asked else 'subscribe'}")
    service_id = matching.service_id(name)
    return Service(
        id=station.next_instance(),
        publish=asked is not None,
        name=name,
        service_id=service_id,
        methods=terms.methods,
        cipher_suites=asked.cipher_suites if asked else (),
        pmkid=_pmkid(station, asked, service_id) if asked else "",
    )


def _pmkid(station: Station, terms: Publication, service_id: str) -> str:
    if terms.pmk and len(terms.pmk) != PMK:
        raise RefusedError(f"ND-PMK has {len(terms.pmk)} octets; it needs {PMK}")
    if terms.passphrase and len(terms.passphrase) not in PASSPHRASE:
        octets = len(terms.passphrase)
        raise RefusedError(f"passphrase has {octets} octets; it needs 8 to 63")
    try:
        return discovery_frames.nd_pmkid(terms, service_id, station.nmi)
    except UsageError as exc:
        raise RefusedError(f"a passphrase or PMK needs a first cipher suite: {exc}") from exc


def _first_state(terms: Publication | Subscription) -> State:
    publishes = isinstance(terms, Publication)
    if terms.unsynchronised:
        return State.SINGLE_CHANNEL if publishes else State.SEARCHING
    return State.PUBLISHING if publishes else State.SUBSCRIBING
