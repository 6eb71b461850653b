"""LL control procedures of one side of a connection: features, version, ping, termination, refusal, and their order.

Bluetooth Core specification 5.4, Vol 6 Part B, 5.1 and 5.2 (procedure response timeout). Rules of the file:
* One procedure of its own at a time; others wait for it, and for encryption to be settled. The peer's procedures are
  answered at once.
* What is unknown, has a wrong length or comes from the wrong role is answered with LL_UNKNOWN_RSP.
* Procedures that change the connection (update, channel map, length, PHY) are in `updates`, encryption has its own
  file.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from sim.ble.encryption import EncryptionState
from sim.ble.ll_opcodes import LENGTHS, ErrorCode, Opcode
from sim.ble.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.ble.connection import LinkConnection
    from sim.clock import Event

__all__ = ["Control"]

RESPONSE_TIMEOUT_US = 40_000_000
EXTENDED_REJECT = 1 << 2  # bit of the feature set
FEATURE_OCTETS = 8
REMOTE_VERSION_EVENT = 0x0C
REMOTE_FEATURES_SUBEVENT = 0x04

TO_CENTRAL = frozenset(
    (
        Opcode.ENC_RSP,
        Opcode.START_ENC_REQ,
        Opcode.PERIPHERAL_FEATURE_REQ,
        Opcode.CONNECTION_PARAM_REQ,
    )
)
TO_PERIPHERAL = frozenset(
    (
        Opcode.CONNECTION_UPDATE_IND,
        Opcode.CHANNEL_MAP_IND,
        Opcode.ENC_REQ,
        Opcode.FEATURE_REQ,
        Opcode.PAUSE_ENC_REQ,
        Opcode.PHY_UPDATE_IND,
    )
)
WITHOUT_RESPONSE = frozenset((Opcode.CONNECTION_UPDATE_IND, Opcode.CHANNEL_MAP_IND))


class Control:
    """The procedures of `link`; `updates` has those that change the connection."""

    def __init__(self, link: LinkConnection) -> None:
        self._link = link
        self.updates = Updates(link)
        self.features: bytes | None = None
        """The peer's feature set, eight octets, once known."""
        self.terminating = False
        """Whether our goodbye is on its way."""
        self.current: int | None = None
        """Opcode that began the procedure of ours that runs."""
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._deadline: Event | None = None
        self._version: bytes | None = None
        self._version_sent = False
        self._features_wanted = False
        self._version_wanted = False
        encryption, updates = link.encryption, self.updates
        self._handlers: dict[int, Callable[[bytes], None]] = {
            Opcode.CONNECTION_UPDATE_IND: updates.on_connection_update_ind,
            Opcode.CHANNEL_MAP_IND: updates.on_channel_map_ind,
            Opcode.TERMINATE_IND: self._on_terminate_ind,
            Opcode.ENC_REQ: encryption.on_enc_req,
            Opcode.ENC_RSP: encryption.on_enc_rsp,
            Opcode.START_ENC_REQ: encryption.on_start_enc_req,
            Opcode.START_ENC_RSP: encryption.on_start_enc_rsp,
            Opcode.UNKNOWN_RSP: self._on_unknown_rsp,
            Opcode.FEATURE_REQ: self._on_feature_req,
            Opcode.PERIPHERAL_FEATURE_REQ: self._on_feature_req,
            Opcode.FEATURE_RSP: self._on_feature_rsp,
            Opcode.PAUSE_ENC_REQ: encryption.on_pause_enc_req,
            Opcode.PAUSE_ENC_RSP: encryption.on_pause_enc_rsp,
            Opcode.VERSION_IND: self._on_version_ind,
            Opcode.REJECT_IND: self._on_reject_ind,
            Opcode.REJECT_EXT_IND: self._on_reject_ext_ind,
            Opcode.CONNECTION_PARAM_REQ: updates.on_connection_param_req,
            Opcode.PING_REQ: self._on_ping_req,
            Opcode.PING_RSP: self._on_ping_rsp,
            Opcode.LENGTH_REQ: updates.on_length_req,
            Opcode.LENGTH_RSP: updates.on_length_rsp,
            Opcode.PHY_REQ: updates.on_phy_req,
            Opcode.PHY_RSP: updates.on_phy_rsp,
            Opcode.PHY_UPDATE_IND: updates.on_phy_update_ind,
        }

    # Order

    @property
    def idle(self) -> bool:
        """Whether no procedure of ours runs or waits, and encryption is settled."""
        return self.current is None and not self._waiting and self._settled

    @property
    def _settled(self) -> bool:
        return self._link.encryption.state in (EncryptionState.OFF, EncryptionState.ON)

    def begin(self) -> None:
        """The connection is established."""
        self.updates.begin()

    def run(self, opcode: int, start: Callable[[], None]) -> None:
        """Call `start` for the procedure that begins with `opcode` when its turn comes."""
        self._waiting.append((opcode, start))
        self._advance()

    def answered(self, opcode: int) -> None:
        """The procedure that began with `opcode` is over, if it was ours; the next may begin."""
        if self.current == opcode:
            self.current = None
            self.responded()
        self._advance()

    def responded(self) -> None:
        """The peer has answered, and an instant is awaited: the response timeout stops."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _advance(self) -> None:
        if self.current is not None or not self._waiting or not self._settled:
            return
        opcode, start = self._waiting.popleft()
        self.current = opcode
        if opcode not in WITHOUT_RESPONSE:
            self._deadline = self._link.loop.after_us(RESPONSE_TIMEOUT_US, self._unanswered)
        start()

    def _unanswered(self) -> None:
        self._link.close(ErrorCode.LL_RESPONSE_TIMEOUT)

    def stop(self) -> None:
        """The connection is over."""
        self._waiting.clear()
        self.current = None
        self.responded()

    # In

    def receive(self, pdu: bytes) -> None:
        """Take an LL control PDU in the clear."""
        opcode = pdu[0]
        handler = self._handlers.get(opcode)
        wrong_role = opcode in (TO_PERIPHERAL if self._link.is_central else TO_CENTRAL)
        if handler is None or wrong_role or LENGTHS[opcode] != len(pdu) - 1:
            if opcode != Opcode.UNKNOWN_RSP:
                self._link.send_control(bytes((Opcode.UNKNOWN_RSP, opcode)))
            return
        handler(pdu[1:])

    # Refusal

    def reject(self, opcode: int, error: int) -> None:
        """Refuse the peer's `opcode`: with LL_REJECT_EXT_IND where the peer is known to understand it."""
        known = self.features is not None and self.features[0] & EXTENDED_REJECT
        if known or opcode != Opcode.ENC_REQ:
            self._link.send_control(bytes((Opcode.REJECT_EXT_IND, opcode, error)))
        else:
            self._link.send_control(bytes((Opcode.REJECT_IND, error)))

    def _on_reject_ind(self, data: bytes) -> None:
        self._link.encryption.on_rejected(data[0])

    def _on_reject_ext_ind(self, data: bytes) -> None:
        opcode, error = data
        if opcode == Opcode.ENC_REQ:
            self._link.encryption.on_rejected(error)
        elif opcode == self.current:
            self._failed(opcode, error)

    def _on_unknown_rsp(self, data: bytes) -> None:
        if data[0] == self.current:
            self._failed(data[0], ErrorCode.UNSUPPORTED_REMOTE_FEATURE)

    def _failed(self, opcode: int, error: int) -> None:
        """Our procedure came to nothing: say so to the host that asked for it."""
        if opcode in (Opcode.FEATURE_REQ, Opcode.PERIPHERAL_FEATURE_REQ):
            self._tell_features(error)
        else:
            self.updates.failed(opcode, error)
        self.answered(opcode)

    # Features

    def read_features(self) -> None:
        """Tell the host the peer's features, after asking for them if need be."""
        self._features_wanted = True
        if self.features is not None:
            self._tell_features(ErrorCode.SUCCESS)
        else:
            central = self._link.is_central
            opcode = Opcode.FEATURE_REQ if central else Opcode.PERIPHERAL_FEATURE_REQ
            self.run(opcode, lambda: self._ask_features(opcode))

    def _own_features(self) -> bytes:
        return int(self._link.controller.le_features).to_bytes(FEATURE_OCTETS, "little")

    def _ask_features(self, opcode: int) -> None:
        self._link.send_control(bytes((opcode,)) + self._own_features())

    def _on_feature_req(self, data: bytes) -> None:
        self.features = data
        own = self._own_features()
        answer = bytes((own[0] & data[0],)) + own[1:]  # octet 0 is what both have (2.4.2.10)
        self._link.send_control(bytes((Opcode.FEATURE_RSP,)) + answer)

    def _on_feature_rsp(self, data: bytes) -> None:
        self.features = data
        self._tell_features(ErrorCode.SUCCESS)
        self.answered(Opcode.FEATURE_REQ)
        self.answered(Opcode.PERIPHERAL_FEATURE_REQ)

    def _tell_features(self, status: int) -> None:
        if not self._features_wanted:
            return
        self._features_wanted = False
        link = self._link
        features = self.features or bytes(FEATURE_OCTETS)
        link.controller.send_le_event(
            REMOTE_FEATURES_SUBEVENT,
            bytes((status,)) + link.handle.to_bytes(2, "little") + features,
        )

    # Version

    def read_version(self) -> None:
        """Tell the host the peer's version, after asking for it if need be; each side sends its own once."""
        self._version_wanted = True
        if self._version is not None:
            self._tell_version()
        else:
            self.run(Opcode.VERSION_IND, self._send_version)

    def _send_version(self) -> None:
        if self._version_sent:
            self.answered(Opcode.VERSION_IND)
            return
        self._version_sent = True
        controller = self._link.controller
        self._link.send_control(
            bytes((Opcode.VERSION_IND, controller.lmp_version))
            + controller.manufacturer_company_identifier.to_bytes(2, "little")
            + controller.lmp_subversion.to_bytes(2, "little")
        )

    def _on_version_ind(self, data: bytes) -> None:
        self._version = data
        if not self._version_sent:
            self._send_version()
        self._tell_version()
        self.answered(Opcode.VERSION_IND)

    def _tell_version(self) -> None:
        if self._version_wanted and self._version is not None:
            self._version_wanted = False
            link = self._link
            link.controller.send_event(
                REMOTE_VERSION_EVENT,
                b"\0" + link.handle.to_bytes(2, "little") + self._version,
            )

    # Ping, termination

    def _on_ping_req(self, _data: bytes) -> None:
        self._link.send_control(bytes((Opcode.PING_RSP,)))

    def _on_ping_rsp(self, _data: bytes) -> None:
        self.answered(Opcode.PING_REQ)

    def terminate(self, reason: int) -> None:
        """Send LL_TERMINATE_IND; the connection ends when it is acknowledged."""
        if self.terminating:
            return
        self.terminating = True
        link = self._link
        link.send_control(
            bytes((Opcode.TERMINATE_IND, reason)),
            lambda: link.close(ErrorCode.LOCAL_HOST_TERMINATED),
        )

    def _on_terminate_ind(self, data: bytes) -> None:
        self._link.leaving = data[0]
