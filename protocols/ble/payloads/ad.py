"""A run of AD structures: advertising data, scan response data, EIR.

Core Specification 5.4 Vol 3 Part C clause 11; Core Specification Supplement Part A clause 1. The layouts are in
`protocols.ble.ad_layout`. Service and manufacturer data stay octets here: a fault in them is no fault of the
run. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.ble.advertising import (
    LEGACY_LIMIT,
    NamedValues,
    Structure,
    ad_run,
    pieces_of,
    raw,
    read_run,
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
    agree,
)
from protocols.layout import Walk

KEYS = ("ad/",)

LEGACY_PDUS = ("legacy", "legacy_scan_rsp")


class Ad(NamedValues, frozen=True, kw_only=True):
    """A run: what its structures say by name, and every structure as sent (padding left out)."""

    structures: list[Structure] | UnsetType = UNSET


def decode(reader: Reader) -> Fields:
    """Codes, at the length octet of the structure: `ad_length_overrun`, `early_termination_nonzero`,
    `uuid_list_length`, `service_data_short`, `manufacturer_data_short`, `field_length`; and without offset
    `payload_too_long` when the context says `pdu` legacy or legacy_scan_rsp.
    """
    size = len(reader.data)
    if reader.keys.get("pdu") in LEGACY_PDUS and size > LEGACY_LIMIT:
        reader.fault(
            "payload_too_long", None, f"{size} octets, a legacy PDU carries {LEGACY_LIMIT}"
        )
    structures, named = read_run(reader.walk, reader.data)
    return Ad(**named, structures=structures)


def encode(fields: Any, keys: Keys) -> bytes:
    """The run of `structures` when given, else of the named fields in the order of `pieces_of`.

    Padding behind the last structure is not carried by the fields. Raises EncodeError when a named field
    contradicts `structures`, or when `pdu` is a legacy one and the run has more than 31 octets.
    """
    limit = LEGACY_LIMIT if keys.get("pdu") in LEGACY_PDUS else None
    if fields.structures is UNSET:
        return ad_run(pieces_of(fields), limit=limit)
    run = ad_run([_as_sent(one, index) for index, one in enumerate(fields.structures)], limit=limit)
    _, said = read_run(Walk(strict=False), run)
    for name in NamedValues.__struct_fields__:
        agree(name, getattr(fields, name), said.get(name))
    return run


def _as_sent(structure: Structure, index: int) -> Any:
    path = f"structures[{index}]"
    try:
        return raw(structure.type, bytes.fromhex(structure.data))
    except ValueError:
        raise EncodeError(f"{path}.data", f"{structure.data!r} is not hexadecimal") from None
    except EncodeError as exc:
        raise EncodeError(f"{path}.{exc.path}", exc.message) from None


FORMAT = Format(
    name="ad",
    title="AD structures",
    source="Core Specification Vol 3 Part C 11; Core Specification Supplement Part A 1",
    fields=Ad,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("0201060303aafe1516aafe00e701020304050607080910111213141516", note="Eddystone UID"),
        Example(
            "0201060effdc0006326b035200010409000403020dfe12094f72616c2d4220546f6f7468627275736805121000"
            "5000020a00",
            note="names, service, manufacturer data, connection interval, TX power",
        ),
        Example(
            "0319c103021c00031a000603145a181124172f2f6578616d706c652e636f6d2f61",
            note="appearance and URI",
        ),
        Example(
            "09041234567878563412110600112233445566778899aabbccddeeff0820785634120102031121"
            "00112233445566778899aabbccddeeff",
            note="32-bit and 128-bit UUIDs, service data of both",
        ),
    ),
)
