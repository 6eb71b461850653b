"""What the attributes for meeting outside a cluster share: map control, intervals, channel and beacon of a network.

Wi-Fi Aware 4.0, the legacy attributes 0x05 to 0x0C and their extended forms 0x1E to 0x21; digest 2.7 and 2.24, as
in Wireshark packet-wifi-nan.c. That bit 0 of the first octet is the earliest interval is taken from the time
bitmaps of NAN Availability (unverified here). No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.layout import REST, U8, U16LE, Codec, Flags, Hex, Mapped, Record
from protocols.wifi_aware.vocabulary import Body, Int1, Int2, Int4, Int8, Int16, Words

__all__ = [
    "BEACON_INFO",
    "CHANNEL_INFO",
    "DURATIONS",
    "INTERVALS",
    "INTERVAL_OCTETS",
    "MAP_CONTROL",
    "P2P_ROLES",
    "WLAN_ROLES",
    "BeaconInfo",
    "ChannelInfo",
    "MapControl",
    "intervals",
]

DURATIONS = {0: "16 TU", 1: "32 TU", 2: "64 TU"}
"""Length of one interval, by its code; 3 is reserved."""
INTERVAL_OCTETS = {0: 4, 1: 2, 2: 1}
"""Octets of a bitmap over 512 TU, by the code of the interval's length."""
WLAN_ROLES = {0: "access point", 1: "station, associated", 2: "station, listening"}
P2P_ROLES = {0: "P2P device", 1: "group owner", 2: "client"}


class MapControl(Body, frozen=True, kw_only=True):
    """Which map the intervals belong to, and how long each is."""

    map_id: Int4
    interval_duration: Int2
    """0: 16 TU, 1: 32 TU, 2: 64 TU."""
    repeat: bool
    """the intervals hold in every 512 TU, not only in the next."""
    reserved_7: Int1 = 0


class ChannelInfo(Body, frozen=True, kw_only=True):
    """Where a network is."""

    operating_class: Int8
    channel: Int8
    center_frequency_index: Int8


class BeaconInfo(Body, frozen=True, kw_only=True):
    """When a network's beacons are sent."""

    tbtt_offset_tu: Int16
    beacon_interval_tu: Int16


def _text_of_intervals(text: str) -> str:
    number = int.from_bytes(bytes.fromhex(text), "little")
    bits = [str(bit) for bit in range(number.bit_length()) if number >> bit & 1]
    return f"intervals {', '.join(bits)}" if bits else "no interval"


def _same(value: str) -> str:
    return value


def intervals(size: int) -> Codec:
    """`size` octets (`REST`: all that remain) of interval bits as hex; the tree lists those set."""
    return Mapped(Hex(size), _same, _same, _text_of_intervals)


INTERVALS = intervals(REST)
MAP_CONTROL = Record(
    Flags(
        U8,
        map_id=(0, 4),
        interval_duration=(4, 2, Words(U8, DURATIONS)),
        repeat=6,
        reserved_7=(7, 1),
    )
)
CHANNEL_INFO = Record("operating_class" / U8, "channel" / U8, "center_frequency_index" / U8)
BEACON_INFO = Record("tbtt_offset_tu" / U16LE, "beacon_interval_tu" / U16LE)
