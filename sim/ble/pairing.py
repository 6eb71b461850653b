"""Pairing of one node: its settings as bumble's, its person as bumble's delegate, what comes of it as events.

Core 5.4 Vol 3 Part H 2.3 (method), 2.3.6 (repeated attempts), Vol 3 Part C 10.3.1 (what a refused request says).
Rules of the file: decisions are the device's (settings, `delegate`, `may_pair`); what its delegate raises ends the
pairing with that as the remark; every end is one event on each side, with side, step, reason and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bumble import core, hci, smp
from bumble.pairing import PairingConfig

from protocols.data.gatt_names import reason_name
from protocols.data.smp_names import IO_CAPABILITIES, METHODS, choose_method
from protocols.errors import UsageError
from sim.ble.delegate import Config, Person
from sim.ble.security import AirManager
from sim.gatt import LinkError
from sim.pairing import Failure, PairingError, failure_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from bumble.keys import PairingKeys

    from sim.ble.host import AirDevice
    from sim.ble.security import AirSession
    from sim.ble.stack import Stack
    from sim.pairing import PairingSettings

__all__ = ["Pairing"]

NOT_SUPPORTED, UNSPECIFIED, REPEATED = 0x05, 0x08, 0x09
REQUIREMENTS, KEY_SIZE, INVALID = 0x03, 0x06, 0x0A
SC, MITM = 0x08, 0x04
LEAST_KEY_OCTETS, MOST_KEY_OCTETS = 7, 16
_GUESSED_WRONG = (0x01, 0x04, 0x0B, 0x0C)
_LONGEST_WAIT = 64
_KEY_MISSING = 0x06


class Pairing:
    """Pairing and bonds of a node that is switched on."""

    def __init__(self, stack: Stack, device: AirDevice) -> None:
        self._stack = stack
        self._device = device
        self.owner = stack.owner
        self.settings: PairingSettings = stack.owner.settings
        self.on_encrypted: Callable[[Any], None] | None = None
        """called with a connection whose encryption is on now."""
        self.tags: dict[str, Any] = {}
        """out-of-band data read from other nodes' tags."""
        self._failures = 0
        self._blocked_until_us = 0
        self._latest: dict[int, Failure] = {}  # connection handle -> its last one
        device.smp_manager = AirManager(device, self._config, self)
        device.watcher = self
        self.owner.person.face.io = self.settings.io
        self._oob = (smp.OobContext(), smp.OobLegacyContext()) if self.settings.oob else None
        if self._oob is not None:
            self.owner.person.face.tag = (self._oob[0].share(), self._oob[1])

    def _peer(self, connection: Any) -> str:
        return self._stack.peer_name(connection)

    def _config(self, connection: Any) -> Config:
        settings = self.settings
        peer = self._peer(connection)
        kinds = {"public": 0, "random": 1}
        config = Config(
            sc=settings.secure_connections != "no",
            mitm=settings.mitm != "no",
            bonding=settings.bonding,
            delegate=Person(self.owner, peer, self._stack.defects.person(self.owner.delegate())),
            identity_address_type=PairingConfig.AddressType(
                kinds.get(settings.identity, kinds[self._stack.address_kind])
            ),
            oob=self._oob_config(peer),
        )
        config.zero_identity = settings.identity == "zero"
        return config

    def _oob_config(self, peer: str) -> Any:
        heard = self.tags.get(peer)
        if self._oob is None and heard is None:
            return None
        own = smp.OobContext() if self._oob is None else self._oob[0]
        shared, legacy = heard or (None, self._oob and self._oob[1])
        return PairingConfig.OobConfig(own, shared, legacy)

    # Asked by the session

    def refuses(self, session: AirSession, request: Any) -> int:
        """Reason to refuse the peer's features, 0 to go on."""
        if session.is_responder and (code := self._unwilling(session)):
            return code
        if self.settings.secure_connections == "required" and not request.auth_req & SC:
            session.remark = f"{self._stack.node} insists on Secure Connections"
            return REQUIREMENTS
        if request.io_capability not in IO_CAPABILITIES or request.oob_data_flag > 1:
            return INVALID
        if not LEAST_KEY_OCTETS <= request.maximum_encryption_key_size <= MOST_KEY_OCTETS:
            return KEY_SIZE
        return 0

    def _unwilling(self, session: AirSession) -> int:
        peer = self._peer(session.connection)
        now_us = self._stack.place.loop.now_us
        if not self.settings.pairable:
            session.remark = f"{self._stack.node} is not in pairing mode"
            return NOT_SUPPORTED
        if now_us < self._blocked_until_us:
            left_s = (self._blocked_until_us - now_us) / 1e6
            session.remark = f"{self._stack.node} lets nobody try for another {left_s:.0f} s"
            return REPEATED
        return int(self._stack.attempt("may_pair()", lambda: self.owner.may_pair(peer)) or 0)

    def chosen(self, session: AirSession, request: Any, response: Any) -> int:
        """Say which method the tables give and why; a reason to refuse it, or 0."""
        sc = bool(request.auth_req & response.auth_req & SC)
        choice = choose_method(
            IO_CAPABILITIES[int(request.io_capability)],
            IO_CAPABILITIES.get(int(response.io_capability), "none"),
            secure_connections=sc,
            mitm=(bool(request.auth_req & MITM), bool(response.auth_req & MITM)),
            oob=(bool(request.oob_data_flag), bool(response.oob_data_flag)),
        )
        if session.is_initiator or self._is_foreign(session.connection):
            kind = "Secure Connections" if sc else "legacy"
            self._stack.emit(
                "pairing_method",
                peer=self._peer(session.connection),
                note=f"{METHODS[choice.method]} ({kind}); {choice.why}",
                label="method",
                method=choice.method,
                secure_connections=sc,
                why=choice.why,
            )
        if choice.method == "just_works" and self.settings.mitm == "required":
            session.remark = f"{self._stack.node} does not do Just Works"
            return REQUIREMENTS
        if session.is_initiator and self._minds_keys(session, response):
            session.remark = f"{self._stack.node} does not go on with these key distribution flags"
            return UNSPECIFIED
        return 0

    def _minds_keys(self, session: AirSession, response: Any) -> bool:
        peer = self._peer(session.connection)
        keys = (
            int(response.initiator_key_distribution),
            int(response.responder_key_distribution),
        )
        return bool(
            self._stack.attempt("refuses_keys()", lambda: self.owner.refuses_keys(peer, keys))
        )

    def _is_foreign(self, connection: Any) -> bool:
        """Whether the other end is no node of this world, and so writes nothing into the trace."""
        return ":" in self._peer(connection)

    async def consents(self, session: AirSession) -> bool:
        """Legacy Just Works: ask the person."""
        return bool(await session.pairing_config.delegate.confirm())

    def bad_identity(self, session: AirSession) -> bool:
        """The peer distributed no identity address; whether that ends the pairing."""
        peer = self._peer(session.connection)
        refused = self._stack.attempt(
            "refuses_identity()", lambda: self.owner.refuses_identity(peer)
        )
        if not refused:
            note = "the identity address is none; the bond is kept under the address in use"
            self._stack.emit("identity_ignored", peer=peer, note=note)
        return bool(refused)

    # Told by the session

    async def paired(self, session: AirSession, identity: Any, keys: PairingKeys) -> None:
        """Keep the keys when both sides bond. Raises UsageError when they cannot be written."""
        if not session.bonding:
            return
        peer = self._peer(session.connection)
        replaced = self._device.bonds.keys_of(str(identity)) is not None
        await self._device.bonds.update(str(identity), keys)
        await self._device.refresh_resolving_list()
        event = "bond_replaced" if replaced else "bond_stored"
        self._stack.emit(event, peer=peer, note=f"as {identity}", identity=str(identity))

    def completed(self, session: AirSession) -> None:
        """Say that it went well, once the other side has everything."""
        self._failures = 0
        authenticated = session.pairing_method != smp.PairingMethod.JUST_WORKS
        peer, bonded = self._peer(session.connection), bool(session.bonding)
        protected = "protected" if authenticated else "not protected"
        self._stack.emit(
            "paired",
            peer=peer,
            note=f"{protected} against a man in the middle, {'bonded' if bonded else 'not bonded'}",
            authenticated=authenticated,
            secure_connections=bool(session.sc),
            bonded=bonded,
        )
        self._end(peer, "")
        self._stack.attempt(
            "on_paired()",
            lambda: self.owner.on_paired(peer, bonded=bonded, authenticated=authenticated),
        )

    def failed(self, connection: Any, failure: Failure) -> None:
        """Say why a pairing failed; guesses slow the next ones down."""
        peer = self._peer(connection)
        if failure.code in _GUESSED_WRONG:
            factor = min(2**self._failures, _LONGEST_WAIT)
            self._failures += 1
            now_us = self._stack.place.loop.now_us
            self._blocked_until_us = now_us + self.settings.retry_wait * factor
        self._latest[connection.handle] = failure
        text = failure_text(self._stack.node, peer, failure)
        self._stack.emit(
            "not_paired",
            peer=peer,
            note=text,
            label="not paired",
            side=failure.side,
            step=failure.step,
            reason=failure.code,
            words=failure.words,
            remedy=failure.remedy,
        )
        self._end(peer, text)
        self._stack.attempt(
            "on_pairing_failed()", lambda: self.owner.on_pairing_failed(peer, failure)
        )

    def _end(self, peer: str, why: str) -> None:
        self._stack.attempt("cancelled()", lambda: self.owner.delegate().cancelled(peer, why))

    def encrypted(self, connection: Any, error: int) -> None:
        """Say that encryption is on, or why not."""
        peer = self._peer(connection)
        if error:
            words = reason_name(error)
            note = f"{error:#04x} {words}"
            if error == _KEY_MISSING:
                note += f"; {peer} has lost the bond: forget it here and pair again"
            self._stack.emit("encryption_failed", peer=peer, note=note, reason=error, words=words)
            return
        authenticated = bool(connection.authenticated)
        protected = "authenticated" if authenticated else "unauthenticated"
        self._stack.emit(
            "encrypted", peer=peer, note=f"with an {protected} key", authenticated=authenticated
        )
        if self.on_encrypted is not None:
            self.on_encrypted(connection)

    def encrypting(self, connection: Any) -> None:
        """Say that this central asks for encryption."""
        peer = self._peer(connection)
        self._stack.emit("encrypt", direction="tx", peer=peer, label="start encryption")

    def key_missing(self, connection: Any) -> None:
        """The central asked for encryption with a key that is not known here."""
        peer = self._peer(connection)
        note = f"{peer} encrypts with a bond that is not known here; it has to forget it and pair again"
        self._stack.emit("bond_missing", peer=peer, note=note)

    # Used by the façades

    def is_bonded(self, connection: Any) -> bool:
        """Whether there is a bond with the other end."""
        return self._device.bonds.keys_of(str(connection.peer_address)) is not None

    def check_free(self, connection: Any) -> None:
        """Raise UsageError when a pairing runs on this connection, or its Security Manager has timed out."""
        manager = self._device.smp_manager
        peer, node = self._peer(connection), self._stack.node
        if connection.handle in manager.closed:
            raise UsageError(
                f"{node}: SMP with {peer} has timed out; disconnect before you pair again"
            )
        if connection.handle in manager.sessions:
            raise UsageError(f"{node} is pairing with {peer} already")

    async def pair(self, connection: Any) -> None:
        """As central: pair. Raises PairingError, UsageError (it pairs already, or its time is over)."""
        self.check_free(connection)
        peer = self._peer(connection)
        self._latest.pop(connection.handle, None)
        try:
            await connection.pair()
        except (core.ProtocolError, LinkError):
            failure = self._latest.pop(connection.handle)
            raise PairingError(self._stack.node, peer, failure) from None

    async def encrypt(self, connection: Any) -> bool:
        """As central: encrypt with the bond's key; False when the other end has lost it. Raises LinkError."""
        try:
            await connection.encrypt()
        except LookupError:
            peer = self._peer(connection)
            raise LinkError(f"{self._stack.node}: no bond with {peer}; pair first") from None
        except hci.HCI_Error as exc:
            if exc.error_code == _KEY_MISSING:
                return False
            words = reason_name(exc.error_code or 0)
            raise LinkError(f"{self._stack.node}: encrypting: {words}") from None
        return True

    def tap(self, node: str) -> bool:
        """Read the out-of-band data on the tag of `node`; False when it has none."""
        face = self._stack.place.faces.get(node)
        if face is None or face.tag is None:
            return False
        self.tags[node] = face.tag
        return True

    def request_security(self, connection: Any) -> None:
        """As peripheral: ask the central to encrypt or pair. Raises UsageError."""
        self.check_free(connection)
        self._device.smp_manager.request_pairing(connection)

    def cancel(self) -> bool:
        """End running pairings; False when there is none."""
        sessions = list(self._device.smp_manager.sessions.values())
        for session in sessions:
            session.fail(UNSPECIFIED, "cancelled")
        return bool(sessions)

    def switched_off(self) -> None:
        """The power is gone in the middle of it."""
        manager = self._device.smp_manager
        for session in list(manager.sessions.values()):
            session.give_up(
                Failure(
                    "here", session.step, None, "it was switched off", "pair again when it is on"
                )
            )
        for handle in list(self._device.connections):
            manager.request_answered(handle)

    def link_closed(self, connection: Any) -> None:
        """A connection is gone."""
        self._device.forget_link(connection.handle)

    def bonded_with(self) -> list[str]:
        """Names (or addresses) of the bonded peers, oldest first."""
        return [self._named(identity) for identity in self._device.bonds.names()]

    def _named(self, identity: str) -> str:
        return self._stack.place.name_of(identity.removesuffix("/P").lower())

    async def forget(self, peer: str) -> int:
        """Remove bonds with `peer` (a node or address; empty = all); how many."""
        bonds = self._device.bonds
        wanted = peer.lower()
        gone = [
            identity
            for identity in bonds.names()
            if not peer or peer == self._named(identity) or wanted in identity.lower()
        ]
        for identity in gone:
            await bonds.delete(identity)
            self._stack.emit(
                "bond_removed", peer=self._named(identity), note=identity, identity=identity
            )
        await self._device.refresh_resolving_list()
        return len(gone)
