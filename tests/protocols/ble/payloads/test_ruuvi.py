"""Ruuvi: the cases of the vendor's documentation, section 5.4, nulls, tree, encode errors."""

from __future__ import annotations

import math

import pytest

from protocols.ble.payloads.ruuvi import FORMAT
from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError

SIZES = {0x03: 14, 0x05: 24, 0x06: 20, 0xC5: 18, 0xE1: 40}
MAC = "cb:b8:33:4c:88:4f"


def look(text, *, lenient=False):
    return dissect(
        Block(kind="manufacturer_data", data=bytes.fromhex(text), company_id="0499"),
        lenient=lenient,
    )


def fault(text):
    found = look(text)
    assert found.error is not None
    return found.error.code, found.error.offset, found.plain


C5 = {
    # ruuvi/docs, data-format-c5-rawv2.md, with the first octet the layout asks for
    "c512fc5394c37cac364200cdcbb8334c884f": (24.3, 53.49, 100044, 2977, 4, 66, 205, MAC),
    "c57ffffffefffeffdefefffecbb8334c884f": (163.835, 163.835, 115534, 3646, 20, 254, 65534, MAC),
    "c58001000000000000000000cbb8334c884f": (-163.835, 0.0, 50000, 1600, -40, 0, 0, MAC),
    "c58000ffffffffffffffffffffffffffffff": (None,) * 8,
}
C5_NAMES = (
    "temperature_c",
    "humidity_pct",
    "pressure_pa",
    "battery_mv",
    "tx_power_dbm",
    "movement_count",
    "sequence",
    "mac",
)


@pytest.mark.parametrize("text", C5)
def test_format_c5(text):
    found = look(text)
    assert found.error is None
    assert found.plain == {"format": 0xC5} | dict(zip(C5_NAMES, C5[text], strict=True))
    assert encode("ruuvi", found.plain).hex() == text


AIR_NAMES = (
    "temperature_c", "humidity_pct", "pressure_pa", "pm1_0_ug_m3", "pm2_5_ug_m3", "pm4_0_ug_m3", "pm10_ug_m3",
    "co2_ppm", "voc_index", "nox_index", "luminosity_lux", "sequence", "calibrating", "mac",
)  # fmt: skip
AIR = {
    # ruuvi/docs, data-format-e1.md; its reserved octets are sent as zero here
    "e17fff9c40fffe27102710271027109c40fafadc28f0000000fffffe010000000000cbb8334c884f":
        (163.835, 100.0, 115534, 1000.0, 1000.0, 1000.0, 1000.0, 40000, 500, 500, 144284.0, 16777214, True, MAC),
    "e1800100000000000000000000000000000000000000000000000000000000000000cbb8334c884f":
        (-163.835, 0.0, 50000, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0.0, 0, False, MAC),
    "e18000ffffffffffffffffffffffffffffffffffffff000000ffffffc00000000000ffffffffffff":
        (*(None,) * 12, False, None),
}  # fmt: skip


@pytest.mark.parametrize("text", AIR)
def test_format_e1(text):
    found = look(text)
    assert found.error is None
    assert found.plain == {"format": 0xE1} | dict(zip(AIR_NAMES, AIR[text], strict=True))
    assert encode("ruuvi", found.plain).hex() == text


def test_format_6_limits():
    """ruuvi/docs, data-format-6.md: the largest and the smallest values."""
    found = look("067fff9c40fffe27109c40fafafe00ff014c884f").plain
    assert found == {
        "format": 6, "temperature_c": 163.835, "humidity_pct": 100.0, "pressure_pa": 115534, "pm2_5_ug_m3": 1000.0,
        "co2_ppm": 40000, "voc_index": 500, "nox_index": 500, "luminosity_lux": 65535.0, "sequence": 255,
        "calibrating": True, "mac_low3": "4c:88:4f",
    }  # fmt: skip
    found = look("06800100000000000000000000000000004c884f").plain
    assert [found[n] for n in ("temperature_c", "voc_index", "luminosity_lux", "sequence")] == [
        -163.835,
        0,
        0.0,
        0,
    ]


@pytest.mark.parametrize(
    ("code", "lux"), [(0, 0.0), (1, 0.04), (0x10, 1.01), (0xFE, 65535.0), (0xFF, None)]
)
def test_logarithmic_light(code, lux):
    """The table of data-format-6.md, but for its row 0x80, which contradicts its formula (and is that of 0x7e)."""
    assert look(f"06{'00' * 12}{code:02x}{'00' * 6}").plain["luminosity_lux"] == lux


def test_every_light_code_encodes_back():
    """Two decimals are enough to tell all 255 codes apart."""
    for code in range(256):
        text = f"06{'00' * 12}{code:02x}{'00' * 6}"
        assert encode("ruuvi", look(text).plain).hex() == text


@pytest.mark.parametrize(
    ("octets", "degrees"),
    [
        ("0000", 0.0),
        ("8000", 0.0),
        ("8145", -1.69),
        ("0145", 1.69),
        ("8045", -0.69),
        ("7f63", 127.99),
        ("ff63", -127.99),
    ],
)
def test_sign_of_format_3(octets, degrees):
    """It applies to whole degrees and hundredths together; minus zero is zero."""
    found = look("0300" + octets + "00" * 10).plain["temperature_c"]
    assert found == degrees
    assert math.copysign(1, found) == (-1 if degrees < 0 else 1)
    if octets != "8000":
        assert (
            encode("ruuvi", look("0300" + octets + "00" * 10).plain).hex()
            == "0300" + octets + "00" * 10
        )


