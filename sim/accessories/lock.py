"""A door lock: shows a PIN, takes commands over an authenticated link only, and locks out who guesses.

Bluetooth Core 5.4 Vol 3 Part H 2.3.6 (repeated attempts), 3.5.5 (reasons); the service is made up. Rules of the file:
the control point wants authentication (MITM protection), so a link paired by Just Works is refused; after
`wrong_pins_allowed` wrong PINs in a row nobody may pair for `lockout`. A person who cancels (0x01) has shown no PIN to
check, and is told apart from a wrong one (0x04, 0x0B) by the reason alone: it does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from protocols.data.smp_names import Io  # noqa: TC001  # msgspec reads the annotations
from sim.accessories._battery import BatteryAccessory, BatterySettings
from sim.adverts import service_and_name
from sim.device import command
from sim.gatt import Advert, AttError, Characteristic, Peer, Service
from sim.pairing import Want  # noqa: TC001  # likewise
from sim.units import Duration

if TYPE_CHECKING:
    from sim.device import Settings
    from sim.pairing import Failure

LOCK_SERVICE = "6b0a0001-53c1-4a0d-9d0e-6f1a3c5b7d90"
CONTROL_POINT = "6b0a0002-53c1-4a0d-9d0e-6f1a3c5b7d90"
LOCK_STATE = "6b0a0003-53c1-4a0d-9d0e-6f1a3c5b7d90"
UNLOCK, LOCK = b"\x01", b"\x00"
VALUE_NOT_ALLOWED = 0x13
REPEATED_ATTEMPTS = 0x09
_CANCELLED = 0x01
"""Passkey Entry Failed: the person cancelled, or typed nothing."""
_WRONG_PIN = (0x04, 0x0B)
"""Confirm Value Failed, DHKey Check Failed."""


class LockSettings(BatterySettings, frozen=True, kw_only=True):
    """Settings of the lock."""

    local_name: str = "Lock"
    """name in the advert and in GAP."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    io: Io = "display_only"
    """display and keys: display_only, display_yes_no, keyboard_only, keyboard_display or none."""
    mitm: Want = "required"
    """protection against a man in the middle: no, wanted, or required (Just Works is refused)."""
    security: Literal["encrypted", "authenticated"] = "authenticated"
    """what the control point asks of a link."""
    wrong_pins_allowed: int = 3
    """wrong PINs in a row before it locks out; 0 = never."""
    lockout: Duration = Duration(60_000_000)
    """how long nobody may pair then; a duration."""
    asks_first: bool = False
    """whether it sends a Security Request as soon as somebody connects."""


class Lock(BatteryAccessory):
    """A lock with a display for the PIN."""

    Settings: ClassVar[type[Settings]] = LockSettings
    about = (
        "Core 5.4 Vol 3 Part H 2.3 (pairing) and 2.3.6 (repeated attempts); its GATT service is made up. "
        "confidence: documented (pairing), made up (service)"
    )
    settings: LockSettings

    async def start(self) -> None:
        """Advertise, locked or as it was left."""
        self._wrong = 0
        self._locked_until_us = 0
        data, response = service_and_name(LOCK_SERVICE, self.settings.local_name)
        await self.ble.advertise(
            Advert(
                data=data, scan_response=response, interval_ms=self.settings.advertising_interval_ms
            )
        )

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def services(self) -> tuple[Service, ...]:
        """The lock and its battery."""
        wanted = self.settings.security
        control = Characteristic(
            uuid=CONTROL_POINT,
            name="Control Point",
            properties=("write",),
            write=self._on_control,
            write_security=wanted,
        )
        state = Characteristic(
            uuid=LOCK_STATE,
            name="Lock State",
            properties=("read", "notify"),
            read=lambda _: self._state(),
            read_security=wanted,
        )
        lock = Service(uuid=LOCK_SERVICE, name="Lock", characteristics=(control, state))
        return (lock, self.battery_service())

    def _state(self) -> bytes:
        return LOCK if self.stored.get("locked", True) else UNLOCK

    def _on_control(self, peer: Peer, value: bytes) -> None:
        if value not in (LOCK, UNLOCK):
            raise AttError(VALUE_NOT_ALLOWED)
        self._turn(value == LOCK, f"by {peer.name}")

    def _turn(self, locked: bool, who: str) -> None:  # the new state
        self.store("locked", locked)
        self.emit("locked" if locked else "unlocked", note=who)
        self.background(self.ble.notify(LOCK_STATE, self._state()))

    def on_connect(self, peer: Peer) -> None:
        """Ask for security at once, when told to."""
        if self.settings.asks_first:
            self.background(self.ble.request_security(peer))

    def may_pair(self, peer: str) -> int:
        """Nobody while it is locked out."""
        return REPEATED_ATTEMPTS if self.now_us < self._locked_until_us else 0

    def on_pairing_failed(self, peer: str, failure: Failure) -> None:
        """Count wrong PINs."""
        if failure.code == _CANCELLED:
            self.log(f"pairing cancelled with {peer}, no PIN to check: it does not count")
        if failure.code not in _WRONG_PIN or self.now_us < self._locked_until_us:
            return
        self._wrong += 1
        allowed = self.settings.wrong_pins_allowed
        self.log(f"wrong PIN {self._wrong} of {allowed or 'any number'} by {peer}")
        if self._wrong == allowed:
            self._wrong = 0
            self._locked_until_us = self.now_us + self.settings.lockout
            seconds = self.settings.lockout / 1e6
            self.emit("locked_out", peer=peer, note=f"nobody may pair for {seconds:g} s")

    def on_paired(self, peer: str, *, bonded: bool, authenticated: bool) -> None:
        """The right PIN."""
        self._wrong = 0

    @command
    async def turn(self, locked: bool = True) -> None:
        """Turn the knob by hand."""
        self._turn(locked, "by hand")


ACCESSORY = Lock
