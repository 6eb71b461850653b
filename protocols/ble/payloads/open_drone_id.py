"""Open Drone ID, the broadcast remote identification of drones (service data, UUID 0xFFFA), little-endian.

ASTM F3411-22a and ASD-STAN prEN 4709-002, as laid out in opendroneid-core-c: application code, counter, one message of
25 octets; in extended PDUs a pack of 1 to 9 of them. Times count from 2019-01-01 UTC. No clock, no randomness, no IO.
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
    S8,
    S32LE,
    U8,
    U16LE,
    U32LE,
    Choice,
    Codec,
    Const,
    Fault,
    Flags,
    Hex,
    Named,
    Record,
    Records,
    Reserved,
    Scaled,
    Text,
    When,
    build,
)

KEYS = ("service_data/fffa",)

_APP_CODE = 0x0D
_MESSAGE_SIZE = 25
_PACK = 15
_PACK_HEAD = 5
_MOST_MESSAGES = 9


class Message(Fields, frozen=True, kw_only=True):
    """What every message has. Application code and counter stand in front of the outermost one only."""

    protocol_version: int
    app_code: int | UnsetType = UNSET
    counter: int | UnsetType = UNSET


class BasicId(Message, frozen=True, tag_field="message_type", tag=0):
    """Who: serial number, registration or session id."""

    id_type: int
    ua_type: int
    uas_id: str


class Location(Message, frozen=True, tag_field="message_type", tag=1):
    """Where, and how it moves."""

    status: int
    height_ref_ground: bool
    direction_deg: int | None
    speed_h_m_s: float | None
    speed_v_m_s: float | None
    latitude: float
    longitude: float
    altitude_baro_m: float | None
    altitude_geo_m: float | None
    height_m: float | None
    vert_acc: int
    horiz_acc: int
    baro_acc: int
    speed_acc: int
    timestamp_s: float | None
    """since the full hour."""
    timestamp_acc: int


class Authentication(Message, frozen=True, tag_field="message_type", tag=2):
    """One page of a signature."""

    auth_type: int
    page: int
    auth_data: str
    last_page: int | UnsetType = UNSET
    """page 0 only, as the next two."""
    auth_length: int | UnsetType = UNSET
    auth_timestamp_s: int | UnsetType = UNSET


class SelfId(Message, frozen=True, tag_field="message_type", tag=3):
    """Why it flies, in words."""

    desc_type: int
    desc: str


class System(Message, frozen=True, tag_field="message_type", tag=4):
    """The pilot, and the area of a group flight."""

    operator_location_type: int
    classification_type: int
    operator_latitude: float
    operator_longitude: float
    area_count: int
    area_radius_m: int
    area_ceiling_m: float | None
    area_floor_m: float | None
    category_eu: int
    class_eu: int
    operator_altitude_m: float | None
    system_timestamp_s: int


class OperatorId(Message, frozen=True, tag_field="message_type", tag=5):
    """Registration of the operator."""

    operator_id_type: int
    operator_id: str


Single = BasicId | Location | Authentication | SelfId | System | OperatorId


class Pack(Message, frozen=True, tag_field="message_type", tag=_PACK):
    """Several messages in one extended PDU."""

    messages: list[Single]


MESSAGE_NAMES = {
    0: "basic id", 1: "location", 2: "authentication", 3: "self id", 4: "system", 5: "operator id", _PACK: "pack",
}  # fmt: skip

_ANGLE = Scaled(S32LE, 1e-7)
_ALTITUDE = Scaled(U16LE, 0.5, offset=-1000, null=0)
_FINE_LIMIT_M_S = 63.75
_WEST_DEG = 180
_DIRECTION = Choice(lambda f: bool(f._west), {True: Scaled(U8, 1, offset=_WEST_DEG, null=181)}, U8)
_SPEED = Choice(
    lambda f: bool(f._coarse),
    {True: Scaled(U8, 0.75, offset=_FINE_LIMIT_M_S, null=255)},
    Scaled(U8, 0.25),
)
_HEAD = Flags(U8, protocol_version=(0, 4), message_type=(4, 4, Named(U8, MESSAGE_NAMES)))

BODIES: dict[int, Codec] = {
    0: Record(
        Flags(U8, ua_type=(0, 4), id_type=(4, 4)), "uas_id" / Text(20, pad=b"\0"), "_reserved" / Reserved(3),
    ),
    1: Record(
        Flags(U8, _coarse=0, _west=1, height_ref_ground=2, _unused=3, status=(4, 4)),
        "direction_deg" / _DIRECTION, "speed_h_m_s" / _SPEED, "speed_v_m_s" / Scaled(S8, 0.5, null=126),
        "latitude" / _ANGLE, "longitude" / _ANGLE,
        "altitude_baro_m" / _ALTITUDE, "altitude_geo_m" / _ALTITUDE, "height_m" / _ALTITUDE,
        Flags(U8, horiz_acc=(0, 4), vert_acc=(4, 4)), Flags(U8, speed_acc=(0, 4), baro_acc=(4, 4)),
        "timestamp_s" / Scaled(U16LE, 0.1, null=0xFFFF), Flags(U8, timestamp_acc=(0, 4), _unused_2=(4, 4)),
        "_reserved" / Reserved(1),
    ),
    2: Record(
        Flags(U8, page=(0, 4), auth_type=(4, 4)),
        "last_page" / When(lambda f: f.page == 0, U8),
        "auth_length" / When(lambda f: f.page == 0, U8),
        "auth_timestamp_s" / When(lambda f: f.page == 0, U32LE),
        "auth_data" / Choice(lambda f: f.page == 0, {True: Hex(17)}, Hex(23)),
    ),
    3: Record("desc_type" / U8, "desc" / Text(23, pad=b"\0")),
    4: Record(
        Flags(U8, operator_location_type=(0, 2), classification_type=(2, 3), _unused=(5, 3)),
        "operator_latitude" / _ANGLE, "operator_longitude" / _ANGLE,
        "area_count" / U16LE, "area_radius_m" / Scaled(U8, 10),
        "area_ceiling_m" / _ALTITUDE, "area_floor_m" / _ALTITUDE,
        Flags(U8, class_eu=(0, 4), category_eu=(4, 4)), "operator_altitude_m" / _ALTITUDE,
        "system_timestamp_s" / U32LE, "_reserved" / Reserved(1),
    ),
    5: Record(
        "operator_id_type" / U8, "operator_id" / Text(20, pad=b"\0"), "_reserved" / Reserved(3),
    ),
}  # fmt: skip
"""What follows the first octet of a message, by message type."""

MESSAGE = Record(
    _HEAD,
    Choice(lambda f: f.message_type, BODIES, Fault("frame_type", "cannot stand in a pack")),
)
PACK = Record(
    "_message_size" / Const(bytes((_MESSAGE_SIZE,)), "subtype_length", fatal=False),
    "_count" / U8,
    "messages" / Records(MESSAGE, stop=("frame_type",)),
)
FRAME = Record(
    "app_code" / U8,
    "counter" / U8,
    _HEAD,
    Choice(lambda f: f.message_type, {**BODIES, _PACK: PACK}, Record()),
)


def decode(reader: Reader) -> Fields:
    """Codes: `frame_length`, `app_code` at 0, `frame_type` at 2; in a pack `subtype_length` at 3 and
    `frame_type` at the message. Reserved octets and bits are in the tree only.
    """
    app_code, _, first = reader.select(3)
    if app_code != _APP_CODE:
        reader.fatal("app_code", 0, f"application code {app_code:#04x} is not {_APP_CODE:#04x}")
    kind = first >> 4
    if kind not in MESSAGE_NAMES:
        reader.fatal("frame_type", 2, f"message type {kind} is not defined")
    reader.length(_pack_length(reader) if kind == _PACK else 2 + _MESSAGE_SIZE)
    fields: Fields = as_fields(Single | Pack, reader.read(FRAME))
    return fields


def _pack_length(reader: Reader) -> int:
    """Octets of a pack with as many messages as it says."""
    count = reader.select(_PACK_HEAD)[-1]
    if not 1 <= count <= _MOST_MESSAGES:
        reader.fatal("frame_length", None, f"{count} messages, 1 to {_MOST_MESSAGES} fit")
    return _PACK_HEAD + _MESSAGE_SIZE * count


def encode(fields: Any, keys: Keys) -> bytes:
    """Octets of one message or a pack; reserved bits and octets are zero, numbers go to the nearest step.

    Bit 1 (west) is set for directions of 180 and more, the coarse speed is used above 63.75 m/s.
    """
    raw = _plain(fields, "")
    if raw["app_code"] not in (UNSET, _APP_CODE):
        raise EncodeError("app_code", f"{raw['app_code']} is not {_APP_CODE}")
    if isinstance(fields, Pack):
        if not 1 <= len(fields.messages) <= _MOST_MESSAGES:
            count = len(fields.messages)
            raise EncodeError("messages", f"{count} messages, a pack holds 1 to {_MOST_MESSAGES}")
        raw["messages"] = [_packed(item, n) for n, item in enumerate(fields.messages)]
        raw["_count"] = len(fields.messages)
    return build(FRAME, raw)


def _packed(message: Message, index: int) -> dict[str, Any]:
    path = f"messages[{index}]."
    raw = _plain(message, path)
    for name in ("app_code", "counter"):
        if raw[name] is not UNSET:
            raise EncodeError(path + name, "stands in front of the pack only")
    return raw


def _plain(message: Any, path: str) -> dict[str, Any]:
    """Fields of `message` with what they imply."""
    raw = {**msgspec.structs.asdict(message), "message_type": message.__struct_config__.tag}
    if isinstance(message, Location):
        direction, speed = message.direction_deg, message.speed_h_m_s
        raw["_west"] = direction is None or direction >= _WEST_DEG
        raw["_coarse"] = speed is None or speed > _FINE_LIMIT_M_S
    if isinstance(message, Authentication) and message.page != 0:
        for name in ("last_page", "auth_length", "auth_timestamp_s"):
            if raw[name] is not UNSET:
                raise EncodeError(path + name, "stands on page 0 only")
    return raw


FORMAT = Format(
    name="open-drone-id",
    title="Open Drone ID (remote identification)",
    source="ASTM F3411-22a / ASD-STAN prEN 4709-002, as in opendroneid-core-c",
    fields=Single | Pack,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("0d0002223132333435363738393031323334353637383930000000", note="basic id"),
        Example("0d07122624160a42bf241b6ed1b4b69808ac0870086b54150e0200", note="location"),
        Example(
            "0d00" + "1207b5ff7e" + "0000000000000000" + "000000000000" + "0000" + "ffff" + "0000",
            note="location, nothing available",
        ),
        Example("0d012210022700f0ab01" + b"12345678901234567".hex(), note="authentication, page 0"),
        Example("0d012211" + b"12345678901234567890123".hex(), note="authentication, page 1"),
        Example("0d023200" + b"DronesRUS: Real Estate".hex() + "00", note="self id"),
        Example(
            "0d0342" "04" "a6c0241b" "d2d1b4b6" "2300" "07" "3209" "2308" "24" "0000" "00000000" "00",
            note="system",
        ),
        Example("0d045200" + b"98765432100123456789".hex() + "000000", note="operator id"),
        Example(
            "0d05f21902" "02223132333435363738393031323334353637383930000000" "3200"
            + b"DronesRUS: Real Estate".hex() + "00",
            note="pack of two",
        ),
    ),
)  # fmt: skip
