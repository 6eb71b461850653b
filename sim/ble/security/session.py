"""One pairing: bumble's SMP session with its defects answered, a timer, and one end.

Core 5.4 Vol 3 Part H 2.3, 2.4, 3.4, 3.5, 3.6. The rules of the package apply.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from bumble import crypto, hci, smp

from protocols.data.hci_names import error_name
from protocols.data.smp_names import STEPS, reason_remedy, reason_words
from protocols.errors import NearbenchError
from sim.gatt import LinkError
from sim.pairing import Failure

if TYPE_CHECKING:
    from bumble.keys import PairingKeys

    from sim.ble.security.manager import AirManager

__all__ = ["SMP_TIMEOUT_US", "TIMEOUT", "AirSession", "Watcher", "failure_at"]

SMP_TIMEOUT_US = 30_000_000
REQUEST, FAILED = 0x01, 0x05
_ROUNDS = 20
TIMEOUT = Failure(
    "link",
    "",
    None,
    "no answer for 30 s (Security Manager timer)",
    "disconnect first: no more pairing on this connection",
)
_LOST = Failure("link", "", None, "the connection ended", "bring the two closer and pair again")
JUST_WORKS, PASSKEY = smp.PairingMethod.JUST_WORKS, smp.PairingMethod.PASSKEY
Code = smp.ErrorCode


class Watcher(Protocol):
    """Who decides, and who is told."""

    def refuses(self, session: AirSession, request: Any) -> int:
        """Reason to refuse the peer's features, 0 to go on; `request` is its Pairing Request or Response."""
        ...

    def chosen(self, session: AirSession, request: Any, response: Any) -> int:
        """The method is chosen; a reason to refuse it, or 0."""
        ...

    async def consents(self, session: AirSession) -> bool:
        """Ask the person about Just Works in legacy pairing, for which bumble asks nobody."""
        ...

    def bad_identity(self, session: AirSession) -> bool:
        """The peer's identity address is none; whether that ends the pairing."""
        ...

    async def paired(self, session: AirSession, identity: Any, keys: PairingKeys) -> None:
        """Keys are there; store them. Raises UsageError."""
        ...

    def completed(self, session: AirSession) -> None:
        """The other side has everything too: the pairing is over and well."""
        ...

    def failed(self, connection: Any, failure: Failure) -> None:
        """A pairing failed."""
        ...

    def encrypted(self, connection: Any, error: int) -> None:
        """Encryption has changed, or could not be had (HCI error)."""
        ...

    def encrypting(self, connection: Any) -> None:
        """This central asks for encryption."""
        ...

    def key_missing(self, connection: Any) -> None:
        """The central encrypts with a key that is not known here."""
        ...


