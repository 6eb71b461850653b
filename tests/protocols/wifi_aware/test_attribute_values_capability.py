"""Values of capability, data path and ranging attributes: the digest's vectors, recordings, the traps of section 8.2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.errors import DecodeError
from protocols.layout import Walk
from protocols.wifi_aware import walker
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.element_container import ElementContainer
from protocols.wifi_aware.elements import Element

VECTORS = Path(__file__).parents[2] / "vectors"


def read(text):
    """The only attribute in complete attribute hex."""
    (attr,) = walker.table(bytes.fromhex(text))
    return attr


def node(attr, *names):
    found = attr.tree(0, Walk())
    for name in names:
        found = next(kid for kid in found.children if kid.name == name)
    return found


def doubts(attr):
    def walk(one):
        yield from ((one.name, doubt) for doubt in one.doubts)
        for kid in one.children:
            yield from walk(kid)

    return list(walk(attr.tree(0, Walk())))


def given(attr):
    """Plain fields without those that are 0 or False."""
    plain = json.loads(json.dumps(attr.as_plain()))
    return {name: value for name, value in plain.items() if value}


def test_v8_device_capability():
    attr = read("0f 09 00 00 49 04 14 01 22 00 00 08")
    assert given(attr) == {
        "attribute": "device_capability",
        "wake_2_4": 1,
        "wake_5": 1,
        "override_map_2_4": 1,
        "override_map_5": 1,
        "supported_bands": 0x14,
        "phy": 1,
        "tx_antennas": 2,
        "rx_antennas": 2,
        "ndpe": True,
    }
    assert node(attr, "one_map").meaning == "all maps"
    assert node(attr, "supported_bands").meaning == "2.4 GHz, 4.9 and 5 GHz"
    assert node(attr, "wake_2_4").meaning == "every discovery window"
    assert doubts(attr) == []


def test_device_capability_map_id_is_shifted_and_bits_are_named():
    """Trap 13: 0x05 is map 2 alone. The switch time is in microseconds (trap 14)."""
    fields = read("0f 09 00 05 6a 24 94 16 31 f4 01 17").fields
    assert (fields.one_map, fields.map_id) == (True, 2)
    assert (fields.wake_2_4, fields.wake_5) == (2, 5)
    assert (fields.override_map_2_4, fields.override_map_5) == (1, 9)
    assert (fields.phy, fields.he_vht_80_80, fields.he_vht_160, fields.he) == (0, True, True, True)
    assert (fields.tx_antennas, fields.rx_antennas) == (1, 3)
    assert fields.max_channel_switch_us == 500
    assert (fields.dfs_master, fields.extended_key_id, fields.ndpe) == (True, True, False)
    assert (fields.simultaneous_ndp_reception, fields.s3) == (True, True)


def test_device_capability_doubts():
    attr = read("0f 09 00 e0 07 c0 69 e8 00 00 00 e0")
    assert make(attr.fields) == attr
    assert set(doubts(attr)) == {
        ("reserved_map_5", "reserved bit set"),
        ("wake_2_4", "reserved value"),
        ("reserved_dw_14", "reserved bit set"),
        ("supported_bands", "reserved value"),
        ("reserved_mode_3", "reserved bit set"),
        ("reserved_mode_5", "reserved bit set"),
        ("reserved_capability_5", "reserved bit set"),
    }


def test_v9_dcea_pairing_and_caching():
    assert given(read("2a 02 00 00 03")) == {
        "attribute": "device_capability_extension",
        "pairing_setup": True,
        "npk_nik_caching": True,
    }


def test_dcea_keeps_what_follows():
    """A vendor's driver has three more octets."""
    fields = read("2a 05 00 05 02 01 02 03").fields
    assert (fields.regulatory_info_valid, fields.ap_type) == (True, 2)
    assert (fields.pairing_setup, fields.npk_nik_caching) == (False, True)
    assert fields.trailing == "010203"
    assert doubts(read("2a 02 00 0b 00")) == [("ap_type", "reserved value")]


@pytest.mark.parametrize("text", ["2a 00 00", "2a 01 00 03", "0f 08 00 0049041401220000"])
def test_too_short(text):
    with pytest.raises(DecodeError, match="attribute_length"):
        _ = read(text).fields


