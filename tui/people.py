"""The people at the screen: which question opens which modal, how pairings end on it, and how they begin again.

No widgets here; modals are opened through the app. The trace and the control say everything this needs.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, Protocol

from protocols.errors import NearbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from sim.control import Asking, Control
    from tui.bench.role import Role
    from tui.models.outcomes import Outcome
    from tui.session import Session
    from tui.signs import Signs

__all__ = ["People", "Stage", "paired_words"]

_PAIRING_COMMANDS = ("pair", "aware_picker", "aware_pairing_view", "ask_picker", "companion")
_PHONE, _ACCESSORY = "phone", "accessory"
_LOOK_BACK_US = 5_000_000
"""Simulated time in which the other side of a pairing hears of its end."""
_Given = tuple[str, "dict[str, Any]"]
"""A command and its arguments."""


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
        self._beyond = False
        """whether time goes on beyond the scenario's end for what was asked for here."""
        self._hold_at_us: int | None = None
        self._told: dict[
            frozenset[str], int
        ] = {}  # who paired -> seq of the end that was told last

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
        self._hold_again(control)

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
        if not outcome.good and outcome.begun <= self._told.get(pair, -1):
            return  # the other side of a pairing whose end was told, perhaps while the next one is on
        self._stage.close_questions(parties)
        if outcome.good:
            self._told.pop(pair, None)
            if self._stage.session.given_up(outcome) is None:  # else the card of that follows
                text = f"{paired_words(control, self._stage.session, outcome)}: {outcome.words}"
                self._stage.say(f"{self._stage.signs['ok']} {text}", "good")
        else:
            self._told[pair] = outcome.seq
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
        role = self._stage.session.request.role
        if role is not None:
            self._pair_on_dongle(control, role, phones)
            return
        target = accessory or next(iter(accessories), "")
        if not phones or target not in accessories:
            self._stage.say(
                "pairing takes a phone and an accessory of this scenario; select the accessory on Air"
            )
            return
        self._pair(control, phones[0], target)

    def _pair_on_dongle(self, control: Control, role: Role, phones: Sequence[str]) -> None:
        """A phone on a real radio pairs with the peer that it was given; nothing else there begins a pairing."""
        if role.why_no_pairing:
            self._stage.say(role.why_no_pairing)
        elif self._has_controller(phones[0]):
            self._pair(control, phones[0], role.peer)

    def _has_controller(self, phone: str) -> bool:
        """Whether a phone can act now; on real hardware it is said when it cannot."""
        bridge = self._stage.session.bridge
        if bridge is None or not bridge.away:
            return True
        self._stage.say(f"{phone} has no controller now ({bridge.away})", "bad")
        return False

    def _pair(self, control: Control, phone: str, accessory: str) -> None:
        how = self._how_to_pair(control, phone, accessory)
        if how is None:
            self._stage.say(f"{phone} has no command that pairs with {accessory}")
        else:
            self._begin(control, phone, *how)

    def _how_to_pair(self, control: Control, phone: str, accessory: str) -> _Given | None:
        """The command that pairs such devices; None when there is none."""
        devices = control.world.devices
        commands = type(devices[phone]).commands()
        if _has_ble(control, accessory) and "pair" in commands:
            return "pair", {"to": accessory}
        if "aware_picker" not in commands or accessory not in devices:
            return None
        service = str(getattr(devices[accessory].settings, "service_name", ""))
        return "aware_picker", {"service": service, "choose": accessory}

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
        phone, accessory = _sides(control, last)
        if phone not in control.world.devices:
            self._stage.say(f"{phone} is no device of this run: it has to begin the next pairing")
            return
        if not self._has_controller(phone):
            return
        how = self._as_before(phone) or self._how_to_pair(control, phone, accessory)
        if how is None:
            self._stage.say(f"{phone} has no command that pairs with {accessory}")
        elif last.kind == "timeout" and _has_ble(control, accessory):
            first = self._do(control, phone, "disconnect", {})
            if first is not None:
                first.add_done_callback(lambda _: self._give(control, phone, *how))
        else:
            self._begin(control, phone, *how)

    def may_retry(self, outcome: Outcome) -> bool:
        """Whether a pairing can be begun anew from here: its phone is a device of this run."""
        control = self._control
        return control is not None and _sides(control, outcome)[0] in control.world.devices

    def _as_before(self, phone: str) -> _Given | None:
        """The step of the scenario that paired a phone, where that took more than `pair`."""
        scenario = self._stage.session.scenario
        steps = [] if scenario is None else [one for one in scenario.step if one.node == phone]
        found = (
            (one.do, one.set)
            for one in reversed(steps)
            if one.do in _PAIRING_COMMANDS and one.do != "pair"
        )
        return next(found, None)

    def _begin(self, control: Control, node: str, command: str, arguments: dict[str, Any]) -> None:
        done = self._do(control, node, command, arguments)
        if done is not None:
            done.add_done_callback(lambda _: self._done(control))

    def _do(
        self, control: Control, node: str, command: str, arguments: dict[str, Any]
    ) -> Future[Any] | None:
        try:
            done = control.do(node, command, **arguments)
        except NearbenchError as exc:
            self._stage.say(str(exc), "bad")
            return None
        self._stage.watch_command(done, node)
        self._let_time_go_on(control, node, command)
        return done

    def _give(self, control: Control, node: str, command: str, arguments: dict[str, Any]) -> None:
        """The same, from the world's thread, where nothing can be put on the screen."""
        with contextlib.suppress(NearbenchError):  # the run is over
            done = control.do(node, command, **arguments)
            self._stage.watch_command(done, node)
            done.add_done_callback(lambda _: self._done(control))

    def _let_time_go_on(self, control: Control, node: str, command: str) -> None:
        """After the scenario's end the clock is held: what somebody asks for then needs time. A pause is left alone."""
        what = command.replace("_", " ")
        if control.state == "ended":
            self._beyond = True
            self._try(control.resume)
            self._stage.say(f"time goes on for {node}: {what}; the scenario's verdict stays")
        elif control.state == "paused":
            self._stage.say(f"{node}: {what}; time is paused, space lets it go on")

    def _done(self, control: Control) -> None:
        """Called on the world's thread when what was asked for has come to its end."""
        if self._beyond:
            self._hold_at_us = control.now_us + _LOOK_BACK_US

    def _hold_again(self, control: Control) -> None:
        """Beyond the scenario's end nothing else would hold the clock."""
        if self._hold_at_us is None or control.now_us < self._hold_at_us or control.questions():
            return
        self._hold_at_us, self._beyond = None, False
        if control.state == "running":
            self._try(control.pause)

    def _try(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except NearbenchError as exc:
            self._stage.say(str(exc), "bad")


def paired_words(control: Control, session: Session, good: Outcome) -> str:
    """Who is paired: both, or one side alone while the other one has more to do."""
    node, peer = good.node, good.peer
    if peer in control.world.devices and session.outcomes.is_open(good):
        return f"{node} is paired with {peer}, {peer} is not done yet"
    return f"{node} and {peer} are paired"


def _sides(control: Control, outcome: Outcome) -> tuple[str, str]:
    """(who began a pairing, the other one); on a real radio one of them is a stranger."""
    device = control.world.devices.get(outcome.node)
    if device is None or device.layer == _PHONE:
        return outcome.node, outcome.peer
    return outcome.peer, outcome.node


def _has_ble(control: Control, node: str) -> bool:
    """Whether a side of a pairing pairs over BLE; what is no device of the world was met on a real BLE radio."""
    device = control.world.devices.get(node)
    return device is None or "ble" in device.radios
