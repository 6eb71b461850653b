"""A run as a scenario that repeats it, and as a test that says it does: what the options and people changed is written out.

What was done at the screen becomes steps by hand; a fault set there begins a microsecond later, before whatever was done
after it. Somebody who was played is `asked` in the scenario, and where people answered by themselves for a while, their
answers are steps too. The scenario's own times stand where people have put them off to. Clock commands are left out: they
change nothing in the simulated world. No clock; nothing is written here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.errors import UsageError
from sim.device import check_arguments
from sim.fault_schedule import FaultOption, fault_of
from sim.faults import FAULTS
from sim.given_commands import CLEAR_FAULT, SET_FAULT, Command, commands_of
from sim.redaction import HIDDEN, Secret, masked
from sim.scenario import FaultSpec, Scenario, Step
from sim.typed import as_declared
from sim.units import Duration
from sim.world import RunResult
from tui.export.log import MOST_LINES
from tui.export.put_off import PutOff
from tui.export.toml import moved, plain_of, scenario_toml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.scenario import NodeSpec
    from sim.trace import TraceEvent
    from sim.world import World
    from tui.export.log import RunLog

__all__ = ["Replay", "replay_of", "revealed"]

_AT_ONCE = {"timeout": "0us"}
_ANSWERS = {"pin_entered": "enter_pin", "accepted": "accept", "rejected": "reject"}


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to repeat a run, and what came of it."""

    name: str
    scenario: Scenario
    secrets: int
    """PINs and passphrases in it."""
    lost: str
    """why the run cannot be repeated; empty when it can."""
    result: RunResult
    error: str
    """what the run died of; empty when it did not."""
    ends: tuple[str, ...]
    story: tuple[str, ...]
    story_length: int

    @property
    def now_s(self) -> float:
        """How far it goes."""
        return self.scenario.duration / 1e6

    def scenario_text(self) -> str:
        """The scenario file."""
        return scenario_toml(
            self.scenario,
            (
                f"A run of {self.name} up to {self.now_s:.6f} s, with the settings, faults and seed that it had.",
                "Steps with by_hand = true were done at the screen.",
            ),
        )

    def test_text(self, scenario_file: str) -> str:
        """The pytest file that stands beside it."""
        whole = self.story_length <= MOST_LINES
        parts = [
            f'"""A run of {self.name}, seed {self.scenario.seed}, goes as it went up to {self.now_s:.6f} s."""',
            "\n".join(self._imports()),
            'pytest_plugins = ["sim.testing"]',
            f"SCENARIO = Path(__file__).with_name({_quoted(scenario_file)})",
        ]
        if not self.error:
            held = [(one.expected, one.held) for one in self.result.expectations]
            parts += [_literal("EXPECTATIONS", held), _literal("ENDS", list(self.ends))]
        about = "What people would tell of it" + (
            "." if whole else f", its first {MOST_LINES} lines."
        )
        parts.append(f'{_literal("STORY", list(self.story))}\n"""{about}"""')
        compared = "story_of({})" if whole else "story_of({})[: len(STORY)]"
        parts.append(
            "\n"
            + (
                self._dying(compared)
                if self.error
                else _LIVING.format(compared.format("run.events"))
            )
        )
        return "\n\n".join(parts) + "\n"

    def _imports(self) -> list[str]:
        if not self.error:
            return ["from pathlib import Path\n", "from sim.story import ends_of, story_of"]
        return [
            "import re", "from pathlib import Path\n", "import pytest\n", "from protocols.errors import NearbenchError",
            "from sim.story import story_of",
        ]  # fmt: skip

    def _dying(self, compared: str) -> str:
        return _DYING.format(_quoted(self.error), compared.format("world.trace"))


_LIVING = """\
def test_the_run_goes_as_it_went(nearbench):
    run = nearbench.run(str(SCENARIO))
    assert [(one.expected, one.held) for one in run.result.expectations] == EXPECTATIONS
    assert ends_of(run.events) == ENDS
    assert {} == STORY"""
_DYING = """\
def test_the_run_ends_as_it_ended(nearbench):
    world = nearbench.world(str(SCENARIO))
    with pytest.raises(NearbenchError, match=re.escape({})):
        world.run()
    assert {} == STORY"""


def _literal(name: str, value: list[Any]) -> str:
    lines = "".join(f"    {_quoted(one)},\n" for one in value)
    return f"{name} = [\n{lines}]" if value else f"{name} = []"


