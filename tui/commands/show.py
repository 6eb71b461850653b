"""`nearbench show`: everything about one thing."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any, cast

from tui import catalogue
from tui.output import document

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

SUMMARY = "everything about one of them: parameters with defaults and units, sources"
EXAMPLE = "  nearbench show accessory thermometer"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("kind", help=", ".join(catalogue.KINDS))
    parser.add_argument("name", help="as `nearbench list KIND` names it, or the path of a file")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(options: argparse.Namespace) -> int:
    """0."""
    kind = catalogue.kind_of(options.kind)
    details = catalogue.show(kind, options.name)
    if options.json:
        print(document(details))
    else:
        for text in _lines(catalogue.KINDS[kind].in_words(details), 0):
            print(text)
    return 0


def _lines(value: dict[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key, item in value.items():
        if item in (None, "", [], {}):
            continue
        if isinstance(item, list):
            yield f"{indent}{key}:"
            yield from _items(cast("list[object]", item), depth + 1)
        elif isinstance(item, dict):
            yield f"{indent}{key}:"
            yield from _lines(cast("dict[str, Any]", item), depth + 1)
        else:
            yield from textwrap.wrap(
                f"{key}: {item}", 80, initial_indent=indent, subsequent_indent=f"{indent}  "
            )


def _items(items: list[object], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for item in items:
        text = _one_line(cast("dict[str, Any]", item)) if isinstance(item, dict) else str(item)
        yield from textwrap.wrap(
            f"- {text}", 80, initial_indent=indent, subsequent_indent=f"{indent}  "
        )


def _one_line(item: dict[str, Any]) -> str:
    name, about = item.get("name"), item.get("about", "")
    if "parameters" in item:
        arguments = cast("dict[str, str]", item["parameters"])
        item = {"name": name, **{f"{key}:": kind for key, kind in arguments.items()}}
    elif "values" in item:
        item = _with_values(item)
    rest = ", ".join(
        f"{k} {_written(v)}"
        for k, v in item.items()
        if k not in ("name", "about") and v not in (None, "", {}, [])
    )
    head = f"{name} ({rest})" if name and rest else str(name or rest)
    return f"{head}: {about}" if about else head


def _with_values(row: dict[str, Any]) -> dict[str, Any]:
    """A parameter with the values it may have in place of its type."""
    allowed = " | ".join(map(_written, row["values"]))
    how = "list of" if str(row["type"]).startswith("list") else "one of"
    return {"name": row["name"], how: allowed, "default": row.get("default")}


def _written(value: object) -> str:
    """A value as it is typed behind `=`."""
    if isinstance(value, bool | list) or value == "":
        return json.dumps(value)
    return str(value)
