"""When the others are awake, as their frames say: committed discovery windows and committed slots.

Wi-Fi Aware 4.0, Device Capability and NAN Availability; digest 2.10, 2.13 and 4.8. A device that told nothing is
awake in every discovery window of 2.4 GHz. Conditional and potential entries promise nothing. No clock, no chance.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # the fields of a NamedTuple
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from msgspec import UNSET

from protocols.errors import DecodeError
from protocols.wifi_aware import timing
from protocols.wifi_aware.channels import channels_of
from protocols.wifi_aware.schedule import slots_of
from protocols.wifi_aware.timing import ALL_SLOTS, BAND_5

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.nan_availability import NanAvailability
    from protocols.wifi_aware.heard import Heard

__all__ = ["Presence", "Wake", "committed_slots"]

_T = TypeVar("_T")
_CAPABILITY, _AVAILABILITY = 0x0F, 0x12
_COMMITTED = 1
_DEVICES = 1024
"""Addresses that are remembered; the one that was heard of first makes room for one more."""


class Wake(NamedTuple):
    """Committed wake values of a device, and its committed slots by channel number."""

    wake_2_4: int = 1
    wake_5: int = 0
    slots: Mapping[int, frozenset[int]] = MappingProxyType({})

    def attends(self, band: int, index: int) -> bool:
        """Whether it is awake in that discovery window."""
        return timing.attends(index, self.wake_5 if band == BAND_5 else self.wake_2_4)

    def is_there(self, channel: int, slot: int) -> bool:
        """Whether it is on `channel` in slot 0 to 511."""
        return slot in self.slots.get(channel, ())


_SILENT = Wake()


class Presence:
    """What is known of the others' schedules, by address."""

    def __init__(self) -> None:
        self._known: dict[str, Wake] = {}
        self._sources: dict[str, tuple[bytes, ...]] = {}

    def learn(self, heard: Heard) -> None:
        """Note what a frame says of its sender's schedule; a frame that says nothing changes nothing."""
        frame: Any = heard.frame
        attributes: tuple[Attr, ...] = getattr(frame, "attributes", ())
        told = [one for one in attributes if one.id in (_CAPABILITY, _AVAILABILITY)]
        if not told:
            return
        octets = tuple(one.octets for one in told)
        if frame.source in self._known and self._sources.get(frame.source) == octets:
            return
        _remember(self._sources, frame.source, octets)
        try:
            _remember(self._known, frame.source, _wake(told, self.of(frame.source)))
        except DecodeError:
            return  # a malformed schedule is none

    def of(self, address: str) -> Wake:
        """What is known of a device."""
        return self._known.get(address, _SILENT)

    def alias(self, address: str, of: str) -> None:
        """`address` is another one (an NDI) of the device with address `of`."""
        _remember(self._known, address, self.of(of))


def _remember(table: dict[str, _T], address: str, value: _T) -> None:
    """Note what belongs to an address; the oldest goes when there are too many."""
    if address not in table and len(table) >= _DEVICES:
        del table[next(iter(table))]
    table[address] = value


def _wake(attributes: Iterable[Attr], known: Wake) -> Wake:
    for attr in attributes:
        if attr.id == _CAPABILITY and len(attr.octets) > 2:
            committed = attr.octets[1] | attr.octets[2] << 8
            known = known._replace(wake_2_4=committed & 7, wake_5=committed >> 3 & 7)
    schedules = [attr.fields for attr in attributes if attr.id == _AVAILABILITY]
    return known._replace(slots=committed_slots(schedules)) if schedules else known


def committed_slots(schedules: Iterable[NanAvailability]) -> dict[int, frozenset[int]]:
    """Slots by channel number to which these Availability attributes commit their sender."""
    out: dict[int, frozenset[int]] = {}
    for schedule in schedules:
        for entry in schedule.entries:
            channels = () if entry.channels is UNSET else entry.channels
            if not entry.type & _COMMITTED or not channels:
                continue
            bitmap = entry.time_bitmap
            slots = ALL_SLOTS if bitmap is UNSET else slots_of(bitmap)
            for channel in channels_of(channels[0]):
                number = channel.number
                out[number] = out.get(number, frozenset()) | slots
    return out
