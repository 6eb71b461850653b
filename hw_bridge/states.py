"""The states of a session and what leads from one to another, as a table that a screen and a test can read.

Digest 8.1. Rules of the file: data and small values only; a trigger that a state does not list is a mistake of ours.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SERVING", "TRANSITIONS", "State", "Transition", "Trigger", "next_state"]


class State(Enum):
    """Where a session is."""

    ABSENT = "absent"
    """Not there; looked for again and again."""
    OPENING = "opening"
    BLOCKED = "blocked"
    """There, and not to be had: permission, busy, no backend, or another device than before."""
    PROBING = "probing"
    FIRMWARE = "firmware"
    MUTE = "mute"
    """Open, and answers no Reset."""
    READY = "ready"
    DEGRADED = "degraded"
    """In use after trouble; a Reset is due."""
    LOST = "lost"
    BACKOFF = "backoff"
    CLOSED = "closed"


SERVING: Final = frozenset((State.READY, State.DEGRADED))
"""States in which packets of the host go to the controller."""


class Trigger(Enum):
    """What happened."""

    APPEARED = "appeared"
    NOT_FOUND = "not found"
    OPENED = "opened"
    BLOCKED = "blocked"
    RETRY = "retry"
    IDENTIFIED = "identified"
    NEEDS_FIRMWARE = "needs firmware"
    LOADED = "firmware loaded"
    NO_FIRMWARE = "no firmware"
    NO_ANSWER = "no answer"
    STRANGER = "another device"
    TROUBLE = "trouble"
    RESET_DONE = "reset done"
    RESTARTED = "controller restarted"
    LOST = "lost"
    WAIT = "wait"
    CLOSE = "close"


_IN_USE: Final[Mapping[Trigger, State]] = {
    Trigger.RESTARTED: State.PROBING,
    Trigger.NO_ANSWER: State.MUTE,
    Trigger.LOST: State.LOST,
    Trigger.CLOSE: State.CLOSED,
}

TRANSITIONS: Final[Mapping[State, Mapping[Trigger, State]]] = {
    State.ABSENT: {Trigger.APPEARED: State.OPENING, Trigger.CLOSE: State.CLOSED},
    State.OPENING: {
        Trigger.OPENED: State.PROBING,
        Trigger.NOT_FOUND: State.ABSENT,
        Trigger.BLOCKED: State.BLOCKED,
        Trigger.CLOSE: State.CLOSED,
    },
    State.BLOCKED: {Trigger.RETRY: State.OPENING, Trigger.CLOSE: State.CLOSED},
    State.PROBING: {
        Trigger.IDENTIFIED: State.READY,
        Trigger.NEEDS_FIRMWARE: State.FIRMWARE,
        Trigger.NO_ANSWER: State.MUTE,
        Trigger.STRANGER: State.BLOCKED,
        Trigger.LOST: State.LOST,
        Trigger.CLOSE: State.CLOSED,
    },
    State.FIRMWARE: {
        Trigger.LOADED: State.PROBING,
        Trigger.NO_FIRMWARE: State.DEGRADED,
        Trigger.NO_ANSWER: State.MUTE,
        Trigger.LOST: State.LOST,
        Trigger.CLOSE: State.CLOSED,
    },
    State.MUTE: {
        Trigger.RETRY: State.PROBING,
        Trigger.LOST: State.LOST,
        Trigger.CLOSE: State.CLOSED,
    },
    State.READY: {Trigger.TROUBLE: State.DEGRADED, **_IN_USE},
    State.DEGRADED: {Trigger.RESET_DONE: State.READY, **_IN_USE},
    State.LOST: {Trigger.WAIT: State.BACKOFF, Trigger.CLOSE: State.CLOSED},
    State.BACKOFF: {
        Trigger.APPEARED: State.OPENING,
        Trigger.NOT_FOUND: State.ABSENT,
        Trigger.CLOSE: State.CLOSED,
    },
    State.CLOSED: {},
}
"""State -> what may happen in it -> the state after that."""


class Transition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of state."""

    t_us: int
    """By the session's clock."""
    state: State
    """The new one."""
    reason: str
    """One sentence for a user."""
    generation: int


def next_state(state: State, trigger: Trigger) -> State | None:
    """The state after `trigger`; None where it changes nothing."""
    return TRANSITIONS[state].get(trigger)
