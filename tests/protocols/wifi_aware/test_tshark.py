"""tshark judges every attribute by itself: the same values field by field; and where it is wrong or silent.

Attributes of the recordings and drawn ones. Names and known faults of tshark are in tests/shark_nan.py.
"""

from __future__ import annotations

import re
import subprocess
from typing import NamedTuple

import pytest

from protocols.data.operating_classes import OPERATING_CLASSES
from protocols.errors import DecodeError
from protocols.layout import Walk
from protocols.wifi_aware import strategies
from protocols.wifi_aware.attributes import ATTRIBUTES, Attr, make
from protocols.wifi_aware.frame import read
from tests import shark_nan
from tests.judges import judge
from tests.nan_frames import LINK_TYPE, drawn, recorded, sdf
from tests.shark import rows
from tests.shark_nan import (
    FIELDS,
    SILENT,
    SILENT_IN_4_0,
    excuse,
    expected,
    known_fields,
    same,
    shown,
)

SEEN = 30
MALFORMED, NOTES, KINDS = "_ws.malformed", "_ws.expert.message", "attribute.type"
UNKNOWN_ID = "Unknown attribute ID"


class Said(NamedTuple):
    """An attribute, and what tshark says of a frame that has only this one."""

    attr: Attr
    malformed: str
    notes: str
    columns: dict[str, str]


def recorded_attributes():
    out: dict[str, set[bytes]] = {}
    for _, frame in recorded():
        try:
            attributes = read(bytes.fromhex(frame["hex"])).nan_attributes
        except DecodeError:
            continue  # cut on the way
        for attr in attributes:
            out.setdefault(attr.name, set()).add(attr.octets)
    return out


def bodies():
    """Attributes to judge: examples, the first recorded ones, drawn ones."""
    seen = recorded_attributes()
    for name, part in ATTRIBUTES:
        yield from (Attr(part.id, bytes.fromhex(example.hex)) for example in part.examples)
        yield from (Attr(part.id, octets) for octets in sorted(seen.get(name, ()))[:SEEN])
        yield from (make(fields) for fields in drawn(strategies.bodies(part)))


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, list[Said]]:
    """What tshark says of each attribute by itself."""
    names = sorted({name for table in FIELDS.values() for name in table} & set(known_fields()))
    attrs = list(bodies())
    columns = [MALFORMED, NOTES, *(known_fields()[name] for name in names)]
    found = rows(tmp_path_factory.mktemp("each"), LINK_TYPE, [sdf(a) for a in attrs], *columns)
    out: dict[str, list[Said]] = {}
    for attr, (malformed, notes, *values) in zip(attrs, found, strict=True):
        columns_of = dict(zip(names, values, strict=True))
        out.setdefault(attr.name, []).append(Said(attr, malformed, notes, columns_of))
    return out


def silent():
    """Attributes that the installed tshark does not know."""
    newer = any(name.startswith("wifi_nan.") for name in known_fields().values())
    return SILENT if newer else SILENT | SILENT_IN_4_0


def differences(one):
    """What tshark says otherwise than we do."""
    name, fields = one.attr.name, one.attr.fields
    out = [text for text in (one.malformed, one.notes) if text]
    for field, place in FIELDS[name].items():
        if field not in known_fields():
            continue  # of another version
        theirs = shown(one.columns[field], field)
        ours = [v for v in expected(place, fields, one.attr.octets) if v != ""]
        if len(theirs) != len(ours) or not all(map(same, theirs, ours)):
            out.append(f"{field}: tshark {theirs}, we {ours}")
    return out


def test_names_are_those_of_the_installed_version():
    """Version 4.0 knows every name of the table; of newer ones at least one per attribute."""
    old = all(name.startswith("nan.") for name in known_fields().values())
    for name, table in FIELDS.items():
        missing = set(table) - set(known_fields())
        assert not missing if old else missing != set(table), (name, missing)


def test_every_attribute_is_judged_or_silent():
    assert set(ATTRIBUTES.names()) == set(FIELDS) | SILENT | SILENT_IN_4_0


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_values_equal_those_of_tshark(name, said):
    """Field by field; a body whose kind is in WRONG is left to the tests below."""
    judged = [one for one in said[name] if not excuse(name, one.attr.fields, one.attr.octets)]
    wrong = {one.attr.octets.hex(): found for one in judged if (found := differences(one))}
    assert not wrong
    assert judged or name == "vendor_specific"


@pytest.mark.parametrize("name", sorted(SILENT | SILENT_IN_4_0))
def test_silent_attributes_are_passed_over(name, said):
    """Digest 8.2 #20: 0x2A to 0x2C are unknown to 4.0, 0x2D, 0x2E and reserved IDs to all; none is malformed."""
    if name not in silent():
        pytest.skip(f"this tshark knows {name}")
    assert {(one.malformed, one.notes) for one in said[name]} == {("", UNKNOWN_ID)}


@pytest.mark.parametrize("name", sorted(shark_nan.WRONG))
def test_every_known_fault_shows(name, said):
    """An excuse that no body needs any more is to go."""
    unused = []
    for why, applies in shark_nan.WRONG[name].items():
        ones = [one for one in said[name] if applies(one.attr.fields, one.attr.octets)]
        if ones and not any(differences(one) for one in ones):
            unused.append(why)
    assert not unused


# --- single faults, with what is right ------------------------------------------------------------

