"""Keys of the screen Packets that ask nothing of its panes: searching, marks, times, copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.filters import compile_filter
from tui.models.decoding import info_of
from tui.models.packet_search import Search
from tui.models.packet_times import Times
from tui.models.packets import protocol_of
from tui.screens._base import BenchScreen
from tui.text import cut
from tui.widgets.octets import FieldsPane, filter_for

if TYPE_CHECKING:
    from sim.trace import TraceEvent
    from tui.models.packet_list import PacketList
    from tui.widgets.packet_rows import PacketRows

__all__ = ["EXAMPLES", "PacketActions"]

EXAMPLES = (
    "smp   !adv   adv && rssi>-80   from:phone   addr~7e   len>100   malformed   marked   "
    'nan.id==0x03   smp.smp_code==5   text~pairing   "display"   a && (b || c)'
)
_MOST_HEX = 4096
_NOTED = 20
_SEARCH_S = 0.02
"""Wall time that a search may take in one turn."""


class PacketActions(BenchScreen):
    """One half of the screen Packets."""

    def __init__(self) -> None:
        super().__init__()
        self.times = Times()
        self.copies = 0
        """times that the line was copied in a row."""
        self._wanted_text = ""
        self._search: Search | None = None

    @property
    def rows(self) -> PacketRows:
        """The list."""
        raise NotImplementedError

    @property
    def packets(self) -> PacketList:
        """What is listed."""
        return self.session.packets

    def forget(self) -> None:
        """Nothing of the old run stays."""
        self.times, self._search = Times(), None

    def action_search(self) -> None:
        """Type what to search for; all packets stay."""
        from tui.modals.filter import FilterInput

        modal = FilterInput(self._wanted_text, self._check_search, EXAMPLES, "Search packets")
        self.bench.push_screen(modal, self._begin_search)

    def _check_search(self, text: str) -> str:
        compile_filter(text, self.packets.vocabulary)
        return "enter goes to the next match; n and N go on" if text.strip() else "ends the search"

    def _begin_search(self, text: str | None) -> None:
        if text is not None:
            self._wanted_text = text.strip()
            if self._wanted_text:
                self.action_find(1)

    def action_find(self, step: int) -> None:
        """From match to match of a search; without one, from packet to packet of the filter."""
        if not self._wanted_text:
            self.rows.move(step)
            return
        wanted = compile_filter(self._wanted_text, self.packets.vocabulary)
        self.rows.follow = False
        self._search = Search(self.packets, wanted, self.rows.cursor, step)
        self.go_on()

    def go_on(self) -> None:
        """More of a search, and its end."""
        search, begun_s = self._search, self.bench.wall_s()
        if search is None or not search.look(lambda: self.bench.wall_s() - begun_s > _SEARCH_S):
            return
        self._search = None
        if search.found is None:
            among = " among those that the filter shows" if self.packets.filter.text else ""
            self.bench.say(f"no packet fits {self._wanted_text}{among}")
        else:
            self.rows.go(search.found)

    def search_words(self) -> list[str]:
        """What the title says of a search."""
        if self._search is not None:
            return [f"search: {self._search.progress:.0%}"]
        return [f"search: {cut(self._wanted_text, _NOTED)}"] if self._wanted_text else []

    def end_search(self) -> None:
        """Search for nothing."""
        self._search, self._wanted_text = None, ""

    # Marks, times, copies

    def action_mark(self) -> None:
        """Mark the packet, or take the mark away; times can count from it."""
        event = self.rows.selected()
        if event is None:
            return
        self.packets.marks ^= {event.seq}
        self.times.mark(event.t_us, is_marked=event.seq in self.packets.marks)
        self.rows.refresh()

    def action_mark_next(self) -> None:
        """The next mark."""
        row = self.packets.next_mark(self.rows.cursor)
        if row is None and self.packets.progress < 1:
            self.bench.say("the filter has not looked at all packets yet")
        elif row is None and self.packets.marks:
            self.bench.say("the filter hides what is marked: esc clears it")
        elif row is None:
            self.bench.say("no packet is marked: m marks one")
        else:
            self.rows.follow = False
            self.rows.go(row)

    def action_time_style(self) -> None:
        """Simulated, since the packet before, since the mark."""
        self.bench.say(f"times: {self.times.turn(has_wall=self.session.control is None)}")
        self.rows.refresh()

    def action_copy(self) -> None:
        """The line; again: octets, JSON, a filter for the selected field."""
        event = self.rows.selected()
        if event is not None:
            self.bench.copy_text(self._copy_of(event, self.copies % 4))
            self.copies += 1

    def _copy_of(self, event: TraceEvent, what: int) -> str:
        if what == 1:
            return (event.data or b"")[:_MOST_HEX].hex()
        if what == 2:
            from sim.trace import line_of

            return line_of(event).decode().strip()
        row = self.query_one(FieldsPane).selected()
        if what == 3 and row is not None:
            return filter_for(row, protocol_of(event)) or protocol_of(event).lower()
        sender, receiver = self.packets.ends.of(event)
        return f"{event.seq} {event.t_us / 1e6:.6f} {sender} > {receiver} {protocol_of(event)} {info_of(event)}"
