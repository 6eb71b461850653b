"""Connection events: when the two sides of a connection send and listen, and on which channel.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.2.2 (clock accuracy), 4.5.1 to 4.5.10. Rules of the file:
* The central sends first, at its anchor points; the peripheral answers T_IFS later; either goes on while one of the
  two said More Data. A packet that does not come closes the event.
* Each side counts events and time by its own clock: `clock_ppm` is how fast it really runs, `sca_ppm` how badly the
  peripheral must expect both to run (window widening).
* `counter` is the number of the current event, between events of the next; it does not wrap here, only on the air.
* Dozing is an exact shortcut. When both sides have nothing to send and an idle exchange cannot fail or disturb
  anybody (no loss, no fading, no observer, nobody moving, the radios used by this connection alone), the exchanges
  of empty PDUs in between are not sent: counters, sequence numbers, anchors and supervision times afterwards are
  those that the exchanges would have left, and no random number is drawn by either way. A real exchange at least
  every second, and every quarter of the supervision timeout, checks that the peer is still there: a radio that is
  moved away, begins to scan or is observed in between is noticed then. What turns up for sending during one of the
  exchanges left out goes with the next event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.ble.channel_selection import selector
from sim.ble.ll_opcodes import ErrorCode
from sim.ble.pdus import T_IFS_US, air_time_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Reception
    from sim.ble.connection import LinkConnection
    from sim.ble.pdus import ConnectParams
    from sim.clock import Event

__all__ = ["SCA_PPM", "CentralEvents", "ConnectionEvents", "PeripheralEvents"]

SCA_PPM = (500, 250, 150, 100, 75, 50, 30, 20)  # of the SCA field of CONNECT_IND (2.3.3.1)
UNIT_US = 1250
JITTER_US = 16  # what window widening adds for the active clock (4.2.4)
SETTLE_US = 4  # after T_IFS the answer may begin 2 us early or late (4.2.1)
EVENTS_TO_ESTABLISH = 6
MILLION = 1_000_000
PDU_EXTRA = 2 + 4  # octets of header and MIC
MAX_DOZE_US = 1_000_000


class ConnectionEvents:
    """What both roles share: counting, channels, instants."""

    def __init__(self, link: LinkConnection, params: ConnectParams) -> None:
        controller = link.controller
        self.link = link
        self.loop = controller.loop
        self.radio = controller.radio
        self.clock_ppm: int = controller.clock_ppm
        self.counter = 0
        self.interval_us = params.interval * UNIT_US
        self.latency = params.latency
        self.dozing = False
        self._next: Event | None = None
        self._channel: int | None = None  # of the event that is going on
        self._instants: list[tuple[int, Callable[[], None]]] = []
        self._channel_of, self._use_map = selector(
            csa2=params.csa2,
            access_address=params.access_address,
            hop=params.hop,
            channel_map=params.channel_map,
        )
        self._rx_max_us = 0
        self.lengths_changed()

    def lengths_changed(self) -> None:
        """The longest packet to wait for is another (data length or PHY)."""
        self._rx_max_us = air_time_us(self.link.rx_octets + PDU_EXTRA, self.link.rx_phy)

    def use_map(self, channel_map: bytes) -> None:
        """Hop over other channels from the next event on."""
        self._use_map(channel_map)

    def when(self, instant: int, action: Callable[[], None]) -> bool:
        """Call `action` at the start of event `instant` (16 bits); False when that has passed (5.5.1)."""
        ahead = (instant - self.counter) & 0xFFFF
        if ahead >= 0x8000:
            return False
        self._instants.append((self.counter + ahead, action))
        self._instants.sort(key=lambda entry: entry[0])
        return True

    def instant_in(self, events: int) -> int:
        """Sixteen bits of the event that is `events` from now, with time for a sleeping peripheral to hear of it."""
        return (self.counter + events + self.latency * 2) & 0xFFFF

    @property
    def waiting_for_instant(self) -> bool:
        """Whether something is to change at an event to come."""
        return bool(self._instants)

    def stop(self) -> None:
        """No more events."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._leave_channel()

    def _leave_channel(self) -> None:
        if self._channel is not None:
            self.radio.deafen(self._channel)
            self._channel = None

    def _enter_channel(self) -> int:
        channel = self._channel_of(self.counter & 0xFFFF)
        self._channel = channel
        self.radio.listen(channel)
        return channel

    def _local_us(self, count: int) -> int:
        """True length of `count` intervals by the local clock."""
        length = count * self.interval_us
        return length + length * self.clock_ppm // MILLION if self.clock_ppm else length

    def _run_instants(self) -> None:
        while self._instants and self._instants[0][0] <= self.counter:
            self._instants.pop(0)[1]()

    def _gone(self) -> bool:
        """After an event: whether the connection ended; one that was not answered six times never existed."""
        link = self.link
        if link.closed:
            return True
        if not link.established and self.counter + 1 >= EVENTS_TO_ESTABLISH:
            link.close(ErrorCode.FAILED_TO_BE_ESTABLISHED)
            return True
        link.tell_completed()
        return link.closed

    def _send(self, channel: int) -> int | None:
        """Send the next packet; the time it ends, None when the radio is taken. Sets `_sent_md`."""
        link = self.link
        pdu = link.build()
        end_us = self.radio.send(channel, pdu)
        if end_us is not None:
            self._sent_md = pdu.md
            if link.leaving is not None:
                self.loop.at_us(end_us, link.close, link.leaving)
        return end_us

    _sent_md = 0


