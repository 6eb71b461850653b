"""Beacons whose attributes go on in the next NAN element (digest 1.4, unverified)."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode
from protocols.errors import DecodeError
from protocols.wifi_aware.frame import read

FIXED = bytes.fromhex(
    "80000000ffffffffffff025f5a1ae301506f9a017f010000" + "973e4c0600000000" + "6400" + "2004"
)
MASTER = bytes.fromhex("00020001bc")
SERVICES = bytes.fromhex("280c00" + "112233445566" + "778899aabbcc")
OTHER = bytes.fromhex("dd0400101801")


def nan(octets):
    return bytes((0xDD, 4 + len(octets))) + bytes.fromhex("506f9a13") + octets


def look(*elements) -> Any:
    return dissect(Block(kind="frame", data=FIXED + b"".join(elements)))


@pytest.mark.parametrize("cut", range(len(MASTER) + 1, len(MASTER + SERVICES)))
def test_a_list_cut_anywhere_reads_as_one(cut):
    """Typed values, tree and octets are those of the whole list; only the elements keep where it was cut."""
    octets = MASTER + SERVICES
    data = FIXED + nan(octets[:cut]) + nan(octets[cut:])
    frame: Any = read(data)
    assert [attr.id for attr in frame.nan_attributes] == [0x00, 0x28]
    assert frame.first("subscribe_service_id_list").service_ids == ["112233445566", "778899aabbcc"]
    found = look(nan(octets[:cut]), nan(octets[cut:]))
    assert found.error is None
    assert encode("frame", found.plain) == data
    (node,) = [node for node in found.tree if node.name == "nan"]
    assert node.doubts == ("its attributes go on in the next NAN element (unverified)",)
    assert (node.start, node.end) == (36, len(data))
    services = next(kid for kid in node.children if kid.name == "subscribe_service_id_list")
    ids = services.children[-1].children
    assert [one.value for one in ids] == ["112233445566", "778899aabbcc"]
    assert ids[-1].end == len(data)


def test_every_octet_is_in_a_leaf():
    octets = MASTER + SERVICES
    data = FIXED + nan(octets[:9]) + nan(octets[9:14]) + nan(octets[14:])

    def leaves(nodes):
        for node in nodes:
            yield from leaves(node.children) if node.children else (node,)

    found = dissect(Block(kind="frame", data=data))
    covered = {at for leaf in leaves(found.tree) for at in range(leaf.start, leaf.end)}
    assert covered == set(range(len(data)))


def test_whole_lists_stay_apart():
    found = look(nan(MASTER), nan(SERVICES))
    assert [node.name for node in found.tree].count("nan") == 2
    assert found.error is None


@pytest.mark.parametrize(
    ("elements", "offset"),
    [
        ((nan(SERVICES[:-1]),), 42),
        ((nan(SERVICES[:-1]), OTHER, nan(SERVICES[-1:])), 42),  # something stands between
        ((nan(SERVICES[:-2]), nan(SERVICES[-1:])), 42),  # one octet is missing
    ],
)
def test_what_no_neighbour_completes_is_cut(elements, offset):
    found = look(*elements)
    assert (found.error.code, found.error.offset) == ("attribute_length", offset)
    with pytest.raises(DecodeError):
        _ = read(FIXED + b"".join(elements)).nan_attributes


def test_a_fault_in_a_joined_list_stands_where_its_octet_is():
    """The second element's attribute is too short: its offset counts the header between."""
    broken = SERVICES + bytes.fromhex("000100ff")
    found = look(nan(broken[:6]), nan(broken[6:]))
    assert found.error.code == "attribute_length"
    assert found.error.offset == 36 + 6 + 6 + 6 + (len(SERVICES) + 3 - 6)
