"""LL procedures that change a connection: its parameters, channel map, data length and PHYs.

Bluetooth Core specification 5.4, Vol 6 Part B, 5.1.1, 5.1.2, 5.1.7, 5.1.9, 5.1.10 and 5.3 (collisions). Rules:
* A change with an instant is computed when its PDU is first sent and takes effect at that event on both sides; an
  instant that has passed ends the connection with 0x28.
* The central decides. It refuses a change that the peripheral asks for while one of its own is under way.
* Of an interval range that its host gives, the central takes the largest.
* A packet may be as long as both sides agreed, its time allows, and an exchange between two anchors leaves room for.
* The host is told when it asked, or when something it can see has changed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sim.ble.ll_opcodes import ErrorCode, Opcode
from sim.ble.pdus import T_IFS_US, Phy, air_time_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.ble.connection import LinkConnection

__all__ = ["Updates", "valid_parameters"]

EVENTS_TO_INSTANT = 8  # the specification asks for 6 at least
EVENTS_TO_OFFER_LENGTH = 10
MIN_OCTETS, MIN_TIME_US = 27, 328
PDU_EXTRA = 2 + 4  # octets of header and MIC
ANY_PHY = 0x07
UPDATE_COMPLETE, PARAMETER_REQUEST, LENGTH_CHANGE, PHY_COMPLETE = 0x03, 0x06, 0x07, 0x0C
WITH_INSTANT = frozenset((Opcode.CONNECTION_UPDATE_IND, Opcode.CHANNEL_MAP_IND, Opcode.PHY_REQ))
SAME_KIND = {Opcode.CONNECTION_PARAM_REQ: Opcode.CONNECTION_UPDATE_IND}
PREFERENCE = (Phy.LE_2M, Phy.LE_1M, Phy.LE_CODED)


def valid_parameters(interval_min: int, interval_max: int, latency: int, timeout: int) -> bool:
    """Vol 4 Part E, 7.8.18: ranges, and a timeout longer than two intervals with latency."""
    return (
        6 <= interval_min <= interval_max <= 3200
        and latency <= 499
        and 10 <= timeout <= 3200
        and timeout * 10_000 > (1 + latency) * interval_max * 1250 * 2
    )


class Updates:
    """The changes of `link`."""

    def __init__(self, link: LinkConnection) -> None:
        self._link = link
        controller = link.controller
        self._own_length = (
            controller.suggested_max_tx_octets,
            controller.suggested_max_tx_time,
        )
        self._length_done = False
        self._agreed = (MIN_OCTETS, MIN_OCTETS)  # octets to send and to receive, whatever the PHY
        self.phy_wish = (
            controller.default_phy["tx_phys"] or ANY_PHY,
            controller.default_phy["rx_phys"] or ANY_PHY,
        )
        self._update_wanted = False
        self._phy_wanted = False
        self._asked: tuple[int, int, int, int] | None = None  # by the peripheral, shown to our host
        self._interval = 0
        self._latency = 0
        self._timeout = 0

    def begin(self) -> None:
        """Offer a longer data length, the central first, as most controllers do on their own."""
        if self._own_length[0] <= MIN_OCTETS:
            return
        if self._link.is_central:
            self._offer_length()
        else:
            self._link.events.when(EVENTS_TO_OFFER_LENGTH, self._offer_length)

    def failed(self, opcode: int, error: int) -> None:
        """The peer refused what we asked for."""
        if opcode == Opcode.CONNECTION_PARAM_REQ:
            self._tell_update(error)
        elif opcode == Opcode.PHY_REQ:
            self._tell_phy(error)

    def _collides(self, opcode: int) -> bool:
        """Refuse the peripheral's `opcode` when a change of ours is under way (5.3)."""
        current = self._link.control.current
        if not self._link.is_central or current not in WITH_INSTANT:
            return False
        same = current in (opcode, SAME_KIND.get(Opcode(opcode)))
        error = (
            ErrorCode.LL_PROCEDURE_COLLISION if same else ErrorCode.DIFFERENT_TRANSACTION_COLLISION
        )
        self._link.control.reject(opcode, error)
        return True

    # Connection parameters

    def update(self, interval_min: int, interval_max: int, latency: int, timeout: int) -> None:
        """The host wants these (valid) parameters: the central sets them, the peripheral asks for them."""
        self._update_wanted = True
        control = self._link.control
        wish = (interval_min, interval_max, latency, timeout)
        if self._link.is_central:
            control.run(Opcode.CONNECTION_UPDATE_IND, lambda: self._send_update(wish))
        else:
            control.run(Opcode.CONNECTION_PARAM_REQ, lambda: self._ask_update(wish))

    def _ask_update(self, wish: tuple[int, int, int, int]) -> None:
        link = self._link
        offsets = struct.pack("<BH6H", 0, link.events.counter & 0xFFFF, *([0xFFFF] * 6))
        body = struct.pack("<4H", *wish) + offsets
        link.send_control(bytes((Opcode.CONNECTION_PARAM_REQ,)) + body)

    def _send_update(self, wish: tuple[int, int, int, int]) -> None:
        _, interval, latency, timeout = wish
        events = self._link.events

        def make() -> bytes:
            instant = events.instant_in(EVENTS_TO_INSTANT)
            events.when(instant, lambda: self._apply_update(interval, latency, timeout, 0, 1))
            return struct.pack(
                "<BBHHHHH",
                Opcode.CONNECTION_UPDATE_IND,
                1,
                0,
                interval,
                latency,
                timeout,
                instant,
            )

        self._link.send_control(make)

    def on_connection_update_ind(self, data: bytes) -> None:
        """Peripheral: WinSize, WinOffset, Interval, Latency, Timeout, Instant."""
        size, offset, interval, latency, timeout, instant = struct.unpack("<BHHHHH", data)
        if not valid_parameters(interval, interval, latency, timeout):
            self._link.close(ErrorCode.INVALID_LL_PARAMETERS)
            return
        self._at(instant, lambda: self._apply_update(interval, latency, timeout, offset, size))

    def _at(self, instant: int, action: Callable[[], None]) -> None:
        self._link.control.responded()
        if not self._link.events.when(instant, action):
            self._link.close(ErrorCode.INSTANT_PASSED)

    def _apply_update(
        self, interval: int, latency: int, timeout: int, offset: int, size: int
    ) -> None:
        link = self._link
        events = link.events
        before = (events.interval_us, events.latency, link.timeout_us)
        events.change(interval, latency, offset, size)
        link.timeout_us = timeout * 10_000
        link.watch()
        if self._fit():
            self._tell_length()
        if before != (events.interval_us, events.latency, link.timeout_us):
            self._update_wanted = True
        self._tell_update(ErrorCode.SUCCESS)
        link.control.answered(Opcode.CONNECTION_UPDATE_IND)
        link.control.answered(Opcode.CONNECTION_PARAM_REQ)

    def _tell_update(self, status: int) -> None:
        if not self._update_wanted:
            return
        self._update_wanted = False
        link = self._link
        link.controller.send_le_event(
            UPDATE_COMPLETE,
            struct.pack(
                "<BHHHH",
                status,
                link.handle,
                link.events.interval_us // 1250,
                link.events.latency,
                link.timeout_us // 10_000,
            ),
        )

    def on_connection_param_req(self, data: bytes) -> None:
        """Central: show the peripheral's wish to the host."""
        wish = struct.unpack("<4H", data[:8])
        link = self._link
        if self._collides(Opcode.CONNECTION_PARAM_REQ):
            return
        if not valid_parameters(*wish):
            link.control.reject(Opcode.CONNECTION_PARAM_REQ, ErrorCode.INVALID_LL_PARAMETERS)
        elif not link.controller.le_event_enabled(PARAMETER_REQUEST):
            link.control.reject(Opcode.CONNECTION_PARAM_REQ, ErrorCode.UNSUPPORTED_REMOTE_FEATURE)
        else:
            self._asked = wish
            link.controller.send_le_event(PARAMETER_REQUEST, struct.pack("<5H", link.handle, *wish))

    def accept(self, wish: tuple[int, int, int, int]) -> bool:
        """Central: the host agrees, with these parameters; False when nothing was asked."""
        if self._asked is None:
            return False
        self._asked = None
        self._link.control.run(Opcode.CONNECTION_UPDATE_IND, lambda: self._send_update(wish))
        return True

    def refuse(self, reason: int) -> bool:
        """Central: the host does not agree; False when nothing was asked."""
        if self._asked is None:
            return False
        self._asked = None
        self._link.control.reject(Opcode.CONNECTION_PARAM_REQ, reason)
        return True

    # Channel map

    def set_channels(self, channel_map: bytes) -> None:
        """Central: use these channels, five octets."""
        if channel_map == self._link.channel_map:
            return
        events = self._link.events

        def make() -> bytes:
            instant = events.instant_in(EVENTS_TO_INSTANT)
            events.when(instant, lambda: self._apply_channels(channel_map))
            return bytes((Opcode.CHANNEL_MAP_IND,)) + channel_map + instant.to_bytes(2, "little")

        self._link.control.run(Opcode.CHANNEL_MAP_IND, lambda: self._link.send_control(make))

    def on_channel_map_ind(self, data: bytes) -> None:
        """Peripheral: ChM, Instant."""
        channel_map = data[:5]
        self._at(int.from_bytes(data[5:], "little"), lambda: self._apply_channels(channel_map))

    def _apply_channels(self, channel_map: bytes) -> None:
        self._link.channel_map = channel_map
        self._link.events.use_map(channel_map)
        self._link.control.answered(Opcode.CHANNEL_MAP_IND)

    # Data length

    def set_length(self, octets: int, time_us: int) -> None:
        """The host wants to send packets of up to `octets` and `time_us`."""
        self._own_length = (octets, time_us)
        self._length_done = False
        self._offer_length()

    def _offer_length(self) -> None:
        if not self._length_done:
            self._link.control.run(
                Opcode.LENGTH_REQ, lambda: self._link.send_control(self._length(Opcode.LENGTH_REQ))
            )

    def _length(self, opcode: int) -> bytes:
        controller = self._link.controller
        octets, time_us = self._own_length
        return struct.pack(
            "<B4H",
            opcode,
            controller.supported_max_rx_octets,
            controller.supported_max_rx_time,
            octets,
            time_us,
        )

    def on_length_req(self, data: bytes) -> None:
        """Either side: answer with what we can, and use what both can."""
        self._link.send_control(self._length(Opcode.LENGTH_RSP))
        self._apply_length(data)

    def on_length_rsp(self, data: bytes) -> None:
        """Either side: the answer to our request."""
        self._apply_length(data)
        self._link.control.answered(Opcode.LENGTH_REQ)

    def _apply_length(self, data: bytes) -> None:
        rx_octets, rx_time_us, tx_octets, tx_time_us = struct.unpack("<4H", data)
        link = self._link
        controller = link.controller
        self._length_done = True
        before = (link.tx_time_us, link.rx_time_us)
        link.tx_time_us = max(MIN_TIME_US, min(self._own_length[1], rx_time_us))
        link.rx_time_us = max(MIN_TIME_US, min(controller.supported_max_rx_time, tx_time_us))
        self._agreed = (
            max(MIN_OCTETS, min(self._own_length[0], rx_octets)),
            max(MIN_OCTETS, min(controller.supported_max_rx_octets, tx_octets)),
        )
        if self._fit() or before != (link.tx_time_us, link.rx_time_us):
            self._tell_length()

    def _fit(self) -> bool:
        """Use as many of the agreed octets as the PHYs and the interval allow, never below 27; whether that changed."""
        link = self._link
        before = (link.tx_octets, link.rx_octets)
        half_us = (link.events.interval_us - 3 * T_IFS_US) // 2  # one packet each way per event
        tx_us, rx_us = min(link.tx_time_us, half_us), min(link.rx_time_us, half_us)
        link.tx_octets = self._fitting(self._agreed[0], tx_us, link.tx_phy)
        link.rx_octets = self._fitting(self._agreed[1], rx_us, link.rx_phy)
        link.events.lengths_changed()
        return before != (link.tx_octets, link.rx_octets)

    @staticmethod
    def _fitting(octets: int, time_us: int, phy: int) -> int:
        each_us = air_time_us(1, phy) - air_time_us(0, phy)
        room = (time_us - air_time_us(PDU_EXTRA, phy)) // each_us
        return max(MIN_OCTETS, min(octets, room))

    def _tell_length(self) -> None:
        link = self._link
        link.controller.send_le_event(
            LENGTH_CHANGE,
            struct.pack(
                "<5H",
                link.handle,
                link.tx_octets,
                link.tx_time_us,
                link.rx_octets,
                link.rx_time_us,
            ),
        )

    # PHY

    def set_phy(self, tx_phys: int, rx_phys: int) -> None:
        """The host prefers these PHYs (masks, 0 = any)."""
        self.phy_wish = (tx_phys or ANY_PHY, rx_phys or ANY_PHY)
        self._phy_wanted = True
        wish = bytes((Opcode.PHY_REQ, *self.phy_wish))
        self._link.control.run(Opcode.PHY_REQ, lambda: self._link.send_control(wish))

    def on_phy_req(self, data: bytes) -> None:
        """The peripheral answers; the central decides."""
        if not self._link.is_central:
            self._link.send_control(bytes((Opcode.PHY_RSP, *self.phy_wish)))
        elif not self._collides(Opcode.PHY_REQ):
            self._decide_phy(data[0], data[1])

    def on_phy_rsp(self, data: bytes) -> None:
        """Central: decide."""
        if self._link.is_central and self._link.control.current == Opcode.PHY_REQ:
            self._link.control.responded()
            self._decide_phy(data[0], data[1])

    def _decide_phy(self, peer_tx: int, peer_rx: int) -> None:
        link = self._link
        to_peripheral = self._choose(self.phy_wish[0] & peer_rx, link.tx_phy)
        to_central = self._choose(self.phy_wish[1] & peer_tx, link.rx_phy)

        def make() -> bytes:
            if not to_peripheral and not to_central:
                self._phy_settled()
                return bytes((Opcode.PHY_UPDATE_IND, 0, 0, 0, 0))
            instant = link.events.instant_in(EVENTS_TO_INSTANT)
            link.events.when(instant, lambda: self._apply_phy(to_peripheral, to_central))
            masks = bytes(1 << phy - 1 if phy else 0 for phy in (to_peripheral, to_central))
            return bytes((Opcode.PHY_UPDATE_IND,)) + masks + instant.to_bytes(2, "little")

        link.send_control(make)

    @staticmethod
    def _choose(mask: int, current: int) -> int:
        """The PHY to change to, 0 = stay."""
        chosen = next((phy for phy in PREFERENCE if mask >> phy - 1 & 1), current)
        return 0 if chosen == current else int(chosen)

    def on_phy_update_ind(self, data: bytes) -> None:
        """Peripheral: PHY_C_TO_P, PHY_P_TO_C (masks, 0 = no change), Instant."""
        to_peripheral, to_central = (mask.bit_length() for mask in data[:2])
        if not to_peripheral and not to_central:
            self._phy_settled()
            return
        instant = int.from_bytes(data[2:], "little")
        self._at(instant, lambda: self._apply_phy(to_central, to_peripheral))

    def _apply_phy(self, tx_phy: int, rx_phy: int) -> None:
        link = self._link
        link.tx_phy = tx_phy or link.tx_phy
        link.rx_phy = rx_phy or link.rx_phy
        link.forget_packets()
        if self._fit():
            self._tell_length()
        self._phy_wanted = True
        self._phy_settled()

    def _phy_settled(self) -> None:
        self._tell_phy(ErrorCode.SUCCESS)
        self._link.control.answered(Opcode.PHY_REQ)

    def _tell_phy(self, status: int) -> None:
        if not self._phy_wanted:
            return
        self._phy_wanted = False
        link = self._link
        link.controller.send_le_event(
            PHY_COMPLETE, struct.pack("<BHBB", status, link.handle, link.tx_phy, link.rx_phy)
        )