def test_v13_ndpe_request():
    attr = read(
        "29 20 00 09 00 00 02 00 00 00 00 01 01 09 05"
        " 01 06 00 50 6f 9a 02 aa bb 00 08 00 00 00 00 00 ff fe 00 01"
    )
    assert given(attr) == {
        "attribute": "ndpe",
        "dialog_token": 9,
        "initiator_ndi": "02:00:00:00:00:01",
        "ndp_id": 1,
        "confirm_required": True,
        "publish_id": 5,
        "tlvs": [
            {"type": 1, "service_info": {"oui": "506f9a", "protocol": 2, "specific": "aabb"}},
            {"type": 0, "interface_identifier": "00000000fffe0001"},
        ],
    }
    assert node(attr, "type").meaning == "request"
    assert node(attr, "tlvs", "[0]", "service_info", "protocol").meaning == "Generic"


def test_generic_service_info_is_explained_in_the_tree():
    """Sub-attributes port 0x1f90 and protocol 6, as responders send them."""
    info = "50 6f 9a 02 00 02 00 90 1f 01 01 00 06"
    attr = read("29 1b 00 09 01 00 020000000001 01 00 01 0d 00" + info)
    items = node(attr, "tlvs", "[0]", "service_info", "specific").children
    meanings = [kid.meaning for item in items for kid in item.children if kid.name == "value"]
    assert meanings == ["port 8080", "TCP"]


def test_ndpe_tlvs_that_hostap_trips_over():
    """An identifier or service info of the wrong size, unknown types, an empty one at the end (trap 29): all kept."""
    tlvs = "00 02 00 aa bb  07 01 00 55  ff 00 00  01 03 00 50 6f 9a  01 00 00"
    attr = read("29 20 00 09 00 00 02 00 00 00 00 01 01 00" + tlvs)
    assert given(attr)["tlvs"] == [
        {"type": 0, "value": "aabb"},
        {"type": 7, "value": "55"},
        {"type": 255, "value": ""},
        {"type": 1, "value": "506f9a"},
        {"type": 1, "value": ""},
    ]
    assert make(attr.fields) == attr


def test_v14_ndp_response():
    attr = read("10 11 00 09 01 00 02 00 00 00 00 01 01 10 02 00 00 00 00 02")
    assert given(attr) == {
        "attribute": "ndp",
        "dialog_token": 9,
        "type": 1,
        "initiator_ndi": "02:00:00:00:00:01",
        "ndp_id": 1,
        "responder_ndi": "02:00:00:00:00:02",
    }
    assert node(attr, "status").meaning == "continued"


def test_bit_5_of_ndp_and_ndpe():
    """Specific info in one, GTK required in the other (trap 27); specific info runs to the end (trap 28)."""
    body = bytes.fromhex("0900000200000000010120" + "070200aabb")
    assert Attr(0x10, body).fields.specific_info == "070200aabb"
    ndpe = Attr(0x29, body).fields
    assert ndpe.gtk_required
    assert [tlv.value for tlv in ndpe.tlvs] == ["aabb"]
    with pytest.raises(DecodeError):
        _ = Attr(0x10, body[:10] + b"\0" + body[11:]).fields
    assert Attr(0x10, body[:11]).fields.specific_info == ""


def test_members_go_by_the_control_bits_alone():
    """A rejected response with a responder NDI, a confirm with a publish ID (traps 18, 19)."""
    rejected = Attr(0x10, bytes.fromhex("0921010200000000010110020000000002")).fields
    assert (rejected.type, rejected.status) == (1, 2)
    assert rejected.responder_ndi == "02:00:00:00:00:02"
    confirm = Attr(0x10, bytes.fromhex("090200020000000001010805")).fields
    assert confirm.publish_id == 5


