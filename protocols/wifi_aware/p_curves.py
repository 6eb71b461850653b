"""Points of P-256 and P-384: the one file with field arithmetic.

FIPS 186-4 D.1.2 (the curves), RFC 9380 6.6.2 and F.2.1.2 (simplified SWU with one exponentiation), IEEE 802.11-2020
12.4.4.2.3. Scalar multiplication is ECDH of `cryptography`, which gives x alone; y follows from x of the next
multiple (Okeya and Sakurai), which takes a second ECDH. What is done in Python numbers (that recovery, addition,
SWU) is NOT constant time: good for simulation and analysis, not for guarding real secrets. The point at infinity is
None. No clock, no randomness, no IO.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ec import (
        ECDH,
        EllipticCurve,
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

__all__ = [
    "CURVES", "Curve", "Point", "add", "curve_of", "generator_x", "multiply", "multiply_x", "negative", "shared_x", "sswu",
]  # fmt: skip

Point = tuple[int, int]
"""Affine coordinates x and y."""


class Curve(NamedTuple):
    """y² = x³ - 3x + b modulo p, of prime order q (cofactor 1); p leaves 3 when divided by 4."""

    group: int
    """finite cyclic group of the IANA registry."""
    octets: int
    """of a coordinate and of a scalar."""
    p: int
    q: int
    b: int
    generator: Point
    z: int
    """constant of the simplified SWU mapping."""
    root: int
    """square root of -z modulo p, either of the two."""

    def holds(self, point: Point) -> bool:
        """Whether the coordinates are in range and fulfil the equation."""
        x, y = point
        return 0 <= x < self.p and 0 <= y < self.p and (y * y - _right_side(self, x)) % self.p == 0


def _right_side(curve: Curve, x: int) -> int:
    return (x * x * x - 3 * x + curve.b) % curve.p


def _curve(group: int, p: int, q: int, b: int, generator: Point, z: int) -> Curve:
    return Curve(
        group, (p.bit_length() + 7) // 8, p, q, b, generator, z % p, pow(-z, (p + 1) // 4, p)
    )


CURVES = {
    19: _curve(
        19,
        p=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
        q=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        generator=(
            0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        ),
        z=-10,
    ),
    20: _curve(
        20,
        p=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF,
        q=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        b=0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        generator=(
            0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
            0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
        ),
        z=-12,
    ),
}  # fmt: skip
"""By group: 19 is P-256, 20 is P-384."""


def curve_of(group: int) -> Curve:
    """The curve of a group. Raises UsageError for a group without one here."""
    curve = CURVES.get(group)
    if curve is None:
        raise UsageError(
            f"group {group}: only 19 (P-256) and 20 (P-384) are known; use one of them"
        )
    return curve


# --- scalar multiplication ------------------------------------------------------------------------


class _Engine(NamedTuple):
    """What `cryptography` has for a curve."""

    curve: EllipticCurve
    ecdh: ECDH
    derive: Callable[[int, EllipticCurve], EllipticCurvePrivateKey]
    load: Callable[[EllipticCurve, bytes], EllipticCurvePublicKey]

    def x_of(self, scalar: int, key: EllipticCurvePublicKey) -> int:
        """x of scalar * point, the scalar in 1..q-1: one ECDH."""
        return int.from_bytes(self.derive(scalar, self.curve).exchange(self.ecdh, key), "big")


@functools.cache
def _engine(group: int) -> _Engine:
    from cryptography.hazmat.primitives.asymmetric import ec  # with keys only: start-up counts

    curve = {19: ec.SECP256R1(), 20: ec.SECP384R1()}[group]
    load = ec.EllipticCurvePublicKey.from_encoded_point
    return _Engine(curve, ec.ECDH(), ec.derive_private_key, load)


def _key_of(curve: Curve, engine: _Engine, point: Point) -> EllipticCurvePublicKey:
    x, y = point
    octets = curve.octets
    return engine.load(
        engine.curve, b"\x04" + x.to_bytes(octets, "big") + y.to_bytes(octets, "big")
    )


class _Base(NamedTuple):
    """A point with what multiplying it takes every time."""

    key: EllipticCurvePublicKey
    half_inverse_y: int
    """1 / (2y)."""


@functools.lru_cache(maxsize=64)
def _base(group: int, point: Point) -> _Base:
    curve = CURVES[group]
    return _Base(_key_of(curve, _engine(group), point), pow(2 * point[1], -1, curve.p))


def multiply_x(curve: Curve, scalar: int, point: Point | None) -> int | None:
    """x of scalar * point, None at infinity: one ECDH. The point is on the curve."""
    scalar %= curve.q
    if point is None or scalar == 0:
        return None
    engine = _engine(curve.group)
    return engine.x_of(scalar, _key_of(curve, engine, point))


def multiply(curve: Curve, scalar: int, point: Point | None) -> Point | None:
    """scalar * point, None at infinity: two ECDH. The point is on the curve."""
    scalar %= curve.q
    if point is None or scalar == 0:
        return None
    if scalar == 1:
        return point
    if scalar == curve.q - 1:
        return negative(curve, point)
    engine, base = _engine(curve.group), _base(curve.group, point)
    x, next_x = engine.x_of(scalar, base.key), engine.x_of(scalar + 1, base.key)
    return x, _y_of(curve, x, next_x, point[0], base.half_inverse_y)


def _y_of(curve: Curve, x: int, next_x: int, base_x: int, half_inverse_y: int) -> int:
    """y of the multiple at x, when adding the base (x, and 1 / 2y, of it) leads to next_x."""
    gap = x - base_x
    both = x * (x * x - 3) + base_x * (base_x * base_x - 3) + 2 * curve.b
    return (both - (next_x + x + base_x) * gap * gap) * half_inverse_y % curve.p


def generator_x(curve: Curve, scalar: int) -> int:
    """x of scalar * generator. Raises ValueError when the scalar is not in 1..q-1."""
    return _own_key(curve.group, scalar).public_key().public_numbers().x


def shared_x(curve: Curve, scalar: int, encoded: bytes) -> int:
    """x of scalar * the point in SEC 1 form (02, 03 or 04 first), by one ECDH.

    Raises ValueError for octets that are no point, and when the scalar is not in 1..q-1.
    """
    engine = _engine(curve.group)
    key = _own_key(curve.group, scalar)
    return int.from_bytes(key.exchange(engine.ecdh, engine.load(engine.curve, encoded)), "big")


@functools.lru_cache(maxsize=64)
def _own_key(group: int, scalar: int) -> EllipticCurvePrivateKey:
    """An ephemeral key, which is needed twice: for its public part and for the shared secret."""
    engine = _engine(group)
    return engine.derive(scalar, engine.curve)


# --- points ---------------------------------------------------------------------------------------


def negative(curve: Curve, point: Point) -> Point:
    """The point that adds up to infinity with this one."""
    return point[0], -point[1] % curve.p


def add(curve: Curve, one: Point | None, other: Point | None) -> Point | None:
    """Their sum, None at infinity."""
    if one is None or other is None:
        return other if one is None else one
    (x1, y1), (x2, y2), p = one, other, curve.p
    if x1 != x2:
        slope = (y2 - y1) * pow(x2 - x1, -1, p) % p
    elif (y1 + y2) % p == 0:
        return None
    else:
        slope = 3 * (x1 * x1 - 1) * pow(2 * y1, -1, p) % p
    x = (slope * slope - x1 - x2) % p
    return x, (slope * (x1 - x) - y1) % p


def sswu(curve: Curve, u: int) -> Point:
    """The point that the simplified SWU mapping makes of u, 0..p-1; never infinity."""
    p, b, a = curve.p, curve.b, -3
    zu2 = curve.z * u * u % p
    m = (zu2 * zu2 + zu2) % p
    numerator = b * (m + 1) % p
    denominator = a * (-m if m else curve.z) % p
    square = denominator * denominator % p
    v_over = (numerator * (numerator * numerator + a * square) + b * square * denominator) % p
    v_under = square * denominator % p
    is_square, y = _root_of_ratio(curve, v_over, v_under)
    if not is_square:
        numerator, y = zu2 * numerator % p, zu2 * u * y % p
    return numerator * pow(denominator, -1, p) % p, (y if y & 1 == u & 1 else p - y)


def _root_of_ratio(curve: Curve, over: int, under: int) -> tuple[bool, int]:
    """Whether over / under is a square, and the square root of it, or else of z times it."""
    p = curve.p
    both = over * under % p
    y = both * pow(under * under * both, (p - 3) // 4, p) % p
    if y * y * under % p == over:
        return True, y
    return False, y * curve.root % p
