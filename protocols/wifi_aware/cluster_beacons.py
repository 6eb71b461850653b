"""Beacons of a device of a cluster, numbered and queued: who it is, which cluster and anchor master it tells of.

Wi-Fi Aware 4.0, NAN synchronisation; digest 1.3 and 4.4. When and whether one is sent is for the engine on top,
`cluster.py`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.beacon import DISCOVERY_TU, SYNC_TU, beacon
from protocols.wifi_aware.cluster_anchor import Record
from protocols.wifi_aware.cluster_clock import ClusterClock
from protocols.wifi_aware.cluster_settings import CHANNEL_2_4
from protocols.wifi_aware.heard import BROADCAST, Outgoing, octets_of

if TYPE_CHECKING:
    from protocols.wifi_aware.cluster_settings import ClusterSettings

__all__ = ["NO_RECORD", "BeaconOutgoing", "ClusterBeacons"]

NO_RECORD = Record(0, 0, 0)
_SEQUENCE_NUMBERS = 4096


class BeaconOutgoing(Outgoing, frozen=True, kw_only=True, gc=False):
    """A beacon to be sent: on which channel, until when it makes sense, and from which slots its back-off is drawn."""

    channel: int = CHANNEL_2_4
    until_us: int
    back_off: tuple[int, int]
    """least, and one more than most."""


class ClusterBeacons(ClusterClock):
    """What beacons say of device `nmi`; their numbers go down from -1, so that they never meet those of a `Station`."""

    __slots__ = (
        "_further", "_nmi_octets", "_number", "_outgoing", "_sequence", "cluster_id", "nmi", "record",
    )  # fmt: skip

    def __init__(self, nmi: str, settings: ClusterSettings, first_tsf_us: int, now: int) -> None:
        super().__init__(settings, first_tsf_us, now)
        self.nmi = nmi
        self.cluster_id = ""
        """empty while scanning."""
        self.record = NO_RECORD
        """of the anchor master; hop count 0: this device itself."""
        self._nmi_octets = octets_of(nmi)
        self._further = b""
        self._outgoing: list[BeaconOutgoing] = []
        self._number = 0
        self._sequence = 0

    def carry(self, attributes: bytes) -> None:
        """Put these complete attributes behind the two of every beacon from now on."""
        self._further = attributes

    def to_send(self, now: int) -> list[BeaconOutgoing]:
        """Beacons to be sent: in the window that goes on, or as soon as the channel is free."""
        if not self._outgoing:
            return []
        out, self._outgoing = self._outgoing, []
        return out

    def sent(self, number: int, acked: bool, now: int) -> None:
        """Nothing depends on what became of a beacon."""

    def queue_beacon(
        self,
        shown: tuple[int, int],
        channel: int,
        until_us: int,
        back_off: tuple[int, int],
        *,
        sync: bool,
    ) -> None:
        """Queue a beacon that shows this master preference and random factor."""
        octets = beacon(
            self._nmi_octets,
            octets_of(self.cluster_id),
            self._sequence,
            SYNC_TU if sync else DISCOVERY_TU,
            shown,
            self.record,
            self._further,
        )
        self._sequence = (self._sequence + 1) % _SEQUENCE_NUMBERS
        self._number -= 1
        self._outgoing.append(
            BeaconOutgoing(
                number=self._number,
                octets=octets,
                clear=octets,
                destination=BROADCAST,
                name="sync_beacon" if sync else "discovery_beacon",
                engine="cluster",
                at_once=not sync,
                channel=channel,
                until_us=until_us,
                back_off=back_off,
            )
        )
