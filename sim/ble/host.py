"""bumble's Host and Device with three things added: reports as values, ATT seen as it passes, no eager log texts.

Bluetooth Core 5.4, Vol 4 Part E 7.7.65.2 and 7.7.65.13 (reports), Vol 3 Part F (ATT). Rules of the file: bumble
does the protocol; what is here observes it, or answers before it where it does not check (permissions of
properties, length and bits of a CCCD).
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any, cast

from bumble import att, hci
from bumble import host as bumble_host

from sim.ble.security import SecureDevice
from sim.phones import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.ble.att_trace import AttTrace
    from sim.ble.smp_trace import SmpTrace
    from sim.defects import Defects

__all__ = ["AirDevice", "AirHost", "address_text", "uuid_text"]

_EVENT, _LE_META, _LEGACY_REPORT, _EXTENDED_REPORT = 4, 0x3E, 0x02, 0x0D
_TYPES = {0: "public", 1: "random", 2: "public_identity", 3: "random_identity", 0xFF: "anonymous"}
SMP_CID = 0x06
_NO_RSSI = 127
_ERROR, _COMMAND, _INVALID_PDU = 0x01, 0x40, 0x04
_EXTENDED = struct.Struct("<HB6sBBBbbHB6sB")
# legacy event type -> (connectable, scannable, directed, scan response)
_LEGACY = {
    0: (True, True, False, False),
    1: (True, False, True, False),
    2: (False, True, False, False),
    3: (False, False, False, False),
    4: (False, False, False, True),
}
_BASE_UUID = bytes.fromhex("fb349b5f8000008000100000")


def address_text(octets: bytes) -> str:
    """Six octets in air order as "aa:bb:cc:dd:ee:ff"."""
    return octets[::-1].hex(":")


def uuid_text(octets: bytes) -> str:
    """A UUID in air order as 4, 8 or 8-4-4-4-12 digits."""
    if len(octets) == 16 and octets[:12] == _BASE_UUID:
        octets = octets[12:14] if octets[14:] == b"\0\0" else octets[12:]
    text = octets[::-1].hex()
    if len(text) < 32:
        return text
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class AirHost(bumble_host.Host):  # type: ignore[misc]  # bumble is untyped here
    """bumble's Host; advertising reports go to `on_report` without its objects, which cost ten times as much."""

    on_report: Callable[[Report], None] | None = None

    def __init__(self, controller: Any, now: Callable[[], int]) -> None:
        super().__init__(controller, controller)
        self.now_us = now
        self._parts: dict[tuple[bytes, int], bytes] = {}

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """As bumble's, without the text of the packet for a log nobody reads."""
        if self.hci_sink:
            self.hci_sink.on_packet(bytes(packet))

    def on_packet(self, packet: bytes) -> None:
        """Take one H4 packet from the controller."""
        if packet[0] == _EVENT and packet[1] == _LE_META and self.ready:
            if packet[3] == _EXTENDED_REPORT:
                self._extended_reports(packet)
                return
            if packet[3] == _LEGACY_REPORT:
                self._legacy_reports(packet)
                return
        super().on_packet(packet)

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """As bumble's, without the text."""
        if isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)
        elif isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)

    def on_command_processed(self, event: Any) -> None:
        """As bumble's; nobody waits any more for the reply to a command that was cancelled."""
        own: Any = self
        base: Any = super()
        if own.pending_response is None or not own.pending_response.done():
            base.on_command_processed(event)

    def _legacy_reports(self, packet: bytes) -> None:
        at = 5
        for _ in range(packet[4]):
            kind, address_type, size = packet[at], packet[at + 1], packet[at + 8]
            address, data = packet[at + 2 : at + 8], packet[at + 9 : at + 9 + size]
            rssi = packet[at + 9 + size]
            at += 10 + size
            self._report(address_type, address, rssi - (rssi & 0x80) * 2, data, *_LEGACY[kind])

    def _extended_reports(self, packet: bytes) -> None:
        at = 5
        for _ in range(packet[4]):
            kind, address_type, address, _, _, sid, _, rssi, _, _, _, size = _EXTENDED.unpack_from(
                packet, at
            )
            at += _EXTENDED.size
            data = packet[at : at + size]
            at += size
            if not kind & 0x10:
                key = (address, sid)
                data = self._parts.pop(key, b"") + data
                if kind >> 5 & 3 == 1:  # more to come
                    self._parts[key] = data
                    continue
            self._report(
                address_type, address, rssi, data,
                bool(kind & 1), bool(kind & 2), bool(kind & 4), bool(kind & 8), legacy=bool(kind & 0x10),
            )  # fmt: skip

    def _report(
        self,
        address_type: int,
        address: bytes,
        rssi_dbm: int,
        data: bytes,
        connectable: bool,  # columns of the table above
        scannable: bool,  # likewise
        directed: bool,  # likewise
        scan_response: bool,  # likewise
        legacy: bool = True,  # likewise
    ) -> None:
        if self.on_report is not None:
            self.on_report(
                Report(
                    address_text(address),
                    _TYPES.get(address_type, str(address_type)),
                    None if rssi_dbm == _NO_RSSI else rssi_dbm,
                    data,
                    connectable,
                    scannable,
                    directed,
                    scan_response,
                    legacy,
                    self.now_us(),
                )
            )


