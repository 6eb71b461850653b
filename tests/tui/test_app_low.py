"""Low and narrow terminals: what asks somebody is there whole, down to its buttons, or says that a part is cut off."""

from __future__ import annotations

import pytest

from tests.tui.bench import bench, play
from tui.modals._base import BenchModal, Card

SIZES = ((60, 16), (60, 23), (80, 16), (80, 20))


def is_whole(one, *titles):
    """The cards have these titles, stand whole above the last two lines, and cut no word short; what is on them."""
    screen = one.text.split("\n")
    regions = [card.region for card in one.app.screen.query(Card) if card.display]
    shown = [[row[at.x : at.right] for row in screen[at.y : at.bottom]] for at in regions]
    assert [lines[0].split(" ")[1] for lines in shown] == [title.split(" ")[0] for title in titles]
    for lines, at in zip(shown, regions, strict=True):
        assert (lines[0][0], lines[0][-1], lines[-1][0], lines[-1][-1]) == tuple("┌┐└┘")
        assert at.bottom <= len(screen) - 2
        assert not [line for line in lines if "…" in line]
    assert "cut off" not in one.text
    return "\n".join(line for lines in shown for line in lines)


@pytest.mark.parametrize("size", SIZES)
def test_a_pin_is_asked_for_and_a_pairing_fails(size):
    async def story():
        async with bench(size=size) as one:
            await one.asked()
            text = is_whole(one, "Display", "PIN entry")
            assert "Enter: send" in text
            assert "Esc: cancel" in text
            await one.press("w")
            await one.ended()
            assert "Esc: close ]" in is_whole(one, "Pairing failed")

    play(story())


@pytest.mark.parametrize("size", SIZES)
def test_numbers_are_compared(size):
    async def story():
        async with bench("numeric_comparison", size=size) as one:
            await one.until(lambda: one.control.questions())
            assert "[ n: different ]" in is_whole(one, "Numeric comparison")

    play(story())


def test_empty_lines_come_back_with_room():
    async def story():
        async with bench(size=(80, 16)) as one:
            await one.asked()
            low = one.app.screen.query_one("#sheet").size.height
            await one.pilot.resize_terminal(80, 24)
            await one.turn()
            assert one.app.screen.query_one("#sheet").size.height == low + 3
            is_whole(one, "Display", "PIN entry")

    play(story())


class Tall(BenchModal[None]):
    """A card of twenty lines."""

    SCOPE = "modal:confirm"

    def draw(self):
        self.card.fill("Tall", ["text"] * 20)


@pytest.mark.parametrize(("height", "told"), [(25, False), (16, True)])
def test_what_cannot_be_shown_whole_says_so(height, told):
    async def story():
        async with bench(size=(80, height), play=("none",)) as one:
            one.app.push_screen(Tall())
            await one.turn()
            words = "a part is cut off: it takes 25 lines, there are 16"
            assert (words in one.text) is told

    play(story())
