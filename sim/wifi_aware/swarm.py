"""Thousands of Wi-Fi Aware devices: each with the cluster engine of any other and a service, without a radio each.

Rules:
* Members stand still, are on channel 6 alone, and send beacons, their publish every so many windows, that publish in
  answer to a subscribe for it, and Acks. They hear members and radios alike, and radios hear them.
* Contention, carrier sense, half duplex and collisions are those of radios. Who hears a frame is a mask; a frame is
  decoded once, and a beacon goes to the engines to which it matters (`swarm_ways.py`).
* With fading, loss or filters on the air each reception is drawn, in order of members, and each beacon goes to each
  engine that hears it; loss and filters know a member by the name of its crowd. A member that is out of range on
  the mean is so whatever the fading.
* Engines due at one instant are served in order of their numbers. Members do not send an unacknowledged
  frame again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.airtime import airtime_us, difs_us, sifs_us
from protocols.wifi_aware.beacon import stamped, told
from protocols.wifi_aware.cluster_clock import NEVER
from protocols.wifi_aware.cluster_events import (
    SearchEnded,
    SearchStarted,
    WindowClosed,
    WindowOpened,
)
from protocols.wifi_aware.cluster_settings import CHANNEL_2_4
from protocols.wifi_aware.heard import Heard, hear, octets_of
from protocols.wifi_aware.openings import GUARD_US
from protocols.wifi_aware.timing import DW_INTERVAL_US, DW_US
from sim.wifi_aware.contention import Backoff, spread
from sim.wifi_aware.links import bits
from sim.wifi_aware.mac import ack
from sim.wifi_aware.medium import Medium, OnAir
from sim.wifi_aware.on_air import frame_name, wifi_channel
from sim.wifi_aware.swarm_hearing import SwarmHearing
from sim.wifi_aware.swarm_member import MemberJob, SwarmMember
from sim.wifi_aware.swarm_radios import SwarmRadios
from sim.wifi_aware.swarm_ways import Seen, Ways, matters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.air import Position, Radio
    from sim.rng import Random

__all__ = ["Swarm"]

_BEACON, _ACTION = 0x80, 0xD0
_SUBSCRIBE = 1
_DESTINATION, _SOURCE = slice(4, 10), slice(10, 16)


class Swarm:
    """All members of the crowds of one air; `Swarm.on(medium)` finds it."""

    def __init__(self, medium: Medium) -> None:
        self.medium = medium
        self.air = medium.air
        self.members: list[SwarmMember] = []
        positions: list[Position] = []
        self._positions = positions
        self.hearing = SwarmHearing(medium, self.members, positions)
        self.radios = SwarmRadios(medium, self.members, positions)
        self.one_by_one = False
        """hand out every beacon to every engine: the plain way, which the fast one equals."""
        self._ways = Ways()
        self._by_nmi: dict[bytes, SwarmMember] = {}
        self._interest: dict[str, int] = {}
        self._due: dict[int, list[int]] = {}
        self._seen: list[Seen] = []
        self._difs_us = difs_us(CHANNEL_2_4)
        for radio, channel in self.air.listening():
            number = wifi_channel(channel)
            if number is not None:
                self.radios.listens(radio, number)

    @classmethod
    def on(cls, medium: Medium) -> Swarm:
        """The swarm of a medium, made when it has none yet."""
        if medium.swarm is None:
            medium.swarm = cls(medium)
        return medium.swarm

    def add(self, member: SwarmMember, position: Position) -> None:
        """A device more, which has the next number; it is off until `start`."""
        member.origin = (member.name, position, member.power_dbm)
        self.members.append(member)
        self._positions.append(position)
        self.hearing.grown()
        self._ways.add(member)
        self._by_nmi[octets_of(member.nmi)] = member
        wanted = member.service.service_id.hex()
        self._interest[wanted] = self._interest.get(wanted, 0) | member.bit

    def start(self, member: SwarmMember) -> None:
        """Switch a member on."""
        self._touch(member)

    # Engines

    def _touch(self, member: SwarmMember) -> None:
        """Do what an engine wants after it was given something."""
        cluster = member.cluster
        opened = False
        while (event := cluster.next_event()) is not None:
            if isinstance(event, WindowOpened):
                opened = True
                self.hearing.windows |= member.bit
                member.window_until_us = event.until_us
            elif isinstance(event, WindowClosed):
                self.hearing.windows &= ~member.bit
                self.hearing.deafen(member.bit, CHANNEL_2_4)
            elif isinstance(event, SearchStarted):
                self.hearing.searches |= member.bit
            elif isinstance(event, SearchEnded):
                self.hearing.searches &= ~member.bit
                self.hearing.deafen(member.bit, CHANNEL_2_4)
        for out in cluster.to_send(self.air.loop.now_us):
            self._queue(member, out.octets, out.until_us, out.back_off)
        if opened:
            self._announce(member)
        self._ways.update(member)
        due_us = cluster.next_timer()
        if due_us != member.due_us:
            self._call(member, due_us)
        if member.jobs and not member.contending:
            self._contend(member)

    def _call(self, member: SwarmMember, due_us: int) -> None:
        """Serve an engine at that time; all that are due together are served in one event."""
        member.due_us = due_us
        if due_us >= NEVER:
            return
        waiting = self._due.get(due_us)
        if waiting is not None:
            waiting.append(member.number)
            return
        self._due[due_us] = [member.number]
        loop = self.air.loop
        loop.at_us(max(loop.now_us, due_us), self._serve, due_us)

    def _serve(self, due_us: int) -> None:
        now = self.air.loop.now_us
        numbers = sorted(set(self._due.pop(due_us)))
        members = [self.members[n] for n in numbers if self.members[n].due_us == due_us]
        if not self._each:
            self._count(members, due_us)
        for member in members:
            member.due_us = -1
            member.cluster.handle_timer(now)
            self._touch(member)

    def _count(self, members: Iterable[SwarmMember], due_us: int) -> None:
        """Tell those whose window closes now what they have seen in it."""
        closing = [member for member in members if member.cluster.closing_us == due_us]
        if not closing:
            return
        self._seen = [one for one in self._seen if one.start_us >= due_us - 2 * DW_US]
        seen = [one for one in self._seen if one.start_us >= due_us - DW_US]
        mask = 0
        for member in closing:
            mask |= member.bit
        tallies = self._ways.count(seen, mask)
        for member in closing:
            member.cluster.count(self._ways.counts(tallies, member.bit))

    def _announce(self, member: SwarmMember) -> None:
        """Publish in the window that has begun, when it is the member's turn."""
        cluster = member.cluster
        if member.announces(cluster.tsf_us(self.air.loop.now_us), DW_INTERVAL_US):
            octets = member.service.frame(cluster.cluster_id, member.next_sequence())
            until_us = member.window_until_us - GUARD_US
            self._queue(member, octets, until_us, spread(cluster.settings))

    # Sending

    def _queue(
        self, member: SwarmMember, octets: bytes, until_us: int, slots: tuple[int, int]
    ) -> None:
        rate_mbit_s = member.cluster.settings.rate_mbit_s
        duration_us = airtime_us(len(octets), CHANNEL_2_4, rate_mbit_s)
        member.jobs.append(MemberJob(octets, duration_us, until_us, slots))

    def _contend(self, member: SwarmMember) -> None:
        loop = self.air.loop
        drawn = self._stream(member).randrange(*member.jobs[0].slots)
        member.backoff = Backoff(drawn, loop.now_us, self._difs_us)
        member.contending = True
        loop.at_us(member.backoff.due_us(()), self._attempt, member)

    def _stream(self, member: SwarmMember) -> Random:
        crowd = member.name.partition("/")[0]
        return self.air.streams.stream(f"crowd/{crowd}/backoff")

    def _attempt(self, member: SwarmMember) -> None:
        job, backoff = member.jobs[0], member.backoff
        assert backoff is not None  # noqa: S101  # an attempt has one
        now = self.air.loop.now_us
        from_us = backoff.base_us - backoff.difs_us
        due_us = backoff.due_us(
            self.medium.sensed_by_member(member.number, member.bit, CHANNEL_2_4, from_us)
        )
        if due_us + job.duration_us > job.until_us:
            self._next_job(member)
        elif due_us > now:
            self.air.loop.at_us(due_us, self._attempt, member)
        else:
            octets = job.octets
            if octets[0] == _BEACON:
                octets = stamped(octets, member.cluster.tsf_us(now))
            self._transmit(member, octets, job.duration_us)

    def _next_job(self, member: SwarmMember) -> None:
        """The frame is sent, or out of time."""
        member.jobs.pop(0)
        member.contending = False
        if member.jobs:
            self._contend(member)

    def _transmit(self, member: SwarmMember, octets: bytes, duration_us: int) -> None:
        now = self.air.loop.now_us
        end_us = now + duration_us
        frame = OnAir(CHANNEL_2_4, now, end_us, octets, member.power_dbm, member.number)
        self.medium.begin(frame)
        self.air.counts["transmissions"] += 1
        self.air.loop.at_us(end_us, self._end, frame)

    def begin(self, frame: OnAir) -> None:
        """A frame begins; the medium tells of all of them."""
        if frame.channel != CHANNEL_2_4:
            return
        self.hearing.begin(frame)
        if not isinstance(frame.source, int) and frame.reach:
            self.air.loop.at_us(frame.end_us, self._end, frame)

    def senses(self, radio: Radio, frame: OnAir) -> bool:
        """Whether a radio could receive a frame of a member."""
        assert isinstance(frame.source, int)  # noqa: S101  # asked for those alone
        return self.radios.rssi_dbm(radio, frame.source) >= radio.sensitivity_dbm

    # Hearing

    def _end(self, frame: OnAir) -> None:
        """A frame has ended: radios get it, then members."""
        source = frame.source
        self.hearing.end(frame)
        if isinstance(source, int):
            member = self.members[source]
            self.radios.deliver(frame, member, frame_name(frame.octets))
            if frame.octets[0] in (_BEACON, _ACTION):
                self._next_job(member)
        if not frame.hearers:
            return
        if frame.octets[0] == _BEACON:
            self._hear_beacon(frame, hear(frame.octets, channel=frame.channel))
        elif frame.octets[0] == _ACTION:
            self._hear_action(frame)

    def _hear_beacon(self, frame: OnAir, heard: Heard) -> None:
        if self._each:
            self._give_each(frame, heard)
            return
        beacon = told(heard)
        if beacon is None:
            return
        hearing, settings = self.hearing, self.members[0].cluster.settings
        usable = frame.hearers & hearing.reach(frame, settings.rssi_middle_dbm)
        if not usable:
            return
        if beacon.sync:
            middle = usable & hearing.reach(frame, settings.rssi_middle_dbm + 1)
            close = middle & hearing.reach(frame, settings.rssi_close_dbm + 1)
            self._seen.append(Seen(frame.start_us, beacon, middle, close))
        concerned = 0
        for way, mask in self._ways.masks.items():
            if usable & mask and matters(way, beacon):
                concerned |= mask
        for number in bits(usable & concerned):
            self._give(number, heard, hearing.rssi_dbm(frame, number))

    @property
    def _each(self) -> bool:
        """Whether each beacon goes to each engine that hears it."""
        return self.one_by_one or self.air.by_chance

    def _give_each(self, frame: OnAir, heard: Heard) -> None:
        source = frame.source
        sender = self.members[source].name if isinstance(source, int) else source.name
        for number in bits(frame.hearers):
            rssi_dbm = self.hearing.drawn_dbm(frame, number, sender.partition("/")[0])
            if rssi_dbm is not None:
                self._give(number, heard, rssi_dbm)

    def _give(self, number: int, heard: Heard, rssi_dbm: int) -> None:
        """Hand a beacon to an engine."""
        member = self.members[number]
        given = Heard(
            octets=heard.octets, frame=heard.frame, rssi_dbm=rssi_dbm, channel=heard.channel
        )
        member.cluster.receive(given, self.air.loop.now_us)
        self._touch(member)

    def _hear_action(self, frame: OnAir) -> None:
        """Acknowledge what is for a member; answer a subscribe for what members publish."""
        octets = frame.octets
        if not octets[4] & 1:
            member = self._by_nmi.get(octets[_DESTINATION])
            if member is not None and frame.hearers & member.bit:
                self.air.loop.after_us(
                    sifs_us(frame.channel), self._acknowledge, member, octets[_SOURCE]
                )
            return
        if isinstance(frame.source, int):
            return  # members publish, and look for nothing
        heard = hear(octets)
        for descriptor in heard.frame.all("service_descriptor") if heard.frame else ():
            if descriptor.type == _SUBSCRIBE:
                asked = self._interest.get(descriptor.service_id, 0) & frame.hearers
                for number in bits(asked):
                    self._answer(self.members[number], octets, descriptor.instance_id)

    def _acknowledge(self, member: SwarmMember, sender: bytes) -> None:
        octets = ack(sender)
        self._transmit(member, octets, airtime_us(len(octets), CHANNEL_2_4))

    def _answer(self, member: SwarmMember, octets: bytes, instance: int) -> None:
        """Publish to a subscriber of the own cluster, in the window that goes on."""
        cluster = member.cluster
        if not cluster.window or octets[16:22] != octets_of(cluster.cluster_id):
            return
        answer = member.service.frame(
            cluster.cluster_id, member.next_sequence(), octets[_SOURCE], instance
        )
        until_us = member.window_until_us - GUARD_US
        self._queue(member, answer, until_us, spread(cluster.settings))
        if not member.contending:
            self._contend(member)
