"""The steps of a scenario, taken by its devices: those of one node one after another, different nodes side by side.

What fails, and what was never reached or finished when the run ended, is a failure of the run. Steps by hand come from
outside at their time: `give` begins the next of them, none waits for another, and none fails a run. Times are scenario
time (`sim.scenario_time`), of steps by hand simulated time; no chance, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.errors import NearbenchError
from sim.device import node_error
from sim.redaction import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from sim.device import Device
    from sim.scenario import Step
    from sim.scenario_time import ScenarioTime
    from sim.trace import TraceEvent, TraceLog

__all__ = ["Scripts"]


class Scripts:
    """All scripts of one run."""

    def __init__(
        self,
        steps: tuple[Step, ...],
        trace: TraceLog,
        times: ScenarioTime,
        secret: Callable[[str], Any],
    ) -> None:
        self.failures: list[str] = []
        self._trace = trace
        self._times = times
        self._secret = secret
        self._waiting: dict[str, list[Step]] = {}
        self._by_hand = sorted((step for step in steps if step.by_hand), key=_at_us)
        for step in steps:
            if not step.by_hand:
                self._waiting.setdefault(step.node, []).append(step)

    @property
    def done(self) -> bool:
        """Whether every script has come to its end."""
        return not any(self._waiting.values()) and not self._by_hand

    @property
    def by_hand_us(self) -> int | None:
        """When the next step by hand is to be given; None when all have been."""
        return _at_us(self._by_hand[0]) if self._by_hand else None

    def give(
        self, devices: dict[str, Device], spawn: Callable[[str, Coroutine[Any, Any, Any]], object]
    ) -> None:
        """Begin the next step by hand, now."""
        step = self._by_hand.pop(0)
        spawn(step.node, self._given(devices[step.node], step))

    def start(
        self, devices: dict[str, Device], spawn: Callable[[str, Coroutine[Any, Any, Any]], object]
    ) -> None:
        """Let every node that has steps begin."""
        for name, device in devices.items():
            if self._waiting.get(name):
                spawn(name, self._script(device, self._waiting[name]))

    def unfinished(self) -> list[str]:
        """What the end of the run cut off, in words; steps that may fail are left out."""
        out: list[str] = []
        for node, steps in self._waiting.items():
            for place, step in enumerate(steps):
                if not step.may_fail:
                    state = "was not reached" if place else "had not finished"
                    out.append(f"{node}: {self._words(step)} {state} when the run ended")
        return out

    async def _script(self, device: Device, steps: list[Step]) -> None:
        while steps:
            step = steps[0]
            if step.at is not None:
                await self._times.reach(int(step.at))
            good = await self._step(device, step)
            steps.pop(0)
            if not good:
                steps.clear()

    async def _step(self, device: Device, step: Step) -> bool:
        event = self._begun(device, step)
        try:
            await device.do(step.do, step.set)
        except NearbenchError as exc:
            note = self._failed(device, step, exc, event)
            if not step.may_fail:
                self.failures.append(f"{device.name}: {note}")
                return False
        return True

    async def _given(self, device: Device, step: Step) -> None:
        event = self._begun(device, step)
        try:
            await device.do(step.do, step.set)
        except Exception as raised:  # noqa: BLE001  # a command by hand ends no run, whatever the device makes of it
            exc = raised
            if not isinstance(raised, NearbenchError):
                exc = node_error(device.name, device.now_us, step.do, raised)
            self._failed(device, step, exc, event)

    def _begun(self, device: Device, step: Step) -> TraceEvent:
        note = self._arguments(step)
        return self._trace.emit(device.name, "control", "step", note=note, label=step.do)

    def _failed(self, device: Device, step: Step, exc: Exception, begun: TraceEvent) -> str:
        """Tell that a step has failed; in which words."""
        note = f"{step.do}: {exc}"
        self._trace.emit(
            device.name, "control", "step_failed", note=note, cause=begun.seq, label="failed"
        )
        return note

    def _words(self, step: Step) -> str:
        arguments = self._arguments(step)
        return f"step {step.do!r}" + (f" ({arguments})" if arguments else "")

    def _arguments(self, step: Step) -> str:
        shown = masked(step.set, self._secret)
        return ", ".join(f"{key} = {value}" for key, value in shown.items())


def _at_us(step: Step) -> int:
    return int(step.at or 0)
