"""Packets that are on the air or were so lately, for the question which of them overlap.

Rules: no power and no radio's opinion here; an interval is [start, end), so packets that touch do not overlap; what is
older than anybody asks for is forgotten when something new comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sim.radio import Radio, Transmission  # msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["Packet", "RecentPackets"]

KEEP_US = 20_000
"""How long an ended packet is kept at least."""


class Packet(msgspec.Struct, frozen=True):
    """A transmission with its sender's radio."""

    sent: Transmission
    radio: Radio


class RecentPackets:
    """The latest packets of each channel."""

    def __init__(self) -> None:
        self._recent: dict[Hashable, list[Packet]] = {}  # in order of start
        self._keep_us = KEEP_US
        self._longest_us = 0

    def keep(self, keep_us: int) -> None:
        """Keep ended packets for at least `keep_us`: that far back may be asked."""
        self._keep_us = max(self._keep_us, keep_us)

    def add(self, packet: Packet) -> None:
        """A packet starts now."""
        sent, sending = packet.sent, packet.radio.sending
        duration_us = sent.end_us - sent.start_us
        self._longest_us = max(self._longest_us, duration_us)
        self.keep(duration_us)
        old_us, oldest_us = sent.start_us - self._keep_us, sent.start_us - 2 * self._keep_us
        recent = self._recent.setdefault(sent.channel, [])
        if recent and recent[0].sent.end_us <= oldest_us:
            recent[:] = [p for p in recent if p.sent.end_us > old_us]
        recent.append(packet)
        if sending and sending[0][1] <= oldest_us:
            sending[:] = [span for span in sending if span[1] > old_us]
        sending.append((sent.start_us, sent.end_us))

    def beside(self, sent: Transmission) -> list[Packet]:
        """Packets that overlap another one on its channel."""
        packets = self.between(sent.channel, sent.start_us, sent.end_us)
        return [packet for packet in packets if packet.sent is not sent]

    def between(self, channel: Hashable, start_us: int, end_us: int) -> list[Packet]:
        """Packets that overlap [start_us, end_us), the latest first."""
        found: list[Packet] = []
        for packet in reversed(self._recent.get(channel, ())):
            sent = packet.sent
            if sent.start_us <= start_us - self._longest_us:
                break  # no packet is longer than that
            if sent.end_us > start_us and sent.start_us < end_us:
                found.append(packet)
        return found
