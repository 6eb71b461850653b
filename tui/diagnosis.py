"""The rule behind a failed pairing: that of the event, else what `sim.explain` finds in the trace. Takes up to a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.errors import NearbenchError
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.explain import Finding
    from sim.trace import TraceEvent
    from tui.models.outcomes import Outcome

__all__ = ["Reason", "reason_of"]

_EXCHANGE = "NB-"
"""Rules about what is visible of an exchange, whatever the phone."""
_MOST_EVENTS = 20_000
_RANKS = {"error": 0, "warning": 1, "note": 2}


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says."""

    rule: str
    title: str
    remedy: str
    source: str


def reason_of(events: Sequence[TraceEvent], outcome: Outcome) -> Reason | None:
    """The rule that explains an outcome; None when none does (yet: the other side may still have to hear of it)."""
    from sim.explain import explain, rule_of  # loads a hundred rules: on failures only
    from sim.explain.reading import scene_of_events

    if outcome.rule:
        try:
            rule = rule_of(outcome.rule)
        except NearbenchError:
            return None
        return _reason(rule.id, rule.title, rule.remedy, f"{rule.source}; {rule.confidence}")
    begun = _begin(events, outcome)
    concerned = [
        one
        for one in explain(scene_of_events(events[-_MOST_EVENTS:]))
        if any(begun <= frame <= outcome.seq for frame in one.frames)
    ]
    if not concerned:
        return None
    best = min(concerned, key=_order)
    return _reason(best.rule, best.title, best.remedy, f"{best.source}; {best.confidence}")


def _order(finding: Finding) -> tuple[bool, int]:
    return not finding.rule.startswith(_EXCHANGE), _RANKS[finding.severity]


def _begin(events: Sequence[TraceEvent], outcome: Outcome) -> int:
    """`seq` of the message with which the pairing began."""
    parties = {outcome.node, outcome.peer}
    found = (
        event.seq
        for event in reversed(events)
        if event.seq < outcome.seq
        and event.event == "pairing_request"
        and {event.node, event.peer} == parties
    )
    return next(found, 0)


def _reason(rule: str, title: str, remedy: str, source: str) -> Reason:
    return Reason(rule=rule, title=clean(title), remedy=clean(remedy), source=clean(source))