def _quoted(value: Any) -> str:
    """A text, or a pair with one, as Python source."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_quoted, cast('list[Any]', value)))})"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def replay_of(name: str, world: World, log: RunLog, *, error: str = "") -> Replay:
    """The run as it is now; the clock is held."""
    put_off = PutOff(world.times)
    parts = _Parts(world, log)
    parts.take()
    end_us = max(1, world.now_us, *(int(step.at or 0) for step in parts.steps))
    expected = tuple(put_off.expect(one) for one in world.scenario.expect)
    scenario = msgspec.structs.replace(
        world.scenario,
        duration=Duration(end_us),
        stop_when_done=False,
        seed=world.seed,
        node=tuple(parts.node(spec) for spec in world.scenario.node),
        fault=tuple(parts.faults),
        step=(*map(put_off.step, world.scenario.step), *parts.steps),
        expect=expected,
    )
    return Replay(
        name=name,
        scenario=moved(scenario),
        secrets=_secrets_in(scenario),
        lost=parts.lost,
        result=put_off.result(world.result(), expected),
        error=error,
        ends=tuple(log.ends),
        story=tuple(log.story),
        story_length=log.story_length,
    )


class _Parts:
    """What was done by hand, as parts of a scenario."""

    def __init__(self, world: World, log: RunLog) -> None:
        self._world = world
        self._given = list(log.given)
        handed = {event.node for event in self._given if event.event == "person"}
        self._asked = {
            name for name in handed | log.played if hasattr(world.devices[name].settings, "person")
        }
        self._auto = set(world.devices) - log.played
        self._last_fault_us = -1
        put_off = PutOff(world.times)
        self.faults = [put_off.fault(_plain_fault(spec)) for spec in world.scenario.fault]
        self.steps: list[Step] = []
        self.lost = ""

    def take(self) -> None:
        """Go through what was given, in order."""
        for event in self._given:
            if event.event == "person":
                (self._auto.add if event.fields["auto"] else self._auto.discard)(event.node)
            elif event.event in _ANSWERS:
                self._answer(event)
            else:
                for command in commands_of([event]):
                    self._command(command)

    def _command(self, command: Command) -> None:
        if command.do == SET_FAULT:
            self._last_fault_us = command.t_us
            spec = _plain_fault(fault_of(str(command.set["text"])))
            self.faults.append(
                msgspec.structs.replace(spec, from_=Duration(command.t_us + 1), until=None)
            )
        elif command.do == CLEAR_FAULT:
            self._last_fault_us = command.t_us
            at = int(command.set["number"]) - 1
            until = Duration(max(command.t_us, self.faults[at].from_) + 1)
            self.faults[at] = msgspec.structs.replace(self.faults[at], until=until)
        else:
            self._step(command.t_us, command.node, command.do, revealed(command.set))

    def _step(self, t_us: int, node: str, do: str, arguments: dict[str, Any]) -> None:
        if node not in {spec.name for spec in self._world.scenario.node}:
            self.lost = f"{node} was given a command, and is no node of the scenario"
            return
        if HIDDEN in repr(arguments):
            self.lost = f"{node} was given a PIN in a line of its console, which the trace does not keep; start with --reveal"
            return
        try:
            check_arguments(self._world.devices[node], do, arguments)
        except UsageError:
            return  # it was refused, and did nothing
        at = Duration(t_us + (t_us == self._last_fault_us))
        self.steps.append(Step(node=node, do=do, at=at, set=arguments, by_hand=True))

    def _answer(self, event: TraceEvent) -> None:
        """What somebody answered by itself, where the scenario has to ask."""
        node, t_us = event.node, event.t_us
        said = any(
            step.node == node and step.at == t_us and step.do in _ANSWERS.values()
            for step in self.steps
        )
        if node not in self._asked or node not in self._auto or said:
            return
        pin = {"pin": event.fields["pin"]} if event.event == "pin_entered" else {}
        self._step(t_us, node, _ANSWERS[event.event], revealed({**pin, **_AT_ONCE}))

    def node(self, spec: NodeSpec) -> NodeSpec:
        """A node with its settings as they were."""
        device = self._world.devices[spec.name]
        given = cast("dict[str, Any]", as_declared(spec.set, type(device).Settings))
        if spec.name in self._asked:
            given = {**given, "person": "asked"}
        return msgspec.structs.replace(PutOff(self._world.times).node(spec), set=given)


def _plain_fault(spec: FaultSpec) -> FaultSpec:
    """A fault as a scenario has it."""
    model: Any = FAULTS.get(spec.name) if isinstance(spec, FaultOption) else None
    given = spec.set if model is None else as_declared(spec.set, model.Settings)
    is_file = model is not None and spec.name.endswith(".py")  # an option's is looked up from here
    name = str(Path(spec.name).resolve()) if is_file else spec.name
    return FaultSpec(name=name, node=spec.node, set=given, from_=spec.from_, until=spec.until)


def revealed(value: Any) -> Any:
    """Arguments with PINs as they are."""
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, dict):
        return {key: revealed(one) for key, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [revealed(one) for one in cast("list[Any]", value)]
    return value


def _secrets_in(scenario: Scenario) -> int:
    found: list[str] = []
    parts: Iterable[Any] = (*scenario.node, *scenario.step, *scenario.crowd)
    for part in parts:
        masked(plain_of(part), found.append)
    return sum(1 for one in found if one)
