"""Swift Pair and the Connected Devices Platform beacon: rows of section 5.4, recorded frames."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import EncodeError

CDP = "010920025e294e5e30809130e56e2ca4701dc8ebed5396b6320b8f"


def decode(hex_: str, form: str | None = None) -> Dissection:
    block = Block(kind="manufacturer_data", data=bytes.fromhex(hex_), company_id="0006")
    return dissect(block, form=form)


@pytest.mark.parametrize(
    ("form", "hex_", "code", "offset"),
    [
        ("swift-pair", "", "frame_length", None),
        ("swift-pair", "03", "frame_length", None),
        ("swift-pair", "01", "frame_length", None),
        ("swift-pair", "0100", "frame_type", 0),
        ("swift-pair", "0403", "frame_type", 0),
        ("swift-pair", "0303", "sub_scenario", 1),
        ("swift-pair", "03ff80", "sub_scenario", 1),
        ("swift-pair", "0300", "frame_length", None),
        ("swift-pair", "030180" + "00" * 8, "frame_length", None),
        ("swift-pair", "0302800404", "frame_length", None),
        ("ms-cdp", "", "frame_length", None),
        ("ms-cdp", "03", "frame_type", 0),
        ("ms-cdp", "01", "frame_length", None),
        ("ms-cdp", CDP[:-2], "frame_length", None),
        ("ms-cdp", CDP + "00", "frame_length", None),
        ("ms-cdp", "00" + CDP[2:] + "00", "frame_type", 0),
    ],
)
def test_faults_leave_nothing(form: str, hex_: str, code: str, offset: int | None) -> None:
    found = decode(hex_, form)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == (code, offset)
    assert found.plain == {}


@pytest.mark.parametrize(
    ("hex_", "fields"),
    [
        ("030080", {"sub_scenario": 0}),
        ("030180b1ae15300ddc040424", {"sub_scenario": 1, "bd_addr": "dc:0d:30:15:ae:b1"}),
        ("030280040424", {"sub_scenario": 2}),
    ],
)
def test_shortest_section_has_no_name(hex_: str, fields: dict[str, Any]) -> None:
    """Null name without octets; the class of device is little-endian (240404: audio, headphones)."""
    expected: dict[str, Any] = {
        "beacon_id": 3,
        "reserved_rssi": 128,
        "display_name": None,
        **fields,
    }
    if fields["sub_scenario"]:
        expected["class_of_device"] = 0x240404
    assert decode(hex_).plain == expected
    assert encode("swift-pair", expected).hex() == hex_
    named = decode(hex_ + "c3a9")
    assert named.plain == {**expected, "display_name": "é"}


def test_name_that_is_not_utf_8_and_odd_reserved_octet_are_no_faults() -> None:
    found = decode("03007f4d6fff")
    assert found.error is None
    assert found.plain["reserved_rssi"] == 127
    assert found.plain["display_name"] == "Mo\ufffd"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"display_name": ""}, "display_name"),
        ({"beacon_id": 1}, "beacon_id"),
        ({"reserved_rssi": 256}, "reserved_rssi"),
        ({"reserved_rssi": -1}, "reserved_rssi"),
        ({"bd_addr": "00:11:22:33:44"}, "bd_addr"),
        ({"class_of_device": 1 << 24}, "class_of_device"),
    ],
)
def test_swift_pair_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    plain = decode("030180b1ae15300ddc0404244d6f757365").plain
    with pytest.raises(EncodeError) as caught:
        encode("swift-pair", {**plain, **change})
    assert caught.value.path == path


def test_swift_pair_fields_of_another_sub_scenario_are_refused() -> None:
    plain = decode("030280040424").plain
    with pytest.raises(EncodeError, match="bd_addr"):
        encode("swift-pair", {**plain, "bd_addr": "00:11:22:33:44:55"})
    with pytest.raises(EncodeError, match="sub_scenario"):
        encode("swift-pair", {**plain, "sub_scenario": 3})


def test_cdp_recorded_frame() -> None:
    """Origin: igsparser, tests (a recorded Windows 10 desktop, whose salt it names)."""
    assert decode(CDP).plain == {
        "scenario": 1,
        "version": 0,
        "device_type": 9,
        "flags_version": 1,
        "nearby_share_everyone": False,
        "other_flags": 0,
        "status": 2,
        "salt": "5e294e5e",
        "device_hash": "30809130e56e2ca4701dc8ebed5396b6320b8f",
    }


def test_cdp_every_bit_is_kept() -> None:
    data = "01ffffff" + "ff" * 23
    plain = decode(data).plain
    assert (plain["version"], plain["device_type"]) == (7, 31)
    flags = plain["flags_version"], plain["nearby_share_everyone"], plain["other_flags"]
    assert flags == (7, True, 15)
    assert encode("ms-cdp", plain).hex() == data


def test_cdp_other_flags_are_zero_when_not_told() -> None:
    plain = decode(CDP).plain
    del plain["other_flags"]
    assert encode("ms-cdp", plain).hex() == CDP


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"scenario": 3}, "scenario"),
        ({"version": 8}, "version"),
        ({"device_type": 32}, "device_type"),
        ({"flags_version": -1}, "flags_version"),
        ({"other_flags": 16}, "other_flags"),
        ({"status": 256}, "status"),
        ({"salt": "00"}, "salt"),
        ({"device_hash": "00" * 18}, "device_hash"),
    ],
)
def test_cdp_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode("ms-cdp", {**decode(CDP).plain, **change})
    assert caught.value.path == path
