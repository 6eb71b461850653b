"""MIC element (140): what proves that a PASN frame was not changed on the way.

IEEE 802.11-2020, MIC element; IEEE 802.11az-2022, PASN: 16 octets with SHA-256, 24 with SHA-384. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.format import Example
from protocols.layout import REST, Hex, Record, Sized
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.vocabulary import Body

KEY = "8c"
MicText = Annotated[str, Meta(pattern=r"^([0-9a-f]{32}|[0-9a-f]{48})$")]


class Mic(Body, frozen=True, kw_only=True):
    """Message integrity code."""

    mic: MicText


ELEMENT = ElementPart(
    id=140,
    name="mic",
    title="MIC element",
    source="IEEE 802.11-2020, MIC element",
    fields=Mic,
    layout=Record("mic" / Sized(Hex(REST), "element_length", 16, 24)),
    minimum=16,
    maximum=24,
    examples=(
        Example("8eb97df0b71b03bbaed1e264839664f2", note="SHA-256"),
        Example("8eb97df0b71b03bbaed1e264839664f2" + "0011223344556677", note="SHA-384"),
    ),
)
