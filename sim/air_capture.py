"""Captures of the air: every LE packet with its pseudo-header, as an ideal sniffer would have it.

LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR. A packet is as strong as its best listener has it, or as it was sent when
nobody listened. Encrypted PDUs are recorded as sent; when revealed, decrypted and marked so. No clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.ble.ll_capture import captured_packet
from protocols.ble.ll_radio import ADVERTISING_ACCESS_ADDRESS, ADVERTISING_CRC_INIT
from protocols.capture import Packet, Writer
from protocols.errors import OutputError

if TYPE_CHECKING:
    from sim.radio import Outcome, Transmission

__all__ = ["AirTap", "write_packet"]

_LINK_TYPE = 256
_FIRST_ADVERTISING_CHANNEL = 37
_ADVERTISING, _AUXILIARY, _TO_PERIPHERAL, _TO_CENTRAL = range(4)
_ADV_IND, _CHAIN_IND, _SYNC_IND, _SCAN_RSP = range(4)
_SCAN_REQ = 0x3


def write_packet(file: str, writer: Writer, packet: Packet) -> None:
    """Write one packet. Raises OutputError: it is no fault of the node that was speaking."""
    try:
        writer.write(packet)
    except OSError as exc:
        raise OutputError(file, exc) from exc


class AirTap:
    """Observer of an air that writes each packet to a capture."""

    def __init__(self, file: str, writer: Writer, *, reveal: bool = False) -> None:
        self._file = file
        self._writer = writer
        self._reveal = reveal
        self._centrals: dict[int, str] = {}  # access address -> node that opened the connection
        self._chained: set[str] = (
            set()
        )  # senders whose next auxiliary packet goes on with the one before
        self._asked = False  # the auxiliary packet before was a scan request

    def on_air(self, sent: Transmission, heard: tuple[Outcome, ...]) -> None:
        """Record one packet."""
        meta = sent.meta
        connect = getattr(meta, "connect", None)
        if connect is not None:
            self._centrals[connect.access_address] = sent.sender
        access_address = getattr(meta, "access_address", ADVERTISING_ACCESS_ADDRESS)
        kind = self._kind(sent, access_address)
        aux_type = self._aux_type(sent, access_address) if kind == _AUXILIARY else 0
        pdu, decrypted = self._pdu(sent.data, meta)
        data = captured_packet(
            pdu,
            channel=int(str(sent.channel)),
            rssi_dbm=max((outcome.rssi_dbm for outcome in heard), default=sent.power_dbm),
            access_address=access_address,
            crc_init=getattr(meta, "crc_init", ADVERTISING_CRC_INIT),
            phy=int(getattr(meta, "phy", 1)),
            kind=kind,
            aux_type=aux_type,
            decrypted=decrypted,
        )
        number = self._writer.written + 1
        comment = _comment(sent.sender, heard)
        write_packet(
            self._file,
            self._writer,
            Packet(number, sent.start_us, _LINK_TYPE, data, len(data), None, "air", comment),
        )

    def _pdu(self, data: bytes, meta: Any) -> tuple[bytes, bool]:
        """(the PDU to record, whether it was decrypted)."""
        plaintext = getattr(meta, "plaintext", None)
        if not (self._reveal and plaintext is not None):
            return data, False
        return bytes((data[0], len(plaintext))) + plaintext, True

    def _kind(self, sent: Transmission, access_address: int) -> int:
        central = self._centrals.get(access_address)
        if central is not None:
            return _TO_PERIPHERAL if sent.sender == central else _TO_CENTRAL
        if int(str(sent.channel)) < _FIRST_ADVERTISING_CHANNEL:
            return _AUXILIARY
        self._chained.discard(sent.sender)
        return _ADVERTISING

    def _aux_type(self, sent: Transmission, access_address: int) -> int:
        asked, self._asked = self._asked, sent.data[0] & 0x0F == _SCAN_REQ
        chained = sent.sender in self._chained
        if getattr(sent.meta, "aux", None) is not None:
            self._chained.add(sent.sender)
        else:
            self._chained.discard(sent.sender)
        if chained:
            return _CHAIN_IND
        if access_address != ADVERTISING_ACCESS_ADDRESS:
            return _SYNC_IND
        return _SCAN_RSP if asked else _ADV_IND


def _comment(sender: str, heard: tuple[Outcome, ...]) -> str:
    reasons = sorted({outcome.reason for outcome in heard if outcome.reason})
    return f"from {sender}" + (f"; lost at a listener: {', '.join(reasons)}" if reasons else "")
