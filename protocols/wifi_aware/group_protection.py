"""Integrity of group-addressed management frames and of beacons: BIP, made, checked, replays refused.

IEEE 802.11-2020 12.5.4 (BIP, with beacon protection) and 9.4.2.54 (MME); Wi-Fi Aware 4.0, group keys; digest of
pairing, section 10. The element that ends the frame carries key ID, packet number and MIC; nothing is encrypted.
What the MIC covers leaves out retry, power management and more data, and of a beacon the time stamp. The IGTK (key
ID 4 or 5) protects action frames, the BIGTK (6 or 7) beacons. Which of the two ciphers follows from the CSIA
capabilities of the sender. A frame is its octets from the header on, FCS excluded. No clock, no randomness, no IO.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from protocols.errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BIPS",
    "BipName",
    "GroupKey",
    "GroupMic",
    "Verdict",
    "bip_of",
    "check",
    "is_beacon",
    "protect",
    "read_mme",
]

BipName = Literal["bip_cmac_128", "bip_gmac_256"]
Verdict = Literal["valid", "no mme", "no key", "mic", "replay"]
"""What a receiver makes of a frame; only `valid` passes."""


class Bip(NamedTuple):
    """Octets of key and MIC, and the mode."""

    key: int
    mic: int
    galois: bool
    """GMAC, else CMAC."""


BIPS: dict[BipName, Bip] = {
    "bip_cmac_128": Bip(16, 8, galois=False),
    "bip_gmac_256": Bip(32, 16, galois=True),
}
"""By name; the length of a key says which."""
BEACON_KEY_IDS = (6, 7)
_ELEMENT = 76
_HEAD = 10
"""Element header, key ID and packet number."""
_HEADER = 24
_TIMESTAMP = 8
"""Octets of a beacon's time stamp, which its body begins with."""
_KEPT_CONTROL = 0xC7FF
_TYPE_AND_SUBTYPE, _BEACON = 0xFC, 0x80
_NUMBER_END = 1 << 48


class GroupMic(NamedTuple):
    """The MME at the end of a frame."""

    key_id: int
    packet_number: int
    mic: bytes


def bip_of(key: bytes) -> BipName:
    """The cipher of a group key. Raises EncodeError when it has neither 16 nor 32 octets."""
    for name, bip in BIPS.items():
        if len(key) == bip.key:
            return name
    raise EncodeError(
        "key", f"{len(key)} octets given; a group key has 16 (CMAC-128) or 32 (GMAC-256)"
    )


def protect(key: bytes, frame: bytes, key_id: int, packet_number: int) -> bytes:
    """The frame with its MME behind it. `packet_number`: greater than that of the frame before.

    Raises EncodeError for a key of another length, numbers that do not fit, octets that are no header.
    """
    bip = BIPS[bip_of(key)]
    if not 0 <= packet_number < _NUMBER_END:
        raise EncodeError("packet_number", f"{packet_number} does not fit 48 bits; take a new key")
    if not 0 <= key_id <= 0xFFFF:
        raise EncodeError("key_id", f"{key_id} does not fit 16 bits; 4 to 7 are in use")
    if len(frame) < _HEADER:
        raise EncodeError("frame", f"{len(frame)} octets, a management header has {_HEADER}")
    head = bytes((_ELEMENT, _HEAD - 2 + bip.mic)) + key_id.to_bytes(2, "little")
    head += packet_number.to_bytes(6, "little")
    return frame + head + _mic(bip, key, frame + head, packet_number)


def read_mme(frame: bytes) -> GroupMic | None:
    """The MME that ends a frame, None without one."""
    for bip in BIPS.values():
        start = len(frame) - bip.mic - _HEAD
        if start >= _HEADER and frame[start : start + 2] == bytes((_ELEMENT, _HEAD - 2 + bip.mic)):
            key_id = int.from_bytes(frame[start + 2 : start + 4], "little")
            number = int.from_bytes(frame[start + 4 : start + _HEAD], "little")
            return GroupMic(key_id, number, frame[-bip.mic :])
    return None


def is_beacon(frame: bytes) -> bool:
    """Whether the header is that of a beacon."""
    return bool(frame) and frame[0] & _TYPE_AND_SUBTYPE == _BEACON


def _mic(bip: Bip, key: bytes, up_to_mic: bytes, packet_number: int) -> bytes:
    """MIC of a frame given up to where it stands."""
    covered = _covered(up_to_mic) + bytes(bip.mic)
    if bip.galois:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # with keys only

        nonce = up_to_mic[10:16] + packet_number.to_bytes(6, "big")
        return AESGCM(key).encrypt(nonce, b"", covered)
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.cmac import CMAC

    mac = CMAC(AES(key))
    mac.update(covered)
    return mac.finalize()[: bip.mic]


def _covered(frame: bytes) -> bytes:
    """What is authenticated: masked frame control and the addresses, then the body."""
    control = (int.from_bytes(frame[:2], "little") & _KEPT_CONTROL).to_bytes(2, "little")
    body = frame[_HEADER:]
    if is_beacon(frame):
        body = bytes(_TIMESTAMP) + body[_TIMESTAMP:]
    return control + frame[4:22] + body


class GroupKey(Protocol):
    """A sender's group key, and the packet number heard last with it."""

    key: bytes
    received: int


def check(keys: Mapping[int, GroupKey], frame: bytes) -> Verdict:
    """What a group-addressed frame is worth to who has these keys of its sender (by key ID); a valid one moves the
    packet number on."""
    found = read_mme(frame)
    if found is None:
        return "no mme"
    installed = keys.get(found.key_id)
    beacon = found.key_id in BEACON_KEY_IDS
    if installed is None or beacon != is_beacon(frame):
        return "no key"
    bip = BIPS[bip_of(installed.key)]
    if len(found.mic) != bip.mic:
        return "no key"
    if found.packet_number <= installed.received:
        return "replay"
    wanted = _mic(bip, installed.key, frame[: -len(found.mic)], found.packet_number)
    if not hmac.compare_digest(wanted, found.mic):
        return "mic"
    installed.received = found.packet_number
    return "valid"
