"""A world on the bench: it runs in real time, and some of its controllers or hosts are real.

Rules of the file: whoever is real is a node of the world like any other, with a place, a trace and a capture; chance
that must stay secret comes from the system unless the user gives a seed. The world's own loop serves the sockets and
ports, so that everything happens in one thread.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from hw_bridge.attach import needs_bluetooth
from hw_bridge.chance import SystemStreams
from hw_bridge.errors import BadMonikerError
from hw_bridge.keys_hidden import KeyHider
from hw_bridge.states import State
from protocols.errors import ScenarioError, UnknownNameError, UsageError
from sim.device import Device, Settings, check_address
from sim.phones import Phone
from sim.scenario import NodeSpec
from sim.world import World

if TYPE_CHECKING:
    from hw_bridge.hardware_stack import HardwareStack
    from hw_bridge.session import Session
    from hw_bridge.states import Transition
    from hw_bridge.system_bluetooth import SystemCentral
    from sim.ble.controller import AirController
    from sim.rng import Streams
    from sim.scenario import Scenario

__all__ = [
    "BenchWorld",
    "Foreign",
    "ForeignSettings",
    "HciTrace",
    "without_steps_of",
]

_READY_S: Final = 15.0
_SEARCHING: Final = frozenset((State.ABSENT, State.OPENING, State.BACKOFF, State.PROBING))
"""States that come again and again while a dongle is looked for."""
_ADDRESS_AT: Final = {b"\x05\x20": 4, b"\x35\x20": 5}
"""Opcode of the commands that set a random address -> where it stands in the packet (7.8.4, 7.8.52)."""


class ForeignSettings(Settings, frozen=True, kw_only=True):
    """What a controller for a foreign host has."""

    address: str = ""
    """its public address; drawn from the seed when empty."""
    tx_power_dbm: int = 0
    """transmit power, dBm."""


class Foreign(Device):
    """A node whose host is a program of somebody else's."""

    Settings: ClassVar[type[Settings]] = ForeignSettings
    layer = "ble"
    radios = ()


