"""The packets of a run or a capture as a list: number, time, ends, protocol, one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.capture_source import CaptureSource
from tui.models.decoding import info_of
from tui.models.packets import protocol_of
from tui.text import cells, clean, cut, cut_middle, fit, right
from tui.widgets.event_list import EventList

if TYPE_CHECKING:
    from sim.trace import TraceEvent
    from tui.models.lanes import Piece
    from tui.models.packet_list import PacketList
    from tui.screens.packets import PacketsScreen

__all__ = ["PacketRows", "ends_text"]


class PacketRows(EventList):
    """The packets that the filter lets through."""

    def __init__(self, screen: PacketsScreen) -> None:
        super().__init__(id="packets")
        self._owner = screen

    def on_mount(self) -> None:
        """Runs are followed, files begin at their beginning."""
        self.follow = self._owner.session.control is not None

    @property
    def packets(self) -> PacketList:
        """The list of the session."""
        return self._owner.session.packets

    def count(self) -> int:
        """Packets shown."""
        return len(self.packets)

    def key(self, index: int) -> Any:
        """Position in the source."""
        return self.packets.position(index)

    def find(self, key: Any) -> int | None:
        """The row of a position, or the first behind it."""
        return self.packets.row_of(key)

    def selected(self) -> TraceEvent | None:
        """The packet under the cursor."""
        return self.packets.event(self.cursor) if self.cursor < self.count() else None

    def empty_text(self) -> str:
        """Why there is none."""
        text = self.packets.filter.text
        return (
            f"no packet fits {text}: esc clears the filter"
            if text and self.packets.total
            else self._none_at_all()
        )

    def _none_at_all(self) -> str:
        source = self._owner.session.source
        if not (isinstance(source, CaptureSource) and source.done):
            return "no packets yet"
        return "no packet could be read" if source.trouble else "the capture holds no packets"

    def heads(self, width: int) -> list[list[Piece]]:
        """Names of the columns."""
        wide = width >= 100
        time = right(self._owner.times.head, 12)
        ends = fit("from > to" if self.is_ascii else "from → to", 26 if wide else 19)
        length = " len " if wide else ""
        delta = f"{right(self.signs['delta'], 8)} " if wide else ""
        return [[(f"       # {time} {delta}dir {ends} proto {length} info", "head")]]

    def row(self, index: int, width: int) -> list[Piece]:
        """One packet."""
        packets = self.packets
        event = packets.event(index)
        wide = width >= 98
        sender, receiver = packets.ends.of(event)
        mark = self.signs["mark"] if event.seq in packets.marks else " "
        info = info_of(event)
        bad = info.startswith("malformed")
        sign = self.signs["malformed"] if bad else mark
        ends = ends_text(clean(sender), self.signs["arrow"], clean(receiver), 26 if wide else 19)
        head = f"{sign}{right(str(event.seq), 6)} {right(self._owner.time_of(event, index), 12)} "
        if wide:
            head += f"{right(self._delta(event, index), 8)} "
        text = f"{head}{self._direction(event, sender, receiver)} {fit(ends, 26 if wide else 19)} {fit(protocol_of(event), 6)}"
        text += f"{right(str(len(event.data or b'')), 5)} " if wide else " "
        style = "bad" if bad else "dim" if event.layer == "hci" else ""
        return [(text, style), (cut(info, width - len(text)), style)]

    def _delta(self, event: TraceEvent, index: int) -> str:
        before = self.packets.event(index - 1).t_us if index else event.t_us
        return f"{(event.t_us - before) / 1e6:.3f}"

    def _direction(self, event: TraceEvent, sender: str, receiver: str) -> str:
        """An arrow from left to right for the party that is left on the ladder, and for hosts to their controller."""
        h = self.signs["h"]
        if receiver in ("*", ""):
            return f" {self.signs['dot']} "
        parties = self._owner.session.rungs.parties
        if event.layer == "hci":
            to_right = event.direction == "tx"
        elif sender in parties and receiver in parties:
            to_right = parties.index(sender) < parties.index(receiver)
        else:
            to_right = sender <= receiver
        return f"{h}{h}{self.signs['right']}" if to_right else f"{self.signs['left']}{h}{h}"


def ends_text(sender: str, arrow: str, receiver: str, width: int) -> str:
    """Both names and the arrow in `width` columns: a name takes what the other one leaves, at least its half."""
    room = width - cells(arrow)
    first = min(cells(sender), max(room // 2, room - cells(receiver)))
    return f"{cut_middle(sender, first)}{arrow}{cut_middle(receiver, room - first)}"
