"""What bridge commands say of a session: a warning before it begins, and what became of it when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.commands._bench_options import report, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hw_bridge.session import Session

__all__ = ["summarise", "summary", "warn_of"]

_SHOWN_TRANSITIONS: Final = 12
_SHOWN_NOTES: Final = 20


def warn_of(session: Session) -> None:
    """Warn of a moniker that lets other machines in."""
    if getattr(session.life.port, "is_open_to_others", False):
        say(
            f"warning: whoever reaches {session.life.name} first is the controller; nothing is "
            "encrypted, and nobody is asked who he is"
        )


def summarise(session: Session) -> None:
    """Say it on standard error, counters last."""
    for text in summary(session):
        say(text)
    report(session.counters())


def summary(session: Session) -> Iterator[str]:
    """Sentences for people; nothing of a session that was never opened but its states."""
    from hw_bridge.identify import verdict

    life = session.life
    if life.facts is not None:
        yield f"{life.name}: {verdict(life.facts, life.info)}"
    if life.quirk is not None:
        yield f"quirk applied: {life.quirk.name}" + (
            f" ({life.quirk.note})" if life.quirk.note else ""
        )
    yield from _states(session)
    notes = [*session.notes]
    if len(notes) > _SHOWN_NOTES:
        yield f"{len(notes) - _SHOWN_NOTES} earlier notes are not shown"
    for _, kind, text in notes[-_SHOWN_NOTES:]:
        yield f"{kind}: {text}"


def _states(session: Session) -> Iterator[str]:
    transitions = [*session.life.transitions]
    earlier = len(transitions) - _SHOWN_TRANSITIONS
    if earlier > 0:
        yield f"{earlier} earlier changes of state are not shown"
    began_us = session.began_us
    for each in transitions[-_SHOWN_TRANSITIONS:]:
        yield f"{(each.t_us - began_us) / 1e6:9.3f} s  {each.state.value}: {each.reason}"
