"""Rungs drawn between lifelines: pieces of text with the name of a style, one line per rung.

Columns: sign, mark, time, number, the lanes (a lifeline each, the room between them equal), the states that changed. Pure
text; the widget colours the pieces. Nothing is told by a style that the text does not tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tui.models.rungs import words_of
from tui.text import cells, cut, cut_middle, fit, right

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.models.rungs import Rung
    from tui.signs import Signs

__all__ = ["Lanes", "Piece", "Span"]

Piece = tuple[str, str]
"""(text, style)."""
_TIME, _NUMBER = 9, 7
_LEAST_GAP = 16
_STYLES = {
    "failed": "bad",
    "timeout": "bad",
    "ok": "good",
    "malformed": "warn",
    "shows": "key",
    "enters": "key",
}


class Span(NamedTuple):
    """Where a column is."""

    start: int
    width: int


class Lanes:
    """The layout of a ladder of `parties` in `width` columns."""

    def __init__(self, parties: tuple[str, ...], width: int, signs: Signs) -> None:
        self.parties = parties
        self.width = width
        self.signs = signs
        states = 17 if width < 110 else 26
        self.head = 2 + _TIME + _NUMBER
        room = width - self.head - states - 1
        gaps = max(1, len(parties) - 1)
        self.gap = max(_LEAST_GAP, (room - len(parties)) // gaps)
        start = self.head + len(parties) + gaps * self.gap + 1
        self.state = Span(start, max(8, width - start))

    @staticmethod
    def most_lanes(width: int) -> int:
        """How many parties fit."""
        return 2 if width < 108 else 3

    def _lifeline(self, lane: int) -> int:
        return self.head + lane * (self.gap + 1)

    def header(self, about: Mapping[str, str], time: str = "time") -> list[Piece]:
        """Names of the parties over their lifelines; `about` = what they are, `time` = what the times count."""
        row = [" "] * self.width
        _put(row, max(0, _TIME - 1 - cells(time)), time)
        _put(row, _TIME + 3, "#")
        texts = [
            f"{party} ({about[party]})" if about.get(party) else party for party in self.parties
        ]
        self._put_over(row, texts)
        return [("".join(row).rstrip(), "head")]

    def _put_over(self, row: list[str], texts: list[str]) -> None:
        """Texts over the lifelines: the last one around its own, the others from the left of theirs; none over another."""
        last = len(texts) - 1
        shown = cut(texts[last], self.gap // 2 + 8)
        at = self._lifeline(last)
        end = min(at - cells(shown) // 2 - 6, self.width - cells(shown))
        _put(row, end, shown)
        for lane in range(last):
            start = max(self.head - 4, self._lifeline(lane) - 4)
            limit = end if lane == last - 1 else self._lifeline(lane + 1) - 4
            _put(row, start, cut(texts[lane], max(0, limit - start - 1)))

    def states(self, states: Mapping[str, str]) -> list[Piece]:
        """The states that the parties are in, over their lifelines."""
        row = [" "] * self.width
        self._put_over(row, [states.get(party, "") for party in self.parties])
        return [("".join(row).rstrip(), "dim")]

    def empty(self) -> list[Piece]:
        """Lifelines alone."""
        row = [" "] * (self.state.start - 1)
        for lane in range(len(self.parties)):
            row[self._lifeline(lane)] = self.signs["v"]
        return [("".join(row), "dim")]

    def draw(
        self, rung: Rung, *, time: str, reveal: bool = False, is_marked: bool = False
    ) -> list[Piece]:
        """One rung; the sign of the cursor is the widget's."""
        event = rung.event
        sign = self.signs[rung.sign] if rung.sign else " "
        number = "[+]" if rung.title else str(event.seq)
        style = _STYLES.get(rung.sign, "")
        mark = self.signs["mark"] if is_marked else " "
        head = f"{sign}{mark}{right(time, _TIME - 1)} {right(number, _NUMBER - 2)}  "
        middle = self._middle(rung, words_of(event, reveal=reveal))
        pieces: list[Piece] = [
            (fit(head, self.head), style or "dim"),
            *((text, one or style) for text, one in middle),
        ]
        return [*pieces, (" ", ""), (fit(self._changes(rung), self.state.width), "state")]

    def _middle(self, rung: Rung, words: str) -> list[Piece]:
        event = rung.event
        lanes = self.parties
        if rung.title:
            low, high = sorted((lanes.index(event.node), lanes.index(event.peer)))
            title = f"{rung.title} ({rung.count} folded)"
            return self._between(low, high, self._folded(title, high - low))
        times = f" {self.signs['times']}{rung.count}" if rung.count > 1 else ""
        if (
            rung.is_message
            and event.node in lanes
            and event.peer in lanes
            and event.peer != event.node
        ):
            first, second = lanes.index(event.node), lanes.index(event.peer)
            if event.direction == "rx":
                first, second = second, first
            low, high = min(first, second), max(first, second)
            return self._between(
                low, high, self._arrow(words + times, high - low, to_right=second > first)
            )
        lane = lanes.index(event.node) if event.node in lanes else 0
        return self._note(words + times, lane)

    def _room(self, lanes: int) -> int:
        return lanes * (self.gap + 1) - 1

    def _arrow(self, words: str, lanes: int, *, to_right: bool) -> str:
        room, line = self._room(lanes), self.signs["h"]
        text = cut_middle(words, room - 6)
        left = room - 4 - cells(text)
        if to_right:
            return f"{line * 2} {text} {line * (left - 1)}{self.signs['right']}"
        return f"{self.signs['left']}{line * (left - 1)} {text} {line * 2}"

    def _folded(self, title: str, lanes: int) -> str:
        room, line = self._room(lanes), self.signs["double"]
        text = cut(title, room - 6)
        left = room - 2 - cells(text)
        return f"{line * 2} {text} {line * (left - 2)}"

    def _between(self, low: int, high: int, text: str) -> list[Piece]:
        """The lifelines, and `text` in the room from lane `low` to lane `high`."""
        v = self.signs["v"]
        before = "".join(v + " " * self.gap for _ in range(low))
        after = "".join(" " * self.gap + v for _ in range(len(self.parties) - 1 - high))
        return [(before + v, "dim"), (text, ""), (v + after, "dim")]

    def _note(self, words: str, lane: int) -> list[Piece]:
        """Something that happened at one party: beside its lifeline, over others when it is long."""
        v, point, last = self.signs["v"], self.signs["dot"], len(self.parties) - 1
        if not last:
            return [(v, "dim"), (fit(f" {point} {words}", self.gap), "")]
        at_right = lane == last
        text = f"{words} {point} " if at_right else f" {point} {words}"
        lanes = 1 if cells(text) <= self.gap else last
        first = max(0, last - lanes) if at_right else min(lane, last - lanes)
        room = self._room(lanes)
        shown = right(cut(words, room - 3) + f" {point} ", room) if at_right else fit(text, room)
        return self._between(first, first + lanes, shown)

    def _changes(self, rung: Rung) -> str:
        """New states: of the last party as they are, of the others behind an arrow that points to them."""
        found: list[str] = []
        for party, state in rung.states.items():
            if party == self.parties[-1]:
                found.insert(0, state)
            elif party in self.parties:
                found.append(f"{self.signs['left']} {state}")
        return cut(
            " ".join(found[:2] if len(" ".join(found)) < self.state.width else found[:1]),
            self.state.width,
        )


def _put(row: list[str], at: int, text: str) -> None:
    """Write `text` into a row of single columns; a wide character takes two of them."""
    for char in text:
        width = cells(char)
        if 0 <= at < len(row) and width:
            row[at] = char
            if width > 1 and at + 1 < len(row):
                row[at + 1] = ""
        at += width
