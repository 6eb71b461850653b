"""How runs end and begin again, and how the app ends: asked where something would be lost, by a key, by a signal, by a fault."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from protocols.errors import NearbenchError
from tui.app.opening import Opening
from tui.people import People
from tui.screens._base import BenchScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.session import Request, Session

__all__ = ["Ending"]

_TROUBLE_S = 60.0
"""How long it is told that a file cannot be written any more."""
_BY_SIGNAL = 128
"""Added to the number of the signal that ended a process, it is the exit status, as shells have it."""


class Ending(Opening):
    """Restart, quit, and nothing left behind by either."""

    def __init__(self, opener: Callable[[], Session], *, ascii_only: bool = False) -> None:
        super().__init__(opener, ascii_only=ascii_only)
        self.people = People(self)
        self.written: dict[str, int] = {}
        """capture file -> packets, once the run is over."""
        self.lost: list[str] = []
        """why files of the run were not written to their end, once it is over."""
        self._died = False
        self._trouble = ""

    def _begin(self) -> None:
        """Let the run begin, unless it is one that has begun."""
        control = self.session.control
        if control is not None and control.state == "ready":
            control.start()
        self.title_line.begin(self.wall_s())
        if self.session.notice:
            self.say(self.session.notice, "warn")

    def _note_death(self) -> None:
        control = self.session.control
        if control is not None and control.state == "died" and not self._died:
            self._died = True
            self.say(f"{self.signs['failed']} the run ended: {control.error}", "bad", seconds=1e9)

    def _note_trouble(self) -> None:
        """A file that cannot be written any more ends nothing; it is said once, and line 1 keeps it."""
        trouble = self.session.trouble
        if trouble and trouble != self._trouble:
            self.say(
                f"{self.signs['failed']} {trouble}: what comes now is in no file; e exports it",
                "bad",
                seconds=_TROUBLE_S,
            )
        self._trouble = trouble

    @property
    def _in_no_file(self) -> str:
        trouble = self.session.trouble
        return (
            f"This run is in no file to its end ({trouble})"
            if trouble
            else "This run is in no file"
        )

    # Another run

    def action_restart(self) -> None:
        """The same scenario from the beginning."""
        session = self.session
        if session.control is None:
            self.say("this is a capture: there is nothing to restart")
        elif session.is_unsaved:
            self.ask(f"{self._in_no_file}, and is lost by a restart. Restart?", self.restart)
        else:
            self.restart()

    def restart(self, request: Request | None = None) -> None:
        """A new session; on failure the old one stays."""
        from tui.session import into_new_files, open_session  # load the simulator

        old = self.session
        if old.control is not None:
            old.control.stop(2.0)  # bumble's chance belongs to one world at a time
        try:
            session = open_session(into_new_files(request or old.request))
        except NearbenchError as exc:
            self.say(str(exc), "bad")
            return
        self._close_session(old)
        self._session = session
        self._died = False
        self.people = People(self)
        self.waiting.clear()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, BenchScreen):
                    screen.renew()
        self._begin()

    # The end

    def action_leave(self) -> None:
        """Quit; asks when something would be lost."""
        if self.session.is_unsaved:
            self.ask(f"{self._in_no_file}, and is lost by quitting. Quit?", self.leave)
        else:
            self.leave()

    def leave(self) -> None:
        """Quit: 0, or 1 when the run did not hold what it was to."""
        control = self.session.control
        failed = control is not None and (
            control.state == "died" or (control.result is not None and not control.result.passed)
        )
        self.finish()
        self.exit(int(failed))

    def hang_up(self, number: int) -> None:
        """Quit because of a signal: nobody is there to be asked."""
        self.finish()
        self.exit(_BY_SIGNAL + number)

    async def action_quit(self) -> None:
        """Textual's own way out goes the same way."""
        self.action_leave()

    def _fatal_error(self) -> None:
        """A fault of ours ends the app; the command tells it in a sentence, as everywhere."""
        error = sys.exc_info()[1]
        if self.failure is None and isinstance(error, Exception):
            self.failure = error
        self._close_messages_no_wait()

    def _close_session(self, session: Session) -> None:
        self.written |= session.close()
        if session.trouble and session.trouble not in self.lost:
            self.lost.append(session.trouble)

    def finish(self) -> None:
        """End the run and its files, however the app ended; harmless when that is done."""
        if self._session is not None:
            self._close_session(self._session)
        if self._bridges is not None:
            self._bridges.close()
