"""Radiotap header and frame check sequence: what a capture puts around a frame.

radiotap.org, "Defined fields"; IEEE 802.11-2020 9.2.4.8 (FCS: CRC-32, least significant octet first). The header is
kept octet for octet; what it says about time, channel, signal and FCS is shown. Codes: `frame_length`,
`frame_type` (another radiotap version). No clock, no randomness, no IO.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.layout import Node, unit_of

__all__ = ["FCS", "Radiotap", "fcs_of", "read"]

FCS = 4
"""Octets of the frame check sequence."""
_SOURCE = "radiotap.org, Defined fields"
_FIXED = 8
_EXTENDED = 1 << 31
_HAS_FCS = 0x10
_FIELDS = (
    ("tsft_us", "<Q", 8),
    ("flags", "B", 1),
    ("rate_500_kb_s", "B", 1),
    ("channel_mhz", "<HH", 2),
    ("fhss", "2s", 1),
    ("signal_dbm", "b", 1),
    ("noise_dbm", "b", 1),
)
"""Bits 0 to 6 of the present word: name, form, alignment. Fields behind them are not needed here."""


class Radiotap(NamedTuple):
    """What the header says: its length, whether an FCS ends the frame, and its nodes."""

    length: int
    has_fcs: bool
    nodes: tuple[Node, ...]


def fcs_of(frame: bytes) -> bytes:
    """The four octets that are right for a frame."""
    return struct.pack("<I", zlib.crc32(frame))


def read(data: bytes) -> Radiotap:
    """The header at the start of `data`. Raises DecodeError."""
    if len(data) < _FIXED:
        raise DecodeError(
            "frame_length", 0, f"{len(data)} octets, a radiotap header takes {_FIXED}"
        )
    version, length = data[0], int.from_bytes(data[2:4], "little")
    if version != 0:
        raise DecodeError("frame_type", 0, f"radiotap version {version} is not 0", path="radiotap")
    words_end = _words_end(data, length)
    if not words_end <= length <= len(data):
        message = f"radiotap header of {length} octets does not fit into {len(data)}"
        raise DecodeError("frame_length", 2, message, path="radiotap")
    present, at, flags = int.from_bytes(data[4:8], "little"), words_end, 0
    nodes = [Node("length", length, None, 2, 4, (), None, None, _SOURCE)]
    for bit, (name, form, alignment) in enumerate(_FIELDS):
        if not present >> bit & 1:
            continue
        at += -at % alignment
        end = at + struct.calcsize(form)
        if end > length:
            raise DecodeError(
                "frame_length", at, f"{name} reaches past the header", path="radiotap"
            )
        value = struct.unpack_from(form, data, at)[0]
        flags = value if name == "flags" else flags
        shown = value.hex() if isinstance(value, bytes) else value
        nodes.append(Node(name, shown, unit_of(name), at, end, (), None, None, _SOURCE))
        at = end
    return Radiotap(length, bool(flags & _HAS_FCS), tuple(nodes))


def _words_end(data: bytes, length: int) -> int:
    """Where the present words end; beyond `length` when they do not."""
    at = 4
    while at + 4 <= min(length, len(data)):
        word = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if not word & _EXTENDED:
            return at
    return length + 1
