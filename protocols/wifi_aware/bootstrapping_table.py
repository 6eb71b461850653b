"""Transitions of pairing bootstrapping with one peer, both roles.

Wi-Fi Aware 4.0, pairing bootstrapping; digest 6.3 and 6.4, as in hostap src/nan/nan_bootstrap.c. An input that has no
row in a state is not taken there: a frame is dropped, a command refused. No clock, no randomness, no IO.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TRANSITIONS", "Input", "State"]


class State(enum.Enum):
    """Where bootstrapping with a peer stands."""

    IDLE = "idle"
    WAIT = "wait"
    """requester: for a response."""
    COMEBACK = "comeback"
    """requester: until it may come back."""
    PENDING = "pending"
    """responder: for its user, or for the requester to come back."""


class Input(enum.Enum):
    """What happens; requests and responses by what they are after all checks."""

    START = "start"
    ABORT = "abort"
    AUTHORIZE = "authorize"
    REFUSE = "refuse"
    REQUEST_UNSUPPORTED = "request of a method that is not there"
    REQUEST_AUTOMATIC = "request that is agreed to"
    REQUEST_FOR_USER = "request that needs the user"
    REQUEST_AGAIN = "request repeated"
    COMEBACK_AGAIN = "comeback request repeated"
    """after it was answered."""
    COMEBACK_EARLY = "comeback request before the user spoke"
    COMEBACK_AUTHORIZED = "comeback request, authorized"
    COMEBACK_REFUSED = "comeback request, refused"
    ACCEPTED = "accepted"
    MISMATCHED = "accepted with another method"
    REJECTED = "rejected"
    PUT_OFF = "put off"
    PUT_OFF_TOO_OFTEN = "put off too often"
    UNKNOWN_STATUS = "response of unknown status"
    RETRY_DUE = "no response"
    COMEBACK_DUE = "time to come back"
    SPENT = "tries spent"
    TIMEOUT = "timeout"
    SERVICE_GONE = "service ended"
    CROWDED_OUT = "too many requests wait"


_S, _I = State, Input
TRANSITIONS: Mapping[tuple[State, Input], tuple[str, State]] = {
    (_S.IDLE, _I.START): ("request", _S.WAIT),
    (_S.IDLE, _I.REQUEST_UNSUPPORTED): ("reject", _S.IDLE),
    (_S.IDLE, _I.REQUEST_AUTOMATIC): ("accept", _S.IDLE),
    (_S.IDLE, _I.REQUEST_FOR_USER): ("ask_user", _S.PENDING),
    (_S.IDLE, _I.COMEBACK_AGAIN): ("answer_again", _S.IDLE),
    # requester
    (_S.WAIT, _I.ACCEPTED): ("succeed", _S.IDLE),
    (_S.WAIT, _I.MISMATCHED): ("fail", _S.IDLE),
    (_S.WAIT, _I.REJECTED): ("fail", _S.IDLE),
    (_S.WAIT, _I.PUT_OFF): ("wait_to_come_back", _S.COMEBACK),
    (_S.WAIT, _I.PUT_OFF_TOO_OFTEN): ("fail", _S.IDLE),
    (_S.WAIT, _I.UNKNOWN_STATUS): ("fail", _S.IDLE),
    (_S.WAIT, _I.RETRY_DUE): ("repeat", _S.WAIT),
    (_S.WAIT, _I.SPENT): ("fail", _S.IDLE),
    (_S.WAIT, _I.TIMEOUT): ("fail", _S.IDLE),
    (_S.WAIT, _I.SERVICE_GONE): ("fail", _S.IDLE),
    (_S.WAIT, _I.ABORT): ("forget", _S.IDLE),
    (_S.COMEBACK, _I.ACCEPTED): ("succeed", _S.IDLE),
    (_S.COMEBACK, _I.MISMATCHED): ("fail", _S.IDLE),
    (_S.COMEBACK, _I.REJECTED): ("fail", _S.IDLE),
    (_S.COMEBACK, _I.PUT_OFF): ("wait_to_come_back", _S.COMEBACK),
    (_S.COMEBACK, _I.PUT_OFF_TOO_OFTEN): ("fail", _S.IDLE),
    (_S.COMEBACK, _I.UNKNOWN_STATUS): ("fail", _S.IDLE),
    (_S.COMEBACK, _I.COMEBACK_DUE): ("come_back", _S.WAIT),
    (_S.COMEBACK, _I.TIMEOUT): ("fail", _S.IDLE),
    (_S.COMEBACK, _I.SERVICE_GONE): ("fail", _S.IDLE),
    (_S.COMEBACK, _I.ABORT): ("forget", _S.IDLE),
    # a request of the peer takes the place of the own one
    (_S.WAIT, _I.REQUEST_UNSUPPORTED): ("reject", _S.IDLE),
    (_S.WAIT, _I.REQUEST_AUTOMATIC): ("accept", _S.IDLE),
    (_S.WAIT, _I.REQUEST_FOR_USER): ("ask_user", _S.PENDING),
    (_S.COMEBACK, _I.REQUEST_UNSUPPORTED): ("reject", _S.IDLE),
    (_S.COMEBACK, _I.REQUEST_AUTOMATIC): ("accept", _S.IDLE),
    (_S.COMEBACK, _I.REQUEST_FOR_USER): ("ask_user", _S.PENDING),
    # responder
    (_S.PENDING, _I.AUTHORIZE): ("note_authorization", _S.PENDING),
    (_S.PENDING, _I.REFUSE): ("note_refusal", _S.PENDING),
    (_S.PENDING, _I.REQUEST_AGAIN): ("put_off", _S.PENDING),
    (_S.PENDING, _I.COMEBACK_EARLY): ("put_off", _S.PENDING),
    (_S.PENDING, _I.COMEBACK_AUTHORIZED): ("accept", _S.IDLE),
    (_S.PENDING, _I.COMEBACK_REFUSED): ("reject", _S.IDLE),
    (_S.PENDING, _I.TIMEOUT): ("fail", _S.IDLE),
    (_S.PENDING, _I.CROWDED_OUT): ("fail", _S.IDLE),
    (_S.PENDING, _I.ABORT): ("forget", _S.IDLE),
}
"""(state, input) -> (action, next state)."""
