"""No key at no moment brings the interface down, breaks a frame or writes beyond an edge: walks without a plan."""

from __future__ import annotations

import asyncio

import pytest

from tests.tui.bench import bench, play
from tests.tui.walk import Walk, framed_wrong, time_by_keys, walk

BOTH, PHONE, ACCESSORY, NOBODY = ("phone", "accessory"), ("phone",), ("accessory",), ("none",)
SMALL, WIDE = (80, 24), (120, 40)
STEPS = 25
WALKS = [
    ("passkey_lock", BOTH, SMALL),
    ("keypad_types", ACCESSORY, WIDE),
    ("both_type", BOTH, WIDE),
    ("numeric_comparison", PHONE, SMALL),
    ("wrong_pin", NOBODY, WIDE),
    ("just_works_headset", PHONE, SMALL),
    ("dfu_update", NOBODY, SMALL),
    ("demo", BOTH, SMALL),
    ("two_iphones", PHONE, WIDE),
    ("us06_network_down_repaired", ACCESSORY, SMALL),
    ("us47_second_browser", BOTH, SMALL),
    ("crowd_1000", NOBODY, WIDE),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "who", "size"), WALKS, ids=[scenario for scenario, *_ in WALKS]
)
def test_no_walk_ends_early(monkeypatch, tmp_path, scenario, who, size):
    monkeypatch.chdir(tmp_path)
    time_by_keys(monkeypatch.setattr)
    asyncio.run(walk(scenario, who, len(scenario), STEPS, size))


def test_a_walk_notices_a_frame_that_is_broken_and_an_app_that_failed(monkeypatch):
    """Else it would prove nothing."""

    async def story():
        async with bench(play=NOBODY) as one:
            going = Walk(one, 1, SMALL)
            going.look()
            lines = one.text.split("\n")
            assert framed_wrong(one.app, lines) == ""
            lines[7] = lines[7].replace("┃", " ", 1)
            assert "line 7" in framed_wrong(one.app, lines)
            monkeypatch.setattr(one.app, "failure", ValueError("boom"))
            with pytest.raises(AssertionError, match="boom"):
                going.look()

    play(story())


@pytest.mark.slow
def test_the_same_seed_presses_the_same_keys(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    time_by_keys(monkeypatch.setattr)

    async def keys():
        async with bench(play=NOBODY) as one:
            going = Walk(one, 5, SMALL)
            await going.go(4)
            return going.trail, one.text

    assert asyncio.run(keys()) == asyncio.run(keys())
