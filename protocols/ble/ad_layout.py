"""AD structures: the layout of a run and of every value in it, and how they are read.

Core Specification 5.4 Vol 3 Part C clause 11 (framing), Core Specification Supplement Part A clause 1 (values).
Rule 1: RUN is the one definition of a run; advertisements, scan responses, HCI reports, link-layer packets and
the plaintext of encrypted advertising data are all read with it. Rule 2: service data and manufacturer data are
octets here; what is in them belongs to the formats of `payloads/`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from protocols.data.ad_types import type_name
from protocols.data.appearance import appearance_name
from protocols.data.companies import company_name
from protocols.data.service_uuids import service_name
from protocols.data.uri_schemes import NO_SCHEME, SCHEMES
from protocols.format import Fields
from protocols.layout import (
    REST,
    S8,
    U8,
    U16LE,
    U24LE,
    U32LE,
    Body,
    Choice,
    Codec,
    Doubt,
    Flags,
    Hex,
    MacLE,
    Mapped,
    Named,
    Node,
    Octets,
    Record,
    Records,
    Scaled,
    Sized,
    Text,
    Uuid16LE,
    Uuid32LE,
    Uuid128LE,
    Walk,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "LEGACY_LIMIT",
    "RUN",
    "STRUCTURE",
    "VALUES",
    "NamedValues",
    "Structure",
    "ad_node",
    "flag_words",
    "read_run",
]

LEGACY_LIMIT = 31
"""Octets of AdvData and of ScanRspData in a legacy PDU (Core Vol 6 Part B 2.3.1)."""

FLAG_BITS = {
    0: "LE limited discoverable",
    1: "LE general discoverable",
    2: "BR/EDR not supported",
    3: "LE and BR/EDR at once (controller)",
    4: "LE and BR/EDR at once (host)",
}
LE_ROLES = {
    0: "peripheral only",
    1: "central only",
    2: "peripheral preferred",
    3: "central preferred",
}
SHORTENED_NAME, COMPLETE_NAME = 0x08, 0x09


class Structure(Fields, frozen=True):
    """One AD structure as sent."""

    type: int
    data: str
    """hex of the octets after the type."""


class NamedValues(Fields, frozen=True):
    """What the AD types with a name of their own say; of a repeated single value the last counts."""

    flags: int | UnsetType = UNSET
    service_uuids: list[str] | UnsetType = UNSET
    solicitation_uuids: list[str] | UnsetType = UNSET
    local_name: str | UnsetType = UNSET
    local_name_type: Literal["complete", "shortened"] | UnsetType = UNSET
    tx_power_dbm: int | UnsetType = UNSET
    class_of_device: int | UnsetType = UNSET
    conn_interval_min_ms: float | UnsetType | None = UNSET
    conn_interval_max_ms: float | UnsetType | None = UNSET
    service_data: dict[str, str] | UnsetType = UNSET
    """UUID -> hex."""
    appearance: int | UnsetType = UNSET
    adv_interval_ms: float | UnsetType = UNSET
    le_address: str | UnsetType = UNSET
    le_address_type: Literal["public", "random"] | UnsetType = UNSET
    le_role: int | UnsetType = UNSET
    uri: str | UnsetType | None = UNSET
    broadcast_name: str | UnsetType = UNSET
    manufacturer_data: dict[str, str] | UnsetType = UNSET
    """company identifier (4 hex digits) -> hex."""


# --- values ---------------------------------------------------------------------------------------


def flag_words(number: int) -> str:
    """The set bits of the Flags value in words."""
    names = [
        FLAG_BITS.get(bit, f"bit {bit}") for bit in range(number.bit_length()) if number >> bit & 1
    ]
    return ", ".join(names) or "none set"


def _flag_octets(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "little")


_CODE_POINTS = {scheme: point for point, scheme in SCHEMES.items()}


def _uri_text(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    point = ord(text[0]) if text else None
    if point == NO_SCHEME:
        return text[1:]
    return f"{SCHEMES[point]}:{text[1:]}" if point in SCHEMES else None


def _uri_octets(uri: str | None) -> bytes:
    if uri is None:
        return b""
    scheme, colon, rest = uri.partition(":")
    point = _CODE_POINTS.get(scheme) if colon else None
    return (f"{chr(NO_SCHEME)}{uri}" if point is None else f"{chr(point)}{rest}").encode()


def _company_octets(text: str) -> int:
    if len(text) != 4:
        raise ValueError(f"a company identifier has 4 hex digits, got {text!r}")
    return int(text, 16)


def _address_type(octet: int) -> str:
    return "random" if octet & 1 else "public"


_FLAGS = Mapped(Octets(REST), lambda b: int.from_bytes(b, "little"), _flag_octets, flag_words)
_URI = Mapped(Octets(REST), _uri_text, _uri_octets)
_COMPANY = Mapped(
    U16LE, lambda n: f"{n:04x}", _company_octets, lambda text: company_name(int(text, 16))
)
_UUID16 = Mapped(Uuid16LE, lambda text: text, lambda text: text, service_name)
_ADDRESS_TYPE = Mapped(U8, _address_type, ("public", "random").index)
_LONG_INTERVAL = Mapped(
    Octets(REST),
    lambda b: int.from_bytes(b, "little") * 0.625,
    lambda ms: round(ms / 0.625).to_bytes(3 if ms < 0.625 * 2**24 else 4, "little"),
)
_OPAQUE = Record("data" / Hex(REST))


def _list(name: str, uuid: Codec, meaning: Any = None) -> Codec:
    return Record(name / Records(uuid, "uuid_list_length", meaning=meaning))


def _service_data(uuid: Codec, size: int) -> Codec:
    return Sized(Record("uuid" / uuid, "data" / Hex(REST)), "service_data_short", at_least=size)


def _fixed(*members: Any, size: int) -> Codec:
    return Sized(Record(*members), "field_length", size)


VALUES: dict[int, Codec] = {
    0x01: Sized(Record("flags" / _FLAGS), "field_length", at_least=1),
    0x02: _list("service_uuids", Uuid16LE, service_name),
    0x03: _list("service_uuids", Uuid16LE, service_name),
    0x04: _list("service_uuids", Uuid32LE),
    0x05: _list("service_uuids", Uuid32LE),
    0x06: _list("service_uuids", Uuid128LE),
    0x07: _list("service_uuids", Uuid128LE),
    0x08: Record("local_name" / Text()),
    0x09: Record("local_name" / Text()),
    0x0A: _fixed("tx_power_dbm" / S8, size=1),
    0x0D: _fixed("class_of_device" / U24LE, size=3),
    0x0E: _fixed("_hash_c192" / Hex(16), size=16),
    0x0F: _fixed("_randomizer_r192" / Hex(16), size=16),
    0x11: _fixed(
        Flags(U8, _oob_data_present=0, _le_host=1, _le_and_bredr_host=2, _random_address=3), size=1
    ),
    0x12: _fixed(
        "conn_interval_min_ms" / Scaled(U16LE, 1.25, null=0xFFFF),
        "conn_interval_max_ms" / Scaled(U16LE, 1.25, null=0xFFFF),
        size=4,
    ),
    0x14: _list("solicitation_uuids", Uuid16LE, service_name),
    0x15: _list("solicitation_uuids", Uuid128LE),
    0x16: _service_data(_UUID16, 2),
    0x17: Sized(Record("_target_addresses" / Records(MacLE)), "field_length", step=6),
    0x18: Sized(Record("_target_addresses" / Records(MacLE)), "field_length", step=6),
    0x19: _fixed(
        "appearance" / Named(U16LE, appearance_name), size=2
    ),
    0x1A: _fixed("adv_interval_ms" / Scaled(U16LE, 0.625), size=2),
    0x1B: _fixed("le_address" / MacLE, "le_address_type" / _ADDRESS_TYPE, size=7),
    0x1C: _fixed("le_role" / Named(U8, LE_ROLES), size=1),
    0x1D: _fixed("_hash_c256" / Hex(16), size=16),
    0x1E: _fixed("_randomizer_r256" / Hex(16), size=16),
    0x1F: _list("solicitation_uuids", Uuid32LE),
    0x20: _service_data(Uuid32LE, 4),
    0x21: _service_data(Uuid128LE, 16),
    0x22: _fixed("_confirmation" / Hex(16), size=16),
    0x23: _fixed("_random" / Hex(16), size=16),
    0x24: Record("uri" / _URI),
    0x2D: _fixed("_broadcast_code" / Hex(16), size=16),
    0x2E: _fixed("_hash" / Hex(3), "_prand" / Hex(3), size=6),
    0x2F: Sized(Record("adv_interval_ms" / _LONG_INTERVAL), None, 3, 4, otherwise=_OPAQUE),
    0x30: Record("broadcast_name" / Text()),
    0x32: _fixed(
        "_response_access_address" / U32LE,
        "_subevents" / U8,
        "_subevent_interval_ms" / Scaled(U8, 1.25),
        "_response_slot_delay_ms" / Scaled(U8, 1.25),
        "_response_slot_spacing_ms" / Scaled(U8, 0.125),
        size=8,
    ),
    0xFF: Sized(
        Record("company_id" / _COMPANY, "data" / Hex(REST)), "manufacturer_data_short", at_least=2
    ),
}  # fmt: skip
"""AD type -> layout of its value; other types are octets."""


def _layout_of(fields: Any) -> int | None:
    """The AD type chooses the layout of the value, unless the octets themselves are given (building)."""
    return cast("int", fields.type) if getattr(fields, "data", None) is None else None


STRUCTURE: Codec = Body(
    U8,
    Record(
        "type" / Named(U8, type_name),
        Choice(_layout_of, VALUES, _OPAQUE),
    ),
    "ad_length_overrun",
)
RUN: Codec = Records(
    STRUCTURE,
    "ad_length_overrun",
    pad=(0, "early_termination_nonzero"),
    keep=("uuid_list_length",),
    meaning=lambda structure: type_name(structure["type"]),
)


# --- reading --------------------------------------------------------------------------------------


def read_run(walk: Walk, data: bytes, *, base: int = 0) -> tuple[list[Structure], dict[str, Any]]:
    """(structures, named values as in NamedValues) of a run whose first octet is octet `base` of the input.

    Faults go to `walk` with the codes and lenient rules of the AD run; the tree gets one node "structures".
    """
    outer, walk.nodes = walk.nodes, []
    noted = len(walk.doubts)
    try:
        records = cast("list[dict[str, Any]]", parse(RUN, data, walk, base=base))
    finally:
        found, walk.nodes = walk.nodes, outer
    spans = [node for node in found if node.name != "padding"]
    structures = [
        Structure(type=record["type"], data=data[node.start - base + 2 : node.end - base].hex())
        for record, node in zip(records, spans, strict=True)
    ]
    if data:
        inside = _gapless(found, data, base, walk.doubts[noted:])
        outer.append(Node("structures", None, None, base, base + len(data), inside))
    return structures, _named(records)


def ad_node(data: bytes, base: int, name: str = "data") -> tuple[Node, dict[str, Any]]:
    """(tree node, named values) of a run inside a larger packet; its faults are the node's `doubts`."""
    walk = Walk(strict=False)
    _, named = read_run(walk, data, base=base)
    kids = walk.nodes[0].children if walk.nodes else ()
    doubts = tuple(
        f"{doubt.code} at octet {doubt.offset}: {doubt.message}" for doubt in walk.doubts
    )
    shown = None if kids else data.hex()
    return Node(name, shown, None, base, base + len(data), kids, doubts=doubts), named


