"""`decode` of capture files: one line (or tree, or JSON object) per packet, and what came before damage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.capture import Packet, open_reader, text_of
from protocols.dissect import LINK_TYPES, Block, Dissection, dissect, encode, format_of, summary
from protocols.errors import CaptureError, EncodeError
from protocols.wifi_aware.protection import UNOPENED
from tui.files import reading
from tui.output import (
    context_of,
    document,
    error_object,
    hanging,
    line,
    plain_tree,
    say,
    shown_octets,
    tree_lines,
    warn_of,
)

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

__all__ = ["decode_capture", "summary_of"]

_BARE = 105
_FCS_OCTETS = 4
_LONG = (_BARE, 127)
"""Link types whose lines are broken at 80 columns: 802.11, of which every line carries two addresses."""


def decode_capture(path: Path, options: argparse.Namespace) -> int:
    """Print every packet of `path`. 0 all decode, 1 some are malformed or the file is damaged."""
    context = context_of(options.context)
    form = options.format
    if form is not None:
        format_of(form)  # an unknown name is said before anything is read
    status, warned, rebuilds = 0, False, _Rebuilds()
    collected: list[dict[str, Any]] = []
    with reading(path) as file:
        reader = open_reader(file.stream, file.name)
        try:
            for packet in reader:
                if context and not warned and packet.link_type in _LONG:
                    warned = True
                    warn_of(context, LINK_TYPES[packet.link_type])
                found = _dissect(packet, context, form, lenient=options.lenient)
                status = max(status, _is_malformed(found))
                if options.json or options.jsonl:
                    out = _object(packet, found, context, options)
                    collected.append(out) if options.json else print(line(out))  # noqa: T201  # a command's output
                else:
                    _print(packet, found, tree=options.tree)
                    if options.rebuild:
                        rebuilds.check(packet, found, context)
        except CaptureError as exc:
            say(f"nearbench: {exc}; what came before it is shown")
            status = 1
    if options.rebuild and not (options.json or options.jsonl):
        print(rebuilds.summary)  # noqa: T201  # a command's output
    if options.json:
        print(document(collected))  # noqa: T201  # a command's output
    for what, count in reader.notes.skipped.items():
        say(f"nearbench: {reader.name}: {count} records passed over: {what}")
    return status


def _dissect(
    packet: Packet, context: dict[str, Any], form: str | None, *, lenient: bool
) -> Dissection | None:
    kind = LINK_TYPES.get(packet.link_type)
    if kind is None:
        return None
    keys = _context(packet, context)
    return dissect(Block(kind=kind, data=packet.data), keys, form=form, lenient=lenient)


def _context(packet: Packet, given: dict[str, Any]) -> dict[str, Any]:
    """The context and what the capture itself says; keys given for some of its devices need not fit the others."""
    if packet.link_type not in _LONG:
        return given
    told: dict[str, Any] = {UNOPENED: True}
    if packet.link_type == _BARE and packet.fcs_octets == _FCS_OCTETS:
        told["fcs"] = True
    return told | given


def _is_malformed(found: Dissection | None) -> int:
    return int(found is not None and (found.error is not None or bool(found.doubts)))


def summary_of(packet: Packet) -> str:
    """One line for a packet, in the words of its link type."""
    return _summary(packet, _dissect(packet, {}, None, lenient=False))


def _summary(packet: Packet, found: Dissection | None) -> str:
    if found is None:
        told = text_of(packet.link_type, packet.data)
        return told or f"link type {packet.link_type}, {len(packet.data)} octets"
    text = "" if found.fields is None else summary(LINK_TYPES[packet.link_type], found.fields)
    if found.error is not None:
        return f"malformed: {found.error}{f' ({text})' if text else ''}"
    return text


def _print(packet: Packet, found: Dissection | None, *, tree: bool) -> None:
    way = {"sent": ">", "received": "<"}.get(packet.direction or "", " ")
    head = f"{packet.number:6} {packet.t_us / 1e6:14.6f} {way} "
    text = _summary(packet, found)
    for row in hanging(head, text) if packet.link_type in _LONG else [f"{head}{text}"]:
        print(row)  # noqa: T201  # as above
    if found is not None and tree:
        for row in tree_lines(found.tree, shown_octets(found, packet.data)):
            print(row)  # noqa: T201  # as above


def _object(
    packet: Packet, found: Dissection | None, context: dict[str, Any], options: argparse.Namespace
) -> dict[str, Any]:
    out: dict[str, Any] = {
        "number": packet.number,
        "t_us": packet.t_us,
        "link_type": packet.link_type,
    }
    if packet.direction:
        out["direction"] = packet.direction
    out |= {
        name: value
        for name, value in (("interface", packet.interface), ("comment", packet.comment))
        if value
    }
    out["hex"] = packet.data.hex()
    out["summary"] = _summary(packet, found)
    if found is None:
        return out | {"format": None, "fields": {}, "tree": []}
    told = {key: value for key, value in _context(packet, context).items() if key != UNOPENED}
    if told:
        out["context"] = told
    if found.error is not None:
        error = error_object(found.error.code, found.error.offset, found.error.message)
        return out | {"error": error, "format": found.format, "lenient": found.plain}
    out |= {"format": found.format, "fields": found.plain, "tree": plain_tree(found.tree)}
    if options.rebuild and found.format is not None:
        try:
            out["rebuilt"] = _rebuilt(packet, found, context).hex()
        except EncodeError as exc:
            out |= {"rebuilt": None, "rebuild_error": str(exc)}
    return out


def _rebuilt(packet: Packet, found: Dissection, context: dict[str, Any]) -> bytes:
    """What the encoder makes of the fields of a packet. Raises EncodeError."""
    return encode(found.format or "", found.plain, _context(packet, context))


class _Rebuilds:
    """How many packets came out of the encoder as they were; those that did not are told at once."""

    def __init__(self) -> None:
        self.same = 0
        self.different = 0
        self.left_out = 0

    def check(self, packet: Packet, found: Dissection | None, context: dict[str, Any]) -> None:
        """Rebuild a packet that was decoded without fault, and say so when it differs."""
        if found is None or found.format is None or found.error is not None:
            self.left_out += 1
            return
        try:
            octets = _rebuilt(packet, found, context)
        except EncodeError as exc:
            self._differs(packet, f"not rebuilt: {exc}")
            return
        if octets == packet.data:
            self.same += 1
        else:
            self._differs(packet, f"rebuilt as {octets.hex()}")

    def _differs(self, packet: Packet, text: str) -> None:
        self.different += 1
        print(f"{packet.number:6} {text}")  # noqa: T201  # a command's output

    @property
    def summary(self) -> str:
        """The closing line."""
        rest = f", {self.left_out} not decoded" if self.left_out else ""
        return f"rebuilt: {self.same} the same, {self.different} different{rest}"
