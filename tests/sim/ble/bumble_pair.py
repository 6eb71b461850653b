"""Two bumble devices, a phone and an accessory with a GATT table, on our air; coroutines run by `World.do`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import connected
from bumble import hci
from bumble.device import Connection, Device, Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.pairing import PairingConfig, PairingDelegate
from connected import settings

from sim.air import Air
from sim.ble.controller import AirController
from sim.ble.determinism import seeded
from sim.ble.quiet import quiet
from sim.clock import VirtualLoop
from sim.rng import Streams

if TYPE_CHECKING:
    from collections.abc import Coroutine

ACCESSORY, PHONE = "C0:11:22:33:44:55", "C0:AA:BB:CC:DD:EE"
SERVICE = "7d2a4f10-0f4c-4d0a-9a57-3c1e2b6f0a01"
LONG, NOTE, SHOUT, ECHO = (f"7d2a4f1{n}-0f4c-4d0a-9a57-3c1e2b6f0a01" for n in range(1, 5))
TEXT = bytes(range(200))
P = Characteristic.Properties
A = Characteristic.Permissions


class World:
    """`phone` and `accessory` (bumble Devices), powered on; keyword arguments beyond these are AirSettings."""

    def __init__(
        self,
        *,
        seed: int = 1,
        acl_octets: int | None = None,
        names: tuple[str, ...] = ("phone", "accessory"),
        **air: Any,
    ) -> None:
        self.loop = VirtualLoop()
        connected.LOOPS.append(self.loop)
        self.streams = Streams(seed)
        self.air = Air(self.loop, self.streams, settings(air))
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(seeded(self.streams))
        self.stack.enter_context(quiet())
        self.hci: list[tuple[int, str, bool, bytes]] = []
        self.devices: dict[str, Device] = {}
        self.controllers: dict[str, AirController] = {}
        self.written: list[bytes] = []
        for number, name in enumerate(names):
            address = {"phone": PHONE, "accessory": ACCESSORY}.get(
                name, f"C0:00:00:00:00:{number:02X}"
            )
            self.add(name, address, (2.0 * number, 0.0, 0.0), acl_octets)
        self.do(self._power_on())

    def add(self, name: str, address: str, position: Any, acl_octets: int | None) -> None:
        controller = AirController(name, self.air, self.loop, self.streams, position=position)
        if acl_octets is not None:
            controller.le_acl_data_packet_length = acl_octets
        controller.observe_hci(
            lambda to_host, packet: self.hci.append((self.loop.now_us, name, to_host, packet))
        )
        self.controllers[name] = controller
        device = Device.with_hci(name, hci.Address(address), controller, controller)
        self.devices[name] = device
        if name == "accessory":
            self.values = {
                "long": Characteristic(LONG, P.READ, A.READABLE, TEXT),
                "note": Characteristic(NOTE, P.NOTIFY | P.READ, A.READABLE, b""),
                "shout": Characteristic(SHOUT, P.INDICATE, A.READABLE, b""),
                "echo": Characteristic(
                    ECHO,
                    P.WRITE | P.READ | P.WRITE_WITHOUT_RESPONSE,
                    A.READABLE | A.WRITEABLE,
                    CharacteristicValue(
                        read=lambda _: b"".join(self.written)[-20:], write=self._write
                    ),
                ),
            }
            device.add_service(Service(SERVICE, list(self.values.values())))

    def _write(self, _: Any, value: bytes) -> None:
        self.written.append(value)

    async def _power_on(self) -> None:
        for device in self.devices.values():
            await device.power_on()

    @property
    def phone(self) -> Device:
        return self.devices["phone"]

    @property
    def accessory(self) -> Device:
        return self.devices["accessory"]

    def do(self, task: Coroutine[Any, Any, Any], *, limit_s: float = 120.0) -> Any:
        """Run a coroutine to its end, at most `limit_s` of simulated time."""
        return self.loop.run_until_complete(asyncio.wait_for(task, limit_s))

    def run_s(self, seconds: float) -> None:
        self.loop.run_until_us(self.loop.now_us + round(seconds * 1e6))

    def connect(self) -> tuple[Connection, Connection]:
        """The phone's connection and the accessory's."""

        async def task() -> tuple[Connection, Connection]:
            await self.accessory.start_advertising(auto_restart=False)
            mine = await self.phone.connect(hci.Address(ACCESSORY))
            while not self.accessory.connections:  # noqa: ASYNC110 # bumble has no event for it
                await asyncio.sleep(0.01)
            return mine, next(iter(self.accessory.connections.values()))

        return self.do(task())

    def peer(self, connection: Connection) -> Peer:
        """Services and characteristics discovered."""

        async def task() -> Peer:
            peer = Peer(connection)
            await peer.discover_services()
            await peer.discover_characteristics()
            for service in peer.services:
                for one in service.characteristics:
                    await one.discover_descriptors()
            return peer

        return self.do(task())

    def power_off(self, name: str) -> None:
        """Gone without a word."""
        controller = self.controllers[name]
        controller.host = None
        controller.on_packet(b"\x01\x03\x0c\x00")
        self.air.detach(controller.radio)

    def close(self) -> None:
        self.stack.close()


class Human(PairingDelegate):
    """Knows the other device's screen: types what it shows, says yes when the numbers are equal."""

    def __init__(
        self,
        io: PairingDelegate.IoCapability,
        screen: dict[str, int],
        *,
        passkey: int | None = None,
    ) -> None:
        super().__init__(io)
        self.screen = screen
        self.passkey = passkey
        self.compared: list[int] = []

    async def generate_passkey(self) -> int:
        return await super().generate_passkey() if self.passkey is None else self.passkey

    async def display_number(self, number: int, digits: int) -> None:
        self.screen["shown"] = number

    async def get_number(self) -> int | None:
        while "shown" not in self.screen:
            if self.screen.get("agreed") is not None:
                return self.screen["agreed"]
            await asyncio.sleep(0.5)
        return self.screen["shown"] + self.screen.get("slip", 0)

    async def compare_numbers(self, number: int, digits: int) -> bool:
        self.compared.append(number)
        await asyncio.sleep(1.5)
        return not self.screen.get("refuse")


def configure(device: Device, config: PairingConfig) -> None:
    device.pairing_config_factory = lambda _: config
