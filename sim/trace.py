"""The one trace: what happened, when, to whom, with which bytes, and because of what.

Every hop emits a `TraceEvent`. Sinks (files) get every event as it happens and miss nothing; readers
(screens, tests) pull with cursors from a bounded ring and are told how many they missed. Times are
simulated microseconds; nothing here reads a clock.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from protocols.errors import OutputError
from sim.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LAYERS", "Cursor", "TraceEvent", "TraceLog", "line_of", "told"]

Layer = Literal["air", "hci", "ble", "aware", "phone", "accessory", "control", "world"]
LAYERS: tuple[str, ...] = Layer.__args__  # type: ignore[attr-defined]  # typing gives Literal its arguments
"""air: packets between radios; hci: between a host and its controller; ble: links and GATT; aware: Wi-Fi Aware
frames of a node and what its engines make of them; phone and accessory: what the device on top did and why; control:
commands from outside; world: the run itself."""


class TraceEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One thing that happened."""

    seq: int
    """1, 2, 3, ... without gaps."""
    t_us: int
    """simulated time."""
    node: str
    """name of the node it happened to; empty for the world itself."""
    layer: str
    """one of LAYERS."""
    event: str
    """what happened, in snake case: `adv_ind`, `connected`, `read`, `refused`."""
    direction: str = ""
    """`tx` or `rx` when bytes or a message moved; seen from `node`."""
    peer: str = ""
    """name of the other node, or its address when no node of this world has it."""
    data: bytes | None = None
    """the bytes, exactly as sent."""
    fields: dict[str, Any] = {}  # msgspec copies mutable defaults
    """typed details; names carry units."""
    note: str = ""
    """one sentence for a reader."""
    cause: int | None = None
    """`seq` of the event that led to this one."""
    rule: str = ""
    """ID of the rule that decided, where one did."""


class Cursor:
    """A reader's place in the trace; `missed` counts events that left the ring before they were read."""

    def __init__(self, log: TraceLog, seq: int = 0) -> None:
        self._log = log
        self._seq = seq
        self.missed = 0

    def read(self, limit: int = 1_000_000) -> list[TraceEvent]:
        """Up to `limit` events since the last call."""
        events, missed = self._log.since(self._seq, limit)
        self.missed += missed
        self._seq = events[-1].seq if events else self._seq + missed
        return events


class TraceLog:
    """Bounded ring of the last `capacity` events plus sinks that get all of them.

    `now` gives simulated microseconds, `cause_of` what led to an event (node, layer, time) that does not say so
    itself. Emitting is for one thread (the world's); reading for any.
    """

    def __init__(
        self,
        now: Callable[[], int],
        capacity: int = 200_000,
        cause_of: Callable[[str, str, int], int | None] | None = None,
    ) -> None:
        self._now = now
        self._cause_of = cause_of
        self._ring: deque[TraceEvent] = deque(maxlen=capacity)
        self._sinks: list[Callable[[TraceEvent], None]] = []
        self._lock = threading.Lock()
        self.count = 0

    def emit(
        self,
        node: str,
        layer: Layer,
        event: str,
        *,
        direction: str = "",
        peer: str = "",
        data: bytes | None = None,
        note: str = "",
        cause: int | None = None,
        rule: str = "",
        **fields: Any,
    ) -> TraceEvent:
        """Record one event at the current simulated time and hand it to every sink."""
        self.count += 1
        if cause is None and self._cause_of is not None:
            cause = self._cause_of(node, layer, self._now())
        entry = TraceEvent(
            self.count,
            self._now(),
            node,
            layer,
            event,
            direction,
            peer,
            data,
            fields,
            note,
            cause,
            rule,
        )
        with self._lock:
            self._ring.append(entry)
        try:
            for sink in tuple(self._sinks):
                sink(entry)
        except OSError as exc:  # it is no fault of the node that was speaking
            raise OutputError("what the trace goes to", exc) from exc
        return entry

    def add_sink(self, sink: Callable[[TraceEvent], None]) -> Callable[[], None]:
        """`sink` gets every event from now on, in order; the result stops that."""
        self._sinks.append(sink)

        def stop() -> None:
            if sink in self._sinks:
                self._sinks.remove(sink)

        return stop

    def cursor(self, *, from_start: bool = True) -> Cursor:
        """A place from which to read."""
        return Cursor(self, 0 if from_start else self.count)

    def since(self, seq: int, limit: int) -> tuple[list[TraceEvent], int]:
        """(events after `seq`, how many of them are gone)."""
        with self._lock:
            if not self._ring or self._ring[-1].seq <= seq:
                return [], 0
            first = self._ring[0].seq
            missed = max(0, first - seq - 1)
            skip = max(0, seq - first + 1)
            return list(itertools.islice(self._ring, skip, skip + limit)), missed

    def __iter__(self) -> Iterator[TraceEvent]:
        with self._lock:
            return iter(list(self._ring))


def told(event: TraceEvent) -> str:
    """An event in words: its label and its note, or the note alone where that says the rule and its effect, too."""
    label = str(event.fields.get("label") or event.event.replace("_", " "))
    if event.rule and label.endswith(f": {event.rule}") and event.rule in event.note:
        return event.note
    return f"{label}: {event.note}" if event.note else label


_ENCODER = msgspec.json.Encoder()


def _plain(value: Any) -> str:
    if isinstance(value, Secret):
        return repr(value)
    raise NotImplementedError(f"{type(value).__name__} in a trace event")


def line_of(event: TraceEvent) -> bytes:
    """The event as one line of JSON with a newline; bytes as hex, secrets as dots."""
    plain = msgspec.to_builtins(event, builtin_types=(bytes,), enc_hook=_plain)
    if event.data is not None:
        plain["data"] = event.data.hex()
    return _ENCODER.encode(plain) + b"\n"
