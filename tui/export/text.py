"""The ladder of a run as text: what `nearbench run` prints of it, as far as its events are kept. No terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.fault_schedule import fault_words
from sim.ladder import drawing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sim.trace import TraceEvent
    from sim.world import RunResult, World

__all__ = ["ladder_lines"]


def ladder_lines(
    world: World, events: Iterable[TraceEvent], result: RunResult, *, gone: int = 0
) -> Iterator[str]:
    """Heading, messages and verdict; `gone`: events at the beginning that are not kept."""
    ladder = drawing(world.parties())
    yield f"{world.scenario.title} (seed {world.seed})"
    for fault in world.faults.all:
        yield f"fault: {fault_words(fault)}"
    if gone:
        yield f"the first {gone} events are gone"
    yield ladder.header()
    for event in events:
        yield from ladder.draw(event)
    yield from ladder.summary()
    for outcome in result.expectations:
        yield f"{'ok  ' if outcome.held else 'FAIL'}  {outcome.expected}: {outcome.seen} seen"
        if outcome.why:
            yield f"      {outcome.why}"
    for failure in result.failures:
        yield f"FAIL  {failure}"
    air = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in result.air.items())
    yield f"{result.simulated_us / 1e6:g} s simulated, {result.events} events; air: {air or 'silent'}"
    yield "PASSED" if result.passed else "FAILED"
