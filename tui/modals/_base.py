"""What modals have in common: cards in the middle, the keys of the modal in the last line, a turn of the clock.

A modal is at most 72 x 20 and cuts no sentence: what does not fit is broken into lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.keys import keys_of
from tui.text import cells, wrap
from tui.widgets.bars import KeyLine, StatusLine
from tui.widgets.pane import Pane
from tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.app import NearbenchApp
    from tui.keys import Key
    from tui.models.lanes import Piece
    from tui.session import Session
    from tui.signs import Signs

__all__ = ["CARD_WIDTH", "BenchModal", "Card"]

T = TypeVar("T")
CARD_WIDTH = 66
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
        self.say(title, note)
        size = min(self.most_width, self.screen.size.width - 2), len(found) + 2
        if found != self._lines or size != self._fitted:
            self._lines, self._fitted = found, size
            self.styles.width, self.styles.height = size
            self.refresh()

    def inside(self, y: int, width: int) -> list[Piece]:
        """One line."""
        return self._lines[y] if y < len(self._lines) else []


class BenchModal(ModalScreen[T], Generic[T]):
    """A modal. Subclasses set SCOPE and write `draw`."""

    SCOPE: ClassVar[str] = ""
    DEFAULT_CSS = """
    BenchModal #cards { width: auto; height: auto; margin-top: 1; }
    BenchModal #foot { dock: bottom; height: 2; }
    """

    @property
    def bench(self) -> NearbenchApp:
        """The app."""
        return cast("NearbenchApp", cast(Any, self).app)

    @property
    def session(self) -> Session:
        """The run."""
        return self.bench.session

    @property
    def signs(self) -> Signs:
        """The signs of this terminal."""
        return self.bench.signs

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
        if self.is_mounted and self.children:
            self.draw()
            self.query_one(StatusLine).show(self.sentence())

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
