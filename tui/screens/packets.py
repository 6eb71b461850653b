"""Packets: list, fields and octets of everything that was sent, of a run or of a capture; filter, marks, conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container

from tui.bindings import bindings
from tui.filters import FilterError, compile_filter
from tui.models.decoding import Decoded, decoded, info_of, path_of
from tui.models.packets import is_packet, protocol_of
from tui.screens._base import BenchScreen
from tui.text import clean, count
from tui.widgets.octets import FieldsPane, OctetsPane, bits_text, filter_for, value_text
from tui.widgets.packet_rows import PacketRows

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from sim.trace import TraceEvent
    from tui.models.packet_list import PacketList
    from tui.widgets.event_list import EventList

__all__ = ["PacketsScreen"]

_STYLES = ("from the start", "delta", "since mark", "of the day, UTC")
_EXAMPLES = (
    "smp   !adv   adv && rssi>-80   from:phone   addr~7e   len>100   malformed   marked   "
    'nan.id==0x03   smp.smp_code==5   text~pairing   "display"   a && (b || c)'
)
_WALL = 3
_MOST_HEX = 4096
_DETAIL_EVERY_S = 0.25
"""How often the panes below change while the list runs."""


class PacketsScreen(BenchScreen):
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
        self.time_style = 0
        self.mark_us: int | None = None
        self._before = ""  # filter before the conversation was chosen
        self._shown: TraceEvent | None = None
        self._copies = 0
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

    @property
    def packets(self) -> PacketList:
        """What is listed."""
        return self.session.packets

    def renew(self) -> None:
        """Nothing of the old run stays."""
        self.mark_us, self.time_style = None, 0
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
        note = [f"filter: {packets.filter.text}"] if packets.filter.text else []
        if packets.progress < 1:
            note.append(f"{packets.progress:.0%} seen")
        note.append(f"follow {'on' if self.rows.follow else 'off'}")
        if packets.marks:
            note.append(f"marks {len(packets.marks)}")
        if self.session.source.skipped:
            note.append(f"{count(self.session.source.skipped)} skipped")
        self.rows.say(f"Packets {count(len(packets))} of {count(packets.total)}", "   ".join(note))

    def _detail(self) -> None:
        event = self.rows.selected()
        if event is self._shown:
            return
        self._shown = event
        found = None if event is None else decoded(event)
        self.query_one(OctetsPane).show_packet(b"" if found is None else found.data)
        fields = self.query_one(FieldsPane)
        fields.say(
            f"Fields {self.signs['dot']} {clean(info_of(event))}" if event is not None else "Fields"
        )
        fields.show_packet(found)
        self._tie(found)

    @property
    def signs(self) -> Any:
        """The signs of this terminal."""
        return self.bench.signs

    def _tie(self, found: Decoded | None = None) -> None:
        """Bracket the octets of the selected field, and say what is known of it."""
        row = self.query_one(FieldsPane).selected()
        event = self._shown
        notes: list[str] = []
        if row is not None and event is not None:
            node = row.node
            size = node.end - node.start
            notes.append(
                f"selected  offset {node.start}, {size} octet{'' if size == 1 else 's'}{bits_text(node, decoded(event).data)}"
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
            self._copies = 0
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
        if self.time_style == 1:
            before = self.packets.event(index - 1).t_us if index else event.t_us
            return f"+{(event.t_us - before) / 1e6:.6f}"
        if self.time_style == 2 and self.mark_us is not None:
            return f"{(event.t_us - self.mark_us) / 1e6:+.6f}"
        wall_us: Any = event.fields.get("wall_us")
        if self.time_style == _WALL and isinstance(wall_us, int):
            seconds, rest = divmod(wall_us, 1_000_000)
            return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 1000:03}"
        return f"{event.t_us / 1e6:.6f}"

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

        modal = FilterInput(self.packets.filter.text, self._check, _EXAMPLES, "Filter packets")
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
        if "*" in (first, second) or not second:
            self.bench.say("this packet goes to everybody: it belongs to no conversation")
            return
        self._before = self.packets.filter.text or " "
        both = f'(from:"{first}" && to:"{second}" || from:"{second}" && to:"{first}")'
        only = " && !empty" if "!empty" in self._before else ""
        self._apply(f"{both}{only}")
        self.bench.say("only this conversation; c shows the rest again")

    def action_find(self, step: int) -> None:
        """Filters show their matches; n goes on from one to the next."""
        self.rows.move(step)

    # Marks, times, copies

    def action_mark(self) -> None:
        """Mark the packet, or take the mark away; times can count from it."""
        event = self.rows.selected()
        if event is None:
            return
        self.packets.marks ^= {event.seq}
        if event.seq in self.packets.marks:
            self.mark_us = event.t_us
        self.rows.refresh()

    def action_mark_next(self) -> None:
        """The next mark."""
        row = self.packets.next_mark(self.rows.cursor)
        if row is None:
            self.bench.say("no packet is marked: m marks one")
        else:
            self.rows.follow = False
            self.rows.go(row)

    def action_time_style(self) -> None:
        """Simulated, since the packet before, since the mark."""
        known = [0, 1]
        if self.mark_us is not None:
            known.append(2)
        if self.session.control is None:
            known.append(_WALL)
        self.time_style = known[(known.index(self.time_style) + 1) % len(known)]
        self.bench.say(f"times: {_STYLES[self.time_style]}")
        self.rows.refresh()

    def action_copy(self) -> None:
        """The line; again: octets, JSON, a filter for the selected field."""
        event = self.rows.selected()
        if event is not None:
            self.bench.copy_text(self._copy_of(event, self._copies % 4))
            self._copies += 1

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
