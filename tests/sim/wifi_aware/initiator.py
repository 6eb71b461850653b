"""A bare initiator for tests: subscribes, pairs, verifies and opens data paths by command; it has no opinions."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from protocols.wifi_aware import events as ev
from sim.accessories._aware import AwareAccessory, AwareSettings
from sim.device import command
from sim.wifi_aware.ceremony import AwareError
from sim.wifi_aware.firmware import BITS, Method

MODES = {"opportunistic": "opportunistic"}


class InitiatorSettings(AwareSettings, frozen=True, kw_only=True):
    methods: tuple[Method, ...] = ()
    """bootstrapping methods it advertises."""
    pairing_info: Any = "none"
    """form of the pairing info."""


class Initiator(AwareAccessory):
    Settings: ClassVar[type] = InitiatorSettings
    about = "a test device. confidence: made up"

    async def start(self) -> None:
        self.found: dict[str, ev.Discovered] = {}
        self._news = asyncio.Event()
        await super().start()

    def publish(self) -> None:
        self.handle = self.aware.subscribe()

    def on_aware_event(self, event: ev.Event) -> None:
        super().on_aware_event(event)
        if isinstance(event, ev.Discovered):
            self.found[self.aware.name(event.peer)] = event
            self._news.set()

    async def meet(self, to: str) -> ev.Discovered:
        while to not in self.found:
            self._news.clear()
            await self._news.wait()
        return self.found[to]

    async def attempt(self, step: Any) -> Any:
        """The result of a step, or what became of it as an event."""
        try:
            return await step
        except AwareError as exc:
            self.emit("failed", step=exc.step, note=exc.why)
            return None

    @command
    async def new_address(self) -> None:
        """Take a new NMI, and forget who was found."""
        await super().new_address()
        self.found.clear()

    @command
    async def tell_text(self, to: str, text: str) -> None:
        """Send text as a follow-up."""
        met = await self.meet(to)
        discovery = self.aware.engine.discovery
        self.aware.command(
            lambda now: discovery.transmit(
                met.peer, self.handle, met.publish_id, text.encode(), now
            )
        )

    def on_follow_up(self, event: ev.FollowUp) -> None:
        text = bytes.fromhex(event.service_info).decode()
        self.emit("told", peer=self.aware.name(event.peer), text=text)

    @command
    async def look_for(self, service: str) -> None:
        """Subscribe to another service."""
        self.found.clear()
        self.aware.cancel(self.handle)
        self.handle = self.aware.subscribe(service)

    @command
    async def pair(self, to: str, method: Method = "pin_keypad") -> None:
        """Bootstrap by an own method, pair, and wait for the identity key."""
        await self.attempt(self._pair(to, method))

    async def _pair(self, to: str, method: Method) -> None:
        met = await self.meet(to)
        ceremony = self.aware.ceremony
        await ceremony.bootstrap(met.peer, self.handle, met.publish_id, BITS[method])
        password = await ceremony.password(met.peer, BITS[method])
        mode = MODES.get(method, "sae")
        await ceremony.authenticate(
            met.peer, self.handle, met.publish_id, mode=mode, csid=met.cipher_suites[0], password=password
        )  # fmt: skip
        got = await ceremony.identity(met.peer)
        self.emit("paired", peer=to, place=got.id)

    @command
    async def verify(self, to: str) -> None:
        """Pair by the cached key."""
        await self.attempt(self._verify(to))

    async def _verify(self, to: str) -> None:
        met = await self.meet(to)
        await self.aware.ceremony.authenticate(
            met.peer, self.handle, met.publish_id, mode="verification", csid=met.cipher_suites[0]
        )
        self.emit("verified", peer=to)

    @command
    async def open(self, to: str, csid: int = 0, passphrase: str = "") -> None:
        """Open a data path."""
        await self.attempt(self._open(to, csid, passphrase))

    async def _open(self, to: str, csid: int, passphrase: str) -> None:
        met = await self.meet(to)
        up = await self.aware.ceremony.open_path(
            met.peer, self.handle, met.publish_id, csid=csid, passphrase=passphrase.encode()
        )
        self.emit("opened", peer=to, csid=up.csid, service_info=up.service_info)

    @command
    async def ask(self, to: str, text: str, port: int = 7000) -> None:
        """Send a datagram and wait for the answer."""
        link = self.aware.paths.with_peer(self.found[to].peer)
        assert link is not None
        socket = link.datagram_socket()
        socket.send(text.encode(), port)
        answer = await asyncio.wait_for(socket.receive(), 5.0)
        socket.close()
        self.emit("answered", peer=to, text=answer.data.decode(), peer_address=str(link.peer))

    @command
    async def stream(self, to: str, text: str, port: int = 7000) -> None:
        """Open a stream, send, and read until the other side has sent all back."""
        link = self.aware.paths.with_peer(self.found[to].peer)
        assert link is not None
        stream = await link.connect(port)
        greeting = await stream.read()
        await stream.write(text.encode())
        echo = await stream.read_exactly(len(text.encode()))
        stream.close()
        self.emit("streamed", peer=to, greeting=greeting.decode(), text=echo.decode())


ACCESSORY = Initiator
