"""Mesh Provisioning Service advert of an unprovisioned device (service data, UUID 0x1827).

Mesh Protocol 1.1, section 7.1.2.2.1; big-endian. ESP-IDF sends the OOB information little-endian: its `oob_info`
reads with the octets swapped. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import U16BE, Hex, Record, build

KEYS = ("service_data/1827",)


class Provisioning(Fields, frozen=True):
    """A device that can be provisioned over GATT."""

    device_uuid: str
    oob_info: int


LAYOUT = Record("device_uuid" / Hex(16), "oob_info" / U16BE)


def decode(reader: Reader) -> Provisioning:
    """Codes: `frame_length` unless 18 octets."""
    reader.length(18)
    fields: Provisioning = as_fields(Provisioning, reader.read(LAYOUT))
    return fields


def encode(fields: Provisioning, keys: Keys) -> bytes:
    """The 18 octets."""
    return build(LAYOUT, fields)


FORMAT = Format(
    name="mesh-provisioning",
    title="Bluetooth Mesh provisioning service advert",
    source="Bluetooth Mesh Protocol 1.1, 7.1.2.2.1",
    confidence="documented",
    fields=Provisioning,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(Example("70cf7c9732a345b691494810d2e9cbf44020"),),
)
