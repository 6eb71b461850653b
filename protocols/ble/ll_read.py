"""Reading LE link-layer packets; the codes are in `protocols.ble.link_layer`.

Core Specification 5.4 Vol 6 Part B clause 2. Rule: whatever the octets alone do not say (initial CRC value, channel,
kind of an extended PDU) comes from the pseudo-header or the context, else it stays open. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.ble.advertising import LEGACY_LIMIT, ad_node
from protocols.ble.l2cap import l2cap_nodes
from protocols.ble.ll_extended import cte_value, extended_name, extended_values
from protocols.ble.ll_fields import PACKETS, PseudoHeader
from protocols.ble.ll_layout import (
    ADDRESSES,
    ADVERTISING_HEADER,
    ADVERTISING_PDUS,
    CONTROL_BODIES,
    CONTROL_LLID,
    CRC,
    CTE_INFO,
    DATA_HEADER,
    EXTENDED_TYPE,
    NUMBER32,
    PDU_KINDS,
    PHDR,
    USUAL_ADDRESSES,
)
from protocols.ble.ll_phdr import header_value
from protocols.ble.ll_radio import (
    ADVERTISING_ADDRESS,
    CRC_OCTETS,
    PRIMARY_RF,
    crc24,
    crc_init_of,
)
from protocols.data.ll_control import control_name
from protocols.errors import DecodeError
from protocols.format import UNSET, Fields, Keys, Reader, as_fields, to_plain
from protocols.layout import REST, U8, Hex, Node, Record, Walk, parse

__all__ = ["decode_bare", "decode_with_header"]

PHDR_OCTETS = 10
_PHDR_FLAGS = 8
_LAST_CHANNEL = 39
_WITH_CH_SEL = (0x0, 0x1, 0x2, 0x4, 0x5, 0x6)

_ADDRESS = Record("access_address" / NUMBER32)
_CODING = Record("coding" / U8)


def decode_bare(reader: Reader) -> Fields:
    """A packet without pseudo-header (LINKTYPE 251)."""
    return _packet(reader, 0, None)


def decode_with_header(reader: Reader) -> Fields:
    """A packet with pseudo-header (LINKTYPE 256)."""
    reader.length(at_least=PHDR_OCTETS + 4 + 2 + CRC_OCTETS)
    raw = reader.read(Record("pseudo_header" / PHDR), reader.data[:PHDR_OCTETS])["pseudo_header"]
    if not raw["dewhitened"]:
        reader.fatal("whitened", _PHDR_FLAGS, "the packet was captured with whitening on")
    if raw["kind"] not in PDU_KINDS:
        reader.fatal("pdu_type", _PHDR_FLAGS, f"packet kind {raw['kind']} is reserved")
    return _packet(reader, PHDR_OCTETS, header_value(raw))


def _packet(reader: Reader, at: int, phdr: PseudoHeader | None) -> Fields:
    reader.length(at_least=at + 4 + (phdr is not None and phdr.phy == "coded") + 2 + CRC_OCTETS)
    data = reader.data
    common: dict[str, Any] = reader.read(_ADDRESS, data[at : at + 4], base=at)
    at += 4
    if phdr is not None and phdr.phy == "coded":
        common |= reader.read(_CODING, data[at : at + 1], base=at)
        at += 1
    pdu = data[at:-CRC_OCTETS]
    on_advertising = common["access_address"] == ADVERTISING_ADDRESS
    kind = phdr.kind if phdr else "unspecified"
    if kind.startswith("isochronous"):
        name, values = _isochronous(reader, pdu, at)
    elif kind == "auxiliary" or (kind == "unspecified" and on_advertising):
        name, values = _advertising(reader, pdu, at, phdr)
    else:
        name, values = _connected(reader, pdu, at)
    common |= _crc(reader, pdu, phdr, on_advertising=on_advertising)
    if phdr is not None:
        common["phdr"] = to_plain(phdr)
    fields: Fields = as_fields(PACKETS, {"pdu": name, **common, **values})
    return fields


def _crc(
    reader: Reader, pdu: bytes, phdr: PseudoHeader | None, *, on_advertising: bool
) -> dict[str, Any]:
    at = len(reader.data) - CRC_OCTETS
    out = reader.read(CRC, reader.data[at:], base=at)
    init = crc_init_of(reader.keys, on_advertising=on_advertising)
    if init is not None:
        out["crc_ok"] = crc24(pdu, init).hex() == out["crc"]
    elif phdr is not None and phdr.crc_checked:
        out["crc_ok"] = phdr.crc_valid
    if out.get("crc_ok") is False:
        expected = f", {crc24(pdu, init).hex()} computed" if init is not None else ""
        reader.fault("crc", at, f"{out['crc']} is wrong{expected}")
    return out


def _whole(reader: Reader, pdu: bytes, header: int = 2) -> None:
    if pdu[1] != len(pdu) - header:
        reader.fatal(
            "frame_length", None, f"length octet {pdu[1]}, payload {len(pdu) - header} octets"
        )


def _advertising(
    reader: Reader, pdu: bytes, at: int, phdr: PseudoHeader | None
) -> tuple[str, dict[str, Any]]:
    head = reader.read(Record("header" / ADVERTISING_HEADER), pdu[:2], base=at)["header"]
    code = head["type"]
    if code not in ADVERTISING_PDUS:
        reader.fatal("pdu_type", at, f"PDU type {code:#x} is reserved")
    _whole(reader, pdu)
    if head["reserved"]:
        reader.fault("reserved_nonzero", at, "bit 4 of the header is set")
    primary, secondary, layout = ADVERTISING_PDUS[code]
    raw = reader.read(layout, pdu[2:], base=at + 2)
    is_primary = _is_primary(reader.keys, phdr)
    name = secondary if is_primary is False else primary
    values = dict(raw)
    if code >= EXTENDED_TYPE:
        if code == EXTENDED_TYPE:
            told = phdr.aux_type if phdr else UNSET
            name = extended_name(raw, is_primary=is_primary) if told is UNSET else told
        values = extended_values(raw)
    elif len(raw.get("data", "")) > 2 * LEGACY_LIMIT:
        reader.fault("payload_too_long", None, f"{len(pdu) - 8} octets, {LEGACY_LIMIT} fit")
    for member, bit in zip(ADDRESSES.get(code, USUAL_ADDRESSES), ("tx_add", "rx_add"), strict=True):
        if member in values:
            values[f"{member}_type"] = "random" if head[bit] else "public"
    if code in _WITH_CH_SEL:
        values["ch_sel"] = head["ch_sel"]
    _open_run(reader.walk)
    return name, values


def _open_run(walk: Walk) -> None:
    """The node of AdvData, at the end of the tree, gets the structures in it as children."""
    last = walk.nodes[-1]
    if last.name == "data":
        walk.nodes[-1], _ = ad_node(bytes.fromhex(last.value), last.start)


def _is_primary(keys: Keys, phdr: PseudoHeader | None) -> bool | None:
    if phdr is not None:
        return phdr.rf_channel in PRIMARY_RF
    channel = keys.bounded("channel", _LAST_CHANNEL)
    return None if channel is None else channel >= 37


def _connected(reader: Reader, pdu: bytes, at: int) -> tuple[str, dict[str, Any]]:
    head = reader.read(Record("header" / DATA_HEADER), pdu[:2], base=at)["header"]
    size = 3 if head["cte"] else 2
    if len(pdu) < size:
        reader.fatal("frame_length", None, "no octet for the CTEInfo that the header announces")
    _whole(reader, pdu, size)
    if head["reserved"]:
        reader.fault("reserved_nonzero", at, "bits 6 and 7 of the header are not zero")
    values: dict[str, Any] = {name: head[name] for name in ("nesn", "sn", "md")}
    if head["cte"]:
        raw = reader.read(Record("cte_info" / CTE_INFO), pdu[2:3], base=at + 2)
        values["cte_info"] = cte_value(raw["cte_info"])
    payload, start = pdu[size:], at + size
    if head["llid"] == CONTROL_LLID:
        return "CONTROL", values | _control(reader, payload, start)
    kids, _ = l2cap_nodes(payload, start) if head["llid"] == 2 else ((), "")
    if payload:
        shown = None if kids else payload.hex()
        reader.walk.nodes.append(Node("data", shown, None, start, start + len(payload), kids))
    return "DATA", values | {"llid": head["llid"], "data": payload.hex()}


def _control(reader: Reader, payload: bytes, at: int) -> dict[str, Any]:
    """Parameters that do not fit their layout (they are encrypted, or a later version's) stay hex."""
    if not payload:
        reader.fatal("frame_length", None, "a control PDU without opcode")
    opcode, name = payload[0], control_name(payload[0])
    reader.walk.nodes.append(Node("opcode", opcode, None, at, at + 1, (), meaning=name))
    body = payload[1:]
    out: dict[str, Any] = {"opcode": opcode, "name": name, "parameters": body.hex()}
    walk = Walk()
    layout = CONTROL_BODIES.get(opcode)
    try:
        if layout is not None:
            out["values"] = parse(layout, body, walk, base=at + 1)
    except DecodeError:
        walk = Walk()
    if body:
        shown = None if walk.nodes else body.hex()
        end = at + len(payload)
        reader.walk.nodes.append(Node("parameters", shown, None, at + 1, end, tuple(walk.nodes)))
    return out


def _isochronous(reader: Reader, pdu: bytes, at: int) -> tuple[str, dict[str, Any]]:
    _whole(reader, pdu)
    layout = Record("header" / U8, "_length" / U8, "data" / Hex(REST))
    return "ISO", reader.read(layout, pdu, base=at)
