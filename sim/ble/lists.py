"""Own addresses, filter accept list and resolving list of a controller.

Bluetooth Core specification 5.4, Vol 6 Part B, 1.3 (addresses), 4.3 (device filtering), 4.7 and 6 (privacy); Vol 4
Part E, 7.8.4, 7.8.14 to 7.8.17, 7.8.38 to 7.8.45, 7.8.77. Rules of the file:
* A resolved address has the identity type 2 or 3 in its type octet, as in HCI reports.
* The accept list holds identities; a packet is looked up by its identity when its address resolves.
* A resolvable private address lives for the timeout the host has set (900 s unless told otherwise); a new one is
  made when it is next needed after that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bumble import crypto

from sim.ble.pdus import Addr, addr_from_hci

if TYPE_CHECKING:
    from bumble import hci

    from sim.rng import Streams

__all__ = ["Addresses", "ListCommands", "ListEntry", "is_rpa"]

ACCEPT_LIST_SIZE = 8
RESOLVING_LIST_SIZE = 8
DEFAULT_RPA_TIMEOUT_S = 900
ANONYMOUS = b"\xff" + bytes(6)
SUCCESS, DISALLOWED, CAPACITY = b"\x00", b"\x0c", b"\x07"
INVALID_PARAMETERS, UNKNOWN_CONNECTION = b"\x12", b"\x02"
OWN_PUBLIC, OWN_RANDOM, OWN_RPA_OR_PUBLIC = 0, 1, 2


def is_rpa(address: Addr) -> bool:
    """Whether `address` is a resolvable private address."""
    return address[0] == 1 and address[6] >> 6 == 1


class ListEntry:
    """One device of the resolving list."""

    def __init__(self, peer_irk: bytes, local_irk: bytes) -> None:
        self.peer_irk = peer_irk
        self.local_irk = local_irk
        self.device_privacy = False
        self.local_rpa: Addr | None = None
        self.local_made_us = 0
        self.peer_rpa: Addr | None = None
        """The private address that the peer has used last."""
        self.target: Addr | None = None
        """The private address that we call the peer by."""
        self.target_made_us = 0


class Addresses:
    """Everything a controller knows of addresses: its own, those it accepts, those it can resolve."""

    def __init__(self, name: str, streams: Streams) -> None:
        self._prand = streams.stream(f"crypto/{name}/prand")
        self.public: Addr = bytes(7)
        self.reset()

    def reset(self) -> None:
        """As after HCI_Reset; the public address stays."""
        self.random: Addr | None = None
        self.accept: dict[Addr, None] = {}
        self.resolving: dict[Addr, ListEntry] = {}
        self.resolution = False
        self.rpa_timeout_us = DEFAULT_RPA_TIMEOUT_S * 1_000_000
        self._resolved: dict[Addr, Addr] = {}

    def changed(self) -> None:
        """The resolving list or its use has changed: forget what was resolved."""
        self._resolved.clear()

    # Peers

    def identity(self, address: Addr) -> Addr:
        """`address` with identity type (2, 3) when it resolves, else as it is."""
        if not self.resolution or not is_rpa(address):
            return address
        known = self._resolved.get(address)
        if known is None:
            if len(self._resolved) > 4096:
                self._resolved.clear()
            known = self._resolved[address] = self._resolve(address)
        return known

    def _resolve(self, address: Addr) -> Addr:
        for identity, entry in self.resolving.items():
            if any(entry.peer_irk) and crypto.ah(entry.peer_irk, address[4:7]) == address[1:4]:
                entry.peer_rpa = address
                return bytes((identity[0] | 2,)) + identity[1:]
        return address

    def welcome(self, address: Addr, identity: Addr) -> bool:
        """False when network privacy mode forbids a peer to use its identity address (Vol 6 Part B, 4.7)."""
        if not self.resolution or identity is not address:
            return True
        entry = self.resolving.get(address)
        return entry is None or entry.device_privacy or not any(entry.peer_irk)

    def accepted(self, identity: Addr) -> bool:
        """Whether the accept list holds `identity` (device or identity type octet)."""
        return (
            bytes((identity[0] & 1,)) + identity[1:] in self.accept
            if identity[0] < 4
            else ANONYMOUS in self.accept
        )

    def entry(self, peer: Addr) -> ListEntry | None:
        """Resolving list entry of the identity `peer`, while resolution is on."""
        return self.resolving.get(bytes((peer[0] & 1,)) + peer[1:]) if self.resolution else None

    def aim(self, peer: Addr, now_us: int) -> Addr:
        """Address on the air that stands for `peer` as target: a private one when its IRK is known."""
        entry = self.entry(peer)
        if entry is None or not any(entry.peer_irk):
            return bytes((peer[0] & 1,)) + peer[1:]
        if entry.target is None or now_us - entry.target_made_us >= self.rpa_timeout_us:
            entry.target = self._generate(entry.peer_irk)
            entry.target_made_us = now_us
        return entry.target

    # Own

    def own(
        self, own_type: int, now_us: int, *, random: Addr | None, peer: Addr | None = None
    ) -> Addr | None:
        """Own address on the air for HCI own address type 0..3; None when the host has set none."""
        if own_type == OWN_PUBLIC:
            return self.public
        if own_type != OWN_RANDOM:
            entry = self.entry(peer) if peer is not None else None
            if entry is not None and any(entry.local_irk):
                return self._local_rpa(entry, now_us)
            if own_type == OWN_RPA_OR_PUBLIC:
                return self.public
        return random

    def _local_rpa(self, entry: ListEntry, now_us: int) -> Addr:
        if entry.local_rpa is None or now_us - entry.local_made_us >= self.rpa_timeout_us:
            entry.local_rpa = self._generate(entry.local_irk)
            entry.local_made_us = now_us
        return entry.local_rpa

    def _generate(self, irk: bytes) -> Addr:
        prand = bytearray(self._prand.randbytes(3))
        prand[2] = prand[2] & 0x3F | 0x40
        return bytes((1, *crypto.ah(irk, bytes(prand)), *prand))

    def made(self, own: Addr) -> bool:
        """Whether `own` is a private address that we generated, not one the host has set."""
        return any(entry.local_rpa == own for entry in self.resolving.values())

    def is_own(self, address: Addr, own: Addr | None) -> bool:
        """Whether a packet to `address` is for us, whose current address is `own`."""
        if address == own:
            return True
        if not self.resolution or not is_rpa(address):
            return False
        return any(
            any(entry.local_irk) and crypto.ah(entry.local_irk, address[4:7]) == address[1:4]
            for entry in self.resolving.values()
        )


class ListCommands:
    """Mixin: the HCI commands of the lists; `lists_in_use` and `privacy_in_use` come from the controller."""

    addresses: Addresses

    def accept_list_in_use(self) -> bool:
        """Whether advertising, scanning or initiating relies on the accept list now."""
        raise NotImplementedError

    def privacy_in_use(self) -> bool:
        """Whether advertising, scanning or initiating is on now."""
        raise NotImplementedError

    def on_hci_le_read_filter_accept_list_size_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.14."""
        return bytes((0, ACCEPT_LIST_SIZE))

    def on_hci_le_clear_filter_accept_list_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.15."""
        if self.accept_list_in_use():
            return DISALLOWED
        self.addresses.accept.clear()
        return SUCCESS

    def on_hci_le_add_device_to_filter_accept_list_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.16; a device already in the list is no error."""
        if self.accept_list_in_use():
            return DISALLOWED
        entry = _listed(command)
        if entry not in self.addresses.accept and len(self.addresses.accept) >= ACCEPT_LIST_SIZE:
            return CAPACITY
        self.addresses.accept[entry] = None
        return SUCCESS

    def on_hci_le_remove_device_from_filter_accept_list_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.17."""
        if self.accept_list_in_use():
            return DISALLOWED
        self.addresses.accept.pop(_listed(command), None)
        return SUCCESS

    def on_hci_le_read_resolving_list_size_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.41."""
        return bytes((0, RESOLVING_LIST_SIZE))

    def _resolving_locked(self) -> bool:
        return self.addresses.resolution and self.privacy_in_use()

    def on_hci_le_add_device_to_resolving_list_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.38."""
        if self._resolving_locked():
            return DISALLOWED
        resolving = self.addresses.resolving
        identity = addr_from_hci(command.peer_identity_address)
        if identity in resolving:
            return INVALID_PARAMETERS
        if len(resolving) >= RESOLVING_LIST_SIZE:
            return CAPACITY
        resolving[identity] = ListEntry(bytes(command.peer_irk), bytes(command.local_irk))
        self.addresses.changed()
        return SUCCESS

    def on_hci_le_remove_device_from_resolving_list_command(
        self, command: hci.HCI_Command
    ) -> bytes:
        """Vol 4 Part E, 7.8.39."""
        if self._resolving_locked():
            return DISALLOWED
        if len(command.parameters) != 7:
            return INVALID_PARAMETERS
        if self.addresses.resolving.pop(_identity(command.parameters), None) is None:
            return UNKNOWN_CONNECTION
        self.addresses.changed()
        return SUCCESS

    def on_hci_le_clear_resolving_list_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.40."""
        if self._resolving_locked():
            return DISALLOWED
        self.addresses.resolving.clear()
        self.addresses.changed()
        return SUCCESS

    def on_hci_le_read_peer_resolvable_address_command(self, command: hci.HCI_Command) -> bytes:
        """Vol 4 Part E, 7.8.42: the last address seen of the peer."""
        entry = self.addresses.resolving.get(_identity(command.parameters))
        if entry is None or entry.peer_rpa is None:
            return UNKNOWN_CONNECTION + bytes(6)
        return SUCCESS + entry.peer_rpa[1:]

    def on_hci_le_read_local_resolvable_address_command(self, command: hci.HCI_Command) -> bytes:
        """Vol 4 Part E, 7.8.43."""
        entry = self.addresses.resolving.get(_identity(command.parameters))
        if entry is None or entry.local_rpa is None:
            return UNKNOWN_CONNECTION + bytes(6)
        return SUCCESS + entry.local_rpa[1:]

    def on_hci_le_set_address_resolution_enable_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.44."""
        if command.address_resolution_enable > 1:
            return INVALID_PARAMETERS
        if self.privacy_in_use():
            return DISALLOWED
        self.addresses.resolution = bool(command.address_resolution_enable)
        self.addresses.changed()
        return SUCCESS

    def on_hci_le_set_resolvable_private_address_timeout_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.45: 1 .. 3600 s."""
        if not 1 <= command.rpa_timeout <= 3600:
            return INVALID_PARAMETERS
        self.addresses.rpa_timeout_us = command.rpa_timeout * 1_000_000
        return SUCCESS

    def on_hci_le_set_privacy_mode_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.8.77."""
        if self._resolving_locked():
            return DISALLOWED
        entry = self.addresses.resolving.get(addr_from_hci(command.peer_identity_address))
        if entry is None:
            return UNKNOWN_CONNECTION
        entry.device_privacy = bool(command.privacy_mode)
        return SUCCESS


def _identity(parameters: bytes) -> Addr:
    return bytes((parameters[0] & 1,)) + parameters[1:7]


def _listed(command: Any) -> Addr:
    return ANONYMOUS if command.address_type == 0xFF else addr_from_hci(command.address)
