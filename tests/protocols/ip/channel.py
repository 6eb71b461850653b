"""Two ends of a stream over a channel that a test controls: delays, losses, repetitions, reordering; time jumps."""

from __future__ import annotations

import heapq
import random
from typing import Any

from protocols.ip.stream import Stream
from protocols.ip.stream_states import StreamSettings


def draws(seed):
    """Chance of one end, the same for the same seed."""
    return lambda purpose, length: random.Random(f"{seed} {purpose}").randbytes(length)


class Pair:
    """An opener `a`, a listener `b`; each segment takes `delay_us`, unless `fate` says otherwise.

    `fate(sender, segment)` gives the delays with which it arrives: () is a loss, two are a repetition.
    """

    def __init__(self, fate=None, *, delay_us=1000, a=None, b=None, seed=1):
        settings = StreamSettings()
        self.a = Stream(49152, 7024, draws(f"{seed}a"), a or settings)
        self.b = Stream(7024, 49152, draws(f"{seed}b"), b or settings, passive=True)
        self.now = 0
        self.fate = fate or (lambda sender, segment: (delay_us,))
        self.log: list[tuple[str, Any]] = []
        self.events: dict[str, list[Any]] = {"a": [], "b": []}
        self.got = {"a": bytearray(), "b": bytearray()}
        self.reads = {"a": True, "b": True}
        self._air: list[tuple[int, int, str, Any]] = []
        self._number = 0

    def end(self, name) -> Stream:
        return self.a if name == "a" else self.b

    def pump(self):
        """Put on the air what both want to send, take events and data."""
        for name in ("a", "b"):
            end = self.end(name)
            while (event := end.next_event()) is not None:
                self.events[name].append(event)
            if self.reads[name]:
                self.got[name] += end.read(1 << 30)
            for segment in end.to_send(self.now):
                self.log.append((name, segment))
                for delay in self.fate(name, segment):
                    self._number += 1
                    other = "b" if name == "a" else "a"
                    heapq.heappush(self._air, (self.now + delay, self._number, other, segment))

    def step(self):
        """Run what is due next; False when nothing is."""
        self.pump()
        times = [t for t in (self.a.next_timer(), self.b.next_timer()) if t is not None]
        times += [self._air[0][0]] if self._air else []
        if not times:
            return False
        self.now = max(self.now, min(times))
        while self._air and self._air[0][0] <= self.now:
            _, _, name, segment = heapq.heappop(self._air)
            self.end(name).receive(segment, self.now)
            self.pump()
        for end in (self.a, self.b):
            end.handle_timer(self.now)
        self.pump()
        return True

    def run(self, until=lambda pair: False, limit_us=10_000_000_000, steps=200_000):
        """Step until `until(pair)` holds, nothing is left, or the time is over; whether it holds."""
        for _ in range(steps):
            if until(self):
                return True
            if self.now > limit_us or not self.step():
                break
        return bool(until(self))

    def kinds(self, name):
        return [event.__struct_config__.tag for event in self.events[name]]


def opened(**given) -> Pair:
    """A pair whose handshake is done."""
    pair = Pair(**given)
    assert pair.run(lambda p: "connected" in p.kinds("a") and "connected" in p.kinds("b"))
    return pair
