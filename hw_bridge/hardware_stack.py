"""The radio of a device of the world on a real controller: bumble's host, on a session instead of the simulated air.

Rules of the file: the façades of `sim.ble` are used as they are; what they ask of a controller is here. A controller
that knows no advertising sets is helped out. When it was lost and is back, an accessory starts again as after a loss of
power, and a phone is switched on anew and scans if it did; while it is away, what the device wants of it fails quietly
and is in the trace.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from bumble import hci
from bumble.device import DeviceConfiguration

from hw_bridge.bumble_host import BumbleTransport
from hw_bridge.errors import MuteError
from hw_bridge.healing import Healer
from hw_bridge.legacy_advertising import LegacyAdvertising
from hw_bridge.states import SERVING
from protocols.errors import UsageError
from sim.accessories import Accessory
from sim.ble.att_trace import AttTrace
from sim.ble.central import AirCentral
from sim.ble.host import AirDevice, AirHost
from sim.ble.pairing import Pairing
from sim.ble.peripheral import AirPeripheral
from sim.ble.stack import Stack
from sim.pairing import Failure
from sim.phones import Phone

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hw_bridge.session import Session
    from sim.device import Device
    from sim.pairing import PairingDevice
    from sim.world import RadioPlace

__all__ = ["HardwareStack", "give_real_radio"]

if (
    not logging.getLogger().handlers
):  # bumble sets the root logger up by itself, and would write to the terminal
    logging.getLogger("bumble").propagate = False
_EXTENDED_ADVERTISING: Final = 1 << 12
"""LE feature bit (Vol 6 Part B 4.6)."""
_POWER_ON_S: Final = 20.0


async def give_real_radio(device: Device, place: RadioPlace, session: Session) -> HardwareStack:
    """Give `device` the session's controller as `device.ble` and switch it on. Raises UsageError, BridgeError."""
    if isinstance(device, Accessory):
        stack = HardwareStack(device, place, session)
        device.ble = AirPeripheral(device, stack)
        await device.ble.power_on(device.guard("services()", device.services))
    elif isinstance(device, Phone):
        stack = HardwareStack(device, place, session)
        device.ble = AirCentral(device, stack)
        await device.ble.power_on()
    else:
        raise UsageError(
            f"{device.name} is neither an accessory nor a phone; it has no use for a dongle"
        )
    Healer(session)
    return stack


class _RealController:
    """What a stack asks of a controller, on a session."""

    clock_ppm = 0

    def __init__(self, transport: Any, *, has_sets: bool) -> None:
        self._transport = transport
        self._sets = None if has_sets else LegacyAdvertising()
        self._host: Any = None

    def set_packet_sink(self, host: Any) -> None:
        """Who gets what the controller says."""
        self._host = host
        sink = host if self._sets is None else _ToHost(self._sets, host)
        self._transport.source.set_packet_sink(sink)

    def on_packet(self, packet: bytes) -> None:
        """A packet of the host."""
        out: bytes | None = packet
        if self._sets is not None:
            out, answer = self._sets.to_controller(packet)
            if answer is not None:
                asyncio.get_running_loop().call_soon(self._host.on_packet, answer)
        if out is not None:
            self._transport.sink.on_packet(out)


class _ToHost:
    """The way from a controller without advertising sets to its host."""

    def __init__(self, sets: LegacyAdvertising, host: Any) -> None:
        self._sets = sets
        self._host = host

    def on_packet(self, packet: bytes) -> None:
        """A packet of the controller."""
        for each in self._sets.to_host(packet):
            self._host.on_packet(each)

    def on_transport_lost(self) -> None:
        """Nothing more comes."""
        self._host.on_transport_lost()


class _BenchPairing(Pairing):
    """Pairing over a controller that may be lost in the middle of it."""

    def __init__(self, stack: HardwareStack, device: AirDevice, session: Session) -> None:
        super().__init__(stack, device)
        self._session = session

    def failed(self, connection: Any, failure: Failure) -> None:
        """As on any air; where the connection ended because the controller is gone, that is said."""
        if failure.side == "link" and self._session.state not in SERVING:
            life, node = self._session.life, self.owner.name
            failure = Failure(
                "link", failure.step, None,
                f"the controller of {node} was lost ({life.reason.partition(';')[0]})",
                f"see to {life.name}; when {node} has its controller back, pair again",
            )  # fmt: skip
        super().failed(connection, failure)


