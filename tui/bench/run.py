"""A run of the terminal interface on a real dongle: a device of the world on it, in real time, in the same trace.

Rules of the file: the world is that of `nearbench bridge attach`; its people are asked by the modals. However the run
ends, the dongle is left as after a Reset, within the time that a session takes for that.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from hw_bridge.attach import plan_accessory, plan_observer, plan_phone
from hw_bridge.bench_world import BenchWorld
from protocols.errors import UsageError
from sim import scenario as scenarios
from tui.bench.links import BridgeLink
from tui.bench.role import BOTH
from tui.models.rungs import Rungs

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from hw_bridge.attach import AttachPlan
    from sim.trace import TraceEvent
    from tui.bench.role import Role
    from tui.session import Request, Session

__all__ = ["ScreenBenchWorld", "bench_request", "open_bench"]

_CLOSE_S: Final = 4.0
_BEAT_US: Final = 100_000
_PARTIES: Final = 6
"""On the ladder; more strangers than that are in Packets alone."""


class ScreenBenchWorld(BenchWorld):
    """A bench that gives its dongles back by itself, however its session ends."""

    @contextlib.contextmanager
    def session(self) -> Generator[None]:
        """As in any world."""
        with super().session():
            self._beat()
            try:
                yield
            finally:
                self._give_back()

    def _beat(self) -> None:
        """The clock goes on while nothing happens: it is that on the wall."""
        self.after_us(_BEAT_US, self._beat)

    def _give_back(self) -> None:
        self.loop.resume()
        self.loop.speed = 1.0
        # a device that is switched off in mid-action may raise
        with contextlib.suppress(Exception):
            self.loop.run_until_complete(asyncio.wait_for(self.close_dongles(), _CLOSE_S))


def bench_request(moniker: str, role: Role, like: Request) -> Request:
    """What to open for a role on a dongle; whether secrets are shown as in `like`."""
    from tui.session import Request

    return Request(what=role.words, moniker=moniker, role=role, reveal=like.reveal, play=BOTH)


def _plan_of(role: Role) -> AttachPlan:
    if role.kind == "observe":
        return plan_observer()
    if role.kind == "accessory":
        return plan_accessory(role.name, role.settings)
    return plan_phone(role.name, role.settings, peer=role.peer, pair=role.pair)


def open_bench(request: Request) -> Session:
    """A session on a dongle that has not started yet. Raises UsageError and its kin, BridgeError."""
    from tui.session import session_on

    role = request.role
    if role is None:
        raise UsageError(f"{request.moniker}: say what is to be on it")
    if request.faults:
        raise UsageError("--fault: faults are of the simulated air; a real one has its own")
    plan = _plan_of(role)
    scenario = scenarios.with_settings(plan.scenario, request.settings)
    link = BridgeLink(request.moniker, use="run")
    link.role = f"{role.words}, in real time"
    world = ScreenBenchWorld(scenario, seed=request.seed, reveal=request.reveal)
    world.use_dongle(plan.node, link.session)
    session = session_on(request, world, f"{role.words} on {request.moniker}")
    session.rungs = _MeetingRungs(session.rungs.parties)
    session.bridge, link.loop = link, world.loop
    return session


class _MeetingRungs(Rungs):
    """Whoever talks with the device becomes a party: nobody knows beforehand who will come."""

    def feed(self, events: Iterable[TraceEvent]) -> None:
        """Take in events of the trace."""
        taken = list(events)
        for event in taken:
            is_new = event.layer == "ble" and event.direction and event.peer not in self.parties
            if is_new and event.peer and len(self.parties) < _PARTIES:
                self.parties.append(event.peer)
        super().feed(taken)
