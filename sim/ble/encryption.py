"""Link-layer encryption: session key, AES-CCM of data PDUs, and the start, refusal and refresh of encryption.

Bluetooth Core specification 5.4, Vol 6 Part B, 5.1.3 (procedures) and Vol 6 Part E (CCM); sample data in Vol 6
Part C, 1. Rules of the file:
* Keys and numbers are octets as HCI and the air carry them, least significant first; `cryptography` takes them
  reversed.
* While a procedure runs, `link.data_paused` holds back ACL data; what was on its way already stays as it was built.
* A MIC failure ends the connection at once with 0x3D and without a word to the peer, who finds out by its
  supervision timeout (5.1.3.1).
"""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from sim.ble.ll_opcodes import ErrorCode, Opcode

if TYPE_CHECKING:
    from sim.ble.connection import LinkConnection

__all__ = ["Encryption", "EncryptionState", "LinkCipher", "session_key"]

MIC_OCTETS = 4
HEADER_MASK = 0xE3  # the additional data is the header's first octet without NESN, SN and MD
CENTRAL_TO_PERIPHERAL, PERIPHERAL_TO_CENTRAL = 1, 0
ENCRYPTION_CHANGE_EVENT, KEY_REFRESH_EVENT = 0x08, 0x30
LTK_REQUEST_SUBEVENT = 0x05


def session_key(ltk: bytes, skd: bytes) -> bytes:
    """AES-128 of the 16 octets `skd` (central's 8, then the peripheral's 8) under `ltk`; least significant first."""
    aes = Cipher(algorithms.AES(ltk[::-1]), modes.ECB()).encryptor()  # noqa: S305 # one block: the function e
    return (aes.update(skd[::-1]) + aes.finalize())[::-1]


class LinkCipher:
    """One direction of an encrypted link: AES-CCM with its own packet counter (39 bits).

    `iv` is the central's four octets, then the peripheral's; `direction` 1 = sent by the central.
    """

    __slots__ = ("_ccm", "_direction", "_iv", "counter")

    def __init__(self, key: bytes, iv: bytes, direction: int) -> None:
        self._ccm = AESCCM(key[::-1], tag_length=MIC_OCTETS)
        self._iv = iv
        self._direction = direction << 7
        self.counter = 0

    def _nonce(self) -> bytes:
        counter = self.counter
        self.counter = counter + 1
        return struct.pack("<IB", counter & 0xFFFFFFFF, counter >> 32 | self._direction) + self._iv

    def encrypt(self, header: int, payload: bytes) -> bytes:
        """Ciphertext and MIC of the next packet; `header` is the first header octet."""
        return self._ccm.encrypt(self._nonce(), payload, bytes((header & HEADER_MASK,)))

    def decrypt(self, header: int, payload: bytes) -> bytes | None:
        """Plaintext of the next packet, None when the MIC is wrong."""
        try:
            return self._ccm.decrypt(self._nonce(), payload, bytes((header & HEADER_MASK,)))
        except InvalidTag:
            return None


class EncryptionState(enum.Enum):
    """Where the procedure is; the names say what the side waits for."""

    OFF = "off"
    ENC_RSP = "central waits for LL_ENC_RSP"
    START_REQ = "central waits for LL_START_ENC_REQ"
    LTK = "peripheral waits for its host's key"
    START_RSP = "waits for the encrypted LL_START_ENC_RSP"
    ON = "encrypted"
    PAUSE_RSP = "waits for LL_PAUSE_ENC_RSP"
    ENC_REQ = "peripheral waits for LL_ENC_REQ after a pause"


