"""Two whole devices on a wire that loses, doubles, delays, cuts and bends frames: everything ends, and ends alike.

No radio: frames are lines of `sim.wifi_aware.stdio`, so that each seed is a different air. Times are the defaults of an
accessory: a request is given up after 11 s, an exchange after 10 s, an identity key after 5 s, a data path after 30 s.
"""

from __future__ import annotations

import contextlib
import heapq
import random
from typing import Any

import pytest

from protocols.wifi_aware.bootstrapping_table import State as Bootstrapping
from protocols.wifi_aware.pairing_states import State as Pairing
from sim.wifi_aware.stdio import LoneNode
from tui.commands.node import alone

STEP_US = 20_000
OVER_US = 70_000_000
"""All of it, one after the other."""


class Side:
    """A node, what it has said, and when each pairing and data path ended."""

    def __init__(self, name: str, seed: int, *settings: str) -> None:
        self.lines: list[dict[str, Any]] = []
        self.node = LoneNode(alone(name, list(settings)), self.lines.append, seed=seed, reveal=True)
        self.events: list[dict[str, Any]] = []

    def take(self) -> list[dict[str, Any]]:
        """Frames that it has sent since."""
        told, self.lines[:] = list(self.lines), []
        self.events += [one for one in told if "event" in one]
        return [one for one in told if "frame" in one]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == event]

    def say(self, **line: Any) -> None:
        self.node._take(line)


class Air:
    """Frames on their way, and what happens to them there."""

    def __init__(self, seed: int, trouble: float, *sides: Side) -> None:
        self.chance = random.Random(seed)
        self.trouble = trouble
        self.sides = sides
        self.now_us = 0
        self._due: list[tuple[int, int, Side, bytes]] = []
        self._count = 0

    def pass_time(self, until_us: int) -> None:
        while self.now_us < until_us:
            self.now_us += STEP_US
            for side in self.sides:
                side.say(advance_us=STEP_US)
            self.settle()

    def settle(self) -> None:
        while self._carry():
            pass

    def _carry(self) -> bool:
        moved = False
        for side in self.sides:
            for frame in side.take():
                moved = True
                lost = self._send(side, bytes.fromhex(frame["frame"]))
                side.say(sent=frame["n"], acked=not lost)
        while self._due and self._due[0][0] <= self.now_us:
            moved = True
            _, _, side, octets = heapq.heappop(self._due)
            side.say(frame=octets.hex())
        return moved

    def _send(self, sender: Side, octets: bytes) -> bool:
        """Put a frame on its way; whether its sender gets no acknowledgement."""
        kind = self.chance.random()
        if kind < self.trouble * 0.4:
            return self.chance.random() < 0.5
        copies = 2 if kind < self.trouble * 0.6 else 1
        for _ in range(copies):
            delay_us = self.chance.randrange(400_000) if kind < self.trouble else 0
            bent = self._bent(octets) if kind > 1 - self.trouble * 0.2 else octets
            for other in self.sides:
                if other is not sender:
                    self._count += 1
                    due = (self.now_us + delay_us, self._count, other, bent)
                    heapq.heappush(self._due, due)
        return False

    def _bent(self, octets: bytes) -> bytes:
        at = self.chance.randrange(24, len(octets))
        if self.chance.random() < 0.5:
            return octets[:at]
        return octets[:at] + bytes((octets[at] ^ 1 << self.chance.randrange(8),)) + octets[at + 1 :]


AIRS = [(0.0, 0), *((trouble, seed) for trouble in (0.3, 0.8) for seed in range(8))]


@pytest.mark.parametrize(("trouble", "seed"), AIRS)
def test_everything_ends_and_what_stands_stands_on_both_sides(trouble, seed) -> None:
    accessory = Side("aware_display", seed, "pin=271828")
    phone = Side("aware_display", seed + 100, "service_name=_phone._udp")
    air = Air(seed, trouble, accessory, phone)
    with contextlib.ExitStack() as stack:
        for side in air.sides:
            stack.callback(side.node.world.close)
            stack.enter_context(side.node.world.session())
            side.node.begin()
        ceremony(air, phone)
        air.trouble = 0.0
        air.pass_time(OVER_US)
        check(accessory, phone, sound=trouble == 0.0)


def ceremony(air: Air, phone: Side) -> None:
    """All that a phone does, whatever became of the step before."""
    for until_us, line in (
        (3_000_000, {"cmd": "subscribe", "service": "_nearbench._udp"}),
        (18_000_000, {"cmd": "bootstrap"}),
        (34_000_000, {"cmd": "pair", "pin": "271828"}),
        (36_000_000, {"cmd": "open_datapath"}),
    ):
        phone.node.line(repr(line).replace("'", '"').encode())
        air.settle()
        air.pass_time(until_us)


def check(accessory: Side, phone: Side, *, sound: bool) -> None:
    for side in (accessory, phone):
        side.take()
        engine = side.node.half.engine
        for nmi in engine.station.peers:
            assert engine.bootstrapping.state_of(nmi) is Bootstrapping.IDLE
            assert engine.pairing.state(nmi) in (Pairing.IDLE, Pairing.TORN_DOWN)
        for link in engine.data_path.links.values():
            assert [path.state.value for path in link.every()] == ["connected"]
        assert not side.node.half.ceremony.kept
    results = {
        side: [one["status"] for one in side.of("pairing_result")] for side in (accessory, phone)
    }
    assert not sound or list(results.values()) == [[0], [0]]
    keys = [{one["nd_tk"] for one in side.of("ndp_connected")} for side in (accessory, phone)]
    assert not sound or keys[0]
    assert keys[0] <= keys[1] or keys[1] <= keys[0]
    known = [{one["nik"] for one in side.of("nik_received")} for side in (accessory, phone)]
    stations = [side.node.half.engine.station for side in (accessory, phone)]
    assert known[0] <= {stations[1].nik.hex()}
    assert known[1] <= {stations[0].nik.hex()}
