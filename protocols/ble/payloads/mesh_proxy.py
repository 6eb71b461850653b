"""Mesh Proxy Service adverts of a provisioned node (service data, UUID 0x1828).

Mesh Protocol 1.1, section 7.2.2.2: network ID, node identity and their private forms. The hashes are not checked;
`protocols.ble.mesh_crypto` computes them. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.format import Example, Fields, Format, Keys, Reader, as_fields
from protocols.layout import U8, Codec, Hex, Record, build

KEYS = ("service_data/1828",)


class NetworkId(Fields, frozen=True, tag_field="identification_type", tag=0):
    """The network this node serves."""

    network_id: str


class NodeIdentity(Fields, frozen=True, tag_field="identification_type", tag=1):
    """This node, to those who hold the identity key."""

    hash: str
    random: str


class PrivateNetworkIdentity(Fields, frozen=True, tag_field="identification_type", tag=2):
    """The network, to those who hold its key."""

    hash: str
    random: str


class PrivateNodeIdentity(Fields, frozen=True, tag_field="identification_type", tag=3):
    """This node, to those who hold the identity key; tells nothing to others."""

    hash: str
    random: str


_TYPE = "identification_type" / U8
_HASHED = Record(_TYPE, "hash" / Hex(8), "random" / Hex(8))

LAYOUTS: dict[int, tuple[int, type[Fields], Codec]] = {
    0: (9, NetworkId, Record(_TYPE, "network_id" / Hex(8))),
    1: (17, NodeIdentity, _HASHED),
    2: (17, PrivateNetworkIdentity, _HASHED),
    3: (17, PrivateNodeIdentity, _HASHED),
}


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `frame_type` at 0."""
    kind_code = reader.select(1)[0]
    if kind_code not in LAYOUTS:
        reader.fatal("frame_type", 0, f"identification type {kind_code:#04x} is not 00 to 03")
    size, kind, codec = LAYOUTS[kind_code]
    reader.length(size)
    fields: Fields = as_fields(kind, reader.read(codec))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """Octets of one of the four adverts."""
    tag = fields.__struct_config__.tag
    return build(LAYOUTS[tag][2], {**msgspec.structs.asdict(fields), "identification_type": tag})


FORMAT = Format(
    name="mesh-proxy",
    title="Bluetooth Mesh proxy service advert",
    source="Bluetooth Mesh Protocol 1.1, 7.2.2.2",
    fields=NetworkId | NodeIdentity | PrivateNetworkIdentity | PrivateNodeIdentity,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("003ecaff672f673370", note="network ID (specification sample 8.6.1)"),
        Example(
            "0100861765aefcc57b34ae608fbbc1f2c6", note="node identity (specification sample 8.6.2)"
        ),
        Example("0200861765aefcc57b34ae608fbbc1f2c6", note="private network identity"),
        Example(
            "032c64a8cbca65bfe134ae608fbbc1f2c6",
            note="private node identity (specification sample 8.6.4)",
        ),
    ),
)
