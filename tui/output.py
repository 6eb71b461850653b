"""How results are printed: JSON documents and lines, and trees beside their octets. Nothing here decides anything."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from protocols.dissect import Dissection
    from protocols.layout import Node

__all__ = [
    "context_of",
    "document",
    "error_object",
    "hanging",
    "line",
    "plain_tree",
    "shown_octets",
    "table",
    "tree_lines",
    "warn_of",
]


def document(value: Any) -> str:
    """One JSON document, indented."""
    return _json(value, indent=2)


def _is_narrow() -> bool:
    """Whether standard output cannot hold all of Unicode; JSON then escapes what is beyond ASCII."""
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


def line(value: Any) -> str:
    """One JSON object on one line."""
    return _json(value, separators=(",", ":"))


def _json(value: Any, **form: Any) -> str:
    """JSON that standard output can hold: escaped where Unicode cannot be (halves of surrogate pairs)."""
    text = json.dumps(value, ensure_ascii=_is_narrow(), **form)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, **form)
    return text


def error_object(code: str, offset: int | None, message: str) -> dict[str, Any]:
    """The `error` of the contract."""
    return {"code": code, "offset": offset, "message": message}


def json_object(text: str | bytes, where: str) -> dict[str, Any]:
    """A JSON object from text. Raises UsageError that names `where`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"{where}: no JSON: {exc}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{where}: not a JSON object")
    return cast("dict[str, Any]", value)


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
    out: list[dict[str, Any]] = []
    for node in nodes:
        plain: dict[str, Any] = {"name": node.name, "value": node.value, "unit": node.unit}
        plain |= {"start": node.start, "end": node.end, "children": plain_tree(node.children)}
        for key in ("meaning", "bits", "source", "doubts"):
            value: Any = getattr(node, key)
            if value:
                plain[key] = [*value] if key in ("bits", "doubts") else value
        out.append(plain)
    return out


def tree_lines(nodes: Sequence[Node], data: bytes, *, columns: int = 80) -> Iterator[str]:
    """The tree as text: offset, octets, name, value; at most `columns` wide where names allow.

    Bits that are not set and say nothing else share a row; a group tells its source when its parent's is another.
    """
    yield from _tree_lines(nodes, data, 0, columns, None)


_VALUE_COLUMN = 50
_NAME_COLUMN = 24
_OCTETS_COLUMN = 16


def _tree_lines(
    nodes: Sequence[Node], data: bytes, depth: int, columns: int, parent: Node | None
) -> Iterator[str]:
    at = 0
    while at < len(nodes):
        node = nodes[at]
        unset = _unset_bits(nodes, at)
        if len(unset) > 1:
            text = ", ".join(bit.name for bit in unset)
            low = [bit.bits[0] for bit in unset if bit.bits is not None]
            in_row = low == list(range(low[0], low[0] + len(low)))
            row = msgspec.structs.replace(node, bits=(low[0], len(low)) if in_row else None)
            yield from _row(row, data, f"{'  ' * depth}not set", text, columns)
            at += len(unset)
            continue
        text = _value_text(node, None if parent is None else parent.meaning)
        yield from _row(node, data, f"{'  ' * depth}{node.name}", text, columns)
        told = None if parent is None else parent.source
        if node.children and node.source is not None and node.source != told:
            yield from _source_lines(node.source, depth, columns)
        for doubt in node.doubts:
            yield from _wrapped(f"! {doubt}", columns)
        yield from _tree_lines(node.children, data, depth + 1, columns, node)
        at += 1


def _unset_bits(nodes: Sequence[Node], at: int) -> list[Node]:
    """The run of single bits from `at` on that belong to the same octets, are not set and mean nothing else."""
    first = nodes[at]
    run: list[Node] = []
    for node in nodes[at:]:
        plain = node.bits is not None and node.value is False and not (node.meaning or node.doubts)
        if not plain or (node.start, node.end) != (first.start, first.end):
            break
        run.append(node)
    return run


