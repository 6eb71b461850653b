"""A terminal for tests: the app on a held world or a capture, keys, what is on the screen, and golden screens.

Goldens are text, one file per screen and size under `tests/tui/golden/`; a new one fails once. To write them anew:
`NEARBENCH_UPDATE_SCREENS=1 pytest tests/tui/test_app_golden.py`, then read the difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

from textual.widgets import Input

from tests.tui.rest import exact_rest, let_instant_end
from tui.app import NearbenchApp
from tui.session import Request, open_session

GOLDEN = Path(__file__).parent / "golden"
exact_rest()
SIZES = ((80, 24), (120, 40))
LIMIT_S = 60


def screen_text(app):
    """What is on the screen, line by line. The compositor is Textual's own business: only this function asks it."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


class Bench:
    """One app under test."""

    def __init__(self, app):
        self.app = app
        self.pilot = None
        self.turns = 0
        """seconds of the clock on the wall, as the app has it: one per tick, on any machine."""
        app.wall_s = lambda: float(self.turns)

    @property
    def session(self):
        return self.app.session

    @property
    def control(self):
        return self.app.session.control

    @property
    def text(self):
        return screen_text(self.app)

    def events(self, name, node=""):
        return [e for e in self.control.world.trace if e.event == name and node in ("", e.node)]

    async def turn(self):
        """Let the world come to rest, and the screen show it."""
        if self.control is not None:
            self.held()
        for _ in range(2):
            self.turns += 1
            self.app.tick()
            await self._inquired()
            await self.pilot.pause()

    async def _inquired(self):
        """Until a search for the rule behind a failure has ended, where one is on."""
        found = [one for one in self.app.workers if one.name == "diagnosis" and not one.is_finished]
        if found:
            await self.app.workers.wait_for_complete(found)
            self.app.tick()

    async def press(self, *keys):
        """Press keys, and let everything come to rest."""
        for key in keys:
            await self.pilot.press(key)
            while self.app.is_running and self.app.has_keys_to_come:
                await self.pilot.pause()
        await self.turn()

    async def type(self, text):
        """Put text into the input that has the focus; the tests in a real terminal type it key by key."""
        self.app.screen.query_one(Input).insert_text_at_cursor(text)
        await self.turn()

    async def run_for(self, seconds):
        """Let simulated time pass at full speed."""
        self.control.run_for(int(seconds * 1_000_000))
        await self.turn()

    def held(self):
        """Wait until the clock is held, and all that is due at this instant has happened."""
        end_s = time.monotonic() + LIMIT_S
        self.control.sync()
        while self.control.state == "running":
            self.control.sync()
            assert time.monotonic() < end_s, "the clock is not held"
        if self.control.state in ("paused", "ended"):
            let_instant_end(self.control.world.loop)

    async def until(self, what, steps=400):
        """From message to message (the screen looks on at the end) until `what()` is true."""
        for _ in range(steps):
            if what():
                await self.turn()
                return
            self.control.next_message()
            self.held()
        raise AssertionError("it did not come to that")

    async def asked(self, display="lock"):
        """Until the PIN entry is open and the display shows a PIN; the PIN."""
        await self.until(lambda: self.control.questions() and self.control.face(display).pin)
        return self.control.face(display).pin

    async def ended(self, name="not_paired"):
        """Until a pairing has ended on both sides, and the rule behind it has been looked for."""
        before = len(self.events(name))
        await self.until(lambda: len(self.events(name)) >= before + 1)
        await self.run_for(0.3)
        await self.found()

    async def found(self):
        """Until the search for the rule behind a failure has ended."""
        await self.app.workers.wait_for_complete()
        await self.turn()


@contextlib.asynccontextmanager
async def bench(
    what="passkey_lock", size=(80, 24), *, start="", ascii_only=False, opener=None, **request
):
    """The app on a scenario whose clock is held at the beginning, or on a capture."""
    request = {"play": ("phone",), "speed": None} | request

    def opening():
        session = open_session(Request(what=str(what), **request)) if opener is None else opener()
        if session.control is not None:
            session.control.pause()
        return session

    app = NearbenchApp(opening, start=start, ascii_only=ascii_only)
    app.title_line.measure = lambda session, now_s: (
        None
    )  # numbers of the wall clock have no place in a golden
    app.MESSAGE_S = 1e6
    found = Bench(app)
    async with app.run_test(size=size, tooltips=True) as pilot:
        while app._session is None or app.bench_screen_or_none is None:
            await pilot.pause()
            assert app.failure is None, app.failure
        while app.session.control is not None and app.session.control.state == "ready":
            await pilot.pause()
        app.ticking.stop()  # turns are taken by `turn` alone
        found.pilot = pilot
        await found.turn()
        try:
            yield found
        finally:
            app.finish()


def play(story):
    """Run a story, no longer than LIMIT_S."""
    asyncio.run(asyncio.wait_for(story, LIMIT_S))


def assert_golden(name, text):
    """Compare a screen with its file."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("NEARBENCH_UPDATE_SCREENS"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
        return
    assert file.is_file(), (
        f"{file.name} is new: write it with NEARBENCH_UPDATE_SCREENS=1, and read it"
    )
    assert text + "\n" == file.read_text(encoding="utf-8")
