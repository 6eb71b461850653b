"""Management MIC element, MME (76): integrity of a group-addressed frame (BIP), at its very end.

IEEE 802.11-2020 9.4.2.54 and 12.5.4: 8 octets of MIC with BIP-CMAC-128, 16 with the other ciphers. In NAN the IGTK
(key ID 4 or 5) protects action frames, the BIGTK (6 or 7) beacons. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from protocols.format import Example
from protocols.layout import REST, U16LE, Codec, Hex, Mapped, Octets, Record, Sized
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.vocabulary import Body, Int16, Int48, Words

KEY = "4c"
KEY_IDS = {4: "IGTK", 5: "IGTK", 6: "BIGTK", 7: "BIGTK"}
MicText = Annotated[str, Meta(pattern=r"^([0-9a-f]{16}|[0-9a-f]{32})$")]


class Mme(Body, frozen=True, kw_only=True):
    """Management MIC."""

    key_id: Int16
    packet_number: Int48
    mic: MicText


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _octets(number: Any) -> bytes:
    return int(number).to_bytes(6, "little")


U48LE: Codec = Mapped(Octets(6), _number, _octets)

ELEMENT = ElementPart(
    id=76,
    name="mme",
    title="Management MIC element (MME)",
    source="IEEE 802.11-2020 9.4.2.54",
    fields=Mme,
    layout=Record(
        "key_id" / Words(U16LE, KEY_IDS),
        "packet_number" / U48LE,
        "mic" / Sized(Hex(REST), "element_length", 8, 16),
    ),
    minimum=16,
    maximum=24,
    examples=(
        Example("0400" + "010000000000" + "1122334455667788", note="IGTK, BIP-CMAC-128"),
        Example("0600" + "020000000000" + "11" * 16, note="BIGTK, BIP-GMAC-256"),
    ),
)
