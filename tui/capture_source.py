"""A capture file as a source of rows: read once on a thread, spooled to a nameless file, so that a million packets scroll.

In memory are nine octets per packet and what is on the screen. Works for whatever `protocols.capture` reads, pipes
included. What is damaged ends the reading with a sentence; what came before is shown.
"""

from __future__ import annotations

import os
import tempfile
import threading
from array import array
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.capture import Packet, open_reader
from protocols.dissect import LINK_TYPES
from protocols.errors import CaptureError, NearbenchError, UsageError
from sim.trace import TraceEvent
from tui.models.encrypted_links import EncryptedLinks
from tui.models.packets import ACCESS_OCTETS, ADVERTISING, CRC_OCTETS, PHDR_OCTETS, capture_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from protocols.capture import Reader

__all__ = ["CaptureSource"]

_CHUNK = 512
_REMEMBERED = 4096
_HCI, _RADIOTAP = "hci", "frame_radiotap"
_SIGNAL_AT = 1
_WITH_RECEIVER = (1, 3, 5)
"""ADV_DIRECT_IND, SCAN_REQ, CONNECT_IND: the second address says to whom (Core 5.4 Vol 6 Part B 2.3)."""
_EXTENDED = 7


class CaptureSource:
    """The packets of a capture. Raises UsageError when the file cannot be opened or is none."""

    is_all_packets = True

    def __init__(self, path: Path) -> None:
        self.first = 0
        self.end = 0
        self.skipped = 0
        self.done = False
        self.trouble = ""
        """what ended the reading early, or was passed over; a sentence."""
        try:
            stream = path.open("rb")
        except OSError as exc:
            raise UsageError(f"{path}: {exc.strerror}") from None
        try:
            reader = open_reader(stream, str(path))
        except CaptureError as exc:  # of the file's header: there is nothing to show
            stream.close()
            raise UsageError(str(exc)) from None
        except NearbenchError:
            stream.close()
            raise
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._starts = array("Q", [0])
        self._encrypted = bytearray()
        """per packet, whether it is; written ahead of `_starts`."""
        self._t0_us: int | None = None
        self._closing = False
        self._cache: OrderedDict[int, TraceEvent] = OrderedDict()
        self._encode = msgspec.msgpack.Encoder().encode
        self._decoder = msgspec.msgpack.Decoder(Packet)
        self._thread = threading.Thread(
            target=self._read, args=(stream, reader), name="capture", daemon=True
        )
        self._thread.start()

    def _read(self, stream: BinaryIO, reader: Reader) -> None:
        """On the thread: spool every packet; positions are published once their octets can be read."""
        chunk: list[bytes] = []
        starts = array("Q")
        links = EncryptedLinks()
        at = 0
        try:
            with stream:
                for packet in reader:
                    if self._t0_us is None:
                        self._t0_us = packet.t_us
                    kind = LINK_TYPES.get(packet.link_type, "")
                    self._encrypted.append(links.is_encrypted(kind, packet.data))
                    octets = self._encode(packet)
                    at += len(octets)
                    chunk.append(octets)
                    starts.append(at)
                    if len(chunk) >= _CHUNK:
                        self._publish(chunk, starts)
                    if self._closing:
                        break
        except NearbenchError as exc:
            words = str(exc).replace(reader.name, Path(reader.name).name)
            self.trouble = f"a part is shown: {words}"
        except OSError as exc:
            name = Path(reader.name).name
            self.trouble = f"a part is shown: {name}: {exc.strerror or exc}"
        try:
            self._publish(chunk, starts)
        except OSError as exc:
            self.trouble = f"no room for a copy of the capture: {exc.strerror or exc}"
        if not self.trouble and reader.notes.skipped:
            passed = ", ".join(f"{n} {what}" for what, n in reader.notes.skipped.items())
            self.trouble = f"passed over: {passed}"
        self.done = True

    def _publish(self, chunk: list[bytes], starts: array[int]) -> None:
        if chunk and not self._closing:
            self._spool.write(b"".join(chunk))
            self._spool.flush()
            self._starts.extend(starts)
            self.end = len(self._starts) - 1
        chunk.clear()
        del starts[:]

    # Reading

    def pull(self) -> Sequence[TraceEvent]:
        """Nothing: rows are asked for by position."""
        return ()

    def at(self, position: int) -> TraceEvent:
        """The packet at a position, as an event."""
        found = self._cache.get(position)
        if found is None:
            found = self._cache[position] = self._load(position)
            if len(self._cache) > _REMEMBERED:
                self._cache.popitem(last=False)
        return found

    def span(self, start: int, end: int) -> Sequence[TraceEvent]:
        """The packets at [start, end), read at once and not remembered."""
        if start >= end:
            return ()
        t0_us = self._t0_us or 0
        flags = self._encrypted[start:end]
        packets = self.packets(start, end)
        return [
            _event(packet, t0_us, bool(flag)) for packet, flag in zip(packets, flags, strict=True)
        ]

    def packets(self, start: int, end: int) -> list[Packet]:
        """The packets at [start, end) as they stand in the file. For any thread."""
        at = self._starts[start : end + 1]
        octets = memoryview(os.pread(self._spool.fileno(), at[-1] - at[0], at[0]))
        decode = self._decoder.decode
        return [decode(octets[a - at[0] : b - at[0]]) for a, b in pairwise(at)]

    def _load(self, position: int) -> TraceEvent:
        start, end = self._starts[position], self._starts[position + 1]
        octets = os.pread(self._spool.fileno(), end - start, start)
        packet = self._decoder.decode(octets)
        return _event(packet, self._t0_us or 0, bool(self._encrypted[position]))

    def position_of(self, seq: int) -> int | None:
        """Position of the packet with a number; records that are no packets have none."""
        low, high = 0, min(seq, self.end)
        while low < high:
            middle = (low + high) // 2
            if self.at(middle).seq < seq:
                low = middle + 1
            else:
                high = middle
        return low if low < self.end and self.at(low).seq == seq else None

    def close(self) -> None:
        """End the reading and give the spool back."""
        self._closing = True
        self._thread.join(5)
        self._spool.close()