def _row(node: Node, data: bytes, name: str, text: str, columns: int) -> Iterator[str]:
    octets, bits = data[node.start : node.end].hex(), _bits_text(node)
    room = _OCTETS_COLUMN - len(bits)
    shown = (octets if len(octets) <= room else f"{octets[: room - 2]}…") + bits
    head = f"{node.start:4}  {shown:<{_OCTETS_COLUMN}}  {name:<{_NAME_COLUMN}}"
    first, *rest = _broken(text, columns - _VALUE_COLUMN)
    if len(name) > _NAME_COLUMN and len(head) + 2 + len(first) > columns:
        yield head
        rest = [first, *rest]
    else:
        yield f"{head}  {first}".rstrip()
    for piece in rest:
        yield f"{'':{_VALUE_COLUMN}}{piece}"


def _bits_text(node: Node) -> str:
    """Which bits of the number at these octets: " b2", " b6-9"; empty for whole octets."""
    if node.bits is None:
        return ""
    low, width = node.bits
    return f" b{low}" if width == 1 else f" b{low}-{low + width - 1}"


def _wrapped(text: str, columns: int) -> Iterator[str]:
    for piece in _broken(text, columns - _VALUE_COLUMN):
        yield f"{'':{_VALUE_COLUMN}}{piece}"


def _source_lines(source: str, depth: int, columns: int) -> Iterator[str]:
    indent = " " * (24 + 2 * depth)
    for piece in _broken(f"[{source}]", columns - len(indent)):
        yield f"{indent}{piece}"


def shown_octets(found: Dissection, data: bytes) -> bytes:
    """The octets to show beside the tree: `data`, what a key decrypted in clear."""
    shown = getattr(found.fields, "shown_octets", None)
    return data if shown is None else bytes(shown(data))


def hanging(head: str, text: str, *, columns: int = 80) -> Iterator[str]:
    """`text` behind `head`, its further lines under the first.

    Two spaces are where it breaks first; an address pair ("a > b") stays on one line.
    """
    room = columns - len(head)
    kept = text.replace(" > ", _TOGETHER)
    parts = [kept] if len(kept) <= room else kept.split("  ")
    for number, piece in enumerate(piece for part in parts for piece in _broken(part, room)):
        yield f"{head if number == 0 else ' ' * len(head)}{piece.replace(_TOGETHER, ' > ')}".rstrip()


_TOGETHER = "\u00a0>\u00a0"


def _broken(text: str, room: int) -> list[str]:
    """`text` in pieces that fit, broken between words where there are any; one piece at least."""
    return textwrap.wrap(text, max(room, 10), break_on_hyphens=False) or [""]


def _value_text(node: Node, known: str | None) -> str:
    """Value, unit and meaning; a meaning that the parent has told already (`known`) is left out."""
    meaning = node.meaning if node.meaning != known else None
    if node.value is None:
        if node.children or meaning:
            return meaning or ""
        return "not available"
    value: Any = node.value
    if isinstance(value, bool):
        text = "yes" if value else "no"
    else:
        text = ", ".join(map(str, value)) if isinstance(node.value, list) else str(value)
    text = text or "empty"
    if node.unit:
        text = f"{text} {node.unit}"
    return f"{text} ({meaning})" if meaning else text


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Left-aligned columns, two spaces apart."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def say(text: str) -> None:
    """Progress and warnings: stderr."""
    print(text, file=sys.stderr)  # noqa: T201  # the one place besides the commands


def warn_of(context: dict[str, Any], form: str) -> None:
    """Say which keys of the context mean nothing to the packets of `form`."""
    from protocols.dissect import unknown_context

    unknown = unknown_context(form, context)
    if unknown:
        say(
            f"nearbench: {form} has no use for the context {', '.join(unknown)};"
            f" `nearbench show format {form}` lists what it takes"
        )
