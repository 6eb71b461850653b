"""The person behind a node as bumble's delegate: what it asks, and that an exception of it ends the pairing.

Core 5.4 Vol 3 Part H 2.3.5. Rules of the file: the device's delegate decides; whatever it raises is the remark of the
failure, and never lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bumble.pairing import PairingConfig, PairingDelegate

from protocols.data.smp_names import IO_CAPABILITIES, KEYS
from protocols.errors import UsageError, origin_of
from sim.pairing import pin_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sim.ble.security import AirSession
    from sim.pairing import PairingDevice
    from sim.person import Delegate

__all__ = ["Config", "Person"]

UNSPECIFIED, COMPARISON = 0x08, 0x0C
_IO = {name: code for code, name in IO_CAPABILITIES.items()}
_KEY_BITS = {name: bit for bit, name in KEYS.items()}


class Config(PairingConfig):  # type: ignore[misc]  # bumble is untyped here
    """bumble's, and the mistakes a device may be told to make."""

    zero_identity = False


class Person(PairingDelegate):  # type: ignore[misc]  # bumble is untyped here
    """The device's delegate as bumble asks for it; `session` is set when the pairing begins."""

    session: AirSession

    def __init__(self, owner: PairingDevice, peer: str, delegate: Delegate) -> None:
        settings = owner.settings
        keys = sum(_KEY_BITS[name] for name in dict.fromkeys(settings.keys))
        distribution = PairingDelegate.KeyDistribution(keys)
        super().__init__(PairingDelegate.IoCapability(_IO[settings.io]), distribution, distribution)
        self._delegate = delegate
        self._peer = peer

    async def _heed(self, step: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        """The person's answer, None when the question failed and with it the pairing."""
        self.session.step = step
        try:
            return await ask()
        except Exception as exc:  # noqa: BLE001  # a user's delegate may raise anything: it ends the pairing
            self._broke(exc)
            return None

    def _broke(self, exc: Exception) -> None:
        self.session.fail(UNSPECIFIED, f"{type(exc).__name__}: {exc} ({origin_of(exc)})")

    async def confirm(self, auto: bool = False) -> bool:  # bumble's signature
        """Just Works."""
        said = await self._heed("consent", lambda: self._delegate.confirm(self._peer))
        if not said:
            self.session.fail(UNSPECIFIED, "the person does not want to pair")
        return bool(said)

    async def compare_numbers(self, number: int, digits: int) -> bool:
        """Numeric comparison."""
        text = f"{number:0{digits}}"
        said = await self._heed("comparison", lambda: self._delegate.compare(self._peer, text))
        if not said:
            self.session.fail(COMPARISON)
        return bool(said)

    async def get_number(self) -> int | None:
        """Passkey typed."""
        said = await self._heed("PIN entry", lambda: self._delegate.ask_pin(self._peer))
        if said is None:
            return None
        try:
            return int(pin_text(said))
        except (UsageError, TypeError) as exc:
            self._broke(exc)
            return None

    async def generate_passkey(self) -> int:
        """Passkey to display."""
        try:
            pin = self._delegate.new_pin(self._peer)
            if pin:
                return int(pin_text(pin))
        except Exception as exc:  # noqa: BLE001  # as above
            self._broke(exc)
        return int(await super().generate_passkey())

    async def display_number(self, number: int, digits: int) -> None:
        """Show the passkey."""
        try:
            self._delegate.display_pin(self._peer, f"{number:0{digits}}")
        except Exception as exc:  # noqa: BLE001  # as above
            self._broke(exc)
