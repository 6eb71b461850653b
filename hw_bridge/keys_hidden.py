"""Keys taken out of HCI traffic before it is kept.

Core Specification 5.4 Vol 4 Part E clauses 7.1.10 to 7.1.13 and 7.1.36 (keys and PINs from the host), 7.3.7 to 7.3.9
(stored keys), 7.7.21 to 7.7.24 (keys to the host), 7.7.65.9, 7.8.22 and 7.8.23 (what LE keys are made from); Vol 3 Part
H 3.6 (keys in SMP). Rules of the file: octets are replaced by zeros and lengths stay; what LE Rand and LE Encrypt give
may be or give a key, and is hidden too; an SMP command counts wherever the ACL fragments cut it. No IO.
"""

from __future__ import annotations

from typing import Final

from protocols.hci.framing import ACL, COMMAND, EVENT
from sim.redaction import redacted

__all__ = ["KeyHider"]

_ALL: Final = 1 << 16
# opcode or event code -> (octet of the packet where hiding begins, octets)
_COMMANDS: Final = {
    0x040B: (10, 16),  # Link Key Request Reply
    0x040D: (10, 17),  # PIN Code Request Reply: length, PIN
    0x042E: (10, 4),  # User Passkey Request Reply
    0x0430: (10, 32),  # Remote OOB Data Request Reply
    0x0445: (10, 64),  # Remote OOB Extended Data Request Reply
    0x0C11: (5, _ALL),  # Write Stored Link Key
}
_EVENTS: Final = {
    0x15: (4, _ALL),  # Return Link Keys
    0x18: (9, 16),  # Link Key Notification
    0x3B: (9, 4),  # User Passkey Notification
}
_RETURNS: Final = {
    0x0C57: (7, 32),  # Read Local OOB Data
    0x0C7D: (7, 64),  # Read Local OOB Extended Data
    0x2017: (7, 16),  # LE Encrypt
    0x2018: (7, 8),  # LE Rand
}
_COMPLETE: Final = 0x0E
_LE_META, _DHKEY_COMPLETE = 0x3E, 0x09
_SMP_CID: Final = 6
_SMP_KEYS: Final = frozenset((0x06, 0x08, 0x0A))
"""Encryption, identity and signing information; what stands in the command behind its code is the key."""
_L2CAP_HEADER: Final = 4


class KeyHider:
    """Hides keys in the packets of one host and one controller; remembers SMP commands that come in pieces."""

    def __init__(self) -> None:
        self.hidden = 0
        """Packets in which something was hidden."""
        self._left: dict[tuple[bool, int], int] = {}
        self._heads: dict[tuple[bool, int], bytes] = {}

    def hide(self, packet: bytes, *, sent: bool) -> bytes:
        """The packet without keys; the same object when it has none."""
        out = self._acl(packet, sent=sent) if packet[0] == ACL else _zeroed(packet, *_place(packet))
        out = redacted(out)
        self.hidden += out != packet
        return out

    def _acl(self, packet: bytes, *, sent: bool) -> bytes:
        """ACL data: the key octets of an SMP command, whichever of its fragments this is."""
        if len(packet) < 5:
            return packet
        handle = packet[1] | (packet[2] & 0x0F) << 8
        way = (sent, handle)
        if packet[2] >> 4 & 3 != 1:
            self._heads[way] = b""
            self._left.pop(way, None)
        data = packet[5:]
        if way in self._left:
            secret = min(self._left[way], len(data))
            self._left[way] -= secret
            return _zeroed(packet, 5, secret)
        head = self._heads.get(way)
        if head is None:
            return packet
        return self._begun(packet, way, head, data)

    def _begun(self, packet: bytes, way: tuple[bool, int], head: bytes, data: bytes) -> bytes:
        """A fragment with, perhaps, the end of the head of an L2CAP PDU in it."""
        whole = head + data[: _L2CAP_HEADER + 1 - len(head)]
        if len(whole) <= _L2CAP_HEADER:
            self._heads[way] = whole
            return packet
        del self._heads[way]
        length, cid = whole[0] | whole[1] << 8, whole[2] | whole[3] << 8
        if cid != _SMP_CID or whole[_L2CAP_HEADER] not in _SMP_KEYS:
            return packet
        begin = len(whole) - len(head)
        secret = min(length - 1, len(data) - begin)
        self._left[way] = length - 1 - secret
        return _zeroed(packet, 5 + begin, secret)


def _place(packet: bytes) -> tuple[int, int]:
    """Where the keys of a command or event stand: (first octet, octets)."""
    if packet[0] == COMMAND and len(packet) >= 4:
        return _COMMANDS.get(packet[1] | packet[2] << 8, (0, 0))
    if packet[0] != EVENT or len(packet) < 4:
        return 0, 0
    if packet[1] == _COMPLETE and len(packet) >= 7:
        return _RETURNS.get(packet[4] | packet[5] << 8, (0, 0))
    if packet[1] == _LE_META and packet[3] == _DHKEY_COMPLETE:
        return 5, 32
    return _EVENTS.get(packet[1], (0, 0))


def _zeroed(packet: bytes, begin: int, octets: int) -> bytes:
    end = min(begin + octets, len(packet))
    if end <= begin:
        return packet
    return packet[:begin] + bytes(end - begin) + packet[end:]
