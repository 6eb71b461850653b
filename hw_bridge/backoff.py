"""How long to wait before the next try. Digest 8.1. Milliseconds in, seconds out; no clock."""

from __future__ import annotations

__all__ = ["Backoff"]


class Backoff:
    """Doubles from the first delay to the longest; `reset` begins anew."""

    def __init__(self, first_ms: int, longest_ms: int) -> None:
        self._first_ms = first_ms
        self._longest_ms = longest_ms
        self._next_ms = first_ms

    def delay_s(self) -> float:
        """The delay now; the next one is twice as long."""
        delay_ms = self._next_ms
        self._next_ms = min(2 * delay_ms, self._longest_ms)
        return delay_ms / 1000

    def reset(self) -> None:
        """It worked."""
        self._next_ms = self._first_ms
