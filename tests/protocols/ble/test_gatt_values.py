"""Characteristic values: IEEE-11073 FLOAT by the specification's own examples, and what does not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ble.gatt_values import (
    decode_value,
    float_from_bits,
    float_to_bits,
    temperature_measurement,
    value_text,
)
from protocols.data.gatt_names import att_error_name, reason_name, uuid_name
from protocols.errors import EncodeError

# IEEE 11073-20601 FLOAT-Type: exponent octet, then 24-bit mantissa; 36.4 is the Health Thermometer example
KNOWN = [
    (0xFF00016C, 36.4),
    (0xFE000E38, 36.40),
    (0x00000025, 37.0),
    (0xFFFFFFF6, -1.0),
    (0x01000002, 20.0),
    (0x00FFFFFF, -1.0),
]


@pytest.mark.parametrize(("bits", "value"), KNOWN)
def test_float_known_answers(bits: int, value: float) -> None:
    assert float_from_bits(bits) == value


@pytest.mark.parametrize("bits", [0x007FFFFF, 0x00800000, 0x007FFFFE, 0x00800002, 0x00800001])
def test_special_floats_are_no_number(bits: int) -> None:
    assert float_from_bits(bits) is None


@given(st.integers(-0x7FFFFD, 0x7FFFFD), st.integers(0, 4))
def test_float_round_trip(mantissa: int, digits: int) -> None:
    value = round(mantissa / 10**digits, digits)
    assert float_from_bits(float_to_bits(value, digits)) == pytest.approx(value, abs=1e-9)


def test_float_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="24 bits"):
        float_to_bits(900_000.0)
    with pytest.raises(EncodeError):
        temperature_measurement(900_000.0)


def test_temperature_measurement_octets() -> None:
    # Health Thermometer Service 1.0, 3.1.1: flags, FLOAT little-endian, type last
    assert temperature_measurement(36.4).hex() == "006c0100ff"
    assert temperature_measurement(36.4, site="ear").hex() == "046c0100ff03"
    assert temperature_measurement(None).hex() == "00ffff7f00"


def test_temperature_in_fahrenheit_with_time() -> None:
    value = bytes.fromhex("03" + "cc0300ff" + "e8070b140c0000")
    assert decode_value("2A1C", value) == {"temperature_f": 97.2, "time": "e8070b140c0000"}


@pytest.mark.parametrize("hex_", ["", "00", "006c0100", "006c0100ff00", "046c0100ff"])
def test_truncated_or_oversize_values_are_shown_as_hex(hex_: str) -> None:
    value = bytes.fromhex(hex_)
    assert decode_value("2a1c", value) == {}
    assert value_text("2a1c", value) == (f"0x{hex_}" if hex_ else "empty")


def test_words() -> None:
    assert value_text("2a19", b"\x50") == "battery 80 %"
    assert value_text("2a29", "Größe".encode()) == '"Größe"'
    assert value_text("2a29", b"\xff\xfe") == "0xfffe"
    assert value_text("2a1c", temperature_measurement(None)) == "temperature not available"
    assert value_text("ffff", b"\x01") == "0x01"


def test_names() -> None:
    assert uuid_name("180A") == "Device Information"
    assert uuid_name("a3c87507-8ed3-4bdf-8a39-a01bebede295") == "Unlock"
    assert uuid_name("beef") == "beef"
    assert att_error_name(0x80) == "application error 0x80"
    assert att_error_name(0x0D) == "invalid attribute value length"
    assert reason_name(0x3E).startswith("never established")
    assert reason_name(0x77) == "reason 0x77"
