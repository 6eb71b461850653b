"""BIP: published vectors, what is and is not covered, replays, and keys that do not fit."""

from __future__ import annotations

import pytest

from protocols.errors import EncodeError
from protocols.wifi_aware import group_protection as bip
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.frame import build, read
from protocols.wifi_aware.frames import Beacon, Sdf
from protocols.wifi_aware.group_protection import GroupMic
from protocols.wifi_aware.peers import LinkKey

IGTK_128 = bytes.fromhex("4ea9543e09cf2b1eca66ffc58bdecbcf")
IGTK_256 = IGTK_128 + bytes(range(16))
DEAUTHENTICATION = bytes.fromhex("c0000000ffffffffffff02000000000002000000000009000200")
# key, protected frame: IEEE 802.11-2020 annex J.9.1 (CMAC-128); the frame in hostap's generator of the annex's
# vectors, wlantest/test_vectors.c (GMAC-256, from IEEE P802.11ac/D7.0 M.9.1)
PUBLISHED = [
    (IGTK_128, "4c100400040000000000" + "48dfbfa7b8278872"),
    (IGTK_256, "4c180400040000000000" + "23be59dcc7022ee383627ebb1017ddfc"),
]
KEYS = pytest.mark.parametrize("key", [IGTK_128, IGTK_256], ids=["cmac-128", "gmac-256"])
NMI, CLUSTER = "02:00:5e:10:a0:01", "50:6f:9a:01:4d:21"
SDF = build(
    Sdf(
        destination="51:6f:9a:01:00:00", source=NMI, bssid=CLUSTER, sequence_number=5, category=4,
        attributes=(Attr(0x2A, bytes.fromhex("0003")),),
    )
)  # fmt: skip
BEACON = build(
    Beacon(
        destination="ff:ff:ff:ff:ff:ff", source=NMI, bssid=CLUSTER, sequence_number=6, timestamp_us=1234567,
        beacon_interval_tu=512, capability=0x0420,
    )
)  # fmt: skip


class Receiver(dict):
    """The group keys of one sender, by key ID."""

    def install(self, key_id, key, number):
        self[key_id] = LinkKey("", key)
        self[key_id].received = number

    def check(self, frame):
        return bip.check(self, frame)


def receiver(key, key_id=4, number=0):
    found = Receiver()
    found.install(key_id, key, number)
    return found


def flipped(frame, at, bit=0x01):
    data = bytearray(frame)
    data[at] ^= bit
    return bytes(data)


@pytest.mark.parametrize(("key", "mme"), PUBLISHED, ids=["cmac-128", "gmac-256"])
def test_published_vectors(key, mme):
    protected = bip.protect(key, DEAUTHENTICATION, 4, 4)
    assert protected.hex() == DEAUTHENTICATION.hex() + mme
    assert bip.read_mme(protected) == GroupMic(4, 4, bytes.fromhex(mme[20:]))
    assert receiver(key, number=3).check(protected) == "valid"


@KEYS
def test_the_codec_reads_the_element(key):
    frame = read(bip.protect(key, SDF, 5, 0x010203040506))
    (mme,) = frame.elements
    assert (mme.fields.key_id, mme.fields.packet_number) == (5, 0x010203040506)
    assert len(frame.attributes) == 1


@KEYS
@pytest.mark.parametrize("at", [0, 4, 10, 16, 24, 29, -1, -9])
def test_what_is_covered(key, at):
    """Type, addresses, body and MIC; the protected frame of each octet changed is refused."""
    protected = bip.protect(key, SDF, 4, 7)
    bit = 0x10 if at == 0 else 0x01
    assert receiver(key).check(flipped(protected, at, bit)) == "mic"
    assert receiver(key).check(protected) == "valid"


