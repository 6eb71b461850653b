"""The sending half of a TCP connection: what goes out next, what is sent again, how much the peer's window takes.

RFC 9293 3.8 (window, probes, no splinters), RFC 6298 5 (timer), RFC 5681 3.2 and RFC 6582 (repair after losses). Pieces are
told by offsets (see `stream_buffers.py`); headers are made in `stream.py`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from protocols.ip.stream_buffers import Outgoing, Timeout

if TYPE_CHECKING:
    from protocols.ip.stream_states import StreamSettings

__all__ = ["Piece", "Sending"]

_DUPLICATES = 3
"""Acknowledgements of the same octet that mean a loss (RFC 5681 3.2)."""


class Piece(NamedTuple):
    """What one segment carries; `push`: nothing is waiting behind it."""

    offset: int
    data: bytes = b""
    syn: bool = False
    fin: bool = False
    push: bool = False


class Sending:
    """What was given, what was sent, and what the peer said of it."""

    def __init__(self, settings: StreamSettings) -> None:
        self.out = Outgoing(settings.send_octets)
        self.timeout = Timeout(settings)
        self.mss = settings.mss
        self.retransmissions = 0
        self.alive_us = 0
        """when the peer was last heard, or sending began."""
        self._edge = 1  # offset that the peer's window ends at
        self._said_by = (-1, -1)  # (sequence, acknowledgement) of the segment that said so
        self._timed: tuple[int, int] | None = None  # (offset, when it was sent) of a round trip
        self._resend = False
        self._probing = False
        self._duplicates = 0
        self._recovery: int | None = None  # offset that ends the repair of losses

    @property
    def waits(self) -> bool:
        """Whether something is to come from the peer: an acknowledgement, or a window for what is waiting."""
        out = self.out
        return out.in_flight > 0 or (out.sent < out.end and out.acked > 0)

    def again(self) -> None:
        """Send the oldest piece that is not acknowledged once more."""
        self._resend = self.out.in_flight > 0

    def fired(self) -> None:
        """The timer ran out: repeat the oldest piece, or probe a closed window."""
        self.timeout.fired()
        self._timed = None
        self._duplicates = 0
        if self.out.in_flight:
            self._resend, self._recovery = True, self.out.sent
        else:
            self._probing = True

    def window(self, sequence: int, acked: int, octets: int) -> bool:
        """The peer's window by a segment; whether it says nothing new (RFC 9293 3.10.7.4: no older one counts)."""
        edge = acked + octets
        same = edge == self._edge and octets > 0
        if (sequence, acked) >= self._said_by:
            self._edge, self._said_by = edge, (sequence, acked)
            if self._probing and edge > max(acked, self.out.acked):
                self._probing = False
                self.again()
        return same

    def acknowledged(self, acked: int, now: int) -> None:
        """Everything before `acked` has arrived, and some of it is news."""
        if self._timed is not None and acked >= self._timed[0]:
            self.timeout.measured(now - self._timed[1])
            self._timed = None
        self.out.acknowledge(acked)
        self.timeout.progress()
        self._duplicates = 0
        if self._recovery is not None:
            self._recovery = None if acked >= self._recovery else self._recovery
            self._resend = self._recovery is not None

    def duplicate(self) -> None:
        """The same acknowledgement again: the third means that the piece behind it is lost."""
        self._duplicates += 1
        if self._duplicates == _DUPLICATES and self._recovery is None:
            self._resend, self._recovery = True, self.out.sent

    def next(self, now: int) -> Piece | None:
        """The next piece to go out, noted as sent; None when there is none, or it has to wait."""
        if self._resend:
            self._resend = False
            self._timed = None
            if self.out.in_flight:
                self.retransmissions += 1
                return self._piece(self.out.acked, self.out.sent)
        if self.out.sent == 0:
            return self._noted(Piece(0, syn=True), now)
        if self.out.acked == 0:
            return None  # no data before the handshake is done
        end = self._allowed()
        if end <= self.out.sent and not (self.out.fin and self.out.sent == self.out.end):
            return None
        return self._noted(self._piece(self.out.sent, end + self.out.fin), now)

    def _allowed(self) -> int:
        """Offset up to which data may be sent now: all there is, a full piece, or anything when nothing is out."""
        out = self.out
        room = self._edge - out.sent
        if self._probing and room <= 0 and not out.in_flight:
            room = 1
        waiting = out.end - out.sent
        size = min(waiting, room)
        if size < min(waiting, self.mss) and out.in_flight:
            return out.sent
        return out.sent + max(size, 0)

    def _piece(self, offset: int, end: int) -> Piece:
        """The piece at an offset: SYN, data up to `end`, and the FIN when `end` lies behind it."""
        if offset == 0:
            return Piece(0, syn=True)
        out = self.out
        size = min(self.mss, min(end, out.end) - offset)
        if offset < out.sent:  # again: no more than the window takes now
            size = min(size, max(1, self._edge - offset))
        data = out.read(offset, size) if size > 0 else b""
        behind = offset + len(data)
        fin = out.fin and behind == out.end and end > behind
        return Piece(offset, data, fin=fin, push=bool(data) and behind == out.end)

    def _noted(self, piece: Piece, now: int) -> Piece:
        if not self.out.in_flight:
            self.alive_us = now
        self.out.sent += len(piece.data) + piece.syn + piece.fin
        if self._timed is None and self._recovery is None:
            self._timed = (self.out.sent, now)
        return piece
