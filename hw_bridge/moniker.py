"""Monikers: `serial:/dev/ttyACM0?baud=1000000` is a scheme, what it opens, and options.

Rules of the file: the transport's own table says which options there are and what they may be; a moniker is checked
before anything is opened, and no third party is imported for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hw_bridge.errors import BadMonikerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Moniker", "Option", "split_moniker"]

_PORT = re.compile(r"/dev/(?!bus)|COM\d", re.IGNORECASE)
_BEGINS = "is no moniker: it begins with a transport and a colon, as in serial:/dev/ttyACM0"
_DIGITS = 9
"""Of a number; more do not fit into what systems take."""
_TRUE, _FALSE = ("on", "true", "yes", "1", ""), ("off", "false", "no", "0")


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may stand behind the `?` of a moniker."""

    name: str
    kind: Literal["number", "switch", "choice", "text"]
    default: int | bool | str
    summary: str
    """One line, with the unit."""
    choices: tuple[str, ...] = ()
    least: int = 0
    """of a number."""

    def read(self, value: str) -> int | bool | str:
        """The value in a moniker. Raises BadMonikerError without the moniker's name."""
        if self.kind == "number":
            if not value.isascii() or not value.isdigit() or int(value[:_DIGITS]) < self.least:
                raise BadMonikerError(f"{self.name}={value}: a number from {self.least} up")
            if len(value) > _DIGITS:
                raise BadMonikerError(f"{self.name}={value[:_DIGITS]}...: too large")
            return int(value)
        if self.kind == "switch":
            if value.lower() not in _TRUE + _FALSE:
                raise BadMonikerError(f"{self.name}={value}: on or off")
            return value.lower() in _TRUE
        if self.kind == "choice" and value not in self.choices:
            raise BadMonikerError(f"{self.name}={value}: one of {', '.join(self.choices)}")
        return value


class Moniker(msgspec.Struct, frozen=True, kw_only=True):
    """What a user wrote, taken apart and checked."""

    text: str
    """as written."""
    scheme: str
    target: str
    """between the scheme and the options."""
    given: dict[str, Any] = {}
    """Options that were written."""
    options: dict[str, Any] = {}
    """All of the transport's options."""

    def number(self, name: str) -> int:
        """Value of a number option."""
        return int(self.options[name])

    def switch(self, name: str) -> bool:
        """Value of a switch."""
        return bool(self.options[name])

    def choice(self, name: str) -> str:
        """Value of a choice or text option."""
        return str(self.options[name])

    def with_defaults(self, defaults: Mapping[str, Any]) -> Moniker:
        """With other defaults for options that were not written (a quirk table's, say)."""
        known = {name: value for name, value in defaults.items() if name in self.options}
        return msgspec.structs.replace(self, options={**self.options, **known, **self.given})


def split_moniker(text: str) -> tuple[str, str, dict[str, str]]:
    """Scheme, target, and options as text. Raises BadMonikerError."""
    scheme, colon, rest = text.partition(":")
    if not colon and text != "pty":
        is_port = _PORT.match(text) is not None
        words = f"is a serial port: write serial:{text}" if is_port else _BEGINS
        raise BadMonikerError(f"{text!r} {words}")
    target, _, written = rest.partition("?")
    options: dict[str, str] = {}
    for part in filter(None, written.split("&")):
        name, _, value = part.partition("=")
        if name in options:
            raise BadMonikerError(f"{text}: option {name} is given twice")
        options[name] = value
    return scheme, target, options


def read_moniker(
    text: str, target: str, written: Mapping[str, str], known: Sequence[Option]
) -> Moniker:
    """The moniker with its options checked against `known`. Raises BadMonikerError."""
    by_name = {option.name: option for option in known}
    given: dict[str, Any] = {}
    for name, value in written.items():
        if name not in by_name:
            offer = ", ".join(sorted(by_name)) or "none"
            raise BadMonikerError(f"{text}: unknown option {name!r}; known: {offer}")
        try:
            given[name] = by_name[name].read(value)
        except BadMonikerError as exc:
            raise BadMonikerError(f"{text}: {exc}") from None
    defaults = {option.name: option.default for option in known}
    return Moniker(
        text=text,
        scheme=text.partition(":")[0],
        target=target,
        given=given,
        options={**defaults, **given},
    )
