"""HomeKit encrypted notification (manufacturer data, company 0x004C, type 0x11).

HomeKit Accessory Protocol Specification R14, 7.4.2.2; layout as in HomeKitADK. Inside, in
little-endian: global state number (GSN), instance id, value of 8 octets. ChaCha20-Poly1305 with the broadcast
key; nonce = 4 zero octets and the GSN as 8; additional data = advertising id; the tag is cut to 4 octets.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import UsageError
from protocols.format import UNSET, Example, Fields, Format, Keys, Reader, UnsetType, as_fields
from protocols.layout import U16LE, Const, Hex, Mac, Record, build

KEYS = ("manufacturer_data/004c/11",)


class Notification(Fields, frozen=True, kw_only=True):
    """A changed value. `ciphertext` without the key; `gsn`, `iid` and `value` with it."""

    advertising_id: str
    ciphertext: str | UnsetType = UNSET
    gsn: int | UnsetType = UNSET
    iid: int | UnsetType = UNSET
    value: str | UnsetType = UNSET
    """8 octets, zero padded."""
    tag: str | UnsetType = UNSET
    """first 4 octets of the tag; an encoder with the key computes it."""


TYPE = b"\x11"
LAYOUT = Record(
    "_type" / Const(TYPE, "frame_type"),
    "_length" / Const(b"\x36", "subtype_length", fatal=False),
    "advertising_id" / Mac,
    "ciphertext" / Hex(12),
    "tag" / Hex(4),
)
INSIDE = Record("gsn" / U16LE, "iid" / U16LE, "value" / Hex(8))
_ID, _SEALED, _TAG = slice(2, 8), slice(8, 20), slice(20, 24)


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type` at 0, `frame_length`, `subtype_length` at 1 (lenient: fields), `mic`.

    The tag is checked when `broadcast_key` and `candidate_gsn` are both given.
    """
    reader.expect(TYPE, "frame_type")
    reader.length(24)
    raw = reader.read(LAYOUT)
    key, gsn = reader.keys.octets("broadcast_key", 32), _candidate(reader.keys)
    if key is not None and gsn is not None:
        plain = _open(reader.data, key, gsn)
        if plain is None:
            reader.fatal("mic", None, f"the tag does not fit the key and GSN {gsn}", "tag")
        raw |= reader.inside("ciphertext", INSIDE, plain)
        del raw["ciphertext"]
    fields: Fields = as_fields(Notification, raw)
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 24 octets: sealed when `broadcast_key` is given, else from `ciphertext` and `tag` as they are.

    The nonce is made from `candidate_gsn`, without it from `gsn`.
    """
    raw: dict[str, Any] = msgspec.structs.asdict(fields)
    key = keys.octets("broadcast_key", 32)
    is_open = (fields.gsn, fields.iid, fields.value) != (UNSET, UNSET, UNSET)
    if key is None and is_open and fields.ciphertext is UNSET:
        key = keys.need("broadcast_key", 32)
    if key is not None and is_open:
        plain = build(INSIDE, fields)
        candidate = _candidate(keys)
        gsn = fields.gsn if candidate is None else candidate
        sealed = _seal(key, gsn, build(Record("advertising_id" / Mac), fields), plain)
        raw |= {"ciphertext": sealed[:12].hex(), "tag": sealed[12:16].hex()}
    return build(LAYOUT, raw)


def find_gsn(data: bytes, broadcast_key: bytes, first: int, tries: int = 100) -> int | None:
    """The GSN whose tag fits, tried upward from `first` (1..65535, wrapping to 1); None: none of `tries` does."""
    for step in range(tries):
        gsn = (first - 1 + step) % 65535 + 1
        if _open(data, broadcast_key, gsn) is not None:
            return gsn
    return None


def _candidate(keys: Keys) -> int | None:
    gsn = keys.number("candidate_gsn")
    if gsn is not None and not 0 <= gsn <= 0xFFFF:
        raise UsageError(f"context candidate_gsn: {gsn} does not fit in 16 bits")
    return gsn


def _seal(key: bytes, gsn: int, advertising_id: bytes, plain: bytes) -> bytes:
    """12 octets of ciphertext and the whole tag."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = bytes(4) + gsn.to_bytes(8, "little")
    return ChaCha20Poly1305(key).encrypt(nonce, plain, advertising_id)


def _open(data: bytes, key: bytes, gsn: int) -> bytes | None:
    """Plaintext of a whole frame, None when its tag does not fit.

    A cut tag is compared by sealing again; the stream cipher is its own inverse.
    """
    plain = _seal(key, gsn, data[_ID], data[_SEALED])[:12]
    return plain if _seal(key, gsn, data[_ID], plain)[12:16] == data[_TAG] else None


_KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
_FRAME = "113611223344556640037bbc81c3f20d3357711362ac4dc1"

FORMAT = Format(
    name="homekit-ble-encrypted",
    title="HomeKit encrypted notification",
    source="HomeKit Accessory Protocol Specification R14, 7.4.2.2",
    fields=Notification,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example(_FRAME, {"broadcast_key": _KEY, "candidate_gsn": 515}, note="opened with the key"),
        Example(_FRAME, note="without the key"),
    ),
)
