"""802.11 frames of a capture without what the capture puts around them: radiotap header and frame check sequence.

radiotap.org, "Defined fields": of the header only flags and signal are read, in place (a capture has hundreds of
thousands of them; `protocols.wifi_aware.radiotap` reads all of it, and a test compares the two). A frame with a
wrong check sequence is not judged. No clock, no IO.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from protocols.wifi_aware.radiotap import FCS, fcs_of
from sim.explain.aware_source import Heard

if TYPE_CHECKING:
    from protocols.capture import Packet
    from sim.explain.observations import Scene

__all__ = ["LINK_TYPES", "Tap", "heard_of", "tap_of"]

_BARE, _RADIOTAP = 105, 127
LINK_TYPES = (_BARE, _RADIOTAP)
_EXTENDED = 1 << 31
_FIELDS = ((8, 8), (1, 1), (1, 1), (2, 4), (1, 2), (1, 1))
"""Alignment and octets of the fields of bits 0 to 5: TSFT, flags, rate, channel, FHSS, signal."""
_FLAGS, _SIGNAL = 1, 5
_HAS_FCS, _BAD_FCS = 0x10, 0x40


class Tap(NamedTuple):
    """What the header says: its octets, whether an FCS ends the frame, whether it was wrong, the strength."""

    length: int
    has_fcs: bool = False
    is_bad: bool = False
    rssi_dbm: int | None = None


def tap_of(data: bytes) -> Tap | None:
    """The radiotap header at the start of `data`, None when there is none that can be read."""
    if len(data) < 8 or data[0]:
        return None
    length = int.from_bytes(data[2:4], "little")
    at, present = 4, int.from_bytes(data[4:8], "little")
    while at + 4 <= length <= len(data) and int.from_bytes(data[at : at + 4], "little") & _EXTENDED:
        at += 4
    at += 4
    if not at <= length <= len(data):
        return None
    flags, rssi_dbm = 0, None
    for bit, (alignment, size) in enumerate(_FIELDS):
        if not present >> bit & 1:
            continue
        at += -at % alignment
        if at + size > length:
            return None
        if bit == _FLAGS:
            flags = data[at]
        elif bit == _SIGNAL:
            (rssi_dbm,) = struct.unpack_from("b", data, at)
        at += size
    return Tap(length, bool(flags & _HAS_FCS), bool(flags & _BAD_FCS), rssi_dbm)


def heard_of(scene: Scene, packet: Packet) -> Heard | None:
    """The frame in a packet; None when it cannot be trusted, which the scene counts."""
    start, rssi_dbm, fcs = 0, None, packet.fcs_octets
    if packet.link_type == _RADIOTAP:
        tap = tap_of(packet.data)
        if tap is None:
            scene.skip("radiotap header that cannot be read")
            return None
        if tap.is_bad:
            scene.skip("frame with a wrong check sequence")
            return None
        start, rssi_dbm, fcs = tap.length, tap.rssi_dbm, FCS if tap.has_fcs else 0
    data = packet.data[start:]
    if packet.original_length > len(packet.data):
        missing = packet.original_length - len(packet.data)
        data = data[: len(data) - max(0, fcs - missing)]
        if data[:1] and not data[0] & 0x0C:
            scene.skip("frame that the capture cut")
    elif fcs:
        data, check = data[:-fcs], data[-fcs:]
        if fcs == FCS and fcs_of(data) != check:
            scene.skip("frame with a wrong check sequence")
            return None
    return Heard(packet.number, packet.t_us, data, rssi_dbm, packet.interface)
