"""Service IDs, matching filters, response filters, identities, ranks and grades: the digest's vectors."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.wifi_aware import matching
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.attributes.service_descriptor import ResponseFilter
from protocols.wifi_aware.matching import (
    Rank,
    address_filter,
    answers,
    bloom_bits,
    bloom_filter,
    cluster_grade,
    filter_of,
    is_better_cluster,
    master_rank,
    matches,
    nira_tag,
    rank_of,
    resolve,
    service_id,
)

VECTORS = Path(__file__).parents[2] / "vectors"
NMI, OTHER = "02:00:00:00:00:00", "02:00:00:00:01:00"
FULL = "01010102010301040105"

# name -> Service ID: section 3.1 of the digest (hostap and OpenNAN)
SERVICE_IDS = {
    "a": "ca978112ca1b",
    "_test": "f51b9c480c52",
    "_TEST": "f51b9c480c52",
    "test_service": "96b74ebcc024",
    "org.wi-fi.nan.test": "8a2a44a3eec1",
    "_sat-simulation._udp": "63487a70d3a0",
    "_sat-simulation._tcp": "24a92d065bb7",
}

# publisher's filter, subscriber's filter, whether they meet: section 3.3 of the digest
FILTERS = [
    (None, None, True),
    ("0000000000", None, True),
    (None, "0000000000", True),
    (FULL, None, True),
    (None, FULL, False),
    ("0000000000", FULL, True),
    (FULL, "0000000000", True),
    (FULL, FULL, True),
    ("01010102010101040105", FULL, False),
    (FULL, "0101000103000105", True),
    ("0001020103000105", FULL, True),
    (FULL, "000102000104", True),
    ("010100010300", FULL, False),
    ("051122334455", "051122334455", True),
    ("0411223344", "051122334455", False),
    ("051122334455", "03112233", False),
    (FULL, "01010102010101040105", False),
    ("0001020104", FULL, False),
    (FULL, "010100010300", True),
    ("021122", "051122334455", False),
    ("0101000103000105", FULL, True),
]

# Bloom filter index, the four hashes' low 16 bits, bits of two octets, the filter: section 3.4 of the digest
BLOOMS = [
    (0, (0x818A, 0x8A3E, 0x90A3, 0x9B17), (10, 14, 3, 7), "8844"),
    (1, (0xA599, 0xAE2D, 0xB4B0, 0xBF04), (9, 13, 0, 4), "1122"),
    (2, (0xCFED, 0xC459, 0xDEC4, 0xD570), (13, 9, 4, 0), "1122"),
    (3, (0xEBFE, 0xE04A, 0xFAD7, 0xF163), (14, 10, 7, 3), "8844"),
]


def octets(text):
    return None if text is None else bytes.fromhex(text)


@pytest.mark.parametrize(("name", "expected"), SERVICE_IDS.items())
def test_service_ids(name, expected):
    assert service_id(name) == expected


def test_only_ascii_is_lower_cased():
    """C's tolower leaves octets from 0x80 on alone in the C locale; text lower-casing would not."""
    assert service_id("ÄB") == service_id("Äb") != service_id("äb")


@pytest.mark.parametrize("file", sorted(VECTORS.glob("wifi-aware-*.json")), ids=lambda f: f.stem)
def test_service_ids_of_recordings(file):
    inputs = json.loads(file.read_text()).get("inputs", {})
    if "service_name" in inputs:
        assert service_id(inputs["service_name"]) == inputs["service_id"]


@pytest.mark.parametrize(("publisher", "subscriber", "expected"), FILTERS)
def test_matching_filters(publisher, subscriber, expected):
    assert matches(octets(publisher), octets(subscriber)) is expected


