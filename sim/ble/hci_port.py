"""The HCI side of a controller: packets from the host, replies, events, ACL flow to the host.

Bluetooth Core specification 5.4, Vol 4 Part E, 4 (flow control), 5.4 (packets), 7.3.1, 7.3.69, 7.8.1 (event masks).
Rules of the file:
* Bytes in, bytes out. Events leave in order, one plain event of the loop after they were made, so that no handler
  of the host runs inside a handler of the controller.
* Every command is answered. What bumble cannot parse is answered with 0x12, what has no handler with 0x01.
* No `str()` of a packet unless somebody asked for it: formatting is half of bumble's CPU time.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from bumble import hci

from sim.ble.commands import (
    NO_REPLY,
    NOT_SIMULATED,
    RETURN_OCTETS,
    is_async,
    parse_command,
    without_feature,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.clock import VirtualLoop

__all__ = ["HciPort"]

COMMAND, ACL, EVENT = 1, 2, 4
COMMAND_COMPLETE, COMMAND_STATUS, LE_META = 0x0E, 0x0F, 0x3E
NEVER_MASKED = frozenset(
    (COMMAND_COMPLETE, COMMAND_STATUS, 0x13)
)  # 0x13: Number Of Completed Packets
UNKNOWN_COMMAND, INVALID_PARAMETERS = 0x01, 0x12
DEFAULT_EVENT_MASK = 0x00001FFFFFFFFFFF
DEFAULT_LE_EVENT_MASK = 0x1F


class HciPort:
    """Mixin: `on_packet`, `send_event`, `send_le_event`, `send_status`, `send_acl`, observers."""

    loop: VirtualLoop
    links: dict[int, Any]
    event_mask: int
    event_mask_page_2: int
    le_event_mask: int
    host: Any
    handled: frozenset[int]
    le_features: int

    def start_port(self) -> None:
        """Set up the empty port; called once by the constructor."""
        self._outbox: deque[bytes] = deque()
        self._flushing = False
        self._hci_observers: list[Callable[[bool, bytes], None]] = []
        out = NOT_SIMULATED | without_feature(self.le_features)
        self._handlers = {
            opcode: getattr(self, f"on_{name.lower()}")
            for opcode, name in sorted(hci.HCI_Command.command_names.items())
            if opcode not in out and hasattr(self, f"on_{name.lower()}")
        }
        self.handled = frozenset(self._handlers)
        self.reset_port()

    def reset_port(self) -> None:
        """Default masks, no flow control to the host, nothing queued for it."""
        self.event_mask = DEFAULT_EVENT_MASK
        self.event_mask_page_2 = 0
        self.le_event_mask = DEFAULT_LE_EVENT_MASK
        self.host_acl_length = 0xFFFF
        self.host_acl_credits = 0
        self.host_flow_control = False
        self._held_acl: deque[bytes] = deque()
        self._host_owes: dict[int, int] = {}

    def observe_hci(self, callback: Callable[[bool, bytes], None]) -> Callable[[], None]:
        """Call `callback(to_host, packet)` for every HCI packet as it passes; return what stops it."""
        self._hci_observers.append(callback)

        def stop() -> None:
            if callback in self._hci_observers:
                self._hci_observers.remove(callback)

        return stop

    # From the host

    def on_packet(self, packet: bytes) -> None:
        """Take one H4 packet; anything that is no command and no ACL data of a link is dropped."""
        for observer in self._hci_observers:
            observer(False, packet)  # noqa: FBT003 # (to_host, packet), documented
        if packet[:1] == b"\x01":
            self._on_command(packet)
        elif packet[:1] == b"\x02" and len(packet) >= 5:
            word = packet[1] | packet[2] << 8
            link = self.links.get(word & 0x0FFF)
            if link is not None and len(packet) == 5 + (packet[3] | packet[4] << 8):
                link.on_host_acl(word >> 12 & 3, packet[5:])

    def _on_command(self, packet: bytes) -> None:
        if len(packet) < 4:
            self._reply(0, bytes((INVALID_PARAMETERS,)))
            return
        opcode = packet[1] | packet[2] << 8
        handler = self._handlers.get(opcode)
        if handler is None:
            self._refuse(opcode, UNKNOWN_COMMAND)
            return
        command = parse_command(packet)
        if command is None:
            self._refuse(opcode, INVALID_PARAMETERS)
            return
        result = self.refused(opcode, command)
        if result is None:
            result = handler(command)
        if result is not None:
            self._reply(opcode, bytes(result))

    def refused(self, opcode: int, command: hci.HCI_Command) -> bytes | None:
        """Hook: return parameters when `command` may not be given in this state, None when it may."""
        return None

    def _refuse(self, opcode: int, status: int) -> None:
        if opcode == NO_REPLY:
            return
        if is_async(opcode):
            self.send_status(status, opcode)
        else:
            self._reply(opcode, bytes((status,)))

    def _reply(self, opcode: int, parameters: bytes) -> None:
        if opcode != NO_REPLY:
            if parameters[0] not in (0, UNKNOWN_COMMAND):  # hosts check the length of errors, too
                parameters = parameters.ljust(RETURN_OCTETS.get(opcode, 1), b"\0")
            self.send_event(COMMAND_COMPLETE, bytes((1, opcode & 0xFF, opcode >> 8)) + parameters)

    # To the host

    def send_status(self, status: int, opcode: int) -> None:
        """Command Status of `opcode`; 0 = pending."""
        self.send_event(COMMAND_STATUS, bytes((status, 1, opcode & 0xFF, opcode >> 8)))

    def _send_hci_command_status(self, status: int, op_code: int) -> None:
        self.send_status(status, op_code)

    def send_event(self, code: int, parameters: bytes) -> None:
        """Event `code`, unless the host has masked it."""
        if code not in NEVER_MASKED:
            if code < 0x40:
                if not self.event_mask >> (code - 1) & 1:
                    return
            elif not self.event_mask_page_2 >> (code - 0x40) & 1:
                return
        self._to_host(bytes((EVENT, code, len(parameters))) + parameters)

    def le_event_enabled(self, subevent: int) -> bool:
        """Whether both masks let LE meta event `subevent` through."""
        return bool(
            self.event_mask >> (LE_META - 1) & 1 and self.le_event_mask >> (subevent - 1) & 1
        )

    def send_le_event(self, subevent: int, parameters: bytes) -> None:
        """LE meta event `subevent` (`parameters` follow the subevent octet), unless the host has masked it."""
        if self.le_event_enabled(subevent):
            self._to_host(bytes((EVENT, LE_META, len(parameters) + 1, subevent)) + parameters)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """As bumble's: an event or ACL packet as bumble object; events honour the masks."""
        data = bytes(packet)
        if data[0] != EVENT:
            self._to_host(data)
        elif data[1] == LE_META:
            self.send_le_event(data[3], data[4:])
        else:
            self.send_event(data[1], data[3:])

    def _to_host(self, packet: bytes) -> None:
        self._outbox.append(packet)
        if not self._flushing:
            self._flushing = True
            self.loop.after_us(0, self._flush)

    def _flush(self) -> None:
        outbox = self._outbox
        try:
            while outbox:
                packet = outbox.popleft()
                for observer in self._hci_observers:
                    observer(True, packet)  # noqa: FBT003 # (to_host, packet), documented
                if self.host is not None:
                    self.host.on_packet(packet)
        finally:
            self._flushing = False
            if outbox:
                self._flushing = True
                self.loop.after_us(0, self._flush)

    # ACL data to the host, with the flow control it asked for (Vol 4 Part E, 4.2)

    def send_acl(self, handle: int, pb: int, data: bytes) -> None:
        """ACL data of link `handle` (`pb` 2 = start, 1 = continuation), cut to the host's buffer size."""
        size = self.host_acl_length
        for start in range(0, max(len(data), 1), size):
            part = data[start : start + size]
            word = handle | (pb if start == 0 else 1) << 12
            packet = bytes((ACL, word & 0xFF, word >> 8, len(part) & 0xFF, len(part) >> 8)) + part
            if not self.host_flow_control:
                self._to_host(packet)
            elif self.host_acl_credits > 0 and not self._held_acl:
                self._spend(packet)
            else:
                self._held_acl.append(packet)

    def _spend(self, packet: bytes) -> None:
        handle = (packet[1] | packet[2] << 8) & 0x0FFF
        self.host_acl_credits -= 1
        self._host_owes[handle] = self._host_owes.get(handle, 0) + 1
        self._to_host(packet)

    @property
    def held_acl(self) -> int:
        """ACL packets that wait for the host to free a buffer."""
        return len(self._held_acl)

    def on_hci_host_buffer_size_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.3.39."""
        if not command.host_acl_data_packet_length or not command.host_total_num_acl_data_packets:
            return bytes((INVALID_PARAMETERS,))
        self.host_acl_length = command.host_acl_data_packet_length
        self.host_acl_credits = command.host_total_num_acl_data_packets
        return b"\0"

    def on_hci_set_controller_to_host_flow_control_command(self, command: Any) -> bytes:
        """Vol 4 Part E, 7.3.38; only bit 0 (ACL) matters, and not while links exist."""
        if self.links:
            return b"\x0c"
        self.host_flow_control = bool(command.flow_control_enable & 1)
        return b"\0"

    def on_hci_host_number_of_completed_packets_command(self, command: hci.HCI_Command) -> None:
        """Vol 4 Part E, 7.3.40: no reply; frees buffers."""
        data = command.parameters
        for i in range(data[0] if data else 0):
            entry = data[1 + 4 * i : 5 + 4 * i]
            if len(entry) == 4:
                handle = entry[0] | entry[1] << 8
                self._free(handle, entry[2] | entry[3] << 8)

    def forget_handle(self, handle: int) -> None:
        """A link is gone: what the host held of it counts as free, what waits for the host is dropped."""
        self._held_acl = deque(p for p in self._held_acl if (p[1] | p[2] << 8) & 0x0FFF != handle)
        self._free(handle, self._host_owes.get(handle, 0))

    def _free(self, handle: int, count: int) -> None:
        count = min(count, self._host_owes.get(handle, 0))
        self._host_owes[handle] = self._host_owes.get(handle, 0) - count
        self.host_acl_credits += count
        while self._held_acl and self.host_acl_credits > 0:
            self._spend(self._held_acl.popleft())