def test_recorded_data_path_names_its_devices():
    """The recorder says who began, with which NDI and publish ID."""
    for name in ("ndp-open", "ndp-open-ndp-attr", "ndp-sk128-pmk"):
        file = json.loads((VECTORS / f"wifi-aware-{name}.json").read_text())
        starter = file["inputs"]["ndp_initiator"]
        other = {"A": "B", "B": "A"}[starter]
        steps = [
            attr.fields
            for frame in file["frames"]
            if "NDP-M" in frame["kind"]
            for attr in walker.table(bytes.fromhex(frame["hex"]), 31)
            if attr.id in (0x10, 0x29)
        ]
        assert [step.type for step in steps[:3]] == [0, 1, 2]
        assert {step.initiator_ndi for step in steps} == {file["devices"][starter]["ndi"]}
        assert steps[0].publish_id == file["inputs"]["publish_id"]
        assert steps[1].responder_ndi == file["devices"][other]["ndi"]
        assert steps[0].security is (file["inputs"]["csid"] != 0)
        assert len({step.dialog_token for step in steps}) == 1


def test_element_container_of_a_recording():
    """HT and VHT Capabilities, IEEE 802.11-2020 9.4.2.55 and 9.4.2.157: 26 and 12 octets."""
    file = json.loads((VECTORS / "wifi-aware-ndp-open.json").read_text())
    text = file["devices"]["A"]["static_attributes"]["element_container"]
    request = walker.table(bytes.fromhex(file["frames"][3]["hex"]), 31)
    assert read(text) in request
    fields = read(text).fields
    assert (fields.one_map, fields.map_id) == (False, 0)
    assert [(one.id, len(one.octets)) for one in fields.elements] == [(45, 26), (191, 12)]


def test_element_container_lengths_and_map():
    """Elements have one octet of length, the attribute two (trap 12); the map ID is shifted (trap 13)."""
    elements = tuple(Element(number, bytes(200)) for number in (1, 2))
    fields = ElementContainer(one_map=True, map_id=5, elements=elements)
    octets = make(fields).written()
    assert octets[:6] == bytes.fromhex("1d 95 01 0b 01 c8")
    assert read(octets.hex()).fields == fields
    with pytest.raises(DecodeError) as caught:
        _ = Attr(0x1D, octets[3:-1]).fields
    assert (caught.value.code, caught.value.offset) == ("element_length", 203)


def nested(depth):
    """An Element Container with a NAN element, in that another container, `depth` deep."""
    octets = make(ElementContainer(one_map=False, map_id=0, elements=())).written()
    for _ in range(depth):
        nan = Element(221, bytes.fromhex("506f9a13") + octets)
        octets = make(ElementContainer(one_map=False, map_id=0, elements=(nan,))).written()
    return read(octets.hex())


@pytest.mark.parametrize("depth", [1, 20, 300])
def test_a_nan_element_in_a_container_is_refused(depth):
    """It could hold a container, and so on: what is nested often enough would take the decoder's stack."""
    attr = nested(depth)
    with pytest.raises(DecodeError) as caught:
        _ = attr.fields
    assert (caught.value.code, caught.value.offset) == ("element_nested", 1)
    assert attr.as_plain() == {"attribute": 0x1D, "octets": attr.octets.hex()}
    walk = Walk(strict=False)
    assert attr.tree(0, walk).doubts == ("a NAN element stands here",)


def test_country_code_is_printable():
    assert read("0b 02 00 55 53").fields.country == "US"
    with pytest.raises(DecodeError, match="country_code at octet 0"):
        _ = read("0b 02 00 55 00").fields


def test_connection_capability_bits():
    attr = read("04 02 00 09 00")
    assert node(attr, "kinds").meaning == "Wi-Fi Direct, WLAN infrastructure"
    assert doubts(read("04 02 00 00 80")) == [("kinds", "reserved value")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1a 01 00 05", {"local_coordinates": True, "civic_location": True}),
        ("1a 03 00 0a 34 12", {"geospatial": True, "last_movement": 0x1234}),
    ],
)
def test_last_movement_goes_with_its_bit(text, expected):
    """MTK's structure always has it (trap 24)."""
    assert given(read(text)) == {"attribute": "ranging_information", **expected}


def test_last_movement_without_its_bit_is_left_over():
    for text in ("1a 03 00 02 34 12", "1a 01 00 08"):
        with pytest.raises(DecodeError, match="attribute_length"):
            _ = read(text).fields


def test_ranging_report_is_octets():
    assert read("1c 03 00 00 01 ff").fields.report == "0001ff"
    assert read("1c 00 00").fields.report == ""
