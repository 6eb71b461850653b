"""A TCP connection: one end of a byte stream over a link that loses, repeats and reorders. Five verbs, no IO.

RFC 9293 (segments and states, 3.10), RFC 5961 (resets and SYNs inside a connection), RFC 7323 2 (window scale); what is
sent when is in `stream_sending.py`. A stream is one connection with its own queue on a link of its own: there is no
congestion window, what may be in flight is the peer's window; acknowledgements are not delayed, small segments not held
back; there is no urgent data, no SACK and no timestamps option. Chance is `draw(purpose, octets)`: the initial sequence
number. `now` is in microseconds.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from protocols.ip.stream_buffers import Incoming, unwrapped, wire
from protocols.ip.stream_sending import Piece, Sending
from protocols.ip.stream_states import (
    SENDING,
    SYNCHRONISED,
    TRANSITIONS,
    Cause,
    Closed,
    Connected,
    PeerClosed,
    Readable,
    State,
    StreamClosedError,
    StreamSettings,
    Writable,
)
from protocols.ip.tcp import MSS, NO_OPERATION, WINDOW_SCALE, Option, Tcp, option

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.ip.stream_states import StreamEvent

__all__ = ["Stream", "reset_for"]

_WINDOW = 0xFFFF
_LARGEST_SHIFT = 14
_DEFAULT_MSS = 1220
"""Of a peer that names none: 1280 less the headers (RFC 9293 3.7.1)."""
_REASONS = {Cause.RESET: "reset", Cause.ABORT: "aborted", Cause.GIVEN_UP: "timed_out"}
"""Of the end of a connection; any other cause is `closed`."""


def reset_for(segment: Tcp) -> Tcp | None:
    """The answer to a segment that belongs to no connection (RFC 9293 3.10.7.1); None to a reset."""
    if segment.rst:
        return None
    octets = len(segment.data) // 2 + segment.syn + segment.fin
    return Tcp(
        source_port=segment.destination_port,
        destination_port=segment.source_port,
        sequence_number=segment.acknowledgement_number if segment.ack else 0,
        acknowledgement_number=0 if segment.ack else wire(segment.sequence_number, octets),
        rst=True,
        ack=not segment.ack,
    )


def _is_bare(segment: Tcp) -> bool:
    """Whether a segment only acknowledges."""
    return not segment.data and not segment.fin


class Stream:
    """One end. Commands of the application: `send`, `read`, `close` (sends no more), `abort`."""

    def __init__(
        self,
        local_port: int,
        peer_port: int,
        draw: Callable[[str, int], bytes],
        settings: StreamSettings | None = None,
        *,
        passive: bool = False,
    ) -> None:
        self.settings = settings or StreamSettings()
        self.local_port = local_port
        self.peer_port = peer_port
        self.state = State.LISTEN if passive else State.SYN_SENT
        self.sending = Sending(self.settings)
        self.incoming = Incoming(self.settings.receive_octets, self.settings.mss)
        self._initial = int.from_bytes(draw("tcp_sequence", 4), "big")
        self._peer_initial = 0
        self._shift: tuple[int, int] | None = None  # own window's and the peer's, once both agreed
        self._due: int | None = None  # of the timer that runs: retransmission, probe, or TIME-WAIT
        self._ack_due = False
        self._refused = False  # `send` had no room
        self._replies: list[Tcp] = []
        self._events: deque[StreamEvent] = deque()

    # Commands of the application

    def send(self, data: bytes) -> int:
        """Queue data to be sent; how many octets there was room for. Raises StreamClosedError."""
        if self.state not in SENDING or self.sending.out.fin:
            raise StreamClosedError(f"the stream is closed for sending ({self.state})")
        taken = self.sending.out.put(data)
        self._refused = taken < len(data)
        return taken

    def read(self, most: int) -> bytes:
        """Take up to `most` octets that have arrived."""
        data = self.incoming.take(most)
        if data and self.incoming.opened and self.state in SYNCHRONISED:
            self._ack_due = True
        return data

    def close(self) -> None:
        """Send no more: a FIN follows what was given. Reading goes on."""
        if not self.sending.out.fin and (self.state, Cause.CLOSE) in TRANSITIONS:
            self.sending.out.fin = True
            self._move(Cause.CLOSE)

    def abort(self) -> None:
        """End at once, and tell the peer."""
        if self.state in SYNCHRONISED and self.state is not State.TIME_WAIT:
            self._replies.append(self._segment(self.sending.out.sent, rst=True))
        self._move(Cause.ABORT)

    # The five verbs

    def receive(self, segment: Tcp, now: int) -> None:
        """Take a segment of this connection; its ports are not looked at."""
        if self.state is State.CLOSED:
            self._reset(segment)
        elif self.state is State.LISTEN:
            self._receive_listening(segment, now)
        elif self.state is State.SYN_SENT:
            self._receive_opening(segment, now)
        else:
            self._receive_synchronised(segment, now)

    def to_send(self, now: int) -> list[Tcp]:
        """Segments to be sent, in order; each is given once."""
        out, self._replies = self._replies, []
        if self.state in (State.CLOSED, State.LISTEN):
            return out
        idle = not self.sending.out.in_flight
        while (piece := self.sending.next(now)) is not None:
            out.append(self._of(piece))
            if idle:
                self._due, idle = None, False
        if self._ack_due:
            out.append(self._segment(self.sending.out.sent))
        if self.state is not State.TIME_WAIT:
            self._run_timer(now)
        return out

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called, None when nothing runs."""
        return self._due

    def handle_timer(self, now: int) -> None:
        """Run what is due."""
        if self._due is None or now < self._due:
            return
        self._due = None
        patience = self.settings.give_up_us
        if self.state is State.TIME_WAIT:
            self._move(Cause.EXPIRED)
        elif patience is not None and now - self.sending.alive_us >= patience:
            self._move(Cause.GIVEN_UP)
        else:
            self.sending.fired()

    def next_event(self) -> StreamEvent | None:
        """The next event, None when there is none."""
        return self._events.popleft() if self._events else None

    # States

    def _move(self, cause: Cause) -> None:
        before = self.state
        self.state = TRANSITIONS.get((before, cause), before)
        if self.state is before:
            return
        if self.state is State.CLOSED:
            self._due = None
            refused = cause is Cause.RESET and before in (State.SYN_SENT, State.SYN_RECEIVED)
            self._events.append(Closed("refused" if refused else _REASONS.get(cause, "closed")))
        elif self.state is State.ESTABLISHED:
            self._events.append(Connected())

    # Segments coming in

    def _reset(self, segment: Tcp) -> None:
        reply = reset_for(segment)
        self._replies += [] if reply is None else [reply]

    def _receive_listening(self, segment: Tcp, now: int) -> None:
        if segment.ack:
            self._reset(segment)
        elif segment.syn and not segment.rst:
            self._take_syn(segment, now)
            self._move(Cause.SYN)

    def _receive_opening(self, segment: Tcp, now: int) -> None:
        """In SYN-SENT (RFC 9293 3.10.7.3)."""
        if segment.ack and self._acked_by(segment) != 1:
            self._reset(segment)
        elif segment.rst:
            if segment.ack:
                self._move(Cause.RESET)
        elif segment.syn:
            self._take_syn(segment, now)
            self._move(Cause.SYN)
            if segment.ack:
                self._acknowledged(segment, 1, 0, now)
            else:
                self.sending.again()  # simultaneous open: the SYN again, with an acknowledgement
            self._take_data(segment, 1)

    def _take_syn(self, segment: Tcp, now: int) -> None:
        self._peer_initial = segment.sequence_number
        self.incoming.start()
        self.sending.mss = min(self.settings.mss, option(segment, MSS) or _DEFAULT_MSS)
        scale = option(segment, WINDOW_SCALE)
        if scale is not None:
            self._shift = (self.settings.window_scale, min(scale, _LARGEST_SHIFT))
        self.sending.window(0, 1, segment.window)  # never scaled in a SYN
        self.sending.alive_us = now
        self._ack_due = True

    def _receive_synchronised(self, segment: Tcp, now: int) -> None:
        """In every state behind the handshake's first step (RFC 9293 3.10.7.4)."""
        sequence = unwrapped(segment.sequence_number, self._peer_initial, self.incoming.next)
        if segment.rst:
            self._receive_reset(sequence)
        elif segment.syn:
            self._receive_syn(segment, sequence, now)
        elif segment.ack and self._is_acceptable(segment, sequence, now):
            self._receive_acknowledging(segment, sequence, now)

    def _receive_acknowledging(self, segment: Tcp, sequence: int, now: int) -> None:
        acked = self._acked_by(segment)
        if acked > self.sending.out.sent:
            self._ack_due = True
            if self.state is State.SYN_RECEIVED:
                self._reset(segment)
            return
        self._acknowledged(segment, acked, sequence, now)
        if self.state is State.SYN_RECEIVED:
            self._reset(segment)
        elif self.state is not State.CLOSED:
            self._take_data(segment, sequence)
        if self.state is State.TIME_WAIT and self._due is None:
            self._due = now + self.settings.time_wait_us

    def _acked_by(self, segment: Tcp) -> int:
        """Offset that a segment acknowledges."""
        return unwrapped(segment.acknowledgement_number, self._initial, self.sending.out.acked)

    def _receive_reset(self, sequence: int) -> None:
        """Only a reset that hits the awaited octet ends the connection (RFC 5961 3.2)."""
        if sequence == self.incoming.next:
            self._move(Cause.EXPIRED if self.state is State.TIME_WAIT else Cause.RESET)
        elif self.incoming.next < sequence < self.incoming.edge:
            self._ack_due = True

    def _receive_syn(self, segment: Tcp, sequence: int, now: int) -> None:
        """A SYN again: of the handshake, or one that only gets an acknowledgement (RFC 5961 4.2)."""
        self._ack_due = True
        if self.state is not State.SYN_RECEIVED or sequence != 0:
            return
        if segment.ack and self._acked_by(segment) == 1:
            self._acknowledged(segment, 1, sequence, now)
        elif not segment.ack:
            self.sending.again()

    def _is_acceptable(self, segment: Tcp, sequence: int, now: int) -> bool:
        """Whether the segment is in the window; one that is not gets an acknowledgement."""
        octets = len(segment.data) // 2 + segment.fin
        first, edge = self.incoming.next, self.incoming.edge
        if sequence <= edge and (sequence + octets > first or sequence == first):
            return True
        self._ack_due = True
        if self.state is State.TIME_WAIT and segment.fin:
            self._due = now + self.settings.time_wait_us
        return False

    def _acknowledged(self, segment: Tcp, acked: int, sequence: int, now: int) -> None:
        """What the acknowledgement and the window of a segment say."""
        sending = self.sending
        sending.alive_us = now
        shift = self._shift[1] if self._shift is not None and not segment.syn else 0
        same = sending.window(sequence, acked, segment.window << shift)
        if acked > sending.out.acked:
            sending.acknowledged(acked, now)
            self._due = None
            self._tell_progress()
        elif same and acked == sending.out.acked and sending.out.in_flight and _is_bare(segment):
            sending.duplicate()

    def _tell_progress(self) -> None:
        if self.state is State.SYN_RECEIVED:
            self._move(Cause.SYN_ACKED)
        if self.sending.out.fin_acked:
            self._move(Cause.FIN_ACKED)
        if self._refused and self.sending.out.free and self.state in SENDING:
            self._refused = False
            self._events.append(Writable())

    def _take_data(self, segment: Tcp, sequence: int) -> None:
        """The data of a segment, and its FIN."""
        data = bytes.fromhex(segment.data)
        if not data and not segment.fin:
            return
        self._ack_due = True
        if segment.fin:
            self.incoming.ends(sequence + len(data))
        if self.incoming.put(sequence, data):
            self._events.append(Readable())
        elif data:
            self._replies.append(
                self._segment(self.sending.out.sent)
            )  # RFC 5681 4.2: at once, each
        if self.incoming.take_fin():
            self._events.append(PeerClosed())
            self._move(Cause.FIN)

    # Segments going out

    def _of(self, piece: Piece) -> Tcp:
        """The segment that carries a piece."""
        if not piece.syn:
            return self._segment(piece.offset, piece.data, fin=piece.fin, psh=piece.push)
        options = [Option(kind=MSS, value=f"{self.settings.mss:04x}")]
        known = self.state is not State.SYN_SENT
        if not known or self._shift is not None:
            scale = Option(kind=WINDOW_SCALE, value=f"{self.settings.window_scale:02x}")
            options += [Option(kind=NO_OPERATION), scale]
        return self._segment(0, syn=True, ack=known, options=tuple(options))

    def _segment(
        self, offset: int, data: bytes = b"", *, ack: bool = True, syn: bool = False, **more: Any
    ) -> Tcp:
        """A segment with the acknowledgement and window of now; `more` are other fields of it."""
        shift = 0 if syn or self._shift is None else self._shift[0]
        room = self.incoming.told() - self.incoming.next
        self._ack_due = self._ack_due and not ack
        return Tcp(
            source_port=self.local_port,
            destination_port=self.peer_port,
            sequence_number=wire(self._initial, offset),
            acknowledgement_number=wire(self._peer_initial, self.incoming.next) if ack else 0,
            ack=ack,
            syn=syn,
            window=min(max(room, 0) >> shift, _WINDOW),
            data=data.hex(),
            **more,
        )

    def _run_timer(self, now: int) -> None:
        """Start the timer when something waits for the peer, stop it when nothing does."""
        if not self.sending.waits:
            self._due = None
        elif self._due is None:
            self._due = now + self.sending.timeout.us
