"""What a node on a line can be told: publish, subscribe, bootstrap, pair, answer, open data paths, send, forget, tell.

Commands are coroutines marked as such; their annotations and docstrings are their help. Those of the device itself
(`aware_picker` of a phone, `reboot` of an accessory) can be given too. Peers are named by their NMI.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Literal

from protocols.errors import NearbenchError, UnknownNameError, UsageError
from protocols.wifi_aware import events as ev
from protocols.wifi_aware.station import RefusedError
from sim.device import Device, Settings, command
from sim.wifi_aware.firmware import BITS, Method, method_bits
from sim.wifi_aware.link_sockets import LinkError
from sim.wifi_aware.stdio_state import keys_of, state_of

if TYPE_CHECKING:
    from protocols.wifi_aware.device import AwareDevice
    from sim.wifi_aware.half import AwareHalf
    from sim.wifi_aware.link import Link
    from sim.wifi_aware.stdio import LoneNode

__all__ = ["NodeCommands"]

Mode = Literal["", "sae", "opportunistic", "verification"]
Way = Literal["", "udp", "tcp", "follow_up"]
_WITHOUT = BITS["opportunistic"]
_NDP_REJECTED = 10


class NodeCommands(Device):
    """The commands of one node."""

    def __init__(self, node: LoneNode) -> None:
        super().__init__(node.device.name, Settings(), node.world)
        self._node = node
        self._sockets: dict[Link, Any] = {}

    async def run(self, name: str, arguments: dict[str, Any]) -> Any:
        """The result of a command of the node or of its device; an error that it ends in is returned."""
        device = self._node.device
        own = type(self).commands()
        theirs = type(device).commands()
        try:
            if name in own:
                return await self.do(name, arguments)
            if name not in theirs:
                raise UnknownNameError("command", name, {**theirs, **own})
            return await device.do(name, arguments)
        except NearbenchError as exc:
            return exc

    @property
    def half(self) -> AwareHalf:
        """The Wi-Fi Aware half, switched on."""
        half, device = self._node.half, self._node.device
        if not half.on:
            getattr(device, "aware_on", half.power_on)()
        return half

    @property
    def engine(self) -> AwareDevice:
        """The engines."""
        return self.half.engine

    def _peer(self, peer: str) -> str:
        """NMI of a peer; the only one when none is named."""
        known = list(self.engine.station.peers)
        if not peer and len(known) == 1:
            return known[0]
        found = peer.lower()
        if found not in known:
            raise UsageError(f"peer {peer!r}: heard were {', '.join(known) or 'none'}")
        return found

    def _ids(self, nmi: str, handle: int, instance: int) -> tuple[int, int]:
        """Own instance and that of the peer: as given, else as last met."""
        met = self._node.acquaintance.instances(nmi)
        met = met or (next(iter(self.engine.station.services), 1), 1)
        return handle or met[0], instance or met[1]

    # Services

    @command
    async def publish(
        self,
        service: str = "",
        service_info: str = "",
        methods: tuple[Method, ...] | None = None,
        cipher_suites: tuple[int, ...] | None = None,
        passphrase: str = "",
        port: int | None = None,
        unsolicited: bool = True,
        windows: int = 0,
    ) -> dict[str, Any]:
        """Begin to publish a service; what is not given is as the settings have it. Gives its handle."""
        more: dict[str, Any] = {"unsolicited": unsolicited, "ttl_windows": windows}
        if service_info:
            more["service_info"] = _hex(service_info, "service_info")
        if methods is not None:
            more["methods"] = method_bits(methods)
        if cipher_suites is not None:
            more["cipher_suites"] = cipher_suites
        if passphrase:
            more["passphrase"] = passphrase.encode()
        return {"handle": self.half.publish(service, port=port, **more)}

    @command
    async def subscribe(
        self, service: str = "", active: bool = False, service_info: str = "", windows: int = 0
    ) -> dict[str, Any]:
        """Begin to look for a service, asking for it when `active`. Gives its handle."""
        more: dict[str, Any] = {"active": active, "ttl_windows": windows}
        if service_info:
            more["service_info"] = _hex(service_info, "service_info")
        return {"handle": self.half.subscribe(service, **more)}

    @command
    async def end(self, handle: int) -> None:
        """End a publish or subscribe."""
        self.half.command(lambda now: self.engine.discovery.cancel(handle, now))

    @command
    async def window(self) -> None:
        """A discovery window begins: what is announced goes out."""
        if self.half.on and self._node.radio is not None:
            self._node.radio.window()

    # Pairing

    @command
    async def bootstrap(
        self, peer: str = "", method: Method = "pin_keypad", handle: int = 0, instance: int = 0
    ) -> None:
        """Ask a peer to pair by an own method; `bootstrap_completed` tells its answer."""
        nmi = self._peer(peer)
        own, theirs = self._ids(nmi, handle, instance)
        self.half.command(
            lambda now: self.engine.bootstrapping.start(nmi, own, theirs, BITS[method], now)
        )

    @command
    async def pair(
        self,
        peer: str = "",
        pin: str = "",
        mode: Mode = "",
        csid: int = 7,
        handle: int = 0,
        instance: int = 0,
    ) -> None:
        """Pair as the initiator by what was agreed on, or verify; without `pin` it is shown or asked for."""
        nmi = self._peer(peer)
        own, theirs = self._ids(nmi, handle, instance)
        chosen, method = self._mode(nmi, mode), self.engine.station.peer(nmi).method
        password = pin.encode()
        if chosen == "sae" and not pin:
            if not method:
                raise UsageError("pair: nothing was agreed on: bootstrap first, or give a pin")
            password = await self.half.ceremony.password(nmi, method)
        self.half.command(
            lambda now: self.engine.pairing.pair(
                nmi, own, theirs, mode=chosen, csid=csid, password=password, now=now
            )
        )

    def _mode(self, nmi: str, given: Mode) -> str:
        if given:
            return given
        peer = self.engine.station.peer(nmi)
        if not peer.method and self.half.identity_of(nmi) is not None:
            return "verification"
        return "opportunistic" if peer.method == _WITHOUT else "sae"

    @command
    async def enter_pin(self, pin: str) -> None:
        """Type the PIN that is asked for."""
        person = self._node.device.person
        if person.question is None or person.question.kind != "pin":
            raise UsageError("no PIN is asked for")
        person.answer(pin)

    @command
    async def accept(
        self,
        peer: str = "",
        pin: str = "",
        mode: Mode = "",
        csid: int = 0,
        handle: int = 0,
        instance: int = 0,
    ) -> dict[str, Any]:
        """Say yes to what a peer asks: bootstrapping, pairing or a data path; else be ready for its Auth1."""
        found = self._pending(peer)
        match found:
            case ev.BootstrapRequested():
                self.half.ceremony.authorize(found)
            case ev.DataPathRequested():
                self.half.answer_path(found)
            case _:
                self._accept_pairing(peer, found, pin, mode, csid, handle, instance)
        self._node.acquaintance.answered(found)
        return {"accepted": "auth1" if found is None else found.kind}

    def _accept_pairing(
        self,
        peer: str,
        found: ev.PairingRequested | None,
        pin: str,
        mode: Mode,
        csid: int,
        handle: int,
        instance: int,
    ) -> None:
        nmi = self._peer(peer) if found is None else found.peer
        own, theirs = self._ids(nmi, handle, instance)
        chosen, suite = mode, csid
        if found is not None:
            ways = {"sae": "sae", "pasn": "opportunistic"}
            chosen = mode or ("verification" if found.pmkids else ways[found.akm])
            suite = csid or found.csid
        password = pin.encode() or self.half.ceremony.passwords.get(nmi, b"")
        self.half.command(
            lambda now: self.engine.pairing.accept(
                nmi,
                own,
                theirs,
                mode=chosen or self._mode(nmi, ""),
                csid=suite or 7,
                password=password,
                now=now,
            )
        )

    @command
    async def reject(self, peer: str = "", reason: int = 0) -> dict[str, Any]:
        """Say no to what a peer asks, or to what the person is asked; `reason` or status as the frame has it."""
        person = self._node.device.person
        found = self._pending(peer)
        match found:
            case ev.BootstrapRequested():
                self.half.command(
                    lambda now: self.engine.bootstrapping.reject(found.peer, now, reason or 13)
                )
            case ev.PairingRequested():
                self.half.command(
                    lambda now: self.engine.pairing.refuse(found.peer, now, reason or 1)
                )
            case ev.DataPathRequested():
                self._reject_path(found, reason or _NDP_REJECTED)
            case None:
                if person.question is None:
                    raise UsageError("nothing is asked")
        if person.question is not None:
            person.answer(None if person.question.kind == "pin" else False)
        self._node.acquaintance.answered(found)
        return {"rejected": "question" if found is None else found.kind}

    def _reject_path(self, found: ev.DataPathRequested, reason: int) -> None:
        self.half.command(
            lambda now: self.engine.data_path.answer(
                found.peer, found.initiator_ndi, found.ndp_id,
                handle=found.publish_id, accept=False, reason=reason, now=now,
            )
        )  # fmt: skip

    def _pending(self, peer: str) -> Any:
        """The request that waits longest (of a peer)."""
        waiting = self._node.acquaintance.pending
        found = [one for one in waiting if peer.lower() in ("", one.peer)]
        return found[0] if found else None

    @command
    async def manual(self, on: bool = True) -> None:
        """Answer nothing by itself from now on: `accept` and `reject` do."""
        self.half.ceremony.automatic = not on

    @command
    async def abort(self, peer: str = "") -> None:
        """Give up bootstrapping and pairing with a peer."""
        nmi = self._peer(peer)
        for give_up in (self.engine.bootstrapping.abort, self.engine.pairing.abort):
            with contextlib.suppress(RefusedError):  # nothing of that kind goes on
                self.half.command(lambda now, give_up=give_up: give_up(nmi, now))

    @command
    async def unpair(self, peer: str = "") -> None:
        """End a pairing; the identity stays."""
        nmi = self._peer(peer)
        self.half.command(lambda now: self.engine.pairing.unpair(nmi, now))

    @command
    async def remember(self, nik: str, npk: str, akm: Literal["sae", "pasn"] = "sae") -> None:
        """Know a device by its identity key (16 octets, hex) and the NPK of its pairing (32 octets, hex)."""
        keys = _hex(nik, "nik"), _hex(npk, "npk")
        if tuple(map(len, keys)) != (16, 32):
            raise UsageError("remember: nik has 16 octets, npk has 32")
        self.half.command(lambda now: self.engine.pairing.add_identity(*keys, akm, now))
        self.half.identities = dict(self.engine.station.identities)

    @command
    async def forget(self, peer: str = "") -> dict[str, Any]:
        """Forget the pairing with a peer, or all pairings."""
        place = None if not peer else self.half.identity_of(self._peer(peer))
        return {"forgotten": 0 if peer and place is None else self.half.forget(place)}

    # Data paths

    @command
    async def open_datapath(
        self,
        peer: str = "",
        csid: int = 0,
        passphrase: str = "",
        service_info: str = "",
        handle: int = 0,
        instance: int = 0,
    ) -> dict[str, Any]:
        """Ask a publisher for a data path: open, by passphrase (csid 1 or 2), or by the pairing. Gives its NDP ID."""
        nmi = self._peer(peer)
        own, theirs = self._ids(nmi, handle, instance)
        number = self.half.command(
            lambda now: self.engine.data_path.request(
                nmi,
                own,
                theirs,
                csid=csid,
                passphrase=passphrase.encode(),
                service_info=_hex(service_info, "service_info"),
                now=now,
            )
        )
        return {"ndp_id": number}

    @command
    async def close_datapath(self, peer: str = "") -> None:
        """End the data paths with a peer."""
        nmi = self._peer(peer)
        link = self.engine.data_path.links.get(nmi)
        for path in () if link is None else tuple(link.paths):
            self.half.command(
                lambda now, path=path: self.engine.data_path.terminate(
                    nmi, path.initiator_ndi, path.ndp_id, now
                )
            )

    @command
    async def send(
        self,
        peer: str = "",
        text: str = "",
        hex: str = "",  # noqa: A002  # as users write it
        by: Way = "",
        port: int = 0,
    ) -> None:
        """Send text or octets over the data path (udp, tcp), or as a follow-up; `data_received` tells answers."""
        data = _hex(hex, "hex") or text.encode()
        nmi = self._peer(peer)
        link = self.half.paths.with_peer(nmi)
        way = by or ("follow_up" if link is None else "udp")
        if way == "follow_up":
            own, theirs = self._ids(nmi, 0, 0)
            self.half.command(
                lambda now: self.engine.discovery.transmit(nmi, own, theirs, data, now)
            )
            return
        if link is None:
            raise UsageError(f"no data path with {nmi}: open one first")
        number = port or self._node.acquaintance.port(nmi)
        if not number:
            raise UsageError("send: the peer told no port: give one")
        await (
            self._stream(link, data, number) if way == "tcp" else self._datagram(link, data, number)
        )

    async def _datagram(self, link: Link, data: bytes, port: int) -> None:
        socket = self._sockets.get(link)
        if socket is None:
            socket = self._sockets[link] = link.datagram_socket()
            self.place.spawn(self.name, self._hear(link, socket))
        socket.send(data, port)

    async def _hear(self, link: Link, socket: Any) -> None:
        with contextlib.suppress(LinkError):  # the data path has ended
            while True:
                came = await socket.receive()
                self._told(link, "udp", came.data)
        self._sockets.pop(link, None)

    async def _stream(self, link: Link, data: bytes, port: int) -> None:
        stream = await link.connect(port)
        await stream.write(data)
        stream.finish()
        while came := await stream.read():
            self._told(link, "tcp", came)
        await asyncio.sleep(0)

    def _told(self, link: Link, transport: str, data: bytes) -> None:
        told = {"transport": transport, "hex": data.hex(), "from": str(link.peer)}
        self._node.write({"event": "data_received", "t_us": self.now_us, **told})

    # About itself

    @command
    async def cluster(self, id: str = "", tsf_us: int | None = None) -> None:  # noqa: A002  # as users write it
        """Take a Cluster ID, and a TSF as it is now."""
        if id:
            octets = _hex(id.replace(":", ""), "id")
            if len(octets) != 6:
                raise UsageError("cluster: id is an address as 50:6f:9a:01:00:00")
            self.engine.station.cluster_id = octets.hex(":")
        if tsf_us is not None and self._node.radio is not None:
            self._node.radio.tsf_offset_us = tsf_us - self.now_us

    @command
    async def address(self, nmi: str = "") -> dict[str, Any]:
        """Take another NMI, a drawn one unless given."""
        node = self.half.node
        try:
            return {"nmi": "" if node is None else node.move(nmi)}
        except ValueError as exc:
            raise UsageError(str(exc)) from None

    @command
    async def keys(self) -> list[dict[str, Any]]:
        """Every key derived so far; the node must have been started with --reveal."""
        if not self._node.world.reveal:
            raise UsageError("keys are told by a node that was started with --reveal")
        return keys_of(self._node.world.trace)

    @command
    async def state(self) -> dict[str, Any]:
        """Who it is, whom it knows, what goes on."""
        return state_of(self._node)

    @command
    async def help(self) -> dict[str, Any]:
        """This list: what can be told, its arguments with types and defaults."""
        found = {**type(self._node.device).commands(), **type(self).commands()}
        return {
            name: {"about": info.about, "arguments": info.parameters}
            for name, info in sorted(found.items())
        }


def _hex(text: str, name: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"{name} {text!r} is not hexadecimal") from None
