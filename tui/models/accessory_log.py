"""What one device did, as lines for people: its part of the trace, what was typed at it, and what the console answered.

Rules of the file: events are read by position, in slices, so that a long run costs a screen that is not open nothing;
lines that are in no trace (help, mistakes) keep their place between those that are. No screen, no clock.
"""

from __future__ import annotations

import textwrap
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.models.rungs import words_of
from tui.models.states import sign_of
from tui.text import clean

if TYPE_CHECKING:
    from sim.trace import TraceEvent
    from tui.feed import Source
    from tui.signs import Signs

__all__ = ["LEVELS", "DeviceLog", "Line", "Notes", "command_text"]

LEVELS = ("quiet", "info", "all")
"""quiet: what the device does, commands, failures; info: its messages too; all: every event it has a part in."""
_SLICE = 8_000
_KEPT = 5_000
_PRESSES = 8
_OWN = ("accessory", "phone", "control")
_MESSAGES = ("ble", "aware")
_LAYERS = {"accessory": "dev", "phone": "dev", "control": "ctl", "aware": "nan"}
_ANSWERS = ("help_line", "log_line")
_STYLES = {"failed": "bad", "timeout": "bad", "ok": "good", "malformed": "warn"}
_HIDDEN_ARGUMENT = "timeout"
_INDENT = " " * 6


class Line(NamedTuple):
    """One line; `seq` is that of its event, 0 for what the console says by itself."""

    t_us: int
    text: str
    style: str
    seq: int = 0


class Notes:
    """Lines that are in no trace, each with the position in the trace that it stands before."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[int, Line]]] = {}

    def add(self, node: str, position: int, line: Line) -> None:
        """Keep a line."""
        self._of.setdefault(node, []).append((position, line))

    def of(self, node: str) -> list[tuple[int, Line]]:
        """Those of a node, in order."""
        return self._of.get(node, [])


class DeviceLog:
    """The lines of `node` at a level of LEVELS."""

    def __init__(
        self,
        source: Source,
        notes: Notes,
        node: str,
        *,
        level: str,
        signs: Signs,
        button: str = "",
        width: int = 1000,
    ) -> None:
        self.node = node
        self.level = level
        self.width = width
        """columns at which what the console says is broken; other lines are for the screen to cut."""
        self.rows: list[Line] = []
        self.gone = 0
        """lines that have left."""
        self.presses: deque[int] = deque(maxlen=_PRESSES)
        """times at which its button was pressed."""
        self.bonds: dict[str, str] = {}
        """peer -> how it paired last, in words."""
        self._source = source
        self._notes = notes
        self._signs = signs
        self._button = button
        self._at = 0
        self._noted = 0

    def read(self) -> bool:
        """Take in the next slice; whether there are other rows now."""
        source = self._source
        self._at = max(self._at, source.first)
        end = min(source.end, self._at + _SLICE)
        before = len(self.rows) + self.gone
        for event in source.span(self._at, end):
            self._take_notes(self._at)
            self._take(event)
            self._at += 1
        self._take_notes(self._at)
        surplus = len(self.rows) - _KEPT
        if surplus > _KEPT // 10:
            del self.rows[:surplus]
            self.gone += surplus
        return len(self.rows) + self.gone != before

    def _take_notes(self, position: int) -> None:
        notes = self._notes.of(self.node)
        while self._noted < len(notes) and notes[self._noted][0] <= position:
            self._add(notes[self._noted][1])
            self._noted += 1

    def _take(self, event: TraceEvent) -> None:
        if event.node == self.node:
            self._learn(event)
            if self._is_shown(event):
                self._add(_line(event, self._signs, ""))
        elif event.peer == self.node and event.direction == "tx" and self._is_message(event):
            self._add(_line(event, self._signs, self._signs["left"]))

    def _add(self, line: Line) -> None:
        is_said = not line.seq or line.style == "bad" or line.text.startswith("  ")
        if not is_said or len(line.text) <= self.width:
            self.rows.append(line)
            return
        rows = textwrap.wrap(line.text, self.width, subsequent_indent=_INDENT)
        self.rows += [line._replace(text=row) for row in rows]

    def _learn(self, event: TraceEvent) -> None:
        name = event.event
        if name in ("command", "step"):
            do = event.fields.get("do", event.fields.get("label"))
            if self._button and do == self._button:
                self.presses.append(event.t_us)
        elif name == "paired":
            shown = "protected" if event.fields.get("authenticated") else "unprotected"
            kind = "SC" if event.fields.get("secure_connections") else "legacy"
            self.bonds[event.peer] = f"{shown}, {kind}"

    def _is_message(self, event: TraceEvent) -> bool:
        if event.layer not in _MESSAGES or self.level == "quiet":
            return False
        return self.level == "all" or not _is_small(event)

    def _is_shown(self, event: TraceEvent) -> bool:
        if self.level == "all":
            return True
        if _is_small(event):
            return False
        is_own = event.layer in _OWN or sign_of(event) in ("failed", "timeout")
        return is_own or (self.level == "info" and event.layer in _MESSAGES)


def _is_small(event: TraceEvent) -> bool:
    return bool(event.fields.get("quiet") or event.fields.get("often"))


def _line(event: TraceEvent, signs: Signs, direction: str) -> Line:
    sign = sign_of(event)
    style = _STYLES.get(sign, "dim" if event.layer in ("hci", "air") or _is_small(event) else "")
    name = event.event
    if event.layer == "control" and name == "command":
        return Line(event.t_us, f"> {command_text(event)}", "key", event.seq)
    if name in _ANSWERS:
        return Line(event.t_us, f"  {clean(event.note)}", "", event.seq)
    words = clean(event.note) if name == "log" else words_of(event)
    arrow = direction or (signs["right"] if event.direction == "tx" else "")
    marks = [signs[sign] if sign else "", arrow, words]
    layer = _LAYERS.get(event.layer, event.layer)
    text = f"{event.t_us / 1e6:6.3f} {layer:3} {' '.join(filter(None, marks))}"
    return Line(event.t_us, text, style, event.seq)


def command_text(event: TraceEvent) -> str:
    """A command as it is typed; PINs as dots."""
    given: dict[str, Any] = dict(event.fields.get("set", {}))
    do = str(event.fields["do"])
    if do == "console":
        return clean(str(given.get("line", "")))
    words = [f"{key}={_value(value)}" for key, value in given.items() if key != _HIDDEN_ARGUMENT]
    return clean(" ".join([do, *words]))


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
