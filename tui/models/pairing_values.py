"""Values and timers of a conversation: what was exchanged and derived, by whom, and how long an answer may take.

Bluetooth Core 5.4 Vol 3 Part H 3.4: the Security Manager timer is 30 s, from each command anew. Values are kept as the
trace has them, so keys and PINs are Secrets that compare without being shown. Pure.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.redaction import Secret
from tui.models.states import PAIRING_STARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.trace import TraceEvent

__all__ = ["SMP_TIMEOUT_US", "Timer", "Value", "Values", "shown_value"]

SMP_TIMEOUT_US = 30_000_000
_KEPT = 4000
_NAMES = {
    "public_key_hex": "public key", "check_hex": "DHKey check", "ltk": "LTK", "irk": "IRK", "csrk": "CSRK",
    "ediv_rand_hex": "EDIV, Rand", "pin": "PIN", "number": "number", "method": "method", "address": "identity",
}  # fmt: skip
_ROUND_NAMES = {"confirm_hex": "confirm", "random_hex": "random"}
_STOPS = frozenset(("paired", "not_paired", "pairing_failed", "disconnected"))


class Value(NamedTuple):
    """One value at one party."""

    seq: int
    party: str
    peer: str
    name: str
    value: Any


class Timer(NamedTuple):
    """The Security Manager timer between two parties."""

    started_us: int
    stopped_us: int | None = None

    def left_us(self, now_us: int) -> int:
        """Time left; 0 when it has run out."""
        end_us = now_us if self.stopped_us is None else self.stopped_us
        return max(0, SMP_TIMEOUT_US - (end_us - self.started_us))


class Values:
    """The latest values of a run, and its timers."""

    def __init__(self) -> None:
        self._kept: deque[Value] = deque(maxlen=_KEPT)
        self._starts: deque[tuple[int, frozenset[str]]] = deque(maxlen=200)
        self.timers: dict[frozenset[str], Timer] = {}
        """the Security Manager timer of each pair."""
        self.displayed: dict[tuple[str, str], int] = {}
        """(node, peer) -> when the PIN for that peer came on its display."""
        self._waits: dict[
            tuple[str, str], tuple[int, int]
        ] = {}  # (node, what) -> began, for how long

    def feed(self, events: Iterable[TraceEvent]) -> None:
        """Take in events of the trace."""
        for event in events:
            if event.layer in ("ble", "aware", "phone", "accessory"):
                self._feed(event)

    def _feed(self, event: TraceEvent) -> None:
        pair = frozenset((event.node, event.peer))
        if event.direction == "tx" and event.event in PAIRING_STARTS:
            self._starts.append((event.seq, pair))
        self._time(event, pair)
        if event.event == "pin_displayed":
            self.displayed[event.node, event.peer] = event.t_us
        fields = event.fields
        for_us: Any = fields.get("for_us")
        if event.event == "timer" and isinstance(for_us, int) and not fields.get("quiet"):
            self._waits[event.node, event.note.rpartition(": ")[0]] = event.t_us, for_us
        elif event.event == "timer_stopped":
            self._waits.pop((event.node, event.note.rpartition(": ")[0]), None)
        if event.event == "derived":
            self._add(event, str(fields.get("name")), fields.get("value"))
            return
        for key, name in _NAMES.items():
            if key in fields and event.layer != "control":
                self._add(event, name, fields[key])
        for key, name in _ROUND_NAMES.items():
            if key in fields:
                bit = fields.get("bit")
                self._add(event, f"{name} {bit}" if bit else name, fields[key])

    def _add(self, event: TraceEvent, name: str, value: Any) -> None:
        self._kept.append(Value(event.seq, event.node, event.peer, name, value))

    def _time(self, event: TraceEvent, pair: frozenset[str]) -> None:
        timer = self.timers.get(pair)
        if event.event in _STOPS:
            if timer is not None and timer.stopped_us is None:
                self.timers[pair] = timer._replace(stopped_us=event.t_us)
        elif event.layer == "ble" and event.direction == "tx":
            is_start = event.event in PAIRING_STARTS
            if is_start or (timer is not None and timer.stopped_us is None):
                self.timers[pair] = Timer(event.t_us)

    def begun(self, parties: set[str]) -> int:
        """`seq` of the message with which the last pairing of these began; 0 before the first."""
        return max((seq for seq, pair in self._starts if pair == frozenset(parties)), default=0)

    def waits(self, parties: tuple[str, ...], now_us: int) -> list[tuple[str, str, int]]:
        """(party, what for, time left) of timers of Wi-Fi Aware that were set and have not run out."""
        found = [
            (node, what, began_us + for_us - now_us)
            for (node, what), (began_us, for_us) in self._waits.items()
            if node in parties and now_us < began_us + for_us
        ]
        return sorted(found, key=lambda one: one[2])

    def at(self, seq: int, parties: tuple[str, ...]) -> list[tuple[str, list[Value]]]:
        """(name, values of the parties) as they were at `seq`, of the pairing that was on then, in order."""
        wanted = set(parties)
        begun = max(
            (start for start, pair in self._starts if start <= seq and pair <= wanted), default=0
        )
        found: dict[str, dict[str, Value]] = {}
        for value in self._kept:
            if begun <= value.seq <= seq and value.party in wanted:
                found.setdefault(value.name, {})[value.party] = value
        return [(name, list(of.values())) for name, of in found.items()]


def shown_value(value: Any, *, reveal: bool) -> str:
    """A value as text; secrets as dots unless `reveal`."""
    if isinstance(value, Secret):
        return value.value if reveal else str(value)
    return str(value).replace("_", " ") if isinstance(value, str) else str(value)
