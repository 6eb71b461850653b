"""Microsoft Connected Devices Platform beacon (manufacturer data, company 0x0006, scenario 0x01).

[MS-CDP] 2.2.2.2.3. An older revision has a 16-octet hash and is not decoded. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import U8, Coded, Flags, Hex, Record, build

KEYS = ("manufacturer_data/0006/01",)


class Beacon(Fields, frozen=True, kw_only=True):
    """A device that others of the same platform may find."""

    scenario: int = 1
    version: int
    device_type: int
    """1 Xbox One, 6 iPhone, 7 iPad, 8 Android, 9 Windows desktop, 11 Windows phone, 12 Linux, 13 Windows IoT,
    14 Surface Hub, 15 laptop, 16 tablet."""
    flags_version: int
    nearby_share_everyone: bool
    other_flags: int = 0
    """bits 1..4 of octet 2, which have no meaning yet."""
    status: int
    salt: str
    device_hash: str


SCENARIO = b"\x01"
LAYOUT = Record(
    "scenario" / Coded(U8, {SCENARIO[0]: SCENARIO[0]}, code="frame_type"),
    Flags(U8, version=(5, 3), device_type=(0, 5)),
    Flags(U8, flags_version=(5, 3), nearby_share_everyone=0, other_flags=(1, 4)),
    "status" / U8,
    "salt" / Hex(4),
    "device_hash" / Hex(19),
)


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `frame_type` at 0. Versions, flags and status are kept whatever they are."""
    reader.expect(SCENARIO, "frame_type")
    reader.length(27)
    fields: Fields = as_fields(Beacon, reader.read(LAYOUT))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The 27 octets."""
    return build(LAYOUT, fields)


FORMAT = Format(
    name="ms-cdp",
    title="Microsoft Connected Devices Platform beacon",
    source="[MS-CDP] 2.2.2.2.3",
    fields=Beacon,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("010920025e294e5e30809130e56e2ca4701dc8ebed5396b6320b8f", note="Windows desktop"),
        Example("012f2113ffeeddcc" + "00" * 19, note="laptop, nearby share with everyone"),
    ),
)
