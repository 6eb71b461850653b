"""A recording that plays the controller: each packet of the host is answered as it was in the capture.

Digest 6.5; the rules are those of `hw_bridge.replay`. Divergences are counted and the first of them named.
"""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from hw_bridge.errors import BadMonikerError, LostError, opening_error
from hw_bridge.link import Link, LinkInfo, Transport
from hw_bridge.replay import Player, Step, steps_of
from protocols.hci.framing import Framer, PacketFramer

if TYPE_CHECKING:
    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker
    from hw_bridge.replay import ReplayReport

__all__ = ["TRANSPORT", "ReplayLink", "ReplayPort"]


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
        """Whether the file is there and was not played yet."""
        return not self._played and Path(self.moniker.target).is_file()

    async def open(self, receiver: Receiver) -> Link:
        """Begin to play. Raises BridgeError, UsageError for what is no capture."""
        try:
            steps = steps_of(Path(self.moniker.target))
        except OSError as exc:
            raise opening_error(exc, self.moniker.text) from exc
        self._played = True
        self._link = ReplayLink(steps, receiver, self.moniker.target)
        return self._link

    async def close(self) -> None:
        """Nothing stays between two links."""


class ReplayLink:
    """Plays `steps`; `player.report()` says where the host did something else than in the recording."""

    def __init__(self, steps: list[Step], receiver: Receiver, name: str) -> None:
        self.player = Player(steps)
        self._told = 0
        self._receiver = receiver
        self._info = LinkInfo(node=name, product="a recording")
        self._queue = deque(self.player.begin())
        self._reading = True
        self._open = True
        self._taken = 0
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._deliver)

    @property
    def info(self) -> LinkInfo:
        """What it leads to."""
        return self._info

    @property
    def buffered(self) -> int:
        """Nothing ever waits."""
        return 0

    @property
    def taken(self) -> int:
        """Octets taken so far."""
        return self._taken

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

    def pause_reading(self) -> None:
        """Hold what is to be played."""
        self._reading = False

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
