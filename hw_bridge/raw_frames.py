"""802.11 frames to and from a real radio: a monitor interface of Linux, or a small firmware on a serial line.

Linux Documentation/networking/mac80211-injection.rst; radiotap.org; Espressif esp_wifi_80211_tx and promiscuous mode;
digest 3.1, 3.2. Rules of the file: what comes is a frame without radiotap header and FCS, with the channel and signal
that the radio told; our own frames, which come back on a monitor interface, are left out; what cannot be read is
counted. Not measured on a radio.

The serial carrier: SLIP frames of version (1), kind (`R` heard, `T` to be sent, `S` was sent), sequence number (2,
little-endian), channel (1), signal in dBm (1, signed) or whether it was acknowledged, the 802.11 frame, and CRC-16
(CCITT, initial value FFFF, high octet first) over all of it.
"""

from __future__ import annotations

import asyncio
import binascii
import socket
import struct
import sys
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from hw_bridge.errors import LostError, NoBackendError, advice_for, opening_error, words_of
from hw_bridge.links.line import Line
from hw_bridge.transports import port_for
from protocols.errors import DecodeError, UsageError
from protocols.hci.slip import SlipReader, slip_frame
from protocols.wifi_aware import radiotap

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.link import Port

__all__ = ["Heard", "MonitorRadio", "RawRadio", "SerialRadio", "bare_frame", "carried"]

_ALL_PROTOCOLS: Final = 3
_ARPHRD_RADIOTAP: Final = 803
"""Hardware type of a monitor interface with radiotap headers (Linux if_arp.h)."""
_LARGEST: Final = 4096
_RATE_MBIT_S: Final = 6.0
_TX_FLAGS: Final = 1 << 15
"""Present bit of radiotap: only the status of a sent frame has it."""
_ECHOES: Final = 256
_AT_ONCE: Final = 64
"""Frames that are read before the loop has its turn."""
_VERSION: Final = 1
_HEAD: Final = struct.Struct("<BBHBb")
_CRC: Final = 2
_HEARD, _SEND, _SENT = b"R"[0], b"T"[0], b"S"[0]
_LAST_OF_2_4_GHZ: Final = 14
_FIRST_OF_5_GHZ: Final = 5000


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One frame of the air."""

    frame: bytes
    """Without radiotap header and FCS."""
    channel: int | None
    rssi_dbm: int | None


class RawRadio(Protocol):
    """Something that carries frames; `on_heard` and `on_sent` are set by its user."""

    on_heard: Callable[[Heard], object]
    on_sent: Callable[[int, bool], object]
    """(number, whether it was acknowledged), where the radio can tell."""
    on_gone: Callable[[LostError], object]
    counts: Counter[str]

    async def open(self) -> None:
        """Begin. Raises BridgeError."""
        ...

    def send(self, number: int, frame: bytes, channel: int) -> None:
        """Send a frame without FCS."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


