"""What traces and captures do not show unless the run was told to reveal it: PINs and keys.

HCI: Core 5.4 Vol 4 Part E 7.8.22, 7.8.24, 7.8.25, 7.8.38; keys in SMP: Vol 3 Part H 3.6. Rules of the file: a hidden
value keeps its length (zeros in octets, dots in text), and what is not a key is never touched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "HIDDEN",
    "Secret",
    "hides",
    "is_secret",
    "masked",
    "masked_line",
    "redacted",
    "redacted_smp",
]

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


_SECRETS = frozenset(("pin", "passphrase", "pmk"))
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
_GIVEN = re.compile(r"\b(?:pin|passphrase|pmk)=", re.IGNORECASE)
_DIGITS = re.compile(r"\d{4,16}")
_QUOTES = "\"'"
_SETTING = re.compile(r"\bsetting=[\"']?(\w+)")
_VALUE = re.compile(r"""(?<=\bvalue=)(?:"[^"]*"|'[^']*'|\S)+""")


def is_secret(name: object) -> bool:
    """Whether what is called `name` (an argument, a setting) is a PIN or a passphrase."""
    return name in _SECRETS


def masked(value: Any, secret: Callable[[str], Any]) -> Any:
    """Arguments of a command, or any value, with PINs and passphrases as `secret` gives them.

    They are known by their name; the `value` that goes with a `setting` by the name of that; in the `line` of a
    console by what stands before them.
    """
    if isinstance(value, (list, tuple)):
        return [masked(one, secret) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    given, out = cast("dict[str, Any]", value), dict[str, Any]()
    for key, one in given.items():
        if is_secret(key) or (key == "value" and is_secret(given.get("setting"))):
            out[key] = secret(str(one))
        elif key == "line" and isinstance(one, str):
            out[key] = masked_line(one, secret)
        else:
            out[key] = masked(one, secret)
    return out


def masked_line(line: str, secret: Callable[[str], Any]) -> str:
    """A line of a console likewise; 4 to 16 digits alone are a PIN, and a word after `pin` or `passphrase` is one too."""
    found = _SETTING.search(line)
    if found and is_secret(found.group(1)):
        line = _VALUE.sub(lambda one: str(secret(one.group())), line)
    named = False

    def shown(word: re.Match[str]) -> str:
        nonlocal named
        text = word.group()
        bare = text.strip(_QUOTES)
        given = _GIVEN.search(text)
        if named and bare in ("=", ":"):
            return text
        hidden, named = named, is_secret(bare.rstrip(":=").lower())
        if given and given.end() < len(text):
            return text[: given.end()] + str(secret(text[given.end() :]))
        if hidden or _DIGITS.fullmatch(bare):
            return str(secret(text))
        return text.replace(bare, masked_line(bare, secret)) if " " in bare else text

    return _WORD.sub(shown, line)
