"""What the frames of another device tell about it, whoever they are for.

Wi-Fi Aware 4.0, NAN attributes; digest 2.11, 2.13, 2.26 and 2.27, as in hostap src/nan/nan.c. A malformed attribute
tells nothing. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from protocols.errors import DecodeError
from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
from protocols.wifi_aware.attributes.pairing_bootstrapping import ADVERTISE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.frames import Frame
    from protocols.wifi_aware.peers import Peer
    from protocols.wifi_aware.station import Station

__all__ = ["admit", "advertised_methods", "is_newer", "learn", "readable"]

_HALF = 128
"""Sequence IDs less than half of their range behind the stored one are old."""


def readable(frame: Frame, name: str) -> Iterator[Any]:
    """Typed fields of the attributes called `name`, in order, without the malformed ones."""
    for attr in frame.nan_attributes:
        if attr.name == name:
            try:
                yield attr.fields
            except DecodeError:
                continue


def advertised_methods(frame: Frame) -> int | None:
    """Bootstrapping methods that a frame advertises, None when it does not speak of them."""
    found = (npba for npba in readable(frame, "pairing_bootstrapping") if npba.type == ADVERTISE)
    npba = next(found, None)
    return None if npba is None else int(npba.methods)


def is_newer(received: int, stored: int) -> bool:
    """Whether a Sequence ID is newer than the stored one, modulo 256 (digest 8.3, 41)."""
    return not 0 <= stored - received < _HALF


def learn(station: Station, peer: Peer, frame: Frame) -> None:
    """Keep what a frame of that peer shows: DCEA, NDPE, methods, NIRA, availability."""
    capability = next(readable(frame, "device_capability"), None)
    if capability is not None:
        peer.ndpe = capability.ndpe
    dcea = next(readable(frame, "device_capability_extension"), None)
    if dcea is not None:
        peer.pairing_setup, peer.npk_caching = dcea.pairing_setup, dcea.npk_nik_caching
    methods = advertised_methods(frame)
    if methods is not None:
        peer.methods = methods
    _learn_nira(station, peer, frame)
    _learn_availability(peer, frame)


def _learn_nira(station: Station, peer: Peer, frame: Frame) -> None:
    """One that a stored identity made gives way only to another such: anyone can show one in the peer's name."""
    nira = next(readable(frame, "identity_resolution"), None)
    if nira is None or nira.nonce is UNSET or (nira.nonce, nira.tag) == peer.nira:
        return
    if _is_recognised(station, peer) and station.identity_of(nira, peer.nmi) is None:
        return
    peer.nira = (nira.nonce, nira.tag)


def _is_recognised(station: Station, peer: Peer) -> bool:
    if peer.nira is None:
        return False
    nonce, tag = peer.nira
    held = IdentityResolution(cipher_version=0, nonce=nonce, tag=tag)
    return station.identity_of(held, peer.nmi) is not None


def _learn_availability(peer: Peer, frame: Frame) -> None:
    attr: Attr | None = next(
        (a for a in frame.nan_attributes if a.name == "nan_availability"), None
    )
    if attr is None or not attr.octets:
        return
    known = peer.availability
    if known is None or is_newer(attr.octets[0], known.octets[0]):
        peer.availability = attr


def admit(station: Station, nmi: str, limit: int | None) -> Peer | None:
    """The peer with that NMI; a new one may take the place of one that is not in use. None: all are in use.

    Out go first peers that were only heard of, then those that got no further than bootstrapping.
    """
    peers = station.peers
    if nmi not in peers and limit is not None and len(peers) >= limit:
        spare = _spare(station)
        if spare is None:
            return None
        del peers[spare]
    return station.peer(nmi)


def _spare(station: Station) -> str | None:
    idle = [
        peer
        for peer in station.peers.values()
        if not (peer.paired or peer.bootstrapping or peer.data_interface)
    ]
    strangers = (peer for peer in idle if not (peer.request_sent or peer.request_received))
    found = next(strangers, None) or next(iter(idle), None)
    return None if found is None else found.nmi
