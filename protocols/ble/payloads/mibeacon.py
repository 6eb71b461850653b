"""Xiaomi MiBeacon (service data, UUID 0xFE95), little-endian.

Xiaomi "MiBeacon" protocol, versions 2 to 5, as read by xiaomi-ble. Encrypted payloads of versions 4 and 5 are opened
with `bindkey` and the address (from the frame, else `mac`); those of older versions stay closed. Objects keep their
data as octets; the tree says what the common ones mean. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

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
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Body,
    Flags,
    Hex,
    MacLE,
    Named,
    Octets,
    Record,
    Records,
    When,
    build,
)

KEYS = ("service_data/fe95",)

OBJECT_NAMES = {
    0x1004: "temperature, s16 0.1 °C",
    0x1006: "humidity, u16 0.1 %",
    0x1007: "light, u24 lux",
    0x1008: "moisture, u8 %",
    0x1009: "conductivity, u16 µS/cm",
    0x100A: "battery, u8 %",
    0x100D: "temperature s16 0.1 °C and humidity u16 0.1 %",
}
"""Common objects by id; all little-endian."""

_IO_CAPABILITY = 1 << 5
_ENCRYPTED_VERSIONS = (4, 5)
_TRAILER = 7
"""octets of the extended counter (3) and the MIC (4)."""
_AAD = b"\x11"


class MiObject(Fields, frozen=True):
    """One object: what was measured, as sent."""

    id: int
    data: str


class MiBeacon(Fields, frozen=True):
    """One frame. `objects` are there when the frame is not encrypted and says that it holds some."""

    version: int
    auth_mode: int
    solicited: bool
    registered: bool
    mesh: bool
    object_included: bool
    capability_included: bool
    mac_included: bool
    encrypted: bool
    product_id: int
    frame_counter: int
    mac: str | UnsetType = UNSET
    capability: int | UnsetType = UNSET
    io_capability: int | UnsetType = UNSET
    objects: list[MiObject] | UnsetType = UNSET
    encrypted_payload: str | UnsetType = UNSET
    """ciphertext, extended counter and MIC."""
    decrypted_payload: str | UnsetType = UNSET
    """the objects in clear, when the key is known."""


CONTROL = Flags(
    U16LE, _old=(0, 3), encrypted=3, mac_included=4, capability_included=5, object_included=6,
    mesh=7, registered=8, solicited=9, auth_mode=(10, 2), version=(12, 4),
)  # fmt: skip
OBJECTS = Records(
    Record(
        "id" / Named(U16LE, OBJECT_NAMES),
        "data" / Body(U8, Hex(REST), "tlv_length_overrun"),
    ),
    "tlv_length_overrun",
)
LAYOUT = Record(
    CONTROL,
    "product_id" / U16LE,
    "frame_counter" / U8,
    "mac" / When(lambda f: f.mac_included, MacLE),
    "capability" / When(lambda f: f.capability_included, U8),
    "io_capability"
    / When(lambda f: f.capability_included and bool(f.capability & _IO_CAPABILITY), U8),
    "objects" / When(lambda f: f.object_included and not f.encrypted, OBJECTS),
    "_ignored" / When(lambda f: not f.object_included and not f.encrypted, Octets(REST)),
    "encrypted_payload" / When(lambda f: f.encrypted, Hex(REST)),
)
_CIPHERTEXT = Record("ciphertext" / Hex(REST))
_SEALED = Record("encrypted_payload" / Hex(REST))
_OPENED = Record("objects" / OBJECTS)
_CLEAR = Record("decrypted_payload" / Hex(REST))
_TAIL = Record("extended_counter" / Hex(3), "mic" / Hex(4))


def decode(reader: Reader) -> MiBeacon:
    """Codes: `frame_length`, `tlv_length_overrun` at the object, `mic` (versions 4 and 5, with the key).

    Octets behind the header that nothing announces are in the tree only.
    """
    raw = reader.read(LAYOUT)
    if raw["encrypted"]:
        sealed = bytes.fromhex(raw["encrypted_payload"])
        if len(sealed) < _TRAILER:
            reader.fatal("frame_length", None, f"{len(sealed)} encrypted octets, needs {_TRAILER}")
        _open(reader, raw, sealed)
    fields: MiBeacon = as_fields(MiBeacon, raw)
    return fields


def _open(reader: Reader, raw: dict[str, Any], sealed: bytes) -> None:
    """Put the parts of the encrypted payload into the tree, and the objects in clear into `raw`."""
    reader.walk.nodes.pop()
    base = len(reader.data) - len(sealed)
    clear = _decrypt(reader, raw, sealed)
    if clear is None:
        reader.read(_CIPHERTEXT, sealed[:-_TRAILER], base=base)
    else:
        raw["decrypted_payload"] = clear.hex()
        reader.read(_OPENED if raw["object_included"] else _CLEAR, clear, base=base)
    reader.read(_TAIL, sealed[-_TRAILER:], base=len(reader.data) - _TRAILER)


def _decrypt(reader: Reader, raw: dict[str, Any], sealed: bytes) -> bytes | None:
    """The objects in clear; None without key and address, or in a version whose cipher is not known."""
    key = reader.keys.octets("bindkey", 16)
    address = _address(raw.get("mac"), reader.keys)
    if key is None or address is None or raw["version"] not in _ENCRYPTED_VERSIONS:
        return None
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    nonce = _nonce(address, raw["product_id"], raw["frame_counter"], sealed[-_TRAILER:-4])
    try:
        return AESCCM(key, tag_length=4).decrypt(nonce, sealed[:-_TRAILER] + sealed[-4:], _AAD)
    except InvalidTag:
        reader.fatal("mic", None, "the tag does not match under this bindkey and address")


def _address(mac: Any, keys: Keys) -> bytes | None:
    """Address in reading order: that of the frame, else that of the context."""
    return bytes.fromhex(mac.replace(":", "")) if isinstance(mac, str) else keys.octets("mac", 6)


def _nonce(address: bytes, product_id: int, frame_counter: int, extended: bytes) -> bytes:
    return address[::-1] + product_id.to_bytes(2, "little") + bytes((frame_counter,)) + extended


def encode(fields: MiBeacon, keys: Keys) -> bytes:
    """Octets of a frame; frame control bits 0 to 2 are sent as zero.

    Encrypted: with `bindkey` and the address, `decrypted_payload` is sealed with the extended counter of
    `encrypted_payload` (or `extended_counter` of the context, 3 octets as sent). Without, `encrypted_payload` is
    sent as it stands.
    """
    io_included = isinstance(fields.capability, int) and fields.capability & _IO_CAPABILITY
    for name, there in (
        ("mac", fields.mac_included),
        ("capability", fields.capability_included),
        ("io_capability", io_included),
        ("objects", fields.object_included and not fields.encrypted),
        ("encrypted_payload", fields.encrypted),
        ("decrypted_payload", fields.encrypted),
    ):
        if getattr(fields, name) is not UNSET and not there:
            raise EncodeError(name, "is given, but the flags say that it is not there")
    raw: dict[str, Any] = {**msgspec.structs.asdict(fields), "_old": 0, "_ignored": b""}
    if fields.encrypted:
        build(LAYOUT, {**raw, "encrypted_payload": ""})  # the other fields are sound
        raw["encrypted_payload"] = _sealed(fields, keys).hex()
    return build(LAYOUT, raw)


def _sealed(fields: MiBeacon, keys: Keys) -> bytes:
    """Ciphertext, extended counter and MIC."""
    given = build(_SEALED, fields) if fields.encrypted_payload is not UNSET else None
    if given is not None and len(given) < _TRAILER:
        raise EncodeError("encrypted_payload", f"needs {_TRAILER} octets or more")
    key = keys.octets("bindkey", 16)
    if given is not None and (key is None or fields.decrypted_payload is UNSET):
        return given
    if fields.decrypted_payload is UNSET:
        raise EncodeError("encrypted_payload", "is missing, and so is decrypted_payload")
    if fields.version not in _ENCRYPTED_VERSIONS:
        raise EncodeError("version", f"{fields.version}: only versions 4 and 5 can be encrypted")
    address = _address(fields.mac, keys)
    if address is None:
        raise EncodeError("mac", "is missing, and so is context.mac")
    extended = given[-_TRAILER:-4] if given else keys.need("extended_counter", 3)
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    nonce = _nonce(address, fields.product_id, fields.frame_counter, extended)
    cipher = AESCCM(keys.need("bindkey", 16), tag_length=4)
    sealed = cipher.encrypt(nonce, build(_CLEAR, fields), _AAD)
    return sealed[:-4] + extended + sealed[-4:]


FORMAT = Format(
    name="mibeacon",
    title="Xiaomi MiBeacon",
    source="Xiaomi MiBeacon protocol v2 to v5, as implemented by xiaomi-ble",
    fields=MiBeacon,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("5020aa01a3bf2e3b342d580d1004b4009502", note="temperature and humidity in clear"),
        Example("30009800016655443322112001", note="MAC, capability with IO capability"),
        Example("40205b0501041002f6000610022c01", note="two objects"),
        Example(
            "58585b0550f4830238c1a495ef58763c26000097e2abb5",
            context={"bindkey": "e9ea895fac7cca6d30532432a516f3a8", "mac": "a4c1380283f4"},
            note="version 5, encrypted",
        ),
        Example("58585b0550f4830238c1a495ef58763c26000097e2abb5", note="the same without key"),
    ),
)
