"""What a run keeps besides its trace so that it can be exported: every packet of the air, and what was given by hand.

The air is recorded as `--capture` would, into a file without a name; in memory are twenty octets per packet. Rules of the
file: written to on the world's thread, read from any; a full disk ends the recording, never the run.
"""

from __future__ import annotations

import os
import tempfile
import threading
from array import array
from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from protocols.capture import Packet
from sim.air_capture import AirTap
from sim.story import end_line, is_end, story_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.radio import Outcome, Transmission
    from sim.trace import TraceEvent
    from sim.world import World

__all__ = ["MOST_LINES", "AirSpool", "RunLog"]

MOST_LINES = 5000
"""Lines of the story that are kept: the first ones."""
_GIVEN = frozenset(("command", "command_failed", "fault", "person"))
_ANSWERS = frozenset(("pin_entered", "accepted", "rejected"))
_FULL_OCTETS = 1 << 16
_CHUNK = 512


class AirSpool:
    """Packets in a nameless file; a `Writer` of `protocols.capture`."""

    def __init__(self) -> None:
        self.written = 0
        self.trouble = ""
        """why it ends before the run does, as a sentence; empty while it does not."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._starts = array("Q", [0])
        self._seqs = array("Q")  # of the event that tells of the packet, 0 where none does
        self._waiting: list[bytes] = []
        self._waiting_octets = 0
        self._lock = threading.Lock()
        self._encode = msgspec.msgpack.Encoder().encode
        self._decoder = msgspec.msgpack.Decoder(Packet)

    def write(self, packet: Packet) -> None:
        """Keep a packet."""
        if self.trouble:
            return
        octets = self._encode(packet)
        with self._lock:
            self._waiting.append(octets)
            self._waiting_octets += len(octets)
            self._starts.append(self._starts[-1] + len(octets))
            self._seqs.append(0)
            self.written += 1
            if self._waiting_octets > _FULL_OCTETS:
                self._put()

    def finish(self) -> None:
        """Nothing has to follow the last packet."""

    def told_by(self, seq: int) -> None:
        """The last packet is the one that the event `seq` tells of."""
        if not self.trouble:
            self._seqs[-1] = seq

    def _put(self) -> None:
        """Write what waits; under the lock."""
        try:
            self._file.write(b"".join(self._waiting))
            self._file.flush()
        except (OSError, ValueError) as exc:
            kept = len(self._starts) - 1 - len(self._waiting)
            del self._starts[kept + 1 :], self._seqs[kept:]
            self.written = kept
            self.trouble = f"there was no room to keep more than {kept} packets of the air: {exc}"
        self._waiting.clear()
        self._waiting_octets = 0

    def rows_of(self, seqs: list[int]) -> list[int]:
        """Numbers (from 0) of the packets that these events tell of; `seqs` rise."""
        with self._lock:
            rows = array("Q", (row for row, seq in enumerate(self._seqs) if seq))
            told = array("Q", (self._seqs[row] for row in rows))
        found: list[int] = []
        for seq in seqs:
            at = bisect_left(told, seq)
            if at < len(told) and told[at] == seq:
                found.append(rows[at])
        return found

    def packets(self, start: int, end: int) -> Iterator[Packet]:
        """The packets [start, end)."""
        with self._lock:
            self._put()
        for first in range(start, end, _CHUNK):
            last = min(end, first + _CHUNK)
            at = self._starts[first : last + 1]
            octets = memoryview(os.pread(self._file.fileno(), at[-1] - at[0], at[0]))
            for begin, stop in pairwise(at):
                yield self._decoder.decode(octets[begin - at[0] : stop - at[0]])

    def close(self) -> None:
        """Give the file back."""
        self.trouble = self.trouble or "the run is over"
        self._file.close()


class RunLog:
    """Listens to a world from its beginning on."""

    def __init__(self, world: World) -> None:
        self.air = AirSpool()
        self.given: list[TraceEvent] = []
        """commands, faults and answers, in order; what the scenario itself set is among them."""
        self.played: set[str] = set()
        """nodes whose people were played at the screen when it began."""
        self.story: list[str] = []
        """the first MOST_LINES lines of `sim.story`."""
        self.story_length = 0
        self.ends: list[str] = []
        """how pairings ended."""
        self._tap = AirTap("the air", self.air, reveal=world.reveal)
        self._data: bytes | None = None
        self._over = False
        world.air.observe(self._on_air)
        if world.reveal:
            world.trace.add_sink(self._tap.on_event)
        world.trace.add_sink(self._on_event)

    def _on_air(self, sent: Transmission, heard: tuple[Outcome, ...]) -> None:
        self._data = sent.data
        self._tap.on_air(sent, heard)

    def _on_event(self, event: TraceEvent) -> None:
        layer = event.layer
        if layer == "air":
            if event.data is self._data is not None:
                self._data = None
                self.air.told_by(event.seq)
        elif layer == "control":
            if event.event in _GIVEN:
                self.given.append(event)
        elif layer != "hci" and not self._over:
            self._over = is_end(event)
            self._tell(event)

    def _tell(self, event: TraceEvent) -> None:
        if event.event in _ANSWERS:
            self.given.append(event)
        line = story_line(event)
        if line:
            self.story_length += 1
            if self.story_length <= MOST_LINES:
                self.story.append(line)
            if end := end_line(event):
                self.ends.append(end)

    def close(self) -> None:
        """Give back what it holds."""
        self.air.close()
