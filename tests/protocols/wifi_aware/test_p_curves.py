"""The fast arithmetic on P-256 and P-384 against the slow and obvious one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import UsageError
from protocols.wifi_aware import p_curves
from protocols.wifi_aware.p_curves import CURVES, curve_of
from tests.protocols.wifi_aware import plain_curve
from tests.protocols.wifi_aware.plain_curve import PLAIN

GROUPS = (19, 20)


def number(curve):
    return st.integers(0, curve.q - 1)


def base(group):
    """A point that is not the generator."""
    return plain_curve.sswu(PLAIN[group], 7)


@pytest.mark.parametrize("group", GROUPS)
def test_the_constants_are_those_of_the_standard(group):
    curve, plain = CURVES[group], PLAIN[group]
    assert (curve.p, curve.q, curve.b) == (plain.p, plain.q, plain.b)
    assert curve.z == plain.z % plain.p
    assert curve.root**2 % curve.p == -plain.z % plain.p
    assert curve.p % 4 == 3
    assert curve.holds(curve.generator)
    assert plain_curve.multiply(plain, plain.q, curve.generator) is None


@pytest.mark.parametrize("group", GROUPS)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_multiples_are_those_of_double_and_add(group, data):
    curve, plain = CURVES[group], PLAIN[group]
    scalar, u = data.draw(number(curve)), data.draw(st.integers(1, 50))
    point = plain_curve.sswu(plain, u)
    wanted = plain_curve.multiply(plain, scalar, point) if scalar else None
    assert p_curves.multiply(curve, scalar, point) == wanted
    assert p_curves.multiply_x(curve, scalar, point) == (wanted and wanted[0])


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("off", [-3, -2, -1, 0, 1, 2, 3])
def test_multiples_around_zero_and_the_order(group, off):
    """Where adding the base once more is infinity, or doubling, or gives the base itself."""
    curve, plain = CURVES[group], PLAIN[group]
    point = base(group)
    wanted = plain_curve.multiply(plain, off % plain.q, point) if off else None
    for scalar in (off, off + curve.q, off - curve.q):
        assert p_curves.multiply(curve, scalar, point) == wanted
        assert p_curves.multiply_x(curve, scalar, point) == (wanted and wanted[0])


@pytest.mark.parametrize("group", GROUPS)
def test_multiples_of_infinity(group):
    assert p_curves.multiply(CURVES[group], 5, None) is None
    assert p_curves.multiply_x(CURVES[group], 5, None) is None


@pytest.mark.parametrize("group", GROUPS)
def test_the_sum_of_all_kinds_of_pairs(group):
    curve, plain = CURVES[group], PLAIN[group]
    one, other = base(group), plain_curve.sswu(plain, 8)
    minus = p_curves.negative(curve, one)
    assert curve.holds(minus)
    assert p_curves.add(curve, one, other) == plain_curve.add(plain, one, other)
    assert p_curves.add(curve, one, one) == plain_curve.multiply(plain, 2, one)
    assert p_curves.add(curve, one, minus) is None
    assert p_curves.add(curve, one, None) == p_curves.add(curve, None, one) == one
    assert p_curves.add(curve, None, None) is None


@pytest.mark.parametrize("group", GROUPS)
def test_sswu_of_random_numbers_and_of_the_exceptions(group):
    """The exceptions make the inverted term zero: u = 0, and u² = -1/z where that is a square."""
    curve, plain = CURVES[group], PLAIN[group]
    draw = random.Random(f"sswu {group}")
    numbers = [draw.randrange(plain.p) for _ in range(40)] + [0, 1, 2, plain.p - 1, plain.p - 2]
    odd_one = -pow(plain.z, -1, plain.p) % plain.p
    root = pow(odd_one, (plain.p + 1) // 4, plain.p)
    if root * root % plain.p == odd_one:
        numbers += [root, plain.p - root]
    for u in numbers:
        point = p_curves.sswu(curve, u)
        assert point == plain_curve.sswu(plain, u)
        assert curve.holds(point)


@pytest.mark.parametrize("group", GROUPS)
def test_only_coordinates_in_range_that_fit_are_on_the_curve(group):
    curve = CURVES[group]
    x, y = base(group)
    assert curve.holds((x, y))
    for point in ((x, y + 1), (x + 1, y), (x + curve.p, y), (x, y + curve.p), (x, -y), (0, 0)):
        assert not curve.holds(point)


def test_another_group_is_refused_with_those_that_are_known():
    with pytest.raises(UsageError, match=r"group 21.*19 .*20"):
        curve_of(21)
