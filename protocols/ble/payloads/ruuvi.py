"""RuuviTag and Ruuvi Air sensor data (manufacturer data, company 0x0499).

Ruuvi documentation, "Bluetooth advertisements", data formats 3, 5, 6, C5 and E1; all big-endian. Format 8
(encrypted) is not decoded: its published example contradicts itself. No clock, no randomness, no IO.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import (
    S16BE,
    U8,
    U16BE,
    U24BE,
    Codec,
    Const,
    Flags,
    Hex,
    Mac,
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


TEMPERATURE = Scaled(S16BE, 0.005, null=-0x8000)
HUMIDITY = Scaled(U16BE, 0.0025, null=0xFFFF)
PRESSURE = Scaled(U16BE, 1, offset=50000, null=0xFFFF)
ACCELERATION = Nullable(S16BE, -0x8000)
DUST = Scaled(U16BE, 0.1, null=0xFFFF)
CO2 = Nullable(U16BE, 0xFFFF)
POWER = Flags(U16BE, battery=(5, 11), tx_power=(0, 5))
AIR_FLAGS = Flags(U8, calibrating=0, voc_low=(6, 1), nox_low=(7, 1))

_CLIMATE = ("temperature_c" / TEMPERATURE, "humidity_pct" / HUMIDITY, "pressure_pa" / PRESSURE)
_TAIL = (
    POWER,
    "movement_count" / Nullable(U8, 0xFF),
    "sequence" / Nullable(U16BE, 0xFFFF),
    "mac" / Mac,
)

LAYOUTS: dict[int, tuple[int, type[Fields], Codec]] = {
    0x03: (14, Raw1, Record(
        "_format" / Const(b"\x03"),
        "humidity_pct" / Scaled(U8, 0.5),
        Flags(U8, negative=7, whole_degrees=(0, 7)), "hundredths" / U8,
        "pressure_pa" / Scaled(U16BE, 1, offset=50000),
        "accel_x_mg" / S16BE, "accel_y_mg" / S16BE, "accel_z_mg" / S16BE,
        "battery_mv" / U16BE,
    )),
    0x05: (24, Motion, Record(
        "_format" / Const(b"\x05"), *_CLIMATE,
        "accel_x_mg" / ACCELERATION, "accel_y_mg" / ACCELERATION, "accel_z_mg" / ACCELERATION, *_TAIL,
    )),
    0xC5: (18, Cut, Record("_format" / Const(b"\xc5"), *_CLIMATE, *_TAIL)),
    0x06: (20, AirLegacy, Record(
        "_format" / Const(b"\x06"), *_CLIMATE,
        "pm2_5_ug_m3" / DUST, "co2_ppm" / CO2, "voc_high" / U8, "nox_high" / U8, "light_code" / U8,
        "_reserved" / Reserved(1), "sequence" / U8, AIR_FLAGS, "mac_low3" / Hex(3),
    )),
    0xE1: (40, Air, Record(
        "_format" / Const(b"\xe1"), *_CLIMATE,
        "pm1_0_ug_m3" / DUST, "pm2_5_ug_m3" / DUST, "pm4_0_ug_m3" / DUST, "pm10_ug_m3" / DUST, "co2_ppm" / CO2,
        "voc_high" / U8, "nox_high" / U8, "luminosity_lux" / Scaled(U24BE, 0.01, null=0xFFFFFF),
        "_reserved_1" / Reserved(3), "sequence" / Nullable(U24BE, 0xFFFFFF), AIR_FLAGS,
        "_reserved_2" / Reserved(5), "mac" / Mac,
    )),
}  # fmt: skip

_NO_MAC = "ff:ff:ff:ff:ff:ff"
_LUX_STEP = math.log(65536) / 254


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `format` at 0. Values beyond the nominal range are kept."""
    form = reader.select(1)[0]
    if form not in LAYOUTS:
        reader.fatal("format", 0, f"data format {form:#04x} is not 03, 05, 06, c5 or e1")
    size, kind, codec = LAYOUTS[form]
    reader.length(size)
    raw = reader.read(codec)
    for convert in (_climate_v1, _power, _indices, _light, _address):
        convert(raw)
    fields: Fields = as_fields(kind, {"format": form, **raw})
    return fields


def _climate_v1(raw: dict[str, Any]) -> None:
    if "negative" in raw:
        sign = -1 if raw.pop("negative") else 1
        raw["temperature_c"] = sign * round(
            raw.pop("whole_degrees") + raw.pop("hundredths") / 100, 2
        )


def _power(raw: dict[str, Any]) -> None:
    if "battery" in raw:
        battery, power = raw.pop("battery"), raw.pop("tx_power")
        raw["battery_mv"] = None if battery == 2047 else battery + 1600
        raw["tx_power_dbm"] = None if power == 31 else power * 2 - 40


def _indices(raw: dict[str, Any]) -> None:
    for name in ("voc", "nox"):
        if f"{name}_high" in raw:
            index = raw.pop(f"{name}_high") << 1 | raw.pop(f"{name}_low")
            raw[f"{name}_index"] = None if index == 511 else index


def _light(raw: dict[str, Any]) -> None:
    if "light_code" in raw:
        code = raw.pop("light_code")
        raw["luminosity_lux"] = None if code == 255 else round(math.exp(code * _LUX_STEP) - 1, 2)


def _address(raw: dict[str, Any]) -> None:
    if raw.get("mac") == _NO_MAC:
        raw["mac"] = None
    if "mac_low3" in raw:
        raw["mac_low3"] = bytes.fromhex(raw["mac_low3"]).hex(":")


def encode(fields: Any, keys: Keys) -> bytes:
    """Octets of one of the five formats."""
    raw: dict[str, Any] = msgspec.structs.asdict(fields)
    form = fields.__struct_config__.tag
    if form == 0x03:
        hundredths = round(abs(fields.temperature_c) * 100)
        raw |= {
            "negative": fields.temperature_c < 0,
            "whole_degrees": hundredths // 100,
            "hundredths": hundredths % 100,
        }
    if "tx_power_dbm" in raw:
        raw["battery"] = 2047 if fields.battery_mv is None else fields.battery_mv - 1600
        raw["tx_power"] = 31 if fields.tx_power_dbm is None else (fields.tx_power_dbm + 40) // 2
    for name in ("voc", "nox"):
        if f"{name}_index" in raw:
            index = 511 if raw[f"{name}_index"] is None else raw[f"{name}_index"]
            raw |= {f"{name}_high": index >> 1, f"{name}_low": index & 1}
    if form == 0x06:
        lux = fields.luminosity_lux
        raw["light_code"] = 255 if lux is None else round(math.log(lux + 1) / _LUX_STEP)
        raw["mac_low3"] = fields.mac_low3.replace(":", "")
    if "mac" in raw and raw["mac"] is None:
        raw["mac"] = _NO_MAC
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
        Example(
            "0512fc5394c37c0004fffc040cac364200cdcbb8334c884f", note="format 5, all values present"
        ),
        Example(
            "058000ffffffff800080008000ffffffffffffffffffffff", note="format 5, nothing available"
        ),
    ),
)
