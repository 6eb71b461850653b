"""NAN beacons, made fast and read once: what an engine of the cluster needs of them.

Wi-Fi Aware 4.0, synchronisation and discovery beacon, Master Indication, Cluster attribute (digest 1.3, 1.4, 2.1,
2.2). Making packs the octets in one go, as a cluster sends thousands a minute; the typed frames of `frame.py` say the
same, which a test holds against this file. Reading goes through the typed frame and is remembered by its octets,
because a thousand neighbours hear the same ones. No clock, no randomness, no IO.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from protocols.errors import DecodeError, EncodeError
from protocols.wifi_aware import frames
from protocols.wifi_aware.matching import master_rank

if TYPE_CHECKING:
    from protocols.wifi_aware.heard import Heard

__all__ = [
    "BEACON_CONTROL",
    "CLUSTER_PREFIX",
    "DISCOVERY_TU",
    "MOST_ATTRIBUTE_OCTETS",
    "SYNC_TU",
    "Told",
    "beacon",
    "stamped",
    "told",
]

SYNC_TU, DISCOVERY_TU = 512, 100
"""Beacon intervals: the field tells the two kinds apart."""
CLUSTER_PREFIX = "50:6f:9a:01:"
"""What every Cluster ID begins with."""
BEACON_CONTROL = 0x0080
"""Frame Control of a beacon."""
MOST_ATTRIBUTE_OCTETS = 251
"""Attributes that one NAN element holds."""
_CAPABILITY = 0x0420
"""Short preamble, short slot time."""
_BROADCAST = b"\xff" * 6
_BEACON = struct.Struct("<HH6s6s6sHQHH")
_ELEMENT = struct.Struct("<BB4s")
_ATTRIBUTES = struct.Struct("<BHBBBHQBI")
_NAN = bytes.fromhex("506f9a13")
_TIMESTAMP = 24
_PLAUSIBLE_BITS = 62
"""A TSF of more bits (146,000 years) is none."""
_REMEMBERED = 1024
"""Beacons whose reading is kept: more than a discovery window holds."""


class Told(NamedTuple):
    """What a NAN beacon tells of its sender and its cluster."""

    source: str
    cluster_id: str
    sync: bool
    """A synchronisation beacon, otherwise a discovery beacon."""
    timestamp_us: int
    rank: int
    """Master rank of the sender; 0 without Master Indication."""
    anchor_rank: int
    hop_count: int
    ambtt_us: int
    """As the receiver takes it: from an anchor master itself the low 32 bits of the timestamp."""


def beacon(
    source: bytes,
    cluster_id: bytes,
    sequence_number: int,
    interval_tu: int,
    preference_and_factor: tuple[int, int],
    record: tuple[int, int, int],
    further: bytes = b"",
) -> bytes:
    """Octets of a beacon whose timestamp is still 0 (`stamped` sets it).

    Addresses are 6 octets; `record` is (anchor master rank, hop count, AMBTT); `further` are complete attributes.
    Raises EncodeError when they do not fit one NAN element.
    """
    attributes = _ATTRIBUTES.size + len(further)
    if attributes > MOST_ATTRIBUTE_OCTETS:
        room = MOST_ATTRIBUTE_OCTETS - _ATTRIBUTES.size
        raise EncodeError("attributes", f"{len(further)} octets; a beacon has room for {room}")
    preference, factor = preference_and_factor
    return (
        _BEACON.pack(
            BEACON_CONTROL, 0, _BROADCAST, source, cluster_id,
            sequence_number << 4, 0, interval_tu, _CAPABILITY,
        )
        + _ELEMENT.pack(0xDD, 4 + attributes, _NAN)
        + _ATTRIBUTES.pack(0x00, 2, preference, factor, 0x01, 13, *record)
        + further
    )  # fmt: skip


def stamped(octets: bytes, tsf_us: int) -> bytes:
    """The beacon with its Timestamp set, as a radio does at the moment it sends."""
    stamp = tsf_us.to_bytes(8, "little")
    return octets[:_TIMESTAMP] + stamp + octets[_TIMESTAMP + 8 :]


_memo: dict[bytes, Told | None] = {}


def told(heard: Heard) -> Told | None:
    """What a frame tells as a NAN beacon; None when it is none, or malformed where it matters."""
    if heard.octets[:1] != b"\x80":
        return None
    try:
        return _memo[heard.octets]
    except KeyError:
        pass
    if len(_memo) >= _REMEMBERED:
        _memo.clear()
    found = _memo[heard.octets] = _read(heard.frame)
    return found


def _read(frame: object) -> Told | None:
    if not isinstance(frame, frames.Beacon) or not frame.bssid.startswith(CLUSTER_PREFIX):
        return None
    if frame.beacon_interval_tu not in (SYNC_TU, DISCOVERY_TU):
        return None
    if frame.timestamp_us >> _PLAUSIBLE_BITS:
        return None  # no clock has run so long; who took it would have the best grade of all, and overflow
    try:
        cluster, indication = frame.first("cluster"), frame.first("master_indication")
    except DecodeError:
        return None
    if cluster is None:
        return None
    rank = 0
    if indication is not None:
        rank = master_rank(indication.master_preference, indication.random_factor, frame.source)
    anchor = master_rank(cluster.master_preference, cluster.random_factor, cluster.anchor_master)
    itself = cluster.hop_count == 0
    ambtt_us = frame.timestamp_us & 0xFFFFFFFF if itself else cluster.ambtt_us
    return Told(
        source=frame.source,
        cluster_id=frame.bssid,
        sync=frame.beacon_interval_tu == SYNC_TU,
        timestamp_us=frame.timestamp_us,
        rank=rank,
        anchor_rank=anchor,
        hop_count=cluster.hop_count,
        ambtt_us=ambtt_us,
    )
