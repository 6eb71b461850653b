"""One side of an LE connection: packets in and out, acknowledgement, supervision, its end.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.5 (connection state). Rules of the file:
* `central_events` and `peripheral_events` decide when; this file decides what. Control PDUs go before data, one PDU is in flight at a
  time, and it is repeated as it is (SN, payload, packet counter) until the peer's NESN acknowledges it.
* A packet of data is delivered to the host exactly once, in order; what the host has no room for is not
  acknowledged, so that the peer repeats it.
* `close` is the one way out that the host hears of; `drop` is a power-off or reset, of which nobody hears.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from sim.ble.acl import LLID_CONTINUE, LLID_CONTROL, LLID_START, PB_CONTINUE, PB_START, AclOutbox
from sim.ble.authenticated_payload import AuthenticatedPayload
from sim.ble.central_events import CentralEvents
from sim.ble.control import Control
from sim.ble.encryption import Encryption, LinkCipher
from sim.ble.ll_opcodes import ErrorCode
from sim.ble.pdus import ConnectionRole, DataPdu
from sim.ble.peripheral_events import PeripheralEvents

if TYPE_CHECKING:
    from collections.abc import Callable

    from bumble import hci

    from sim.ble.pdus import ConnectParams
    from sim.clock import Event, VirtualLoop

__all__ = ["DEFAULT_OCTETS", "LinkConnection", "LinkPdu"]

DEFAULT_OCTETS = 27
DEFAULT_TIME_US = 328
HELD_LIMIT = 8  # ACL packets waiting for the host, from which on data is not acknowledged
COMPLETED_EVENT, OVERFLOW_EVENT = 0x13, 0x1A


class LinkPdu(DataPdu, frozen=True, gc=True):
    """A data PDU that knows its sender, for the shortcut through idle events; both may be part of a cycle."""

    sender: Any = None


class Outgoing:
    """A PDU until it is acknowledged: `payload` as on the air; `done` is called then."""

    __slots__ = ("done", "llid", "payload", "plaintext")

    def __init__(
        self,
        llid: int,
        payload: bytes,
        plaintext: bytes | None,
        done: Callable[[], None] | None,
    ) -> None:
        self.llid = llid
        self.payload = payload
        self.plaintext = plaintext
        self.done = done


EMPTY = Outgoing(LLID_CONTINUE, b"", None, None)


class LinkConnection:
    """A connection as one of its two controllers has it; made by `open`.

    `handle` is the HCI handle, addresses are those of the air packets. `rssi_dbm` of the last packet, 127 = none yet.
    """

    def __init__(
        self,
        controller: Any,
        role: ConnectionRole,
        own_address: hci.Address,
        peer_address: hci.Address,
        params: ConnectParams,
        first_anchor_us: int,
    ) -> None:
        self.controller = controller
        self.loop: VirtualLoop = controller.loop
        self.role = role
        self.is_central = role == ConnectionRole.CENTRAL
        self.handle: int = controller.allocate_connection_handle()
        self.own_address = own_address
        self.peer_address = peer_address
        self.access_address = params.access_address
        self.crc_init = params.crc_init
        self.channel_map = params.channel_map
        self.timeout_us = params.timeout * 10_000
        self.rssi_dbm = 127
        self.closed = False
        self.established = False
        self.confirmed = False
        """Whether the peer has acknowledged anything yet."""
        self.leaving: int | None = None
        """The peer's reason to leave; the connection ends when that is acknowledged."""
        self.missed = 0
        """Events without a packet of the peer, in a row."""
        self.peer: LinkConnection | None = None
        self.tx_phy = self.rx_phy = params.phy
        self.tx_octets = self.rx_octets = DEFAULT_OCTETS
        self.tx_time_us = self.rx_time_us = DEFAULT_TIME_US
        self.tx_cipher: LinkCipher | None = None
        self.rx_cipher: LinkCipher | None = None
        self.data_paused = False
        self.outbox = AclOutbox()
        self.last_rx_us = max(first_anchor_us, self.loop.now_us)
        self._sn = self._nesn = 0
        self._head: Outgoing | None = None
        self._controls: deque[tuple[Callable[[], bytes | None], Callable[[], None] | None]] = (
            deque()
        )
        self._empties: dict[int, LinkPdu] = {}
        self._supervision: Event | None = None
        self.encryption = Encryption(self)
        self.auth_payload = AuthenticatedPayload(self)
        self.control = Control(self)
        events = CentralEvents if self.is_central else PeripheralEvents
        self.events: CentralEvents | PeripheralEvents = events(self, params, first_anchor_us)
        controller.radio.route(self.access_address, self.events.on_packet)

    @classmethod
    def open(
        cls,
        controller: Any,
        role: ConnectionRole,
        own_address: hci.Address,
        peer_address: hci.Address,
        params: ConnectParams,
        first_anchor_us: int,
    ) -> LinkConnection:
        """Begin as `role` with the transmit window at `first_anchor_us`; the caller lists it and tells the host."""
        return cls(controller, role, own_address, peer_address, params, first_anchor_us)

    # To and from the host

    def on_host_acl(self, pb: int, data: bytes) -> None:
        """Queue an ACL packet of the host (`pb` 0 or 2 = start, 1 = continuation)."""
        controller = self.controller
        held = sum(link.outbox.held for link in controller.links.values())
        if held >= controller.total_num_le_acl_data_packets:
            controller.send_event(OVERFLOW_EVENT, b"\x01")
            return
        self.outbox.put(pb, data)
        if self.outbox.completed:
            self.tell_completed()
        self.events.kick()

    def tell_completed(self) -> None:
        """Give the host its buffers back (Number Of Completed Packets)."""
        count = self.outbox.take_completed()
        if count:
            self.controller.send_event(
                COMPLETED_EVENT,
                b"\x01" + self.handle.to_bytes(2, "little") + count.to_bytes(2, "little"),
            )

    def send_control(
        self,
        payload: bytes | Callable[[], bytes | None],
        done: Callable[[], None] | None = None,
    ) -> None:
        """Queue an LL control PDU; a callable makes it (or None: nothing to send) when its turn comes.

        `done` is called when the peer has acknowledged it.
        """
        make = payload if callable(payload) else lambda: payload
        self._controls.append((make, done))
        self.events.kick()

    def draw(self, purpose: str, octets: int) -> bytes:
        """Random octets for `purpose` of this controller."""
        name = f"crypto/{self.controller.name}/link_layer/{purpose}"
        return bytes(self.controller.streams.bytes(name, octets))

    # Packets out

    def build(self) -> LinkPdu:
        """The next packet: the one in flight again, else the next in line, else an empty one."""
        head = self._head
        if head is None:
            head = self._head = self._next_outgoing()
        md = bool(self._controls) or (bool(self.outbox) and not self.data_paused)
        first = head.llid | self._nesn << 2 | self._sn << 3 | md << 4
        if head is EMPTY:
            return self._empties.get(first) or self._make_empty(first)
        return self._make(first, head)

    def build_empty(self) -> LinkPdu:
        """An empty packet in spite of what is in line: the one of an idle event that has begun."""
        self._head = EMPTY
        return self._make_empty(EMPTY.llid | self._nesn << 2 | self._sn << 3)

    def _make_empty(self, first: int) -> LinkPdu:
        pdu = self._empties[first] = self._make(first, EMPTY)
        return pdu

    def _make(self, first: int, out: Outgoing) -> LinkPdu:
        payload = out.payload
        return LinkPdu(
            bytes((first, len(payload))) + payload,
            self.access_address,
            self.crc_init,
            self.tx_phy,
            out.llid,
            first >> 2 & 1,
            first >> 3 & 1,
            first >> 4 & 1,
            payload,
            out.plaintext is not None,
            out.plaintext,
            self,
        )

    def _next_outgoing(self) -> Outgoing:
        while self._controls:
            make, done = self._controls.popleft()
            payload = make()
            if payload is not None:
                return self._outgoing(LLID_CONTROL, payload, done)
        if self.outbox and not self.data_paused:
            llid, payload, last = self.outbox.next_pdu(self.tx_octets)
            return self._outgoing(llid, payload, self._packet_acknowledged if last else None)
        return EMPTY

    def _outgoing(self, llid: int, payload: bytes, done: Callable[[], None] | None) -> Outgoing:
        if self.tx_cipher is None:
            return Outgoing(llid, payload, None, done)
        return Outgoing(llid, self.tx_cipher.encrypt(llid, payload), payload, done)

    def _packet_acknowledged(self) -> None:
        self.outbox.acknowledged()
        if self.outbox.completed * 2 > self.controller.total_num_le_acl_data_packets:
            self.tell_completed()

    def forget_packets(self) -> None:
        """The PHY has changed: empty packets are to be made anew."""
        self._empties.clear()

    def next_octets(self) -> int:
        """Payload octets of the next packet, at most."""
        if self._head is not None:
            return len(self._head.payload)
        return self.tx_octets if self._controls or self.outbox else 0

    # Packets in

    def process(self, pdu: DataPdu, rssi_dbm: int) -> None:
        """Take a packet of the peer: its acknowledgement, then what it carries."""
        self.rssi_dbm = rssi_dbm
        self.last_rx_us = self.loop.now_us
        if not self.established:
            self._establish(pdu)
        head = self._head
        if head is not None and pdu.nesn != self._sn:
            self._sn ^= 1
            self._head = None
            self.confirmed = True
            if head.done is not None:
                head.done()
                if self.closed:
                    return
        if pdu.sn == self._nesn and (not pdu.payload or self._take(pdu)):
            self._nesn ^= 1

    def _establish(self, pdu: DataPdu) -> None:
        self.established = True
        self.peer = pdu.sender if isinstance(pdu, LinkPdu) else None
        self.watch()
        self.control.begin()

    def _take(self, pdu: DataPdu) -> bool:
        """Hand a new payload on; False when there is no room for it now."""
        llid, payload = pdu.llid, pdu.payload
        if llid != LLID_CONTROL and self.controller.held_acl >= HELD_LIMIT:
            return False
        if self.rx_cipher is not None:
            plaintext = self.rx_cipher.decrypt(pdu.data[0], payload)
            if plaintext is None:
                self.close(ErrorCode.MIC_FAILURE)
                return True
            self.auth_payload.heard()
            payload = plaintext
        if llid == LLID_CONTROL:
            self.control.receive(payload)
        elif payload:
            pb = PB_START if llid == LLID_START else PB_CONTINUE
            self.controller.send_acl(self.handle, pb, payload)
        return True

    # Idleness

    def may_sleep(self) -> bool:
        """Whether nothing is to be sent and no procedure runs: the peripheral may use its latency."""
        return (
            self.confirmed
            and (self._head is None or self._head is EMPTY)
            and not self._controls
            and (not self.outbox or self.data_paused)
            and self.control.idle
            and self.leaving is None
        )

    def can_doze(self) -> bool:
        """Whether idle exchanges of this side cannot fail and touch nobody else."""
        controller = self.controller
        air = controller.air
        return (
            self.may_sleep()
            and not self.events.waiting_for_instant
            and not air.observed
            and not air.by_chance
            and len(controller.links) == 1
            and controller.links.get(self.handle) is self
            and controller.only_links_active()
            and not controller.radio.moving_at(self.loop.now_us)
        )

    def skip(self, exchanges: int, heard_us: int) -> None:
        """Be as after that many exchanges of empty packets, the last heard at `heard_us`."""
        if exchanges & 1:
            self._sn ^= 1
            self._nesn ^= 1
        self.last_rx_us = max(self.last_rx_us, heard_us)

    def unanswered(self, events: int) -> None:
        """Be as after `events` whose empty packet nobody answered: it is still in flight."""
        self.missed = events
        if events:
            self._head = EMPTY

    # The end

    def watch(self) -> None:
        """Watch over the supervision timeout from now on, by the local clock (4.5.2)."""
        if self._supervision is not None:
            self._supervision.cancel()
        timeout_us = self.timeout_us + self.timeout_us * self.events.clock_ppm // 1_000_000
        self._supervision = self.loop.at_us(
            max(self.last_rx_us + timeout_us, self.loop.now_us), self._supervise, timeout_us
        )

    def _supervise(self, timeout_us: int) -> None:
        now_us = self.loop.now_us
        due_us = self.last_rx_us + timeout_us
        if (
            self.events.dozing
        ):  # the exchanges left out count; at least two are due within a timeout
            due_us = now_us + timeout_us // 2
        if now_us >= due_us:
            left = self.control.terminating  # our goodbye went unheard
            self.close(ErrorCode.LOCAL_HOST_TERMINATED if left else ErrorCode.CONNECTION_TIMEOUT)
        else:
            self._supervision = self.loop.at_us(due_us, self._supervise, timeout_us)

    def terminate(self, reason: int) -> None:
        """Say goodbye with `reason`, and end with 0x16 when the peer has heard it or cannot be reached."""
        self.control.terminate(reason)

    def close(self, reason: int) -> None:
        """End now, without a word to the peer; the host hears of it."""
        if self.drop():
            self.controller.link_closed(self, reason)

    def drop(self) -> bool:
        """End now, without a word to anybody; False when it was over already."""
        if self.closed:
            return False
        self.events.stop()
        self.closed = True
        if self._supervision is not None:
            self._supervision.cancel()
        self.control.stop()
        self.auth_payload.stop()
        self.controller.radio.unroute(self.access_address)
        self._head = None
        self._controls.clear()
        self._empties.clear()
        self.peer = None
        return True
