"""Apple Continuity messages (manufacturer data, company 0x004C): framing only.

Reverse engineered (furiousMAC, "continuity"); what the messages mean changes and is not decoded. A block is
a run of `type, length, data`. Exceptions: type 0x01 has no length octet and 16 data octets; types 0x06 and
0x11 keep a subtype in the top three bits of the length octet. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import EncodeError
from protocols.format import UNSET, Example, Fields, Format, Keys, Reader, UnsetType, as_fields
from protocols.layout import REST, U8, Body, Flags, Hex, Named, Record, Records, When, build

KEYS = ("manufacturer_data/004c",)


class Message(Fields, frozen=True, kw_only=True):
    """One message. Exactly one of `data` and `overflow_bits` is there."""

    type: int
    data: str | UnsetType = UNSET
    """octets after the length octet; every type but 1."""
    overflow_bits: str | UnsetType = UNSET
    """type 1: 16 octets."""
    subtype: int | UnsetType = UNSET
    """types 6 and 17: top three bits of the length octet; 1 when an encoder is not told."""


class Messages(Fields, frozen=True, kw_only=True):
    """All messages of one block, in order."""

    messages: list[Message]


OVERFLOW = 0x01
HOMEKIT = (0x06, 0x11)
NAMES = {
    0x01: "background overflow area", 0x02: "iBeacon", 0x03: "AirPrint", 0x05: "AirDrop", 0x06: "HomeKit",
    0x07: "proximity pairing", 0x08: "Hey Siri", 0x09: "AirPlay target", 0x0A: "AirPlay source",
    0x0B: "magic switch", 0x0C: "Handoff", 0x0D: "tethering target", 0x0E: "tethering source",
    0x0F: "nearby action", 0x10: "nearby info", 0x11: "HomeKit encrypted notification", 0x12: "Find My",
}  # fmt: skip

OVERRUN = "tlv_length_overrun"
MESSAGE = Record(
    "type" / Named(U8, NAMES),
    "overflow_bits" / When(lambda c: c.type == OVERFLOW, Hex(16)),
    When(lambda c: c.type in HOMEKIT, Flags(U8, subtype=(5, 3), _length=(0, 5))),
    "data" / When(lambda c: c.type in HOMEKIT, Body(lambda c: c["_length"], Hex(REST), OVERRUN)),
    "data" / When(lambda c: c.type not in (OVERFLOW, *HOMEKIT), Body(U8, Hex(REST), OVERRUN)),
)
LAYOUT = Record("messages" / Records(MESSAGE, OVERRUN))


def decode(reader: Reader) -> Fields:
    """Code: `tlv_length_overrun` at the message (lenient: the messages before it). No octets: no messages."""
    fields: Fields = as_fields(Messages, reader.read(LAYOUT))
    return fields


def encode(fields: Any, keys: Keys) -> bytes:
    """The messages one after the other."""
    raw = [_raw(message, f"messages[{index}]") for index, message in enumerate(fields.messages)]
    return build(LAYOUT, {"messages": raw})


def _raw(message: Message, path: str) -> dict[str, Any]:
    """Members of MESSAGE; refuses what this type of message does not carry."""
    raw = msgspec.structs.asdict(message)
    surplus = "data" if message.type == OVERFLOW else "overflow_bits"
    if raw[surplus] is not UNSET:
        raise EncodeError(f"{path}.{surplus}", f"has no place in a message of type {message.type}")
    if message.type in HOMEKIT:
        subtype = 1 if message.subtype is UNSET else message.subtype
        raw |= {"_length": _short_length(message.data, f"{path}.data"), "subtype": subtype}
    elif message.subtype is not UNSET:
        raise EncodeError(f"{path}.subtype", f"has no place in a message of type {message.type}")
    return raw


def _short_length(data: str | UnsetType, path: str) -> int:
    """Number of octets of `data`, which must fit the five bits these types have for it."""
    try:
        size = 0 if isinstance(data, UnsetType) else len(bytes.fromhex(data))
    except ValueError:
        raise EncodeError(path, f"{data!r} is not hexadecimal") from None
    if size > 31:
        raise EncodeError(path, f"{size} octets, at most 31 fit in this type")
    return size


FORMAT = Format(
    name="apple-continuity",
    title="Apple Continuity framing",
    source="furiousMAC/continuity, message formats (reverse engineered)",
    fields=Messages,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("10050a1c77f95b", note="nearby info"),
        Example("0156fe8749000000000000000000000000", note="background overflow area"),
        Example("0c0e0012340a0b0c0d0e0f101112131410051b1c77f95b", note="Handoff, then nearby info"),
        Example(
            "1005011c77f95b062d0180e7146a3734060001000102", note="HomeKit behind another message"
        ),
        Example("", note="an empty block"),
    ),
)
