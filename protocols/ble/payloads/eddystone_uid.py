"""Eddystone-UID frame (service data FEAA, first octet 0x00).

Eddystone-UID specification, "Frame specification". Older devices leave the two RFU octets out; an encoder
sends them unless `rfu_present` is false. Strict single-frame variant of `eddystone`, which composes it.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.ble.payloads._eddystone import need_frame, need_zero_nibble
from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import S8, Const, Hex, Optional, Record, Reserved, build

__all__ = ["BODY", "FORMAT", "KEYS", "Uid", "decode", "encode", "uid_frame"]

KEYS = ()


class Uid(Fields, frozen=True, tag_field="frame", tag="uid"):
    """Namespace and instance, hex."""

    tx_power_0m_dbm: int
    namespace: str
    instance: str
    rfu_present: bool = True


ID = ("namespace" / Hex(10), "instance" / Hex(6))
BODY = ("tx_power_0m_dbm" / S8, *ID)
LAYOUT = Record(
    "_frame_type" / Const(b"\x00"), *BODY, "_rfu" / Optional(Reserved(2, "reserved_nonzero"))
)
LENGTHS = (18, 20)


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type`, `reserved_nonzero` at 0 (low nibble) and 18 (RFU). TX power: every s8."""
    need_frame(reader, 0x0)
    reader.length(*LENGTHS)
    need_zero_nibble(reader)
    raw = reader.read(LAYOUT)
    kept: Uid = as_fields(Uid, {"frame": "uid", **raw, "rfu_present": len(reader.data) == 20})
    return kept


def encode(fields: Any, keys: Keys) -> bytes:
    """20 octets, or 18 when `rfu_present` is false."""
    raw = {
        "tx_power_0m_dbm": fields.tx_power_0m_dbm,
        "namespace": fields.namespace,
        "instance": fields.instance,
    }
    return build(LAYOUT, raw | ({"_rfu": "0000"} if fields.rfu_present else {}))


def uid_frame(namespace: bytes, instance: bytes, tx_power_0m_dbm: int) -> bytes:
    """The 20-octet frame of a 10-octet namespace and a 6-octet instance. Raises EncodeError."""
    uid = Uid(tx_power_0m_dbm=tx_power_0m_dbm, namespace=namespace.hex(), instance=instance.hex())
    return encode(uid, Keys())


FORMAT = Format(
    name="eddystone-uid",
    title="Eddystone-UID: namespace and instance",
    source="Eddystone-UID specification, frame specification",
    fields=Uid,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("00e3123456789012346789010000000000010000", note="with RFU octets"),
        Example("00f600000000000000000063000000000058", note="older form without RFU octets"),
    ),
)
