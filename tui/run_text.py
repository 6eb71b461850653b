"""What is said of a run as text around its ladder: the heading above, verdict and figures below. No terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.fault_schedule import fault_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sim.world import RunResult, World

__all__ = ["heading", "verdict"]


def heading(world: World) -> Iterator[str]:
    """Title, seed and what goes wrong."""
    yield f"{world.scenario.title} (seed {world.seed})"
    for fault in world.faults.all:
        yield f"fault: {fault_words(fault)}"


def verdict(
    world: World, result: RunResult, written: Mapping[str, int] | None = None
) -> Iterator[str]:
    """Expectations, failures, what faults did; `written`: packets by capture file."""
    for outcome in result.expectations:
        yield f"{'ok  ' if outcome.held else 'FAIL'}  {outcome.expected}: {outcome.seen} seen"
        if outcome.why:
            yield f"      {outcome.why}"
    for failure in result.failures:
        yield f"FAIL  {failure}"
    for fault in world.faults.all:
        if said := fault.deeds():
            yield f"fault: {fault_words(fault)}: {said}"
    for file, packets in (written or {}).items():
        yield f"wrote {file}: {packets} packets"
    air = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in result.air.items())
    yield f"{result.simulated_us / 1e6:g} s simulated, {result.events} events; air: {air or 'silent'}"
    yield "PASSED" if result.passed else "FAILED"
