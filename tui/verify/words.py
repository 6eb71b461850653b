"""What is wrong with a known-answer file, in words: whatever error it led to."""

from __future__ import annotations

from protocols.errors import NearbenchError

__all__ = ["words_of"]


def words_of(exc: Exception) -> str:
    """What is wrong with a recording or vector, by the error that it led to."""
    if isinstance(exc, KeyError):
        return f"{exc.args[0] if exc.args else 'a member'} is missing, or is none of those known"
    if isinstance(exc, IndexError):
        return "it names a frame or an entry that the file does not hold"
    if isinstance(exc, TypeError | AttributeError) and not isinstance(exc, NearbenchError):
        return "a member is of another type than it should be"
    if "fromhex()" in str(exc):
        return "a member that holds octets is not hexadecimal"
    return str(exc)
