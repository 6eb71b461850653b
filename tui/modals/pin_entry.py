"""Typing a PIN as the person in front of a device: its sheet, below the display that the person looks at.

Digits are the only thing that can be typed; pasted groups ("019 655", "019-655") count as their digits. The countdown
is simulated time. Cancelling refuses on the air. Bluetooth Core 5.4 Vol 3 Part H 2.3.5.3, 3.4.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, cast

from tui.bindings import bindings
from tui.modals._base import BenchModal, Card
from tui.models.pairing_values import SMP_TIMEOUT_US
from tui.text import pin_groups

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from sim.control import Asking, Control
    from tui.models.lanes import Piece
    from tui.session import Session

__all__ = ["DIGITS", "PinEntry", "display_lines", "spoken", "time_line"]

DIGITS = 6
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_BAR = 10
_LARGE_FROM = 24
"""Lines a terminal has when a PIN is shown large."""


def spoken(pin: str) -> str:
    """A PIN as one says it."""
    return " ".join(_WORDS[int(one)] if one.isdigit() and one.isascii() else one for one in pin)


class PinEntry(BenchModal[None]):
    """The sheet of one device."""

    SCOPE = "modal:pin_entry"
    CLOSES_UP = True
    ESC_CLOSES = False
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)

    def __init__(self, asking: Asking) -> None:
        super().__init__()
        self.asking = asking
        self.typed = ""
        self.hidden = False

    @property
    def nodes(self) -> set[str]:
        """The devices that it is about."""
        return {self.asking.node, self.asking.question.peer}

    def covers(self, asking: Asking) -> bool:
        """Whether it is the sheet of that question."""
        return asking.node == self.asking.node

    def cards(self) -> ComposeResult:
        """The display of the other device, and the sheet."""
        yield Card(id="display")
        yield Card(id="sheet")

    # Typing

    def on_key(self, event: events.Key) -> None:
        """Digits and backspace."""
        if event.character is not None and event.character in "0123456789":
            self._type(event.character)
            event.stop()
        elif event.key == "backspace":
            self.typed = self.typed[:-1]
            event.stop()
            self.draw()

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted counts as its digits."""
        event.stop()
        self._type(re.sub(r"[^0-9]", "", event.text))

    def _type(self, digits: str) -> None:
        self.typed = (self.typed + digits)[:DIGITS]
        self.draw()

    # Actions

    def action_send(self) -> None:
        """Send what was typed."""
        if len(self.typed) == DIGITS:
            self._answer(self.typed)

    def action_wrong(self) -> None:
        """Send a PIN that is certainly wrong."""
        right = self._displayed() or self.typed or "0"
        self._answer(f"{(int(right) + 1) % 10**DIGITS:0{DIGITS}}")

    def action_cancel(self) -> None:
        """Refuse: the pairing ends on the air."""
        self._answer(None)

    def action_hide(self) -> None:
        """Hide or show digits."""
        self.hidden = not self.hidden
        self.draw()

    def _answer(self, value: str | None) -> None:
        self.bench.people.send(self.asking.node, value)
        self.dismiss()
        what = "refuses" if value is None else f"sends {pin_groups(value)}"
        self.bench.say(f"{self.asking.node} {what}")

    # Drawing

    def sentence(self) -> str:
        """What is going on."""
        return f"waiting for the PIN on {self.asking.node}; esc refuses, and the pairing ends"

    def _displayed(self) -> str:
        control = self.session.control
        face = None if control is None else control.face(self.asking.question.peer)
        return "" if face is None else face.pin

    def draw(self) -> None:
        """Both cards."""
        control = self.session.control
        if control is None or not any(one.node == self.asking.node for one in control.questions()):
            self.dismiss()
            return
        shown = self._displayed()
        display = self.query_one("#display", Card)
        display.display = bool(shown)
        if shown:
            peer = self.asking.question.peer
            display.fill(
                f"Display {self.signs['dot']} {peer}",
                display_lines(self, shown, hidden=self.hidden),
            )
        self.query_one("#sheet", Card).fill(
            f"PIN entry {self.signs['dot']} {self.asking.node}", self._sheet(control, shown)
        )

    def _sheet(self, control: Control, shown: str) -> list[list[Piece] | str]:
        node, peer = self.asking.node, self.asking.question.peer
        where = (
            f"{peer} shows a 6-digit PIN. Type it on {node}:"
            if shown
            else f"{peer} shows its PIN no more: Esc, and pair again"
            if (peer, node) in self.session.values.displayed
            else f"Type the PIN for {peer} on {node}:"
        )
        lines: list[list[Piece] | str] = [f"   {where}", "", *map(self.centred, self._boxes()), ""]
        lines.append(f"   {len(self.typed)} of {DIGITS} digits   {self._attempt(node, peer)}")
        lines.append(f"   {time_line(self, control, self.asking)}")
        lines.append("")
        buttons = "   [ Enter: send ]  [ w: wrong on purpose ]  [ Esc: cancel ]"
        lines.append(
            buttons if len(buttons) <= self.inner else "   Enter: send   w: wrong   Esc: cancel"
        )
        return lines

    def _boxes(self) -> list[str]:
        signs = self.signs
        h, v, tee, foot = signs["h"] * 3, signs["v"], signs["tee"], signs["foot"]
        top = signs["tl"] + tee.join([h] * 3) + signs["tr"]
        low = signs["bl"] + foot.join([h] * 3) + signs["br"]
        shown = [signs["point"] if self.hidden else one for one in self.typed]
        digits = [*shown, "_", *[" "] * DIGITS][:DIGITS]
        groups = [f"{v} {f' {v} '.join(digits[at : at + 3])} {v}" for at in (0, 3)]
        return [f"{top}   {top}", f"{groups[0]} {signs['dash']} {groups[1]}", f"{low}   {low}"]

    def _attempt(self, node: str, peer: str) -> str:
        number = self.session.outcomes.failures(node, peer) + 1
        allowed = self.session.setting(peer, "wrong_pins_allowed")
        if allowed:
            return f"attempt {number} of {allowed}"
        guesses = getattr(_aware_part(self.session, peer), "attempts", 0)
        return f"attempt {number} ({f'{guesses} tries per PIN' if guesses else 'no limit'})"


