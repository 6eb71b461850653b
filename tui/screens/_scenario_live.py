"""Running the selected scenario on the screen, in place of the run or capture that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.errors import NearbenchError
from tui.text import clean

if TYPE_CHECKING:
    from tui.models.scenarios import Entry, Parameters
    from tui.screens.scenarios import ScenariosScreen

__all__ = ["open_and_run", "run_here"]


def run_here(screen: ScenariosScreen) -> None:
    """Run it, after asking where something would be lost."""
    bench, one = screen.bench, screen.rows.selected()
    if one is None or one.parameters is None:
        bench.say(clean(one.wrong) if one else "there is nothing to run", "bad")
        return
    parameters = one.parameters
    if screen.session.is_unsaved:
        question = f"The run on the screen is in no file, and is lost. Run {clean(one.name)}?"
        bench.ask(question, lambda: _start(screen, one, parameters))
    else:
        _start(screen, one, parameters)


def open_and_run(screen: ScenariosScreen, what: str) -> None:
    """Put the cursor on a scenario, whatever the filter, and run it."""
    rows = screen.rows
    if rows.find(what) is None:
        screen.filter_by("")
    at = rows.find(what)
    if at is not None:
        rows.focus()
        rows.go(at)
        screen.tick()
        run_here(screen)


def _start(screen: ScenariosScreen, one: Entry, parameters: Parameters) -> None:
    bench, before = screen.bench, screen.session
    try:
        request = parameters.request(one, before.request)
    except NearbenchError as exc:
        bench.say(str(exc), "bad")
        return
    bench.restart(request)
    if screen.session is not before:
        bench.action_show("ladder")
        bench.say(f"{clean(one.name)} runs; 5 goes back to the scenarios")
