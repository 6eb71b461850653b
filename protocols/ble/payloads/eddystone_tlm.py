"""Eddystone-TLM frame, plain (service data FEAA, octets 0x20 0x00).

Eddystone-TLM specification, "Unencrypted TLM": 14 octets exactly. Battery 0 and temperature 0x8000 mean "not
supported"; uptime counts 0.1 s. Strict single-frame variant of `eddystone`, which composes it.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.ble.payloads._eddystone import COUNTER, need_frame, need_zero_nibble
from protocols.errors import EncodeError
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    UnsetType,
    as_fields,
)
from protocols.layout import S16BE, U8, U16BE, U32BE, Const, Nullable, Record, Scaled, build

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BODY",
    "FORMAT",
    "KEYS",
    "READINGS",
    "Readings",
    "Tlm",
    "build_readings",
    "decode",
    "encode",
    "tlm_frame",
]

KEYS = ()


class Readings(Fields, frozen=True):
    """Telemetry values; None = the beacon does not measure it."""

    battery_mv: int | None
    temperature_c: float | None
    adv_count: int
    uptime_s: float


class Tlm(Fields, frozen=True, tag_field="frame", tag="tlm"):
    """Plain telemetry; of an unknown version a lenient decoder gives the version only."""

    version: int = 0
    battery_mv: int | UnsetType | None = UNSET
    temperature_c: float | UnsetType | None = UNSET
    adv_count: int | UnsetType = UNSET
    uptime_s: float | UnsetType = UNSET


_READINGS = (
    "battery_mv" / Nullable(U16BE, 0),
    "temperature_c" / Scaled(S16BE, 1 / 256, null=-0x8000),
    "adv_count" / U32BE,
    "uptime_s" / Scaled(U32BE, 0.1),
)
READINGS = Record(*_READINGS)
"""The 12 octets that encrypted telemetry encrypts."""
BODY = ("version" / U8, *_READINGS)
LAYOUT = Record("_frame_type" / Const(b"\x20"), *BODY)
_NO_TEMPERATURE = b"\x80\x00"


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type`, `tlm_version` at 1, `reserved_nonzero` at 0."""
    version = need_frame(reader, 0x2, selector_octets=2)[1]
    if version != 0:
        reader.fault("tlm_version", 1, f"version {version} is not 0")
        return Tlm(version=version)
    reader.length(14)
    need_zero_nibble(reader)
    kept: Tlm = as_fields(Tlm, {"frame": "tlm", **reader.read(LAYOUT)})
    return kept


def build_readings(values: Mapping[str, Any]) -> bytes:
    """The 12 octets of the four values. Raises EncodeError, also for values that read as "not supported"."""
    data = build(READINGS, values)
    if values["battery_mv"] == 0:
        raise EncodeError("battery_mv", "0 is the code for null (not supported)")
    if values["temperature_c"] is not None and data[2:4] == _NO_TEMPERATURE:
        raise EncodeError("temperature_c", "-128 is the code for null (not supported)")
    return data


def encode(fields: Any, keys: Keys) -> bytes:
    """14 octets. 0 mV and -128 °C cannot be told from "not supported" and are refused."""
    if fields.version != 0:
        raise EncodeError("version", f"{fields.version} is not 0")
    values = msgspec.structs.asdict(fields)
    build_readings(values)
    return build(LAYOUT, values)


def tlm_frame(
    battery_mv: int | None, temperature_c: float | None, adv_count: int, uptime_s: float
) -> bytes:
    """The 14-octet frame; count and uptime (in 0.1 s) wrap at 2^32. Raises EncodeError."""
    return encode(
        Tlm(
            battery_mv=battery_mv,
            temperature_c=temperature_c,
            adv_count=adv_count % COUNTER,
            uptime_s=round(uptime_s * 10) % COUNTER / 10,
        ),
        Keys(),
    )


FORMAT = Format(
    name="eddystone-tlm",
    title="Eddystone-TLM: plain telemetry",
    source="Eddystone-TLM specification, unencrypted TLM frame",
    fields=Tlm,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("20000b1847110000146700002ac4", note="2840 mV, 71 °C"),
        Example("2000000080000000000100000001", note="neither battery nor temperature"),
    ),
)
