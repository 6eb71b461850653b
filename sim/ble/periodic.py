"""Periodic advertising: trains, and the synchronisation of a scanner to them.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.4.2.12, 4.4.3.4, 4.4.5.1 (synchronisation state), 4.2 (clocks). Rules
of the file:
* The interval used is the minimum that the host allows. A train starts when its set first advertises, and goes on
  when the set stops, until it is disabled itself.
* Channels follow algorithm #2 with all data channels; access address and CRC init come from "ble/<node>/periodic".
* A synchronisation is established by the first packet heard (given up with 0x3E after six events), lost when none
  was heard for the timeout. The receiver widens its window by both clocks' accuracy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.ble.aux_advertising import PacketPlan, plan_chain
from sim.ble.channel_selection import Hop2
from sim.ble.ext_pdus import ExtPdu, SyncInfo
from sim.ble.initiator import access_address
from sim.ble.listening import LONGEST_US

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Reception
    from sim.ble.advertiser import AdvertisingSet
    from sim.ble.controller import AirController
    from sim.ble.pdus import Addr
    from sim.clock import Event

__all__ = ["PeriodicSync", "PeriodicTrain"]

UNIT_US = 1250
MILLION = 1_000_000
SCA_50_PPM = 5
SCA_PPM = (500, 250, 150, 100, 75, 50, 30, 20)
ALL_CHANNELS = b"\xff\xff\xff\xff\x1f"
FIRST_DELAY_US = 5_000  # from the start of the set to the first packet of its train
NEAREST_US = 1_000  # SyncInfo points to an event at least that far away
FARTHEST_US = 4_900_000  # what its offset field can say
JITTER_US = 16
EVENTS_TO_ESTABLISH = 6
SYNC_LOST, SYNC_REPORT = 0x10, 0x0F
MAX_REPORT_DATA = 247
COMPLETE, MORE, TRUNCATED = 0, 1, 2
NO_CTE, NO_POWER, NO_RSSI = 0xFF, 127, 127
TX_POWER = 0x40


class PeriodicTrain:
    """The train of a set; `interval` in 1.25 ms units."""

    def __init__(
        self, one: AdvertisingSet, controller: AirController, interval: int, properties: int
    ) -> None:
        self._set = one
        self._controller = controller
        self._loop = controller.loop
        self.interval = interval
        self.properties = properties
        self.data = b""
        self.part: bytes | None = None
        """Data of which the last fragment is still to come."""
        self.enabled = False
        stream = f"ble/{controller.name}/periodic"
        self._draw = controller.streams.stream(stream)
        self._access_address = access_address(controller.streams, stream)
        self._crc_init = self._draw.getrandbits(24)
        self._hop = Hop2(self._access_address, ALL_CHANNELS)
        self._timer: Event | None = None
        self._base_us: int | None = None
        self._counter = 0

    def enable(self) -> None:
        """Run as soon as the set advertises."""
        self.enabled = True
        if self._set.enabled:
            self.set_started()

    def set_started(self) -> None:
        """The set advertises now."""
        if self.enabled and self._base_us is None:
            self._base_us = self._loop.now_us + FIRST_DELAY_US
            self._counter = 0
            self._timer = self._loop.at_us(self._base_us, self._event)

    def stop(self) -> None:
        """No more packets."""
        self.enabled = False
        self._base_us = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _anchor_us(self, counter: int) -> int:
        assert self._base_us is not None  # noqa: S101 # only asked while running
        length = counter * self.interval * UNIT_US
        return self._base_us + length + length * self._controller.clock_ppm // MILLION

    def sync_info(self, at_us: int) -> SyncInfo | None:
        """Pointer to the train for a packet that starts at `at_us`; None while it does not run or is too far away."""
        if self._base_us is None:
            return None
        counter = self._counter
        while self._anchor_us(counter) < at_us + NEAREST_US:
            counter += 1
        offset_us = self._anchor_us(counter) - at_us
        if offset_us > FARTHEST_US:
            return None
        return SyncInfo(
            offset_us=offset_us,
            interval=self.interval,
            channel_map=ALL_CHANNELS,
            sca=SCA_50_PPM,
            access_address=self._access_address,
            crc_init=self._crc_init,
            event_counter=counter & 0xFFFF,
        )

    def _event(self) -> None:
        params = self._set.params
        assert params is not None  # noqa: S101 # a set that has started has parameters
        channel = self._hop.channel(self._counter & 0xFFFF)
        first: dict[str, Any] = (
            {"tx_power_dbm": self._set.power_dbm} if self.properties & TX_POWER else {}
        )
        where = {"access_address": self._access_address, "crc_init": self._crc_init}
        now_us = self._loop.now_us
        chain = plan_chain(
            first, {}, self.data, params.secondary_phy, channel, now_us, self._aux_channel, **where
        )
        self._counter += 1
        self._send(chain)

    def _aux_channel(self) -> int:
        return self._draw.randrange(37)

    def _send(self, chain: list[PacketPlan]) -> None:
        step, *rest = chain
        sent = self._controller.radio.send(step.channel, step.packet, power_dbm=self._set.power_dbm)
        if rest and sent is not None:
            self._timer = self._loop.at_us(rest[0].start_us, self._send, rest)
        else:
            self._timer = self._loop.at_us(
                max(self._anchor_us(self._counter), self._loop.now_us), self._event
            )


class PeriodicSync:
    """A scanner's synchronisation to one train; `done(sync, status)` is called once it is established or given up."""

    def __init__(
        self,
        controller: AirController,
        handle: int,
        info: ExtPdu,
        start_us: int,
        options: SyncOptions,
        done: Callable[[PeriodicSync, int], None],
        lost: Callable[[PeriodicSync], None],
    ) -> None:
        sync = info.sync
        assert sync is not None  # noqa: S101 # the caller looked
        self._controller = controller
        self._loop = controller.loop
        self.handle = handle
        self.sid = info.sid
        self.phy = info.phy
        self.address: Addr = options.address
        self.interval = sync.interval
        self.sca = sync.sca
        self.reporting = options.reporting
        self._skip = options.skip
        self._timeout_us = options.timeout_us
        self._done = done
        self._lost = lost
        self._access_address = sync.access_address
        self._hop = Hop2(sync.access_address, sync.channel_map)
        self._ppm = SCA_PPM[sync.sca] + controller.sca_ppm
        self._anchor_us = start_us + sync.offset_us  # of event `_counter`
        self._slack_us = (
            300 if sync.offset_us >= 245_700 else 30
        )  # the offset is rounded down to its unit
        self._counter = sync.event_counter
        self._heard_us = start_us
        self._established = False
        self._missed = 0
        self._channel: int | None = None
        self._chained = False
        self._timer: Event | None = None
        controller.radio.route(sync.access_address, self._on_packet)
        self._plan()

    def stop(self) -> None:
        """Hear no more of the train."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._close()
        self._controller.radio.unroute(self._access_address)

    def _close(self) -> None:
        if self._channel is not None:
            self._controller.radio.deafen(self._channel)
            self._channel = None

    # One event

    def _plan(self) -> None:
        widening = JITTER_US + self._ppm * (self._anchor_us - self._heard_us) // MILLION
        opens_us = max(self._anchor_us - widening, self._loop.now_us)
        closes_us = self._anchor_us + self._slack_us + widening + LONGEST_US[self.phy]
        self._chained = False
        self._timer = self._loop.at_us(
            opens_us, self._listen, self._hop.channel(self._counter & 0xFFFF), closes_us
        )

    def _listen(self, channel: int, closes_us: int) -> None:
        self._channel = channel
        self._controller.radio.listen(channel)
        self._timer = self._loop.at_us(closes_us, self._nothing)

    def _nothing(self) -> None:
        self._close()
        if self._chained:
            self._report(b"", NO_RSSI, TRUNCATED, None)
        else:
            self._missed += 1
            if not self._established and self._missed >= EVENTS_TO_ESTABLISH:
                self._done(self, 0x3E)
                return
            if self._established and self._loop.now_us - self._heard_us >= self._timeout_us:
                self._lost(self)
                return
        self._advance(1)

    def _advance(self, events: int) -> None:
        self._counter += events
        self._anchor_us += events * self.interval * UNIT_US
        self._plan()

    def _on_packet(self, reception: Reception) -> None:
        sent = reception.transmission
        packet = sent.meta
        if (
            sent.channel != self._channel
            or not isinstance(packet, ExtPdu)
            or packet.phy != self.phy
        ):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._close()
        if not self._chained:
            self._anchor_us = self._heard_us = sent.start_us
            self._slack_us = 0
            self._missed = 0
            if not self._established:
                self._established = True
                self._done(self, 0)
        status = MORE if packet.aux is not None else COMPLETE
        self._report(packet.body, reception.rssi_dbm, status, packet.tx_power_dbm)
        if packet.aux is not None:
            self._chained = True
            at_us = sent.start_us + packet.aux.offset_us
            closes_us = at_us + packet.aux.unit_us + LONGEST_US[packet.aux.phy]
            self._timer = self._loop.at_us(
                max(at_us - JITTER_US, self._loop.now_us),
                self._listen,
                packet.aux.channel,
                closes_us,
            )
        else:
            self._advance(1 + self._skip)

    def _report(self, data: bytes, rssi_dbm: int, status: int, tx_power_dbm: int | None) -> None:
        if not self.reporting:
            return
        while True:
            part, data = data[:MAX_REPORT_DATA], data[MAX_REPORT_DATA:]
            power = NO_POWER if tx_power_dbm is None else tx_power_dbm
            head = self.handle.to_bytes(2, "little") + bytes(
                (power & 0xFF, rssi_dbm & 0xFF, NO_CTE)
            )
            this = MORE if data else status
            self._controller.send_le_event(SYNC_REPORT, head + bytes((this, len(part))) + part)
            if not data:
                return


class SyncOptions:
    """What the host wants of a synchronisation."""

    def __init__(self, address: Addr, *, skip: int, timeout_us: int, reporting: bool) -> None:
        self.address = address
        self.skip = skip
        self.timeout_us = timeout_us
        self.reporting = reporting
