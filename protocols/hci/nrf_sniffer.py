"""nRF Sniffer for Bluetooth LE: frames on its serial line to messages, and the few commands that it needs.

Nordic "nRF Sniffer for Bluetooth LE" user guide, protocol versions 1 to 3; digest 2.5. Rules of the file:
* A frame is AB ... BC with three escapes. AB inside a frame begins a new one; any other fault drops the frame. Every
  octet that is given up is counted in `counts`, and so is every packet that the counter says was lost on the line.
* Version 1 has a one-octet length, 2 and 3 two; what we send is always version 1.
* Direction bit set is central to peripheral, as Wireshark's dissector reads it.
* The UART form has one octet of padding behind the PDU header; it is taken out.
Written from the documents alone; not measured on a sniffer. No clock, no chance, no IO.
"""

from __future__ import annotations

import struct
from collections import Counter, deque
from typing import Final

import msgspec

from protocols.ble.ll_radio import ADVERTISING_CRC_INIT, air_time_us
from protocols.hci.sniffed import Sniffed

__all__ = ["NrfMessage", "NrfReader", "NrfSniffer", "frame", "scan", "simple"]

START, END, ESCAPE = 0xAB, 0xBC, 0xCD
_ESCAPED: Final = {0xAC: START, 0xBD: END, 0xCE: ESCAPE}
_ESCAPES: Final = {value: bytes((ESCAPE, code)) for code, value in _ESCAPED.items()}
_MOST_OCTETS: Final = 600
_HEADER_OCTETS: Final = 6
_V1_HEADER: Final = 6

ADVERTISING_PDU, PACKET, PING, PING_REPLY, SCAN, VERSION, IDLE = (
    0x02,
    0x06,
    0x0D,
    0x0E,
    0x07,
    0x1B,
    0xFE,
)
_BLOCK: Final = struct.Struct("<BBBBHI")
_CRC_OK, _TO_PERIPHERAL, _ENCRYPTED, _MIC_OK, _PHY_SHIFT = 0x01, 0x02, 0x04, 0x08, 4
_PHYS: Final = {0: 1, 1: 2, 2: 3}
_PHY_NAMES: Final = {1: "1M", 2: "2M", 3: "coded"}
_CODED: Final = 3
_PDU_HEADER, _CRC = 2, 3
_WRAP_US: Final = 1 << 32
_HIGHEST_CHANNEL: Final = 39
SCAN_RESPONSES, AUXILIARY, CODED = 1, 2, 4
"""Flags of `scan`."""


class NrfMessage(msgspec.Struct, frozen=True, gc=False):
    """One frame."""

    version: int
    counter: int
    id: int
    payload: bytes


def frame(identifier: int, payload: bytes = b"", counter: int = 0) -> bytes:
    """A frame to the sniffer, escaped."""
    head = bytes((_V1_HEADER, len(payload), 1)) + counter.to_bytes(2, "little")
    body = head + bytes((identifier,)) + payload
    return (
        bytes((START,))
        + b"".join(_ESCAPES.get(each, bytes((each,))) for each in body)
        + bytes((END,))
    )


def simple(identifier: int, counter: int = 0) -> bytes:
    """A frame without payload: PING, VERSION, IDLE."""
    return frame(identifier, b"", counter)


def scan(flags: int = SCAN_RESPONSES | AUXILIARY, counter: int = 0) -> bytes:
    """Listen on all advertising channels."""
    return frame(SCAN, bytes((flags,)), counter)


