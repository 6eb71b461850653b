"""The packets of one opened controller: what may go to it now, what of it the host gets, what the host is owed.

Digest 8.2 (loss contract), 8.3 (rules). Rules of the file: packets in, packets out; what is dropped is counted in
`counts` by reason, and what a user should know is put into `notes`. No IO, no loop; `now` is in microseconds.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from hw_bridge.activity import Activity
from hw_bridge.command_gate import CommandGate, Timeouts
from hw_bridge.data_credits import DataCredits, PoolName, handle_of
from protocols.hci.framing import ACL, COMMAND, EVENT, ISO
from protocols.hci.replies import (
    NO_REPLY,
    NOP_PACKET,
    RESET,
    completed_packets,
    disconnection_complete,
    failure,
    opcode_of,
    reply_of,
    words_for,
)

if TYPE_CHECKING:
    from hw_bridge.activity import Kind
    from hw_bridge.command_gate import Owner, Pending

__all__ = ["Loss", "Note", "Traffic", "crash_of"]

_MEMORY_EXCEEDED: Final = 0x07
_DISCONNECTED, _CONNECTED, _COMPLETE, _STATUS, _HARDWARE_ERROR, _COMPLETED = 5, 3, 14, 15, 16, 19
_SCO_CONNECTED, _LE_META, _VENDOR = 0x2C, 0x3E, 0xFF
_WATCHED: Final = frozenset(
    (
        *(_DISCONNECTED, _CONNECTED, _COMPLETE, _STATUS, _HARDWARE_ERROR, _COMPLETED),
        *(_SCO_CONNECTED, _LE_META, _VENDOR),
    )
)
_CONNECTING: Final = frozenset((_DISCONNECTED, _CONNECTED, _SCO_CONNECTED, _LE_META))
_ZEPHYR_ASSERT: Final = 0xAA
_POOLS: Final[dict[Kind, PoolName]] = {
    "le": "le",
    "br": "br",
    "sco": "sco",
    "cis": "iso",
    "bis": "iso",
}
_HOST_PACKETS: Final = 64
_HOST_OCTETS: Final = 65536

NoteKind = Literal[
    "crash", "hardware-error", "restart", "restarted", "mute", "degrade", "reset", "note"
]
"""`restart` is a suspicion, `restarted` a fact; `reset` is good news; `note` changes nothing."""


class Note(NamedTuple):
    """Something that the session acts on or a user should know."""

    kind: NoteKind
    text: str


class Loss(NamedTuple):
    """What a host is owed when its controller is gone."""

    packets: list[bytes]
    """Failed commands and ended connections."""
    was_on: tuple[str, ...]
    """What else ended, for which HCI has no event."""


def crash_of(packet: bytes) -> str:
    """Where a Zephyr controller stopped, from its vendor event; empty for any other packet.

    Source: zephyr samples/bluetooth/hci_uart/src/main.c, bt_ctlr_assert_handle (0xAA, file name, 0, 32-bit line).
    """
    if len(packet) < 9 or packet[1] != _VENDOR or packet[3] != _ZEPHYR_ASSERT:
        return ""
    name, zero, line = packet[4:].partition(b"\0")
    if not zero or len(line) != 4 or not name.isascii() or not name.decode("ascii").isprintable():
        return ""
    return f"{name.decode('ascii')}:{int.from_bytes(line, 'little')}"


class Traffic:
    """Gate, buffers and activity of one opened controller."""

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        no_reply: frozenset[int] = NO_REPLY,
        stall_us: int = 5_000_000,
        counts: Counter[str] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.gate = CommandGate(timeouts, no_reply)
        self.data = DataCredits(stall_us=stall_us, counts=self.counts)
        self.activity = Activity()
        self.notes: deque[Note] = deque()
        self.resetting = False
        """A Reset of the host is on its way: what still comes is of the time before it."""

    # From the host

    @property
    def has_room(self) -> bool:
        """Whether the host should go on sending."""
        waiting = len(self.gate.queue) + self.data.waiting_packets
        return waiting < _HOST_PACKETS and self.data.waiting_octets < _HOST_OCTETS

    def from_host(self, packet: bytes, now: int) -> bytes | None:
        """Take a whole packet of the host; the answer when it is refused at once."""
        if packet[0] == COMMAND:
            return self._command(packet, now)
        if not self.has_room:
            self._drop("more data than there is room for")
            return None
        fault = self.data.submit(packet)
        if fault:
            self._drop(f"data for the controller: {fault}")
        return None

    def _command(self, packet: bytes, now: int) -> bytes | None:
        opcode = opcode_of(packet)
        if len(self.gate.queue) >= _HOST_PACKETS:
            self._drop("commands beyond the queue")
            return None if opcode in self.gate.no_reply else failure(opcode, _MEMORY_EXCEEDED)
        if opcode == RESET:
            self.resetting = True
            self.data.clear()
        self.gate.submit(packet, now)
        return None

    def submit_own(
        self, packet: bytes, now: int, owner: Owner, attempts: tuple[int, ...] = ()
    ) -> None:
        """Put a command of the bridge's own into the queue; its reply goes to `owner` alone."""
        self.gate.submit(packet, now, owner, attempts)

    def disown(self) -> None:
        """The client that sent what is on its way is gone: nobody waits for the replies."""
        if dropped := self.gate.disown():
            self.counts["commands of a client that left"] += dropped
        self.data.clear()

    def next_packet(self, now: int) -> bytes | None:
        """What may be written now; commands first."""
        return self.gate.next_command(now) or (
            self.data.next_packet(now) if self.data.waiting_packets else None
        )

    # From the controller

    def from_controller(self, packet: bytes, now: int) -> bytes | None:
        """Take a whole packet of the controller; what of it goes to the host."""
        if packet[0] != EVENT:
            if self.resetting:
                return self._drop("data from before a Reset")
            kind = self.activity.handles.get(handle_of(packet)) if packet[0] == ACL else None
            return bytes((ISO,)) + packet[1:] if kind in ("cis", "bis") else packet
        code = packet[1]
        if code not in _WATCHED:
            return self._drop("events from before a Reset") if self.resetting else packet
        if code in (_COMPLETE, _STATUS):
            return self._reply(packet, now)
        if code == _VENDOR:
            if crash := crash_of(packet):
                self.notes.append(Note("crash", f"the controller crashed in {crash}"))
            return packet
        if code == _HARDWARE_ERROR:
            text = f"the controller reports hardware error 0x{packet[3:4].hex()}"
            self.notes.append(Note("hardware-error", text))
            return packet
        if self.resetting:
            return self._drop("events from before a Reset")
        if code == _COMPLETED:
            for handle, count in completed_packets(packet):
                self.data.completed(handle, count)
        elif code in _CONNECTING:
            self._connections(packet)
        return packet

    def _connections(self, packet: bytes) -> None:
        up, down = self.activity.on_event(packet)
        for handle in up:
            self.data.connected(handle, _POOLS[self.activity.handles[handle]])
        for handle in down:
            self.data.disconnected(handle)

    def _reply(self, packet: bytes, now: int) -> bytes | None:
        reply = reply_of(packet)
        if reply is None:
            return self._drop("replies that are cut")
        provoked = self.gate.outstanding is not None or self.gate.credits <= 0
        ended = self.gate.on_reply(reply, now)
        if ended is False:
            words = words_for(reply.opcode)
            self._drop("replies that no command waits for")
            self.notes.append(Note("note", f"a reply to {words} that nothing waits for"))
            return None
        if ended is True:
            if reply.opcode == 0 and not provoked:
                text = "it says unasked that it takes commands: it may have started afresh"
                self.notes.append(Note("restart", text))
                return None
            return packet
        self._done(ended, success=reply.status == 0)
        if ended.owner is not None:
            ended.owner(reply)
            return None
        return packet

    def _done(self, pending: Pending, *, success: bool) -> None:
        if success:
            self.activity.on_done(pending.packet, pending.opcode)
        if pending.opcode == RESET:
            self.resetting = False
            if success:
                self.data.clear()
                self.notes.append(Note("reset", "a Reset succeeded"))

    # Time and loss

    def deadline(self) -> int | None:
        """When `expire` has something to do."""
        gate, data = self.gate.deadline(), self.data.deadline()
        if gate is None or data is None:
            return data if gate is None else gate
        return min(gate, data)

    def expire(self, now: int) -> bytes | None:
        """Give up what took too long; the answer that the host gets instead."""
        if stall := self.data.expire(now):
            self.notes.append(Note("degrade", stall))
        pending, what = self.gate.expire(now)
        if not what:
            return None
        if pending is None:
            self.notes.append(Note("degrade", what))
            return NOP_PACKET  # the host waits for one, too
        self.counts["commands without a reply"] += 1
        self._done(pending, success=False)
        if pending.owner is not None:
            pending.owner(None)
            return None
        kind: NoteKind = "mute" if pending.opcode == RESET else "degrade"
        self.notes.append(Note(kind, f"{what} to {words_for(pending.opcode)}"))
        return failure(pending.opcode)

    def lose(self) -> Loss:
        """The controller is gone: what its host is owed, in the order of the contract."""
        packets: list[bytes] = []
        for pending in self.gate.fail_all():
            if pending.owner is None:
                packets.append(failure(pending.opcode))
            else:
                pending.owner(None)
        handles = self.activity.handles
        packets += [disconnection_complete(each) for each in handles if handles[each] != "bis"]
        was_on = sorted(self.activity.on)
        if "bis" in handles.values():
            was_on.append("broadcast isochronous streams")
        self.data.clear()
        self.activity.clear()
        self.resetting = False
        return Loss(packets, tuple(was_on))

    def _drop(self, reason: str) -> bytes | None:
        self.counts[reason] += 1
        return None
