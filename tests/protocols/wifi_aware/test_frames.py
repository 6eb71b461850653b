"""Frames: header, envelope, laziness, edits, doubts, and what is not a NAN frame."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode, summary
from protocols.errors import DecodeError, EncodeError
from protocols.wifi_aware import attributes, frames, parts
from protocols.wifi_aware.attributes.cluster import Cluster
from protocols.wifi_aware.attributes.master_indication import MasterIndication
from protocols.wifi_aware.elements import Element
from protocols.wifi_aware.elements import make as make_element
from protocols.wifi_aware.elements.nan import ELEMENT as NAN
from protocols.wifi_aware.elements.nan import NanElement
from protocols.wifi_aware.frame import FORMAT, RADIOTAP, build, read

# Discovery beacon with its FCS, captured from the air: OpenNAN tests/test_crc32.cpp
BEACON = bytes.fromhex(
    "80000000ffffffffffff025f5a1ae301506f9a017f01d023973e4c060000000064002004"
    "dd22506f9a130002000" + "1bc010d00025f5a1ae301bc010000000000280600" + "44774db10160"
)
BEACON_FCS = bytes.fromhex("57e148ff")
HEADER = "d0000000516f9a01000002005e10a001506f9a014d211000"
SDF = bytes.fromhex(HEADER + "0409506f9a13" + "030900f51b9c480c52050000" + "2c0500000000" + "0200")
ENCRYPTED = bytes.fromhex(
    "d0400000"
    + "02005e20b001"
    + "02005e10a001"
    + "506f9a014d21"
    + "5000"
    + "0100002000000000"
    + "aa" * 30
)


def dissected(data, kind="frame", keys=None) -> Any:
    return dissect(Block(kind=kind, data=data), keys)


def decoded(data, kind="frame", keys=None) -> Any:
    found = dissected(data, kind, keys)
    assert found.error is None, found.error
    return found


def nodes_of(nodes):
    for node in nodes:
        yield node
        yield from nodes_of(node.children)


def named(found, name):
    return next(node for node in nodes_of(found.tree) if node.name == name)


def test_the_captured_beacon_says_what_its_source_says():
    """Values of the digest's table 1.10."""
    frame = read(BEACON)
    assert isinstance(frame, frames.Beacon)
    assert (frame.destination, frame.source, frame.bssid) == (
        "ff:ff:ff:ff:ff:ff", "02:5f:5a:1a:e3:01", "50:6f:9a:01:7f:01",
    )  # fmt: skip
    assert (frame.timestamp_us, frame.beacon_interval_tu, frame.capability) == (
        105660055,
        100,
        0x0420,
    )
    assert frame.first("master_indication") == MasterIndication(
        master_preference=1, random_factor=0xBC
    )
    assert frame.first("cluster") == Cluster(
        anchor_master="02:5f:5a:1a:e3:01",
        random_factor=0xBC,
        master_preference=1,
        hop_count=0,
        ambtt_us=0,
    )
    assert frame.first("service_descriptor") is None
    assert (
        summary("frame", frame) == "discovery beacon: anchor master  02:5f:5a:1a:e3:01 > broadcast"
    )


def test_a_frame_is_built_from_typed_values():
    frame = frames.Beacon(
        destination="ff:ff:ff:ff:ff:ff", source="02:5f:5a:1a:e3:01", bssid="50:6f:9a:01:7f:01", sequence_number=573,
        timestamp_us=105660055, beacon_interval_tu=100, capability=0x0420,
        elements=(make_element(NanElement(attributes=(
            attributes.make(MasterIndication(master_preference=1, random_factor=0xBC)),
            attributes.make(Cluster(
                anchor_master="02:5f:5a:1a:e3:01", random_factor=0xBC, master_preference=1, hop_count=0, ambtt_us=0,
            )),
            attributes.Attr(0x28, bytes.fromhex("44774db10160")),
        ))),),
    )  # fmt: skip
    assert build(frame) == BEACON


def test_reading_does_not_decode_bodies(monkeypatch):
    """Header and attribute table cost nothing for what nobody looks at."""
    monkeypatch.setattr(parts, "_look", lambda *_: pytest.fail("a body was decoded"))
    parts._remembered.cache_clear()
    frame = read(SDF)
    assert [attr.name for attr in frame.nan_attributes] == [
        "service_descriptor",
        "pairing_bootstrapping",
    ]


