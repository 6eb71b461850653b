"""The Construct vocabulary all payloads and frames are written in.

Rule 1: only the files of this folder (and `protocols/fixed.py`, which reads their objects) touch `construct`; no
Container and no ConstructError leave them. Others import from here.
Rule 2: one definition serves parse, build, field tree and byte spans.
Rule 3: each file imports from those before it: walk, values, bits, extents, structure.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.layout.bits import Flags
from protocols.layout.extents import Body, Records, Sized
from protocols.layout.structure import Choice, Flagged, Optional, Record, When
from protocols.layout.values import (
    S8,
    S16BE,
    S16LE,
    S24LE,
    S32BE,
    S32LE,
    U8,
    U16BE,
    U16LE,
    U24BE,
    U24LE,
    U32BE,
    U32LE,
    U64BE,
    U64LE,
    Coded,
    Const,
    Fault,
    Hex,
    Mac,
    MacLE,
    Mapped,
    Named,
    Nullable,
    Octets,
    Reserved,
    Scaled,
    Text,
    Uuid16LE,
    Uuid32LE,
    Uuid128,
    Uuid128LE,
)
from protocols.layout.walk import OMIT, REST, Codec, Doubt, Node, Walk, build, parse, unit_of

__all__ = [
    "OMIT",
    "REST",
    "S8",
    "S16BE",
    "S16LE",
    "S24LE",
    "S32BE",
    "S32LE",
    "U8",
    "U16BE",
    "U16LE",
    "U24BE",
    "U24LE",
    "U32BE",
    "U32LE",
    "U64BE",
    "U64LE",
    "Body",
    "Choice",
    "Codec",
    "Coded",
    "Const",
    "Doubt",
    "Fault",
    "Flagged",
    "Flags",
    "Hex",
    "Mac",
    "MacLE",
    "Mapped",
    "Named",
    "Node",
    "Nullable",
    "Octets",
    "Optional",
    "Record",
    "Records",
    "Reserved",
    "Scaled",
    "Sized",
    "Text",
    "Uuid16LE",
    "Uuid32LE",
    "Uuid128",
    "Uuid128LE",
    "Walk",
    "When",
    "build",
    "parse",
    "unit_of",
]
