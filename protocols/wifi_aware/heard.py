"""Frames as radios and engines hand them over: heard and decoded once, or on their way out.

No clock, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import DecodeError  # msgspec reads it
from protocols.wifi_aware import frame as codec

__all__ = [
    "BROADCAST",
    "DUAL",
    "HEADER",
    "NETWORK_ID",
    "PUBLIC",
    "Heard",
    "Outgoing",
    "hear",
    "is_group",
    "octets_of",
]

NETWORK_ID = "51:6f:9a:01:00:00"
"""Destination of group-addressed service discovery frames and synchronisation beacons."""
BROADCAST = "ff:ff:ff:ff:ff:ff"
PUBLIC, DUAL = 4, 9
"""Categories: public action, and its protected dual."""
HEADER = 24


def octets_of(address: str) -> bytes:
    """Six octets of "aa:bb:cc:dd:ee:ff"."""
    return bytes.fromhex(address.replace(":", ""))


def is_group(address: str) -> bool:
    """Whether an address is one of a group."""
    return bool(int(address[:2], 16) & 1)


class Heard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A frame as a radio heard it, decoded once for whoever looks at it."""

    octets: bytes
    frame: Any
    """of `frames`; None when it is malformed."""
    error: DecodeError | None = None
    rssi_dbm: int | None = None
    channel: int | None = None
    opened: bool = False
    """link protection was taken off, `octets` are in clear."""

    @property
    def body(self) -> bytes:
        """Everything behind the management header, in clear when a key opened it."""
        return self.octets[HEADER:]


def hear(octets: bytes, rssi_dbm: int | None = None, channel: int | None = None) -> Heard:
    """Decode a frame without FCS and radiotap header; never raises for what is in it."""
    try:
        return Heard(octets=octets, frame=codec.read(octets), rssi_dbm=rssi_dbm, channel=channel)
    except DecodeError as exc:
        return Heard(octets=octets, frame=None, error=exc, rssi_dbm=rssi_dbm, channel=channel)


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A frame to be sent; `sent(number, ...)` reports what became of it."""

    number: int
    octets: bytes
    """as they go on the air."""
    clear: bytes
    """before link protection."""
    destination: str
    name: str
    """what it is: `publish`, `auth1`, `ndp_m1`, ..."""
    engine: str
    """whose it is."""
    at_once: bool = False
    """not bound to a discovery window: unsynchronised discovery, or an instant channel."""
    channel: int | None = None
    """where to send it; None: where the receiver is met."""
