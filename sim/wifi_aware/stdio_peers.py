"""Whom a node on a line has met: instances that speak to each other, ports, and what waits for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.bootstrapping_table import State as Bootstrapping
from protocols.wifi_aware.ndp_path import State as DataPath
from protocols.wifi_aware.pairing_states import State as Pairing
from protocols.wifi_aware.service_endpoint import endpoint_of

if TYPE_CHECKING:
    from sim.wifi_aware.stdio import LoneNode

__all__ = ["Acquaintance", "Request"]

_MOST = 256
Request = ev.BootstrapRequested | ev.PairingRequested | ev.DataPathRequested


class Acquaintance:
    """What the events of one node say about its peers."""

    def __init__(self, node: LoneNode) -> None:
        self._node = node
        self._instances: dict[str, tuple[int, int]] = {}
        self._ports: dict[str, int] = {}
        self._requests: dict[tuple[str, str], Request] = {}

    def instances(self, nmi: str) -> tuple[int, int] | None:
        """Own instance and that of a peer, as they met last."""
        return self._instances.get(nmi)

    def port(self, nmi: str) -> int:
        """Port that a peer told of, 0 without."""
        return self._ports.get(nmi, 0)

    @property
    def pending(self) -> list[Request]:
        """Requests that wait for an answer, the first that came at the front."""
        return [one for one in self._requests.values() if self._is_open(one)]

    def answered(self, request: Request | None) -> None:
        """A request is answered."""
        if request is not None:
            self._requests.pop((request.kind, request.peer), None)

    def _is_open(self, request: Request) -> bool:
        if not self._node.half.on:
            return False
        engine = self._node.half.engine
        match request:
            case ev.BootstrapRequested():
                waits = engine.bootstrapping.state_of(request.peer) is Bootstrapping.PENDING
                return waits and not self._node.half.ceremony.automatic
            case ev.PairingRequested():
                return engine.pairing.state(request.peer) is Pairing.STORED
            case ev.DataPathRequested():
                link = engine.data_path.links.get(request.peer)
                path = None if link is None else link.path(request.initiator_ndi, request.ndp_id)
                return path is not None and path.state is DataPath.ASKED

    def on_event(self, event: ev.Event) -> None:
        """Note what an event says."""
        match event:
            case ev.Discovered():
                self._meet(event.peer, event.subscribe_id, event.publish_id)
                self._note_port(event.peer, event.service_info)
            case ev.Replied():
                self._meet(event.peer, event.publish_id, event.subscribe_id)
            case ev.FollowUp() | ev.BootstrapCompleted():
                self._meet(event.peer, event.handle, event.peer_instance_id)
            case ev.BootstrapRequested():
                self._meet(event.peer, event.handle, event.peer_instance_id)
                self._keep(event)
            case ev.PairingRequested() | ev.DataPathRequested():
                self._keep(event)
            case ev.DataPathConnected():
                self._note_port(event.peer, event.service_info)
            case _:
                pass

    def _meet(self, nmi: str, own: int, theirs: int) -> None:
        _put(self._instances, nmi, (own, theirs))

    def _keep(self, event: Request) -> None:
        _put(self._requests, (event.kind, event.peer), event)

    def _note_port(self, nmi: str, service_info: str) -> None:
        said = endpoint_of(bytes.fromhex(service_info)) if service_info else None
        if said is not None and said.port:
            _put(self._ports, nmi, said.port)


def _put(table: dict[Any, Any], key: Any, value: Any) -> None:
    """Put a value last; the first makes room."""
    table.pop(key, None)
    while len(table) >= _MOST:
        del table[next(iter(table))]
    table[key] = value
