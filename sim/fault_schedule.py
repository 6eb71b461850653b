"""The faults of a run: made from the scenario and from `--fault` options, set and cleared at their times, and traced.

`[[fault]]` entries and options come to the same. A wrong one is named by file, line and key, or by the option. No
clock, no chance.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import NearbenchError, UsageError
from sim.device import convert, node_error
from sim.faults import FAULTS, Fault
from sim.given_commands import CLEAR_FAULT, SET_FAULT
from sim.scenario import FaultSpec
from sim.typed import plain, typed
from sim.units import Duration, duration_text, parse_duration_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.scenario import Scenario
    from sim.trace import TraceEvent
    from sim.world import World

__all__ = [
    "FaultOption",
    "Faults",
    "fault_of",
    "fault_words",
    "parts_of",
    "with_faults",
    "wrong_with",
]


class FaultOption(FaultSpec, frozen=True, kw_only=True):
    """A fault that was given by an option, not by the scenario."""

    option: str = ""


def with_faults(scenario: Scenario, options: list[str]) -> Scenario:
    """The scenario with the faults of `--fault` options behind its own. Raises UsageError."""
    return msgspec.structs.replace(
        scenario, fault=scenario.fault + tuple(fault_of(text) for text in options)
    )


def fault_of(text: str) -> FaultOption:
    """A fault from `NAME[:key=value,...]`; `node`, `from`, `until` are keys like the settings. Raises UsageError."""
    found = re.fullmatch(r"(.*?\.py|[^:]*)(?::(.*))?", text, re.DOTALL)
    name, rest = (found.group(1), found.group(2) or "") if found else ("", "")
    keys: dict[str, Any] = {}
    for part in parts_of(rest):
        key, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"--fault {text}: {part!r}: write NAME:key=value,key=value")
        keys[key.strip()] = typed(value.strip())
    times: dict[str, Duration] = {}
    for key in ("from", "until"):
        if key in keys:
            try:
                times[key] = parse_duration_us(plain(keys.pop(key)))
            except ValueError as exc:
                raise UsageError(f"--fault {text}: {key}: {exc}") from None
    return FaultOption(
        name=name,
        node=str(plain(keys.pop("node", ""))),
        set=keys,
        from_=times.get("from", Duration(0)),
        until=times.get("until"),
        option=text,
    )


def parts_of(text: str) -> list[str]:
    """`text` cut at the commas outside of brackets and quotes."""
    return [part for part in re.findall(r"(?:\[[^\]]*\]|\"[^\"]*\"|'[^']*'|[^,])+", text) if part]


def fault_words(fault: Fault) -> str:
    """Name, node and the settings that are not the default."""
    settings = ", ".join(f"{key} = {value}" for key, value in _changed(fault).items())
    at = f" at {fault.node}" if fault.node else ""
    return f"{fault.name}{at}{f': {settings}' if settings else ''}"


def _changed(fault: Fault) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in msgspec.structs.fields(fault.settings):
        value = getattr(fault.settings, field.name)
        if value != field.default:
            is_time = isinstance(value, Duration)
            shown = duration_text(value) if is_time else msgspec.json.encode(value)
            plain[field.name] = (
                shown if is_time else msgspec.json.decode(shown)
            )  # lists, not tuples
    return plain


class Faults:
    """All faults of one world, in the order of the scenario."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._specs = world.scenario.fault
        self._set: dict[Fault, TraceEvent] = {}
        self.all = [self.made(index, spec) for index, spec in enumerate(self._specs)]

    def begin(self) -> None:
        """Set what is due at once, and plan the rest."""
        for fault, spec in zip(self.all, self._specs, strict=True):
            if spec.from_ > 0:
                self._world.times.call_at(int(spec.from_), self.set, fault)
            else:
                self.set(fault)
            if spec.until is not None:
                self._world.times.call_at(int(spec.until), self.clear, fault)

    @property
    def happened(self) -> bool:
        """Whether every fault has been set."""
        return all(spec.from_ <= self._world.times.now_us for spec in self._specs)

    def set(self, fault: Fault, command: str = "") -> None:
        """Let it happen, now; harmless when it has. `command`: the option's text, when somebody asked for it by hand."""
        if fault in self._set:
            return
        by_hand = _by_hand(SET_FAULT, fault, command) if command else {}
        event = self._tell(fault, "set", f"{fault_words(fault)}: {fault.title()}", **by_hand)
        if not fault.momentary:
            self._set[fault] = event
        self._attempt(fault, functools.partial(fault.apply, self._world))

    def clear(self, fault: Fault, *, by_hand: bool = False) -> None:
        """Undo it, now; harmless when it is not set. `by_hand`: somebody asked for it, which the trace keeps."""
        event = self._set.pop(fault, None)
        if event is not None:
            self._attempt(fault, fault.clear)
            told = _by_hand(CLEAR_FAULT, fault, fault.name) if by_hand else {}
            self._tell(fault, "cleared", fault_words(fault), cause=event.seq, **told)

    def is_set(self, fault: Fault) -> bool:
        """Whether it goes wrong now."""
        return fault in self._set

    def _tell(
        self, fault: Fault, state: str, note: str, *, cause: int | None = None, **by_hand: Any
    ) -> TraceEvent:
        label = f"fault {state}"
        settings = _changed(fault)
        return self._world.emit(
            fault.node, "control", "fault", note=note, label=label, cause=cause,
            fault=fault.name, state=state, settings=settings, **by_hand,
        )  # fmt: skip

    def _attempt(self, fault: Fault, call: Callable[[], None]) -> None:
        try:
            call()
        except NearbenchError:
            raise
        except Exception as exc:  # a user's fault may raise anything: name it instead of our stack
            where = fault.node or "the air"
            raise node_error(where, self._world.now_us, f"fault {fault.name}", exc) from exc

    # Making them

    def made(self, index: int, spec: FaultSpec) -> Fault:
        """A fault of this world, not set yet; `index` goes into the names of its random streams. Raises UsageError."""
        fail = functools.partial(self._error, index, spec)
        model = self._model(spec, fail)
        if wrong := wrong_with(model, spec, self._world.scenario):
            raise fail(*wrong)
        try:
            settings = convert(spec.set, model.Settings, "set")
            fault = model(spec.name, spec.node, settings, self._world, index + 1)
            fault.check()
            fault.enter(self._world)
        except UsageError as exc:
            raise fail("set", str(exc)) from None
        except NearbenchError:
            raise
        except Exception as exc:  # likewise
            raise node_error(spec.node or "the air", 0, f"fault {spec.name}", exc) from exc
        return fault

    def _model(self, spec: FaultSpec, fail: Callable[[str, str], UsageError]) -> type[Fault]:
        is_ours = isinstance(spec, FaultOption) or not spec.name.endswith(".py")
        name = spec.name if is_ours else str(self._world.base / spec.name)
        try:
            model: Any = FAULTS.get(name)
        except UsageError as exc:
            raise fail("name", str(exc)) from None
        if not (isinstance(model, type) and issubclass(model, Fault)):
            raise fail("name", f"{spec.name} gives no subclass of Fault")
        if model.not_simulated:
            raise fail("name", f"{spec.name} is not simulated: {model.not_simulated}")
        return model

    def _error(self, index: int, spec: FaultSpec, key: str, message: str) -> UsageError:
        if isinstance(spec, FaultOption):
            return UsageError(f"--fault {spec.option}: {message}")
        return self._world.scenario.error_in(("fault", index, key), message)


