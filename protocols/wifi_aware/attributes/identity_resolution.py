"""NAN Identity Resolution, NIRA (0x2B): lets those who hold the sender's identity key recognise it.

Wi-Fi Aware 4.0, NAN Identity Resolution attribute; as in hostap src/nan/nan_pairing.c. Only cipher version 0 is
defined (128-bit key, HMAC-SHA-256); a body of another version keeps its octets. The tag is checked by
`matching.resolve`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import REST, U8, Choice, Hex, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import UNSET, Body, Hex8, HexText, Int8, UnsetType, Words

ID = 0x2B
HMAC_SHA_256 = 0
"""The cipher version that is defined."""


class IdentityResolution(Body, frozen=True, kw_only=True):
    """A nonce and what the identity key makes of it."""

    cipher_version: Int8
    nonce: Hex8 | UnsetType = UNSET
    """only in version 0."""
    tag: Hex8 | UnsetType = UNSET
    """only in version 0."""
    octets: HexText | UnsetType = UNSET
    """what another version has instead."""


def strategy() -> Any:
    """Valid values: what goes with the version."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    zero, others, none = draw.just(HMAC_SHA_256), draw.integers(8).filter(bool), draw.just(UNSET)
    tag, nonce = draw.hexes(8, 8), draw.hexes(8, 8)
    known = {"cipher_version": zero, "nonce": nonce, "tag": tag, "octets": none}
    unknown = {"cipher_version": others, "nonce": none, "tag": none, "octets": draw.hexes()}
    return draw.one_of(
        draw.fields_of(IdentityResolution, **known), draw.fields_of(IdentityResolution, **unknown)
    )


ATTRIBUTE = Attribute(
    id=ID,
    name="identity_resolution",
    title="NAN Identity Resolution (NIRA)",
    source="Wi-Fi Aware 4.0, NAN Identity Resolution attribute",
    fields=IdentityResolution,
    layout=Record(
        "cipher_version" / Words(U8, {HMAC_SHA_256: "HMAC-SHA-256, 128-bit identity key"}),
        Choice(
            lambda fields: fields.cipher_version,
            {HMAC_SHA_256: Record("nonce" / Hex(8), "tag" / Hex(8))},
            Record("octets" / Hex(REST)),
        ),
    ),
    minimum=1,
    strategy=strategy,
    examples=(
        Example("00" + "0001020304050607" + "08090a0b0c0d0e0f", note="version 0"),
        Example("01aabbcc", note="a version of the future"),
    ),
)
