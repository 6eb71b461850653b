"""A scenario as TOML that runs from any folder: settings of options written out, file names made absolute.

TOML 1.0. Rules of the file: what has its default is left out; a bare number never stands for a duration. Looks at the
disk only to know which settings are names of files beside the scenario.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from sim.units import Duration, duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.scenario import Scenario

__all__ = ["moved", "plain_of", "scenario_toml", "toml_value"]

_LOADED = frozenset(("base", "file", "text"))
_TABLES = ("node", "crowd", "fault", "step", "expect")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LOOKS_LIKE_FILE = re.compile(r"[^/\\]+\.\w{1,8}|.*[/\\].*", re.DOTALL)


def toml_value(value: Any) -> str:
    """One value as it stands behind `=`. Raises TypeError for what TOML does not have."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, Duration):
        return f'"{duration_text(value)}"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return (
            repr(value)
            if math.isfinite(value)
            else {"inf": "inf", "-inf": "-inf"}.get(repr(value), "nan")
        )
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, cast('list[Any]', value)))}]"
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        inside = ", ".join(
            f"{_key(key)} = {toml_value(one)}" for key, one in members.items() if one is not None
        )
        return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(f"{type(value).__name__} in a scenario")


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() else f"\\U{ord(char):08X}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else toml_value(name)


def plain_of(part: Any) -> Any:
    """A part of a scenario as tables and lists; what has its default is left out."""
    if isinstance(part, msgspec.Struct):
        fields = msgspec.structs.fields(part)
        given = {field.encode_name: (getattr(part, field.name), field) for field in fields}
        return {
            name: plain_of(value) for name, (value, field) in given.items() if value is not None and value != _default(field)
        }  # fmt: skip
    if isinstance(part, (list, tuple)):
        return [plain_of(one) for one in cast("list[Any]", part)]
    if isinstance(part, dict):
        return {key: plain_of(one) for key, one in cast("dict[str, Any]", part).items()}
    return part


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def scenario_toml(scenario: Scenario, heading: Iterable[str] = ()) -> str:
    """The scenario as a file; `heading` becomes comments."""
    plain = {key: value for key, value in plain_of(scenario).items() if key not in _LOADED}
    lines = [f"# {line}".rstrip() for line in heading]
    lines += [
        f"{key} = {toml_value(value)}"
        for key, value in plain.items()
        if key not in (*_TABLES, "air")
    ]
    if "air" in plain:
        lines += ["", "[air]", *_members(plain["air"])]
    for table in _TABLES:
        for entry in plain.get(table, ()):
            lines += ["", f"[[{table}]]", *_members(entry)]
    return "\n".join(lines) + "\n"


def _members(table: dict[str, Any]) -> list[str]:
    return [f"{_key(key)} = {toml_value(value)}" for key, value in table.items()]


def moved(scenario: Scenario) -> Scenario:
    """The scenario with the files that it names by their whole path, so that it may stand anywhere."""
    base = Path(scenario.base or ".").resolve()
    change = msgspec.structs.replace
    return change(
        scenario,
        formats=tuple(_absolute(name, base) for name in scenario.formats),
        node=tuple(
            change(
                one, accessory=_absolute(one.accessory, base), phone=_absolute(one.phone, base), set=_absolute(one.set, base)
            )
            for one in scenario.node
        ),
        crowd=tuple(
            change(one, format=_absolute(one.format, base), fields=_absolute(one.fields, base), set=_absolute(one.set, base))
            for one in scenario.crowd
        ),
        fault=tuple(change(one, name=_absolute(one.name, base), set=_absolute(one.set, base)) for one in scenario.fault),
    )  # fmt: skip


def _absolute(value: Any, base: Path) -> Any:
    """`value` with each text in it that names something beside the scenario as a whole path."""
    if isinstance(value, dict):
        return {key: _absolute(one, base) for key, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_absolute(one, base) for one in cast("list[Any]", value)]
    if (
        isinstance(value, str)
        and value
        and _LOOKS_LIKE_FILE.fullmatch(value)
        and _exists(base / value)
    ):
        return str(base / value)
    return value


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
