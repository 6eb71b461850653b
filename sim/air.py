"""The air: who hears what, how strong, and why not.

Rules:
* A packet is delivered at its END, to the radios that have listened on its channel since its START, in the order in
  which they began to listen. One event per transmission.
* A radio hears nothing of a packet that overlaps a transmission of its own (half duplex).
* A packet survives when its power exceeds the sum of those overlapping it on its channel by `capture_db`; intervals
  are [start, end), so packets that touch do not overlap. What is below the noise floor does not count.
* What stops a packet is tested in this order: "transmitting", "out_of_range", "collision", "loss", then the filters
  (sim/faults), whose first reason counts.
* Chance is drawn from a stream per receiver (sim/rng.py): one more radio or observer changes nothing for the others.
* A channel is any hashable: BLE channels are the ints 0..39, a Wi-Fi radio uses ("wifi", 6).
* A source of packets that no Radio sends (sim/crowd.py) joins as a `Background`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from protocols.errors import SimulationError
from sim.link_losses import LinkLosses
from sim.propagation import (
    MW,
    AirSettings,
    Path,
    Position,
    capture_ratio,
    frequency_loss_db,
)
from sim.radio import (
    ADVERTISING_CHANNELS,
    Background,
    Filter,
    Outcome,
    Radio,
    Reception,
    Sniffer,
    Transmission,
)
from sim.recent_packets import Packet, RecentPackets

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from sim.clock import VirtualLoop
    from sim.rng import Streams

__all__ = [
    "ADVERTISING_CHANNELS",
    "Air",
    "AirSettings",
    "Background",
    "Filter",
    "Outcome",
    "Path",
    "Position",
    "Radio",
    "Reception",
    "Sniffer",
    "Transmission",
]


class Air:
    """The medium shared by all radios of a world."""

    def __init__(
        self, loop: VirtualLoop, streams: Streams, settings: AirSettings | None = None
    ) -> None:
        self.loop = loop
        self.streams = streams
        self.settings = settings or AirSettings()
        self.counts: Counter[str] = Counter()
        self.capture_ratio = capture_ratio(self.settings)
        self._radios: dict[tuple[str, str], Radio] = {}
        self._listeners: dict[Hashable, dict[Radio, int]] = {}
        self.losses = LinkLosses(loop, streams, self.settings)
        self._recent = RecentPackets()
        self._number = 0
        self._observers: list[Callable[[Transmission, tuple[Outcome, ...]], object]] = []
        self._backgrounds: list[Background] = []
        self._filters: list[Filter] = []

    # Radios

    def attach(self, radio: Radio) -> None:
        """Add `radio`, whose name must be free among those of its kind."""
        if (radio.kind, radio.name) in self._radios:
            raise SimulationError(
                f"two radios are called {radio.name!r}; give each node its own name"
            )
        self._radios[radio.kind, radio.name] = radio
        radio.air = self

    def detach(self, radio: Radio) -> None:
        """Take `radio` out; its packets already on the air go on."""
        for channel in [channel for channel, heard in self._listeners.items() if radio in heard]:
            self.deafen(radio, channel)
        self.forget_links(radio)
        self._radios.pop((radio.kind, radio.name), None)
        radio.air = None

    def forget_links(self, radio: Radio) -> None:
        """Drop what was remembered of the links of `radio`, which moves."""
        self.losses.forget(radio)
        for background in self._backgrounds:
            background.moved(radio)

    def listen(self, radio: Radio, channel: Hashable) -> None:
        """From now on `radio` hears `channel`; no change when it does already."""
        if self._radios.get((radio.kind, radio.name)) is not radio:
            raise SimulationError(f"radio {radio.name!r} listens before it is attached to the air")
        listeners = self._listeners.setdefault(channel, {})
        if radio not in listeners:
            listeners[radio] = self.loop.now_us
            for background in self._backgrounds:
                background.listens(radio, channel)

    def deafen(self, radio: Radio, channel: Hashable) -> None:
        """From now on `radio` does not hear `channel`."""
        if self._listeners.get(channel, {}).pop(radio, None) is not None:
            for background in self._backgrounds:
                background.deafens(radio, channel)

    def listening(self) -> list[tuple[Radio, Hashable]]:
        """List who listens where, now."""
        return [(radio, channel) for channel, heard in self._listeners.items() for radio in heard]

    def join(self, background: Background) -> None:
        """Add a source of packets beside the radios."""
        self._backgrounds.append(background)

    def leave(self, background: Background) -> None:
        """Take a source of packets away."""
        self._backgrounds.remove(background)

    @property
    def backgrounds(self) -> tuple[Background, ...]:
        """The sources of packets beside the radios."""
        return tuple(self._backgrounds)

    def filter(self, stops: Filter) -> Callable[[], None]:
        """Ask `stops` about every packet that would be received from now on; return what ends that."""
        self._filters.append(stops)

        def stop() -> None:
            if stops in self._filters:
                self._filters.remove(stops)

        return stop

    @property
    def by_chance(self) -> bool:
        """Whether more than power decides what is received: fading, loss, filters."""
        return bool(self.settings.fading_sigma_db or self.settings.loss or self._filters)

    def observe(
        self, callback: Callable[[Transmission, tuple[Outcome, ...]], object]
    ) -> Callable[[], None]:
        """Call `callback` at the end of every transmission, before the receivers; return what stops it.

        It gets an Outcome for each radio that listened since the start of the packet.
        """
        self._observers.append(callback)

        def stop() -> None:
            if callback in self._observers:
                self._observers.remove(callback)

        return stop

    @property
    def observed(self) -> bool:
        """Whether anybody observes."""
        return bool(self._observers)

    # Packets

    def transmit(
        self,
        radio: Radio,
        channel: Hashable,
        data: bytes,
        duration_us: int,
        *,
        power_dbm: int | None = None,
        meta: Any = None,
    ) -> Transmission:
        """Put `data` on `channel` from now for `duration_us`; power is the radio's unless given."""
        if duration_us <= 0:
            raise SimulationError(
                f"{radio.name}: a packet of {duration_us} us; its duration must be positive"
            )
        now_us = self.loop.now_us
        sent = Transmission(
            self.next_number(),
            now_us,
            now_us + duration_us,
            channel,
            radio.name,
            data,
            radio.tx_power_dbm if power_dbm is None else power_dbm,
            meta,
        )
        packet = Packet(sent, radio)
        self._recent.add(packet)
        self.loop.at_us(sent.end_us, self._deliver, packet)
        return sent

    def next_number(self) -> int:
        """Draw the number of the next transmission (from 1)."""
        self._number += 1
        return self._number

    def _deliver(self, packet: Packet) -> None:
        sent = packet.sent
        self.counts["transmissions"] += 1
        listeners = self._listeners.get(sent.channel)
        overlapping = self._recent.beside(sent) if self.settings.collisions else []
        backgrounds = self._backgrounds if self.settings.collisions else []
        outcomes: list[Outcome] | None = [] if self._observers else None
        heard: list[tuple[Radio, Reception]] = []
        power_dbm = sent.power_dbm - frequency_loss_db(sent.channel)
        for radio, since_us in listeners.items() if listeners else ():
            if since_us > sent.start_us or radio is packet.radio:
                continue
            mean_dbm = power_dbm - self.losses.loss_db(packet.radio, radio)
            rssi_dbm = self.faded_dbm(radio, mean_dbm)
            reason = self.refuses(radio, sent.start_us, sent.end_us, rssi_dbm)
            if not reason:
                noise_mw = self._sum_mw(overlapping, radio)
                for background in backgrounds:
                    noise_mw += background.power_mw(radio, sent.channel, sent.start_us, sent.end_us)
                reason = self.spoils(
                    radio, rssi_dbm, noise_mw, sender=sent.sender, data=sent.data, meta=sent.meta
                )
            self.counts[reason or "heard"] += 1
            if not reason:
                heard.append((radio, Reception(sent, rssi_dbm)))
            if outcomes is not None:
                outcomes.append(Outcome(radio.name, rssi_dbm, reason))
        if outcomes is not None:
            self.tell(sent, outcomes)
        for radio, reception in heard:
            radio.on_air(reception)

    # What a receiver makes of a packet; also for backgrounds

    def faded_dbm(self, radio: Radio, mean_dbm: float) -> int:
        """Power of a packet at `radio`, whole dBm; draws the fading of the packet."""
        if self.settings.fading_sigma_db:
            mean_dbm += self.streams.stream(f"air.fading/{radio.chance}").gauss(
                0.0, self.settings.fading_sigma_db
            )
        return round(mean_dbm)

    def refuses(self, radio: Radio, start_us: int, end_us: int, rssi_dbm: int) -> str:
        """Why `radio` cannot receive a packet at all, "" when it can."""
        if radio.sending and any(b > start_us and a < end_us for a, b in radio.sending):
            return "transmitting"
        if rssi_dbm < radio.sensitivity_dbm or rssi_dbm < self.settings.noise_floor_dbm:
            return "out_of_range"
        return ""

    def spoils(
        self,
        radio: Radio,
        rssi_dbm: int,
        noise_mw: float,
        *,
        sender: str,
        data: bytes,
        meta: Any = None,
    ) -> str:
        """Why `radio` does not get a packet that it could receive, "" when it does; draws the loss.

        `sender` is the name of the radio or crowd.
        """
        if noise_mw and MW[rssi_dbm] < noise_mw * self.capture_ratio:
            return "collision"
        loss = self.settings.loss
        if loss and self.streams.stream(f"air.loss/{radio.chance}").random() < loss:
            return "loss"
        for stops in self._filters:
            if reason := stops(radio, sender, data, meta):
                return reason
        return ""

    def noise_mw(
        self,
        radio: Radio,
        channel: Hashable,
        start_us: int,
        end_us: int,
        *,
        beside: Background | None = None,
    ) -> float:
        """Power at `radio` of all packets overlapping [start_us, end_us), which has ended, but those of `beside`."""
        if not self.settings.collisions:
            return 0.0
        total_mw = self._sum_mw(self._recent.between(channel, start_us, end_us), radio)
        for background in self._backgrounds:
            if background is not beside:
                total_mw += background.power_mw(radio, channel, start_us, end_us)
        return total_mw

    def spans_mw(
        self, radio: Radio, channel: Hashable, start_us: int, end_us: int
    ) -> list[tuple[int, int, float]]:
        """Spans (start, end) of the radios' packets overlapping [start_us, end_us), with their power at `radio`."""
        if not self.settings.collisions:
            return []
        packets = self._recent.between(channel, start_us, end_us)
        spans = [
            (p.sent.start_us, p.sent.end_us, self._sum_mw([p], radio)) for p in reversed(packets)
        ]
        return [span for span in spans if span[2]]

    def keep(self, keep_us: int) -> None:
        """Keep ended transmissions for at least `keep_us`: `noise_mw` is asked that far back."""
        self._recent.keep(keep_us)

    def tell(self, sent: Transmission, outcomes: Iterable[Outcome]) -> None:
        """Show a transmission that has ended to the observers."""
        told = tuple(outcomes)
        for observer in list(self._observers):
            observer(sent, told)

    def _sum_mw(self, packets: list[Packet], radio: Radio) -> float:
        total_mw = 0.0
        for packet in packets:
            if packet.radio is not radio:
                power_dbm = packet.sent.power_dbm - frequency_loss_db(packet.sent.channel)
                rssi_dbm = round(power_dbm - self.losses.loss_db(packet.radio, radio))
                if rssi_dbm >= self.settings.noise_floor_dbm:
                    total_mw += MW[rssi_dbm]
        return total_mw