class BenchWorld(World):
    """A world at the speed of the clock on the wall; `seed` None = the scenario's, with secrets from the system."""

    streams: Streams

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        speed: float | None = 1.0,
        reveal: bool = False,
    ) -> None:
        super().__init__(scenario, seed=seed, speed=speed, reveal=reveal)
        self.sessions: dict[str, Session] = {}
        """Dongles by node."""
        self.systems: dict[str, SystemCentral] = {}
        """The system's Bluetooth by node."""
        self._stacks: dict[str, HardwareStack] = {}
        if seed is None:
            self.streams = SystemStreams(self.seed)

    async def _power_up(self, device: Device, at_us: int) -> None:
        """As in any world; a moniker that is wrong is no setting of the device."""
        try:
            await super()._power_up(device, at_us)
        except ScenarioError as exc:
            if isinstance(exc.__cause__, BadMonikerError):
                raise exc.__cause__ from None
            raise

    async def _give_radios(self, device: Device) -> None:
        """As in any world; who has a dongle gets that in place of a BLE radio."""
        session = self.sessions.get(device.name)
        if session is None and device.name not in self.systems:
            await super()._give_radios(device)
            return
        from hw_bridge.no_aware import give_no_aware  # imports Wi-Fi Aware

        give_no_aware(device, self)
        if session is None:
            device.ble = self.systems[device.name]  # type: ignore[attr-defined]  # a phone, see use_system
            await self.systems[device.name].power_on()
        else:
            await self._give_dongle(device, session)

    async def _give_dongle(self, device: Device, session: Session) -> None:
        """The session's controller, once it is ready, as `device.ble`. Raises BridgeError, UsageError."""
        from hw_bridge.hardware_stack import give_real_radio  # imports bumble

        session.start()
        session.began_us = 0  # the times of its story are those of the trace
        if not session.life.port.present():
            self.emit(device.name, "ble", "waiting", note=f"for {session.life.name}: plug it in")
        await session.ready(_READY_S)
        self._stacks[device.name] = await give_real_radio(device, self, session)

    def use_dongle(self, node: str, session: Session) -> None:
        """`node` has this session's controller instead of one on the air. Raises UnknownNameError."""
        if node not in self.devices:
            raise UnknownNameError("node", node, self.devices)
        needs_bluetooth(node, self.devices[node].radios)
        self.sessions[node] = session
        session.tap(HciTrace(self, node))

    def use_system(self, node: str, **options: Any) -> None:
        """`node`, a phone, uses the operating system's Bluetooth. Raises UsageError (it is no phone)."""
        from hw_bridge.system_bluetooth import SystemCentral  # imports bleak

        device = self.devices[node]
        if not isinstance(device, Phone):
            raise UsageError(f"{node} is no phone; the system's Bluetooth is a central's")
        self.systems[node] = SystemCentral(device, self, **options)

    def is_stranger(self, name: str) -> bool:
        """Devices on real air, and hosts of others on the simulated one."""
        return name not in self.devices or isinstance(self.devices[name], Foreign)

    async def close_dongles(self) -> None:
        """Leave every dongle as after a Reset."""
        for system in self.systems.values():
            await system.close()
        for stack in self._stacks.values():
            stack.is_closing = True
        for session in self.sessions.values():
            await session.close()

    @property
    def steps_are_done(self) -> bool:
        """Whether every step of the scenario was taken."""
        return self._begun and self._scripts.done

    def add_foreign(self, name: str, at: tuple[float, ...] = (0.0, 0.0)) -> AirController:
        """One more controller on the air, called `name`, for a foreign host. Raises UsageError (the name is taken)."""
        if name in self.devices:
            raise UsageError(f"a node is called {name!r}; give the controller another name")
        self._specs[name] = NodeSpec(name=name, at=at)
        return self._make_foreign(name)

    def hand_over(self, name: str) -> AirController:
        """The controller of node `name`, whose own host does nothing any more. Raises UnknownNameError."""
        if name not in self.devices:
            raise UnknownNameError("node", name, self.devices)
        return self._make_foreign(name)

    def _make_foreign(self, name: str) -> AirController:
        from bumble import hci  # imported when a radio is built, not before

        from sim.ble.controller import AirController  # likewise

        given = getattr(self.devices.get(name), "settings", None)
        settings = ForeignSettings(tx_power_dbm=getattr(given, "tx_power_dbm", 0))
        self.devices[name] = Foreign(name, settings, self)
        address = self._public_address(name, getattr(given, "address", ""))
        controller = AirController(
            name,
            self.air,
            self.loop,
            self.streams,
            public_address=hci.Address(address, hci.AddressType.PUBLIC_DEVICE),
            position=self.position_of(name),
            tx_power_dbm=settings.tx_power_dbm,
        )
        self.claim(name, address, "public")
        controller.observe_hci(functools.partial(self._watch_addresses, name))
        return controller

    def _public_address(self, name: str, given: str) -> str:
        if given:
            address, kind = check_address(given)
            if kind == "public":
                return address
        octets = bytearray(self.streams.bytes(f"crypto/{name}/public", 6))
        octets[0] &= 0x3C
        return octets.hex(":")

    def _watch_addresses(
        self, name: str, to_host: bool, packet: bytes
    ) -> None:  # the controller's callback
        at = None if to_host else _ADDRESS_AT.get(bytes(packet[1:3]))
        if at is not None and len(packet) == at + 6:
            self.claim(name, packet[at:][::-1].hex(":"))


class HciTrace:
    """Tap of a session that writes what a host and its controller say to the trace of a world."""

    def __init__(self, world: World, node: str) -> None:
        self._world = world
        self._node = node
        self._hider = None if world.reveal else KeyHider()

    def on_packet(self, packet: bytes, *, sent: bool, t_us: int) -> None:
        """One packet."""
        shown = packet if self._hider is None else self._hider.hide(packet, sent=sent)
        self._world.hci(self._node, "tx" if sent else "rx", shown)

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Packets are enough."""

    def on_transition(self, transition: Transition) -> None:
        """What became of the controller."""
        self._world.emit(
            self._node,
            "ble",
            "controller",
            note=transition.reason,
            label=f"controller {transition.state.value}",
            often=transition.state in _SEARCHING,
            state=transition.state.value,
            generation=transition.generation,
        )


def without_steps_of(scenario: Scenario, node: str) -> Scenario:
    """The scenario without what `node` would do: its host is somebody else's."""
    steps = tuple(step for step in scenario.step if step.node != node)
    return msgspec.structs.replace(scenario, step=steps)
