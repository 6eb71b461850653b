"""The pseudo-header that LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR (256) puts before a link-layer packet.

tcpdump.org link-type registry: 10 octets, little-endian. Values whose flag says they are not known read as None and
are written as zero. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any, cast

from msgspec import UNSET

from protocols.ble.ll_extended import phy_name, phy_number
from protocols.ble.ll_fields import PseudoHeader
from protocols.ble.ll_layout import AUX_TYPES, PDU_KINDS
from protocols.errors import EncodeError

__all__ = ["header_raw", "header_value"]

_KINDS = {name: number for number, name in PDU_KINDS.items()}
_AUX = {name: number for number, name in AUX_TYPES.items()}


def header_value(raw: dict[str, Any]) -> PseudoHeader:
    """The header of its raw numbers; its kind is one of PDU_KINDS."""
    auxiliary = raw["kind"] == _KINDS["auxiliary"]
    mic = 0 if auxiliary else raw["aux_type"]
    return PseudoHeader(
        rf_channel=raw["rf_channel"],
        signal_dbm=raw["signal_dbm"] if raw["signal_valid"] else None,
        noise_dbm=raw["noise_dbm"] if raw["noise_valid"] else None,
        access_address_offenses=raw["access_address_offenses"] if raw["offenses_valid"] else None,
        reference_access_address=raw["reference_access_address"]
        if raw["reference_valid"]
        else None,
        kind=PDU_KINDS[raw["kind"]],
        phy=phy_name(raw["phy"]),
        decrypted=raw["decrypted"],
        channel_aliased=raw["channel_aliased"],
        crc_checked=raw["crc_checked"],
        crc_valid=raw["crc_valid"],
        mic_checked=bool(mic & 1),
        mic_valid=bool(mic >> 1),
        aux_type=AUX_TYPES[raw["aux_type"]] if auxiliary else UNSET,
    )


def header_raw(header: PseudoHeader) -> dict[str, Any]:
    """The raw numbers of the header. Raises EncodeError with the path."""
    if header.kind not in _KINDS:
        raise EncodeError("phdr.kind", f"{header.kind!r} is not one of {', '.join(_KINDS)}")
    auxiliary = header.kind == "auxiliary"
    if auxiliary and header.aux_type not in _AUX:
        raise EncodeError("phdr.aux_type", f"is needed here: one of {', '.join(_AUX)}")
    top = (
        _AUX[cast("str", header.aux_type)]
        if auxiliary
        else header.mic_checked | header.mic_valid << 1
    )
    return {
        "rf_channel": header.rf_channel,
        "signal_dbm": header.signal_dbm or 0,
        "noise_dbm": header.noise_dbm or 0,
        "access_address_offenses": header.access_address_offenses or 0,
        "reference_access_address": header.reference_access_address or "00000000",
        "dewhitened": header.dewhitened,
        "signal_valid": header.signal_dbm is not None,
        "noise_valid": header.noise_dbm is not None,
        "decrypted": header.decrypted,
        "reference_valid": header.reference_access_address is not None,
        "offenses_valid": header.access_address_offenses is not None,
        "channel_aliased": header.channel_aliased,
        "kind": _KINDS[header.kind],
        "crc_checked": header.crc_checked,
        "crc_valid": header.crc_valid,
        "aux_type": top,
        "phy": phy_number(header.phy, "phdr.phy"),
    }
