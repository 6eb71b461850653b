"""Exposure Notification (service data 0xFD6F).

Apple and Google, Exposure Notification Bluetooth Specification v1.2 and Cryptography Specification v1.2. With
the daily key the metadata are opened; there is no tag, so a wrong key gives wrong metadata and no error:
`key_fits` says whether the identifier is the one of the key and interval. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import EncodeError, UsageError
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    UnsetType,
    agree,
    as_fields,
)
from protocols.layout import S8, U8, Flags, Hex, Record, Reserved, build

KEYS = ("service_data/fd6f",)


class Exposure(Fields, frozen=True, kw_only=True):
    """One identifier. To encode, each part may be left out that the context and the other parts determine."""

    rolling_proximity_id: str | UnsetType = UNSET
    encrypted_metadata: str | UnsetType = UNSET
    """with the key, an encoder makes it of `metadata`, when that is given."""
    metadata: str | UnsetType = UNSET
    """with the key; 4 octets, an encoder makes them of the next two."""
    metadata_version: str | UnsetType = UNSET
    """with the key: "major.minor", each 0..3."""
    tx_power_dbm: int | UnsetType = UNSET
    """with the key."""
    key_fits: bool | UnsetType = UNSET
    """with key and interval number: the identifier is the derived one; an encoder does not read it."""


LAYOUT = Record("rolling_proximity_id" / Hex(16), "encrypted_metadata" / Hex(4))
METADATA = Record(
    Flags(U8, major=(6, 2), minor=(4, 2), _reserved=(0, 4)),
    "tx_power_dbm" / S8,
    "_reserved_2" / Reserved(2),
)
_WHOLE_METADATA = Record("metadata" / Hex(4))
_METADATA = ("metadata", "metadata_version", "tx_power_dbm")


def decode(reader: Reader) -> Fields:
    """Code: `frame_length`. Needs `temporary_exposure_key` to open the metadata."""
    reader.length(20)
    raw = reader.read(LAYOUT)
    key = reader.keys.octets("temporary_exposure_key", 16)
    if key is not None:
        identifier = reader.data[:16]
        plain = crypt_metadata(key, identifier, reader.data[16:])
        inside = reader.inside("encrypted_metadata", METADATA, plain)
        raw |= {"metadata": plain.hex(), **_readable(inside)}
        interval = _interval(reader.keys)
        if interval is not None:
            raw["key_fits"] = rolling_proximity_id(key, interval) == identifier
    fields: Fields = as_fields(Exposure, raw)
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 20 octets. An identifier that is given stays, even when it is not the one of the key."""
    key, interval = keys.octets("temporary_exposure_key", 16), _interval(keys)
    raw: dict[str, Any] = msgspec.structs.asdict(fields)
    plain = _plaintext(fields)
    if key is not None and interval is not None and fields.rolling_proximity_id is UNSET:
        raw["rolling_proximity_id"] = rolling_proximity_id(key, interval).hex()
    if key is not None and plain is not None:
        identifier = build(Record("rolling_proximity_id" / Hex(16)), raw)
        raw["encrypted_metadata"] = crypt_metadata(key, identifier, plain).hex()
    elif fields.encrypted_metadata is UNSET and plain is not None:
        keys.need("temporary_exposure_key", 16)
    return build(LAYOUT, raw)


def rolling_proximity_id(temporary_exposure_key: bytes, interval_number: int) -> bytes:
    """The identifier of one ten-minute interval (Unix time / 600), 16 octets (Cryptography 4.4)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    padded = b"EN-RPI" + bytes(6) + interval_number.to_bytes(4, "little")
    cipher = Cipher(
        algorithms.AES(_derived(temporary_exposure_key, b"EN-RPIK")),
        modes.ECB(),  # noqa: S305  # one block, as the specification asks
    ).encryptor()
    return cipher.update(padded) + cipher.finalize()


def crypt_metadata(temporary_exposure_key: bytes, identifier: bytes, metadata: bytes) -> bytes:
    """Metadata to ciphertext, or back (Cryptography 4.6)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = _derived(temporary_exposure_key, b"EN-AEMK")
    cipher = Cipher(algorithms.AES(key), modes.CTR(identifier)).encryptor()
    return cipher.update(metadata) + cipher.finalize()


def _derived(key: bytes, info: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=16, salt=None, info=info).derive(key)


def _interval(keys: Keys) -> int | None:
    number = keys.number("interval_number")
    if number is not None and not 0 <= number <= 0xFFFFFFFF:
        raise UsageError(f"context interval_number: {number} does not fit in 32 bits")
    return number


def _readable(inside: dict[str, Any]) -> dict[str, Any]:
    version = f"{inside['major']}.{inside['minor']}"
    return {"metadata_version": version, "tx_power_dbm": inside["tx_power_dbm"]}


def _plaintext(fields: Exposure) -> bytes | None:
    """Metadata that the fields tell, None when they tell nothing of them."""
    if all(getattr(fields, name) is UNSET for name in _METADATA):
        return None
    if isinstance(fields.metadata, UnsetType):
        return build(METADATA, {**_version(fields), "tx_power_dbm": fields.tx_power_dbm})
    plain = build(_WHOLE_METADATA, fields)
    major, minor = plain[0] >> 6, plain[0] >> 4 & 3
    agree("metadata_version", fields.metadata_version, f"{major}.{minor}")
    agree("tx_power_dbm", fields.tx_power_dbm, int.from_bytes(plain[1:2], signed=True))
    return plain


def _version(fields: Exposure) -> dict[str, int]:
    major, dot, minor = str(fields.metadata_version).partition(".")
    if not (dot and major in "0123" and minor in "0123" and len(major) == len(minor) == 1):
        raise EncodeError("metadata_version", 'is not "major.minor" with digits 0..3')
    return {"major": int(major), "minor": int(minor), "_reserved": 0}


_KEYED = {
    "temporary_exposure_key": "75c734c6dd1a782de7a965da5eb93125",
    "interval_number": 2642976,
}

FORMAT = Format(
    name="exposure-notification",
    title="Exposure Notification",
    source="Apple and Google, Exposure Notification Bluetooth and Cryptography Specifications v1.2",
    fields=Exposure,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("8be6cd371c5c891604bfbe49df84509672033874", _KEYED, note="opened with its key"),
        Example("0d3b4f65584c582160571dd19010d41c2660ee34", note="without a key"),
        Example("0d3b4f65584c582160571dd19010d41c2660ee34", _KEYED, note="with another's key"),
    ),
)
