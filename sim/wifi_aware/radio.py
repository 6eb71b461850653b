"""The NAN radio of one node: windows and slots in which it listens, and the engines that it drives.

Wi-Fi Aware 4.0, NAN synchronisation and presence; digest 4. Rules:
* The radio has the cluster engine and drives the engines of its node (`Upper`) by the same verbs. It listens while
  the cluster engine says so (searches and attended discovery windows) and in its own committed slots, nowhere else.
* Local time is simulated time. The TSF of a beacon is set when it goes on the air.
* Frames wait in `Mac`: in a window, in a slot in which both sides are awake, or at once when the engine says so.
* Group frames of another cluster go no further; its beacons do.
* A node that changes its NMI leaves the cluster and joins again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from protocols.wifi_aware import timing
from protocols.wifi_aware.beacon import CLUSTER_PREFIX
from protocols.wifi_aware.cluster import Cluster
from protocols.wifi_aware.cluster_events import (
    ClusterJoined,
    ClusterMerged,
    SearchEnded,
    SearchStarted,
    TsfAdjusted,
    WindowClosed,
    WindowOpened,
)
from protocols.wifi_aware.cluster_settings import CHANNEL_2_4
from protocols.wifi_aware.heard import Heard, octets_of
from sim.air import Radio
from sim.wifi_aware import slots
from sim.wifi_aware.contention import spread
from sim.wifi_aware.ears import Ears
from sim.wifi_aware.mac import ACK_CONTROL, Job, Mac, Opening
from sim.wifi_aware.medium import Medium
from sim.wifi_aware.on_air import WIFI, wifi_channel
from sim.wifi_aware.opening import meetings, opening_of
from sim.wifi_aware.presence import Presence
from sim.wifi_aware.radio_settings import RadioSettings, settings_of
from sim.wifi_aware.synchronising import tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protocols.wifi_aware.events import Event
    from sim.clock import Event as LoopEvent
    from sim.radio import Reception
    from sim.wifi_aware.firmware import Firmware
    from sim.wifi_aware.upper import Upper
    from sim.world import RadioPlace

__all__ = ["NanRadio"]

_SHORTEST = 10
"""Octets of an Ack."""
_BEACON = 0x80
_TYPE, _DATA = 0x0C, 0x08
"""Of Frame Control's first octet: bits of the type, and that of data frames."""


