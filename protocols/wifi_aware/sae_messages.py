"""SAE messages as bodies of Authentication frames, the way PASN wraps them: commit and confirm.

IEEE 802.11-2020 12.4.7.3 to 12.4.7.6 and 9.3.3.11; IEEE 802.11az-2022, PASN. How many octets scalar and
element take follows from the group; a group without a known curve keeps its octets. With status 126 (hash to
element) what follows the element stands in element containers; otherwise octets before the scalar are an
anti-clogging token. Offsets count from the first octet of the outer body. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.errors import EncodeError
from protocols.layout import REST, U8, U16LE, Hex, Mapped, Optional, Record, Records, build
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.suites import ALGORITHMS, COORDINATE, GROUP, STATUS
from protocols.wifi_aware.vocabulary import UNSET, Body, HexText, Int8, Int16, UnsetType, Words

if TYPE_CHECKING:
    from protocols.format import Reader

__all__ = ["ALGORITHM", "HEAD_OCTETS", "Container", "SaeMessage", "decode", "encode", "strategy"]

ALGORITHM = 3
HEAD_OCTETS = 6
_COMMIT, _CONFIRM = 1, 2
_TOKEN_REQUIRED, _HASH_TO_ELEMENT = 76, 126
_ELEMENT = 0xFF
_CONTAINERS = {0x21: "password identifier", 0x5C: "rejected groups", 0x5D: "anti-clogging token"}


class Container(Body, frozen=True, kw_only=True):
    """An element behind a commit."""

    id: Int8
    octets: HexText
    """with the ID extension as the first one."""


class SaeMessage(Body, frozen=True, kw_only=True):
    """Commit (transaction 1) or confirm (2); what is UNSET is not in the octets."""

    algorithm: Int16 = ALGORITHM
    transaction: Int16
    status: Int16
    """126 in a commit: the password element comes from hash to element."""
    group: Int16 | UnsetType = UNSET
    token: HexText | UnsetType = UNSET
    scalar: HexText | UnsetType = UNSET
    """big-endian."""
    element_x: HexText | UnsetType = UNSET
    element_y: HexText | UnsetType = UNSET
    containers: list[Container] | UnsetType = UNSET
    send_confirm: Int16 | UnsetType = UNSET
    confirm: HexText | UnsetType = UNSET
    octets: HexText | UnsetType = UNSET
    """of a message whose form is not known."""


def _contained(text: str) -> str | None:
    return _CONTAINERS.get(int(text[:2], 16)) if text else None


def _container_name(value: Any) -> str | None:
    return _contained(value["octets"]) if value["id"] == _ELEMENT else None


_HEAD = Record(
    "algorithm" / Words(U16LE, ALGORITHMS, "unknown"),
    "transaction" / Words(U16LE, {_COMMIT: "commit", _CONFIRM: "confirm"}, "unknown"),
    "status" / STATUS,
)
_GROUP = Record("group" / GROUP)
_TOKEN = Record("token" / Hex(REST))
_POINT_PARTS = ("scalar", "element_x", "element_y")
_CONTAINER_LIST = Record(
    "containers"
    / Records(
        Record("id" / U8, "octets" / Prefixed(U8, Hex(REST))),
        pin=False,
        meaning=_container_name,
    )
)
_CONFIRM_BODY = Record("send_confirm" / U16LE, "confirm" / Hex(REST))
_OCTETS = Record("octets" / Hex(REST))


def _say_what(text: str) -> str:
    return f"{len(text) // 2} octets"


_COUNTED = Mapped(Hex(REST), lambda text: text, lambda text: text, _say_what)
_PARTS = {name: Record(name / _COUNTED) for name in _POINT_PARTS}
_LAYOUT = Record(
    "algorithm" / U16LE,
    "transaction" / U16LE,
    "status" / U16LE,
    "group" / Optional(U16LE),
    "token" / Optional(Hex(REST)),
    "scalar" / Optional(Hex(REST)),
    "element_x" / Optional(Hex(REST)),
    "element_y" / Optional(Hex(REST)),
    "containers" / Optional(Records(Record("id" / U8, "octets" / Prefixed(U8, Hex(REST))))),
    "send_confirm" / Optional(U16LE),
    "confirm" / Optional(Hex(REST)),
    "octets" / Optional(Hex(REST)),
)


def decode(reader: Reader, start: int, end: int) -> dict[str, Any]:
    """Values of the message at `start` to `end` of the reader's octets. Raises DecodeError: `frame_length`."""
    if end - start < HEAD_OCTETS:
        reader.fatal("frame_length", start, f"{end - start} octets, an SAE message takes 6 or more")
    body = start + HEAD_OCTETS
    values = reader.read(_HEAD, reader.data[start:body], base=start)
    if body == end:
        return values
    kind, status = values["transaction"], values["status"]
    if values["algorithm"] == ALGORITHM and kind == _COMMIT and end - body >= 2:
        values |= _decode_commit(reader, body, end, status)
    elif values["algorithm"] == ALGORITHM and kind == _CONFIRM and status == 0 and end - body >= 2:
        values |= reader.read(_CONFIRM_BODY, reader.data[body:end], base=body)
    else:
        values |= reader.read(_OCTETS, reader.data[body:end], base=body)
    return values


