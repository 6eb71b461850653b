"""Connection events: what both sides of a connection share of when they send and listen, and on which channel.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.2.2 (clock accuracy), 4.5.1 to 4.5.10. Rules of the file:
* The central sends first, at its anchor points; the peripheral answers T_IFS later; either goes on while one of the
  two said More Data. A packet that does not come closes the event.
* Each side counts events and time by its own clock: `clock_ppm` is how fast it really runs, `sca_ppm` how badly the
  peripheral must expect both to run (window widening).
* `counter` is the number of the current event, between events of the next; it does not wrap here, only on the air.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.ble.channel_selection import selector
from sim.ble.ll_opcodes import ErrorCode
from sim.ble.pdus import air_time_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.ble.connection import LinkConnection
    from sim.ble.pdus import ConnectParams
    from sim.ble.radio import BleRadio
    from sim.clock import Event, VirtualLoop

__all__ = ["MILLION", "PDU_EXTRA", "SETTLE_US", "UNIT_US", "ConnectionEvents"]

UNIT_US = 1250
SETTLE_US = 4  # after T_IFS the answer may begin 2 us early or late (4.2.1)
EVENTS_TO_ESTABLISH = 6
MILLION = 1_000_000
PDU_EXTRA = 2 + 4  # octets of header and MIC


class ConnectionEvents:
    """What both roles share: counting, channels, instants."""

    def __init__(self, link: LinkConnection, params: ConnectParams) -> None:
        controller = link.controller
        self.link = link
        self.loop: VirtualLoop = controller.loop
        self.radio: BleRadio = controller.radio
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

    def _advance(self, events: int) -> None:
        """Count on, no further than to what changes at an instant, and change it."""
        instants = self._instants
        if instants:
            events = max(1, min(events, instants[0][0] - self.counter))
        self.counter += events
        if instants:
            self._run_instants()

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

    def send(self, channel: int) -> int | None:
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
