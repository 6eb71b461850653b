"""Text for cells: exact widths, nothing that a terminal would obey."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.signs import ASCII, UNICODE
from tui.text import ago, ascii_of, cells, clean, clock, cut, cut_middle, fit, pin_groups, right

WILD = st.text(max_size=30) | st.text(alphabet="aé漢字🔒\u200b\x1b[2J\u202e", max_size=30)


@given(WILD)
@example("\u2028\u2029")
def test_what_was_cleaned_moves_no_cursor(text):
    shown = clean(text)
    assert "\x1b" not in shown
    assert all(one.isprintable() or one == " " or cell_len(one) for one in shown)
    assert "\u202e" not in shown, "text direction marks turn lines around"


@given(WILD.map(clean), st.integers(0, 40))
def test_widths_are_exact(text, width):
    assert cells(fit(text, width)) == width
    assert cells(right(text, width)) == width
    assert cells(cut(text, width)) <= width
    assert cells(cut_middle(text, width)) <= width


@given(WILD.map(clean))
def test_ascii_is_as_wide(text):
    assert ascii_of(text).isascii()
    assert len(ascii_of(text)) == cells(text)


def test_cutting_says_that_something_is_missing():
    assert cut("pairing request", 9) == "pairing…"
    assert cut_middle("pairing request", 9) == "pair…uest"
    assert cut("fits", 4) == "fits"


@pytest.mark.parametrize(
    ("pin", "shown"),
    [
        ("019655", "0 1 9 – 6 5 5"),
        ("000000", "0 0 0 – 0 0 0"),
        ("", ""),
        ("1234567", "1 2 3 – 4 5 6 – 7"),
    ],
)
def test_pins_are_grouped(pin, shown):
    assert pin_groups(pin) == shown


@pytest.mark.parametrize(
    ("age_us", "text"),
    [
        (0, "0.0s"),
        (9_949_000, "9.9s"),
        (14_000_000, "14s"),
        (120_000_000, "2min"),
        (7_200_000_000, "2h"),
    ],
)
def test_ages(age_us, text):
    assert ago(age_us) == text
    assert len(text) <= 5


def test_clock_counts_hours():
    assert clock(16_431_999) == "00:00:16.431"
    assert clock(3_600_000_000 * 27) == "27:00:00.000"


def test_signs_have_an_ascii_likeness_of_the_same_width():
    for name in UNICODE._table:
        assert cells(UNICODE[name]) == cells(ASCII[name]) == 1, name
        assert ASCII[name].isascii()
    assert ASCII.bars.isascii()
    assert len(ASCII.bars) == len(UNICODE.bars) == 8


def test_each_digit_looks_different():
    for signs in (UNICODE, ASCII):
        assert len({signs.big(str(digit)) for digit in range(10)}) == 10


def test_a_large_pin_is_as_wide_in_every_row_as_its_groups():
    for signs in (UNICODE, ASCII):
        rows = signs.big("019655")
        assert max(map(len, rows)) <= 60


def test_a_bar_is_full_at_one():
    assert UNICODE.bar(1, 4) == "▮▮▮▮"
    assert UNICODE.bar(0, 4) == "▯▯▯▯"
    assert ASCII.bar(0.5, 4) == "##.."
    assert ASCII.bar(7, 4) == "####"
