"""Pairing as devices see it: settings, commands, what a failure says.

Core 5.4 Vol 3 Part H 2.3 (methods), 2.3.6 (repeated attempts). Rules of the file: no stack and no radio here; people
answer through a `Delegate` of `sim.person`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from protocols.data.smp_names import Io, Key  # noqa: TC001  # msgspec reads the annotations
from protocols.errors import UsageError
from sim.device import Device, Settings, command
from sim.gatt import LinkError
from sim.person import Asked, Policy
from sim.units import Duration

if TYPE_CHECKING:
    from sim.person import Delegate

__all__ = [
    "Failure",
    "PairingDevice",
    "PairingError",
    "PairingSettings",
    "failure_text",
    "pin_text",
]

Want = Literal["no", "wanted", "required"]
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

    def refuses_identity(self, peer: str) -> bool:
        """The identity address of `peer` is none; whether that ends the pairing."""
        return bool(self.settings.bad_identity == "refuse")

    def refuses_keys(self, peer: str, keys: tuple[int, int]) -> bool:
        """`peer` agrees to a pairing with these key distribution octets (initiator, responder); whether that ends it."""
        return False

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
        self.person.answer(True)  # noqa: FBT003  # the answer

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
