"""Captures of the air: every LE packet with its pseudo-header, every Wi-Fi frame with radiotap, as an ideal sniffer.

LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR and LINKTYPE_IEEE802_11_RADIOTAP. A packet is as strong as its best listener has it, or as it was sent when
nobody listened. Encrypted PDUs are recorded as sent; when revealed, those of LE decrypted and marked so, those of Wi-Fi
Aware with the key in a comment. No clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.ble.ll_capture import captured_packet
from protocols.ble.ll_radio import ADVERTISING_ACCESS_ADDRESS, ADVERTISING_CRC_INIT
from protocols.capture import Packet, Writer
from protocols.data.operating_classes import channel_mhz
from protocols.errors import OutputError
from protocols.wifi_aware import radiotap
from sim.wifi_aware.on_air import WifiFrame

if TYPE_CHECKING:
    from sim.radio import Outcome, Transmission
    from sim.trace import TraceEvent

__all__ = ["AirTap", "write_packet"]

_LINK_TYPE, _RADIOTAP = 256, 127
_LINK_KEYS = ("nm_tk", "ndp_tk")
_LAST_OF_2_4_GHZ = 14
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
        self._keys: list[str] = []  # derived since the packet before
        self._asked = False  # the auxiliary packet before was a scan request

    def on_air(self, sent: Transmission, heard: tuple[Outcome, ...]) -> None:
        """Record one packet."""
        meta = sent.meta
        if isinstance(meta, WifiFrame):
            self._record(sent, heard, _RADIOTAP, _tapped(sent, meta, heard))
            return
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
            rssi_dbm=_signal_dbm(sent, heard),
            access_address=access_address,
            crc_init=getattr(meta, "crc_init", ADVERTISING_CRC_INIT),
            phy=int(getattr(meta, "phy", 1)),
            kind=kind,
            aux_type=aux_type,
            decrypted=decrypted,
        )
        self._record(sent, heard, _LINK_TYPE, data)

    def on_event(self, event: TraceEvent) -> None:
        """Keep a link key of Wi-Fi Aware for the comment of the next frame; for runs that reveal keys."""
        if event.layer == "aware" and event.event == "derived":
            name = event.fields["name"]
            if name in _LINK_KEYS:
                self._keys.append(
                    f"{name} of {event.node} and {event.peer} = {event.fields['value']}"
                )

    def _record(
        self, sent: Transmission, heard: tuple[Outcome, ...], link_type: int, data: bytes
    ) -> None:
        number = self._writer.written + 1
        name = "air" if link_type == _LINK_TYPE else "wi-fi"
        comment = "; ".join((_comment(sent.sender, heard), *dict.fromkeys(self._keys)))
        self._keys.clear()
        write_packet(
            self._file,
            self._writer,
            Packet(number, sent.start_us, link_type, data, len(data), None, name, comment),
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


def _signal_dbm(sent: Transmission, heard: tuple[Outcome, ...]) -> int:
    """The signal at the best listener, else as it was sent."""
    return max((outcome.rssi_dbm for outcome in heard), default=sent.power_dbm)


def _tapped(sent: Transmission, meta: WifiFrame, heard: tuple[Outcome, ...]) -> bytes:
    """A Wi-Fi frame behind its radiotap header."""
    band = "5 GHz" if meta.channel > _LAST_OF_2_4_GHZ else "2.4 GHz"
    return (
        radiotap.header(
            tsft_us=meta.tsft_us,
            rate_mbit_s=meta.rate_mbit_s,
            channel_mhz=channel_mhz(band, meta.channel),
            signal_dbm=_signal_dbm(sent, heard),
        )
        + sent.data
    )


def _comment(sender: str, heard: tuple[Outcome, ...]) -> str:
    reasons = sorted({outcome.reason for outcome in heard if outcome.reason})
    return f"from {sender}" + (f"; lost at a listener: {', '.join(reasons)}" if reasons else "")
