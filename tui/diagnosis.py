"""The rule behind a failed pairing: that of the event, else what `sim.explain` finds in the trace. Takes up to a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.errors import NearbenchError
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sim.control import Control
    from sim.explain import Finding
    from sim.trace import TraceEvent
    from tui.models.outcomes import Outcome

__all__ = ["Inquiries", "Reason", "reason_of"]

_EXCHANGE = "NB-"
"""Rules about what is visible of an exchange, whatever the phone."""
_BEGINS = ("pairing_request", "bootstrap_request")
_MOST_EVENTS = 20_000
_RANKS = {"error": 0, "warning": 1, "note": 2}
_MOST_LOOKS = 10
_LOOK_EVERY_US = 200_000
"""Simulated time after which a rule is looked for again: the other side may have heard of the end by then."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says."""

    rule: str
    title: str
    remedy: str
    source: str


class Inquiries:
    """The rules behind the failures of a run: looked for on a thread, now and then, until they are found."""

    def __init__(self) -> None:
        self._found: dict[int, Reason] = {}
        self._looks: dict[int, tuple[int, int]] = {}  # seq -> (looks so far, time of the next one)
        self._looking = False

    def reason(self, outcome: Outcome) -> Reason | None:
        """The rule of an outcome, as far as it is known."""
        return self._found.get(outcome.seq)

    def look(
        self,
        control: Control,
        outcome: Outcome,
        told: Outcome,
        work: Callable[[Callable[[], None]], object],
    ) -> None:
        """Look for the rule when it is time to; `told` is the outcome as both sides tell it by now.

        `work` has a function called on a thread; one inquiry at a time.
        """
        seq = outcome.seq
        looks, next_us = self._looks.get(seq, (0, 0))
        if self._looking or seq in self._found or looks >= _MOST_LOOKS or control.now_us < next_us:
            return
        self._looking = True
        self._looks[seq] = looks + 1, control.now_us + _LOOK_EVERY_US
        trace, found = control.world.trace, self._found

        def inquire() -> None:
            try:
                reason = reason_of(list(trace), told)
                if reason is not None:
                    found[seq] = reason
            finally:
                self._looking = False

        work(inquire)


def reason_of(events: Sequence[TraceEvent], outcome: Outcome) -> Reason | None:
    """The rule that explains an outcome; None when none does (yet: the other side may still have to hear of it)."""
    from sim.explain import explain, rule_of  # loads a hundred rules: on failures only
    from sim.explain.model import confidence_in_words
    from sim.explain.reading import scene_of_events

    if outcome.rule:
        try:
            rule = rule_of(outcome.rule)
        except NearbenchError:
            return None
        return _reason(
            rule.id,
            rule.title,
            rule.remedy,
            f"{rule.source}; {confidence_in_words(rule.confidence)}",
        )
    begun = _begin(events, outcome)
    concerned = [
        one
        for one in explain(scene_of_events(events[-_MOST_EVENTS:]))
        if (one.rule.startswith(_EXCHANGE) or one.severity == "error")
        and any(begun <= frame <= outcome.seq for frame in one.frames)
    ]
    if not concerned:
        return _without_rule(outcome)
    best = min(concerned, key=_order)
    return _reason(
        best.rule, best.title, best.remedy, f"{best.source}; {confidence_in_words(best.confidence)}"
    )


def _without_rule(outcome: Outcome) -> Reason | None:
    """What to do about an end that breaks no rule: somebody refused, and the other side is told nothing."""
    if outcome.kind != "cancelled" or outcome.code is not None:
        return None
    remedy = f"Pair again and type the PIN; {outcome.peer} is told nothing, and waits until its time is over"
    return _reason("", "", remedy, "")


def _order(finding: Finding) -> tuple[bool, int]:
    return not finding.rule.startswith(_EXCHANGE), _RANKS[finding.severity]


def _begin(events: Sequence[TraceEvent], outcome: Outcome) -> int:
    """`seq` of the message with which the pairing began."""
    parties = {outcome.node, outcome.peer}
    found = (
        event.seq
        for event in reversed(events)
        if event.seq < outcome.seq
        and event.event in _BEGINS
        and event.direction == "tx"
        and {event.node, event.peer} == parties
    )
    return next(found, 0)


def _reason(rule: str, title: str, remedy: str, source: str) -> Reason:
    return Reason(rule=rule, title=clean(title), remedy=clean(remedy), source=clean(source))