class AirDevice(SecureDevice):
    """bumble's Device; `trace` and `smp_trace` see every PDU, `refuse(connection, opcode, handle, value)` may answer
    with an ATT error code. What peers say that `is_stranger` is written here, for they write no trace."""

    trace: AttTrace | None = None
    smp_trace: SmpTrace | None = None
    refuse: Callable[[Any, int, int, bytes], int] | None = None
    peer_name: Callable[[Any], str]
    is_stranger: Callable[[str], bool]
    defects: Defects | None = None
    _last_due_us = 0

    def on_reports(self, callback: Callable[[Report], None] | None) -> None:
        """Advertising reports go to `callback` from now on."""
        cast(AirHost, self.host).on_report = callback

    def send_l2cap_pdu(self, connection_handle: int, cid: int, pdu: bytes) -> None:
        """As bumble's, unless a fault changes, delays or swallows it; the order stays."""
        now_us = cast(AirHost, self.host).now_us()
        if self.defects is not None and self.defects.outgoing and pdu:
            fate = self.defects.fate(cid, pdu)
            if fate is None:
                return
            pdu, later_us = fate
        else:
            later_us = 0
        if not later_us and now_us > self._last_due_us:
            self._send_now(connection_handle, cid, pdu)
            return
        self._last_due_us = max(now_us + later_us, self._last_due_us + 1)
        asyncio.get_running_loop().call_later(
            (self._last_due_us - now_us) / 1e6, self._send_now, connection_handle, cid, pdu
        )

    def _send_now(self, connection_handle: int, cid: int, pdu: bytes) -> None:
        connection = self.lookup_connection(connection_handle)
        if connection is not None and pdu:
            if cid == att.ATT_CID and self.trace is not None:
                self.trace.sent(connection_handle, self.peer_name(connection), pdu)
            elif cid == SMP_CID and self.smp_trace is not None:
                bit = self.smp_manager.bit(connection_handle)
                self.smp_trace.sent(self.peer_name(connection), pdu, bit)
        super().send_l2cap_pdu(connection_handle, cid, pdu)

    def on_gatt_pdu(self, connection_handle: int, pdu: bytes) -> None:  # type: ignore[override,unused-ignore]  # a decorator of bumble's turns the handle into the connection
        """As bumble's, but a request may be refused, and octets that are no PDU are answered or dropped."""
        connection = self.lookup_connection(connection_handle)
        if connection is None or not pdu:
            return
        if self.trace is not None:
            peer = self.peer_name(connection)
            self.trace.heard(connection_handle, pdu, peer if self.is_stranger(peer) else "")
        of_client = not pdu[0] & 1
        if of_client and self.refuse is not None:
            handle = int.from_bytes(pdu[1:3], "little")
            code = self.refuse(connection, pdu[0], handle, pdu[3:])
            if code:
                self._answer(connection_handle, pdu, code)
                return
        try:
            parsed = att.ATT_PDU.from_bytes(pdu)
        except Exception:  # noqa: BLE001  # bumble raises whatever short octets make it raise
            if of_client:
                self._answer(connection_handle, pdu, _INVALID_PDU)
            return
        if of_client:
            connection.gatt_server.on_gatt_pdu(connection, parsed)
        else:
            connection.gatt_client.on_gatt_pdu(parsed)

    def on_smp_pdu(self, connection_handle: int, pdu: bytes) -> None:  # type: ignore[override,unused-ignore]  # as on_gatt_pdu
        """As bumble's."""
        connection = self.lookup_connection(connection_handle)
        if connection is not None and pdu and self.smp_trace is not None:
            peer = self.peer_name(connection)
            if self.is_stranger(peer):
                self.smp_trace.heard(peer, pdu, self.smp_manager.bit(connection_handle))
        super().on_smp_pdu(cast("Any", connection_handle), pdu)

    def _answer(self, connection_handle: int, pdu: bytes, code: int) -> None:
        """Error Response with `code`; a command is never answered."""
        if not pdu[0] & _COMMAND:
            handle = (pdu[1:3] + b"\0\0")[:2]
            error = bytes((_ERROR, pdu[0])) + handle + bytes((code,))
            self.send_l2cap_pdu(connection_handle, att.ATT_CID, error)
