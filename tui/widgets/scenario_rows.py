"""Two lists of the screen Scenarios: the scenarios with their last results, and the parameters of the selected one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.models.scenario_results import WORDS
from tui.text import ago, clean, cut, fit, right
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from tui.models.faults import FaultChoice
    from tui.models.lanes import Piece
    from tui.models.scenarios import Entry, Parameters
    from tui.screens.scenarios import ScenariosScreen

__all__ = ["ParameterRows", "ScenarioRows"]

_NAME, _PARTIES, _RESULT, _AGO = 30, 12, 16, 5
"""Columns; the parties get what is left, if that is enough for a word."""
_STYLES = {"passed": "good", "failed": "bad", "refused": "bad", "died": "bad", "stopped": "warn"}
_WIDE = 100


class ScenarioRows(EventList):
    """One row per scenario."""

    def __init__(self, screen: ScenariosScreen) -> None:
        super().__init__(id="scenarios")
        self._owner = screen
        self.rows: list[Entry] = []

    def count(self) -> int:
        """Rows."""
        return len(self.rows)

    def key(self, index: int) -> Any:
        """The scenario: the cursor follows it."""
        return self.rows[index].what

    def find(self, key: Any) -> int | None:
        """Where the scenario is now."""
        return next((at for at, one in enumerate(self.rows) if one.what == key), None)

    def selected(self) -> Entry | None:
        """The scenario under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def empty_text(self) -> str:
        """Why there is none."""
        return f"no scenario fits {self._owner.filter_text}: esc clears the filter"

    def row(self, index: int, width: int) -> list[Piece]:
        """One scenario."""
        one = self.rows[index]
        text, style = self._result(one)
        room = width - _RESULT - _AGO - 2
        name = _NAME if room > _NAME + _PARTIES else room - 1
        rest = room - name - 1
        usual = one.parameters is None or one.parameters.are_usual
        shown = f"{clean(one.name)}{'' if usual else ' *'}"
        about = clean(one.wrong or one.parties)
        since = ago(int((self._owner.wall_s() - one.ended_s) * 1e6)) if one.result else ""
        return [
            (f"{fit(shown, name)} {fit(about, rest)} ", "bad" if one.wrong else ""),
            (fit(text, _RESULT), style),
            (f" {right(since, _AGO)}", "dim"),
        ]

    def _result(self, one: Entry) -> tuple[str, str]:
        signs = self.signs
        if state := self._owner.runs.state(one.what):
            return f"{signs['run'] if state == 'running' else signs['dot']} {state}", "state"
        if one.wrong:
            return f"{signs['malformed']} wrong", "bad"
        if one.result is None:
            return f"{signs['dash']} never", "dim"
        verdict = one.result.verdict
        took = f" {one.result.simulated_us / 1e6:.1f} s" if verdict in ("passed", "failed") else ""
        return f"{signs[WORDS[verdict]]} {verdict}{took}", _STYLES[verdict]


class ParameterRows(EventList):
    """Seed, speed, nodes and faults of one scenario."""

    def __init__(self) -> None:
        super().__init__(id="parameters")
        self.parameters: Parameters | None = None

    def show(self, parameters: Parameters | None) -> None:
        """Another scenario, or other values."""
        self.parameters = parameters
        self.sync()

    def items(self) -> list[tuple[str, str]]:
        """(kind, name) of each row."""
        parameters = self.parameters
        if parameters is None:
            return []
        return [
            ("seed", ""),
            ("speed", ""),
            *(("node", name) for name in parameters.settings),
            *(("fault", one.kind.name) for one in parameters.faults),
        ]

    def count(self) -> int:
        """Rows."""
        return len(self.items())

    def key(self, index: int) -> Any:
        """What the row is about."""
        return self.items()[index]

    def find(self, key: Any) -> int | None:
        """Where it is."""
        items = self.items()
        return items.index(key) if key in items else None

    def selected(self) -> tuple[str, str]:
        """(kind, name) of the row under the cursor; empty when there is none."""
        items = self.items()
        return items[self.cursor] if self.cursor < len(items) else ("", "")

    def fault(self) -> FaultChoice | None:
        """The fault under the cursor."""
        kind, name = self.selected()
        if self.parameters is None or kind != "fault":
            return None
        return next(one for one in self.parameters.faults if one.kind.name == name)

    def empty_text(self) -> str:
        """Why there is nothing."""
        return "this scenario cannot be read"

    def row(self, index: int, width: int) -> list[Piece]:
        """One parameter."""
        parameters = self.parameters
        if parameters is None:
            return []
        kind, name = self.items()[index]
        if kind == "seed":
            note = "" if parameters.seed == parameters.scenario.seed else "  (changed)"
            return [(f"seed {parameters.seed}{note}", "")]
        if kind == "speed":
            text = "as fast as possible" if parameters.speed == "max" else f"{parameters.speed}x"
            return [(f"speed {text}  (live)", "")]
        if kind == "node":
            spec = next(one for one in parameters.scenario.node if one.name == name)
            what = "accessory" if spec.accessory else "phone"
            text = f"{what} {name}: {spec.accessory or spec.phone}"
            given = parameters.settings[name] or "as in the scenario"
            return [(fit(cut(clean(f"{text}  {given}"), width), width), "")]
        fault = next(one for one in parameters.faults if one.kind.name == name)
        box = "[x]" if fault.chosen else "[ ]"
        room = width - 30
        shown = fault.text if fault.chosen or width >= _WIDE else f"{fault.kind.title}."
        return [
            (f"{box} {fit(name, 25)} {cut(clean(shown), room)}", "head" if fault.chosen else "")
        ]
