"""The person in front of a device: what it asks of people while it pairs, and who answers.

Rules of the file: a question is answered once, and taken away when the pairing ends. PINs and numbers go into the
trace as `place.secret(...)`. Waiting is in simulated time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from sim.gatt import LinkError

if TYPE_CHECKING:
    from sim.pairing import PairingDevice, PairingSettings

__all__ = ["AGREED_PIN", "Asked", "Delegate", "Face", "Policy", "Question", "Scripted"]

AGREED_PIN = "123456"
"""what the people at two keyboards type when no `pin` says otherwise."""
_LOOK_S = 0.5


class Face:
    """What a person standing in front of a device sees on it."""

    def __init__(self) -> None:
        self.pin = ""
        """PIN on the display."""
        self.number = ""
        """number to compare on the display."""
        self.io = ""
        """IO capabilities, as far as one can see them."""
        self.tag: Any = None
        """out-of-band data on its tag."""


class Delegate(Protocol):
    """The person behind a device. What it raises ends the pairing, with the exception as the reason."""

    def new_pin(self, peer: str) -> str:
        """PIN for this pairing, six digits; empty = draw one."""
        ...

    def display_pin(self, peer: str, pin: str) -> None:
        """Show the PIN."""
        ...

    async def ask_pin(self, peer: str) -> str | None:
        """PIN typed by the person, None when it refuses."""
        ...

    async def compare(self, peer: str, number: str) -> bool:
        """Whether the person says that both displays show `number`."""
        ...

    async def confirm(self, peer: str) -> bool:
        """Whether the person wants to pair with `peer` (Just Works)."""
        ...

    def cancelled(self, peer: str, why: str) -> None:
        """The pairing is over (`why` is empty when it succeeded): take displays and dialogs away."""
        ...


class Scripted:
    """A delegate with answers prepared; it has none left = refuse. Keeps what it was shown."""

    def __init__(self, *answers: str | bool | None, pin: str = "") -> None:
        self._answers = list(answers)
        self._pin = pin
        self.shown: list[str] = []
        self.ends: list[str] = []

    def new_pin(self, peer: str) -> str:
        """The PIN it was made with."""
        return self._pin

    def display_pin(self, peer: str, pin: str) -> None:
        """Keep it."""
        self.shown.append(pin)

    def _next(self) -> str | bool | None:
        return self._answers.pop(0) if self._answers else None

    async def ask_pin(self, peer: str) -> str | None:
        """The next answer."""
        answer = self._next()
        return answer if isinstance(answer, str) else None

    async def compare(self, peer: str, number: str) -> bool:
        """The next answer."""
        self.shown.append(number)
        return self._next() is True

    async def confirm(self, peer: str) -> bool:
        """The next answer."""
        return self._next() is True

    def cancelled(self, peer: str, why: str) -> None:
        """Keep why."""
        self.ends.append(why)


class Question(msgspec.Struct, frozen=True):
    """What a device asks its person."""

    kind: Literal["pin", "compare", "consent"]
    peer: str
    number: str = ""


_EVENTS = {
    "pin": ("pin_required", "asks for the PIN that {peer} shows"),
    "compare": ("compare_required", "is {number} on {peer} too?"),
    "consent": ("consent_required", "pair with {peer}?"),
}


class Asked:
    """A person that answers by commands; questions are events (`pin_required`, `compare_required`, ...)."""

    def __init__(self, device: PairingDevice) -> None:
        self.device = device
        self.question: Question | None = None
        self._answer: asyncio.Future[str | bool | None] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def settings(self) -> PairingSettings:
        """The device's."""
        settings: PairingSettings = self.device.settings
        return settings

    @property
    def face(self) -> Face:
        """What can be seen of the device."""
        return self.device.place.faces.setdefault(self.device.name, Face())

    def new_pin(self, peer: str) -> str:
        """The PIN of the settings, else drawn."""
        return self.settings.pin

    def display_pin(self, peer: str, pin: str) -> None:
        """Show it, as the event `pin_displayed`."""
        self.face.pin = pin
        shown = self.device.place.secret(pin)
        self.device.emit("pin_displayed", peer=peer, note=f"PIN {shown} for {peer}", pin=shown)

    async def ask_pin(self, peer: str) -> str | None:
        """Wait for the command enter_pin or reject."""
        answer = await self._ask(Question("pin", peer))
        return answer if isinstance(answer, str) else None

    async def compare(self, peer: str, number: str) -> bool:
        """Wait for accept or reject."""
        self.face.number = number
        return await self._ask(Question("compare", peer, number)) is True

    async def confirm(self, peer: str) -> bool:
        """Wait for accept or reject; a device without display and keys has nobody to ask and pairs."""
        return self.settings.io == "none" or await self._ask(Question("consent", peer)) is True

    def cancelled(self, peer: str, why: str) -> None:
        """Clear the display and withdraw the question."""
        face = self.face
        face.pin = face.number = ""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    async def _ask(self, question: Question) -> str | bool | None:
        if self.question is not None:
            return None  # one person, one question at a time
        self.question = question
        self._answer = asyncio.get_running_loop().create_future()
        event, words = _EVENTS[question.kind]
        shown = self.device.place.secret(question.number) if question.number else ""
        note = words.format(peer=question.peer, number=shown)
        details = {"number": shown} if question.number else {}
        self.device.emit(event, peer=question.peer, note=note, **details)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self.consider(question)
        try:
            return await self._answer
        finally:
            self.question = self._answer = None

    def consider(self, question: Question) -> None:
        """Called with each question once it is asked."""

    def answer(self, value: str | bool | None) -> None:
        """Answer the open question, as an event. Harmless when there is none."""
        question = self.question
        if question is None or self._answer is None or self._answer.done():
            return
        if isinstance(value, str):
            shown = self.device.place.secret(value)
            self.device.emit(
                "pin_entered", peer=question.peer, note=f"types {shown}", label="PIN", pin=shown
            )
        else:
            event = "accepted" if value else "rejected"
            self.device.emit(
                event, peer=question.peer, note=f"the person says {'yes' if value else 'no'}"
            )
        self._answer.set_result(value)

    async def wait_for(self, kinds: tuple[str, ...], timeout_us: int) -> Question:
        """Wait until a question of one of `kinds` is open. Raises LinkError when none comes."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_us / 1e6
        while self.question is None or self.question.kind not in kinds:
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append(future)
            try:
                await asyncio.wait_for(future, max(0.0, end_s - loop.time()))
            except TimeoutError:
                what = " or ".join(kinds)
                raise LinkError(
                    f"{self.device.name} waited {timeout_us / 1e6:g} s for a question ({what}), in vain"
                ) from None
            finally:
                self._waiting.remove(future)
        return self.question


class Policy(Asked):
    """A person that answers by itself after `person_delay`; a command that comes earlier counts."""

    def __init__(self, device: PairingDevice) -> None:
        super().__init__(device)
        self._mistakes = self.settings.wrong_pins

    def consider(self, question: Question) -> None:
        """Begin to think."""
        place = self.device.place
        place.spawn(self.device.name, self._think(question))

    async def _think(self, question: Question) -> None:
        await asyncio.sleep(self.settings.person_delay / 1e6)
        while self.question is question:
            if question.kind == "consent":
                self.answer(self.settings.confirms)
                return
            other = self.device.place.faces.get(self.settings.looks_at or question.peer, Face())
            if question.kind == "compare":
                if other.number:
                    self.answer(self.settings.confirms and other.number == question.number)
                    return
            elif pin := other.pin or (self._agreed() if other.io == "keyboard_only" else ""):
                self.answer(self._typed(pin))
                return
            await asyncio.sleep(_LOOK_S)

    def _agreed(self) -> str:
        """PIN that the people at two keyboards agreed on."""
        return self.settings.pin or AGREED_PIN

    def _typed(self, pin: str) -> str:
        if self._mistakes == 0:
            return pin
        self._mistakes -= 1
        return f"{(int(pin) + 1) % 1_000_000:06}"
