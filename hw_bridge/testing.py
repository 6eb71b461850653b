"""pytest fixture for projects that use bleak: `pytest_plugins = ["hw_bridge.testing"]` in their conftest.py.

Rules of the file: opt-in, no entry point; nothing is left behind when the test ends. A test is a plain function that
gives the code under test to `asyncio.run`; it sees simulated time, so a test of a minute takes no minute.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

from hw_bridge.bleak_air.bench import Bench, with_computer
from sim import scenario

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from sim.device import Device
    from sim.trace import TraceEvent
    from sim.world import RunResult

__all__ = ["BleakAir", "Opener", "bleak_air"]

_T = TypeVar("_T")


class BleakAir:
    """A simulated air in which bleak works; `events` is the trace so far."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.events: list[TraceEvent] = []
        bench.world.trace.add_sink(self.events.append)

    def run(self, main: Coroutine[Any, Any, _T]) -> _T:
        """`asyncio.run`, in simulated time; what happened before and between two of them stays."""
        return asyncio.run(main)

    def device(self, name: str) -> Device:
        """The simulated device of that name, for a look at its state."""
        return self.bench.world.devices[name]

    def of(self, event: str, node: str = "") -> list[TraceEvent]:
        """Events of that name (and node), in order."""
        return [one for one in self.events if one.event == event and node in ("", one.node)]

    @property
    def now_s(self) -> float:
        """Simulated time."""
        return self.bench.world.now_us / 1e6

    def pass_time(self, seconds: float) -> None:
        """Let the world go on without a program."""
        self.bench.drive.run(self.bench.world.now_us + round(seconds * 1e6))

    def finish(self) -> RunResult:
        """Run the scenario's remaining steps; the verdict on its expectations."""
        return self.bench.finish()


class Opener(Protocol):
    """What the fixture gives."""

    def __call__(
        self,
        source: str | Path,
        *,
        os: str | None = None,
        seed: int | None = None,
        settings: dict[str, Any] | None = None,
        limit_s: float | None = None,
    ) -> BleakAir:
        """Open the air of a scenario, by name, path or as its TOML text; `settings` is "node.key" -> value."""
        ...


def _load(source: str | Path) -> scenario.Scenario:
    if isinstance(source, str) and "\n" in source:
        return scenario.parse(source, file="scenario in a test", base=Path.cwd())
    return scenario.load(str(source))


@pytest.fixture
def bleak_air() -> Generator[Opener]:
    """Open simulated airs for bleak; each is closed at the end of the test."""
    with contextlib.ExitStack() as stack:

        def opener(
            source: str | Path,
            *,
            os: str | None = None,
            seed: int | None = None,
            settings: dict[str, Any] | None = None,
            limit_s: float | None = 3600.0,
        ) -> BleakAir:
            given = {} if os is None else {"os": os}
            chosen = with_computer(_load(source), settings=given)
            chosen = scenario.with_settings(chosen, settings or {})
            limit_us = None if limit_s is None else round(limit_s * 1e6)
            bench = Bench(chosen, seed=seed, limit_us=limit_us)
            stack.callback(bench.close)
            air = BleakAir(bench)
            stack.enter_context(bench.open())
            return air

        yield opener
