"""Which device is the phone: what gives one away, and what it has to do with a device, a service or a pair.

Nobody can see the system of a device. Taken for an iPhone: whoever names Apple as vendor in its pairing info
(IA-13), and whoever has both an availability with a period above 512 TU (IA-10) and Management MIC elements on what
it sends to all (IA-11). In a trace a phone's app names its profile. Android phones have no mark of their own. No
clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.explain.aware_observations import Aware, AwareDevice

__all__ = ["IPHONE_PERIOD_TU", "family_of", "is_concerned", "phones", "works_between"]

IPHONE_PERIOD_TU = 512
_VENDOR = "apple"


def family_of(profile: str) -> str:
    """`ios` or `android`, from the name of a profile."""
    return profile.partition("-")[0]


def phones(aware: Aware, family: str) -> set[str]:
    """NMIs of the devices that are phones of that family, as far as one can tell."""
    return {
        device.nmi
        for device in aware.devices.values()
        if (family_of(device.phone) if device.phone else "ios" if _is_iphone(device) else "")
        == family
    }


def _is_iphone(device: AwareDevice) -> bool:
    info = device.info
    if info is not None and info.vendor.lower().startswith(_VENDOR):
        return True
    is_long = any(period > IPHONE_PERIOD_TU for period in device.periods_tu)
    return is_long and bool(device.beacons.protected or device.group_frames.protected)


def is_concerned(aware: Aware, known: Iterable[str], nmis: Iterable[str]) -> bool:
    """Whether one of the `known` phones is among `nmis`, spoke with one of them, or shares a service with one."""
    those = set(nmis)
    return any(
        phone in those
        or any((min(phone, nmi), max(phone, nmi)) in aware.pairs for nmi in those)
        or any(_meet(aware, phone, nmi) for nmi in those)
        for phone in known
    )


def _meet(aware: Aware, one: str, other: str) -> bool:
    """Whether one publishes what the other subscribes to."""
    first, second = aware.devices.get(one), aware.devices.get(other)
    if first is None or second is None:
        return False
    wanted = {(service.kind, service.service_id) for service in second.services.values()}
    return any(
        (kind, service.service_id) in wanted
        for service in first.services.values()
        for kind in ("publish", "subscribe")
        if kind != service.kind
    )


def works_between(aware: Aware, nmi: str, others: Iterable[str] | None = None) -> bool:
    """Whether a device agreed on something with one of `others` (anybody when None): a pairing, a data path."""
    device = aware.devices.get(nmi)
    peers = (device.peers if device is not None else ()) if others is None else others
    found = (aware.pairs.get((min(nmi, peer), max(nmi, peer))) for peer in peers)
    return any(pair is not None and pair.works for pair in found)
