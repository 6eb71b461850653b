"""FTM Ranging Report (0x1C): results of range measurements.

Wi-Fi Aware 4.0, FTM Ranging Report attribute: the body of an 802.11 FTM range report, whose octets are kept. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import REST, Hex, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, HexText

ID = 0x1C


class FtmRangingReport(Body, frozen=True, kw_only=True):
    """A report."""

    report: HexText
    """as in IEEE 802.11-2020 9.4.2.21.18."""


ATTRIBUTE = Attribute(
    id=ID,
    name="ftm_ranging_report",
    title="FTM Ranging Report",
    source="Wi-Fi Aware 4.0, FTM Ranging Report attribute",
    fields=FtmRangingReport,
    layout=Record("report" / Hex(REST)),
    examples=(Example("0000", note="no range entry, no error entry"),),
)
