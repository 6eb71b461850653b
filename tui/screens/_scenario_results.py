"""Results of scenarios, of those that run at full speed beside and of the run on the screen; keys that begin and end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.models.scenario_results import WORDS, of_run
from tui.models.scenario_runs import Runs
from tui.screens._base import BenchScreen
from tui.text import clean

if TYPE_CHECKING:
    from tui.models.scenarios import Entry
    from tui.widgets.scenario_rows import ScenarioRows

__all__ = ["ScenarioResults"]


class ScenarioResults(BenchScreen):
    """The part of the screen Scenarios that runs them and notes what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = Runs()
        self.entries: list[Entry] = []
        self._noted: Any = None

    @property
    def rows(self) -> ScenarioRows:
        """The list."""
        raise NotImplementedError

    def changed(self) -> None:
        """Parameters or states are others: draw them."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        """Nothing runs on behind the app's back."""
        self.runs.close()

    def wall_s(self) -> float:
        """Wall seconds from some moment on."""
        return self.bench.wall_s()

    def look_after(self) -> None:
        """Note what has ended and begin what waits; also while another screen is open."""
        now_s = self.wall_s()
        for what, result in self.runs.poll(now_s):
            self._note(what, result, now_s)
        self._note_live(now_s)

    def _note(self, what: str, result: Any, now_s: float) -> None:
        entry = next((one for one in self.entries if one.what == what), None)
        if entry is None:
            return
        entry.result, entry.ended_s = result, now_s
        if self.runs.is_busy and self.bench.bench_screen_or_none is not self:
            return  # the other screen has its own to say; the last one is told
        sign = self.signs[WORDS[result.verdict]]
        style = "good" if result.verdict == "passed" else "bad"
        reason = f": {result.reason}" if result.reason else ""
        self.bench.say(f"{sign} {entry.name} {result.verdict}{reason}", style)

    def _note_live(self, now_s: float) -> None:
        """The run on the screen has a verdict too."""
        control = self.session.control
        if control is None or control.result is None or control.result is self._noted:
            return
        self._noted = control.result
        what = self.session.request.what
        entry = next((one for one in self.entries if one.what == what), None)
        if entry is not None:
            entry.result, entry.ended_s = of_run(control.result, live=True), now_s

    # Running

    def action_run_one(self) -> None:
        """The selected one at full speed."""
        one = self.rows.selected()
        if one is not None:
            self._queue([one])

    def action_run_all(self) -> None:
        """All that are shown, after asking."""
        shown = list(self.rows.rows)
        if not shown:
            return
        what = f"all {len(shown)} scenarios that are shown" if len(shown) > 1 else shown[0].name
        self.bench.ask(f"Run {what} at full speed in the background?", lambda: self._queue(shown))

    def _queue(self, entries: list[Entry]) -> None:
        added = 0
        for one in entries:
            if one.parameters is not None:
                added += self.runs.add(one.what, one.parameters.words(one))
        many = f"{added} scenarios run" if added != 1 else f"{clean(entries[0].name)} runs"
        self.bench.say(f"{many} at full speed; c stops" if added else "it runs already")
        self.changed()

    def action_stop(self) -> None:
        """End what runs in the background."""
        left = self.runs.stop()
        self.bench.say(f"stopped; {left} not run" if left else "nothing runs")
        self.changed()
