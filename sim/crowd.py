"""Crowds: thousands of advertise-only devices without a host, heard by the radios of the air.

Each member sends legacy advertising events: one PDU on each of the channels 37, 38, 39, `GAP_US` apart, then again
after its interval plus 0..10 ms (Core Vol 6 Part B section 4.4.2.2). Members do not react: nobody can scan or connect
to them.

Rules:
* Events are made in time slices per grid cell, only for cells from which a listener hears anything; the draws of a
  cell do not depend on who listens or since when (a cell nobody heard catches up when somebody does).
* A packet is judged at its end like any other packet of the air: overlaps within the crowd come from a sweep, those
  with packets of radios and of other crowds from the air, and packets of radios suffer from the crowd.
* A radio has one pending event per channel it listens on: its next packet that survives the crowd itself. Counters
  of packets lost within the crowd run up to `LOOKAHEAD_US` ahead; observers see only packets that had a chance at
  a listener, after the receivers.
* `Transmission.number` of a crowd's packet is 0, its sender `<crowd>/<member>`, its `meta` the member's index.
* A moving radio's distances to members are refreshed once per slice; members stand still. Members out of range of a
  radio are not counted.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from sim.crowd_member import (
    ADV_DELAY_US,
    ADV_IND,
    ADV_NONCONN_IND,
    ADV_SCAN_IND,
    GAP_US,
    LONGEST_US,
    Cell,
    Hearing,
    Member,
    advertising_pdu,
    check_member,
    pdu_duration_us,
)
from sim.propagation import MW, reach_m
from sim.radio import ADVERTISING_CHANNELS, Outcome, Radio, Reception, Transmission
from sim.sweep import Swept, sweep

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from sim.air import Air
    from sim.clock import Event
    from sim.propagation import Position

__all__ = [
    "ADV_IND",
    "ADV_NONCONN_IND",
    "ADV_SCAN_IND",
    "Crowd",
    "Member",
    "advertising_pdu",
    "pdu_duration_us",
]

SLICE_US = 1_000_000
LOOKAHEAD_US = 50_000
SPREAD_US = 2 * (LONGEST_US + GAP_US)  # from the start of an event to that of its last PDU
TAIL_US = 20_000  # of the slice before that is kept: longer than any BLE packet
FADING_CUT = 4.0  # sigmas above its mean at which a packet may still come into range


class _Ear:
    """A radio on a channel: packets up to `swept_us` (by end) are in `queue`, the rest is still to be swept."""

    __slots__ = ("channel", "event", "queue", "radio", "since_us", "swept_us")

    def __init__(self, radio: Radio, channel: int, since_us: int) -> None:
        self.radio = radio
        self.channel = channel
        self.since_us = since_us
        self.swept_us = since_us
        self.queue: list[Swept] = []  # next packet last
        self.event: Event | None = None


class Listener:
    """A receiver that takes a slice at a time, after it has passed (sim/crowd_listener.py)."""

    def take_slice(self, until_us: int) -> None:
        """Take the packets that have ended up to `until_us`."""
        raise NotImplementedError


class Crowd:
    """Advertisers `members`, named `<name>/<index>`; joins the air when made, each member with a random phase."""

    def __init__(
        self, air: Air, name: str, members: Iterable[Member], *, cell_m: float = 50.0
    ) -> None:
        self.air = air
        self.name = name
        self.cell_m = cell_m
        self.duration_us: list[int] = []
        self.pdus: list[bytes] = []
        self.powers_dbm: list[int] = []
        self._positions: list[Position] = []
        self._intervals_us: list[int] = []
        self._next_us: list[int] = []
        self._cells: dict[tuple[int, int], Cell] = {}
        self._hearings: dict[Radio, Hearing] = {}
        self._merged: dict[tuple[Cell, ...], list[int]] = {}
        self._ears: dict[tuple[Radio, Hashable], _Ear] = {}
        self._listeners: list[Listener] = []
        self._told: dict[tuple[int, int], tuple[Transmission, list[Outcome]]] = {}
        self._tick: Event | None = None
        for member in members:
            self._add(member)
        self.shift = max(1, (len(self.pdus) - 1).bit_length())
        self._offsets = [
            [(d + GAP_US) * step << self.shift for d in self.duration_us] for step in range(3)
        ]
        self._max_dbm = max(self.powers_dbm, default=0)
        air.join(self)
        for radio, channel in air.listening():
            self.listens(radio, channel)

    def __len__(self) -> int:
        return len(self.pdus)

    def _add(self, member: Member) -> None:
        index = len(self.pdus)
        check_member(f"{self.name}/{index}", member)
        streams, now_us = self.air.streams, self.air.loop.now_us
        x, y, _ = member.position
        square = (int(x // self.cell_m), int(y // self.cell_m))
        cell = self._cells.get(square)
        if cell is None:
            stream = streams.stream(f"crowd/{self.name}/cell/{square[0]},{square[1]}")
            cell = self._cells[square] = Cell(stream, now_us // SLICE_US)
        cell.members.append(index)
        phase = streams.stream(f"crowd/{self.name}/phase").random()
        self._positions.append(member.position)
        self._intervals_us.append(member.interval_us)
        self._next_us.append(now_us + int(phase * (member.interval_us + ADV_DELAY_US // 2)))
        self.pdus.append(member.pdu)
        self.powers_dbm.append(member.tx_power_dbm)
        self.duration_us.append(pdu_duration_us(member.pdu))

    # Events and what a receiver hears of them; also for CrowdListener

    def hearing(self, radio: Radio) -> Hearing:
        """Return who of the crowd reaches `radio`; remembered while the radio stays."""
        known = self._hearings.get(radio)
        if known is not None:
            return known
        reach = reach_m(self.air.settings, self._max_dbm)
        x, y, _ = radio.position_at(self.air.loop.now_us)
        cells: list[Cell] = []
        mean_dbm: dict[int, float] = {}
        power_mw: dict[int, float] = {}
        for square, cell in self._cells.items():
            if self._gap_m(square, x, y) > reach:
                continue
            before = len(mean_dbm)
            for i in cell.members:
                loss_db = self.air.losses.loss_from(f"{self.name}/{i}", self._positions[i], radio)
                rssi_dbm = round(self.powers_dbm[i] - loss_db)
                if rssi_dbm >= self.air.settings.noise_floor_dbm:
                    mean_dbm[i] = self.powers_dbm[i] - loss_db
                    power_mw[i] = MW[rssi_dbm]
            if len(mean_dbm) > before:
                cells.append(cell)
        hearing = self._hearings[radio] = Hearing(tuple(cells), mean_dbm, power_mw)
        return hearing

    def _gap_m(self, square: tuple[int, int], x: float, y: float) -> float:
        """Distance in the plane from a point to a grid square."""
        size = self.cell_m
        gap_x = max(square[0] * size - x, x - (square[0] + 1) * size, 0.0)
        gap_y = max(square[1] * size - y, y - (square[1] + 1) * size, 0.0)
        return float((gap_x * gap_x + gap_y * gap_y) ** 0.5)

    def packets(self, hearing: Hearing, channel: int, from_us: int, until_us: int) -> list[int]:
        """Keys of the packets on `channel` that may start in [from_us, until_us), sorted; some before that, too."""
        keys = self._events(hearing.cells)
        low = bisect_left(keys, from_us - SPREAD_US << self.shift)
        high = bisect_left(keys, until_us << self.shift)
        keys = keys[low:high]
        if channel == 37:
            return keys
        offsets, mask = self._offsets[channel - 37], (1 << self.shift) - 1
        keys = [key + offsets[key & mask] for key in keys]
        keys.sort()
        return keys[: bisect_left(keys, until_us << self.shift)]

    def swept(self, hearing: Hearing, channel: int, from_us: int, until_us: int) -> list[Swept]:
        """Packets audible on `channel` that start and end in [from_us, until_us], each with its interference.

        Some that lie outside come along, with less than their interference: the caller leaves them out.
        """
        power_mw = hearing.power_mw
        if not power_mw:
            return []
        keys = self.packets(hearing, channel, from_us - LONGEST_US, until_us)
        if self.air.settings.collisions:
            return sweep(keys, self.shift, power_mw, self.duration_us)
        mask = (1 << self.shift) - 1
        return [(key >> self.shift, key & mask, 0.0) for key in keys if key & mask in power_mw]

    def _events(self, cells: tuple[Cell, ...]) -> list[int]:
        """Sorted events of `cells` in the current slice, made when they are not yet."""
        merged = self._merged.get(cells)
        if merged is not None:
            return merged
        slices = self._slice_end_us() // SLICE_US
        merged = list[int]()
        for cell in cells:
            while cell.slices < slices:
                self._make_slice(cell)
            merged += cell.keys
        if len(cells) > 1:
            merged.sort()
        self._merged[cells] = merged
        return merged

    def _make_slice(self, cell: Cell) -> None:
        """Draw the next slice of a cell, members in order."""
        start_us = cell.slices * SLICE_US
        end_us = start_us + SLICE_US
        intervals_us, next_us, shift, draw = (
            self._intervals_us,
            self._next_us,
            self.shift,
            cell.random.random,
        )
        keys = cell.keys[bisect_left(cell.keys, start_us - TAIL_US << shift) :]
        append, delays = keys.append, ADV_DELAY_US + 1
        for i in cell.members:
            t_us = next_us[i]
            interval_us = intervals_us[i]
            while t_us < end_us:
                append(t_us << shift | i)
                t_us += interval_us + int(draw() * delays)
            next_us[i] = t_us
        keys.sort()
        cell.keys = keys
        cell.slices += 1

    # Slices

    def add_listener(self, listener: Listener) -> None:
        """Hand every slice to `listener` when it has passed; its position must not change."""
        self._listeners.append(listener)
        self.air.keep(SLICE_US + TAIL_US)
        self._slice_end_us()

    def remove_listener(self, listener: Listener) -> None:
        """Stop that."""
        self._listeners.remove(listener)

    def _slice_end_us(self) -> int:
        """End of the current slice, at which the crowd ticks; at that time itself, until it has ticked."""
        if self._tick is None:
            loop = self.air.loop
            self._merged.clear()
            self._tick = loop.at_us((loop.now_us // SLICE_US + 1) * SLICE_US, self._next_slice)
        return self._tick.t_us

    def _next_slice(self) -> None:
        now_us = self.air.loop.now_us
        for listener in list(self._listeners):
            listener.take_slice(now_us)
        self._tick = None
        if not self._listeners and not self._ears:
            return
        self._slice_end_us()
        for radio in [radio for radio in self._hearings if radio.moving_at(now_us - SLICE_US)]:
            self.moved(radio)
        for ear in list(self._ears.values()):
            if ear.event is None or not ear.event.pending:
                self._arm(ear)

    # Background of the air

    def listens(self, radio: Radio, channel: Hashable) -> None:
        """`radio` begins to listen on `channel` now."""
        if isinstance(channel, int) and channel in ADVERTISING_CHANNELS:
            ear = self._ears[radio, channel] = _Ear(radio, channel, self.air.loop.now_us)
            self._arm(ear)

    def deafens(self, radio: Radio, channel: Hashable) -> None:
        """`radio` no longer listens on `channel`."""
        ear = self._ears.pop((radio, channel), None)
        if ear is not None and ear.event is not None:
            ear.event.cancel()

    def moved(self, radio: Radio) -> None:
        """`radio` has another position now."""
        self._hearings.pop(radio, None)

    def power_mw(self, radio: Radio, channel: Hashable, start_us: int, end_us: int) -> float:
        """Sum of the powers at `radio` of the crowd's packets overlapping [start_us, end_us), which has ended."""
        if not isinstance(channel, int) or channel not in ADVERTISING_CHANNELS:
            return 0.0
        hearing = self.hearing(radio)
        mask, total_mw = (1 << self.shift) - 1, 0.0
        for key in self.packets(hearing, channel, start_us - LONGEST_US, end_us):
            member = key & mask
            if (key >> self.shift) + self.duration_us[member] > start_us:
                total_mw += hearing.power_mw.get(member, 0.0)
        return total_mw

    # Radios that listen

    def _arm(self, ear: _Ear) -> None:
        """Schedule the next packet of `ear`, or the next look for one."""
        loop = self.air.loop
        slice_end_us = self._slice_end_us()
        ear.event = None
        while not ear.queue and ear.swept_us < slice_end_us:
            if ear.swept_us > loop.now_us:
                ear.event = loop.at_us(ear.swept_us, self._arm, ear)
                return
            until_us = min(slice_end_us, max(ear.swept_us, loop.now_us) + LOOKAHEAD_US)
            ear.queue = self._promising(ear, until_us)
            ear.swept_us = until_us
        if ear.queue:
            start_us, member, _ = ear.queue[-1]
            ear.event = loop.at_us(start_us + self.duration_us[member], self._deliver, ear)

    def _promising(self, ear: _Ear, until_us: int) -> list[Swept]:
        """Packets ending in (swept_us, until_us] that `ear` gets unless the air prevents it; the next one last."""
        hearing = self.hearing(ear.radio)
        mean_dbm, power_mw, duration_us = hearing.mean_dbm, hearing.power_mw, self.duration_us
        settings, ratio = self.air.settings, self.air.capture_ratio
        least_dbm = ear.radio.sensitivity_dbm - FADING_CUT * settings.fading_sigma_db - 0.5
        found: list[Swept] = []
        collisions = 0
        from_us = max(ear.since_us, ear.swept_us - LONGEST_US)
        for packet in self.swept(hearing, ear.channel, from_us, until_us):
            start_us, member, noise_mw = packet
            if (
                start_us < ear.since_us
                or not ear.swept_us < start_us + duration_us[member] <= until_us
            ):
                continue
            if mean_dbm[member] < least_dbm:
                continue
            if noise_mw and not settings.fading_sigma_db and power_mw[member] < noise_mw * ratio:
                collisions += 1
                continue
            found.append(packet)
        self.air.counts["collision"] += collisions
        found.sort(key=lambda packet: packet[0] + duration_us[packet[1]], reverse=True)
        return found

    def _deliver(self, ear: _Ear) -> None:
        air, radio = self.air, ear.radio
        start_us, member, noise_mw = ear.queue.pop()
        end_us = start_us + self.duration_us[member]
        mean_dbm = self.hearing(radio).mean_dbm.get(member)
        if mean_dbm is None:  # it has moved out of reach
            air.counts["out_of_range"] += 1
            self._arm(ear)
            return
        rssi_dbm = air.faded_dbm(radio, mean_dbm)
        reason = air.refuses(radio, start_us, end_us, rssi_dbm)
        if not reason:
            noise_mw += air.noise_mw(radio, ear.channel, start_us, end_us, beside=self)
            reason = air.spoils(radio, rssi_dbm, noise_mw, sender=self.name, data=self.pdus[member])
        air.counts[reason or "heard"] += 1
        self._arm(ear)
        if reason and not air.observed:
            return
        sent = self._sent(ear, start_us, member, Outcome(radio.name, rssi_dbm, reason))
        if not reason:
            radio.on_air(Reception(sent, rssi_dbm))

    def _sent(self, ear: _Ear, start_us: int, member: int, outcome: Outcome) -> Transmission:
        """Make the packet's Transmission; all ears of one packet share it while somebody observes."""
        told = self._told.get((start_us, member))
        if told is not None:
            told[1].append(outcome)
            return told[0]
        sent = Transmission(
            0,
            start_us,
            start_us + self.duration_us[member],
            ear.channel,
            f"{self.name}/{member}",
            self.pdus[member],
            self.powers_dbm[member],
            member,
        )
        if self.air.observed:
            self._told[start_us, member] = (sent, [outcome])
            self.air.loop.after_us(0, self._tell, (start_us, member))
        return sent

    def _tell(self, packet: tuple[int, int]) -> None:
        self.air.tell(*self._told.pop(packet))
