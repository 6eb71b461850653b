"""RuuviTag and Ruuvi Air sensor data (manufacturer data, company 0x0499).

Ruuvi documentation, "Bluetooth advertisements", data formats 3, 5, 6, C5 and E1; all big-endian. Format 8
(encrypted) is not decoded: its published example contradicts itself. No clock, no randomness, no IO.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from protocols.errors import EncodeError
from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import (
    S16BE,
    U8,
    U16BE,
    U24BE,
    Codec,
    Flags,
    Hex,
    Mac,
    Mapped,
    Nullable,
    Record,
    Reserved,
    Scaled,
    build,
)

KEYS = ("manufacturer_data/0499",)


class Raw1(Fields, frozen=True, tag_field="format", tag=3):
    """Format 3 (RAWv1): no code for "not available"."""

    humidity_pct: float
    temperature_c: float
    pressure_pa: int
    accel_x_mg: int
    accel_y_mg: int
    accel_z_mg: int
    battery_mv: int


class Motion(Fields, frozen=True, tag_field="format", tag=5):
    """Format 5 (RAWv2)."""

    temperature_c: float | None
    humidity_pct: float | None
    pressure_pa: int | None
    accel_x_mg: int | None
    accel_y_mg: int | None
    accel_z_mg: int | None
    battery_mv: int | None
    tx_power_dbm: int | None
    movement_count: int | None
    sequence: int | None
    mac: str | None


class Cut(Fields, frozen=True, tag_field="format", tag=0xC5):
    """Format C5: format 5 without acceleration."""

    temperature_c: float | None
    humidity_pct: float | None
    pressure_pa: int | None
    battery_mv: int | None
    tx_power_dbm: int | None
    movement_count: int | None
    sequence: int | None
    mac: str | None


class AirLegacy(Fields, frozen=True, tag_field="format", tag=6):
    """Format 6: air quality in a legacy PDU."""

    temperature_c: float | None
    humidity_pct: float | None
    pressure_pa: int | None
    pm2_5_ug_m3: float | None
    co2_ppm: int | None
    voc_index: int | None
    nox_index: int | None
    luminosity_lux: float | None
    sequence: int
    calibrating: bool
    mac_low3: str


class Air(Fields, frozen=True, tag_field="format", tag=0xE1):
    """Format E1: air quality in an extended PDU."""

    temperature_c: float | None
    humidity_pct: float | None
    pressure_pa: int | None
    pm1_0_ug_m3: float | None
    pm2_5_ug_m3: float | None
    pm4_0_ug_m3: float | None
    pm10_ug_m3: float | None
    co2_ppm: int | None
    voc_index: int | None
    nox_index: int | None
    luminosity_lux: float | None
    sequence: int | None
    calibrating: bool
    mac: str | None


_NO_MAC = "ff:ff:ff:ff:ff:ff"
_LUX_STEP = math.log(65536) / 254
_NO_LUX = 255
_NO_INDEX = 511


def _degrees_v1(raw: int) -> float:
    """Sign, whole degrees and hundredths of format 3; the sign applies to both."""
    size = (raw >> 8 & 0x7F) + (raw & 0xFF) / 100
    return round(-size if raw >> 15 and size else size, 2)


def _raw_degrees_v1(degrees: float) -> int:
    whole, hundredths = divmod(round(abs(degrees) * 100), 100)
    if whole > 127:
        raise ValueError(f"{degrees} is beyond 127.99")
    return (degrees < 0) << 15 | whole << 8 | hundredths


def _lux(code: int) -> float | None:
    return None if code == _NO_LUX else round(math.exp(code * _LUX_STEP) - 1, 2)


def _lux_code(lux: float | None) -> int:
    if lux is None:
        return _NO_LUX
    code = round(math.log(lux + 1) / _LUX_STEP)
    if not 0 <= code < _NO_LUX:
        raise ValueError(f"{lux} is not within 0 to 65535")
    return code


TEMPERATURE = Scaled(S16BE, 0.005, null=-0x8000)
HUMIDITY = Scaled(U16BE, 0.0025, null=0xFFFF)
PRESSURE = Scaled(U16BE, 1, offset=50000, null=0xFFFF)
ACCELERATION = Nullable(S16BE, -0x8000)
DUST = Scaled(U16BE, 0.1, null=0xFFFF)
CO2 = Nullable(U16BE, 0xFFFF)
POWER = Flags(
    U16BE,
    battery_mv=(5, 11, Scaled(U16BE, 1, offset=1600, null=2047)),
    tx_power_dbm=(0, 5, Scaled(U8, 2, offset=-40, null=31)),
)
MAC = Mapped(Mac, lambda m: None if m == _NO_MAC else m, lambda m: _NO_MAC if m is None else m)
MAC_LOW3 = Mapped(
    Hex(3), lambda m: bytes.fromhex(m).hex(":"), lambda m: bytes.fromhex(m.replace(":", "")).hex()
)
AIR_FLAGS = Flags(U8, calibrating=0, _reserved_bits=(1, 5), voc_low=(6, 1), nox_low=(7, 1))

_FORMAT = "format" / U8
_CLIMATE = ("temperature_c" / TEMPERATURE, "humidity_pct" / HUMIDITY, "pressure_pa" / PRESSURE)
_TAIL = (
    POWER,
    "movement_count" / Nullable(U8, 0xFF),
    "sequence" / Nullable(U16BE, 0xFFFF),
    "mac" / MAC,
)

LAYOUTS: dict[int, tuple[int, type[Fields], Codec]] = {
    0x03: (14, Raw1, Record(
        _FORMAT, "humidity_pct" / Scaled(U8, 0.5),
        "temperature_c" / Mapped(U16BE, _degrees_v1, _raw_degrees_v1),
        "pressure_pa" / Scaled(U16BE, 1, offset=50000),
        "accel_x_mg" / S16BE, "accel_y_mg" / S16BE, "accel_z_mg" / S16BE,
        "battery_mv" / U16BE,
    )),
    0x05: (24, Motion, Record(
        _FORMAT, *_CLIMATE,
        "accel_x_mg" / ACCELERATION, "accel_y_mg" / ACCELERATION, "accel_z_mg" / ACCELERATION, *_TAIL,
    )),
    0xC5: (18, Cut, Record(_FORMAT, *_CLIMATE, *_TAIL)),
    0x06: (20, AirLegacy, Record(
        _FORMAT, *_CLIMATE,
        "pm2_5_ug_m3" / DUST, "co2_ppm" / CO2, "voc_high" / U8, "nox_high" / U8,
        "luminosity_lux" / Mapped(U8, _lux, _lux_code),
        "_reserved" / Reserved(1), "sequence" / U8, AIR_FLAGS, "mac_low3" / MAC_LOW3,
    )),
    0xE1: (40, Air, Record(
        _FORMAT, *_CLIMATE,
        "pm1_0_ug_m3" / DUST, "pm2_5_ug_m3" / DUST, "pm4_0_ug_m3" / DUST, "pm10_ug_m3" / DUST, "co2_ppm" / CO2,
        "voc_high" / U8, "nox_high" / U8, "luminosity_lux" / Scaled(U24BE, 0.01, null=0xFFFFFF),
        "_reserved_1" / Reserved(3), "sequence" / Nullable(U24BE, 0xFFFFFF), AIR_FLAGS,
        "_reserved_2" / Reserved(5), "mac" / MAC,
    )),
}  # fmt: skip


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `format` at 0. Values beyond the nominal range are kept, reserved octets are in
    the tree only.
    """
    form = reader.select(1)[0]
    if form not in LAYOUTS:
        reader.fatal("format", 0, f"data format {form:#04x} is not 03, 05, 06, c5 or e1")
    size, kind, codec = LAYOUTS[form]
    reader.length(size)
    raw = reader.read(codec)
    if "voc_high" in raw:
        _join_index(reader, raw, "voc")
        _join_index(reader, raw, "nox")
    fields: Fields = as_fields(kind, raw)
    return fields


