"""The Security Manager of one device: which SMP commands go to which pairing.

Core 5.4 Vol 3 Part H 3.3, 3.4, 3.5.5. The rules of the package apply.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bumble import hci, smp

from protocols.data.smp_names import LENGTHS, reason_remedy, reason_words
from sim.ble.security.session import SMP_TIMEOUT_US, TIMEOUT, AirSession, failure_at
from sim.pairing import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bumble.keys import PairingKeys

    from sim.ble.security.device import SecureDevice
    from sim.ble.security.session import Watcher

__all__ = ["AirManager"]

REQUEST, FAILED, SECURITY_REQUEST = 0x01, 0x05, 0x0B
Code = smp.ErrorCode


class AirManager(smp.Manager):  # type: ignore[misc]  # bumble is untyped here
    """The Security Manager of one device; `closed` holds connections whose timer ran out."""

    device: Any
    sessions: Any

    def __init__(
        self, device: SecureDevice, factory: Callable[[Any], Any], watcher: Watcher
    ) -> None:
        super().__init__(device, factory)
        self.watcher = watcher
        self.session_proxy = AirSession
        self.closed: set[int] = set()
        self._requests: dict[int, Any] = {}
        self._ended: set[int] = (
            set()
        )  # a peer that has not heard yet may still send for what is over

    def on_smp_pdu(self, connection: Any, pdu: bytes) -> None:
        """Defects: octets that are no command raise; any command begins a session; an old one is used again."""
        handle = connection.handle
        if handle in self.closed or not pdu:
            return
        code = pdu[0]
        session = self.sessions.get(handle)
        if LENGTHS.get(code) != len(pdu):
            reason = Code.INVALID_PARAMETERS if code in LENGTHS else Code.COMMAND_NOT_SUPPORTED
            self._refuse(connection, session, reason, code)
            return
        if code == REQUEST:
            if connection.role == hci.Role.CENTRAL:
                self._refuse(connection, session, Code.COMMAND_NOT_SUPPORTED, code)
                return
            self.request_answered(handle)
            if session is not None:
                session.give_up(
                    Failure(
                        "peer", session.step, None, "it began anew", "let one pairing end first"
                    )
                )
        elif code == SECURITY_REQUEST:
            if connection.role != hci.Role.CENTRAL:
                return
            if session is None:
                self._expect_answer(connection)
        elif session is None:
            self._stray(connection, pdu)
            return
        super().on_smp_pdu(connection, pdu)

    def _stray(self, connection: Any, pdu: bytes) -> None:
        """A command outside a pairing."""
        if pdu[0] != FAILED:
            if connection.handle not in self._ended:
                self._refuse(connection, None, Code.UNSPECIFIED_REASON, pdu[0])
        elif self.request_answered(connection.handle):
            reason = pdu[1]
            words, remedy = reason_words(reason), reason_remedy(reason)
            self.watcher.failed(
                connection, Failure("peer", "security request", reason, words, remedy)
            )

    def _refuse(self, connection: Any, session: Any, reason: Any, code: int) -> None:
        if session is not None:
            session.fail(
                reason, f"command {code:#04x} has the wrong length or does not belong here"
            )
        elif code != FAILED:
            self.send_command(connection, smp.SMP_Pairing_Failed_Command(reason=reason))

    def bit(self, handle: int) -> int:
        """Bit of the PIN (1 .. 20) that the pairing on this connection is at, 0 without one."""
        session = self.sessions.get(handle)
        if session is None or not session.sc or session.pairing_method != smp.PairingMethod.PASSKEY:
            return 0
        return int(session.passkey_step) + 1

    def ended(self, session: AirSession) -> None:
        """Forget a session; the next one gets a fresh key pair (Vol 3 Part H 2.3.6)."""
        if self.sessions.get(session.connection.handle) is session:
            del self.sessions[session.connection.handle]
        self._ended.add(session.connection.handle)
        self._ecc_key = None

    def forget_link(self, handle: int) -> None:
        """A connection is gone; handles are used again."""
        self.closed.discard(handle)
        self._ended.discard(handle)
        self.request_answered(handle)

    def request_pairing(self, connection: Any) -> None:
        """Defect: no timer runs for a Security Request (Vol 3 Part H 3.4)."""
        super().request_pairing(connection)
        self._expect_answer(connection)

    async def pair(self, connection: Any) -> None:
        """As bumble's; a Security Request is answered by it."""
        self.request_answered(connection.handle)
        await super().pair(connection)

    def _expect_answer(self, connection: Any) -> None:
        self.request_answered(connection.handle)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(SMP_TIMEOUT_US / 1e6, self._request_timed_out, connection)
        self._requests[connection.handle] = timer

    def request_answered(self, handle: int) -> bool:
        """A Security Request is settled by encryption, pairing or refusal; whether one was open."""
        timer = self._requests.pop(handle, None)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _request_timed_out(self, connection: Any) -> None:
        self._requests.pop(connection.handle, None)
        self.closed.add(connection.handle)
        self.watcher.failed(connection, failure_at(TIMEOUT, "security request"))

    async def on_pairing(self, session: Any, identity_address: Any, keys: PairingKeys) -> None:
        """Defects: keys are stored without bonding, under the connection's address when no identity came."""
        device = self.device
        device.pair_keys[session.connection.handle] = keys
        connection = session.connection
        if session.peer_bd_addr is not None and connection.peer_address != identity_address:
            if connection.peer_resolvable_address is None:
                connection.peer_resolvable_address = connection.peer_address
            connection.peer_address = identity_address
        await self.watcher.paired(session, identity_address, keys)
        connection.sc = session.sc
        connection.emit(connection.EVENT_PAIRING, keys)
