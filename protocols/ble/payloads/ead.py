"""Encrypted advertising data (value of AD type 0x31).

Core Specification Supplement v11 Part A 1.23: randomizer, AES-128-CCM ciphertext of whole AD structures, MIC of
4 octets. Nonce = randomizer as sent, then the IV; additional data = the single octet 0xEA. The direction bit of
the randomizer needs no handling. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.ble.advertising import NamedValues, ad_run, pieces_of, read_run
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    UnsetType,
    agree,
    to_plain,
)
from protocols.layout import REST, Hex, Record, Walk, build

KEYS = ("ad_value/49",)

ADDITIONAL_DATA = b"\xea"
MIC_OCTETS = 4
PLAINTEXT_OFFSET = 5
OVERHEAD = 9


class Ead(NamedValues, frozen=True, kw_only=True):
    """Encrypted data; with the key also what is inside, its named values at this level."""

    randomizer: str
    ciphertext: str | UnsetType = UNSET
    """only when it was not opened."""
    mic: str | UnsetType = UNSET
    plaintext_ad: str | UnsetType = UNSET


def _layout(size: int) -> Any:
    return Record(
        "randomizer" / Hex(5), "ciphertext" / Hex(size - OVERHEAD), "mic" / Hex(MIC_OCTETS)
    )


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`; with `session_key` and `iv`: `mic`, then those of an AD run at 5 + place.

    Of a fault in the plaintext, which is authentic, a lenient reader keeps the structures it can trust.
    """
    reader.select(OVERHEAD)
    raw = reader.read(_layout(len(reader.data)))
    key, iv = reader.keys.octets("session_key", 16), reader.keys.octets("iv", 8)
    if key is None or iv is None:
        return Ead(**raw)
    nonce = bytes.fromhex(raw["randomizer"]) + iv
    plaintext = _open(key, nonce, reader.data[PLAINTEXT_OFFSET:])
    if plaintext is None:
        reader.fatal("mic", None, "the tag differs: wrong session key or IV, or changed octets")
    named = _inside(reader, plaintext)
    inside = {"mic": raw["mic"], "plaintext_ad": plaintext.hex()}
    return Ead(randomizer=raw["randomizer"], **inside, **named)


def _inside(reader: Reader, plaintext: bytes) -> dict[str, Any]:
    """Named values of the plaintext; its structures become the children of the ciphertext's node."""
    outer, reader.walk.nodes = reader.walk.nodes, []
    _, named = read_run(reader.walk, plaintext, base=PLAINTEXT_OFFSET)
    outer[1] = msgspec.structs.replace(outer[1], children=tuple(reader.walk.nodes))
    reader.walk.nodes = outer
    return named


def _open(key: bytes, nonce: bytes, sealed: bytes) -> bytes | None:
    """The plaintext of ciphertext and tag, None when the tag differs."""
    from cryptography.exceptions import InvalidTag  # only with a key
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM  # only with a key

    try:
        return AESCCM(key, tag_length=MIC_OCTETS).decrypt(nonce, sealed, ADDITIONAL_DATA)
    except InvalidTag:
        return None


def _seal(key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM  # only with a key

    return AESCCM(key, tag_length=MIC_OCTETS).encrypt(nonce, plaintext, ADDITIONAL_DATA)


def encode(fields: Any, keys: Keys) -> bytes:
    """Octets of `ciphertext` and `mic` as given; else `plaintext_ad`, or a run of the named values, sealed
    with `session_key` and `iv` of the context. A given `mic` that is not the computed one is an error.
    """
    if fields.ciphertext is not UNSET:
        return build(_layout(OVERHEAD + len(fields.ciphertext) // 2), to_plain(fields))
    plaintext = _plaintext(fields)
    randomizer = build(Record("randomizer" / Hex(5)), fields)
    key, iv = keys.need("session_key", 16), keys.need("iv", 8)
    sealed = _seal(key, randomizer + iv, plaintext)
    mic = sealed[-MIC_OCTETS:].hex()
    agree("mic", fields.mic, mic)
    return randomizer + sealed


def _plaintext(fields: Ead) -> bytes:
    if fields.plaintext_ad is UNSET:
        return ad_run(pieces_of(fields), limit=None)
    plaintext = build(Record("plaintext_ad" / Hex(REST)), fields)
    _, said = read_run(Walk(strict=False), plaintext)
    for name in NamedValues.__struct_fields__:
        agree(name, getattr(fields, name), said.get(name))
    return plaintext


FORMAT = Format(
    name="ead",
    title="Encrypted advertising data",
    source="Core Specification Supplement v11 Part A 1.23; sample data 2.3",
    fields=Ead,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example(
            "18e157cade74e4dcafdc51c7282810c2217f0e4cef4343181fba0069cc",
            {
                "session_key": "57a9da12d12e6e131e20612ad10a6a19",
                "iv": "9e7a00efb17ae746",
            },
            "name and appearance, opened",
        ),
        Example(
            "18e157cade74e4dcafdc51c7282810c2217f0e4cef4343181fba0069cc", note="without the key"
        ),
    ),
)