def _join_index(reader: Reader, raw: dict[str, Any], name: str) -> None:
    """One index of nine bits from its high octet and its bit in the flags, in the fields and in the tree."""
    index = raw.pop(f"{name}_high") << 1 | raw.pop(f"{name}_low")
    value = raw[f"{name}_index"] = None if index == _NO_INDEX else index
    nodes = reader.walk.nodes
    place = [node.name for node in nodes].index(f"{name}_high")
    nodes[place] = msgspec.structs.replace(nodes[place], name=f"{name}_index", value=value)


def encode(fields: Any, keys: Keys) -> bytes:
    """Octets of one of the five formats; numbers go to the nearest step, reserved octets and bits are zero."""
    form = fields.__struct_config__.tag
    raw: dict[str, Any] = {**msgspec.structs.asdict(fields), "format": form}
    for name in ("voc", "nox"):
        if f"{name}_index" in raw:
            index = _NO_INDEX if raw[f"{name}_index"] is None else raw[f"{name}_index"]
            if not 0 <= index <= _NO_INDEX:
                raise EncodeError(f"{name}_index", f"{index} is not within 0 to {_NO_INDEX - 1}")
            raw |= {f"{name}_high": index >> 1, f"{name}_low": index & 1}
    return build(LAYOUTS[form][2], raw)


FORMAT = Format(
    name="ruuvi",
    title="Ruuvi sensor data (formats 3, 5, 6, C5, E1)",
    source="Ruuvi documentation, Bluetooth advertisements",
    fields=Raw1 | Motion | Cut | AirLegacy | Air,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("03291a1ece1efc18f94202ca0b53", note="format 3"),
        Example("0300814563ac00000000000000ff", note="format 3, below zero"),
        Example(
            "0512fc5394c37c0004fffc040cac364200cdcbb8334c884f", note="format 5, all values present"
        ),
        Example(
            "058000ffffffff800080008000ffffffffffffffffffffff", note="format 5, nothing available"
        ),
        Example("c512fc5394c37cac364200cdcbb8334c884f", note="format C5"),
        Example("06170c5668c79e007000c90501d900cd004c884f", note="format 6"),
        Example("068000ffffffffffffffffffffff00ffc1ffffff", note="format 6, nothing available"),
        Example(
            "e1170c5668c79e0065007004bd11ca00c90a0213e0ac000000decdee010000000000cbb8334c884f",
            note="format E1",
        ),
        Example(
            "e18000" + "ff" * 19 + "000000" + "ffffff" + "c0" + "0000000000" + "ffffffffffff",
            note="format E1, nothing available",
        ),
    ),
)
