"""Keys and MICs: known answers of hostap for every function, the digest's worked chain, and what is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from pathlib import Path

import pytest

from protocols.errors import LocalProtocolError, RemoteProtocolError, UsageError
from protocols.wifi_aware import key_data, keys
from protocols.wifi_aware.matching import nira_tag
from protocols.wifi_aware.p_curves import CURVES
from tests.protocols.wifi_aware import plain_curve
from tests.protocols.wifi_aware.plain_curve import PLAIN

VECTORS = Path(__file__).parents[2] / "vectors"
FUNCTIONS = json.loads((VECTORS / "wifi-aware-crypto.json").read_text())
CSID_OF = {"CCMP": 7, "GCMP-256": 8}
GROUPS = (19, 20)
A, B = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01"
unhex = bytes.fromhex


def entries(name):
    return pytest.mark.parametrize(
        "entry", FUNCTIONS[name], ids=map(str, range(len(FUNCTIONS[name])))
    )


# --- known answers ------------------------------------------------------------------------------------


@entries("pasn_ptk")
def test_pasn_keys(entry):
    csid, akm = CSID_OF[entry["cipher"]], entry["akm"].lower()
    found = keys.pasn_keys(
        unhex(entry["pmk"]), entry["initiator"], entry["responder"], unhex(entry["dhss"]), csid=csid, akm=akm
    )  # fmt: skip
    assert [part.hex() for part in found[:3]] == [entry["kck"], entry["nm_tk"], entry["kdk"]]
    assert found.ptk == b"".join(found[:3])
    assert keys.pasn_hash(csid, akm) == entry["hash"].lower().replace("-", "")


@entries("kdk_derivations")
def test_keys_of_nm_kdk(entry):
    args = unhex(entry["kdk"]), entry["initiator_nmi"], entry["responder_nmi"], entry["csid"]
    assert keys.nm_kek(*args).hex() == entry["nm_kek"]
    assert keys.nd_pmk(*args).hex() == entry["nd_pmk"]
    assert keys.npk_opportunistic(*args).hex() == entry["npk_opportunistic"]


@entries("nd_pmk_passphrase")
def test_nd_pmk_of_a_passphrase(entry):
    found = keys.nd_pmk_of_passphrase(
        entry["passphrase"].encode(), entry["csid"], entry["service_id"], entry["publisher_nmi"]
    )
    assert found.hex() == entry["nd_pmk"]


@entries("ndp_pmkid")
def test_nd_pmkid(entry):
    found = keys.nd_pmkid(
        unhex(entry["nd_pmk"]), entry["initiator_nmi"], entry["responder_nmi"], entry["service_id"], entry["csid"]
    )  # fmt: skip
    assert found.hex() == entry["pmkid"]


@entries("ndp_ptk")
def test_ndp_keys(entry):
    found = keys.ndp_keys(
        unhex(entry["nd_pmk"]), entry["initiator_ndi"], entry["responder_ndi"], unhex(entry["initiator_nonce"]),
        unhex(entry["responder_nonce"]), entry["csid"],
    )  # fmt: skip
    assert [part.hex() for part in found[:3]] == [entry["kck"], entry["kek"], entry["tk"]]
    assert found.ptk == b"".join(found[:3])


@entries("ndp_mic")
def test_ndp_mic_and_token(entry):
    kck, data, csid = unhex(entry["kck"]), unhex(entry["data"]), entry["csid"]
    assert keys.ndp_mic(kck, data, csid).hex() == entry["mic"]
    assert keys.ndp_mic(kck, data[9:], csid, data[:9]).hex() == entry["mic"]
    assert keys.auth_token(data, csid).hex() == entry["auth_token"]


@entries("key_wrap")
def test_key_wrap(entry):
    kek, plain, wrapped = (unhex(entry[name]) for name in ("kek", "plain", "wrapped"))
    assert key_data.wrap(kek, key_data.padded(plain)) == wrapped
    assert key_data.unwrap(kek, wrapped)[: len(plain)] == plain


@entries("nira")
def test_nira(entry):
    assert nira_tag(unhex(entry["nik"]), entry["nmi"], unhex(entry["nonce"])).hex() == entry["tag"]


def test_nd_pmk_of_the_passphrase_nan():
    """Check value of the specification's annex, as the digest gives it (9.1)."""
    found = keys.nd_pmk_of_passphrase(b"NAN", 1, "2b9c450f6671", "02:90:4c:12:d0:01").hex()
    assert found.startswith("ee358506")
    assert found.endswith("68bf")