def test_format_3_has_no_nulls():
    """What is "not available" elsewhere is a value here."""
    found = look("03ffffffffff800080008000ffff").plain
    assert None not in found.values()
    assert (found["pressure_pa"], found["accel_x_mg"], found["battery_mv"]) == (
        115535,
        -32768,
        65535,
    )


@pytest.mark.parametrize(
    ("high", "bit", "index"),
    [(0, 0, 0), (0, 1, 1), (0xFA, 0, 500), (0xFF, 0, 510), (0xFF, 1, None)],
)
def test_nine_bit_indices(high, bit, index):
    """High octet, lowest bit in the flags: bit 6 VOC, bit 7 NOx; 511 is not available."""
    voc = look(f"06{'00' * 10}{high:02x}000000{'00'}{bit << 6:02x}000000").plain
    nox = look(f"06{'00' * 10}00{high:02x}0000{'00'}{bit << 7:02x}000000").plain
    assert (voc["voc_index"], voc["nox_index"]) == (index, 0)
    assert (nox["voc_index"], nox["nox_index"]) == (0, index)
    for fields in (voc, nox):
        assert look(encode("ruuvi", fields).hex()).plain == fields


def test_reserved_octets_and_bits_are_ignored():
    clean = "06170c5668c79e007000c90501d900cd004c884f"
    assert look("06170c5668c79e007000c90501d9ffcd3e4c884f").plain == look(clean).plain
    assert encode("ruuvi", look(clean).plain).hex() == clean


@pytest.mark.parametrize("form", SIZES)
def test_length_of_each_format(form):
    for size in range(1, 45):
        text = f"{form:02x}" + "00" * (size - 1)
        if size == SIZES[form]:
            assert look(text).error is None
        else:
            assert fault(text) == ("frame_length", None, {})


@pytest.mark.parametrize("form", sorted(set(range(256)) - SIZES.keys()))
def test_unknown_format(form):
    """Before the length; format 8 is among them on purpose."""
    for size in (0, 13, 23):
        assert fault(f"{form:02x}" + "00" * size) == ("format", 0, {})


def test_empty():
    assert fault("") == ("frame_length", None, {})


def test_tree_has_the_names_and_values_of_the_fields():
    for example in FORMAT.examples:
        found = look(example.hex)
        nodes = {node.name: node.value for node in found.tree}
        assert found.plain.items() <= nodes.items()


def test_tree_of_the_power_word():
    nodes = {
        node.name: node for node in look("0512fc5394c37c0004fffc040cac364200cdcbb8334c884f").tree
    }
    battery, power = nodes["battery_mv"], nodes["tx_power_dbm"]
    assert (battery.value, battery.unit, battery.start, battery.end, battery.bits) == (
        2977,
        "mV",
        13,
        15,
        (5, 11),
    )
    assert (power.value, power.unit, power.bits) == (4, "dBm", (0, 5))


MOTION = look("0512fc5394c37c0004fffc040cac364200cdcbb8334c884f").plain
RAW = look("03291a1ece1efc18f94202ca0b53").plain
LEGACY = look("06170c5668c79e007000c90501d900cd004c884f").plain


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (MOTION | {"format": 8}, "format"),
        (MOTION | {"temperature_c": 163.845}, "temperature_c"),
        (MOTION | {"humidity_pct": -1}, "humidity_pct"),
        (MOTION | {"pressure_pa": 49999}, "pressure_pa"),
        (MOTION | {"accel_y_mg": 32768}, "accel_y_mg"),
        (MOTION | {"battery_mv": 1599}, "battery_mv"),
        (MOTION | {"battery_mv": 3648}, "battery_mv"),
        (MOTION | {"tx_power_dbm": -42}, "tx_power_dbm"),
        (MOTION | {"tx_power_dbm": 24}, "tx_power_dbm"),
        (MOTION | {"movement_count": 256}, "movement_count"),
        (MOTION | {"sequence": "1"}, "sequence"),
        (MOTION | {"mac": "cb:b8"}, "mac"),
        (RAW | {"temperature_c": 128.0}, "temperature_c"),
        (RAW | {"temperature_c": None}, "temperature_c"),
        (RAW | {"battery_mv": None}, "battery_mv"),
        (LEGACY | {"luminosity_lux": -1}, "luminosity_lux"),
        (LEGACY | {"luminosity_lux": -0.5}, "luminosity_lux"),
        (LEGACY | {"luminosity_lux": 70000}, "luminosity_lux"),
        (LEGACY | {"voc_index": 512}, "voc_index"),
        (LEGACY | {"nox_index": -1}, "nox_index"),
        (LEGACY | {"sequence": None}, "sequence"),
        (LEGACY | {"mac_low3": "4c:88"}, "mac_low3"),
        (LEGACY | {"mac_low3": "xx:88:4f"}, "mac_low3"),
    ],
)
def test_encode_error_names_the_field(fields, path):
    with pytest.raises(EncodeError) as caught:
        encode("ruuvi", fields)
    assert caught.value.path == path


def test_a_missing_field():
    for fields in (MOTION, RAW, LEGACY):
        for name in fields:
            with pytest.raises(EncodeError, match=name):
                encode("ruuvi", {k: v for k, v in fields.items() if k != name})
