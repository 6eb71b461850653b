"""The display of a device that shows its PIN: large and grouped, with what the other side has typed so far unknown.

For people who play the device that shows. Closing it changes nothing; the pairing goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tui.bindings import bindings
from tui.modals._base import BenchModal
from tui.modals.pin_entry import display_lines

if TYPE_CHECKING:
    from tui.models.lanes import Piece

__all__ = ["PinDisplay"]


class PinDisplay(BenchModal[None]):
    """The display of one device."""

    SCOPE = "modal:pin_display"
    CLOSES_UP = True
    TAKES_NO_ANSWER = True
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node
        self.hidden = False
        self._pin = ""
        self._since_us = 0

    @property
    def nodes(self) -> set[str]:
        """The device that it is about."""
        return {self.node}

    def sentence(self) -> str:
        """What is going on."""
        return f"{self.node} displays its PIN; closing this changes nothing"

    def action_hide(self) -> None:
        """Hide or show digits."""
        self.hidden = not self.hidden
        self.draw()

    def action_copy(self) -> None:
        """Copy the PIN."""
        self.bench.copy_to_clipboard(self._pin)
        self.bench.say("the PIN is copied")

    def action_close(self) -> None:
        """Close; the pairing goes on."""
        self.dismiss()

    def draw(self) -> None:
        """The card; it goes when the display goes dark."""
        control = self.session.control
        face = None if control is None else control.face(self.node)
        if control is None or face is None or not face.pin:
            self.dismiss()
            return
        if face.pin != self._pin:
            self._pin, self._since_us = face.pin, control.now_us
        paused = "   paused" if control.state != "running" else ""
        lines: list[list[Piece] | str] = [
            "",
            *display_lines(self, face.pin, hidden=self.hidden),
            "",
        ]
        lines.append(
            f"   shown by {self.node} for {(control.now_us - self._since_us) / 1e6:.1f} s{paused}"
        )
        lines += ["", "   [ c: copy ]  [ h: hide ]  [ Esc: close (pairing goes on) ]"]
        self.card.fill(f"PIN display {self.signs['dot']} {self.node}", lines)
