"""The radio of a device: our controller on the world's air with bumble's host on top, and the façade for it.

`build` is the only entry. A `Stack` is made anew at each power-on: what loses its power forgets everything. Rules
of the file: an address the node uses on the air is claimed, so that traces can say names; an exception of a
device's own callback ends the run as NodeError, wherever bumble would have swallowed it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from bumble import hci
from bumble.device import DeviceConfiguration

from protocols.data.gatt_names import reason_name
from protocols.data.hci_names import error_name
from protocols.errors import NearbenchError, UsageError
from sim.accessories import Accessory
from sim.ble.att_trace import AttTrace
from sim.ble.controller import AirController
from sim.ble.host import AirDevice, AirHost
from sim.device import check_address
from sim.phones import Phone

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sim.device import Device
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

    stack = Stack(device, world)
    if isinstance(device, Accessory):
        device.ble = AirPeripheral(device, stack)
        await device.ble.power_on(device.guard("services()", device.services))
    elif isinstance(device, Phone):
        device.ble = AirCentral(device, stack)
        await device.ble.power_on()


class Stack:
    """Controller, host and bumble Device of one node; `device` is None while it is off."""

    def __init__(self, owner: Device, place: RadioPlace) -> None:
        self.owner = owner
        self.node = owner.name
        self.place = place
        self.address, self.address_kind = self._own_address()
        self.public_address = (
            self.address if self.address_kind == "public" else self._drawn("public")
        )
        self.controller: AirController | None = None
        self.device: AirDevice | None = None
        self.trace = AttTrace(self.node, place)

    def _own_address(self) -> tuple[str, str]:
        given = self.owner.settings.address
        return check_address(given) if given else (self._drawn("address"), "random")

    def _drawn(self, purpose: str) -> str:
        octets = bytearray(self.place.streams.bytes(f"crypto/{self.node}/{purpose}", 6))
        octets[0] = octets[0] | 0xC0 if purpose == "address" else octets[0] & 0x3C
        return octets.hex(":")

    @property
    def own_address_type(self) -> int:
        """As HCI numbers it: 0 public, 1 random."""
        return int(self.address_kind == "random")

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
        )
        controller.observe_hci(self._tap)
        random = self.address if self.address_kind == "random" else self._drawn("address")
        config = DeviceConfiguration(
            name=name,
            address=hci.Address(random, hci.AddressType.RANDOM_DEVICE),
            identity_address_type=hci.AddressType(self.own_address_type),
            irk=place.streams.bytes(f"crypto/{self.node}/irk", 16),
        )
        self.trace = AttTrace(self.node, place)
        self.device = device = AirDevice(
            config=config, host=AirHost(controller, lambda: place.loop.now_us)
        )
        device.trace = self.trace
        device.peer_name = self.peer_name
        place.claim(self.node, self.address, self.address_kind)
        await device.power_on()
        return device

    def power_off(self) -> None:
        """Everything is gone at once; nobody is told."""
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
