"""AltBeacon, DULT, Matter, Feasycom and Kegtron: rows of section 5.4, odd values, encode errors."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import EncodeError

ALTBEACON = "beac2f234454cf6d4a0fadf2f4911ba9ffa600010002c509"
MATTER = "00ab03f1ff008001"
FEASYCOM = "36021892dc0d3015aeb164"
KEGTRON = "49ef138802e20153696e676c6520506f7274000000000000000000"


def decode(hex_: str, form: str, *, lenient: bool = False) -> Dissection:
    block = Block(kind="manufacturer_data", data=bytes.fromhex(hex_))
    return dissect(block, form=form, lenient=lenient)


def refused(form: str, plain: dict[str, Any]) -> str:
    """Path of the field that `form` refuses to send."""
    with pytest.raises(EncodeError) as caught:
        encode(form, plain)
    return caught.value.path


@pytest.mark.parametrize(
    ("form", "hex_", "code", "offset"),
    [
        ("altbeacon", "", "frame_length", None),
        ("altbeacon", "be", "frame_length", None),
        ("altbeacon", "acbe", "beacon_code", 0),
        ("altbeacon", "bead" + ALTBEACON[4:], "beacon_code", 0),
        ("altbeacon", ALTBEACON[:-4], "frame_length", None),
        ("altbeacon", ALTBEACON + "00", "frame_length", None),
        ("dult", "", "frame_length", None),
        ("dult", "01", "frame_length", None),
        ("dult", "00" * 28, "frame_length", None),
        ("matter", "", "frame_length", None),
        ("matter", "01", "opcode", 0),
        ("matter", "00", "frame_length", None),
        ("matter", MATTER[:-2], "frame_length", None),
        ("matter", MATTER + "00", "frame_length", None),
        ("feasycom", FEASYCOM[:-2], "frame_length", None),
        ("feasycom", FEASYCOM + "00", "frame_length", None),
        ("kegtron", KEGTRON[:-2], "frame_length", None),
        ("kegtron", KEGTRON + "00", "frame_length", None),
        ("kegtron", "", "frame_length", None),
    ],
)
def test_faults_leave_nothing(form: str, hex_: str, code: str, offset: int | None) -> None:
    found = decode(hex_, form)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == (code, offset)
    assert found.plain == {}


def test_altbeacon_without_the_reserved_octet() -> None:
    """Strict: frame_length. Lenient: all fields, `mfg_reserved` 0; Android's library accepts such frames."""
    short = decode(ALTBEACON[:-2], "altbeacon")
    assert short.error is not None
    assert (short.error.code, short.error.offset) == ("frame_length", None)
    assert short.plain == {**decode(ALTBEACON, "altbeacon").plain, "mfg_reserved": 0}
    doubts = decode(ALTBEACON[:-2], "altbeacon", lenient=True).doubts
    assert [doubt.code for doubt in doubts] == ["frame_length"]


def test_altbeacon_positive_rssi_and_reserved_octet_are_kept() -> None:
    plain = decode(ALTBEACON[:-4] + "7fff", "altbeacon").plain
    assert (plain["ref_rssi_1m_dbm"], plain["mfg_reserved"]) == (127, 255)


def test_altbeacon_identifier_whole_or_in_parts() -> None:
    plain = decode(ALTBEACON, "altbeacon").plain
    parts = {key: value for key, value in plain.items() if key != "beacon_id"}
    whole = {key: value for key, value in plain.items() if not key.startswith("id")}
    assert encode("altbeacon", parts).hex() == ALTBEACON
    assert (
        encode("altbeacon", {**whole, "beacon_id": plain["beacon_id"].upper()}).hex() == ALTBEACON
    )
    assert (
        encode("altbeacon", {**plain, "beacon_id": plain["beacon_id"].upper()}).hex() == ALTBEACON
    )


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id2": 2}, "beacon_id"),
        ({"beacon_id": "00" * 20}, "beacon_id"),
        ({"id3": 65536}, "id3"),
        ({"id1": "2f23"}, "id1"),
        ({"ref_rssi_1m_dbm": -129}, "ref_rssi_1m_dbm"),
        ({"mfg_reserved": 256}, "mfg_reserved"),
    ],
)
def test_altbeacon_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    assert refused("altbeacon", {**decode(ALTBEACON, "altbeacon").plain, **change}) == path


def test_altbeacon_half_an_identifier_is_missing_the_other_half() -> None:
    assert (
        refused("altbeacon", {"id1": "00" * 16, "id2": 1, "ref_rssi_1m_dbm": 0, "mfg_reserved": 0})
        == "id3"
    )
    assert refused("altbeacon", {"ref_rssi_1m_dbm": 0, "mfg_reserved": 0}) == "beacon_id"


@pytest.mark.parametrize(
    ("hex_", "fields"),
    [
        ("0101", {"network_id": 1, "near_owner": True, "reserved": 0, "proprietary": ""}),
        ("fffe", {"network_id": 255, "near_owner": False, "reserved": 127, "proprietary": ""}),
        (
            "0202" + "5a" * 25,
            {"network_id": 2, "near_owner": False, "reserved": 1, "proprietary": "5a" * 25},
        ),
    ],
)
def test_dult_borders_and_odd_values(hex_: str, fields: dict[str, Any]) -> None:
    assert decode(hex_, "dult").plain == fields
    assert encode("dult", fields).hex() == hex_