class NanRadio(Radio):
    """Wi-Fi Aware radio of node `name`; `settings` are a firmware's, or its own."""

    kind: ClassVar[str] = WIFI

    def __init__(
        self, name: str, place: RadioPlace, node: Upper, settings: RadioSettings | Firmware
    ) -> None:
        given = settings if isinstance(settings, RadioSettings) else settings_of(settings)
        super().__init__(
            name,
            place.position_of(name),
            tx_power_dbm=given.tx_power_dbm,
            sensitivity_dbm=given.sensitivity_dbm,
        )
        self.settings = given
        self.presence = Presence()
        self.window: WindowOpened | None = None
        """the discovery window that goes on."""
        self.slots: dict[int, frozenset[int]] = dict(given.slots)
        """own committed slots by channel number."""
        self.spread = spread(given.cluster)
        """slots from which a service frame draws its back-off in windows and slots of its own."""
        self._place = place
        self._node = node
        self._loop = place.loop
        self._medium = Medium.on(place.air)
        self._mac = Mac(
            self,
            self,
            self._medium,
            place.streams.stream(f"wifi_aware/{name}"),
            rate_mbit_s=given.rate_mbit_s,
            retry_limit=given.retry_limit,
        )
        self.cluster = self._joining()
        self._ears = Ears(self)
        self._timer: LoopEvent | None = None
        self._driving = self._again = False

    def _joining(self) -> Cluster:
        """A cluster engine for the NMI in use, from now on."""
        stream = f"wifi_aware/{self.name}/cluster"
        return Cluster(
            self._node.nmi,
            self.settings.cluster,
            lambda purpose, length: self._place.streams.bytes(f"{stream}/{purpose}", length),
            self._loop.now_us,
        )

    # Power

    def start(self) -> None:
        """Switch on: look for a cluster."""
        self._medium.attach(self)
        self._drive()

    def stop(self) -> None:
        """Switch off at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._mac.stop()
        self._ears.forget()
        self.window = None
        if self.air is not None:
            self._medium.detach(self)

    def kick(self) -> None:
        """The node has something to send, another timer, or another address."""
        if self.air is None:
            return
        if self._node.nmi != self.cluster.nmi:
            self._rejoin()
        self._drive()

    def _rejoin(self) -> None:
        """Begin anew; what waited for the old cluster is lost."""
        waiting = list(self._mac.jobs)
        self._mac.stop()
        self.window = None
        self._ears.leave_cluster()
        self.cluster = self._joining()
        for job in waiting:
            self.gone(job, acked=False)

    # Slots

    def attend(self, settings: RadioSettings, *, slots: bool) -> None:
        """Attend the windows that `settings` say from now on, and their committed slots or none."""
        self.settings = settings
        self.cluster.settings = settings.cluster
        if self.cluster.cluster_id:
            self.cluster.start_windows(self._loop.now_us)
        self.commit(settings.slots if slots else {})

    def commit(self, slots: Mapping[int, frozenset[int]]) -> None:
        """Be awake in these slots (0 to 511, by channel number) from now on, and in no others."""
        self.slots = dict(slots)
        self._drive()

    def tune(self, who: object, channel: int | None) -> None:
        """Listen on a channel for unsynchronised discovery until `who` asks for another, or for none."""
        self._ears.stay(channel, f"tuned {who}")

    def _tune_to_slots(self) -> None:
        """Listen on the channels of the committed slots that go on."""
        slot = timing.slot_of(self.tsf_us(self._loop.now_us))
        joined = bool(self.cluster.cluster_id)
        for channel in [*self._ears.channels, *self.slots]:
            if joined and slot in self.slots.get(channel, ()):
                self._ears.open(channel, "slot")
            elif self._ears.open_for(channel, "slot"):
                self._ears.close(channel, "slot")

    # Driving the engines

    def _drive(self) -> None:
        """Do what is due, take what the engines give, and set the timer."""
        if self._driving:
            self._again = True
            return
        self._driving = self._again = True
        try:
            while self._again and self.air is not None:
                self._again = False
                self._turn()
        finally:
            self._driving = False
        if self.air is not None:
            self._arm()

    def _turn(self) -> None:
        now = self._loop.now_us
        self.cluster.handle_timer(now)
        self._follow()
        due = self._node.next_timer()
        if due is not None and due <= now:
            self._node.handle_timer(now)
        for beacon in self.cluster.to_send(now):
            guarded = msgspec.structs.replace(beacon, octets=self._node.beacon(beacon.octets))
            self._mac.add(Job(guarded, self.cluster, beacon.until_us))
        for out in self._node.to_send(now):
            self._mac.add(Job(out, self._node, now + self.settings.lifetime_us))
        self._tune_to_slots()
        self._mac.pump()

    def _arm(self) -> None:
        """Set the timer to what comes next: an engine, or a slot."""
        now = self._loop.now_us
        change = None
        if self.cluster.cluster_id:
            change = slots.change_us(self.slots, now, self.cluster.offset_us)
        wanted = (
            self.cluster.next_timer(),
            self._node.next_timer(),
            change,
            *meetings(self._mac.jobs, self),
        )
        at = max(now, min(due for due in wanted if due is not None))
        if self._timer is not None:
            if self._timer.pending and self._timer.t_us == at:
                return
            self._timer.cancel()
        self._timer = self._loop.at_us(at, self._drive)

    def _follow(self) -> None:
        """Do what the cluster engine tells, and tell it on."""
        while (event := self.cluster.next_event()) is not None:
            match event:
                case WindowOpened():
                    self.window = event
                    self._ears.open(event.channel, "window")
                    self._node.window(self._loop.now_us)
                case WindowClosed():
                    self.window = None
                    self._ears.close(event.channel, "window")
                case SearchStarted():
                    self._ears.open(event.channel, "search")
                case SearchEnded():
                    self._ears.close(event.channel, "search")
                case ClusterJoined() | ClusterMerged():
                    self._node.engine.station.cluster_id = event.cluster_id
                case _:
                    pass
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if not isinstance(event, WindowOpened | WindowClosed | SearchStarted | SearchEnded):
            if isinstance(event, TsfAdjusted) and not event.jump:
                return
            tell(self._place, self.name, event)

    # What others ask it, and their data

    @property
    def sent_and_again(self) -> tuple[int, int]:
        """Unicast frames that it has put on the air, and retransmissions among them."""
        return self._mac.unicast, self._mac.retries

    @property
    def now_us(self) -> int:
        """Simulated time."""
        return self._loop.now_us

    def carry(self, job: Job) -> None:
        """Take a data frame of a link; it goes in the link's own opening."""
        self._mac.add(job)
        self._loop.at_us(job.lost_after_us, self.kick)
        self.kick()

    # What the MAC asks

    def tsf_us(self, now_us: int) -> int:
        """The TSF of its cluster."""
        return self.cluster.tsf_us(now_us)

    def opening(self, job: Job) -> Opening | None:
        """The opening in which a frame may go now."""
        return opening_of(job, self)

    def leaving(self, job: Job) -> None:
        """A frame goes on the air for the first time."""
        if job.engine is self._node:
            out: Any = job.out
            self._node.sending(out)

    def await_ack(self, channel: int | None) -> None:
        """Listen on a channel for an Ack from now on; None: no longer."""
        self._ears.stay(channel, "ack")

    def gone(self, job: Job, *, acked: bool) -> None:
        """A frame is done with."""
        job.engine.sent(job.out.number, acked, self._loop.now_us)
        self._drive()

    # What the air brings

    def on_air(self, reception: Reception) -> None:
        """Take a frame that has just ended."""
        sent = reception.transmission
        octets, channel = sent.data, wifi_channel(sent.channel) or CHANNEL_2_4
        if len(octets) < _SHORTEST:
            return
        if octets[0] == ACK_CONTROL:
            if octets[4:10] in self._addresses():
                self._mac.acked()
            return
        if not octets[4] & 1:
            if octets[4:10] not in self._addresses():
                return
            self._mac.acknowledge(octets[10:16], channel)
            if self._mac.is_repeated(octets):
                return
        now = self._loop.now_us
        if octets[0] & _TYPE == _DATA:
            self._node.data(octets, now)
            self._drive()
            return
        heard = self._medium.heard(octets, reception.rssi_dbm, channel)
        if octets[0] == _BEACON:
            if self._node.believes(heard):
                self.cluster.receive(heard, now)
        elif self._is_ours(heard):
            self.presence.learn(heard)
            self._node.receive(heard, now)
        self._drive()

    def _addresses(self) -> tuple[bytes, bytes]:
        """Own addresses that are acknowledged: NMI and NDI."""
        ndi: str = self._node.engine.station.settings.ndi
        return octets_of(self._node.nmi), octets_of(ndi)

    def _is_ours(self, heard: Heard) -> bool:
        """Whether a frame is for this device, for its cluster, or for no cluster at all."""
        bssid = getattr(heard.frame, "bssid", "")
        other = bssid.startswith(CLUSTER_PREFIX) and bssid != self.cluster.cluster_id
        return not (heard.octets[4] & 1 and other)