def _by_hand(do: str, fault: Fault, text: str) -> dict[str, Any]:
    """What a trace keeps of a command, so that it can be given again."""
    return {"do": do, "text": text, "number": fault.number}


def wrong_with(model: type[Fault], spec: FaultSpec, scenario: Scenario) -> tuple[str, str] | None:
    """(key, what is wrong) with whom a fault is addressed to or when it happens; None when nothing is."""
    if wrong := _wrong_node(model, spec, scenario):
        return "node", wrong
    return _wrong_times(model, spec)


def _wrong_node(model: type[Fault], spec: FaultSpec, scenario: Scenario) -> str:
    """What is wrong with whom the fault is addressed to; empty when nothing is."""
    nodes = {one.name: one for one in scenario.node}
    known = set(nodes)
    if model.befalls == "air":
        known |= {crowd.name for crowd in scenario.crowd}
    elif not spec.node:
        return f"{spec.name} needs the node that it befalls; nodes: {', '.join(sorted(known))}"
    if spec.node and spec.node not in known:
        return f"no node is called {spec.node!r}; nodes: {', '.join(sorted(known))}"
    if model.befalls == "accessory" and not nodes[spec.node].accessory:
        return f"{spec.name} befalls accessories, and {spec.node} is a phone"
    return ""


def _wrong_times(model: type[Fault], spec: FaultSpec) -> tuple[str, str] | None:
    """(key, what is wrong with it), None when nothing is."""
    if spec.until is not None and model.momentary:
        return "until", f"{spec.name} happens at one instant; give from alone"
    if spec.until is not None and spec.until <= spec.from_:
        return "until", "must be later than from"
    if model.momentary and spec.from_ <= 0:
        return "from", f"{spec.name} happens at one instant; say when, as from = '10s'"
    return None