class CentralEvents(ConnectionEvents):
    """The central: it sets the anchor points."""

    def __init__(self, link: LinkConnection, params: ConnectParams, first_anchor_us: int) -> None:
        super().__init__(link, params)
        self._base_us = first_anchor_us
        self._base_counter = 0
        self._peer_counter = 0  # while dozing: the next event that the peripheral listens to
        self._peer: PeripheralEvents | None = None
        self._next = self.loop.at_us(max(first_anchor_us, self.loop.now_us), self._anchor)

    def anchor_us(self, counter: int) -> int:
        """When event `counter` begins."""
        return self._base_us + self._local_us(counter - self._base_counter)

    def change(self, interval: int, latency: int, offset: int, _size: int) -> None:
        """New interval from this event on; `offset` later than by the old one (1.25 ms units)."""
        self._base_us = self.anchor_us(self.counter) + offset * UNIT_US
        self._base_counter = self.counter
        self.interval_us = interval * UNIT_US
        self.latency = latency

    def kick(self) -> None:
        """There is something to send: be at the next event."""
        if self.dozing:
            self._wake()

    def _anchor(self) -> None:
        if self._yields():
            self._over()
        else:
            self._transmit(self._enter_channel())

    def _yields(self) -> bool:
        """Whether another connection of this radio has missed more events than this, and is due now."""
        links = self.link.controller.links
        if len(links) == 1:
            return False
        missed, now_us = self.link.missed, self.loop.now_us
        reach_us = 2 * (self._rx_max_us + T_IFS_US)
        return any(
            other.missed > missed + other.events.latency
            and abs(other.events.next_us - now_us) < reach_us
            for other in links.values()
            if other is not self.link
        )

    @property
    def next_us(self) -> int:
        """When the next event begins, or the current one began."""
        return self.anchor_us(self.counter)

    def _transmit(self, channel: int) -> None:
        end_us = self._send(channel)
        if end_us is None:
            self._close(heard=False)
        else:
            timeout_us = end_us + T_IFS_US + self._rx_max_us + SETTLE_US
            self._next = self.loop.at_us(timeout_us, self._timed_out)

    def on_packet(self, reception: Reception) -> None:
        """Take the peripheral's answer."""
        channel = self._channel
        sent = reception.transmission
        if channel is None or sent.channel != channel:
            return
        if self._next is not None:
            self._next.cancel()
        link = self.link
        pdu = sent.meta
        link.process(pdu, reception.rssi_dbm)
        if link.closed:
            return
        if (pdu.md or self._sent_md) and self._room():
            self._next = self.loop.at_us(sent.end_us + T_IFS_US, self._transmit, channel)
        else:
            self._close(heard=True)

    def _room(self) -> bool:
        """Whether one more exchange fits before the next anchor."""
        link = self.link
        send_us = air_time_us(link.next_octets() + PDU_EXTRA, link.tx_phy)
        end_us = self.loop.now_us + 3 * T_IFS_US + send_us + self._rx_max_us
        return end_us < self.anchor_us(self.counter + 1)

    def _timed_out(self) -> None:
        self._close(heard=False)

    def _close(self, *, heard: bool) -> None:
        self._leave_channel()
        self.link.missed = 0 if heard else self.link.missed + 1
        self._over(heard=heard)

    def _over(self, *, heard: bool = False) -> None:
        if self._gone():
            return
        self.counter += 1
        if self._instants:
            self._run_instants()
            if self.link.closed:
                return
        if not (heard and self._doze()):
            self._next = self.loop.at_us(
                max(self.anchor_us(self.counter), self.loop.now_us), self._anchor
            )

    # Dozing

    def _doze(self) -> bool:
        """Leave out idle events, if nothing can be told apart from sending them."""
        link, peer_link = self.link, self.link.peer
        if peer_link is None or not link.can_doze() or not peer_link.can_doze():
            return False
        peer = peer_link.events
        if not isinstance(peer, PeripheralEvents) or not peer.between_events:
            return False
        limit_us = min(MAX_DOZE_US, link.timeout_us // 4)
        stride = peer.latency + 1
        ahead = self.counter + limit_us // self.interval_us - peer.counter
        wake = peer.counter + max(0, ahead // stride) * stride
        if wake - self.counter < 2:
            return False
        peer.fall_asleep(self)
        self._peer, self._peer_counter, self.dozing = peer, peer.counter, True
        self._next = self.loop.at_us(self.anchor_us(wake - 1) + 1, self._wake)
        return True

    def _wake(self) -> None:
        """Be where the idle events would have led to, and go on with the next one."""
        now_us, peer = self.loop.now_us, self._peer
        if self._next is not None:
            self._next.cancel()
        self.dozing = False
        self._peer = None
        elapsed = (now_us - self.anchor_us(self.counter)) // self._local_us(1)
        counter = self.counter + max(0, elapsed)
        while self.anchor_us(counter) <= now_us:
            counter += 1
        heard = self.counter - 1
        if peer is not None:
            stride = peer.latency + 1
            exchanged = max(0, (counter - self._peer_counter + stride - 1) // stride)
            last = self._peer_counter + (exchanged - 1) * stride
            last_us = self.anchor_us(last) if exchanged else None
            if last_us is not None:
                idle_us = air_time_us(2, self.link.rx_phy)
                heard_us = last_us + air_time_us(2, self.link.tx_phy)
                self.link.skip(exchanged, heard_us + T_IFS_US + idle_us)
                peer.link.skip(exchanged, heard_us)
                heard = last
            peer.wake_up(last, last_us)
        self.counter = counter
        self.link.unanswered(counter - 1 - heard)
        self._next = self.loop.at_us(self.anchor_us(counter), self._anchor)

    def stop(self) -> None:
        """No more events."""
        if self.dozing:
            self._wake()
        super().stop()


class PeripheralEvents(ConnectionEvents):
    """The peripheral: it listens around the anchor it expects, and follows what it hears."""

    def __init__(self, link: LinkConnection, params: ConnectParams, first_anchor_us: int) -> None:
        super().__init__(link, params)
        self.sca_ppm = SCA_PPM[params.sca & 7] + link.controller.sca_ppm
        self._sync_us = first_anchor_us  # the last anchor heard ...
        self._sync_counter = 0  # ... and its event
        self._heard_anchor = True  # in this event
        self._offset_us = 0  # the anchor is expected this much later, after a change
        self._window_us = params.win_size * UNIT_US  # how much later still it may come
        self._latest_us = 0
        self._heard_md = 0
        self._dozing_with: CentralEvents | None = None
        self._plan()

    @property
    def between_events(self) -> bool:
        """Whether the radio is off until the next window."""
        return self._channel is None

    @property
    def next_us(self) -> int:
        """When the next event is expected to begin, or the current one was."""
        return self._expected_us(self.counter)

    def change(self, interval: int, latency: int, offset: int, size: int) -> None:
        """New interval from this event on: the anchor comes `offset` later, within `size` (1.25 ms units)."""
        self._sync_us = self._expected_us(self.counter) + offset * UNIT_US
        self._sync_counter = self.counter
        self._offset_us = 0
        self._window_us = size * UNIT_US
        self.interval_us = interval * UNIT_US
        self.latency = latency

    def kick(self) -> None:
        """There is something to send: listen at the next event, not after the latency."""
        if self._dozing_with is not None:
            self._dozing_with.kick()
        if not self.between_events or self._next is None:
            return
        counter = self._last_counter + 1
        while counter < self.counter and self._window_start_us(counter) < self.loop.now_us:
            counter += 1
        if counter < self.counter:
            self._next.cancel()
            self.counter = counter
            self._plan()

    _last_counter = -1  # of the last event that was listened to

    def _expected_us(self, counter: int) -> int:
        return self._sync_us + self._local_us(counter - self._sync_counter)

    def _widening_us(self, expected_us: int) -> int:
        """Vol 6 Part B, 4.2.4; at half an interval the connection is lost anyway."""
        drift_us = -(-self.sca_ppm * (expected_us - self._sync_us) // MILLION)
        return min(max(drift_us, 0) + JITTER_US, self.interval_us // 2 - T_IFS_US)

    def _window_start_us(self, counter: int) -> int:
        expected_us = self._expected_us(counter)
        return expected_us - self._widening_us(expected_us)

    def _plan(self) -> None:
        """Open the window of event `counter` in time."""
        start_us = max(self._window_start_us(self.counter), self.loop.now_us)
        self._next = self.loop.at_us(start_us, self._listen)

    def _listen(self) -> None:
        self._last_counter = self.counter
        expected_us = self._expected_us(self.counter)
        self._latest_us = expected_us + self._widening_us(expected_us) + self._window_us
        self._heard_anchor = False
        self._enter_channel()
        self._next = self.loop.at_us(self._latest_us + self._rx_max_us, self._timed_out)

    def _timed_out(self) -> None:
        self._close(heard=False)

    def on_packet(self, reception: Reception) -> None:
        """Take a packet of the central; answer it T_IFS later."""
        channel = self._channel
        sent = reception.transmission
        if channel is None or sent.channel != channel:
            return
        if not self._heard_anchor:
            if sent.start_us > self._latest_us:
                return  # outside the window: the receiver is off already
            self._heard_anchor = True
            self._sync_us, self._sync_counter = sent.start_us, self.counter
            self._window_us = 0
        if self._next is not None:
            self._next.cancel()
        pdu = sent.meta
        self.link.process(pdu, reception.rssi_dbm)
        if not self.link.closed:
            self._heard_md = pdu.md
            self._next = self.loop.at_us(sent.end_us + T_IFS_US, self._answer, channel)

    def _answer(self, channel: int) -> None:
        end_us = self._send(channel)
        if end_us is not None and (self._heard_md or self._sent_md):
            timeout_us = end_us + T_IFS_US + self._rx_max_us + SETTLE_US
            self._next = self.loop.at_us(timeout_us, self._timed_out)
        else:
            self._close(heard=True)

    def _close(self, *, heard: bool) -> None:
        self._leave_channel()
        heard = heard or self._heard_anchor
        link = self.link
        link.missed = 0 if heard else link.missed + 1
        if self._gone():
            return
        step = self.latency + 1 if self.latency and heard and link.may_sleep() else 1
        if self._instants:
            step = max(1, min(step, self._instants[0][0] - self.counter))
        self.counter += step
        if self._instants:
            self._run_instants()
            if link.closed:
                return
        self._plan()

    # Dozing, led by the central

    def fall_asleep(self, central: CentralEvents) -> None:
        """Listen to nothing until `central` says."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self.dozing, self._dozing_with = True, central

    def wake_up(self, last: int, last_us: int | None) -> None:
        """Go on; `last` is the last event that was left out and would have been heard, at `last_us` (None = none)."""
        self.dozing, self._dozing_with = False, None
        if last_us is not None:
            self._sync_us, self._sync_counter = last_us, last
            self._last_counter = last
            self.counter = last + self.latency + 1
        self._plan()

    def stop(self) -> None:
        """No more events."""
        if self._dozing_with is not None:
            self._dozing_with.kick()
        super().stop()
