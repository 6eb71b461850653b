"""Which MAC address has which IPv6 address: neighbour discovery on a link, or entries that are pinned.

RFC 4861 7.2 (address resolution) and 10 (its numbers). Entries stay until they are told otherwise: whether a neighbour
is reachable is what the data path's idle rule says, so there is no reachability probing, and no detection of duplicate
addresses on a link of two. Five verbs, no IO; packets in and out are those of `packet.py`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from protocols.ip import icmpv6, ipv6
from protocols.ip.icmpv6 import Icmpv6, Neighbour, address_option, mac_in
from protocols.ip.packet import Packet

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NeighbourEvent", "Neighbours", "Resolved", "Unreachable"]

ATTEMPTS = 3
"""MAX_MULTICAST_SOLICIT."""
RETRANSMIT_US = 1_000_000
"""RETRANS_TIMER."""
_UNSPECIFIED = "::"


class NeighbourEvent(msgspec.Struct, frozen=True, tag_field="kind"):
    """Base of what is told."""

    address: str


class Resolved(NeighbourEvent, frozen=True, tag="resolved"):
    """The MAC address of a neighbour is known now."""

    mac: str


class Unreachable(NeighbourEvent, frozen=True, tag="unreachable"):
    """Nobody answered for an address."""


class Neighbours:
    """Neighbours of one interface; `resolve` asks for one."""

    def __init__(self, address: str, mac: str, pinned: Mapping[str, str] | None = None) -> None:
        self.address = address
        self.mac = mac
        self.known: dict[str, str] = dict(pinned or {})
        self._pinned = frozenset(self.known)
        self._asked: dict[
            str, tuple[int, int]
        ] = {}  # address -> (solicitations sent, when the next is due)
        self._out: list[Packet] = []
        self._events: deque[NeighbourEvent] = deque()

    def resolve(self, address: str, now: int) -> str | None:
        """The MAC address of a neighbour; None, and a solicitation goes out, while it is unknown."""
        found = self.known.get(address)
        if found is None and address not in self._asked:
            self._solicit(address, 1, now)
        return found

    # The five verbs

    def receive(self, packet: Packet, now: int) -> None:
        """Take a message of neighbour discovery; others, and those from off the link, are passed over."""
        message = packet.icmpv6
        if message is UNSET or message.neighbour is UNSET:
            return
        if packet.hop_limit != icmpv6.ND_HOP_LIMIT or message.code:
            return
        if message.checksum != "computed":
            return
        if message.type == icmpv6.SOLICITATION:
            self._solicited(packet.source, message.neighbour)
        else:
            self._advertised(message.neighbour)

    def to_send(self, now: int) -> list[Packet]:
        """Packets to be sent, in order; each is given once."""
        out, self._out = self._out, []
        return out

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called, None when nothing runs."""
        return min((due for _, due in self._asked.values()), default=None)

    def handle_timer(self, now: int) -> None:
        """Ask again, or give up."""
        for address, (sent, due) in list(self._asked.items()):
            if due > now:
                continue
            if sent < ATTEMPTS:
                self._solicit(address, sent + 1, now)
            else:
                del self._asked[address]
                self._events.append(Unreachable(address))

    def next_event(self) -> NeighbourEvent | None:
        """The next event, None when there is none."""
        return self._events.popleft() if self._events else None

    # Messages

    def _solicit(self, address: str, count: int, now: int) -> None:
        self._asked[address] = (count, now + RETRANSMIT_US)
        option = address_option(icmpv6.SOURCE_ADDRESS, self.mac)
        body = Neighbour(target=address, options=(option,))
        self._say(ipv6.solicited_node(address), icmpv6.SOLICITATION, body)

    def _say(self, destination: str, kind: int, body: Neighbour) -> None:
        self._out.append(
            Packet(
                next_header=ipv6.ICMPV6,
                hop_limit=icmpv6.ND_HOP_LIMIT,
                source=self.address,
                destination=destination,
                icmpv6=Icmpv6(type=kind, neighbour=body),
            )
        )

    def _solicited(self, source: str, body: Neighbour) -> None:
        if body.target != self.address:
            return
        mac = mac_in(body.options, icmpv6.SOURCE_ADDRESS)
        probes = source == _UNSPECIFIED  # somebody looks whether the address is taken
        if mac is not None and not probes:
            self._learn(source, mac)
        answer = Neighbour(
            solicited=not probes,
            override=True,
            target=self.address,
            options=(address_option(icmpv6.TARGET_ADDRESS, self.mac),),
        )
        self._say(ipv6.ALL_NODES if probes else source, icmpv6.ADVERTISEMENT, answer)

    def _advertised(self, body: Neighbour) -> None:
        mac = mac_in(body.options, icmpv6.TARGET_ADDRESS)
        known = self.known.get(body.target)
        waited = body.target in self._asked
        if mac is not None and (waited or (known is not None and body.override)):
            self._learn(body.target, mac)

    def _learn(self, address: str, mac: str) -> None:
        if address in self._pinned:
            return
        self.known[address] = mac
        if self._asked.pop(address, None) is not None:
            self._events.append(Resolved(address, mac))
