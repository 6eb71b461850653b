"""A run in short lines: what people would tell of it, and how its pairings ended. Two runs are alike when these are.

Rules of the file: no times and no octets, so that a line stays true when an implementation gets faster; layers `air`,
`hci`, `control` and `world`, what repeats itself and what is for machines are left out. Pure.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sim.trace import TraceEvent

__all__ = ["end_line", "ends_of", "is_end", "story_line", "story_of"]

_LAYERS = frozenset(("ble", "aware", "phone", "accessory"))
_ENDS = frozenset(("paired", "not_paired", "aware_paired", "pairing_result"))
_ARROWS = {"tx": ">", "rx": "<"}


def story_line(event: TraceEvent) -> str:
    """ "phone > lock pairing_request"; empty for what is not for people."""
    fields = event.fields
    if event.layer not in _LAYERS or fields.get("often") or fields.get("quiet"):
        return ""
    arrow = _ARROWS.get(event.direction, "-")
    ends = f"{event.node} {arrow} {event.peer}" if event.peer else event.node
    return f"{ends} {event.event}"


def end_line(event: TraceEvent) -> str:
    """ "lock not_paired phone, reason 4"; empty for what is no end of a pairing."""
    is_end = event.event in _ENDS or (event.event == "pairing_failed" and event.layer == "phone")
    if not is_end or event.layer not in _LAYERS:
        return ""
    facts = {
        "reason": event.fields.get("reason"),
        "status": event.fields.get("status"),
        "side": event.fields.get("side"),
        "rule": event.rule or None,
    }
    told = "".join(f", {name} {value}" for name, value in facts.items() if value is not None)
    return f"{event.node} {event.event} {event.peer}{told}"


def is_end(event: TraceEvent) -> bool:
    """Whether the run ends with it: what follows are devices that are switched off in mid-action."""
    return event.layer == "world" and event.event == "end"


def story_of(events: Iterable[TraceEvent]) -> list[str]:
    """The lines of a run, in order."""
    return [line for event in _until_end(events) if (line := story_line(event))]


def ends_of(events: Iterable[TraceEvent]) -> list[str]:
    """How its pairings ended, in order, as each side tells it."""
    return [line for event in _until_end(events) if (line := end_line(event))]


def _until_end(events: Iterable[TraceEvent]) -> Iterator[TraceEvent]:
    return itertools.takewhile(lambda event: not is_end(event), events)
