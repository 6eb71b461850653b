"""Advertising sets: events on the air, answers to scan requests, acceptance of connections.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.4.2 (advertising state), 2.3 (PDUs). Rules of the file:
* The interval used is the minimum that the host allows, as real controllers choose; each event is delayed by a
  further 0..10 ms from the stream "ble/<node>/adv_delay" (not so high duty cycle directed advertising).
* A set that can be answered listens on the channel of each PDU until a CONNECT_IND would have ended, before it goes
  to the next channel; one that cannot goes on after `GAP_US`.
* Sets share one radio: an event that falls into another set's event starts when that one has ended. A PDU that finds
  the radio busy (a connection) is skipped.
* The legacy commands drive a set too: `legacy`, whose handle is None.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from sim.ble.adv_params import (
    CONNECTABLE,
    DIRECTED,
    HIGH_DUTY,
    LEGACY,
    LEGACY_KINDS,
    SCANNABLE,
    AdvParams,
)
from sim.ble.aux_advertising import PacketPlan, plan_event, plan_scan_response
from sim.ble.ext_pdus import ExtPdu, extended_pdu
from sim.ble.pdus import (
    T_IFS_US,
    Addr,
    AdvPdu,
    ConnectionRole,
    ConnectParams,
    LLPacket,
    PduType,
    advertising_pdu,
    air_time_us,
)

if TYPE_CHECKING:
    from sim.air import Reception
    from sim.ble.controller import AirController
    from sim.ble.periodic import PeriodicTrain
    from sim.clock import Event

__all__ = ["Advertiser", "AdvertisingSet"]

GAP_US = 200  # between PDUs of an event that nobody can answer; real controllers: 150..400
CONNECT_IND_OCTETS = 36
SLACK_US = 20
MAX_DELAY_US = 10_000
HIGH_DUTY_US, HIGH_DUTY_LIMIT_US = 3_750, 1_280_000
ADVERTISING_TIMEOUT, LIMIT_REACHED = 0x3C, 0x43
SCAN_REQUEST_RECEIVED, SET_TERMINATED = 0x13, 0x12
FILTER_SCANS, FILTER_CONNECTS = 1, 2


class AdvertisingSet:
    """One set: parameters, data and the event going on; `handle` is None for the legacy commands' set."""

    def __init__(self, advertiser: Advertiser, handle: int | None) -> None:
        self._advertiser = advertiser
        self._controller = advertiser.controller
        self._loop = advertiser.controller.loop
        self.handle = handle
        self.params: AdvParams | None = None
        self.data = b""
        self.scan_response = b""
        self.random: Addr | None = None
        self.did = advertiser.next_did(0)
        self.parts: dict[str, bytes] = {}
        """Data of which the last fragment is still to come, by field."""
        self.periodic: PeriodicTrain | None = None
        self.enabled = False
        self.max_events = 0
        self._events = 0
        self._timer: Event | None = None
        self._expiry: Event | None = None
        self._due_us = 0
        self._own: Addr = b""
        self._steps: list[PacketPlan] = []
        self._step = 0
        self._channel: int | None = None
        self._built: tuple[object, AdvPdu] | None = None

    # Life

    def own_address(self) -> Addr | None:
        """Address for the next event; None when the host has set none."""
        params = self.params
        if params is None:
            return None
        random = self._controller.addresses.random if self.handle is None else self.random
        peer = params.peer
        return self._controller.addresses.own(
            params.own_type, self._loop.now_us, random=random, peer=peer
        )

    def target(self, params: AdvParams) -> Addr:
        """Address on the air of the peer that the set is directed to; empty when it is not directed."""
        if not params.properties & DIRECTED:
            return b""
        return self._controller.addresses.aim(params.peer, self._loop.now_us)

    @property
    def power_dbm(self) -> int:
        """Transmit power in use."""
        chosen = self.params.power_dbm if self.params is not None else None
        return self._controller.radio.tx_power_dbm if chosen is None else chosen

    def start(self, duration_us: int = 0, max_events: int = 0) -> None:
        """Advertise from now; an earlier start of the same set ends silently. 0 = without limit."""
        self.stop()
        assert self.params is not None  # noqa: S101 # checked by the command
        self.enabled = True
        self.max_events = max_events
        self._events = 0
        if self.params.properties & HIGH_DUTY:
            duration_us = min(duration_us or HIGH_DUTY_LIMIT_US, HIGH_DUTY_LIMIT_US)
        if duration_us:
            self._expiry = self._loop.after_us(duration_us, self._terminate, ADVERTISING_TIMEOUT)
        self._timer = self._loop.after_us(self._advertiser.delay_us(), self._begin)
        if self.periodic is not None:
            self.periodic.set_started()

    def stop(self) -> None:
        """Stop without a word to the host; an event going on is cut short."""
        self.enabled = False
        for event in (self._timer, self._expiry):
            if event is not None:
                event.cancel()
        self._timer = self._expiry = None
        self._close()
        self._advertiser.release(self)

    def _terminate(self, status: int) -> None:
        self.stop()
        if self.handle is not None:
            self._controller.send_le_event(
                SET_TERMINATED, bytes((status, self.handle, 0, 0, self._events & 0xFF))
            )
        elif status == ADVERTISING_TIMEOUT:
            self._controller.report_connection_failure(
                ADVERTISING_TIMEOUT, ConnectionRole.PERIPHERAL
            )

    # One event

    def _begin(self) -> None:
        self._timer = None
        self._advertiser.request(self)

    def run(self) -> None:
        """Do one advertising event, now; the radio is ours until `release`."""
        params = self.params
        own = self.own_address()
        if params is None or own is None:
            self._finish()
            return
        now_us = self._loop.now_us
        if params.properties & HIGH_DUTY:
            self._due_us = now_us + HIGH_DUTY_US
        else:
            self._due_us = now_us + params.interval_us + self._advertiser.delay_us()
        self._own = own
        if params.properties & LEGACY:
            pdu = self._legacy_pdu(params, own)
            self._steps = [
                PacketPlan(0, channel, pdu, answerable=params.properties & 3 != 0)
                for channel in params.channels
            ]
        else:
            self._steps = plan_event(self, params, own, now_us, self._advertiser.aux_channel)
        self._step = 0
        self._send()

    def _legacy_pdu(self, params: AdvParams, own: Addr) -> AdvPdu:
        key = (own, self.data, params)
        if self._built is not None and self._built[0] == key and not params.properties & DIRECTED:
            return self._built[1]
        kind = LEGACY_KINDS[params.properties & (CONNECTABLE | SCANNABLE | DIRECTED)]
        chsel = bool(params.properties & CONNECTABLE)
        if params.properties & DIRECTED:
            pdu = advertising_pdu(kind, own, peer_a=self.target(params), ch_sel=chsel)
        else:
            pdu = advertising_pdu(kind, own, self.data, ch_sel=chsel)
        self._built = (key, pdu)
        return pdu

    def _send(self) -> None:
        step = self._steps[self._step]
        radio = self._controller.radio
        assert self.params is not None  # noqa: S101 # an event runs with parameters
        if step.answerable:
            self._channel = step.channel
            radio.listen(step.channel)
        end_us = radio.send(step.channel, step.packet, power_dbm=self.params.power_dbm)
        if end_us is None:
            end_us = self._loop.now_us + step.packet.duration_us
        phy = step.packet.phy
        pause_us = (
            T_IFS_US + air_time_us(CONNECT_IND_OCTETS, phy) + SLACK_US
            if step.answerable
            else GAP_US
        )
        self._timer = self._loop.at_us(max(end_us + pause_us, self._next_start()), self._next)

    def _next_start(self) -> int:
        following = self._step + 1
        return self._steps[following].start_us if following < len(self._steps) else 0

    def _next(self) -> None:
        self._timer = None
        self._close()
        self._step += 1
        if self._step < len(self._steps):
            self._send()
        else:
            self._finish()

    def _close(self) -> None:
        if self._channel is not None:
            self._controller.radio.deafen(self._channel)
            self._channel = None

    def _finish(self) -> None:
        self._events += 1
        if self.max_events and self._events >= self.max_events:
            self._terminate(LIMIT_REACHED)
            return
        self._timer = self._loop.at_us(max(self._due_us, self._loop.now_us + 1), self._begin)
        self._advertiser.release(self)

    # Answers

    def on_packet(self, reception: Reception, packet: AdvPdu) -> None:
        """SCAN_REQ or CONNECT_IND (or their AUX_ twins) heard during our event."""
        params = self.params
        if (
            params is None
            or reception.transmission.channel != self._channel
            or packet.adv_a != self._own
            or packet.phy != self._steps[self._step].packet.phy
        ):
            return
        addresses = self._controller.addresses
        peer = addresses.identity(packet.peer_a)
        if not addresses.welcome(packet.peer_a, peer):
            return
        if packet.kind == PduType.SCAN_REQ and params.properties & SCANNABLE:
            if not params.filter_policy & FILTER_SCANS or addresses.accepted(peer):
                self._on_scan_request(params, peer, packet)
        elif packet.connect is not None and params.properties & CONNECTABLE:
            if params.properties & DIRECTED:
                if bytes((peer[0] & 1,)) + peer[1:] != params.peer:
                    return
            elif params.filter_policy & FILTER_CONNECTS and not addresses.accepted(peer):
                return
            self._on_connect(packet, peer, packet.connect)

    def _answer_at_t_ifs(self, callback: object, *args: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.after_us(T_IFS_US, callback, *args)  # type: ignore[arg-type]  # a bound method

    def _on_scan_request(self, params: AdvParams, peer: Addr, packet: AdvPdu) -> None:
        if params.notify_scans and self.handle is not None:
            self._controller.send_le_event(SCAN_REQUEST_RECEIVED, bytes((self.handle,)) + peer)
        if params.properties & LEGACY:
            answer = PacketPlan(
                0,
                self._steps[self._step].channel,
                advertising_pdu(PduType.SCAN_RSP, self._own, self.scan_response),
            )
            steps = [answer]
        else:
            channel = self._steps[self._step].channel
            start_us = self._loop.now_us + T_IFS_US
            steps = plan_scan_response(
                self, params, self._own, channel, start_us, self._advertiser.aux_channel
            )
        self._steps[self._step + 1 : self._step + 1] = steps
        self._answer_at_t_ifs(self._next)

    def _on_connect(self, packet: AdvPdu, peer: Addr, connect: ConnectParams) -> None:
        aux = isinstance(self._steps[self._step].packet, ExtPdu)
        now_us = self._loop.now_us
        if aux:
            response: LLPacket = extended_pdu(
                kind=PduType.AUX_CONNECT_RSP, adv_a=self._own, peer_a=packet.peer_a, phy=packet.phy
            )
            self._answer_at_t_ifs(self._accept, packet, peer, connect, now_us, response)
        else:
            self._accept(packet, peer, connect, now_us, None)

    def _accept(
        self,
        packet: AdvPdu,
        peer: Addr,
        connect: ConnectParams,
        heard_us: int,
        response: LLPacket | None,
    ) -> None:
        channel = self._steps[self._step].channel
        own = self._own
        if (
            response is not None
        ):  # first: stopping hands the radio to the next set that waits for it
            self._controller.radio.send(channel, response)
        self.stop()
        csa2 = packet.ch_sel or response is not None
        params = msgspec.structs.replace(connect, csa2=csa2, phy=packet.phy)
        link = self._controller.link_up(
            ConnectionRole.PERIPHERAL,
            own,
            packet.peer_a,
            params,
            heard_us,
            aux=response is not None,
        )
        if self.handle is not None:  # events are counted for a duration or a limit only (7.7.65.18)
            terminated = bytes((0, self.handle)) + link.handle.to_bytes(2, "little") + b"\0"
            self._controller.send_le_event(SET_TERMINATED, terminated)
        self._controller.report_channel_selection(link.handle, csa2=csa2)


class Advertiser:
    """The sets of a controller, and whose turn it is on the radio."""

    def __init__(self, controller: AirController) -> None:
        self.controller = controller
        self._delays = controller.streams.stream(f"ble/{controller.name}/adv_delay")
        self._channels = controller.streams.stream(f"ble/{controller.name}/aux_channel")
        self.sets: dict[int, AdvertisingSet] = {}
        self.legacy = AdvertisingSet(self, None)
        self._active: AdvertisingSet | None = None
        self._waiting: deque[AdvertisingSet] = deque()

    def delay_us(self) -> int:
        """Draw an advDelay."""
        return self._delays.randrange(MAX_DELAY_US + 1)

    def next_did(self, before: int) -> int:
        """Another Advertising Data ID than `before`."""
        return (before + 1 + self._channels.randrange(0xFFE)) & 0xFFF

    def aux_channel(self) -> int:
        """Draw a secondary channel."""
        return self._channels.randrange(37)

    def all_sets(self) -> list[AdvertisingSet]:
        """The legacy set and all others."""
        return [self.legacy, *self.sets.values()]

    @property
    def enabled(self) -> bool:
        """Whether any set advertises."""
        return any(one.enabled for one in self.all_sets())

    def reset(self) -> None:
        """Stop and forget everything."""
        for one in self.all_sets():
            one.stop()
            if one.periodic is not None:
                one.periodic.stop()
        self.sets.clear()
        self.legacy = AdvertisingSet(self, None)

    def request(self, one: AdvertisingSet) -> None:
        """Run an event of `one` as soon as no other set is in the middle of one."""
        if self._active is None:
            self._active = one
            one.run()
        else:
            self._waiting.append(one)

    def release(self, one: AdvertisingSet) -> None:
        """`one` has ended its event, or stopped."""
        if one in self._waiting:
            self._waiting.remove(one)
        if self._active is one:
            self._active = None
            if self._waiting:
                self.request(self._waiting.popleft())

    def on_air(self, reception: Reception, packet: AdvPdu | ExtPdu) -> None:
        """Requests that could be for the set in the middle of its event."""
        if self._active is not None and packet.kind in (PduType.SCAN_REQ, PduType.CONNECT_IND):
            assert isinstance(packet, AdvPdu)  # noqa: S101 # these kinds are
            self._active.on_packet(reception, packet)
