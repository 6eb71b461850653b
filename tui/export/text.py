"""The ladder of a run as text: what `nearbench run` prints of it, as far as its events are kept. No terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.ladder import drawing
from tui.run_text import heading, verdict

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
    yield from heading(world)
    if gone:
        yield f"the first {gone} events are gone"
    yield ladder.header()
    for event in events:
        yield from ladder.draw(event)
    yield from ladder.summary()
    yield from verdict(world, result)
