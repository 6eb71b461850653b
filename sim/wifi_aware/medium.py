"""What Wi-Fi radios of one air have in common: who is on a channel, what each senses, who is not listening.

Rules:
* A channel of Wi-Fi is `("wifi", number)` on the air. Frames of radios go over the air like any other packet; this
  file only keeps what carrier sense needs, and what an observer wants to know beside the outcomes.
* A radio senses what it could receive: a transmission above its sensitivity that began before now.
* Members of crowds are no radios of the air: the swarm (sim/wifi_aware/swarm.py) hears what is sent here, and its
  own frames reach radios through it.
* A frame ends for radios first, then for the swarm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.airtime import airtime_us
from protocols.wifi_aware.heard import Heard, hear
from sim.wifi_aware.on_air import WIFI, WifiFrame, wifi_channel

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sim.air import Air, Radio
    from sim.wifi_aware.swarm import Swarm

__all__ = ["Medium", "OnAir"]

KEEP_US = 30_000
"""How long what was sent is kept for those who count down."""


class OnAir:
    """A frame on a channel from `start_us` to `end_us`."""

    __slots__ = (
        "channel",
        "end_us",
        "hearers",
        "octets",
        "overlaps",
        "power_dbm",
        "reach",
        "source",
        "start_us",
    )

    def __init__(
        self,
        channel: int,
        start_us: int,
        end_us: int,
        octets: bytes,
        power_dbm: int,
        source: Radio | int,
    ) -> None:
        self.channel = channel
        self.start_us = start_us
        self.end_us = end_us
        self.octets = octets
        self.power_dbm = power_dbm
        self.source = source
        """a radio, or the number of a member of the swarm."""
        self.reach = 0
        """members of the swarm that it reaches, as a mask."""
        self.hearers = 0
        """those of them that have listened since its beginning."""
        self.overlaps: list[OnAir] = []
        """frames on the channel at the same time."""


class Medium:
    """Of one air; `Medium.on(air)` finds it."""

    def __init__(self, air: Air) -> None:
        self.air = air
        self.swarm: Swarm | None = None
        self._recent: dict[int, list[OnAir]] = {}
        self._longest_us = 0
        self._busy_until_us = 0
        self._radios: dict[Radio, set[int]] = {}
        self._decoded = Heard(octets=b"", frame=None)

    @classmethod
    def on(cls, air: Air) -> Medium:
        """The medium of an air, made when it has none yet."""
        for background in air.backgrounds:
            if isinstance(background, cls):
                return background
        made = cls(air)
        air.join(made)
        return made

    # Radios

    def attach(self, radio: Radio) -> None:
        """Add a radio to the air."""
        self.air.attach(radio)
        self._radios[radio] = set()

    def detach(self, radio: Radio) -> None:
        """Take it out."""
        self._radios.pop(radio, None)
        self.air.detach(radio)

    def transmit(
        self,
        radio: Radio,
        channel: int,
        octets: bytes,
        *,
        rate_mbit_s: int,
        tsft_us: int,
        name: str = "",
    ) -> int:
        """Put a frame of a radio on a channel now; the time it ends."""
        duration_us = airtime_us(len(octets), channel, rate_mbit_s)
        deaf = tuple(
            other.name
            for other, channels in self._radios.items()
            if channel not in channels and other is not radio
        )
        meta = WifiFrame(
            channel=channel, rate_mbit_s=rate_mbit_s, tsft_us=tsft_us, deaf=deaf, name=name
        )
        sent = self.air.transmit(radio, (WIFI, channel), octets, duration_us, meta=meta)
        frame = OnAir(channel, sent.start_us, sent.end_us, octets, sent.power_dbm, radio)
        self.begin(frame)
        return sent.end_us

    # What is on the channels

    def begin(self, frame: OnAir) -> None:
        """Note a frame that begins now."""
        self._longest_us = max(self._longest_us, frame.end_us - frame.start_us)
        self._busy_until_us = max(self._busy_until_us, frame.end_us)
        recent = self._recent.setdefault(frame.channel, [])
        if recent and recent[0].end_us < frame.start_us - 2 * KEEP_US:
            recent[:] = [one for one in recent if one.end_us >= frame.start_us - KEEP_US]
        for other in self.going_on(frame.channel):
            other.overlaps.append(frame)
            frame.overlaps.append(other)
        recent.append(frame)
        if self.swarm is not None:
            self.swarm.begin(frame)

    def going_on(self, channel: int) -> list[OnAir]:
        """Frames that are on a channel now."""
        now_us = self.air.loop.now_us
        found: list[OnAir] = []
        if now_us >= self._busy_until_us:
            return found
        for one in reversed(self._recent.get(channel, ())):
            if one.start_us < now_us - self._longest_us:
                break
            if one.end_us > now_us:
                found.append(one)
        return found

    def sensed(self, radio: Radio, channel: int, from_us: int) -> list[tuple[int, int]]:
        """Spans that a radio has sensed, or sent in, since `from_us`, in order of their beginning."""
        return self._spans(channel, from_us, lambda frame: self._senses(radio, frame))

    def sensed_by_member(
        self, number: int, bit: int, channel: int, from_us: int
    ) -> list[tuple[int, int]]:
        """As `sensed`, for a member of the swarm."""
        return self._spans(
            channel, from_us, lambda frame: frame.reach & bit or frame.source == number
        )

    def _spans(
        self, channel: int, from_us: int, senses: Callable[[OnAir], object]
    ) -> list[tuple[int, int]]:
        """Frames that have begun before now and end after `from_us`, those that somebody senses."""
        now_us, earliest_us = self.air.loop.now_us, from_us - self._longest_us
        found: list[tuple[int, int]] = []
        for one in reversed(self._recent.get(channel, ())):
            start_us, end_us = one.start_us, one.end_us
            if start_us < earliest_us:
                break
            if end_us > from_us and start_us < now_us and senses(one):
                found.append((start_us, end_us))
        found.reverse()
        return found

    def _senses(self, radio: Radio, frame: OnAir) -> bool:
        if isinstance(frame.source, int):
            return self.swarm is not None and self.swarm.senses(radio, frame)
        if frame.source is radio:
            return True
        rssi_dbm = self.air.losses.rssi_dbm(frame.source, radio, (WIFI, frame.channel))
        return rssi_dbm >= radio.sensitivity_dbm

    def heard(self, octets: bytes, rssi_dbm: int, channel: int) -> Heard:
        """A frame as one radio heard it; decoded once for all that hear it."""
        if self._decoded.octets != octets:
            self._decoded = hear(octets)
        known = self._decoded
        return Heard(
            octets=octets,
            frame=known.frame,
            error=known.error,
            rssi_dbm=rssi_dbm,
            channel=channel,
        )

    # Background of the air

    def listens(self, radio: Radio, channel: Hashable) -> None:
        """`radio` begins to listen on `channel` now."""
        number = wifi_channel(channel)
        if number is not None:
            self._radios.get(radio, set[int]()).add(number)
            if self.swarm is not None:
                self.swarm.radios.listens(radio, number)

    def deafens(self, radio: Radio, channel: Hashable) -> None:
        """`radio` no longer listens on `channel`."""
        number = wifi_channel(channel)
        if number is not None:
            self._radios.get(radio, set[int]()).discard(number)
            if self.swarm is not None:
                self.swarm.radios.deafens(radio, number)

    def moved(self, radio: Radio) -> None:
        """`radio` has another position now."""
        if self.swarm is not None:
            self.swarm.radios.moved(radio)

    def power_mw(self, radio: Radio, channel: Hashable, start_us: int, end_us: int) -> float:
        """Sum of the powers at `radio` of the swarm's frames overlapping [start_us, end_us)."""
        number = wifi_channel(channel)
        if number is None or self.swarm is None:
            return 0.0
        numbers = [
            one.source
            for one in self._recent.get(number, ())
            if one.start_us < end_us and one.end_us > start_us and isinstance(one.source, int)
        ]
        return self.swarm.radios.power_mw(radio, numbers)
