"""The prompt of a console: what a line may go on with, the lines of before, and the answer to `help`.

What can be typed is what `sim.console` takes. Rule of the file: a line with a PIN in it is not kept. No screen.
"""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any

from sim.console import kinds_of, setting_kinds
from sim.redaction import masked_line
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sim.device import Device

__all__ = ["History", "completed", "help_of"]

_NODES = ("to", "peer", "choose")
"""Arguments that name a node."""
_MOST = 200


class History:
    """Lines that were typed, the latest last; `back` and `forth` go through them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._at = 0
        self._draft = ""

    def add(self, line: str) -> None:
        """Keep a line, unless it is the one before or has a PIN in it."""
        has_secret = line.isdecimal() or masked_line(line, lambda _: "") != line
        if line.strip() and not has_secret and self.lines[-1:] != [line]:
            self.lines.append(line)
            del self.lines[:-_MOST]
        self._at = len(self.lines)

    def back(self, current: str) -> str:
        """The line before; `current` is what stands there now."""
        if self._at == len(self.lines):
            self._draft = current
        self._at = max(0, self._at - 1)
        return self.lines[self._at] if self.lines else current

    def forth(self, current: str) -> str:
        """The line after; behind the last one what was being typed."""
        if self._at >= len(self.lines):
            return current
        self._at += 1
        return self.lines[self._at] if self._at < len(self.lines) else self._draft


def completed(device: Device, nodes: Iterable[str], line: str) -> tuple[str, list[str]]:
    """(the line with all that is certain added, what it may go on with when that is more than one thing)."""
    head, space, word = line.rpartition(" ")
    if not head.strip():
        found = _starting(_commands(device), word.strip())
        return _joined("", "", word.strip(), found)
    command = head.split()[0]
    key, equals, value = word.partition("=")
    if not equals:
        given = {part.partition("=")[0] for part in head.split()[1:]}
        names = [f"{name}=" for name in kinds_of(device, command) if name not in given]
        return _joined(head, space, word, _starting(names, word))
    values = _values(device, nodes, command, key, head)
    return _joined(head, space, word, [f"{key}={one}" for one in _starting(values, value)])


def _starting(names: Iterable[str], start: str) -> list[str]:
    return sorted(name for name in names if name.startswith(start))


def _joined(head: str, space: str, word: str, found: Sequence[str]) -> tuple[str, list[str]]:
    if not found:
        return f"{head}{space}{word}", []
    common = _common(found)
    behind = " " if len(found) == 1 and not common.endswith("=") else ""
    line = f"{head}{space}{common}{behind}"
    return line, [] if len(found) == 1 or common != word else list(found)


def _common(found: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(found), max(found)
    same = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(same, min(len(first), len(last)))]


def _commands(device: Device) -> list[str]:
    commands = type(device).commands()
    own = ["help", "log"] if "console" in commands else ["help"]
    return [*own, *(name for name in commands if name != "console")]


def _values(device: Device, nodes: Iterable[str], command: str, key: str, head: str) -> list[str]:
    if command == "change" and key == "setting":
        return list(setting_kinds(device))
    if key in _NODES:
        return [node for node in nodes if node != device.name]
    kind = kinds_of(device, command).get(key)
    if command == "change" and key == "value":
        settings = [part for part in head.split() if part.startswith("setting=")]
        kind = (
            setting_kinds(device).get(settings[-1].removeprefix("setting=")) if settings else None
        )
    return _choices(kind)


def _choices(kind: Any) -> list[str]:
    """Values of a type that has few."""
    if kind is bool:
        return ["false", "true"]
    if typing.get_origin(kind) is typing.Literal:
        return [str(one) for one in typing.get_args(kind)]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [choice for one in typing.get_args(kind) for choice in _choices(one)]
    return []


def help_of(device: Device, command: str = "") -> list[tuple[str, str]]:
    """(what is typed, what it does) for each command, or for one of them with its arguments; empty when there is none."""
    commands = type(device).commands()
    if command:
        info = commands.get(command)
        if info is None:
            return []
        arguments = [(f"  {key}=", clean(kind)) for key, kind in info.parameters.items()]
        return [(command, info.about), *arguments]
    found = [
        (f"{name} {' '.join(f'{key}=' for key in info.parameters)}".rstrip(), info.about)
        for name, info in commands.items()
        if name != "console"
    ]
    return [("help COMMAND", "this list, or what one command takes"), *found]
