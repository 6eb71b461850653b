"""SAE: vectors of IEEE 802.11-2020 annex J.10, known answers of hostap, a plain-number judge, and what is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from pathlib import Path

import pytest

from protocols.errors import ProtocolError, UsageError
from protocols.wifi_aware import p_curves, sae
from protocols.wifi_aware.p_curves import CURVES
from protocols.wifi_aware.sae import Pt, Sae, SaeError, password_element
from tests.protocols.wifi_aware import plain_curve
from tests.protocols.wifi_aware.plain_curve import PLAIN

VECTORS = Path(__file__).parents[2] / "vectors"
FUNCTIONS = json.loads((VECTORS / "wifi-aware-crypto.json").read_text())
A, B = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01"
GROUPS = (19, 20)


def octets(group, value):
    return value.to_bytes(CURVES[group].octets, "big")


def drawn(group, name):
    return octets(group, random.Random(f"{group} {name}").randrange(2, CURVES[group].q))


def side(group, name, *, password=b"492137", nmis=(A, B)):
    pt = password_element(group, password)
    return Sae(pt, *nmis, drawn(group, f"{name} rand"), drawn(group, f"{name} mask"))


def pair(group, **settings):
    one = side(group, "one", **settings)
    two = side(group, "two", nmis=(B, A))
    return one, two


# --- IEEE 802.11-2020 annex J.10 ----------------------------------------------------------------------

BYTEME_SEED = hmac.digest(b"byteme", b"mekmitasdigoat" + b"psk4internet", "sha256")
"""There with an SSID and a password identifier, which pairing has not."""


def test_annex_j10_hash_to_element():
    assert BYTEME_SEED.hex() == "3bd53fe9223dc0280fbfce17d7a3564064e20f48c6ec72246ce367b5569a22af"
    values = sae.password_values(19, BYTEME_SEED)
    assert [value.hex() for value in values] == [
        "a5044469ab16f25b6abf1e0e37a36b56f50be73369053df8db87989a6b66fd1a491f1cdacbd07931620f83008ffc0ecc",
        "9b4e0d5b1879f253c5319615099b05aec5b06fa5e788bcfd1e9ea60d33436927190814c322a62585c93c577bbaa3d307",
    ]
    u1, u2 = sae.password_numbers(19, values)
    assert u1 == 0xDC941BC3C6A2B4948B6C61D55590ECB1F0C51C4B1BEBAFF677E593698D5A53C6
    assert u2 == 0x1B8375A518BC21396AD6A65E5597E0BF80D793B6D66E2534A6E7DFE3EE22616F
    curve = CURVES[19]
    one, two = p_curves.sswu(curve, u1), p_curves.sswu(curve, u2)
    assert one == (
        0xA07C260764A13445FF8CD97C5ACC644E7119BDE51BAD42583EED6F4109639E6B,
        0x3BDC8DF0D32337936C74DF604933A454142251C53C576C0351B28DEAF9428D7E,
    )
    assert two == (
        0x72CD2A967A837FEA5051F0133DB46227775BA09F7B6DFB99AE7A8EF22C7D34A0,
        0x864390D797D352B368D311AF515BDE116FE54459FEC867EE18A8A1619CA3FF59,
    )
    pt = p_curves.add(curve, one, two)
    assert pt == (
        0xB6E38C98750C684B5D17C3D8C9A4100B39931279187CA6CCED5F37EF46DDFA97,
        0x5687E972E50F73E3898861E7EDAD21BEA7D5F622DF88243BB804920AE8E647FA,
    )
    scalar = sae.address_scalar(19, sae.address_hash(19, "00:09:5b:66:ec:1e", "00:0b:6b:d9:02:46"))
    assert scalar == 0xBB7F9CAC5AA8B72C02B5DAACC2771ABE74E72604612295ECA2CE18363AE9A927
    assert p_curves.multiply(curve, scalar, pt) == (
        0xC93049B9E64000F848201649E999F2B5C22DEA69B5632C9DF4D633B8AA1F6C1E,
        0x73634E94B53D82E7383A8D258199D9DC1A5EE8269D060382CCBF33E614FF59A0,
    )


def test_annex_j10_commit_and_keys():
    """The annex uses another way to the password element, which its own commit and mask give away."""
    curve, plain = CURVES[19], PLAIN[19]
    rand = bytes.fromhex("992465fd3daa3c60aa6565b7f62a2a7f2e12dd12f198faf4fbed89d7ff1ace94")
    mask = bytes.fromhex("9507a90f777a044d6a0830b91ea3d5dd70bece44e1acffb86983b5e1bf9fb322")
    own = bytes.fromhex(
        "2e2c0f0db52440ad146d967114ce005ce1eab0aa2c2e5c2871b774f6c2575c65d5ad9e00829707aa36ba8b859738fc961d08243505f47c03"
        "5376d7ac4bc8d7b95083bf43827d0fc31ed778dd3671fd21a46d1091d64b6f9a1e1272621325dbe1"
    )
    peer = bytes.fromhex(
        "591b96f3397fb945100848e7b550543b6720d88337ee93fc49fd6df7e08b5223e71b9bb048d3873f20556953a96c91536fd8ee6ca9b4a68a"
        "148b056a909be03e83ae208f60f8ef5537858074db06687032399862999b511e0a1552a5fea317c2"
    )
    nmis = ("4d:3f:2f:ff:e3:87", "a5:d8:aa:95:8e:3c")
    element = int.from_bytes(own[32:64], "big"), int.from_bytes(own[64:], "big")
    factor = sae.address_scalar(19, sae.address_hash(19, *nmis)) * int.from_bytes(mask, "big")
    inverse = pow(-factor, -1, curve.q)
    engine = Sae(Pt(19, *plain_curve.multiply(plain, inverse, element)), *nmis, rand, mask)
    assert engine.scalar + engine.element == own
    engine.process(peer[:32], peer[32:])
    assert engine.kck.hex() == "1e733f6d9bd53256287304338831b09a39406d121017073a5c30db36f36cb81a"
    assert engine.pmk.hex() == "4e4dfab1a2dd8ac1a91790f953faaa452ae5c6873ab75b63605ba663f8a7fe59"
    assert engine.pmkid.hex() == "8747a600eea3f9f22475df58ca1e5498"


# --- hostap -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry", FUNCTIONS["sae_pt"], ids=lambda e: f"{e['group']}-{e['password']}"
)
def test_password_elements_of_hostap(entry):
    group, password = entry["group"], entry["password"].encode()
    assert entry["ssid"].encode() == sae.SSID
    assert password_element(group, password) == (
        group,
        int(entry["pt_x"], 16),
        int(entry["pt_y"], 16),
    )
    seed = sae.password_seed(group, password)
    values = sae.password_values(group, seed)
    assert [seed.hex(), *(value.hex() for value in values)] == [
        entry["pwd_seed"], entry["pwd_value_1"], entry["pwd_value_2"],
    ]  # fmt: skip
    hashed = sae.address_hash(group, entry["addr1"], entry["addr2"])
    assert hashed.hex() == entry["pwe_hash"]
    assert octets(group, sae.address_scalar(group, hashed)).hex() == entry["pwe_val"]


def test_a_pin_keeps_its_leading_zeros():
    assert password_element(19, b"012345") != password_element(19, b"12345")


# --- both sides against plain numbers ---------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_both_sides_agree_with_each_other_and_with_plain_numbers(group):
    one, two = pair(group)
    one.process(two.scalar, two.element)
    two.process(one.scalar, one.element)
    assert (one.k, one.kck, one.pmk, one.pmkid) == (two.k, two.kck, two.pmk, two.pmkid)
    assert one.confirm() == two.expected_confirm()
    assert two.confirm(7) == one.expected_confirm(7) != two.confirm()
    curve, plain, size = CURVES[group], PLAIN[group], CURVES[group].octets
    pwe = plain_curve.multiply(plain, one._factor, one._pt)
    mask = int.from_bytes(drawn(group, "one mask"), "big")
    x, y = plain_curve.multiply(plain, mask, pwe)
    assert one.element == octets(group, x) + octets(group, curve.p - y)
    rands = [int.from_bytes(drawn(group, f"{name} rand"), "big") for name in ("one", "two")]
    shared = plain_curve.multiply(plain, rands[0] * rands[1] % plain.q, pwe)
    assert one.k == octets(group, shared[0])  # rand of both sides times PWE, whatever the masks
    assert (len(one.kck), len(one.pmk), len(one.pmkid), len(one.confirm())) == (size, 32, 16, size)


@pytest.mark.parametrize("group", GROUPS)
def test_another_password_gives_another_confirm(group):
    one, two = pair(group, password=b"492138")
    one.process(two.scalar, two.element)
    two.process(one.scalar, one.element)
    assert one.confirm() != two.expected_confirm()
    assert two.confirm() != one.expected_confirm()


def test_the_addresses_enter():
    one = side(19, "one")
    moved = side(19, "one", nmis=(A, "02:00:5e:20:b0:02"))
    swapped = side(19, "one", nmis=(B, A))
    assert one.scalar == moved.scalar
    assert one.element != moved.element
    assert one.element == swapped.element


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("number", [0, 1, "order", "order + 1", "most"])
@pytest.mark.parametrize("which", ["rand", "mask"])
def test_draws_out_of_range_are_to_be_drawn_again(group, number, which):
    curve = CURVES[group]
    value = {"order": curve.q, "order + 1": curve.q + 1, "most": 256**curve.octets - 1}.get(
        number, number
    )
    draws = {"rand": drawn(group, "r"), "mask": drawn(group, "m"), which: octets(group, value)}
    with pytest.raises(SaeError, match=f"{which}.*draw it again"):
        Sae(password_element(group, b"1"), A, B, **draws)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("total", [0, 1])
def test_draws_whose_sum_is_no_scalar_are_to_be_drawn_again(group, total):
    curve = CURVES[group]
    rand = int.from_bytes(drawn(group, "r"), "big")
    mask = (total - rand) % curve.q
    with pytest.raises(SaeError, match="scalar below 2"):
        Sae(password_element(group, b"1"), A, B, octets(group, rand), octets(group, mask))


@pytest.mark.parametrize("group", GROUPS)
def test_the_greatest_draws_are_good(group):
    curve = CURVES[group]
    most = octets(group, curve.q - 1)
    one = Sae(password_element(group, b"492137"), A, B, most, most)
    two = side(group, "two", nmis=(B, A))
    one.process(two.scalar, two.element)
    two.process(one.scalar, one.element)
    assert one.pmk == two.pmk


def scalars(group):
    q = CURVES[group].q
    return [octets(group, value) for value in (0, 1, q, q + 1)]


@pytest.mark.parametrize("group", GROUPS)
def test_a_peers_scalar_out_of_range(group):
    one, two = pair(group)
    for scalar in scalars(group):
        with pytest.raises(SaeError, match="scalar"):
            one.process(scalar, two.element)


@pytest.mark.parametrize("group", GROUPS)
def test_a_peers_element_that_is_no_point(group):
    one, two = pair(group)
    size = CURVES[group].octets
    x, y = two.element[:size], two.element[size:]
    flipped = y[:-1] + bytes((y[-1] ^ 1,))
    beyond = octets(group, CURVES[group].p)
    for element in (x + flipped, bytes(2 * size), b"\xff" * 2 * size, beyond + y, x + beyond):
        with pytest.raises(SaeError, match="no point of the curve"):
            one.process(two.scalar, element)


@pytest.mark.parametrize("group", GROUPS)
def test_parts_of_another_length(group):
    one, two = pair(group)
    for scalar, element in (
        (two.scalar[1:], two.element),
        (b"\0" + two.scalar, two.element),
        (two.scalar, two.element[:-1]),
        (two.scalar, b"\x04" + two.element),
        (b"", b""),
    ):
        with pytest.raises(SaeError, match="octets"):
            one.process(scalar, element)


@pytest.mark.parametrize("group", GROUPS)
def test_our_own_commit_comes_back(group):
    one, two = pair(group)
    with pytest.raises(SaeError, match="reflection"):
        one.process(one.scalar, one.element)
    one.process(two.scalar, one.element)  # one part alone is no reflection
    one.process(one.scalar, two.element)


@pytest.mark.parametrize("group", GROUPS)
def test_a_commit_that_makes_the_shared_point_infinity(group):
    """The peer takes the negative of scalar times PWE for its element."""
    one, two = pair(group)
    curve = CURVES[group]
    scalar = int.from_bytes(two.scalar, "big")
    x, y = plain_curve.multiply(PLAIN[group], scalar * one._factor % curve.q, one._pt)
    with pytest.raises(SaeError, match="infinity"):
        one.process(two.scalar, octets(group, x) + octets(group, curve.p - y))
    one.process(two.scalar, octets(group, x) + octets(group, y))  # doubling is no matter


def test_an_error_says_what_and_is_a_protocol_error():
    one, two = pair(19)
    with pytest.raises(ProtocolError) as caught:
        one.process(bytes(32), two.element)
    assert isinstance(caught.value, SaeError)
    assert caught.value.what in str(caught.value)


def test_a_group_without_curve():
    with pytest.raises(UsageError, match="group 21"):
        password_element(21, b"1")


def test_the_seed_is_the_hash_of_the_group():
    for group, hash_name in ((19, hashlib.sha256), (20, hashlib.sha384)):
        assert (
            sae.password_seed(group, b"492137")
            == hmac.new(b"516F9A010000", b"492137", hash_name).digest()
        )
