"""The faults of a running world: which are in force, and what each has done so far. Fed from the trace. No screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sim.fault_schedule import fault_words
from sim.faults import Fault  # msgspec reads the annotations
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.control import Control
    from sim.trace import TraceEvent

__all__ = ["FaultState", "FaultsSet"]


class FaultState(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the run."""

    fault: Fault
    in_force: bool
    words: str
    """name, node, settings."""
    deeds: str
    """since when, how often it has made a difference, and how the last time."""


class _Deeds:
    def __init__(self) -> None:
        self.since_us = -1
        self.last = ""


class FaultsSet:
    """What `fault` and `fault_acted` events say, by name and node."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Deeds] = {}

    def feed(self, events: Iterable[TraceEvent]) -> None:
        """Note since when they are set, and how they acted last."""
        for event in events:
            if event.layer != "control" or "fault" not in event.fields:
                continue
            name = str(event.fields["fault"])
            deeds = self._known.setdefault((name, event.node), _Deeds())
            if event.event == "fault_acted":
                deeds.last = clean(event.note)
            elif event.fields.get("state") == "set":
                deeds.since_us = event.t_us

    def states(self, control: Control) -> list[FaultState]:
        """The faults of the run in their order: the scenario's, then those set by hand."""
        schedule = control.world.faults
        return [self._state(fault, in_force=schedule.is_set(fault)) for fault in control.faults()]

    def _state(self, fault: Fault, *, in_force: bool) -> FaultState:
        deeds = self._known.get((fault.name, fault.node), _Deeds())
        return FaultState(
            fault=fault,
            in_force=in_force,
            words=clean(fault_words(fault)),
            deeds=_words(deeds, fault, in_force=in_force),
        )


def _words(deeds: _Deeds, fault: Fault, *, in_force: bool) -> str:
    if deeds.since_us < 0:
        return "has not begun"
    at = f"{deeds.since_us / 1e6:.3f} s"
    times = f"; {said}" if (said := fault.deeds()) else ""
    last = f", last: {deeds.last}" if deeds.last else ""
    if fault.momentary:
        return f"happened at {at}{times}{last}"
    return f"{'since' if in_force else 'over; set at'} {at}{times}{last}"
