"""Two bare controllers with a connection between them, driven by HCI octets; no host stack."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from bumble import hci

from sim.air import Air, AirSettings
from sim.ble.connection import LinkConnection
from sim.ble.connection_commands import ConnectionCommands
from sim.ble.hci_port import HciPort
from sim.ble.pdus import ConnectionRole, ConnectParams
from sim.ble.radio import BleRadio
from sim.clock import VirtualLoop
from sim.rng import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

ACCESS_ADDRESS = 0x50C0FFEE
ADDRESS = hci.Address("C0:FF:EE:C0:FF:EE")
LOOPS: list[VirtualLoop] = []
"""To be closed by conftest.py."""
OPCODES = {
    "disconnect": 0x0406,
    "read_remote_version": 0x041D,
    "host_flow": 0x0C31,
    "host_buffers": 0x0C33,
    "host_completed": 0x0C35,
    "event_mask": 0x0C01,
    "event_mask_2": 0x0C63,
    "read_auth_timeout": 0x0C7B,
    "write_auth_timeout": 0x0C7C,
    "read_rssi": 0x1405,
    "le_event_mask": 0x2001,
    "update": 0x2013,
    "classify_channels": 0x2014,
    "read_channel_map": 0x2015,
    "read_features": 0x2016,
    "enable_encryption": 0x2019,
    "ltk": 0x201A,
    "no_ltk": 0x201B,
    "accept_parameters": 0x2020,
    "refuse_parameters": 0x2021,
    "set_length": 0x2022,
    "suggest_length": 0x2024,
    "read_phy": 0x2030,
    "default_phy": 0x2031,
    "set_phy": 0x2032,
}


def settings(changes: dict[str, Any]) -> AirSettings:
    """AirSettings with `changes`; no shadowing unless they say so."""
    return AirSettings(**({"shadowing_sigma_db": 0.0} | changes))  # pyright: ignore[reportArgumentType] # of several types


class Host:
    """What the host of a bare controller has got, with times in us; `answer` may react to it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.got: list[tuple[int, bytes]] = []
        self.answer: Callable[[bytes], None] | None = None

    def on_packet(self, packet: bytes) -> None:
        self.got.append((self._loop.now_us, packet))
        if self.answer is not None:
            self.answer(packet)


class Bare(HciPort, ConnectionCommands):
    """A controller without advertising and scanning."""

    lmp_version = 9
    lmp_subversion = 0x1234
    manufacturer_company_identifier = 0xFFFF
    le_features = 0x0000_0000_0000_01FF

    def __init__(
        self, name: str, air: Air, loop: VirtualLoop, streams: Streams, **radio: Any
    ) -> None:
        self.name = name
        self.air = air
        self.loop = loop
        self.streams = streams
        self.links: dict[int, Any] = {}
        radio = {"position": (0.0, 0.0, 0.0), "tx_power_dbm": 0, "sensitivity_dbm": -95} | radio
        position = radio.pop("position")
        self.radio = BleRadio(name, air, position, **radio)
        self.host = Host(loop)
        self.got = self.host.got
        self.start_port()
        self.reset_connections()
        self.event_mask = self.le_event_mask = self.event_mask_page_2 = 2**64 - 1

    def allocate_connection_handle(self) -> int:
        return next(n for n in range(1, 99) if n not in self.links)

    def only_links_active(self) -> bool:
        return True

    def link_closed(self, link: Any, reason: int) -> None:
        self.links.pop(link.handle, None)
        self.forget_handle(link.handle)
        self.send_event(0x05, b"\0" + link.handle.to_bytes(2, "little") + bytes((reason,)))

    def command(self, name: str, layout: str = "", *values: Any) -> None:
        body = struct.pack("<" + layout, *values)
        self.on_packet(struct.pack("<BHB", 1, OPCODES[name], len(body)) + body)

    def send(self, data: bytes, *, handle: int = 1, pb: int = 0) -> None:
        self.on_packet(struct.pack("<BHH", 2, handle | pb << 12, len(data)) + data)

    # What the host has got

    def events(self, code: int, subevent: int | None = None) -> list[bytes]:
        """Parameters of the events `code` (after the subevent octet)."""
        found = [p for _, p in self.got if p[0] == 4 and p[1] == code]
        if subevent is None:
            return [p[3:] for p in found]
        return [p[4:] for p in found if p[3] == subevent]

    def when(self, code: int, subevent: int | None = None) -> int:
        """Time of the last such event, us."""
        return next(
            t
            for t, p in reversed(self.got)
            if p[0] == 4 and p[1] == code and (subevent is None or p[3] == subevent)
        )

    def acl(self) -> list[tuple[int, bytes]]:
        """Boundary flag and data of each ACL packet."""
        return [(p[2] >> 4 & 3, p[5:]) for _, p in self.got if p[0] == 2]

    def received(self) -> bytes:
        return b"".join(data for _, data in self.acl())

    def status(self, name: str) -> int:
        """Status of the last answer to command `name`."""
        opcode = OPCODES[name].to_bytes(2, "little")
        for _, p in reversed(self.got):
            if p[1] == 0x0E and p[4:6] == opcode:
                return p[6]
            if p[1] == 0x0F and p[5:7] == opcode:
                return p[3]
        raise AssertionError(f"{name} was not answered")


class Pair:
    """A central and a peripheral; `air` keyword arguments are AirSettings."""

    def __init__(
        self,
        *,
        seed: int = 1,
        interval: int = 24,
        latency: int = 0,
        timeout: int = 200,
        csa2: bool = True,
        connect: bool = True,
        distance_m: float = 2.0,
        central: dict[str, Any] | None = None,
        peripheral: dict[str, Any] | None = None,
        **air: Any,
    ) -> None:
        self.loop = VirtualLoop()
        LOOPS.append(self.loop)
        self.streams = Streams(seed)
        self.air = Air(self.loop, self.streams, settings(air))
        self.central = Bare("central", self.air, self.loop, self.streams)
        self.peripheral = Bare(
            "peripheral", self.air, self.loop, self.streams, position=(distance_m, 0.0, 0.0)
        )
        for bare, extra in ((self.central, central), (self.peripheral, peripheral)):
            for name, value in (extra or {}).items():
                setattr(bare, name, value)
        self.params = ConnectParams(
            ACCESS_ADDRESS,
            0x123456,
            1,
            0,
            interval,
            latency,
            timeout,
            b"\xff\xff\xff\xff\x1f",
            7,
            5,
            1,
            csa2,
        )
        if connect:
            self.connect()

    def connect(self) -> None:
        first_us = self.loop.now_us + 2_000
        for bare, role in (
            (self.peripheral, ConnectionRole.PERIPHERAL),
            (self.central, ConnectionRole.CENTRAL),
        ):
            self.open(bare, role, first_us)

    def open(self, bare: Bare, role: ConnectionRole, first_us: int) -> None:
        """One side of the connection."""
        link = LinkConnection.open(bare, role, ADDRESS, ADDRESS, self.params, first_us)
        bare.links[link.handle] = link

    @property
    def c(self) -> LinkConnection:
        return self.central.links[1]

    @property
    def p(self) -> LinkConnection:
        return self.peripheral.links[1]

    def run_ms(self, ms: float) -> None:
        self.loop.run_until_us(self.loop.now_us + round(ms * 1000))
