"""Eddystone-TLM frame, encrypted (service data FEAA, octets 0x20 0x01), with the identity key.

Eddystone-TLM specification, "Encrypted TLM": AES-EAX under the EID identity key, nonce = quantised beacon
clock and salt, MIC = first two octets of the tag. With `identity_key`, `rotation_exponent` and
`beacon_time_s` in the context the telemetry is opened; without them the fields are those of `eddystone`.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.ble import eddystone_crypto as crypto
from protocols.ble.payloads._eddystone import (
    KEY_OCTETS,
    Clocked,
    claims_keyed,
    clocked,
    gather,
    need_frame,
    need_zero_nibble,
)
from protocols.ble.payloads.eddystone_tlm import READINGS, Readings, build_readings
from protocols.errors import EncodeError
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    UnsetType,
    as_fields,
)
from protocols.layout import U8, U16BE, Const, Hex, Record, build

__all__ = [
    "BODY",
    "FORMAT",
    "KEYS",
    "Etlm",
    "decode",
    "decode_frame",
    "encode",
    "encode_frame",
    "etlm_frame",
]

KEYS = ("service_data/feaa/2001",)


class Etlm(Fields, frozen=True, tag_field="frame", tag="etlm"):
    """As sent: version, ciphertext, salt, mic as numbers. Opened: the others, with mic as hex."""

    version: int | UnsetType = UNSET
    ciphertext: str | UnsetType = UNSET
    salt: int | UnsetType = UNSET
    mic: int | str | UnsetType = UNSET
    nonce: str | UnsetType = UNSET
    plaintext: str | UnsetType = UNSET
    full_eax_tag: str | UnsetType = UNSET
    tlm: Readings | UnsetType = UNSET


BODY = ("version" / U8, "ciphertext" / Hex(12), "salt" / U16BE, "mic" / U16BE)
LAYOUT = Record("_frame_type" / Const(b"\x20"), *BODY)
_CIPHERTEXT_AT = 2


def _frame(reader: Reader) -> dict[str, Any]:
    version = need_frame(reader, 0x2, selector_octets=2)[1]
    if version != 1:
        reader.fatal("tlm_version", 1, f"version {version} is not 1")
    reader.length(18)
    need_zero_nibble(reader)
    return reader.read(LAYOUT)


def decode_frame(reader: Reader) -> Fields:
    """The frame without a key. Codes: `frame_type`, `tlm_version` at 1, `reserved_nonzero` at 0."""
    kept: Etlm = as_fields(Etlm, {"frame": "etlm", **_frame(reader)})
    return kept


def decode(reader: Reader) -> Fields:
    """The frame, opened when the context is complete. Code: `mic` besides those of the frame."""
    raw = _frame(reader)
    inputs = clocked(reader.keys)
    if inputs is None:
        kept: Etlm = as_fields(Etlm, {"frame": "etlm", **raw})
        return kept
    return _open(reader, raw, inputs)


def _open(reader: Reader, raw: dict[str, Any], inputs: Clocked) -> Fields:
    salt, mic = raw["salt"].to_bytes(2, "big"), raw["mic"].to_bytes(2, "big")
    nonce = crypto.etlm_nonce(inputs.clock_s, inputs.exponent, salt)
    ciphertext = bytes.fromhex(raw["ciphertext"])
    plaintext, tag = crypto.eax_decrypt(inputs.identity_key, nonce, ciphertext)
    if tag[: crypto.MIC_OCTETS] != mic:
        found = tag[: crypto.MIC_OCTETS].hex()
        reader.fatal("mic", None, f"{mic.hex()} sent, {found} under the given key and clock")
    opened = {
        "frame": "etlm",
        "nonce": nonce.hex(),
        "plaintext": plaintext.hex(),
        "full_eax_tag": tag.hex(),
        "mic": mic.hex(),
        "tlm": _readings(reader, plaintext),
    }
    kept: Etlm = as_fields(Etlm, opened)
    return kept


def _readings(reader: Reader, plaintext: bytes) -> dict[str, Any]:
    """The telemetry; its nodes take the place of the ciphertext's, whose octets they have."""
    nodes = reader.walk.nodes
    place = next(i for i, node in enumerate(nodes) if node.name == "ciphertext")
    before, behind = nodes[:place], nodes[place + 1 :]
    nodes.clear()
    values = reader.read(READINGS, plaintext, base=_CIPHERTEXT_AT)
    gather(reader, "tlm", None, len(nodes))
    nodes[:] = [*before, *nodes, *behind]
    return values


