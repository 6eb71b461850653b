"""Colours: text stands out from its ground in every theme, every style has one, and none is needed to understand."""

from __future__ import annotations

import functools

import pytest
from rich.color import ColorType

from tests.tui.bench import bench, play
from tui.app import NearbenchApp
from tui.themes import THEMES, textual_theme, variables_of
from tui.widgets.lined import STYLES

LEAST = 4.5
"""WCAG 2.2, 1.4.3, for text of usual size."""
OWN = [name for name, colours in THEMES.items() if not colours.ansi]


def luminance(red, green, blue):
    """Relative luminance (WCAG 2.2, definition)."""
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (red / 255, green / 255, blue / 255)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    high, low = sorted((luminance(*one), luminance(*other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rgb(text):
    return tuple(bytes.fromhex(text.removeprefix("#")))


def test_contrast_is_counted_as_it_should():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("style", STYLES)
def test_text_stands_out_from_its_ground(name, style):
    found = variables_of(name)
    ground = found[f"nearbench-{style}-ground"]
    assert contrast(rgb(found[f"nearbench-{style}"]), rgb(ground)) >= LEAST


@pytest.mark.parametrize("name", OWN)
def test_fields_to_type_into_can_be_read(name):
    one = THEMES[name]
    assert contrast(rgb(one.foreground), rgb(one.panel)) >= LEAST


def test_high_contrast_is_higher():
    """WCAG 2.2, 1.4.6: 7 : 1."""
    found = variables_of("high-contrast")
    for style in STYLES:
        colours = rgb(found[f"nearbench-{style}"]), rgb(found[f"nearbench-{style}-ground"])
        assert contrast(*colours) >= 7


def test_every_theme_has_every_style():
    for colours in THEMES.values():
        assert set(colours.styles) == set(STYLES)
        assert set(colours.grounds) <= set(STYLES)


def test_the_terminals_own_colours_are_nothing_else():
    assert all(value.startswith("ansi_") for value in variables_of("ansi").values())
    assert textual_theme("ansi").ansi


def segments(app):
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if segment.style is not None and segment.text.strip():
                yield segment


@pytest.mark.parametrize("name", OWN)
def test_what_is_on_the_screens_stands_out(name):
    """Every piece of text that is drawn, whatever made it."""

    async def story():
        async with bench(play=("none",), size=(120, 40)) as one:
            one.app.theme = textual_theme(name).name
            await one.run_for(1)
            for screen in ("1", "2", "3"):
                await one.press(screen)
                checked = 0
                for segment in segments(one.app):
                    front, back = segment.style.color, segment.style.bgcolor
                    assert contrast(front.triplet, back.triplet) >= LEAST, (screen, segment)
                    checked += 1
                assert checked > 50

    play(story())


def test_the_terminals_own_colours_are_what_is_drawn():
    async def story():
        async with bench(play=("none",)) as one:
            one.app.theme = textual_theme("ansi").name
            await one.run_for(1)
            kinds = {segment.style.color.type for segment in segments(one.app)}
            assert kinds <= {ColorType.DEFAULT, ColorType.STANDARD}

    play(story())


@pytest.mark.parametrize("name", THEMES)
def test_a_theme_changes_no_character(name):
    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(0.3)
            before = one.text
            one.app.theme = textual_theme(name).name
            await one.turn()
            assert one.text == before

    play(story())


def test_the_theme_of_the_option_is_there_from_the_first_frame():
    app = NearbenchApp(lambda: None, theme="light")
    assert app.theme == "nearbench-light"
    assert not app.current_theme.dark


@pytest.mark.parametrize("name", THEMES)
def test_without_colour_every_theme_can_be_read(name, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("tests.tui.bench.NearbenchApp", functools.partial(NearbenchApp, theme=name))

    async def story():
        async with bench(play=("none",)) as one:
            await one.run_for(0.3)
            drawn = [(part.style.color, part.style.bgcolor) for part in segments(one.app)]
            assert len(drawn) > 50
            for front, back in drawn:
                assert contrast(front.triplet, back.triplet) >= 3, (front, back)
                assert len(set(front.triplet)) == len(set(back.triplet)) == 1, "no colour"

    play(story())
