"""Packets: list, fields and octets of everything that was sent, of a run or of a capture; filter, marks, conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container

from tui.bindings import bindings
from tui.filters import FilterError, compile_filter
from tui.models.decoding import Decoded, decoded, info_of, path_of
from tui.models.packets import is_packet, protocol_of
from tui.screens._packet_actions import EXAMPLES, PacketActions
from tui.text import cells, clean, count, cut
from tui.widgets.octets import FieldsPane, OctetsPane, bits_text, filter_for, value_text
from tui.widgets.packet_rows import PacketRows

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from sim.trace import TraceEvent
    from tui.widgets.event_list import EventList

__all__ = ["PacketsScreen"]

_LEAST, _NOTED = 8, 30
"""Columns that a filter takes in the title."""
_AROUND = 14
"""Columns of the frame and of what names the filter."""
"""Columns of a filter or a search in the title."""
_DETAIL_EVERY_S = 0.25
"""How often the panes below change while the list runs."""


class PacketsScreen(PacketActions):
    """The list above, fields and octets below."""

    NAME = "packets"
    BINDINGS: ClassVar[list[Any]] = bindings("packets")
    DEFAULT_CSS = """
    PacketsScreen #packets { height: 1fr; }
    PacketsScreen #below { height: 10; layout: horizontal; }
    PacketsScreen #fields { width: 1fr; }
    PacketsScreen #octets { width: 38; }
    PacketsScreen.-wide #octets { width: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.clear = False
        """whether encrypted packets are shown in clear, where the run knows how they look."""
        self._before = ""  # filter before the conversation was chosen
        self._shown: TraceEvent | None = None
        self._found: Decoded | None = None
        self._wanted: int | None = None
        self._anchor: int | None = None
        self._state: tuple[Any, ...] | None = None
        self._detail_s = -1.0

    def panes(self) -> ComposeResult:
        """List, fields, octets."""
        yield PacketRows(self)
        with Container(id="below"):
            yield FieldsPane()
            yield OctetsPane()

    @property
    def rows(self) -> PacketRows:
        """The list."""
        return self.query_one(PacketRows)

    @property
    def main_list(self) -> EventList:
        """The list that the screen is about."""
        return self.rows

    def renew(self) -> None:
        """Nothing of the old run stays."""
        self.forget()
        self._before, self._shown = "", None
        self._wanted = self._anchor = None
        self.rows.cursor = self.rows.top = 0
        self.rows.follow = self.session.control is not None

    def lay_out(self) -> None:
        """Room for the panes below."""
        height = self.bench.size.height
        below = self.query_one("#below")
        usual = 18 if height >= 36 else 10
        below.styles.height = (usual, 6, max(6, height - 11))[self.split]
        below.display = self.maximised is not self.rows and not self.has_class("-small")
        if self.maximised is not None and self.maximised is not self.rows:
            below.styles.height = "1fr"

    # Turns

    def tick(self) -> None:
        """Rows may have come."""
        if not self.is_mounted or not self.query(PacketRows):
            return
        rows = self.rows
        state = (len(self.packets), self.packets.source.first, rows.follow)
        if state != self._state:
            self._state = state
            rows.sync()
        self._hold_anchor()
        self.go_on()
        if self._wanted is not None:
            self._go_to_wanted()
        self._title()
        now_s = self.bench.wall_s()
        if not rows.follow or now_s - self._detail_s >= _DETAIL_EVERY_S:
            self._detail_s = now_s
            self._detail()

    def _hold_anchor(self) -> None:
        """A new filter leaves the cursor where it was, or on the next packet that fits."""
        if self._anchor is None or self.rows.follow:
            self._anchor = None
            return
        row = self.packets.row_of(self._anchor)
        if row is None and self.packets.progress < 1:
            return
        self._anchor = None
        self.rows.go(len(self.packets) - 1 if row is None else row)

    def _title(self) -> None:
        packets = self.packets
        title = f"Packets {count(len(packets))} of {count(packets.total)}"
        note = self.search_words()
        has_filter = bool(packets.filter.text) and (not note or self.has_class("-wide"))
        if packets.progress < 1:
            note.append(f"{packets.progress:.0%} seen")
        note.append(f"follow {'on' if self.rows.follow else 'off'}")
        if packets.marks:
            note.append(f"marks {len(packets.marks)}")
        if self.session.source.skipped:
            note.append(f"{count(self.session.source.skipped)} skipped")
        if has_filter:  # it gives way to the numbers
            room = self.rows.size.width - _AROUND - sum(cells(one) + 3 for one in (title, *note))
            note.insert(0, f"filter: {cut(packets.filter.text, max(_LEAST, min(_NOTED, room)))}")
        self.rows.say(title, "   ".join(note))

    def _detail(self) -> None:
        event = self.rows.selected()
        known = self._shown
        if event is known or (event is not None and known is not None and event.seq == known.seq):
            return
        self._shown = event
        clear = None if event is None else self.packets.clear.of(event)
        found = None if event is None else decoded(event)
        note = ""
        if clear is not None:
            note = "air [clear]" if self.clear else "[air] clear"
        if self.clear and clear is not None:
            found = clear
        self._found = found
        octets, fields = self.query_one(OctetsPane), self.query_one(FieldsPane)
        octets.show_packet(b"" if found is None else found.data)
        octets.say(octets.title_text, note)
        words = "" if event is None else clean(info_of(event))
        if clear is not None and found is clear:
            words = clear.text
        fields.say(f"Fields {self.signs['dot']} {words}" if words else "Fields")
        fields.show_packet(found)
        self._tie()

    def action_clear(self) -> None:
        """Encrypted packets as on the air, or in clear."""
        self.clear = not self.clear
        event = self.rows.selected()
        known = event is not None and self.packets.clear.of(event) is not None
        what = "in clear, where the run knows how" if self.clear else "as on the air"
        self.bench.say(
            f"encrypted packets: {what}" if known else "of this packet no other form is known"
        )
        self._shown = None
        self._detail()

    def _tie(self) -> None:
        """Bracket the octets of the selected field, and say what is known of it."""
        row = self.query_one(FieldsPane).selected()
        event, found = self._shown, self._found
        notes: list[str] = []
        if row is not None and event is not None and found is not None:
            node = row.node
            size = node.end - node.start
            notes.append(
                f"selected  offset {node.start}, {size} octet{'' if size == 1 else 's'}{bits_text(node, found.data)}"
            )
            notes.append(f"path      {path_of(row.path)}")
            notes.append(f"value     {value_text(node)}")
            if node.source:
                notes.append(f"clause    {clean(node.source)}")
            if event.cause is not None:
                notes.append(f"caused by #{event.cause} (< goes there)")
            as_filter = filter_for(row, protocol_of(event))
            if as_filter:
                notes.append(f"as filter {as_filter}")
        self.query_one(OctetsPane).select(row, notes)

    def on_event_list_moved(self, message: EventList.Moved) -> None:
        """The cursor of the list or of the fields has moved."""
        if isinstance(message.sender, FieldsPane):
            self._tie()
        else:
            self.copies = 0
            if not self.rows.follow:
                self._detail()

    def on_octets_pane_selected(self, message: OctetsPane.Selected) -> None:
        """An octet was chosen: its field comes under the cursor."""
        self.query_one(FieldsPane).select_octet(message.offset)

    def status(self) -> tuple[str, str]:
        """The selected field, where the panes below have the focus."""
        fields = self.query_one(FieldsPane)
        row = fields.selected()
        below = fields.has_focus or self.query_one(OctetsPane).has_focus
        if row is None or not below:
            return "", ""
        node, cause = row.node, self._shown.cause if self._shown is not None else None
        size = node.end - node.start
        text = f"{path_of(row.path)} ({size} octet{'' if size == 1 else 's'} at {node.start}) = {value_text(node)}"
        return f"{text}   cause: #{cause}" if cause is not None else text, ""

    def time_of(self, event: TraceEvent, index: int) -> str:
        """The time of a packet in the chosen style."""
        return self.times.text(event, self.packets.event(index - 1) if index else None)

    # Going somewhere

    def show_packet(self, seq: int) -> None:
        """Put the cursor on a packet; one that the filter hides clears the filter."""
        self._wanted = seq
        self.rows.follow = False
        self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        packets, wanted = self.packets, self._wanted
        position = None if wanted is None else packets.source.position_of(wanted)
        if position is None or not is_packet(packets.source.at(position)):
            self._wanted = None
            self.bench.say("there is no packet of that, or it is gone")
            return
        row = packets.row_of(position)
        if row is not None and packets.position(row) == position:
            self._wanted = None
            self.rows.go(row)
        elif packets.progress >= 1 and packets.filter.text:
            packets.set_filter("")
            self._state = None
            self.bench.say("the filter is cleared: it hid that packet")
        elif packets.progress >= 1:
            self._wanted = None

    def action_cause(self) -> None:
        """To the packet that led to this one."""
        event = self.rows.selected()
        if event is None or event.cause is None:
            self.bench.say("nothing is known that led to this packet")
        else:
            self.show_packet(event.cause)

    # Filter

    def _check(self, text: str) -> str:
        compile_filter(text, self.packets.vocabulary)
        return "shows all packets" if not text.strip() else "valid"

    def action_filter(self) -> None:
        """Type a filter."""
        from tui.modals.filter import FilterInput

        modal = FilterInput(self.packets.filter.text, self._check, EXAMPLES, "Filter packets")
        self.bench.push_screen(modal, self._apply)

    def _apply(self, text: str | None) -> None:
        if text is None:
            return
        rows = self.rows
        anchor = self.packets.position(rows.cursor) if rows.cursor < rows.count() else None
        try:
            self.packets.set_filter(text)
        except FilterError as exc:
            self.bench.say(str(exc), "bad")
            return
        self._state, self._anchor = None, anchor
        self.tick()

    def action_back(self) -> None:
        """Clear the filter; give room back."""
        if self.maximised is not None:
            super().action_back()
        elif self.search_words():
            self.end_search()
            self._title()
        elif self.packets.filter.text:
            self._apply("")

    def action_conversation(self) -> None:
        """Only packets between the same two, or what was shown before."""
        event = self.rows.selected()
        if self._before:
            before, self._before = self._before, ""
            self._apply(before.strip())
            return
        if event is None:
            return
        first, second = self.packets.ends.of(event)
        if not second:
            self.bench.say("nothing tells between whom this packet goes")
            return
        if "*" in (first, second):
            self.bench.say("this packet goes to everybody: it belongs to no conversation")
            return
        self._before = self.packets.filter.text or " "
        both = f'(from:"{first}" && to:"{second}" || from:"{second}" && to:"{first}")'
        only = " && !empty" if "!empty" in self._before else ""
        self._apply(f"{both}{only}")
        self.bench.say("only this conversation; c shows the rest again")

    # Panes

    def action_choose(self) -> None:
        """From the list to the fields; there: fold."""
        fields = self.query_one(FieldsPane)
        if self.rows.has_focus:
            fields.focus()
        elif fields.has_focus:
            fields.fold()

    def action_fold(self) -> None:
        """Fold the field."""
        self.query_one(FieldsPane).fold()

    def action_move(self, delta: int) -> None:
        """One line; in the octets a line of them."""
        octets = self.query_one(OctetsPane)
        if octets.has_focus:
            octets.move(delta * octets.per_line)
        else:
            super().action_move(delta)

    def action_sideways(self, delta: int) -> None:
        """One octet; in the fields: fold or open."""
        octets = self.query_one(OctetsPane)
        if octets.has_focus:
            octets.move(delta)
        elif self.query_one(FieldsPane).has_focus:
            self.query_one(FieldsPane).fold()


SCREEN = PacketsScreen
