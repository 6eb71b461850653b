"""A session as a bumble transport: what a program that uses bumble in this process gets.

bumble 0.0.236 host.py, transport/common.py. Rules of the file: bumble awaits Command Complete for most commands and
stops on a Command Status with an error, so such a reply is turned into the other kind; bumble ignores Hardware Error,
so that the controller is back is told to `on_returned` as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bumble.transport.common import BaseSource, Transport

from hw_bridge.states import State
from protocols.hci.replies import STATUS_COMMANDS, failure, reply_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.client import Notice
    from hw_bridge.session import Session

__all__ = ["BumbleTransport"]

_Source: Any = BaseSource  # partly typed
_Transport: Any = Transport


class _SessionSource(_Source):  # type: ignore[misc]  # Any on purpose, see above
    """What bumble's Host listens to; the session's client."""

    def __init__(self, session: Session) -> None:
        _Source.__init__(self)
        self._session = session
        self._is_over = False
        self.returned: list[Callable[[], None]] = []

    def on_packet(self, packet: bytes) -> bool:
        if self.sink is not None:
            self.sink.on_packet(_as_awaited(packet))
        return True

    def on_notice(self, notice: Notice) -> None:
        if notice.kind == "returned":
            for callback in self.returned:
                callback()
        elif not self._is_over and (notice.kind == "dropped" or notice.state is State.CLOSED):
            self._is_over = True
            self.on_transport_lost()

    def on_room(self) -> None:
        """bumble keeps its own queues."""

    def close(self) -> None:
        self._session.detach(self)


class _SessionSink:
    """What bumble's Host sends to."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def on_packet(self, packet: bytes) -> None:
        self._session.send(bytes(packet))


class BumbleTransport(_Transport):  # type: ignore[misc]  # Any on purpose, see above
    """`source` and `sink` for Host and Device; closing it leaves the session open."""

    def __init__(self, session: Session) -> None:
        self._session_source = _SessionSource(session)
        _Transport.__init__(self, self._session_source, _SessionSink(session))
        session.attach(self._session_source)

    def on_returned(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the controller came back: the host is to be reset."""
        self._session_source.returned.append(callback)


def _as_awaited(packet: bytes) -> bytes:
    reply = reply_of(packet)
    if reply is None or not reply.opcode or reply.complete or not reply.status:
        return packet
    return packet if reply.opcode in STATUS_COMMANDS else failure(reply.opcode, reply.status)
