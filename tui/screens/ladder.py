"""Ladder: messages between the parties as rungs, with states, timers, values and causes; the way through a pairing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container

from tui.bindings import bindings
from tui.models.lanes import Lanes
from tui.models.packet_times import Times
from tui.models.packets import is_packet
from tui.models.rungs import words_of
from tui.screens._ladder_below import LadderBelow
from tui.widgets.ladder_list import LadderList
from tui.widgets.lines import LinesPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from sim.trace import TraceEvent
    from tui.models.outcomes import Outcome


_MANY, _PAUSE_S = 2000, 0.25
_MOST_CAUSES = 50
"""Of an event, one behind the other."""


class LadderScreen(LadderBelow):
    """The ladder above, values or parties below."""

    NAME = "ladder"
    BINDINGS: ClassVar[list[Any]] = bindings("ladder")
    DEFAULT_CSS = """
    LadderScreen #ladder { height: 1fr; }
    LadderScreen #below { height: 7; layout: horizontal; }
    LadderScreen #values { width: 3fr; }
    LadderScreen #timers { width: 2fr; display: none; }
    LadderScreen.-wide #timers { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.times = Times(digits=3)
        self.marks: set[int] = set()
        """sequence numbers of marked rungs."""
        self.search = ""
        self._choice = 0
        self._seen: tuple[Any, ...] = ()
        self._rebuilt_s = 0.0

    def panes(self) -> ComposeResult:
        """Ladder, values, timers."""
        yield LadderList(self)
        with Container(id="below"):
            yield LinesPane(id="values")
            yield LinesPane(id="timers")

    @property
    def ladder(self) -> LadderList:
        """The list of rungs."""
        return self.query_one(LadderList)

    def renew(self) -> None:
        """Nothing of the old run stays."""
        self._seen = ()
        self.times, self.marks = Times(digits=3), set()
        self._choice = 0
        ladder = self.ladder
        ladder.rows = []
        ladder.cursor = ladder.top = 0
        ladder.follow = True

    def lay_out(self) -> None:
        """Room for the panes below."""
        height = self.bench.size.height
        below = self.query_one("#below")
        small = self.has_class("-small")
        usual = 12 if height >= 36 else 6
        below.styles.height = (usual, 3, max(6, height - 14))[self.split]
        below.display = self.maximised is not self.ladder and not small
        if self.maximised is not None and self.maximised is not self.ladder:
            below.styles.height = "1fr"

    # Who is drawn

    def parties(self) -> tuple[str, ...]:
        """The parties on the screen."""
        rungs = self.session.rungs
        lanes = Lanes.most_lanes(self.bench.size.width)
        choices = self._choices()
        if self._choice and choices:
            return choices[(self._choice - 1) % len(choices)]
        return rungs.busiest(min(lanes, max(2, len(rungs.parties)))) or tuple(rungs.parties[:2])

    def _choices(self) -> list[tuple[str, ...]]:
        """Pairs that have talked, then all that fit."""
        rungs = self.session.rungs
        pairs: list[tuple[str, ...]] = list(rungs.talks)
        if len(rungs.parties) > 2 and Lanes.most_lanes(self.bench.size.width) > 2:
            pairs.append(tuple(rungs.parties[:3]))
        return pairs

    def action_parties(self) -> None:
        """The next conversation; after the last one, whoever talks."""
        choices = self._choices()
        self._choice = (self._choice + 1) % (len(choices) + 1) if choices else 0
        self._seen = ()
        shown = " and ".join(self.parties())
        self.bench.say(shown if self._choice else f"whoever talks: {shown}")
        self.tick()

    # Turns

    def tick(self) -> None:
        """New rungs, running timers."""
        if not self.is_mounted or not self.query(LadderList):
            return
        rungs = self.session.rungs
        seen = (rungs.version, self.parties(), self.bench.size, self.reveal, self.times.style)
        if seen != self._seen and self._may_rebuild(seen):
            self._seen = seen
            self.ladder.rebuild()
        failure = self.failure()
        if failure is not None:
            self.bench.inquire(failure)
        self._title()
        self.show_below()

    def _may_rebuild(self, seen: tuple[Any, ...]) -> bool:
        """Whether to take new rungs over now: of very many rungs, four times a second; whatever else changed, at once."""
        now_s = self.bench.wall_s()
        is_more_alone = bool(self._seen) and seen[1:] == self._seen[1:]
        if is_more_alone and len(self.ladder.rows) > _MANY and now_s - self._rebuilt_s < _PAUSE_S:
            return False
        self._rebuilt_s = now_s
        return True

    def _title(self) -> None:
        parties = self.parties()
        both = f" {self.signs['both']} ".join(parties)
        note, end = "", self.end()
        if end is not None:
            note = self._verdict(end)
        if self.search:
            note = f"search: {self.search}   {note}".rstrip()
        if not self.ladder.follow:
            note = f"follow off   {note}".rstrip()
        if self.marks:
            note = f"marks {len(self.marks)}   {note}".rstrip()
        dropped = (
            f"   {self.session.rungs.dropped} older rungs gone"
            if self.session.rungs.dropped
            else ""
        )
        who = f" {self.signs['dot']} {both}" if parties else ""
        self.ladder.say(f"Ladder{who}{dropped}", note)

    def _verdict(self, end: Outcome) -> str:
        """How the pairing ended, by sign and word; whose word it is while the other side is not done."""
        if not end.good:
            code = "" if end.code is None else f" {end.code:#04x}"
            return f"{self.signs['failed']} {end.kind}{code}"
        control = self.session.control
        both = control is not None and end.peer in control.world.devices
        if both and self.session.outcomes.is_open(end):
            return f"{self.signs['ok']} {end.node} paired, {end.peer} not yet"
        return f"{self.signs['ok']} {end.kind}"

    # Keys

    def action_choose(self) -> None:
        """The packet of the rung."""
        rung = self.ladder.selected()
        if rung is None:
            return
        if rung.title or rung.count > 1:
            self.action_fold()
            return
        packet = self._packet_of(rung.event)
        if packet is None:
            self.bench.say("no packet belongs to this rung: nothing that led to it was sent")
        else:
            self.bench.open_packet(packet)

    def _packet_of(self, event: TraceEvent) -> int | None:
        """The packet of an event, else the one that led to it; None where there is none, or it has left."""
        source = self.session.source
        for _ in range(_MOST_CAUSES):
            if is_packet(event):
                return event.seq
            position = None if event.cause is None else source.position_of(event.cause)
            if position is None:
                return None
            event = source.at(position)
        return None

    def action_fold(self) -> None:
        """Members of the rung below it, or no longer."""
        if not self.ladder.rows:
            return
        rung = self.ladder.rows[self.ladder.cursor][0]
        if rung.members:
            rung.open = not rung.open
            self.ladder.follow = False
            self.ladder.rebuild()
        else:
            self.bench.say("this rung stands for one event alone")

    def action_values(self) -> None:
        """Values, or the rung in words."""
        self.shows_values = not self.shows_values
        self.tick()

    def action_reveal(self) -> None:
        """Keys and PINs as they are, after asking; or as dots."""
        if self.reveal:
            self.reveal = False
            self.tick()
        else:
            self.bench.ask(
                "Show keys and PINs of the simulated devices on this screen?", self._show_secrets
            )

    def _show_secrets(self) -> None:
        self.reveal = True
        self.tick()

    def action_mark(self) -> None:
        """Mark the rung, or take the mark away; times can count from it."""
        rung = self.ladder.selected()
        if rung is None:
            return
        self.marks ^= {rung.event.seq}
        self.times.mark(rung.event.t_us, is_marked=rung.event.seq in self.marks)
        self.ladder.refresh()
        self._title()

    def is_marked(self, row: int) -> bool:
        """Whether a row, or what is folded in it, is marked."""
        return bool(self.marks) and any(
            event.seq in self.marks for event in self.ladder.events_at(row)
        )

    def action_mark_next(self) -> None:
        """The next rung that is marked, from the top again at the end."""
        if not self.marks:
            self.bench.say("no rung is marked: m marks one")
        elif not self._go_to_next(self.is_marked):
            self.bench.say("no rung between these parties is marked: c shows others")

    def _go_to_next(self, fits: Callable[[int], bool], step: int = 1) -> bool:
        """Put the cursor on the next row that fits, round the end; whether there is one."""
        count, here = self.ladder.count(), self.ladder.cursor
        rows = ((here + step * distance) % count for distance in range(1, count + 1))
        found = next((at for at in rows if fits(at)), None)
        if found is None:
            return False
        self.ladder.follow = False
        self.ladder.go(found)
        return True

    def action_time_style(self) -> None:
        """From the start, since the rung before, since the mark."""
        self.bench.say(f"times: {self.times.turn(has_wall=False)}")
        self.tick()

    def action_copy(self) -> None:
        """The rung as text."""
        rung = self.ladder.selected()
        if rung is not None:
            event = rung.event
            arrow = f" > {event.peer}" if event.peer else ""
            self.bench.copy_text(f"{event.t_us / 1e6:.6f} {event.node}{arrow} {words_of(event)}")

    def action_filter(self) -> None:
        """Search for words."""
        from tui.modals.filter import FilterInput

        def begin(text: str | None) -> None:
            if text is not None:
                self.search = text
                self.action_find(1)

        examples = "Words of a rung, in any case; n and N go to the next and the previous one."
        self.bench.push_screen(
            FilterInput(self.search, lambda text: f"search for {text!r}", examples, "Search"), begin
        )

    def action_find(self, step: int) -> None:
        """The next rung with the words."""
        if not self.search:
            self.bench.say("nothing is searched for: / searches")
        elif not self._go_to_next(self._says, step):
            self.bench.say(f"no rung says {self.search!r}")

    def _says(self, row: int) -> bool:
        """Whether a row, or what is folded in it, has the words that are searched for."""
        wanted, ladder = self.search.casefold(), self.ladder
        title = ladder.rows[row][0].title
        return wanted in title.casefold() or any(
            wanted in words_of(event).casefold() for event in ladder.events_at(row)
        )

    def action_back(self) -> None:
        """End the search; give room back."""
        self.search = ""
        super().action_back()


SCREEN = LadderScreen
