"""The times of a scenario as they came in a run whose people took longer than it was written for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sim.expect import Watch
from sim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.scenario import Expect, FaultSpec, NodeSpec, Step
    from sim.scenario_time import ScenarioTime
    from sim.world import RunResult

__all__ = ["PutOff"]


class PutOff:
    """Parts of a scenario with their times in simulated time."""

    def __init__(self, times: ScenarioTime) -> None:
        self._times = times

    def _begin(self, t_us: int) -> Duration:
        return Duration(self._times.simulated_us(t_us))

    def _end(self, t_us: int) -> Duration:
        return Duration(self._times.simulated_us(t_us, last=True))

    def step(self, step: Step) -> Step:
        """A step; by hand it was at its time."""
        if step.at is None or step.by_hand:
            return step
        return msgspec.structs.replace(step, at=self._begin(step.at))

    def node(self, spec: NodeSpec) -> NodeSpec:
        """When it is switched on."""
        return spec if spec.power is None else msgspec.structs.replace(spec, power=self._begin(spec.power))  # fmt: skip

    def fault(self, spec: FaultSpec) -> FaultSpec:
        """From when until when."""
        until = None if spec.until is None else self._begin(spec.until)
        return msgspec.structs.replace(spec, from_=self._begin(spec.from_), until=until)

    def expect(self, expect: Expect) -> Expect:
        """Its window."""
        before = None if expect.before is None else self._end(expect.before)
        return msgspec.structs.replace(expect, after=self._begin(expect.after), before=before)

    def result(self, result: RunResult, expected: Sequence[Expect]) -> RunResult:
        """The verdict, in the words of these expectations."""
        outcomes = tuple(
            msgspec.structs.replace(outcome, expected=Watch(expect).words())
            for outcome, expect in zip(result.expectations, expected, strict=True)
        )
        return msgspec.structs.replace(result, expectations=outcomes)
