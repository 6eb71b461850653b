"""What screens and modals ask the app for: the app itself, as ours, its session and its signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from tui.app import NearbenchApp
    from tui.session import Session
    from tui.signs import Signs

__all__ = ["OnApp"]


class OnApp:
    """One part of a screen."""

    @property
    def bench(self) -> NearbenchApp:
        """The app."""
        return cast("NearbenchApp", cast(Any, self).app)

    @property
    def session(self) -> Session:
        """The run or capture."""
        return self.bench.session

    @property
    def signs(self) -> Signs:
        """The signs of this terminal."""
        return self.bench.signs
