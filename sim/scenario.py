"""Scenario files: TOML in, validated values out; an error names file, line and key.

A scenario lists nodes (accessories and phones with their settings and places), crowds, the steps a phone
(or a person at an accessory) takes, and what must come out. It holds no verdict of its own. Reads the file
it is given and the files that file names; no clock, no chance.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from protocols.capture import describe, recognise
from protocols.conversion import as_typed
from protocols.errors import ScenarioError, UnknownNameError, UsageError
from sim.air import AirSettings
from sim.scenario_lines import line_of, stands
from sim.units import Duration, parse_duration_us

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LIBRARY",
    "CrowdSpec",
    "Expect",
    "FaultSpec",
    "NodeSpec",
    "Scenario",
    "Step",
    "Waypoint",
    "find",
    "is_name",
    "load",
    "names",
    "parse",
    "with_settings",
]

LIBRARY = Path(__file__).parent / "scenarios"
_HEAD_OCTETS = 512
"""Of a file, that tell what it is."""


class _Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the parts of a scenario."""


class Waypoint(_Spec, frozen=True):
    """Where a moving node is at a time; between two it moves in a straight line."""

    t: Duration
    at: tuple[float, ...]
    """metres: x, y or x, y, z."""


class NodeSpec(_Spec, frozen=True):
    """One device."""

    name: str
    accessory: str = ""
    """name of an accessory, or path of the Python file that defines one; this or `phone`."""
    phone: str = ""
    """name of a phone profile, or path of a Python file."""
    at: tuple[float, ...] = (0.0, 0.0)
    """place in metres."""
    path: tuple[Waypoint, ...] = ()
    """how it moves; overrides `at`."""
    set: dict[str, Any] = {}  # msgspec copies mutable defaults
    """settings of the accessory or phone (`nearbench show accessory NAME` lists them)."""
    power: Duration | None = None
    """when it is switched on; at the start when not given."""


class CrowdSpec(_Spec, frozen=True):
    """Many devices without a host stack behind each: BLE ones that advertise, or Wi-Fi Aware ones in a cluster."""

    name: str
    count: int
    kind: Literal["ble", "aware"] = "ble"
    format: str = "ibeacon"
    """what BLE ones advertise: a format of `nearbench list formats`."""
    fields: dict[str, Any] = {}  # msgspec copies mutable defaults
    """fields of that format; `{n}` in a text becomes the member's number."""
    set: dict[str, Any] = {}  # msgspec copies mutable defaults
    """settings of Wi-Fi Aware ones: service, start, master preference and the like."""
    area: tuple[float, float] = (50.0, 50.0)
    """metres; members stand at random in this rectangle around `at`."""
    at: tuple[float, ...] = (0.0, 0.0)
    interval: Duration | None = None
    """from one advertisement or publish to the next: 100 ms, or 10 s of Wi-Fi Aware ones when not given."""
    tx_power_dbm: int | None = None
    """0, or 15 of Wi-Fi Aware ones when not given."""


class Step(_Spec, frozen=True):
    """One command to one node. Steps of a node run one after another; different nodes run side by side."""

    node: str
    do: str
    """a command of that node (`nearbench show accessory|phone NAME` lists them)."""
    at: Duration | None = None
    """not before this time."""
    set: dict[str, Any] = {}  # msgspec copies mutable defaults
    """arguments of the command."""
    may_fail: bool = False
    """a failure of this step does not fail the run (an `expect` usually asks for it)."""
    by_hand: bool = False
    """given when everything else of its time `at` has happened, beside the other steps of its node, as somebody at
    the screen would; it may fail."""


class FaultSpec(_Spec, frozen=True):
    """Something that goes wrong."""

    name: str
    """name of a fault (`nearbench list faults`), or path of the Python file that defines one."""
    node: str = ""
    """whom it befalls; faults of the air take it or leave it."""
    set: dict[str, Any] = {}  # msgspec copies mutable defaults
    """its settings (`nearbench show fault NAME` lists them)."""
    from_: Duration = msgspec.field(default=Duration(0), name="from")
    """when it begins."""
    until: Duration | None = None
    """when it is over; it lasts when not given."""