def test_the_worked_chain_of_the_digest():
    initiator, responder = B, A
    pmk = unhex("cdeee6e1bdac7ff1eeb8ebbf69ee3625fb74653798c6d9851b75ace845c92ace")
    dhss = unhex("d90961d299ff7a3841193b75ebcff864a44c1d695be4af51e0eb144316d41f40")
    found = keys.pasn_keys(pmk, initiator, responder, dhss, csid=7, akm="sae")
    assert found.kck.hex() == "afafb54556e3ac776c127784852ab4badeafaf12f0a82afdb96dd3d60575d016"
    assert found.nm_tk.hex() == "394d0f191964e79c1277af9051531108"
    assert found.nm_kdk.hex() == "5e301c8d3d2829e8b80d3ee0a4443b0b13bc8a7e261843dcf852f0e513af8fae"
    assert (
        keys.nm_kek(found.nm_kdk, initiator, responder, 7).hex()
        == "2af89b7d448bf19cb0b97411a591424c"
    )
    assert (
        keys.nd_pmk(found.nm_kdk, initiator, responder, 7).hex()
        == "1b024f9b7d03ebb48b80fb06e009e60897849a32304da71c23d4ac0292de1776"
    )


# --- which hash, which length (digest, 0.1) -------------------------------------------------------------


@pytest.mark.parametrize(
    ("csid", "akm", "hash_name", "octets"),
    [(7, "sae", "sha256", 16), (8, "sae", "sha256", 16), (7, "pasn", "sha256", 16), (8, "pasn", "sha384", 24)],
)  # fmt: skip
def test_the_hash_of_pasn_follows_akm_and_suite(csid, akm, hash_name, octets):
    body, kck = b"a body", bytes(range(32))
    assert keys.auth1_hash(body, csid=csid, akm=akm) == hashlib.new(hash_name, body).digest()
    mic = keys.pasn_mic(kck, A, B, b"third", body, csid=csid, akm=akm)
    covered = unhex("02005e10a001" + "02005e20b001") + b"third" + body
    assert mic == hmac.new(kck, covered, hash_name).digest()[:octets]
    assert keys.pasn_mic_octets(csid, akm) == octets


def test_the_kdf_counts_blocks_from_one_and_hashes_the_length():
    key, label, context = b"k", b"label", b"context"
    one = hmac.new(key, b"\x01\x00labelcontext\x48\x01", "sha256").digest()
    two = hmac.new(key, b"\x02\x00labelcontext\x48\x01", "sha256").digest()
    assert keys.kdf("sha256", key, label, context, 328) == (one + two)[:41]
    assert (
        keys.kdf("sha256", key, label, context, 128)
        != keys.kdf("sha256", key, label, context, 256)[:16]
    )


def test_the_opportunistic_pmk():
    assert b"PMKz" + bytes(28) == keys.OPPORTUNISTIC_PMK


def test_other_stacks_hash_and_length():
    """Digest 12, rows 1 to 3: with suite 7 they differ in length alone, with 8 in the hash."""
    kdk = bytes(range(32))
    for csid, hash_name in ((7, "sha256"), (8, "sha384")):
        usual = keys.nd_pmk(kdk, A, B, csid)
        assert keys.nd_pmk(kdk, A, B, csid, hash_name=hash_name) == usual
        assert (keys.nd_pmk(kdk, A, B, csid, hash_name="sha256") == usual) == (csid == 7)
        assert (
            keys.nm_kek(kdk, A, B, csid, hash_name="sha256") == keys.nm_kek(kdk, A, B, csid)
        ) == (csid == 7)
    npk = keys.npk_opportunistic(kdk, A, B, 7)
    short = keys.npk_opportunistic(kdk, A, B, 7, octets=16)
    assert (len(npk), len(short)) == (32, 16)
    assert short != npk[:16]


def test_roles_order_the_addresses():
    kdk = bytes(32)
    assert keys.nd_pmk(kdk, A, B, 7) != keys.nd_pmk(kdk, B, A, 7)
    assert keys.nd_pmkid(kdk, A, B, "2b9c450f6671", 7) != keys.nd_pmkid(
        kdk, B, A, "2b9c450f6671", 7
    )


