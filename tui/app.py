"""The terminal interface: modes for the screens, one timer that pulls, and what every screen may ask for.

Rules of the file: the world is reached by `session.control` alone; nothing of it is called back from another thread.
One timer (20 Hz) reads the trace, feeds the models and lets the open screens draw; nothing is posted per event.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.css.query import NoMatches
from textual.screen import Screen

from protocols.errors import NearbenchError
from tui import modals, screens
from tui.key_order import KeysInOrder
from tui.people import People
from tui.run_actions import RunActions
from tui.screens._base import BenchScreen
from tui.signs import ASCII, UNICODE
from tui.text import clean
from tui.themes import DEFAULT, THEMES, textual_theme, variables_of
from tui.title import Title
from tui.widgets.bars import StatusLine, TabLine, TitleLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from textual.app import ComposeResult
    from textual.driver import Driver
    from textual.timer import Timer

    from sim.control import Asking
    from tui.bench.bridges import Bridges
    from tui.keys import Key
    from tui.models.outcomes import Outcome
    from tui.models.palette import Offer
    from tui.session import Request, Session

__all__ = ["NearbenchApp"]

_HZ = 20
_BUDGET_S = 0.025
"""Wall time that a new filter may take in one turn."""
_BY_SIGNAL = 128
"""Added to the number of the signal that ended a process, it is the exit status, as shells have it."""


class _Opening(Screen[None]):
    """The lines around, before there is anything between them."""

    def compose(self) -> ComposeResult:
        """Name, screens, a sentence."""
        title, status = TitleLine(), StatusLine()
        title.left = "nearbench"
        status.text = "the simulator is being loaded"
        yield title
        yield TabLine("")
        yield status


class NearbenchApp(KeysInOrder, RunActions, App[int]):
    """Screens on one session."""

    TITLE = "nearbench"
    MESSAGE_S = 6.0
    """How long a sentence stays in the last line but one."""
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
        super().__init__()
        for name in THEMES:
            self.register_theme(textual_theme(name))
        if self.no_color and THEMES[theme].ansi:
            theme = DEFAULT  # greys of the terminal's own colours would be black on black
        self.theme = textual_theme(theme).name
        self.failure: Exception | None = None
        """why there is nothing to show; the app ends with it."""
        self.ticking: Timer | None = None
        """what calls `tick`, once there is something to show."""
        self._opener = opener
        self._session: Session | None = None
        self.signs = ASCII if ascii_only else UNICODE
        self.people = People(self)
        self.written: dict[str, int] = {}
        """capture file -> packets, once the run is over."""
        self.message = ("", "")
        """sentence for the last line but one, and its style; empty for the last thing that happened."""
        self._message_until_s = 0.0
        self._keymap_of_user = dict(keymap or {})
        self._first = start
        self._files = {*screens.FOLDER.names(), *modals.FOLDER.names()}
        self.title_line = Title()
        self._died = False
        self._news: deque[str] = deque()
        self._bridges: Bridges | None = None

    # Life

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of our own, for themes of others."""
        return variables_of(DEFAULT)

    def wall_s(self) -> float:
        """Wall seconds from some moment on."""
        return asyncio.get_running_loop().time()

    @property
    def session(self) -> Session:
        """The run or capture. There is one as soon as a bench screen is open."""
        if self._session is None:
            raise RuntimeError("nothing is open yet")
        return self._session

    @property
    def bridges(self) -> Bridges:
        """The dongles; nothing is loaded or begun for them before somebody looks."""
        if self._bridges is None:
            from tui.bench.bridges import Bridges  # serial ports and the like

            self._bridges = Bridges()
        self._bridges.run_link = self.session.bridge
        return self._bridges

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, with a reader of ours where terminals are those of POSIX."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from tui.terminal import Terminal  # nothing for Windows

        return Terminal

    def get_default_screen(self) -> Screen[None]:
        """What is seen while the simulator is loaded."""
        return _Opening()

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

    def _begin(self) -> None:
        control = self.session.control
        if control is not None and control.state == "ready":
            control.start()
        self.title_line.begin(self.wall_s())

    def tick(self) -> None:
        """Read what has come, and let what is open draw it."""
        if self._session is None or not self.is_running:
            return
        outcomes = self.session.pull()
        now_s = self.wall_s()
        self.session.packets.look(lambda: self.wall_s() - now_s > _BUDGET_S)
        self.title_line.measure(self.session, now_s)
        self._note_death()
        while self._news:
            self.say(self._news.popleft(), "bad")
        self.people.look(outcomes)
        for screen in self.screen_stack:
            tick: Callable[[], None] | None = getattr(screen, "tick", None)
            if tick is not None:
                with contextlib.suppress(NoMatches):  # it is being taken down
                    tick()
        self.show_bars()

    def show_bars(self) -> None:
        """Bring the lines around the open screen up to date."""
        screen = self.bench_screen_or_none
        if screen is not None and screen.is_mounted:
            with contextlib.suppress(NoMatches):  # likewise
                screen.show_bars()

    def _note_death(self) -> None:
        control = self.session.control
        if control is not None and control.state == "died" and not self._died:
            self._died = True
            self.say(f"{self.signs['failed']} the run ended: {control.error}", "bad", seconds=1e9)

    @property
    def bench_screen_or_none(self) -> BenchScreen | None:
        """The screen behind the modals; None while there is none."""
        stack = self.screen_stack
        return stack[0] if stack and isinstance(stack[0], BenchScreen) else None

    @property
    def bench_screen(self) -> BenchScreen:
        """The screen behind the modals."""
        screen = self.bench_screen_or_none
        if screen is None:
            raise RuntimeError("no screen is open")
        return screen

    def inquire(self, outcome: Outcome) -> None:
        """Look for the rule behind a failed pairing, on a thread; `session.inquiries` has it then."""
        session = self.session
        if session.control is not None and not outcome.good:
            told = session.outcomes.told_of(outcome)
            session.inquiries.look(session.control, outcome, told, self._on_thread)

    def _on_thread(self, call: Callable[[], None]) -> None:
        self.run_worker(call, thread=True, name="diagnosis", exit_on_error=False)

    # Sentences

    def say(self, text: str, style: str = "", *, seconds: float = 0.0) -> None:
        """Put a sentence into the last line but one for a while."""
        self.message = (clean(text), style)
        self._message_until_s = self.wall_s() + (seconds or self.MESSAGE_S)
        self.show_bars()

    def last_sentence(self) -> tuple[str, str]:
        """What to say when the screen has nothing better: the message, else the last thing that happened."""
        if self.message[0] and self.wall_s() < self._message_until_s:
            return self.message
        self.message = ("", "")
        event = self.session.last
        if event is None:
            trouble = getattr(self.session.source, "trouble", "")
            return str(trouble), "warn"
        label = str(event.fields.get("label") or event.event.replace("_", " "))
        text = (
            f"{event.t_us / 1e6:.3f} {event.node} {label}{f': {event.note}' if event.note else ''}"
        )
        return clean(text), ""

    # Keys

    def is_there(self, key: Key) -> bool:
        """Whether the file that a key needs is there, and the session is of the kind it is for."""
        if key.needs and key.needs not in self._files:
            return False
        return self.session.control is not None or not key.id.startswith(_OF_RUNS)

    def selected_owner(self) -> str:
        """Node that is selected on the open screen; empty where there is none."""
        selected: Callable[[], str] | None = getattr(self.bench_screen, "selected_owner", None)
        return "" if selected is None else selected()

    def title_parts(self) -> tuple[str, list[str]]:
        """Both ends of line 1."""
        return self.title_line.parts(self.session, self.signs, wide=self.size.width >= 100)

    def action_show(self, name: str) -> None:
        """Another screen."""
        if name not in self._files:
            self.say(f"there is no screen {name.title()} in this installation")
        elif self.current_mode != name:
            self.switch_mode(name)
            self.call_after_refresh(self.tick)

    def action_modal(self, name: str) -> None:
        """Open a modal."""
        if name not in self._files:
            return
        made = modals.FOLDER.get(name)(self)
        if isinstance(made, str):
            self.say(made)
        else:
            self.push_screen(made)

    def action_help(self) -> None:
        """Keys of this place."""
        self.action_modal("help")

    def action_palette(self) -> None:
        """Any action by name."""
        made = modals.FOLDER.get("palette")(self)
        if not isinstance(made, str):
            self.push_screen(made, self._run)

    async def _run(self, chosen: Offer | None) -> None:
        from tui.modals.palette import carry_out  # modals know the app

        await carry_out(self, chosen)

    # What people see of pairings

    def open_question(self, asking: Asking) -> None:
        """Show a question, unless it is open already."""
        from tui.sheets import show_question  # modals know the app

        show_question(self, asking)

    def open_display(self, node: str) -> None:
        """Show the display of a device."""
        from tui.sheets import show_display

        show_display(self, node)

    def open_outcome(self, outcome: Outcome) -> None:
        """Show how a pairing ended."""
        from tui.modals.outcome import OutcomeCard

        self.push_screen(OutcomeCard(outcome))

    def close_questions(self, nodes: set[str]) -> None:
        """Take away what was asked or shown for a pairing of these."""
        from tui.sheets import close_sheets

        close_sheets(self, nodes)

    def open_packet(self, seq: int) -> None:
        """Show the packet with a sequence number (or the one that led to it) on Packets."""
        from tui.screens.packets import PacketsScreen

        self.action_show("packets")
        screen = self.bench_screen_or_none
        if isinstance(screen, PacketsScreen):
            screen.call_after_refresh(screen.show_packet, seq)

    def copy_text(self, text: str) -> None:
        """Copy to the clipboard, by the terminal (OSC 52)."""
        self.copy_to_clipboard(text)
        self.say(f"copied: {text}")

    # Endings

    def ask(self, question: str, then: Callable[[], None]) -> None:
        """Ask yes or no, and do it on yes."""
        from tui.modals.confirm import Confirm  # modals know the app

        self.push_screen(Confirm(question), lambda said: then() if said else None)

    def action_restart(self) -> None:
        """The same scenario from the beginning."""
        session = self.session
        if session.control is None:
            self.say("this is a capture: there is nothing to restart")
        elif session.is_unsaved:
            self.ask("This run is in no file, and is lost by a restart. Restart?", self.restart)
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
        self.written |= old.close()
        self._session = session
        self._died = False
        self.people = People(self)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, BenchScreen):
                    screen.renew()
        self._begin()

    def action_leave(self) -> None:
        """Quit; asks when something would be lost."""
        if self.session.is_unsaved:
            self.ask("This run is in no file, and is lost by quitting. Quit?", self.leave)
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

    def _fatal_error(self) -> None:
        """A fault of ours ends the app; the command tells it in a sentence, as everywhere."""
        error = sys.exc_info()[1]
        if self.failure is None and isinstance(error, Exception):
            self.failure = error
        self._close_messages_no_wait()

    def finish(self) -> None:
        """End the run and its files, however the app ended; harmless when that is done."""
        if self._session is not None:
            self.written |= self._session.close()
        if self._bridges is not None:
            self._bridges.close()

    async def action_quit(self) -> None:
        """Textual's own way out goes the same way."""
        self.action_leave()

    def watch_command(self, done: Future[Any], what: str) -> None:
        """Tell what becomes of a command that was given; told by the next tick, on this thread."""

        def note(future: Future[Any]) -> None:
            error = future.exception()
            if error is not None:
                self._news.append(f"{what}: {error}")

        done.add_done_callback(note)


_OF_RUNS = ("clock.", "pair", "pin", "person", "faults", "restart", "ladder.retry")
