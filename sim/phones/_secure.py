"""What a phone does about security: pairs, encrypts, answers a refusal and a Security Request.

Core 5.4 Vol 3 Part C 10.3.2 (client), Part H 2.4.6 (Security Request). Rules of the file: what a maker's phone does
by itself is a setting; nothing is paired that nobody asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from protocols.errors import NearbenchError
from sim.device import command
from sim.gatt import AttError, LinkError
from sim.phones import Phone, PhoneSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sim.pairing import Failure
    from sim.phones import Link

__all__ = ["SecurePhone", "SecureSettings"]

INSUFFICIENT = (0x05, 0x0F)


class _Asked(NamedTuple):
    """The connection of a Security Request, which may come before `connect` is done."""

    link: Link
    name: str


class SecureSettings(PhoneSettings, frozen=True, kw_only=True):
    """Settings of a phone about security."""

    when_refused: Literal["report", "secure"] = "report"
    """what it does when a value wants security: report the error, or encrypt or pair and ask again."""
    when_bonded: Literal["wait", "encrypt"] = "wait"
    """what it does when it has connected to a bonded device: wait until a value wants it, or encrypt at once."""
    when_asked: Literal["secure", "ignore"] = "secure"
    """what it does with a Security Request: encrypt or pair, or nothing."""
    when_bond_lost: Literal["report", "repair"] = "report"
    """what it does when the other side has lost the bond: report it, or forget the bond and pair anew."""


class SecurePhone(Phone):
    """A phone that can pair."""

    settings: SecureSettings

    async def start(self) -> None:
        """Be on, with nobody who has asked for security."""
        await super().start()
        self._asking: set[str] = set()

    def choice(self, setting: str) -> tuple[str, str]:
        """What it does where the specification leaves it open: (value of `setting`, ID of the rule behind it)."""
        return getattr(self.settings, setting), ""

    def _connection(self, peer: str) -> Any:
        """The connection with `peer`, or the latest one. Raises LinkError, UnknownNameError."""
        raise NotImplementedError

    def _wake(self, names: set[str]) -> None:
        raise NotImplementedError

    async def connect(self, to: str) -> None:
        """Connect."""
        raise NotImplementedError

    @command
    async def pair(self, to: str = "", wait: bool = True) -> None:
        """Pair over the connection with `to` (connecting first), or over the latest one.

        `wait` = false begins and goes on to the next step.
        """
        try:
            connection = self._connection(to)
        except NearbenchError:
            if not to:
                raise
            await self.connect(to)
            connection = self._connection("")
        if wait:
            await connection.link.pair()
        else:
            self.place.spawn(self.name, self._quietly(connection.link.pair()))

    async def _quietly(self, task: Awaitable[Any]) -> None:
        """What comes of it is in the trace."""
        try:
            await task
        except NearbenchError as exc:
            self.emit("failed", note=str(exc))

    @command
    async def encrypt(self, peer: str = "") -> None:
        """Encrypt with the bond's key."""
        connection = self._connection(peer)
        if not await connection.link.encrypt():
            await self._bond_lost(connection)

    @command
    async def tap(self, to: str) -> None:
        """Hold the phone to the tag of `to`: reads its out-of-band data (and gives its own, when it has a tag)."""
        if not self.ble.tap(to):
            raise LinkError(f"{self.name}: {to} has no tag with out-of-band data")
        self.emit("tapped", peer=to, note="has its out-of-band data")

    async def secure(self, connection: Any) -> None:
        """Encrypt when there is a bond, else pair. Raises PairingError, LinkError."""
        link: Link = connection.link
        if link.bonded and not link.encrypted:
            if not await link.encrypt():
                await self._bond_lost(connection)
        else:
            await link.pair()

    async def _bond_lost(self, connection: Any) -> None:
        """The other side refused the bond's key."""
        name, link = connection.name, connection.link
        does, rule = self.choice("when_bond_lost")
        because = f" ({rule})" if rule else ""
        if does == "report":
            note = f"{name} has lost the bond; forget it here to pair anew{because}"
            self.emit("bond_lost", peer=name, note=note, rule=rule)
            raise LinkError(f"{self.name}: {note}")
        note = f"{name} has lost the bond; it is forgotten and paired anew{because}"
        self.emit("bond_lost", peer=name, note=note, rule=rule)
        await self.ble.forget(name)
        await link.pair()

    async def _secured(
        self, action: str, connection: Any, ask: Callable[[], Awaitable[Any]]
    ) -> Any:
        """The answer to `ask`; a refusal for lack of security is met as the settings say. Raises AttError, LinkError."""
        try:
            return await ask()
        except AttError as exc:
            does, rule = self.choice("when_refused")
            if exc.code not in INSUFFICIENT or does == "report":
                raise
            note = f"{action}: {connection.name} wants security"
            self.emit("security_wanted", peer=connection.name, note=note, rule=rule, code=exc.code)
        await self.secure(connection)
        return await ask()

    async def _connected(self, connection: Any) -> None:
        """A connection stands: encrypt it when it is bonded and the settings say so."""
        does, rule = self.choice("when_bonded")
        if does == "encrypt" and connection.link.bonded:
            if rule:
                note = f"encrypts the link to bonded {connection.name} at once ({rule})"
                self.emit("encrypts_at_once", peer=connection.name, note=note, rule=rule)
            await self.secure(connection)

    def on_security_request(self, link: Link) -> None:
        """Meet it, or not."""
        does, rule = self.choice("when_asked")
        name = self.place.name_of(link.peer)
        if link.encrypted:
            return
        if does == "ignore":
            because = f" ({rule})" if rule else ""
            note = f"{name} asks for security before it has refused anything: ignored{because}"
            self.emit("security_request_ignored", peer=name, note=note, rule=rule)
            return
        self.place.spawn(self.name, self._quietly(self._secure_as_asked(_Asked(link, name))))

    async def _secure_as_asked(self, asked: _Asked) -> None:
        """Secure the link of a peer that has asked for it."""
        self._asking.add(asked.name)
        try:
            await self.secure(asked)
        finally:
            self._asking.discard(asked.name)

    def refuses_identity(self, peer: str) -> bool:
        """As the settings or a rule say."""
        does, rule = self.choice("bad_identity")
        if does == "refuse":
            because = f" ({rule})" if rule else ""
            note = f"{peer} distributes an identity address of zeros{because}"
            self.emit("identity_refused", peer=peer, note=note, rule=rule)
        return does == "refuse"

    def on_paired(self, peer: str, *, bonded: bool, authenticated: bool) -> None:
        """Wake who waits for it."""
        self._wake({"paired"})

    def on_pairing_failed(self, peer: str, failure: Failure) -> None:
        """Wake who waits for it."""
        self._wake({"not_paired"})
