"""Devices on the air as a list: address, strength, trend, age, what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.text import ago, clean, count, cut, fit, right
from tui.widgets.curve import trend_text
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from tui.models.advertisers import Advertiser
    from tui.models.lanes import Piece
    from tui.screens.air import AirScreen

__all__ = ["AirRows", "interval_text"]

_DASH = "-"
_SECOND_US = 1_000_000


class AirRows(EventList):
    """One row per address, or per device."""

    def __init__(self, screen: AirScreen) -> None:
        super().__init__(id="air")
        self._owner = screen
        self.rows: list[Advertiser] = []

    def count(self) -> int:
        """Rows."""
        return len(self.rows)

    def key(self, index: int) -> Any:
        """The address: the cursor follows it."""
        return self.rows[index].address

    def find(self, key: Any) -> int | None:
        """Where the address is now."""
        return next((at for at, one in enumerate(self.rows) if one.address == key), None)

    def selected(self) -> Advertiser | None:
        """The device under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def empty_text(self) -> str:
        """Why there is none."""
        text = self._owner.filter.text
        return (
            f"nobody fits {text}: esc clears the filter" if text else "nobody has sent anything yet"
        )

    def heads(self, width: int) -> list[list[Piece]]:
        """Names of the columns."""
        if width >= 100:
            text = f"     {fit('Address', 18)} {fit('Type', 5)} {fit('Owner', 11)} RSSI  {fit('trend', 14)} "
            text += f"{right('interval', 9)} {right('age', 6)} {right('count', 7)}  Decoded"
        else:
            text = f"     {fit('Address', 17)} {fit('Type', 4)} RSSI {fit('trend', 8)} {right('age', 5)}  Decoded"
        return [[(text, "head")]]

    def row(self, index: int, width: int) -> list[Piece]:
        """One device."""
        one, now_us = self.rows[index], self._owner.air.now_us
        stale = one.is_stale(now_us)
        star = self.signs["star"] if one.address in self._owner.starred else " "
        wrong = self.signs["malformed"] if one.wrong else " "
        level = _DASH if one.rssi_dbm is None else str(one.rssi_dbm)
        age = ago(now_us - one.last_us)
        words = f"(stale) {one.words}" if stale else one.words
        if width >= 98:
            trend = fit(trend_text(one.trend(now_us, 14), self.signs), 14)
            head = f"{wrong}{star} {one.address.upper()}  {fit(one.kind, 5)} {fit(clean(one.owner or '?'), 11)} "
            head += f"{right(level, 4)}  {trend} {right(interval_text(one), 9)} {right(age, 6)} {right(count(one.sent or one.heard), 7)}  "
        else:
            trend = fit(trend_text(one.trend(now_us, 8), self.signs), 8)
            head = f"{wrong}{star} {one.address.upper()} {fit(one.kind, 4)} {right(level, 4)} {trend} {right(age, 5)}  "
            if one.owner and one.owner not in words:
                words = f"{one.owner}  {words}"
        style = "bad" if one.wrong else "dim" if stale else ""
        return [(head, style), (cut(clean(words), width - len(head)), style)]


def interval_text(one: Advertiser) -> str:
    """The advertising interval; a dash before it is known."""
    interval_us = one.interval_us
    if interval_us is None:
        return _DASH
    return (
        f"{interval_us / 1000:.1f} ms"
        if interval_us < _SECOND_US
        else f"{interval_us / _SECOND_US:.2f} s"
    )