def encode_frame(fields: Any, keys: Keys) -> bytes:
    """18 octets of ciphertext, salt and MIC as numbers."""
    if fields.version not in (UNSET, 1):
        raise EncodeError("version", f"{fields.version} is not 1")
    if isinstance(fields.mic, str):
        raise EncodeError("mic", "is a number here; the hex form goes with an opened frame")
    raw = {name: getattr(fields, name) for name in ("ciphertext", "salt", "mic")}
    return build(LAYOUT, {"version": 1, **raw})


def encode(fields: Any, keys: Keys) -> bytes:
    """18 octets: as sent, or sealed from `tlm` (else `plaintext`) under the context's identity key.

    The nonce is the field, else made of the context's clock and salt.
    """
    if fields.ciphertext is not UNSET:
        return encode_frame(fields, keys)
    if isinstance(fields.tlm, Readings):
        plaintext = build_readings(msgspec.structs.asdict(fields.tlm))
    else:
        plaintext = _octets("plaintext", fields.plaintext, 12)
    identity_key = keys.need("identity_key", KEY_OCTETS)
    nonce = _nonce(keys) if fields.nonce is UNSET else _octets("nonce", fields.nonce, 6)
    return _seal(identity_key, nonce, plaintext)


def _octets(name: str, value: str | UnsetType, size: int) -> bytes:
    if isinstance(value, UnsetType):
        raise EncodeError(name, "is missing")
    return build(Record(name / Hex(size)), {name: value})


def _nonce(keys: Keys) -> bytes:
    salt = keys.need("salt", 2)
    inputs = clocked(keys)
    if inputs is None:
        raise EncodeError("nonce", "is missing, and context lacks rotation_exponent, beacon_time_s")
    return crypto.etlm_nonce(inputs.clock_s, inputs.exponent, salt)


def _seal(identity_key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    ciphertext, tag = crypto.eax_encrypt(identity_key, nonce, plaintext)
    return build(
        LAYOUT,
        {
            "version": 1,
            "ciphertext": ciphertext.hex(),
            "salt": int.from_bytes(nonce[4:], "big"),
            "mic": int.from_bytes(tag[: crypto.MIC_OCTETS], "big"),
        },
    )


def etlm_frame(identity_key: bytes, exponent: int, clock_s: int, salt: bytes, tlm: bytes) -> bytes:
    """The 18-octet frame that carries the plain 14-octet frame `tlm` encrypted. Raises UsageError."""
    return _seal(identity_key, crypto.etlm_nonce(clock_s, exponent, salt), tlm[_CIPHERTEXT_AT:])


FORMAT = Format(
    name="eddystone-etlm",
    title="Eddystone-TLM: telemetry encrypted under the identity key",
    source="Eddystone-TLM specification, encrypted TLM frame",
    fields=Etlm,
    decode=decode,
    encode=encode,
    keys=KEYS,
    claims=claims_keyed,
    examples=(
        Example(
            "2001de5cba521b3904116b42db73a55a5745",
            {
                "identity_key": "000102030405060708090a0b0c0d0e0f",
                "rotation_exponent": 9,
                "beacon_time_s": 123456789,
                "salt": "a55a",
            },
            "opened: 3070 mV, 28 °C",
        ),
        Example("2001414141414141414141414141deadbeff", note="key not known"),
    ),
)
