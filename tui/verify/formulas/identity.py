"""Values of identities and draws: random octets, identity keys, nonces, tags, and the exchange of identity keys."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from protocols.errors import DecodeError
from protocols.wifi_aware import key_data
from protocols.wifi_aware.matching import nira_tag
from tui.verify.formulas.messages import Clear, clear_of, follow_up_key_data, nira_pairs
from tui.verify.formulas.recording import other

if TYPE_CHECKING:
    from tui.verify.formulas.pool import Pool
    from tui.verify.formulas.recording import Recording, Side

__all__ = ["add_received_key_data", "add_sent_key_data", "identity_values", "kdes_in"]

_NOT_RNG = ("nik", "ecdh_private", "sae_rand", "sae_mask")
LIFETIME_S = 43200
"""Lifetime of an identity key; no command of a recording carries it."""
_NIK_BIT = 1 << 3


def identity_values(recording: Recording, side: Side, pool: Pool) -> None:
    """Add what a device drew, and computed of identities. Needs the keys of its pairings in the pool."""
    draws = recording.draws.get(side, [])
    pool.add("rng", *(bytes.fromhex(d.hex) for d in draws if d.purpose not in _NOT_RNG))
    for name in ("igtk", "bigtk"):
        pool.add(f"own_{name}", *recording.drawn(side, name))
    niks = _own_niks(recording, side)
    nonces = recording.drawn(side, "nira_nonce", "nira_nonce_pairing")
    tags = [nira_tag(nik, recording.devices[side].nmi, nonce) for nik in niks for nonce in nonces]
    pool.add("nik", *niks)
    pool.add("nira_nonce", *nonces)
    pool.add("nira_tag", *tags)
    pool.add("nira_tag_computed", *tags)
    clear = _clear_frames(recording, side, pool)
    for nik in niks:
        lifetime = key_data.KeyLifetime(keys=_NIK_BIT, lifetime_s=LIFETIME_S)
        plain = key_data.encode([key_data.Nik(cipher_version=0, nik=nik.hex()), lifetime])
        if any(sent and follow_up_key_data(frame) for sent, frame in clear):
            add_sent_key_data(plain, pool.octets_of("nm_kek"), pool)
    learnt = _peer_niks(recording, side)
    for sent, frame in clear:
        wrapped = follow_up_key_data(frame)
        if not sent and wrapped is not None:
            learnt += _niks_in(add_received_key_data(wrapped, pool.octets_of("nm_kek"), pool))
    _add_search(recording, side, learnt, clear, pool)


def _own_niks(recording: Recording, side: Side) -> list[bytes]:
    given = recording.devices[side].config.get("nik")
    if isinstance(given, str) and given:
        try:
            return [bytes.fromhex(given)]
        except ValueError:
            return []
    return recording.drawn(side, "nik")


def _peer_niks(recording: Recording, side: Side) -> list[bytes]:
    """Identity keys that were stored before."""
    inputs = recording.inputs
    told = [inputs.nik_B, inputs.nik_of_B_known_to_A] if side == "A" else [inputs.nik_A]
    return [bytes.fromhex(nik) for nik in told if nik is not msgspec.UNSET]


def _clear_frames(recording: Recording, side: Side, pool: Pool) -> list[tuple[bool, Clear]]:
    found: list[tuple[bool, Clear]] = []
    for seen in recording.seen_by(side):
        frame = clear_of(seen.octets, pool.octets_of("nm_tk"))
        if frame is not None:
            found.append((seen.sent, frame))
    return found


def add_sent_key_data(plain: bytes, keks: list[bytes], pool: Pool) -> None:
    """Key data of a device's own, wrapped with each of the keys."""
    pool.add("key_data_plain", plain)
    pool.add("key_data_wrapped", *(key_data.wrap(kek, key_data.padded(plain)) for kek in keks))


def add_received_key_data(wrapped: bytes, keks: list[bytes], pool: Pool) -> list[bytes]:
    """Key data that came in, and what the keys that fit find in it."""
    pool.add("key_data_wrapped", wrapped)
    pool.add("key_data_kek", *keks)
    opened = [inside for kek in keks if (inside := key_data.unwrap(kek, wrapped)) is not None]
    pool.add("key_data_unwrapped", *opened)
    return opened


def kdes_in(opened: list[bytes]) -> list[key_data.Kde]:
    """KDEs of unwrapped key data; none of what is malformed."""
    found: list[key_data.Kde] = []
    for inside in opened:
        with contextlib.suppress(DecodeError):
            found += key_data.read(inside).kdes
    return found


def _niks_in(opened: list[bytes]) -> list[bytes]:
    return [bytes.fromhex(kde.nik) for kde in kdes_in(opened) if isinstance(kde, key_data.Nik)]


def _add_search(
    recording: Recording, side: Side, niks: list[bytes], clear: list[tuple[bool, Clear]], pool: Pool
) -> None:
    """Tags that the device computes while it looks for who sent a frame."""
    nmi = recording.devices[other(side)].nmi
    nonces = [nonce for sent, frame in clear if not sent for nonce, _ in nira_pairs(frame)]
    pool.add("nira_tag_computed", *(nira_tag(nik, nmi, nonce) for nik in niks for nonce in nonces))
