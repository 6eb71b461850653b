"""Connection events of the central, and the shortcut through idle ones.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.5.1 and 4.5.7. Rules of the file:
* The central sets the anchor points; it goes on within an event while one of the two said More Data and one more
  exchange fits before the next anchor. Of several connections due at once the most neglected goes first.
* Dozing is an exact shortcut. When both sides have nothing to send and an idle exchange cannot fail or disturb
  anybody (no loss, no fading, no observer, nobody moving, the radios used by this connection alone), the exchanges
  of empty PDUs in between are not sent: counters, sequence numbers, anchors and supervision times afterwards are
  those that the exchanges would have left, and no random number is drawn by either way. A real exchange at least
  every second, and every quarter of the supervision timeout, checks that the peer is still there: a radio that is
  moved away, begins to scan or is observed in between is noticed then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.ble.connection_events import PDU_EXTRA, SETTLE_US, UNIT_US, ConnectionEvents
from sim.ble.pdus import T_IFS_US, air_time_us
from sim.ble.peripheral_events import PeripheralEvents

if TYPE_CHECKING:
    from sim.air import Reception
    from sim.ble.connection import LinkConnection
    from sim.ble.pdus import ConnectParams

__all__ = ["CentralEvents"]

MAX_DOZE_US = 1_000_000


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
        end_us = self.send(channel)
        if end_us is None:
            self._close(heard=False)
        else:
            timeout_us = end_us + T_IFS_US + self._rx_max_us + SETTLE_US
            limit_us = max(self.anchor_us(self.counter + 1) - 1, end_us)
            self._next = self.loop.at_us(min(timeout_us, limit_us), self._timed_out)

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
        self._advance(1)
        while not self.link.closed and self.anchor_us(self.counter) < self.loop.now_us:
            self._advance(1)  # the event took longer than the interval
        if not self.link.closed and not (heard and self._doze()):
            self._next = self.loop.at_us(self.anchor_us(self.counter), self._anchor)

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
        answered_us = self._idle_us() + air_time_us(2, link.rx_phy)
        self._next = self.loop.at_us(self.anchor_us(wake - 1) + answered_us, self._wake)
        return True

    def _idle_us(self) -> int:
        """From the anchor of an idle event to the answer."""
        return air_time_us(2, self.link.tx_phy) + T_IFS_US

    def _wake(self) -> None:
        """Be where the idle events would have led to, and go on: with the next one, or amid one."""
        peer, now_us = self._peer, self.loop.now_us
        if peer is None:
            return
        if self._next is not None:
            self._next.cancel()
        self.dozing, self._peer = False, None
        elapsed = (now_us - self.anchor_us(self.counter)) // self._local_us(1)
        counter = self.counter + max(0, elapsed)
        while self.anchor_us(counter) <= now_us:
            counter += 1
        first, stride = self._peer_counter, peer.latency + 1
        current = counter - 1
        amid = (
            current >= max(first, self.counter)
            and (current - first) % stride == 0
            and now_us < self.anchor_us(current) + self._idle_us()
        )
        end = current if amid else counter  # the events before this one are over
        exchanged = max(0, -(-(end - first) // stride))
        last, heard = first + (exchanged - 1) * stride, self.counter - 1
        if exchanged:
            heard, last_us = last, self.anchor_us(last)
            asked_us = last_us + air_time_us(2, self.link.tx_phy)
            answered_us = last_us + self._idle_us() + air_time_us(2, self.link.rx_phy)
            self.link.skip(exchanged, answered_us)
            peer.link.skip(exchanged, asked_us)
            peer.wake_up(last, last_us)
        else:
            peer.wake_up(None, 0)
        self.counter = end
        self.link.unanswered(end - 1 - heard)
        if amid:
            self._resume(peer)
        else:
            self._next = self.loop.at_us(self.anchor_us(counter), self._anchor)

    def _resume(self, peer: PeripheralEvents) -> None:
        """Be between the empty packet of this event, left out, and the peripheral's answer, which is not."""
        anchor_us = self.anchor_us(self.counter)
        pdu = self.link.build_empty()
        self._sent_md = 0
        self._enter_channel()
        answer_us = anchor_us + self._idle_us()
        self._next = self.loop.at_us(answer_us + self._rx_max_us + SETTLE_US, self._timed_out)
        peer.resume(anchor_us, answer_us, pdu)

    def stop(self) -> None:
        """No more events."""
        if self.dozing:
            self._wake()
        super().stop()
