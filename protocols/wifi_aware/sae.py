"""SAE with hash to element, as Wi-Fi Aware pairing uses it: one side of one exchange.

IEEE 802.11-2020 12.4.4.2.3 (hash to element), 12.4.5 (commit, keys, confirm) and 12.4.8.6.4 (what is refused);
Wi-Fi Aware 4.0, pairing with a password; digest of pairing, section 3.5 and 3.6, verified against hostap. In place
of an SSID stands `SSID`, there is no password identifier, and the hash is that of the group: SHA-256 for 19,
SHA-384 for 20. Numbers that must be drawn are handed in; the octets on the air are in `sae_messages`. Not constant
time (`p_curves`). No clock, no randomness, no IO.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from protocols.errors import ProtocolError
from protocols.wifi_aware import p_curves
from protocols.wifi_aware.kdf import kdf, mac_octets
from protocols.wifi_aware.p_curves import Curve, Point, curve_of

__all__ = [
    "HASHES",
    "PMK_OCTETS",
    "SSID",
    "Pt",
    "Sae",
    "SaeError",
    "address_hash",
    "address_scalar",
    "key_schedule",
    "password_element",
    "password_numbers",
    "password_seed",
    "password_values",
]

SSID = b"516F9A010000"
"""12 ASCII characters, not six octets."""
HASHES = {19: "sha256", 20: "sha384"}
"""By group."""
PMK_OCTETS = 32
_LABELS = (b"SAE Hash to Element u1 P1", b"SAE Hash to Element u2 P2")
_KEY_LABEL = b"SAE KCK and PMK"
_PMKID = 16


class SaeError(ProtocolError):
    """What makes a commit useless, ours or the peer's; `what` says it in words. Status 1 answers it (hostap)."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"SAE: {what}")


class Pt(NamedTuple):
    """Password element: what a group makes of a password, the same for all addresses."""

    group: int
    x: int
    y: int


# --- hash to element ------------------------------------------------------------------------------


def password_seed(group: int, password: bytes, ssid: bytes = SSID) -> bytes:
    """The seed, as long as the group's hash (pwd-seed)."""
    return hmac.digest(ssid, password, HASHES[curve_of(group).group])


