"""Values of the few standard characteristics that built-in devices serve: octets <-> numbers and text.

Health Thermometer Service 1.0 clause 3.1 (Temperature Measurement), IEEE 11073-20601 FLOAT-Type, Battery Service
1.0, Device Information Service 1.1, Core Vol 3 Part C 12 (GAP). Multi-octet values are LE. A value that does not
fit its definition is shown as hex. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols import layout
from protocols.errors import DecodeError
from protocols.layout import U8, U16LE, U32LE, Codec, Flags, Mapped, Record, Text, Walk, When

__all__ = [
    "decode_value",
    "float_from_bits",
    "float_to_bits",
    "temperature_measurement",
    "value_text",
]

_SPECIAL: dict[int, str] = {
    0x007FFFFF: "not a number",
    0x00800000: "not at this resolution",
    0x007FFFFE: "+infinity",
    0x00800002: "-infinity",
    0x00800001: "reserved",
}


def float_from_bits(bits: int) -> float | None:
    """FLOAT-Type: 24-bit mantissa, 8-bit exponent of ten; None for the special values (not a number, ...)."""
    if bits in _SPECIAL:
        return None
    mantissa = bits & 0xFFFFFF
    exponent = bits >> 24
    mantissa -= (mantissa & 0x800000) << 1
    exponent -= (exponent & 0x80) << 1
    return _times_ten_to(mantissa, exponent)


def _times_ten_to(mantissa: int, exponent: int) -> float:
    if exponent >= 0:
        return mantissa * 10.0**exponent
    return round(mantissa / 10.0**-exponent, -exponent)


def float_to_bits(value: float | None, digits: int = 1) -> int:
    """FLOAT-Type with `digits` decimals; None is "not a number". Raises ValueError when it does not fit."""
    if value is None:
        return 0x007FFFFF
    mantissa = round(value * 10.0**digits)
    if not -0x7FFFFD <= mantissa <= 0x7FFFFD:
        raise ValueError(f"{value} with {digits} decimals does not fit in 24 bits")
    return (-digits & 0xFF) << 24 | mantissa & 0xFFFFFF


_FLOAT = Mapped(U32LE, float_from_bits, float_to_bits)
_TYPES = {
    1: "armpit", 2: "body", 3: "ear", 4: "finger", 5: "gastro-intestinal tract", 6: "mouth", 7: "rectum",
    8: "toe", 9: "tympanum",
}  # fmt: skip
_TEMPERATURE = Record(
    Flags(U8, _fahrenheit=0, _has_time=1, _has_type=2),
    "temperature_c" / When(lambda f: not f._fahrenheit, _FLOAT),
    "temperature_f" / When(lambda f: bool(f._fahrenheit), _FLOAT),
    "time" / When(lambda f: bool(f._has_time), layout.Hex(7)),
    "type" / When(lambda f: bool(f._has_type), layout.Coded(U8, _TYPES)),
)
_TEXT_UUIDS = ("2a00", "2a24", "2a25", "2a26", "2a27", "2a28", "2a29")
_LAYOUTS: dict[str, Codec] = {
    "2a19": Record("battery_pct" / U8),
    "2a1c": _TEMPERATURE,
    "2a1e": _TEMPERATURE,
    "2a1d": Record("type" / layout.Coded(U8, _TYPES)),
    "2a21": Record("interval_s" / U16LE),
    "2a01": Record("appearance" / U16LE),
    "2902": Record(Flags(U16LE, notify=0, indicate=1)),
    **dict.fromkeys(_TEXT_UUIDS, Record("text" / Text(code="utf8"))),
}


def temperature_measurement(celsius: float | None, *, site: str | None = None) -> bytes:
    """Temperature Measurement (2A1C) in 0.1 degrees; None is "not a number". Raises EncodeError."""
    fields = {
        "_fahrenheit": False,
        "_has_time": False,
        "_has_type": site is not None,
        "temperature_c": celsius,
        "type": site,
    }
    return layout.build(_TEMPERATURE, fields)


def decode_value(uuid: str, value: bytes) -> dict[str, Any]:
    """Fields of a characteristic's value; empty when the UUID is not known here or the value does not fit."""
    codec = _LAYOUTS.get(uuid.lower())
    if codec is None:
        return {}
    try:
        fields: dict[str, Any] = layout.parse(codec, value, Walk())
    except DecodeError:
        return {}
    return fields


def value_text(uuid: str, value: bytes) -> str:
    """A characteristic's value for a reader: `temperature 36.4 °C`, `"nearbench"`, else hex."""
    fields = decode_value(uuid, value)
    if not fields:
        return f"0x{value.hex()}" if value else "empty"
    return ", ".join(_words(name, item) for name, item in fields.items())


def _words(name: str, value: Any) -> str:
    if name == "text":
        return f'"{value}"'
    unit = layout.unit_of(name)
    plain = name.rpartition("_")[0] if unit else name
    shown = "not available" if value is None else f"{value} {unit}" if unit else f"{value}"
    return f"{plain.replace('_', ' ')} {shown}"
