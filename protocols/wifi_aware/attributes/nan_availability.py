"""NAN Availability (0x12): when the sender is where.

Wi-Fi Aware 4.0, NAN Availability attribute; as in hostap src/nan/nan_util.c and Wireshark packet-wifi-nan.c. An entry
without time bitmap means all slots, not none. The length of an entry does not count itself; hostap takes one that
ends behind its control field, strict wants the list control. The number of bands or channels is that of the list.
Channel entries have an auxiliary bitmap when, and only when, the list says non-contiguous. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.format import Example
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Choice,
    Flagged,
    Flags,
    Hex,
    Optional,
    Record,
    Records,
    When,
    build,
)
from protocols.layout import Body as Prefixed
from protocols.wifi_aware import schedule
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.channels import (
    BAND_LIST,
    CHANNEL_LIST,
    CHANNEL_PAIR_LIST,
    ChannelEntry,
)
from protocols.wifi_aware.schedule import TIME_BITMAP, TimeBitmap
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    HexText,
    Int1,
    Int2,
    Int3,
    Int4,
    Int6,
    Int8,
    UnsetType,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = 0x12
COMMITTED, POTENTIAL, CONDITIONAL = 1, 2, 4
"""Bits of the type of an entry."""
TYPES = {
    COMMITTED: "committed",
    POTENTIAL: "potential",
    COMMITTED | POTENTIAL: "committed and potential",
    CONDITIONAL: "conditional",
    CONDITIONAL | POTENTIAL: "conditional and potential",
}
UTILIZATIONS = {
    **{step: f"{20 * step} % in use" for step in range(6)},
    6: "invalid (reserved)",
    7: "unknown",
}


class AvailabilityEntry(Body, frozen=True, kw_only=True):
    """Some slots, and the bands or channels where the sender is then."""

    type: Int3
    """sum of COMMITTED, POTENTIAL, CONDITIONAL."""
    usage_preference: Int2
    """larger is preferred; has no meaning for committed and conditional slots."""
    utilization: Int3
    """share in use, in steps of 20 %; 7: unknown."""
    rx_nss: Int4
    """spatial streams; hostap takes 0 as 1."""
    reserved_13: Int3 = 0
    time_bitmap: TimeBitmap | UnsetType = UNSET
    """UNSET: all slots."""
    non_contiguous: bool
    reserved_2: Int2 = 0
    bands: tuple[Int8, ...] | UnsetType = UNSET
    """band IDs; either these or `channels`, 15 at most."""
    channels: tuple[ChannelEntry, ...] | UnsetType = UNSET
    trailing: HexText | UnsetType = UNSET
    """what stands behind the list, in no document."""


class NanAvailability(Body, frozen=True, kw_only=True):
    """Availability of one map."""

    sequence_id: Int8
    """the same in all these attributes of a frame, one more after each change."""
    map_id: Int4
    committed_changed: bool
    potential_changed: bool
    public_availability_changed: bool
    ndc_changed: bool
    reserved_8: Int1 = 0
    """was: multicast schedule changed."""
    reserved_9: Int1 = 0
    """was: multicast schedule change changed."""
    reserved_10: Int6 = 0
    entries: tuple[AvailabilityEntry, ...]


def _is_band_list(fields: Any) -> bool:
    """Parsing: by the bit; building: no channels are given."""
    return not fields._channel_list and getattr(fields, "channels", None) is None


ENTRY = Record(
    Flags(
        U16LE,
        type=(0, 3, Words(U8, TYPES)),
        usage_preference=(3, 2),
        utilization=(5, 3, Words(U8, UTILIZATIONS)),
        rx_nss=(8, 4),
        _time_bitmap_present=(12, "time_bitmap"),
        reserved_13=(13, 3),
    ),
    "time_bitmap" / Flagged("_time_bitmap_present", TIME_BITMAP),
    Flags(
        U8,
        _channel_list=(0, "channels"),
        non_contiguous=1,
        reserved_2=(2, 2),
        _list_size=(4, 4),
    ),
    "bands" / When(_is_band_list, Prefixed(lambda fields: fields._list_size, BAND_LIST)),
    "channels"
    / Flagged(
        "_channel_list",
        Prefixed(
            lambda fields: fields._list_size * (6 if fields.non_contiguous else 4),
            Choice(
                lambda fields: bool(fields.non_contiguous),
                {True: CHANNEL_PAIR_LIST},
                CHANNEL_LIST,
            ),
        ),
    ),
    "trailing" / Optional(Hex(REST)),
)
LAYOUT = Record(
    "sequence_id" / U8,
    Flags(
        U16LE,
        map_id=(0, 4),
        committed_changed=4,
        potential_changed=5,
        public_availability_changed=6,
        ndc_changed=7,
        reserved_8=(8, 1),
        reserved_9=(9, 1),
        reserved_10=(10, 6),
    ),
    "entries" / Records(Prefixed(U16LE, ENTRY), "attribute_length", pin=False),
)


def doubts(fields: NanAvailability) -> Iterator[tuple[str, str]]:
    """Entries that hostap refuses, and lists without entries (digest 2.13)."""
    for index, entry in enumerate(fields.entries):
        where = f"entries.[{index}]"
        fixed = entry.type & (COMMITTED | CONDITIONAL)
        count = len(entry.bands or ()) + len(entry.channels or ())
        if count == 0:
            yield f"{where}.list_size", "no band and no channel"
        if entry.type not in TYPES:
            fixed = 0  # reserved, which the tree says
        if fixed and entry.bands is not UNSET:
            yield f"{where}.type", "hostap wants channels for committed and conditional slots"
        elif fixed and count > 1 and not entry.type & POTENTIAL:
            yield f"{where}.type", "hostap wants one channel here"
        if entry.time_bitmap is not UNSET:
            for name, doubt in schedule.doubts(entry.time_bitmap):
                yield f"{where}.time_bitmap.{name}", doubt


def encode(fields: NanAvailability) -> bytes:
    """Octets; the size of each list is that of `bands` or `channels`. Raises EncodeError."""
    entries = [
        {
            **msgspec.structs.asdict(entry),
            "_list_size": len(entry.bands or ()) + len(entry.channels or ()),
        }
        for entry in fields.entries
    ]
    return build(LAYOUT, {**msgspec.structs.asdict(fields), "entries": entries})


def strategy() -> Any:
    """Valid values: bands, channels, or channels with two segments."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    unset, yes, no = draw.just(UNSET), draw.just(value=True), draw.just(value=False)
    tail = draw.one_of(unset, draw.hexes(1))

    def entries(**given: Any) -> Any:
        return draw.fields_of(AvailabilityEntry, trailing=tail, **given)

    def channels(auxiliary: Any) -> Any:
        found = draw.lists(draw.fields_of(ChannelEntry, auxiliary_bitmap=auxiliary), max_size=15)
        return found.map(tuple)

    bands = draw.lists(draw.integers(8), max_size=15).map(tuple)
    kinds = draw.one_of(
        entries(bands=bands, channels=unset),
        entries(bands=unset, channels=channels(unset), non_contiguous=no),
        entries(bands=unset, channels=channels(draw.integers(16)), non_contiguous=yes),
    )
    return draw.fields_of(NanAvailability, entries=draw.lists(kinds, max_size=3).map(tuple))


ATTRIBUTE = Attribute(
    id=ID,
    name="nan_availability",
    title="NAN Availability",
    source="Wi-Fi Aware 4.0, NAN Availability attribute",
    fields=NanAvailability,
    layout=LAYOUT,
    encode=encode,
    minimum=3,
    doubts=doubts,
    multiple=True,
    strategy=strategy,
    examples=(
        Example(
            "0131000e00e1121800" + "04feffffff" + "1151200000",
            note="map 1, committed on channel 6 in all slots but the first of each 512 TU",
        ),
        Example("0100000500ba02200204", note="map 0, potential on 2.4 and 5 GHz at any time"),
        Example("0000000900ba0213" + "820100010200", note="80 + 80 MHz: an auxiliary bitmap"),
    ),
)
