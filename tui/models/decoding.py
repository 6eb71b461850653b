"""Packets decoded when somebody looks: the tree of fields with the octets it speaks of, one line, and what is wrong.

Octets for which there is no decoder of their own (a PDU without access address, an SMP command without L2CAP) are put
into a shell that has one, and the shell is taken off the result. What the event says is encrypted is no fields but
ciphertext and MIC (Core 5.4 Vol 6 Part B 2.4). Remembered for the last few thousand. No clock, no IO.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from protocols.ble.ll_radio import ADVERTISING_CRC_INIT, crc24
from protocols.capture import text_of
from protocols.dissect import LINK_TYPES, Block, Dissection, dissect, summary
from protocols.errors import NearbenchError
from protocols.layout import Node
from protocols.wifi_aware.protection import UNOPENED
from sim.trace import told
from tui.models.packets import ACCESS_OCTETS, ADVERTISING, CRC_OCTETS, SMP_EVENTS, of_link, pdu_of
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.trace import TraceEvent

__all__ = ["Decoded", "decoded", "decoded_link", "info_of", "path_of", "walk"]

_REMEMBERED = 4096
_L2CAP_OCTETS = 4
_LL_HEADER, _MIC = 2, 4


class Decoded(NamedTuple):
    """What a packet turned out to be. Spans of `tree` count octets of `data`."""

    data: bytes
    tree: tuple[Node, ...]
    text: str
    """one line."""
    wrong: str = ""
    """why it is malformed; empty when nothing is."""
    doubts: tuple[str, ...] = ()


class _Wrapped(NamedTuple):
    """Octets in a shell for which there is a decoder, and how much of the result is the shell."""

    block: Block
    before: int = 0
    after: int = 0


@lru_cache(maxsize=_REMEMBERED)
def _decoded(layer: str, event: str, link_type: int | None, wifi: bool, data: bytes) -> Decoded:
    wrapped = _wrapped(layer, event, link_type, wifi, data)
    if wrapped is None:
        return Decoded(data, (), f"link type {link_type}, {len(data)} octets")
    context = {UNOPENED: True} if wrapped.block.kind.startswith("frame") else None
    try:
        found = dissect(wrapped.block, context)
    except NearbenchError as exc:
        return Decoded(data, (), "", str(exc))
    text = "" if found.fields is None else _line(wrapped.block.kind, found)
    wrong = "" if found.error is None else str(found.error)
    inside = wrapped.before, len(wrapped.block.data) - wrapped.after
    tree = tuple(_shifted(found.tree, *inside)) if any(wrapped[1:]) else found.tree
    return Decoded(
        data, tree, clean(text), clean(wrong), tuple(doubt.message for doubt in found.doubts)
    )


def decoded(event: TraceEvent) -> Decoded:
    """Tree, line and faults of an event's octets; remembered for the last few thousand."""
    link_type: Any = event.fields.get("link_type")
    wifi = event.fields.get("phy") == "wifi"
    found = _decoded(event.layer, event.event, link_type, wifi, event.data or b"")
    return _sealed(found, event) if event.fields.get("encrypted") else found


def _sealed(found: Decoded, event: TraceEvent) -> Decoded:
    """The packet with its header, its ciphertext and its MIC."""
    pdu_at: int = event.fields.get("pdu_at", 0)
    start = pdu_at + _LL_HEADER
    end = min(start + found.data[start - 1], len(found.data))
    parts = (("ciphertext", start, end - _MIC), ("mic", end - _MIC, end))
    sealed = [
        Node(name=name, value=found.data[a:b].hex(), unit=None, start=a, end=b, children=())
        for name, a, b in parts
        if a < b
    ]
    nodes = sorted((*_outside(found.tree, start, end), *sealed), key=lambda node: node.start)
    wrong = found.wrong if found.wrong.startswith("crc") else ""
    return Decoded(found.data, tuple(nodes), _sealed_words(event), wrong)


