"""Ranging Setup (0x1B): a step in agreeing on range measurements.

Wi-Fi Aware 4.0, Ranging Setup attribute; as in Wireshark packet-wifi-nan.c. The status counts from accepted, unlike
that of NDP and NDL. The FTM parameters are three octets on the air. What their values mean is that of the Fine
Timing Measurement Parameters element, IEEE 802.11-2020 9.4.2.167 (unverified that Wi-Fi Aware takes them over).
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any, cast

from protocols.format import Example
from protocols.layout import U8, U24LE, Flagged, Flags, Mapped, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.schedule import SCHEDULE, ScheduleEntry
from protocols.wifi_aware.vocabulary import (
    REASONS,
    UNSET,
    Body,
    Int3,
    Int4,
    Int5,
    Int6,
    Int8,
    UnsetType,
    Words,
)

ID = 0x1B
TYPES = {0: "request", 1: "response", 2: "termination"}
STATUSES = {0: "accepted", 1: "rejected"}
_BURSTS = {
    **{code: f"{250 << code - 2} µs" for code in range(2, 12)},
    15: "no preference",
}
_FORMATS = {
    0: "no preference",
    4: "non-HT, 5 MHz",
    6: "non-HT, 10 MHz",
    8: "non-HT, 20 MHz",
    9: "HT mixed, 20 MHz",
    10: "VHT, 20 MHz",
    11: "HT mixed, 40 MHz",
    12: "VHT, 40 MHz",
    13: "VHT, 80 MHz",
    14: "VHT, 80 + 80 MHz",
    15: "VHT, 160 MHz (two oscillators)",
    16: "VHT, 160 MHz (one oscillator)",
}


class FtmParameters(Body, frozen=True, kw_only=True):
    """How to measure."""

    max_burst_duration: Int4
    min_delta_ftm: Int6
    """in 100 µs; 0: no preference."""
    max_ftms_per_burst: Int5
    """0: no preference."""
    format_and_bandwidth: Int6
    reserved_21: Int3 = 0


class RangingSetup(Body, frozen=True, kw_only=True):
    """One step of a ranging setup; what is UNSET is not in the octets."""

    dialog_token: Int8
    type: Int4
    status: Int4
    reason: Int8
    report_required: bool
    reserved_3: Int5 = 0
    ftm: FtmParameters | UnsetType = UNSET
    schedule: tuple[ScheduleEntry, ...] | UnsetType = UNSET


def _same(value: Any) -> Any:
    return value


def _delta(units: int) -> str:
    return f"{100 * units} µs" if units else "no preference"


FTM = Record(
    Flags(
        U24LE,
        max_burst_duration=(0, 4, Words(U8, _BURSTS)),
        min_delta_ftm=(4, 6, Mapped(U8, _same, _same, cast("Any", _delta))),
        max_ftms_per_burst=(10, 5, Words(U8, {0: "no preference"}, "measurements")),
        format_and_bandwidth=(15, 6, Words(U8, _FORMATS)),
        reserved_21=(21, 3),
    )
)

ATTRIBUTE = Attribute(
    id=ID,
    name="ranging_setup",
    title="Ranging Setup",
    source="Wi-Fi Aware 4.0, Ranging Setup attribute",
    fields=RangingSetup,
    layout=Record(
        "dialog_token" / U8,
        Flags(U8, type=(0, 4, Words(U8, TYPES)), status=(4, 4, Words(U8, STATUSES))),
        "reason" / Words(U8, REASONS),
        Flags(
            U8,
            report_required=0,
            _ftm_present=(1, "ftm"),
            _schedule_present=(2, "schedule"),
            reserved_3=(3, 5),
        ),
        "ftm" / Flagged("_ftm_present", FTM),
        "schedule" / Flagged("_schedule_present", SCHEDULE),
    ),
    minimum=4,
    examples=(
        Example(
            "05000007" + "291304" + "0118000400020000",
            note="request: report wanted, FTM parameters, slot 9 of map 1",
        ),
        Example("05110400", note="response: rejected, FTM parameters incapable"),
        Example("05020000", note="termination"),
    ),
)
