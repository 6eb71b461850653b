"""Scanning: windows, filters, duplicates, scan requests with back-off, reports.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.4.3 and 4.3.3. Rules of the file:
* Commands of the legacy set give LE Advertising Reports of legacy PDUs only; the extended commands give extended
  reports of everything.
* Duplicates: the same address and the same kind of packet (advertisement or scan response); of extended advertising
  also the same ADI. Data is not compared, as in most controllers. A device whose scan response has been reported is
  not asked again while duplicates are filtered.
* A scan request is sent when the back-off count (stream "ble/<node>/scan_backoff") reaches 0 and the rest of the
  window leaves time for the answer. Two scanners in step on one channel can starve each other, as the back-off of
  the specification allows; the channel a scanner begins with is drawn, so that few are in step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sim.ble.aux_scanning import AuxScanning
from sim.ble.ext_pdus import ExtPdu
from sim.ble.listening import Windows
from sim.ble.lists import is_rpa
from sim.ble.pdus import T_IFS_US, Addr, AdvPdu, PduType, advertising_pdu, air_time_us
from sim.ble.reports import (
    DIRECTED_REPORT,
    EXTENDED_REPORT,
    LEGACY_EVENT,
    LEGACY_EXTENDED_EVENT,
    LEGACY_REPORT,
    directed_report,
    extended_report,
    legacy_report,
    scan_response_event,
)
from sim.clock import Event

if TYPE_CHECKING:
    from sim.air import Reception
    from sim.ble.controller import AirController

__all__ = ["ScanParams", "Scanner"]

SCAN_TIMEOUT = 0x11
SCAN_REQ_OCTETS, SCAN_RSP_OCTETS = 14, 39
EXCHANGE_US = 2 * T_IFS_US + air_time_us(SCAN_REQ_OCTETS, 1) + air_time_us(SCAN_RSP_OCTETS, 1)
SLACK_US = 20
MAX_BACKOFF = 256
UNRESOLVED_TARGET = 0xFE


class ScanParams(msgspec.Struct, frozen=True, gc=False):
    """Parameters of scanning; `interval` and `window` in 0.625 ms units."""

    active: bool = False
    interval: int = 16
    window: int = 16
    own_type: int = 0
    filter_policy: int = 0
    extended: bool = False
    phys: tuple[int, ...] = (1,)


class _Asked(msgspec.Struct):
    """A scan request in the air: whom, on which channel, what it had advertised as."""

    address: Addr
    channel: int
    kind: int
    timer: Event


class Scanner:
    """The scanner of a controller."""

    def __init__(self, controller: AirController) -> None:
        self.controller = controller
        self._loop = controller.loop
        self._backoff_stream = controller.streams.stream(f"ble/{controller.name}/scan_backoff")
        self._windows = Windows(
            controller.radio, controller.loop, self._backoff_stream.randrange(3)
        )
        self.aux = AuxScanning(self)
        self.params = ScanParams()
        self.enabled = False
        self._duplicates = 0
        self._seen: set[tuple[Addr, int, int]] = set()
        self._answered: set[Addr] = set()
        self._asked: _Asked | None = None
        self._timers: list[Event] = []
        self._reset_backoff()

    # Life

    def start(self, duplicates: int = 0, duration_us: int = 0, period_us: int = 0) -> None:
        """Scan from now. `duplicates` 1 = filter, 2 = filter anew each period; `duration_us` 0 = until stopped."""
        self.stop()
        self.enabled = True
        self._duplicates = duplicates
        self._seen.clear()
        self._answered.clear()
        self._reset_backoff()
        self._windows.start(self.params.interval, self.params.window)
        if duration_us:
            self._timers = [
                self._loop.after_us(duration_us, self._duration_over, duration_us, period_us)
            ]

    def stop(self) -> None:
        """Stop without a word to the host."""
        self.enabled = False
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        self._forget_request()
        self._windows.stop()
        self.aux.stop()

    def reset(self) -> None:
        """Stop, and forget the parameters."""
        self.stop()
        self.params = ScanParams()

    def _duration_over(self, duration_us: int, period_us: int) -> None:
        if not period_us:
            self.stop()
            self.controller.send_le_event(SCAN_TIMEOUT, b"")
            return
        self._windows.stop()
        self._timers = [
            self._loop.after_us(period_us - duration_us, self._next_period, duration_us, period_us)
        ]

    def _next_period(self, duration_us: int, period_us: int) -> None:
        if self._duplicates == 2:  # HCI value: reset each period
            self._seen.clear()
            self._answered.clear()
        self._windows.start(self.params.interval, self.params.window)
        self._timers = [
            self._loop.after_us(duration_us, self._duration_over, duration_us, period_us)
        ]

    # Packets

    def on_air(self, reception: Reception, packet: AdvPdu | ExtPdu) -> None:
        """Any packet of the advertising channels."""
        if not self.enabled:
            return
        channel = reception.transmission.channel
        if isinstance(packet, ExtPdu):
            if (
                channel == self._windows.channel
                and packet.aux is not None
                and packet.phy in self.params.phys
            ):
                if self.params.extended:
                    self.aux.point(reception, packet)
            elif channel == self._windows.channel and packet.kind == PduType.EXTENDED:
                if self.params.extended and packet.phy in self.params.phys:
                    self.aux.bare(reception, packet)
            else:
                self.aux.on_air(reception, packet)
        elif packet.kind == PduType.SCAN_RSP:
            self._on_scan_response(reception, packet)
        elif (
            channel == self._windows.channel
            and packet.kind in LEGACY_EVENT
            and 1 in self.params.phys
        ):
            self._on_advertisement(reception, packet)

    def filter(self, address: Addr) -> Addr | None:
        """Identity of an advertiser (type 2, 3 when resolved), None when its packets are to be ignored."""
        addresses = self.controller.addresses
        identity = addresses.identity(address)
        if not addresses.welcome(address, identity):
            return None
        if self.params.filter_policy & 1 and not addresses.accepted(identity):
            return None
        return identity

    def own_address(self, peer: Addr | None) -> Addr | None:
        """Own address in scan requests to `peer`."""
        addresses = self.controller.addresses
        return addresses.own(
            self.params.own_type, self._loop.now_us, random=addresses.random, peer=peer
        )

    def aimed_at_us(self, target: Addr, identity: Addr) -> bool | None:
        """Whether a directed packet is ours: True, False, None = perhaps (unresolved private address, policy 2 or 3)."""
        if self.controller.addresses.is_own(target, self.own_address(identity)):
            return True
        if self.params.filter_policy & 2 and is_rpa(target):
            return None
        return False

    def duplicate(self, address: Addr, kind: int, adi: int = -1) -> bool:
        """Whether this was reported before and duplicates are filtered; remembers it."""
        if not self._duplicates:
            return False
        key = (address, kind, adi)
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def _on_advertisement(self, reception: Reception, packet: AdvPdu) -> None:
        address = self.filter(packet.adv_a)
        if address is None:
            return
        ours: bool | None = True
        if packet.kind == PduType.ADV_DIRECT_IND:
            ours = self.aimed_at_us(packet.peer_a, address)
            if ours is False:
                return
        if not self.duplicate(address, 0):
            self._report(reception, packet, address, ours=ours)
        if self.params.active and packet.kind in (PduType.ADV_IND, PduType.ADV_SCAN_IND):
            self._ask(reception, packet, address)

    def _report(
        self, reception: Reception, packet: AdvPdu, address: Addr, *, ours: bool | None
    ) -> None:
        rssi_dbm = reception.rssi_dbm
        send = self.controller.send_le_event
        if self.params.extended:
            target = packet.peer_a
            if target and ours is None:
                target = bytes((UNRESOLVED_TARGET,)) + target[1:]
            event = LEGACY_EXTENDED_EVENT[packet.kind]
            send(
                EXTENDED_REPORT,
                extended_report(event, address, packet.body, rssi_dbm, target=target),
            )
        elif ours is None:
            send(DIRECTED_REPORT, directed_report(address, packet.peer_a, rssi_dbm))
        else:
            send(
                LEGACY_REPORT,
                legacy_report(LEGACY_EVENT[packet.kind], address, packet.body, rssi_dbm),
            )

    # Active scanning

    def _reset_backoff(self) -> None:
        self._upper = self._count = 1
        self._successes = self._failures = 0

    def may_ask(self, address: Addr) -> bool:
        """Count the back-off down for a scannable packet; whether a request may be sent now."""
        if self._asked is not None or (self._duplicates and address in self._answered):
            return False
        self._count -= 1
        return self._count <= 0

    def asked(self, *, answered: bool) -> None:
        """Adapt the back-off to the outcome of a request (Vol 6 Part B, 4.4.3.2)."""
        if answered:
            self._successes, self._failures = self._successes + 1, 0
            if self._successes % 2 == 0:
                self._upper = max(1, self._upper // 2)
        else:
            self._successes, self._failures = 0, self._failures + 1
            if self._failures % 2 == 0:
                self._upper = min(MAX_BACKOFF, self._upper * 2)
        self._count = self._backoff_stream.randint(1, self._upper)

    def _ask(self, reception: Reception, packet: AdvPdu, address: Addr) -> None:
        now_us = self._loop.now_us
        if now_us + EXCHANGE_US > self._windows.ends_us or not self.may_ask(address):
            return
        channel = reception.transmission.channel
        timer = self._loop.after_us(T_IFS_US, self._send_request, packet, address)
        self._asked = _Asked(packet.adv_a, channel, packet.kind, timer)  # type: ignore[arg-type]  # BLE channels are ints

    def _send_request(self, packet: AdvPdu, address: Addr) -> None:
        asked = self._asked
        own = self.own_address(address)
        if asked is None or own is None:
            self._asked = None
            return
        request = advertising_pdu(PduType.SCAN_REQ, packet.adv_a, peer_a=own)
        end_us = self.controller.radio.send(asked.channel, request)
        if end_us is None:
            self._asked = None
            return
        until_us = end_us + T_IFS_US + air_time_us(SCAN_RSP_OCTETS, 1) + SLACK_US
        asked.timer = self._loop.at_us(until_us, self._unanswered)

    def _unanswered(self) -> None:
        self._asked = None
        self.asked(answered=False)

    def _forget_request(self) -> None:
        if self._asked is not None:
            self._asked.timer.cancel()
            self._asked = None

    def _on_scan_response(self, reception: Reception, packet: AdvPdu) -> None:
        asked = self._asked
        if (
            asked is None
            or packet.adv_a != asked.address
            or reception.transmission.channel != asked.channel
        ):
            return
        self._forget_request()
        self.asked(answered=True)
        address = self.controller.addresses.identity(packet.adv_a)
        self._answered.add(address)
        if self.duplicate(address, 1):
            return
        rssi_dbm = reception.rssi_dbm
        send = self.controller.send_le_event
        if self.params.extended:
            event = scan_response_event(asked.kind)
            send(EXTENDED_REPORT, extended_report(event, address, packet.body, rssi_dbm))
        else:
            send(
                LEGACY_REPORT,
                legacy_report(LEGACY_EVENT[packet.kind], address, packet.body, rssi_dbm),
            )
