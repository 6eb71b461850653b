"""CCMP and GCMP of data frames: vectors of IEEE 802.11-2020 annex J.6.4 and J.11.1, and what is covered."""

from __future__ import annotations

import pytest

from protocols.errors import EncodeError
from protocols.wifi_aware.protection import CIPHERS, open_data, seal_data

KEY = bytes.fromhex("c97c1f67ce371185514a8a19f2bdd52f")
DATA = bytes.fromhex("0848c32c0fd2e128a57c5030f1844408abaea5b8fcba8033")
DATA_BODY = bytes.fromhex("f8ba1a55d02f85ae967bb62fb6cda8eb7e78a050")
DATA_NUMBER = 0xB5039776E70C
QOS = bytes.fromhex("88480b000fd2e128a57c5030f18444085030f184440880330300")
QOS_NUMBER = 0x00895F5F2B08
LONG_KEY = KEY + bytes(range(16))
# cipher, key, header, packet number, body, sealed
PUBLISHED = {
    "J.6.4 CCMP": ("ccmp_128", KEY, DATA, DATA_NUMBER, DATA_BODY, "f3d0a2fe9a3dbf2342a643e43246e80c3c04d019" + "7845ce0b16f97623"),
    "J.6.4 CCMP-256": (
        "ccmp_256", LONG_KEY, DATA, DATA_NUMBER, DATA_BODY,
        "6d155d8832668256d6a92b78e11d8e54495dd174" + "80aa56c9492e882b97642f80d50fe97b",
    ),
    "J.11.1 GCMP": (
        "gcmp_128", KEY, QOS, QOS_NUMBER, bytes(range(40)),
        "60e9700cc4d40ac6d288b201c38f5bf08b807442640a1596e5dbdad41d1f3623f45d7a12db7afb23" + "def619c2a374b6df66ffa53b6c69d79e",
    ),
    "J.11.1 GCMP-256": (
        "gcmp_256", LONG_KEY, QOS, QOS_NUMBER, bytes(range(40)),
        "658343c8b14447d9211defd46ad89c710c6fc33333236e3997b9176a5a8be779b21266555e70ad79" + "114316859095473d5b1bd596b3dea3bf",
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize("case", PUBLISHED.values(), ids=PUBLISHED)


def flipped(header, at, bit):
    data = bytearray(header)
    data[at] ^= bit
    return bytes(data)


@EACH
def test_published_vectors(case):
    name, key, header, number, body, sealed = case
    assert seal_data(name, key, header, number, body).hex() == sealed
    assert open_data(name, key, header, number, bytes.fromhex(sealed)) == body


@EACH
@pytest.mark.parametrize(
    ("at", "bit"), [(0, 0x10), (0, 0x40), (1, 0x08), (1, 0x10), (1, 0x20), (2, 1), (22, 0x10)]
)
def test_what_is_not_covered(case, at, bit):
    """Subtype but for QoS, retry, power management, more data, duration, sequence number."""
    name, key, header, number, body, sealed = case
    assert open_data(name, key, flipped(header, at, bit), number, bytes.fromhex(sealed)) == body


@EACH
@pytest.mark.parametrize(
    ("at", "bit"), [(1, 0x01), (1, 0x02), (1, 0x04), (4, 1), (10, 1), (16, 1), (22, 1)]
)
def test_what_is_covered(case, at, bit):
    """To DS, from DS, more fragments, addresses, fragment number."""
    name, key, header, number, _, sealed = case
    assert open_data(name, key, flipped(header, at, bit), number, bytes.fromhex(sealed)) is None


@EACH
def test_number_key_and_octets_are_proven(case):
    name, key, header, number, _, sealed = case
    octets = bytes.fromhex(sealed)
    assert open_data(name, key, header, number + 1, octets) is None
    assert open_data(name, bytes(len(key)), header, number, octets) is None
    assert open_data(name, key, header, number, flipped(octets, 3, 1)) is None
    assert open_data(name, key, header, number, octets[: CIPHERS[name].tag - 1]) is None


@pytest.mark.parametrize("name", sorted(CIPHERS))
def test_of_qos_control_the_tid_is_covered(name):
    key = bytes(CIPHERS[name].key)
    sealed = seal_data(name, key, QOS, 1, b"data")
    assert open_data(name, key, flipped(QOS, 24, 0x04), 1, sealed) is None
    for at, bit in ((24, 0x10), (24, 0x20), (24, 0x80), (25, 0x01), (1, 0x80)):
        assert open_data(name, key, flipped(QOS, at, bit), 1, sealed) == b"data"


@pytest.mark.parametrize(("name", "octets"), [("ccmp_128", 32), ("gcmp_256", 16), ("wep", 16)])
def test_a_key_or_cipher_that_does_not_fit(name, octets):
    with pytest.raises(EncodeError):
        seal_data(name, bytes(octets), DATA, 1, b"")
    with pytest.raises(EncodeError):
        open_data(name, bytes(octets), DATA, 1, bytes(40))
