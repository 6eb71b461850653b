"""Words that frames, elements and attributes of Wi-Fi Aware share: value types, named numbers, reason codes.

Rule 1: reserved bits and octets are fields too, called `reserved...`, with the default 0 that plain fields
leave out. Rule 2: value types carry their range, so that plain fields are checked by path and valid values can
be drawn. Rule 3: a meaning that says "reserved" becomes a doubt in the tree. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

from msgspec import UNSET, Meta, UnsetType

from protocols.format import Fields
from protocols.layout import Codec, Mapped

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "REASONS",
    "UNSET",
    "Bitmap",
    "Body",
    "Hex6",
    "Hex8",
    "Hex16",
    "Hex32",
    "HexText",
    "Int1",
    "Int2",
    "Int3",
    "Int4",
    "Int5",
    "Int6",
    "Int7",
    "Int8",
    "Int9",
    "Int12",
    "Int16",
    "Int32",
    "Int48",
    "Int64",
    "MacText",
    "UnsetType",
    "Words",
]

Int1 = Annotated[int, Meta(ge=0, le=1)]
"""One bit that is a number (a reserved one)."""
Int2 = Annotated[int, Meta(ge=0, le=3)]
Int3 = Annotated[int, Meta(ge=0, le=7)]
Int4 = Annotated[int, Meta(ge=0, le=15)]
Int5 = Annotated[int, Meta(ge=0, le=31)]
Int6 = Annotated[int, Meta(ge=0, le=63)]
Int7 = Annotated[int, Meta(ge=0, le=127)]
Int8 = Annotated[int, Meta(ge=0, le=0xFF)]
Int9 = Annotated[int, Meta(ge=0, le=0x1FF)]
Int12 = Annotated[int, Meta(ge=0, le=0xFFF)]
Int16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
Int32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Int48 = Annotated[int, Meta(ge=0, le=0xFFFFFFFFFFFF)]
Int64 = Annotated[int, Meta(ge=0)]
"""At most 2**64 - 1, which the layout checks (the range of a `Meta` ends at 2**63 - 1)."""
MacText = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")]
"""Address as `aa:bb:cc:dd:ee:ff`."""
HexText = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})*$")]
"""Any number of octets as lower-case hex."""
Hex6 = Annotated[str, Meta(pattern=r"^[0-9a-f]{12}$")]
Hex8 = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
Hex16 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class Body(Fields, frozen=True, kw_only=True, omit_defaults=True):
    """Base of attribute and element bodies: a field that has its default (reserved ones: 0) is not in the plain form."""


def Words(base: Codec, names: Mapping[int, str], otherwise: str = "reserved") -> Codec:  # noqa: N802  # the vocabulary reads like types
    """The number of `base`, with its meaning by `names`; any other number means `otherwise`."""
    return Mapped(base, _same, _same, lambda number: names.get(number, otherwise))


def Bitmap(base: Codec, names: Mapping[int, str], none: str = "none") -> Codec:  # noqa: N802  # the vocabulary reads like types
    """The number of `base`, a set of bits: its meaning lists `names` of those set, unnamed ones as "bit 9 (reserved)"."""

    def meaning(number: int) -> str:
        bits = (bit for bit in range(number.bit_length()) if number >> bit & 1)
        return ", ".join(names.get(bit) or f"bit {bit} (reserved)" for bit in bits) or none

    return Mapped(base, _same, _same, cast("Any", meaning))


def _same(value: Any) -> Any:
    return value


REASONS = {
    0: "none",
    1: "unspecified",
    2: "resource limitation",
    3: "invalid parameters",
    4: "FTM parameters incapable",
    5: "no movement",
    6: "invalid availability",
    7: "immutable schedule unacceptable",
    8: "security policy",
    9: "QoS unacceptable",
    10: "NDP rejected",
    11: "NDL unacceptable",
    12: "ranging schedule not acceptable",
    13: "pairing bootstrapping rejected",
}
"""Reason codes of NDP, NDPE, NDL, Ranging Setup and NPBA (digest 2.28)."""
