"""`nearbench encode`: fields to bytes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, cast

from protocols.dissect import encode, registered_format
from protocols.errors import EncodeError, NearbenchError, UsageError
from tui.output import context_of, error_object, json_object, line, warn_of

if TYPE_CHECKING:
    import argparse

SUMMARY = "fields to bytes; what `decode` prints can be edited and piped back"
EXAMPLE = """  nearbench encode eddystone '{"frame": "url", "tx_power_0m_dbm": -10, "url": "https://example.com"}'
  nearbench decode --jsonl <requests.jsonl | nearbench encode --jsonl"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "format",
        nargs="?",
        help="format name (`nearbench list formats`) or the path of a Python file",
    )
    parser.add_argument("fields", nargs="?", help="the fields as JSON; stdin when not given")
    parser.add_argument(
        "--context", action="append", default=[], metavar="KEY=VALUE", help="keys and clocks"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of bare hex")
    parser.add_argument(
        "--jsonl", action="store_true", help='lines of {"format", "fields", "context"} on stdin'
    )


def run(options: argparse.Namespace) -> int:
    """0 encoded, 1 the fields cannot be encoded."""
    if options.jsonl:
        return _stream()
    if not options.format:
        raise UsageError("give the format to encode (`nearbench list formats` names them)")
    text = sys.stdin.read() if options.fields is None else options.fields
    fields = json_object(text, "fields")
    inner = fields.get("fields")
    if isinstance(inner, dict):
        fields = cast("dict[str, Any]", inner)
    context = context_of(options.context)
    warn_of(context, options.format)
    data = encode(options.format, fields, context)
    print(json.dumps({"format": options.format, "hex": data.hex()}) if options.json else data.hex())
    return 0


def _stream() -> int:
    status = 0
    for number, text in enumerate(sys.stdin, 1):
        if not text.strip():
            continue
        answer, bad = _answer(text, number)
        status = max(status, bad)
        print(line(answer))
    return status


def _answer(text: str, number: int) -> tuple[dict[str, Any], int]:
    try:
        request = json_object(text, f"line {number}")
        missing = [key for key in ("format", "fields") if not request.get(key)]
        if missing:
            raise UsageError(f"line {number}: has no {' and no '.join(missing)}")
        form = registered_format(str(request["format"]))
        data = encode(form, request["fields"], request.get("context"))
    except EncodeError as exc:
        return {"error": error_object("encode", None, str(exc))}, 1
    except NearbenchError as exc:
        return {"error": error_object("request", None, str(exc))}, 2
    return {"format": request["format"], "hex": data.hex()}, 0
