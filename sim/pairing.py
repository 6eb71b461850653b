"""Pairing as devices and people see it: settings, the person behind a device, questions and answers, failures.

Core 5.4 Vol 3 Part H 2.3 (methods), 2.3.6 (repeated attempts). Rules of the file: no stack and no radio here; a
person answers through a `Delegate`; a question is answered once, and taken away when the pairing ends. PINs and
numbers go into the trace as `place.secret(...)`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import msgspec

from protocols.data.smp_names import Io, Key  # msgspec reads the annotations
from protocols.errors import UsageError
from sim.device import Device, Settings, command
from sim.gatt import LinkError
from sim.units import Duration

__all__ = [
    "Asked",
    "Delegate",
    "Face",
    "Failure",
    "PairingDevice",
    "PairingError",
    "PairingSettings",
    "Policy",
    "Question",
    "Scripted",
    "pin_text",
]

Want = Literal["no", "wanted", "required"]
AGREED_PIN = "123456"
_LOOK_S = 0.5
_ANSWER_WAIT = Duration(30_000_000)


def pin_text(pin: str) -> str:
    """Six digits. Raises UsageError for anything else."""
    if len(pin) != 6 or not (pin.isascii() and pin.isdigit()):
        raise UsageError(f"PIN {pin!r}: a Bluetooth PIN is six digits, for example '012345'")
    return pin


class PairingSettings(Settings, frozen=True, kw_only=True):
    """How a device pairs, and the person in front of it."""

    io: Io = "none"
    """display and keys: display_only, display_yes_no, keyboard_only, keyboard_display or none."""
    mitm: Want = "no"
    """protection against a man in the middle: no, wanted, or required (Just Works is refused)."""
    secure_connections: Want = "wanted"
    """LE Secure Connections: no (legacy pairing only), wanted, or required (legacy is refused)."""
    bonding: bool = True
    """whether keys are kept for the next connection."""
    pairable: bool = True
    """whether pairing requests are accepted at all."""
    keys: tuple[Key, ...] = ("encryption", "identity")
    """keys it distributes and asks for: encryption, identity, signing, link."""
    identity: Literal["own", "public", "random", "zero"] = "own"
    """identity address it distributes: the one it uses, its public one, its static random one, or zeros."""
    bad_identity: Literal["ignore", "refuse"] = "ignore"
    """what it does with an identity address of zeros: go on without, or end the pairing."""
    pin: str = ""
    """PIN it displays (or, on two keyboards, types), six digits; drawn anew for each pairing when empty."""
    person: Literal["policy", "asked"] = "policy"
    """who answers: a person that does the right thing by itself, or commands (enter_pin, accept, reject)."""
    person_delay: Duration = Duration(2_000_000)
    """time the person needs for an answer; a duration."""
    wrong_pins: int = 0
    """how many times the person mistypes the PIN before it is right."""
    confirms: bool = True
    """whether the person says yes to Just Works and to numbers that are the same."""
    looks_at: str = ""
    """node whose display the person reads; the one it pairs with when empty."""
    oob: bool = False
    """whether it has a tag with out-of-band data that a phone can be held to."""
    retry_wait: Duration = Duration(0)
    """pause after a failed pairing, doubled with each further failure (Vol 3 Part H 2.3.6); 0s = none; a duration."""
    bond_folder: str = ""
    """folder for the file with its bonds (beside the scenario when relative); in memory when empty."""
    private_address: bool = False
    """whether it uses resolvable private addresses."""
    private_address_time: Duration = Duration(900_000_000)
    """time after which it takes a new private address; a duration."""

    def check_pairing(self) -> None:
        """Raise ValueError for what types cannot say."""
        if self.pin and not (len(self.pin) == 6 and self.pin.isascii() and self.pin.isdigit()):
            raise ValueError(f"pin: {self.pin!r} is not six digits")
        if self.private_address_time < 1_000_000:
            raise ValueError("private_address_time: allowed are 1s to 1h")
        for key in ("wrong_pins", "person_delay", "retry_wait"):
            if getattr(self, key) < 0:
                raise ValueError(f"{key}: must not be negative")


class Failure(msgspec.Struct, frozen=True):
    """Why a pairing (or an encryption) did not come about."""

    side: Literal["here", "peer", "link"]
    """who ended it: this device, the other one, or the connection broke."""
    step: str
    code: int | None
    """reason of Pairing Failed, None when there is none (a timeout, a lost connection)."""
    words: str
    remedy: str


class PairingError(LinkError):
    """A pairing failed; `failure` has side, step, reason and what to do."""

    def __init__(self, node: str, peer: str, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{node}: pairing with {peer}: {failure_text(node, peer, failure)}")


def failure_text(node: str, peer: str, failure: Failure) -> str:
    """Who, at which step, why, and what to do, as one sentence."""
    who = {"here": f"{node} ended it", "peer": f"{peer} ended it", "link": "the connection broke"}
    code = "" if failure.code is None else f" ({failure.code:#04x})"
    return f"{who[failure.side]} at {failure.step}: {failure.words}{code}; {failure.remedy}"


class Face:
    """What a person standing in front of a device sees on it."""

    def __init__(self) -> None:
        self.pin = ""
        """PIN on the display."""
        self.number = ""
        """number to compare on the display."""
        self.asks = ""
        """kind of the question it asks."""
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
        self.settings: PairingSettings = device.settings
        self.question: Question | None = None
        self._answer: asyncio.Future[str | bool | None] | None = None
        self._waiting: list[asyncio.Future[None]] = []

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
        face.pin = face.number = face.asks = ""
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
        self.face.asks = question.kind
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self.consider(question)
        try:
            return await self._answer
        finally:
            self.question = self._answer = None
            self.face.asks = ""

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
            self.device.emit(event, peer=question.peer, note=f"the person says {'yes' if value else 'no'}")
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
            elif pin := other.pin or (self._agreed() if other.asks == "pin" else ""):
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


class Bonding(Protocol):
    """What the radio of a device offers for pairing, whatever its role."""

    async def forget(self, peer: str) -> int:
        """Remove bonds with `peer` (a node or address; empty = all); how many."""
        ...

    def bonded_with(self) -> list[str]:
        """Names (or addresses) of the bonded peers, oldest first."""
        ...

    def cancel_pairing(self) -> bool:
        """End running pairings; False when there is none."""
        ...


class PairingDevice(Device):
    """A device that can pair: what phones and accessories share."""

    layer: ClassVar[str] = "accessory"
    ble: Any

    @property
    def person(self) -> Asked:
        """The person in front of it, as the settings describe it."""
        if getattr(self, "_person", None) is None:
            kind = Policy if self.settings.person == "policy" else Asked
            self._person = kind(self)
        return self._person

    def delegate(self) -> Delegate:
        """Who answers when it pairs; override for a person of your own."""
        return self.person

    def may_pair(self, peer: str) -> int:
        """0, or the SMP reason with which a pairing request of `peer` is refused."""
        return 0

    def on_paired(self, peer: str, *, bonded: bool, authenticated: bool) -> None:
        """A pairing succeeded."""

    def on_pairing_failed(self, peer: str, failure: Failure) -> None:
        """A pairing failed."""

    @command
    async def enter_pin(self, pin: str, timeout: Duration = _ANSWER_WAIT) -> None:  # noqa: ASYNC109  # simulated time, as users write it
        """Type a PIN; waits until one is asked for."""
        pin_text(pin)
        await self.person.wait_for(("pin",), timeout)
        self.person.answer(pin)

    @command
    async def accept(self, timeout: Duration = _ANSWER_WAIT) -> None:  # noqa: ASYNC109  # likewise
        """Say yes to a comparison or to pairing at all; waits until one is asked."""
        await self.person.wait_for(("compare", "consent"), timeout)
        self.person.answer(True)

    @command
    async def reject(self, timeout: Duration = _ANSWER_WAIT) -> None:  # noqa: ASYNC109  # likewise
        """Say no to whatever is asked next; waits until something is."""
        question = await self.person.wait_for(("pin", "compare", "consent"), timeout)
        self.person.answer(None if question.kind == "pin" else False)

    @command
    async def cancel(self) -> None:
        """End a pairing that is going on; harmless without one."""
        self.ble.cancel_pairing()

    @command
    async def forget(self, peer: str = "") -> None:
        """Forget the bond with `peer` (a node or an address), or all bonds."""
        if not await self.ble.forget(peer):
            self.emit("nothing_to_forget", note=f"no bond with {peer or 'anybody'}")
