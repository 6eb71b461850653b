"""The curves in plain numbers, slow and obvious: what the fast arithmetic is judged by."""

from __future__ import annotations

from typing import NamedTuple


class Plain(NamedTuple):
    """A curve y² = x³ - 3x + b; the numbers of FIPS 186-4 in decimal, as it prints p and order."""

    p: int
    q: int
    b: int
    z: int


PLAIN = {
    19: Plain(
        115792089210356248762697446949407573530086143415290314195533631308867097853951,
        115792089210356248762697446949407573529996955224135760342422259061068512044369,
        int("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b", 16),
        -10,
    ),
    20: Plain(
        39402006196394479212279040100143613805079739270465446667948293404245721771496870329047266088258938001861606973112319,
        39402006196394479212279040100143613805079739270465446667946905279627659399113263569398956308152294913554433653942643,
        int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef", 16),
        -12,
    ),
}  # fmt: skip


def add(curve, one, other):
    if one is None:
        return other
    if other is None:
        return one
    if one[0] == other[0] and (one[1] + other[1]) % curve.p == 0:
        return None
    if one == other:
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], curve.p - 2, curve.p)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], curve.p - 2, curve.p)
    x = (slope * slope - one[0] - other[0]) % curve.p
    return x, (slope * (one[0] - x) - one[1]) % curve.p


def multiply(curve, scalar, point):
    """Double and add."""
    result = None
    for bit in f"{scalar:b}":
        result = add(curve, result, result)
        if bit == "1":
            result = add(curve, result, point)
    return result


def sswu(curve, u):
    """The table of IEEE 802.11-2020 12.4.4.2.3, step by step."""
    p, a, b, z = curve.p, -3, curve.b, curve.z
    m = (z * z * u**4 + z * u * u) % p
    t = pow(m, p - 2, p)
    x1 = b * pow(z * a, p - 2, p) % p if m == 0 else -b * pow(a, p - 2, p) * (1 + t) % p
    x2 = z * u * u * x1 % p
    v1 = (x1**3 + a * x1 + b) % p
    v2 = (x2**3 + a * x2 + b) % p
    x, v = (x1, v1) if pow(v1, (p - 1) // 2, p) in (0, 1) else (x2, v2)
    y = pow(v, (p + 1) // 4, p)
    return x, y if y % 2 == u % 2 else p - y
