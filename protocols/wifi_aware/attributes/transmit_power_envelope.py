"""Transmit Power Envelope, TPEA (0x2E): its body is in no open document or implementation, so its octets are kept.

hostap src/common/nan_defs.h and the MTK headers name the ID and nothing more. That a map ID and 802.11 Transmit
Power Envelope elements for 6 GHz stand in it is a guess (unverified). No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.wifi_aware import unexplained
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, HexText

ID = 0x2E


class TransmitPowerEnvelope(Body, frozen=True, kw_only=True):
    """Octets whose meaning is not known."""

    octets: HexText


ATTRIBUTE = Attribute(
    id=ID,
    name="transmit_power_envelope",
    title="Transmit Power Envelope (TPEA)",
    source="hostap src/common/nan_defs.h (ID only)",
    fields=TransmitPowerEnvelope,
    layout=unexplained.kept("layout unknown"),
    examples=(Example("0102"),),
)