def _decode_commit(reader: Reader, start: int, end: int, status: int) -> dict[str, Any]:
    """From the group on."""
    data, at = reader.data, start + 2
    values = reader.read(_GROUP, data[start:at], base=start)
    size = COORDINATE.get(values["group"])
    if at == end:
        return values
    if status == _TOKEN_REQUIRED:
        return values | reader.read(_TOKEN, data[at:end], base=at)
    if status not in (0, _HASH_TO_ELEMENT) or size is None:
        return values | reader.read(_OCTETS, data[at:end], base=at)
    spare = end - at - 3 * size
    if spare < 0:
        message = (
            f"{end - at} octets, scalar and element of group {values['group']} take {3 * size}"
        )
        reader.fatal("frame_length", at, message)
    if spare and status == 0:
        values |= reader.read(_TOKEN, data[at : at + spare], base=at)
        at += spare
    for name in _POINT_PARTS:
        values |= reader.read(_PARTS[name], data[at : at + size], base=at)
        at += size
    if at < end:
        values |= reader.read(_CONTAINER_LIST, data[at:end], base=at)
    return values


def encode(message: SaeMessage) -> bytes:
    """Octets of a message. Raises EncodeError, also for a part of another size than its group's."""
    size = None if message.group is UNSET else COORDINATE.get(message.group)
    for name in _POINT_PARTS:
        text = getattr(message, name)
        if text is not UNSET and size is not None and len(text) != 2 * size:
            raise EncodeError(
                name, f"has {len(text) // 2} octets, group {message.group} needs {size}"
            )
    return build(_LAYOUT, message)


def strategy() -> Any:
    """Valid messages: commits of each known curve, confirms, and refusals."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    def commit(group: int, status: int) -> Any:
        size = COORDINATE[group]
        point = {name: draw.hexes(size, size) for name in _POINT_PARTS}
        token = draw.one_of(draw.just(UNSET), draw.hexes(1))
        more = draw.one_of(
            draw.just(UNSET), draw.lists(draw.fields_of(Container), min_size=1, max_size=3)
        )
        return draw.fields_of(
            SaeMessage, algorithm=draw.just(ALGORITHM), transaction=draw.just(_COMMIT), status=draw.just(status),
            group=draw.just(group), token=token if status == 0 else draw.just(UNSET), **point,
            containers=more if status else draw.just(UNSET), send_confirm=draw.just(UNSET),
            confirm=draw.just(UNSET), octets=draw.just(UNSET),
        )  # fmt: skip

    unset = dict.fromkeys(
        ("group", "token", *_POINT_PARTS, "containers", "octets"), draw.just(UNSET)
    )
    confirm = draw.fields_of(
        SaeMessage, algorithm=draw.just(ALGORITHM), transaction=draw.just(_CONFIRM), status=draw.just(0),
        send_confirm=draw.integers(16), confirm=draw.hexes(32, 48), **unset,
    )  # fmt: skip
    commits = (commit(group, status) for group in (19, 20, 21) for status in (0, _HASH_TO_ELEMENT))
    return draw.one_of(confirm, *commits)