class Expect(_Spec, frozen=True):
    """What must (or must not) be in the trace."""

    event: str
    """name of the event, as in the trace."""
    node: str = ""
    peer: str = ""
    rule: str = ""
    where: dict[str, Any] = {}  # msgspec copies mutable defaults
    """field -> value it equals, or {min = .., max = ..}, or {contains = ".."}, or {not = ..}; `data` is the bytes as hex."""
    at_least: int | None = None
    """1 when neither bound is given."""
    at_most: int | None = None
    after: Duration = Duration(0)
    before: Duration | None = None
    why: str = ""
    """the sentence printed when it does not hold."""


class Scenario(_Spec, frozen=True):
    """A whole scenario."""

    title: str
    duration: Duration
    node: tuple[NodeSpec, ...] = ()
    crowd: tuple[CrowdSpec, ...] = ()
    fault: tuple[FaultSpec, ...] = ()
    step: tuple[Step, ...] = ()
    expect: tuple[Expect, ...] = ()
    formats: tuple[str, ...] = ()
    """your own advertised formats: Python files beside this one, tried before the built-in ones."""
    air: AirSettings = AirSettings()
    seed: int = 1
    about: str = ""
    """what it shows, in the user's words."""
    stop_when_done: bool | None = None
    """end as soon as all steps have finished and no expectation can change any more; when not given, so does a
    scenario that has expectations, and one without lasts its duration."""
    base: str = ""
    """folder that relative file names in it are looked up in; set when loaded."""
    file: str = ""
    """where it was read from; set when loaded."""
    text: str = ""
    """the TOML itself, for the line numbers of later errors; set when loaded."""

    def error(self, path: tuple[str | int, ...], message: str) -> ScenarioError:
        """An error at the key `path` of this file."""
        return ScenarioError(self.file, line_of(self.text, path), _shown(path), message)

    def error_in(self, path: tuple[str | int, ...], message: str) -> ScenarioError:
        """An error at `path`, or at the key under it that the message speaks of."""
        return self.error(_with_key(self.text, path, message), message)


def names() -> list[str]:
    """Names of the built-in scenarios."""
    return sorted(file.stem for file in LIBRARY.glob("*.toml"))


def find(name: str) -> Path:
    """Path of a scenario given by name, else by path. Raises UnknownNameError, UsageError."""
    if is_name(name):
        return LIBRARY / f"{name}.toml"
    if os.path.isdir(name):  # noqa: PTH112  # those of Path raise on long names
        raise UsageError(f"scenario file {name} is a folder")
    if os.path.exists(name):  # noqa: PTH110  # a pipe will do
        return Path(name)
    if name.endswith(".toml") or "/" in name or "\\" in name:
        raise UsageError(f"scenario file {name} does not exist")
    raise UnknownNameError("scenario", name, names())


def is_name(name: str) -> bool:
    """Whether a built-in scenario is called so."""
    return re.fullmatch(r"[\w-]+", name) is not None and (LIBRARY / f"{name}.toml").is_file()


def load(name: str) -> Scenario:
    """The scenario of that name or path. Raises ScenarioError, UnknownNameError, UsageError."""
    path = find(name)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_OCTETS)
            if path.parent != LIBRARY:
                _refuse_others(str(path), head)
            octets = head + stream.read()
    except OSError as exc:
        raise UsageError(f"scenario file {path}: {exc.strerror or exc}") from None
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a scenario (TOML): {describe(head)}") from None
    shown = path.name if path.parent == LIBRARY else str(path)
    return parse(text.replace("\r\n", "\n"), file=shown, base=path.parent)


