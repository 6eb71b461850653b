"""HCI commands of LE connections.

Bluetooth Core specification 5.4, Vol 4 Part E: 7.1.6, 7.1.23, 7.3.35, 7.3.93, 7.3.94, 7.5.4, 7.8.18 to 7.8.21,
7.8.24 to 7.8.26, 7.8.31 to 7.8.36, 7.8.46 to 7.8.49. Rules of the file:
* Parameters are read from the octets of the command, since bumble has no class for some of them.
* A handler checks and hands on to the link; results that take time come as events from there.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from sim.ble.encryption import EncryptionState
from sim.ble.ll_opcodes import ErrorCode, Opcode
from sim.ble.updates import valid_parameters

if TYPE_CHECKING:
    from bumble import hci

    from sim.ble.connection import LinkConnection
    from sim.ble.radio import BleRadio

__all__ = ["ConnectionCommands"]

ALL_CHANNELS = b"\xff\xff\xff\xff\x1f"
MAX_OCTETS, MAX_TIME_CODED_US = 251, 17_040
MIN_OCTETS, MIN_TIME_US = 27, 328
PHYS = 0x07
NO_TX_PREFERENCE, NO_RX_PREFERENCE = 1, 2
DISCONNECT_REASONS = frozenset((0x05, 0x13, 0x14, 0x15, 0x1A, 0x29, 0x3B))
OK = bytes((ErrorCode.SUCCESS,))
MAX_POWER_DBM = 10


def _status(code: int) -> bytes:
    return bytes((code,))


class ConnectionCommands:
    """Mixin of the controller: the commands, and the settings of its connections.

    The controller calls `reset_connections` once when it is made and for HCI_Reset.
    """

    links: dict[int, LinkConnection]
    radio: BleRadio
    send_status: Any
    only_links_active: Any

    le_acl_data_packet_length: int = 251
    total_num_le_acl_data_packets: int = 32
    supported_max_tx_octets: int = MAX_OCTETS
    supported_max_tx_time: int = MAX_TIME_CODED_US
    supported_max_rx_octets: int = MAX_OCTETS
    supported_max_rx_time: int = MAX_TIME_CODED_US
    clock_ppm: int = 0
    """How much faster than true time this controller's clock runs (its intervals come out longer when positive)."""
    sca_ppm: int = 50
    """How inaccurate it expects its own clock to be, for window widening."""

    def reset_connections(self) -> None:
        """End all connections without a word, and forget what the host has set for them."""
        for link in list(self.links.values()):
            link.drop()
        self.links.clear()
        self.host_channel_map = ALL_CHANNELS
        self.suggested_max_tx_octets = MIN_OCTETS
        self.suggested_max_tx_time = MIN_TIME_US
        self.default_phy = {"all_phys": 0, "tx_phys": 0, "rx_phys": 0}

    def _link(self, handle: int) -> LinkConnection | None:
        return self.links.get(handle & 0x0FFF)

    def _started(self, command: hci.HCI_Command, status: int = ErrorCode.SUCCESS) -> None:
        self.send_status(status, command.op_code)

    # Any connection

    def on_hci_disconnect_command(self, command: hci.HCI_Command) -> None:
        """7.1.6."""
        handle, reason = struct.unpack("<HB", command.parameters)
        link = self._link(handle)
        if link is None:
            self._started(command, ErrorCode.UNKNOWN_CONNECTION)
        elif reason not in DISCONNECT_REASONS:
            self._started(command, ErrorCode.INVALID_PARAMETERS)
        elif link.control.terminating:
            self._started(command, ErrorCode.COMMAND_DISALLOWED)
        else:
            self._started(command)
            link.terminate(reason)

    def on_hci_read_remote_version_information_command(self, command: hci.HCI_Command) -> None:
        """7.1.23."""
        link = self._link(struct.unpack("<H", command.parameters)[0])
        if link is None:
            self._started(command, ErrorCode.UNKNOWN_CONNECTION)
            return
        self._started(command)
        link.control.read_version()

    def on_hci_read_transmit_power_level_command(self, command: hci.HCI_Command) -> bytes:
        """7.3.35: the current (0) or highest (1) power, dBm."""
        handle, which = struct.unpack("<HB", command.parameters)
        known = self._link(handle) is not None
        status = ErrorCode.SUCCESS if known else ErrorCode.UNKNOWN_CONNECTION
        power_dbm = MAX_POWER_DBM if which else self.radio.tx_power_dbm
        return struct.pack("<BHb", status, handle, power_dbm)

    def on_hci_read_rssi_command(self, command: hci.HCI_Command) -> bytes:
        """7.5.4: of the last packet, 127 = none yet."""
        (handle,) = struct.unpack("<H", command.parameters)
        link = self._link(handle)
        if link is None:
            return struct.pack("<BHb", ErrorCode.UNKNOWN_CONNECTION, handle, 127)
        return struct.pack("<BHb", ErrorCode.SUCCESS, handle, link.rssi_dbm)

    def on_hci_read_authenticated_payload_timeout_command(self, command: hci.HCI_Command) -> bytes:
        """7.3.93."""
        (handle,) = struct.unpack("<H", command.parameters)
        link = self._link(handle)
        if link is None:
            return struct.pack("<BHH", ErrorCode.UNKNOWN_CONNECTION, handle, 0)
        return struct.pack("<BHH", ErrorCode.SUCCESS, handle, link.auth_payload.timeout)

    def on_hci_write_authenticated_payload_timeout_command(self, command: hci.HCI_Command) -> bytes:
        """7.3.94: not shorter than what the interval and latency allow."""
        handle, timeout = struct.unpack("<HH", command.parameters)
        link = self._link(handle)
        if link is None:
            return struct.pack("<BH", ErrorCode.UNKNOWN_CONNECTION, handle)
        if timeout * 10_000 < link.events.interval_us * (1 + link.events.latency):
            return struct.pack("<BH", ErrorCode.INVALID_PARAMETERS, handle)
        link.auth_payload.timeout = timeout
        link.auth_payload.restart()
        return struct.pack("<BH", ErrorCode.SUCCESS, handle)

    # Parameters and channels

    def on_hci_le_connection_update_command(self, command: hci.HCI_Command) -> None:
        """7.8.18."""
        handle, low, high, latency, timeout = struct.unpack("<5H", command.parameters[:10])
        link = self._link(handle)
        if link is None:
            self._started(command, ErrorCode.UNKNOWN_CONNECTION)
        elif not valid_parameters(low, high, latency, timeout):
            self._started(command, ErrorCode.INVALID_PARAMETERS)
        else:
            self._started(command)
            link.control.updates.update(low, high, latency, timeout)

    def on_hci_le_remote_connection_parameter_request_reply_command(
        self, command: hci.HCI_Command
    ) -> bytes:
        """7.8.31."""
        handle, low, high, latency, timeout = struct.unpack("<5H", command.parameters[:10])
        link = self._link(handle)
        status = ErrorCode.SUCCESS
        if link is None:
            status = ErrorCode.UNKNOWN_CONNECTION
        elif not valid_parameters(low, high, latency, timeout):
            status = ErrorCode.INVALID_PARAMETERS
        elif not link.control.updates.accept((low, high, latency, timeout)):
            status = ErrorCode.COMMAND_DISALLOWED
        return struct.pack("<BH", status, handle)

    def on_hci_le_remote_connection_parameter_request_negative_reply_command(
        self, command: hci.HCI_Command
    ) -> bytes:
        """7.8.32."""
        handle, reason = struct.unpack("<HB", command.parameters)
        link = self._link(handle)
        status = ErrorCode.SUCCESS
        if link is None:
            status = ErrorCode.UNKNOWN_CONNECTION
        elif not link.control.updates.refuse(reason):
            status = ErrorCode.COMMAND_DISALLOWED
        return struct.pack("<BH", status, handle)

    def on_hci_le_set_host_channel_classification_command(self, command: hci.HCI_Command) -> bytes:
        """7.8.19: channels that connections to come and those as central may use; two at least."""
        channel_map = command.parameters
        value = int.from_bytes(channel_map, "little")
        if len(channel_map) != 5 or value >> 37 or value.bit_count() < 2:
            return _status(ErrorCode.INVALID_PARAMETERS)
        self.host_channel_map = channel_map
        for link in self.links.values():
            if link.is_central:
                link.control.updates.set_channels(channel_map)
        return OK

    def on_hci_le_read_channel_map_command(self, command: hci.HCI_Command) -> bytes:
        """7.8.20: the map in force."""
        (handle,) = struct.unpack("<H", command.parameters)
        link = self._link(handle)
        if link is None:
            return struct.pack("<BH5s", ErrorCode.UNKNOWN_CONNECTION, handle, bytes(5))
        return struct.pack("<BH5s", ErrorCode.SUCCESS, handle, link.channel_map)

    def on_hci_le_read_remote_features_command(self, command: hci.HCI_Command) -> None:
        """7.8.21."""
        link = self._link(struct.unpack("<H", command.parameters)[0])
        if link is None:
            self._started(command, ErrorCode.UNKNOWN_CONNECTION)
            return
        self._started(command)
        link.control.read_features()

    # Encryption

    def on_hci_le_enable_encryption_command(self, command: hci.HCI_Command) -> None:
        """7.8.24: start, or refresh with another key."""
        handle, rand, ediv, ltk = struct.unpack("<H8sH16s", command.parameters)
        link = self._link(handle)
        if link is None:
            self._started(command, ErrorCode.UNKNOWN_CONNECTION)
        elif not link.is_central or link.control.current == Opcode.ENC_REQ:
            self._started(command, ErrorCode.COMMAND_DISALLOWED)
        else:
            self._started(command)
            encryption = link.encryption
            link.control.run(Opcode.ENC_REQ, lambda: encryption.start(rand, ediv, ltk))

    def on_hci_le_long_term_key_request_reply_command(self, command: hci.HCI_Command) -> bytes:
        """7.8.25."""
        handle, ltk = struct.unpack("<H16s", command.parameters)
        return self._key_reply(handle, ltk)

    def on_hci_le_long_term_key_request_negative_reply_command(
        self, command: hci.HCI_Command
    ) -> bytes:
        """7.8.26."""
        (handle,) = struct.unpack("<H", command.parameters)
        return self._key_reply(handle, None)

    def _key_reply(self, handle: int, ltk: bytes | None) -> bytes:
        link = self._link(handle)
        if link is None:
            return struct.pack("<BH", ErrorCode.UNKNOWN_CONNECTION, handle)
        if link.encryption.state is not EncryptionState.LTK:
            return struct.pack("<BH", ErrorCode.COMMAND_DISALLOWED, handle)
        if ltk is None:
            link.encryption.refuse_ltk()
        else:
            link.encryption.provide_ltk(ltk)
        return struct.pack("<BH", ErrorCode.SUCCESS, handle)

    # Data length

    def on_hci_le_set_data_length_command(self, command: hci.HCI_Command) -> bytes:
        """7.8.33."""
        handle, octets, time_us = struct.unpack("<3H", command.parameters)
        link = self._link(handle)
        status = ErrorCode.SUCCESS
        if link is None:
            status = ErrorCode.UNKNOWN_CONNECTION
        elif not self._valid_length(octets, time_us):
            status = ErrorCode.INVALID_PARAMETERS
        else:
            link.control.updates.set_length(octets, time_us)
        return struct.pack("<BH", status, handle)

    @staticmethod
    def _valid_length(octets: int, time_us: int) -> bool:
        return MIN_OCTETS <= octets <= MAX_OCTETS and MIN_TIME_US <= time_us <= MAX_TIME_CODED_US

    def on_hci_le_read_suggested_default_data_length_command(
        self, _command: hci.HCI_Command
    ) -> bytes:
        """7.8.34."""
        return OK + struct.pack("<HH", self.suggested_max_tx_octets, self.suggested_max_tx_time)

    def on_hci_le_write_suggested_default_data_length_command(
        self, command: hci.HCI_Command
    ) -> bytes:
        """7.8.35: for connections to come."""
        octets, time_us = struct.unpack("<HH", command.parameters)
        if not self._valid_length(octets, time_us):
            return _status(ErrorCode.INVALID_PARAMETERS)
        self.suggested_max_tx_octets = octets
        self.suggested_max_tx_time = time_us
        return OK

    def on_hci_le_read_maximum_data_length_command(self, _command: hci.HCI_Command) -> bytes:
        """7.8.46."""
        return OK + struct.pack(
            "<4H",
            self.supported_max_tx_octets,
            self.supported_max_tx_time,
            self.supported_max_rx_octets,
            self.supported_max_rx_time,
        )

    # PHY

    def on_hci_le_read_phy_command(self, command: hci.HCI_Command) -> bytes:
        """7.8.47."""
        (handle,) = struct.unpack("<H", command.parameters)
        link = self._link(handle)
        if link is None:
            return struct.pack("<BHBB", ErrorCode.UNKNOWN_CONNECTION, handle, 0, 0)
        return struct.pack("<BHBB", ErrorCode.SUCCESS, handle, link.tx_phy, link.rx_phy)

    @staticmethod
    def _phys(all_phys: int, tx_phys: int, rx_phys: int) -> tuple[int, int] | ErrorCode:
        """Masks with 0 = no preference; an error when the host named none (0x12) or an unknown one (0x11)."""
        wishes: list[int] = []
        for free, mask in ((NO_TX_PREFERENCE, tx_phys), (NO_RX_PREFERENCE, rx_phys)):
            if all_phys & free:
                wishes.append(0)
            elif not mask:
                return ErrorCode.INVALID_PARAMETERS
            elif mask & ~PHYS:
                return ErrorCode.UNSUPPORTED_PARAMETER
            else:
                wishes.append(mask)
        return wishes[0], wishes[1]

    def on_hci_le_set_default_phy_command(self, command: hci.HCI_Command) -> bytes:
        """7.8.48: for connections to come."""
        all_phys, tx_phys, rx_phys = struct.unpack("<3B", command.parameters)
        wish = self._phys(all_phys, tx_phys, rx_phys)
        if isinstance(wish, ErrorCode):
            return _status(wish)
        self.default_phy = {"all_phys": all_phys, "tx_phys": wish[0], "rx_phys": wish[1]}
        return OK

    def on_hci_le_set_phy_command(self, command: hci.HCI_Command) -> None:
        """7.8.49."""
        handle, all_phys, tx_phys, rx_phys, _ = struct.unpack("<H3BH", command.parameters)
        link = self._link(handle)
        wish = self._phys(all_phys, tx_phys, rx_phys)
        if link is None:
            self._started(command, ErrorCode.UNKNOWN_CONNECTION)
        elif isinstance(wish, ErrorCode):
            self._started(command, wish)
        else:
            self._started(command)
            link.control.updates.set_phy(*wish)
