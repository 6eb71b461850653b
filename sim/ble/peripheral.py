"""The BLE radio of an accessory: GATT server and advertising sets, on bumble's Device.

Bluetooth Core 5.4, Vol 4 Part E 7.8.52 to 7.8.56 (advertising sets), Vol 3 Part G 4.10 and 4.11. Rules of the file:
* One advertising set per handle, legacy PDUs unless `extended`; its interval is the one asked for, in steps of
  0.625 ms. What the firmware asked for and what faults made of it are kept apart.
* A connectable set stops when a central connects by it, as controllers do, and starts again when that connection
  ends, unless it was stopped or replaced meanwhile.
* Callbacks of the device run through `Stack.attempt`.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from bumble import hci
from bumble.device import AdvertisingSet, Connection

from protocols.data.gatt_names import uuid_name
from protocols.errors import UsageError
from sim.ble.advert_check import check_advert, with_data
from sim.ble.advert_parameters import set_parameters
from sim.ble.gatt_table import GattTable
from sim.ble.host import AirDevice, uuid_text
from sim.ble.parameters import Wish, ask, in_force
from sim.ble.subscriptions import Subscriptions

if TYPE_CHECKING:
    from sim.accessories import Accessory
    from sim.ble.stack import Stack
    from sim.gatt import Advert, LinkParameters, Peer, Service

__all__ = ["AirPeripheral"]

_FRAGMENT = 251
_INTERMEDIATE, _FIRST, _LAST, _COMPLETE = 0, 1, 2, 3
_MODES = {
    (False, False): "off",
    (True, False): "notify",
    (False, True): "indicate",
    (True, True): "notify",
}


class _Set:
    """One advertising set and the connection that was made by it, if any."""

    def __init__(self, handle: int, asked: Advert, advert: Advert, bumble_set: Any) -> None:
        self.handle = handle
        self.asked = asked  # by the firmware; `advert` is what faults made of it
        self.advert = advert
        self.bumble_set = bumble_set
        self.taken_by: Any = None


class AirPeripheral:
    """`sim.accessories.Peripheral` on the simulated air."""

    def __init__(self, accessory: Accessory, stack: Stack) -> None:
        self._accessory = accessory
        self._stack = stack
        self._sets: dict[int, _Set] = {}
        self._table: GattTable | None = None
        self._subscriptions: Subscriptions | None = None
        self._links: dict[int, Any] = {}
        self._gone: dict[int, asyncio.Future[None]] = {}

    @property
    def address(self) -> str:
        """Address in use, `aa:bb:cc:dd:ee:ff`."""
        return self._stack.address

    @property
    def _device(self) -> AirDevice:
        device = self._stack.device
        if device is None:
            raise UsageError(f"{self._stack.node} is switched off")
        return device

    async def power_on(self, services: tuple[Service, ...]) -> None:
        """Start controller and host with this GATT table."""
        name = self._stack.attempt("local_name()", self._accessory.local_name) or self._stack.node
        device = await self._stack.power_on(name)
        self._table = GattTable(self._stack, device, services)
        self._subscriptions = Subscriptions(self._stack, device)
        device.on(device.EVENT_CONNECTION, self._on_connection)
        device.on("characteristic_subscription", self._on_subscription)
        self._stack.pairing.on_encrypted = self._on_encrypted
        self._stack.on_new_address = self._on_new_address
        self._stack.on_other_adverts = self._on_other_adverts

    async def power_off(self) -> None:
        """Drop everything at once, as when the battery is pulled."""
        self._stack.power_off()
        self._sets.clear()
        self._links.clear()
        for gone in self._gone.values():
            if not gone.done():
                gone.set_result(None)
        self._gone.clear()

    # Advertising

    async def advertise(self, advert: Advert, handle: int = 0) -> None:
        """Start (or replace) advertising set `handle`. Raises UsageError."""
        node = self._stack.node
        asked, advert = advert, self._stack.defects.advert(advert)
        check_advert(node, advert)
        device = self._device
        await self._remove(handle)
        address = self._set_address(advert)
        made = AdvertisingSet(
            device=device,
            advertising_handle=handle,
            auto_restart=False,
            random_address=address,
            advertising_parameters=set_parameters(
                advert,
                handle,
                power_dbm=self._accessory.settings.tx_power_dbm,
                random=bool(self._stack.own_address_type),
            ),
            advertising_data=b"",
            scan_response_data=b"",
            periodic_advertising_parameters=None,
            periodic_advertising_data=b"",
        )
        device.extended_advertising_sets[handle] = made
        self._sets[handle] = _Set(handle, asked, advert, made)
        what = f"advertising set {handle}"
        await self._stack.command(
            what, made.set_advertising_parameters(made.advertising_parameters)
        )
        if address is not None:
            await self._stack.command(what, made.set_random_address(address))
        await self._send_data(made, advert.data, advert.scan_response)
        await self._stack.command(what, made.start())

    async def set_data(
        self, data: bytes, scan_response: bytes | None = None, handle: int = 0
    ) -> None:
        """New octets for a running set, without a gap. Raises UsageError."""
        known = self._sets.get(handle)
        if known is None:
            raise UsageError(
                f"{self._stack.node}: advertising set {handle} does not run, so it has no data to change"
            )
        fresh = known.asked.scan_response if scan_response is None else scan_response
        asked = with_data(known.asked, data, fresh)
        advert = self._stack.defects.advert(asked)
        check_advert(self._stack.node, advert)
        if max(len(advert.data), len(advert.scan_response)) > _FRAGMENT:
            await self.advertise(asked, handle)  # only one command's worth may change while it runs
            return
        is_other = scan_response is not None or advert.scan_response != known.advert.scan_response
        known.asked, known.advert = asked, advert
        response = advert.scan_response if is_other else None
        await self._send_data(known.bumble_set, advert.data, response)

    async def stop_advertising(self, handle: int = 0) -> None:
        """Stop one set; harmless when it is not running."""
        await self._remove(handle)

    async def _send_data(self, made: Any, data: bytes, scan_response: bytes | None) -> None:
        properties = made.advertising_parameters.advertising_event_properties
        if properties.is_legacy or not properties.is_scannable:
            await self._fragments(
                made, hci.HCI_LE_Set_Extended_Advertising_Data_Command, "advertising_data", data
            )
        if scan_response is not None and properties.is_scannable:
            command = hci.HCI_LE_Set_Extended_Scan_Response_Data_Command
            await self._fragments(made, command, "scan_response_data", scan_response)

    async def _fragments(self, made: Any, command: Any, field: str, data: bytes) -> None:
        """Data of a set in as many commands as it takes (Vol 4 Part E 7.8.54)."""
        parts = [data[at : at + _FRAGMENT] for at in range(0, len(data), _FRAGMENT)] or [b""]
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            operation = (
                (_COMPLETE if last else _FIRST) if index == 0 else _LAST if last else _INTERMEDIATE
            )
            sent = command(
                advertising_handle=made.advertising_handle,
                operation=operation,
                fragment_preference=1,
                **{field: part},
            )
            what = f"data of advertising set {made.advertising_handle}"
            await self._stack.command(what, self._device.send_sync_command(sent))

    async def _remove(self, handle: int) -> None:
        known = self._sets.pop(handle, None)
        if known is None:
            return
        if known.bumble_set.enabled:
            await self._stack.command(f"stopping set {handle}", known.bumble_set.stop())
        await self._stack.command(f"removing set {handle}", known.bumble_set.remove())

    def _set_address(self, advert: Advert) -> Any:
        text = advert.set_address
        if text is None:
            if not self._stack.own_address_type:
                return None
            text = self._stack.air_address
        self._stack.place.claim(self._stack.node, text)
        return hci.Address(text, hci.AddressType.RANDOM_DEVICE)

    # Connections

    def _on_connection(self, connection: Any) -> None:
        self._links[connection.handle] = connection
        self._gone[connection.handle] = asyncio.get_running_loop().create_future()
        for known in self._sets.values():
            if (
                known.taken_by is None
                and known.advert.sort == "connectable"
                and not known.bumble_set.enabled
            ):
                known.taken_by = connection
        self._stack.connected(connection)
        ended = functools.partial(self._on_disconnection, connection)
        connection.on(connection.EVENT_DISCONNECTION, ended)
        connection.on(connection.EVENT_PAIRING, functools.partial(self._on_pairing, connection))
        peer = self._peer(connection)
        self._stack.attempt("on_connect()", lambda: self._accessory.on_connect(peer))
        for happens in tuple(self._stack.defects.connected):
            self._stack.attempt("a fault", functools.partial(happens, peer))

    def _on_disconnection(self, connection: Any, reason: int) -> None:
        if self._links.pop(connection.handle, None) is None:
            return  # it was switched off meanwhile
        gone = self._gone.pop(connection.handle)
        if not gone.done():
            gone.set_result(None)
        self._stack.disconnected(connection, reason)
        self._stack.trace.forget(connection.handle)
        peer = self._peer(connection)
        self._stack.pairing.link_closed(connection)
        self._stack.attempt("on_disconnect()", lambda: self._accessory.on_disconnect(peer, reason))
        for known in list(self._sets.values()):
            if known.taken_by is connection:
                known.taken_by = None
                self._stack.place.spawn(self._stack.node, self._restart(known))

    async def _restart(self, known: _Set) -> None:
        if known in self._sets.values() and not known.bumble_set.enabled:
            if self._stack.private and known.advert.set_address is None:
                address = self._set_address(known.advert)
                await self._stack.command(
                    "its address", known.bumble_set.set_random_address(address)
                )
            if known.advert != self._stack.defects.advert(known.asked):
                await self.advertise(known.asked, known.handle)
            else:
                await self._stack.command("advertising again", known.bumble_set.start())

    def _on_subscription(
        self, connection: Any, characteristic: Any, notify: bool, indicate: bool
    ) -> None:  # bumble's callback
        uuid = uuid_text(characteristic.uuid.uuid_bytes)
        peer, mode = self._peer(connection), _MODES[notify, indicate]
        if peer.bonded and self._subscriptions is not None:
            self._subscriptions.keep(connection)
        self._stack.attempt(
            "on_subscribe()", lambda: self._accessory.on_subscribe(peer, uuid, mode)
        )

    def _on_encrypted(self, connection: Any) -> None:
        """A bonded client is back: its subscriptions are in force again."""
        if self._subscriptions is None or not self._stack.pairing.is_bonded(connection):
            return
        for characteristic, notify, indicate in self._subscriptions.restore(connection):
            self._on_subscription(connection, characteristic, notify, indicate)
        if self._accessory.tells_service_changed():
            self._stack.place.spawn(self._stack.node, self._subscriptions.tell_changes(connection))

    def _on_pairing(self, connection: Any, _keys: Any) -> None:
        if self._subscriptions is not None and self._stack.pairing.is_bonded(connection):
            self._subscriptions.keep(connection)
            self._subscriptions.know_table(connection)

    async def _on_new_address(self) -> None:
        """Sets that run take the new private address; one that rests takes it when it starts again."""
        for handle, known in list(self._sets.items()):
            if known.taken_by is None and known.advert.set_address is None:
                await self.advertise(known.asked, handle)

    async def _on_other_adverts(self) -> None:
        """Sets that run send what faults make of them now; one that rests does when it starts again."""
        for handle, known in list(self._sets.items()):
            if known.taken_by is None:
                await self.advertise(known.asked, handle)

    def _peer(self, connection: Any) -> Peer:
        return self._stack.peer_of(connection)

    async def disconnect(self, peer: Peer) -> None:
        """Close a connection; harmless when it is gone."""
        connection = self._links.get(peer.handle)
        if connection is not None:
            self._stack.emit("disconnect", direction="tx", peer=peer.name, label="disconnect")
            await connection.disconnect()

    async def request_parameters(
        self, peer: Peer, low_ms: float, high_ms: float, latency: int, timeout_ms: int
    ) -> bool:
        """Ask the central for parameters by L2CAP; whether it accepted. False when the connection is gone."""
        connection = self._links.get(peer.handle)
        if connection is None:
            return False
        wish = Wish(low_ms, high_ms, latency, timeout_ms)
        return await ask(self._stack, connection, self._gone[peer.handle], wish)

    def parameters(self, peer: Peer) -> LinkParameters | None:
        """Connection parameters in force, None when the connection is gone."""
        connection = self._links.get(peer.handle)
        return None if connection is None else in_force(connection)

    # Security

    async def request_security(self, peer: Peer) -> None:
        """Send a Security Request; harmless when the connection is gone."""
        connection = self._links.get(peer.handle)
        if connection is not None:
            self._stack.pairing.request_security(connection)

    async def forget(self, peer: str = "") -> int:
        """Remove bonds with `peer` (a node or address; empty = all); how many."""
        return await self._stack.pairing.forget(peer)

    def bonded_with(self) -> list[str]:
        """Names (or addresses) of the bonded peers, oldest first."""
        return self._stack.pairing.bonded_with()

    def connected_with(self) -> list[str]:
        """Names (or addresses) of the connected peers, oldest first."""
        return self._stack.connected_with()

    def cancel_pairing(self) -> bool:
        """End running pairings; False when there is none."""
        return self._stack.pairing.cancel()

    # Values to subscribers

    async def notify(self, characteristic: str, value: bytes, peer: Peer | None = None) -> int:
        """Notify subscribers (or one peer); the number of peers it was sent to. Raises UnknownNameError."""
        server = self._device.gatt_server
        attribute = self._found(characteristic)
        reached = self._subscribers(attribute, 1, peer)
        for connection in reached:
            await server.notify_subscriber(connection, attribute, value)
        return len(reached)

    async def indicate(self, characteristic: str, value: bytes, peer: Peer | None = None) -> int:
        """Indicate and wait for the confirmations; the number of peers that confirmed. Raises UnknownNameError."""
        attribute = self._found(characteristic)
        reached = self._subscribers(attribute, 2, peer)
        confirmed = await asyncio.gather(
            *(self._indicate(one, attribute, value) for one in reached)
        )
        return sum(confirmed)

    async def _indicate(self, connection: Connection, attribute: Any, value: bytes) -> bool:
        gone = self._gone[connection.handle]
        sent = asyncio.ensure_future(
            self._device.gatt_server.indicate_subscriber(connection, attribute, value)
        )
        await asyncio.wait([sent, gone], return_when=asyncio.FIRST_COMPLETED)
        if not sent.done():
            sent.cancel()
            return False
        error = sent.exception()
        if error is None:
            return True
        if not isinstance(error, TimeoutError):
            raise error
        self._stack.emit(
            "att_timeout",
            peer=self._stack.peer_name(connection),
            note=f"no confirmation of {uuid_name(uuid_text(attribute.uuid.uuid_bytes))} in 30 s",
        )
        return False

    def _found(self, characteristic: str) -> Any:
        if self._table is None:
            raise UsageError(f"{self._stack.node} is switched off")
        return self._table.characteristic(characteristic)

    def _subscribers(self, attribute: Any, bit: int, peer: Peer | None) -> list[Any]:
        cccds = self._device.gatt_server.subscribers
        return [
            connection
            for handle, connection in self._links.items()
            if (peer is None or peer.handle == handle)
            and cccds.get(connection, {}).get(attribute.handle, b"\0")[0] & bit
        ]