def _refuse_others(name: str, head: bytes) -> None:
    """A capture or a trace is no scenario, and some commands read it. Raises UsageError."""
    capture = recognise(head)
    if capture is not None:
        readers = "`nearbench tui`, `decode` and `explain` read it"
        raise UsageError(f"{name}: no scenario, but a capture ({capture.name}); {readers}")
    if head.lstrip()[:1] in (b"{", b"<"):  # no TOML begins so
        raise UsageError(f"{name}: not a scenario (TOML): {describe(head)}")


def parse(text: str, *, file: str = "scenario", base: Path | None = None) -> Scenario:
    """A scenario from TOML text. Raises ScenarioError with file, line and key."""
    try:
        plain = tomllib.loads(text)
    except RecursionError:
        raise ScenarioError(file, None, "", "is nested too deeply") from None
    except tomllib.TOMLDecodeError as exc:
        found = re.search(r"line (\d+)", str(exc))
        line = int(found.group(1)) if found else len(text.splitlines())
        raise ScenarioError(file, line, "", f"is not TOML: {exc}") from None
    for key in ("base", "file", "text"):
        if key in plain:
            raise ScenarioError(file, line_of(text, (key,)), key, "is not a key of a scenario")
    try:
        scenario = as_typed(plain, Scenario, hook=_hook)
    except UsageError as exc:  # the air's settings check themselves
        path = _with_key(text, ("air",), str(exc))
        raise ScenarioError(file, line_of(text, path), _shown(path), str(exc)) from None
    except msgspec.ValidationError as exc:
        message, _, where = str(exc).partition(" - at `")
        if _MISSING.match(message):
            (path, said), *more = _missing(plain)
            said = "; ".join((said, *(f"{_shown(other)}: {also}" for other, also in more)))
        else:
            path, said = _with_key(text, _path(where.rstrip("`")), message), _clear(message)
        raise ScenarioError(file, line_of(text, path), _shown(path), said) from None
    scenario = msgspec.structs.replace(scenario, base=str(base or Path.cwd()), file=file, text=text)
    _check(scenario)
    return scenario


def with_settings(scenario: Scenario, settings: dict[str, Any]) -> Scenario:
    """The scenario with "node.key" -> value put over its settings; "node.table.key" is one member of a table.

    Raises UsageError for an unknown node.
    """
    nodes = {spec.name: spec for spec in scenario.node}
    for dotted, value in settings.items():
        name, _, key = dotted.partition(".")
        if name not in nodes or not key:
            raise UnknownNameError("node", name, nodes)
        given = _put(nodes[name].set, key, value)
        nodes[name] = msgspec.structs.replace(nodes[name], set=given)
    return msgspec.structs.replace(scenario, node=tuple(nodes.values()))


