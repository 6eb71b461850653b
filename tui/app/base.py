"""What every part of the app knows, and what screens ask it for: the session, the screen behind the modals, sentences.

Sentences are put on the screen by the app's own thread: what other threads have to tell waits for the next tick.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.css.query import NoMatches
from textual.geometry import Region

from sim.trace import told
from tui import modals, screens
from tui.screens._base import BenchScreen
from tui.signs import ASCII, UNICODE
from tui.text import clean
from tui.title import Title

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from tui.bench.bridges import Bridges
    from tui.keys import Key
    from tui.people import People
    from tui.session import Session

__all__ = ["BenchApp"]

_OF_RUNS = ("clock.", "pair", "pin", "person", "faults", "restart", "ladder.retry")
"""Keys, by the beginning of their name, that a capture has no use for."""


class BenchApp(App[int]):
    """One session at a time, and a line for sentences."""

    MESSAGE_S = 6.0
    """How long a sentence stays in the last line but one."""
    people: People

    def __init__(self, opener: Callable[[], Session], *, ascii_only: bool = False) -> None:
        super().__init__()
        self._opener = opener
        self._session: Session | None = None
        self._bridges: Bridges | None = None
        self.failure: Exception | None = None
        """why there is nothing to show; the app ends with it."""
        self.signs = ASCII if ascii_only else UNICODE
        self.title_line = Title()
        self.message = ("", "")
        """sentence for the last line but one, and its style; empty for the last thing that happened."""
        self._message_until_s = 0.0
        self._news: deque[str] = deque()
        self._files = {*screens.FOLDER.names(), *modals.FOLDER.names()}

    # What there is

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

    def selected_owner(self) -> str:
        """Node that is selected on the open screen; empty where there is none."""
        selected: Callable[[], str] | None = getattr(self.bench_screen, "selected_owner", None)
        return "" if selected is None else selected()

    def is_there(self, key: Key) -> bool:
        """Whether the file that a key needs is there, and the session is of the kind it is for."""
        if key.needs and key.needs not in self._files:
            return False
        return self.session.control is not None or not key.id.startswith(_OF_RUNS)

    # Lines around

    def tick(self) -> None:
        """Read what has come, and let what is open draw it."""
        raise NotImplementedError

    def title_parts(self) -> tuple[str, list[str]]:
        """Both ends of line 1."""
        return self.title_line.parts(self.session, self.signs, wide=self.size.width >= 100)

    def show_bars(self) -> None:
        """Bring the lines around the open screen up to date."""
        screen = self.bench_screen_or_none
        if screen is not None and screen.is_mounted:
            with contextlib.suppress(NoMatches):  # it is being taken down
                screen.show_bars()
        # Textual keeps what it has drawn behind a modal that is behind another
        for one in self.screen_stack[1:-1]:
            one.refresh(Region(0, 0, self.size.width, 1))

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
        return clean(f"{event.t_us / 1e6:.3f} {event.node} {told(event)}"), ""

    def watch_command(self, done: Future[Any], what: str) -> None:
        """Tell what becomes of a command that was given; told by the next tick, on this thread."""

        def note(future: Future[Any]) -> None:
            error = future.exception()
            if error is not None:
                text = str(error)
                is_named = text.startswith((f"{what}:", f"{what} "))
                self._news.append(text if is_named else f"{what}: {text}")

        done.add_done_callback(note)

    def _tell_news(self) -> None:
        while self._news:
            self.say(self._news.popleft(), "bad")

    def copy_text(self, text: str) -> None:
        """Copy to the clipboard, by the terminal (OSC 52)."""
        self.copy_to_clipboard(text)
        self.say(f"copied: {text}")
