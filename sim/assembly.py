"""Devices made from a scenario, and everything checked that can be before time begins.

An error names file, line and key. Reads the users' files that the scenario names; no clock, no chance.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, cast

from protocols.ble.payloads import FORMATS
from protocols.errors import NearbenchError, ScenarioError, UsageError
from sim.accessories import ACCESSORIES, Accessory
from sim.device import check_arguments, convert, node_error
from sim.phones import PHONES, Phone
from sim.setting_errors import wrong_setting

if TYPE_CHECKING:
    from pathlib import Path

    from protocols.format import Format
    from sim.device import Device
    from sim.scenario import NodeSpec, Scenario
    from sim.world import World

__all__ = ["build_devices", "check_scripts", "load_formats"]

_ADDRESS = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?: \w+)?", re.IGNORECASE)
_OPERATORS = ("min", "max", "contains", "not")


def build_devices(world: World) -> dict[str, Device]:
    """The devices of the world's scenario, by name. Raises ScenarioError, NodeError."""
    return {
        spec.name: _device(world, index, spec) for index, spec in enumerate(world.scenario.node)
    }


def _device(world: World, index: int, spec: NodeSpec) -> Device:
    model = _model(world, index, spec)
    try:
        device: Device = model(spec.name, convert(spec.set, model.Settings, "set"), world)
    except ScenarioError:
        raise
    except UsageError as exc:
        raise wrong_setting(world.scenario, index, str(exc)) from None
    except NearbenchError as exc:
        raise wrong_setting(world.scenario, index, str(exc)) from exc
    except Exception as exc:  # a user's __init__ may raise anything
        raise node_error(spec.name, 0, "setting it up", exc) from exc
    return device


def load_formats(scenario: Scenario, base: Path) -> tuple[Format, ...]:
    """The scenario's own formats. Raises ScenarioError."""
    out: list[Format] = []
    for index, name in enumerate(scenario.formats):
        try:
            out.append(FORMATS.get(str(base / name)))
        except UsageError as exc:
            raise scenario.error(("formats", index), str(exc)) from None
    return tuple(out)


def _model(world: World, index: int, spec: NodeSpec) -> Any:
    kind = "accessory" if spec.accessory else "phone"
    wanted = spec.accessory or spec.phone
    folder: Any = ACCESSORIES if spec.accessory else PHONES
    name = str(world.base / wanted) if wanted.endswith(".py") else wanted
    try:
        model = folder.get(name)
    except UsageError as exc:
        raise world.scenario.error(("node", index, kind), str(exc)) from None
    base = Accessory if spec.accessory else Phone
    if not (isinstance(model, type) and issubclass(model, base)):
        raise world.scenario.error(
            ("node", index, kind), f"{wanted} gives no subclass of {base.__name__}"
        )
    return model


def check_scripts(scenario: Scenario, devices: dict[str, Device]) -> None:
    """Steps and expectations against the devices they speak of. Raises ScenarioError."""
    for index, step in enumerate(scenario.step):
        try:
            check_arguments(devices[step.node], step.do, step.set)
        except UsageError as exc:
            raise scenario.error(("step", index, "do"), str(exc)) from None
    known = {*devices, *(crowd.name for crowd in scenario.crowd)}
    for index, expect in enumerate(scenario.expect):
        if expect.peer and expect.peer not in known and not _ADDRESS.fullmatch(expect.peer):
            message = f"no node is called {expect.peer!r}, and it is no address; nodes: {', '.join(sorted(known))}"
            raise scenario.error(("expect", index, "peer"), message)
        if expect.rule:
            _check_rule(scenario, index, expect.rule)
        for name, wanted in expect.where.items():
            if wrong := _wrong_operator(wanted):
                raise scenario.error(("expect", index, "where", name), wrong)


def _check_rule(scenario: Scenario, index: int, name: str) -> None:
    from sim.explain import rule_of  # only scenarios that speak of rules load them

    try:
        rule_of(name)
    except UsageError as exc:
        raise scenario.error(("expect", index, "rule"), str(exc)) from None


def _wrong_operator(wanted: Any) -> str:
    """What is wrong with a comparison; empty when nothing is. Tables that hold no comparison are compared whole."""
    if not isinstance(wanted, dict):
        return ""
    words = [str(key) for key in cast("dict[str, Any]", wanted)]
    strangers = [word for word in words if word not in _OPERATORS]
    meant = any(difflib.get_close_matches(word, _OPERATORS, cutoff=0.6) for word in strangers)
    if strangers and (meant or len(strangers) < len(words)):
        return f"{strangers[0]!r} is no comparison; known: {', '.join(_OPERATORS)}"
    return ""
