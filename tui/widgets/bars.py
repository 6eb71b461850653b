"""The lines around every screen: run state at the top, the screens, the last thing that happened, the keys of this place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.keys import SCREENS, shown
from tui.text import cells, cut, wrap
from tui.widgets.lined import Lined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.keys import Key
    from tui.models.lanes import Piece

__all__ = ["KeyLine", "StatusLine", "TabLine", "TitleLine"]


class _Bar(Lined):
    DEFAULT_CSS = "_Bar { height: 1; width: 100%; }"


class TitleLine(_Bar):
    """Line 1: name, scenario, run state by word and sign, speed, simulated time, seed, capture."""

    def __init__(self) -> None:
        super().__init__()
        self.left = ""
        self.right: tuple[str, ...] = ()

    def show(self, left: str, right: Sequence[str]) -> None:
        """Set both ends; redraws when they are new."""
        if (left, tuple(right)) != (self.left, self.right):
            self.left, self.right = left, tuple(right)
            self.refresh()

    def base_style(self, y: int) -> str:
        """A bar."""
        return "bar"

    def line(self, y: int, width: int) -> list[Piece]:
        """Both ends, what is in the middle of little use left out first."""
        right = "   ".join(self.right) if width >= 100 else "  ".join(self.right)
        left = cut(self.left, max(12, width - cells(right) - 4))
        room = width - cells(left) - cells(right) - 2
        return [(f" {left}{' ' * max(1, room)}{right} ", "bar")]


class TabLine(_Bar):
    """Line 2: the screens, the open one in brackets."""

    def __init__(self, current: str) -> None:
        super().__init__()
        self.current = current

    def line(self, y: int, width: int) -> list[Piece]:
        """Digits and names; digits alone where there is no room."""
        found = self._labels(short=False)
        if sum(cells(text) for text, _ in found) > width:
            found = self._labels(short=True)
        return [(" ", ""), *found]

    def _labels(self, *, short: bool) -> list[Piece]:
        out: list[Piece] = []
        for number, name in enumerate(SCREENS, 1):
            label = str(number) if short else f"{number} {name.title()}"
            is_open = name == self.current
            out.append((f"[{label}]" if is_open else f" {label} ", "head" if is_open else "dim"))
            out.append(("  ", ""))
        return out[:-1]


class StatusLine(_Bar):
    """Last line but one: a sentence; one that has to be read to its end takes a second line where it needs one."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.style = ""
        self._whole = False

    def show(self, text: str, style: str = "", *, whole: bool = False) -> None:
        """Set the sentence, `whole` when a second line may be taken for it; redraws when it is new."""
        if (text, style, whole) != (self.text, self.style, self._whole):
            self.text, self.style, self._whole = text, style, whole
            self._take_room()
            self.refresh()

    def on_resize(self) -> None:
        """Another width may take another number of lines."""
        self._take_room()

    def _take_room(self) -> None:
        height = len(self._rows(self.size.width)) if self.size.width else 1
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def _rows(self, width: int) -> list[str]:
        room = max(1, width - 2)
        if not self._whole or cells(self.text) <= room:
            return [cut(self.text, room)]
        first = wrap(self.text, room)[0]
        return [first, cut(self.text[len(first) :].lstrip(), room)]

    def line(self, y: int, width: int) -> list[Piece]:
        """The sentence."""
        rows = self._rows(width)
        return [(f" {rows[y]}", self.style)] if y < len(rows) else []


class KeyLine(_Bar):
    """Last line: keys that work here, the most wanted first, as many as fit."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: tuple[Key, ...] = ()

    def show(self, keys: Sequence[Key]) -> None:
        """Set the keys; redraws when they are new."""
        if tuple(keys) != self.keys:
            self.keys = tuple(keys)
            self.refresh()

    def base_style(self, y: int) -> str:
        """A bar."""
        return "bar"

    def line(self, y: int, width: int) -> list[Piece]:
        """Key and word, by rank."""
        room, plain = width - 2, self.is_ascii
        out: list[Piece] = [(" ", "bar")]
        for key in sorted((key for key in self.keys if key.rank), key=lambda key: key.rank):
            name = shown(key.key.partition(",")[0], ascii_only=plain)
            size = cells(f"{name} {key.label}  ")
            if size <= room:
                room -= size
                out += [(name, "key"), (f" {key.label}  ", "bar")]
        return out
