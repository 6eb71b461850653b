"""The links of a device's data paths: made when a path is up, closed when it ends, fed with the data frames it hears.

Keeping alive and ending idle paths is the engine's business, which learns here that something went over a link; null
frames go out when it wants them (IA-61).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.ndl import slots_in
from protocols.wifi_aware.openings import without_windows
from sim.wifi_aware.data_sending import DataSending
from sim.wifi_aware.link import Link, LinkTerms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.wifi_aware.half import AwareHalf

__all__ = ["DataPaths"]

Key = tuple[str, str, int]
"""NMI of the peer, NDI of the initiator, NDP ID."""
_FIRST_2_4_MHZ, _LAST_2_4_MHZ, _CHANNEL_14_MHZ, _FIRST_5_MHZ = 2407, 2472, 2484, 5000
_STEP_MHZ = 5


def channel_of(mhz: int) -> int:
    """Number of the 20 MHz channel with this centre."""
    if mhz == _CHANNEL_14_MHZ:
        return 14
    return (mhz - (_FIRST_2_4_MHZ if mhz <= _LAST_2_4_MHZ else _FIRST_5_MHZ)) // _STEP_MHZ


class DataPaths:
    """Links of one device while it has power."""

    def __init__(self, half: AwareHalf) -> None:
        self._half = half
        self._links: dict[Key, Link] = {}

    def __iter__(self) -> Iterator[Link]:
        return iter(tuple(self._links.values()))

    def with_peer(self, nmi: str) -> Link | None:
        """The latest link with a peer, None without one."""
        found = [link for key, link in self._links.items() if key[0] == nmi]
        return found[-1] if found else None

    def on_event(self, event: ev.Event) -> None:
        """Follow the engine."""
        match event:
            case ev.DataPathConnected():
                self._open(event)
            case ev.DataPathEnded():
                self._close(_key(event), event.cause or f"reason {event.reason}")
            case ev.KeepAliveWanted():
                link = self.with_peer(event.peer)
                if link is not None:
                    link.queue.keep_alive()
            case _:
                pass

    def _open(self, event: ev.DataPathConnected) -> None:
        half = self._half
        half.radio.presence.alias(event.peer_ndi, event.peer)
        slots: dict[int, frozenset[int]] = {}
        for entry in event.slots:
            if entry.primary_mhz is not None:
                slots[channel_of(entry.primary_mhz)] = slots_in(entry.slots)
        station = half.engine.station
        pair = (event.local_ndi, event.peer_ndi)
        key = station.link_keys.get(pair)
        terms = LinkTerms.of(event, station.cluster_id)
        if key is not None:  # the strongest of the paths between two interfaces has the key of all
            terms = msgspec.structs.replace(terms, cipher=key.cipher, tk=key.key)
        link = self._between(*pair)
        if link is not None:
            link.renew(terms, key)
        else:
            link = Link(
                terms,
                without_windows(slots, half.owner.firmware().wake, 0),
                DataSending(
                    half.radio,
                    functools.partial(self._carried, event.peer),
                    functools.partial(self._lost, event.peer),
                ),
                half.place.loop,
                half.owner.draw,
                key=key,
            )
        self._links[_key(event)] = link

    def _between(self, own_ndi: str, peer_ndi: str) -> Link | None:
        """The link between two interfaces, which all their paths share."""
        for link in self._links.values():
            if (link.terms.own_ndi, link.terms.peer_ndi) == (own_ndi, peer_ndi):
                return link
        return None

    def _close(self, key: Key, reason: str) -> None:
        link = self._links.pop(key, None)
        if link is not None and link not in self._links.values():
            link.close(reason)

    def close(self, reason: str) -> None:
        """End them all, as when the power goes."""
        for key in tuple(self._links):
            self._close(key, reason)

    def receive(self, octets: bytes, now: int) -> bool:
        """A data frame was heard; whether it was for one of the links."""
        to, source = octets[4:10].hex(":"), octets[10:16].hex(":")
        for (nmi, _, _), link in self._links.items():
            if (link.terms.own_ndi, link.terms.peer_ndi) == (to, source):
                if link.receive(octets):
                    self._half.engine.data_path.traffic(nmi, now)
                return True
        return False

    def _carried(self, nmi: str) -> None:
        """A peer has acknowledged a data frame, a null frame too: the link was not idle."""
        if self._half.on:
            self._half.engine.data_path.traffic(nmi, self._half.owner.now_us)

    def _lost(self, nmi: str, octets: bytes, tries: int) -> None:
        """A peer has not acknowledged a data frame, however often it was sent."""
        if self._half.node is not None:
            self._half.node.telling.data_not_acknowledged(nmi, octets, tries)


def _key(event: ev.DataPathConnected | ev.DataPathEnded) -> Key:
    return event.peer, event.initiator_ndi, event.ndp_id
