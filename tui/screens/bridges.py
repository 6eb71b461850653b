"""Bridges: dongles that are there or were named, their state, health and remedy; connect, test, role, log, unplug."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from protocols.errors import NearbenchError, origin_of
from tui.bindings import bindings
from tui.models.bridge_words import detail_lines
from tui.models.bridges import health_of, remedy_of, worst
from tui.screens._base import BenchScreen
from tui.text import cells, clean
from tui.widgets.bridge_rows import BridgeRows
from tui.widgets.lines import LinesPane

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from textual.app import ComposeResult

    from tui.bench.bridges import Bridges
    from tui.bench.role import Role
    from tui.keys import Key
    from tui.models.bridges import BridgeView

__all__ = ["BridgesScreen"]

_LOOK_S = 2.0
"""How often ports are listed while the screen is open."""
_NOTHING = "no dongle is plugged in"
_FIRST_STEPS = (
    "A names a port or a dongle yourself: serial:/dev/ttyS0, tcp-client:HOST:PORT",
    "docs/hardware.md says what to buy, and what to flash",
)


class BridgesScreen(BenchScreen):
    """The list above, the selected dongle below."""

    NAME = "bridges"
    BINDINGS: ClassVar[list[Any]] = bindings("bridges")
    WITHOUT: ClassVar[frozenset[str]] = frozenset(
        (
            "filter",
            "find.next",
            "find.previous",
            "follow",
            "mark",
            "mark.next",
            "time.style",
            "pair",
        )
    )
    DEFAULT_CSS = """
    BridgesScreen #bridges { height: 1fr; }
    BridgesScreen #bridge { height: 13; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._looked_s: float | None = None

    def panes(self) -> ComposeResult:
        """List and dongle."""
        yield BridgeRows()
        yield LinesPane(id="bridge")

    @property
    def bridges(self) -> Bridges:
        """The dongles."""
        return self.bench.bridges

    @property
    def rows(self) -> BridgeRows:
        """The list."""
        return self.query_one(BridgeRows)

    def lay_out(self) -> None:
        """Room for the dongle below."""
        pane, height = self.query_one("#bridge"), self.bench.size.height
        usual = 18 if height >= 36 else 13
        pane.styles.height = (usual, 6, max(6, height - 9))[self.split]
        pane.display = self.maximised is not self.rows and not self.has_class("-small")
        if self.maximised is not None and self.maximised is not self.rows:
            pane.styles.height = "1fr"

    # Turns

    def tick(self) -> None:
        """Look for dongles once in a while; what is known of them each time."""
        if not self.is_mounted or not self.query(BridgeRows):
            return
        now_s = self.bench.wall_s()
        if self._looked_s is None or now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self.bridges.look()
        rows, found = self.rows, self.bridges.views()
        empty = self._why_empty()
        if (found, empty) != (rows.rows, rows.empty):
            rows.rows, rows.empty = found, empty
            rows.sync()
        used = sum(bool(view.use) for view in found)
        rows.say("Bridges and dongles", f"{used} of {len(found)} in use here" if found else "")
        self._detail()

    def _why_empty(self) -> str:
        if not self.bridges.has_looked:
            return "ports are being listed"
        return self.bridges.trouble or _NOTHING

    def _detail(self) -> None:
        view, pane = self.rows.selected(), self.query_one("#bridge", LinesPane)
        if view is None:
            pane.fill("Selected", ["nothing", "", *_FIRST_STEPS])
            return
        health = health_of(view)
        sign = self.signs[health.sign]
        pane.fill(
            clean(view.moniker),
            detail_lines(view, pane.inner_width, pane.inner_height),
            f"{sign} {health.word}",
        )

    def status(self) -> tuple[str, str]:
        """What is wrong with the worst of the used ones, when there is nothing newer to say."""
        if self.bench.message[0]:
            return "", ""
        view = worst(self.rows.rows)
        if view is None or view is self.rows.selected():
            return "", ""
        text = clean(f"{view.moniker}: {remedy_of(view)}")
        if cells(text) > self.bench.size.width - 2:
            text = clean(f"{view.moniker}: {health_of(view).word}; select it to see what to do")
        return text, "warn"

    def works(self, key: Key) -> bool:
        """Keys need a dongle; some an open one."""
        if not key.id.startswith("bridges.") or key.id == "bridges.add":
            return super().works(key)
        view = self.rows.selected()
        if view is None:
            return False
        return bool(view.use) or key.id not in ("bridges.disconnect", "bridges.unplug")

    # Keys

    def action_choose(self) -> None:
        """The log."""
        self.action_log()

    def action_add(self) -> None:
        """Name a dongle."""
        from tui.modals.bridge_add import BridgeAdd

        self.bench.push_screen(BridgeAdd(), self._add)

    def _add(self, moniker: str | None) -> None:
        if moniker:
            self.bridges.add(moniker)
            self.tick()
            found = self.rows.find(moniker)
            if found is not None:
                self.rows.go(found)

    def action_connect(self) -> None:
        """Open it, or reset it."""
        view = self.rows.selected()
        if view is None:
            return
        link = self.bridges.link(view.moniker)
        if view.use == "run":
            self.bench.say(
                f"{view.moniker} is used by the run; its host resets it when that is due"
            )
        elif link is None:
            self._wait(view.moniker, self.bridges.connect(view.moniker))
        elif view.state == "degraded":
            link.reset()
            self.bench.say(f"{view.moniker}: a Reset was sent")
        else:
            self.bench.say(f"{view.moniker} is open: D gives it back, T tests it")

    def action_disconnect(self) -> None:
        """Give it back, after a question."""
        view = self.rows.selected()
        if view is None or not view.use:
            self._say_closed(view)
        elif view.use == "run":
            self.bench.ask(f"The run on {view.moniker} ends. Give it back?", self._end_run)
        else:
            moniker = view.moniker
            question = f"{moniker} is reset, and its connections end. Give it back?"
            self.bench.ask(
                question,
                lambda: self._wait(moniker, self.bridges.disconnect(moniker), "is given back"),
            )

    def _end_run(self) -> None:
        control = self.session.control
        if control is not None:
            self.bench.run_worker(asyncio.to_thread(control.stop), name="bridge")

    def action_test(self) -> None:
        """Test it, after a question."""
        view = self.rows.selected()
        if view is None:
            return
        moniker = view.moniker
        if view.use == "run":
            self.bench.say("the run uses it: a test would end its connections")
            return
        self.bench.ask(
            f"The test listens to {moniker}, then resets it; that takes from one to thirty seconds. Test it?",
            lambda: self._wait(
                moniker, self.bridges.test(moniker), then=lambda: self._show_report(moniker)
            ),
        )

    def action_role(self) -> None:
        """A device on it, as the run of this interface."""
        view = self.rows.selected()
        if view is None:
            return
        from tui.modals.bridge_role import BridgeRole

        moniker = view.moniker
        self.bench.push_screen(BridgeRole(moniker), lambda role: self._begin(moniker, role))

    def _begin(self, moniker: str, role: Role | None) -> None:
        if role is None:
            return
        if self.session.is_unsaved:
            self.bench.ask(
                "The run that is shown is in no file, and is lost when another begins. Begin?",
                lambda: self._start(moniker, role),
            )
        else:
            self._start(moniker, role)

    def _start(self, moniker: str, role: Role) -> None:
        from tui.bench.run import bench_request

        def begin() -> None:
            self.bench.restart(bench_request(moniker, role, self.session.request))
            if self.session.bridge is not None:
                self.bench.say(f"{role.words} is on {moniker}; Air, Ladder and Packets show it")

        self.bench.run_worker(self._leave_and(moniker, begin), name="role")

    async def _leave_and(self, moniker: str, begin: Callable[[], None]) -> None:
        """Give the dongle back, wherever it is used, and end the old run meanwhile; then begin."""
        control = self.session.control
        waits: list[Any] = [asyncio.wrap_future(self.bridges.disconnect(moniker))]
        if control is not None:
            waits.append(asyncio.to_thread(control.stop))
        for found in await asyncio.gather(*waits, return_exceptions=True):
            if isinstance(found, BaseException):
                self.bench.say(_words_of(found), "bad")
                return
        begin()

    def action_log(self) -> None:
        """What happened on the link."""
        view = self.rows.selected()
        if view is not None:
            from tui.modals.bridge_text import log_of

            self.bench.push_screen(log_of(self.bench, view.moniker))

    def _show_report(self, moniker: str) -> None:
        from tui.modals.bridge_text import report_of

        report = self.bridges.report(moniker)
        if report is None:
            return
        self.bench.say(f"{moniker}: {report.verdict}")
        if self.bench.screen is self:
            self.bench.push_screen(report_of(moniker, report))

    def action_unplug(self) -> None:
        """Pull the cable, or put it in again."""
        view = self.rows.selected()
        link = None if view is None else self.bridges.link(view.moniker)
        if view is None or link is None:
            self._say_closed(view)
            return
        out = link.toggle_cable()
        self.bench.say(f"{view.moniker}: {'pulled out' if out else 'plugged in again'} in software")

    def _say_closed(self, view: BridgeView | None) -> None:
        if view is not None:
            self.bench.say(f"{view.moniker} is not open: c opens it")

    def action_copy(self) -> None:
        """The moniker."""
        view = self.rows.selected()
        if view is not None:
            self.bench.copy_text(view.moniker)

    # Waiting without waiting

    def _wait(
        self,
        moniker: str,
        future: Future[Any],
        done: str = "",
        then: Callable[[], None] | None = None,
    ) -> None:
        """Say what becomes of a wish, once it is known."""
        self.bench.run_worker(self._told(moniker, future, done, then), name="bridge")

    async def _told(
        self, moniker: str, future: Future[Any], done: str, then: Callable[[], None] | None
    ) -> None:
        try:
            await asyncio.wrap_future(future)
        except Exception as exc:  # noqa: BLE001  # the interface stays, whatever a driver does
            self.bench.say(_words_of(exc), "bad")
            return
        if done:
            self.bench.say(f"{moniker} {done}")
        if then is not None:
            then()


def _words_of(exc: BaseException) -> str:
    if isinstance(exc, NearbenchError):
        return str(exc)
    return f"a fault of nearbench itself: {type(exc).__name__}: {exc} ({origin_of(exc)})"


SCREEN = BridgesScreen
