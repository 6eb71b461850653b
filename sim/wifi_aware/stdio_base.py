"""What the commands of a node on a line have in common: its half, its peers, and how octets are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from protocols.errors import UsageError
from protocols.wifi_aware import events as ev
from sim.device import Device, Settings

if TYPE_CHECKING:
    from protocols.wifi_aware.device import AwareDevice
    from sim.wifi_aware.half import AwareHalf
    from sim.wifi_aware.stdio import LoneNode
    from sim.wifi_aware.stdio_peers import Request

__all__ = ["NodeBase", "What", "octets_of", "path_terms"]

What = Literal["", "bootstrapping", "pairing", "data_path"]
_KINDS: dict[str, Any] = {
    "": object,
    "bootstrapping": ev.BootstrapRequested,
    "pairing": ev.PairingRequested,
    "data_path": ev.DataPathRequested,
}


class NodeBase(Device):
    """Commands of one node."""

    def __init__(self, node: LoneNode) -> None:
        super().__init__(node.device.name, Settings(), node.world)
        self.node = node

    @property
    def half(self) -> AwareHalf:
        """The Wi-Fi Aware half, switched on."""
        half, device = self.node.half, self.node.device
        if not half.on:
            getattr(device, "aware_on", half.power_on)()
        return half

    @property
    def engine(self) -> AwareDevice:
        """The engines."""
        return self.half.engine

    def peer(self, peer: str) -> str:
        """NMI of a peer; the only one when none is named. Raises UsageError."""
        known = list(self.engine.station.peers)
        if not peer and len(known) == 1:
            return known[0]
        found = peer.lower()
        if found not in known:
            raise UsageError(f"peer {peer!r}: heard were {', '.join(known) or 'none'}")
        return found

    def instances(self, nmi: str, handle: int, instance: int) -> tuple[int, int]:
        """Own instance and that of the peer: as given, else as last met."""
        met = self.node.acquaintance.instances(nmi)
        met = met or (next(iter(self.engine.station.services), 1), 1)
        return handle or met[0], instance or met[1]

    def pending(self, peer: str, what: What) -> Request | None:
        """The request that waits longest (of a peer, of a kind)."""
        kind, nmi = _KINDS[what], peer.lower()
        waiting = self.node.acquaintance.pending
        found = [one for one in waiting if nmi in ("", one.peer) and isinstance(one, kind)]
        return found[0] if found else None

    def answer_path(self, found: ev.DataPathRequested, **given: Any) -> None:
        """Answer a data path request. Raises RefusedError."""
        self.half.command(
            lambda now: self.engine.data_path.answer(
                found.peer,
                found.initiator_ndi,
                found.ndp_id,
                handle=found.publish_id,
                **given,
                now=now,
            )
        )


def path_terms(
    passphrase: str, pmk: str, service_info: str, interface_id: str, gtk_csid: int
) -> dict[str, Any]:
    """What requests and answers of data paths share."""
    return {
        "passphrase": passphrase.encode(),
        "pmk": octets_of(pmk, "pmk"),
        "service_info": octets_of(service_info, "service_info"),
        "interface_identifier": octets_of(interface_id, "interface_id"),
        "gtk_csid": gtk_csid,
    }


def octets_of(text: str, name: str) -> bytes:
    """Octets written in hex. Raises UsageError that says which argument it was."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"{name} {text!r} is not hexadecimal") from None
