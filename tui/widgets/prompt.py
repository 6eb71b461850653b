"""A prompt in a frame: one line that is typed, with completion and the lines of before.

Rules of the file: what is pasted is one line, without what a terminal would obey, and no longer than LONGEST. What a
line means is the screen's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.message import Message
from textual.widgets import Input

from tui.bindings import bindings
from tui.text import clean
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from tui.models.lanes import Piece

__all__ = ["LONGEST", "Prompt", "PromptInput"]

LONGEST = 400
"""Characters of a line."""
_EMPTY = "enter: type a command, help lists them"


class PromptInput(Input):
    """The line."""

    BINDINGS: ClassVar[list[Any]] = bindings("accessory:prompt")

    class Wanted(Message):
        """Something other than a character: `what` is complete, back, forth or leave."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self) -> None:
        super().__init__(
            id="line", max_length=LONGEST, select_on_focus=False, compact=True, placeholder=_EMPTY
        )
        self.cursor_blink = False

    def put(self, text: str) -> None:
        """Another line, the cursor behind it."""
        self.value = clean(text)[:LONGEST]
        self.cursor_position = len(self.value)

    def restricted(self) -> None:
        """A line that is full takes no more; no bell."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        start, end = sorted(self.selection)
        room = LONGEST - len(self.value) + end - start
        first = event.text[: LONGEST * 2].strip().splitlines()[:1]
        self.replace(clean("".join(first))[:room], start, end)

    def action_prompt_complete(self) -> None:
        """Tab: what the line may go on with; the next pane when there is no line."""
        if self.value.strip():
            self.post_message(self.Wanted("complete"))
        else:
            self.screen.focus_next()

    def action_prompt(self, what: str) -> None:
        """Ask the screen for something."""
        self.post_message(self.Wanted(what))


class Prompt(Pane, can_focus=False):
    """The frame around it; heavy while the line has the focus."""

    DEFAULT_CSS = """
    Prompt { height: 3; layout: vertical; }
    Prompt PromptInput { margin: 1 2 1 4; height: 1; width: 1fr; background: $background; }
    """

    def compose(self) -> ComposeResult:
        """The line."""
        yield PromptInput()

    @property
    def input(self) -> PromptInput:
        """The line."""
        return self.query_one(PromptInput)

    def _edge(self, name: str) -> str:
        return self.signs[name.upper() if self.input.has_focus else name]

    def inside(self, y: int, width: int) -> list[Piece]:
        """The sign in front of the line."""
        return [(">", "key")] if y == 0 else []

    def on_descendant_focus(self) -> None:
        """Draw the frame anew."""
        self.refresh()

    def on_descendant_blur(self) -> None:
        """Draw the frame anew."""
        self.refresh()