def password_values(group: int, seed: bytes) -> tuple[bytes, bytes]:
    """The two expanded values, half as long again as a coordinate (pwd-value)."""
    octets = curve_of(group).octets
    first, second = (_expand(HASHES[group], seed, label, octets + octets // 2) for label in _LABELS)
    return first, second


def _expand(hash_name: str, key: bytes, info: bytes, octets: int) -> bytes:
    """HKDF-Expand (RFC 5869 2.3)."""
    out = block = b""
    while len(out) < octets:
        count = len(out) // len(block) + 1 if block else 1
        block = hmac.digest(key, block + info + bytes((count,)), hash_name)
        out += block
    return out[:octets]


def password_numbers(group: int, values: tuple[bytes, bytes]) -> tuple[int, int]:
    """u1 and u2, modulo the prime."""
    p = curve_of(group).p
    return int.from_bytes(values[0], "big") % p, int.from_bytes(values[1], "big") % p


def password_element(group: int, password: bytes) -> Pt:
    """PT of a password, group 19 or 20. Raises UsageError for another group, SaeError when it is infinity."""
    curve = curve_of(group)
    u1, u2 = password_numbers(group, password_values(group, password_seed(group, password)))
    point = p_curves.add(curve, p_curves.sswu(curve, u1), p_curves.sswu(curve, u2))
    if point is None:
        raise SaeError("this password has no element in the group; take another one")
    return Pt(group, *point)


def address_hash(group: int, one_nmi: str, other_nmi: str) -> bytes:
    """Hash of the two addresses, the greater first."""
    addresses = sorted((mac_octets(one_nmi), mac_octets(other_nmi)), reverse=True)
    return hmac.digest(bytes(curve_of(group).octets), b"".join(addresses), HASHES[group])


def address_scalar(group: int, hashed: bytes) -> int:
    """What PT is multiplied by, 1..q-1: PWE = scalar * PT."""
    return int.from_bytes(hashed, "big") % (curve_of(group).q - 1) + 1


# --- keys -----------------------------------------------------------------------------------------


class _Keys(NamedTuple):
    """What the shared secret gives."""

    keyseed: bytes
    kck: bytes
    pmk: bytes
    pmkid: bytes


def key_schedule(group: int, k: bytes, context: bytes) -> _Keys:
    """Keys of k (x of the shared point) and of the sum of both scalars, each as long as a coordinate."""
    octets = curve_of(group).octets
    keyseed = hmac.digest(bytes(octets), k, HASHES[group])
    keys = kdf(HASHES[group], keyseed, _KEY_LABEL, context, 8 * (octets + PMK_OCTETS))
    return _Keys(keyseed, keys[:octets], keys[octets:], context[:_PMKID])


class Sae:
    """One side of one exchange: its commit from the start, its keys and confirm after `process`."""

    group: int
    scalar: bytes
    element: bytes
    """x and y."""
    k: bytes
    """x of the shared point; this and what follows exist after `process`."""
    context: bytes
    """sum of both scalars."""
    keyseed: bytes
    kck: bytes
    pmk: bytes
    pmkid: bytes

    def __init__(self, pt: Pt, own_nmi: str, peer_nmi: str, rand: bytes, mask: bytes) -> None:
        """`rand`, `mask`: drawn, big-endian, 2..q-1. Raises SaeError when they cannot be used: draw again."""
        self.group = pt.group
        self._curve = curve = curve_of(pt.group)
        self._pt: Point = (pt.x, pt.y)
        self._rand = _drawn(curve, "rand", rand)
        blind = _drawn(curve, "mask", mask)
        scalar = (self._rand + blind) % curve.q
        if scalar < 2:  # IEEE 802.11-2020 12.4.5.3
            raise SaeError("rand and mask add up to a scalar below 2; draw both again")
        self._factor = address_scalar(pt.group, address_hash(pt.group, own_nmi, peer_nmi))
        element = p_curves.multiply(curve, -blind * self._factor, self._pt)
        assert element is not None  # noqa: S101  # no factor is a multiple of the prime order
        self.scalar = scalar.to_bytes(curve.octets, "big")
        self.element = _coordinates(curve, element)

    def process(self, peer_scalar: bytes, peer_element: bytes) -> None:
        """Take the peer's commit. Raises SaeError: lengths, scalar range, reflection, no point, infinity."""
        curve = self._curve
        scalar, element = _commit(curve, peer_scalar, peer_element)
        if (peer_scalar, peer_element) == (self.scalar, self.element):
            raise SaeError("the peer's commit is our own (reflection)")
        total = p_curves.add(
            curve, p_curves.multiply(curve, scalar * self._factor, self._pt), element
        )
        x = p_curves.multiply_x(curve, self._rand, total)
        if x is None:
            raise SaeError("the shared point is infinity")
        self._peer = peer_scalar + peer_element
        self.k = x.to_bytes(curve.octets, "big")
        own = int.from_bytes(self.scalar, "big")
        self.context = ((own + scalar) % curve.q).to_bytes(curve.octets, "big")
        self.keyseed, self.kck, self.pmk, self.pmkid = key_schedule(
            self.group, self.k, self.context
        )

    def confirm(self, send_confirm: int = 1) -> bytes:
        """What we send."""
        return self._confirm(send_confirm, self.scalar + self.element, self._peer)

    def expected_confirm(self, send_confirm: int = 1) -> bytes:
        """What the peer sends when it has the same password."""
        return self._confirm(send_confirm, self._peer, self.scalar + self.element)

    def _confirm(self, send_confirm: int, sender: bytes, receiver: bytes) -> bytes:
        data = send_confirm.to_bytes(2, "little") + sender + receiver
        return hmac.digest(self.kck, data, HASHES[self.group])


def _drawn(curve: Curve, name: str, octets: bytes) -> int:
    number = int.from_bytes(octets, "big")
    if not 2 <= number < curve.q:  # IEEE 802.11-2020 12.4.5.2
        raise SaeError(f"{name} is not between 2 and the order less 1; draw it again")
    return number


def _coordinates(curve: Curve, point: Point) -> bytes:
    return b"".join(part.to_bytes(curve.octets, "big") for part in point)


def _commit(curve: Curve, scalar: bytes, element: bytes) -> tuple[int, Point]:
    """A peer's commit as numbers, when group and range allow it."""
    octets = curve.octets
    if len(scalar) != octets or len(element) != 2 * octets:
        found = f"{len(scalar)} and {len(element)} octets"
        raise SaeError(
            f"scalar and element have {found}, the group takes {octets} and {2 * octets}"
        )
    number = int.from_bytes(scalar, "big")
    if not 2 <= number < curve.q:  # IEEE 802.11-2020 12.4.5.4
        raise SaeError("the peer's scalar is not between 2 and the order less 1")
    point = int.from_bytes(element[:octets], "big"), int.from_bytes(element[octets:], "big")
    if not curve.holds(point):
        raise SaeError("the peer's element is no point of the curve")
    return number, point
