"""BTHome v2 (service data, UUID 0xFCD2), plain and encrypted; little-endian.

bthome.io, "Format (v2)" and "Encryption". The objects are in `protocols/data/bthome.py`. A fault inside an object is
reported at the object's id; an unknown id ends the walk, because its length is unknown. Whether a packet is a
repetition is the receiver's affair: `is_new_packet`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.data.bthome import BUTTON, DIMMER, OBJECTS
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
    S8,
    S16LE,
    S32LE,
    U8,
    U16LE,
    U24LE,
    U32LE,
    Body,
    Choice,
    Codec,
    Coded,
    Flags,
    Hex,
    MacLE,
    Octets,
    Record,
    Records,
    Scaled,
    Text,
    When,
    build,
)

KEYS = ("service_data/fcd2",)

_VERSION = 2
_UUID_AS_SENT = b"\xd2\xfc"
_TRAILER = 8
"""octets of counter (4) and MIC (4)."""
_NUMBERS: dict[str, Codec] = {
    "u8": U8, "u16": U16LE, "u24": U24LE, "u32": U32LE, "s8": S8, "s16": S16LE, "s32": S32LE,
}  # fmt: skip
_SINGLE: dict[str, Codec] = {
    "bool": Coded(U8, {0: False, 1: True}, code="event_code"),
    "button": Coded(U8, BUTTON, code="event_code"),
    "text": Body(U8, Text(code="text_utf8"), "object_truncated"),
    "raw": Body(U8, Hex(REST), "object_truncated"),
}


class Object(Fields, frozen=True):
    """One object; the name and the type of the value follow from the id."""

    id: int
    name: str
    value: bool | int | float | str | None
    """None: this button or dimmer did nothing."""
    steps: int | UnsetType = UNSET
    """dimmer only."""


class BtHome(Fields, frozen=True):
    """One packet. Encrypted without the key: `ciphertext` and `mic` stand for the objects."""

    version: int
    encrypted: bool
    trigger_based: bool
    mac: str | UnsetType = UNSET
    counter: int | UnsetType = UNSET
    objects: list[Object] | UnsetType = UNSET
    ciphertext: str | UnsetType = UNSET
    mic: str | UnsetType = UNSET


def _value(name: str, kind: str, factor: float) -> Codec:
    """What follows an id: a record whose first member is called as the object is."""
    if kind == "dimmer":
        both = Record(name / Coded(U8, DIMMER, code="event_code"), "steps" / U8)
        return Record(Body(lambda _: 2, both, "object_truncated"))
    if kind in _SINGLE:
        return Record(name / _SINGLE[kind])
    number = _NUMBERS[kind]
    return Record(name / (number if factor == 1 else Scaled(number, factor)))


OBJECT = Record(
    "id" / Coded(U8, {number: number for number in OBJECTS}, code="unknown_object"),
    Choice(
        lambda f: getattr(f, "id", None),
        {number: _value(*row) for number, row in OBJECTS.items()},
        Record(),
    ),
)
_OBJECTS = "objects" / Records(OBJECT, "object_truncated", stop=("unknown_object",))
_HEAD = (
    Flags(U8, encrypted=0, _mac_included=1, trigger_based=2, _reserved=(3, 2), version=(5, 3)),
    "mac" / When(lambda f: f._mac_included, MacLE),
)
HEAD = Record(*_HEAD)
PLAIN = Record(*_HEAD, _OBJECTS)
SEALED = Record(*_HEAD, "sealed" / Octets(REST))
CONTENT = Record(_OBJECTS)
CIPHERTEXT = Record("ciphertext" / Hex(REST))
TRAILER = Record("counter" / U32LE, "mic" / Hex(4))


def decode(reader: Reader) -> BtHome:
    """Codes: `frame_length`, `version` at 0, `mic`; `object_truncated`, `unknown_object`, `text_utf8` and
    `event_code` at the object. Info bits 3 and 4 are in the tree only.
    """
    info = reader.select(1)[0]
    if info >> 5 != _VERSION:
        reader.fatal("version", 0, f"BTHome version {info >> 5}, only {_VERSION} is defined")
    if info & 1:
        raw = reader.read(SEALED)
        _open(reader, raw, raw.pop("sealed"))
    else:
        raw = reader.read(PLAIN)
    if "objects" in raw:
        raw["objects"] = [_named(item) for item in raw["objects"]]
    fields: BtHome = as_fields(BtHome, raw)
    return fields


def _named(item: dict[str, Any]) -> dict[str, Any]:
    name = OBJECTS[item["id"]][0]
    return {"name": name, "value": item.pop(name), **item}


def _open(reader: Reader, raw: dict[str, Any], sealed: bytes) -> None:
    """Put counter and objects (or ciphertext and MIC) into `raw`, and the parts into the tree."""
    if len(sealed) < _TRAILER:
        reader.fatal("frame_length", None, f"{len(sealed)} encrypted octets, needs {_TRAILER}")
    reader.walk.nodes.pop()
    base, end = len(reader.data) - len(sealed), len(reader.data) - _TRAILER
    content, trailer = sealed[:-_TRAILER], sealed[-_TRAILER:]
    clear = _decrypt(reader, raw.get("mac"), content, trailer)
    if clear is None:
        raw |= reader.read(CIPHERTEXT, content, base=base)
    else:
        raw |= reader.read(CONTENT, clear, base=base)
    tail = reader.read(TRAILER, trailer, base=end)
    raw["counter"] = tail["counter"]
    if clear is None:
        raw["mic"] = tail["mic"]


def _decrypt(reader: Reader, mac: Any, content: bytes, trailer: bytes) -> bytes | None:
    """The objects in clear, None without key or address."""
    key, address = reader.keys.octets("bindkey", 16), _address(mac, reader.keys)
    if key is None or address is None:
        return None
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    nonce = address + _UUID_AS_SENT + reader.data[:1] + trailer[:4]
    try:
        return AESCCM(key, tag_length=4).decrypt(nonce, content + trailer[4:], None)
    except InvalidTag:
        reader.fatal("mic", None, "the tag does not match under this bindkey and address")


def _address(mac: Any, keys: Keys) -> bytes | None:
    """Address in reading order: that of the packet, else that of the context."""
    return bytes.fromhex(mac.replace(":", "")) if isinstance(mac, str) else keys.octets("mac", 6)


def encode(fields: BtHome, keys: Keys) -> bytes:
    """Octets of a packet; info bits 3 and 4 are sent as zero, values go to the nearest step of their object.

    Encrypted: `objects` with `bindkey` and the address (in the packet or in the context), or `ciphertext`
    and `mic` as they stand.
    """
    for name in ("counter", "ciphertext", "mic"):
        if getattr(fields, name) is not UNSET and not fields.encrypted:
            raise EncodeError(name, "is given, but the packet is not encrypted")
    if fields.version != _VERSION:
        raise EncodeError("version", f"{fields.version}: only {_VERSION} is defined")
    raw = {
        **msgspec.structs.asdict(fields),
        "_reserved": 0,
        "_mac_included": fields.mac is not UNSET,
    }
    head = build(HEAD, raw)
    if fields.objects is UNSET and fields.ciphertext is not UNSET:
        return head + build(CIPHERTEXT, raw) + build(TRAILER, raw)
    if fields.objects is UNSET:
        raise EncodeError("objects", "is missing")
    if fields.ciphertext is not UNSET or fields.mic is not UNSET:
        raise EncodeError("ciphertext", "is given beside the objects; give one of them")
    clear = b"".join(_object(f"objects[{n}]", item) for n, item in enumerate(fields.objects))
    return head + (_seal(head, raw, clear, keys) if fields.encrypted else clear)


def _seal(head: bytes, raw: dict[str, Any], clear: bytes, keys: Keys) -> bytes:
    counter = build(TRAILER, {**raw, "mic": "00000000"})[:4]
    key, address = keys.need("bindkey", 16), _address(raw["mac"], keys)
    if address is None:
        raise EncodeError("mac", "is missing, and so is context.mac")
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    nonce = address + _UUID_AS_SENT + head[:1] + counter
    sealed = AESCCM(key, tag_length=4).encrypt(nonce, clear, None)
    return sealed[:-4] + counter + sealed[-4:]


def _object(path: str, item: Object) -> bytes:
    """Octets of one object. Raises EncodeError when name, value or steps do not belong to the id."""
    if item.id not in OBJECTS:
        raise EncodeError(f"{path}.id", f"{item.id:#04x} is no BTHome object")
    name, kind, _ = OBJECTS[item.id]
    if item.name != name:
        raise EncodeError(f"{path}.name", f"object {item.id:#04x} is called {name}")
    if item.steps is not UNSET and kind != "dimmer":
        raise EncodeError(f"{path}.steps", "only a dimmer has steps")
    value = item.value
    if not isinstance(value, _python_types(kind)) or isinstance(value, bool) != (kind == "bool"):
        raise EncodeError(f"{path}.value", f"{value!r} is no value of {name} ({kind})")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return build(OBJECT, {"id": item.id, name: value, "steps": item.steps})
    except EncodeError as exc:
        place = exc.path if exc.path == "steps" else "value"
        raise EncodeError(f"{path}.{place}", exc.message) from None


def _python_types(kind: str) -> tuple[type, ...]:
    if kind in ("button", "dimmer"):
        return (str, type(None))
    if kind in ("text", "raw"):
        return (str,)
    return (bool,) if kind == "bool" else (int, float)


def is_new_packet(packet_id: int, last_id: int | None, since_last_us: int) -> bool:
    """Whether a receiver takes a packet: its `packet_id` is 1 to 63 ahead of the last (modulo 256), or the last
    came more than 4 s ago, or there was none.
    """
    if last_id is None or since_last_us > 4_000_000:
        return True
    return 1 <= (packet_id - last_id) % 256 <= 63


_KEY = {"bindkey": "231d39c1d7cc1ab1aee224cd096db932", "mac": "5448e68f80a5"}

FORMAT = Format(
    name="bthome-v2",
    title="BTHome v2",
    source="bthome.io, Format (v2) and Encryption",
    fields=BtHome,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("40002e01641e012e34451601", note="Shelly H&T: packet id, battery, light, climate"),
        Example("42b2188d38c1a404138a01", note="address in the packet"),
        Example("403a003a013a033c0103", note="three buttons and a dimmer"),
        Example("44530c48656c6c6f20576f726c642154020aff", note="text and raw octets"),
        Example("41a47266c95f730011223378237214", context=_KEY, note="encrypted"),
        Example("43a5808fe64854f196c06ffb4900112233f08ecbde", context=_KEY, note="both"),
        Example("41a47266c95f730011223378237214", note="encrypted, without the key"),
        Example("40", note="no objects"),
    ),
)
