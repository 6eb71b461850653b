"""A device that sleeps more, or less, while it is on: discovery windows, slots, and what its frames say about both.

Wi-Fi Aware 4.0, Device Capability (committed discovery windows) and NAN Availability; digest 2.10, 2.13 and 4.8. Rules:
* Asleep, a device is there in its discovery windows alone: what it committed to is conditional, good for a data path,
  no promise to others.
* The others know as soon as they hear its next frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.nan_availability import CONDITIONAL
from protocols.wifi_aware.station_settings import attribute_of
from sim.wifi_aware.engines import engine_settings
from sim.wifi_aware.radio_settings import settings_of

if TYPE_CHECKING:
    from sim.wifi_aware.half import AwareHalf

__all__ = ["attend"]


def attend(half: AwareHalf, *, slots: bool) -> None:
    """Attend the discovery windows that its firmware says now, and its committed slots or (asleep) none."""
    node, radio, firmware = half.node, half.radio, half.owner.firmware()
    if node is None:
        return
    station = node.engine.station
    fresh = engine_settings(firmware, station.nmi, station.settings.ndi).station
    station.settings = msgspec.structs.replace(
        station.settings,
        device_capability=fresh.device_capability,
        availability=fresh.availability if slots else _conditional(fresh.availability),
    )
    station.availability_sequence += 1
    radio.attend(settings_of(firmware), slots=slots)


def _conditional(availability: str) -> str:
    """The same slots, as conditional ones."""
    attribute = attribute_of(availability).fields
    entries = tuple(msgspec.structs.replace(one, type=CONDITIONAL) for one in attribute.entries)
    return make(msgspec.structs.replace(attribute, entries=entries)).written().hex()
