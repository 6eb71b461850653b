"""Which members of a swarm hear a frame, as masks: range, listening, half duplex, collisions, and chance.

The rules are those of the air (sim/air.py) and of its order: a member that sends hears nothing, then range, then
overlapping frames, then loss and filters. No clock of its own.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, ClassVar

from sim.air import Radio
from sim.propagation import MW, frequency_loss_db
from sim.wifi_aware.links import ROW_OFFSET, Links, bits, mask_of
from sim.wifi_aware.on_air import WIFI

if TYPE_CHECKING:
    from sim.air import Air, Position, Reception
    from sim.wifi_aware.links import Origin
    from sim.wifi_aware.medium import Medium, OnAir
    from sim.wifi_aware.swarm_member import SwarmMember

__all__ = ["SENSITIVITY_DBM", "SwarmHearing"]

SENSITIVITY_DBM = -90
"""Weakest frame that a member receives, and senses: that of a radio."""


class _Ear(Radio):
    """Stands for the members of a crowd where the air asks for a radio: streams of chance, filters."""

    kind: ClassVar[str] = WIFI

    def on_air(self, reception: Reception) -> None:
        """Never called: it is no radio of the air."""


class SwarmHearing:
    """Who listens and who sends now; `members` and `positions` grow with the swarm."""

    def __init__(
        self, medium: Medium, members: list[SwarmMember], positions: list[Position]
    ) -> None:
        self.air: Air = medium.air
        self._medium = medium
        self._members = members
        self._links = Links(self.air, positions, lambda number: members[number].name)
        self._needed = self._least_signals()
        self._ears: dict[str, _Ear] = {}
        self._reached = False
        self.windows = 0
        """members in a discovery window."""
        self.searches = 0
        """members that look for clusters."""
        self.sending = 0

    def grown(self) -> None:
        """There is a member more."""
        self._links.grown()
        if self._reached:
            self._reached = False
            for member in self._members:
                member.reach = -1

    # Who listens

    def deafen(self, bit: int, channel: int) -> None:
        """A member listens no longer, if nothing else keeps it listening: it misses what is on the air."""
        if not (self.windows | self.searches) & bit:
            for frame in self._medium.going_on(channel):
                frame.hearers &= ~bit

    def begin(self, frame: OnAir) -> None:
        """A frame begins now: note whom it reaches and who of them listens."""
        if isinstance(frame.source, int):
            member = self._members[frame.source]
            self.sending |= member.bit
            for other in frame.overlaps:
                other.hearers &= ~member.bit
            if member.reach < 0:
                member.reach = self.reach(frame, SENSITIVITY_DBM) & ~member.bit
                self._reached = True
            frame.reach = member.reach
        else:
            frame.reach = self.reach(frame, SENSITIVITY_DBM)
        frame.hearers = frame.reach & (self.windows | self.searches) & ~self.sending

    # Range

    def reach(self, frame: OnAir, least_dbm: int) -> int:
        """Members at which a frame has at least that power."""
        return self._links.reach(self._origin(frame), least_dbm, keep=self._stays(frame))

    def rssi_dbm(self, frame: OnAir, number: int) -> int:
        """Mean power of a frame at a member, whole dBm."""
        return self._links.rssi_dbm(self._origin(frame), number)

    def _origin(self, frame: OnAir) -> Origin:
        source = frame.source
        if isinstance(source, int):
            return self._members[source].origin
        power_dbm = frame.power_dbm - frequency_loss_db((WIFI, frame.channel))
        return source.name, source.position_at(frame.start_us), power_dbm

    @staticmethod
    def _stays(frame: OnAir) -> bool:
        """Whether the sender is where it is the next time."""
        return isinstance(frame.source, int) or not frame.source.moving_at(frame.start_us)

    # What spoils it

    def end(self, frame: OnAir) -> None:
        """A frame has ended: leave those among its hearers that received it."""
        if isinstance(frame.source, int):
            self.sending &= ~self._members[frame.source].bit
        if frame.overlaps and frame.hearers and self.air.settings.collisions:
            frame.hearers &= ~self._collided(frame)

    def _collided(self, frame: OnAir) -> int:
        """Hearers at which the frames that overlap it are too strong, each or together."""
        signal, *others = (
            self._links.row(self._origin(one), keep=self._stays(one))
            for one in (frame, *frame.overlaps)
        )
        strongest = others[0] if len(others) == 1 else bytes(map(max, *others))
        lost = mask_of(map(operator.lt, signal, strongest.translate(self._needed)))
        if len(others) == 1:
            return lost
        floor, ratio = self.air.settings.noise_floor_dbm + ROW_OFFSET, self.air.capture_ratio
        for number in bits(frame.hearers & ~lost):
            powers = (row[number] for row in others)
            noise_mw = sum(MW[power - ROW_OFFSET] for power in powers if power >= floor)
            if MW[signal[number] - ROW_OFFSET] < noise_mw * ratio:
                lost |= 1 << number
        return lost

    def _least_signals(self) -> bytes:
        """For the power of one frame in a row, that which another must have to be received beside it."""
        settings, ratio = self.air.settings, self.air.capture_ratio
        out = bytearray(256)
        for number in range(max(0, settings.noise_floor_dbm + ROW_OFFSET), 256):
            noise_mw = MW[number - ROW_OFFSET]
            enough = (n for n in range(256) if MW[n - ROW_OFFSET] >= noise_mw * ratio)
            out[number] = next(enough, 255)
        return bytes(out)

    def drawn_dbm(self, frame: OnAir, number: int, sender: str) -> int | None:
        """Power of a frame at a member with fading; None when the draw, loss or a filter takes it away."""
        crowd = self._members[number].name.partition("/")[0]
        ear = self._ears.get(crowd)
        if ear is None:
            ear = self._ears[crowd] = _Ear(crowd, sensitivity_dbm=SENSITIVITY_DBM)
        mean_dbm = self._links.mean_dbm(self._origin(frame), number)
        rssi_dbm = self.air.faded_dbm(ear, mean_dbm)
        if rssi_dbm < SENSITIVITY_DBM:
            return None
        reason = self.air.spoils(ear, rssi_dbm, 0.0, sender=sender, data=frame.octets)
        return None if reason else rssi_dbm
