"""What is typed at a device: a line as one of its commands with arguments, and the lines that say what can be typed.

Rules of the file: a line is what a scenario's step is, a command and `key=value`; digits alone are a PIN. What a value
is meant to be, its type says. Errors never repeat a PIN. No clock, no IO.
"""

from __future__ import annotations

import re
import typing
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import UsageError
from sim.device import check_arguments
from sim.redaction import masked_line
from sim.typed import as_declared, typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.device import Device

__all__ = ["given", "help_lines", "kinds_of", "parse", "setting_kinds"]

_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
_QUOTED = re.compile(r"""(["'])(.*)\1""")
_PIN = re.compile(r"[0-9]{4,16}")


def parse(node: str, line: str, secret: Callable[[str], Any]) -> tuple[str, dict[str, Any]] | None:
    """A line as (command, arguments); None for a blank one. Raises UsageError, with PINs as `secret` gives them."""
    words = _WORD.findall(line)
    if not words:
        return None
    name, *rest = words
    if _PIN.fullmatch(name) and not rest:
        return "enter_pin", {"pin": name}
    arguments: dict[str, Any] = {}
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals:
            shown = masked_line(word, secret)
            raise UsageError(f"{node}: console: {shown!r}: write arguments as key=value")
        quoted = _QUOTED.fullmatch(value)
        arguments[key] = quoted.group(2) if quoted else typed(value)
    return name, arguments


def given(device: Device, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `parse` as plain values of the types that the command takes. Raises UnknownNameError, UsageError."""
    check_arguments(device, name, arguments)
    kinds = kinds_of(device, name)
    if name == "change":
        setting = str(arguments.get("setting", ""))
        kinds = kinds | {"value": setting_kinds(device).get(setting, Any)}
    return {key: as_declared(value, kinds.get(key, Any)) for key, value in arguments.items()}


def kinds_of(device: Device, name: str) -> dict[str, Any]:
    """The parameters of a command and their types, as users write them; none for what is no command."""
    method = getattr(device, name, None)
    if not getattr(method, "is_command", False):
        return {}
    hints = typing.get_type_hints(method)
    return {key.removesuffix("_"): kind for key, kind in hints.items() if key != "return"}


def setting_kinds(device: Device) -> dict[str, Any]:
    """The settings of a device and their types."""
    return {field.name: field.type for field in msgspec.structs.fields(device.settings.__class__)}


def help_lines(device: Device) -> list[str]:
    """A line for each command."""
    return [
        f"{info.name} {' '.join(f'{key}=' for key in info.parameters)}".strip() + f": {info.about}"
        for info in type(device).commands().values()
        if info.name != "console"
    ]