@pytest.mark.parametrize(
    ("fcs", "shown"), [(BEACON_FCS, "computed"), (b"\x57\xe1\x48\xfe", "57e148fe")]
)
def test_the_check_sequence_is_checked_and_reported(fcs, shown):
    found = decoded(BEACON + fcs, keys={"fcs": True})
    assert found.fields.fcs == shown
    assert bool(named(found, "fcs").doubts) == (shown != "computed")
    assert encode("frame", found.plain) == BEACON + fcs


def test_an_edited_frame_gets_a_right_check_sequence():
    """Only a wrong one is kept as it was."""
    plain = decoded(BEACON + BEACON_FCS, keys={"fcs": True}).plain
    again = encode("frame", {**plain, "sequence_number": 574})
    assert read(again, with_fcs=True).fcs == "computed"
    assert again[-4:] != BEACON_FCS


# TSFT, flags with FCS, channel 2437 MHz, -40 dBm; the 8-octet time stands at a multiple of 8
TAP = bytes.fromhex(
    "000019002b000000" + "0807060504030201" + "10" + "00" + "8509a000" + "d8" + "00" * 2
)


def test_radiotap_says_that_a_check_sequence_follows():
    found = decoded(TAP + BEACON + BEACON_FCS, kind="frame_radiotap")
    assert found.fields.radiotap == TAP.hex()
    assert found.fields.fcs == "computed"
    assert named(found, "tsft_us").value == 0x0102030405060708
    assert named(found, "channel_mhz").value == 2437
    assert named(found, "signal_dbm").value == -40
    assert named(found, "source").start == len(TAP) + 10
    assert encode("frame_radiotap", found.plain) == TAP + BEACON + BEACON_FCS


@pytest.mark.parametrize(
    ("tap", "code", "offset"),
    [("00000800", "frame_length", 0), ("0100080000000000", "frame_type", 0), ("0000ff0000000000", "frame_length", 2),
     ("0000080000000080", "frame_length", 2), ("0000080001000000", "frame_length", 8)],
)  # fmt: skip
def test_a_damaged_radiotap_header_is_named(tap, code, offset):
    error = dissected(bytes.fromhex(tap), "frame_radiotap").error
    assert (error.code, error.offset) == (code, offset)


def test_one_edited_field_changes_its_octets_only():
    plain = decoded(SDF).plain
    plain["attributes"][1]["methods"] = 0x20
    assert encode("frame", plain) == SDF[:-2] + b"\x20\x00"
    plain["attributes"].pop()
    assert encode("frame", plain) == SDF[:42]


def test_an_edit_that_would_be_lost_is_refused():
    """A cookie goes out only with status comeback: saying so beats dropping it."""
    plain = decoded(SDF).plain
    plain["attributes"][1]["cookie"] = "aa"
    with pytest.raises(EncodeError) as caught:
        encode("frame", plain)
    assert caught.value.path == "attributes[1].cookie"


@pytest.mark.parametrize(
    ("change", "path"),
    [({"source": "02:00"}, "source"), ({"frame": "sdd"}, "frame"), ({"sequence_number": 4096}, "sequence_number"),
     ({"attributes": [{"attribute": "clutser"}]}, "attributes[0].attribute"), ({"attributes": {}}, "attributes"),
     ({"attributes": [{"attribute": 7, "octets": "0"}]}, "attributes[0].octets"), ({"attributes": [3]}, "attributes[0]"),
     ({"attributes": [{"attribute": "master_indication", "master_preference": 256, "random_factor": 0}]},
      "attributes[0].master_preference"), ({"category": 5}, "frame"), ({"nonsense": 1}, ""), ({"fcs": "right"}, "fcs")],
)  # fmt: skip
def test_wrong_fields_are_named_by_path(change, path):
    with pytest.raises(EncodeError) as caught:
        encode("frame", {**decoded(SDF).plain, **change})
    assert caught.value.path == path


