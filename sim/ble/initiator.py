"""Initiating: waits for a connectable packet of the peer (or of one in the accept list) and connects.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.4.4 and 4.5.3; Vol 4 Part E, 7.8.12, 7.8.13, 7.8.66. Rules:
* Nothing but ADV_IND, ADV_DIRECT_IND for us and connectable AUX_ADV_IND is ever answered: what is not connectable is
  never connected to, and the host waits until it cancels.
* The interval used is the maximum that the host allows, the transmit window starts `WIN_OFFSET` after the fixed
  delay; access address, CRC init and hop come from the stream "ble/<node>/connect".
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from sim.ble.ext_pdus import ExtPdu
from sim.ble.listening import AuxListener, Windows
from sim.ble.pdus import (
    ADV_ACCESS_ADDRESS,
    T_IFS_US,
    Addr,
    AdvPdu,
    ConnectionRole,
    ConnectParams,
    PduType,
    air_time_us,
    connect_pdu,
)

if TYPE_CHECKING:
    from sim.air import Reception
    from sim.ble.controller import AirController
    from sim.clock import Event
    from sim.rng import Streams

__all__ = ["InitiateParams", "Initiator", "LinkWish", "access_address", "valid_access_address"]

CONNECTABLE = 1
WIN_OFFSET, WIN_SIZE = 0, 1  # 1.25 ms units
SCA_50_PPM = 5
CONNECT_RSP_OCTETS = 16
MAX_FOLLOWED = 8
CANCELLED = 0x02


class LinkWish(msgspec.Struct, frozen=True):
    """What the host wants of a connection: `interval` in 1.25 ms, `timeout` in 10 ms units."""

    interval: int
    latency: int
    timeout: int


class InitiateParams(msgspec.Struct, frozen=True):
    """One Create Connection; `wishes` by PHY, `peer` None = any of the accept list."""

    scan_interval: int
    scan_window: int
    peer: Addr | None
    own_type: int
    wishes: dict[int, LinkWish]


def valid_access_address(value: int) -> bool:
    """The rules for access addresses of connections (Vol 6 Part B, 2.1.2)."""
    bits = f"{value:032b}"
    if value == ADV_ACCESS_ADDRESS or (value ^ ADV_ACCESS_ADDRESS).bit_count() == 1:
        return False
    if len({value >> shift & 0xFF for shift in (0, 8, 16, 24)}) == 1:
        return False
    if "0000000" in bits or "1111111" in bits:  # more than six equal bits in a row
        return False
    changes = [a != b for a, b in itertools.pairwise(bits)]
    if sum(changes) > 24 or sum(changes[:5]) < 2:
        return False
    low = f"{value & 0xFFFF:016b}"
    low_changes = sum(a != b for a, b in itertools.pairwise(low))
    return f"{value & 0xFF:08b}".count("1") >= 3 and low_changes <= 11  # also good for coded PHY


def access_address(streams: Streams, stream: str) -> int:
    """Draw a valid access address."""
    draw = streams.stream(stream)
    while True:
        value = draw.getrandbits(32)
        if valid_access_address(value):
            return value


class Initiator:
    """The initiating state of a controller; at most one Create Connection at a time."""

    def __init__(self, controller: AirController) -> None:
        self.controller = controller
        self._loop = controller.loop
        self._stream = f"ble/{controller.name}/connect"
        first = controller.streams.stream(self._stream).randrange(3)
        self._windows = Windows(controller.radio, controller.loop, first)
        self.params: InitiateParams | None = None
        self._followed: dict[AuxListener, Addr] = {}
        self._timer: Event | None = None
        self._request: AdvPdu | None = None
        self._sent_us = 0
        self.committed = False
        """A CONNECT_IND is on the air: too late to cancel."""

    @property
    def enabled(self) -> bool:
        """Whether a Create Connection is pending."""
        return self.params is not None

    def start(self, params: InitiateParams) -> None:
        """Look for the peer from now."""
        self.params = params
        self._windows.start(params.scan_interval, params.scan_window)

    def stop(self) -> None:
        """Stop without a word to the host."""
        self.params = None
        self._request = None
        self.committed = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._windows.stop()
        for listener in self._followed:
            listener.cancel()
        self._followed.clear()

    def cancel_soon(self) -> None:
        """Give up now, and tell the host after what it is being told."""
        peer = self.params.peer if self.params is not None else None
        self.stop()
        self._loop.after_us(
            0, self.controller.report_connection_failure, CANCELLED, ConnectionRole.CENTRAL, peer
        )

    # Packets

    def on_air(self, reception: Reception, packet: AdvPdu | ExtPdu) -> None:
        """Any packet of the advertising channels."""
        params = self.params
        if params is None:
            return
        channel = reception.transmission.channel
        if isinstance(packet, AdvPdu):
            connectable = packet.kind in (PduType.ADV_IND, PduType.ADV_DIRECT_IND)
            if (
                connectable
                and channel == self._windows.channel
                and 1 in params.wishes
                and self._timer is None
            ):
                self._consider(params, packet, reception)
        elif channel == self._windows.channel:
            if (
                packet.mode == CONNECTABLE
                and packet.aux is not None
                and packet.aux.phy in params.wishes
            ):
                self._follow(packet, reception)
        else:
            for listener in list(self._followed):
                if listener.open and listener.channel == channel and listener.phy == packet.phy:
                    listener.take(reception, packet)
                    return

    def _wanted(self, params: InitiateParams, packet: AdvPdu | ExtPdu) -> Addr | None:
        """Own address to connect with, None when `packet` is not to be answered."""
        addresses = self.controller.addresses
        identity = addresses.identity(packet.adv_a)
        if not addresses.welcome(packet.adv_a, identity):
            return None
        if params.peer is None:
            if not addresses.accepted(identity):
                return None
        elif (
            bytes((identity[0] & 1,)) + identity[1:] != params.peer and packet.adv_a != params.peer
        ):
            return None
        own = self._own(params, identity)
        if packet.peer_a and not addresses.is_own(packet.peer_a, own):
            return None
        return own

    def _own(self, params: InitiateParams, identity: Addr) -> Addr | None:
        addresses = self.controller.addresses
        return addresses.own(
            params.own_type, self._loop.now_us, random=addresses.random, peer=identity
        )

    def _consider(self, params: InitiateParams, packet: AdvPdu, reception: Reception) -> None:
        own = self._wanted(params, packet)
        if own is None:
            return
        request = connect_pdu(own, packet.adv_a, self._draw(params, 1), ch_sel=True)
        channel = reception.transmission.channel
        self._timer = self._loop.after_us(T_IFS_US, self._send, request, channel, packet.ch_sel)

    def _draw(self, params: InitiateParams, phy: int) -> ConnectParams:
        stream = self.controller.streams.stream(self._stream)
        wish = params.wishes[phy]
        return ConnectParams(
            access_address=access_address(self.controller.streams, self._stream),
            crc_init=stream.getrandbits(24),
            win_size=WIN_SIZE,
            win_offset=WIN_OFFSET,
            interval=wish.interval,
            latency=wish.latency,
            timeout=wish.timeout,
            channel_map=self.controller.host_channel_map,
            hop=stream.randint(5, 16),
            sca=SCA_50_PPM,
            phy=phy,
        )

    def _send(self, request: AdvPdu, channel: int, csa2: bool) -> None:  # an event's argument
        self._timer = None
        end_us = self.controller.radio.send(channel, request)
        if end_us is not None:
            self.committed = True
            self._timer = self._loop.at_us(end_us, self._sent, request, csa2)

    def _sent(self, request: AdvPdu, csa2: bool) -> None:  # an event's argument
        self._connected(request, self._loop.now_us, csa2=csa2, aux=False)

    def _connected(self, request: AdvPdu, sent_us: int, *, csa2: bool, aux: bool) -> None:
        assert request.connect is not None  # noqa: S101 # connect_pdu made it
        self.stop()
        params = msgspec.structs.replace(request.connect, csa2=csa2)
        link = self.controller.link_up(
            ConnectionRole.CENTRAL, request.peer_a, request.adv_a, params, sent_us, aux=aux
        )
        self.controller.report_channel_selection(link.handle, csa2=csa2)

    # Extended

    def _follow(self, packet: ExtPdu, reception: Reception) -> None:
        if packet.aux is not None and len(self._followed) < MAX_FOLLOWED:
            listener = AuxListener(self.controller.radio, self._loop, self._on_aux)
            if listener.follow(packet.aux, reception.transmission.start_us):
                self._followed[listener] = b""

    def _on_aux(
        self, listener: AuxListener, reception: Reception | None, packet: AdvPdu | ExtPdu | None
    ) -> None:
        self._followed.pop(listener)
        params = self.params
        if params is None or reception is None or not isinstance(packet, ExtPdu):
            return
        if packet.kind == PduType.AUX_CONNECT_RSP:
            request = self._request
            if (
                request is not None
                and packet.adv_a == request.adv_a
                and packet.peer_a == request.peer_a
            ):
                self._connected(request, self._sent_us, csa2=True, aux=True)
            return
        if packet.mode != CONNECTABLE or not packet.adv_a or self._timer is not None:
            return
        own = self._wanted(params, packet)
        if own is not None:
            request = connect_pdu(
                own, packet.adv_a, self._draw(params, packet.phy), ch_sel=True, phy=packet.phy
            )
            self._timer = self._loop.after_us(T_IFS_US, self._send_aux, request, listener.channel)

    def _send_aux(self, request: AdvPdu, channel: int) -> None:
        self._timer = None
        end_us = self.controller.radio.send(channel, request)
        if end_us is None:
            return
        self._request, self._sent_us = request, end_us
        listener = AuxListener(self.controller.radio, self._loop, self._on_aux)
        self._followed[listener] = request.adv_a
        listener.answer(
            channel,
            request.phy,
            end_us + T_IFS_US + air_time_us(CONNECT_RSP_OCTETS, request.phy) + 20,
        )
