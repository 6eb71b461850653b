"""While a link stands: idle times, keep-alives, and schedules that change.

Wi-Fi Aware 4.0, NDL; digest 2.17 and 5.5, IA-61. Base of the engine in `datapath.py`. What idle means is told by who
moves data (`traffic`); a unit of the maximum idle period is a setting, because hostap and the document differ. No
clock, no randomness, no IO.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware import ndl, ndp_build, ndp_frames
from protocols.wifi_aware.events import KeepAliveWanted
from protocols.wifi_aware.ndp_machine import PathMachine
from protocols.wifi_aware.ndp_path import Link, State
from protocols.wifi_aware.station_settings import attribute_of
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from protocols.wifi_aware.attributes.nan_availability import NanAvailability
    from protocols.wifi_aware.attributes.ndl import Ndl

__all__ = ["Upkeep"]

_HALF = 128
"""Window of Sequence IDs that are older (digest 2.13)."""


class Upkeep(PathMachine):
    """Links that stand, and what makes them fall."""

    # Idle links

    def _own_max_idle(self) -> int | None:
        """Units after which this side ends an idle link; None: never."""
        if not self.station.settings.ndl:
            return None
        fields: Ndl = attribute_of(self.station.settings.ndl).fields
        return None if fields.max_idle is UNSET else fields.max_idle

    def _watch(self, link: Link, now: int) -> None:
        link.traffic = now
        limit = (self._own_max_idle() or 0) * self.settings.idle_unit_us
        if limit and self.settings.ends_idle:
            self._look_again(link, "idle", now + limit, partial(self._on_idle, link, limit))
        period = self._keep_alive_period(link)
        if period:
            self._look_again(link, "quiet", now + period, partial(self._on_quiet, link, period))

    def _look_again(self, link: Link, what: str, due: int, action: Callable[[int], None]) -> None:
        self.start_timer(f"{what}: link with {link.peer}", due, action)

    def _unwatch(self, link: Link) -> None:
        for what in ("idle", "quiet"):
            self.stop_timer(f"{what}: link with {link.peer}")

    def _keep_alive_period(self, link: Link) -> int:
        """Microseconds, 0: no keep-alive."""
        if self.settings.keep_alive_us is not None:
            return self.settings.keep_alive_us
        peer = None if link.agreement is None else link.agreement.peer_max_idle
        return (peer or 0) * self.settings.idle_unit_us // 3

    def _on_idle(self, link: Link, limit: int, now: int) -> None:
        due = link.traffic + limit
        if due > now:
            self._look_again(link, "idle", due, partial(self._on_idle, link, limit))
        else:
            self.idle(link.peer, now)

    def _on_quiet(self, link: Link, period: int, now: int) -> None:
        due = link.traffic + period
        if due <= now:
            path = link.paths[0]
            self.station.emit(
                KeepAliveWanted(peer=link.peer, local_ndi=path.own_ndi, peer_ndi=path.peer_ndi)
            )
            due = now + period
        self._look_again(link, "quiet", due, partial(self._on_quiet, link, period))

    def traffic(self, peer: str, now: int) -> None:
        """A data frame went over the link with a peer, either way."""
        link = self.links.get(peer)
        if link is not None:
            link.traffic = now

    def idle(self, peer: str, now: int) -> None:
        """The link with a peer was idle for too long: its paths end with terminations."""
        link = self.links.get(peer)
        if link is not None:
            self._terminate_connected(link, "idle for too long", now)

    def _terminate_connected(self, link: Link, cause: str, now: int) -> None:
        for path in tuple(link.paths):
            if path.state is State.CONNECTED:
                self._terminate(path, cause, now)

    # Schedules

    def renegotiate(self, peer: str, availability: Sequence[NanAvailability], now: int) -> None:
        """The peer shows another availability (newer Sequence ID): paths end when the link does not stand with it.

        An older one, or one from a peer without link, is passed over. Raises DecodeError.
        """
        link = self.links.get(peer)
        if link is None or link.agreement is None or not availability:
            return
        number = availability[0].sequence_id
        if link.peer_sequence is not None and 0 <= link.peer_sequence - number < _HALF:
            return
        theirs = msgspec.structs.replace(link.agreement.peer, usable=ndl.usable(availability))
        link.peer_sequence = number
        link.agreement = msgspec.structs.replace(link.agreement, peer=theirs)
        self._judge(link, now)

    def announce(self, availability: str, now: int) -> None:
        """Use another own availability (a complete attribute, hex): peers are told, links that break end."""
        station = self.station
        station.settings = msgspec.structs.replace(station.settings, availability=availability)
        station.availability_sequence = station.availability_sequence + 1 & 0xFF
        own = ndp_frames.own_offer(station.settings)
        for link in tuple(self.links.values()):
            if link.agreement is None:
                continue
            link.sequence = station.availability_sequence
            mine = msgspec.structs.replace(link.agreement.own, usable=own.usable)
            link.agreement = msgspec.structs.replace(link.agreement, own=mine)
            station.send(ndp_build.schedule_update(station, link), "schedule_update", self.NAME)
            self._judge(link, now)

    def _judge(self, link: Link, now: int) -> None:
        """End the paths of a link whose schedules have come apart (digest 5.5, last row)."""
        agreed = link.agreement
        if agreed is None:
            return
        slots = ndl.common(agreed.own.usable, agreed.peer.usable)
        peer = agreed.peer
        enough = ndl.meets(slots, peer.min_slots, peer.max_latency_slots)
        if not (slots and agreed.ndc <= slots and enough):
            self._terminate_connected(link, "the schedules of both have come apart", now)
