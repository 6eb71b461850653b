"""LE link-layer packets: advertising, connection and control PDUs with CRC, bare and as captures keep them.

Core Specification 5.4 Vol 6 Part B clause 2; LINKTYPE 251 (bare) and 256 (with pseudo-header) of the tcpdump.org
registry: access address, coding indicator on LE Coded, PDU, CRC. Codes, in the order they are looked for:
`frame_length` (no offset) fewer octets than a packet has, or not as many as its length octet says · `whitened` at
the header's flags · `pdu_type` at the PDU's first octet (or those flags) · `reserved_nonzero` at that octet ·
`payload_too_long` (no offset) more than 31 octets of legacy advertising data · `crc` at the CRC.
After the last three a lenient reader has all fields, after the others none. Faults inside AdvData are doubts of its
node in the tree, not of the packet. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.ble.advertising import ad_words
from protocols.ble.l2cap import l2cap_nodes
from protocols.ble.ll_fields import (
    PACKETS,
    ControlPdu,
    DataPdu,
    Extended,
    IsochronousPdu,
    Packet,
)
from protocols.ble.ll_radio import (
    ADVERTISING_ADDRESS,
    ADVERTISING_CRC_INIT,
    air_time_us,
    channel_of_rf,
    crc24,
    rf_of_channel,
)
from protocols.ble.ll_read import decode_bare, decode_with_header
from protocols.ble.ll_write import encode_bare, encode_with_header, pdu_octets
from protocols.data.hci_names import error_name
from protocols.format import UNSET, Example, Format, Keys, Outcome, examine

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ADVERTISING_ADDRESS",
    "ADVERTISING_CRC_INIT",
    "LL",
    "LL_PHDR",
    "air_time_us",
    "channel_of_rf",
    "crc24",
    "decode_packet",
    "pdu_octets",
    "rf_of_channel",
    "summary",
]


def decode_packet(data: bytes, *, phdr: bool, keys: Mapping[str, Any] | None = None) -> Outcome:
    """(fields, tree, error, doubts) of one packet; with an error, fields are what a lenient reader has.

    Context: `crc_init` of the connection or train, `channel` index when there is no pseudo-header.
    """
    return examine(LL_PHDR if phdr else LL, data, Keys(keys))


def summary(packet: Packet) -> str:
    """One line: what it is, who sends it to whom, what is in it."""
    parts = [_name(packet)]
    for member in ("init_address", "scan_address", "adv_address", "target_address"):
        address = getattr(packet, member, UNSET)
        if address is not UNSET:
            parts.append(f"{'to ' if len(parts) > 1 else ''}{address}")
    parts += _content(packet)
    if packet.crc_ok is False:
        parts.append("bad CRC")
    return ", ".join(parts)


def _name(packet: Packet) -> str:
    if isinstance(packet, ControlPdu):
        return str(packet.name)
    return str(packet.__struct_config__.tag)


def _content(packet: Packet) -> list[str]:
    if isinstance(packet, ControlPdu):
        said = {} if packet.values is UNSET else packet.values
        return [
            f"{name.replace('_', ' ')} {error_name(value) if name == 'error' else value}"
            for name, value in said.items()
        ]
    data = bytes.fromhex(getattr(packet, "data", ""))
    if isinstance(packet, DataPdu):
        if not data:
            return ["empty"]
        return [l2cap_nodes(data, 0)[1] if packet.llid == 2 else f"{len(data)} octets, continued"]
    if isinstance(packet, IsochronousPdu):
        return [f"{len(data)} octets"]
    out = [ad_words(data)] if data else []
    if isinstance(packet, Extended) and packet.aux_pointer is not UNSET:
        pointer = packet.aux_pointer
        out.append(f"continues on channel {pointer.channel} in {pointer.offset_us} us")
    return out


_CONNECT = (
    "d6be898e" "4522" "665544332211" "ffeeddccbbaa" "5a1c6caf" "785634" "02" "0c00" "1800" "0000" "4800"
    "ffffffff1f" "a9"
)  # fmt: skip
_CONTEXT = {
    "crc_init": "initial CRC value of the connection or train, a number of 24 bits: the CRC is checked with it",
    "channel": "channel index 0 to 39, 37 to 39 for advertising: tells ADV_EXT_IND from the auxiliary packets",
}
_ADV_EXT = "d6be898e070706187b504c2102"


def _examples(prefix: str, auxiliary: str) -> tuple[Example, ...]:
    """The packets behind a pseudo-header (or none), with their CRC."""

    def packet(head: str, body: str, init: int = ADVERTISING_CRC_INIT) -> str:
        return head + body + crc24(bytes.fromhex(body)[4:], init).hex()

    connection = {"crc_init": 0x345678}
    return (
        Example(
            packet(prefix, "d6be898e" "4011" "665544332211" "020106" "07094b6574746c65"),
            note="ADV_IND, name and flags",
        ),
        Example(packet(prefix, "d6be898e" "c30c" "ffeeddccbbaa" "665544332211"), note="SCAN_REQ"),
        Example(packet(prefix, _CONNECT), note="CONNECT_IND"),
        Example(packet(prefix, _ADV_EXT), note="ADV_EXT_IND"),
        Example(
            packet(auxiliary, "d6be898e" "4713" "4909" "665544332211" "3412" "08094c616e7465726e"),
            note="AUX_ADV_IND",
        ),
        Example(
            packet(prefix, "5a1c6caf" "0302" "0213", 0x345678), connection, "LL_TERMINATE_IND"
        ),
        Example(
            packet(prefix, "5a1c6caf" "0609" "0500040012030001ff", 0x345678),
            connection,
            "ATT write request",
        ),
        Example(
            packet(
                prefix, "5a1c6caf" "0610" "0c000500" "12010800" "1800300000" "00c800", 0x345678
            ),
            connection,
            "L2CAP connection parameter update request",
        ),
    )  # fmt: skip


LL = Format(
    name="ll",
    title="LE link-layer packet",
    source="Core Specification Vol 6 Part B 2; LINKTYPE_BLUETOOTH_LE_LL (251)",
    fields=PACKETS,
    decode=decode_bare,
    encode=encode_bare,
    keys=("ll/",),
    context=_CONTEXT,
    examples=_examples("", ""),
)
LL_PHDR = Format(
    name="ll_phdr",
    title="LE link-layer packet with pseudo-header",
    source="Core Specification Vol 6 Part B 2; LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR (256)",
    fields=PACKETS,
    decode=decode_with_header,
    encode=encode_with_header,
    keys=("ll_phdr/",),
    context={"crc_init": _CONTEXT["crc_init"]},
    examples=_examples("00ce000000000000030c", "05ce000000000000830c"),
)