@pytest.mark.parametrize("csid", [0, 3, 4, 5, 6, 9])
def test_a_suite_without_pairwise_keys(csid):
    with pytest.raises(UsageError, match=f"CSID {csid}"):
        keys.suite_of(csid)
    with pytest.raises(UsageError):
        keys.nd_pmk(bytes(32), A, B, csid)


def test_the_table_of_suites():
    pairwise = {csid: suite[2:] for csid, suite in keys.SUITES.items() if suite.kck}
    assert pairwise == {
        1: (None, "ccmp_128", "sha256", 16, 16, 16, 16),
        2: (None, "gcmp_256", "sha384", 32, 32, 24, 24),
        7: (19, "ccmp_128", "sha256", 16, 16, 16, 16),
        8: (20, "gcmp_256", "sha384", 32, 32, 24, 24),
    }
    assert [(keys.SUITES[csid].cipher, keys.SUITES[csid].tk) for csid in (5, 6)] == [
        ("ccmp_128", 16),
        ("gcmp_256", 32),
    ]


# --- ephemeral secret -----------------------------------------------------------------------------------


def private(group, name):
    curve = CURVES[group]
    return random.Random(f"{group} {name}").randrange(1, curve.q).to_bytes(curve.octets, "big")


def point(group, scalar):
    x, y = plain_curve.multiply(
        PLAIN[group], int.from_bytes(scalar, "big"), CURVES[group].generator
    )
    return tuple(part.to_bytes(CURVES[group].octets, "big") for part in (x, y))


@pytest.mark.parametrize("group", GROUPS)
def test_public_keys_and_secret_against_plain_numbers(group):
    one, two = private(group, "one"), private(group, "two")
    x, y = point(group, two)
    assert keys.ecdh_public(group, two) == b"\x02" + x
    product = int.from_bytes(one, "big") * int.from_bytes(two, "big") % PLAIN[group].q
    shared = point(group, product.to_bytes(CURVES[group].octets, "big"))[0]
    for public in (b"\x02" + x, b"\x03" + x, b"\x04" + x + y):
        assert keys.ecdh_shared(group, one, public) == shared
    assert keys.ecdh_shared(group, two, keys.ecdh_public(group, one)) == shared


@pytest.mark.parametrize("group", GROUPS)
def test_private_keys_at_the_ends(group):
    curve = CURVES[group]
    generator = curve.generator[0].to_bytes(curve.octets, "big")
    for number in (1, curve.q - 1):
        assert keys.ecdh_public(group, number.to_bytes(curve.octets, "big")) == b"\x02" + generator
    for number in (0, curve.q, curve.q + 1, 256**curve.octets - 1):
        useless = number.to_bytes(curve.octets, "big")
        with pytest.raises(LocalProtocolError, match="draw another"):
            keys.ecdh_public(group, useless)
        with pytest.raises(LocalProtocolError, match="draw another"):
            keys.ecdh_shared(group, useless, b"\x02" + generator)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("first", [b"", b"\x00", b"\x01", b"\x05", b"\x06", b"\x07"])
def test_a_public_key_of_another_form_gives_status_136(group, first):
    """00 would be infinity, 06 and 07 the hybrid form."""
    x, y = point(group, private(group, "peer"))
    with pytest.raises(keys.PublicKeyFormError) as caught:
        keys.ecdh_shared(group, private(group, "own"), first and first + x + y)
    assert caught.value.code == 136
    assert isinstance(caught.value, RemoteProtocolError)


def no_point(group):
    """The least x without a point."""
    plain = PLAIN[group]
    x = 0
    while pow(x**3 - 3 * x + plain.b, (plain.p - 1) // 2, plain.p) == 1:
        x += 1
    return x.to_bytes(CURVES[group].octets, "big")


@pytest.mark.parametrize("group", GROUPS)
def test_a_public_key_that_is_no_point_gives_status_1(group):
    x, y = point(group, private(group, "peer"))
    p = PLAIN[group].p.to_bytes(CURVES[group].octets, "big")
    bad = y[:-1] + bytes((y[-1] ^ 1,))
    for public in (
        b"\x02" + no_point(group), b"\x03" + no_point(group), b"\x04" + x + bad, b"\x02" + p, b"\x02" + x[:-1],
        b"\x02" + x + y, b"\x04" + x, b"\x02", b"\x04" + bytes(len(x + y)),
    ):  # fmt: skip
        with pytest.raises(keys.PublicKeyPointError) as caught:
            keys.ecdh_shared(group, private(group, "own"), public)
        assert caught.value.code == 1
