"""States of a pairing with one peer, what moves them, and to where: one table for both roles.

Digest of pairing, sections 6.1, 6.2 and 7, as in hostap; rows that only a careful device needs, or only hostap has, say
so. `TRANSITIONS` is what the engine runs on and what a ladder shows. No clock, no randomness, no IO.
"""

from __future__ import annotations

import enum

__all__ = ["TRANSITIONS", "Input", "State"]


class State(enum.Enum):
    """Where a pairing with a peer stands."""

    IDLE = "idle"
    """nothing runs; whether the peer is paired is said by `Peer.paired`."""
    STORED = "stored"
    """Auth1 is kept, the application decides."""
    ARMED = "armed"
    """the application accepts, Auth1 has not come."""
    AUTH1_SENT = "auth1_sent"
    COMING_BACK = "coming_back"
    """the responder asked for another Auth1 with its cookie."""
    AUTH3_SENT = "auth3_sent"
    AUTH2_SENT = "auth2_sent"
    PAIRED = "paired"
    """keys are in use; passed through."""
    NIK_DUE = "nik_due"
    """the own identity key goes out when its time comes; the peer's has not come."""
    NIK_WANTED = "nik_wanted"
    """the peer's identity key is to come first."""
    NIK_AWAITED = "nik_awaited"
    """the own identity key went out, the peer's is to come."""
    NIK_OWED = "nik_owed"
    """the peer's identity key came, the own one goes out when its time comes."""
    TORN_DOWN = "torn_down"
    """the peer's identity key did not come in time, the pairing was ended."""


class Input(enum.Enum):
    """What happens to a pairing."""

    START = "start"
    ACCEPT = "accept"
    PASSED_OVER = "passed_over"
    """the Auth1 that was kept is none that `accept` can take."""
    REFUSE = "refuse"
    ABORT = "abort"
    AUTH1 = "auth1"
    AUTH1_AGAIN = "auth1_again"
    """the octets of the Auth1 in hand."""
    AUTH2 = "auth2"
    AUTH3 = "auth3"
    COMEBACK = "comeback"
    """status 30 with a cookie: came in Auth2, or is to answer an Auth1."""
    YIELD = "yield"
    """both started, and this side is to be the responder."""
    UNSUITABLE = "unsuitable"
    """Auth1 failed a check: its status answers it."""
    DOUBTED = "doubted"
    """a frame that anyone can forge ends the exchange, unless a right one comes soon."""
    FAILED = "failed"
    SENT = "sent"
    """transmit status of Auth3."""
    TIMEOUT = "timeout"
    TIME_TO_COME_BACK = "time_to_come_back"
    OWN_NIK_FIRST = "own_nik_first"
    PEER_NIK_FIRST = "peer_nik_first"
    NO_NIK = "no_nik"
    """no exchange of identities: a verification, or one side caches no keys."""
    TIME_FOR_NIK = "time_for_nik"
    NIK = "nik"
    NIK_LOST = "nik_lost"
    """the peer's does not open, and no other is waited for (hostap)."""
    NIK_TIMEOUT = "nik_timeout"
    NIK_TEARDOWN = "nik_teardown"
    """the same, and the pairing ends (ESP-IDF)."""


S, I = State, Input  # noqa: E741  # a table reads best with short names

_AT_ANY_TIME: dict[tuple[State, Input], tuple[str, State]] = {
    row: ("end", S.IDLE)
    for state in S
    for row in ((state, I.ABORT), (state, I.FAILED))
    if state not in (S.IDLE, S.STORED, S.PAIRED, S.TORN_DOWN)
}

