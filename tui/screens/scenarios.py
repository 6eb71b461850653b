"""Scenarios: choose one, its seed, settings and faults, run it here or at full speed beside, and see why it did not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container

from tui.bindings import bindings
from tui.models.scenarios import matching, read_entries
from tui.screens._scenario_edits import ScenarioEdits
from tui.screens._scenario_live import run_here
from tui.text import clean
from tui.widgets.lines import LinesPane
from tui.widgets.scenario_rows import ParameterRows, ScenarioRows
from tui.widgets.scenario_text import file_lines, result_lines, when_words

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.keys import Key
    from tui.models.faults import FaultChoice

__all__ = ["ScenariosScreen"]

_LOOK_S = 0.2
"""How often processes are looked after while another screen is open."""
_ABOUT_FILTER = "words that must occur, as in: pin lock. !word must not. failed, passed, never run are words too"


class ScenariosScreen(ScenarioEdits):
    """The list above, parameters below; where there is room the file and the last result at the right."""

    NAME = "scenarios"
    BINDINGS: ClassVar[list[Any]] = bindings("scenarios")
    WITHOUT: ClassVar[frozenset[str]] = frozenset(
        ("find.next", "find.previous", "follow", "mark", "mark.next", "time.style")
    )
    DEFAULT_CSS = """
    ScenariosScreen #halves { height: 1fr; width: 100%; layout: vertical; }
    ScenariosScreen #left { width: 100%; height: 1fr; layout: vertical; }
    ScenariosScreen #right { width: 100%; height: 8; layout: vertical; display: none; }
    ScenariosScreen #scenarios { height: 1fr; }
    ScenariosScreen #parameters { height: 8; }
    ScenariosScreen #toml { height: 1fr; display: none; }
    ScenariosScreen #result { height: 1fr; }
    ScenariosScreen.-wide #halves { layout: horizontal; }
    ScenariosScreen.-wide #left { width: 11fr; height: 100%; }
    ScenariosScreen.-wide #right { width: 9fr; height: 100%; display: block; }
    ScenariosScreen.-wide #toml { display: block; }
    ScenariosScreen.-wide #result { height: 12; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.view = 0
        """below, where there is room for one: parameters, last result, file."""
        self._drawn: tuple[int, ...] = ()
        self._shown_fault: FaultChoice | None = None

    def panes(self) -> ComposeResult:
        """Four panes."""
        with Container(id="halves"):
            with Container(id="left"):
                yield ScenarioRows(self)
                yield ParameterRows()
            with Container(id="right"):
                yield LinesPane(id="toml")
                yield LinesPane(id="result")

    def on_mount(self) -> None:
        """Read the scenarios."""
        super().on_mount()
        own = self.session.own_scenario
        self.entries = read_entries(own)
        self._take_over(own)
        self._arrange()
        at = self.rows.find(own)
        if at is not None:
            self.rows.go(at)
        self.set_interval(_LOOK_S, self.look_after)

    def _take_over(self, own: str) -> None:
        """Speed is that of the run on the screen, and so is the seed of its row."""
        session = self.session
        speed = "max" if session.request.speed is None else f"{session.request.speed:g}"
        for one in self.entries:
            if one.parameters is not None:
                one.parameters.speed = speed
                if one.what == own and session.seed is not None:
                    one.parameters.seed = session.seed

    # Parts

    @property
    def rows(self) -> ScenarioRows:
        """The list."""
        return self.query_one(ScenarioRows)

    @property
    def parameter_rows(self) -> ParameterRows:
        """The list below."""
        return self.query_one(ParameterRows)

    def lay_out(self) -> None:
        """Room for the panes."""
        wide, low = self.has_class("-wide"), self.has_class("-small")
        right, parameters = self.query_one("#right"), self.parameter_rows
        height = (8, 5, max(6, self.bench.size.height - 12))[self.split]
        parameters.styles.height = 14 if wide and not self.split else height
        right.styles.height = "100%" if wide else height
        toml, result = self.query_one("#toml"), self.query_one("#result")
        if self.maximised is not None:
            self._all_for(self.maximised)
            return
        self.query_one("#left").display = True
        self.rows.display = True
        parameters.display = not low and (wide or self.view == 0)
        right.display = not low and (wide or self.view > 0)
        toml.display = wide or self.view == 2
        result.display = wide or self.view == 1

    def _all_for(self, pane: Any) -> None:
        is_right = pane.id in ("toml", "result")
        self.query_one("#left").display = not is_right
        right = self.query_one("#right")
        right.display = is_right
        right.styles.height = "1fr" if not self.has_class("-wide") else "100%"
        if pane is self.parameter_rows:
            pane.styles.height = "1fr"

    # Turns

    def tick(self) -> None:
        """Results that have come, and what is seen of the selected scenario."""
        if not self.is_mounted or not self.query(ScenarioRows) or not self.entries:
            return
        self.look_after()
        self._titles()
        if self.parameter_rows.parameters is not self.parameters:
            self.parameter_rows.show(self.parameters)
        self._below()
        drawn = (
            int(self.wall_s()),
            self.runs.done,
            self.runs.running,
            self.runs.waiting,
        )  # ages, states
        if drawn != self._drawn:
            self._drawn = drawn
            self.rows.refresh()

    def _titles(self) -> None:
        runs = self.runs
        note = [f"filter: {self.filter_text}"] if self.filter_text else []
        if runs.is_busy:
            failed = f", {runs.failed} not passed" if runs.failed else ""
            note.insert(0, f"{runs.done} of {runs.total} done{failed}")
        self.rows.say(f"Scenarios {len(self.rows.rows)} of {len(self.entries)}", "   ".join(note))
        parameters = self.parameters
        chosen = [] if parameters is None else [one.kind.name for one in parameters.chosen]
        said = f"faults: {', '.join(chosen)}" if chosen else "no faults"
        self.parameter_rows.say("Parameters and faults", said)

    def _below(self) -> None:
        one = self.rows.selected()
        toml, result = self.query_one("#toml", LinesPane), self.query_one("#result", LinesPane)
        if one is None:
            toml.fill("File", [])
            result.fill("Last result", [])
            return
        if toml.is_on_screen:
            lines = file_lines(one, self.parameter_rows.fault(), self.signs)
            toml.fill(clean(one.name), lines, "as it runs")
            self._show_fault(toml, len(lines))
        if result.is_on_screen:
            lines = result_lines(one, result.inner_width, self.signs)
            result.fill("Last result", lines, when_words(one, self.wall_s()))

    def _show_fault(self, toml: LinesPane, count: int) -> None:
        """Faults stand at the end of the file: have the one under the cursor seen, once."""
        fault = self.parameter_rows.fault()
        wanted = fault if fault is not None and fault.chosen else None
        if wanted is not self._shown_fault:
            self._shown_fault = wanted
            toml.scroll(count if wanted else -count)

    def status(self) -> tuple[str, str]:
        """Why the selected one did not pass, else what it is about."""
        text, style = self.bench.message
        one = self.rows.selected() if self.query(ScenarioRows) else None
        if text or one is None:
            return "", ""
        if one.wrong:
            return clean(one.wrong), "bad"
        if one.result is not None and one.result.reason:
            return f"{one.result.verdict}: {one.result.reason}", "bad"
        return clean(one.about), style

    def works(self, key: Key) -> bool:
        """Stopping is for what runs."""
        if key.id == "scenarios.stop":
            return self.runs.is_busy
        if key.id == "scenarios.view":
            return not self.has_class("-wide")
        return super().works(key)

    # The list

    def changed(self) -> None:
        """Parameters or states are others: draw them."""
        self.rows.refresh()
        self.parameter_rows.refresh()
        self.tick()

    def _arrange(self) -> None:
        before, rows = self.rows.selected(), self.rows
        rows.rows = matching(self.entries, self.filter_text)
        rows.top = 0
        rows.go(0 if before is None else rows.find(before.what) or 0)
        self.tick()

    def action_filter(self) -> None:
        """Type words."""
        from tui.modals.parameters import ParameterInput

        self.bench.push_screen(
            ParameterInput(
                "Filter scenarios", self.filter_text, self._fitting, about=_ABOUT_FILTER
            ),
            self.filter_by,
        )

    def _fitting(self, text: str) -> str:
        return f"{len(matching(self.entries, text))} of {len(self.entries)}"

    def filter_by(self, text: str | None) -> None:
        """Show what fits; nothing changes when it is None."""
        if text is not None:
            self.filter_text = " ".join(text.split())
            self._arrange()

    def action_back(self) -> None:
        """Give room back; clear the filter; go back to the list."""
        if self.maximised is not None:
            super().action_back()
        elif self.focused is not self.rows:
            self.rows.focus()
        elif self.filter_text:
            self.filter_by("")

    def action_move(self, delta: int) -> None:
        """One line; of a text, scroll."""
        if isinstance(self.focused, LinesPane):
            self.focused.scroll(delta)
        else:
            super().action_move(delta)
            self.tick()

    def action_page(self, delta: int) -> None:
        """One page."""
        if isinstance(self.focused, LinesPane):
            self.focused.scroll(delta * max(1, self.focused.inner_height - 1))
        else:
            super().action_page(delta)
            self.tick()

    def action_view(self) -> None:
        """Parameters, last result, file in turn."""
        self.view = (self.view + 1) % 3
        self.lay_out()
        self.tick()

    def action_copy(self) -> None:
        """The command line."""
        one = self.rows.selected()
        if one is not None and one.parameters is not None:
            import shlex

            self.bench.copy_text(shlex.join(["nearbench", *one.parameters.words(one)]))

    def action_choose(self) -> None:
        """Run the scenario here, or edit the parameter."""
        if self.focused is self.parameter_rows:
            self.edit()
        else:
            run_here(self)


SCREEN = ScenariosScreen
