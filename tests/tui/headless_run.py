"""A program for tests: the interface without a terminal on one scenario, as fast as possible, with nobody answering.

`python -X faulthandler -m tests.tui.headless_run SCENARIO WHO,...` looks at every screen until the run has ended, and at
what has failed. Exit status 0; 1 with a sentence when the world or the app died; that of the signal when the process did.
"""

from __future__ import annotations

import asyncio
import sys
import time

from tui.app import NearbenchApp
from tui.session import Request, open_session

_MOST_S = 5.0
"""Wall time after which a run that still goes on has been looked at for long enough."""
_KEYS = ("1", "2", "3", "4", "5", "6", "end", "enter", "escape")


async def _look(app, pilot):
    end_s = time.monotonic() + _MOST_S
    while app.failure is None and (app._session is None or app.bench_screen_or_none is None):
        await pilot.pause(0.02)
    turn = 0
    while app.failure is None and time.monotonic() < end_s:
        control = app.session.control
        if control.state in ("ended", "died", "stopped") and turn > len(_KEYS):
            break
        await pilot.press(_KEYS[turn % len(_KEYS)])
        turn += 1
        await asyncio.sleep(0.03)
    return app.failure or app.session.control.error


def main(scenario, play):
    """Exit status."""
    sys.setswitchinterval(0.0005)  # as the command has it
    found = []

    async def story():
        app = NearbenchApp(
            lambda: open_session(Request(what=scenario, speed=None, play=tuple(play.split(","))))
        )
        try:
            async with app.run_test(tooltips=True) as pilot:
                found.append(await _look(app, pilot))
        finally:
            app.finish()

    asyncio.run(story())
    if found and found[0]:
        print(found[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