def _event(packet: Packet, t0_us: int, encrypted: bool = False) -> TraceEvent:
    """A packet as the trace would tell it; times count from the first packet."""
    kind = LINK_TYPES.get(packet.link_type, "")
    data = packet.data
    fields: dict[str, Any] = {"link_type": packet.link_type, "wall_us": packet.t_us}
    node, peer, direction = packet.interface if kind == _HCI else "", "", ""
    name = capture_event(kind, data) if kind else "packet"
    if kind == _HCI:
        direction = "rx" if packet.direction == "received" else "tx"
    elif kind.startswith("frame"):
        fields |= _wifi(kind, data)
        node, peer = str(fields.pop("sender", "")), str(fields.pop("receiver", ""))
    elif kind:
        fields |= _link_layer(kind, data)
        if encrypted:
            fields["encrypted"] = True
        node, peer = str(fields.pop("sender", "")), str(fields.pop("receiver", ""))
    return TraceEvent(
        packet.number, packet.t_us - t0_us, node, "hci" if kind == _HCI else "air", name, direction, peer, data,
        fields, packet.comment,
    )  # fmt: skip


def _wifi(kind: str, data: bytes) -> dict[str, Any]:
    """Ends and signal of an 802.11 frame."""
    start = int.from_bytes(data[2:4], "little") if kind == _RADIOTAP else 0
    found: dict[str, Any] = {"phy": "wifi", "pdu_from": start}
    receiver, sender = data[start + 4 : start + 10], data[start + 10 : start + 16]
    if len(receiver) == 6:
        found["receiver"] = "*" if receiver[0] & 1 else receiver.hex(":")
    if len(sender) == 6:
        found["sender"] = sender.hex(":")
    return found


def _link_layer(kind: str, data: bytes) -> dict[str, Any]:
    """Ends (of connections none), signal and place of the PDU of a Bluetooth LE packet."""
    start = PHDR_OCTETS if kind == "ll_phdr" else 0
    at = start + ACCESS_OCTETS
    found: dict[str, Any] = {"pdu_at": at}
    if start and len(data) > _SIGNAL_AT:
        found["rssi_dbm"] = int.from_bytes(data[1:2], "little", signed=True)
    if data[start:at] != ADVERTISING or len(data) < at + 8 or data[at] & 0x0F == _EXTENDED:
        return found
    found["sender"] = data[at + 2 : at + 8][::-1].hex(":")
    if data[at] & 0x0F in _WITH_RECEIVER and len(data) >= at + 14 + CRC_OCTETS:
        found["receiver"] = data[at + 8 : at + 14][::-1].hex(":")
    return found