class Encryption:
    """The encryption procedures of one side of `link`."""

    def __init__(self, link: LinkConnection) -> None:
        self._link = link
        self.state = EncryptionState.OFF
        self._refresh = False
        self._ltk = b""
        self._rand_ediv = b""
        self._skd = b""
        self._iv = b""

    @property
    def on(self) -> bool:
        """Whether both directions are encrypted and no procedure runs."""
        return self.state is EncryptionState.ON

    # From the host

    def start(self, rand: bytes, ediv: int, ltk: bytes) -> None:
        """Central: encrypt, or pause and encrypt with a new key; called as a procedure of `control`."""
        link = self._link
        self._ltk = ltk
        self._rand_ediv = rand + ediv.to_bytes(2, "little")
        self._refresh = self.on
        link.data_paused = True
        if self._refresh:
            self.state = EncryptionState.PAUSE_RSP
            link.send_control(bytes((Opcode.PAUSE_ENC_REQ,)))
        else:
            self._request()

    def provide_ltk(self, ltk: bytes) -> bool:
        """Peripheral: the host's answer to the key request; False when none was asked for."""
        if self.state is not EncryptionState.LTK:
            return False
        self._ltk = ltk
        self.state = EncryptionState.START_RSP
        link = self._link

        def heard() -> None:  # what the central builds after it has heard this is encrypted
            link.rx_cipher = self._cipher(CENTRAL_TO_PERIPHERAL)

        link.send_control(bytes((Opcode.START_ENC_REQ,)), heard)
        return True

    def refuse_ltk(self) -> bool:
        """Peripheral: the host has no key; False when none was asked for."""
        if self.state is not EncryptionState.LTK:
            return False
        link = self._link
        self.state = EncryptionState.OFF
        if self._refresh:
            link.terminate(ErrorCode.PIN_OR_KEY_MISSING)
        else:
            link.control.reject(Opcode.ENC_REQ, ErrorCode.PIN_OR_KEY_MISSING)
            link.data_paused = False
            link.control.answered(Opcode.ENC_REQ)
        return True

    # From the peer

    def on_enc_req(self, data: bytes) -> None:
        """Peripheral: LL_ENC_REQ: Rand 8, EDIV 2, SKDc 8, IVc 4."""
        link = self._link
        self.state = EncryptionState.LTK
        link.data_paused = True
        skd, iv = link.draw("skd", 8), link.draw("iv", 4)
        self._skd, self._iv = data[10:18] + skd, data[18:22] + iv
        link.send_control(bytes((Opcode.ENC_RSP,)) + skd + iv)
        if link.controller.le_event_enabled(LTK_REQUEST_SUBEVENT):
            link.controller.send_le_event(
                LTK_REQUEST_SUBEVENT, link.handle.to_bytes(2, "little") + data[:10]
            )
        else:
            self.refuse_ltk()

    def on_enc_rsp(self, data: bytes) -> None:
        """Central: LL_ENC_RSP: SKDp 8, IVp 4."""
        if self.state is EncryptionState.ENC_RSP:
            self._skd += data[:8]
            self._iv += data[8:12]
            self.state = EncryptionState.START_REQ

    def on_start_enc_req(self, _data: bytes) -> None:
        """Central: both directions are encrypted from here on."""
        if self.state is not EncryptionState.START_REQ:
            return
        link = self._link
        link.rx_cipher = self._cipher(PERIPHERAL_TO_CENTRAL)
        link.tx_cipher = self._cipher(CENTRAL_TO_PERIPHERAL)
        self.state = EncryptionState.START_RSP
        link.send_control(bytes((Opcode.START_ENC_RSP,)))

    def on_start_enc_rsp(self, _data: bytes) -> None:
        """Either side: the peer has the same key."""
        if self.state is not EncryptionState.START_RSP:
            return
        link = self._link
        if not link.is_central:
            link.tx_cipher = self._cipher(PERIPHERAL_TO_CENTRAL)
            link.send_control(bytes((Opcode.START_ENC_RSP,)))
        link.data_paused = False
        self.state = EncryptionState.ON
        self._tell_host(ErrorCode.SUCCESS)
        link.auth_payload.restart()
        link.control.answered(Opcode.ENC_REQ)

    def on_pause_enc_req(self, _data: bytes) -> None:
        """Peripheral: answer still encrypted; the central's own LL_PAUSE_ENC_RSP comes in the clear."""
        if not self.on:
            return
        link = self._link
        self._refresh = True
        self.state = EncryptionState.PAUSE_RSP
        link.data_paused = True

        def heard() -> (
            None
        ):  # as when it starts: the central is in the clear from there on, and so are we
            link.tx_cipher = link.rx_cipher = None

        link.send_control(bytes((Opcode.PAUSE_ENC_RSP,)), heard)

    def on_pause_enc_rsp(self, _data: bytes) -> None:
        """Either side: the link is in the clear; the central starts anew."""
        if self.state is not EncryptionState.PAUSE_RSP:
            return
        link = self._link
        if link.is_central:
            link.tx_cipher = link.rx_cipher = None
            link.send_control(bytes((Opcode.PAUSE_ENC_RSP,)))
            self._request()
        else:
            self.state = EncryptionState.ENC_REQ

    def on_rejected(self, error: int) -> None:
        """Central: the peripheral refused LL_ENC_REQ; the link stays, in the clear."""
        if self.state in (EncryptionState.ENC_RSP, EncryptionState.START_REQ):
            self.state = EncryptionState.OFF
            self._link.data_paused = False
            self._tell_host(error)
            self._link.control.answered(Opcode.ENC_REQ)

    # Inside

    def _request(self) -> None:
        link = self._link
        self._skd, self._iv = link.draw("skd", 8), link.draw("iv", 4)
        self.state = EncryptionState.ENC_RSP
        link.send_control(bytes((Opcode.ENC_REQ,)) + self._rand_ediv + self._skd + self._iv)

    def _cipher(self, direction: int) -> LinkCipher:
        return LinkCipher(session_key(self._ltk, self._skd), self._iv, direction)

    def _tell_host(self, status: int) -> None:
        link = self._link
        head = bytes((status,)) + link.handle.to_bytes(2, "little")
        if self._refresh:
            link.controller.send_event(KEY_REFRESH_EVENT, head)
        else:
            link.controller.send_event(
                ENCRYPTION_CHANGE_EVENT, head + bytes((status == ErrorCode.SUCCESS,))
            )
