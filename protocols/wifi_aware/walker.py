"""Walking the attributes of a frame, as the specification says or as a known implementation does it.

`table` is the strict walk that everything else here uses; `walk` also says what `POLICIES` keep, drop and report
of a list that is not in order. Codes: `attribute_length` (a length reaches past the end, or octets are left that
are too few for a header), `attribute_duplicate`, `attribute_unknown`, `attribute_empty` (an empty one at the very
end, on which implementations disagree). Sources per policy: hostap src/common/nan_de.c, hostap
src/nan/nan_util.c, Wireshark epan/dissectors/packet-wifi-nan.c. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from protocols.errors import DecodeError, UnknownNameError
from protocols.layout import Node
from protocols.wifi_aware import parts
from protocols.wifi_aware.attributes import HEADER, RESERVED, Attr, find, ids, title_of

if TYPE_CHECKING:
    from protocols.format import Keys
    from protocols.layout import Walk

__all__ = ["POLICIES", "Note", "Policy", "Walked", "table", "trees", "walk"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What one implementation makes of a list of attributes."""

    name: str
    source: str
    broken: Literal["error", "stop", "report", "discard"]
    """a list that does not end with an attribute: raise, keep what came before (silently or not), keep nothing."""
    empty_last: Literal["report", "keep", "discard"]
    """an attribute without body at the very end."""
    duplicate: Literal["report", "first", "last", "all"]
    """which one of a repeated attribute counts that is meant to be there once."""
    unknown: Literal["report", "drop"]
    short: Literal["report", "drop", "keep"]
    """a known attribute below its minimum."""
    multiple: frozenset[int] | None = None
    """IDs it keeps lists of; None: those whose definition says so."""
    known: frozenset[int] | None = None
    """IDs it knows; None: all that have a file and are not reserved."""
    minimums: dict[int, int] = {}  # msgspec copies mutable defaults
    """octets it wants of an attribute, where that is more than the definition says."""


_DEFINED = frozenset((*range(0x2F), 0xDD)) - RESERVED.keys()
"""IDs of Wi-Fi Aware 4.0."""
_S3, _TPEA = 0x2D, 0x2E
_HOSTAP_LISTS = frozenset((0x03, 0x0E, 0x0F, 0x12, 0x13, 0x17, 0x1D))

POLICIES = {
    policy.name: policy
    for policy in (
        Policy(
            name="strict", source="Wi-Fi Aware 4.0, NAN attributes", broken="error", empty_last="report",
            duplicate="report", unknown="report", short="report",
        ),
        Policy(
            name="hostap_de", source="hostap src/common/nan_de.c", broken="stop", empty_last="keep",
            duplicate="first", unknown="drop", short="keep", multiple=_HOSTAP_LISTS, known=_DEFINED,
        ),
        Policy(
            name="hostap_nan", source="hostap src/nan/nan_util.c", broken="discard", empty_last="discard",
            duplicate="last", unknown="drop", short="drop", multiple=_HOSTAP_LISTS, known=_DEFINED,
        ),
        Policy(
            name="wireshark", source="Wireshark epan/dissectors/packet-wifi-nan.c", broken="report",
            empty_last="keep", duplicate="all", unknown="report", short="report",
            known=_DEFINED - {_S3, _TPEA}, minimums={0x12: 8},
        ),
    )
}  # fmt: skip
"""The known ways, by name."""


class Note(msgspec.Struct, frozen=True):
    """Something out of order: `action` is what was done about the octets from `offset` on."""

    code: str
    offset: int
    message: str
    action: Literal["reported", "dropped", "stopped", "discarded"]


class Walked(msgspec.Struct, frozen=True):
    """Attributes that count, the offset of each one's header, and what was out of order."""

    kept: tuple[Attr, ...]
    starts: tuple[int, ...]
    notes: tuple[Note, ...]


def scan(data: bytes, start: int, end: int) -> tuple[list[Attr], list[int], DecodeError | None]:
    """Attributes in `data[start:end]`, the offsets of their headers, and what is wrong behind them."""
    found: list[Attr] = []
    starts: list[int] = []
    at = start
    while at < end:
        body = at + HEADER
        if body > end:
            message = f"{end - at} octets left over, an attribute takes {HEADER} or more"
            return found, starts, DecodeError("attribute_length", at, message)
        size = data[at + 1] | data[at + 2] << 8
        if size > end - body:
            message = f"attribute {data[at]:#04x} has length {size}, {end - body} octets remain"
            return found, starts, DecodeError("attribute_length", at, message)
        found.append(Attr(data[at], data[body : body + size]))
        starts.append(at)
        at = body + size
    return found, starts, None


def table(data: bytes, start: int = 0, end: int | None = None) -> tuple[Attr, ...]:
    """Attributes of `data[start:end]`, none of them decoded. Raises DecodeError: `attribute_length`."""
    found, _, fault = scan(data, start, len(data) if end is None else end)
    if fault is not None:
        raise fault
    return tuple(found)