class _Silent:
    """What every radio begins with."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.on_heard: Callable[[Heard], object] = lambda heard: None
        self.on_sent: Callable[[int, bool], object] = lambda number, acked: None
        self.on_gone: Callable[[LostError], object] = lambda error: None


def bare_frame(data: bytes) -> Heard | None:
    """The frame behind a radiotap header; None for the status of a frame that was sent. Raises DecodeError."""
    header = radiotap.read(data)
    words = int.from_bytes(data[4:8], "little")
    if words & _TX_FLAGS:
        return None
    values = {node.name: node.value for node in header.nodes}
    frame = data[header.length : -radiotap.FCS if header.has_fcs else None]
    mhz = values.get("channel_mhz")
    return Heard(frame, _channel_of(mhz) if mhz else None, values.get("signal_dbm"))


def _channel_of(mhz: int) -> int:
    """Number of a 20 MHz channel by its frequency (IEEE 802.11-2020 annex E)."""
    if mhz >= _FIRST_OF_5_GHZ:
        return (mhz - _FIRST_OF_5_GHZ) // 5
    return _LAST_OF_2_4_GHZ if mhz == 2484 else (mhz - 2407) // 5


class MonitorRadio(_Silent):
    """A monitor interface, by name; `made` gives another socket in tests.

    A plain monitor interface acknowledges nothing, so peers repeat unicast frames; whether ours were acknowledged is
    not known, and they count as such.
    """

    def __init__(self, interface: str, made: Callable[[], socket.socket] | None = None) -> None:
        super().__init__()
        self.interface = interface
        self._made = made or self._packet_socket
        self._socket: socket.socket | None = None
        self._own: deque[bytes] = deque(maxlen=_ECHOES)

    def _packet_socket(self) -> socket.socket:
        if not hasattr(socket, "AF_PACKET") or sys.platform != "linux":
            raise NoBackendError(f"{self.interface}: monitor interfaces are Linux's")
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        try:
            made.bind((self.interface, 0))
            self._check_kind(made.getsockname()[3])
        except BaseException:
            made.close()
            raise
        return made

    def _check_kind(self, kind: int) -> None:
        """Frames are injected into the air, never into a network of another kind. Raises UsageError."""
        if kind != _ARPHRD_RADIOTAP:
            raise UsageError(
                f"{self.interface} is not in monitor mode (hardware type {kind}, not {_ARPHRD_RADIOTAP}): "
                "`iw dev wlan0 interface add mon0 type monitor` makes one that is, monitor:mon0"
            )

    async def open(self) -> None:
        """Begin. Raises BridgeError, UsageError (it is no monitor interface)."""
        try:
            self._socket = self._made()
        except OSError as exc:
            hint = (
                "it needs CAP_NET_RAW, and an interface in monitor mode: "
                f"`iw dev wlan0 interface add {self.interface} type monitor`"
            )
            remedies = advice_for(hint, "not-found", "no-permission", "unknown")
            raise opening_error(exc, self.interface, remedies=remedies) from exc
        self._socket.settimeout(0)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            if self._socket is None:
                return
            try:
                data = self._socket.recv(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as exc:
                self._lose(words_of(exc))
                return
            if not data:
                self._lose("it was closed")
                return
            self._take(data)

    def _lose(self, why: str) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self.on_gone(LostError(f"{self.interface}: {why}"))

    def _take(self, data: bytes) -> None:
        try:
            heard = bare_frame(data)
        except DecodeError:
            self.counts["frames with a radiotap header that cannot be read"] += 1
            return
        if heard is None or heard.frame in self._own:
            self.counts["own frames"] += 1
        else:
            self.on_heard(heard)

    def send(self, number: int, frame: bytes, channel: int) -> None:
        """Inject a frame; a monitor interface sends on the channel that it is set to."""
        if self._socket is None:
            return
        self._own.append(frame)
        try:
            self._socket.send(radiotap.header(rate_mbit_s=_RATE_MBIT_S) + frame)
        except OSError:
            self.counts["frames that could not be sent"] += 1
            self.on_sent(number, False)  # noqa: FBT003 # number, acknowledged
            return
        self.on_sent(number, True)  # noqa: FBT003 # likewise

    async def close(self) -> None:
        """Give the socket back."""
        made, self._socket = self._socket, None
        if made is not None:
            asyncio.get_running_loop().remove_reader(made)
            made.close()


def carried(kind: int, number: int, channel: int, value: int, frame: bytes = b"") -> bytes:
    """Octets of the serial carrier; `value` is the signal in dBm, or 1 for acknowledged."""
    body = _HEAD.pack(_VERSION, kind, number & 0xFFFF, channel, value) + frame
    return slip_frame(body + binascii.crc_hqx(body, 0xFFFF).to_bytes(_CRC, "big"))


class SerialRadio(_Silent):
    """A firmware that carries frames over a serial line, by moniker."""

    def __init__(self, moniker: str, port: Callable[[str], Port] = port_for) -> None:
        super().__init__()
        self.moniker = moniker
        self._make_port = port
        self._line = Line()
        self._reader = SlipReader(_LARGEST)
        self._expected: int | None = None
        self._numbers: dict[int, int] = {}

    async def open(self) -> None:
        """Begin. Raises BridgeError."""
        await self._line.open(self._make_port(self.moniker), self)

    def send(self, number: int, frame: bytes, channel: int) -> None:
        """Hand a frame over; the firmware reports what became of it."""
        if self._line.write(carried(_SEND, number, channel, 0, frame)):
            self._numbers[number & 0xFFFF] = number
        else:
            self.counts["frames that the line did not take"] += 1
            self.on_sent(number, False)  # noqa: FBT003 # number, acknowledged

    async def close(self) -> None:
        """Give the port back."""
        await self._line.close()

    # Receiver of its link

    def on_data(self, data: bytes) -> None:
        """Octets of the firmware."""
        for _, body in self._reader.receive(data):
            if body is None or len(body) < _HEAD.size + _CRC:
                self.counts["damaged frames on the line"] += 1
            elif binascii.crc_hqx(body[:-_CRC], 0xFFFF) != int.from_bytes(body[-_CRC:], "big"):
                self.counts["frames on the line with a wrong CRC"] += 1
            else:
                self._take(body[:-_CRC])

    def _take(self, body: bytes) -> None:
        version, kind, number, channel, value = _HEAD.unpack_from(body)
        if version != _VERSION or kind not in (_HEARD, _SENT):
            self.counts["frames on the line of an unknown kind"] += 1
        elif kind == _SENT:
            ours = self._numbers.pop(number, None)
            if ours is not None:
                self.on_sent(ours, bool(value))
        else:
            if self._expected is not None:
                self.counts["frames lost on the line"] += (number - self._expected) & 0xFFFF
            self._expected = (number + 1) & 0xFFFF
            self.on_heard(Heard(body[_HEAD.size :], channel or None, value or None))

    def on_writable(self) -> None:
        """The line has room."""

    def on_trouble(self, text: str) -> None:
        """The counts say what was lost."""

    def on_lost(self, error: LostError) -> None:
        """The port is gone."""
        self.on_gone(error)
