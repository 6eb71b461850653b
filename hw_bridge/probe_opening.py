"""One opening of a port by a probe: what is heard and sent, who answers, and what ended it.

Digest 2.3. Rules of the file: nobody waits for a controller that was lost or crashed.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from hw_bridge.channel import Channel
from hw_bridge.command_gate import Timeouts
from hw_bridge.errors import NotFoundError
from hw_bridge.traffic import Note, Traffic
from protocols.hci.replies import RESET, command

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.errors import LostError
    from hw_bridge.link import Link, Port
    from protocols.hci.framing import Skipped
    from protocols.hci.replies import Reply

__all__ = ["Opening"]

_RESET_INSIDE: Final = command(RESET)[1:]
_KEPT_OCTETS: Final = 4096
_KEPT_SKIPS: Final = 64
_PEER_PAUSE_S: Final = 0.2


class Opening:
    """One opening: keeps what is heard, sends what is asked."""

    def __init__(self, port: Port, reset_us: tuple[int, ...]) -> None:
        self.port = port
        self.heard = bytearray()
        self.skipped: deque[Skipped] = deque(maxlen=_KEPT_SKIPS)
        self.opened: Link | None = None
        self.sent = bytearray()
        self.failure = ""
        """What ended it: lost or crashed."""
        self.noted: list[str] = []
        self.counts: Counter[str] = Counter()
        timeouts = Timeouts(reset=reset_us)
        self.channel = Channel(self, port.framer(), Traffic(timeouts, counts=self.counts))

    async def command(
        self, opcode: int, parameters: bytes = b"", *, attempts_us: tuple[int, ...] = ()
    ) -> Reply | None:
        """The reply to a command; None when there is none in time, and at once when nobody is left to answer."""
        if self.failure:
            return None
        return await self.channel.command(opcode, parameters, attempts_us=attempts_us)

    @property
    def echoes(self) -> bool:
        """Whether what was sent came back, and nothing else."""
        return _RESET_INSIDE in self.heard and self.sent.startswith(self.heard)

    async def __aenter__(self) -> Opening:
        try:
            self.channel.start(self.opened or await self.port.open(self.channel))
        except BaseException:
            await self.port.close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.channel.close()
        await self.port.close()

    def on_packet(self, packet: bytes) -> bool:
        """A packet without a host."""
        return True

    def on_skipped(self, skipped: Skipped) -> None:
        """Octets that were no packet."""
        self.skipped.append(skipped)

    def on_note(self, note: Note) -> None:
        """A crash ends it; what else is noteworthy is a hint."""
        if note.kind == "crash":
            self._fail(f"{note.text}; only a hardware reset helps")
        elif note.kind == "degrade" and note.text not in self.noted:
            self.noted.append(note.text)

    def on_lost(self, channel: Channel, error: LostError) -> None:
        """Nobody is left to answer."""
        self._fail(f"it was lost: {error}")

    def _fail(self, why: str) -> None:
        self.failure = self.failure or why
        self.channel.traffic.lose()

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Keep the first of them."""
        kept = self.sent if sent else self.heard
        if len(kept) < _KEPT_OCTETS:
            kept += octets

    def on_room(self) -> None:
        """Nobody sends."""

    async def wait_for_peer(self, limit_s: float, tell: Callable[[str], object]) -> None:
        """Open a port to which its controller has to come, so that it can be entered. Raises BridgeError."""
        loop = asyncio.get_running_loop()
        until, told = loop.time() + limit_s, False
        try:
            while self.opened is None:
                try:
                    self.opened = await self.port.open(self.channel)
                except NotFoundError as exc:
                    if loop.time() >= until:
                        raise
                    if not told:
                        tell(f"{exc}; waiting {limit_s:g} s for that")
                    told = True
                    await asyncio.sleep(_PEER_PAUSE_S)
        except BaseException:
            await self.port.close()
            raise
