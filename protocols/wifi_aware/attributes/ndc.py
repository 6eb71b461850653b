"""NDC (0x13): the slots in which members of a NAN data cluster meet.

Wi-Fi Aware 4.0, NDC attribute; as in hostap src/nan/nan_ndl.c and Wireshark packet-wifi-nan.c. hostap draws the NDC ID
at random; that it has a structure is unverified. Only a selected NDC counts in the setup of a data link, and hostap
turns one without a bitmap down. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, Flags, Hex, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.schedule import SCHEDULE, ScheduleEntry
from protocols.wifi_aware.vocabulary import Body, Hex6, Int7

ID = 0x13


class Ndc(Body, frozen=True, kw_only=True):
    """A NAN data cluster and its base schedule."""

    ndc_id: Hex6
    selected: bool
    """chosen for the data link that is being set up."""
    reserved_1: Int7 = 0
    schedule: tuple[ScheduleEntry, ...]


ATTRIBUTE = Attribute(
    id=ID,
    name="ndc",
    title="NDC",
    source="Wi-Fi Aware 4.0, NDC attribute",
    fields=Ndc,
    layout=Record(
        "ndc_id" / Hex(6), Flags(U8, selected=0, reserved_1=(1, 7)), "schedule" / SCHEDULE
    ),
    minimum=7,
    multiple=True,
    examples=(
        Example("506f9a01020301" + "0118000400020000", note="selected; map 1, slot 9 of 32"),
        Example("506f9a01020300", note="not selected, no schedule"),
    ),
)
