"""Which packets of a capture are encrypted: what was said on each connection so far tells.

Behind LL_START_ENC_REQ every payload is ciphertext and MIC, more than four octets; a shorter one stands in clear, as
LL_PAUSE_ENC_RSP of the central does, and with it the connection is (Core 5.4 Vol 6 Part B 2.4, 5.1.3). A connection
whose beginning is not in the capture stays in doubt. LINKTYPE 256 says of a packet that it was decrypted. Pure.
"""

from __future__ import annotations

from tui.models.packets import ACCESS_OCTETS, ADVERTISING, CRC_OCTETS, PHDR_OCTETS, pdu_start

__all__ = ["EncryptedLinks"]

_DECRYPTED = 0x0008
_FLAGS = slice(8, 10)
_CONTROL, _CONNECT_IND = 3, 5
_START_ENC_REQ = b"\x05"
_NEW_ACCESS = slice(14, 18)
"""Access address of the connection in a CONNECT_IND."""
_MIC = 4


class EncryptedLinks:
    """The connections of one capture; packets are given in order."""

    def __init__(self) -> None:
        self._encrypted: set[bytes] = set()

    def is_encrypted(self, kind: str, data: bytes) -> bool:
        """Whether the payload of a packet (`kind` as `LINK_TYPES` names it) is ciphertext and MIC."""
        if kind not in ("ll", "ll_phdr"):
            return False
        start = PHDR_OCTETS if kind == "ll_phdr" else 0
        access = data[start : start + ACCESS_OCTETS]
        pdu = data[pdu_start(kind, data) : -CRC_OCTETS]
        if start and int.from_bytes(data[_FLAGS], "little") & _DECRYPTED:
            return False
        if access == ADVERTISING:
            if pdu[:1] and pdu[0] & 0x0F == _CONNECT_IND:
                self._encrypted.discard(pdu[_NEW_ACCESS])
            return False
        return self._of_link(access, pdu)

    def _of_link(self, access: bytes, pdu: bytes) -> bool:
        payload = pdu[2:]
        if not payload:
            return False
        if pdu[0] & 3 == _CONTROL and payload == _START_ENC_REQ:
            self._encrypted.add(access)
        elif len(payload) <= _MIC:
            self._encrypted.discard(access)
        else:
            return access in self._encrypted
        return False