_EXCHANGE: dict[tuple[State, Input], tuple[str, State]] = {
    (S.IDLE, I.START): ("send_auth1", S.AUTH1_SENT),
    (S.IDLE, I.ACCEPT): ("arm", S.ARMED),
    (S.IDLE, I.AUTH1): ("keep_auth1", S.STORED),
    #
    (S.STORED, I.AUTH1): ("keep_auth1", S.STORED),
    (S.STORED, I.ACCEPT): ("answer_auth1", S.AUTH2_SENT),
    (S.STORED, I.UNSUITABLE): ("turn_down", S.ARMED),
    (S.STORED, I.COMEBACK): ("ask_back", S.ARMED),
    (S.STORED, I.PASSED_OVER): ("arm", S.ARMED),
    (S.STORED, I.START): ("send_auth1", S.AUTH1_SENT),
    (S.STORED, I.REFUSE): ("refuse_auth1", S.IDLE),
    (S.STORED, I.TIMEOUT): ("end", S.IDLE),
    (S.STORED, I.ABORT): ("end", S.IDLE),
    #
    (S.ARMED, I.AUTH1): ("answer_auth1", S.AUTH2_SENT),
    (S.ARMED, I.UNSUITABLE): ("turn_down", S.ARMED),
    (S.ARMED, I.COMEBACK): ("ask_back", S.ARMED),
    (S.ARMED, I.ACCEPT): ("arm", S.ARMED),
    (S.ARMED, I.START): ("send_auth1", S.AUTH1_SENT),
    #
    (S.AUTH1_SENT, I.AUTH2): ("take_auth2", S.AUTH3_SENT),
    (S.AUTH1_SENT, I.COMEBACK): ("come_back_later", S.COMING_BACK),
    (S.AUTH1_SENT, I.DOUBTED): ("hold_back", S.AUTH1_SENT),
    (S.AUTH1_SENT, I.START): ("send_auth1", S.AUTH1_SENT),
    (S.AUTH1_SENT, I.YIELD): ("answer_auth1", S.AUTH2_SENT),
    (S.AUTH1_SENT, I.UNSUITABLE): ("turn_down", S.AUTH1_SENT),
    (S.AUTH1_SENT, I.TIMEOUT): ("end", S.IDLE),
    #
    (S.COMING_BACK, I.TIME_TO_COME_BACK): ("send_auth1_again", S.AUTH1_SENT),
    (S.COMING_BACK, I.AUTH2): ("take_auth2", S.AUTH3_SENT),
    (S.COMING_BACK, I.START): ("send_auth1", S.AUTH1_SENT),
    (S.COMING_BACK, I.TIMEOUT): ("end", S.IDLE),
    #
    (S.AUTH3_SENT, I.SENT): ("install", S.PAIRED),
    (S.AUTH3_SENT, I.TIMEOUT): ("end", S.IDLE),
    (S.AUTH3_SENT, I.START): ("send_auth1", S.AUTH1_SENT),
    #
    (S.AUTH2_SENT, I.AUTH3): ("take_auth3", S.PAIRED),
    (S.AUTH2_SENT, I.AUTH1): ("answer_auth1", S.AUTH2_SENT),
    (S.AUTH2_SENT, I.AUTH1_AGAIN): ("repeat_auth2", S.AUTH2_SENT),
    (S.AUTH2_SENT, I.COMEBACK): ("ask_back", S.AUTH2_SENT),
    (S.AUTH2_SENT, I.UNSUITABLE): ("turn_down", S.AUTH2_SENT),
    (S.AUTH2_SENT, I.DOUBTED): ("hold_back", S.AUTH2_SENT),
    (S.AUTH2_SENT, I.ACCEPT): ("arm", S.ARMED),
    (S.AUTH2_SENT, I.START): ("send_auth1", S.AUTH1_SENT),
    (S.AUTH2_SENT, I.TIMEOUT): ("end", S.IDLE),
}

_IDENTITIES: dict[tuple[State, Input], tuple[str, State]] = {
    (S.PAIRED, I.NO_NIK): ("close", S.IDLE),
    (S.PAIRED, I.OWN_NIK_FIRST): ("schedule_nik", S.NIK_DUE),
    (S.PAIRED, I.PEER_NIK_FIRST): ("await_nik", S.NIK_WANTED),
    (S.NIK_DUE, I.TIME_FOR_NIK): ("send_nik", S.NIK_AWAITED),
    (S.NIK_DUE, I.NIK): ("store_nik", S.NIK_OWED),
    (S.NIK_WANTED, I.NIK): ("store_nik_and_answer", S.NIK_OWED),
    (S.NIK_AWAITED, I.NIK): ("store_nik", S.IDLE),
    (S.NIK_OWED, I.TIME_FOR_NIK): ("send_nik", S.IDLE),
    (S.TORN_DOWN, I.NIK): ("store_nik_and_answer", S.NIK_OWED),
    (S.TORN_DOWN, I.ABORT): ("close", S.IDLE),
    **{(state, I.NIK_LOST): ("close", S.IDLE) for state in (S.NIK_DUE, S.NIK_WANTED, S.NIK_AWAITED)},
    **{(state, I.NIK_TIMEOUT): ("give_up_nik", S.IDLE) for state in (S.NIK_DUE, S.NIK_WANTED, S.NIK_AWAITED)},
    **{(state, I.NIK_TEARDOWN): ("tear_down", S.TORN_DOWN) for state in (S.NIK_DUE, S.NIK_WANTED, S.NIK_AWAITED)},
}  # fmt: skip

_AFTERWARDS: dict[tuple[State, Input], tuple[str, State]] = {
    (state, given): row
    for state in (S.NIK_DUE, S.NIK_WANTED, S.NIK_AWAITED, S.NIK_OWED, S.TORN_DOWN)
    for given, row in {
        I.START: ("send_auth1", S.AUTH1_SENT),
        I.ACCEPT: ("arm", S.ARMED),
        I.AUTH1: ("keep_auth1", S.STORED),
    }.items()
}
"""A new pairing while identities of the last one are exchanged."""

TRANSITIONS: dict[tuple[State, Input], tuple[str, State]] = {
    **_AT_ANY_TIME,
    **_EXCHANGE,
    **_IDENTITIES,
    **_AFTERWARDS,
}
"""(state, input) -> (action, next state). An action that fails a check leaves the state, and another input follows."""
