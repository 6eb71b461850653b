"""A controller offered to real hosts: one client at a time, over a door (TCP, UNIX socket, pseudo terminal).

Digest 6.8 (what goes wrong with such servers), 8.3 (exposure). Rules of the file: a client gets a parser of its own,
and the controller is reset when it leaves (the session does that), so that nothing of one client reaches the next; a
second client has its commands answered with `connection rejected` and is cut off; who does not read is dropped, never
the controller.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from protocols.hci.framing import COMMAND, Received, Skipped
from protocols.hci.h4 import H4Framer
from protocols.hci.replies import NO_REPLY, failure, opcode_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hw_bridge.client import Notice
    from hw_bridge.errors import LostError
    from hw_bridge.link import Link
    from hw_bridge.session import Session

__all__ = ["Door", "Exposure", "Refusal", "Visit"]

_WAITING_OCTETS: Final = 65536
_REFUSED_S: Final = 2.0
_REFUSED_AT_ONCE: Final = 8
_NO_PACKETS, _UNFINISHED = "were no HCI packets", "came before they left and went nowhere"
_NO_RESOURCES: Final = 0x0D
"""Error code Connection Rejected due to Limited Resources (Vol 1 Part F 2.13)."""


class Door(Protocol):
    """Where clients come in."""

    async def open(self, exposure: Exposure) -> str:
        """Begin to let clients in; the moniker that they use. Raises BridgeError, UsageError."""
        ...

    def left(self) -> None:
        """The client left; what it did not read is for nobody."""
        ...

    async def close(self) -> None:
        """Let nobody in any more, and give everything back."""
        ...


class Exposure:
    """One session, one door, and the client that is there; `tell` gets a sentence when something happens."""

    def __init__(self, session: Session, door: Door, tell: Callable[[str], object]) -> None:
        self.session = session
        self.visit: Visit | None = None
        self.refused = 0
        """Clients that were turned away."""
        self.tell = tell
        self.on_leave: Callable[[], object] = lambda: None
        """Called when the client leaves, before the controller is reset."""
        self._door = door
        self._is_closed = False
        self._refusals: set[Refusal] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    async def open(self) -> str:
        """Start the session and open the door; the moniker that clients use. Raises BridgeError, UsageError."""
        self.session.start()
        if not self.session.life.port.present():
            self.tell(f"waiting for {self.session.life.name}: plug it in")
        await self.session.ready()
        return await self._door.open(self)

    async def close(self) -> None:
        """Send the client away, close the door and the session."""
        self._is_closed = True
        await self._door.close()
        for refusal in [*self._refusals]:
            self.finish(refusal)
        if self.visit is not None:
            self.leave(self.visit, "the bridge closes")
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self.session.close()

    # For doors

    def guest(self, name: str) -> Visit | Refusal | None:
        """Who gets the octets of a client that came in; None when it is to be cut off without a word."""
        if self._is_closed:
            return None
        if self.visit is None:
            self.visit = Visit(self, name)
            self.session.attach(self.visit)
            self.tell(f"{name} came")
            return self.visit
        self.refused += 1
        self.tell(
            f"{name} was refused: {self.visit.name} is there, and one client at a time is served"
        )
        if len(self._refusals) >= _REFUSED_AT_ONCE:
            return None
        refusal = Refusal(self)
        self._refusals.add(refusal)
        return refusal

    # For guests

    def leave(self, visit: Visit, why: str) -> None:
        """The client is gone, or sent away: the controller is reset."""
        if self.visit is not visit:
            return
        self.visit = None
        self.on_leave()
        self.session.detach(visit)
        self._door.left()
        words = f"{visit.name} left: {why}"
        for count, what in ((visit.skipped, _NO_PACKETS), (visit.unfinished(), _UNFINISHED)):
            if count:
                self.session.counts[f"octets of clients that {what}"] += count
                words += f"; {count} octets of it {what}"
        self.tell(words)
        self._finally(visit.end())

    def finish(self, refusal: Refusal) -> None:
        """A refused client is gone, or had its time."""
        if refusal in self._refusals:
            self._refusals.discard(refusal)
            self._finally(refusal.end())

    def _finally(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


class _Guest:
    """The receiving end of a client's link."""

    def __init__(self, exposure: Exposure) -> None:
        self.skipped = 0
        self._exposure = exposure
        self._framer = H4Framer(to_host=False)
        self._link: Link | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._held = False

    def begin(self, link: Link) -> None:
        """The link is open."""
        self._link = link

    async def end(self) -> None:
        """Give the link back."""
        if self._timer is not None:
            self._timer.cancel()
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def on_data(self, data: bytes) -> None:
        """Octets of the client."""
        self._framer.receive(data, self._now())
        self._take()

    def _take(self) -> None:
        """Go through what the framer found, until there is no room."""
        while not self._held and self._link is not None:
            event = self._framer.next_event()
            if event is None:
                break
            if isinstance(event, Received):
                self.on_packet_of_client(event.packet)
            elif isinstance(event, Skipped):
                self.skipped += len(event.octets)
        due_us = self._framer.next_timer()
        if self._timer is None and due_us is not None and self._link is not None:
            self._timer = self._loop.call_at(due_us / 1e6, self._on_timer, due_us)

    def unfinished(self) -> int:
        """Octets that nobody took: of a packet that was not whole, and of whole ones that waited. Takes them."""
        count = self._drained()
        due_us = self._framer.next_timer()
        if due_us is not None:
            self._framer.handle_timer(due_us)
        return count + self._drained()

    def _drained(self) -> int:
        count = 0
        while (event := self._framer.next_event()) is not None:
            if isinstance(event, Received):
                count += len(event.packet)
            elif isinstance(event, Skipped):
                count += len(event.octets)
        return count

    def _on_timer(self, due_us: int) -> None:
        self._timer = None
        self._framer.handle_timer(max(self._now(), due_us))
        self._take()

    def _now(self) -> int:
        return round(self._loop.time() * 1e6)

    def on_packet_of_client(self, packet: bytes) -> None:
        """A whole packet."""
        raise NotImplementedError