@pytest.mark.parametrize(
    ("publisher", "subscriber"),
    [(FULL, "0301"), ("0301", FULL), ("0301", "00"), (None, "0301"), ("", "00"), ("", "0101")],
)
def test_what_is_cut_off_or_used_up_meets_nothing(publisher, subscriber):
    """Rules 3 and 8 of section 3.3; an empty filter is there, and used up at once."""
    assert not matches(octets(publisher), octets(subscriber))


def test_what_nobody_walks_may_be_cut_off():
    """Rule 9: the subscriber's filter ends first."""
    assert matches(bytes.fromhex("0101" + "0502"), bytes.fromhex("0101"))


def test_filter_of_elements():
    assert filter_of(*(bytes((n,)) for n in range(1, 6))).hex() == FULL
    assert filter_of(b"", b"\x01\x02").hex() == "00020102"


@given(st.lists(st.binary(max_size=4), max_size=5), st.data())
@settings(max_examples=100, deadline=None, database=None, derandomize=True)
def test_a_filter_meets_itself_with_any_element_left_open(elements, data):
    holes = data.draw(st.lists(st.booleans(), min_size=len(elements), max_size=len(elements)))
    open_one = [b"" if hole else element for element, hole in zip(elements, holes, strict=True)]
    full, gaps = filter_of(*elements), filter_of(*open_one)
    assert matches(full, gaps)
    assert matches(gaps, full)
    assert matches(full, filter_of(*open_one[: len(open_one) // 2]))


@pytest.mark.parametrize(("index", "hashes", "bits", "expected"), BLOOMS)
def test_bloom_filter(index, hashes, bits, expected):
    assert matching._hashes(NMI, index) == hashes
    assert bloom_bits(NMI, index, 2) == bits
    assert bloom_filter([NMI], index, 2).hex() == expected


def test_bloom_filter_of_two():
    assert bloom_bits(OTHER, 0, 8) == (11, 63, 34, 22)
    assert bloom_filter([NMI, OTHER], 0, 8).hex() == "000cc0000c0000c0"


@pytest.mark.parametrize(
    ("body", "nmi", "expected"),
    [
        ("07" + "1122", NMI, True),
        ("07" + "1122", "02:00:00:00:00:01", False),
        ("05" + "1122", NMI, False),
        ("05" + "1122", "02:00:00:00:00:01", True),
        ("07" + "1102", NMI, False),
        ("0b" + "1122", NMI, True),
        ("03" + "1122", NMI, False),
        ("02" + "020000000000", NMI, True),
        ("02" + "020000000000", OTHER, False),
        ("00" + "020000000000", NMI, False),
        ("00" + "020000000000", OTHER, True),
        ("02" + "020000000100020000000000", NMI, True),
        ("02", NMI, False),
        ("00", NMI, True),
        ("03", NMI, False),
        ("01", NMI, False),
    ],
)
def test_who_answers_a_subscribe(body, nmi, expected):
    """The table of section 3.4; vectors V4 (07 11 22) and V5 (02, a list). An empty Bloom filter is discarded."""
    srf = bytes.fromhex(body)
    sda = bytes.fromhex("f51b9c480c52070009") + bytes((len(srf),)) + srf
    assert answers(Attr(0x03, sda).fields.response_filter, nmi) is expected


def test_response_filters_are_made():
    assert address_filter([NMI], include=True) == ResponseFilter(
        bloom=False, include=True, bloom_index=0, addresses=[NMI]
    )
    made = address_filter([NMI], include=False, bloom_index=1, octets=2)
    assert made == ResponseFilter(bloom=True, include=False, bloom_index=1, bloom_filter="1122")


addresses = st.binary(min_size=6, max_size=6).map(lambda data: data.hex(":"))


@given(st.lists(addresses, min_size=1, max_size=4), st.integers(0, 3), st.integers(1, 12))
@settings(max_examples=80, deadline=None, database=None, derandomize=True)
def test_a_member_of_a_bloom_filter_is_always_found(members, index, size):
    wanted = address_filter(members, include=True, bloom_index=index, octets=size)
    unwanted = address_filter(members, include=False, bloom_index=index, octets=size)
    assert all(answers(wanted, member) and not answers(unwanted, member) for member in members)


# --- identities


def nira_of(case):
    return Attr(0x2B, bytes.fromhex("00" + case["nonce"] + case["tag"])).fields


def recorded_niras():
    return json.loads((VECTORS / "wifi-aware-crypto.json").read_text())["nira"]


def test_tag_of_the_digest():
    """V18: all-zero key, NMI 02:00:00:00:00:00, nonce 00 to 07."""
    assert nira_tag(bytes(16), NMI, bytes(range(8))).hex() == "a1ef51437c12c30b"


@pytest.mark.parametrize("case", recorded_niras(), ids=lambda case: case["nmi"])
def test_tags_of_hostap(case):
    tag = nira_tag(bytes.fromhex(case["nik"]), case["nmi"], bytes.fromhex(case["nonce"]))
    assert tag.hex() == case["tag"]


def test_an_identity_is_found_among_others():
    cases = recorded_niras()
    niks = [bytes.fromhex(case["nik"]) for case in cases]
    for at, case in enumerate(cases):
        assert resolve(nira_of(case), case["nmi"], niks) == at
    for case, after in pairwise(cases):
        assert resolve(nira_of(case), after["nmi"], niks) is None  # the address is part of it
    assert resolve(nira_of(cases[0]), cases[0]["nmi"], niks[1:]) is None
    assert resolve(nira_of(cases[0]), cases[0]["nmi"], []) is None


def test_another_cipher_version_is_nobody():
    assert resolve(Attr(0x2B, b"\x01" + bytes(16)).fields, NMI, [bytes(16)]) is None


# --- ranks and grades


def test_rank_of_the_captured_beacon():
    """Section 1.10: the octets 02 5f 5a 1a e3 01 bc 01 are 0x01BC01E31A5A5F02."""
    rank = master_rank(1, 0xBC, "02:5f:5a:1a:e3:01")
    assert rank == 0x01BC01E31A5A5F02
    assert rank.to_bytes(8, "little").hex() == "025f5a1ae301bc01"
    assert rank_of(rank) == Rank(1, 0xBC, "02:5f:5a:1a:e3:01")


def test_preference_beats_factor_beats_address():
    """The last octet of the address weighs most of the six."""
    ranks = [
        master_rank(0, 0, "ff:ff:ff:ff:ff:00"),
        master_rank(0, 0, "00:00:00:00:00:01"),
        master_rank(0, 1, "00:00:00:00:00:00"),
        master_rank(1, 0, "00:00:00:00:00:00"),
        master_rank(128, 0, "00:00:00:00:00:00"),
    ]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


@given(st.integers(0, 255), st.integers(0, 255), addresses)
@settings(max_examples=50, deadline=None, database=None, derandomize=True)
def test_a_rank_can_be_taken_apart(preference, factor, address):
    assert rank_of(master_rank(preference, factor, address)) == (preference, factor, address)


def test_grade_counts_whole_discovery_windows():
    """2**64 x preference + TSF without its low 19 bits: the older cluster wins, preference first."""
    assert cluster_grade(2, 524288) == (2 << 64) + 524288
    assert cluster_grade(2, 2 * 524288 - 1) == cluster_grade(2, 524288) < cluster_grade(2, 1048576)
    assert cluster_grade(1, 2**64 - 1) < cluster_grade(2, 0)


def test_at_equal_grades_the_rank_decides():
    grade = cluster_grade(2, 10**9)
    assert is_better_cluster(grade, 5, grade, 4)
    assert not is_better_cluster(grade, 4, grade, 4)
    assert not is_better_cluster(grade, 3, grade, 4)
    assert is_better_cluster(cluster_grade(2, 10**9 + 524288), 3, grade, 4)
    assert not is_better_cluster(cluster_grade(1, 10**12), 9, grade, 4)
