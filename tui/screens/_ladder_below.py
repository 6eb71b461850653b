"""What stands below the ladder: the selected rung in full, values, parties and timers; and how the last pairing failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.models.pairing_values import SMP_TIMEOUT_US, shown_value
from tui.models.rungs import words_of
from tui.screens._base import BenchScreen
from tui.text import cells, clean, cut, fit, wrap
from tui.widgets.lines import LinesPane

if TYPE_CHECKING:
    from tui.keys import Key
    from tui.models.lanes import Piece
    from tui.models.outcomes import Outcome
    from tui.models.rungs import Rung
    from tui.widgets.ladder_list import LadderList

__all__ = ["LadderBelow"]

_NAME, _BAR = 14, 10
_MOST_WAITS = 4


class LadderBelow(BenchScreen):
    """One half of the screen Ladder."""

    def __init__(self) -> None:
        super().__init__()
        self.reveal = False
        self.shows_values = False

    @property
    def ladder(self) -> LadderList:
        """The list of rungs."""
        raise NotImplementedError

    def parties(self) -> tuple[str, ...]:
        """The parties on the screen."""
        raise NotImplementedError

    def works(self, key: Key) -> bool:
        """Another try only where it is ours to begin."""
        if key.id != "ladder.retry":
            return super().works(key)
        failure = self.failure()
        return failure is None or self.bench.people.may_retry(failure)

    # How it failed

    def end(self) -> Outcome | None:
        """How the last pairing of the parties on the screen ended; None while it is on."""
        pair = set(self.parties()[:2])
        return self.session.outcomes.latest(pair, self.session.values.begun(pair))

    def failure(self) -> Outcome | None:
        """That end, when it is a failure."""
        end = self.end()
        return None if end is None or end.good else end

    def status(self) -> tuple[str, str]:
        """Of a pairing that failed: the rule, how, who ended it at which step."""
        failure = self.failure()
        if failure is None or self.bench.message[0]:
            return "", ""
        told = self.session.outcomes.told_of(failure)
        rule, _ = self._rule(failure)
        sign = self.signs["timeout" if told.kind == "timeout" else "failed"]
        text = f"{sign} {f'{rule} ' if rule else ''}{told.kind}: {told.words}"
        return f"{text}.{' r: retry' if self.bench.people.may_retry(failure) else ''}", "bad"

    def _rule(self, failure: Outcome) -> tuple[str, str]:
        """(ID, what it says and what to do) of the rule behind a failure; empty before it is found."""
        told = self.session.outcomes.told_of(failure)
        reason = self.session.inquiries.reason(failure)
        remedy = told.remedy or ("" if reason is None else reason.remedy)
        rule = told.rule or ("" if reason is None else reason.rule)
        title = "" if reason is None else f"{reason.title}. "
        return rule, f"{title}{remedy[:1].upper()}{remedy[1:]}"

    # The panes

    def show_below(self) -> None:
        """Fill the panes below the ladder."""
        rung = self.ladder.selected()
        seq = 0 if rung is None else rung.event.seq
        wide = self.has_class("-wide")
        values = self.query_one("#values", LinesPane)
        if self.shows_values:
            values.fill(
                f"Values at {seq}",
                self._values(seq),
                "V reveals" if not self.reveal else "revealed",
            )
        else:
            values.fill(
                f"Message {seq}" if rung and rung.is_message else f"Event {seq}", self._about(rung)
            )
        if wide:
            self.query_one("#timers", LinesPane).fill("Parties and timers", self._parties())

    def _about(self, rung: Rung | None) -> list[list[Piece] | str]:
        """The selected rung in full: words, phase, cause, rule; and the timers where there is no pane for them."""
        if rung is None:
            return []
        event = rung.event
        width = self.query_one("#values", LinesPane).inner_width
        lines: list[list[Piece] | str] = [*wrap(words_of(event, reveal=self.reveal), width)]
        failure = self.session.outcomes.of_event(event)
        if failure is not None:
            rule, words = self._rule(failure)
            lines += [
                [(line, "bad")]
                for line in wrap(f"{rule}: {words}" if rule else words, width)
                if words
            ]
        told = [f"at {event.t_us / 1e6:.6f} s"]
        if event.fields.get("phase"):
            told.append(f"phase {event.fields['phase']}")
        if event.rule:
            told.append(f"rule {event.rule}")
        if event.cause is not None:
            told.append(f"because of #{event.cause}")
        if event.data is not None:
            size = len(event.data)
            told.append(
                f"{size} octets, enter shows them" if size != 1 else "1 octet, enter shows it"
            )
        lines.append(", ".join(told))
        states = [f"{party}: {state}" for party, state in rung.states.items()]
        if states:
            lines.append("; ".join(states))
        if not self.has_class("-wide"):
            lines += self._timer_lines()
        return lines

    def _values(self, seq: int) -> list[list[Piece] | str]:
        lines: list[list[Piece] | str] = []
        width = self.query_one("#values", LinesPane).inner_width
        for name, values in self.session.values.at(seq, self.parties()):
            shown = [shown_value(value.value, reveal=self.reveal) for value in values]
            if (
                len(values) > 1
                and len({repr(value.value) for value in values}) == 1
                and values[0].value == values[1].value
            ):
                lines.append(_value(name, shown[0], f"both, equal {self.signs['ok']}", width))
                continue
            for value, text in zip(values, shown, strict=True):
                lines.append(_value(name, text, value.party, width))
        return lines or ["no values were exchanged in this pairing so far"]

    def _parties(self) -> list[list[Piece] | str]:
        session, lines = self.session, list[Any]()
        control = session.control
        for party in self.parties():
            state = session.rungs.states.get(party, "-")
            who = "you" if control is not None and control.is_played(party) else "auto"
            lines.append(f"{fit(party, 10)} {fit(state, 20)} person: {who}")
        lines += self._timer_lines()
        if control is not None:
            faults = control.fault_words()
            lines.append(f"faults: {'; '.join(faults)}" if faults else "faults: none")
        lines.append(f"keys and PINs: {'shown' if self.reveal else 'dots'}")
        return lines

    def _timer_lines(self) -> list[list[Piece] | str]:
        session = self.session
        lines: list[list[Piece] | str] = []
        timer = session.values.timers.get(frozenset(self.parties()[:2]))
        if timer is not None:
            left_us = timer.left_us(session.now_us)
            left = f"{left_us / 1e6:.1f} s left of {SMP_TIMEOUT_US // 1_000_000}"
            if timer.stopped_us is None:
                lines.append(f"SMP timer  {self.signs.bar(left_us / SMP_TIMEOUT_US, _BAR)}  {left}")
            else:
                lines.append(f"SMP timer stopped with {left}")
        for party, what, left_us in session.values.waits(self.parties(), session.now_us)[
            :_MOST_WAITS
        ]:
            lines.append(f"{party} set a timer: {clean(what)}, {left_us / 1e6:.1f} s to go")
        control = session.control
        for asking in () if control is None else control.questions():
            waited_s = (session.now_us - asking.asked_us) / 1e6
            lines.append(
                [
                    (
                        f"{self.signs['enters']} {asking.node} is asked for {waited_s:.1f} s: i answers",
                        "key",
                    )
                ]
            )
        return lines


def _value(name: str, text: str, party: str, width: int) -> list[Piece]:
    room = max(8, width - _NAME - cells(party) - 2)
    return [(f"{fit(name, _NAME)} ", "dim"), (fit(cut(text, room), room), ""), (f" {party}", "dim")]
