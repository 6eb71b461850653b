"""For other people's tests: `pytest_plugins = ["sim.testing"]` gives the fixture `nearbench`.

Nothing here is loaded by itself (no entry point), and nothing needs a radio, a phone or waiting: everything
runs in simulated time. Needs pytest, which nearbench itself does not install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sim import scenario as scenarios
from sim.trace import TraceEvent  # msgspec reads it
from sim.world import RunResult, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.elements import Element
    from protocols.wifi_aware.frames import Frame

__all__ = [
    "Bench",
    "HeardAdvert",
    "Run",
    "nearbench",
    "wifi_aware_attributes",
    "wifi_aware_elements",
    "wifi_aware_frames",
]


class HeardAdvert(msgspec.Struct, frozen=True):
    """One advertisement as a phone beside the accessory hears it."""

    t_us: int
    """simulated time."""
    address: str
    rssi_dbm: int
    connectable: bool
    scan_response: bool
    """True when `data` is the answer to a scan request."""
    data: bytes
    """the AD structures."""


class Run(msgspec.Struct, frozen=True):
    """A finished run."""

    result: RunResult
    events: tuple[TraceEvent, ...]

    def of(self, event: str, node: str = "") -> list[TraceEvent]:
        """Events of that name (of one node), in order."""
        return [e for e in self.events if e.event == event and node in ("", e.node)]


class Bench:
    """What the fixture gives. Everything it opens is closed at the end of the test."""

    def __init__(self) -> None:
        self._worlds: list[World] = []

    def world(
        self, scenario: str, *, seed: int | None = None, settings: dict[str, Any] | None = None
    ) -> World:
        """A world that has not run yet: `scenario` is a name, a path, or TOML text (it has line breaks)."""
        parse = scenarios.parse if "\n" in scenario else scenarios.load
        world = World(scenarios.with_settings(parse(scenario), settings or {}), seed=seed)
        self._worlds.append(world)
        return world

    def run(
        self, scenario: str, *, seed: int | None = None, settings: dict[str, Any] | None = None
    ) -> Run:
        """Run a scenario to its end. `settings` are "node.key" -> value."""
        world = self.world(scenario, seed=seed, settings=settings)
        result = world.run()
        return Run(result, tuple(world.trace))

    def adverts(
        self,
        accessory: str,
        settings: dict[str, Any] | None = None,
        *,
        duration: str = "10s",
        active: bool = True,
    ) -> list[HeardAdvert]:
        """What a phone one metre away hears from `accessory` (a name, or the path of your own file)."""
        text = _LISTENING.format(
            accessory=_quoted(accessory), duration=duration, active=str(active).lower()
        )
        named = {f"accessory.{key}": value for key, value in (settings or {}).items()}
        return [_heard(event) for event in self.run(text, settings=named).of("heard", "phone")]

    def close(self) -> None:
        """Close every world."""
        for world in self._worlds:
            world.close()


_LISTENING = """
title = "a phone listens to one accessory"
duration = "{duration}"
[[node]]
name = "accessory"
accessory = {accessory}
at = [1.0, 0.0]
[[node]]
name = "phone"
phone = "generic"
[[step]]
node = "phone"
do = "scan"
set = {{ active = {active} }}
"""


def _quoted(text: str) -> str:
    return (
        "'" + text + "'"
        if "'" not in text
        else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _heard(event: TraceEvent) -> HeardAdvert:
    fields = event.fields
    return HeardAdvert(
        t_us=event.t_us,
        address=str(fields["address"]),
        rssi_dbm=int(fields["rssi_dbm"]),
        connectable=bool(fields["connectable"]),
        scan_response=bool(fields["scan_response"]),
        data=event.data or b"",
    )


def wifi_aware_frames() -> SearchStrategy[Frame]:
    """Hypothesis strategy of valid Wi-Fi Aware frames (`protocols.wifi_aware.frames`). Needs hypothesis."""
    from protocols.wifi_aware import strategies  # when used: hypothesis is in the test extra

    return strategies.frames()


def wifi_aware_attributes(name: str | None = None) -> SearchStrategy[Attr]:
    """Hypothesis strategy of valid NAN attributes, of any or of that name. Needs hypothesis. Raises UnknownNameError."""
    from protocols.wifi_aware import strategies  # as above

    return strategies.attributes(name)


def wifi_aware_elements(name: str | None = None) -> SearchStrategy[Element]:
    """Hypothesis strategy of valid 802.11 elements, of any or of that name. Needs hypothesis. Raises UnknownNameError."""
    from protocols.wifi_aware import strategies  # as above

    return strategies.elements(name)


@pytest.fixture
def nearbench() -> Iterator[Bench]:
    """Simulated accessories and phones for one test."""
    bench = Bench()
    yield bench
    bench.close()