class AirSession(smp.Session):  # type: ignore[misc]  # bumble is untyped here
    """One pairing on one connection."""

    completed: bool
    connection: Any
    manager: Any
    pairing_config: Any

    def __init__(
        self, manager: AirManager, connection: Any, config: Any, is_initiator: bool
    ) -> None:  # bumble's constructor
        self.step = "feature exchange"
        self.remark = ""
        """what was wrong, when the reason's own words do not say it."""
        self.over = False
        self._side: Any = "here"
        self._timer: Any = None
        self.watcher = manager.watcher
        super().__init__(manager, connection, config, is_initiator)
        config.delegate.session = self
        connection.on(connection.EVENT_CONNECTION_ENCRYPTION_FAILURE, self._encryption_failed)

    # Ending once

    def fail(self, code: int, remark: str = "") -> None:
        """End the pairing with Pairing Failed; `remark` is what the reason's own words do not say."""
        if not self.completed:
            self.remark = remark
            self.send_pairing_failed(Code(code))

    def give_up(self, failure: Failure) -> None:
        """End the pairing without a word to the peer."""
        if self.completed:
            return
        self.completed = True
        if self.pairing_result is not None and not self.pairing_result.done():
            self.pairing_result.set_exception(LinkError(failure.words))
        self._finish(failure)

    def send_pairing_failed(self, error: Any) -> None:
        """Defect: sent again, and to a peer that has ended it, when a person answers after the end."""
        if self.completed:
            return
        self._side = "here"
        super().send_pairing_failed(error)

    def on_smp_pairing_failed_command(self, command: Any) -> None:
        """As bumble's; notes who ended it."""
        self._side = "peer"
        super().on_smp_pairing_failed_command(command)

    def on_pairing_failure(self, reason: Any) -> None:
        """Defect: an ended session stays registered, so that the next pairing on the link runs in its remains."""
        if self.completed:
            return
        self.completed = True
        code = int(reason)
        if self.pairing_result is not None and not self.pairing_result.done():
            self.pairing_result.set_exception(LinkError(reason_words(code)))
        words = f"{reason_words(code)}: {self.remark}" if self.remark else reason_words(code)
        self._finish(Failure(self._side, self.step, code, words, reason_remedy(code)))

    def on_disconnection(self, _: int) -> None:
        """Defect: nobody is told that a pairing ended with its connection."""
        super().on_disconnection(_)
        failure = None if self.completed else failure_at(_LOST, self.step)
        self.completed = True
        self._finish(failure)

    def _encryption_failed(self, error: int) -> None:
        """Defect: a pairing whose encryption is refused waits for ever."""
        if not self.completed:
            self.step = "encryption"
            self.fail(Code.UNSPECIFIED_REASON, error_name(error))

    def _finish(self, failure: Failure | None) -> None:
        self.over = True
        self._stop_timer()
        connection = self.connection
        for event, listener in (
            (connection.EVENT_DISCONNECTION, self.on_disconnection),
            (connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, self.on_connection_encryption_change),
            (connection.EVENT_CONNECTION_ENCRYPTION_KEY_REFRESH, self.on_connection_encryption_key_refresh),
            (connection.EVENT_CONNECTION_ENCRYPTION_FAILURE, self._encryption_failed),
        ):  # fmt: skip
            if listener in connection.listeners(event):
                connection.remove_listener(event, listener)
        self.manager.ended(self)
        if failure is not None:
            self.watcher.failed(connection, failure)

    # The timer

    def _start_timer(self) -> None:
        self._stop_timer()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SMP_TIMEOUT_US / 1e6, self._timed_out)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _timed_out(self) -> None:
        """Defect: no Security Manager timer. Vol 3 Part H 3.4: 30 s, then no more SMP on this link."""
        self.manager.closed.add(self.connection.handle)
        self.give_up(failure_at(TIMEOUT, self.step))

    # Messages

    def send_command(self, command: Any) -> None:
        """Defects: an exception while handling a message sends Pairing Failed without ending; the CSRK is zeros."""
        if self.over:
            return
        if command.code == smp.CommandCode.SIGNING_INFORMATION:
            command = smp.SMP_Signing_Information_Command(signature_key=self.manager.device.csrk)
        self._note_step(command.code)
        super().send_command(command)
        if not self.completed:
            self._start_timer()
            if command.code == FAILED:
                self.on_pairing_failure(command.reason)

    def on_smp_command(self, command: Any) -> None:
        """As bumble's; keeps track of the step."""
        if self.completed:
            return
        self._note_step(command.code)
        if command.code == REQUEST:
            self._start_timer()
        super().on_smp_command(command)

    def _note_step(self, code: int) -> None:
        step = STEPS.get(code)
        if step is None:
            return
        rounds = step == "confirm values" and self.sc and self.pairing_method == PASSKEY
        self.step = f"bit {min(self.passkey_step + 1, _ROUNDS)} of the PIN" if rounds else step

    def on_smp_pairing_request_command(self, command: Any) -> None:
        """Defect: the features of the peer are not checked against what this side insists on."""
        if code := self.watcher.refuses(self, command):
            self.fail(code, self.remark)
            return
        self._peer_features = command
        super().on_smp_pairing_request_command(command)

    def send_pairing_response_command(self) -> None:
        """As bumble's; then the method is known."""
        super().send_pairing_response_command()
        response = smp.SMP_Command.from_bytes(self.pres)
        if code := self.watcher.chosen(self, self._peer_features, response):
            self.fail(code, self.remark)

    def on_smp_pairing_response_command(self, command: Any) -> None:
        """As on a request."""
        if self.is_responder:
            return
        if code := self.watcher.refuses(self, command):
            self.fail(code, self.remark)
            return
        request = smp.SMP_Command.from_bytes(self.preq)
        if code := self.watcher.chosen(self, request, command):
            self.fail(code, self.remark)
            return
        super().on_smp_pairing_response_command(command)

    def on_smp_pairing_public_key_command(self, command: Any) -> None:
        """Defects: our own key comes back unnoticed (reflection); a point off the curve is an exception."""
        if command.public_key_x == self.ecc_key.x[::-1]:
            self.fail(Code.INVALID_PARAMETERS, "the peer sent our own public key back")
            return
        try:
            super().on_smp_pairing_public_key_command(command)
        except ValueError:
            self.fail(Code.INVALID_PARAMETERS, "the peer's public key is no point of the curve")

    def send_pairing_confirm_command(self) -> None:
        """Defects: passkey 000000 fails an assertion and hangs; legacy Just Works asks nobody."""
        if self.sc and self.pairing_method == PASSKEY:
            self.r = crypto.r()
            self.connection.cancel_on_disconnection(self._confirm_bit())
        elif not self.sc and self.pairing_method == JUST_WORKS:
            self.connection.cancel_on_disconnection(self._confirm_with_consent())
        else:
            super().send_pairing_confirm_command()

    async def _confirm_bit(self) -> None:
        await self.passkey_ready.wait()
        if self.completed or self.passkey is None:
            return
        bit = 0x80 + ((self.passkey >> self.passkey_step) & 1)
        own, peer = (self.pka, self.pkb) if self.is_initiator else (self.pkb, self.pka)
        value = crypto.f4(own, peer, self.r, bytes([bit]))
        self.send_command(smp.SMP_Pairing_Confirm_Command(confirm_value=value))

    async def _confirm_with_consent(self) -> None:
        if await self.watcher.consents(self) and not self.completed:
            super().send_pairing_confirm_command()

    def start_encryption(self, key: bytes) -> None:
        """As bumble's; remembers what the key is worth."""
        self.step = "encryption"
        self.manager.device.note_key(self.connection, self.pairing_method != JUST_WORKS, sc=self.sc)
        super().start_encryption(key)

    def send_identity_address_command(self) -> None:
        """As bumble's, or zeros when the device is told to make that mistake."""
        if not self.pairing_config.zero_identity:
            super().send_identity_address_command()
            return
        zero = hci.Address(bytes(6), hci.AddressType.PUBLIC_DEVICE)
        command = smp.SMP_Identity_Address_Information_Command(addr_type=0, bd_addr=zero)
        self.send_command(command)

    def on_smp_identity_address_information_command(self, command: Any) -> None:
        """Defect: any address is taken for an identity; only a public or static random one is (Vol 3 Part H 3.6.5)."""
        address = command.bd_addr
        public = address.address_type == hci.AddressType.PUBLIC_DEVICE
        if any(bytes(address)) and (public or address.is_static):
            super().on_smp_identity_address_information_command(command)
            return
        if self.watcher.bad_identity(self):
            self.fail(Code.INVALID_PARAMETERS, "the peer's identity address is no identity address")
            return
        self.peer_identity_resolving_key = None
        self.check_key_distribution(smp.SMP_Identity_Address_Information_Command)

    async def on_pairing(self) -> None:
        """Defect: an error while keys are stored is lost."""
        if self.completed:
            return
        self._stop_timer()
        try:
            await super().on_pairing()
        except NearbenchError as exc:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "in pairing", "exception": exc}
            )
        self._finish(None)
        self.watcher.completed(self)


def failure_at(failure: Failure, step: str) -> Failure:
    """`failure` with the step at which it came."""
    return Failure(failure.side, step, failure.code, failure.words, failure.remedy)