def time_line(modal: BenchModal[Any], control: Control, asking: Asking) -> str:
    """How long there still is for an answer, by the protocol's timer or by the display's; else that there is no limit."""
    now_us = control.now_us
    paused = "   paused" if control.state != "running" else ""
    limit = _limit(modal.session, asking, now_us)
    if limit is None:
        waited_s = (now_us - asking.asked_us) / 1e6
        return f"asked {waited_s:.1f} s ago; there is no time limit{paused}"
    left_us, whole_us, what = limit
    bar = modal.signs.bar(left_us / whole_us, _BAR)
    return f"{what}  {bar}  {left_us / 1e6:.1f} s of {whole_us / 1e6:g}{paused}"


def _limit(session: Session, asking: Asking, now_us: int) -> tuple[int, int, str] | None:
    """(time left, of how much, what it is) of what ends the wait for this answer."""
    node, peer = asking.node, asking.question.peer
    timer = session.values.timers.get(frozenset((node, peer)))
    if timer is not None and timer.stopped_us is None:
        return timer.left_us(now_us), SMP_TIMEOUT_US, "time left"
    time_us = int(getattr(_aware_part(session, peer), "pin_time", 0))
    since_us = session.values.displayed.get((peer, node))
    if asking.question.kind != "pin" or not time_us or since_us is None:
        return None
    return max(0, since_us + time_us - now_us), time_us, "PIN shown for"


def _aware_part(session: Session, node: str) -> Any:
    """Settings of the Wi-Fi Aware firmware of a device; None where there is none."""
    device = None if session.control is None else session.control.world.devices.get(node)
    if device is None or "wifi_aware" not in device.radios:
        return None
    return cast("Any", device).firmware()


def display_lines(modal: BenchModal[Any], pin: str, *, hidden: bool) -> list[list[Piece] | str]:
    """A PIN as a display shows it: large where there is room, grouped, and spelt."""
    dots = modal.signs["point"] * len(pin)
    lines: list[list[Piece] | str] = []
    if modal.size.height >= _LARGE_FROM:
        big = [""] * 3 if hidden else list(modal.signs.big(pin))
        width = max(map(len, big), default=0)
        lines += [[(modal.centred(row.ljust(width)), "key")] for row in big]
    text = pin_groups(dots if hidden else pin, modal.signs["dash"])
    lines.append([(modal.centred(text), "key")])
    if not hidden:
        lines += modal.wrapped(modal.centred(f"({spoken(pin)})"), indent=0)
    return lines
