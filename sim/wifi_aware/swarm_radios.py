"""How ordinary radios hear a swarm, and what its frames cost them: the air's own rules, for senders without a radio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.air import Outcome, Reception, Transmission
from sim.propagation import MW
from sim.wifi_aware.on_air import WIFI, WifiFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.air import Air, Position, Radio
    from sim.wifi_aware.medium import Medium, OnAir
    from sim.wifi_aware.swarm_member import SwarmMember

__all__ = ["SwarmRadios"]


class SwarmRadios:
    """The radios that listen to a swarm on a channel, since when, and what they lose on the way."""

    def __init__(
        self, medium: Medium, members: list[SwarmMember], positions: list[Position]
    ) -> None:
        self._medium = medium
        self._air: Air = medium.air
        self._members = members
        self._positions = positions
        self._ears: dict[int, dict[Radio, int]] = {}
        self._loss_db: dict[Radio, dict[int, float]] = {}

    def listens(self, radio: Radio, channel: int) -> None:
        """`radio` begins to listen now."""
        self._ears.setdefault(channel, {})[radio] = self._air.loop.now_us

    def deafens(self, radio: Radio, channel: int) -> None:
        """It no longer does."""
        self._ears.get(channel, {}).pop(radio, None)

    def moved(self, radio: Radio) -> None:
        """It is somewhere else."""
        self._loss_db.pop(radio, None)

    def rssi_dbm(self, radio: Radio, number: int) -> int:
        """Mean power of a member at a radio, whole dBm."""
        return round(self._mean_dbm(radio, number))

    def _mean_dbm(self, radio: Radio, number: int) -> float:
        power_dbm = self._members[number].power_dbm
        known = self._loss_db.setdefault(radio, {})
        loss = known.get(number)
        if loss is None:
            name = self._members[number].name
            loss = self._air.losses.loss_from(name, self._positions[number], radio)
            if not radio.moving_at(self._air.loop.now_us):
                known[number] = loss
        return power_dbm - loss

    def power_mw(self, radio: Radio, numbers: Iterable[int]) -> float:
        """Sum of the powers of members at a radio; what is below the noise floor does not count."""
        floor = self._air.settings.noise_floor_dbm
        heard = (self.rssi_dbm(radio, number) for number in numbers)
        return sum(MW[rssi] for rssi in heard if rssi >= floor)

    def deliver(self, frame: OnAir, member: SwarmMember, name: str) -> None:
        """Give a frame of a member, which has ended, to the radios that have listened since its beginning."""
        ears = self._ears.get(frame.channel)
        if not ears:
            return
        outcomes: list[Outcome] = []
        heard: list[tuple[Radio, int]] = []
        for radio, since_us in ears.items():
            if since_us > frame.start_us:
                continue
            rssi_dbm = self._air.faded_dbm(radio, self._mean_dbm(radio, member.number))
            reason = self._reason(radio, frame, member, rssi_dbm)
            self._air.counts[reason or "heard"] += 1
            outcomes.append(Outcome(radio.name, rssi_dbm, reason))
            if not reason:
                heard.append((radio, rssi_dbm))
        if not outcomes:
            return
        sent = self._transmission(frame, member, name)
        if self._air.observed:
            self._air.tell(sent, outcomes)
        for radio, rssi_dbm in heard:
            radio.on_air(Reception(sent, rssi_dbm))

    def _reason(self, radio: Radio, frame: OnAir, member: SwarmMember, rssi_dbm: int) -> str:
        air, span = self._air, (frame.start_us, frame.end_us)
        reason = air.refuses(radio, *span, rssi_dbm)
        if reason:
            return reason
        noise_mw = air.noise_mw(radio, (WIFI, frame.channel), *span, beside=self._medium)
        if air.settings.collisions:
            others = (one.source for one in frame.overlaps if isinstance(one.source, int))
            noise_mw += self.power_mw(radio, others)
        crowd = member.name.partition("/")[0]
        return air.spoils(radio, rssi_dbm, noise_mw, sender=crowd, data=frame.octets)

    @staticmethod
    def _transmission(frame: OnAir, member: SwarmMember, name: str) -> Transmission:
        meta = WifiFrame(
            channel=frame.channel,
            rate_mbit_s=member.cluster.settings.rate_mbit_s,
            tsft_us=member.cluster.tsf_us(frame.start_us),
            name=name,
        )
        return Transmission(
            0,
            frame.start_us,
            frame.end_us,
            (WIFI, frame.channel),
            member.name,
            frame.octets,
            frame.power_dbm,
            meta,
        )
