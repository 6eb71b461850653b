"""The synchronisation engine: phase, role, anchor master record, TSF, discovery windows and beacons of one device.

Wi-Fi Aware 4.0, NAN synchronisation; digest 4. What changes when is in the tables of `cluster_anchor.py` and
`cluster_roles.py`. Rule 1: local time is `now` in microseconds, the TSF is local time plus an offset. Rule 2: a beacon
is received at its end, and its timestamp is the TSF at its beginning; radios set the timestamp when they send
(`beacon.stamped`). Rule 3: beacons at 5 GHz are sent but change nothing within a cluster: role and anchor master follow
2.4 GHz, as in hwsim. Rule 4: one object with slots, as scenarios have thousands; it shares no `Station`. After joining
a better cluster a device sends no beacons on the schedule of the old one (the specification wants that for an unknown
time). No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware import beacon as beacons
from protocols.wifi_aware import timing
from protocols.wifi_aware.airtime import airtime_us
from protocols.wifi_aware.cluster_anchor import (
    UNREACHED,
    Case,
    Record,
    WindowEnd,
    anchor_row,
    at_window_end,
    is_newer,
)
from protocols.wifi_aware.cluster_beacons import NO_RECORD, BeaconOutgoing, ClusterBeacons
from protocols.wifi_aware.cluster_clock import NEVER
from protocols.wifi_aware.cluster_events import (
    AnchorChanged,
    ClusterJoined,
    ClusterMerged,
    PhaseChanged,
    RoleChanged,
    SearchEnded,
    SearchStarted,
)
from protocols.wifi_aware.cluster_roles import (
    MASTER,
    NON_SYNC,
    PHASES,
    SCAN,
    UP,
    WARM_UP,
    Counts,
    Sighting,
    counts_of,
    next_role,
)
from protocols.wifi_aware.cluster_settings import CHANNEL_2_4
from protocols.wifi_aware.matching import cluster_grade, is_better_cluster, master_rank, rank_of
from protocols.wifi_aware.timing import BAND_2_4, DW_INTERVAL_US, TU_US

if TYPE_CHECKING:
    from protocols.wifi_aware.beacon import Told
    from protocols.wifi_aware.cluster_settings import ClusterSettings
    from protocols.wifi_aware.events import Event
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.station import Draw

__all__ = ["BeaconOutgoing", "Cluster"]

_PREFERENCE_SHIFT = 56


class Cluster(ClusterBeacons):
    """Synchronises the device with NMI `nmi` from `now` on; `draw` is its chance."""

    __slots__ = (
        "_beacon_due", "_counted", "_counts", "_draw", "_factor", "_factor_due", "_phase_due", "_preference",
        "_search_due", "_searching", "_sightings", "_unreached", "_unrefreshed", "last", "phase", "rank", "role",
    )  # fmt: skip

    def __init__(self, nmi: str, settings: ClusterSettings, draw: Draw, now: int) -> None:
        first = settings.first_tsf_us
        if first is None:
            first = int.from_bytes(draw("tsf", 4), "little") % DW_INTERVAL_US
        super().__init__(nmi, settings, first, now)
        self.phase = SCAN
        self.role: str = settings.first_role
        self.rank = master_rank(0, 0, nmi)
        self.last = NO_RECORD
        """the record before."""
        self._draw = draw
        self._preference = settings.master_preference
        self._factor = 0
        self._sightings: list[Sighting] = []
        self._counts: Counts | None = None
        self._counted = False
        self._unrefreshed = self._unreached = 0
        self._beacon_due = self._search_due = self._factor_due = NEVER
        self._phase_due = now + settings.scan_us
        self._searching = True
        self._events.append(SearchStarted(channel=CHANNEL_2_4, until_us=self._phase_due))

    # What others may know

    @property
    def is_anchor(self) -> bool:
        """Whether this device is the anchor master of its cluster."""
        return self.record.hop_count == 0 and self.phase != SCAN

    @property
    def way(self) -> tuple[str, Record, bool]:
        """Cluster, record, and whether this interval has shown a way to the anchor master as short as its own.

        What a beacon of the same anchor master brings depends on these alone.
        """
        return self.cluster_id, self.record, self._unreached < 0

    # Commands

    def prefer(self, preference: int, now: int) -> None:
        """Change the master preference, 0 to 254; it counts from the end of the next window."""
        self._preference = preference
        self._factor_due = min(self._factor_due, now)

    def count(self, counts: Counts) -> None:
        """The counts of this window, for a medium that counts for many devices instead of handing out each beacon."""
        self._counts = counts

    # The five verbs

    def receive(self, heard: Heard, now: int) -> None:
        """Take a frame that ended now; anything but a strong enough NAN beacon changes nothing."""
        told = beacons.told(heard)
        rssi_dbm = heard.rssi_dbm
        if told is None or rssi_dbm is None or rssi_dbm < self.settings.rssi_middle_dbm:
            return
        channel = heard.channel or CHANNEL_2_4
        began = now - airtime_us(len(heard.octets), channel, self.settings.rate_mbit_s)
        if told.cluster_id == self.cluster_id:
            if told.sync and channel == CHANNEL_2_4:
                self._note(told, rssi_dbm)
                self._take(told, began, now)
        elif not self.cluster_id or self._is_better(told, began):
            self._join(told, began, now)

    def next_timer(self) -> int:
        """When `handle_timer` wants to be called."""
        return min(self._window_due, self._phase_due, self._beacon_due, self._search_due)

    def handle_timer(self, now: int) -> None:
        """Do what is due, the earliest first."""
        while (due := self.next_timer()) <= now:
            if due == self._window_due:
                self._close(now) if self.window else self._open()
            elif due == self._phase_due:
                self._next_phase(now)
            elif due == self._search_due:
                self._search(now)
            else:
                self._discovery_beacon(now)

    # Phases and clusters

    def _next_phase(self, now: int) -> None:
        """Time brings the next phase: a cluster of its own, or the end of warm-up."""
        self._phase_due = NEVER
        self._enter("time")
        if self.phase == UP:
            self._renew(now)
            return
        tail = self._draw("cluster_id", 2).hex(":") if not self.settings.cluster_id else ""
        self.cluster_id = self.settings.cluster_id or beacons.CLUSTER_PREFIX + tail
        self.record = Record(self.rank, 0, 0)
        self._events.append(
            ClusterJoined(cluster_id=self.cluster_id, anchor=self.nmi, started=True)
        )
        self._phase_due = now + self.settings.warm_up_us
        self._be(MASTER, now)
        self._settle(now)

    def _is_better(self, told: Told, began: int) -> bool:
        """Whether the other cluster is the one to be in (digest 4.7)."""
        own = self.record.rank
        heard_grade = cluster_grade(told.anchor_rank >> _PREFERENCE_SHIFT, told.timestamp_us)
        own_grade = cluster_grade(own >> _PREFERENCE_SHIFT, began + self.offset_us)
        return is_better_cluster(heard_grade, told.anchor_rank, own_grade, own)

    def _join(self, told: Told, began: int, now: int) -> None:
        """Leave what there is for the cluster of this beacon."""
        before, self.cluster_id = self.cluster_id, told.cluster_id
        self._follow(told, -1)
        anchor = rank_of(told.anchor_rank).address
        if before:
            event: Event = ClusterMerged(before=before, cluster_id=told.cluster_id, anchor=anchor)
        else:
            event = ClusterJoined(cluster_id=told.cluster_id, anchor=anchor, started=False)
        self._events.append(event)
        self._be(self.settings.first_role, now)
        if self.phase != UP:
            self._phase_due = NEVER
            self._enter("better" if before else "beacon")
            self._renew(now)
        self._adopt(told, began, now, always=True)
        self._settle(now)

    def _settle(self, now: int) -> None:
        """After joining: windows from the next one on, searches from time to time."""
        self.start_windows(now)
        if self._searching:
            self._searching = False
            self._events.append(SearchEnded(channel=CHANNEL_2_4))
        self._search_due = NEVER
        if interval_us := self.settings.search_interval_us:
            phase = int.from_bytes(self._draw("search", 4), "little")
            self._search_due = now + 1 + phase % interval_us

    def _search(self, now: int) -> None:
        """Begin or end to listen for other clusters."""
        settings = self.settings
        self._searching = not self._searching
        if self._searching:
            self._search_due = now + settings.search_us
            self._events.append(SearchStarted(channel=CHANNEL_2_4, until_us=self._search_due))
        else:
            self._search_due = now + max(1, settings.search_interval_us - settings.search_us)
            self._events.append(SearchEnded(channel=CHANNEL_2_4))

    def _enter(self, on: str) -> None:
        """Go to the phase that the table has for what happened."""
        phase = PHASES[self.phase, on]
        self._events.append(PhaseChanged(before=self.phase, after=phase))
        self.phase = phase

    # Anchor master

    def _note(self, told: Told, rssi_dbm: int) -> None:
        """Remember a beacon for the counts of this window."""
        if self.window == BAND_2_4 and rssi_dbm > self.settings.rssi_middle_dbm:
            close = rssi_dbm > self.settings.rssi_close_dbm
            self._sightings.append(Sighting(told.rank, told.anchor_rank, told.hop_count, close))

    def _take(self, told: Told, began: int, now: int) -> None:
        """Anchor master selection for a synchronisation beacon of the own cluster."""
        heard = Record(told.anchor_rank, told.hop_count, told.ambtt_us)
        settings = self.settings
        row = anchor_row(
            Case(
                self.rank, self.record, self.last, heard, began + self.offset_us,
                settings.refuse_self, settings.refuse_gone,
            )
        )  # fmt: skip
        if row.action == "follow":
            self._follow(told, row.number)
            self._adopt(told, began, now)
        elif row.action == "become_anchor":
            self._become_anchor(row.number, now)
        elif row.action == "refresh":
            self._refresh(told, began, now)

    def _follow(self, told: Told, row: int) -> None:
        self.last = self.record
        hops = min(told.hop_count + 1, UNREACHED)
        self.record = Record(told.anchor_rank, hops, told.ambtt_us)
        self._unrefreshed = self._unreached = -1
        self._tell_anchor(row)

    def _refresh(self, told: Told, began: int, now: int) -> None:
        record = self.record
        hops = min(told.hop_count + 1, UNREACHED)
        if hops <= record.hop_count:
            self._unreached = -1
        if newer := is_newer(told.ambtt_us, record.ambtt_us):
            self._unrefreshed = -1
        ambtt_us = told.ambtt_us if newer else record.ambtt_us
        if newer or hops < record.hop_count:
            self.record = Record(record.rank, min(hops, record.hop_count), ambtt_us)
        if newer:
            self._adopt(told, began, now)

    def _become_anchor(self, row: int, now: int) -> None:
        self.last = self.record
        self.record = Record(self.rank, 0, 0)
        self._tell_anchor(row)
        self._be(MASTER, now)

    def _tell_anchor(self, row: int) -> None:
        before, after = self.last, self.record
        if before.address != after.address:
            self._events.append(
                AnchorChanged(
                    before=rank_of(before.rank).address if before.rank else "",
                    after=rank_of(after.rank).address,
                    rank=after.rank,
                    hop_count=after.hop_count,
                    row=row,
                )
            )

    def _renew(self, now: int) -> None:
        """Draw a random factor and how long it holds; an anchor master has the new rank at once."""
        least, most = self.settings.random_factor_dws
        self._factor = self._draw("random_factor", 1)[0]
        drawn = int.from_bytes(self._draw("random_factor_dws", 2), "little")
        self._factor_due = now + (least + drawn % (most - least + 1)) * DW_INTERVAL_US
        self.rank = master_rank(self._preference, self._factor, self.nmi)
        if self.is_anchor:
            self.record = Record(self.rank, 0, 0)

    def _adopt(self, told: Told, began: int, now: int, *, always: bool = False) -> None:
        """Take the TSF of a beacon that began at local time `began`."""
        by_us = told.timestamp_us - began - self.offset_us
        if self.correct(by_us, now, always=always) and self._beacon_due != NEVER:
            self._beacon_due = self._next_beacon(now)

    # Windows

    def _open(self) -> None:
        channel = self.open_window()
        if self.window == BAND_2_4:
            self._sightings.clear()
            self._counts = None
            self._counted = True
        if self.role != NON_SYNC:
            until = self._window_due
            self.queue_beacon(self._shown, channel, until, self._back_off(), sync=True)

    def _close(self, now: int) -> None:
        if self.close_window(now) and self._counted:
            self._end_interval(now)

    def _end_interval(self, now: int) -> None:
        """Role, expiry and renewal at the end of the last window of an interval."""
        counts = self._counts or counts_of(self._sightings, self.rank, self.record)
        self._sightings.clear()
        self._counted = False
        if not self.is_anchor:
            self._be(next_role(self.role, counts), now)
        self._unrefreshed += 1
        self._unreached += 1
        if self.phase == UP and now >= self._factor_due:
            self._renew(now)
        self._end_anchor(now)

    def _end_anchor(self, now: int) -> None:
        """Rows of anchor master selection that need no beacon."""
        settings = self.settings
        end = WindowEnd(
            self.rank, self.record, self._unrefreshed, self._unreached,
            settings.anchor_expiry_dws, settings.hop_expiry_dws,
        )  # fmt: skip
        row = at_window_end(end)
        if row is not None and row.action == "become_anchor":
            self._become_anchor(row.number, now)
        elif row is not None:
            self.record = Record(self.record.rank, UNREACHED, self.record.ambtt_us)

    # Roles and beacons

    def _be(self, role: str, now: int) -> None:
        """Take a role; a master has a beacon to send from time to time."""
        if role != self.role:
            self._events.append(RoleChanged(before=self.role, after=role))
            self.role = role
        if role != MASTER:
            self._beacon_due = NEVER
        elif self._beacon_due == NEVER:
            self._beacon_due = self._next_beacon(now)

    def _next_beacon(self, now: int) -> int:
        """Local time of the next multiple of the period of discovery beacons, after `now`."""
        period_us = self.settings.discovery_beacon_tu * TU_US
        return (self.tsf_us(now) // period_us + 1) * period_us - self.offset_us

    def _discovery_beacon(self, now: int) -> None:
        """Discovery beacons on the channels of all bands; none during a discovery window of that band."""
        tsf_us = self.tsf_us(self._beacon_due)
        self._beacon_due = self._next_beacon(self._beacon_due)
        for band in self.settings.bands:
            if not timing.in_dw(tsf_us, band):
                channel = self.settings.channel(band)
                due, slots = self._beacon_due, (0, self.settings.spread_slots)
                self.queue_beacon(self._shown, channel, due, slots, sync=False)

    def _back_off(self) -> tuple[int, int]:
        """Slots from which the back-off of a synchronisation beacon is drawn: the anchor master goes first."""
        anchor, master, others = self.settings.back_off_slots
        if self.is_anchor:
            return 0, anchor
        return (anchor, master) if self.role == MASTER else (master, others)

    @property
    def _shown(self) -> tuple[int, int]:
        """Master preference and random factor as beacons have them: 0 during warm-up."""
        return (0, 0) if self.phase == WARM_UP else (self._preference, self._factor)
