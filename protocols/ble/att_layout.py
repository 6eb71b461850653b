"""Attribute protocol PDUs: the layouts of their parameters.

Core Specification 5.4 Vol 3 Part F clause 3.4. Numbers and UUIDs are little-endian; attribute values stay hex. No
clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.data.gatt_names import DECLARATIONS, UUIDS, att_error_name
from protocols.data.hci_names import ATT_OPCODES
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Body,
    Choice,
    Codec,
    Hex,
    Mapped,
    Named,
    Optional,
    Record,
    Records,
    Sized,
    Uuid16LE,
    Uuid128LE,
)

__all__ = ["ATT_BODIES", "att_name"]


_TYPES = DECLARATIONS | UUIDS


def att_name(opcode: int) -> str:
    """Name of an ATT opcode."""
    return ATT_OPCODES.get(opcode, f"unknown {opcode:#04x}")


def _service(value: str) -> str | None:
    """The service that a group's value of 16 bits stands for."""
    return UUIDS.get(bytes.fromhex(value)[::-1].hex()) if len(value) == 4 else None


def _same(value: Any) -> Any:
    return value


def _uuid(base: Codec) -> Codec:
    return Mapped(base, _same, _same, _TYPES.get)


def _pair(f: Any) -> int:
    """Octets of a value behind one handle, by the length that stands before the list."""
    size: int = f._.length - 2
    return size


def _group(f: Any) -> int:
    """The same behind two handles."""
    return _pair(f) - 2


UUID16, UUID128 = _uuid(Uuid16LE), _uuid(Uuid128LE)
_TYPE = "type" / Sized(UUID16, None, 2, otherwise=UUID128)
_HANDLE = "handle" / U16LE
_OFFSET = "offset" / U16LE
_VALUE = "value" / Optional(Hex(REST))
_RANGE = ("first_handle" / U16LE, "last_handle" / U16LE)
_NOTHING = Record()
_QUEUED = Record(_HANDLE, _OFFSET, _VALUE)
_HANDLES = Record("handles" / Records(U16LE))
_LENGTH = "length" / U8
_LONG = Body(U16LE, Hex(REST))
_EXECUTE = {0: "cancel all", 1: "write all"}
_KINDS: dict[int, Codec] = {
    1: Records(Record(_HANDLE, "type" / UUID16)),
    2: Records(Record(_HANDLE, "type" / UUID128)),
}

ATT_BODIES: dict[int, Codec] = {
    0x01: Record(
        "request_opcode" / Named(U8, att_name), _HANDLE, "att_error" / Named(U8, att_error_name)
    ),
    **dict.fromkeys((0x02, 0x03), Record("mtu" / U16LE)),
    0x04: Record(*_RANGE),
    0x05: Record(
        "format" / Named(U8, {1: "16-bit UUIDs", 2: "128-bit UUIDs"}),
        "attributes" / Choice(lambda f: f.format, _KINDS, Hex(REST)),
    ),
    0x06: Record(*_RANGE, "type" / UUID16, _VALUE),
    0x07: Record("groups" / Records(Record(_HANDLE, "last_handle" / U16LE))),
    **dict.fromkeys((0x08, 0x10), Record(*_RANGE, _TYPE)),
    0x09: Record(
        _LENGTH, "attributes" / Records(Record(_HANDLE, "value" / Body(_pair, Hex(REST))))
    ),
    0x0A: Record(_HANDLE),
    **dict.fromkeys((0x0B, 0x0D, 0x0F), Record(_VALUE)),
    0x0C: Record(_HANDLE, _OFFSET),
    **dict.fromkeys((0x0E, 0x20), _HANDLES),
    0x11: Record(
        _LENGTH,
        "groups" / Records(
            Record(
                _HANDLE,
                "last_handle" / U16LE,
                "value" / Body(_group, Mapped(Hex(REST), _same, _same, _service)),
            )
        ),
    ),
    **dict.fromkeys((0x12, 0x1B, 0x1D, 0x52), Record(_HANDLE, _VALUE)),
    **dict.fromkeys((0x13, 0x19, 0x1E), _NOTHING),
    **dict.fromkeys((0x16, 0x17), _QUEUED),
    0x18: Record("flags" / Named(U8, _EXECUTE)),
    0x21: Record("values" / Records(Record("value" / _LONG))),
    0xD2: Record(_HANDLE, "value_and_signature" / Hex(REST)),
    0x23: Record("values" / Records(Record(_HANDLE, "value" / _LONG))),
}  # fmt: skip
"""ATT opcode -> layout of its parameters; the others stay hex."""
