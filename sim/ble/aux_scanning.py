"""The scanner's side of extended advertising: following pointers, chains, AUX_SCAN_REQ, fragments of reports.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.4.3.3 to 4.4.3.5; Vol 4 Part E, 7.7.65.13. Rules of the file:
* Data is reported as it comes: each packet as one or more reports of at most 229 octets, "more to come" in all but
  the last; a lost packet of a chain gives a last report without data, status "truncated".
* A periodic train announced in SyncInfo is offered to whoever wants to synchronise (`on_sync_info`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sim.ble.ext_pdus import AuxPtr, ExtPdu
from sim.ble.listening import AuxListener
from sim.ble.pdus import T_IFS_US, Addr, AdvPdu, PduType, advertising_pdu, air_time_us
from sim.ble.reports import EXTENDED_REPORT, MAX_EXTENDED_DATA, NO_ADDRESS, extended_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Reception
    from sim.ble.scanner import Scanner

__all__ = ["AuxScanning"]

MAX_FOLLOWED = 8  # pointers followed at a time
MORE, TRUNCATED = 1 << 5, 2 << 5
SCANNABLE, SCAN_RESPONSE, DIRECTED = 2, 8, 4
LONGEST_RESPONSE = 257
UNRESOLVED_TARGET = 0xFE
NO_RSSI = 127


class _Event(msgspec.Struct):
    """What is known so far of one extended advertising event."""

    primary_phy: int
    did: int | None
    sid: int | None
    first: bool = True
    silent: bool = False
    response: bool = False
    event_type: int = 0
    address: Addr = NO_ADDRESS
    adv_a: Addr = b""
    target: Addr = b""
    tx_power_dbm: int | None = None
    interval: int = 0
    reported: bool = False

    @property
    def adi(self) -> int:
        """SID and DID as one number, -1 without ADI."""
        return -1 if self.sid is None or self.did is None else self.sid << 12 | self.did


class AuxScanning:
    """Events being followed, each with its listener."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._controller = scanner.controller
        self._loop = scanner.controller.loop
        self._followed: dict[AuxListener, _Event] = {}
        self.on_sync_info: Callable[[Reception, ExtPdu, Addr], None] | None = None

    def stop(self) -> None:
        """Follow nothing any more."""
        for listener in self._followed:
            listener.cancel()
        self._followed.clear()

    def point(self, reception: Reception, packet: ExtPdu) -> None:
        """ADV_EXT_IND with a pointer."""
        assert packet.aux is not None  # noqa: S101 # the caller looked
        event = _Event(primary_phy=packet.phy, did=packet.did, sid=packet.sid)
        self._follow(event, packet.aux, reception.transmission.start_us)

    def bare(self, reception: Reception, packet: ExtPdu) -> None:
        """ADV_EXT_IND that says everything itself: no data, no answer."""
        event = _Event(primary_phy=packet.phy, did=packet.did, sid=packet.sid)
        if self._identify(event, packet):
            self._report(event, packet, reception, secondary_phy=0)

    def on_air(self, reception: Reception, packet: ExtPdu) -> None:
        """A packet on a secondary channel."""
        for listener, event in list(self._followed.items()):
            fits = (
                listener.open
                and listener.channel == reception.transmission.channel
                and listener.phy == packet.phy
            )
            if fits and (event.sid is None or (event.sid, event.did) == (packet.sid, packet.did)):
                listener.take(reception, packet)
                return

    def _follow(self, event: _Event, pointer: AuxPtr, start_us: int) -> bool:
        if len(self._followed) >= MAX_FOLLOWED:
            return False
        listener = AuxListener(self._controller.radio, self._loop, self._on_aux)
        if not listener.follow(pointer, start_us):
            return False
        self._followed[listener] = event
        return True

    def _on_aux(
        self, listener: AuxListener, reception: Reception | None, packet: AdvPdu | ExtPdu | None
    ) -> None:
        event = self._followed.pop(listener)
        if reception is None or not isinstance(packet, ExtPdu):
            if event.response and not event.reported:
                self._scanner.asked(answered=False)
            if event.reported and not event.silent:
                self._send(event, event.event_type | TRUNCATED, b"", NO_RSSI, listener.phy)
            return
        if event.first:
            event.first = False
            if not event.response and not self._identify(event, packet):
                return
            if event.response:
                self._scanner.asked(answered=True)
                event.silent = self._scanner.duplicate(event.address, 1, event.adi)
        self._report(event, packet, reception, secondary_phy=packet.phy)
        if packet.aux is not None:
            if (
                not self._follow(event, packet.aux, reception.transmission.start_us)
                and not event.silent
            ):
                self._send(event, event.event_type | TRUNCATED, b"", reception.rssi_dbm, packet.phy)
        elif event.event_type & SCANNABLE and not event.response and self._scanner.params.active:
            self._ask(event, reception, packet)

    def _identify(self, event: _Event, packet: ExtPdu) -> bool:
        scanner = self._scanner
        address: Addr | None = NO_ADDRESS
        if packet.adv_a:
            address = scanner.filter(packet.adv_a)
        elif scanner.params.filter_policy & 1 and not self._controller.addresses.accepted(
            NO_ADDRESS
        ):
            address = None
        if address is None:
            return False
        event.event_type = packet.mode
        if packet.peer_a:
            ours = scanner.aimed_at_us(packet.peer_a, address)
            if ours is False:
                return False
            event.event_type |= DIRECTED
            event.target = (
                packet.peer_a if ours else bytes((UNRESOLVED_TARGET,)) + packet.peer_a[1:]
            )
        event.address, event.adv_a = address, packet.adv_a
        event.tx_power_dbm = packet.tx_power_dbm
        event.interval = packet.sync.interval if packet.sync is not None else 0
        event.silent = scanner.duplicate(address, 0, event.adi)
        return True

    def _report(
        self, event: _Event, packet: ExtPdu, reception: Reception, *, secondary_phy: int
    ) -> None:
        if packet.sync is not None and self.on_sync_info is not None:
            self.on_sync_info(reception, packet, event.address)
        event.reported = True
        if event.silent:
            return
        data = packet.body
        while len(data) > MAX_EXTENDED_DATA:
            self._send(
                event,
                event.event_type | MORE,
                data[:MAX_EXTENDED_DATA],
                reception.rssi_dbm,
                secondary_phy,
            )
            data = data[MAX_EXTENDED_DATA:]
        status = MORE if packet.aux is not None else 0
        self._send(event, event.event_type | status, data, reception.rssi_dbm, secondary_phy)

    def _send(
        self, event: _Event, event_type: int, data: bytes, rssi_dbm: int, secondary_phy: int
    ) -> None:
        report = extended_report(
            event_type,
            event.address,
            data,
            rssi_dbm,
            primary_phy=event.primary_phy,
            secondary_phy=secondary_phy,
            sid=event.sid,
            tx_power_dbm=event.tx_power_dbm,
            interval=event.interval,
            target=event.target,
        )
        self._controller.send_le_event(EXTENDED_REPORT, report)

    def _ask(self, event: _Event, reception: Reception, packet: ExtPdu) -> None:
        if not event.adv_a or not self._scanner.may_ask(event.address):
            return
        self._loop.after_us(
            T_IFS_US, self._send_request, event, reception.transmission.channel, packet.phy
        )

    def _send_request(self, event: _Event, channel: int, phy: int) -> None:
        own = self._scanner.own_address(event.address)
        if not self._scanner.enabled or own is None:
            return
        request = advertising_pdu(PduType.SCAN_REQ, event.adv_a, peer_a=own, phy=phy)
        end_us = self._controller.radio.send(channel, request)
        if end_us is None:
            return
        answer = msgspec.structs.replace(
            event, first=True, response=True, reported=False, silent=False
        )
        answer.event_type = SCANNABLE | SCAN_RESPONSE
        answer.tx_power_dbm = None
        listener = AuxListener(self._controller.radio, self._loop, self._on_aux)
        self._followed[listener] = answer
        listener.answer(channel, phy, end_us + T_IFS_US + air_time_us(LONGEST_RESPONSE, phy) + 20)
