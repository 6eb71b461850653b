"""Packets: list, fields and octets of everything that was sent, of a run or of a capture; filter, marks, conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container

from tui.bindings import bindings
from tui.filters import FilterError, compile_filter
from tui.models.decoding import Decoded, decoded, info_of, path_of
from tui.models.packets import is_packet, protocol_of
from tui.screens._base import BenchScreen
from tui.text import clean, count, cut, cut_middle, fit, right
from tui.widgets.event_list import EventList
from tui.widgets.octets import FieldsPane, OctetsPane, filter_for, value_text

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from sim.trace import TraceEvent
    from tui.models.lanes import Piece
    from tui.models.packet_list import PacketList

__all__ = ["PacketsScreen"]

_STYLES = ("simulated", "delta", "since mark")
_EXAMPLES = (
    "smp   !adv   adv && rssi>-80   from:phone   addr~7e   len>100   malformed   marked   "
    'nan.id==0x03   smp.smp_code==5   text~pairing   "display"   a && (b || c)'
)
_MOST_HEX = 4096
_DETAIL_EVERY_S = 0.25
"""How often the panes below change while the list runs."""


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
            else "no packets yet"
        )

    def heads(self, width: int) -> list[list[Piece]]:
        """Names of the columns."""
        wide = width >= 100
        time = fit({0: "time", 1: "delta", 2: "since mark"}[self._owner.time_style], 10)
        ends = fit("from > to" if self.is_ascii else "from → to", 26 if wide else 19)
        length = " len " if wide else ""
        delta = f"{right(self.signs['delta'], 8)} " if wide else ""
        return [
            [(f"       # {right(time.strip(), 12)} {delta}dir {ends} proto {length} info", "head")]
        ]

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
        ends = cut_middle(
            f"{clean(sender)}{self.signs['arrow']}{clean(receiver)}", 26 if wide else 19
        )
        head = f"{sign}{right(str(event.seq), 6)} {right(self._owner.time_of(event, index), 12)} "
        if wide:
            head += f"{right(self._delta(event, index), 8)} "
        text = f"{head}{self._direction(sender, receiver)} {fit(ends, 26 if wide else 19)} {fit(protocol_of(event), 6)}"
        if wide:
            text += f"{right(str(len(event.data or b'')), 5)} "
        style = "bad" if bad else "dim" if event.layer == "hci" else ""
        return [(text, style), (cut(info, width - len(text)), style)]

    def _delta(self, event: TraceEvent, index: int) -> str:
        before = self.packets.event(index - 1).t_us if index else event.t_us
        return f"{(event.t_us - before) / 1e6:.3f}"

    def _direction(self, sender: str, receiver: str) -> str:
        """An arrow from left to right for the party that is left on the ladder."""
        h = self.signs["h"]
        if receiver in ("*", ""):
            return f" {self.signs['dot']} "
        parties = self._owner.session.rungs.parties
        if sender in parties and receiver in parties:
            to_right = parties.index(sender) < parties.index(receiver)
        else:
            to_right = sender <= receiver
        return f"{h}{h}{self.signs['right']}" if to_right else f"{self.signs['left']}{h}{h}"


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
                f"selected  offset {node.start}, {size} octet{'' if size == 1 else 's'}{_bits(node, event)}"
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
        self.time_style = (self.time_style + 1) % (3 if self.mark_us is not None else 2)
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


def _bits(node: Any, event: TraceEvent) -> str:
    """The octets in bits with those of the field in brackets, for fields that are not whole octets."""
    octets = decoded(event).data[node.start : node.end]
    if node.bits is None or not octets or len(octets) > 2:
        return ""
    low, width = node.bits
    total = len(octets) * 8
    text = f"{int.from_bytes(octets, 'little'):0{total}b}"
    end, start = total - low, total - low - width
    return f"  bits {text[:start]}[{text[start:end]}]{text[end:]}"


SCREEN = PacketsScreen