def _outside(nodes: tuple[Node, ...], start: int, end: int) -> Iterator[Node]:
    """The nodes without those of [start, end)."""
    for node in nodes:
        if node.start < start or node.end > end:
            inner = tuple(_outside(node.children, start, end))
            yield msgspec.structs.replace(node, children=inner)


def _sealed_words(event: TraceEvent) -> str:
    what = "control" if event.event == "ll_control" else "data"
    size = len(pdu_of(event)) - _LL_HEADER - _MIC
    return f"encrypted {what}, {size} octet{'' if size == 1 else 's'} and MIC"


def decoded_link(pdu: bytes) -> Decoded:
    """The same of a PDU of a connection in clear."""
    return _decoded("air", "ll_data", None, False, pdu)  # noqa: FBT003  # the cache wants places


def _line(kind: str, found: Dissection) -> str:
    return summary(kind, found.fields) if found.fields is not None else ""


def _wrapped(
    layer: str, event: str, link_type: int | None, wifi: bool, data: bytes
) -> _Wrapped | None:
    if link_type is not None:
        kind = LINK_TYPES.get(link_type)
        return None if kind is None else _Wrapped(Block(kind=kind, data=data))
    if layer == "hci":
        return _Wrapped(Block(kind="hci", data=data))
    if wifi or layer == "aware":
        return _Wrapped(Block(kind="frame", data=data))
    if layer == "ble":
        channel = 6 if event in SMP_EVENTS else 4
        head = (len(data) + _L2CAP_OCTETS).to_bytes(2, "little") + len(data).to_bytes(2, "little")
        shell = b"\x02\x00\x00" + head + channel.to_bytes(2, "little")
        return _Wrapped(Block(kind="hci", data=shell + data), before=len(shell))
    if event.startswith("ll_"):
        access, crc = bytes(ACCESS_OCTETS), bytes(CRC_OCTETS)  # the trace has neither
    else:
        access, crc = ADVERTISING, crc24(data, ADVERTISING_CRC_INIT)
    return _Wrapped(Block(kind="ll", data=access + data + crc), ACCESS_OCTETS, CRC_OCTETS)


def _shifted(nodes: tuple[Node, ...], before: int, end: int) -> Iterator[Node]:
    """The nodes of [before, end), counted from there; what lies outside is the shell."""
    for node in nodes:
        if node.start >= end or node.end <= before:
            continue
        inner = tuple(_shifted(node.children, before, end))
        if node.start < before and not inner:
            continue
        if node.start < before:
            yield from inner
            continue
        yield msgspec.structs.replace(
            node, start=node.start - before, end=min(node.end, end) - before, children=inner
        )


def info_of(event: TraceEvent) -> str:
    """One line on a packet: of messages what the trace says, of packets what the decoder says."""
    fields = event.fields
    again = " (again)" if fields.get("again") else ""
    if event.layer in ("ble", "aware"):
        return clean(told(event))
    if text := text_of(fields.get("link_type", 0), event.data or b""):
        return text
    if fields.get("encrypted"):
        return f"{_sealed_words(event)}{again}"
    if event.event == "ll_data" and of_link(pdu_of(event)) == "LL":
        what = "encrypted or a fragment" if "link_type" in fields else "a fragment"
        return f"data, {len(pdu_of(event)) - _LL_HEADER} octets, {what}{again}"
    found = decoded(event)
    if found.wrong:
        return f"malformed: {found.wrong}"
    return f"{found.text or event.event.replace('_', ' ')}{again}"


def walk(
    nodes: tuple[Node, ...], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every node with the names that lead to it, itself last."""
    for node in nodes:
        here = (*path, node.name)
        yield here, node
        yield from walk(node.children, here)


def path_of(path: tuple[str, ...]) -> str:
    """Names as a filter writes them; members of lists are left out."""
    return ".".join(name for name in path if not name.startswith("["))
