"""What several rules share: going through the adverts of a device, frames as evidence, words for octets.

No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.data.service_uuids import service_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sim.explain.observations import Advert, Device, ParameterRequest, Sight

__all__ = ["APPLE", "all_requests", "frames_of", "listed", "picked", "share", "uuid_words"]

APPLE = "004c"


def picked(device: Device, wanted: Callable[[Advert], bool]) -> list[Sight]:
    """The adverts of a device that `wanted` is true for; directed and cut ones carry no data to judge."""
    return [
        sight
        for sight in device.sights.values()
        if not sight.advert.directed and sight.advert.complete and wanted(sight.advert)
    ]


def frames_of(sights: Iterable[Sight]) -> tuple[int, ...]:
    """Frame numbers of the first packets of each."""
    return tuple(frame for sight in sights for frame in sight.frames)


def share(some: list[Sight], device: Device) -> str:
    """How much of the traffic that is: "all 12 adverts", "3 of 12 adverts"."""
    total = sum(sight.count for sight in device.sights.values())
    count = sum(sight.count for sight in some)
    word = "advert" if total == 1 else "adverts"
    return (
        f"{'the only' if total == 1 else f'all {total}'} {word}"
        if count == total
        else f"{count} of {total} {word}"
    )


def listed(names: Iterable[str]) -> str:
    """ "a, b and c"; "none" when there are none."""
    items = list(dict.fromkeys(names))
    if len(items) < 2:
        return items[0] if items else "none"
    return f"{', '.join(items[:-1])} and {items[-1]}"


def uuid_words(uuids: Iterable[str]) -> str:
    """UUIDs with the names of the services they are known by."""
    return listed(f"{uuid} ({name})" if (name := service_name(uuid)) else uuid for uuid in uuids)


def all_requests(device: Device) -> list[ParameterRequest]:
    """Parameter requests on all connections of a device."""
    return [request for connection in device.connections for request in connection.requests]
