"""What traces and captures do not show unless the run was told to reveal it: PINs and keys.

HCI: Core 5.4 Vol 4 Part E 7.8.22, 7.8.24, 7.8.25, 7.8.38; keys in SMP: Vol 3 Part H 3.6. Rules of the file: a hidden
value keeps its length (zeros in octets, dots in text), and what is not a key is never touched.
"""

from __future__ import annotations

__all__ = ["HIDDEN", "Secret", "hides", "redacted", "redacted_smp"]

HIDDEN = "••••••"
KEY_OCTETS = 16
_SMP_CID = b"\x06\x00"
_SMP_KEYS = frozenset((0x06, 0x08, 0x0A))  # encryption, identity and signing information
# command opcode (air order) -> where keys begin in the H4 packet
_COMMANDS = {
    b"\x17\x20": (4,),  # LE Encrypt: key, data
    b"\x19\x20": (16,),  # LE Enable Encryption: handle, random, EDIV, key
    b"\x1a\x20": (6,),  # LE Long Term Key Request Reply: handle, key
    b"\x27\x20": (11, 27),  # LE Add Device To Resolving List: type, address, peer's key, own key
}
_COMMAND, _ACL = 1, 2


class Secret:
    """Text that shows itself as dots; `value` is the text. Equal to its text."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return self.value == (other.value if isinstance(other, Secret) else other)

    def __hash__(self) -> int:
        return hash(self.value)


def _places(packet: bytes) -> tuple[int, ...]:
    """Where keys begin in an H4 packet."""
    if packet[0] == _COMMAND:
        return _COMMANDS.get(packet[1:3], ())
    if packet[0] == _ACL and packet[7:9] == _SMP_CID and packet[9:10] and packet[9] in _SMP_KEYS:
        return (10,) if packet[2] >> 4 & 3 != 1 else ()  # a continuing fragment has no L2CAP header
    return ()


def hides(packet: bytes) -> bool:
    """Whether `redacted` changes an H4 packet of this kind."""
    return bool(_places(packet))


def redacted(packet: bytes) -> bytes:
    """An H4 packet with zeros in place of the keys in it; the same object when it holds none."""
    places = _places(packet)
    if not places:
        return packet
    octets = bytearray(packet)
    for start in places:
        end = min(start + KEY_OCTETS, len(octets))
        octets[start:end] = bytes(max(0, end - start))
    return bytes(octets)


def redacted_smp(pdu: bytes) -> bytes:
    """An SMP command with zeros in place of the key it distributes."""
    return pdu[:1] + bytes(len(pdu) - 1) if pdu[:1] and pdu[0] in _SMP_KEYS else pdu
