"""One connection of the computer: its GATT table whole, and what bleak shows of it that a phone does not need.

Bluetooth Core 5.4, Vol 3 Part G 4.4 to 4.12. On the world's loop. Rules of the file: the phone's link does the
transport, the requests and the pairing; descriptors, MTU, cached values and long discovery are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from bumble import hci

from sim.ble.central import AirCentral
from sim.ble.central_link import AirLink
from sim.ble.host import uuid_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FoundCharacteristic",
    "FoundDescriptor",
    "FoundService",
    "HostCentral",
    "HostLink",
]

_AUTHENTICATION_FAILURE = 0x05
_ADDRESS_TYPES = {
    "public": hci.AddressType.PUBLIC_DEVICE,
    "random": hci.AddressType.RANDOM_DEVICE,
    "public_identity": hci.AddressType.PUBLIC_IDENTITY,
    "random_identity": hci.AddressType.RANDOM_IDENTITY,
}


class FoundDescriptor(msgspec.Struct, frozen=True):
    """A descriptor found by discovery."""

    handle: int
    uuid: str
    """4, 8 or 8-4-4-4-12 digits, as in the rest of the file."""


class FoundCharacteristic(msgspec.Struct, frozen=True):
    """A characteristic found by discovery."""

    handle: int
    """of the declaration; the systems' APIs name characteristics by it."""
    value_handle: int
    uuid: str
    properties: int
    """the bits of the declaration."""
    descriptors: tuple[FoundDescriptor, ...]


class FoundService(msgspec.Struct, frozen=True):
    """A primary service found by discovery."""

    handle: int
    uuid: str
    characteristics: tuple[FoundCharacteristic, ...]


class HostCentral(AirCentral):
    """The computer's central; its connections are `HostLink`s."""

    async def connect(
        self, address: str, address_type: str, timeout_us: int, on_disconnect: Callable[[int], None]
    ) -> HostLink:
        """Connect. Raises TimeoutError when nobody connectable answered in time, LinkError."""
        loop = self._stack.place.loop
        end_us = loop.now_us + timeout_us
        peer = hci.Address(address, _ADDRESS_TYPES.get(address_type, hci.AddressType.RANDOM_DEVICE))
        while (left_us := end_us - loop.now_us) > 0:
            connection = await self._connection(peer, left_us)
            link = HostLink(self._stack, connection, on_disconnect)
            if await link.establish():
                return link
        raise TimeoutError

    async def cancel(self) -> None:
        """Cancel a dial that is under way; harmless without one."""
        device: Any = self._device  # bumble is untyped here
        await device.cancel_connection()


class HostLink(AirLink):
    """A connection as an operating system's Bluetooth stack uses it."""

    @property
    def mtu(self) -> int:
        """ATT MTU in force, octets."""
        return int(self._client.mtu)

    def cached(self, handle: int) -> bytes | None:
        """Last value read from or sent for `handle` on this connection."""
        entry = self._client.cached_values.get(handle)
        return None if entry is None else bytes(entry[1])

    async def table(self, wanted: frozenset[str] | None = None) -> tuple[FoundService, ...]:
        """Services in handle order; with `wanted` (UUIDs as `uuid_text` gives them) no others. Raises AttError, LinkError."""
        self._stack.emit("discover", direction="tx", peer=self.name, label="discover services")
        found = [
            await self._service(proxy)
            for proxy in await self._await(self._client.discover_services())
            if wanted is None or uuid_text(proxy.uuid.uuid_bytes) in wanted
        ]
        count = sum(len(one.characteristics) for one in found)
        uuids = [one.uuid for one in found]
        note = f"{len(found)} services, {count} characteristics"
        self._stack.emit("discovered", peer=self.name, note=note, services=uuids)
        return tuple(found)

    async def _service(self, proxy: Any) -> FoundService:
        await self._await(self._client.discover_characteristics([], proxy))
        characteristics = [await self._characteristic(one) for one in proxy.characteristics]
        return FoundService(proxy.handle, uuid_text(proxy.uuid.uuid_bytes), tuple(characteristics))

    async def _characteristic(self, proxy: Any) -> FoundCharacteristic:
        names = self._stack.trace.remote.setdefault(self._connection.handle, {})
        uuid = names[proxy.handle] = uuid_text(proxy.uuid.uuid_bytes)
        self._proxies[proxy.handle] = proxy
        descriptors: list[FoundDescriptor] = []
        if proxy.end_group_handle > proxy.handle:
            for one in await self._await(self._client.discover_descriptors(proxy)):
                kind = names[one.handle] = uuid_text(one.type.uuid_bytes)
                descriptors.append(FoundDescriptor(one.handle, kind))
        properties = int(proxy.properties)
        return FoundCharacteristic(
            proxy.handle - 1, proxy.handle, uuid, properties, tuple(descriptors)
        )

    async def command(self, handle: int, value: bytes) -> None:
        """Write without response; the stack takes it and nobody answers. Raises LinkError."""
        await self.write(handle, value, response=False)

    async def drop(self) -> None:
        """Disconnect for the reason that authentication failed."""
        if self.connected:
            await self._connection.disconnect(_AUTHENTICATION_FAILURE)
