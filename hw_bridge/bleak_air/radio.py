"""The computer's Bluetooth as its operating system shares it out: one scan for all who listen, one dial at a time.

On the world's loop; the only place of the backends that owns state of the air. Rules of the file: a listener or a
link that belongs to a closed program loop is let go; a cancelled dial is really cancelled at the controller; links
are shared by address, as a system has one connection to a device however many programs use it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from hw_bridge.bleak_air.adverts import Book, Known, Sight, merger_for
from hw_bridge.bleak_air.link import HostCentral, HostLink
from hw_bridge.bleak_air.systems import SYSTEMS
from sim.gatt import LinkError
from sim.pairing import PairingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.ble.stack import Stack
    from sim.phones import Report
    from sim.phones.computer import Computer

__all__ = ["HostRadio", "Listener"]


class Listener:
    """Someone who scans; `on_sight` is called on the world's loop."""

    def __init__(
        self, on_sight: Callable[[Sight], None], *, active: bool, replace: bool = False
    ) -> None:
        self.on_sight = on_sight
        self.active = active
        self.replace = replace
        self.merger: Any = None
        self.met: set[str] = set()


class HostRadio:
    """Scanning, links, bonds and known devices of one computer that is switched on."""

    def __init__(self, computer: Computer) -> None:
        self.computer = computer
        self.system = SYSTEMS[computer.settings.os]
        self.book = Book(self._key, self.system.forget_us)
        facade: Any = computer.ble  # the phone's view of its radio hides the stack
        stack: Stack = facade._stack
        self._central = HostCentral(computer, stack)
        self._place = stack.place
        self._listeners: list[Listener] = []
        self._scans: bool | None = None  # actively or not, None = not at all
        self._scan_turn = asyncio.Lock()
        self._dial_turn = asyncio.Lock()
        self._links: dict[str, HostLink] = {}
        self._on_end: dict[str, list[Callable[[int], None]]] = {}
        if self.system.pairing == "just_works":
            stack.pairing.settings = msgspec.structs.replace(
                computer.settings, io="none", mitm="no"
            )

    @property
    def now_us(self) -> int:
        """Simulated time."""
        return self.computer.now_us

    @property
    def links(self) -> dict[str, HostLink]:
        """Connections that stand, by address."""
        return self._links

    def find(self, key: str) -> Known | None:
        """The device that programs call `key`."""
        return self.book.find(key, self.now_us)

    def _key(self, address: str) -> str:
        """How programs address a device: its address, or a UUID of this computer for it."""
        if not self.system.uuid_addresses:
            return address.upper()
        octets = self._place.streams.bytes(f"device/{self.computer.name}/identifier/{address}", 16)
        digits = octets.hex().upper()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    # Scanning

    @property
    def scans_actively(self) -> bool:
        """Whether anybody scans actively."""
        return any(listener.active for listener in self._listeners)

    async def listen(self, listener: Listener) -> None:
        """Scan for `listener` too. Raises UsageError (the controller refuses)."""
        listener.merger = merger_for(
            self.system, self.book, active=listener.active, replace=listener.replace
        )
        self._listeners.append(listener)
        await self._rescan()

    async def leave(self, listener: Listener) -> None:
        """Scan for it no more; harmless when it does not listen."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            await self._rescan()

    async def _rescan(self) -> None:
        """Make the controller scan as all listeners together want."""
        async with self._scan_turn:
            wanted = self.scans_actively if self._listeners else None
            if wanted == self._scans:
                return
            self._scans = wanted
            if wanted is None:
                await self._central.stop_scan()
                return
            settings = self.computer.settings
            await self._central.scan(
                self._on_report,
                active=wanted,
                interval_ms=settings.scan_interval_ms,
                window_ms=settings.scan_window_ms,
                filter_duplicates=False,
            )

    def _on_report(self, report: Report) -> None:
        if report.address_type == "anonymous":
            return  # no system shows a device without an address
        for listener in tuple(self._listeners):
            for sight in listener.merger.feed(report):
                listener.on_sight(sight)

    def meet(self, listener: Listener, sight: Sight) -> None:
        """Note in the trace that the program is shown a device, once per scan and device."""
        known = sight.known
        if known.address not in listener.met:
            listener.met.add(known.address)
            self.computer.emit(
                "discovered",
                peer=self._place.name_of(known.address),
                note=f"shown to the program: {sight.name or 'no name'}, {sight.rssi_dbm} dBm",
                address=known.address,
                rssi_dbm=sight.rssi_dbm,
                local_name=sight.parts.local_name,
            )

    # Links

    async def connect(
        self, known: Known, timeout_s: float, on_end: Callable[[int], None]
    ) -> HostLink:
        """The link to `known`, made when there is none. Raises TimeoutError, LinkError."""
        async with self._dial_turn:
            link = self._links.get(known.address)
            if link is None or not link.connected:
                link = await self._dial(known, timeout_s)
                self._links[known.address] = link
                self._on_end[known.address] = []
                known.connected = True
            self._on_end[known.address].append(on_end)
        known.bonded = link.bonded
        if known.bonded and not link.encrypted and not await link.encrypt():
            await link.drop()
            raise LinkError(f"{link.name} has lost the key of the bond; unpair and pair again")
        return link

    async def _dial(self, known: Known, timeout_s: float) -> HostLink:
        call = asyncio.ensure_future(
            self._central.connect(
                known.address,
                known.address_type,
                round(timeout_s * 1e6),
                lambda reason: self._ended(known, reason),
            )
        )
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            await self._hang_up(call)
            raise

    async def _hang_up(self, call: asyncio.Future[HostLink]) -> None:
        """Cancel a dial at the controller, and end the link if it came about all the same."""
        await self._central.cancel()
        with contextlib.suppress(LinkError, TimeoutError):
            await (await call).disconnect()

    def _ended(self, known: Known, reason: int) -> None:
        known.connected = False
        known.heard_us = self.now_us
        self._links.pop(known.address, None)
        for call in self._on_end.pop(known.address, []):
            call(reason)

    async def disconnect(self, known: Known) -> None:
        """End the link to `known`; harmless without one."""
        link = self._links.get(known.address)
        if link is not None:
            await link.disconnect()

    async def release(self, known: Known, on_end: Callable[[int], None]) -> None:
        """Give up the link that `on_end` was for; it ends when nobody else uses it."""
        users = self._on_end.get(known.address, [])
        if on_end in users:
            users.remove(on_end)
            if not users:
                await self.disconnect(known)

    # Bonds

    async def pair(self, known: Known) -> None:
        """Pair over the link that stands, unless a bond exists. Raises PairingError, LinkError, UsageError."""
        link = self._links.get(known.address)
        if link is None:
            raise LinkError(f"{self.computer.name}: there is no connection to pair over")
        if not link.bonded:
            await link.pair()
        known.bonded = link.bonded

    async def unpair(self, known: Known) -> None:
        """Forget the bond and end the link."""
        await self._central.forget(known.address)
        known.bonded = False
        await self.disconnect(known)

    async def elevate(self, known: Known) -> bool:
        """Answer an access that lacked security; whether it is worth a second try. Raises LinkError."""
        link = self._links.get(known.address)
        if not self.system.elevates or link is None or link.bonded:
            return False
        try:
            await self.pair(known)
        except PairingError:
            return False
        return True
