"""The colours of the screens: dark, light, high contrast, and the terminal's own sixteen.

A theme gives each style of `tui.widgets.lined` a colour and, where it has one, a ground of its own. Nothing is told by
colour alone; text stands out from its ground at least 4.5 : 1 (WCAG 2.2, 1.4.3), which a test checks. No screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.theme import Theme

__all__ = ["DEFAULT", "THEMES", "Colours", "textual_theme", "variables_of"]

DEFAULT = "dark"
_PREFIX = "nearbench-"


class Colours(NamedTuple):
    """One theme."""

    foreground: str
    background: str
    panel: str
    """ground of bars and of fields to type into."""
    styles: Mapping[str, str]
    """style -> colour of its text."""
    grounds: Mapping[str, str] = {}
    """style -> ground of its own."""
    dark: bool = True
    ansi: bool = False
    """whether the colours are names of the terminal's own."""


THEMES: dict[str, Colours] = {
    "dark": Colours(
        "#e6e6e6", "#121417", "#26303c",
        {
            "base": "#e6e6e6", "dim": "#a8b0b8", "head": "#ffffff", "cursor": "#ffffff", "good": "#7fd88f",
            "bad": "#ff8a80", "warn": "#f2c14e", "key": "#7cc7ff", "state": "#c3a6ff", "frame": "#8a949e",
            "focus": "#7cc7ff", "title": "#ffffff", "match": "#fff3c4", "bar": "#f0f0f0", "bytes": "#8fd3ff",
        },
        {"cursor": "#1f5f9f", "match": "#5a4a00", "bar": "#26303c"},
    ),
    "light": Colours(
        "#1a1a1a", "#ffffff", "#dfe6ee",
        {
            "base": "#1a1a1a", "dim": "#4f5b66", "head": "#000000", "cursor": "#ffffff", "good": "#14662b",
            "bad": "#a80f1b", "warn": "#7a4f00", "key": "#0b4f8a", "state": "#5b2a9d", "frame": "#5f6b76",
            "focus": "#0b4f8a", "title": "#000000", "match": "#1a1a1a", "bar": "#1a1a1a", "bytes": "#0b4f8a",
        },
        {"cursor": "#0b5cad", "match": "#ffe59a", "bar": "#dfe6ee"}, dark=False,
    ),
    "high-contrast": Colours(
        "#ffffff", "#000000", "#000000",
        {
            "base": "#ffffff", "dim": "#d8d8d8", "head": "#ffffff", "cursor": "#000000", "good": "#5cff5c",
            "bad": "#ffa8a8", "warn": "#ffd94a", "key": "#6fe3ff", "state": "#e0b3ff", "frame": "#ffffff",
            "focus": "#ffff00", "title": "#ffffff", "match": "#000000", "bar": "#000000", "bytes": "#9fe8ff",
        },
        {"cursor": "#ffff00", "match": "#ffffff", "bar": "#ffffff"},
    ),
    "ansi": Colours(
        "ansi_default", "ansi_default", "ansi_default",
        {
            "base": "ansi_default", "dim": "ansi_default", "head": "ansi_default", "cursor": "ansi_black",
            "good": "ansi_green", "bad": "ansi_red", "warn": "ansi_yellow", "key": "ansi_cyan", "state": "ansi_magenta",
            "frame": "ansi_default", "focus": "ansi_cyan", "title": "ansi_default", "match": "ansi_black",
            "bar": "ansi_black", "bytes": "ansi_cyan",
        },
        {"cursor": "ansi_white", "match": "ansi_yellow", "bar": "ansi_white"}, ansi=True,
    ),
}  # fmt: skip
"""By the name that `--theme` takes."""


def variables_of(name: str) -> dict[str, str]:
    """The variables that widgets name: `nearbench-STYLE` and `nearbench-STYLE-ground`."""
    colours = THEMES[name]
    found: dict[str, str] = {}
    for style, colour in colours.styles.items():
        found[f"{_PREFIX}{style}"] = colour
        found[f"{_PREFIX}{style}-ground"] = colours.grounds.get(style, colours.background)
    return found


def textual_theme(name: str) -> Theme:
    """The theme as Textual takes it."""
    from textual.theme import BUILTIN_THEMES, Theme

    one = THEMES[name]
    variables = BUILTIN_THEMES["ansi-dark"].variables if one.ansi else {}
    return Theme(
        name=f"{_PREFIX}{name}",
        primary=one.styles["focus"],
        secondary=one.styles["state"],
        warning=one.styles["warn"],
        error=one.styles["bad"],
        success=one.styles["good"],
        accent=one.styles["key"],
        foreground=one.foreground,
        background=one.background,
        surface=one.background,
        panel=one.panel,
        dark=one.dark,
        ansi=one.ansi,
        variables=variables | variables_of(name),
    )
