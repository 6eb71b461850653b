"""Extended advertising payload: between the layout's raw numbers and the typed values.

Core Specification 5.4 Vol 6 Part B clause 2.3.4. Reserved bits are not carried by the values. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from protocols.ble.ll_fields import AuxPointer, CteInfo, Extended, SyncInfo
from protocols.ble.ll_layout import EXTENDED, EXTENDED_HEADER, PHYS
from protocols.errors import EncodeError
from protocols.layout import build

__all__ = ["cte_raw", "cte_value", "extended_name", "extended_octets", "extended_values"]

_MAP_BITS = 37
_CTE_UNIT_US = 8
_PHY_NUMBERS = {name: number for number, name in PHYS.items()}


def phy_name(number: int) -> str:
    """A PHY by its number; reserved ones as "reserved 3"."""
    return PHYS.get(number, f"reserved {number}")


def phy_number(name: str, path: str) -> int:
    """The inverse of `phy_name`. Raises EncodeError."""
    if name in _PHY_NUMBERS:
        return _PHY_NUMBERS[name]
    word, _, digits = name.partition(" ")
    if word == "reserved" and digits.isdigit():
        return int(digits)
    raise EncodeError(path, f"{name!r} is not one of {', '.join(_PHY_NUMBERS)}")


def cte_value(raw: dict[str, Any]) -> CteInfo:
    """CTEInfo of its bit fields."""
    return CteInfo(time_us=raw["time"] * _CTE_UNIT_US, kind=raw["kind"])


def cte_raw(value: CteInfo) -> dict[str, Any]:
    """Bit fields of CTEInfo. Raises EncodeError."""
    return {
        "time": _steps(value.time_us, _CTE_UNIT_US, "cte_info.time_us"),
        "kind": value.kind,
        "reserved": 0,
    }


def extended_values(raw: dict[str, Any]) -> dict[str, Any]:
    """Members of `Extended` from what the layout gives; reserved bits and the presence flags fall away."""
    names = (
        "adv_mode",
        "adv_address",
        "target_address",
        "did",
        "sid",
        "tx_power_dbm",
        "acad",
        "data",
    )
    out = {name: raw[name] for name in names if name in raw}
    if "cte_info" in raw:
        out["cte_info"] = cte_value(raw["cte_info"])
    if "aux_pointer" in raw:
        out["aux_pointer"] = _aux_value(raw["aux_pointer"])
    if "sync_info" in raw:
        out["sync_info"] = _sync_value(raw["sync_info"])
    return out


def extended_name(raw: dict[str, Any], *, is_primary: bool | None) -> str:
    """Which PDU of type 7 this is, as far as its own octets and its channel tell (None: channel unknown).

    On primary channels only ADV_EXT_IND; it alone has neither data nor a sure sign of another. Without a
    capture's word AUX_SCAN_RSP looks like a non-connectable AUX_ADV_IND and is called so; a packet with ADI
    and no address is taken for a chain.
    """
    if is_primary or (is_primary is None and not raw["data"] and "acad" not in raw):
        return "ADV_EXT_IND"
    anonymous = "adv_address" not in raw and "target_address" not in raw
    if anonymous and "sync_info" not in raw and raw["adv_mode"] == 0:
        return "AUX_CHAIN_IND"
    return "AUX_ADV_IND"


def extended_octets(fields: Extended) -> bytes:
    """The payload of an extended PDU. Raises EncodeError with the path."""
    raw = _raw(fields)
    present = any(raw[name] for name in raw if name.startswith("has_")) or fields.acad is not UNSET
    header = build(EXTENDED_HEADER, raw) if present else b""
    raw |= {"header_length": len(header), "adv_mode": fields.adv_mode, "data": fields.data}
    return build(EXTENDED, raw)


def _raw(fields: Extended) -> dict[str, Any]:
    if (fields.did is UNSET) != (fields.sid is UNSET):
        raise EncodeError(
            "did" if fields.did is UNSET else "sid", "is missing: did and sid go together"
        )
    raw: dict[str, Any] = {
        "has_adv": fields.adv_address is not UNSET,
        "has_target": fields.target_address is not UNSET,
        "has_cte": fields.cte_info is not UNSET,
        "has_adi": fields.did is not UNSET,
        "has_aux": fields.aux_pointer is not UNSET,
        "has_sync": fields.sync_info is not UNSET,
        "has_power": fields.tx_power_dbm is not UNSET,
        "reserved": 0,
    }
    for name in ("adv_address", "target_address", "did", "sid", "tx_power_dbm", "acad"):
        if getattr(fields, name) is not UNSET:
            raw[name] = getattr(fields, name)
    if fields.cte_info is not UNSET:
        raw["cte_info"] = cte_raw(fields.cte_info)
    if fields.aux_pointer is not UNSET:
        raw["aux_pointer"] = _aux_raw(fields.aux_pointer)
    if fields.sync_info is not UNSET:
        raw["sync_info"] = _sync_raw(fields.sync_info)
    return raw


def _unit(raw: dict[str, Any]) -> Any:
    return 300 if raw["long_units"] else 30


def _aux_value(raw: dict[str, Any]) -> AuxPointer:
    return AuxPointer(
        channel=raw["channel"],
        offset_us=raw["offset"] * _unit(raw),
        offset_unit_us=_unit(raw),
        clock_accuracy_ppm=50 if raw["accurate"] else 500,
        phy=phy_name(raw["phy"]),
    )


def _aux_raw(value: AuxPointer) -> dict[str, Any]:
    return {
        "channel": value.channel,
        "accurate": value.clock_accuracy_ppm == 50,
        "long_units": value.offset_unit_us == 300,
        "offset": _steps(value.offset_us, value.offset_unit_us, "aux_pointer.offset_us"),
        "phy": phy_number(value.phy, "aux_pointer.phy"),
    }


def _sync_value(raw: dict[str, Any]) -> SyncInfo:
    number = int.from_bytes(bytes.fromhex(raw["map_and_clock"]), "little")
    channels = (number & ((1 << _MAP_BITS) - 1)).to_bytes(5, "little").hex()
    return SyncInfo(
        offset_us=raw["offset"] * _unit(raw),
        offset_unit_us=_unit(raw),
        offset_adjusted=raw["adjusted"],
        interval_ms=raw["interval_ms"],
        channel_map=channels,
        sleep_clock_accuracy=number >> _MAP_BITS,
        access_address=raw["access_address"],
        crc_init=raw["crc_init"],
        event_counter=raw["event_counter"],
    )


def _sync_raw(value: SyncInfo) -> dict[str, Any]:
    if not 0 <= value.sleep_clock_accuracy < 8:
        raise EncodeError("sync_info.sleep_clock_accuracy", "does not fit in 3 bits")
    try:
        channels = int.from_bytes(bytes.fromhex(value.channel_map), "little")
    except ValueError:
        raise EncodeError(
            "sync_info.channel_map", f"{value.channel_map!r} is not hexadecimal"
        ) from None
    if channels >> _MAP_BITS:
        raise EncodeError("sync_info.channel_map", "has channels above 36")
    return {
        "offset": _steps(value.offset_us, value.offset_unit_us, "sync_info.offset_us"),
        "long_units": value.offset_unit_us == 300,
        "adjusted": value.offset_adjusted,
        "reserved": 0,
        "interval_ms": value.interval_ms,
        "map_and_clock": (channels | value.sleep_clock_accuracy << _MAP_BITS)
        .to_bytes(5, "little")
        .hex(),
        "access_address": value.access_address,
        "crc_init": value.crc_init,
        "event_counter": value.event_counter,
    }


def _steps(value_us: int, unit_us: int, path: str) -> int:
    if value_us % unit_us:
        raise EncodeError(path, f"{value_us} us is no multiple of {unit_us} us")
    return value_us // unit_us
