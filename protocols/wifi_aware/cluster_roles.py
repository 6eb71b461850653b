"""Roles and phases of a device of a cluster, as tables that engine, test and ladder read.

Wi-Fi Aware 4.0, NAN synchronisation; digest 4.2, 4.4 and 4.5 (Linux mac80211_hwsim_nan.c). Rule: one change of role
at most at the end of each discovery window interval. No clock, no randomness, no IO.
"""

from __future__ import annotations

from collections.abc import Callable  # msgspec reads the annotations
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.cluster_anchor import Record

__all__ = [
    "ENOUGH",
    "MASTER",
    "NON_SYNC",
    "PHASES",
    "PHASE_ROWS",
    "ROLE_ROWS",
    "SCAN",
    "SYNC",
    "UP",
    "WARM_UP",
    "Counts",
    "PhaseRow",
    "RoleRow",
    "Sighting",
    "counts_of",
    "next_role",
]

MASTER, SYNC, NON_SYNC = "master", "non_master_sync", "non_master_non_sync"
SCAN, WARM_UP, UP = "scan", "warm_up", "up"
ENOUGH = 3
"""Beacons of middle strength that weigh as much as one close by."""


class Counts(NamedTuple):
    """Synchronisation beacons of the own cluster in the window that ended; `middle` counts the close ones too."""

    close_master: int = 0
    """of a higher master rank."""
    middle_master: int = 0
    close_sync: int = 0
    """with a shorter way to the same anchor master, or a higher rank at the same hop count."""
    middle_sync: int = 0

    @property
    def masters(self) -> bool:
        """Whether others are to be master."""
        return self.close_master >= 1 or self.middle_master >= ENOUGH

    @property
    def synced(self) -> bool:
        """Whether others synchronise the neighbourhood."""
        return self.close_sync >= 1 or self.middle_sync >= ENOUGH


class Sighting(NamedTuple):
    """A synchronisation beacon of the own cluster above the middle threshold."""

    rank: int
    """master rank of its sender."""
    anchor_rank: int
    hop_count: int
    close: bool


def counts_of(sightings: Iterable[Sighting], own: int, record: Record) -> Counts:
    """The counts of a window for a device of that rank and record."""
    close_master = middle_master = close_sync = middle_sync = 0
    for rank, anchor_rank, hops, close in sightings:
        if rank > own:
            middle_master += 1
            close_master += close
        nearer = anchor_rank == record.rank and hops < record.hop_count
        if nearer or (rank > own and hops == record.hop_count):
            middle_sync += 1
            close_sync += close
    return Counts(close_master, middle_master, close_sync, middle_sync)


class RoleRow(msgspec.Struct, frozen=True):
    """A change of role."""

    before: str
    after: str
    when: str
    holds: Callable[[Counts], bool]


_FEW_MASTERS = "no higher rank close by, and fewer than 3 in the middle"
ROLE_ROWS: tuple[RoleRow, ...] = (
    RoleRow(SYNC, MASTER, _FEW_MASTERS, lambda counts: not counts.masters),
    RoleRow(NON_SYNC, MASTER, _FEW_MASTERS, lambda counts: not counts.masters),
    RoleRow(
        MASTER,
        SYNC,
        "a higher rank close by, or 3 in the middle",
        lambda counts: counts.masters,
    ),
    RoleRow(
        SYNC,
        NON_SYNC,
        "a better synchronised device close by, or 3 in the middle",
        lambda counts: counts.synced,
    ),
    RoleRow(
        NON_SYNC,
        SYNC,
        "no better synchronised device close by, and fewer than 3 in the middle",
        lambda counts: not counts.synced,
    ),
)
"""Role transitions (digest 4.5), one at most at the end of each interval."""


def next_role(role: str, counts: Counts) -> str:
    """The role after a window with these beacons."""
    rows = (row for row in ROLE_ROWS if row.before == role and row.holds(counts))
    return next((row.after for row in rows), role)


# --- phases -----------------------------------------------------------------------------------------


class PhaseRow(msgspec.Struct, frozen=True):
    """A change of phase and what brings it: `beacon` (of a cluster, strong enough), `better` (one), `time`."""

    before: str
    on: str
    after: str
    when: str


PHASE_ROWS: tuple[PhaseRow, ...] = (
    PhaseRow(SCAN, "beacon", UP, "a NAN beacon above the middle threshold: its cluster is joined"),
    PhaseRow(
        SCAN, "time", WARM_UP, "no beacon in the scan time: a cluster of its own, preference 0"
    ),
    PhaseRow(WARM_UP, "better", UP, "a cluster of a better grade is joined"),
    PhaseRow(
        WARM_UP, "time", UP, "warm-up time is over: configured preference, drawn random factor"
    ),
    PhaseRow(UP, "better", UP, "a cluster of a better grade is joined"),
)
"""Start-up (digest 4.2)."""
PHASES = {(row.before, row.on): row.after for row in PHASE_ROWS}
"""The same as the engine runs on it."""
