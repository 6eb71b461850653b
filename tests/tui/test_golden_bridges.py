"""Golden screens of Bridges and its modals: a bench with every kind of trouble, and one with nothing on it."""

from __future__ import annotations

import pytest

from tests.tui.bench import SIZES, assert_golden, bench, play
from tests.tui.bridge_fakes import ALL, DEGRADED, FakeBridges

SIZED = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


async def golden(one, name, size, *keys):
    await one.press(*keys)
    assert_golden(f"{name}_{size[0]}x{size[1]}", one.text)


async def opened(one, shown=ALL):
    one.app._bridges = FakeBridges(shown)
    await one.press("6")


@SIZED
def test_a_bench_with_trouble(size):
    async def story():
        async with bench(size=size, play=("none",)) as one:
            await opened(one)
            await golden(one, "bridges_ok", size)
            await golden(one, "bridges_degraded", size, "down")
            await golden(one, "bridges_down", size, "down")
            await golden(one, "bridges_forbidden", size, "down")

    play(story())


@SIZED
def test_nothing_is_plugged_in(size):
    async def story():
        async with bench(size=size, play=("none",)) as one:
            await opened(one, ())
            await golden(one, "bridges_empty", size)

    play(story())


@SIZED
def test_modals_of_bridges(size):
    async def story():
        async with bench(size=size, play=("none",)) as one:
            await opened(one)
            await golden(one, "modal_bridge_add", size, "A")
            await one.type("serail:/dev/ttyACM0")
            await golden(one, "modal_bridge_add_wrong", size)
            await golden(one, "modal_bridge_role", size, "escape", "r")
            await one.press("escape", "down")
            await golden(one, "modal_bridge_log", size, "l")
            await one.press("escape", "T")
            assert_golden(f"modal_bridge_ask_{size[0]}x{size[1]}", one.text)
            await one.press("y")
            await one.found()
            await golden(one, "modal_bridge_report", size)

    play(story())


def test_bridges_plain_and_without_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def story():
        async with bench(play=("none",), ascii_only=True) as one:
            await opened(one, (DEGRADED, *ALL[2:]))
            await golden(one, "bridges_ascii", (80, 24))
            assert one.text.isascii()
        async with bench(size=(60, 16), play=("none",)) as one:
            await opened(one)
            await golden(one, "bridges_small", (60, 16))

    play(story())
