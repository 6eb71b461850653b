"""Time bitmaps and schedule entries, as NAN Availability, NDC, NDL, Ranging Setup and Public Availability use them.

Wi-Fi Aware 4.0, Schedule Entry and Time Bitmap Control; as in hostap src/nan/nan_util.c and Wireshark
packet-wifi-nan.c. Rule 1: the map ID of a schedule entry stands in bits 0 to 3; in Device Capability, Element
Container and ULW Overwrite it stands one bit higher, behind a flag. Rule 2: bit 0 of the first octet of a bitmap is
the earliest interval. Slots are those of `timing`. No clock, no randomness, no IO.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, cast

from protocols.errors import DecodeError, EncodeError
from protocols.layout import REST, U8, U16LE, Flags, Hex, Mapped, Record, Records
from protocols.layout import Body as Prefixed
from protocols.wifi_aware import timing
from protocols.wifi_aware.vocabulary import Body, HexText, Int1, Int3, Int4, Int9, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "DURATIONS",
    "ONE_MAP",
    "PERIODS",
    "SCHEDULE",
    "TIME_BITMAP",
    "ScheduleEntry",
    "TimeBitmap",
    "bitmap_of",
    "doubts",
    "slots_of",
]

DURATIONS = {0: "16 TU", 1: "32 TU", 2: "64 TU", 3: "128 TU"}
"""Length of the interval that one bit stands for, by its code; 4 to 7 are reserved."""
PERIODS = {0: "not repeated", **{code: f"{64 << code} TU" for code in range(1, 8)}}
"""After what time the bitmap starts over, by its code."""
_LONGEST_BITMAP = 64
SHOWN = 6
"""Runs of slots that a meaning lists."""

ONE_MAP = Mapped(U8, bool, operator.index, {True: "only that map", False: "all maps"}.get)
"""The bit before a map ID that says whether it counts."""


class TimeBitmap(Body, frozen=True, kw_only=True):
    """Intervals after DW0, one bit each."""

    bit_duration: Int3
    """code of the length of an interval: 0 for 16 TU, each one more doubles it, to 3."""
    period: Int3
    """code of the period: 1 for 128 TU, each one more doubles it, to 7; 0: not repeated."""
    start_offset_slots: Int9
    """where the first interval starts, in 16 TU from DW0."""
    reserved_15: Int1 = 0
    bitmap: HexText
    """bit 0 of the first octet is the earliest interval."""


class ScheduleEntry(Body, frozen=True, kw_only=True):
    """Intervals of one map."""

    map_id: Int4
    reserved_4: Int4 = 0
    time_bitmap: TimeBitmap


def _expanded(
    bit_duration: int, period: int, offset: int, octets: bytes, *, span_repeats: bool
) -> frozenset[int]:
    """Slots of a time bitmap, as `slots_of`."""
    if bit_duration not in DURATIONS:
        raise DecodeError(
            "bit_duration", None, f"code {bit_duration} is reserved", path="bit_duration"
        )
    width = 1 << bit_duration
    every = 4 << period if period else None
    if every is None and span_repeats and octets:
        every = 8 * len(octets) * width
    number = int.from_bytes(
        octets[: timing.SLOTS // (8 * width)], "little"
    )  # no bit behind it reaches a slot
    bits = (bit for bit in range(number.bit_length()) if number >> bit & 1)
    ons = (bit * width + part for bit in bits for part in range(width))
    return timing.repeated((on for on in ons if every is None or on < every), every, offset)


def slots_of(time_bitmap: TimeBitmap | None, *, span_repeats: bool = False) -> frozenset[int]:
    """The 16-TU slots (0 to 511, counted from DW0) that a time bitmap marks; None, a bitmap left out: all slots.

    Bits past the period do not count. Period code 0 marks them once; with `span_repeats` again and again, one
    length of the bitmap after the other, which is how hostap reads schedule entries. Raises DecodeError
    (`bit_duration`) for a reserved code.
    """
    if time_bitmap is None:
        return timing.ALL_SLOTS
    octets = bytes.fromhex(time_bitmap.bitmap)
    at = time_bitmap
    return _expanded(
        at.bit_duration, at.period, at.start_offset_slots, octets, span_repeats=span_repeats
    )


def bitmap_of(slots: Iterable[int], bit_duration: int = 0) -> TimeBitmap:
    """The shortest time bitmap without offset whose `slots_of` are these (0 to 511), one bit for 16 TU << `bit_duration`.

    Raises EncodeError when such intervals cannot say it.
    """
    marked = frozenset(slots)
    if not marked <= timing.ALL_SLOTS:
        raise EncodeError("slots", f"{min(marked - timing.ALL_SLOTS)} is no slot (0 to 511)")
    if bit_duration not in DURATIONS:
        raise EncodeError("bit_duration", f"code {bit_duration} is reserved")
    width = 1 << bit_duration
    period = next(
        code
        for code in range(1 + bit_duration, 8)  # the period holds one octet of bits or more
        if timing.repeated((s for s in marked if s < 4 << code), 4 << code, 0) == marked
    )
    first = [slot for slot in marked if slot < 4 << period]
    bits = {slot // width for slot in first}
    if len(bits) * width != len(first):
        raise EncodeError("bit_duration", f"intervals of {16 * width} TU do not fit these slots")
    number = sum(1 << bit for bit in bits)
    octets = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "little")
    return TimeBitmap(
        bit_duration=bit_duration, period=period, start_offset_slots=0, bitmap=octets.hex()
    )


def doubts(time_bitmap: TimeBitmap) -> Iterator[tuple[str, str]]:
    """(field, doubt) of what hostap refuses in a bitmap of NAN Availability (digest 2.13)."""
    octets = len(time_bitmap.bitmap) // 2
    slots = 8 * octets << time_bitmap.bit_duration
    period = 4 << time_bitmap.period
    if not 0 < octets <= _LONGEST_BITMAP:
        yield "bitmap", f"{octets} octets, hostap takes 1 to {_LONGEST_BITMAP}"
    if time_bitmap.period == 0:
        yield "period", "hostap takes none that does not repeat"
    elif slots > period:
        yield "bitmap", "longer than its period"
    if time_bitmap.period and time_bitmap.start_offset_slots > period:
        yield "start_offset_slots", "past the period"


def _described(values: Mapping[str, Any]) -> str | None:
    """A time bitmap in words: its slots from one repetition to the next."""
    period, offset = values["period"], values["start_offset_slots"]
    octets = bytes.fromhex(values["bitmap"])
    if values["bit_duration"] not in DURATIONS:
        return None
    once = _expanded(values["bit_duration"], 0, offset, octets, span_repeats=False)
    runs = timing.ranges(slot for slot in once if not period or slot < offset + (4 << period))
    texts = [f"{a}-{b}" if b > a else f"{a}" for a, b in runs[:SHOWN]]
    more = f" and {len(runs) - SHOWN} more runs" if len(runs) > SHOWN else ""
    which = f"slots {', '.join(texts)}{more}" if runs else "no slot"
    return f"{which}, every {PERIODS[period]}" if period else f"{which}, {PERIODS[0]}"


def _same(value: Any) -> Any:
    return value


TIME_BITMAP = Mapped(
    Record(
        Flags(
            U16LE,
            bit_duration=(0, 3, Words(U8, DURATIONS)),
            period=(3, 3, Words(U8, PERIODS)),
            start_offset_slots=(6, 9),
            reserved_15=(15, 1),
        ),
        "bitmap" / Prefixed(U8, Hex(REST)),
    ),
    _same,
    _same,
    cast("Any", _described),
)
SCHEDULE = Records(
    Record(Flags(U8, map_id=(0, 4), reserved_4=(4, 4)), "time_bitmap" / TIME_BITMAP),
    "attribute_length",
    pin=False,
)
"""Schedule entries to the end of the octets."""
