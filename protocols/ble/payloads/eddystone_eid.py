"""Eddystone-EID frame (service data FEAA, first octet 0x30) with the identity key.

Eddystone-EID specification, frame specification and "EID computation". With `identity_key`,
`rotation_exponent` and `beacon_time_s` in the context the derived values are added; an id that is not the
computed one is no fault. Without them the fields are those of `eddystone`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.ble import eddystone_crypto as crypto
from protocols.ble.payloads._eddystone import (
    KEY_OCTETS,
    annotate,
    claims_keyed,
    clocked,
    need_frame,
    need_zero_nibble,
)
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
from protocols.layout import S8, Const, Hex, Record, build

__all__ = ["FORMAT", "KEYS", "Eid", "decode", "decode_frame", "eid_frame", "encode"]

KEYS = ("service_data/feaa/30",)


class Eid(Fields, frozen=True, tag_field="frame", tag="eid"):
    """Ephemeral id; the last two are derived from the context."""

    tx_power_0m_dbm: int
    eid: str | UnsetType = UNSET
    temporary_key: str | UnsetType = UNSET
    quantised_time_s: int | UnsetType = UNSET


LAYOUT = Record("_frame_type" / Const(b"\x30"), "tx_power_0m_dbm" / S8, "eid" / Hex(8))


def decode_frame(reader: Reader) -> Eid:
    """The frame without a key. Codes: `frame_type`, `reserved_nonzero` at 0. TX power: every s8."""
    need_frame(reader, 0x3)
    reader.length(10)
    need_zero_nibble(reader)
    kept: Eid = as_fields(Eid, {"frame": "eid", **reader.read(LAYOUT)})
    return kept


def decode(reader: Reader) -> Fields:
    """The frame and, with the context complete, what derives from it."""
    frame = decode_frame(reader)
    inputs = clocked(reader.keys)
    if inputs is None:
        return frame
    time_s = crypto.quantised(inputs.clock_s, inputs.exponent)
    expected = crypto.ephemeral_id(inputs.identity_key, inputs.exponent, time_s)
    same = "is" if frame.eid == expected.hex() else "is not"
    annotate(reader, "eid", f"{same} the id of the given key at {time_s} s")
    return msgspec.structs.replace(
        frame,
        temporary_key=crypto.temporary_key(inputs.identity_key, time_s).hex(),
        quantised_time_s=time_s,
    )


def encode(fields: Any, keys: Keys) -> bytes:
    """10 octets; without `eid` in the fields it is computed from the context."""
    eid = fields.eid
    if eid is UNSET:
        eid = _from_context(keys).hex()
    return build(LAYOUT, {"tx_power_0m_dbm": fields.tx_power_0m_dbm, "eid": eid})


def _from_context(keys: Keys) -> bytes:
    keys.need("identity_key", KEY_OCTETS)
    inputs = clocked(keys)
    if inputs is None:
        raise EncodeError("eid", "is missing, and context lacks rotation_exponent or beacon_time_s")
    return crypto.ephemeral_id(inputs.identity_key, inputs.exponent, inputs.clock_s)


def eid_frame(identity_key: bytes, exponent: int, clock_s: int, tx_power_0m_dbm: int) -> bytes:
    """The frame a beacon sends at `clock_s` of its own clock. Raises EncodeError, UsageError."""
    eid = crypto.ephemeral_id(identity_key, exponent, clock_s).hex()
    return build(LAYOUT, {"tx_power_0m_dbm": tx_power_0m_dbm, "eid": eid})


FORMAT = Format(
    name="eddystone-eid",
    title="Eddystone-EID: ephemeral id under a known identity key",
    source="Eddystone-EID specification, frame specification and EID computation",
    fields=Eid,
    decode=decode,
    encode=encode,
    keys=KEYS,
    claims=claims_keyed,
    examples=(
        Example(
            "30efcd012db1d321f609",
            {
                "identity_key": "589417b0324b1b71d7a6751852867ae8",
                "rotation_exponent": 10,
                "beacon_time_s": 65280,
            },
            "at the clock value recommended for registration",
        ),
        Example("30e34549445f74657374", note="key not known"),
    ),
)
