"""HCI over USB endpoints: each kind of packet on an endpoint of its own, without type octets.

Core Specification 5.4 Vol 4 Part B clause 2. The pieces that a host controller delivers are given as the type octet
of their endpoint and the octets; each endpoint has a resynchronising framer, because a lost piece of one packet would
otherwise make garbage of the next (digest 1.4). No clock, no chance, no IO.
"""

from __future__ import annotations

from protocols.hci.framing import ACL, EVENT, SCO, PlainFramer, Skipped
from protocols.hci.h4 import H4Framer, Limits

__all__ = ["UsbFramer"]


class UsbFramer(PlainFramer):
    """Events on interrupt IN, ACL (and ISO) data on bulk IN, SCO on isochronous IN."""

    def __init__(self) -> None:
        super().__init__()
        self._endpoints = {kind: H4Framer(endpoint=kind) for kind in (EVENT, ACL, SCO)}

    @property
    def limits(self) -> Limits:
        """Largest payloads that are believed."""
        return self._endpoints[ACL].limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        for framer in self._endpoints.values():
            framer.limits = limits

    @property
    def ready(self) -> bool:
        """Whether nothing waits."""
        return not self._out

    def to_send(self, now: int) -> bytes:
        """The next packet, type octet first: it says which endpoint."""
        return self._out.pop(0) if self._out else b""

    def receive(self, data: bytes, now: int) -> None:
        """Take a piece: the type octet of the endpoint, then what came on it."""
        if not data:
            for framer in self._endpoints.values():
                framer.receive(b"", now)
            return
        endpoint = self._endpoints.get(data[0])
        if endpoint is None:
            self._events.append(Skipped(bytes(data), now, "no such endpoint"))
            return
        endpoint.receive(data[1:], now)
        self._gather(endpoint)

    def next_timer(self) -> int | None:
        """When an incomplete packet is given up."""
        timers = [each.next_timer() for each in self._endpoints.values()]
        return min((each for each in timers if each is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Give up what stayed incomplete."""
        for framer in self._endpoints.values():
            framer.handle_timer(now)
            self._gather(framer)

    def _gather(self, framer: H4Framer) -> None:
        while (event := framer.next_event()) is not None:
            self._events.append(event)
