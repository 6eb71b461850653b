"""The base of our widgets: lines of pieces, (text, style name), turned into strips when Textual asks for them.

Style names are those of STYLES; each is a component class whose colours are variables of `tui.themes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.signs import ASCII, UNICODE, Signs
from tui.text import ascii_of, cells

if TYPE_CHECKING:
    from rich.style import Style

    from tui.models.lanes import Piece

__all__ = ["STYLES", "Lined"]

STYLES = (
    "base", "dim", "head", "cursor", "good", "bad", "warn", "key", "state", "frame", "focus", "title", "match", "bar",
    "bytes",
)  # fmt: skip

_BOLD = frozenset(("head", "bad", "key", "focus", "title"))


def _signs_of(widget: Any) -> Signs:
    signs: Signs = getattr(widget.app, "signs", UNICODE)
    return signs


class Lined(Widget):
    """A widget of lines. Subclasses write `line`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lined--{style}" for style in STYLES}
    DEFAULT_CSS = "\n".join((
        "Lined { background: $background; color: $foreground; }",
        *(
            f"Lined .lined--{style} {{ color: $nearbench-{style}; background: $nearbench-{style}-ground;"
            f"{' text-style: bold;' if style in _BOLD else ''} }}"
            for style in STYLES
        ),
    ))  # fmt: skip

    @property
    def signs(self) -> Signs:
        """The signs of this terminal."""
        return _signs_of(self)

    @property
    def is_ascii(self) -> bool:
        """Whether the terminal has nothing but ASCII."""
        return self.signs is ASCII

    def line(self, y: int, width: int) -> list[Piece]:
        """The pieces of line `y`; what they leave of `width` stays empty."""
        raise NotImplementedError

    def style_of(self, name: str) -> Style:
        """The style of that name; the base for an empty one."""
        return self.get_component_rich_style(f"lined--{name or 'base'}")

    def base_style(self, y: int) -> str:
        """Name of the style behind line `y`."""
        return ""

    def render_line(self, y: int) -> Strip:
        """A line as Textual takes it: exactly as wide as the widget."""
        width = self.size.width
        behind = self.style_of(self.base_style(y))
        segments: list[Segment] = []
        used = 0
        plain = self.is_ascii
        for piece, name in self.line(y, width):
            text = ascii_of(piece) if plain else piece
            if text:
                segments.append(Segment(text, self.style_of(name) if name else behind))
                used += cells(text)
        strip = Strip(segments, used)
        return strip if used == width else strip.adjust_cell_length(width, behind)
