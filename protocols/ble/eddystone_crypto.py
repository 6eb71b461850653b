"""Cryptography of Eddystone: ephemeral ids, encrypted telemetry, key exchange, lock code.

Eddystone-EID specification, "EID computation" and "Computing the identity key"; Eddystone-TLM specification,
"Encrypted TLM"; Eddystone Configuration Service, characteristics 6, 7, 9, 10. AES-EAX by Bellare, Rogaway and
Wagner, made of CMAC and CTR. Octets in, octets out: no clock, no randomness, no IO. `cryptography` is imported
inside the functions, because decoding without a key must start fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.errors import RemoteProtocolError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "MAX_EXPONENT",
    "MIC_OCTETS",
    "Candidate",
    "Found",
    "WeakKeyError",
    "decrypt_key",
    "eax_decrypt",
    "eax_encrypt",
    "encrypt_key",
    "ephemeral_id",
    "etlm_nonce",
    "find_identity",
    "find_telemetry",
    "identity_key_of",
    "public_key",
    "quantised",
    "shared_secret",
    "temporary_key",
    "unlock_token",
]

MIC_OCTETS = 2
_BLOCK = 16
_CLOCKS = range(1 << 32)
MAX_EXPONENT = 15

Candidate = tuple[bytes, int, int]
"""(identity key, rotation exponent, expected beacon clock in seconds) of a beacon that may have sent a frame."""


class WeakKeyError(RemoteProtocolError):
    """The peer's public key has small order: the shared secret is all zero."""

    code = 0x03


class Found(msgspec.Struct, frozen=True):
    """Which candidate sent a frame."""

    index: int
    """place in the list of candidates."""
    quantised_time_s: int
    quanta_off: int
    """rotation periods between the expected and the found clock; positive: the beacon is ahead."""


# --- AES ------------------------------------------------------------------------------------------


def _key(key: bytes) -> bytes:
    if len(key) != _BLOCK:
        raise UsageError(f"an AES-128 key has 16 octets, not {len(key)}")
    return key


def _ecb(key: bytes, block: bytes, *, decrypt: bool = False) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if len(block) != _BLOCK:
        raise UsageError(f"an AES block has 16 octets, not {len(block)}")
    cipher = Cipher(algorithms.AES(_key(key)), modes.ECB())  # noqa: S305  # one block, as specified
    worker = cipher.decryptor() if decrypt else cipher.encryptor()
    return worker.update(block) + worker.finalize()


def _omac(key: bytes, tweak: int, text: bytes) -> bytes:
    """OMAC_t of the EAX paper: AES-CMAC over the 16-octet number t, then the text."""
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.cmac import CMAC

    mac = CMAC(AES(_key(key)))
    mac.update(tweak.to_bytes(_BLOCK, "big") + text)
    return mac.finalize()


