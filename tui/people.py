"""The people at the screen: which question opens which modal, how pairings end on it, and how they begin again.

No widgets here; modals are opened through the app. The trace and the control say everything this needs.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol

from protocols.errors import NearbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from sim.control import Asking, Control
    from tui.models.outcomes import Outcome
    from tui.session import Session
    from tui.signs import Signs

__all__ = ["People", "Stage"]

_PAIRING_COMMANDS = ("pair", "aware_picker", "aware_pairing_view", "ask_picker", "companion")
_PHONE, _ACCESSORY = "phone", "accessory"
_SAME_END_US = 15_000_000
"""Both sides of one pairing tell its end within this time (a responder waits for Auth3 for ten seconds)."""


class Stage(Protocol):
    """The part of the app that this needs."""

    signs: Signs

    @property
    def session(self) -> Session:
        """The run."""
        ...

    def say(self, text: str, style: str = "", *, seconds: float = 0.0) -> None:
        """Put a sentence on the screen."""
        ...

    def watch_command(self, done: Future[Any], what: str) -> None:
        """Tell when a command fails."""
        ...

    def open_question(self, asking: Asking) -> None:
        """Show a question."""
        ...

    def open_display(self, node: str) -> None:
        """Show the display of a device."""
        ...

    def open_outcome(self, outcome: Outcome) -> None:
        """Show how a pairing ended, in place of what was asked for it."""
        ...

    def close_questions(self, nodes: set[str]) -> None:
        """Take away what was asked or shown for a pairing of these."""
        ...


class People:
    """What the people have been asked, have typed, and have been told."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.typed: dict[str, str] = {}
        """node -> PIN that was typed there last."""
        self.shown: dict[str, str] = {}
        """node -> PIN that it displayed last."""
        self._opened: set[tuple[Any, ...]] = set()
        self._told: dict[frozenset[str], int] = {}

    @property
    def _control(self) -> Control | None:
        return self._stage.session.control

    # Every turn

    def look(self, outcomes: Sequence[Outcome]) -> None:
        """Open what has come up, close what is over."""
        control = self._control
        if control is None:
            return
        for outcome in outcomes:
            self._end(control, outcome)
        for asking in control.questions():
            key = (asking.node, asking.asked_us)
            if key not in self._opened:
                self._opened.add(key)
                self._stage.open_question(asking)
        self._look_at_displays(control)

    def _look_at_displays(self, control: Control) -> None:
        questions = control.questions()
        asked = {asking.node for asking in questions}
        typed_from = {asking.question.peer for asking in questions}
        for node in control.world.devices:
            face = control.face(node)
            if face is None or not face.pin:
                continue
            self.shown[node] = face.pin
            key = ("display", node, face.pin)
            if node in typed_from:  # the sheet for typing it shows it, too
                self._opened.add(key)
            if control.is_played(node) and not asked and key not in self._opened:
                self._opened.add(key)
                self._stage.open_display(node)

    def _end(self, control: Control, outcome: Outcome) -> None:
        parties = {outcome.node, outcome.peer}
        if not any(control.is_played(party) for party in parties):
            return
        pair = frozenset(parties)
        told_us = self._told.get(pair)
        if told_us is not None and outcome.t_us - told_us < _SAME_END_US and not outcome.good:
            return
        self._stage.close_questions(parties)
        if outcome.good:
            self._told.pop(pair, None)
            sign = self._stage.signs["ok"]
            self._stage.say(
                f"{sign} {outcome.node} and {outcome.peer} are paired: {outcome.words}", "good"
            )
        else:
            self._told[pair] = outcome.t_us
            self._stage.open_outcome(outcome)

    # Commands

    def send(self, node: str, value: str | bool | None) -> None:
        """Answer the question of a node."""
        control = self._control
        if control is None:
            return
        if isinstance(value, str):
            self.typed[node] = value
        try:
            self._stage.watch_command(control.answer(node, value), node)
        except NearbenchError as exc:
            self._stage.say(str(exc), "bad")

    def answer(self) -> None:
        """Open the oldest question again."""
        control = self._control
        questions = [] if control is None else control.questions()
        if questions:
            self._stage.open_question(min(questions, key=lambda asking: asking.asked_us))
        elif control is not None:
            shows = [
                node for node in control.world.devices if (face := control.face(node)) and face.pin
            ]
            if shows:
                self._stage.open_display(shows[0])
            else:
                self._stage.say("nobody is asked for anything now")

    def hand_over(self) -> None:
        """All people answer by themselves, or those that the options name are played again."""
        control = self._control
        if control is None:
            return
        played = [node for node in control.world.devices if control.is_played(node)]
        if played:
            self._played = played
        nodes = played or getattr(self, "_played", [])
        for node in nodes:
            self._try(functools.partial(control.let, node, auto=bool(played)))
        if not nodes:
            self._stage.say(
                "nobody is played at the screen; --play phone, or --play accessory, does"
            )
        elif played:
            self._stage.close_questions(set(played))
            self._stage.say(f"{', '.join(played)}: answers by itself now")
        else:
            self._stage.say(f"{', '.join(nodes)}: you answer now")

    def pair(self, accessory: str = "") -> None:
        """Pair an accessory (the first one without a name) with the first phone."""
        control = self._control
        if control is None:
            return
        devices = control.world.devices
        accessories = [name for name, one in devices.items() if one.layer == _ACCESSORY]
        phones = [name for name, one in devices.items() if one.layer == _PHONE]
        target = accessory or next(iter(accessories), "")
        if not phones or target not in accessories:
            self._stage.say(
                "pairing takes a phone and an accessory of this scenario; select the accessory on Air"
            )
            return
        self._pair(control, phones[0], target)

    def _pair(self, control: Control, phone: str, accessory: str) -> None:
        devices = control.world.devices
        commands = type(devices[phone]).commands()
        if "ble" in devices[accessory].radios and "pair" in commands:
            self._do(control, phone, "pair", to=accessory)
        elif "aware_picker" in commands:
            service = str(getattr(devices[accessory].settings, "service_name", ""))
            self._do(control, phone, "aware_picker", service=service, choose=accessory)
        else:
            self._stage.say(f"{phone} has no command that pairs with {accessory}")

    def retry(self) -> None:
        """Pair once more, as it was done last."""
        control = self._control
        ends = self._stage.session.outcomes.all
        if control is None:
            return
        last = next((one for one in reversed(ends) if not one.good), None)
        if last is None:
            self.pair()
            return
        devices = control.world.devices
        phone, accessory = last.node, last.peer
        if phone in devices and devices[phone].layer != _PHONE:
            phone, accessory = accessory, phone
        if phone not in devices or accessory not in devices:
            self._stage.say("the other side is no device of this scenario")
            return
        self._told.pop(frozenset((phone, accessory)), None)
        if last.kind == "timeout" and "ble" in devices[accessory].radios:
            first = self._do(control, phone, "disconnect")
            if first is not None:
                first.add_done_callback(
                    lambda _: self._try(lambda: self._again(control, phone, accessory))
                )
            return
        self._again(control, phone, accessory)

    def _again(self, control: Control, phone: str, accessory: str) -> None:
        """The step of the scenario that paired these two, else what pairs such devices."""
        scenario = self._stage.session.scenario
        steps = [] if scenario is None else [one for one in scenario.step if one.node == phone]
        for step in reversed(steps):
            if step.do in _PAIRING_COMMANDS and step.do != "pair":
                self._do(control, phone, step.do, **step.set)
                return
        self._pair(control, phone, accessory)

    def _do(
        self, control: Control, node: str, command: str, **arguments: Any
    ) -> Future[Any] | None:
        try:
            done = control.do(node, command, **arguments)
        except NearbenchError as exc:
            self._stage.say(str(exc), "bad")
            return None
        self._stage.watch_command(done, node)
        return done

    def _try(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except NearbenchError as exc:
            self._stage.say(str(exc), "bad")
