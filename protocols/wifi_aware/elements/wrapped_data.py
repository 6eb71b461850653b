"""Wrapped Data (255, extension 8): the SAE messages that PASN carries.

IEEE 802.11az-2022, PASN; IEEE 802.11-2020, Wrapped Data element. Auth1 and Auth3 wrap one message as it is; Auth2 wraps commit and confirm,
each behind its length. Which of the two it is follows from the first two octets: the algorithm 3, or a length.
Data that is not SAE (FT, FILS) keeps its octets. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.errors import EncodeError
from protocols.format import Example, Reader
from protocols.layout import REST, U16LE, Hex, Node, Record
from protocols.wifi_aware import parts, sae_messages
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.sae_messages import ALGORITHM, HEAD_OCTETS, SaeMessage
from protocols.wifi_aware.vocabulary import UNSET, Body, HexText, UnsetType

KEY = "ff08"
_LONGEST = 0xFFFF
_LENGTH = Record("length" / U16LE)
_OCTETS = Record("octets" / Hex(REST))


class WrappedData(Body, frozen=True, kw_only=True):
    """SAE messages, or octets of another protocol."""

    length_prefixed: bool = False
    """each message stands behind its length, as in Auth2."""
    messages: list[SaeMessage] | UnsetType = UNSET
    octets: HexText | UnsetType = UNSET


def _number(data: bytes, at: int) -> int:
    """The little-endian number at `at`, -1 when it is cut off."""
    return int.from_bytes(data[at : at + 2], "little") if at + 2 <= len(data) else -1


def decode(reader: Reader) -> dict[str, Any]:
    """Values; raises DecodeError: `frame_length`."""
    data = reader.data
    if _number(data, 0) == ALGORITHM:
        return {"messages": [_message(reader, 0, 0, len(data))]}
    if _number(data, 0) >= HEAD_OCTETS and _number(data, 2) == ALGORITHM:
        return {"length_prefixed": True, "messages": _messages(reader)}
    return reader.read(_OCTETS)


def _messages(reader: Reader) -> list[dict[str, Any]]:
    """Messages, each behind its length."""
    data, at = reader.data, 0
    out: list[dict[str, Any]] = []
    while at < len(data):
        size = _number(data, at)
        if size < 0 or size > len(data) - at - 2:
            message = f"a message of {size} octets does not fit into {len(data) - at - 2}"
            reader.fatal("frame_length", at, message)
        out.append(_message(reader, at, at + 2, at + 2 + size))
        at += 2 + size
    return out


def _message(reader: Reader, at: int, start: int, end: int) -> dict[str, Any]:
    """Values of one message whose length, if any, stands at `at`; its nodes go under one."""
    outer, reader.walk.nodes = reader.walk.nodes, []
    if start > at:
        reader.read(_LENGTH, reader.data[at:start], base=at)
    try:
        values = sae_messages.decode(reader, start, end)
    finally:
        inner, reader.walk.nodes = reader.walk.nodes, outer
    kind = {1: "SAE commit", 2: "SAE confirm"}.get(values["transaction"], "SAE message")
    outer.append(Node("message", None, None, at, end, tuple(inner), kind))
    return values


def encode(fields: WrappedData) -> bytes:
    """Octets. Raises EncodeError."""
    if fields.messages is UNSET:
        return b"" if fields.octets is UNSET else bytes.fromhex(fields.octets)
    wrapped = [_written(message, index) for index, message in enumerate(fields.messages)]
    if not fields.length_prefixed:
        return b"".join(wrapped)
    return b"".join(len(octets).to_bytes(2, "little") + octets for octets in wrapped)


def _written(message: SaeMessage, index: int) -> bytes:
    path = f"messages[{index}]"
    try:
        octets = sae_messages.encode(message)
    except EncodeError as exc:
        raise EncodeError(parts.join(path, exc.path), exc.message) from exc
    if len(octets) > _LONGEST:
        raise EncodeError(path, f"takes {len(octets)} octets, {_LONGEST} at most")
    return octets


def strategy() -> Any:
    """Valid values: one message, a list of prefixed ones, or other octets."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    one = sae_messages.strategy()
    none, plain = draw.just(UNSET), draw.just(value=False)
    return draw.one_of(
        draw.fields_of(
            WrappedData,
            messages=draw.lists(one, min_size=1, max_size=1),
            octets=none,
            length_prefixed=plain,
        ),
        draw.fields_of(
            WrappedData,
            messages=draw.lists(one, min_size=1, max_size=2),
            octets=none,
            length_prefixed=draw.just(value=True),
        ),
        draw.fields_of(
            WrappedData,
            messages=none,
            octets=draw.hexes(0, 8).map(lambda text: f"0400{text}"),
            length_prefixed=plain,
        ),
    )


ELEMENT = ElementPart(
    id=255,
    prefix=b"\x08",
    name="wrapped_data",
    title="Wrapped Data",
    source="IEEE 802.11az-2022, Wrapped Data element",
    fields=WrappedData,
    decode=decode,
    encode=encode,
    strategy=strategy,
    examples=(
        Example("030001007e001300" + "01" * 96, note="SAE commit, group 19, hash to element"),
        Example("0300020000000100" + "02" * 32, note="SAE confirm"),
        Example(
            "68000300" + "01007e001300" + "01" * 96 + "28000300020000000100" + "02" * 32,
            note="both, as Auth2 wraps them",
        ),
    ),
)
