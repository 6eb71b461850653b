"""A walk through the interface without a plan: keys of the place and of others, digits, pastes, sizes, faults, other runs.

`python -m tests.tui.walk SCENARIO WHO,... SEED STEPS [COLUMNSxLINES]` walks in the folder it is started in (exports are
written there), and says what it saw as JSON lines. The same seed presses the same keys: time passes by keys alone.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys

from rich.cells import cell_len
from textual import events

from sim.control import Control
from tests.tui.bench import bench, screen_text
from tests.tui.bridge_fakes import FakeBridges
from tui.keys import EVERYWHERE, KEYS, keys_of
from tui.modals.confirm import Confirm
from tui.modals.export import Export
from tui.screens.scenarios import ScenariosScreen
from tui.widgets.pane import Pane

SIZES = ((80, 24), (120, 40), (100, 30), (60, 16), (200, 60), (79, 23), (30, 5), (80, 24))
TEXTS = (
    "smp", "pair", "wrong", "help", "status", "lock", "phone", "rssi>-80", "x", "type=5", "019655", "(((", "日本語🙂",
    "\x1b[2J\x00\u202e", "0" * 300, "reboot", "settings", "us1", "every=2", "addr~7E", "lossy_air", "until=1s",
)  # fmt: skip
NEVER = {"quit", "scenarios.run", "scenarios.run_all"}
"""What leaves, or starts processes."""
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789=:"


def time_by_keys(patch):
    """Where time would go on by itself it goes on to the next message: no walk depends on how fast the machine is."""
    start = Control.start

    def held(self):
        self.pause()
        start(self)

    patch(Control, "start", held)
    patch(Control, "resume", Control.next_message)


class Walk:
    """One walk; `seen` has (kind, text) of what people may want to look at."""

    def __init__(self, one, seed, size):
        self.one, self.random, self.size = one, random.Random(seed), size
        self.trail = []
        self.seen = set()

    async def go(self, steps):
        self.one.app._bridges = FakeBridges()  # the dongles of this machine are nobody's toy
        for _ in range(steps):
            await self.step()
            self.look()

    async def step(self):
        chance = self.random.random()
        if chance < 0.06:
            await self._resize(self.random.choice(SIZES))
        elif chance < 0.16:
            await self._paste(self.random.choice(TEXTS))
        elif chance < 0.22:
            await self._press(*self.random.choices("0123456789", k=6), "enter")
        elif chance < 0.27:
            await self._press(*self.random.choices(ALPHABET, k=4))
        elif chance < 0.45:
            await self._press(
                self.random.choice(("comma", "comma", "full_stop", "greater_than_sign"))
            )
        elif chance < 0.55:
            await self._press(self.random.choice("123456"))
        elif chance < 0.90:
            await self._press(self._key(self._here()))
        else:
            await self._press(self._key(KEYS))

    def _here(self):
        screen = self.one.app.screen
        scope = getattr(screen, "SCOPE", "")
        if scope:
            return keys_of(scope)
        return [*keys_of(screen.NAME), *keys_of(screen.NAME), *keys_of(EVERYWHERE)]

    def _key(self, keys):
        known = [key for key in keys if key.id not in NEVER]
        return self.random.choice(self.random.choice(known).key.split(","))

    async def _press(self, *keys):
        for key in keys:
            if self._harms(key):
                key = "escape"
            self.trail.append(key)
            await self.one.press(key)

    def _harms(self, key):
        """What would end the walk, start a process, or write outside of this folder."""
        screen = self.one.app.screen
        if isinstance(screen, ScenariosScreen) and key in ("o", "O"):
            return True
        if isinstance(screen, Confirm) and key == "y":
            return "Quit" in screen._question
        return isinstance(screen, Export) and key in ("slash", "full_stop", "backslash")

    async def _paste(self, text):
        self.trail.append(("paste", text))
        if not isinstance(self.one.app.screen, Export):
            self.one.app.post_message(events.Paste(text))
            await self.one.press()

    async def _resize(self, size):
        self.trail.append(size)
        self.size = size
        await self.one.pilot.resize_terminal(*size)
        while self.one.app.screen.size != size:
            await self.one.pilot.pause()
        await self.one.turn()

    # What has to hold after each step

    def look(self):
        app, width = self.one.app, self.size[0]
        where = self.trail[-30:]
        assert app.failure is None, (app.failure, where)
        assert app.is_running, where
        control = app.session.control
        assert control is None or not control.error, (control.error, where)
        text = screen_text(app)
        text.encode()
        lines = text.split("\n")
        assert len(lines) <= self.size[1], where
        for line in lines:
            assert cell_len(line) <= width, (line, where)
            assert not [c for c in line if ord(c) < 32 or 0x7F <= ord(c) < 0xA0], (line, where)
            assert not set(line) & set("\u202e\u200b\ufeff\u2066\u2028"), (line, where)
        assert not framed_wrong(app, lines), (framed_wrong(app, lines), text, where)
        self._note(app, lines)

    def _note(self, app, lines):
        if app.message[0]:
            self.seen.add(("said", plain(app.message[0])))
        if len(lines) > 1:
            self.seen.add(("status", plain(lines[-2])))
        name = getattr(app.screen, "SCOPE", "") or getattr(app.screen, "NAME", "")
        for line in lines:
            found = re.search(r"(\S+ \S*\w) [│┃]", line)
            if found and "…" not in found[1]:
                self.seen.add((f"edge {name}", plain(found[1])))


def plain(text):
    """A sentence without its numbers."""
    return re.sub(r"[0-9a-f]{2}(:[0-9a-f]{2})+", "AA", re.sub(r"\d+", "9", text)).strip()


def columns_of(line):
    """Character of each column; the second column of a wide one is empty."""
    found = []
    for char in line:
        size = cell_len(char)
        if size:
            found += [char, *[""] * (size - 1)]
    return found


def framed_wrong(app, lines):
    """Why the frame of a pane that is seen is not whole; empty when all are."""
    grid = [columns_of(line) for line in lines]
    height, width = len(lines), app.size.width
    for pane in app.screen.query(Pane):
        region = pane.region
        if not pane.is_on_screen or not pane.visible or region.width < 4 or region.height < 2:
            continue
        if region.right > width or region.bottom > height or covered(app, pane):
            continue
        for y in range(region.y, region.bottom):
            row = [*grid[y], *[" "] * (width - len(grid[y]))]
            edges = row[region.x], row[region.right - 1]
            wanted = {region.y: ("┌┏", "┐┓"), region.bottom - 1: ("└┗", "┘┛")}.get(y, ("│┃", "│┃"))
            if not all(edge and edge in ok for edge, ok in zip(edges, wanted, strict=True)):
                return f"{pane} {region}: line {y}: {edges}"
    return ""


def covered(app, pane):
    """Whether something else is drawn over a part of it."""
    region = pane.region
    corners = (
        (region.x, region.y), (region.right - 1, region.y), (region.x, region.bottom - 1),
        (region.right - 1, region.bottom - 1), region.center,
    )  # fmt: skip
    for x, y in corners:
        at, _ = app.screen.get_widget_at(int(x), int(y))
        if at is not pane and pane not in at.ancestors:
            return True
    return False


async def walk(scenario, who, seed, steps, size):
    """What was seen."""
    async with bench(scenario, size, play=who) as one:
        going = Walk(one, seed, size)
        try:
            await going.go(steps)
        except BaseException:
            print(f"{scenario} {who} seed {seed}: {going.trail[-40:]}", file=sys.stderr)
            raise
        return going.seen


def main(scenario, who, seed, steps, size="80x24"):
    """Walk, print what was seen."""
    time_by_keys(setattr)
    columns, rows = size.split("x")
    story = walk(scenario, tuple(who.split(",")), int(seed), int(steps), (int(columns), int(rows)))
    for kind, text in sorted(asyncio.run(story)):
        print(json.dumps([kind, text], ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
