"""Channel selection algorithms #1 and #2: which data channel a connection event uses.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.5.8.2 and 4.5.8.3. Pure arithmetic: no clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DATA_CHANNELS",
    "Hop1",
    "Hop2",
    "channel_identifier",
    "event_prn",
    "selector",
    "used_channels",
]

DATA_CHANNELS = 37

_REVERSED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def used_channels(channel_map: bytes) -> tuple[int, ...]:
    """Data channels in use, ascending; `channel_map` is five octets, little endian."""
    bits = int.from_bytes(channel_map, "little")
    return tuple(channel for channel in range(DATA_CHANNELS) if bits >> channel & 1)


def channel_identifier(access_address: int) -> int:
    """Upper half of the access address, exclusive or its lower half (4.5.8.3.2)."""
    return access_address >> 16 ^ access_address & 0xFFFF


def event_prn(counter: int, identifier: int) -> int:
    """prn_e of event `counter` (4.5.8.3.3)."""
    prn = counter ^ identifier
    for _ in range(3):
        prn = _REVERSED[prn & 0xFF] | _REVERSED[prn >> 8] << 8
        prn = (17 * prn + identifier) & 0xFFFF
    return prn ^ identifier


class Hop2:
    """Algorithm #2; stateless, so any event can be asked for."""

    __slots__ = ("_identifier", "_used", "_used_set")

    def __init__(self, access_address: int, channel_map: bytes) -> None:
        self._identifier = channel_identifier(access_address)
        self.use(channel_map)

    def use(self, channel_map: bytes) -> None:
        """Use another channel map from now on."""
        self._used = used_channels(channel_map)
        self._used_set = frozenset(self._used)

    def channel(self, counter: int) -> int:
        """Channel of event `counter` (16 bits)."""
        prn = event_prn(counter, self._identifier)
        channel = prn % DATA_CHANNELS
        if channel in self._used_set:
            return channel
        return self._used[len(self._used) * prn >> 16]


class Hop1:
    """Algorithm #1: the unmapped channel of event n is (n + 1) hops from 0, as both sides start there."""

    __slots__ = ("_hop", "_last_counter", "_unmapped", "_used", "_used_set")

    def __init__(self, hop: int, channel_map: bytes) -> None:
        self._hop = hop
        self._last_counter = -1
        self._unmapped = 0
        self.use(channel_map)

    def use(self, channel_map: bytes) -> None:
        """Use another channel map from now on."""
        self._used = used_channels(channel_map)
        self._used_set = frozenset(self._used)

    def channel(self, counter: int) -> int:
        """Channel of event `counter` (16 bits, wraps); counters must not go back."""
        steps = (counter - self._last_counter) & 0xFFFF
        self._unmapped = (self._unmapped + steps * self._hop) % DATA_CHANNELS
        self._last_counter = counter
        if self._unmapped in self._used_set:
            return self._unmapped
        return self._used[self._unmapped % len(self._used)]


def selector(
    *, csa2: bool, access_address: int, hop: int, channel_map: bytes
) -> tuple[Callable[[int], int], Callable[[bytes], None]]:
    """What gives the channel of an event counter, and what sets another channel map."""
    chosen = Hop2(access_address, channel_map) if csa2 else Hop1(hop, channel_map)
    return chosen.channel, chosen.use
