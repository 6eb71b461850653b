"""A device of the world on a real controller: the scenario with that one device in it, made from a few words.

Rules of the file: what is made is a scenario like any other; names are checked where the user wrote them. A phone that
is told nothing listens; one that is told a peer finds it, connects, and reads its table.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, Final

import msgspec

from protocols.ble.payloads import FORMATS
from protocols.errors import UnknownNameError, UsageError
from sim.accessories import ACCESSORIES
from sim.phones import PHONES
from sim.scenario import NodeSpec, Scenario, Step
from sim.typed import as_declared, typed
from sim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sim.device import Device

__all__ = [
    "AttachPlan",
    "needs_bluetooth",
    "plan_accessory",
    "plan_observer",
    "plan_phone",
    "step_of",
]

_LONGEST: Final = Duration(31_536_000_000_000)
_WAIT: Final = "30s"
_AGAIN: Final = "allow_duplicates"
"""So that a peer that was shown before it is waited for is shown again."""

_HIDDEN: Final = {"IB-04": False, "AB-09": False}
"""Rules about Flags, which no system shows."""


class AttachPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be attached."""

    node: str
    scenario: Scenario
    ends: bool
    """Whether it is over when the steps are."""


def _scenario(
    node: NodeSpec, title: str, steps: Sequence[Step], formats: Sequence[str]
) -> Scenario:
    for each in formats:
        try:
            FORMATS.get(each)
        except UsageError as exc:
            raise UsageError(f"--format {each}: {exc}") from None
    return Scenario(
        title=title,
        duration=_LONGEST,
        node=(node,),
        step=tuple(steps),
        formats=tuple(formats),
        stop_when_done=False,
        file="bridge attach",
    )


def needs_bluetooth(node: str, radios: Collection[str]) -> None:
    """A Bluetooth controller is for devices that have Bluetooth. Raises UsageError."""
    if "ble" not in radios:
        raise UsageError(
            f"{node} has no Bluetooth; attach it to a Wi-Fi radio: monitor:INTERFACE or frames:MONIKER"
        )


def plan_accessory(
    accessory: str, settings: dict[str, Any], *, commands: Sequence[str] = (), name: str = ""
) -> AttachPlan:
    """An accessory by name or path of its file. Raises UsageError, UnknownNameError."""
    node, model = name or _stem(accessory), ACCESSORIES.get(accessory)
    needs_bluetooth(node, model.radios)
    spec = NodeSpec(name=node, accessory=accessory, set=settings)
    steps = [step_of(node, text, model) for text in commands]
    title = f"{node} on a real controller"
    return AttachPlan(node=node, scenario=_scenario(spec, title, steps, ()), ends=False)


def plan_phone(
    phone: str,
    settings: dict[str, Any],
    *,
    peer: str = "",
    pair: bool = False,
    commands: Sequence[str] = (),
    name: str = "",
    formats: Sequence[str] = (),
    on_system: bool = False,
) -> AttachPlan:
    """A phone by name or path of its file. Raises UsageError, UnknownNameError.

    `peer` is an address or a local name; with one, the commands are carried out while it is connected. `on_system`: its
    radio is the operating system's, and rules about what that hides are switched off.
    """
    node, model = name or _stem(phone), PHONES.get(phone)
    needs_bluetooth(node, model.radios)
    steps = [step_of(node, text, model) for text in commands]
    if peer:
        steps = _visit(node, model, peer, steps, pair=pair)
    if on_system and "rules" in model.Settings.__struct_fields__:
        settings = {**settings, "rules": _HIDDEN | settings.get("rules", {})}
    spec = NodeSpec(name=node, phone=phone, set=settings)
    listen = _listen(node) if "scan" in model.commands() else []
    scenario = _scenario(spec, f"{node} on a real controller", steps or listen, formats)
    return AttachPlan(node=node, scenario=scenario, ends=bool(steps))


def plan_observer(
    *, active: bool = True, name: str = "", formats: Sequence[str] = ()
) -> AttachPlan:
    """A neutral phone that only listens."""
    node = name or "observer"
    spec = NodeSpec(name=node, phone="generic")
    steps = _listen(node) if active else [Step(node=node, do="scan", set={"active": False})]
    scenario = _scenario(spec, "what is on the air", steps, formats)
    return AttachPlan(node=node, scenario=scenario, ends=False)


def _listen(node: str) -> list[Step]:
    return [Step(node=node, do="scan")]


def _visit(
    node: str, model: type[Device], peer: str, steps: Sequence[Step], *, pair: bool
) -> list[Step]:
    """Find a device, connect, pair where that is wanted, read its table, take `steps`, go.

    A phone that has apps looks as its app does: it connects to what the app was shown.
    """
    known = model.commands()
    if "connect" not in known:
        raise UsageError(
            f"{node} visits nobody by itself, a program does (`nearbench bleak`); try --phone generic"
        )
    scan = "app_scan" if "app_scan" in known else "scan"
    wait = "wait_discovered" if "wait_discovered" in known else "wait_for"
    again = {_AGAIN: True} if _AGAIN in known[scan].parameters else {}
    return [
        Step(node=node, do=scan, set=again),
        Step(node=node, do=wait, set={"what": peer, "timeout": _WAIT}),
        Step(node=node, do="stop_scan"),
        Step(node=node, do="connect", set={"to": peer}),
        *([Step(node=node, do="pair")] if pair else []),
        Step(node=node, do="discover"),
        *steps,
        Step(node=node, do="disconnect"),
    ]


def step_of(node: str, text: str, model: type[Device]) -> Step:
    """A command as users write it: `write uuid=2a00 hex=41`. Raises UsageError."""
    name, *words = text.split() or [""]
    if not name:
        raise UsageError("--do: a command has a name, as in --do scan")
    try:
        _check_words(name, words, model)
    except UsageError as exc:
        raise UsageError(f"--do {text!r}: {exc}") from None
    hints = typing.get_type_hints(getattr(model, name, None) or model)
    arguments: dict[str, Any] = {}
    for word in words:
        key, _, value = word.partition("=")
        arguments[key] = as_declared(typed(value), hints.get(key, hints.get(f"{key}_", Any)))
    return Step(node=node, do=name, set=arguments)


def _check_words(name: str, words: Sequence[str], model: type[Device]) -> None:
    """Whether there is such a command with such arguments. Raises UsageError."""
    known = model.commands()
    if name not in known:
        raise UnknownNameError("command", name, known)
    for word in words:
        key, equals, _ = word.partition("=")
        if not equals or not key:
            raise UsageError("write arguments as key=value")
        if key not in known[name].parameters:
            raise UnknownNameError("argument", key, known[name].parameters)


def _stem(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