def test_dult_reserved_bits_are_zero_when_not_told() -> None:
    plain = {"network_id": 2, "near_owner": True, "proprietary": ""}
    assert encode("dult", plain).hex() == "0201"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"network_id": 256}, "network_id"),
        ({"reserved": 128}, "reserved"),
        ({"proprietary": "00" * 26}, "proprietary"),
        ({"proprietary": "0"}, "proprietary"),
    ],
)
def test_dult_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    assert refused("dult", {**decode("0101", "dult").plain, **change}) == path


def test_matter_version_is_kept_and_flag_bits_2_to_7_are_ignored_but_shown() -> None:
    found = decode("00abf30000000000", "matter")
    assert (found.plain["discriminator"], found.plain["adv_version"]) == (0x3AB, 15)
    assert (found.plain["vendor_id"], found.plain["product_id"]) == (0, 0)
    odd = decode(MATTER[:-2] + "fd", "matter")
    assert odd.plain == decode(MATTER, "matter").plain
    assert [node.value for node in odd.tree if node.bits == (2, 6)] == [63]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"opcode": 1}, "opcode"),
        ({"discriminator": 4096}, "discriminator"),
        ({"adv_version": 16}, "adv_version"),
        ({"vendor_id": 65536}, "vendor_id"),
        ({"product_id": -1}, "product_id"),
        ({"additional_data": 1}, "additional_data"),
    ],
)
def test_matter_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    assert refused("matter", {**decode(MATTER, "matter").plain, **change}) == path


@pytest.mark.parametrize(
    ("octet", "battery_pct", "external_power"),
    [
        ("00", 0, False),
        ("64", 100, False),
        ("65", None, True),
        ("66", 102, False),
        ("ff", 255, False),
    ],
)
def test_feasycom_battery_octet(octet: str, battery_pct: int | None, external_power: bool) -> None:
    """0x65 is external power; other values beyond 100 are kept."""
    plain = decode(FEASYCOM[:-2] + octet, "feasycom").plain
    assert (plain["battery_pct"], plain["external_power"]) == (battery_pct, external_power)
    assert encode("feasycom", plain).hex() == FEASYCOM[:-2] + octet


@pytest.mark.parametrize(
    ("octet", "state", "bits"),
    [("00", 0, ""), ("03", 3, ""), ("10", 0, "led"), ("20", 0, "buzzer"), ("40", 0, "g_sensor"), ("80", 0, "button"), ("0c", 0, "")],
)  # fmt: skip
def test_feasycom_feature_bits(octet: str, state: int, bits: str) -> None:
    """Bits 2 and 3 are ignored, and a model nobody knows is kept."""
    plain = decode("00" + FEASYCOM[2:6] + octet + FEASYCOM[8:], "feasycom").plain
    on = [name for name in ("led", "buzzer", "g_sensor", "button") if plain[name]]
    assert (plain["model"], plain["connectable_state"], on) == (0, state, [bits] if bits else [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"battery_pct": 101}, "battery_pct"),
        ({"battery_pct": 256}, "battery_pct"),
        ({"external_power": True}, "external_power"),
        ({"battery_pct": None}, "external_power"),
        ({"connectable_state": 4}, "connectable_state"),
        ({"firmware": "02"}, "firmware"),
        ({"mac": "dc:0d"}, "mac"),
        ({"model": 256}, "model"),
    ],
)
def test_feasycom_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    plain = {**decode(FEASYCOM, "feasycom").plain, "external_power": False, **change}
    if change == {"battery_pct": 101}:
        del plain["external_power"]
    assert refused("feasycom", plain) == path


@pytest.mark.parametrize(
    ("octet", "configured", "port", "dual_port"),
    [("00", False, 1, False), ("01", True, 1, False), ("50", False, 2, True), ("41", True, 1, True), ("ff", True, 2, True)],
)  # fmt: skip
def test_kegtron_port_octet(octet: str, configured: bool, port: int, dual_port: bool) -> None:
    """Bits without a meaning stay in `port_byte`."""
    data = KEGTRON[:12] + octet + KEGTRON[14:]
    plain = decode(data, "kegtron").plain
    found = plain["port_byte"], plain["configured"], plain["port"], plain["dual_port"]
    assert found == (int(octet, 16), configured, port, dual_port)
    for derived in ("configured", "port", "dual_port"):
        del plain[derived]
    assert encode("kegtron", plain).hex() == data


def test_kegtron_name_that_fills_its_field_or_is_not_utf_8() -> None:
    full = decode(KEGTRON[:14] + "41" * 20, "kegtron").plain["port_name"]
    assert full == "A" * 20
    cut = decode(KEGTRON[:14] + "41ff" + "00" * 18, "kegtron")
    assert (cut.error, cut.plain["port_name"]) == (None, "A\ufffd")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"keg_size_l": 65.536}, "keg_size_l"),
        ({"volume_start_l": -0.001}, "volume_start_l"),
        ({"port_byte": 256}, "port_byte"),
        ({"port": 2}, "port"),
        ({"configured": False}, "configured"),
        ({"dual_port": True}, "dual_port"),
        ({"port_name": "é" * 11}, "port_name"),
    ],
)
def test_kegtron_what_cannot_be_sent(change: dict[str, Any], path: str) -> None:
    plain = decode(KEGTRON, "kegtron").plain
    if path == "port_byte":
        plain = {k: v for k, v in plain.items() if k not in ("port", "configured", "dual_port")}
    assert refused("kegtron", {**plain, **change}) == path


def test_kegtron_whole_litres_may_be_given_as_integers() -> None:
    plain = {**decode(KEGTRON, "kegtron").plain, "volume_start_l": 5}
    assert encode("kegtron", plain).hex() == KEGTRON
