"""A field to type into: one line of text that a terminal would not obey, no longer than it can be of use.

Whatever is pasted loses what is no character (control, format, surrogate), its lines become one, and what is too long
is left out.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from textual.widgets import Input

if TYPE_CHECKING:
    from textual import events

__all__ = ["MOST", "Field"]

MOST = 400
"""Characters that a field takes, where it does not say less."""
_PASTED = 10_000
"""Characters of a paste that are looked at."""
_LINE_ENDS = ("Zl", "Zp")
"""Unicode categories of what ends a line and is no control character."""


class Field(Input):
    """An input without surprises: bounded, clean, one line high, with a cursor that does not blink."""

    def __init__(self, value: str = "", *, most: int = MOST, **options: Any) -> None:
        given: dict[str, Any] = {"id": "text", "select_on_focus": False, "compact": True} | options
        super().__init__(_plain(value)[:most], max_length=most, **given)
        self.cursor_blink = False

    def replace(self, text: str, start: int, end: int) -> None:
        """Put `text` in place of [start, end), as much of it as there is room for."""
        length = len(self.value)
        low, high = sorted((max(0, start), min(length, end)))
        room = (self.max_length or MOST) - (length - (high - low))
        super().replace(_plain(text)[: max(0, room)], start, end)

    def on_paste(self, event: events.Paste) -> None:
        """All lines as one."""
        event.prevent_default()
        event.stop()
        self.replace(" ".join(event.text[:_PASTED].split()), *self.selection)


def _plain(text: str) -> str:
    kinds = ((char, unicodedata.category(char)) for char in text)
    return "".join(char for char, kind in kinds if kind[0] != "C" and kind not in _LINE_ENDS)
