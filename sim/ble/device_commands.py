"""HCI commands that concern the controller as a whole: reset, what it is, what it can do, its random numbers.

Bluetooth Core specification 5.4, Vol 4 Part E, 7.3.2, 7.3.11, 7.4, 7.8.2 to 7.8.4, 7.8.22, 7.8.23, 7.8.27. Rules of the
file: what is reported is what is there; chance comes from the stream "ble/<node>/rand".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from bumble import hci
from bumble.crypto.cryptography import e as encrypt_block

from sim.ble.commands import supported_commands_mask
from sim.ble.pdus import addr_from_hci

if TYPE_CHECKING:
    from sim.ble.advertiser import Advertiser
    from sim.ble.initiator import Initiator
    from sim.ble.lists import Addresses
    from sim.ble.scanner import Scanner
    from sim.rng import Streams

__all__ = ["LE_FEATURES", "DeviceCommands"]

SUCCESS, DISALLOWED, INVALID = b"\x00", b"\x0c", b"\x12"
NAME_OCTETS = 248
LE_FEATURES = (
    hci.LeFeatureMask.LE_ENCRYPTION
    | hci.LeFeatureMask.CONNECTION_PARAMETERS_REQUEST_PROCEDURE
    | hci.LeFeatureMask.EXTENDED_REJECT_INDICATION
    | hci.LeFeatureMask.PERIPHERAL_INITIATED_FEATURE_EXCHANGE
    | hci.LeFeatureMask.LE_PING
    | hci.LeFeatureMask.LE_DATA_PACKET_LENGTH_EXTENSION
    | hci.LeFeatureMask.LL_PRIVACY
    | hci.LeFeatureMask.EXTENDED_SCANNER_FILTER_POLICIES
    | hci.LeFeatureMask.LE_2M_PHY
    | hci.LeFeatureMask.LE_CODED_PHY
    | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    | hci.LeFeatureMask.CHANNEL_SELECTION_ALGORITHM_2
)
"""What the link layer does (Vol 6 Part B, 4.6); isochronous channels and the like are not simulated."""
LMP_FEATURES = (
    hci.LmpFeatureMask.LE_SUPPORTED_CONTROLLER
    | hci.LmpFeatureMask.BR_EDR_NOT_SUPPORTED
    | hci.LmpFeatureMask.EXTENDED_FEATURES
)
"""LE only (Vol 2 Part C, 3.2); page 1 belongs to the host."""
LE_STATES = bytes.fromhex("ffffffffff030000")  # every combination of Vol 6 Part B, 1.1.1


class DeviceCommands:
    """Mixin: needs the parts of the link layer and `reset_all`."""

    name: str
    streams: Streams
    addresses: Addresses
    advertiser: Advertiser
    scanner: Scanner
    initiator: Initiator
    handled: frozenset[int]
    le_acl_data_packet_length: int
    total_num_le_acl_data_packets: int

    lmp_features: int = LMP_FEATURES
    lmp_features_max_page_number = 1
    host_name: bytes

    def reset_all(self) -> None:
        """Be as after power-on."""
        raise NotImplementedError

    def on_hci_reset_command(self, command: Any) -> bytes:
        """7.3.2: everything but the public address."""
        self.reset_all()
        return SUCCESS

    def reset_host_settings(self) -> None:
        """What the host has written for BR/EDR and of itself, as after power-on."""
        self.lmp_features = LMP_FEATURES
        self.host_name = self.name.encode()[:NAME_OCTETS]

    def on_hci_write_local_name_command(self, command: Any) -> bytes:
        """7.3.11."""
        self.host_name = bytes(command.local_name)
        return SUCCESS

    def on_hci_read_local_name_command(self, command: Any) -> bytes:
        """7.3.12."""
        return SUCCESS + self.host_name.ljust(NAME_OCTETS, b"\0")

    def on_hci_read_local_extended_features_command(self, command: Any) -> bytes:
        """7.4.4: page 0, and page 1 with what the host supports."""
        page = command.page_number
        if page > self.lmp_features_max_page_number:
            return INVALID + bytes((page, self.lmp_features_max_page_number)) + bytes(8)
        octets = int(self.lmp_features).to_bytes(16, "little")[8 * page : 8 * page + 8]
        return SUCCESS + bytes((page, self.lmp_features_max_page_number)) + octets

    def on_hci_read_buffer_size_command(self, command: Any) -> bytes:
        """7.4.5: those of LE, as there are no others; no synchronous data."""
        count = self.total_num_le_acl_data_packets
        return SUCCESS + struct.pack("<HBHH", self.le_acl_data_packet_length, 0, count, 0)

    def on_hci_read_local_supported_commands_command(self, command: Any) -> bytes:
        """7.4.2: what has a handler."""
        return SUCCESS + supported_commands_mask(sorted(self.handled))

    def on_hci_le_set_random_address_command(self, command: Any) -> bytes:
        """7.8.4; not while the legacy set advertises, and not while scanning or initiating."""
        if self.advertiser.legacy.enabled or self.scanner.enabled or self.initiator.enabled:
            return DISALLOWED
        self.random_address = command.random_address
        self.addresses.random = addr_from_hci(command.random_address)
        return SUCCESS

    def on_hci_le_rand_command(self, command: Any) -> bytes:
        """7.8.23."""
        return SUCCESS + self.streams.stream(f"ble/{self.name}/rand").randbytes(8)

    def on_hci_le_encrypt_command(self, command: hci.HCI_Command) -> bytes:
        """7.8.22: one AES-128 block; key and data least significant octet first."""
        if len(command.parameters) != 32:  # key and block
            return INVALID
        return bytes((0, *encrypt_block(command.parameters[:16], command.parameters[16:])))
