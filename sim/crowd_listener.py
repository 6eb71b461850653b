"""A scanner without host for a crowd: passive, legacy, channel rotation by scan interval and window.

It takes each slice of the crowd when it has passed, so its reports come up to one slice late, each with its exact
time. It hears the crowd alone; packets of the air's radios disturb it, those of other crowds do not.
Report: HCI LE Advertising Report, one report (Core Vol 4 Part E section 7.7.65.2), with the H4 indicator 0x04.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.errors import UsageError
from sim.crowd import Crowd, Listener
from sim.crowd_member import ADV_DIRECT_IND, ADV_IND, ADV_NONCONN_IND, ADV_SCAN_IND, LONGEST_US
from sim.radio import Radio, Reception

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.propagation import Position
    from sim.sweep import Swept

__all__ = ["CrowdListener", "Report", "advertising_report"]

Report = tuple[int, bytes]
"""Time of the packet's end (us) and the HCI event."""

_Known = tuple[int, float, bytes | None]
"""Duration (us), most interference (mW) and report of a member; no report: out of range."""

REPORT_TYPES = {ADV_IND: 0, ADV_DIRECT_IND: 1, ADV_SCAN_IND: 2, ADV_NONCONN_IND: 3}


def advertising_report(pdu: bytes, rssi_dbm: int) -> bytes:
    """HCI event of one legacy advertising PDU heard at `rssi_dbm`."""
    address_type = pdu[0] >> 6 & 1
    event_type = REPORT_TYPES[pdu[0] & 0x0F]
    data = b"" if event_type == 1 else pdu[8:]
    report = bytes((0x02, 1, event_type, address_type)) + pdu[2:8] + bytes((len(data),)) + data
    return (
        bytes((0x04, 0x3E, len(report) + 1))
        + report
        + bytes((max(-127, min(20, rssi_dbm)) & 0xFF,))
    )


class CrowdListener(Radio, Listener):
    """Scans from now on; counts `heard`, `collisions`, `out_of_range`, `lost`, and hands reports to `on_reports`."""

    def __init__(
        self,
        crowd: Crowd,
        name: str,
        position: Position,
        *,
        scan_interval_us: int = 100_000,
        scan_window_us: int | None = None,
        sensitivity_dbm: int = -95,
        on_reports: Callable[[list[Report]], object] | None = None,
    ) -> None:
        super().__init__(name, position, sensitivity_dbm=sensitivity_dbm)
        window_us = scan_interval_us if scan_window_us is None else scan_window_us
        if not 0 < window_us <= scan_interval_us:
            raise UsageError(
                f"{name}: scan window {window_us} us; it must be positive and fit {scan_interval_us} us"
            )
        self.heard = self.collisions = self.out_of_range = self.lost = 0
        self._crowd = crowd
        self._interval_us = scan_interval_us
        self._window_us = window_us
        self._on_reports = on_reports
        self._start_us = self._done_us = crowd.air.loop.now_us
        self._known: dict[int, _Known] = {}
        crowd.add_listener(self)

    def flush(self) -> None:
        """Take what has ended up to now, without waiting for the end of the slice."""
        self.take_slice(self._crowd.air.loop.now_us)

    def stop(self) -> None:
        """Scan no more."""
        self.flush()
        self._crowd.remove_listener(self)

    def on_air(self, reception: Reception) -> None:
        """Never called: it is no radio of the air."""

    def take_slice(self, until_us: int) -> None:
        """Take the packets of each scan window that have ended since the last call, up to `until_us`."""
        reports: list[Report] = []
        after_us = self._done_us
        number = (after_us - self._start_us) // self._interval_us
        while (window_us := self._start_us + number * self._interval_us) < until_us:
            end_us = min(until_us, window_us + self._window_us)
            if end_us > after_us:
                self._take_window(
                    37 + number % 3, window_us, max(after_us, window_us), end_us, reports
                )
            number += 1
        self._done_us = until_us
        if self._on_reports is not None and reports:
            reports.sort()
            self._on_reports(reports)

    def _take_window(
        self, channel: int, window_us: int, after_us: int, end_us: int, reports: list[Report]
    ) -> None:
        """Take the packets on `channel` that start at `window_us` or later and end in (after_us, end_us]."""
        crowd, air = self._crowd, self._crowd.air
        hearing = crowd.hearing(self)
        from_us = max(window_us, after_us - LONGEST_US)
        swept = crowd.swept(hearing, channel, from_us, end_us)
        spans = air.spans_mw(self, channel, from_us, end_us)
        if spans:
            swept = self._disturbed(swept, spans)
        if air.by_chance:
            self._take_by_chance(swept, window_us, after_us, end_us, reports)
            return
        known, wanted = self._known or self._learn(), self._on_reports is not None
        append = reports.append
        heard = collisions = 0
        for start_us, member, noise_mw in swept:
            duration_us, limit_mw, event = known[member]
            done_us = start_us + duration_us
            if start_us < window_us or done_us <= after_us or done_us > end_us:
                continue
            if event is None:
                self.out_of_range += 1
            elif noise_mw > limit_mw:
                collisions += 1
            else:
                heard += 1
                if wanted:
                    append((done_us, event))
        self.heard += heard
        self.collisions += collisions

    def _learn(self) -> dict[int, _Known]:
        """Work out what does not change: the members that reach this place."""
        crowd, ratio = self._crowd, self._crowd.air.capture_ratio
        hearing = crowd.hearing(self)
        for member, mean_dbm in hearing.mean_dbm.items():
            rssi_dbm = round(mean_dbm)
            event: bytes | None = None
            if rssi_dbm >= self.sensitivity_dbm:
                event = (
                    advertising_report(crowd.pdus[member], rssi_dbm)
                    if self._on_reports is not None
                    else b""
                )
            self._known[member] = (
                crowd.duration_us[member],
                hearing.power_mw[member] / ratio,
                event,
            )
        return self._known

    def _take_by_chance(
        self, swept: list[Swept], window_us: int, after_us: int, end_us: int, reports: list[Report]
    ) -> None:
        """As the fast way, with the draws of fading and loss that every packet of the air takes."""
        crowd, air = self._crowd, self._crowd.air
        mean_dbm = crowd.hearing(self).mean_dbm
        for start_us, member, noise_mw in swept:
            done_us = start_us + crowd.duration_us[member]
            if start_us < window_us or done_us <= after_us or done_us > end_us:
                continue
            rssi_dbm = air.faded_dbm(self, mean_dbm[member])
            reason = air.refuses(self, start_us, done_us, rssi_dbm) or air.spoils(
                self, rssi_dbm, noise_mw, sender=crowd.name, data=crowd.pdus[member]
            )
            if reason == "out_of_range":
                self.out_of_range += 1
            elif reason == "collision":
                self.collisions += 1
            elif reason:
                self.lost += 1
            else:
                self.heard += 1
                if self._on_reports is not None:
                    reports.append((done_us, advertising_report(crowd.pdus[member], rssi_dbm)))

    def _disturbed(self, swept: list[Swept], spans: list[tuple[int, int, float]]) -> list[Swept]:
        """Add the power of the radios' packets to the interference of those they overlap."""
        duration_us = self._crowd.duration_us
        return [
            (
                start_us,
                member,
                noise_mw
                + sum(
                    mw for a, b, mw in spans if a < start_us + duration_us[member] and b > start_us
                ),
            )
            for start_us, member, noise_mw in swept
        ]
