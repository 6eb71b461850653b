"""NDL (0x14): a step in agreeing on the slots of a data link.

Wi-Fi Aware 4.0, NDL attribute; as in hostap src/nan/nan_ndl.c and Wireshark packet-wifi-nan.c. The control octet is one
octet on the air (hostap holds it in two). Two of its bits speak of other attributes of the frame. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import Any, cast

from protocols.format import Example
from protocols.layout import U8, U16LE, Flagged, Flags, Mapped, Record
from protocols.wifi_aware import data_path
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.schedule import SCHEDULE, ScheduleEntry
from protocols.wifi_aware.vocabulary import (
    REASONS,
    UNSET,
    Body,
    Int1,
    Int2,
    Int4,
    Int8,
    Int16,
    UnsetType,
    Words,
)

ID = 0x14
TYPES = {0: "request", 1: "response", 2: "confirm"}


class Ndl(Body, frozen=True, kw_only=True):
    """One step of a data link; what is UNSET is not in the octets."""

    dialog_token: Int8
    """as in the NDP of the frame."""
    type: Int4
    status: Int4
    reason: Int8
    ndc_present: bool
    """an NDC attribute is in the frame."""
    qos_present: bool
    """an NDL QoS attribute is in the frame."""
    ndl_type: Int1
    """0: S-NDL; 1 was P-NDL."""
    setup_reason: Int2
    reserved_peer_id: Int8 | UnsetType = UNSET
    """NDL peer ID of older documents."""
    max_idle: Int16 | UnsetType = UNSET
    """how long the link may be idle, in 1024 TU (about 1.05 s)."""
    immutable_schedule: tuple[ScheduleEntry, ...] | UnsetType = UNSET
    """slots that the sender cannot give up."""


def _same(value: Any) -> Any:
    return value


def _seconds(units: int) -> str:
    return f"{units} x 1024 TU = {units * 1024 * 1024 / 1_000_000:.1f} s"


ATTRIBUTE = Attribute(
    id=ID,
    name="ndl",
    title="NDL",
    source="Wi-Fi Aware 4.0, NDL attribute",
    fields=Ndl,
    layout=Record(
        "dialog_token" / U8,
        data_path.step(TYPES),
        "reason" / Words(U8, REASONS),
        Flags(
            U8,
            _peer_id_present=(0, "reserved_peer_id"),
            _immutable_schedule_present=(1, "immutable_schedule"),
            ndc_present=2,
            qos_present=3,
            _max_idle_present=(4, "max_idle"),
            ndl_type=(5, 1, Words(U8, {0: "S-NDL"}, "reserved (was P-NDL)")),
            setup_reason=(6, 2, Words(U8, {0: "NDP", 1: "further service discovery by GAS"})),
        ),
        "reserved_peer_id" / Flagged("_peer_id_present", U8),
        "max_idle"
        / Flagged("_max_idle_present", Mapped(U16LE, _same, _same, cast("Any", _seconds))),
        "immutable_schedule" / Flagged("_immutable_schedule_present", SCHEDULE),
    ),
    minimum=4,
    examples=(
        Example("090100141900", note="response: continued, with NDC, idle for 25 x 1024 TU"),
        Example(
            "01120053" + "07" + "1900" + "0118000400020000",
            note="confirm, accepted, for GAS: immutable schedule of map 1, peer ID of old",
        ),
        Example("01220800", note="confirm: rejected, security policy"),
    ),
)
