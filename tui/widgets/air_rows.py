"""Devices on the air as a list: address, strength, trend, age, what they say; three choices of columns.

A column is an entry of the table; what is left of the width belongs to the words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tui.text import ago, clean, count, cut, fit, right
from tui.widgets.curve import trend_text
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.models.advertisers import Advertiser
    from tui.models.lanes import Piece
    from tui.screens.air import AirScreen

    _Text = Callable[["AirRows", Advertiser], str]

__all__ = ["CHOICES", "AirRows", "interval_text"]

_DASH = "-"
_SECOND_US = 1_000_000
_WIDE = 98
_RSSI_WIDTH = 4
CHOICES = ("usual", "radio", "words")
"""Choices of columns: what most people want; the radio in figures; little but what is said."""


class _Column(NamedTuple):
    head: str
    width: int
    text: _Text
    at_right: bool = True


class AirRows(EventList):
    """One row per address, or per device."""

    def __init__(self, screen: AirScreen) -> None:
        super().__init__(id="air")
        self._owner = screen
        self.rows: list[Advertiser] = []
        self.choice = 0
        """which of CHOICES."""

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

    # Columns

    def _columns(self, width: int) -> list[_Column]:
        wide = width >= _WIDE
        names = (_WIDE_SETS if wide else _NARROW_SETS)[CHOICES[self.choice]]
        return [(_LONG if wide else _SHORT)[name] for name in names]

    def trend(self, one: Advertiser, seconds: int) -> str:
        """The strength in the last seconds, a bar for each."""
        return trend_text(one.trend(self._owner.air.now_us, seconds), self.signs)

    def age(self, one: Advertiser) -> str:
        """Since it was there last."""
        return ago(self._owner.air.now_us - one.last_us)

    def tx_dbm(self, one: Advertiser) -> int | None:
        """The power it sends with: by its settings, else as it says itself."""
        return self._owner.tx_dbm(one)

    def path_loss(self, one: Advertiser) -> str:
        """What of its power is lost on the way, dB."""
        power = self.tx_dbm(one)
        return _DASH if power is None or one.rssi_dbm is None else str(power - one.rssi_dbm)

    def heads(self, width: int) -> list[list[Piece]]:
        """Names of the columns."""
        names = " ".join(_cell(column.head, column) for column in self._columns(width - 2))
        return [[(f"     {names}  Decoded", "head")]]

    def row(self, index: int, width: int) -> list[Piece]:
        """One device."""
        one, screen = self.rows[index], self._owner
        star = self.signs["star"] if one.address in screen.starred else " "
        wrong = self.signs["malformed"] if one.wrong else " "
        stale = screen.air.is_stale(one)
        cells = " ".join(_cell(column.text(self, one), column) for column in self._columns(width))
        head = f"{wrong}{star} {cells}  "
        words = self._words(one, stale=stale)
        if width < _WIDE and one.owner and one.owner not in one.words:
            words = f"{one.owner}  {words}"
        style = "bad" if one.wrong else "dim" if stale else ""
        return [(head, style), (cut(clean(words), width - len(head)), style)]

    def _words(self, one: Advertiser, *, stale: bool) -> str:
        peers = self._owner.air.connected_to(one)
        if peers:
            return f"connected to {', '.join(peers)}  {one.words}"
        return f"(stale) {one.words}" if stale else one.words


def _cell(text: str, column: _Column) -> str:
    return right(text, column.width) if column.at_right else fit(text, column.width)


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


def _number(value: int | None) -> str:
    return _DASH if value is None else str(value)


def _address(_: AirRows, one: Advertiser) -> str:
    return one.address.upper()


def _kind(_: AirRows, one: Advertiser) -> str:
    return one.kind


def _owner(_: AirRows, one: Advertiser) -> str:
    return clean(one.owner or "?")


def _rssi(_: AirRows, one: Advertiser) -> str:
    """A question mark behind a strength that packets have come after without one."""
    text = _number(one.rssi_dbm)
    return f"{text}?" if one.has_old_level and len(text) < _RSSI_WIDTH else text


def _rssi_apart(rows: AirRows, one: Advertiser) -> str:
    text = _rssi(rows, one)
    return text if text.endswith("?") else f"{text} "


def _short_trend(rows: AirRows, one: Advertiser) -> str:
    return rows.trend(one, 8)


def _long_trend(rows: AirRows, one: Advertiser) -> str:
    return rows.trend(one, 14)


def _power(rows: AirRows, one: Advertiser) -> str:
    return _number(rows.tx_dbm(one))


def _lost(_: AirRows, one: Advertiser) -> str:
    return _DASH if one.lost_part is None else f"{one.lost_part:.1%}"


def _interval(_: AirRows, one: Advertiser) -> str:
    return interval_text(one)


def _counted(_: AirRows, one: Advertiser) -> str:
    return count(one.sent or one.heard)


def _channels(_: AirRows, one: Advertiser) -> str:
    return "/".join(map(str, sorted(one.channels))) or _DASH


_SHORT: dict[str, _Column] = {
    "address": _Column("Address", 17, _address, at_right=False),
    "type": _Column("Type", 4, _kind, at_right=False),
    "rssi": _Column("RSSI", _RSSI_WIDTH, _rssi),
    "trend": _Column("trend", 8, _short_trend, at_right=False),
    "age": _Column("age", 5, AirRows.age),
    "tx": _Column("TX", 4, _power),
    "loss": _Column("path", 4, AirRows.path_loss),
    "lost": _Column("lost", 6, _lost),
    "interval": _Column("interval", 9, _interval),
    "count": _Column("count", 7, _counted),
    "channels": _Column("chan", 8, _channels, at_right=False),
}
_LONG = _SHORT | {
    "address": _Column("Address", 18, _SHORT["address"].text, at_right=False),
    "type": _Column("Type", 5, _SHORT["type"].text, at_right=False),
    "owner": _Column("Owner", 11, _owner, at_right=False),
    "rssi": _Column("RSSI ", 5, _rssi_apart),
    "trend": _Column("trend", 14, _long_trend, at_right=False),
    "age": _Column("age", 6, _SHORT["age"].text),
}
_NARROW_SETS = {
    "usual": ("address", "type", "rssi", "trend", "age"),
    "radio": ("address", "rssi", "tx", "loss", "lost", "interval", "channels"),
    "words": ("address",),
}
_WIDE_SETS = {
    "usual": ("address", "type", "owner", "rssi", "trend", "interval", "age", "count"),
    "radio": ("address", "type", "owner", "rssi", "tx", "loss", "lost", "interval", "channels", "count"),
    "words": ("address", "owner", "age"),
}  # fmt: skip
