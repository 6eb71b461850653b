"""A Wi-Fi Aware accessory without display and keys: its PIN is printed on a label and never changes.

Phone rule IA-33; digest 6 (a PIN on a label is agreed to without asking anybody), digest of pairing 6.2. Rules of the
file: a printed PIN can be guessed at, so after `wrong_pins_allowed` guesses in a row nobody can pair for `lockout`. A
guess is an Auth1 that was answered: only the initiator learns from Auth2 that the PIN is wrong, and says nothing, so
here a wrong PIN, a lost frame and a phone that gave up look alike. Who cancels before sends no Auth1, and counts not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from protocols.wifi_aware import events as ev
from sim.accessories._aware import AwareAccessory, AwareSettings
from sim.person import Asked
from sim.units import Duration
from sim.wifi_aware.firmware import Method, method_bits

if TYPE_CHECKING:
    from sim.device import Settings

_PINS = 1_000_000


class AwareLabelSettings(AwareSettings, frozen=True, kw_only=True):
    """Settings of the accessory with a label."""

    pin: str = ""
    """PIN on the label, six digits; drawn once from the seed when empty."""
    comeback_tu: int = 0
    """what it tells a requester to wait, TU; 0: it answers at once."""
    open_methods: tuple[Method, ...] = ()
    """methods it agrees to beside those it advertises."""
    model_name: str = "Label"
    """model in the pairing info."""
    wrong_pins_allowed: int = 5
    """guesses at the PIN in a row before it locks out; 0 = never."""
    lockout: Duration = Duration(60_000_000)
    """how long nobody can pair then; a duration."""


class _Printed(Asked):
    """Nobody is asked anything, and the PIN can always be seen."""

    device: AwareLabel

    def new_pin(self, peer: str) -> str:
        """That of the label."""
        return self.device.label

    def display_pin(self, peer: str, pin: str) -> None:
        """It is there already."""

    def cancelled(self, peer: str, why: str) -> None:
        """It stays there."""


class AwareLabel(AwareAccessory):
    """Publishes `service_name`; the PIN is on its label."""

    Settings: ClassVar[type[Settings]] = AwareLabelSettings
    about = (
        "Wi-Fi Aware 4.0; Espressif on accessories without display (IA-33); the lockout is as on BLE locks. "
        "confidence: observed (label), made up (lockout)"
    )
    settings: AwareLabelSettings

    @property
    def person(self) -> Asked:
        """Who looks at the label."""
        if getattr(self, "_person", None) is None:
            self._person = _Printed(self)
        return self._person

    @property
    def label(self) -> str:
        """The PIN on it."""
        if not getattr(self, "_drawn", ""):
            self._drawn = f"{int.from_bytes(self.draw('label_pin', 8), 'big') % _PINS:06}"
        return self.settings.pin or self._drawn

    async def start(self) -> None:
        """Begin, with no guesses counted."""
        self._guesses = 0
        self._trying: set[str] = set()
        """NMIs that were answered with the PIN, until their pairing ends."""
        self._locked = False
        self.person.face.pin = self.label
        await super().start()

    # Guesses

    def on_aware_event(self, event: ev.Event) -> None:
        """Count guesses; nobody pairs while it is locked out."""
        if isinstance(event, ev.PairingRequested) and self._locked:
            self.aware.ceremony.refuse(event.peer)
        if isinstance(event, ev.AuthReceived) and event.transaction == 1 and event.accepted:
            tries = event.peer in self.aware.ceremony.passwords
            self._guesses += tries
            self._trying |= {event.peer} if tries else set()
        super().on_aware_event(event)

    def on_paired_aware(self, peer: str) -> None:
        """The right PIN."""
        self._guesses = 0
        super().on_paired_aware(peer)

    def on_not_paired(self, event: ev.PairingResult) -> None:
        """A guess came to nothing, if somebody was allowed one."""
        allowed, peer = self.settings.wrong_pins_allowed, self.aware.name(event.peer)
        if event.peer not in self._trying:
            self.log(f"not paired with {peer}: no PIN was tried, it does not count")
            return
        self._trying.discard(event.peer)
        why = "a wrong PIN, a lost frame, or it gave up"
        self.log(
            f"{self._guesses} of {allowed or 'any number of'} guesses, the last by {peer}: {why}"
        )
        if allowed and self._guesses >= allowed and not self._locked:
            self._lock_out(peer)

    def _lock_out(self, peer: str) -> None:
        self._locked = True
        self._offer(0)
        self.aware.ceremony.abort_all()
        seconds = self.settings.lockout / 1e6
        self.emit("locked_out", peer=peer, note=f"nobody can pair for {seconds:g} s")
        node = self.aware.node
        self.place.after_us(int(self.settings.lockout), self._let_in, node)

    def _let_in(self, node: object) -> None:
        if self.aware.node is node and node is not None:  # not switched off meanwhile
            self._locked, self._guesses = False, 0
            self._offer(method_bits(self.settings.methods) if self.settings.pairing_mode else 0)
            self.log("pairing is possible again")

    def _offer(self, methods: int) -> None:
        discovery = self.aware.engine.discovery
        for handle in self.aware.ports:
            discovery.update(handle, methods=methods)


ACCESSORY = AwareLabel