def _put(table: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """A copy of `table` with the member that a dotted key names."""
    key, _, rest = dotted.partition(".")
    if not rest:
        return {**table, key: value}
    inner = table.get(key)
    members = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    return {**table, key: _put(members, rest, value)}


def _hook(kind: type, value: Any) -> Any:
    if kind is Duration:
        return parse_duration_us(value)
    raise NotImplementedError(kind)


def _with_key(text: str, path: tuple[str | int, ...], message: str) -> tuple[str | int, ...]:
    """`path` and the key under it that the message speaks of, when that key stands in the text."""
    for word in re.findall(r"\w+", message):
        if path[-1:] != (word,) and stands(text, (*path, word)):
            return (*path, word)
    return path


_MISSING = re.compile(r"Object missing required field")
_TABLES: dict[str, type[_Spec]] = {
    "node": NodeSpec, "crowd": CrowdSpec, "fault": FaultSpec, "step": Step, "expect": Expect, "path": Waypoint,
}  # fmt: skip
"""Key of a list of tables -> what each of them is."""


def _missing(plain: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """(table, what is said of it) of every table that lacks a key it must have."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    for path, kind, table in _tables(plain, (), Scenario):
        fields = msgspec.structs.fields(kind)
        keys = [repr(f.encode_name) for f in fields if f.required and f.encode_name not in table]
        if keys:
            listed = " and ".join(filter(None, (", ".join(keys[:-1]), keys[-1])))
            found.append(
                (path, f"key{'s' * (len(keys) > 1)} {listed} {'are' if keys[1:] else 'is'} missing")
            )
    return found


def _tables(
    table: Any, path: tuple[str | int, ...], kind: type[_Spec]
) -> Iterator[tuple[tuple[str | int, ...], type[_Spec], dict[str, Any]]]:
    """Path, kind and content of a table and of those in it."""
    yield path, kind, table
    for name in (one for one in _TABLES if one in kind.__struct_encode_fields__ and one in table):
        each: Any
        for number, each in enumerate(table[name] if isinstance(table[name], list) else ()):
            if isinstance(each, dict):
                yield from _tables(each, (*path, name, number), _TABLES[name])


def _clear(message: str) -> str:
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", message):
        return f"unknown key {found.group(1)!r}"
    return message[:1].lower() + message[1:].replace("`", "")


def _path(where: str) -> tuple[str | int, ...]:
    """msgspec's "$.node[1].at" as ("node", 1, "at"); "[...]" and "[0]" of dicts and tuples are kept as they are."""
    parts: list[str | int] = []
    for name, index in re.findall(
        r"\.?([A-Za-z_][\w-]*)|\[(\d+|\.\.\.)\]", where.removeprefix("$")
    ):
        parts.append(name or (int(index) if index.isdigit() else index))
    return tuple(parts)


def _shown(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _check(scenario: Scenario) -> None:
    """What types cannot say: names that must exist, kinds that exclude each other."""
    _check_names(scenario)
    for index, spec in enumerate(scenario.node):
        if bool(spec.accessory) == bool(spec.phone):
            raise scenario.error(("node", index), "needs either accessory or phone")
        if wrong := _wrong_path(spec):
            raise scenario.error(("node", index, "path"), wrong)
    known = {spec.name for spec in scenario.node}
    listed = ", ".join(sorted(known))
    for index, step in enumerate(scenario.step):
        if step.node not in known:
            message = f"no node is called {step.node!r}; nodes: {listed}"
            raise scenario.error(("step", index, "node"), message)
    for index, expect in enumerate(scenario.expect):
        if expect.node and expect.node not in known | {crowd.name for crowd in scenario.crowd}:
            message = f"no node is called {expect.node!r}; nodes: {listed}"
            raise scenario.error(("expect", index, "node"), message)
    if scenario.duration <= 0:
        raise scenario.error(("duration",), "must be longer than nothing")


def _check_names(scenario: Scenario) -> None:
    """Nodes and crowds have names of their own, and places of two or three numbers."""
    named = [("node", index, one.name, one.at) for index, one in enumerate(scenario.node)]
    named += [("crowd", index, one.name, one.at) for index, one in enumerate(scenario.crowd)]
    seen: set[str] = set()
    for kind, index, name, at in named:
        if name in seen:
            raise scenario.error((kind, index, "name"), f"{name!r} is used twice")
        if not re.fullmatch(r"[A-Za-z][\w-]*", name):
            raise scenario.error((kind, index, "name"), f"{name!r} is no name")
        seen.add(name)
        if len(at) not in (2, 3) or not all(map(math.isfinite, at)):
            raise scenario.error((kind, index, "at"), "needs two or three numbers (metres)")


def _wrong_path(spec: NodeSpec) -> str:
    """What is wrong with the way a node moves; empty when nothing is."""
    times = [point.t for point in spec.path]
    if times != sorted(set(times)):
        return "the times of a path must rise"
    if any(
        len(point.at) not in (2, 3) or not all(map(math.isfinite, point.at)) for point in spec.path
    ):
        return "each place needs two or three numbers (metres)"
    return ""
