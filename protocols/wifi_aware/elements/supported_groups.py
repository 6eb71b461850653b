"""Supported Groups (255, extension 161): the finite cyclic groups that a responder takes.

IEEE 802.11az-2022, PASN, as in hostap src/pasn: a list of little-endian numbers. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import Record, Records
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.suites import GROUP, GROUPS
from protocols.wifi_aware.vocabulary import Body, Int16

KEY = "ffa1"


class SupportedGroups(Body, frozen=True, kw_only=True):
    """Groups, the preferred one first."""

    groups: list[Int16]


ELEMENT = ElementPart(
    id=255,
    prefix=b"\xa1",
    name="supported_groups",
    title="Supported Groups",
    source="hostap src/pasn/pasn_common.c",
    fields=SupportedGroups,
    layout=Record("groups" / Records(GROUP, "element_length", meaning=GROUPS.get)),
    examples=(Example("1300", note="P-256"), Example("14001300", note="P-384, then P-256")),
)
