"""What can be put on a dongle, as a list that typing narrows; what stands behind a name as key=value goes with it.

Rules of the file: text in, roles out; no screen. A path of a Python file is an accessory or a phone of the user's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from protocols.conversion import as_typed
from protocols.errors import NearbenchError, UsageError
from sim.accessories import ACCESSORIES
from sim.phones import PHONES
from sim.typed import typed
from tui.bench.role import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Choice", "chosen", "matching"]

_YES: Final = ("yes", "on", "true", "1")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    role: Role
    about: str


def _choices() -> list[Choice]:
    found = [Choice(role=Role(kind="observe"), about="listens, and decodes what the real air says")]
    for kind, folder in (("accessory", ACCESSORIES), ("phone", PHONES)):
        for name in folder.names():
            try:
                model: Any = folder.get(name)
            except NearbenchError:  # a broken file; `nearbench list` tells of it
                continue
            if "ble" in model.radios:
                about = (model.__doc__ or "").splitlines()[0].rstrip(".")
                found.append(Choice(role=_role(kind, name), about=about))
    return found


def _role(kind: str, name: str) -> Role:
    return as_typed({"kind": kind, "name": name}, Role)


def _taken_apart(text: str) -> tuple[list[str], dict[str, str]]:
    """Words that narrow the list, and arguments."""
    words = text.split()
    arguments = dict(word.split("=", 1) for word in words if "=" in word)
    return [word for word in words if "=" not in word], arguments


def matching(text: str) -> list[Choice]:
    """The roles that `text` leaves."""
    words, _ = _taken_apart(text)
    paths = [word for word in words if word.endswith(".py")]
    if paths:
        return [
            Choice(role=_role(kind, paths[0]), about=f"{kind} of your own, from its file")
            for kind in ("accessory", "phone")
        ]
    parts = [word.casefold() for word in words]
    return [
        choice
        for choice in _choices()
        if all(
            part in f"{choice.role.kind} {choice.role.name} {choice.about}".casefold()
            for part in parts
        )
    ]


def chosen(choice: Choice, text: str) -> Role:
    """The role with its arguments. Raises UsageError."""
    _, arguments = _taken_apart(text)
    role = choice.role
    peer, pair = arguments.pop("peer", ""), arguments.pop("pair", "")
    if (peer or pair) and role.kind != "phone":
        raise UsageError("peer= and pair= are a phone's; an accessory waits to be found")
    if pair and not peer:
        raise UsageError("pair=yes needs peer=, the device to pair with")
    if arguments and role.kind == "observe":
        raise UsageError("an observer has no settings")
    return msgspec.structs.replace(
        role, peer=peer, pair=pair.casefold() in _YES, settings=_settings(arguments)
    )


def _settings(arguments: Mapping[str, str]) -> dict[str, Any]:
    if "" in arguments:
        raise UsageError("write settings as key=value, as in pin=123456")
    return {key: typed(value) for key, value in arguments.items()}
