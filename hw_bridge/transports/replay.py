"""A recording that plays the controller: each packet of the host is answered as it was in the capture.

Digest 6.5; the rules are those of `hw_bridge.replay`. Divergences are counted and the first of them named.
"""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hw_bridge.errors import BadMonikerError, LostError, UnusableError, words_of
from hw_bridge.link import OPEN_S, Link, LinkInfo, Transport
from hw_bridge.links.direct import DirectLink
from hw_bridge.replay import Player, Tape, tape_of
from hw_bridge.threads import in_thread
from protocols.hci.framing import Framer, PacketFramer

if TYPE_CHECKING:
    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker
from hw_bridge.replay import ReplayReport

__all__ = ["TRANSPORT", "ReplayLink", "ReplayPort"]

_AT_ONCE_OCTETS: Final = 1 << 18


class ReplayPort:
    """One capture file, played once."""

    needs_probe = False

    def __init__(self, moniker: Moniker) -> None:
        if not moniker.target:
            raise BadMonikerError(
                f"{moniker.text}: the file is missing, as in replay:trace.btsnoop"
            )
        self.moniker = moniker
        self._played = False
        self._tape: Tape | None = None
        self._link: ReplayLink | None = None

    @property
    def report(self) -> ReplayReport:
        """What came of it so far; of a recording that was not begun, nothing."""
        player = Player([]) if self._link is None else self._link.player
        return player.report()

    def framer(self) -> Framer:
        """A capture keeps packet borders."""
        return PacketFramer()

    def present(self) -> bool:
        """Whether it was not played yet; opening tells of a file that cannot be read."""
        return not self._played

    async def open(self, receiver: Receiver) -> Link:
        """Begin to play. Raises BridgeError, UsageError for what is no capture."""
        tape = await self.load(OPEN_S)
        self._played = True
        self._link = ReplayLink(tape, receiver, self.moniker.target)
        return self._link

    async def load(self, limit_s: float) -> Tape:
        """The recording; a large one is read beside the loop. Raises BridgeError, UsageError for what is no capture."""
        if self._tape is None:
            file = Path(self.moniker.target)
            try:
                self._tape = await _read(file, limit_s)
            except TimeoutError:
                raise UnusableError(
                    f"{self.moniker.text}: reading took more than {limit_s:g} s; play a shorter capture"
                ) from None
            except OSError as exc:
                raise BadMonikerError(
                    f"{self.moniker.text}: {words_of(exc)}; name a capture of HCI to play"
                ) from exc
        return self._tape

    async def close(self) -> None:
        """Nothing stays between two links."""


async def _read(file: Path, limit_s: float) -> Tape:
    """A small file at once, anything else in a thread. Raises TimeoutError, OSError, UsageError."""
    if _is_small(file):
        return tape_of(file)
    return await in_thread(lambda: tape_of(file), limit_s)


def _is_small(file: Path) -> bool:
    return file.is_file() and file.stat().st_size <= _AT_ONCE_OCTETS


class ReplayLink(DirectLink):
    """Plays a tape; `player.report()` says where the host did something else than in the recording."""

    def __init__(self, tape: Tape, receiver: Receiver, name: str) -> None:
        super().__init__(receiver, LinkInfo(node=name, product="a recording"))
        self.player = Player(*tape)
        self._told = 0
        self._queue = deque(self.player.begin())
        self._open = True
        self._loop = asyncio.get_running_loop()
        if tape.damage:
            self._loop.call_soon(receiver.on_trouble, tape.damage)
        self._loop.call_soon(self._deliver)

    def write(self, data: bytes) -> None:
        """Answer a packet of the host."""
        if not self._open or not data:
            return
        self._taken += len(data)
        self._queue += self.player.host(data)
        for each in self.player.divergences[self._told :]:
            self._told += 1
            self._receiver.on_trouble(each.text)
        self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        while self._queue and self._reading and self._open:
            self._receiver.on_data(self._queue.popleft())
        if self.player.has_ended and self._open and not self._queue:
            self._open = False
            self._receiver.on_lost(LostError(f"{self._info.node}: the recording has ended"))

    def resume_reading(self) -> None:
        """Go on."""
        self._reading = True
        self._loop.call_soon(self._deliver)

    async def close(self) -> None:
        """Stop."""
        self._open = False


TRANSPORT = Transport(
    summary="a capture file that plays the controller",
    form="replay:FILE",
    example="replay:trace.btsnoop",
    carries="packets",
    port=ReplayPort,
)