def test_reserved_bits_are_kept_and_doubted():
    data = bytearray(SDF)
    data[41] |= 0x80  # bit 7 of Service Control
    found = decoded(bytes(data))
    assert found.fields.first("service_descriptor").reserved_7 == 1
    assert named(found, "reserved_7").doubts == ("reserved bit set",)
    assert encode("frame", found.plain) == bytes(data)
    assert not any(node.name == "reserved_7" for node in nodes_of(decoded(SDF).tree))


def test_unknown_and_repeated_attributes_are_kept_and_doubted():
    extra = bytes.fromhex("c80300010203") + SDF[42:]
    found = decoded(SDF + extra)
    assert found.plain["attributes"][2] == {"attribute": 200, "octets": "010203"}
    assert named(found, "attribute_c8").doubts == ("unknown attribute ID",)
    assert [n.doubts for n in found.tree if n.name == "pairing_bootstrapping"] == [
        (),
        ("for the second time in this frame",),
    ]
    assert encode("frame", found.plain) == SDF + extra


def test_a_malformed_attribute_is_an_error_and_stays_octets():
    data = SDF[:-8] + bytes.fromhex("2c04000000000" + "3")
    found = dissected(data)
    assert (found.error.code, found.error.offset, found.error.path) == (
        "attribute_length",
        45,
        "attributes[1]",
    )
    assert found.plain["attributes"][1] == {"attribute": 0x2C, "octets": "00000003"}
    assert found.plain["attributes"][0]["attribute"] == "service_descriptor"
    assert encode("frame", found.plain) == data


def test_an_encrypted_frame_shows_its_header():
    found = decoded(ENCRYPTED)
    frame = found.fields
    assert isinstance(frame, frames.Protected)
    assert (frame.packet_number, frame.key_id, frame.management_subtype) == (1, 0, 13)
    far = ENCRYPTED[:24] + bytes.fromhex("060540a001020304") + ENCRYPTED[32:]
    frame = decoded(far).fields
    assert (frame.packet_number, frame.key_id, frame.reserved_octet) == (0x040302010506, 2, 0x40)
    assert encode("frame", decoded(far).plain) == far


@pytest.mark.parametrize(
    ("hexed", "kind"),
    [("d4000000" + "02005e10a001", "other"), ("08420000" + "aa" * 30, "other"), (HEADER + "0a0b", "action"),
     (HEADER, "action"), (HEADER + "0409506f9a1c01", "action"), (HEADER + "0709506f9a13", "action"),
     ("40" + HEADER[2:] + "0000", "management"), ("d0c0" + HEADER[4:] + "01020304" + "0100002000000000" + "ff", "protected"),
     ("d040" + HEADER[4:] + "0100", "management"), ("d080" + HEADER[4:] + "01020304" + "0409506f9a13", "sdf"),
     ("b000" + HEADER[4:] + "0300010000001300aabb", "authentication"),
     ("b040" + HEADER[4:] + "0100030000001300aabb", "management"), ("80ff" + HEADER[4:] + "01020304" + "00" * 12, "beacon")],
)  # fmt: skip
def test_any_other_frame_keeps_its_octets(hexed, kind):
    data = bytes.fromhex(hexed)
    found = decoded(data)
    assert found.plain["frame"] == kind
    assert encode("frame", json.loads(json.dumps(found.plain))) == data
    assert summary("frame", found.fields)


@pytest.mark.parametrize(
    ("data", "offset"),
    [(b"", 0), (b"\xd0", 0), (BEACON[:23], 0), (BEACON[:30], 24), (SDF[:24] + SDF[24:29], None)],
)
def test_a_short_frame_is_named(data, offset):
    error = dissected(data).error
    if offset is None:
        assert error is None  # an action frame of another vendor, or a short one
    else:
        assert (error.code, error.offset) == ("frame_length", offset)


def big_beacon(size):
    """A beacon whose NAN element has one opaque attribute of `size` octets."""
    octets = random.Random(size).randbytes(size)
    element = make_element(NanElement(attributes=(attributes.Attr(0xC8, octets),)))
    return BEACON[:36] + element.written() + bytes.fromhex("dd0411223344"), element


