"""Anchor master selection: what a synchronisation beacon does, and the end of a window. Engine, test and ladder read it.

Wi-Fi Aware 4.0, NAN synchronisation; digest 4.6 (Linux mac80211_hwsim_nan.c; rows 10 and 11 OpenNAN).
Rule 1: the first row that holds counts. Rule 2: AMBTT are compared modulo 2**32. Rows 12 and 13 are no row of the
source: without 12 a device follows its own former rank, without 13 the rank of an anchor master that is gone keeps
coming back from neighbours; both can be switched off. No clock, no randomness, no IO.
"""

from __future__ import annotations

from collections.abc import Callable  # msgspec reads the annotations
from typing import NamedTuple

import msgspec

from protocols.wifi_aware.timing import DW_INTERVAL_US

__all__ = [
    "ADDRESS_MASK",
    "ANCHOR_ROWS",
    "AT_WINDOW_END",
    "STALE_US",
    "UNREACHED",
    "AnchorRow",
    "Case",
    "EndRow",
    "Record",
    "WindowEnd",
    "anchor_row",
    "at_window_end",
    "is_newer",
]

ADDRESS_MASK = (1 << 48) - 1
"""The part of a master rank that is the address."""
UNREACHED = 255
"""Hop count of a device that no longer hears how far its anchor master is."""
STALE_US = 16 * DW_INTERVAL_US
_WRAP = (1 << 32) - 1
_HALF = 1 << 31


def is_newer(a_us: int, b_us: int) -> bool:
    """Whether AMBTT `a_us` is later than `b_us`; both are low 32 bits of a TSF."""
    return 0 < (a_us - b_us & _WRAP) < _HALF


class Record(NamedTuple):
    """What a device knows of its anchor master."""

    rank: int
    hop_count: int
    ambtt_us: int

    @property
    def address(self) -> int:
        """Address part of the rank."""
        return self.rank & ADDRESS_MASK


class Case(NamedTuple):
    """A synchronisation beacon of the own cluster, and what its receiver knows."""

    own: int
    """own master rank."""
    current: Record
    last: Record
    heard: Record
    tsf_us: int
    refuse_self: bool = True
    """row 12 is in force."""
    refuse_gone: bool = True
    """row 13 is in force."""

    @property
    def is_anchor(self) -> bool:
        """Whether the receiver is anchor master itself."""
        return self.current.hop_count == 0

    @property
    def is_stale(self) -> bool:
        """Whether the beacon repeats, or goes behind, the record that was given up last."""
        known = self.heard.rank == self.last.rank
        return known and not is_newer(self.heard.ambtt_us, self.last.ambtt_us)


class AnchorRow(msgspec.Struct, frozen=True):
    """A row of anchor master selection. `action`: discard, follow, become_anchor or refresh."""

    number: int
    when: str
    holds: Callable[[Case], bool]
    action: str


def _is_old(case: Case) -> bool:
    age_us = case.tsf_us - case.heard.ambtt_us & _WRAP
    return case.heard.rank == case.current.rank and STALE_US < age_us < _HALF


def _names_self(case: Case) -> bool:
    return case.heard.address == case.own & ADDRESS_MASK


def _is_lowered(case: Case) -> bool:
    lower = not case.is_anchor and case.heard.rank < case.current.rank
    return lower and case.heard.address == case.current.address


ANCHOR_ROWS: tuple[AnchorRow, ...] = (
    AnchorRow(
        0, "same anchor master rank, AMBTT older than 16 discovery windows", _is_old, "discard"
    ),
    AnchorRow(
        1,
        "anchor master: a lower rank, or a beacon that names this device",
        lambda case: case.is_anchor and (case.heard.rank < case.own or _names_self(case)),
        "discard",
    ),
    AnchorRow(
        12,
        "not anchor master: a beacon that names this device as anchor master",
        lambda case: case.refuse_self and _names_self(case),
        "discard",
    ),
    AnchorRow(
        8,
        "the same rank: a newer AMBTT is taken, a shorter way too",
        lambda case: not case.is_anchor and case.heard.rank == case.current.rank,
        "refresh",
    ),
    AnchorRow(
        13,
        "anchor master: the rank that was given up last, and no newer AMBTT",
        lambda case: case.refuse_gone and case.is_anchor and case.is_stale,
        "discard",
    ),
    AnchorRow(
        2,
        "anchor master: a higher rank",
        lambda case: case.is_anchor and case.heard.rank > case.own,
        "follow",
    ),
    AnchorRow(
        3,
        "a higher rank, which was given up last, and no newer AMBTT",
        lambda case: not case.is_anchor and case.heard.rank > case.current.rank and case.is_stale,
        "discard",
    ),
    AnchorRow(
        4,
        "a higher rank",
        lambda case: not case.is_anchor and case.heard.rank > case.current.rank,
        "follow",
    ),
    AnchorRow(
        5,
        "a lower rank of another anchor master",
        lambda case: (
            not case.is_anchor
            and case.heard.rank < case.current.rank
            and case.heard.address != case.current.address
        ),
        "discard",
    ),
    AnchorRow(
        6,
        "the anchor master lowered its rank below that of this device",
        lambda case: _is_lowered(case) and case.own > case.heard.rank,
        "become_anchor",
    ),
    AnchorRow(
        7,
        "the anchor master lowered its rank, which is still not below that of this device",
        lambda case: _is_lowered(case) and case.own <= case.heard.rank,
        "follow",
    ),
)
"""Rows 0 to 8 (digest 4.6) and two of our own, in the order in which they are tried: 8, which no later one meets, early."""


def anchor_row(case: Case) -> AnchorRow:
    """The row that decides what a beacon does."""
    for row in ANCHOR_ROWS:
        if row.holds(case):
            return row
    raise AssertionError(f"no row for {case}")


# --- what the end of a discovery window brings ------------------------------------------------------


class WindowEnd(NamedTuple):
    """What a device knows at the end of the last discovery window of an interval."""

    own: int
    current: Record
    unrefreshed: int
    """attended intervals, this one included, without a newer AMBTT."""
    unreached: int
    """likewise without a beacon of a hop count that allows the own one."""
    anchor_expiry: int | None
    """row 10: after that many; None: never."""
    hop_expiry: int | None
    """row 11, likewise."""


class EndRow(msgspec.Struct, frozen=True):
    """A row that needs no beacon. `action`: become_anchor or lose_way."""

    number: int
    when: str
    holds: Callable[[WindowEnd], bool]
    action: str


AT_WINDOW_END: tuple[EndRow, ...] = (
    EndRow(
        9,
        "the own rank is above that of the anchor master",
        lambda end: end.current.hop_count != 0 and end.own > end.current.rank,
        "become_anchor",
    ),
    EndRow(
        10,
        "no newer AMBTT for some discovery windows",
        lambda end: (
            end.current.hop_count != 0
            and end.anchor_expiry is not None
            and end.unrefreshed >= end.anchor_expiry
        ),
        "become_anchor",
    ),
    EndRow(
        11,
        "AMBTT goes on, but nobody as near to the anchor master for some discovery windows",
        lambda end: (
            end.current.hop_count not in (0, UNREACHED)
            and end.hop_expiry is not None
            and end.unreached >= end.hop_expiry
        ),
        "lose_way",
    ),
)
"""Rows 9 to 11 (digest 4.6); 10 and 11 are OpenNAN's alone and can be switched off."""


def at_window_end(end: WindowEnd) -> EndRow | None:
    """The row that applies at the end of a window; None: nothing changes."""
    return next((row for row in AT_WINDOW_END if row.holds(end)), None)
