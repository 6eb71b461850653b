"""How many data packets a controller can take: its buffers, and which of them are in use by whom.

Core Specification 5.4 Vol 4 Part E clause 4.1 (host to controller data flow control), 7.4.5, 7.8.2; digest 8.3. Some
firmware loses its place in the stream when it gets more than it has room for (digest 1.2), so what a host sends too
early waits here. No IO, no loop; `now` is in microseconds.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Final, Literal

import msgspec

__all__ = ["Buffers", "DataCredits", "PoolName", "handle_of"]

PoolName = Literal["le", "br", "iso", "sco"]
_HEADER_OCTETS: Final = 5


class Buffers(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller says of its buffers; (packets, octets of each), zeros where it has none of its own."""

    br: tuple[int, int] = (0, 0)
    le: tuple[int, int] = (0, 0)
    iso: tuple[int, int] = (0, 0)


def handle_of(packet: bytes) -> int:
    """Connection handle of a data packet."""
    return (packet[1] | packet[2] << 8) & 0x0FFF


class _Pool:
    """Buffers of one kind and what waits for them."""

    def __init__(self, packets: int, octets: int) -> None:
        self.total = packets
        self.octets = octets
        self.in_use: Counter[int] = Counter()
        self.used = 0
        self.waiting: deque[bytes] = deque()
        self.blocked_us: int | None = None

    def release(self, handle: int, count: int) -> None:
        count = min(count, self.in_use[handle])
        self.in_use[handle] -= count
        self.used -= count


class DataCredits:
    """Buffers of one opened controller; without numbers of it nothing is held back."""

    def __init__(self, *, stall_us: int = 5_000_000, counts: Counter[str] | None = None) -> None:
        self.stall_us = stall_us
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._pool_of: dict[int, PoolName] = {}
        self.waiting_octets = 0
        self.waiting_packets = 0
        self.set_buffers(Buffers())

    def set_buffers(self, buffers: Buffers) -> None:
        """What the controller said; LE data use the BR/EDR buffers where it has none for them."""
        self.clear()
        self._pools: dict[PoolName, _Pool] = {
            "br": _Pool(*buffers.br),
            "iso": _Pool(*buffers.iso),
            "sco": _Pool(0, 0),
        }
        self._pools["le"] = _Pool(*buffers.le) if buffers.le[0] else self._pools["br"]

    def connected(self, handle: int, pool: PoolName) -> None:
        """A connection whose data use `pool`."""
        self._pool_of[handle] = pool

    def disconnected(self, handle: int) -> None:
        """A connection is gone: its buffers are free, what waits for it is thrown away."""
        name = self._pool_of.pop(handle, None)
        if name is None:
            return
        pool = self._pools[name]
        pool.release(handle, pool.in_use[handle])
        del pool.in_use[handle]
        kept = deque(packet for packet in pool.waiting if handle_of(packet) != handle)
        gone = [packet for packet in pool.waiting if handle_of(packet) == handle]
        pool.waiting = kept
        self._stale(len(gone))
        self._count(-len(gone), -sum(map(len, gone)))
        pool.blocked_us = None

    def clear(self) -> None:
        """No connections, nothing waiting (after a Reset)."""
        if not self._pool_of:  # then nothing waits and nothing is in use
            return
        self._stale(self.waiting_packets)
        self.waiting_octets = self.waiting_packets = 0
        self._pool_of.clear()
        for pool in getattr(self, "_pools", {}).values():
            pool.in_use.clear()
            pool.used = 0
            pool.waiting.clear()
            pool.blocked_us = None

    def submit(self, packet: bytes) -> str:
        """Take a data packet; what is wrong with it, or nothing."""
        name = self._pool_of.get(handle_of(packet))
        if name is None:
            return "unknown handle"
        pool = self._pools[name]
        if pool.octets and len(packet) - _HEADER_OCTETS > pool.octets:
            return "longer than the controller's buffers"
        pool.waiting.append(packet)
        self._count(1, len(packet))
        return ""

    def next_packet(self, now: int) -> bytes | None:
        """A packet that has a buffer; None when there is none."""
        for pool in self._pools.values():
            if not pool.waiting:
                continue
            if pool.total and pool.used >= pool.total:
                pool.blocked_us = now if pool.blocked_us is None else pool.blocked_us
            else:
                packet = pool.waiting.popleft()
                self._count(-1, -len(packet))
                if pool.total:
                    pool.in_use[handle_of(packet)] += 1
                    pool.used += 1
                return packet
        return None

    def completed(self, handle: int, count: int) -> None:
        """The controller has sent `count` packets of a handle."""
        name = self._pool_of.get(handle)
        if name is None:
            return
        pool = self._pools[name]
        pool.release(handle, count)
        pool.blocked_us = None

    def deadline(self) -> int | None:
        """When a pool that stays blocked counts as stalled."""
        if not self.waiting_packets:
            return None
        since = [pool.blocked_us for pool in self._pools.values() if pool.blocked_us is not None]
        return min(since) + self.stall_us if since else None

    def expire(self, now: int) -> str:
        """What is stalled, named once per stall; empty when nothing is."""
        for pool in self._pools.values():
            if pool.blocked_us is not None and now >= pool.blocked_us + self.stall_us:
                pool.blocked_us = None
                users = ", ".join(
                    f"{count} of handle {handle:#06x}"
                    for handle, count in sorted(pool.in_use.items())
                    if count
                )
                return (
                    f"no report of completed packets for {self.stall_us / 1e6:g} s: "
                    f"all {pool.total} buffers in use ({users}), {len(pool.waiting)} packets wait"
                )
        return ""

    def _stale(self, packets: int) -> None:
        if packets:
            self.counts["data of connections that ended"] += packets

    def _count(self, packets: int, octets: int) -> None:
        self.waiting_packets += packets
        self.waiting_octets += octets
