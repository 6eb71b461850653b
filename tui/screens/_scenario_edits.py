"""What the screen Scenarios asks for when a parameter is edited: seed, speed, settings of a node, a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.commands.run import speed_of
from tui.models.scenarios import seed_of, settings_of_node

if TYPE_CHECKING:
    from tui.models.scenarios import Parameters
    from tui.screens.scenarios import ScenariosScreen

__all__ = ["edit"]


def edit(screen: ScenariosScreen, parameters: Parameters, kind: str, name: str) -> None:
    """Ask for the parameter of a row: (kind, name) as `ParameterRows.items` gives them."""
    if kind == "seed":
        _seed(screen, parameters)
    elif kind == "speed":
        _speed(screen, parameters)
    elif kind == "node":
        _node(screen, parameters, name)
    elif kind == "fault":
        _fault(screen, parameters, name)


def _seed(screen: ScenariosScreen, parameters: Parameters) -> None:
    def check(text: str) -> str:
        return f"seed {seed_of(text)}"

    def take(text: str) -> None:
        parameters.seed = seed_of(text)

    screen.ask("Seed", str(parameters.seed), check, take)


def _speed(screen: ScenariosScreen, parameters: Parameters) -> None:
    def check(text: str) -> str:
        speed = speed_of(text.strip(), default=1.0)
        return "as fast as possible" if speed is None else f"{speed:g} simulated seconds per second"

    def take(text: str) -> None:
        parameters.speed = text.strip()

    screen.ask("Speed of live runs: max or a factor", parameters.speed, check, take)


def _node(screen: ScenariosScreen, parameters: Parameters, name: str) -> None:
    spec = next(one for one in parameters.scenario.node if one.name == name)

    def check(text: str) -> str:
        return parameters.check_settings(name, text)

    def take(text: str) -> None:
        parameters.settings[name] = text.strip()

    screen.ask(
        f"Settings of {name} ({spec.accessory or spec.phone})",
        parameters.settings[name],
        check,
        take,
        "key=value,key=value over what the scenario says; empty leaves it as it is",
        settings_of_node(spec),
    )


def _fault(screen: ScenariosScreen, parameters: Parameters, name: str) -> None:
    fault = next(one for one in parameters.faults if one.kind.name == name)

    def take(text: str) -> None:
        fault.text, fault.chosen = text.strip(), True

    about = f"{fault.kind.title}; {fault.kind.whom()}."
    screen.ask(name, fault.text, fault.check, take, about, fault.known())
