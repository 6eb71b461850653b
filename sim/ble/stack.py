"""The radio of a device: our controller on the world's air with bumble's host on top, and the façade for it.

`build` is the only entry. A `Stack` is made anew at each power-on: what loses its power forgets everything. Rules
of the file: an address the node uses on the air is claimed, so that traces can say names; an exception of a
device's own callback ends the run as NodeError, wherever bumble would have swallowed it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bumble import hci
from bumble.device import DeviceConfiguration

from protocols.data.gatt_names import reason_name
from protocols.data.hci_names import error_name
from protocols.errors import NearbenchError, UsageError
from sim.accessories import Accessory
from sim.ble.att_trace import AttTrace
from sim.ble.bonds import BondStore
from sim.ble.controller import AirController
from sim.ble.host import AirDevice, AirHost
from sim.ble.pairing import Pairing
from sim.ble.smp_trace import SmpTrace
from sim.device import check_address
from sim.gatt import Peer
from sim.phones import Phone

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from sim.defects import Defects
    from sim.device import Device
    from sim.pairing import PairingDevice
    from sim.world import RadioPlace

__all__ = ["Stack", "build"]

logging.getLogger("bumble").addHandler(
    logging.NullHandler()
)  # what it warns of is in our trace; a user who wants its log configures logging
_RESET = b"\x01\x03\x0c\x00"


async def build(device: Device, world: RadioPlace) -> None:
    """Give `device` its BLE radio as `device.ble` and switch it on. Raises NodeError (its `services` raised)."""
    from sim.ble.central import AirCentral  # the façades know the stack
    from sim.ble.peripheral import AirPeripheral  # likewise

    if isinstance(device, Accessory):
        device.ble = AirPeripheral(device, Stack(device, world))
        await device.ble.power_on(device.guard("services()", device.services))
    elif isinstance(device, Phone):
        device.ble = AirCentral(device, Stack(device, world))
        await device.ble.power_on()


class Stack:
    """Controller, host and bumble Device of one node; `device` is None while it is off."""

    def __init__(self, owner: PairingDevice, place: RadioPlace) -> None:
        self.owner = owner
        self.node = owner.name
        self.place = place
        self.bonds = BondStore(self._bond_file())
        self.address, self.address_kind = self._own_address()
        public = self.address_kind == "public"
        self.public_address = self.address if public else self._drawn("public")
        self.static_address = self._drawn("address") if public else self.address
        self.irk = self._own_irk()
        self.on_new_address: Callable[[], Coroutine[Any, Any, None]] | None = None
        """called when the private address has changed."""
        self.on_other_adverts: Callable[[], Coroutine[Any, Any, None]] | None = None
        """called when a fault begins or ceases to change the adverts."""
        self.controller: AirController | None = None
        self.device: AirDevice | None = None
        self.trace = AttTrace(self.node, place)
        self.pairing: Pairing

    def _bond_file(self) -> Path | None:
        folder = self.owner.settings.bond_folder
        return self.place.base / folder / f"{self.node}.json" if folder else None

    def _own_address(self) -> tuple[str, str]:
        given = self.owner.settings.address
        if given:
            return check_address(given)
        kept = self.bonds.identity
        if kept:
            return kept["address"], kept["kind"]
        return self._drawn("address"), "random"

    def _own_irk(self) -> bytes:
        """The IRK that goes with the bonds; drawn once."""
        drawn = self.place.streams.bytes(f"crypto/{self.node}/irk", 16)
        kept = self.bonds.identity.get("irk", "")
        irk = bytes.fromhex(kept) if kept else drawn
        self.bonds.identity = {
            "address": self.address,
            "kind": self.address_kind,
            "irk": irk.hex(),
        }
        return irk

    def _drawn(self, purpose: str) -> str:
        octets = bytearray(self.place.streams.bytes(f"crypto/{self.node}/{purpose}", 6))
        octets[0] = octets[0] | 0xC0 if purpose == "address" else octets[0] & 0x3C
        return octets.hex(":")

    @property
    def defects(self) -> Defects:
        """What faults have done to the node."""
        return self.place.defects(self.node)

    @property
    def own_address_type(self) -> int:
        """As HCI numbers it: 0 public, 1 random."""
        return int(self.address_kind == "random" or self.private)

    @property
    def private(self) -> bool:
        """Whether it uses resolvable private addresses."""
        return bool(self.owner.settings.private_address)

    @property
    def air_address(self) -> str:
        """Random address in use now: the private one when it uses such."""
        if self.private and self.device is not None:
            return plain_address(self.device.random_address)
        return self.static_address

    async def power_on(self, name: str) -> AirDevice:
        """A fresh controller and host; `name` is the Device Name served by GAP."""
        place = self.place
        self.controller = controller = AirController(
            self.node,
            place.air,
            place.loop,
            place.streams,
            public_address=hci.Address(self.public_address, hci.AddressType.PUBLIC_DEVICE),
            position=place.position_of(self.node),
            tx_power_dbm=self.owner.settings.tx_power_dbm,
            clock_ppm=self.defects.clock_ppm,
        )
        controller.observe_hci(self._tap)
        config = DeviceConfiguration(
            name=name,
            address=hci.Address(self.static_address, hci.AddressType.RANDOM_DEVICE),
            irk=self.irk,
            le_privacy_enabled=self.private,
            le_rpa_timeout=0,  # bumble's own rotation is never possible while advertising
        )
        self.trace = AttTrace(self.node, place)
        self.device = device = AirDevice(
            config=config, host=AirHost(controller, lambda: place.loop.now_us)
        )
        self._equip(device)
        self.defects.on_change = self._on_defects
        for address, kind in self._identities():
            place.claim(self.node, address, kind)
        await device.power_on()
        if self.private:
            place.claim(self.node, self.air_address)
            place.spawn(self.node, self._rotate(device))
        return device

    def _equip(self, device: AirDevice) -> None:
        """Give the device its watchers, bonds and pairing."""
        device.trace = self.trace
        device.defects = self.defects
        device.smp_trace = SmpTrace(self.node, self.place)
        device.peer_name = self.peer_name
        device.is_stranger = self.place.is_stranger
        device.bonds = device.keystore = self.bonds
        device.csrk = self.irk[::-1]
        self.pairing = Pairing(self, device)

    def _on_defects(self) -> None:
        if self.controller is not None:
            self.controller.clock_ppm = self.defects.clock_ppm
        if self.device is not None and self.on_other_adverts is not None:
            self.place.spawn(self.node, self.on_other_adverts())

    def _identities(self) -> Iterator[tuple[str, str]]:
        """Addresses that stand for this node, the one in use last."""
        if self.owner.settings.identity == "public":
            yield self.public_address, "public"
        elif self.owner.settings.identity == "random":
            yield self.static_address, "random"
        yield self.address, self.address_kind

    async def _rotate(self, device: AirDevice) -> None:
        """Take a new private address each `private_address_time`, as soon as the controller allows it."""
        while True:
            await asyncio.sleep(self.owner.settings.private_address_time / 1e6)
            while self.device is device and not await device.update_rpa():  # noqa: ASYNC110  # nothing says when the controller allows it
                await asyncio.sleep(1.0)
            if self.device is not device:
                return
            self.place.claim(self.node, self.air_address)
            self.emit("new_address", note=self.air_address, address=self.air_address)
            if self.on_new_address is not None:
                await self.on_new_address()

    def power_off(self) -> None:
        """Everything is gone at once; nobody is told."""
        if self.device is not None:
            self.pairing.switched_off()
        controller, self.controller, self.device = self.controller, None, None
        if controller is not None:
            controller.host = None
            controller.on_packet(_RESET)
            self.place.air.detach(controller.radio)

    def _tap(self, to_host: bool, packet: bytes) -> None:  # the controller's callback
        self.place.hci(self.node, "rx" if to_host else "tx", packet)

    # Names, traces and failures, for both façades

    def peer_name(self, connection: Any) -> str:
        """Node name of the other end, else its address."""
        return self.place.name_of(plain_address(connection.peer_address))

    def connected_with(self) -> list[str]:
        """Names (or addresses) of the connected peers, oldest first."""
        links = {} if self.device is None else self.device.connections
        return [self.peer_name(connection) for connection in list(links.values())]

    def peer_of(self, connection: Any) -> Peer:
        """The other end of a connection as devices see it."""
        return Peer(
            self.peer_name(connection),
            plain_address(connection.peer_address),
            connection.handle,
            bool(connection.is_encrypted),
            bool(connection.is_encrypted and connection.authenticated),
            self.pairing.is_bonded(connection),
        )

    def emit(self, event: str, **details: Any) -> None:
        """Write a BLE event of this node to the trace."""
        self.place.trace.emit(self.node, "ble", event, **details)

    def connected(self, connection: Any) -> None:
        """Note the parameters of a new connection."""
        parameters = connection.parameters
        interval_ms = parameters.connection_interval
        timeout_ms = round(parameters.supervision_timeout)
        latency = parameters.peripheral_latency
        self.emit(
            "connected",
            peer=self.peer_name(connection),
            note=f"interval {interval_ms:g} ms, latency {latency}, timeout {timeout_ms} ms",
            interval_ms=interval_ms,
            latency=latency,
            timeout_ms=timeout_ms,
        )

    def disconnected(self, connection: Any, reason: int) -> None:
        """Note how a connection ended."""
        self.emit(
            "disconnected",
            peer=self.peer_name(connection),
            note=f"{reason:#04x} {reason_name(reason)}",
            reason=reason,
        )

    def attempt(self, action: str, call: Callable[[], Any]) -> Any:
        """Run a callback of the device; what it raises ends the run, and None comes back here."""
        try:
            return self.owner.guard(action, call)
        except NearbenchError as exc:
            self.fail(exc)
            return None

    def fail(self, error: NearbenchError) -> None:
        """End the run with `error`, from inside code of bumble that would swallow it."""
        self.place.loop.call_exception_handler({"message": f"in {self.node}", "exception": error})

    async def command(self, action: str, task: Coroutine[Any, Any, Any]) -> Any:
        """Await an HCI command. Raises UsageError when the controller refuses it."""
        try:
            return await task
        except hci.HCI_Error as exc:
            words = error_name(exc.error_code or 0)
            raise UsageError(
                f"{self.node}: {action}: the controller refused it ({words})"
            ) from None


def plain_address(address: hci.Address) -> str:
    """As "aa:bb:cc:dd:ee:ff"."""
    return bytes(address)[::-1].hex(":")