class HardwareStack(Stack):
    """Controller and bumble Device of one node on a real controller."""

    def __init__(self, owner: PairingDevice, place: RadioPlace, session: Session) -> None:
        super().__init__(owner, place)
        self.is_closing = False
        """The dongle is about to be given back: nothing is asked of it any more."""
        self._session = session
        self._transport: Any = None

    async def power_on(self, name: str) -> AirDevice:
        """Take the session's controller. Raises BridgeError, UsageError (its address cannot be had)."""
        self._check_address()
        self._transport = transport = BumbleTransport(self._session)
        facts = self._session.life.facts
        has_sets = facts is None or bool(facts.le_features & _EXTENDED_ADVERTISING)
        controller: Any = _RealController(transport, has_sets=has_sets)
        self.controller = controller
        transport.on_returned(self._on_returned)
        config = DeviceConfiguration(
            name=name,
            address=hci.Address(self.static_address, hci.AddressType.RANDOM_DEVICE),
            irk=self.irk,
            le_privacy_enabled=self.private,
            le_rpa_timeout=0,  # as in the simulated air, see Stack
        )
        self.trace = AttTrace(self.node, self.place)
        self.device = device = AirDevice(
            config=config, host=AirHost(controller, lambda: self.place.loop.now_us)
        )
        self._equip(device)
        for address, kind in self._identities():
            self.place.claim(self.node, address, kind)
        await self._switch_on(device)
        if self.private:
            self.place.claim(self.node, self.air_address)
            self.place.spawn(self.node, self._rotate(device))
        return device

    def _equip(self, device: AirDevice) -> None:
        """As on the simulated air."""
        super()._equip(device)
        self.pairing = _BenchPairing(self, device, self._session)

    def _check_address(self) -> None:
        """A real controller has the public address it has. Raises UsageError."""
        facts = self._session.life.facts
        own = facts.address if facts is not None and facts.has_address else ""
        if self.address_kind == "public" and self.address != own and self._is_recorded():
            self._take_address(own)
        if self.address_kind == "public" and self.address != own:
            raise UsageError(
                f"{self.node}: address: {self._session.life.name} has the public address "
                f"{own or 'of nobody'}, not {self.address}; leave it out, or give a random one"
            )
        if own:
            self.public_address = own

    def _is_recorded(self) -> bool:
        """Whether its address is the default of its model, and nobody's wish."""
        return bool(self.owner.settings.address == type(self.owner.settings)().address)

    def _take_address(self, own: str) -> None:
        """In place of a recorded address: the controller's public one, else a random one."""
        note = f"{self.address} is the recorded device's own; it uses {own or self.static_address}"
        self.address, self.address_kind = (
            (own, "public") if own else (self.static_address, "random")
        )
        self.bonds.identity |= {"address": self.address, "kind": self.address_kind}
        self.emit("other_address", note=note)

    async def _switch_on(self, device: AirDevice) -> None:
        """Initialise the host. Raises MuteError."""
        try:
            async with asyncio.timeout(_POWER_ON_S):
                await device.power_on()
        except (hci.HCI_Error, TimeoutError, AssertionError) as exc:
            reason = str(exc) or type(exc).__name__
            raise MuteError(
                f"{self._session.life.name}: bumble cannot initialise this controller ({reason}); "
                f"`nearbench bridge probe {self._session.life.name}` shows what it lacks"
            ) from exc

    def power_off(self) -> None:
        """Give the controller back; the session resets it."""
        if self.device is not None:
            self.pairing.switched_off()
        self.controller, self.device = None, None
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.source.close()

    async def command(self, action: str, task: Coroutine[Any, Any, Any]) -> Any:
        """Await an HCI command; while the controller is away it fails quietly. Raises UsageError."""
        if self.is_closing:
            task.close()
            return None
        try:
            return await super().command(action, task)
        except UsageError:
            if self._session.state in SERVING:
                raise
            self.emit("controller_away", note=f"{action}: {self._session.life.reason}")
            return None

    def _on_returned(self) -> None:
        self.place.spawn(self.node, self._begin_anew())

    async def _begin_anew(self) -> None:
        """The controller is back and knows nothing any more."""
        self.emit("controller_back", note="it starts anew")
        try:
            await self._start_again(self.owner)
        except MuteError:
            if self._session.state in SERVING:
                raise
            self.emit("controller_away", note=f"starting anew: {self._session.life.reason}")

    async def _start_again(self, owner: Any) -> None:
        """As after a loss of power; a phone goes on with its scan, its connections are gone. Raises MuteError."""
        if isinstance(owner, Accessory):
            await owner.reboot()
            return
        self.power_off()
        await owner.ble.power_on()
        if await owner.ble.resume():
            self.emit("scanning_again", note="as before")
