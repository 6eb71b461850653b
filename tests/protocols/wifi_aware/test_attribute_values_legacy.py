"""Values of the attributes for meeting outside the cluster (0x05 to 0x0C, 0x1E to 0x21): layouts of digest 2.7, 2.24."""

from __future__ import annotations

import pytest

from protocols.errors import DecodeError
from protocols.layout import Walk
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.walker import table

ONE, TWO = "020000000001", "020000000002"
ONE_TEXT, TWO_TEXT = "02:00:00:00:00:01", "02:00:00:00:00:02"


def control(map_id, duration, repeat=False, **more):
    return {"map_id": map_id, "interval_duration": duration, "repeat": repeat, **more}


CHANNEL = {"operating_class": 0x73, "channel": 44, "center_frequency_index": 42}
BEACON = {"tbtt_offset_tu": 0x0102, "beacon_interval_tu": 100}
INFO = "732c2a" + "02016400"
VALUES = {
    "051000" + ONE + TWO + "41" + "0180" + "02": {
        "attribute": "wlan_infrastructure", "bssid": ONE_TEXT, "mac": TWO_TEXT,
        "map_control": control(1, 0, True), "intervals": "0180", "device_role": 2,
    },
    "060a00" + "04" + TWO + "9f" + "0102": {
        "attribute": "p2p_operation", "device_role": 4, "mac": TWO_TEXT,
        "map_control": control(15, 1, reserved_7=1), "intervals": "0102",
    },
    "070e00" + ONE + TWO + "20" + "80": {
        "attribute": "ibss", "bssid": ONE_TEXT, "mac": TWO_TEXT, "map_control": control(0, 2), "intervals": "80",
    },
    "080d00" + TWO + "00" + "01020304" + "6d65": {
        "attribute": "mesh", "mac": TWO_TEXT, "map_control": control(0, 0), "intervals": "01020304", "mesh_id": "6d65",
    },
    "080d00" + TWO + "10" + "0102" + "03046d65": {
        "attribute": "mesh", "mac": TWO_TEXT, "map_control": control(0, 1), "intervals": "0102", "mesh_id": "03046d65",
    },
    "080d00" + TWO + "20" + "01" + "0203046d65": {
        "attribute": "mesh", "mac": TWO_TEXT, "map_control": control(0, 2), "intervals": "01", "mesh_id": "0203046d65",
    },
    "080d00" + TWO + "30" + "010203046d65": {
        "attribute": "mesh", "mac": TWO_TEXT, "map_control": control(0, 3), "intervals": "010203046d65", "mesh_id": "",
    },
    "090300" + "42" + "feff": {
        "attribute": "further_service_discovery", "map_control": control(2, 0, True), "intervals": "feff",
    },
    "090100" + "42": {
        "attribute": "further_service_discovery", "map_control": control(2, 0, True), "intervals": "",
    },
    "0a0800" + "01" + "00" + "51" + "06" + "feffffff": {
        "attribute": "further_availability_map", "map_id": 1,
        "entries": [{"interval_duration": 0, "operating_class": 81, "channel": 6, "intervals": "feffffff"}],
    },
    "0a0a00" + "00" + "025106fe" + "05732cff00": {
        "attribute": "further_availability_map", "map_id": 0,
        "entries": [
            {"interval_duration": 2, "operating_class": 81, "channel": 6, "intervals": "fe"},
            {"interval_duration": 1, "reserved_2": 1, "operating_class": 115, "channel": 44, "intervals": "ff00"},
        ],
    },
    "0a0700" + "00" + "035106fe0102": {
        "attribute": "further_availability_map", "map_id": 0,
        "entries": [{"interval_duration": 3, "operating_class": 81, "channel": 6, "intervals": "fe0102"}],
    },
    "0c0a00" + TWO + "00" + "01" + "0200": {
        "attribute": "ranging", "mac": TWO_TEXT, "map_control": control(0, 0), "ranging_protocol": 1, "intervals": "0200",
    },
    "1e1400" + ONE + TWO + "01" + INFO: {
        "attribute": "extended_wlan_infrastructure", "bssid": ONE_TEXT, "mac": TWO_TEXT, "device_role": 1,
        "channel_info": CHANNEL, "beacon_info": BEACON,
    },
    "1f0e00" + "03" + TWO + INFO: {
        "attribute": "extended_p2p_operation", "device_role": 3, "mac": TWO_TEXT,
        "channel_info": CHANNEL, "beacon_info": BEACON,
    },
    "201300" + ONE + TWO + INFO: {
        "attribute": "extended_ibss", "bssid": ONE_TEXT, "mac": TWO_TEXT, "channel_info": CHANNEL, "beacon_info": BEACON,
    },
    "210f00" + TWO + INFO + "6d65": {
        "attribute": "extended_mesh", "mac": TWO_TEXT, "channel_info": CHANNEL, "beacon_info": BEACON, "mesh_id": "6d65",
    },
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_values(text, expected):
    (attr,) = table(bytes.fromhex(text))
    assert attr.as_plain() == expected
    assert Attr.of_plain(expected, "it") == attr


@pytest.mark.parametrize(
    ("number", "size"),
    [(0x05, 15), (0x06, 9), (0x07, 14), (0x08, 8), (0x09, 1), (0x0C, 8), (0x1E, 20), (0x1F, 14), (0x20, 19), (0x21, 13)],
)  # fmt: skip
def test_shortest_bodies(number, size):
    """The registry of section 2.0; a mesh's one octet of intervals means 64 TU."""
    body = bytearray(size)
    if number == 0x08:
        body[6] = 0x20
    assert Attr(number, bytes(body)).fields
    with pytest.raises(DecodeError) as caught:
        _ = Attr(number, bytes(body[:-1])).fields
    assert (caught.value.code, caught.value.offset) == ("attribute_length", 0)


@pytest.mark.parametrize(("number", "size"), [(0x1E, 21), (0x1F, 15), (0x20, 20)])
def test_fixed_bodies_do_not_grow(number, size):
    with pytest.raises(DecodeError, match="attribute_length"):
        _ = Attr(number, bytes(size)).fields


@pytest.mark.parametrize(
    ("number", "body"), [(0x08, TWO + "00" + "010203"), (0x0A, "00005106feffff")]
)
def test_intervals_cut_off(number, body):
    """16 TU intervals take four octets."""
    with pytest.raises(DecodeError, match="attribute_length"):
        _ = Attr(number, bytes.fromhex(body)).fields


@pytest.mark.parametrize(
    ("number", "body", "name", "meaning"),
    [
        (0x05, ONE + TWO + "00" + "05" + "00", "device_role", "access point"),
        (0x05, ONE + TWO + "00" + "05" + "01", "device_role", "station, associated"),
        (0x05, ONE + TWO + "00" + "0580" + "02", "intervals", "intervals 0, 2, 15"),
        (0x06, "06" + TWO + "00" + "00", "device_role", "group owner, client"),
        (0x06, "06" + TWO + "00" + "00", "intervals", "no interval"),
        (0x07, ONE + TWO + "10" + "05", "interval_duration", "32 TU"),
        (0x0C, TWO + "00" + "01" + "02", "ranging_protocol", "fine timing measurement"),
        (0x1F, "01" + TWO + INFO, "device_role", "P2P device"),
    ],
)
def test_meanings(number, body, name, meaning):
    assert {node.name: node.meaning for node in nodes_of(number, body)}[name] == meaning


@pytest.mark.parametrize(
    ("number", "body", "name"),
    [
        (0x05, ONE + TWO + "00" + "05" + "03", "device_role"),
        (0x06, "08" + TWO + "00" + "00", "device_role"),
        (0x07, ONE + TWO + "30" + "05", "interval_duration"),
        (0x07, ONE + TWO + "80" + "05", "reserved_7"),
        (0x0A, "10" + "025106fe", "map_id"),
        (0x0A, "00" + "065106fe", "reserved_2"),
        (0x0C, TWO + "00" + "02" + "02", "ranging_protocol"),
    ],
)
def test_what_is_reserved_is_doubted(number, body, name):
    assert [node.name for node in nodes_of(number, body) if node.doubts] == [name]


def nodes_of(number, body):
    todo = [Attr(number, bytes.fromhex(body)).tree(0, Walk())]
    while todo:
        node = todo.pop()
        yield node
        todo += node.children