@KEYS
@pytest.mark.parametrize(
    ("at", "bit"), [(1, 0x08), (1, 0x10), (1, 0x20), (2, 0x01), (22, 0x10), (23, 0x01)]
)
def test_what_changes_on_the_way_is_not_covered(key, at, bit):
    """Retry, power management, more data, duration and sequence control."""
    assert receiver(key).check(flipped(bip.protect(key, SDF, 4, 7), at, bit)) == "valid"


@KEYS
def test_of_a_beacon_the_time_stamp_is_not_covered(key):
    """The sender's chip fills it in when the frame leaves."""
    protected = bip.protect(key, BEACON, 6, 7)
    for at in range(24, 32):
        assert receiver(key, 6).check(flipped(protected, at)) == "valid"
    assert receiver(key, 6).check(flipped(protected, 32)) == "mic"
    assert receiver(key, 4).check(flipped(bip.protect(key, SDF, 4, 7), 24)) == "mic"


@KEYS
def test_the_packet_number_is_covered_and_must_grow(key):
    peer = receiver(key, number=4)
    five, six = bip.protect(key, SDF, 4, 5), bip.protect(key, SDF, 4, 6)
    assert peer.check(bip.protect(key, SDF, 4, 4)) == "replay"  # that of the KDE is spent
    assert peer.check(six) == "valid"
    assert peer.check(six) == "replay"
    assert peer.check(five) == "replay"
    assert peer.check(flipped(six, len(SDF) + 9)) == "mic"  # a higher number for an old MIC
    assert peer.check(bip.protect(key, SDF, 4, 7)) == "valid"  # which that frame did not use up


@KEYS
def test_a_new_key_counts_from_its_own_number(key):
    peer = receiver(key, number=100)
    assert peer.check(bip.protect(key, SDF, 4, 9)) == "replay"
    peer.install(5, key, 8)
    assert peer.check(bip.protect(key, SDF, 5, 9)) == "valid"
    peer.install(4, key, 8)
    assert peer.check(bip.protect(key, SDF, 4, 9)) == "valid"


@KEYS
def test_keys_that_are_not_for_this_frame(key):
    peer = receiver(key, 4)
    peer.install(6, key, 0)
    assert peer.check(bip.protect(key, SDF, 5, 1)) == "no key"
    assert peer.check(bip.protect(key, SDF, 6, 1)) == "no key"  # a BIGTK is for beacons
    assert peer.check(bip.protect(key, BEACON, 4, 1)) == "no key"  # and no beacon has another
    other = IGTK_256 if key == IGTK_128 else IGTK_128
    assert peer.check(bip.protect(other, SDF, 4, 1)) == "no key"  # a MIC of another length
    assert peer.check(SDF) == peer.check(b"") == "no mme"
    wrong = receiver(bytes(len(key)))
    assert wrong.check(bip.protect(key, SDF, 4, 1)) == "mic"


@pytest.mark.parametrize("octets", [0, 15, 24, 33])
def test_a_key_of_another_length(octets):
    with pytest.raises(EncodeError, match=f"{octets} octets"):
        bip.protect(bytes(octets), SDF, 4, 1)
    with pytest.raises(EncodeError, match=f"{octets} octets"):
        receiver(bytes(octets)).check(bip.protect(IGTK_128, SDF, 4, 1))


def test_numbers_and_frames_that_cannot_be():
    with pytest.raises(EncodeError, match="48 bits"):
        bip.protect(IGTK_128, SDF, 4, 1 << 48)
    with pytest.raises(EncodeError, match="16 bits"):
        bip.protect(IGTK_128, SDF, -1, 1)
    with pytest.raises(EncodeError, match="header"):
        bip.protect(IGTK_128, SDF[:20], 4, 1)


@KEYS
def test_any_part_of_a_frame_gives_a_verdict(key):
    protected = bip.protect(key, SDF, 4, 1)
    peer = receiver(key)
    assert {peer.check(protected[:size]) for size in range(len(protected))} <= {
        "no mme",
        "mic",
        "no key",
    }
