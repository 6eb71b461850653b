"""Eddystone cryptography against known answers of others, and the search over neighbouring quanta."""

from __future__ import annotations

import subprocess
import sys

import pytest

from protocols.ble import eddystone_crypto as crypto
from protocols.ble.payloads.eddystone import eid_frame, etlm_frame, tlm_frame
from protocols.errors import UsageError

KEY = bytes.fromhex("589417b0324b1b71d7a6751852867ae8")
OTHER = bytes(range(16))

# Bellare, Rogaway, Wagner: "The EAX Mode of Operation", appendix: message, key, nonce, header, cipher with tag
EAX = [
    (
        "", "233952dee4d5ed5f9b9c6d6ff80ff478", "62ec67f9c3a4a407fcb2a8c49031a8b3", "6bfb914fd07eae6b",
        "e037830e8389f27b025a2d6527e79d01",
    ),
    (
        "f7fb", "91945d3f4dcbee0bf45ef52255f095a4", "becaf043b0a23d843194ba972c66debd", "fa3bfd4806eb53fa",
        "19dd5c4c9331049d0bdab0277408f67967e5",
    ),
    (
        "1a47cb4933", "01f74ad64077f2e704c0f60ada3dd523", "70c3db4f0d26368400a10ed05d2bff5e", "234a3463c1264ac6",
        "d851d5bae03a59f238a23e39199dc9266626c40f80",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "key", "nonce", "header", "sealed"), EAX)
def test_eax_known_answers(message, key, nonce, header, sealed):
    text, key, nonce, header = map(bytes.fromhex, (message, key, nonce, header))
    ciphertext, tag = crypto.eax_encrypt(key, nonce, text, header)
    assert (ciphertext + tag).hex() == sealed
    assert crypto.eax_decrypt(key, nonce, ciphertext, header) == (text, tag)


def test_eax_tag_depends_on_everything():
    _, tag = crypto.eax_encrypt(KEY, b"nonce", b"text", b"head")
    for key, nonce, text, header in (
        (OTHER, b"nonce", b"text", b"head"),
        (KEY, b"nonc", b"text", b"head"),
        (KEY, b"nonce", b"test", b"head"),
        (KEY, b"nonce", b"text", b""),
    ):
        assert crypto.eax_encrypt(key, nonce, text, header)[1] != tag


def test_temporary_key_lasts_65536_s_and_the_id_a_quantum():
    assert crypto.temporary_key(KEY, 65535) == crypto.temporary_key(KEY, 0)
    assert crypto.temporary_key(KEY, 65536) != crypto.temporary_key(KEY, 65535)
    assert crypto.ephemeral_id(KEY, 10, 1024) == crypto.ephemeral_id(KEY, 10, 2047)
    assert crypto.ephemeral_id(KEY, 10, 2048) != crypto.ephemeral_id(KEY, 10, 2047)
    assert crypto.ephemeral_id(KEY, 9, 1024) != crypto.ephemeral_id(KEY, 10, 1024)


@pytest.mark.parametrize(("clock_s", "exponent"), [(-1, 0), (1 << 32, 0), (0, -1), (0, 16)])
def test_clock_and_exponent_out_of_range(clock_s, exponent):
    with pytest.raises(UsageError):
        crypto.quantised(clock_s, exponent)


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_keys_and_blocks_of_another_size_are_refused(size):
    with pytest.raises(UsageError):
        crypto.ephemeral_id(bytes(size), 0, 0)
    with pytest.raises(UsageError):
        crypto.unlock_token(KEY, bytes(size))
    with pytest.raises(UsageError):
        crypto.eax_encrypt(bytes(size), b"", b"")


def test_key_exchange_of_rfc_7748_from_both_ends():
    """RFC 7748 6.1: Alice is the beacon, Bob the resolver."""
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    a, b = crypto.public_key(alice), crypto.public_key(bob)
    assert a.hex() == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert b.hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    secret = crypto.shared_secret(alice, b)
    assert secret.hex() == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert crypto.shared_secret(bob, a) == secret
    assert crypto.identity_key_of(secret, b, a) != crypto.identity_key_of(secret, a, b)


# points of order 1, 2, 4 and 8 on Curve25519 (RFC 7748, section 7, asks for the check they need)
SMALL_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
]


@pytest.mark.parametrize("peer", SMALL_ORDER)
def test_all_zero_secret_is_refused(peer):
    with pytest.raises(crypto.WeakKeyError) as caught:
        crypto.shared_secret(bytes(range(32)), bytes.fromhex(peer))
    assert caught.value.code == 0x03


def test_lock_code_encryption_is_fips_197():
    """FIPS-197, C.1."""
    code, text = bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")
    sealed = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
    assert crypto.unlock_token(code, text) == sealed
    assert crypto.encrypt_key(code, text) == sealed
    assert crypto.decrypt_key(code, sealed) == text


# --- whose frame is it ----------------------------------------------------------------------------


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_identity_is_found_within_the_window_only(off):
    clock_s = 1_000_000
    eid = eid_frame(KEY, 9, clock_s + (off << 9), 0)[2:]
    candidates = [(OTHER, 9, clock_s), (KEY, 9, clock_s)]
    found = crypto.find_identity(eid, candidates, 2)
    assert found == crypto.Found(1, (clock_s + (off << 9)) >> 9 << 9, off)
    assert (crypto.find_identity(eid, candidates, 1) is None) == (abs(off) > 1)
    assert crypto.find_identity(eid, candidates[:1], 2) is None


@pytest.mark.parametrize("clock_s", [0, (1 << 32) - 1])
def test_search_stops_at_the_ends_of_the_clock(clock_s):
    assert crypto.find_identity(bytes(8), [(KEY, 15, clock_s)], 3) is None


def test_search_crosses_the_change_of_the_temporary_key():
    eid = crypto.ephemeral_id(KEY, 10, 65536)
    found = crypto.find_identity(eid, [(KEY, 10, 65535)])
    assert found is not None
    assert (found.quantised_time_s, found.quanta_off) == (65536, 1)


@pytest.mark.parametrize("off", [-1, 0, 1, 2])
def test_telemetry_is_opened_with_a_neighbouring_quantum(off):
    clock_s, plain = 500_000, tlm_frame(3000, -0.5, 7, 1.5)
    frame = etlm_frame(KEY, 10, clock_s + (off << 10), b"\xab\xcd", plain)
    parts = (frame[2:14], frame[14:16], frame[16:18])
    found = crypto.find_telemetry(*parts, [(OTHER, 10, clock_s), (KEY, 10, clock_s)])
    if abs(off) > 1:
        assert found is None
    else:
        assert found is not None
        assert found[0].quanta_off == off
        assert (found[0].index, found[1]) == (1, plain[2:])


def test_salt_of_another_size_is_refused():
    with pytest.raises(UsageError, match="salt"):
        etlm_frame(KEY, 0, 0, b"\0", tlm_frame(None, None, 0, 0))


def test_importing_does_not_import_cryptography():
    code = (
        "import sys, protocols.ble.eddystone_crypto, protocols.ble.eddystone_config_service\n"
        "assert 'cryptography' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
