"""bumble's virtual controller with a true LE radio side on the simulated air.

Bluetooth Core specification 5.4, Vol 4 Part E (HCI) and Vol 6 Part B (link layer). Rules of the file:
* bumble keeps the HCI codecs and the handlers that need no radio; everything that LE puts on the air is ours, and
  bumble's LocalLink does not exist (a use of it is a SimulationError).
* Every opcode is answered: by its handler, else with 0x01 (unknown command), also when bumble cannot parse the
  bytes (0x12 when it knows the command). The supported-commands mask is computed from what has a handler.
* What is not simulated says so: isochronous channels, channel sounding, BR/EDR links, direct test mode.
* Handlers: `on_hci_..._command(command)` returns return parameters (or their bytes) for a Command Complete; a
  handler of a command with Command Status sends it with `send_status` and returns None.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bumble import controller as bumble_controller
from bumble import hci

from protocols.errors import SimulationError
from sim.ble.adv_commands import AdvertisingCommands
from sim.ble.advertiser import Advertiser
from sim.ble.commands import EXTENDED_COMMANDS, LEGACY_COMMANDS
from sim.ble.connection import LinkConnection
from sim.ble.connection_commands import ConnectionCommands
from sim.ble.device_commands import LE_FEATURES, LE_STATES, DeviceCommands
from sim.ble.hci_port import HciPort
from sim.ble.initiator import Initiator
from sim.ble.lists import Addresses, ListCommands
from sim.ble.pdus import Addr, ConnectionRole, ConnectParams, addr_from_hci, addr_to_hci
from sim.ble.periodic_commands import PeriodicCommands, Syncs
from sim.ble.radio import BleRadio
from sim.ble.scan_commands import ScanCommands
from sim.ble.scanner import Scanner

if TYPE_CHECKING:
    from sim.air import Air, Path, Position
    from sim.clock import VirtualLoop
    from sim.rng import Streams

__all__ = ["AirController"]

CONNECTION_COMPLETE, ENHANCED_CONNECTION_COMPLETE, CHANNEL_SELECTION = 0x01, 0x0A, 0x14
DISCONNECTION_COMPLETE = 0x05
DISALLOWED = b"\x0c"
UNIT_US = 1250
# transmitWindowDelay (Vol 6 Part B, 4.5.3)
LEGACY_DELAY_US, AUX_DELAY_US, CODED_DELAY_US = 1250, 2500, 3750
CODED = 3


_BumbleController: Any = (
    bumble_controller.Controller
)  # partly typed, and its handlers return objects, ours octets


class _NoLink:
    """Stands where bumble expects its LocalLink."""

    def add_controller(self, controller: Any) -> None:
        """Nothing to add to."""

    def on_address_changed(self, controller: Any) -> None:
        """Nobody to tell."""

    def __getattr__(self, name: str) -> Any:
        raise SimulationError(
            f"bumble's LocalLink.{name} was used: LE goes over the air, BR/EDR links are not simulated"
        )


class AirController(
    HciPort,
    DeviceCommands,
    AdvertisingCommands,
    ScanCommands,
    PeriodicCommands,
    ListCommands,
    ConnectionCommands,
    _BumbleController,  # type: ignore[misc]  # Any on purpose, see above
):
    """One LE controller called `name` on `air`.

    `public_address` as bumble takes it; `position` in metres or a Path; `clock_ppm` is how fast its clock really
    runs. `links` maps handle -> LinkConnection in order of creation.
    """

    le_features = LE_FEATURES
    le_states = LE_STATES
    hci_version = lmp_version = hci.HCI_VERSION_BLUETOOTH_CORE_5_4
    iso_data_packet_length = total_num_iso_data_packets = 0

    def __init__(
        self,
        name: str,
        air: Air,
        loop: VirtualLoop,
        streams: Streams,
        *,
        public_address: str | hci.Address | None = None,
        position: Position | Path = (0.0, 0.0, 0.0),
        tx_power_dbm: int = 0,
        sensitivity_dbm: int = -95,
        clock_ppm: int = 0,
    ) -> None:
        self.name = name
        self.loop = loop
        self.streams = streams
        self.air = air
        self.clock_ppm = clock_ppm
        self.links: dict[int, LinkConnection] = {}
        self.radio = BleRadio(
            name, air, position, tx_power_dbm=tx_power_dbm, sensitivity_dbm=sensitivity_dbm
        )
        self.addresses = Addresses(name, streams)
        self.advertiser = Advertiser(self)
        self.scanner = Scanner(self)
        self.initiator = Initiator(self)
        self.syncs = Syncs(self)
        self.scanner.aux.on_sync_info = self.syncs.on_sync_info
        self.radio.advertising = [
            self.advertiser.on_air,
            self.initiator.on_air,
            self.scanner.on_air,
        ]
        self._mode = ""
        with _running(loop):
            _BumbleController.__init__(self, name, link=_NoLink(), public_address=public_address)
        self.reset_connections()
        self.reset_host_settings()
        self.addresses.public = addr_from_hci(self.public_address)
        self.start_port()

    def reset_all(self) -> None:
        """Be as after power-on: nothing on the air, no links, lists, addresses or data, default masks."""
        self.advertiser.reset()
        self.scanner.reset()
        self.initiator.stop()
        self.syncs.reset()
        self.reset_connections()
        self.addresses.reset()
        self.random_address = hci.Address.ANY_RANDOM
        self._mode = ""
        self.reset_host_settings()
        self.reset_port()

    # State that commands depend on

    def refused(self, opcode: int, command: hci.HCI_Command) -> bytes | None:
        """Legacy and extended commands do not mix between two resets (Vol 4 Part E, 3.1.1)."""
        mode = (
            "legacy"
            if opcode in LEGACY_COMMANDS
            else "extended"
            if opcode in EXTENDED_COMMANDS
            else ""
        )
        if mode and self._mode and mode != self._mode:
            return DISALLOWED
        self._mode = mode or self._mode
        return None

    def accept_list_in_use(self) -> bool:
        """Whether advertising, scanning or initiating relies on the accept list now."""
        params = self.initiator.params
        return (
            any(
                one.enabled and one.params is not None and one.params.filter_policy
                for one in self.advertiser.all_sets()
            )
            or (self.scanner.enabled and bool(self.scanner.params.filter_policy & 1))
            or (params is not None and params.peer is None)
        )

    def privacy_in_use(self) -> bool:
        """Whether advertising, scanning or initiating is on now."""
        return self.advertiser.enabled or self.scanner.enabled or self.initiator.enabled

    def only_links_active(self) -> bool:
        """Whether the radio has nothing to do besides its connections."""
        running = any(
            one.periodic is not None and one.periodic.enabled
            for one in self.advertiser.sets.values()
        )
        return not self.privacy_in_use() and not running and not self.syncs.active

    # Connections

    def allocate_connection_handle(self) -> int:
        """The lowest free handle (1 ..)."""
        handle = 1
        while handle in self.links:
            handle += 1
        return handle

    def find_le_connection_by_handle(self, handle: int) -> Any:
        """The LinkConnection of `handle`, None without one."""
        return self.links.get(handle)

    def link_up(
        self,
        role: ConnectionRole,
        own: Addr,
        peer: Addr,
        params: ConnectParams,
        heard_us: int,
        *,
        aux: bool,
    ) -> LinkConnection:
        """Begin the connection whose request ended at `heard_us`, and report it to the host."""
        delay_us = (
            (CODED_DELAY_US if params.phy == CODED else AUX_DELAY_US) if aux else LEGACY_DELAY_US
        )
        anchor_us = heard_us + delay_us + params.win_offset * UNIT_US
        link = LinkConnection.open(
            self, role, addr_to_hci(own), addr_to_hci(peer), params, anchor_us
        )
        self.links[link.handle] = link
        self._report_connection(0, link.handle, role, own, peer, params)
        return link

    def report_connection_failure(
        self, status: int, role: ConnectionRole, peer: Addr | None = None
    ) -> None:
        """Connection Complete with an error `status`."""
        self._report_connection(status, 0, role, bytes(7), peer or bytes(7), None)

    def _report_connection(
        self,
        status: int,
        handle: int,
        role: ConnectionRole,
        own: Addr,
        peer: Addr,
        params: ConnectParams | None,
    ) -> None:
        identity = self.addresses.identity(peer)
        head = bytes((status,)) + handle.to_bytes(2, "little") + bytes((role,)) + identity
        tail = bytes(7)
        if params is not None:
            times = (params.interval, params.latency, params.timeout)
            sca = params.sca if role == ConnectionRole.PERIPHERAL else 0
            tail = b"".join(value.to_bytes(2, "little") for value in times) + bytes((sca,))
        if self.le_event_enabled(ENHANCED_CONNECTION_COMPLETE):
            local_rpa = own[1:] if self.addresses.made(own) else bytes(6)
            peer_rpa = peer[1:] if identity is not peer else bytes(6)
            self.send_le_event(ENHANCED_CONNECTION_COMPLETE, head + local_rpa + peer_rpa + tail)
        else:
            self.send_le_event(CONNECTION_COMPLETE, head + tail)

    def report_channel_selection(self, handle: int, *, csa2: bool) -> None:
        """LE Channel Selection Algorithm: 0 = #1, 1 = #2."""
        self.send_le_event(CHANNEL_SELECTION, handle.to_bytes(2, "little") + bytes((csa2,)))

    def link_closed(self, link: LinkConnection, reason: int) -> None:
        """Forget `link` and tell the host (Disconnection Complete with `reason`)."""
        if self.links.pop(link.handle, None) is not None:
            self.forget_handle(link.handle)
            self.send_event(
                DISCONNECTION_COMPLETE, b"\0" + link.handle.to_bytes(2, "little") + bytes((reason,))
            )


class _running:  # noqa: N801 # reads as what it does
    """Make `loop` the running loop inside the block: bumble asks for it when it is constructed."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._before: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> None:
        self._before = asyncio._get_running_loop()  # the documented hook for loop implementations
        asyncio._set_running_loop(self._loop)  # likewise

    def __exit__(self, *exc: object) -> None:
        asyncio._set_running_loop(self._before)  # likewise