class Visit(_Guest):
    """The client that is served: what it sends goes to the session, what the session says goes to it."""

    def __init__(self, exposure: Exposure, name: str) -> None:
        super().__init__(exposure)
        self.name = name

    def on_packet_of_client(self, packet: bytes) -> None:
        """To the controller; stop reading when it has no room."""
        if not self._exposure.session.send(packet) and self._link is not None:
            self._held = True
            self._link.pause_reading()

    # Client of the session

    def on_packet(self, packet: bytes) -> bool:
        """To the client; False when it does not read."""
        if self._link is None:
            return True
        if self._link.buffered >= _WAITING_OCTETS:
            return False
        self._link.write(packet)
        return True

    def on_notice(self, notice: Notice) -> None:
        """What happened beside packets."""
        if notice.kind == "dropped":
            self._exposure.leave(self, notice.text)
        elif notice.kind in ("lost", "returned"):
            self._exposure.tell(f"{notice.kind}: {notice.text}")

    def on_room(self) -> None:
        """The controller has room again."""
        if self._held and self._link is not None:
            self._held = False
            self._take()
            if not self._held:
                self._link.resume_reading()

    # Receiver of its link

    def on_writable(self) -> None:
        """The client reads."""
        self._exposure.session.client_ready()

    def on_trouble(self, text: str) -> None:
        """Something was lost on the way."""
        self._exposure.tell(text)

    def on_lost(self, error: LostError) -> None:
        """The client is gone."""
        self._exposure.leave(self, str(error))


class Refusal(_Guest):
    """A client that came while another is there: told why by the status of its commands, then cut off."""

    _ending: asyncio.TimerHandle | None = None

    def begin(self, link: Link) -> None:
        """The link is open, for a while."""
        super().begin(link)
        self._ending = self._loop.call_later(_REFUSED_S, self._exposure.finish, self)

    async def end(self) -> None:
        """Give the link back."""
        if self._ending is not None:
            self._ending.cancel()
        await super().end()

    def on_packet_of_client(self, packet: bytes) -> None:
        """Refuse a command."""
        opcode = opcode_of(packet)
        if packet[0] == COMMAND and opcode not in NO_REPLY and self._link is not None:
            if self._link.buffered:
                self._exposure.finish(self)  # it sends and does not read
            else:
                self._link.write(failure(opcode, _NO_RESOURCES))

    def on_writable(self) -> None:
        """Nothing waits."""

    def on_trouble(self, text: str) -> None:
        """Of no interest."""

    def on_lost(self, error: LostError) -> None:
        """It went by itself."""
        self._exposure.finish(self)
