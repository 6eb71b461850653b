"""bumble's Device with true security state: keys of a link, what they are worth, private addresses.

Core 5.4 Vol 3 Part C 10 (security modes), Part H 2.4 (keys), Vol 6 Part B 1.3 (addresses). The rules of the package
apply.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

from bumble import device as bumble_device
from bumble import hci, smp, utils

if TYPE_CHECKING:
    from bumble.keys import PairingKeys

    from sim.ble.bonds import BondStore
    from sim.ble.security.session import Watcher

__all__ = ["SecureDevice"]

JUST_WORKS = smp.PairingMethod.JUST_WORKS


class SecureDevice(bumble_device.Device):  # type: ignore[misc]  # bumble is untyped here
    """bumble's Device with true security state; `bonds` and `watcher` are set before power on."""

    bonds: BondStore
    watcher: Watcher | None = None
    csrk: bytes = bytes(16)
    smp_manager: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.pair_keys: dict[int, PairingKeys] = {}
        """keys made on a connection, by its handle; they serve it also without a bond."""
        self._key_worth: dict[int, tuple[bool, bool]] = {}
        super().__init__(*args, **kwargs)

    def note_key(
        self, connection: Any, authenticated: bool, *, sc: bool
    ) -> None:  # what the key is
        """The key that encryption is asked for with: authenticated, made by Secure Connections."""
        self._key_worth[connection.handle] = (authenticated, sc)
        if connection.role == hci.Role.CENTRAL and self.watcher is not None:
            self.watcher.encrypting(connection)

    def keys_for(self, connection: Any) -> PairingKeys | None:
        """Keys made on this connection, else those of the bond."""
        made = self.pair_keys.get(connection.handle)
        return made if made is not None else self.bonds.keys_of(str(connection.peer_address))

    async def get_long_term_key(
        self, connection_handle: int, rand: bytes, ediv: int
    ) -> bytes | None:
        """Defects: of legacy keys the peer's instead of our own is given; a session without a key is an exception."""
        connection = self.lookup_connection(connection_handle)
        if connection is None:
            return None
        session = self.smp_manager.sessions.get(connection_handle)
        if session is not None and not session.completed and not any(rand) and not ediv:
            key = getattr(session, "ltk", None) if session.sc else session.stk
            if key is not None:
                self.note_key(connection, session.pairing_method != JUST_WORKS, sc=session.sc)
                return bytes(key)
        keys = self.keys_for(connection)
        if keys is None:
            self._missing(connection)
            return None
        for key in (keys.ltk, keys.ltk_central, keys.ltk_peripheral):
            if key is not None and (key.rand or bytes(8), key.ediv or 0) == (rand, ediv):
                self.note_key(connection, key.authenticated, sc=key is keys.ltk)
                return bytes(key.value)
        self._missing(connection)
        return None

    def _missing(self, connection: Any) -> None:
        if self.watcher is not None:
            self.watcher.key_missing(connection)

    async def encrypt(self, connection: Any, enable: bool = True) -> None:  # bumble's signature
        """Defect: waits for ever when the link is encrypted already. Raises LookupError without a key, HCI_Error."""
        keys = self.keys_for(connection)
        key = None if keys is None else keys.ltk or keys.ltk_central
        if keys is None or key is None or not key.value:
            raise LookupError(str(connection.peer_address))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def succeeded() -> None:
            if not done.done():
                done.set_result(None)

        def refused(error: int) -> None:
            if not done.done():
                done.set_exception(hci.HCI_Error(error))

        self.note_key(connection, key.authenticated, sc=key is keys.ltk)
        with closing(utils.EventWatcher()) as watcher:
            watcher.on(connection, connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, succeeded)
            watcher.on(connection, connection.EVENT_CONNECTION_ENCRYPTION_KEY_REFRESH, succeeded)
            watcher.on(connection, connection.EVENT_CONNECTION_ENCRYPTION_FAILURE, refused)
            await self.send_async_command(
                hci.HCI_LE_Enable_Encryption_Command(
                    connection_handle=connection.handle,
                    random_number=key.rand or bytes(8),
                    encrypted_diversifier=key.ediv or 0,
                    long_term_key=key.value,
                )
            )
            await connection.cancel_on_disconnection(done)

    def on_connection_encryption_change(
        self, connection: Any, encryption: int, encryption_key_size: int
    ) -> None:
        """Defect: any encrypted LE link counts as authenticated and as made by Secure Connections.

        `connection` is its handle, here as below: a decorator of bumble's turns it into the connection.
        """
        link = self.lookup_connection(connection)
        if link is None:
            return
        link.encryption = encryption
        self._set_worth(link, on=bool(encryption))
        worth = link.authenticated, link.sc
        super().on_connection_encryption_change(connection, encryption, encryption_key_size)
        link.authenticated, link.sc = worth

    def on_connection_encryption_key_refresh(self, connection: Any) -> None:
        """As above."""
        link = self.lookup_connection(connection)
        if link is not None:
            self._set_worth(link, on=True)
            super().on_connection_encryption_key_refresh(connection)

    def on_connection_encryption_failure(self, connection: Any, error: int) -> None:
        """As bumble's."""
        base: Any = super()
        base.on_connection_encryption_failure(connection, error)
        link = self.lookup_connection(connection)
        if link is not None and self.watcher is not None:
            self.watcher.encrypted(link, error)

    def _set_worth(self, connection: Any, *, on: bool) -> None:
        handle = connection.handle
        authenticated, sc = self._key_worth.get(handle, (False, False))
        connection.authenticated, connection.sc = on and authenticated, on and sc
        self.smp_manager.request_answered(handle)
        if self.watcher is not None:
            self.watcher.encrypted(connection, 0)

    def forget_link(self, handle: int) -> None:
        """A connection is gone; handles are used again."""
        self.pair_keys.pop(handle, None)
        self._key_worth.pop(handle, None)
        self.smp_manager.forget_link(handle)

    async def update_rpa(self) -> bool:
        """Defect: the controller is sent the address before the new one. False while the controller refuses it."""
        if self.scanning or self.is_le_connecting:
            return False
        address = hci.Address.generate_private_address(self.irk)
        try:
            make: Any = hci.HCI_LE_Set_Random_Address_Command
            await self.send_sync_command(make(random_address=address))
        except hci.HCI_Error:
            return False
        self.random_address = address
        return True

    async def find_peer_by_identity_address(self, identity_address: Any) -> Any:
        """Defect: scans without end, by reports that we take as values. Which address to use is the phone's choice."""
        return identity_address
