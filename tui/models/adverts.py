"""Advertised octets as rows: LEN, TYPE, VALUE and what each means, in one line, and what is wrong.

Decoding is by `protocols.dissect`, once per distinct payload. Pure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from protocols.data.ad_types import SERVICE_DATA, type_name
from protocols.dissect import Block, dissect
from protocols.errors import NearbenchError
from tui.text import clean

if TYPE_CHECKING:
    from protocols.layout import Node

__all__ = ["Advert", "Structure", "advert_of"]

_MANUFACTURER = 0xFF
_UUID_OCTETS = {0x16: 2, 0x20: 4, 0x21: 16}
_MOST_FIELDS = 4


class Structure(NamedTuple):
    """One AD structure."""

    length: int
    type: int
    value: bytes
    meaning: str


class Advert(NamedTuple):
    """A run of AD structures."""

    structures: tuple[Structure, ...]
    name: str
    """local name, empty without one."""
    words: str
    """one line."""
    wrong: str
    """why it is malformed; empty when nothing is."""


@lru_cache(maxsize=8192)
def advert_of(data: bytes) -> Advert:
    """What a run of AD structures says."""
    run = dissect(Block(kind="ad", data=data))
    plain = run.plain
    name = clean(str(plain.get("local_name") or ""))
    found: list[Structure] = []
    formats: list[str] = []
    wrong = [] if run.error is None else [f"bad AD: {run.error.message}"]
    for one in plain.get("structures", []):
        kind, value = one["type"], bytes.fromhex(one["data"])
        form, words, error = _decoded(kind, value)
        meaning = words or _listed(kind, run.tree[0].children if run.tree else (), len(found))
        found.append(Structure(len(value) + 1, kind, value, meaning))
        if form:
            formats.append(words or form)
        if error:
            wrong.append(error)
    parts = ([f'"{name}"'] if name else []) + formats
    words = "; ".join(parts) or _plainly(plain, data)
    return Advert(tuple(found), name, clean(words), clean("; ".join(wrong)))


def _decoded(kind: int, value: bytes) -> tuple[str, str, str]:
    """(format, words, what is wrong) of service and manufacturer data; empty for other structures."""
    block = _block(kind, value)
    if block is None:
        return "", "", ""
    try:
        found = dissect(block)
    except NearbenchError as exc:
        return "", "", str(exc)
    if found.format is None:
        return "", "", ""
    wrong = "" if found.error is None else f"{found.format}: {found.error.message}"
    return found.format, clean(_words(found.format, found.plain)), wrong


def _words(form: str, plain: dict[str, Any]) -> str:
    """A format with its first telling fields."""
    frame = plain.get("frame")
    said = [
        f"{key.replace('_', ' ')} {_text(value)}"
        for key, value in plain.items()
        if key != "frame" and value is not None and not isinstance(value, (dict, list, bool))
    ]
    head = form.replace("_", " ") + (f" {frame}" if isinstance(frame, str) else "")
    return f"{head}  {', '.join(said[:_MOST_FIELDS])}".strip()


def _text(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:23]}…"


def _block(kind: int, value: bytes) -> Block | None:
    size = _UUID_OCTETS.get(kind, 0) if kind in SERVICE_DATA.values() else 0
    if size and len(value) >= size:
        uuid = value[:size][::-1].hex()
        if size == 16:
            uuid = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
        return Block(kind="service_data", data=value[size:], service_uuid=uuid)
    if kind == _MANUFACTURER and len(value) >= 2:
        return Block(kind="manufacturer_data", data=value[2:], company_id=value[:2][::-1].hex())
    return None


def _listed(kind: int, nodes: tuple[Node, ...], index: int) -> str:
    """What the tree says about a structure that is no format of its own."""
    node = next((one for one in nodes if one.name == f"[{index}]"), None)
    inner = (
        [] if node is None else [one for one in node.children if one.name not in ("length", "type")]
    )
    said = [text for one in inner for text in _said(one)]
    return clean(f"{type_name(kind)}: {', '.join(said)}" if said else type_name(kind))


def _said(node: Node) -> list[str]:
    if node.children:
        return [text for one in node.children for text in _said(one)]
    if node.meaning:
        return [node.meaning]
    if node.value is None:
        return []
    text = f'"{node.value}"' if node.name == "local_name" else _text(node.value)
    return [f"{text} {node.unit}" if node.unit else text]


def _plainly(plain: dict[str, Any], data: bytes) -> str:
    """A run in which no format was found: services, company, or its length."""
    services = plain.get("service_uuids") or [*plain.get("service_data", {})]
    if services:
        return "services " + " ".join(map(str, services))
    companies = [*plain.get("manufacturer_data", {})]
    if companies:
        return f"manufacturer 0x{companies[0]}"
    return f"{len(data)} octet{'' if len(data) == 1 else 's'}" if data else "no data"
