"""A capture file as a source of rows: read once on a thread, spooled to a nameless file, so that a million packets scroll.

In memory are thirteen octets per packet, an entry per connection, and what is on the screen. Works for whatever `protocols.capture` reads, pipes
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
from tui.files import given_file
from tui.models.encrypted_links import EncryptedLinks
from tui.models.link_ends import LinkEnds
from tui.models.packets import CRC_OCTETS, capture_event, pdu_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from protocols.capture import Reader
    from tui.files import GivenFile

__all__ = ["CaptureSource"]

_CHUNK = 512
_REMEMBERED = 4096
_HCI, _RADIOTAP, _WITH_HEADER = "hci", "frame_radiotap", "ll_phdr"
_SIGNAL_AT = 1
_WITH_RECEIVER = (1, 3, 5)
"""ADV_DIRECT_IND, SCAN_REQ, CONNECT_IND: the second address says to whom (Core 5.4 Vol 6 Part B 2.3)."""
_EXTENDED, _HAS_SENDER, _HAS_RECEIVER = 7, 0x01, 0x02
"""PDU types from this one on have the common extended header (2.3.4); its flags for AdvA and TargetA."""


class CaptureSource:
    """The packets of a capture: of a file, at once; of a pipe, as they come. Raises UsageError when it is none."""

    is_all_packets = True

    def __init__(self, given: GivenFile | Path) -> None:
        self.first = 0
        self.end = 0
        self.skipped = 0
        self.done = False
        self.trouble = ""
        """what ended the reading early, or was passed over; a sentence."""
        file = given_file(given) if isinstance(given, Path) else given
        try:
            reader = open_reader(file.stream, file.name)
        except CaptureError as exc:  # of the file's header: there is nothing to show
            file.close()
            raise UsageError(str(exc)) from None
        except NearbenchError:
            file.close()
            raise
        self._file = file
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._starts = array("Q", [0])
        self._encrypted = bytearray()
        """per packet, whether it is; written ahead of `_starts`."""
        self._links = array("I")
        """per packet, the number of its connection; written ahead of `_starts`."""
        self._ends = LinkEnds()
        self._t0_us: int | None = None
        self._closing = False
        self._cache: OrderedDict[int, TraceEvent] = OrderedDict()
        self._encode = msgspec.msgpack.Encoder().encode
        self._decoder = msgspec.msgpack.Decoder(Packet)
        self._thread = threading.Thread(
            target=self._read, args=(file.stream, reader), name="capture", daemon=True
        )
        self._thread.start()

    def _read(self, stream: BinaryIO, reader: Reader) -> None:
        """On the thread: spool every packet; positions are published once their octets can be read."""
        chunk: list[bytes] = []
        starts = array("Q")
        links = EncryptedLinks()
        at = 0
        at_once = 1 if self._file.is_pipe else _CHUNK
        try:
            with stream:
                for packet in reader:
                    if self._t0_us is None:
                        self._t0_us = packet.t_us
                    kind = LINK_TYPES.get(packet.link_type, "")
                    self._encrypted.append(links.is_encrypted(kind, packet.data))
                    self._links.append(self._ends.link_of(kind, packet.data))
                    octets = self._encode(packet)
                    at += len(octets)
                    chunk.append(octets)
                    starts.append(at)
                    if len(chunk) >= at_once:
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
        packets = self.packets(start, end)
        return [self._event(packet, position) for position, packet in enumerate(packets, start)]

    def packets(self, start: int, end: int) -> list[Packet]:
        """The packets at [start, end) as they stand in the file. For any thread."""
        at = self._starts[start : end + 1]
        octets = memoryview(os.pread(self._spool.fileno(), at[-1] - at[0], at[0]))
        decode = self._decoder.decode
        return [decode(octets[a - at[0] : b - at[0]]) for a, b in pairwise(at)]

    def _load(self, position: int) -> TraceEvent:
        start, end = self._starts[position], self._starts[position + 1]
        octets = os.pread(self._spool.fileno(), end - start, start)
        return self._event(self._decoder.decode(octets), position)

    def _event(self, packet: Packet, position: int) -> TraceEvent:
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
            if self._encrypted[position]:
                fields["encrypted"] = True
            is_advert = name == "adv"
            link = self._links[position]
            node, peer = _ends(kind, data) if is_advert else self._ends.of(link, kind, data)
        layer = "hci" if kind == _HCI else "air"
        t_us = packet.t_us - (self._t0_us or 0)
        return TraceEvent(
            packet.number, t_us, node, layer, name, direction, peer, data, fields, packet.comment
        )

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
        self._file.stop()
        self._thread.join(5)
        self._spool.close()


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
    """Signal and place of the PDU of a Bluetooth LE packet."""
    found: dict[str, Any] = {"pdu_at": pdu_start(kind, data)}
    if kind == _WITH_HEADER and len(data) > _SIGNAL_AT:
        found["rssi_dbm"] = int.from_bytes(data[1:2], "little", signed=True)
    return found


def _ends(kind: str, data: bytes) -> tuple[str, str]:
    """Sender and receiver of an advertising packet by the addresses in it; empty where it has none."""
    pdu = data[pdu_start(kind, data) : -CRC_OCTETS]
    if len(pdu) < 2:
        return "", ""
    code, at, has_sender, has_receiver = pdu[0] & 0x0F, 2, True, pdu[0] & 0x0F in _WITH_RECEIVER
    if code >= _EXTENDED:
        flags = pdu[3] if len(pdu) > 3 and pdu[2] & 0x3F else 0
        at, has_sender, has_receiver = 4, bool(flags & _HAS_SENDER), bool(flags & _HAS_RECEIVER)
    first = _address(pdu[at : at + 6]) if has_sender else ""
    at += 6 * has_sender
    return first, _address(pdu[at : at + 6]) if has_receiver else ""


def _address(octets: bytes) -> str:
    return octets[::-1].hex(":") if len(octets) == 6 else ""
