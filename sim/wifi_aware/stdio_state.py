"""What a node on a line tells about itself when asked: its state, and the keys it has derived. Plain values only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.peers import Peer
    from sim.trace import TraceEvent
    from sim.wifi_aware.stdio import LoneNode

__all__ = ["keys_of", "state_of"]


def keys_of(derived: Iterable[TraceEvent]) -> list[dict[str, Any]]:
    """Keys of trace events that say that they were derived."""
    return [
        {
            "name": event.fields["name"],
            "peer": event.peer,
            "value": event.fields["value"],
            "t_us": event.t_us,
        }
        for event in derived
    ]


def state_of(node: LoneNode) -> dict[str, Any]:
    """The whole state."""
    half = node.half
    told: dict[str, Any] = {"node": node.device.name, "t_us": node.world.now_us, "on": half.on}
    question = node.device.person.question
    told["question"] = None if question is None else {"kind": question.kind, "peer": question.peer}
    told["pending"] = [{"what": one.kind, "peer": one.peer} for one in node.acquaintance.pending]
    if not half.on:
        return told
    engine = half.engine
    station = engine.station
    return told | {
        "nmi": station.nmi,
        "ndi": station.settings.ndi,
        "cluster_id": station.cluster_id,
        "manual": not half.ceremony.automatic,
        "services": [
            {"handle": one.id, "kind": "publish" if one.publish else "subscribe", "name": one.name}
            for one in station.services.values()
        ],
        "peers": [_peer(node, peer) for peer in station.peers.values()],
        "pairings": [
            {"id": place, "akm": one.akm, "lifetime_s": one.lifetime_s}
            for place, one in station.identities.items()
        ],
        "data_paths": [
            {"local": str(link.local), "peer": str(link.peer), **link.statistics.as_plain()}
            for link in half.paths
        ],
        "timers": engine.timers(),
    }


def _peer(node: LoneNode, peer: Peer) -> dict[str, Any]:
    engine = node.half.engine
    link = engine.data_path.links.get(peer.nmi)
    return {
        "nmi": peer.nmi,
        "bootstrapping": engine.bootstrapping.state_of(peer.nmi).value,
        "pairing": engine.pairing.state(peer.nmi).value,
        "paired": peer.paired,
        "pairing_id": node.half.identity_of(peer.nmi),
        "methods": peer.methods,
        "data_paths": [] if link is None else [one.state.value for one in link.every()],
    }