def _ctr(key: bytes, start: bytes, text: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    worker = Cipher(algorithms.AES(_key(key)), modes.CTR(start)).encryptor()
    return worker.update(text) + worker.finalize()


def _eax_tag(key: bytes, start: bytes, ciphertext: bytes, header: bytes) -> bytes:
    parts = (start, _omac(key, 1, header), _omac(key, 2, ciphertext))
    return bytes(a ^ b ^ c for a, b, c in zip(*parts, strict=True))


def eax_encrypt(
    key: bytes, nonce: bytes, plaintext: bytes, header: bytes = b""
) -> tuple[bytes, bytes]:
    """(ciphertext, 16-octet tag) of AES-128-EAX."""
    start = _omac(key, 0, nonce)
    ciphertext = _ctr(key, start, plaintext)
    return ciphertext, _eax_tag(key, start, ciphertext, header)


def eax_decrypt(
    key: bytes, nonce: bytes, ciphertext: bytes, header: bytes = b""
) -> tuple[bytes, bytes]:
    """(plaintext, 16-octet tag); the caller compares the tag, or the part of it that was sent."""
    start = _omac(key, 0, nonce)
    return _ctr(key, start, ciphertext), _eax_tag(key, start, ciphertext, header)


# --- ephemeral id ---------------------------------------------------------------------------------


def quantised(clock_s: int, exponent: int) -> int:
    """Beacon clock with its low `exponent` bits cleared (EID computation). Raises UsageError."""
    if not 0 <= exponent <= MAX_EXPONENT:
        raise UsageError(f"rotation exponent {exponent} is not 0 to 15")
    if clock_s not in _CLOCKS:
        raise UsageError(f"beacon clock {clock_s} s is not an unsigned 32-bit number")
    return clock_s >> exponent << exponent


def temporary_key(identity_key: bytes, clock_s: int) -> bytes:
    """16 octets; changes every 65536 s (EID computation, "Computing the temporary key")."""
    return _ecb(identity_key, bytes(11) + b"\xff\0\0" + (clock_s >> 16).to_bytes(2, "big"))


def ephemeral_id(identity_key: bytes, exponent: int, clock_s: int) -> bytes:
    """8 octets; changes every 2^exponent s (EID computation, "Computing the EID value")."""
    time_s = quantised(clock_s, exponent)
    block = bytes(11) + bytes([exponent]) + time_s.to_bytes(4, "big")
    return _ecb(temporary_key(identity_key, time_s), block)[:8]


def _quanta(clock_s: int, exponent: int, window: int) -> Iterator[tuple[int, int]]:
    """(quanta off, quantised time) around the expected clock, nearest first."""
    centre = quantised(clock_s, exponent)
    for distance in range(window + 1):
        for off in (distance, -distance) if distance else (0,):
            time_s = centre + (off << exponent)
            if time_s in _CLOCKS:
                yield off, time_s


def find_identity(eid: bytes, candidates: Sequence[Candidate], window: int = 1) -> Found | None:
    """The candidate whose ephemeral id this is, up to `window` rotation periods off its expected clock."""
    for index, (identity_key, exponent, clock_s) in enumerate(candidates):
        for off, time_s in _quanta(clock_s, exponent, window):
            if ephemeral_id(identity_key, exponent, time_s) == eid:
                return Found(index, time_s, off)
    return None


# --- encrypted telemetry --------------------------------------------------------------------------


def etlm_nonce(clock_s: int, exponent: int, salt: bytes) -> bytes:
    """6 octets: quantised clock, then the 2-octet salt (Encrypted TLM, step 1). Raises UsageError."""
    if len(salt) != 2:
        raise UsageError(f"an eTLM salt has 2 octets, not {len(salt)}")
    return quantised(clock_s, exponent).to_bytes(4, "big") + salt


def find_telemetry(
    ciphertext: bytes, salt: bytes, mic: bytes, candidates: Sequence[Candidate], window: int = 1
) -> tuple[Found, bytes] | None:
    """(candidate, plain telemetry) for the first key and clock that the 2-octet MIC agrees with.

    One wrong pair in 65536 agrees by chance: give the candidates that an EID of the same address named.
    """
    for index, (identity_key, exponent, clock_s) in enumerate(candidates):
        for off, time_s in _quanta(clock_s, exponent, window):
            nonce = etlm_nonce(time_s, exponent, salt)
            plaintext, tag = eax_decrypt(identity_key, nonce, ciphertext)
            if tag[:MIC_OCTETS] == mic:
                return Found(index, time_s, off), plaintext
    return None


# --- key exchange and lock code -------------------------------------------------------------------


def public_key(private_key: bytes) -> bytes:
    """Curve25519 public key, an RFC 7748 octet string, of 32 private octets."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def shared_secret(private_key: bytes, peer_public_key: bytes) -> bytes:
    """32 octets of X25519. Raises WeakKeyError when they are all zero ("Computing the identity key")."""
    from cryptography.hazmat.primitives.asymmetric import x25519

    private = x25519.X25519PrivateKey.from_private_bytes(private_key)
    peer = x25519.X25519PublicKey.from_public_bytes(peer_public_key)
    try:
        return private.exchange(peer)
    except ValueError:  # how cryptography reports an all-zero secret; lengths were checked above
        raise WeakKeyError(
            "the resolver's public key gives an all-zero secret; use another key"
        ) from None


def identity_key_of(secret: bytes, resolver_public_key: bytes, beacon_public_key: bytes) -> bytes:
    """First 16 octets of HKDF-SHA256, salt = both public keys, no info ("Computing the identity key")."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    salt = resolver_public_key + beacon_public_key
    return HKDF(SHA256(), length=_BLOCK, salt=salt, info=None).derive(secret)


def unlock_token(lock_code: bytes, challenge: bytes) -> bytes:
    """16 octets that open the lock: the challenge encrypted (characteristic 7)."""
    return _ecb(lock_code, challenge)


def encrypt_key(lock_code: bytes, key: bytes) -> bytes:
    """A new lock code (characteristic 6) or identity key (9, 10) as it goes over the air."""
    return _ecb(lock_code, key)


def decrypt_key(lock_code: bytes, encrypted: bytes) -> bytes:
    """Inverse of `encrypt_key`."""
    return _ecb(lock_code, encrypted, decrypt=True)