def trees(
    data: bytes, start: int, end: int, walk_: Walk, keys: Keys | None, path: str = ""
) -> tuple[tuple[Attr, ...], tuple[Node, ...]]:
    """Attributes of `data[start:end]`, all decoded, with their nodes. Faults go to `walk_`; what it lets pass is kept.

    The key `policy` of the context adds what an implementation makes of the list: doubts at the attributes
    concerned, and a node behind the last.
    """
    found, starts, fault = scan(data, start, end)
    remarks: dict[int, tuple[str, ...]] = {}
    verdict: tuple[Node, ...] = ()
    policy = None if keys is None else keys.text("policy")
    if policy is not None:
        remarks, verdict = _verdict(data, start, end, policy, len(found))
    elif found and not found[-1].octets:
        remarks[starts[-1]] = ("empty at the end: hostap discards all attributes",)
    seen: set[int] = set()
    nodes: list[Node] = []
    for index, attr in enumerate(found):
        again = attr.id in seen and not _may_repeat(attr.id, POLICIES["strict"])
        doubts: tuple[str, ...] = ("for the second time in this frame",) if again else ()
        doubts += remarks.get(starts[index], ())
        seen.add(attr.id)
        where = parts.join(path, f"attributes[{index}]")
        nodes.append(attr.tree(starts[index], walk_, keys, where, doubts))
    if fault is not None:
        walk_.fault(
            fault.code, fault.offset, fault.message, parts.join(path, f"attributes[{len(found)}]")
        )
    return tuple(found), (*nodes, *verdict)


def _verdict(
    data: bytes, start: int, end: int, policy: str, count: int
) -> tuple[dict[int, tuple[str, ...]], tuple[Node, ...]]:
    """Remarks by offset on the attributes of a list of `count`, and the node that sums them up (none: strict refuses)."""
    try:
        walked = walk(data, policy, start, end)
    except DecodeError:
        return {}, ()
    remarks: dict[int, tuple[str, ...]] = {}
    for note in walked.notes:
        remark = f"{policy}: {note.message}; {note.action}"
        remarks[note.offset] = (*remarks.get(note.offset, ()), remark)
    meaning = f"keeps {len(walked.kept)} of {count} attributes"
    loose = tuple(n.message for n in walked.notes if n.action in ("stopped", "discarded"))
    source = POLICIES[policy].source
    return remarks, (Node("policy", policy, None, end, end, (), meaning, None, source, loose),)


def walk(data: bytes, policy: str = "strict", start: int = 0, end: int | None = None) -> Walked:
    """What an implementation makes of the attributes in `data[start:end]`.

    Raises DecodeError where the policy does (strict: a broken list), UnknownNameError for an unknown policy.
    """
    rules = POLICIES.get(policy)
    if rules is None:
        raise UnknownNameError("walker policy", policy, POLICIES)
    stop = len(data) if end is None else end
    found, starts, fault = scan(data, start, stop)
    notes: list[Note] = []
    if fault is not None:
        if rules.broken == "error":
            raise fault
        if rules.broken == "discard":
            return _nothing(fault.code, fault.offset or 0, fault.message)
        action: Literal["reported", "stopped"] = (
            "reported" if rules.broken == "report" else "stopped"
        )
        notes.append(Note(fault.code, fault.offset or 0, fault.message, action))
    elif found and not found[-1].octets and rules.empty_last != "keep":
        message = f"{title_of(found[-1].id)} at the end is empty"
        if rules.empty_last == "discard":
            return _nothing("attribute_empty", starts[-1], message)
        notes.append(Note("attribute_empty", starts[-1], message, "reported"))
    dropped = _judge(found, starts, rules, notes)
    notes.sort(key=lambda note: note.offset)
    kept = [index for index in range(len(found)) if index not in dropped]
    return Walked(
        tuple(found[index] for index in kept), tuple(starts[index] for index in kept), tuple(notes)
    )


def _nothing(code: str, offset: int, message: str) -> Walked:
    return Walked((), (), (Note(code, offset, message, "discarded"),))


def _judge(found: list[Attr], starts: list[int], rules: Policy, notes: list[Note]) -> set[int]:
    """Indices that do not count, by the rules on unknown, short and repeated attributes."""
    dropped: set[int] = set()
    seen: dict[int, int] = {}
    for index, attr in enumerate(found):
        part = find(attr.id)
        if not _is_known(attr.id, rules):
            _rule(
                rules.unknown,
                "attribute_unknown",
                index,
                f"{attr.name} is not known",
                starts,
                notes,
                dropped,
            )
            continue
        least = max(0 if part is None else part.minimum, rules.minimums.get(attr.id, 0))
        if len(attr.octets) < least and rules.short != "keep":
            message = f"{title_of(attr.id)} has {len(attr.octets)} octets, {least} at least"
            _rule(rules.short, "attribute_length", index, message, starts, notes, dropped)
        if index in dropped or rules.duplicate == "all" or _may_repeat(attr.id, rules):
            continue
        if attr.id in seen:
            message = f"{title_of(attr.id)} is here for the second time"
            loser = seen[attr.id] if rules.duplicate == "last" else index
            verb = "report" if rules.duplicate == "report" else "drop"
            _rule(verb, "attribute_duplicate", loser, message, starts, notes, dropped)
            if rules.duplicate != "last":
                continue
        seen[attr.id] = index
    return dropped


def _is_known(number: int, rules: Policy) -> bool:
    if rules.known is not None:
        return number in rules.known
    return number in ids() and number not in RESERVED


def _may_repeat(number: int, rules: Policy) -> bool:
    if rules.multiple is not None:
        return number in rules.multiple
    part = find(number)
    return part is None or part.multiple


def _rule(
    verb: str,
    code: str,
    index: int,
    message: str,
    starts: list[int],
    notes: list[Note],
    dropped: set[int],
) -> None:
    """Note attribute `index`, and drop it when the rule says so."""
    notes.append(Note(code, starts[index], message, "dropped" if verb == "drop" else "reported"))
    if verb == "drop":
        dropped.add(index)
