"""What members of a swarm have in common, as masks: cluster and anchor master record, and ranks.

A beacon changes nothing for most devices that hear it: it tells those of one way (`Cluster.way`) the same. So it is
handed to those ways to which it matters, and the beacons of a window are counted (digest 4.5) for all members at
once. Both give what handing out each beacon to each member gives, which a test compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from protocols.wifi_aware.cluster_anchor import ADDRESS_MASK, UNREACHED, Record, is_newer
from protocols.wifi_aware.cluster_roles import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.beacon import Told
    from sim.wifi_aware.swarm_member import SwarmMember

__all__ = ["Seen", "Tally", "Way", "Ways", "matters"]

Way = tuple[str, Record, bool]
"""Cluster ID (empty while scanning), anchor master record, and whether this interval has shown as short a way."""
ENOUGH = 3


class Seen(NamedTuple):
    """A synchronisation beacon, and who of the swarm has heard it above the middle threshold and from close by."""

    start_us: int
    told: Told
    middle: int
    close: int


def matters(way: Way, told: Told) -> bool:
    """Whether a beacon can change anything for a device of that way."""
    cluster_id, record, reached = way
    if cluster_id != told.cluster_id:
        return True
    if not told.sync:
        return False
    if told.anchor_rank != record.rank:
        same_address = told.anchor_rank & ADDRESS_MASK == record.rank & ADDRESS_MASK
        return told.anchor_rank > record.rank or same_address
    if record.hop_count == 0:
        return False
    hops = min(told.hop_count + 1, UNREACHED)
    shorter = hops < record.hop_count or (hops == record.hop_count and not reached)
    return shorter or is_newer(told.ambtt_us, record.ambtt_us)


class Tally:
    """Masks of those that have counted one, two, three beacons of middle strength, or one from close by."""

    __slots__ = ("close", "one", "three", "two")

    def __init__(self) -> None:
        self.close = self.one = self.two = self.three = 0

    def add(self, middle: int, close: int) -> None:
        """Count a beacon for these."""
        self.three |= self.two & middle
        self.two |= self.one & middle
        self.one |= middle
        self.close |= close

    def of(self, bit: int) -> tuple[int, int]:
        """Counts (close, middle) of one; above three of middle strength nothing changes."""
        middle = ENOUGH if self.three & bit else 2 if self.two & bit else int(bool(self.one & bit))
        return int(bool(self.close & bit)), middle


class Ways:
    """Masks of the members by way, and by rank."""

    def __init__(self) -> None:
        self.masks: dict[Way, int] = {}
        self._ranks: list[int] = []
        self._lower: dict[int, int] = {}

    def add(self, member: SwarmMember) -> None:
        """A member more, in order of their numbers."""
        self.masks[member.way] = self.masks.get(member.way, 0) | member.bit
        self._ranks.append(member.rank)
        self._lower.clear()

    def update(self, member: SwarmMember) -> None:
        """The engine of a member may have changed."""
        cluster = member.cluster
        way = cluster.way
        if way != member.way:
            rest = self.masks[member.way] ^ member.bit
            if rest:
                self.masks[member.way] = rest
            else:
                del self.masks[member.way]
            self.masks[way] = self.masks.get(way, 0) | member.bit
            member.way = way
        if cluster.rank != member.rank:
            member.rank = self._ranks[member.number] = cluster.rank
            self._lower.clear()

    def lower(self, rank: int) -> int:
        """Members with a lower rank than that."""
        known = self._lower.get(rank)
        if known is None:
            digits = "".join("1" if own < rank else "0" for own in reversed(self._ranks))
            known = self._lower[rank] = int(digits, 2)
        return known

    def count(self, seen: Iterable[Seen], members: int) -> tuple[Tally, Tally]:
        """Tallies of better ranks and of better synchronised devices among what these members have seen."""
        masters, synced = Tally(), Tally()
        for _, told, middle, close in seen:
            own = nearer = level = 0
            for (cluster_id, record, _), mask in self.masks.items():
                if cluster_id != told.cluster_id:
                    continue
                own |= mask
                if told.anchor_rank == record.rank and told.hop_count < record.hop_count:
                    nearer |= mask
                if told.hop_count == record.hop_count:
                    level |= mask
            own &= members
            lower = self.lower(told.rank) & own
            better = (nearer & own) | (level & lower)
            masters.add(middle & lower, close & lower)
            synced.add(middle & better, close & better)
        return masters, synced

    @staticmethod
    def counts(tallies: tuple[Tally, Tally], bit: int) -> Counts:
        """The counts of one member."""
        masters, synced = tallies
        return Counts(*masters.of(bit), *synced.of(bit))
