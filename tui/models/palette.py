"""What the palette offers: actions of the key table, faults, scenarios; and which of them fit what was typed. No screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.errors import NearbenchError
from sim import scenario as scenarios
from tui.keys import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.keys import Key
    from tui.models.faults import FaultKind

__all__ = ["Offer", "actions", "faults", "fitting", "runs"]

_KINDS = ("action", "fault", "scenario")
_LEFT_OUT = ("move.", "palette", "back")


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the palette."""

    kind: str
    """action, fault or scenario."""
    name: str
    """Textual action, name of a fault, name or path of a scenario."""
    text: str
    """as it is shown."""
    key: str = ""
    """how it is reached by keys."""
    words: str = ""
    """what it is found by, besides its text."""


def actions(keys: Iterable[Key], *, ascii_only: bool = False) -> list[Offer]:
    """The actions of these keys."""
    return [
        Offer(
            kind="action",
            name=key.does,
            text=f"{key.tooltip[:1].upper()}{key.tooltip[1:]}",
            key=shown(key.key, ascii_only=ascii_only),
            words=key.label,
        )
        for key in keys
        if not key.id.startswith(_LEFT_OUT)
    ]


def faults(kinds: Iterable[FaultKind]) -> list[Offer]:
    """These faults."""
    return [
        Offer(
            kind="fault",
            name=kind.name,
            text=f"Fault: {kind.name}: {kind.title}",
            key="x enter",
            words=kind.name.replace("_", " "),
        )
        for kind in kinds
    ]


def runs(own: str = "") -> list[Offer]:
    """The scenarios of the library; `own`, the path of another one or nothing, comes first."""
    names = scenarios.names()
    given = [own] if own and own not in names else []
    return [_run(what) for what in (*given, *names)]


def _run(what: str) -> Offer:
    try:
        title = scenarios.load(what).title
    except NearbenchError:
        title = "it cannot be read"
    return Offer(
        kind="scenario",
        name=what,
        text=f"Scenario: {what}: {title}",
        key="5 enter",
        words=what.replace("_", " "),
    )


def fitting(offers: Iterable[Offer], text: str) -> list[Offer]:
    """The offers in which all parts of the text occur: names before what mentions them, short ones first."""
    parts = text.casefold().split()
    if not parts:
        return list(offers)
    found = [one for one in offers if _has(f"{one.text} {one.words}", parts)]
    return sorted(found, key=lambda one: (not _has(_head(one), parts), *_place(one)))


def _place(offer: Offer) -> tuple[int, int]:
    """Actions in their own order, then faults and scenarios: the less of a name was not typed the better."""
    return _KINDS.index(offer.kind), 0 if offer.kind == "action" else len(offer.name)


def _head(offer: Offer) -> str:
    """The text of an action; the name of what else there is."""
    return offer.text if offer.kind == "action" else f"{offer.kind} {offer.name} {offer.words}"


def _has(text: str, parts: Iterable[str]) -> bool:
    folded = text.casefold()
    return all(part in folded for part in parts)
