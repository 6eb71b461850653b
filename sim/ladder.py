"""The text ladder: parties side by side, time downwards, messages as arrows, everything else as notes.

Pure text from trace events; no colour, no terminal, no clock.
"""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

from sim.trace import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sim.trace import TraceEvent

__all__ = ["Ladder", "Lines", "drawing"]

_TIME = 12
_ARROWS = ("heard",)
_IN_VAIN = "not_acknowledged"
_OUTSIDE = {"tx": "→ ", "rx": "← "}
"""Before a message to or from somebody who has no lane."""


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Ladder:
    """Draws events of the named parties in `columns` columns.

    Repeated events of one party (the same advert heard again) are drawn `repeats` times and then counted.
    """

    def __init__(self, parties: Iterable[str], *, columns: int = 80, repeats: int = 1) -> None:
        self.parties = list(parties)
        self.columns = columns
        self.repeats = repeats
        self.lane = max(9, (columns - _TIME) // max(1, len(self.parties)))
        self._seen: dict[tuple[str, ...], int] = {}
        self._phase = ""
        self._moment: tuple[int, dict[tuple[str, str], set[str]]] = (-1, {})
        """time of the last note, and whom the notes of that instant were about, by party and text."""

    def header(self) -> str:
        """The line of names."""
        lanes = "".join(name[: self.lane - 1].ljust(self.lane) for name in self.parties)
        return f"{'seconds'.rjust(_TIME - 1)} {lanes}".rstrip()

    def draw(self, event: TraceEvent) -> Iterator[str]:
        """Lines for one event; none when it is not one for people (packets, HCI, steps of engines, repetitions)."""
        if not self._is_shown(event) or self._is_echo(event):
            return
        yield from self._heading(event)
        time = f"{event.t_us / 1e6:.6f}".rjust(_TIME - 1)
        label = str(event.fields.get("label") or event.event.replace("_", " "))
        is_message = event.direction and event.peer in self.parties and event.peer != event.node
        if is_message:
            ends = (event.node, event.peer) if event.direction == "tx" else (event.peer, event.node)
            fits = _width(label) + 4 <= self._span(*ends)
            yield f"{time} {self._arrow(*ends, label if fits else '')}".rstrip()
            said = [part for part in ("" if fits else label, event.note) if part]
            if said:
                yield from self._note("", ": ".join(said), self.parties.index(event.node))
        else:
            text = told(event)
            if self._is_outside(event):
                text = _OUTSIDE[event.direction] + text
            lane = self.parties.index(event.node)
            if lane and self._start(text, lane) != lane * self.lane:
                text = f"{event.node}: {text}"
            yield from self._note(time, text, lane)
            if remedy := event.fields.get("remedy"):
                yield from self._note("", f"do: {remedy}", lane)

    def _is_outside(self, event: TraceEvent) -> bool:
        """Whether it is a message with a device that is no node."""
        said = event.layer == "ble" and bool(event.data) and event.event not in _ARROWS
        return said and event.direction in _OUTSIDE and event.peer not in ("", *self.parties)

    def _heading(self, event: TraceEvent) -> Iterator[str]:
        """A line when a message opens another phase."""
        phase = str(event.fields.get("phase", ""))
        if event.direction == "tx" and phase and phase != self._phase:
            self._phase = phase
            yield f"{' ' * _TIME}── {phase} {'─' * max(0, self.columns - _TIME - len(phase) - 5)}"

    def _is_shown(self, event: TraceEvent) -> bool:
        """Whether the event is one for people, of a party, and new."""
        if event.layer in ("air", "hci") or event.fields.get("quiet"):
            return False
        return event.node in self.parties and self._is_new(event)

    def _is_echo(self, event: TraceEvent) -> bool:
        """Whether a note says again what another layer of its party said at this instant (link and phone, say)."""
        if event.direction and event.peer in self.parties:
            return False
        if self._moment[0] != event.t_us:
            self._moment = (event.t_us, {})
        peers = self._moment[1].setdefault((event.node, told(event)), set())
        is_echo = bool(peers) and (not event.peer or bool(peers & {event.peer, ""}))
        peers.add(event.peer)
        return is_echo

    def _is_new(self, event: TraceEvent) -> bool:
        """Count the event; False for one that happens often and has been drawn."""
        key = (event.node, event.peer, event.event, str(event.fields.get("label", "")))
        count = self._seen[key] = self._seen.get(key, 0) + 1
        return not (event.fields.get("often") and count > self.repeats)

    def summary(self) -> Iterator[str]:
        """What was drawn once and happened often."""
        for (node, peer, event, label), count in self._seen.items():
            if count > self.repeats and event in _ARROWS:
                yield f"{node} {event} {peer}{f' ({label})' if label else ''} {count} times"
            elif count > self.repeats and event == _IN_VAIN:
                yield f"{node} sent {peer} {count} frames that nobody acknowledged"

    def _span(self, sender: str, receiver: str) -> int:
        """Columns between two lanes."""
        return abs(self.parties.index(receiver) - self.parties.index(sender)) * self.lane - 1

    def _arrow(self, sender: str, receiver: str, label: str) -> str:
        a, b = self.parties.index(sender), self.parties.index(receiver)
        low, high = min(a, b), max(a, b)
        text = f" {label} " if label else ""
        room = self._span(sender, receiver) - 1 - _width(text)
        left = room // 2
        line = "─" * left + text + "─" * (room - left)
        body = f"{line}▶" if b > a else f"◀{line}"
        lanes = ["│".ljust(self.lane) for _ in self.parties]
        return "".join(lanes[:low]) + "│" + body + "".join(lanes[high:])

    def _start(self, text: str, lane: int) -> int:
        """Column in which a note begins: that of its lane, or of one before it that has room for the text."""
        start = lane * self.lane
        if len(text) <= self.columns - _TIME - start - 2:
            return start
        return min(start, max(0, self.columns - _TIME - 2 - len(text)) // self.lane * self.lane)

    def _note(self, time: str, text: str, lane: int) -> Iterator[str]:
        start = self._start(text, lane)
        lines = textwrap.wrap(text, max(24, self.columns - _TIME - start - 2)) or [""]
        before = "│".ljust(self.lane) * (start // self.lane)
        for index, line in enumerate(lines):
            yield f"{(time if index == 0 else '').rjust(_TIME - 1)} {before}{'•' if index == 0 else ' '} {line}".rstrip()


class Lines(Ladder):
    """One line per event, for more parties than lanes fit: time, who, to whom, what."""

    def header(self) -> str:
        """The line of column names."""
        return f"{'seconds'.rjust(_TIME - 1)} who and what"

    def draw(self, event: TraceEvent) -> Iterator[str]:
        """Lines for one event; none for packets, HCI and repetitions."""
        if not self._is_shown(event) or self._is_echo(event):
            return
        time = f"{event.t_us / 1e6:.6f}".rjust(_TIME - 1)
        arrow = {"tx": "→", "rx": "←"}.get(event.direction, "") if event.peer else ""
        who = f"{event.node} {arrow} {event.peer}".strip() if event.peer else event.node
        text = f"{who}: {told(event)}"
        lines = textwrap.wrap(text, self.columns - _TIME, subsequent_indent="  ")
        for index, line in enumerate(lines):
            yield f"{(time if index == 0 else '').rjust(_TIME - 1)} {line}"


def drawing(parties: Iterable[str], *, columns: int = 80) -> Ladder:
    """A ladder when lanes for all parties fit, else lines."""
    names = list(parties)
    kind = Ladder if len(names) <= (columns - _TIME) // 12 else Lines
    return kind(names, columns=columns)
