"""Air: who is there, how strong, how often, how old, what it says; and for the selected device what it says in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container

from protocols.data.ad_types import type_name
from tui.bindings import bindings
from tui.filters import Filter, FilterError, compile_filter
from tui.models.adverts import advert_of
from tui.models.air_words import air_vocabulary
from tui.models.decoding import decoded
from tui.screens._base import BenchScreen
from tui.text import ago, clean, count, cut, fit, wrap
from tui.widgets.air_rows import CHOICES, AirRows, interval_text
from tui.widgets.curve import curve_lines
from tui.widgets.lines import LinesPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tui.models.advertisers import Advertiser, Advertisers
    from tui.models.lanes import Piece

__all__ = ["AirScreen"]

_SORTS: tuple[tuple[str, Callable[[Advertiser], Any]], ...] = (
    ("RSSI", lambda one: (-(one.rssi_dbm if one.rssi_dbm is not None else -200), one.address)),
    ("address", lambda one: one.address),
    ("owner", lambda one: (one.owner or "~", one.address)),
    ("age", lambda one: -one.last_us),
    ("count", lambda one: (-(one.sent or one.heard), one.address)),
)
_EXAMPLES = 'rssi>-80   addr~7e   name~lock   nan   !stale   malformed   starred   connectable && age<2   "eddystone"'
_SECOND_US = 1_000_000
_CURVE_S = 20


class AirScreen(BenchScreen):
    """The list above, the selected device below."""

    NAME = "air"
    BINDINGS: ClassVar[list[Any]] = bindings("air")
    WITHOUT: ClassVar[frozenset[str]] = frozenset(
        ("find.next", "find.previous", "follow", "mark", "mark.next", "time.style")
    )
    DEFAULT_CSS = """
    AirScreen #air { height: 1fr; }
    AirScreen #below { height: 8; layout: horizontal; }
    AirScreen #device { width: 1fr; }
    AirScreen #curve { width: 1fr; display: none; }
    AirScreen.-wide #curve { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.starred: set[str] = set()
        self.by_owner = False
        self.sort = 0
        self.vocabulary = air_vocabulary(lambda: self.air, self.starred)
        self.filter: Filter[Advertiser] = compile_filter("", self.vocabulary)
        self._sorted_us = -1
        self._sorted_rows = 0
        self._drawn_us = -1

    def panes(self) -> ComposeResult:
        """List, device, curve."""
        yield AirRows(self)
        with Container(id="below"):
            yield LinesPane(id="device")
            yield LinesPane(id="curve")

    @property
    def air(self) -> Advertisers:
        """Everybody."""
        return self.session.air

    @property
    def rows(self) -> AirRows:
        """The list."""
        return self.query_one(AirRows)

    def renew(self) -> None:
        """Nothing of the old run stays but the stars."""
        self._sorted_us = -1
        self.rows.rows = []
        self.rows.cursor = self.rows.top = 0

    def lay_out(self) -> None:
        """Room for the panes below."""
        height = self.bench.size.height
        below = self.query_one("#below")
        usual = 18 if height >= 36 else 8
        below.styles.height = (usual, 4, max(6, height - 11))[self.split]
        below.display = self.maximised is not self.rows and not self.has_class("-small")
        if self.maximised is not None and self.maximised is not self.rows:
            below.styles.height = "1fr"

    # Turns

    def tick(self) -> None:
        """Once a simulated second the order; numbers each time."""
        if not self.is_mounted or not self.query(AirRows):
            return
        now_us, known = self.air.now_us, len(self.air.all)
        is_due = (
            now_us - self._sorted_us >= _SECOND_US
            or self._sorted_us < 0
            or known != self._sorted_rows
        )
        if is_due:
            self._sorted_us = now_us
            self._sorted_rows = known
            self._arrange_rows()
        if is_due or now_us != self._drawn_us:
            self._drawn_us = now_us
            self.rows.refresh()
        self._title()
        self._detail()

    def _arrange_rows(self) -> None:
        everybody = self.air.all.values()
        if self.by_owner:
            latest: dict[str, Advertiser] = {}
            for one in everybody:
                key = f"{one.owner}/{one.kind == 'NAN'}" if one.owner else one.address
                if key not in latest or latest[key].last_us < one.last_us:
                    latest[key] = one
            everybody = latest.values()
        found = [one for one in everybody if self.filter.matches(one)]
        found.sort(key=_SORTS[self.sort][1])
        found.sort(key=lambda one: one.address not in self.starred)
        self.rows.rows = found
        self.rows.sync()

    def _title(self) -> None:
        note = [f"sort: {_SORTS[self.sort][0]}"]
        if self.rows.choice:
            note.append(f"columns: {CHOICES[self.rows.choice]}")
        if self.by_owner:
            note.append("per device")
        if self.filter.text:
            note.append(f"filter: {self.filter.text}")
        self.rows.say(
            f"Advertisers {count(len(self.rows.rows))} of {count(len(self.air.all))}",
            "   ".join(note),
        )

    def _detail(self) -> None:
        one = self.rows.selected()
        device, curve = self.query_one("#device", LinesPane), self.query_one("#curve", LinesPane)
        if one is None:
            device.fill("Selected", ["nobody"])
            curve.fill("RSSI", [])
            return
        dot = self.signs["dot"]
        owner = f" {dot} {clean(one.owner)}" if one.owner else ""
        channels = "/".join(map(str, sorted(one.channels)))
        about = f"{one.pdu}  {channels}  every {interval_text(one)}".replace("  every -", "")
        device.fill(
            f"{one.address.upper()}{owner}",
            self._device(one),
            about if device.inner_width > 60 else "",
        )
        if self.has_class("-wide"):
            curve.fill(f"RSSI, last {_CURVE_S} s (dBm)", self._curve(one, curve))

    def _device(self, one: Advertiser) -> list[list[Piece] | str]:
        """What it says as LEN TYPE VALUE MEANING, and what is known of it."""
        lines: list[list[Piece] | str] = []
        width = self.query_one("#device", LinesPane).inner_width
        if one.kind == "NAN":
            lines += self._attributes(one, width)
        else:
            lines.append([("LEN TYPE VALUE              MEANING", "head")])
            for data, where in ((one.data, ""), (one.response, "scan response: ")):
                advert = advert_of(data)
                for part in advert.structures:
                    value = cut(part.value.hex(" "), 18)
                    meaning = part.meaning or type_name(part.type)
                    text = f" {part.length:02x}  {part.type:02x}  {fit(value, 18)} {where}{meaning}"
                    lines.append(cut(text, width))
                if advert.wrong:
                    lines.append(
                        [(cut(f"{self.signs['malformed']} {where}{advert.wrong}", width), "bad")]
                    )
        lines.append("")
        lines += [line for fact in self._facts(one) for line in wrap(fact, width)]
        return lines

    def _attributes(self, one: Advertiser, width: int) -> list[list[Piece] | str]:
        event = one.nan or one.event
        if event is None:
            return []
        lines: list[list[Piece] | str] = [[(cut(clean(one.words), width), "head")]]
        lines += [
            cut(
                f"{node.start:4}  {fit(node.name.replace('_', ' '), 28)} {clean(node.meaning)}",
                width,
            )
            for node in decoded(event).tree
            if node.meaning and node.children and node.name != "header"
        ]
        return lines

    def _facts(self, one: Advertiser) -> list[str]:
        session, owner = self.session, one.owner
        about = session.about.get(owner, "")
        kind = {
            "pub": "public",
            "rand": "random static",
            "RPA": "random, resolvable",
            "NRPA": "random, not resolvable",
        }
        facts = [f"address {kind.get(one.kind, one.kind)}"]
        if one.has_old_level:
            facts.append(f"RSSI of {ago(self.air.now_us - one.level_us)} ago")
        if about:
            facts.append(f"owner {clean(owner)} ({clean(about)})")
        bonds = self._bonds(owner)
        if bonds is not None:
            facts.append(f"bonded: {bonds or 'no'}")
        peers = self.air.connected_to(one)
        if peers:
            facts.append(f"connected to {clean(', '.join(peers))}")
        counts = f"sent {count(one.sent)}, heard {count(one.heard)}"
        if one.lost_part is not None:
            counts = (
                f"sent {count(one.sent)}, listened to {count(one.listened)}, heard {count(one.heard)} "
                f"({one.lost_part:.1%} lost)"
            )
        power = self.tx_dbm(one)
        if power is not None:
            loss = "" if one.rssi_dbm is None else f", path loss {power - one.rssi_dbm} dB"
            counts = f"TX {power} dBm{loss}, {counts}"
        return [", ".join(facts), counts]

    def tx_dbm(self, one: Advertiser) -> int | None:
        """The power a device sends with: by its settings, else as it says itself; None where nothing is known."""
        power = self.session.setting(one.owner, "tx_power_dbm")
        return power if isinstance(power, int) else one.tx_dbm

    def _bonds(self, owner: str) -> str | None:
        """Names of the peers that a device is bonded with; None where it has no Bluetooth."""
        control = self.session.control
        device: Any = None if control is None else control.world.devices.get(owner)
        radio = getattr(device, "ble", None)
        if radio is None or not hasattr(radio, "bonded_with"):
            return None
        try:
            return ", ".join(map(str, radio.bonded_with()))
        except (AttributeError, RuntimeError):  # it is off, or changes at this moment
            return None

    def _curve(self, one: Advertiser, pane: LinesPane) -> list[list[Piece] | str]:
        levels = one.trend(self.air.now_us, _CURVE_S)
        height = max(2, min(8, pane.inner_height - 4))
        lines: list[list[Piece] | str] = list(
            curve_lines(levels, height, pane.inner_width, self.signs)
        )
        spread = one.spread()
        if spread is not None:
            least, middle, most, deviation = spread
            lines += ["", f"min {least}   median {middle}   max {most}   sd {deviation:.1f}"]
        return lines

    # Keys

    def action_sort(self) -> None:
        """By another column."""
        self.sort = (self.sort + 1) % len(_SORTS)
        self._again()

    def action_columns(self) -> None:
        """Other columns."""
        self.rows.choice = (self.rows.choice + 1) % len(CHOICES)
        self._title()
        self.rows.refresh()

    def action_star(self) -> None:
        """Star on or off."""
        one = self.rows.selected()
        if one is not None:
            self.starred ^= {one.address}
            self._again()

    def action_owners(self) -> None:
        """Per device or per address."""
        self.by_owner = not self.by_owner
        self._again()

    def _again(self) -> None:
        self._sorted_us = -1
        self.tick()

    def action_filter(self) -> None:
        """Type a filter."""
        from tui.modals.filter import FilterInput

        self.bench.push_screen(
            FilterInput(self.filter.text, self._check, _EXAMPLES, "Filter devices"), self._apply
        )

    def _check(self, text: str) -> str:
        compile_filter(text, self.vocabulary)
        return "shows everybody" if not text.strip() else "valid"

    def _apply(self, text: str | None) -> None:
        if text is None:
            return
        try:
            self.filter = compile_filter(text, self.vocabulary)
        except FilterError as exc:
            self.bench.say(str(exc), "bad")
            return
        self._again()

    def action_back(self) -> None:
        """Clear the filter; give room back."""
        if self.maximised is not None:
            super().action_back()
        elif self.filter.text:
            self._apply("")

    def action_choose(self) -> None:
        """The latest packet of the device."""
        one = self.rows.selected()
        event = None if one is None else one.nan or one.event
        if event is not None:
            self.bench.open_packet(event.seq)

    def action_copy(self) -> None:
        """Address and words."""
        one = self.rows.selected()
        if one is not None:
            self.bench.copy_text(
                f"{one.address} {one.kind} {one.owner} {one.rssi_dbm} dBm {one.words}"
            )

    def selected_owner(self) -> str:
        """Node of the selected device; empty where there is none."""
        one = self.rows.selected()
        return "" if one is None else one.owner


SCREEN = AirScreen
