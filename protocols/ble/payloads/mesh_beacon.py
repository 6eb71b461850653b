"""Bluetooth Mesh beacons (AD type 0x2B): unprovisioned device, secure network, mesh private.

Mesh Protocol 1.1, section 3.10; all big-endian. A private beacon is not opened. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.ble import mesh_crypto
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
from protocols.layout import U8, U16BE, U32BE, Codec, Coded, Flags, Hex, Optional, Record, build

KEYS = ("ad_value/43",)


class Unprovisioned(Fields, frozen=True, tag_field="beacon", tag="unprovisioned"):
    """A device that waits for a provisioner."""

    device_uuid: str
    oob_info: int
    uri_hash: str | UnsetType = UNSET
    """first 4 octets of s1 of the URI AD data."""


class SecureNetwork(Fields, frozen=True, tag_field="beacon", tag="secure_network"):
    """A node that announces its network, the IV index and what is being updated."""

    key_refresh: bool
    iv_update: bool
    network_id: str
    iv_index: int
    auth_value: str | UnsetType = UNSET
    """always decoded; an encoder that has the key computes it."""


class Private(Fields, frozen=True, tag_field="beacon", tag="private"):
    """A secure network beacon whose content only the network can read."""

    random: str
    obfuscated: str
    auth_tag: str


_BEACON = "beacon" / Coded(U8, {0: "unprovisioned", 1: "secure_network", 2: "private"})

LAYOUTS: dict[int, tuple[tuple[int, ...], type[Fields], Codec]] = {
    0x00: ((19, 23), Unprovisioned, Record(
        _BEACON, "device_uuid" / Hex(16), "oob_info" / U16BE, "uri_hash" / Optional(Hex(4)),
    )),
    0x01: ((22,), SecureNetwork, Record(
        _BEACON, Flags(U8, key_refresh=0, iv_update=1, _reserved=(2, 6)),
        "network_id" / Hex(8), "iv_index" / U32BE, "auth_value" / Hex(8),
    )),
    0x02: ((27,), Private, Record(
        _BEACON, "random" / Hex(13), "obfuscated" / Hex(5), "auth_tag" / Hex(8),
    )),
}  # fmt: skip
_BY_TAG = {kind.__struct_config__.tag: codec for _, kind, codec in LAYOUTS.values()}


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `beacon_type` at 0, `mic` of a secure network beacon when its key is given."""
    beacon = reader.select(1)[0]
    if beacon not in LAYOUTS:
        reader.fatal("beacon_type", 0, f"beacon type {beacon:#04x} is not 00, 01 or 02")
    sizes, kind, codec = LAYOUTS[beacon]
    reader.length(*sizes)
    raw = reader.read(codec)
    if beacon == 0x01 and (key := _key(reader.keys)):
        flags, network = reader.data[1], bytes.fromhex(raw["network_id"])
        expected = mesh_crypto.secure_beacon_auth(key, flags, network, raw["iv_index"])
        if expected.hex() != raw["auth_value"]:
            reader.fatal("mic", None, "the authentication value is not that of this network key")
    fields: Fields = as_fields(kind, raw)
    return fields


def _key(keys: Keys) -> bytes | None:
    """Beacon key of the network key in the context, else the beacon key given there."""
    net_key = keys.octets("net_key", 16)
    return keys.octets("beacon_key", 16) if net_key is None else mesh_crypto.beacon_key(net_key)


def encode(fields: Any, keys: Keys) -> bytes:
    """Octets of a beacon; flag bits 2 to 7 are sent as zero. Without `auth_value` a key must be given."""
    tag = fields.__struct_config__.tag
    raw: dict[str, Any] = {**msgspec.structs.asdict(fields), "beacon": tag, "_reserved": 0}
    if raw.get("auth_value") is UNSET:
        key = _key(keys)
        if key is None:
            raise EncodeError("auth_value", "is missing, and so is context.net_key to compute it")
        build(_BY_TAG[tag], {**raw, "auth_value": "00" * 8})  # the other fields are sound
        flags = fields.iv_update << 1 | fields.key_refresh
        network = bytes.fromhex(fields.network_id)
        raw["auth_value"] = mesh_crypto.secure_beacon_auth(
            key, flags, network, fields.iv_index
        ).hex()
    return build(_BY_TAG[tag], raw)


FORMAT = Format(
    name="mesh-beacon",
    title="Bluetooth Mesh beacon",
    source="Bluetooth Mesh Protocol 1.1, 3.10",
    fields=Unprovisioned | SecureNetwork | Private,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example(
            "0070cf7c9732a345b691494810d2e9cbf44020",
            note="unprovisioned (specification sample 8.4.1)",
        ),
        Example(
            "0070cf7c9732a345b691494810d2e9cbf44020d97478b3",
            note="unprovisioned with URI hash (specification sample 8.4.2)",
        ),
        Example(
            "01003ecaff672f673370123456788ea261582f364f6f",
            context={"net_key": "7dd7364cd842ad18c17c2b820c84c3d6"},
            note="secure network (specification sample 8.4.3)",
        ),
        Example(
            "02435f18f85cf78a3121f58478a561e488e7cbf3174f022a514741",
            note="private (specification sample 8.4.6.1)",
        ),
    ),
)
