"""`nearbench decode`: bytes, lines of requests, or a capture file to fields."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocols.dissect import (
    KINDS,
    Block,
    Dissection,
    dissect,
    encode,
    registered_format,
)
from protocols.errors import DecodeError, EncodeError, NearbenchError, UsageError
from tui.commands._decode_request import (
    REQUEST_KEYS,
    SELECTED_BY,
    octets_of,
    request_of,
)
from tui.files import is_file
from tui.output import (
    context_of,
    document,
    error_object,
    json_object,
    line,
    plain_tree,
    shown_octets,
    tree_lines,
    warn_of,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

SUMMARY = "bytes to fields: an advertised payload, a stream of them, or a capture file"
EXAMPLE = """  nearbench decode --kind service_data --service-uuid feaa 20000be680000339ffa229bbce8a
  nearbench decode --kind ad 02010603039ffe
  nearbench decode phone.btsnoop --jsonl"""


_CONTEXT_HELP = """keys and clocks. Frames take fcs=true, tk=HEX[,HEX...] (also nm_tk, ndp_tk), kek=HEX[,HEX...]
(also nm_kek, ndp_kek), csid=NUMBER, policy=NAME: `nearbench show format frame`"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options: the fields of the vector files."""
    parser.add_argument(
        "what",
        nargs="*",
        metavar="HEX|CAPTURE",
        help="octets in hex, or a capture: pcap, pcapng, btsnoop, PacketLogger",
    )
    parser.add_argument(
        "--kind", choices=KINDS, help="what the octets are; without it, what they can be is listed"
    )
    parser.add_argument(
        "--format", help="decode strictly as this format (a name, or the path of a Python file)"
    )
    parser.add_argument(
        "--pdu", help="kind ad: legacy, legacy_scan_rsp (31 octets at most) or any other word"
    )
    parser.add_argument("--ad-type", help="kind ad_value: the AD type, a number from 0 to 255")
    parser.add_argument(
        "--service-uuid", help="kind service_data: the UUID, most significant digit first"
    )
    parser.add_argument(
        "--company-id", help="kind manufacturer_data: the company, 4 hex digits of the number"
    )
    parser.add_argument(
        "--also", help="kind advertisement: JSON with local_name, service_data, manufacturer_data"
    )
    parser.add_argument(
        "--context", action="append", default=[], metavar="KEY=VALUE", help=_CONTEXT_HELP
    )
    parser.add_argument(
        "--lenient", action="store_true", help="print what can still be read of malformed octets"
    )
    parser.add_argument(
        "--rebuild", action="store_true", help="add what the encoder makes of the decoded fields"
    )
    parser.add_argument(
        "--tree", action="store_true", help="of a capture: every field under the line of its packet"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument(
        "--jsonl", action="store_true", help="requests on stdin, or a capture, to one object a line"
    )


def run(options: argparse.Namespace) -> int:
    """0 decoded, 1 malformed."""
    if not options.what:
        if options.jsonl:
            return _stream(options)
        if options.kind != "advertisement":
            raise UsageError(
                "give octets in hex or a capture file (or --jsonl with requests on stdin)"
            )
    if len(options.what) == 1 and is_file(options.what[0]):
        from tui.captures import decode_capture

        return decode_capture(Path(options.what[0]), options)
    request: dict[str, Any] = {
        name: getattr(options, name) for name in REQUEST_KEYS if getattr(options, name, None)
    }
    request |= {"hex": "".join(options.what), "context": context_of(options.context)}
    if options.also:
        request["also"] = json_object(options.also, "--also")
    if not options.kind and not options.format:
        return _guess(request, options)
    block, context, form = request_of(request)
    warn_of(context, form or block.kind)
    return _show(block, context, form, options)


def result_object(found: Dissection, *, lenient: bool) -> dict[str, Any]:
    """The JSON object of the contract."""
    if found.error is not None and not lenient:
        return {
            "error": error_object(found.error.code, found.error.offset, found.error.message),
            "format": found.format,
            "lenient": found.plain,
        }
    out: dict[str, Any] = {
        "format": found.format,
        "fields": found.plain,
        "tree": plain_tree(found.tree),
    }
    if lenient:
        doubts = [error_object(d.code, d.offset, d.message) for d in found.doubts]
        if found.error is not None:
            doubts.append(error_object(found.error.code, found.error.offset, found.error.message))
        out["doubts"] = doubts
    return out


def _rebuilt(found: Dissection, form: str | None, context: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"rebuilt": encode(form or found.format or "", found.plain, context).hex()}
    except EncodeError as exc:
        return {"rebuilt": None, "rebuild_error": str(exc)}


def _show(
    block: Block, context: dict[str, Any], form: str | None, options: argparse.Namespace
) -> int:
    found = dissect(block, context, form=form, lenient=options.lenient)
    out = result_object(found, lenient=options.lenient)
    if options.rebuild and found.fields is not None and found.error is None:
        out |= _rebuilt(found, form, context)
    if options.json or options.jsonl:
        print(document(out) if options.json else line(out))
    else:
        _print_text(found, block.data, out)
    return 1 if found.error is not None or found.doubts else 0


def _print_text(found: Dissection, data: bytes, out: dict[str, Any]) -> None:
    if found.error is not None:
        print(f"malformed {found.format}: {found.error}")
        if found.fields is not None:
            print("what can still be read:")
    elif found.format is None:
        what = "this octet" if len(data) == 1 else f"these {len(data)} octets"
        print(f"no format fits {what}")
    else:
        print(f"{found.format}, {len(data)} octets")
    if found.error is None or found.fields is not None:
        for text in tree_lines(found.tree, shown_octets(found, data)):
            print(text)
        for doubt in found.doubts if found.error is None else ():
            print(f"doubt: {DecodeError(doubt.code, doubt.offset, doubt.message)}")
    if "rebuilt" in out:
        print(f"rebuilt: {out['rebuilt'] or out['rebuild_error']}")


def _stream(options: argparse.Namespace) -> int:
    """One answer per request line, in order; memory does not grow with their number."""
    status, told = 0, set[str]()
    for number, text in enumerate(sys.stdin, 1):
        if not text.strip():
            continue
        answer, bad = _answer(text, number, options, told)
        status = max(status, bad)
        print(line(answer))
    return status


def _answer(
    text: str, number: int, options: argparse.Namespace, told: set[str]
) -> tuple[dict[str, Any], int]:
    """The answer to a line, and its status; context keys in `told` were warned about before."""
    try:
        plain = json_object(text, f"line {number}")
        if plain.get("format") is not None:
            registered_format(str(plain["format"]))  # a line is data: it names no file to run
        block, context, form = request_of(plain)
        warn_of({key: 0 for key in context if key not in told}, form or block.kind)
        told.update(context)
        found = dissect(block, context, form=form, lenient=options.lenient)
    except (NearbenchError, ValueError, OverflowError, RecursionError) as exc:
        return {"error": error_object("request", None, str(exc))}, 2
    out = {
        key: plain[key]
        for key in (*REQUEST_KEYS[0:1], *REQUEST_KEYS[2:], "context", "also")
        if plain.get(key)
    }
    out = result_object(found, lenient=options.lenient) | out
    if options.rebuild and found.fields is not None and found.error is None:
        out |= _rebuilt(found, form, context)
    return out, 1 if found.error is not None or found.doubts else 0


def _candidates(request: dict[str, Any]) -> Iterator[tuple[str, Block, str | None]]:
    """(how it would be read, block, format) of everything the octets could be."""
    from protocols.ble.payloads import FORMATS, keys_of

    data = request_of({**request, "kind": "ad"})[0].data
    for kind in _FRAMES:
        yield kind, Block(kind=kind, data=data), None
    yield "ad", Block(kind="ad", data=data), None
    for file in FORMATS.files():
        for key in keys_of(file):
            kind, selector, prefix = (*key.split("/"), "")[:3]
            name = SELECTED_BY.get(kind)
            if name is None or selector == "*" or not data.startswith(bytes.fromhex(prefix)):
                continue
            value: Any = int(selector) if kind == "ad_value" else selector
            chosen: dict[str, Any] = {"kind": kind, "data": data, name: value}
            block = Block(**chosen)
            yield f"{kind} {selector}", block, file.stem.replace("_", "-")


_FRAMES = ("frame", "frame_radiotap")


def _rank(found: Dissection) -> int | None:
    """Where a reading is listed: a frame of NAN first, then the payloads, other frames last; None: not at all.

    Nearly any octets are a frame of some kind, so one whose body says nothing is not listed.
    """
    if found.format not in _FRAMES:
        return 1
    fields: Any = found.fields
    if getattr(fields, "nan_attributes", ()):
        return 0
    return 2 if found.plain["frame"] in ("beacon", "authentication", "sdf", "naf") else None


def _guess(request: dict[str, Any], options: argparse.Namespace) -> int:
    """What the octets can be: every format that accepts them strictly."""
    if not octets_of(request["hex"]):
        raise UsageError("there are no octets to look at: give some in hex, or say --kind")
    ranked: list[tuple[int, str, Dissection]] = []
    for how, block, form in _candidates(request):
        found = dissect(block, request["context"], form=form)
        rank = _rank(found) if found.error is None and found.fields is not None else None
        if rank is not None:
            ranked.append((rank, how, found))
    ranked.sort(key=lambda one: one[0])
    fits = [(how, found) for _, how, found in ranked]
    if options.json:
        print(
            document(
                {
                    "can_be": [
                        {"as": how, **result_object(found, lenient=False)} for how, found in fits
                    ]
                }
            )
        )
        return 0 if fits else 1
    if not fits:
        print("no format accepts these octets strictly; name one with --kind and --lenient")
        return 1
    for how, found in fits:
        print(f"as {how}: {found.format}")
        data = request_of({**request, "kind": "ad"})[0].data
        for text in tree_lines(found.tree, shown_octets(found, data)):
            print(text)
    return 0
