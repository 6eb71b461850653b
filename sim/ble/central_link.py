"""One connection of a phone and its GATT client, on bumble's.

Bluetooth Core 5.4, Vol 3 Part G 4. Rules of the file:
* A connection counts as made when the peer has answered on it (its MTU response); that it died with 0x3E before,
  because the peer missed the first packets, is told to whoever made it.
* What a lost connection interrupts raises LinkError; nothing waits for an answer that cannot come.
* Callbacks of the device run through `Stack.attempt`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bumble import att, core

from protocols.data.gatt_names import reason_name, uuid_name
from protocols.errors import UsageError
from sim.ble.att_trace import CCCD
from sim.ble.host import uuid_text
from sim.gatt import AttError, LinkError
from sim.phones import Discovered, RemoteCharacteristic

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sim.ble.stack import Stack

__all__ = ["AirLink"]

_MTU = 517
_NOT_ESTABLISHED = 0x3E
_PROPERTIES = {
    0x02: "read",
    0x04: "write_without_response",
    0x08: "write",
    0x10: "notify",
    0x20: "indicate",
}


class AirLink:
    """`sim.phones.Link`: one connection and its GATT client."""

    def __init__(self, stack: Stack, connection: Any, on_disconnect: Callable[[int], None]) -> None:
        self._stack = stack
        self._connection = connection
        self._client = connection.gatt_client
        self._on_disconnect = on_disconnect
        self._proxies: dict[int, Any] = {}
        self._cccds: dict[int, int] = {}
        self._established = False
        self._reason: int | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.on(connection.EVENT_DISCONNECTION, self._on_disconnection)
        connection.on(connection.EVENT_SECURITY_REQUEST, self._on_security_request)
        stack.emit("connect", direction="tx", peer=self.name, label="connect")

    @property
    def name(self) -> str:
        """Node name of the other end, else its address."""
        return self._stack.peer_name(self._connection)

    @property
    def peer(self) -> str:
        """Address of the other end."""
        return bytes(self._connection.peer_address)[::-1].hex(":")

    @property
    def connected(self) -> bool:
        """Whether it still stands."""
        return self._reason is None

    async def establish(self) -> bool:
        """Exchange MTUs; False when the peer never answered. Raises LinkError when it ends otherwise."""
        try:
            await self._await(self._client.request_mtu(_MTU))
        except AttError:
            pass  # the peer knows no MTU exchange: 23 octets it is
        except LinkError:
            if self._reason != _NOT_ESTABLISHED:
                raise
            note = "the other side missed the request; trying again"
            self._stack.emit("connect_failed", peer=self.name, note=note, reason=_NOT_ESTABLISHED)
            return False
        self._established = True
        self._stack.connected(self._connection)
        return True

    def _on_disconnection(self, reason: int) -> None:
        self._reason = reason
        if not self._gone.done():
            self._gone.set_result(None)
        if self._established:
            self._stack.disconnected(self._connection, reason)
            self._stack.attempt("its disconnection callback", lambda: self._on_disconnect(reason))
        self._stack.trace.forget(self._connection.handle)
        self._stack.pairing.link_closed(self._connection)

    def _on_security_request(self, _auth_req: int) -> None:
        phone: Any = self._stack.owner
        self._stack.attempt("on_security_request()", lambda: phone.on_security_request(self))

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted."""
        return bool(self._connection.is_encrypted)

    @property
    def bonded(self) -> bool:
        """Whether there is a bond with the other end."""
        return self._stack.pairing.is_bonded(self._connection)

    async def pair(self) -> None:
        """Pair. Raises PairingError (side, step, reason, what to do), LinkError, UsageError (it pairs already)."""
        await self._await(self._stack.pairing.pair(self._connection))

    async def encrypt(self) -> bool:
        """Encrypt with the bond's key; False when the other end has lost it. Raises LinkError (no bond here, lost)."""
        return bool(await self._await(self._stack.pairing.encrypt(self._connection)))

    async def discover(self) -> list[RemoteCharacteristic]:
        """All services and characteristics, in handle order. Raises AttError, LinkError."""
        self._stack.emit("discover", direction="tx", peer=self.name, label="discover services")
        client = self._client
        services = await self._await(client.discover_services())
        names = self._stack.trace.remote.setdefault(self._connection.handle, {})
        found: list[RemoteCharacteristic] = []
        for service in services:
            await self._await(client.discover_characteristics([], service))
            for proxy in service.characteristics:
                uuid = uuid_text(proxy.uuid.uuid_bytes)
                names[proxy.handle] = uuid
                self._proxies[proxy.handle] = proxy
                properties = tuple(
                    name for bit, name in _PROPERTIES.items() if int(proxy.properties) & bit
                )
                service_uuid = uuid_text(service.uuid.uuid_bytes)
                found.append(RemoteCharacteristic(service_uuid, uuid, proxy.handle, properties))
        uuids = [uuid_text(service.uuid.uuid_bytes) for service in services]
        self._stack.emit(
            "discovered",
            peer=self.name,
            note=f"{', '.join(map(uuid_name, uuids))}: {len(found)} characteristics",
            services=uuids,
            characteristics=[one.uuid for one in found],
        )
        return found

    @property
    def discovered(self) -> Discovered:
        """What was discovered on it, for `reuse`; grows with what is discovered later."""
        return Discovered(self._proxies, self._cccds)

    def reuse(self, discovered: Discovered) -> None:
        """Take what was discovered on an earlier connection for true."""
        self._proxies, self._cccds = discovered.characteristics, discovered.cccds
        names = self._stack.trace.remote.setdefault(self._connection.handle, {})
        for handle, proxy in self._proxies.items():
            names[handle] = uuid_text(proxy.uuid.uuid_bytes)

    async def read(self, handle: int) -> bytes:
        """Read a value, in parts when it is long. Raises AttError, LinkError."""
        value: bytes = await self._await(self._client.read_value(handle))
        return value

    async def write(self, handle: int, value: bytes, *, response: bool = True) -> None:
        """Write a value, in parts when it is long. Raises AttError, LinkError."""
        await self._await(self._client.write_value(handle, value, with_response=response))

    async def subscribe(
        self, handle: int, callback: Callable[[bytes], None], *, indicate: bool
    ) -> None:
        """Write the CCCD; values go to `callback`, also those that come before the answer. Raises AttError, LinkError."""
        cccd = await self._cccd(handle)
        listeners = self._listeners(indicate=indicate)
        before = listeners.get(handle)
        self.listen(handle, callback, indicate=indicate)
        try:
            await self.write(cccd, b"\x02\0" if indicate else b"\x01\0")
        except (AttError, LinkError):
            if before is None:
                del listeners[handle]
            else:
                listeners[handle] = before
            raise

    def listen(self, handle: int, callback: Callable[[bytes], None], *, indicate: bool) -> None:
        """Values of a subscription that the other end has kept go to `callback`; nothing is sent."""

        def guarded(value: bytes) -> None:
            self._stack.attempt("its subscription callback", lambda: callback(value))

        self._listeners(indicate=indicate)[handle] = {guarded}

    def _listeners(self, *, indicate: bool) -> dict[int, Any]:
        client: Any = self._client
        listeners: dict[int, Any] = (
            client.indication_subscribers if indicate else client.notification_subscribers
        )
        return listeners

    async def unsubscribe(self, handle: int) -> None:
        """Write zero to the CCCD. Raises AttError, LinkError."""
        await self.write(await self._cccd(handle), b"\0\0")
        self._client.indication_subscribers.pop(handle, None)
        self._client.notification_subscribers.pop(handle, None)

    async def _cccd(self, handle: int) -> int:
        """Handle of the CCCD of a discovered characteristic."""
        if handle not in self._cccds:
            proxy = self._proxies.get(handle)
            if proxy is None:
                raise UsageError(
                    f"{self._stack.node}: handle {handle:#06x} is no characteristic that was discovered"
                )
            names = self._stack.trace.remote.setdefault(self._connection.handle, {})
            for descriptor in await self._await(self._client.discover_descriptors(proxy)):
                names[descriptor.handle] = uuid = uuid_text(descriptor.type.uuid_bytes)
                if uuid == CCCD:
                    self._cccds[handle] = descriptor.handle
            if handle not in self._cccds:
                raise LinkError(
                    f"{self._stack.node}: {self.name} has no CCCD for handle {handle:#06x}"
                )
        return self._cccds[handle]

    async def disconnect(self) -> None:
        """Close it; harmless when it is gone."""
        if self.connected:
            self._stack.emit("disconnect", direction="tx", peer=self.name, label="disconnect")
            await self._connection.disconnect()

    async def _await(self, request: Coroutine[Any, Any, Any]) -> Any:
        """The answer to `request`. Raises AttError, LinkError when the connection ends first or nothing comes in 30 s."""
        if not self.connected:
            request.close()
            raise self._lost()
        asked = asyncio.ensure_future(request)
        try:
            await asyncio.wait([asked, self._gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not asked.done():
                asked.cancel()
        if asked.cancelled() or not asked.done():
            raise self._lost()
        error = asked.exception()
        if isinstance(error, att.ATT_Error):
            raise AttError(error.error_code)
        if isinstance(error, core.TimeoutError | TimeoutError):
            raise LinkError(f"{self._stack.node}: {self.name} did not answer within 30 s")
        if error is not None:
            raise error
        return asked.result()

    def _lost(self) -> LinkError:
        reason = self._reason
        words = "" if reason is None else f" ({reason:#04x} {reason_name(reason)})"
        return LinkError(f"{self._stack.node}: the connection to {self.name} is gone{words}")
