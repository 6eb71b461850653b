"""What the app opens: another screen, a modal by its file, a question of yes or no, and what people see of pairings."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tui import modals
from tui.app.base import BenchApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.control import Asking
    from tui.app import NearbenchApp
    from tui.models.outcomes import Outcome
    from tui.models.palette import Offer

__all__ = ["Opening"]


class Opening(BenchApp):
    """Screens, modals and sheets. Modals are loaded when they are opened: they know the app."""

    def _whole(self) -> NearbenchApp:
        """The app, as modals ask for it."""
        return cast("NearbenchApp", self)

    def action_show(self, name: str) -> None:
        """Another screen."""
        if name not in self._files:
            self.say(f"there is no screen {name.title()} in this installation")
        elif self.current_mode != name:
            self.switch_mode(name)
            self.call_after_refresh(self.tick)

    def action_modal(self, name: str) -> None:
        """Open a modal."""
        if name not in self._files:
            return
        made = modals.FOLDER.get(name)(self._whole())
        if isinstance(made, str):
            self.say(made)
        else:
            self.push_screen(made)

    def action_help(self) -> None:
        """Keys of this place."""
        self.action_modal("help")

    def action_palette(self) -> None:
        """Any action by name."""
        made = modals.FOLDER.get("palette")(self._whole())
        if not isinstance(made, str):
            self.push_screen(made, self._carry_out)

    async def _carry_out(self, chosen: Offer | None) -> None:
        from tui.modals.palette import carry_out

        await carry_out(self._whole(), chosen)

    def ask(self, question: str, then: Callable[[], None]) -> None:
        """Ask yes or no, and do it on yes."""
        from tui.modals.confirm import Confirm

        self.push_screen(Confirm(question), lambda said: then() if said else None)

    def open_packet(self, seq: int) -> None:
        """Show the packet with a sequence number (or the one that led to it) on Packets."""
        from tui.screens.packets import PacketsScreen

        self.action_show("packets")
        screen = self.bench_screen_or_none
        if isinstance(screen, PacketsScreen):
            screen.call_after_refresh(screen.show_packet, seq)

    # What people see of pairings

    def open_question(self, asking: Asking) -> None:
        """Show a question, unless it is open already."""
        from tui.app.sheets import show_question

        show_question(self, asking)

    def open_display(self, node: str) -> None:
        """Show the display of a device."""
        from tui.app.sheets import show_display

        show_display(self, node)

    def open_outcome(self, outcome: Outcome) -> None:
        """Show how a pairing ended."""
        from tui.modals.outcome import OutcomeCard

        self.push_screen(OutcomeCard(outcome))

    def close_questions(self, nodes: set[str]) -> None:
        """Take away what was asked or shown for a pairing of these."""
        from tui.app.sheets import close_sheets

        close_sheets(self, nodes)
