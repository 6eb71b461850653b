"""NAN radios on an air, each with a node that notes what it hears and sends what a test gives it."""

from __future__ import annotations

import types
from typing import Any

from protocols.wifi_aware import frames
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.cluster_settings import ClusterSettings
from protocols.wifi_aware.frame import build
from protocols.wifi_aware.heard import NETWORK_ID, Heard, Outgoing
from sim.air import Air, AirSettings
from sim.air_trace import AirTrace
from sim.causes import Causes
from sim.clock import VirtualLoop
from sim.rng import Streams
from sim.trace import TraceEvent, TraceLog
from sim.wifi_aware.radio import NanRadio
from sim.wifi_aware.radio_settings import RadioSettings

S = 1_000_000
CAPABILITY = 0x0F


class Node:
    """Engines of a node, as far as a radio sees them."""

    def __init__(self, field: NanField, number: int) -> None:
        self.field = field
        self.nmi = f"02:00:00:00:00:{number:02x}"
        settings = types.SimpleNamespace(ndi=f"02:00:00:00:01:{number:02x}")
        self.engine: Any = types.SimpleNamespace(
            station=types.SimpleNamespace(cluster_id="", settings=settings)
        )
        self.heard: list[tuple[int, Heard]] = []
        self.data_heard: list[tuple[int, bytes]] = []
        self.left: list[tuple[int, str]] = []
        self.results: list[tuple[int, int, bool]] = []
        self.windows: list[int] = []
        self._queue: list[Outgoing] = []
        self._number = 0

    # What a radio asks

    def receive(self, data: bytes | Heard, now: int) -> None:
        assert isinstance(data, Heard)
        self.heard.append((now, data))

    def to_send(self, now: int) -> list[Outgoing]:
        queue, self._queue = self._queue, []
        return queue

    def sending(self, out: Outgoing) -> None:
        self.left.append((self.field.loop.now_us, out.name))

    def sent(self, number: int, acked: bool, now: int) -> None:
        self.results.append((now, number, acked))

    def next_timer(self) -> int | None:
        return None

    def handle_timer(self, now: int) -> None:
        raise AssertionError("nothing is due")

    def window(self, now: int) -> None:
        self.windows.append(now)

    def beacon(self, octets: bytes) -> bytes:
        return octets

    def believes(self, heard: Heard) -> bool:
        return heard.frame is not None

    def data(self, octets: bytes, now: int) -> None:
        self.data_heard.append((now, octets))

    # What a test does

    def give(
        self, to: str = NETWORK_ID, *attributes: Attr, at_once: bool = False, name: str = "frame"
    ) -> int:
        """Queue a service discovery frame."""
        self._number += 1
        octets = build(
            frames.Sdf(
                destination=to,
                source=self.nmi,
                bssid=self.engine.station.cluster_id or "50:6f:9a:01:00:00",
                sequence_number=self._number,
                category=4,
                attributes=attributes,
            )
        )
        out = Outgoing(
            number=self._number,
            octets=octets,
            clear=octets,
            destination=to,
            name=name,
            engine="test",
            at_once=at_once,
        )
        self._queue.append(out)
        self.field.radios[self.field.nodes.index(self)].kick()
        return self._number

    def capability(self, wake_2_4: int, wake_5: int = 0) -> Attr:
        """A Device Capability with these committed wake values."""
        return Attr(CAPABILITY, bytes((0, wake_2_4 | wake_5 << 3, 0, 0x14, 0, 0x11, 0, 0, 0)))


class NanField:
    """An air with radios `n0`, `n1`, ... added one by one."""

    def __init__(self, seed: int = 1, **air: Any) -> None:
        self.loop = VirtualLoop()
        self.streams = Streams(seed)
        self.air = Air(self.loop, self.streams, AirSettings(**air))
        causes = Causes()
        self.trace = TraceLog(lambda: self.loop.now_us, cause_of=causes.of)
        self.events: list[TraceEvent] = []
        self.trace.add_sink(self.events.append)
        self.nodes: list[Node] = []
        self.radios: list[NanRadio] = []
        self._places: dict[str, Any] = {}
        self.air.observe(AirTrace(self.trace, self._places, causes).on_air)

    def position_of(self, name: str) -> Any:
        return self._places[name]

    def add(
        self, at: Any = (0.0, 0.0, 0.0), *, start: bool = True, radio: Any = None, **cluster: Any
    ) -> Node:
        """A radio at a place, on from now."""
        number = len(self.nodes)
        name = f"n{number}"
        self._places[name] = at
        node = Node(self, number + 1)
        given = {"warm_up_us": 2 * S, "search_interval_us": 0} | cluster
        settings = RadioSettings(cluster=ClusterSettings(**given), **(radio or {}))
        place: Any = self
        made = NanRadio(name, place, node, settings)
        self.nodes.append(node)
        self.radios.append(made)
        if start:
            made.start()
        return node

    def run(self, until_us: int) -> NanField:
        self.loop.run_until_us(until_us)
        return self

    def on_air(self, event: str = "", node: str = "") -> list[TraceEvent]:
        """What went on the air, in order."""
        return [
            e
            for e in self.events
            if e.layer == "air" and event in ("", e.event) and node in ("", e.node)
        ]


def pair(seed: int = 1, gap_m: float = 5.0, **settings: Any) -> tuple[NanField, Node, Node]:
    """Two radios in one cluster, at 6 s; n0 is on before."""
    field = NanField(seed)
    first = field.add(master_preference=200, **settings)
    field.run(2 * S)
    second = field.add((gap_m, 0.0, 0.0), **settings)
    field.run(6 * S)
    assert first.engine.station.cluster_id == second.engine.station.cluster_id != ""
    return field, first, second
