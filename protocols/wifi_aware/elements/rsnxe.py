"""RSNXE (244): further RSN capabilities, of which NAN pairing uses SAE hash to element.

IEEE 802.11-2020 9.4.2.241, IEEE 802.11az-2022 for the second octet. The first four bits are the number of octets
less one; other stacks send one octet, hostap two. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import REST, U8, Flags, Hex, Optional, Record
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    HexText,
    Int1,
    Int4,
    Int5,
    UnsetType,
    Words,
)

KEY = "f4"


class RangingCapabilities(Body, frozen=True, kw_only=True):
    """The second octet."""

    secure_ltf: bool
    secure_rtt: bool
    protected_range_negotiation: bool
    reserved_11: Int5 = 0


class Rsnxe(Body, frozen=True, kw_only=True):
    """RSN Extension element."""

    octets_less_one: Int4
    protected_twt: bool
    sae_hash_to_element: bool
    sae_public_key: bool
    reserved_7: Int1 = 0
    ranging: RangingCapabilities | UnsetType = UNSET
    more: HexText | UnsetType = UNSET
    """octets from the third on."""


ELEMENT = ElementPart(
    id=244,
    name="rsnxe",
    title="RSN Extension element (RSNXE)",
    source="IEEE 802.11-2020 9.4.2.241",
    fields=Rsnxe,
    layout=Record(
        Flags(
            U8,
            octets_less_one=(0, 4, Words(U8, {0: "1 octet", 1: "2 octets"}, "more octets")),
            protected_twt=4,
            sae_hash_to_element=5,
            sae_public_key=6,
            reserved_7=(7, 1),
        ),
        "ranging"
        / Optional(
            Record(
                Flags(
                    U8,
                    secure_ltf=0,
                    secure_rtt=1,
                    protected_range_negotiation=2,
                    reserved_11=(3, 5),
                )
            )
        ),
        "more" / Optional(Hex(REST)),
    ),
    minimum=1,
    strategy=lambda: _strategy(),
    examples=(
        Example("2100", note="hostap: two octets, hash to element"),
        Example("20", note="other stacks: one octet"),
    ),
)


def _strategy() -> object:
    """Valid values: no third octet without a second, and none that is empty."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    none = draw.just(UNSET)
    ranging = draw.members_of(Rsnxe)["ranging"]
    return draw.one_of(
        draw.fields_of(Rsnxe, ranging=none, more=none),
        draw.fields_of(Rsnxe, ranging=ranging, more=draw.one_of(none, draw.hexes(1, 4))),
    )
