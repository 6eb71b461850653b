"""Times of packets and rungs as people want them: from the start, since the one before, since a mark, of the day. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.trace import TraceEvent

__all__ = ["STYLES", "Times"]

STYLES = ("from the start", "delta", "since mark", "of the day, UTC")
_DELTA, _MARK, _WALL = 1, 2, 3
_HEADS = ("time", "delta", "since mark", "time UTC")


class Times:
    """The chosen style, and what it counts from."""

    def __init__(self, digits: int = 6) -> None:
        self.style = 0
        """index of STYLES."""
        self.mark_us: int | None = None
        """time of the mark that was set last, while it is there."""
        self._digits = digits

    @property
    def head(self) -> str:
        """What stands above a column of them."""
        return _HEADS[self.style]

    def mark(self, t_us: int, *, is_marked: bool) -> None:
        """Count from a mark that was set; no longer from one that was taken away."""
        if is_marked:
            self.mark_us = t_us
        elif self.mark_us == t_us:
            self.mark_us = None
            self.style = 0 if self.style == _MARK else self.style

    def turn(self, *, has_wall: bool) -> str:
        """The next style that there is; its name. `has_wall`: whether packets have a time of the day."""
        known = [0, _DELTA]
        if self.mark_us is not None:
            known.append(_MARK)
        if has_wall:
            known.append(_WALL)
        self.style = known[(known.index(self.style) + 1) % len(known)]
        return STYLES[self.style]

    def text(self, event: TraceEvent, before: TraceEvent | None) -> str:
        """The time of a packet; `before` is the one above it."""
        if self.style == _DELTA:
            return f"+{(event.t_us - (before or event).t_us) / 1e6:.{self._digits}f}"
        if self.style == _MARK and self.mark_us is not None:
            return f"{(event.t_us - self.mark_us) / 1e6:+.{self._digits}f}"
        wall_us: Any = event.fields.get("wall_us")
        if self.style == _WALL and isinstance(wall_us, int):
            seconds, rest = divmod(wall_us, 1_000_000)
            return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 1000:03}"
        return f"{event.t_us / 1e6:.{self._digits}f}"
