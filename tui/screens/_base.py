"""What all screens have in common: the lines around, the panes between, the keys that mean the same everywhere.

A screen is a subclass with a NAME, its panes, and `tick`, which is called up to twenty times a second while it is
open. It reads `self.session`; it never keeps anything of a run across `renew`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container
from textual.screen import Screen

from tui.bindings import bindings
from tui.keys import EVERYWHERE, keys_of
from tui.on_app import OnApp
from tui.widgets.bars import KeyLine, StatusLine, TabLine, TitleLine
from tui.widgets.event_list import EventList
from tui.widgets.pane import Pane
from tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from sim.control import Asking
    from tui.keys import Key

__all__ = ["BenchScreen"]

_NARROW, _LOW = 80, 24


class BenchScreen(OnApp, Screen[None]):
    """One of the screens behind the digits."""

    NAME: ClassVar[str] = ""
    BINDINGS: ClassVar[list[Any]] = bindings(EVERYWHERE)
    AUTO_FOCUS: ClassVar[str | None] = "EventList"
    WITHOUT: ClassVar[frozenset[str]] = frozenset()
    """ids of keys of every screen that have nothing to do on this one: shown nowhere; pressed they say so."""
    DEFAULT_CSS = """
    BenchScreen { layout: vertical; }
    BenchScreen #body { height: 1fr; width: 100%; layout: vertical; }
    BenchScreen .row { height: auto; width: 100%; layout: horizontal; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.maximised: Pane | None = None
        self.split = 0

    # Parts

    def compose(self) -> ComposeResult:
        """Bars around the panes."""
        yield TitleLine()
        yield TabLine(self.NAME)
        with Container(id="body"):
            yield from self.panes()
        yield StatusLine()
        yield KeyLine()
        yield TooSmall()

    def panes(self) -> ComposeResult:
        """The panes of the screen."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """What was hidden may have another size and other rows by now."""
        for one in self.query(EventList):
            one.sync()

    def on_mount(self) -> None:
        """No tooltips: they need a mouse, and flash when a screen opens."""
        self.query("Tooltip").remove()

    @property
    def main_list(self) -> EventList:
        """The list that the screen is about."""
        return self.query_one(EventList)

    def renew(self) -> None:
        """Another run has begun: forget the old one."""

    def tick(self) -> None:
        """Something may have happened."""

    def status(self) -> tuple[str, str]:
        """The sentence of the last line but one, and its style; empty for the last thing that happened."""
        return "", ""

    def takes(self, asking: Asking) -> bool:
        """Whether this screen asks a person itself, and no modal is wanted for it."""
        return False

    def works(self, key: Key) -> bool:
        """Whether a key does something now; answers only while somebody is asked."""
        if key.id == "pin":
            control = self.session.control
            return control is not None and bool(control.questions())
        return key.id not in self.WITHOUT

    def keys_here(self) -> list[Key]:
        """Keys that work here, those of the screen first."""
        known = [*keys_of(self.NAME), *keys_of(EVERYWHERE)]
        return [key for key in known if self.bench.is_there(key) and self.works(key)]

    def show_bars(self) -> None:
        """Bring the lines around up to date."""
        bench = self.bench
        self.query_one(TitleLine).show(*bench.title_parts())
        text, style = self.status()
        said = (text, style) if text else bench.last_sentence()
        is_told = bool(
            text or bench.message[0]
        )  # what merely happened is read in full on the ladder
        is_seen = bench.screen is self  # else the foot of a sheet lies upon it
        self.query_one(StatusLine).show(*said, whole=is_told and is_seen)
        self.query_one(KeyLine).show(self.keys_here())

    # Size

    def on_resize(self) -> None:
        """Small terminals lose the detail, tiny ones everything but a sentence."""
        size = self.bench.size
        self.set_class(size.width >= 100, "-wide")
        self.set_class(size.height >= 36, "-tall")
        self.set_class(size.width < _NARROW or size.height < _LOW, "-small")
        self.query_one(TooSmall).take_over()
        self.lay_out()

    def lay_out(self) -> None:
        """Give panes their room; called after a resize, a maximise and a move of the split."""

    # Keys that every list understands

    def _focused_pane(self) -> Pane:
        focused = self.focused
        return focused if isinstance(focused, Pane) else self.main_list

    def _movable(self) -> EventList:
        pane = self._focused_pane()
        return pane if isinstance(pane, EventList) else self.main_list

    def action_move(self, delta: int) -> None:
        """One line."""
        self._movable().move(delta)

    def action_page(self, delta: int) -> None:
        """One page."""
        self._movable().page(delta)

    def action_home(self) -> None:
        """The first line."""
        self._movable().home()

    def action_end(self) -> None:
        """The last line."""
        self._movable().end()

    def action_follow(self) -> None:
        """Follow the newest line, or stop."""
        if "follow" in self.WITHOUT:
            self._has_no("newest line to follow")
            return
        self.main_list.follow = not self.main_list.follow
        self.main_list.sync()

    def action_choose(self) -> None:
        """Open what the cursor is on."""

    def action_back(self) -> None:
        """Give a maximised pane's room back."""
        if self.maximised is not None:
            self.action_pane_maximise()

    def action_filter(self) -> None:
        """Filter or search."""
        self._has_no("list to filter")

    def action_find(self, step: int) -> None:
        """Next or previous match."""
        self._has_no("search: Ladder, Packets and Accessory have one")

    def action_mark(self) -> None:
        """Mark the line."""
        self._has_no("marks: Ladder and Packets have them")

    def action_mark_next(self) -> None:
        """Go to the next mark."""
        self._has_no("marks: Ladder and Packets have them")

    def action_time_style(self) -> None:
        """Another way to write times."""
        self._has_no("times to choose: Ladder and Packets have them")

    def _has_no(self, what: str) -> None:
        self.bench.say(f"{self.NAME.title()} has no {what}")

    def action_copy(self) -> None:
        """Copy the line."""

    def action_pane_maximise(self) -> None:
        """All the room for the pane that has the focus, or as before."""
        self.maximised = self._focused_pane() if self.maximised is None else None
        for pane in self.query(Pane):
            pane.display = self.maximised is None or pane is self.maximised
        self.lay_out()

    def action_pane_split(self) -> None:
        """More room for the list, for the detail, as before."""
        self.split = (self.split + 1) % 3
        self.lay_out()
