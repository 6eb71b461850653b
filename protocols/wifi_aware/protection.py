"""Encryption of individually addressed management and data frames: CCMP and GCMP, opened and sealed.

IEEE 802.11-2020 12.5.3 (CCMP) and 12.5.5 (GCMP) with the rules for robust management frames and for data frames;
digest of pairing, sections 8 and 9.6. The nonce is made of transmitter and packet number, which the frame carries, and
for CCMP of what the frame is and its priority; the additional data are the header with retry, power management, more
data and the sequence number taken as zero, of a data frame also the subtype but for the bit that says QoS, and of QoS
Control all but the TID (neither side of a NAN data path claims to protect the A-MSDU bit). The keys are given (`tk`: one
or several, 16 or 32 octets); randomness, clock and IO have no place here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from protocols.errors import EncodeError, UsageError
from protocols.layout import REST

if TYPE_CHECKING:
    from protocols.format import Keys

__all__ = [
    "CIPHERS",
    "KEK_NAMES",
    "TK_NAMES",
    "UNOPENED",
    "Opened",
    "has_keys",
    "key_of",
    "keys_of",
    "open_body",
    "open_data",
    "seal_body",
    "seal_data",
]


class _Aead(Protocol):
    """What the ciphers of `cryptography` share."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class Cipher(NamedTuple):
    """Octets of key and tag, and the mode."""

    key: int
    tag: int
    counter_with_mac: bool
    """CCMP, else GCMP."""


CIPHERS = {
    "ccmp_128": Cipher(16, 8, counter_with_mac=True),
    "gcmp_256": Cipher(32, 16, counter_with_mac=False),
    "gcmp_128": Cipher(16, 16, counter_with_mac=False),
    "ccmp_256": Cipher(32, 16, counter_with_mac=True),
}
"""By name, those that NAN uses first: which one a key is for follows from what its tag proves."""
TK_NAMES = ("tk", "nm_tk", "ndp_tk")
"""Names of temporal keys in a context, in the order in which they are numbered."""
KEK_NAMES = ("kek", "nm_kek", "ndp_kek")
"""Names of key encryption keys in a context."""
UNOPENED = "unopened"
"""Context flag of somebody who reads frames of many devices: what no key opens is a doubt and no fault."""
_KEPT_CONTROL = 0x87FF
"""Frame Control bits of a management frame's additional data; Protected is always set."""
_KEPT_DATA_CONTROL = 0x878F
"""The same of a data frame; with QoS Control, the bit of HT Control (0x8000) is not kept either."""
_PROTECTED, _HT_CONTROL, _QOS = 0x4000, 0x8000, 0x80
_TYPE, _DATA = 0x0C, 0x08
_MANAGEMENT = 0x10
"""Flags of the CCM nonce: a management frame, of priority 0. A data frame's are its TID."""
_HEADER = 24


class Opened(NamedTuple):
    """A body that a key opened: which cipher, which of the keys given, octets of its tag."""

    plaintext: bytes
    cipher: str
    tk_number: int
    tag: int


def has_keys(keys: Keys) -> bool:
    """Whether the context holds temporal keys."""
    return any(name in keys for name in TK_NAMES)


def keys_of(keys: Keys) -> list[bytes]:
    """The temporal keys of the context (TK_NAMES). Raises UsageError when one has another length than 16 or 32."""
    found: list[bytes] = []
    for name in TK_NAMES:
        for key in keys.all_octets(name, REST):
            if len(key) not in (16, 32):
                raise UsageError(f"context {name}: {len(key)} octets given, 16 or 32 needed")
            found.append(key)
    return found


def key_of(keys: Keys, number: int) -> bytes:
    """Temporal key `number` of the context. Raises EncodeError without one."""
    found = keys_of(keys)
    if number >= len(found):
        raise EncodeError("context.tk", f"key {number} is needed here (16 or 32 octets as hex)")
    return found[number]


def open_body(keys: Keys, header: bytes, packet_number: int, sealed: bytes) -> Opened | None:
    """The plaintext of ciphertext and tag behind the cipher header; None when no key of the context opens it."""
    from cryptography.exceptions import InvalidTag  # only when a key is given: start-up counts

    for number, key in enumerate(keys_of(keys)):
        for name, cipher in CIPHERS.items():
            if len(key) != cipher.key or len(sealed) < cipher.tag:
                continue
            nonce, more = _inputs(cipher, header, packet_number)
            try:
                return Opened(
                    _aead(cipher, key).decrypt(nonce, sealed, more), name, number, cipher.tag
                )
            except InvalidTag:
                continue
    return None


def seal_body(name: str, key: bytes, header: bytes, packet_number: int, plaintext: bytes) -> bytes:
    """Ciphertext and tag. Raises EncodeError when the cipher does not exist or the key is of another length."""
    cipher = _cipher(name, key)
    nonce, more = _inputs(cipher, header, packet_number)
    return _aead(cipher, key).encrypt(nonce, plaintext, more)


seal_data = seal_body
"""The same, of a data frame: `header` (24 octets, or 26 with QoS Control) says what the frame is."""


def open_data(
    name: str, key: bytes, header: bytes, packet_number: int, sealed: bytes
) -> bytes | None:
    """The plaintext of ciphertext and tag of a data frame; None when this key does not open it. Raises EncodeError."""
    from cryptography.exceptions import InvalidTag  # as above

    cipher = _cipher(name, key)
    if len(sealed) < cipher.tag:
        return None
    nonce, more = _inputs(cipher, header, packet_number)
    try:
        return _aead(cipher, key).decrypt(nonce, sealed, more)
    except InvalidTag:
        return None


def _cipher(name: str, key: bytes) -> Cipher:
    """The cipher of that name, for which the key must have the right length. Raises EncodeError."""
    cipher = CIPHERS.get(name)
    if cipher is None:
        raise EncodeError("cipher", f"{name!r} is not one of {', '.join(CIPHERS)}")
    if len(key) != cipher.key:
        raise EncodeError("context.tk", f"{len(key)} octets given, {name} needs {cipher.key}")
    return cipher


def _aead(cipher: Cipher, key: bytes) -> _Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM  # as above

    return AESCCM(key, tag_length=cipher.tag) if cipher.counter_with_mac else AESGCM(key)


def _inputs(cipher: Cipher, header: bytes, packet_number: int) -> tuple[bytes, bytes]:
    """Nonce and additional data of a frame with this header: 24 octets, QoS Control and HT Control if there."""
    control = int.from_bytes(header[:2], "little")
    flags, kept, priority = _MANAGEMENT, _KEPT_CONTROL, b""
    if control & _TYPE == _DATA:
        flags, kept = 0, _KEPT_DATA_CONTROL
        if control & _QOS:
            flags, kept = header[_HEADER] & 0x0F, kept & ~_HT_CONTROL
            priority = bytes((flags, 0))
    fragment = bytes((header[22] & 0x0F, 0))
    more = (control & kept | _PROTECTED).to_bytes(2, "little") + header[4:22] + fragment + priority
    nonce = header[10:16] + packet_number.to_bytes(6, "big")
    return (bytes((flags,)) + nonce if cipher.counter_with_mac else nonce), more
