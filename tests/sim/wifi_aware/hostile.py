"""A hostile phone for tests: it garbles its own frames, speaks in other names, floods, and repeats what it overheard."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware import frames
from protocols.wifi_aware.heard import Outgoing
from protocols.wifi_aware.station import RefusedError
from sim.device import command
from sim.wifi_aware.firmware import BITS
from tests.sim.wifi_aware.forgeries import FORGED, PIN, strangers
from tests.sim.wifi_aware.initiator import Initiator

if TYPE_CHECKING:
    from collections.abc import Callable

_BEHIND = 6
"""Earlier frames that a disorderly phone sends behind each new one."""


class Hostile(Initiator):
    """An initiator that does as it is told, and what it is told is wrong."""

    async def start(self) -> None:
        await super().start()
        self.overheard = b""
        self._mangle: Callable[[Outgoing], list[bytes]] | None = None
        self._number = 1 << 40
        self.aware.tap = self
        node: Any = self.aware.node
        node.tap = self
        honest = node.to_send
        node.to_send = lambda now: [two for one in honest(now) for two in self._garbled(one)]

    # Its own frames

    def _garbled(self, out: Outgoing) -> list[Outgoing]:
        if self._mangle is None or out.name == "forged":
            return [out]
        first, *more = self._mangle(out)
        return [self._made(first, out.number, out.name), *map(self._made, more)]

    def _made(self, octets: bytes, number: int = 0, name: str = "forged") -> Outgoing:
        self._number += 1
        return Outgoing(
            number=number or self._number,
            octets=octets,
            clear=octets,
            destination=octets[4:10].hex(":"),
            name=name,
            engine="discovery",
        )

    @command
    async def cut(self, name: str, octets: int = 20) -> None:
        """Cut so many octets off the end of each own frame of that name."""
        self._mangle = lambda out: [out.octets[:-octets] if out.name == name else out.octets]

    @command
    async def double(self, copies: int = 3) -> None:
        """Send every own frame so many times, each a transmission of its own."""
        self._mangle = lambda out: [_numbered(out.octets, i) for i in range(copies)]

    @command
    async def disorder(self) -> None:
        """Send what was sent before behind every own frame, the last first."""
        sent: list[bytes] = []

        def mangle(out: Outgoing) -> list[bytes]:
            if out.octets[4] & 1:
                return [out.octets]
            earlier = [_numbered(one, i + 1) for i, one in enumerate(reversed(sent[-_BEHIND:]))]
            sent.append(out.octets)
            return [out.octets, *earlier]

        self._mangle = mangle

    # Frames in other names

    def inject(self, *octets: bytes, at_once: bool = False) -> None:
        """Put frames on the air as they are; `at_once` without waiting for a discovery window."""
        node: Any = self.aware.node
        made = map(self._made, octets)
        node.engine.station.outgoing.extend(
            msgspec.structs.replace(one, at_once=at_once, channel=6 if at_once else None)
            for one in made
        )
        node.radio.kick()

    def heard(self, heard: Any, now: int) -> bool:
        """Keep the last publish that was heard."""
        if isinstance(heard.frame, frames.Sdf) and heard.octets[4] & 1:
            self.overheard = heard.octets
        return False

    def sent(self, out: Outgoing, now: int) -> None:
        """Nothing to keep."""

    def lost(self, number: int) -> None:
        """Nothing to keep either."""

    @command
    async def replay(self, node: str) -> None:
        """Send everything again that a node has put on the air."""
        world: Any = self.place
        sent = [
            e.data for e in world.trace if (e.node, e.layer, e.direction) == (node, "aware", "tx")
        ]
        self.inject(*(octets for octets in sent if octets))

    @command
    async def forge(self, kind: str, by: str, to: str, times: int = 1) -> None:
        """Send something in the name of node `by` to node `to`."""
        world: Any = self.place
        stations = [world.devices[node].aware.engine.station for node in (by, to)]
        for _ in range(times):
            self.inject(FORGED[kind](*stations), at_once=True)
            await asyncio.sleep(0.02)

    @command
    async def forge_at(self, event: str, node: str, kind: str, by: str, to: str) -> None:
        """Forge as soon as something happens at a node, and some times afterwards."""
        world: Any = self.place
        seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def sink(one: Any) -> None:
            if (one.event, one.node) == (event, node) and not seen.done():
                seen.set_result(None)

        stop = world.trace.add_sink(sink)
        await seen
        stop()
        await self.forge(kind, by, to, times=5)

    @command
    async def flood(self, kind: str, count: int = 300) -> None:
        """So many strangers ask at once."""
        await self.meet("dev")
        self.inject(*strangers(kind, count, self.overheard))

    @command
    async def garbage(self, count: int = 100) -> None:
        """Octets that are no frames, and frames that were bent."""
        met = await self.meet("dev")
        to = bytes.fromhex(met.peer.replace(":", ""))
        for number in range(count):
            tail = self.draw("garbage", 2 + number % 90)
            head = bytes((0xB0 if number & 1 else 0xD0, 0, 0, 0)) + to + self.draw("from", 6)
            body = bytes((4, 9, 0x50, 0x6F, 0x9A, 0x13 + 5 * (number & 2)))
            self.inject(head + self.draw("rest", 8) + (tail if number & 1 else body + tail))

    # Wrong turns

    @command
    async def shortcut(self, to: str, mode: str) -> None:
        """Pair without having agreed on anything."""
        await self.attempt(self._shortcut(to, mode))

    async def _shortcut(self, to: str, mode: str) -> None:
        met = await self.meet(to)
        await self.aware.ceremony.authenticate(
            met.peer, self.handle, met.publish_id, mode=mode, csid=7, password=PIN
        )

    @command
    async def both_roles(self, to: str) -> None:
        """Agree on a PIN, then start to pair and be ready to answer, again and again."""
        met = await self.meet(to)
        half = self.aware
        await half.ceremony.bootstrap(met.peer, self.handle, met.publish_id, BITS["pin_keypad"])
        engine = half.engine.pairing
        for _ in range(6):
            for start in (engine.pair, engine.accept):
                with contextlib.suppress(RefusedError):  # its own engine refuses some of it
                    half.command(functools.partial(self._start, start, met))
            await asyncio.sleep(0.05)

    def _start(self, start: Any, met: Any, now: int) -> None:
        start(met.peer, self.handle, met.publish_id, mode="sae", password=PIN, now=now)

    @command
    async def open_at(self, to: str, publish_id: int, csid: int = 0) -> None:
        """Ask for a data path of an instance that may not be there."""
        met = await self.meet(to)
        engine = self.aware.engine.data_path
        self.aware.command(
            lambda now: engine.request(
                met.peer, self.handle, publish_id, csid=csid, passphrase=b"open sesame", now=now
            )
        )


def _numbered(octets: bytes, step: int) -> bytes:
    """The frame with another sequence number, so that the MAC takes it for no repetition."""
    number = int.from_bytes(octets[22:24], "little") + (step << 4) & 0xFFFF
    return octets[:22] + number.to_bytes(2, "little") + octets[24:]


ACCESSORY = Hostile
