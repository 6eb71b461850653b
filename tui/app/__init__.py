"""The terminal interface: modes for the screens, one timer that pulls, and what every screen may ask for.

Rules of the folder: the world is reached by `session.control` alone; nothing of it is called back from another thread.
One timer (20 Hz) reads the trace, feeds the models and lets the open screens draw; nothing is posted per event.

The parts of the one app: `base` (session, sentences), `opening` (screens, modals), `ending` (restart, quit),
`run_actions` (keys of the run), `key_order` (keys one after the other). Here is its life.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from textual.css.query import NoMatches
from textual.screen import Screen

from tui import screens
from tui.app.ending import Ending
from tui.app.key_order import KeysInOrder
from tui.app.run_actions import RunActions
from tui.themes import DEFAULT, THEMES, textual_theme, variables_of
from tui.widgets.bars import StatusLine, TabLine, TitleLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import ComposeResult
    from textual.driver import Driver
    from textual.timer import Timer

    from tui.models.outcomes import Outcome
    from tui.session import Session

__all__ = ["NearbenchApp"]

_HZ = 20
_BUDGET_S = 0.025
"""Wall time that a new filter may take in one turn."""


class _Loading(Screen[None]):
    """The lines around, before there is anything between them."""

    def compose(self) -> ComposeResult:
        """Name, screens, a sentence."""
        title, status = TitleLine(), StatusLine()
        title.left = "nearbench"
        status.text = "the simulator is being loaded"
        yield title
        yield TabLine("")
        yield status


class NearbenchApp(KeysInOrder, RunActions, Ending):
    """Screens on one session."""

    TITLE = "nearbench"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $background; }
    ModalScreen { align: center middle; background: $background 60%; }
    """

    def __init__(
        self,
        opener: Callable[[], Session],
        *,
        ascii_only: bool = False,
        keymap: Mapping[str, str] | None = None,
        start: str = "",
        theme: str = DEFAULT,
    ) -> None:
        super().__init__(opener, ascii_only=ascii_only)
        for name in THEMES:
            self.register_theme(textual_theme(name))
        if self.no_color and THEMES[theme].ansi:
            theme = DEFAULT  # greys of the terminal's own colours would be black on black
        self.theme = textual_theme(theme).name
        self.ticking: Timer | None = None
        """what calls `tick`, once there is something to show."""
        self._keymap_of_user = dict(keymap or {})
        self._first = start

    # Beginning

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of our own, for themes of others."""
        return variables_of(DEFAULT)

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, with a reader of ours where terminals are those of POSIX."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from tui.terminal import Terminal  # nothing for Windows

        return Terminal

    def get_default_screen(self) -> Screen[None]:
        """What is seen while the simulator is loaded."""
        return _Loading()

    def on_ready(self) -> None:
        """The first frame is on the terminal: open what was asked for, and the first screen."""
        try:
            self._session = self._opener()
        except Exception as exc:  # noqa: BLE001  # told by the command, as everywhere
            self.failure = exc
            self.exit(2)
            return
        for name in screens.FOLDER.names():
            cast(Any, self).add_mode(name, screens.FOLDER.get(name))
        self.set_keymap(self._keymap_of_user)
        self.switch_mode(self._first or ("packets" if self._session.control is None else "ladder"))
        self.call_after_refresh(self._begin)
        self.ticking = self.set_interval(1 / _HZ, self.tick)

    # Turns

    def tick(self) -> None:
        """Read what has come, and let what is open draw it."""
        if self._session is None or not self.is_running:
            return
        outcomes = self.session.pull()
        now_s = self.wall_s()
        self.session.packets.look(lambda: self.wall_s() - now_s > _BUDGET_S)
        self.title_line.measure(self.session, now_s)
        self._note_death()
        self._note_trouble()
        self._tell_news()
        self.people.look(outcomes)
        self.open_what_waits()
        for screen in self.screen_stack:
            tick: Callable[[], None] | None = getattr(screen, "tick", None)
            if tick is not None:
                with contextlib.suppress(NoMatches):  # it is being taken down
                    tick()
        self.show_bars()

    def inquire(self, outcome: Outcome) -> None:
        """Look for the rule behind a failed pairing, on a thread; `session.inquiries` has it then."""
        session = self.session
        if session.control is not None and not outcome.good:
            told = session.outcomes.told_of(outcome)
            session.inquiries.look(session.control, outcome, told, self._on_thread)

    def _on_thread(self, call: Callable[[], None]) -> None:
        self.run_worker(call, thread=True, name="diagnosis", exit_on_error=False)
