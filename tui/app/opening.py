"""What the app opens: another screen, a modal by its file, a question of yes or no, and what people see of pairings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tui import modals
from tui.app.base import BenchApp
from tui.app.waiting import Sheet, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.await_complete import AwaitComplete
    from textual.screen import ModalScreen

    from sim.control import Asking
    from tui.app import NearbenchApp
    from tui.models.outcomes import Outcome
    from tui.models.palette import Offer

__all__ = ["Opening"]


class Opening(BenchApp):
    """Screens, modals and sheets. Modals are loaded when they are opened: they know the app."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waiting = Waiting()
        """the sheets that wait until the one that is open is closed."""

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
        """Show a question, unless it is asked already; as soon as no other sheet is open."""
        from tui.app.sheets import covering, show_question

        if covering(self, asking):
            return
        node, peer = asking.node, asking.question.peer
        what = "for the PIN of" if asking.question.kind == "pin" else "whether to pair with"
        self._open_when_free(
            f"{self.signs['enters']} {node} is asked {what} {peer}",
            lambda: show_question(self, asking),
            lambda: self._is_asked(asking) and not covering(self, asking),
        )

    def _is_asked(self, asking: Asking) -> bool:
        control = self.session.control
        asked = (asking.node, asking.asked_us)
        return control is not None and asked in [
            (one.node, one.asked_us) for one in control.questions()
        ]

    def open_display(self, node: str) -> None:
        """Show the display of a device, as soon as no other sheet is open."""
        from tui.app.sheets import show_display

        def is_on() -> bool:
            control = self.session.control
            face = None if control is None else control.face(node)
            return face is not None and bool(face.pin)

        words = f"{self.signs['shows']} {node} shows its PIN"
        self._open_when_free(words, lambda: show_display(self, node), is_on)

    def open_outcome(self, outcome: Outcome) -> None:
        """Show how a pairing ended, as soon as no other sheet is open."""
        from tui.modals.outcome import OutcomeCard

        words = f"{self.signs['failed']} the pairing of {outcome.node} and {outcome.peer} failed"
        self._open_when_free(
            words, lambda: self._show(OutcomeCard(outcome)), lambda: True, is_card=True
        )

    def _show(self, sheet: ModalScreen[Any]) -> None:
        self.push_screen(sheet)

    def _open_when_free(
        self,
        words: str,
        opens: Callable[[], None],
        is_due: Callable[[], bool],
        *,
        is_card: bool = False,
    ) -> None:
        self.waiting.put(Sheet(words, opens, is_due, is_card))
        self.open_what_waits()

    def pop_screen(self) -> AwaitComplete:
        """As Textual does it; what waited for it opens before the next key is given on."""
        popped = super().pop_screen()
        self.call_later(self.open_what_waits)
        return popped

    def open_what_waits(self) -> None:
        """Open what a sheet was in the way of, when it is gone."""
        self.waiting.open(lambda: self.screen_stack)

    def close_questions(self, nodes: set[str]) -> None:
        """Take away what was asked or shown for a pairing of these."""
        from tui.app.sheets import close_sheets

        close_sheets(self, nodes)
