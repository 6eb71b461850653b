"""What a connected path brings and takes away: keys, interfaces, group keys, the link's agreement.

Wi-Fi Aware 4.0, NDP and NDL; digest 5.7 and 5.8, digest of pairing 9.5, 9.6 and 10. Base of the engine in
`datapath.py`. Rule: what a path brought goes when no other path uses it. No clock, no IO; chance is `Station.draw`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from protocols.wifi_aware import keys, ndl
from protocols.wifi_aware.events import DataPathConnected, DataPathEnded, LinkSlots
from protocols.wifi_aware.ndp_group_keys import install, received, to_send
from protocols.wifi_aware.ndp_path import Link, Path, State
from protocols.wifi_aware.ndp_security import Secured, strength
from protocols.wifi_aware.ndp_upkeep import Upkeep
from protocols.wifi_aware.peers import LinkKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.key_data import Kde
    from protocols.wifi_aware.ndp_settings import DataPathSettings
    from protocols.wifi_aware.station import Station

__all__ = ["DataLinks"]

_SETTLE_US = 100_000
"""A renewed path stands at its responder too, which waits for a transmit status, before the old one is ended. Ours."""


class DataLinks(Upkeep):
    """Links and connected paths of a device."""

    def __init__(self, station: Station, settings: DataPathSettings) -> None:
        super().__init__(station, settings)
        self._gtks: dict[int, bytes] = {}

    # Connecting and ending

    def _connect(self, path: Path, now: int) -> None:
        link = self.links[path.peer]
        link.setup = None
        link.paths.insert(0, path)
        self.station.peer(path.peer)
        path.connected = True
        if path.negotiates:
            link.agreement = path.agreement
        secured = self._install_key(link, path)
        self.station.interfaces[path.peer_ndi] = path.peer
        self._choose_interface(link)
        self.station.emit(self._connected_event(link, path, secured))
        self._watch(link, now)
        for old in path.replaces:
            if path.initiator:
                name = f"data path {path.number} replaces {old.number}"
                self.start_timer(name, now + _SETTLE_US, partial(self._end_replaced, old))
            elif old.state is State.CONNECTED:  # its peer has forgotten it
                self._drop(old, "replaced", now, local=False)

    def _end_replaced(self, old: Path, now: int) -> None:
        if old.state is State.CONNECTED:
            self._terminate(old, "replaced", now)

    def _install_key(self, link: Link, path: Path) -> Secured | None:
        """The key of the pair of NDIs: the new one when it is not weaker than that which is there."""
        old = link.secured.get(path.pair)
        if path.handshake is None or path.handshake.keys is None:
            return old
        new = Secured(path.csid, path.akm, path.handshake.keys.tk)
        if old is not None and strength(new.csid, new.akm) < strength(old.csid, old.akm):
            return old
        link.secured[path.pair] = new
        if path.pair != (self.station.nmi, path.peer) or not self._is_paired(path.peer):
            cipher = path.handshake.suite.cipher
            self.station.link_keys[path.pair] = LinkKey(cipher, new.tk)
        return new

    def _is_paired(self, nmi: str) -> bool:
        peer = self.station.peers.get(nmi)
        return peer is not None and peer.paired

    def _choose_interface(self, link: Link) -> None:
        """NDIs that carry NAFs: those of the secure path that was connected last (recordings)."""
        pairs = (path.pair for path in link.paths if path.csid and path.pair in link.secured)
        peer = self.station.peers.get(link.peer)
        if peer is not None:
            peer.data_interface = next(pairs, None)

    def _connected_event(
        self, link: Link, path: Path, secured: Secured | None
    ) -> DataPathConnected:
        agreed = link.agreement
        return DataPathConnected(
            peer=path.peer,
            initiator_ndi=path.initiator_ndi,
            ndp_id=path.ndp_id,
            local_ndi=path.own_ndi,
            peer_ndi=path.peer_ndi,
            csid=path.csid,
            nd_tk="" if secured is None else secured.tk.hex(),
            service_info=path.answered.service_info.hex(),
            interface_identifier=self._identifier(path).hex(),
            local_gtk=self._gtks.get(path.gtk_csid, b"").hex(),
            peer_gtk=path.peer_gtk.hex(),
            peer_gtk_rsc=path.peer_gtk_rsc.to_bytes(8, "little").hex() if path.peer_gtk else "",
            initiator=path.initiator,
            cipher="" if secured is None else keys.suite_of(secured.csid).cipher,
            slots=() if agreed is None else _slots(agreed.own, agreed.peer),
            ndc_id="" if agreed is None else agreed.ndc_id.hex(),
            ndc="" if agreed is None else ndl.bitmap_text(agreed.ndc),
            own_max_idle=self._own_max_idle(),
            peer_max_idle=None if agreed is None else agreed.peer_max_idle,
        )

    @staticmethod
    def _identifier(path: Path) -> bytes:
        """Interface identifier of the peer."""
        return (path.answered if path.initiator else path.asked).interface_identifier

    def _end(self, path: Path, now: int) -> None:
        link = self.links[path.peer]
        self._awaited.pop(path.awaited, None)
        if link.setup is path:
            link.setup = None
        if path in link.paths:
            link.paths.remove(path)
        self.station.emit(
            DataPathEnded(
                peer=path.peer,
                initiator_ndi=path.initiator_ndi,
                ndp_id=path.ndp_id,
                reason=path.reason,
                local=path.local,
                failure=not path.connected,
                cause=path.cause,
            )
        )
        if path.connected:
            self._release(link, path)
        if not link.paths and link.setup is None:
            self.links.pop(link.peer, None)

    def _release(self, link: Link, path: Path) -> None:
        """Take back what no other path uses."""
        if not any(one.peer_ndi == path.peer_ndi for one in link.paths):
            self.station.interfaces.pop(path.peer_ndi, None)
        if not any(one.pair == path.pair for one in link.paths):
            held = link.secured.pop(path.pair, None)
            key = self.station.link_keys.get(path.pair)
            if held is not None and key is not None and key.key == held.tk:
                del self.station.link_keys[path.pair]
        self._choose_interface(link)
        if not link.paths:
            self._unwatch(link)
            link.agreement = link.agreement if link.setup is not None else None

    def end_all(self, peer: str, cause: str, now: int) -> None:
        """End everything with a peer without a frame: it started anew (IA-62), or addresses changed."""
        link = self.links.get(peer)
        for path in () if link is None else link.every():
            self._drop(path, cause, now)

    def reset(self, cause: str, now: int) -> None:
        """End everything without a frame: the own addresses change, or the radio goes."""
        for peer in tuple(self.links):
            self.end_all(peer, cause, now)

    # Group keys

    def _gtk(self, csid: int) -> bytes:
        """The own GTK of a group suite, drawn when it is first asked for; empty for 0."""
        if csid and csid not in self._gtks:
            self._gtks[csid] = self.station.draw("gtk", keys.SUITES[csid].tk)
        return self._gtks.get(csid, b"")

    def _own_kdes(self, path: Path) -> bytes:
        support = self.station.settings.security_capabilities >> 1 & 3
        return to_send(
            self.station.own_group_keys, support, path.peer_group_support, self._gtk(path.gtk_csid),
            igtk_with_gtk=self.settings.igtk_with_gtk,
        )  # fmt: skip

    def _keep_group_keys(self, heard: Heard, path: Path, kdes: Iterable[Kde], rsc: int) -> None:
        for one in received(kdes, path.peer_gtk_csid):
            if one.fault:
                self.station.drop(heard, f"{one.fault}: that key is not used")
            elif one.key_type == "gtk":
                path.peer_gtk = one.key
                if self.settings.gtk_rsc == "handshake":
                    path.peer_gtk_rsc = rsc
            else:
                install(self.station, path.peer, one)


def _slots(own: ndl.Offer, peer: ndl.Offer) -> tuple[LinkSlots, ...]:
    found = ndl.common_by_channel(own.usable, peer.usable)
    return tuple(
        LinkSlots(primary_mhz=primary, slots=ndl.bitmap_text(slots))
        for primary, slots in found.items()
    )
