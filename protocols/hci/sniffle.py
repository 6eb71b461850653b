"""Sniffle: lines on its serial port to packets of the air, and the commands that it needs.

Sniffle fw/messenger.c and python_cli (nccgroup/Sniffle, 2025-09), facts only; digest 2.6. Rules of the file:
* A line is base64 of a count of its four-character groups, a type and a body, and ends with CR LF. What does not fit
  is dropped and counted.
* The firmware sends PDUs without access address and CRC: both are followed here from CONNECT_IND, AUX_CONNECT_REQ and
  the state messages, and the CRC is computed again.
* Time stamps wrap every 2^30 us.
Written from the documents alone; not measured on a sniffer. No clock, no chance, no IO.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections import Counter, deque
from typing import Final

import msgspec

from protocols.ble.ll_radio import ADVERTISING_ACCESS_ADDRESS, ADVERTISING_CRC_INIT
from protocols.hci.sniffed import Sniffed

__all__ = ["SniffleMessage", "SniffleReader", "SniffleSniffer", "line", "listen", "marker"]

_MOST_CHARACTERS: Final = 512
FRAME, DEBUG, MARKER, STATE, MEASUREMENT = range(0x10, 0x15)
_CHANNEL, _PAUSE, _LEAST_RSSI, _FILTER, _FOLLOW, _AUX, _MARK, _CHECK_CRC = (
    *(0x10, 0x11, 0x12, 0x13),
    *(0x15, 0x16, 0x18, 0x26),
)
RESYNC: Final = b"@@@@@@@@\r\n"
"""Ends a command that was cut."""
_HEAD: Final = struct.Struct("<LHHbB")
_FROM_PERIPHERAL, _CRC_BAD, _LENGTH = 0x8000, 0x4000, 0x3FFF
_PHYS: Final = {0: (1, 0), 1: (2, 0), 2: (3, 0), 3: (3, 1)}
"""Two bits -> PHY as HCI numbers it, coding indicator."""
_WRAP_US: Final = 1 << 30
_DATA, _PAUSED = 3, 4
_CONNECT: Final = 5
_CONNECT_OCTETS: Final = 2 + 12 + 22
_HIGHEST_CHANNEL, _FIRST_ADVERTISING = 39, 37


class SniffleMessage(msgspec.Struct, frozen=True, gc=False):
    """One line."""

    type: int
    body: bytes


def line(kind: int, body: bytes = b"") -> bytes:
    """A command as a line; write it with one write."""
    count = (1 + len(body) + 3) // 3
    return base64.b64encode(bytes((count, kind)) + body) + b"\r\n"


def marker(octets: bytes) -> bytes:
    """A command that is answered with the same octets."""
    return line(_MARK, octets)


def listen(channel: int = 37, *, least_rssi_dbm: int = -128, follow: bool = True) -> list[bytes]:
    """Commands, one write each, that make it listen on an advertising channel and follow connections."""
    tuning = struct.pack("<BLBL", channel, ADVERTISING_ACCESS_ADDRESS, 0, ADVERTISING_CRC_INIT)
    return [
        line(_CHANNEL, tuning),
        line(_PAUSE, b"\0"),
        line(_LEAST_RSSI, struct.pack("b", least_rssi_dbm)),
        line(_FILTER),
        line(_FOLLOW, bytes((follow,))),
        line(_AUX, b"\1"),
        line(_CHECK_CRC, b"\1"),
    ]


class SniffleReader:
    """Octets of the line to messages."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._line = bytearray()
        self._too_long = False
        self._messages: deque[SniffleMessage] = deque()

    def receive(self, data: bytes) -> None:
        """Take octets of the line."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._add(part)
            self._finish()
        self._add(rest)

    def next_message(self) -> SniffleMessage | None:
        """The next message; None when there is none."""
        return self._messages.popleft() if self._messages else None

    def _add(self, part: bytes) -> None:
        self._line += part
        if len(self._line) > _MOST_CHARACTERS:
            self._too_long = True
            del self._line[_MOST_CHARACTERS:]

    def _finish(self) -> None:
        text, too_long = bytes(self._line), self._too_long
        self._line.clear()
        self._too_long = False
        if too_long:
            self.counts["lines longer than any"] += 1
            return
        if not text.endswith(b"\r"):
            self.counts["lines without CR"] += 1
        text = text.removesuffix(b"\r")
        try:
            octets = base64.b64decode(text, validate=True)
        except binascii.Error:
            self.counts["lines that are no base64"] += 1
            return
        if len(octets) < 2 or octets[0] != len(text) // 4:
            self.counts["lines with a wrong count"] += 1
            return
        self._messages.append(SniffleMessage(octets[1], octets[2:]))


class SniffleSniffer:
    """Octets of the line to packets of the air; keeps the time and the connection that is followed."""

    def __init__(self) -> None:
        self.reader = SniffleReader()
        self.counts = self.reader.counts
        self.markers: deque[bytes] = deque(maxlen=8)
        """Answers to `marker`."""
        self._wraps_us = 0
        self._last_us = 0
        self._connection: tuple[int, int] | None = None  # access address, CRC initial value

    def receive(self, data: bytes) -> list[Sniffed]:
        """Packets that are whole with these octets."""
        self.reader.receive(data)
        found: list[Sniffed] = []
        while (message := self.reader.next_message()) is not None:
            if message.type == FRAME:
                packet = self._packet(message.body)
                if packet is None:
                    self.counts["packets that are cut"] += 1
                else:
                    found.append(packet)
            elif message.type == STATE and message.body:
                self._on_state(message.body[0])
            elif message.type == MARKER:
                self.markers.append(message.body[4:])
            elif message.type not in (DEBUG, MEASUREMENT, STATE):
                self.counts["messages of an unknown type"] += 1
        return found

    def _on_state(self, state: int) -> None:
        if state not in (_DATA, _PAUSED):
            self._connection = None

    def _packet(self, body: bytes) -> Sniffed | None:
        if len(body) < _HEAD.size:
            return None
        stamp_us, word, _, rssi_dbm, where = _HEAD.unpack_from(body)
        pdu, channel = body[_HEAD.size :], where & 0x3F
        if len(pdu) != word & _LENGTH or len(pdu) < 2 or channel > _HIGHEST_CHANNEL:
            return None
        is_data = self._connection is not None and channel < _FIRST_ADVERTISING
        address, init = (
            self._connection
            if self._connection is not None and is_data
            else (ADVERTISING_ACCESS_ADDRESS, ADVERTISING_CRC_INIT)
        )
        phy, coding = _PHYS[where >> 6]
        packet = Sniffed(
            t_us=self._time(stamp_us),
            channel=channel,
            rssi_dbm=rssi_dbm,
            phy=phy,
            access_address=address,
            pdu=pdu,
            crc_ok=not word & _CRC_BAD,
            crc_init=init,
            coding=coding,
            from_peripheral=bool(word & _FROM_PERIPHERAL) if is_data else None,
        )
        self._follow(packet)
        return packet

    def _follow(self, packet: Sniffed) -> None:
        """A connection begins with a request; its packets stand on the data channels from then on."""
        pdu = packet.pdu
        if (
            packet.is_advertising
            and packet.crc_ok
            and pdu[0] & 0x0F == _CONNECT
            and len(pdu) == _CONNECT_OCTETS
        ):
            address = int.from_bytes(pdu[14:18], "little")
            self._connection = (address, int.from_bytes(pdu[18:21], "little"))

    def _time(self, stamp_us: int) -> int:
        if stamp_us < self._last_us - _WRAP_US // 2:
            self._wraps_us += _WRAP_US
        self._last_us = stamp_us
        return self._wraps_us + stamp_us
