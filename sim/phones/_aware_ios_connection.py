"""Connections of an app on an iPhone: verified, opened as a data path, used, ended.

Rules IA-08, IA-53, IA-54, IA-57, IA-58, IA-59, IA-63, IA-66. A connection is a data path that this phone asks for; a
paired device that comes back is verified by its cached key first. What ends a connection is told as WAError.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Never, TypeVar

import msgspec

from protocols.wifi_aware.station import RefusedError
from sim.explain.aware_parts import PASN_128
from sim.gatt import LinkError
from sim.phones._aware_ios_data import DEFAULT_PORT, Channel, Transport, port_of
from sim.phones._aware_ios_view import PROFILE
from sim.wifi_aware.ceremony import AwareError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from protocols.wifi_aware import events as ev
    from sim.phones._aware_ios_browser import Browser
    from sim.phones._aware_ios_core import AwareIosCore
    from sim.phones._aware_ios_store import PairedDevice
    from sim.phones._aware_ios_view import Published

__all__ = ["Connection", "Connections", "Wanted"]

T = TypeVar("T")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that an app asks for."""

    to: str
    """node, name or id of a paired device."""
    service: str
    patience_us: int
    keep_browsing: bool = True
    """the browser runs until the connection is ready."""
    tries: int = 1
    """times that a browser is started."""
    transport: Transport = "udp"
    port: int = 0
    """of the peer; 0: the one that it tells of."""


class Connection:
    """A connection that is ready."""

    def __init__(
        self, device: PairedDevice, nmi: str, path: ev.DataPathConnected, channel: Channel
    ) -> None:
        self.device = device
        self.nmi = nmi
        self.path = path
        self.channel = channel
        self.used_us = 0
        """when it carried data last."""

    @property
    def key(self) -> tuple[str, str, int]:
        """Peer, initiator's interface and number of its data path."""
        return self.nmi, self.path.initiator_ndi, self.path.ndp_id


