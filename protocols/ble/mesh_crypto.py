"""Key derivations of Bluetooth Mesh that its beacons and proxy adverts need.

Mesh Protocol 1.1, sections 3.9.2 (s1, k1, k3), 3.9.6 (keys), 3.10 (beacons), 7.2 (proxy adverts). Pure functions on
octets, big-endian as on air; `cryptography` is imported when one is called. No clock, no randomness, no IO.
"""

from __future__ import annotations

__all__ = [
    "beacon_key",
    "identity_key",
    "k1",
    "k3",
    "network_id",
    "node_identity_hash",
    "s1",
    "secure_beacon_auth",
    "uri_hash",
]

_ID128 = b"id128\x01"


def _cmac(key: bytes, message: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.cmac import CMAC

    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def _aes(key: bytes, block: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    # one block of AES is the function e of the specification
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(block) + encryptor.finalize()


def s1(message: bytes) -> bytes:
    """Salt (16) of any message: AES-CMAC under the zero key (3.9.2.4)."""
    return _cmac(bytes(16), message)


def k1(key: bytes, salt: bytes, info: bytes) -> bytes:
    """Key (16) from `key` of any length, `salt` (16) and `info` (3.9.2.6)."""
    return _cmac(_cmac(salt, key), info)


def k3(key: bytes) -> bytes:
    """Public value (8) of `key` (16) (3.9.2.8)."""
    return _cmac(_cmac(s1(b"smk3"), key), b"id64\x01")[-8:]


def network_id(net_key: bytes) -> bytes:
    """Network ID (8) of a network key (3.9.6.3.2)."""
    return k3(net_key)


def identity_key(net_key: bytes) -> bytes:
    """Identity key (16) of a network key (3.9.6.3.3)."""
    return k1(net_key, s1(b"nkik"), _ID128)


def beacon_key(net_key: bytes) -> bytes:
    """Beacon key (16) of a network key (3.9.6.3.4)."""
    return k1(net_key, s1(b"nkbk"), _ID128)


def secure_beacon_auth(key: bytes, flags: int, network: bytes, iv_index: int) -> bytes:
    """Authentication value (8) of a secure network beacon under the beacon key `key` (3.10.3)."""
    return _cmac(key, bytes((flags,)) + network + iv_index.to_bytes(4, "big"))[:8]


def uri_hash(uri_ad_value: bytes) -> bytes:
    """URI hash (4) of an unprovisioned device beacon; the argument is the data of the URI AD structure (3.10.2)."""
    return s1(uri_ad_value)[:4]


def node_identity_hash(key: bytes, random: bytes, address: int) -> bytes:
    """Hash (8) of a node identity advert: identity key (16), random (8), unicast address (7.2.2.2.3)."""
    return _aes(key, bytes(6) + random + address.to_bytes(2, "big"))[-8:]
