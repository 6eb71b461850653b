"""A controller's radio on the air: who of the link layer's parts gets which packet.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.1. Rules of the file:
* Parts of the link layer listen independently: `listen` and `deafen` are counted per channel. The radio can listen
  on several channels at once (a controller with spare receivers); it never sends two packets at once, and hears
  nothing while it sends.
* `send` refuses (None) while a packet of its own is on the air; the caller treats that as a missed opportunity.
* A packet with the advertising access address goes to every part that takes it, in a fixed order (advertiser,
  initiator, scanner); any other access address to the one part that has registered it with `route`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.air import Radio
from sim.ble.ext_pdus import ExtPdu
from sim.ble.pdus import ADV_ACCESS_ADDRESS, AdvPdu, LLPacket, parse_legacy

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Air, Path, Position, Reception

__all__ = ["BleRadio"]


class BleRadio(Radio):
    """One transceiver. `advertising` is called with each packet of the advertising access address and its value."""

    def __init__(
        self,
        name: str,
        medium: Air,
        position: Position | Path,
        *,
        tx_power_dbm: int,
        sensitivity_dbm: int,
    ) -> None:
        super().__init__(name, position, tx_power_dbm=tx_power_dbm, sensitivity_dbm=sensitivity_dbm)
        self.medium = medium
        self.busy_until_us = 0
        self.advertising: list[Callable[[Reception, AdvPdu | ExtPdu], None]] = []
        self._routes: dict[int, Callable[[Reception], None]] = {}
        self._listening: dict[int, int] = {}
        medium.attach(self)

    def send(self, channel: int, packet: LLPacket, *, power_dbm: int | None = None) -> int | None:
        """Put `packet` on `channel` now; the time it ends, None when the radio is still sending another."""
        now_us = self.medium.loop.now_us
        if now_us < self.busy_until_us:
            return None
        duration_us = packet.duration_us
        self.medium.transmit(
            self, channel, packet.data, duration_us, power_dbm=power_dbm, meta=packet
        )
        self.busy_until_us = now_us + duration_us
        return self.busy_until_us

    def listen(self, channel: int) -> None:
        """Hear `channel` from now; each call needs its `deafen`."""
        count = self._listening.get(channel, 0)
        self._listening[channel] = count + 1
        if not count:
            self.medium.listen(self, channel)

    def deafen(self, channel: int) -> None:
        """Undo one `listen`."""
        count = self._listening[channel] - 1
        self._listening[channel] = count
        if not count:
            self.medium.deafen(self, channel)

    def route(self, access_address: int, handler: Callable[[Reception], None]) -> None:
        """Packets of `access_address` go to `handler`, on whatever channel they are heard."""
        self._routes[access_address] = handler

    def unroute(self, access_address: int) -> None:
        """Forget `access_address`; harmless when it is not routed."""
        self._routes.pop(access_address, None)

    def on_air(self, reception: Reception) -> None:
        """Hand a packet to the part that waits for it."""
        packet = reception.transmission.meta
        if not isinstance(packet, LLPacket):  # a member of a crowd sent bare octets
            packet = parse_legacy(reception.transmission.data)
            if packet is None:
                return
        if packet.access_address != ADV_ACCESS_ADDRESS:
            handler = self._routes.get(packet.access_address)
            if handler is not None:
                handler(reception)
        elif isinstance(packet, AdvPdu | ExtPdu):
            for handle in self.advertising:
                handle(reception, packet)