class Connections:
    """All of the app's."""

    def __init__(self, phone: AwareIosCore) -> None:
        self._phone = phone
        self.open: list[Connection] = []
        self.paired_us: dict[int, int] = {}
        """place -> when the device was paired, until it is connected to or the radio is off."""

    # Connecting

    async def connect(self, wanted: Wanted) -> Connection:
        """A connection to a paired device. Raises LinkError."""
        phone = self._phone
        loop = asyncio.get_running_loop()
        end_s = loop.time() + wanted.patience_us / 1e6
        self._check_transport(wanted)
        browser = await phone.browsers.get(wanted.service, wanted.tries, wanted.patience_us / 1e6)
        if browser is None:
            raise LinkError(f"{phone.name}: no connection to {wanted.to}: its browser has failed")
        device = phone.store.find(wanted.to)
        if device is None or not phone.store.is_granted(device.place):
            self._fail(wanted.to, "deviceInvalid", "no WAPairedDevice of the app", "IA-08")
        try:
            found = await browser.visible(device, max(0.0, end_s - loop.time()))
        except TimeoutError:
            self._not_heard(browser, device, wanted)
        if not wanted.keep_browsing:
            phone.browsers.stop(wanted.service)
        note = f"to {device.name!r}; the app sends something"
        phone.emit("connection_preparing", peer=device.node, note=note, label="preparing")
        if not phone.browsers.runs(wanted.service) and phone.keeps("IA-58"):
            await asyncio.sleep(max(0.0, end_s - loop.time()))
            why = "still preparing: the browser was stopped before the connection was ready"
            self._fail(device.node, "preparing", why, "IA-58")
        path = await self._open(device, found, browser.handle)
        return self._ready(device, found.nmi, path, wanted)

    def _check_transport(self, wanted: Wanted) -> None:
        if wanted.transport != "quic" or not self._phone.keeps("IA-63"):
            return
        if not self._phone.views[PROFILE].since("27.0"):
            why = f"no QUIC over Wi-Fi Aware on iOS {self._phone.version()}"
            self._fail(wanted.to, "connectionFailed", why, "IA-63")

    def _not_heard(self, browser: Browser, device: PairedDevice, wanted: Wanted) -> Never:
        why, rule = f"not heard in {wanted.patience_us / 1e6:g} s", ""
        if browser.strangers:
            why += "; only unknown identities publish the service, as a device does that has lost its own"
            rule = "IA-54"
        for moved in self._phone.view.moved(browser.strangers):
            why, rule = f"not recognised: {moved.verdict.evidence}", moved.rule
        self._fail(device.node, "connectionFailed", why, rule)

    def _fail(self, peer: str, code: str, why: str, rule: str) -> Never:
        name = code if code == "preparing" else f"WAError.{code}"
        because = f" ({rule})" if rule else ""
        self._phone.emit(
            "connection_failed", peer=peer, note=f"{name}: {why}{because}", rule=rule, code=code
        )
        raise LinkError(f"{self._phone.name}: connecting to {peer}: {why}{because}")

    async def _open(
        self, device: PairedDevice, found: Published, handle: int
    ) -> ev.DataPathConnected:
        """A data path, after a verification where one is due. Raises LinkError."""
        phone = self._phone
        ceremony = phone.aware.ceremony
        try:
            if self._needs_verification(device, found.nmi):
                await ceremony.authenticate(
                    found.nmi, handle, found.instance, mode="verification", csid=PASN_128
                )
                note = "by its NIRA and the cached key; no identity keys are exchanged (IA-53)"
                phone.emit("verified", peer=device.node, note=note, rule="IA-53")
            path = await ceremony.open_path(found.nmi, handle, found.instance)
        except (AwareError, RefusedError) as exc:
            why = f"{exc.step}: {exc.why}" if isinstance(exc, AwareError) else str(exc)
            phone.explain_failure("connection_failed", found.nmi, why)
            raise
        self.paired_us.pop(device.place, None)
        return path

    def _needs_verification(self, device: PairedDevice, nmi: str) -> bool:
        phone = self._phone
        peer = phone.aware.engine.station.peers.get(nmi)
        stands = peer is not None and peer.paired
        in_use = any(one.nmi == nmi for one in self.open)
        since = self.paired_us.get(device.place)
        is_fresh = since is not None and phone.now_us - since <= phone.settings.aware.fresh_time
        return not (stands and (in_use or is_fresh))

    def _ready(
        self, device: PairedDevice, nmi: str, path: ev.DataPathConnected, wanted: Wanted | None
    ) -> Connection:
        """The connection of a data path; `wanted` is None when the peer began."""
        phone = self._phone
        link = phone.aware.paths.with_peer(nmi)
        if link is None:
            raise LinkError(f"{phone.name}: the data path with {device.node} has ended at once")
        port = DEFAULT_PORT if wanted is None else wanted.port or port_of(path.service_info)
        transport = "udp" if wanted is None else wanted.transport
        channel = Channel(link, transport, port, incoming=wanted is None)
        connection = Connection(device, nmi, path, channel)
        connection.used_us = phone.now_us
        self.open.append(connection)
        where = f"{link.peer}" + (f", {transport} port {port}" if port else "")
        note = f"{'from' if wanted is None else 'to'} {device.name!r}, {where} (IA-59)"
        phone.emit(
            "connection_ready", peer=device.node, note=note, label="connection ready", rule="IA-59"
        )
        self._watch(connection)
        return connection

    # Data

    def with_peer(self, to: str) -> Connection:
        """The latest connection (with a node, name or id). Raises LinkError."""
        device = self._phone.store.find(to)
        found = [one for one in self.open if not to or one.device == device]
        if not found:
            raise LinkError(f"{self._phone.name}: no connection{f' with {to}' if to else ''}")
        return found[-1]

    async def send(self, connection: Connection, octets: bytes, seconds: float) -> None:
        """Send. Raises LinkError."""
        await self._carry(connection, "sending", connection.channel.send(octets, seconds))
        self._tell_data(connection, "sent", octets, "tx")

    async def receive(self, connection: Connection, seconds: float) -> bytes:
        """What the peer sent. Raises LinkError."""
        octets: bytes = await self._carry(
            connection, "receiving", connection.channel.receive(seconds)
        )
        self._tell_data(connection, "received", octets, "rx")
        return octets

    async def _carry(self, connection: Connection, what: str, doing: Awaitable[T]) -> T:
        try:
            found = await doing
        except TimeoutError:
            raise LinkError(f"{self._phone.name}: {what}: nothing came of it in time") from None
        connection.used_us = self._phone.now_us
        return found

    def _tell_data(self, connection: Connection, event: str, octets: bytes, way: str) -> None:
        text = octets.decode("ascii", "replace")
        shown = repr(text) if octets.isascii() and text.strip().isprintable() else octets.hex()
        self._phone.emit(
            f"data_{event}",
            direction=way,
            peer=connection.device.node,
            note=f"{len(octets)} octets: {shown[:60]}",
            label=event,
            hex=octets.hex(),
        )

    # Ending

    def _watch(self, connection: Connection) -> None:
        """Collect it when it is idle for too long (IA-66)."""
        phone = self._phone
        limit_us = int(phone.settings.aware.idle_time)
        if limit_us and phone.keeps("IA-66"):
            delay_us = connection.used_us + limit_us - phone.now_us
            phone.place.after_us(max(0, delay_us), self._look, connection)

    def _look(self, connection: Connection) -> None:
        phone = self._phone
        if connection not in self.open:
            return
        idle_us = phone.now_us - connection.used_us
        if idle_us >= int(phone.settings.aware.idle_time):
            why = f"idle for {idle_us / 1e6:g} s"
            self.close(connection, "connectionIdleTimeout", why, "IA-66")
        else:
            self._watch(connection)

    def close(self, connection: Connection, code: str, why: str, rule: str) -> None:
        """End a connection from this side."""
        if connection not in self.open:
            return
        self.open.remove(connection)
        self._tell_end(connection, code, why, rule)
        nmi, ndi, number = connection.key
        half = self._phone.aware
        try:
            half.command(lambda now: half.engine.data_path.terminate(nmi, ndi, number, now))
        except RefusedError:
            return  # it is ending already, or the radio is off

    def _tell_end(self, connection: Connection, code: str, why: str, rule: str) -> None:
        name = f"WAError.{code}: " if code else ""
        because = f" ({rule})" if rule else ""
        self._phone.emit(
            "connection_closed",
            peer=connection.device.node,
            note=f"{name}{why}{because}",
            rule=rule,
            code=code,
        )

    def on_path_from_peer(self, event: ev.DataPathConnected) -> None:
        """A paired device has connected to a listener."""
        device = self._phone.store.at(event.peer)
        if device is not None:
            self._ready(device, event.peer, event, None)

    def close_all(self, why: str, rule: str) -> None:
        """Everything of the app is closed."""
        for connection in list(self.open):
            self.close(connection, "connectionTerminated", why, rule)

    def on_path_ended(self, event: ev.DataPathEnded) -> None:
        """A data path ended: its connection is over."""
        for connection in list(self.open):
            if connection.key == (event.peer, event.initiator_ndi, event.ndp_id):
                self.open.remove(connection)
                why, rule = event.cause or f"reason {event.reason}", ""
                for unheard in self._phone.view.unheard() if event.local else ():
                    why, rule = f"{why}; {unheard.verdict.evidence}", unheard.rule
                self._tell_end(connection, "connectionTerminated", self._phone.named(why), rule)