@pytest.mark.parametrize("size", [247, 248, 249, 502, 503, 504, 900])
def test_a_long_element_is_cut_into_fragments_and_joined(size):
    """4 octets of OUI and type, 3 of the attribute's header: 248 fill one element."""
    data, element = big_beacon(size)
    assert data[37] == min(size + 7, 255)
    assert (data[36 + 2 + 255] == 242) == (size > 248)
    found = decoded(data)
    assert found.fields.elements[0] == element
    assert [len(attr.octets) for attr in found.fields.nan_attributes] == [size]
    assert encode("frame", found.plain) == data
    node = named(found, "nan")
    assert node.end == len(data) - 6
    assert all(n.end <= node.end for n in nodes_of([node]))
    raw = next(n for n in nodes_of([node]) if n.name == "octets")
    assert raw.end == node.end


def test_a_fragment_that_continues_nothing_stays_itself():
    data = BEACON + bytes.fromhex("f20411223344")
    found = decoded(data)
    assert [element.id for element in found.fields.elements] == [221, 242]
    assert encode("frame", found.plain) == data


def test_an_element_past_the_end_is_named():
    error = dissected(BEACON + b"\x30\x14\x01").error
    assert (error.code, error.offset, error.path) == ("element_length", 72, "elements[1]")


def test_a_fault_inside_an_element_is_placed_in_the_frame():
    data = bytearray(BEACON)
    data[48] = 12  # length of the cluster attribute: one octet less, so the next header is shifted
    error = dissected(bytes(data)).error
    assert (error.code, error.offset, error.path) == (
        "attribute_length",
        50,
        "elements[0].attributes[1]",
    )


def test_every_truncation_and_flip_is_accepted_exactly_or_named():
    """Accepted frames rebuild; anything else is a DecodeError with code and offset."""
    for data in (BEACON, SDF, ENCRYPTED):
        cut = [data[:size] for size in range(len(data))]
        for bit in range(8 * len(data)):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            cut.append(bytes(flipped))
        for octets in cut:
            found = dissected(octets)
            if found.error is None:
                assert encode("frame", found.plain) == octets
            else:
                assert type(found.error) is DecodeError
                offset: Any = found.error.offset
                assert 0 <= offset <= len(octets)


def test_fuzz_is_accepted_exactly_or_named():
    rng = random.Random("frames")
    pool = [BEACON, SDF, ENCRYPTED, TAP + BEACON + BEACON_FCS]
    for _ in range(400):
        data = bytearray(rng.choice(pool))
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(data))
            if rng.random() < 0.5:
                data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xDD, 0xF2, 0xFF))
            else:
                data[at:at] = rng.randbytes(rng.randint(1, 4))
        for kind in ("frame", "frame_radiotap"):
            found = dissected(bytes(data), kind)
            if found.error is None:
                assert encode(kind, found.plain) == data


@pytest.mark.parametrize("form", [FORMAT, RADIOTAP], ids=lambda form: form.name)
def test_examples_are_accepted_and_exact(form):
    for example in form.examples:
        found = decoded(bytes.fromhex(example.hex), kind=form.name)
        assert encode(form.name, found.plain).hex() == example.hex
        assert not [node for node in nodes_of(found.tree) if node.doubts and node.name == "fcs"]


def test_element_names_and_ids():
    element = Element(221, bytes.fromhex("506f9a13"))
    assert element.part is NAN
    assert Element(221, bytes.fromhex("506f9a14")).as_plain() == {
        "element": "vendor_specific",
        "oui": "506f9a",
        "type": 0x14,
    }
    assert Element(221, b"\x50").as_plain() == {"element": 221, "octets": "50"}
    with pytest.raises(EncodeError, match="nan"):
        Element.of_plain({"element": "nam"}, "elements[0]")


def test_reading_a_frame_imports_no_cryptography():
    code = (
        "import sys\nfrom protocols.dissect import Block, dissect\n"
        f"found = dissect(Block(kind='frame', data=bytes.fromhex('{SDF.hex()}')))\n"
        "assert found.error is None\n"
        "print(sorted(n for n in sys.modules if n.startswith(('cryptography', 'hypothesis', 'protocols.wifi_aware.attributes.'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert eval(done.stdout) == [  # noqa: S307  # our own print
        "protocols.wifi_aware.attributes.pairing_bootstrapping",
        "protocols.wifi_aware.attributes.service_descriptor",
    ]
