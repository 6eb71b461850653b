"""The key derivation function that all of Wi-Fi Aware's keys come from, and addresses as octets.

IEEE 802.11-2020 12.7.1.7.2; digest of pairing, section 0. No clock, no randomness, no IO.
"""

from __future__ import annotations

import hmac

__all__ = ["kdf", "mac_octets"]


def kdf(hash_name: str, key: bytes, label: bytes, context: bytes, bits: int) -> bytes:
    """The first `bits` (a multiple of 8) of the blocks; the length is part of what is hashed.

    `hash_name`: sha256 or sha384.
    """
    tail = label + context + bits.to_bytes(2, "little")
    out, count = b"", 1
    while len(out) * 8 < bits:
        out += hmac.digest(key, count.to_bytes(2, "little") + tail, hash_name)
        count += 1
    return out[: bits // 8]


def mac_octets(address: str) -> bytes:
    """The 6 octets of an address such as `02:00:5e:10:a0:01`."""
    return bytes.fromhex(address.replace(":", ""))
