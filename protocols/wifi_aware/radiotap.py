"""Radiotap header and frame check sequence: what a capture puts around a frame.

radiotap.org, "Defined fields"; IEEE 802.11-2020 9.2.4.8 (FCS: CRC-32, least significant octet first). The header is
kept octet for octet; what it says about time, channel, signal and FCS is shown. Codes: `frame_length`,
`frame_type` (another radiotap version). No clock, no randomness, no IO.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import msgspec

from protocols.errors import DecodeError
from protocols.layout import (
    REST,
    S8,
    U8,
    U16LE,
    U32LE,
    U64LE,
    Codec,
    Hex,
    Node,
    Record,
    Scaled,
    Walk,
    build,
    parse,
)
from protocols.wifi_aware.vocabulary import Bitmap

__all__ = ["FCS", "Radiotap", "ends_with_fcs", "fcs_of", "header", "read"]

FCS = 4
"""Octets of the frame check sequence."""
_SOURCE = "radiotap.org, Defined fields"
_FIXED = 8
_EXTENDED = 1 << 31
_CHANNEL_OFDM, _CHANNEL_2_4_GHZ, _CHANNEL_5_GHZ = 0x0040, 0x0080, 0x0100
_FIRST_OF_5_GHZ = 4900
_HAS_FCS = 0x10
_FLAGS = {
    0: "contention-free period", 1: "short preamble", 2: "WEP", 3: "fragmentation", 4: "FCS at the end",
    5: "padding before the data", 6: "bad FCS", 7: "short guard interval",
}  # fmt: skip
_CHANNEL_FLAGS = {
    4: "turbo", 5: "CCK", 6: "OFDM", 7: "2.4 GHz", 8: "5 GHz", 9: "passive scan only", 10: "CCK and OFDM",
    11: "GFSK", 14: "half rate", 15: "quarter rate",
}  # fmt: skip
_PRESENT = {
    0: "TSFT", 1: "flags", 2: "rate", 3: "channel", 4: "FHSS", 5: "signal", 6: "noise", 29: "radiotap namespace",
    30: "vendor namespace", 31: "another word",
}  # fmt: skip
_FIELDS: tuple[tuple[int, int, Codec], ...] = (
    (8, 8, Record("tsft_us" / U64LE)),
    (1, 1, Record("flags" / Bitmap(U8, _FLAGS))),
    (1, 1, Record("rate_mbit_s" / Scaled(U8, 0.5))),
    (2, 4, Record("channel_mhz" / U16LE, "channel_flags" / Bitmap(U16LE, _CHANNEL_FLAGS))),
    (1, 2, Record("fhss" / Hex(2))),
    (1, 1, Record("signal_dbm" / S8)),
    (1, 1, Record("noise_dbm" / S8)),
)
"""Bits 0 to 6 of the present word: alignment, octets, layout. Fields behind them keep their octets."""
_NAMES = (
    "tsft_us", "flags", "rate_mbit_s", "channel_mhz", "fhss", "signal_dbm", "noise_dbm",
)  # fmt: skip
_START = Record("version" / U8, "reserved" / U8, "length" / U16LE)
_WORD = Record("present" / Bitmap(U32LE, _PRESENT, "nothing"))
_REST = Record("further_fields" / Hex(REST))
_PADDING = Record("padding" / Hex(REST))


class Radiotap(NamedTuple):
    """What the header says: its length, whether an FCS ends the frame, and its nodes."""

    length: int
    has_fcs: bool
    nodes: tuple[Node, ...]


def header(**values: float) -> bytes:
    """A header with fields of bits 0 to 6 by their names (`tsft_us`, `rate_mbit_s`, `channel_mhz`, `signal_dbm`, ...).

    A channel's flags follow from its frequency (OFDM). Raises EncodeError.
    """
    if "channel_mhz" in values:
        band = _CHANNEL_5_GHZ if values["channel_mhz"] >= _FIRST_OF_5_GHZ else _CHANNEL_2_4_GHZ
        values = {"channel_flags": band | _CHANNEL_OFDM, **values}
    present, body = 0, b""
    for bit, (name, (alignment, _, layout)) in enumerate(zip(_NAMES, _FIELDS, strict=True)):
        if name not in values:
            continue
        present |= 1 << bit
        body += bytes(-len(body) % alignment) + build(layout, values)
    start = build(_START, {"version": 0, "reserved": 0, "length": _FIXED + len(body)})
    return start + build(_WORD, {"present": present}) + body


def fcs_of(frame: bytes) -> bytes:
    """The four octets that are right for a frame."""
    return struct.pack("<I", zlib.crc32(frame))


def ends_with_fcs(data: bytes) -> bool:
    """Whether the last four octets are right for those before them."""
    return len(data) > FCS and fcs_of(data[:-FCS]) == data[-FCS:]


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
    walk = Walk()
    parse(_START, data[:4], walk)
    for at in range(4, words_end, 4):
        parse(_WORD, data[at : at + 4], walk, base=at)
    flags = _read_fields(data, words_end, length, walk)
    nodes = (msgspec.structs.replace(node, source=_SOURCE) for node in walk.nodes)
    return Radiotap(length, bool(flags & _HAS_FCS), tuple(nodes))


def _read_fields(data: bytes, at: int, length: int, walk: Walk) -> int:
    """Note the fields from octet `at` to the end of the header; the flags among them."""
    present, flags = int.from_bytes(data[4:8], "little"), 0
    for bit, (alignment, size, layout) in enumerate(_FIELDS):
        if not present >> bit & 1:
            continue
        start = at + -at % alignment
        if start + size > length:
            message = f"{_PRESENT[bit]} reaches past the header"
            raise DecodeError("frame_length", start, message, path="radiotap")
        if start > at:
            parse(_PADDING, data[at:start], walk, base=at)
        at = start + size
        flags |= parse(layout, data[start:at], walk, base=start).get("flags", 0)
    if at < length:
        parse(_REST, data[at:length], walk, base=at)
    return flags


def _words_end(data: bytes, length: int) -> int:
    """Where the present words end; beyond `length` when they do not."""
    at = 4
    while at + 4 <= min(length, len(data)):
        word = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if not word & _EXTENDED:
            return at
    return length + 1
