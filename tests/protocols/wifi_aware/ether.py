"""Cluster engines under a plain clock: who listens hears, in order, everything that was sent. For tests."""

from __future__ import annotations

import hashlib
import heapq
from typing import TYPE_CHECKING, Any

from protocols.wifi_aware.airtime import airtime_us
from protocols.wifi_aware.beacon import stamped, told
from protocols.wifi_aware.cluster import Cluster
from protocols.wifi_aware.cluster_events import (
    SearchEnded,
    SearchStarted,
    WindowClosed,
    WindowOpened,
)
from protocols.wifi_aware.cluster_settings import ClusterSettings
from protocols.wifi_aware.heard import hear

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.events import Event

GAP_US = 50


def draw_of(seed: object) -> Callable[[str, int], bytes]:
    """Chance that depends on the seed alone."""
    counter = [0]

    def draw(purpose: str, length: int) -> bytes:
        counter[0] += 1
        return hashlib.sha256(f"{seed}/{purpose}/{counter[0]}".encode()).digest()[:length]

    return draw


class Node:
    """An engine, what it told, and the channels it listens on. Its local clock is `ahead_us` ahead."""

    def __init__(self, cluster: Cluster, ahead_us: int = 0) -> None:
        self.cluster = cluster
        self.ahead_us = ahead_us
        self.events: list[Event] = []
        self.channels: list[int] = []
        self.on = True

    def drain(self) -> None:
        while (event := self.cluster.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, WindowOpened | SearchStarted):
                self.channels.append(event.channel)
            elif isinstance(event, WindowClosed | SearchEnded):
                self.channels.remove(event.channel)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Ether:
    """Devices `count`, started `spacing_us` apart; `rssi(i, j)` is the power of i at j, None: out of range."""

    def __init__(
        self,
        rssi: Callable[[int, int], int | None] = lambda i, j: -40,
        *,
        seed: int = 0,
        drop: Callable[[int, int], bool] = lambda i, j: False,
    ) -> None:
        self.rssi, self.seed, self.drop = rssi, seed, drop
        self.nodes: list[Node] = []
        self.now = 0
        self.sent: list[tuple[int, int, Any]] = []
        """(time, sender, what the beacon told)."""
        self._air: list[tuple[int, int, int, bytes, int]] = []
        self._free_us: dict[int, int] = {}
        self._count = 0

    def add(self, nmi: str = "", ahead_us: int = 0, **settings: Any) -> Node:
        index = len(self.nodes)
        nmi = nmi or f"02:00:00:00:00:{index + 1:02x}"
        made = Cluster(
            nmi,
            ClusterSettings(**settings),
            draw_of(f"{self.seed}/{index}"),
            self.now + ahead_us,
        )
        node = Node(made, ahead_us)
        node.drain()
        self.nodes.append(node)
        return node

    def run(self, until_us: int) -> Ether:
        while True:
            due = [
                (n.cluster.next_timer() - n.ahead_us, i) for i, n in enumerate(self.nodes) if n.on
            ]
            timer = min(due, default=(until_us + 1, -1))
            arrival = self._air[0][0] if self._air else until_us + 1
            at = max(self.now, min(timer[0], arrival))
            if at > until_us:
                self.now = until_us
                return self
            self.now = at
            if arrival <= timer[0]:
                self._arrive()
            else:
                self.poke(self.nodes[timer[1]])

    def poke(self, node: Node) -> None:
        local = self.now + node.ahead_us
        node.cluster.handle_timer(local)
        for out in node.cluster.to_send(local):
            self.send(node, out.octets, out.channel)
        node.drain()

    def send(self, node: Node, octets: bytes, channel: int) -> None:
        start = max(self.now + GAP_US, self._free_us.get(channel, 0))
        end = start + airtime_us(len(octets), channel)
        self._free_us[channel] = end + GAP_US
        octets = stamped(octets, node.cluster.tsf_us(start + node.ahead_us))
        self._count += 1
        index = self.nodes.index(node)
        self.sent.append((start, index, told(hear(octets))))
        heapq.heappush(self._air, (end, self._count, index, octets, channel))

    def _arrive(self) -> None:
        _, _, sender, octets, channel = heapq.heappop(self._air)
        for i, node in enumerate(self.nodes):
            rssi_dbm = self.rssi(sender, i)
            audible = i != sender and node.on and channel in node.channels
            if audible and rssi_dbm is not None and not self.drop(sender, i):
                node.cluster.receive(hear(octets, rssi_dbm, channel), self.now + node.ahead_us)
                node.drain()

    @property
    def clusters(self) -> set[str]:
        return {n.cluster.cluster_id for n in self.nodes if n.on}

    @property
    def anchors(self) -> set[str]:
        return {n.cluster.nmi for n in self.nodes if n.on and n.cluster.is_anchor}
