"""What a cluster engine tells, as trace events: one row per kind. Nodes that only follow along tell machines alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.wifi_aware.cluster_events import (
    AnchorChanged,
    ClusterJoined,
    ClusterMerged,
    PhaseChanged,
    RoleChanged,
    TsfAdjusted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.events import Event
    from sim.world import RadioPlace

__all__ = ["tell"]

_ROWS: dict[type[Event], tuple[str, Callable[[Any], str], bool]] = {
    ClusterJoined: (
        "cluster",
        lambda e: f"{'began' if e.started else 'joined'} cluster {e.cluster_id}",
        False,
    ),
    ClusterMerged: ("cluster", lambda e: f"left {e.before} for {e.cluster_id}", False),
    AnchorChanged: ("anchor master", lambda e: f"{e.after}, {e.hop_count} hops away", True),
    RoleChanged: ("role", lambda e: e.after.replace("_", " "), True),
    PhaseChanged: ("phase", lambda e: e.after.replace("_", " "), True),
    TsfAdjusted: ("clock", lambda e: f"TSF moved by {e.by_us} us", True),
}
"""Label, note, and whether it is for machines only."""


def tell(place: RadioPlace, node: str, event: Event) -> None:
    """Write an event of the cluster engine of `node` to the trace."""
    label, note, quiet = _ROWS[type(event)]
    fields = event.as_plain()
    kind = fields.pop("kind")
    if quiet:
        fields["quiet"] = True
    place.trace.emit(
        node, "aware", kind, label=label, note=note(event), phase="synchronisation", **fields
    )
