"""Parameters of the selected scenario, as the screen Scenarios has them edited: seed, speed, settings of a node, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.errors import UsageError
from tui.commands.run import speed_of
from tui.models.scenarios import seed_of, settings_of_node
from tui.screens._scenario_results import ScenarioResults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.models.faults import Parameter
    from tui.models.scenarios import Parameters
    from tui.widgets.scenario_rows import ParameterRows

__all__ = ["ScenarioEdits"]

_SEEDS = 9999


class ScenarioEdits(ScenarioResults):
    """The half of the screen Scenarios that has parameters changed."""

    @property
    def parameter_rows(self) -> ParameterRows:
        """The list of parameters."""
        raise NotImplementedError

    @property
    def parameters(self) -> Parameters | None:
        """Those of the selected scenario; None when it cannot be read."""
        one = self.rows.selected()
        return None if one is None else one.parameters

    def edit(self) -> None:
        """Ask for the parameter under the cursor."""
        parameters, (kind, name) = self.parameters, self.parameter_rows.selected()
        if parameters is None:
            return
        if kind == "seed":
            _seed(self, parameters)
        elif kind == "speed":
            _speed(self, parameters)
        elif kind == "node":
            _node(self, parameters, name)
        elif kind == "fault":
            _fault(self, parameters, name)

    def action_use_fault(self) -> None:
        """Choose the fault with its parameters, or leave it out."""
        fault = self.parameter_rows.fault()
        if fault is None:
            self.bench.say("go to a fault below first (tab), then u chooses it or leaves it out")
            return
        if not fault.chosen:
            try:
                fault.spec()
            except UsageError as exc:
                self.bench.say(f"{fault.kind.name}: {exc}", "bad")
                return
        fault.chosen = not fault.chosen
        self.changed()

    def action_seed(self) -> None:
        """The next seed."""
        if self.parameters is not None:
            self.parameters.seed = self.parameters.seed % _SEEDS + 1
            self.bench.say(f"seed {self.parameters.seed}")
            self.changed()

    def ask(
        self,
        title: str,
        text: str,
        check: Callable[[str], str],
        then: Callable[[str], None],
        about: str = "",
        known: Sequence[Parameter] = (),
    ) -> None:
        """Have a line of parameters typed."""
        from tui.modals.parameters import ParameterInput  # modals know the screens

        def take(given: str | None) -> None:
            if given is not None:
                then(given)
                self.changed()

        self.bench.push_screen(ParameterInput(title, text, check, about=about, known=known), take)


def _seed(screen: ScenarioEdits, parameters: Parameters) -> None:
    def check(text: str) -> str:
        return f"seed {seed_of(text)}"

    def take(text: str) -> None:
        parameters.seed = seed_of(text)

    screen.ask("Seed", str(parameters.seed), check, take)


def _speed(screen: ScenarioEdits, parameters: Parameters) -> None:
    def check(text: str) -> str:
        speed = speed_of(text.strip(), default=1.0)
        return "as fast as possible" if speed is None else f"{speed:g} simulated seconds per second"

    def take(text: str) -> None:
        parameters.speed = text.strip()

    screen.ask("Speed of live runs: max or a factor", parameters.speed, check, take)


def _node(screen: ScenarioEdits, parameters: Parameters, name: str) -> None:
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


def _fault(screen: ScenarioEdits, parameters: Parameters, name: str) -> None:
    fault = next(one for one in parameters.faults if one.kind.name == name)

    def take(text: str) -> None:
        fault.text, fault.chosen = text.strip(), True

    about = f"{fault.kind.title}; {fault.kind.whom()}."
    screen.ask(name, fault.text, fault.check, take, about, fault.known())
