"""Octets plus what they are -> typed fields and a tree with spans. The one decode path of the project.

A `Block` names the kind of octets and the keys that choose a format (`contract.md`, decode). Strict by
default: the first fault is the error; what a lenient decoder still reads is in `lenient`. No clock, no
randomness, no IO.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.ble import payloads
from protocols.errors import DecodeError, UnknownNameError
from protocols.format import Fields, Format, Keys, build, run, to_plain
from protocols.layout import Doubt, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "KINDS",
    "LINK_TYPES",
    "PACKETS",
    "Block",
    "Dissection",
    "dissect",
    "encode",
    "format_of",
    "registered_format",
    "summary",
    "unknown_context",
]

PACKETS: dict[str, tuple[str, str, str]] = {
    # kind and format name -> module and constant of its Format, module of its `summary(fields)`
    "hci": ("protocols.hci.packets", "HCI", "protocols.hci.summary"),
    "ll": ("protocols.ble.link_layer", "LL", "protocols.ble.link_layer"),
    "ll_phdr": ("protocols.ble.link_layer", "LL_PHDR", "protocols.ble.link_layer"),
    "frame": ("protocols.wifi_aware.frame", "FORMAT", "protocols.wifi_aware.summary"),
    "frame_radiotap": ("protocols.wifi_aware.frame", "RADIOTAP", "protocols.wifi_aware.summary"),
}
LINK_TYPES = {105: "frame", 127: "frame_radiotap", 187: "hci", 251: "ll", 256: "ll_phdr"}
"""LINKTYPE number of a capture (in the normal form of `protocols.capture`) -> kind."""

KINDS = (
    "ad",
    "ad_value",
    "service_data",
    "manufacturer_data",
    "gatt_value",
    "advertisement",
    *PACKETS,
)


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Octets of one kind with what chooses their format (keys of the vector files)."""

    kind: str
    data: bytes = b""
    ad_type: int | None = None
    service_uuid: str | None = None
    """16-bit UUIDs as 4 hex digits, 32-bit as 8, 128-bit as 8-4-4-4-12."""
    company_id: str | None = None
    """4 hex digits of the number."""
    pdu: str | None = None
    """`legacy` and `legacy_scan_rsp` enforce 31 octets."""
    also: dict[str, Any] | None = None
    """kind advertisement: local_name, service_data, manufacturer_data."""

    @property
    def selector(self) -> str:
        """What the format is looked up by."""
        if self.kind == "ad_value":
            return str(self.ad_type)
        if self.kind == "service_data":
            return (self.service_uuid or "").lower()
        if self.kind == "manufacturer_data":
            return (self.company_id or "").lower()
        return ""


class Dissection(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `fields` is None when nothing could be trusted (or no format fits)."""

    format: str | None
    fields: Fields | None
    tree: tuple[Node, ...]
    error: DecodeError | None = None
    doubts: tuple[Doubt, ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        """Fields as a JSON-like dict; empty when there are none."""
        return {} if self.fields is None else to_plain(self.fields)


def dissect(
    block: Block,
    keys: Mapping[str, Any] | Keys | None = None,
    *,
    form: str | Format | None = None,
    lenient: bool = False,
) -> Dissection:
    """Decode `block`. A fault of a strict walk is in `error`, beside what a lenient walk could read.

    `form` names the format (or a user's file); without it the format is found by key and prefix, and
    octets that no format claims stay raw. Raises UnknownNameError, UsageError (malformed keys).
    """
    given = keys if isinstance(keys, Keys) else Keys(keys)
    if block.kind not in KINDS:
        raise UnknownNameError("kind", block.kind, KINDS)
    chosen = _format(block, given, form)
    if chosen is None:
        raw = Node("data", block.data.hex(), None, 0, len(block.data), ())
        return Dissection(format=None, fields=None, tree=(raw,))
    keyed = _with_block(block, given)
    error = None
    fields, reader, error = run(chosen, block.data, keyed, strict=not lenient)
    if error is not None and not lenient:
        fields, reader, _ = run(chosen, block.data, keyed, strict=False)
    return Dissection(
        format=chosen.name,
        fields=fields,
        tree=tuple(reader.walk.nodes),
        error=error,
        doubts=tuple(reader.walk.doubts),
    )


def encode(
    form: str | Format, fields: Mapping[str, Any], keys: Mapping[str, Any] | Keys | None = None
) -> bytes:
    """Octets of JSON-like `fields` in format `form`. Raises EncodeError (path of the field), UnknownNameError."""
    given = keys if isinstance(keys, Keys) else Keys(keys)
    return build(format_of(form), fields, given)


def format_of(form: str | Format) -> Format:
    """The format of that name: an advertised one, a kind of packet, or a user's file. Raises UnknownNameError."""
    if isinstance(form, Format):
        return form
    if form in PACKETS:
        module, constant, _ = PACKETS[form]
        found: Format = getattr(importlib.import_module(module), constant)
        return found
    return payloads.FORMATS.get(form)


def registered_format(name: str) -> Format:
    """As `format_of`, for a name that came as data: a path is refused. Raises UnknownNameError."""
    return format_of(name) if name in PACKETS else payloads.FORMATS.registered(name)


def unknown_context(form: str, context: Mapping[str, Any]) -> list[str]:
    """Keys of the context that the packet format `form` lists no meaning for; none when it lists none at all."""
    known = format_of(form).context if form in PACKETS else {}
    return sorted(set(context) - set(known)) if known else []


def summary(kind: str, fields: Fields) -> str:
    """One line for a decoded packet of `kind` (one of PACKETS)."""
    text: str = importlib.import_module(PACKETS[kind][2]).summary(fields)
    return text


def _format(block: Block, keys: Keys, form: str | Format | None) -> Format | None:
    if form is not None:
        return format_of(form)
    if block.kind in ("ad", "advertisement", *PACKETS):
        return format_of(block.kind)
    if block.kind == "gatt_value":
        return payloads.find("gatt_value", "*", block.data, keys)
    return payloads.find(block.kind, block.selector, block.data, keys)


def _with_block(block: Block, keys: Keys) -> Keys:
    """Keys that also carry what the block knows about its octets."""
    return keys.adding({"pdu": block.pdu, "also": block.also})
