"""What a server keeps for bonded clients: their subscriptions, and which GATT table they know.

Core 5.4 Vol 3 Part G 3.3.3.3 (CCCDs of bonded clients), 2.5.2 and 7.1 (Service Changed). Rules of the file: kept by
UUIDs, since handles move with the firmware; a client that knows another table is told with an indication of the
whole range, once, when it is subscribed to Service Changed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from bumble import gatt

from sim.ble.host import uuid_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.ble.host import AirDevice
    from sim.ble.stack import Stack

__all__ = ["Subscriptions"]

SERVICE_CHANGED = "1801/2a05"
_TABLE = "table"
_WHOLE_RANGE = b"\x01\x00\xff\xff"


class Subscriptions:
    """Of one accessory that is switched on, with the table it has now."""

    def __init__(self, stack: Stack, device: AirDevice) -> None:
        self._stack = stack
        self._device = device
        self._named: dict[str, Any] = {}
        service = ""
        digest = hashlib.sha256()
        server: Any = device.gatt_server
        for attribute in server.attributes:
            if isinstance(attribute, gatt.Service):
                service = uuid_text(attribute.uuid.uuid_bytes)
                digest.update(f"{attribute.handle} {service};".encode())
            elif isinstance(attribute, gatt.Characteristic):
                uuid = uuid_text(attribute.uuid.uuid_bytes)
                self._named.setdefault(f"{service}/{uuid}", attribute)
                digest.update(f"{attribute.handle} {uuid} {int(attribute.properties)};".encode())
        self._digest = digest.hexdigest()[:16]

    def keep(self, connection: Any) -> None:
        """Store the subscriptions of a bonded client as they are now."""
        cccds = self._device.gatt_server.subscribers.get(connection, {})
        name = str(connection.peer_address)
        for key, attribute in self._named.items():
            if attribute.handle in cccds:
                self._device.bonds.remember(name, key, cccds[attribute.handle])

    def know_table(self, connection: Any) -> None:
        """The client discovers the table as it is now."""
        self._device.bonds.remember(
            str(connection.peer_address), _TABLE, bytes.fromhex(self._digest)
        )

    def restore(self, connection: Any) -> Iterator[tuple[Any, bool, bool]]:
        """Put stored subscriptions in force: (characteristic, notify, indicate) of each that was not."""
        kept = self._device.bonds.subscriptions.get(str(connection.peer_address), {})
        current = self._device.gatt_server.subscribers.setdefault(connection, {})
        for key, text in list(kept.items()):
            attribute = self._named.get(key)
            value = bytes.fromhex(text)
            if attribute is None or attribute.handle in current or not any(value):
                continue
            current[attribute.handle] = value
            yield attribute, bool(value[0] & 1), bool(value[0] & 2)

    async def tell_changes(self, connection: Any) -> None:
        """Indicate Service Changed to a client that knows another table."""
        known = self._device.bonds.subscriptions.get(str(connection.peer_address), {})
        if known.get(_TABLE, self._digest) == self._digest:
            return
        peer = self._stack.peer_name(connection)
        attribute = self._named.get(SERVICE_CHANGED)
        if attribute is None or SERVICE_CHANGED not in known:
            note = f"{peer} knows an older table and is not subscribed to Service Changed"
            self._stack.emit("service_change_untold", peer=peer, note=note)
            return
        self._stack.emit("service_changed", peer=peer, note="the whole table is new")
        server = self._device.gatt_server
        try:
            await connection.cancel_on_disconnection(
                server.indicate_subscriber(connection, attribute, _WHOLE_RANGE)
            )
        except TimeoutError:
            return  # it will be told on the next connection
        if connection.handle in self._device.connections:
            self.know_table(connection)
