"""Google Find Hub frame in Eddystone's service data (FEAA, first octet 0x40 or 0x41).

Google Find Hub Network accessory specification, advertised frames. The first octet is Eddystone's reserved
type 4; nothing behind it is Eddystone's. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.errors import EncodeError
from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import U8, Codec, Coded, Hex, Optional, Record, build

__all__ = ["FORMAT", "KEYS", "FindHub", "decode", "encode"]

KEYS = ()


class FindHub(Fields, frozen=True, tag_field="frame", tag="find_hub"):
    """`hashed_flags` is None when that octet is not sent."""

    unwanted_tracking_protection: bool
    ephemeral_id: str
    hashed_flags: int | None = None


MODES = {0x40: False, 0x41: True}


def _layout(id_octets: int) -> Codec:
    return Record(
        "unwanted_tracking_protection" / Coded(U8, MODES, code="frame_type"),
        "ephemeral_id" / Hex(id_octets),
        "hashed_flags" / Optional(U8, absent=None),
    )


LAYOUTS = {20: _layout(20), 32: _layout(32)}


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type` at 0 unless 40 or 41. Every value of `hashed_flags` is kept."""
    first = reader.select(1)[0]
    if first not in MODES:
        reader.fatal("frame_type", 0, f"first octet {first:#04x} is not 0x40 or 0x41")
    reader.length(21, 22, 33, 34)
    raw = reader.read(LAYOUTS[20 if len(reader.data) < 33 else 32])
    kept: FindHub = as_fields(FindHub, {"frame": "find_hub", **raw})
    return kept


def encode(fields: Any, keys: Keys) -> bytes:
    """21 or 33 octets by the length of `ephemeral_id`, one more with `hashed_flags`."""
    octets = len(fields.ephemeral_id) // 2
    if octets not in LAYOUTS:
        raise EncodeError("ephemeral_id", f"has 20 or 32 octets, not {octets}")
    return build(LAYOUTS[octets], fields)


FORMAT = Format(
    name="eddystone-find-hub",
    title="Google Find Hub frame under the Eddystone UUID",
    source="Google Find Hub Network accessory specification, advertised frames",
    fields=FindHub,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("40" + "a1" * 20 + "7f", note="20-octet id with hashed flags"),
        Example("41" + "a1" * 20, note="unwanted tracking protection, no hashed flags"),
        Example("41" + "b2" * 32 + "00", note="32-octet id"),
        Example("40" + "b2" * 32, note="32-octet id, no hashed flags"),
    ),
    confidence="unverified: the layout behind the first octet has no known answers",
)
