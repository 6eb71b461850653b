"""NDP (0x10): a step in setting up or ending a NAN data path.

Wi-Fi Aware 4.0, NDP attribute; as in hostap src/nan/nan_ndp.c. Used with peers that do not know NDP Extension. The
specific info has no length: it runs to the end. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import REST, Flagged, Hex, Record
from protocols.wifi_aware import data_path
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import UNSET, HexText, UnsetType

ID = 0x10


class Ndp(data_path.Setup, frozen=True, kw_only=True):
    """One step of a data path."""

    specific_info: HexText | UnsetType = UNSET
    """for the application."""


ATTRIBUTE = Attribute(
    id=ID,
    name="ndp",
    title="NDP",
    source="Wi-Fi Aware 4.0, NDP attribute",
    fields=Ndp,
    layout=Record(
        *data_path.members(_specific_info_present=(5, "specific_info")),
        "specific_info" / Flagged("_specific_info_present", Hex(REST)),
    ),
    minimum=11,
    doubts=data_path.doubts,
    examples=(
        Example(
            "0901000200000000010110" + "020000000002",
            note="response: continued, responder 02:00:00:00:00:02",
        ),
        Example("01000002005e20b0110129" + "010102030405", note="request with specific info"),
        Example("0024010200000000010100", note="terminated, reason 1"),
    ),
)
