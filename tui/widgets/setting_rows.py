"""The settings of a device, one line each: `name = value`, with a sign where it counts from the next start on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.text import cut
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from tui.models.accessory_state import Setting
    from tui.models.lanes import Piece

__all__ = ["SettingRows"]


class SettingRows(EventList):
    """Settings as `tui.models.accessory_state` gives them."""

    def __init__(self) -> None:
        super().__init__(id="settings")
        self.settings: list[Setting] = []

    def show(self, settings: list[Setting]) -> None:
        """Show these; redraws when they are new."""
        if settings != self.settings:
            self.settings = settings
            self.sync()

    def count(self) -> int:
        """Settings."""
        return len(self.settings)

    def key(self, index: int) -> Any:
        """Its name."""
        return self.settings[index].name

    def find(self, key: Any) -> int | None:
        """Where a setting is now."""
        return next((at for at, one in enumerate(self.settings) if one.name == key), None)

    def selected(self) -> Setting | None:
        """The setting under the cursor."""
        return self.settings[self.cursor] if self.cursor < len(self.settings) else None

    def empty_text(self) -> str:
        """Of a capture there are none."""
        return "no device"

    def row(self, index: int, width: int) -> list[Piece]:
        """One setting."""
        one = self.settings[index]
        later = " (next start)" if one.is_changed else ""
        text = cut(f"{one.name} = {one.text}", max(4, width - len(later)))
        return [(text, "warn" if one.is_changed else ""), (later, "warn")]
