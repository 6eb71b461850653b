"""Layout of attributes whose inside no open document or implementation explains: octets, kept as they are.

A meaning that begins with "reserved" makes every such octet a doubt. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.layout import REST, Codec, Hex, Mapped, Record

__all__ = ["kept"]


def kept(meaning: str) -> Codec:
    """The whole body as the field `octets`; `meaning` stands beside it in the tree."""
    return Record("octets" / Mapped(Hex(REST), _same, _same, lambda _: meaning))


def _same(value: str) -> str:
    return value