def _named(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for record in records:
        ad_type = record["type"]
        if "uuid" in record:
            out.setdefault("service_data", {})[record["uuid"]] = record["data"]
        elif "company_id" in record:
            out.setdefault("manufacturer_data", {})[record["company_id"]] = record["data"]
        elif "local_name" in record:
            if ad_type == COMPLETE_NAME or out.get("local_name_type") != "complete":
                out["local_name"] = record["local_name"]
                out["local_name_type"] = "complete" if ad_type == COMPLETE_NAME else "shortened"
        else:
            for name, value in record.items():
                if name.endswith("_uuids"):
                    out.setdefault(name, []).extend(value)
                elif name not in ("type", "data"):
                    out[name] = value
    return out


def _gapless(
    nodes: Sequence[Node], data: bytes, base: int, doubts: Sequence[Doubt]
) -> tuple[Node, ...]:
    """The nodes of a run, and "undecoded" nodes where a lenient walk left out octets.

    Each carries the codes of the faults that stand in it.
    """
    out: list[Node] = []
    for node in _filled(nodes, data, base, base, base + len(data)):
        kids: Sequence[Node] = node.children
        if node.name.startswith("["):
            kids = _filled(kids, data, base, node.start, node.end)
        why = tuple(
            doubt.code
            for doubt in doubts
            if doubt.offset is not None and node.start <= doubt.offset < node.end
        )
        out.append(msgspec.structs.replace(node, children=tuple(kids), doubts=why))
    return tuple(out)


def _filled(nodes: Sequence[Node], data: bytes, base: int, start: int, end: int) -> Sequence[Node]:
    """The nodes with a node "undecoded" in each gap between `start` and `end`."""
    out: list[Node] = []
    at = start
    for node in [*nodes, Node("", None, None, end, end, ())]:
        if node.start > at:
            octets = data[at - base : node.start - base].hex()
            out.append(Node("undecoded", octets, None, at, node.start, ()))
        kids = node.children
        if kids:
            kids = tuple(_filled(kids, data, base, kids[0].start, node.end))
        out.append(msgspec.structs.replace(node, children=kids))
        at = node.end
    return out[:-1]
