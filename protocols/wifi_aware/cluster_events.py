"""What the cluster engine tells: windows to listen in, and what became of cluster, anchor master, role and clock.

Times `..._us` are local ones unless they are called TSF. A radio follows the windows, searches and clock
corrections; the rest is for people. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.wifi_aware.events import Event

__all__ = [
    "AnchorChanged",
    "ClusterJoined",
    "ClusterMerged",
    "PhaseChanged",
    "RoleChanged",
    "SearchEnded",
    "SearchStarted",
    "TsfAdjusted",
    "WindowClosed",
    "WindowOpened",
]


class WindowOpened(Event, frozen=True, kw_only=True, tag="window_opened", gc=False):
    """A discovery window that this device attends has begun."""

    band: int
    """Band ID: 2 for 2.4 GHz, 4 for 5 GHz."""
    channel: int
    index: int
    """0 to 15; 0 is DW0."""
    until_us: int
    """when it closes."""


class WindowClosed(Event, frozen=True, kw_only=True, tag="window_closed", gc=False):
    """It is over, or cut short because the clock jumped."""

    band: int
    channel: int
    index: int


class SearchStarted(Event, frozen=True, kw_only=True, tag="search_started"):
    """The device listens on `channel` all the time from now on: it looks for clusters."""

    channel: int
    until_us: int


class SearchEnded(Event, frozen=True, kw_only=True, tag="search_ended"):
    """It does no longer."""

    channel: int


class PhaseChanged(Event, frozen=True, kw_only=True, tag="phase"):
    """Start-up went on: `scan`, `warm_up` or `up`."""

    before: str
    after: str


class ClusterJoined(Event, frozen=True, kw_only=True, tag="cluster_joined"):
    """The device belongs to a cluster; `started`: one of its own."""

    cluster_id: str
    anchor: str
    """NMI of the anchor master."""
    started: bool


class ClusterMerged(Event, frozen=True, kw_only=True, tag="cluster_merged"):
    """The device left its cluster for a better one."""

    before: str
    cluster_id: str
    anchor: str


class AnchorChanged(Event, frozen=True, kw_only=True, tag="anchor"):
    """The device follows another anchor master, or became it itself (hop count 0)."""

    before: str
    after: str
    rank: int
    hop_count: int
    row: int
    """number of the row of `cluster_anchor` that decided; -1: by joining."""


class RoleChanged(Event, frozen=True, kw_only=True, tag="role"):
    """`master`, `non_master_sync` or `non_master_non_sync`."""

    before: str
    after: str


class TsfAdjusted(Event, frozen=True, kw_only=True, tag="tsf"):
    """The TSF is local time plus `offset_us` from now on."""

    by_us: int
    offset_us: int
    jump: bool
    """beyond 4 TU: the windows start over at the next one."""
