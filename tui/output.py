"""How results are printed: JSON documents and lines, and trees beside their octets. Nothing here decides anything."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from protocols.layout import Node

__all__ = ["context_of", "document", "error_object", "line", "plain_tree", "table", "tree_lines"]


def document(value: Any) -> str:
    """One JSON document, indented."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def line(value: Any) -> str:
    """One JSON object on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def error_object(code: str, offset: int | None, message: str) -> dict[str, Any]:
    """The `error` of the contract."""
    return {"code": code, "offset": offset, "message": message}


def context_of(pairs: Iterable[str]) -> dict[str, Any]:
    """`--context key=value` options as a mapping. Raises UsageError."""
    context: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--context {pair!r}: write it as key=value")
        context[key] = value
    return context


def plain_tree(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Tree nodes as JSON objects; what is not known of a node is left out."""
    out = []
    for node in nodes:
        plain: dict[str, Any] = {"name": node.name, "value": node.value, "unit": node.unit}
        plain |= {"start": node.start, "end": node.end, "children": plain_tree(node.children)}
        for key in ("meaning", "bits", "source", "doubts"):
            if value := getattr(node, key):
                plain[key] = list(value) if isinstance(value, tuple) else value
        out.append(plain)
    return out


def tree_lines(nodes: Sequence[Node], data: bytes, *, columns: int = 80) -> Iterator[str]:
    """The tree as text: offset, octets, name, value; at most `columns` wide where values allow."""
    yield from _tree_lines(nodes, data, 0, columns)


def _tree_lines(nodes: Sequence[Node], data: bytes, depth: int, columns: int) -> Iterator[str]:
    for node in nodes:
        octets = data[node.start : node.end].hex()
        shown = octets if len(octets) <= 16 else f"{octets[:14]}…"
        name = f"{'  ' * depth}{node.name}"
        text = _value_text(node)
        room = columns - 50
        yield f"{node.start:4}  {shown:<16}  {name:<24}  {text[:room] if len(text) > room else text}".rstrip()
        for start in range(room, len(text), room):
            yield f"{'':50}{text[start : start + room]}"
        for doubt in node.doubts:
            yield f"{'':50}! {doubt}"
        yield from _tree_lines(node.children, data, depth + 1, columns)


def _value_text(node: Node) -> str:
    if node.value is None:
        text = "" if node.children else "not available"
    elif isinstance(node.value, bool):
        text = "yes" if node.value else "no"
    else:
        text = str(node.value)
    if node.unit and node.value is not None:
        text = f"{text} {node.unit}"
    return f"{text} ({node.meaning})" if node.meaning else text


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Left-aligned columns, two spaces apart."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def say(text: str) -> None:
    """Progress and warnings: stderr."""
    print(text, file=sys.stderr)  # noqa: T201  # the one place besides the commands
