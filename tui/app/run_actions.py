"""Actions of the key table that concern the run: its clock, its people, pairings. What goes wrong becomes a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.errors import NearbenchError
from tui.app.base import BenchApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.control import Control

__all__ = ["RunActions"]

_SPEEDS: tuple[float | None, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0, None)


class RunActions(BenchApp):
    """What keys do to the run of the session."""

    def _control(self) -> Control | None:
        control = self.session.control
        if control is None:
            self.say("this is a capture: there is no run to control")
        return control

    def _clock_of_run(self) -> Control | None:
        """Who holds the clock; nobody holds that of real hardware."""
        if self.session.bridge is not None:
            self.say("this run is on real hardware: real time cannot be paused, stepped or hurried")
            return None
        return self._control()

    def attempt(self, call: Callable[[], Any]) -> Any:
        """Call; what goes wrong becomes a sentence."""
        try:
            return call()
        except NearbenchError as exc:
            self.say(str(exc), "bad")
            return None

    def action_pause(self) -> None:
        """Pause or go on."""
        control = self._clock_of_run()
        if control is not None:
            running = control.state == "running"
            self.attempt(control.pause if running else control.resume)

    def action_step(self) -> None:
        """To the next event."""
        control = self._clock_of_run()
        if control is not None:
            self.attempt(control.step)

    def action_message(self) -> None:
        """To the next message."""
        control = self._clock_of_run()
        if control is not None:
            self.attempt(control.next_message)

    def action_second(self) -> None:
        """One second on."""
        control = self._clock_of_run()
        if control is not None:
            self.attempt(control.run_for)

    def action_faster(self, step: int) -> None:
        """Another speed."""
        control = self._clock_of_run()
        if control is None:
            return
        speed = control.speed
        at = _SPEEDS.index(speed) if speed in _SPEEDS else _SPEEDS.index(1.0)
        chosen = _SPEEDS[max(0, min(len(_SPEEDS) - 1, at + step))]
        self.attempt(lambda: control.set_speed(chosen))
        self.say("speed " + ("as fast as possible" if chosen is None else f"{chosen:g}x"))

    def action_normal_speed(self) -> None:
        """Like real time."""
        control = self._clock_of_run()
        if control is not None:
            self.attempt(lambda: control.set_speed(1.0))
            self.say("speed 1.0x")

    def action_pair(self) -> None:
        """Pair what is selected on Air, else the first accessory."""
        if self._control() is not None:
            self.people.pair(self.selected_owner())

    def action_retry(self) -> None:
        """Pair once more."""
        if self._control() is not None:
            self.people.retry()

    def action_answer(self) -> None:
        """Answer what a device asks."""
        if self._control() is not None:
            self.people.answer()

    def action_auto_answer(self) -> None:
        """Hand people over."""
        if self._control() is not None:
            self.people.hand_over()
