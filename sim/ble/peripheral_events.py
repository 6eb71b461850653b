"""Connection events of the peripheral: windows, widening, latency.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.2.4 (window widening), 4.5.1, 4.5.4 (latency) and 4.5.7. Rules of
the file:
* The first packet heard in the window is the anchor, and sets the local clock right.
* Latency is used only while there is nothing to send, no procedure runs, and the last event was heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.ble.connection_events import MILLION, SETTLE_US, UNIT_US, ConnectionEvents
from sim.ble.pdus import T_IFS_US

if TYPE_CHECKING:
    from sim.air import Reception
    from sim.ble.central_events import CentralEvents
    from sim.ble.connection import LinkConnection
    from sim.ble.pdus import ConnectParams, DataPdu

__all__ = ["SCA_PPM", "PeripheralEvents"]

SCA_PPM = (500, 250, 150, 100, 75, 50, 30, 20)  # of the SCA field of CONNECT_IND (2.3.3.1)
JITTER_US = 16  # what window widening adds for the active clock


class PeripheralEvents(ConnectionEvents):
    """The peripheral: it listens around the anchor it expects, and follows what it hears."""

    def __init__(self, link: LinkConnection, params: ConnectParams, first_anchor_us: int) -> None:
        super().__init__(link, params)
        self.sca_ppm: int = SCA_PPM[params.sca & 7] + link.controller.sca_ppm
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
        self._latest_us = self._missed_us()
        self._heard_anchor = False
        self._enter_channel()
        self._wait(self._latest_us + self._rx_max_us)

    def _wait(self, until_us: int) -> None:
        """Give up at `until_us`, or when the next window opens: exchanges fit between two anchors."""
        limit_us = self._window_start_us(self.counter + 1)
        if limit_us > self._latest_us:
            until_us = max(min(until_us, limit_us), self.loop.now_us)
        self._next = self.loop.at_us(until_us, self._timed_out)

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
        end_us = self.send(channel)
        if end_us is not None and (self._heard_md or self._sent_md):
            self._wait(end_us + T_IFS_US + self._rx_max_us + SETTLE_US)
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
        self._advance(step)
        while not link.closed and self._missed_us() < self.loop.now_us:
            self._advance(1)  # the event took longer than the interval
        if not link.closed:
            self._plan()

    def _missed_us(self) -> int:
        """When the window of event `counter` closes."""
        expected_us = self._expected_us(self.counter)
        return expected_us + self._widening_us(expected_us) + self._window_us

    # Dozing, led by the central

    def fall_asleep(self, central: CentralEvents) -> None:
        """Listen to nothing until `central` says."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self.dozing, self._dozing_with = True, central

    def wake_up(self, last: int | None, last_us: int) -> None:
        """Go on; `last` is the last event that was left out and would have been heard, at `last_us` (None = none)."""
        self.dozing, self._dozing_with = False, None
        if last is not None:
            self._sync_us, self._sync_counter = last_us, last
            self._last_counter = last
            self.counter = last + self.latency + 1
        self._plan()

    def resume(self, anchor_us: int, answer_us: int, pdu: DataPdu) -> None:
        """Be amid event `counter`: `pdu`, begun at `anchor_us`, was heard; the answer goes at `answer_us`."""
        if self._next is not None:
            self._next.cancel()
        self._last_counter = self._sync_counter = self.counter
        self._sync_us = anchor_us
        self._heard_anchor, self._heard_md, self._window_us = True, pdu.md, 0
        channel = self._enter_channel()
        self.link.process(pdu, self.link.rssi_dbm)
        self.link.last_rx_us = answer_us - T_IFS_US
        self._next = self.loop.at_us(answer_us, self._answer, channel)

    def stop(self) -> None:
        """No more events."""
        if self._dozing_with is not None:
            self._dozing_with.kick()
        super().stop()
