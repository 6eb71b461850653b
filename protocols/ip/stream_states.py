"""States of a TCP connection as a table, what an application is told, and the numbers that may be set.

RFC 9293 3.3.2 (states), RFC 6298 (retransmission timer), RFC 7323 2 (window scale). No clock, no randomness, no IO.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from protocols.errors import LocalProtocolError

__all__ = [
    "SENDING",
    "SYNCHRONISED",
    "TRANSITIONS",
    "Cause",
    "Closed",
    "Connected",
    "PeerClosed",
    "Readable",
    "State",
    "StreamClosedError",
    "StreamEvent",
    "StreamSettings",
    "Writable",
]


class State(StrEnum):
    """As RFC 9293 names them."""

    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"
    CLOSED = "CLOSED"


class Cause(StrEnum):
    """What moves a connection from one state to another."""

    SYN = "SYN"
    SYN_ACKED = "own SYN acknowledged"
    FIN = "FIN"
    FIN_ACKED = "own FIN acknowledged"
    CLOSE = "close"
    RESET = "RST"
    ABORT = "abort"
    GIVEN_UP = "given up"
    EXPIRED = "time over"


_S, _C = State, Cause
_EXCHANGING = frozenset(State) - {_S.LISTEN, _S.FIN_WAIT_2, _S.TIME_WAIT, _S.CLOSED}
"""States in which something may wait for the peer's acknowledgement."""
TRANSITIONS: dict[tuple[State, Cause], State] = {
    (_S.LISTEN, _C.SYN): _S.SYN_RECEIVED,
    (_S.LISTEN, _C.CLOSE): _S.CLOSED,
    (_S.SYN_SENT, _C.SYN): _S.SYN_RECEIVED,
    (_S.SYN_SENT, _C.CLOSE): _S.CLOSED,
    (_S.SYN_RECEIVED, _C.SYN_ACKED): _S.ESTABLISHED,
    (_S.SYN_RECEIVED, _C.CLOSE): _S.FIN_WAIT_1,
    (_S.ESTABLISHED, _C.CLOSE): _S.FIN_WAIT_1,
    (_S.ESTABLISHED, _C.FIN): _S.CLOSE_WAIT,
    (_S.FIN_WAIT_1, _C.FIN_ACKED): _S.FIN_WAIT_2,
    (_S.FIN_WAIT_1, _C.FIN): _S.CLOSING,
    (_S.FIN_WAIT_2, _C.FIN): _S.TIME_WAIT,
    (_S.CLOSE_WAIT, _C.CLOSE): _S.LAST_ACK,
    (_S.CLOSING, _C.FIN_ACKED): _S.TIME_WAIT,
    (_S.LAST_ACK, _C.FIN_ACKED): _S.CLOSED,
    (_S.TIME_WAIT, _C.EXPIRED): _S.CLOSED,
    **dict.fromkeys(((state, _C.ABORT) for state in State if state is not _S.CLOSED), _S.CLOSED),
    **dict.fromkeys(((state, _C.RESET) for state in _EXCHANGING | {_S.FIN_WAIT_2}), _S.CLOSED),
    **dict.fromkeys(((state, _C.GIVEN_UP) for state in _EXCHANGING), _S.CLOSED),
}
"""(state, cause) -> state; what is not in it changes nothing. SYN-SENT and a SYN that acknowledges are two steps."""

SYNCHRONISED = frozenset(State) - {_S.LISTEN, _S.SYN_SENT, _S.CLOSED}
"""States in which the peer's sequence numbers are known."""
SENDING = frozenset({_S.SYN_SENT, _S.SYN_RECEIVED, _S.ESTABLISHED, _S.CLOSE_WAIT, _S.LISTEN})
"""States in which the application may still send."""


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one end of a connection."""

    mss: int = 1440
    """octets of data in a segment: 1500 less the headers of IPv6 and TCP."""
    receive_octets: int = 262_144
    """room for data that the application has not read: the window."""
    send_octets: int = 262_144
    """room for data that the peer has not acknowledged."""
    window_scale: int = 4
    """shift of the own window, 0 to 14; 262,144 octets need 3 or more."""
    first_timeout_us: int = 1_000_000
    """retransmission timeout before a round trip was measured."""
    least_timeout_us: int = 1_000_000
    """RFC 6298 2.4 asks for a second, above the longest gap between slots; some systems take 200 ms."""
    most_timeout_us: int = 60_000_000
    give_up_us: int | None = 100_000_000
    """silence of the peer, with something sent, after which the connection ends (RFC 9293 3.8.3); None: never."""
    time_wait_us: int = 60_000_000
    """twice the longest life of a segment; RFC 9293 says 4 minutes, common systems take 60 s."""


class StreamClosedError(LocalProtocolError):
    """The application sends on a connection that takes no more."""


class StreamEvent(msgspec.Struct, frozen=True, tag_field="kind"):
    """Base of what a connection tells its application."""


class Connected(StreamEvent, frozen=True, tag="connected"):
    """The handshake is done."""


class Readable(StreamEvent, frozen=True, tag="readable"):
    """There is data to be read."""


class Writable(StreamEvent, frozen=True, tag="writable"):
    """There is room to send again, after `send` took less than it was given."""


class PeerClosed(StreamEvent, frozen=True, tag="peer_closed"):
    """The peer sends no more; what it sent can still be read."""


class Closed(StreamEvent, frozen=True, tag="closed"):
    """The connection is over; nothing happens any more."""

    reason: str
    """`closed`, `aborted`, `reset` by the peer, `refused`, or `timed_out`."""
