"""Unaligned Schedule (0x17): times at which the sender is elsewhere, or not where it said.

Wi-Fi Aware 4.0, Unaligned Schedule attribute; as in hostap src/common/nan_defs.h and Wireshark packet-wifi-nan.c. The
second octet is the sequence ID as in hostap; Wireshark shows its low four bits. That a period of 0 means once and a
count down of 255 no end is unverified. ULW = unaligned window. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import REST, U8, U32LE, Choice, Flags, Hex, Optional, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.channels import BAND, CHANNEL, CHANNEL_PAIR, ChannelEntry
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    HexText,
    Int1,
    Int2,
    Int3,
    Int4,
    Int8,
    Int32,
    UnsetType,
    Words,
)

ID = 0x17
BY_BAND, BY_CHANNEL, BY_CHANNEL_PAIR = range(3)
KINDS = {
    BY_BAND: "band ID",
    BY_CHANNEL: "channel entry",
    BY_CHANNEL_PAIR: "channel entry with auxiliary bitmap",
}


class Place(Body, frozen=True, kw_only=True):
    """Band or channel of the windows; which member is there goes with the type."""

    type: Int2
    available: bool
    """the sender is there during the windows."""
    rx_nss: Int4
    reserved_7: Int1 = 0
    band: Int8 | UnsetType = UNSET
    channel: ChannelEntry | UnsetType = UNSET
    octets: HexText | UnsetType = UNSET
    """of the reserved type."""


class UnalignedSchedule(Body, frozen=True, kw_only=True):
    """A row of windows that do not fall on slots."""

    schedule_id: Int4
    reserved_4: Int4 = 0
    sequence_id: Int8
    start_us: Int32
    """low 32 bits of the TSF at which the first window starts."""
    duration_us: Int32
    period_us: Int32
    count_down: Int8
    """windows that are left."""
    overwrite_all: bool
    """the windows come before the availability of all maps."""
    map_id: Int4
    """the map whose availability they come before, without `overwrite_all`."""
    reserved_overwrite_5: Int3 = 0
    place: Place | UnsetType = UNSET


PLACE = Record(
    Flags(
        U8,
        type=(0, 2, Words(U8, KINDS)),
        available=2,
        rx_nss=(3, 4),
        reserved_7=(7, 1),
    ),
    Choice(
        lambda fields: fields.type,
        {
            BY_BAND: Record("band" / BAND),
            BY_CHANNEL: Record("channel" / CHANNEL),
            BY_CHANNEL_PAIR: Record("channel" / CHANNEL_PAIR),
        },
        Record("octets" / Hex(REST)),
    ),
)


def strategy() -> Any:
    """Valid values: the type of the place with its member."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    unset = draw.just(UNSET)

    def place(kind: int, **given: Any) -> Any:
        others = {"band": unset, "channel": unset, "octets": unset}
        return draw.fields_of(Place, type=draw.just(kind), **{**others, **given})

    one = draw.fields_of(ChannelEntry, auxiliary_bitmap=unset)
    pair = draw.fields_of(ChannelEntry, auxiliary_bitmap=draw.integers(16))
    places = draw.one_of(
        unset,
        place(BY_BAND, band=draw.integers(8)),
        place(BY_CHANNEL, channel=one),
        place(BY_CHANNEL_PAIR, channel=pair),
        place(3, octets=draw.hexes()),
    )
    return draw.fields_of(UnalignedSchedule, place=places)


ATTRIBUTE = Attribute(
    id=ID,
    name="unaligned_schedule",
    title="Unaligned Schedule",
    source="Wi-Fi Aware 4.0, Unaligned Schedule attribute",
    fields=UnalignedSchedule,
    layout=Record(
        Flags(U8, schedule_id=(0, 4), reserved_4=(4, 4)),
        "sequence_id" / U8,
        "start_us" / U32LE,
        "duration_us" / U32LE,
        "period_us" / Words(U32LE, {0: "once (unverified)"}, "from start to start"),
        "count_down" / Words(U8, {0xFF: "no end (unverified)"}, "windows left"),
        Flags(U8, overwrite_all=0, map_id=(1, 4), reserved_overwrite_5=(5, 3)),
        "place" / Optional(PLACE),
    ),
    minimum=16,
    multiple=True,
    strategy=strategy,
    examples=(
        Example("0201" + "00100000" + "00040000" + "00000800" + "ff" + "01", note="all maps"),
        Example(
            "0312" + "00100000" + "00040000" + "00000000" + "05" + "04" + "0c02",
            note="map 2, available on 2.4 GHz",
        ),
        Example(
            "0312" + "00100000" + "00040000" + "00000000" + "05" + "04" + "0951200000",
            note="map 2, away on channel 6",
        ),
    ),
)