NDI = "020000000001"
WRONG_VALUES = {
    "rank, octets the other way round (#17)": (
        "010d00025f5a1ae301bc010012345678", "cluster.anchor_master_rank", 0x025F5A1AE301BC01, 0x01BC01E31A5A5F02,
    ),
    "AMBTT, octets the other way round (#17)": (
        "010d00025f5a1ae301bc010012345678", "cluster.beacon_transmission_time", 0x12345678, 0x78563412,
    ),
    "cluster ID as a little-endian number": (
        "0d1600506f9a017f01" + "00" * 16, "cluster_disc.id", 0x017F019A6F50, 0x506F9A017F01,
    ),
    "BSSID as a little-endian number": (
        "070e00" + "0a0b0c0d0e0f" + NDI + "2001", "bss_id", 0x0F0E0D0C0B0A, 0x0A0B0C0D0E0F,
    ),
    "responder NDI read in a rejected response (#18)": (
        "101200" + "09210a" + NDI + "0120" + "aabbccddeeff11", "ndp.responder.ndi", "aabbccddeeff", None,
    ),
    "Publish ID read in requests only (#19)": ("100c00" + "090200" + NDI + "010805", "publish_id", None, 5),
    "responder NDI read in responses only": (
        "101100" + "090200" + NDI + "0110" + "020000000002", "ndp.responder.ndi", None, "020000000002",
    ),
    "four bits of a ULW's sequence ID (#21)": (
        "171000" + "0312" + "00" * 14, "unaligned_schedule.ctrl.sequence_id", 2, 0x12,
    ),
    "intervals of a mesh by the map ID": (
        "080e00" + NDI + "24" + "81" + "6d65736821" + "21", "availability_intervals_bitmap", "81", "81",
    ),
    "intervals of a mesh by the map ID, 64 TU": (
        "080c00" + NDI + "20" + "81" + "6d657368", "availability_intervals_bitmap", "816d6573", "81",
    ),
    "protocol type of another vendor": (
        "0e0a00050000" + "0500" + "001018" + "aabb", "sdea.service_info_protocol_type", 0xAA, None,
    ),
    "one entry of a further availability map": (
        "0a0a00" + "00" + "025106fe" + "01732cff00", "further_av_map.entry.channel_number", 6, [6, 44],
    ),
}  # fmt: skip
"""Title -> attribute, tshark's field, what it says, what is right. A version that says the right thing is welcome."""


def listed(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def test_where_tshark_is_wrong(tmp_path):
    cases = list(WRONG_VALUES.values())
    attrs = [bytes.fromhex(text) for text, *_ in cases]
    names = sorted({field for _, field, *_ in cases})
    packets = [sdf(Attr(data[0], data[3:])) for data in attrs]
    found = rows(tmp_path, LINK_TYPE, packets, *(known_fields()[name] for name in names))
    for (title, (_, field, wrong, right)), row in zip(WRONG_VALUES.items(), found, strict=True):
        theirs = shown(row[names.index(field)], field)
        is_one = [
            len(theirs) == len(listed(value)) and all(map(same, theirs, listed(value)))
            for value in (wrong, right)
        ]
        assert any(is_one), (title, theirs)


MEANINGS = {
    "reason 13": ("100b00" + "0901" + "0d" + NDI + "0100", "Reason Code", "pairing bootstrapping rejected"),
    "CSA Matter": ("0e0900" + "050000" + "0400" + "506f9a03", "Service Protocol Type", "CSA Matter"),
}  # fmt: skip


@pytest.mark.parametrize("case", MEANINGS)
def test_words_that_tshark_lacks(case, tmp_path):
    """Digest 8.2 #20: what it calls reserved has a name."""
    text, label, ours = MEANINGS[case]
    data = bytes.fromhex(text)
    lines = told(tmp_path, [sdf(Attr(data[0], data[3:]))])
    assert re.search(rf"{label}: (Reserved|{ours})", lines, re.IGNORECASE)
    attr = Attr(data[0], data[3:])
    assert ours in str(attr.tree(0, Walk()))


def test_gtk_required_is_not_shown(tmp_path):
    """Bit 10 of SDEA control, digest 8.2 #20: no field for it in any version read."""
    lines = told(tmp_path, [sdf(Attr(0x0E, bytes.fromhex("050004")))])
    assert "SDEA Control: 0x0400" in lines
    assert "GTK" not in lines
    assert Attr(0x0E, bytes.fromhex("050004")).fields.gtk_required


def told(folder, packets):
    """All that tshark prints of packets."""
    rows(folder, LINK_TYPE, packets, "frame.number")
    command = [judge("tshark"), "-n", "-V", "-r", str(folder / f"judged-{LINK_TYPE}.pcap")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("number", sorted(n for n in OPERATING_CLASSES if n <= 130))
def test_channels_of_operating_classes(number, class_channels):
    """Every bit of a class that Wireshark knows (digest 8.2 #36: hostap has more of 125 to 127 and 129)."""
    ours = list(OPERATING_CLASSES[number].channels)
    theirs = class_channels[number]
    assert theirs == ours or (number, theirs) == (
        123,
        [103, *ours[1:]],
    )  # Wireshark's slip: 103 is no channel


@pytest.fixture(scope="module")
def class_channels(tmp_path_factory) -> dict[int, list[int]]:
    """Operating class -> channels that tshark reads where all bits of our table are set."""
    classes = [number for number in sorted(OPERATING_CLASSES) if number <= 130]
    packets = []
    for number in classes:
        bits = (1 << len(OPERATING_CLASSES[number].channels)) - 1
        entry = bytes((number, bits & 0xFF, bits >> 8, 0))
        body = bytes.fromhex("010000" + "0700" + "0200" + "11")
        packets.append(sdf(Attr(0x12, body + entry)))
    found = rows(
        tmp_path_factory.mktemp("classes"), LINK_TYPE, packets, known_fields()["ava.chan.set"]
    )
    return {n: [int(c) for c in row[0].split()] for n, row in zip(classes, found, strict=True)}