class NrfReader:
    """Octets of the line to messages."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.frames = 0
        """Whole ones so far."""
        self._body: bytearray | None = None
        self._escaped = False
        self._counter: int | None = None
        self._messages: deque[NrfMessage] = deque()

    def receive(self, data: bytes) -> None:
        """Take octets of the line."""
        for octet in data:
            if octet == START:
                self._give_up("frames that another one cut off")
                self._body, self._escaped = bytearray(), False
            elif self._body is None:
                self.counts["octets outside of frames"] += 1
            elif self._escaped:
                self._unescape(octet)
            elif octet == END:
                self._finish()
            elif octet == ESCAPE:
                self._escaped = True
            else:
                self._take(octet)

    def next_message(self) -> NrfMessage | None:
        """The next message; None when there is none."""
        return self._messages.popleft() if self._messages else None

    def _take(self, octet: int) -> None:
        if self._body is None:
            return
        self._body.append(octet)
        if len(self._body) > _MOST_OCTETS:
            self._give_up("frames longer than any")

    def _unescape(self, octet: int) -> None:
        self._escaped = False
        if octet in _ESCAPED:
            self._take(_ESCAPED[octet])
        else:
            self._give_up("frames with an unknown escape")

    def _give_up(self, reason: str) -> None:
        if self._body is not None:
            self.counts[reason] += 1
            self._body = None

    def _finish(self) -> None:
        body = bytes(self._body or b"")
        self._body = None
        message = _message(body)
        if message is None:
            self.counts["frames of a wrong length or version"] += 1
            return
        if self._counter is not None:
            lost = (message.counter - self._counter - 1) & 0xFFFF
            if 0 < lost < 0x8000:  # a smaller number is a sniffer that started afresh
                self.counts["packets lost on the line"] += lost
        self._counter = message.counter
        self.frames += 1
        self._messages.append(message)


def _message(body: bytes) -> NrfMessage | None:
    """The message in the octets between the marks; None when its lengths do not fit."""
    if len(body) < _HEADER_OCTETS:
        return None
    version = body[2]
    length = body[1] if version == 1 and body[0] == _V1_HEADER else body[0] | body[1] << 8
    if version not in (1, 2, 3) or len(body) != _HEADER_OCTETS + length:
        return None
    return NrfMessage(version, body[3] | body[4] << 8, body[5], body[_HEADER_OCTETS:])


class NrfSniffer:
    """Octets of the line to packets of the air; keeps the time."""

    def __init__(self) -> None:
        self.reader = NrfReader()
        self.counts = self.reader.counts
        self._wraps_us = 0
        self._last_us = 0
        self._end_us = 0

    def receive(self, data: bytes) -> list[Sniffed]:
        """Packets that are whole with these octets."""
        self.reader.receive(data)
        found: list[Sniffed] = []
        while (message := self.reader.next_message()) is not None:
            if message.id not in (PACKET, ADVERTISING_PDU):
                continue
            packet = self._packet(message)
            if packet is None:
                self.counts["packets that are cut"] += 1
            else:
                found.append(packet)
        return found

    def _packet(self, message: NrfMessage) -> Sniffed | None:
        payload = message.payload
        if len(payload) < _BLOCK.size or payload[0] != _BLOCK.size:
            return None
        _, flags, channel, rssi, _, stamp_us = _BLOCK.unpack_from(payload)
        phy = _PHYS.get(flags >> _PHY_SHIFT & 7)
        part = payload[_BLOCK.size :]
        begin = 5 if phy == _CODED else 4
        padding = begin + _PDU_HEADER
        if phy is None or channel > _HIGHEST_CHANNEL or len(part) < padding + 1 + _CRC:
            return None
        pdu = part[begin:padding] + part[padding + 1 : -_CRC]
        if len(pdu) != _PDU_HEADER + pdu[1]:
            return None
        access_address = int.from_bytes(part[:4], "little")
        packet = Sniffed(
            t_us=self._time(message.version, stamp_us),
            channel=channel,
            rssi_dbm=-rssi,
            phy=phy,
            access_address=access_address,
            pdu=pdu,
            crc_ok=bool(flags & _CRC_OK),
            crc=part[-_CRC:],
            crc_init=ADVERTISING_CRC_INIT if channel >= 37 else None,
            coding=part[4] if phy == _CODED else 0,
            from_peripheral=not flags & _TO_PERIPHERAL,
            decrypted=bool(flags & _ENCRYPTED and flags & _MIC_OK),
        )
        air_us = air_time_us(len(pdu), _PHY_NAMES[phy], coding=packet.coding)
        self._end_us = packet.t_us + air_us
        return packet

    def _time(self, version: int, stamp_us: int) -> int:
        """Version 3: the start of the packet, on a clock of 32 bits; before, the time since the last one's end."""
        if version < 3:
            return self._end_us + stamp_us
        if stamp_us < self._last_us - _WRAP_US // 2:
            self._wraps_us += _WRAP_US
        self._last_us = stamp_us
        return self._wraps_us + stamp_us
