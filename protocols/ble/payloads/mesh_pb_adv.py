"""PB-ADV, the provisioning bearer of Bluetooth Mesh over adverts (AD type 0x29).

Mesh Protocol 1.1, section 5.2.1; big-endian. The generic provisioning PDU stays octets; its lowest two bits say
what it is. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import REST, U8, U32BE, Hex, Mapped, Record, build

KEYS = ("ad_value/41",)

_CONTROL = (
    "transaction start",
    "transaction acknowledgement",
    "transaction continuation",
    "bearer control",
)


class PbAdv(Fields, frozen=True):
    """One PDU of a provisioning link."""

    link_id: int
    transaction: int
    """0x00..0x7f are the provisioner's, 0x80..0xff the device's."""
    pdu: str
    """generic provisioning PDU, 1 to 24 octets."""


def _side(transaction: int) -> str:
    return "of the device" if transaction & 0x80 else "of the provisioner"


def _control(pdu: str) -> str:
    return _CONTROL[int(pdu[:2], 16) & 3]


def _same(value: Any) -> Any:
    return value


def _pdu(text: str) -> str:
    if not 1 <= len(bytes.fromhex(text)) <= 24:
        raise ValueError("a generic provisioning PDU has 1 to 24 octets")
    return text


LAYOUT = Record(
    "link_id" / U32BE,
    "transaction" / Mapped(U8, _same, _same, _side),
    "pdu" / Mapped(Hex(REST), _same, _pdu, _control),
)


def decode(reader: Reader) -> PbAdv:
    """Codes: `frame_length` unless 6 to 29 octets."""
    reader.length(at_least=6, at_most=29)
    fields: PbAdv = as_fields(PbAdv, reader.read(LAYOUT))
    return fields


def encode(fields: PbAdv, keys: Keys) -> bytes:
    """Octets of one PDU of a link."""
    return build(LAYOUT, fields)


FORMAT = Format(
    name="mesh-pb-adv",
    title="Bluetooth Mesh provisioning PDU (PB-ADV)",
    source="Bluetooth Mesh Protocol 1.1, 5.2.1",
    confidence="documented",
    fields=PbAdv,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example(
            "23af5850000370cf7c9732a345b691494810d2e9cbf4", note="link open, a bearer control PDU"
        ),
        Example("23af58508001", note="the shortest: an acknowledgement"),
        Example("23af5850000000021400" + "00" * 19, note="the longest"),
    ),
)
