"""Whose fault a wrong setting is: the line of the scenario file that gives it, or the `--set` that was put over the file.

What stands in the settings of a node and not in the text of its scenario was put over it (`scenario.with_settings`). No
clock, no IO.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, cast

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.scenario import NodeSpec, Scenario

__all__ = ["wrong_setting"]

_AT = re.compile(r"set((?:\.\w+|\[[^\]]*\])*): ")


def wrong_setting(scenario: Scenario, index: int, message: str, *, who: str = "") -> UsageError:
    """The error for what a device says of its settings (`set.KEY: what is wrong`), at the place that has to change.

    `who`: name of the node, where the message does not come from its settings alone.
    """
    spec = scenario.node[index]
    found = _AT.match(message)
    path, said = ("", message) if found is None else (found[1].lstrip("."), message[found.end() :])
    given = [key for key in _put_over(scenario, index) if _is_meant(key, path, said)]
    if not given:
        return scenario.error(_place(index, spec, message), f"{who}: {message}" if who else message)
    key = min(given, key=lambda one: _first(one, said))
    option = f"{spec.name}.{key}" if scenario.text else key
    inner = path.removeprefix(key).lstrip(".") if path.startswith(key) else ""
    said = said.removeprefix(f"{key}: ")
    return UsageError(f"--set {option}: {inner}{': ' if inner else ''}{said}")


def _place(index: int, spec: NodeSpec, message: str) -> tuple[str | int, ...]:
    """The setting of the file that the message names first."""
    named = [key for key in spec.set if _first(key, message) < len(message)]
    first = min(named, key=lambda key: _first(key, message), default=None)
    return ("node", index, "set", first) if first else ("node", index, "set")


def _first(key: str, text: str) -> int:
    """Where `text` names the last part of a key; its length when it does not."""
    found = re.search(rf"\b{re.escape(key.rpartition('.')[2])}\b", text)
    return found.start() if found else len(text)


def _is_meant(key: str, path: str, said: str) -> bool:
    """Whether a message about what stands at `path` is about the setting `key`."""
    plain = re.sub(r"\[[^\]]*\]", "", path)
    if f"{plain}.".startswith(f"{key}."):
        return True
    above = not plain or key.startswith(f"{plain}.")
    return above and _first(key, said) < len(said)


def _put_over(scenario: Scenario, index: int) -> Iterator[str]:
    """Settings of a node that are not as in the text of the scenario, tables by their members (`aware.port`)."""
    nodes: list[dict[str, Any]] = tomllib.loads(scenario.text).get("node", [])
    written: dict[str, Any] = nodes[index].get("set", {}) if index < len(nodes) else {}
    return _differing(scenario.node[index].set, written)


def _differing(given: dict[str, Any], written: dict[str, Any]) -> Iterator[str]:
    for key, value in given.items():
        inner, known = _table(value), _table(written.get(key, {}))
        if inner is not None and known is not None:
            yield from (f"{key}.{one}" for one in _differing(inner, known))
        elif key not in written or repr(value) != repr(written[key]):  # nan is not equal to itself
            yield key


def _table(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
