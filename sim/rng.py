"""Chance of a run: named streams from the scenario's seed; the one place of simulated code that makes any.

A stream depends on the seed and its name alone: not on the order of creation, on other streams, or on
PYTHONHASHSEED. Purposes in use, `<node>` being a node's name:

    air.shadowing/<node>|<node>   constant of a link, names sorted (`normal`)
    air.fading/<node>             one normal draw per packet that could reach the node
    air.loss/<node>               one draw per packet that would be heard
    crowd/<crowd>/phase           first event of each member, in order of members
    crowd/<crowd>/cell/<x>,<y>    advDelay of the members of one grid cell
    ble/<node>, wifi_aware/<node> timing and back-off of a radio
    wifi_aware/<node>/cluster/<purpose> what the cluster engine of a node draws
    crowd/<crowd>/backoff         back-off of the Wi-Fi Aware devices of a crowd, in order of attempts
    crowd/<crowd>/<n>/<purpose>/<k> the k-th draw of the cluster engine of member n (`octets`)
    fault/<number>/<node>         what a fault (of the scenario's, from 1) does to that node
    crypto/<node>/<purpose>       keys, nonces and addresses of a simulated device

Mersenne Twister is no secret: devices bridged to real hardware draw from the system instead.
"""

from __future__ import annotations

import hashlib
import math
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import builtins

__all__ = ["Random", "Streams"]


class Streams:
    """Random streams of one run; the same `name` is always the same object."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Random] = {}

    def stream(self, name: str) -> Random:
        """Return the stream `name`, made on first use (about 2.5 kB each)."""
        found = self._streams.get(name)
        if found is None:
            found = self._streams[name] = Random(int.from_bytes(self._digest(name)))
        return found

    def bytes(self, name: str, n: int) -> builtins.bytes:
        """Draw the next `n` octets of stream `name`."""
        return self.stream(name).randbytes(n)

    def normal(self, name: str) -> float:
        """Return the one standard normal value that belongs to `name`: keeps no stream, never changes."""
        digest = self._digest(name)
        radius = (int.from_bytes(digest[:8]) + 1) / 2**64  # in (0, 1]
        angle = int.from_bytes(digest[8:16]) / 2**64
        return math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle)

    def octets(self, name: str, n: int) -> builtins.bytes:
        """Return the first `n` octets, 32 at most, of the value that belongs to `name`: keeps no stream, never changes."""
        return self._digest(name)[:n]

    def _digest(self, name: str) -> builtins.bytes:
        return hashlib.sha256(f"{self.seed}\0{name}".encode()).digest()
