"""What modals have in common: cards in the middle, the keys of the modal in the last line, a turn of the clock.

A modal is at most 72 columns wide and cuts no sentence: what does not fit is broken into lines.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.screen import ModalScreen

from tui.keys import keys_of
from tui.on_app import OnApp
from tui.text import cells, wrap
from tui.widgets.bars import KeyLine, StatusLine
from tui.widgets.pane import Pane
from tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from tui.keys import Key
    from tui.models.lanes import Piece

__all__ = ["AROUND", "CARD_WIDTH", "BenchModal", "Card"]

T = TypeVar("T")
_nothing: Callable[[], AwaitComplete] = AwaitComplete.nothing
CARD_WIDTH = 66
_ROOMY_HEIGHT = 24
"""Lines of a terminal from which on all cards have empty lines between their parts."""
AROUND = 3
"""Lines that no card can have: one above them, a sentence and the keys below."""
_LEAST_INNER = 20
"""Columns for which sentences are broken at least, on terminals where no card is seen."""


class Card(Pane, can_focus=False):
    """A box of lines; as high as they are."""

    DEFAULT_CSS = f"Card {{ width: {CARD_WIDTH}; height: auto; }}"
    most_width = CARD_WIDTH
    focusable_frame = False

    def __init__(self, *, id: str = "card") -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._lines: list[list[Piece]] = []
        self._fitted = (0, 0)

    def fill(self, title: str, lines: Sequence[Sequence[Piece] | str], note: str = "") -> None:
        """Set title and lines; redraws when they are new."""
        found: list[list[Piece]] = [
            [(one, "")] if isinstance(one, str) else list(one) for one in lines
        ]
        if self.screen.size.height < _ROOMY_HEIGHT and getattr(self.screen, "CLOSES_UP", False):
            found = [one for one in found if any(text.strip() for text, _ in one)]
        self.say(title, note)
        size = min(self.most_width, self.screen.size.width - 2), len(found) + 2
        if found != self._lines or size != self._fitted:
            self._lines, self._fitted = found, size
            self.styles.width, self.styles.height = size
            self.refresh()

    def inside(self, y: int, width: int) -> list[Piece]:
        """One line."""
        return self._lines[y] if y < len(self._lines) else []


class BenchModal(OnApp, ModalScreen[T], Generic[T]):
    """A modal. Subclasses set SCOPE and write `draw`."""

    SCOPE: ClassVar[str] = ""
    CLOSES_UP: ClassVar[bool] = False
    """whether its cards go without empty lines on low terminals; not where something is laid over a line."""
    ESC_CLOSES: ClassVar[bool] = True
    """whether esc takes it away and does nothing else."""
    TAKES_NO_ANSWER: ClassVar[bool] = False
    """whether what opens by itself may open above it."""
    IS_CARD: ClassVar[bool] = False
    """whether it tells of a failure: further ones may stand above it."""
    DEFAULT_CSS = """
    BenchModal #cards { width: auto; height: auto; margin-top: 1; }
    BenchModal #foot { dock: bottom; height: 2; }
    """

    is_over: bool = False
    """whether it is done with, though another modal may still stand above it."""
    _left_with: T | None = None
    _waits: bool = False

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leave: at once, or as soon as the modal above has left. Nothing the second time."""
        if self.is_over:
            return _nothing()
        self.is_over = True
        if self.is_active:
            return super().dismiss(result)
        self._left_with, self._waits = result, True
        for part in self.query("#cards, #foot"):
            part.visible = False  # not the screen: nothing behind it would be seen any more
        return _nothing()

    def on_screen_resume(self) -> None:
        """Nothing stands above any more."""
        if self._waits and self.is_active:
            self._waits = False
            super().dismiss(self._left_with)

    @property
    def inner(self) -> int:
        """Columns inside of a card."""
        return max(_LEAST_INNER, min(CARD_WIDTH, self.size.width - 2) - 4)

    def wrapped(self, text: str, indent: int = 3) -> list[str]:
        """A sentence in lines of a card."""
        return wrapped(text, indent=indent, width=self.inner)

    def centred(self, text: str) -> str:
        """In the middle of a card."""
        return centred(text, self.inner)

    def cards(self) -> ComposeResult:
        """What is in the middle."""
        yield Card()

    def compose(self) -> ComposeResult:
        """Cards, a sentence, keys."""
        with Vertical(id="cards"):
            yield from self.cards()
        with Vertical(id="foot"):
            yield StatusLine()
            yield KeyLine()
        yield TooSmall()

    def on_resize(self) -> None:
        """Tiny terminals get a sentence in place of the cards."""
        self.query_one(TooSmall).take_over()

    def on_mount(self) -> None:
        """Draw at once; without tooltips, which need a mouse."""
        self.query("Tooltip").remove()
        with contextlib.suppress(NoMatches):  # it is being taken down already
            self.query_one(KeyLine).show(self.keys_here())
            self.tick()

    def keys_here(self) -> list[Key]:
        """Keys that work here."""
        return keys_of(self.SCOPE)

    def sentence(self) -> str:
        """What the last line but one says."""
        return ""

    def tick(self) -> None:
        """Something may have happened."""
        if self.is_mounted and self.children and not self.is_over:
            self.draw()
            self.query_one(StatusLine).show(
                self._waits_behind() or self._cut_off() or self.sentence()
            )

    def _waits_behind(self) -> str:
        """Who is asked for something while this is open, and how to get there."""
        words = self.bench.waiting.words
        return (
            words
            and f"{words}: {'esc closes this and goes there' if self.ESC_CLOSES else 'after this'}"
        )

    def _cut_off(self) -> str:
        """Where the cards do not fit one above the other: how many lines they take."""
        heights = [
            int(card.styles.height.value)
            for card in self.query(Card)
            if card.display and card.styles.height is not None
        ]
        lines, size = sum(heights) + AROUND, self.size
        return (
            f"a part is cut off: it takes {lines} lines, there are {size.height}"
            if lines > size.height
            else ""
        )

    def draw(self) -> None:
        """Fill the cards."""
        raise NotImplementedError

    @property
    def card(self) -> Card:
        """The first card."""
        return self.query_one(Card)


def wrapped(text: str, *, indent: int, width: int) -> list[str]:
    """A sentence in lines of a card."""
    if not text:
        return []
    return [" " * indent + line for line in wrap(text, width - indent)]


def centred(text: str, width: int) -> str:
    """In the middle of a card."""
    return " " * max(0, (width - cells(text)) // 2) + text
