"""Where and when an instance of unsynchronised discovery sends and listens: its channels and timers.

Wi-Fi Aware 4.0, unsynchronised service discovery; digest 3.7, as in hostap src/common/nan_de.c. A publisher is on
its default channel for a while, then goes through its list, and begins again; a subscriber stays on the default
channel. What happens when a timer ends is a row of the table of `discovery_table.py`. No clock, no IO; the length of
a state is drawn (`usd_state`, one octet).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.discovery_table import Input
from protocols.wifi_aware.events import Tuned
from protocols.wifi_aware.timing import DW_INTERVAL_US

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.discovery_settings import UnsynchronisedSettings
    from protocols.wifi_aware.engine import Engine
    from protocols.wifi_aware.service_options import Instance

__all__ = ["Unsynchronised"]

_CYCLE = (Input.CYCLE,)
_TOUR = (Input.PERIOD, Input.STATE_OVER, Input.DWELL_OVER)
_ALL = (*_TOUR, *_CYCLE, Input.PAUSE_OVER, Input.LIFE_SPENT)


class Unsynchronised:
    """Channels and timers of the instances of one engine; `step` is told which timer ended."""

    def __init__(
        self,
        engine: Engine,
        settings: UnsynchronisedSettings,
        step: Callable[[Instance, Input, int], object],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._step = step

    def begin(self, instance: Instance, now: int) -> None:
        """Start an instance: tune, announce at once, and count its life."""
        if instance.windows_left is not None:
            life = instance.windows_left * DW_INTERVAL_US
            self._start(instance, Input.LIFE_SPENT, now + life)
        self._begin_cycle(instance, now)
        if instance.service.publish:
            self.settle(instance, now)
        else:
            self._tune(instance, self._settings.channel)
            self._start(instance, Input.PERIOD, now)

    def end(self, instance: Instance) -> None:
        """Stop all timers of an instance and listen no longer."""
        self._stop(instance, _ALL)
        self._tune(instance, None)

    def settle(self, instance: Instance, now: int) -> None:
        """Go to the default channel for a while."""
        self._stop(instance, (*_TOUR, Input.PAUSE_OVER))
        instance.selected = None
        self._tune(instance, self._settings.channel)
        self._start(instance, Input.PERIOD, now)
        self._start(instance, Input.STATE_OVER, now + self._length())

    def tour(self, instance: Instance, now: int) -> None:
        """Go through the list of channels for a while, from its beginning."""
        self._stop(instance, _TOUR)
        self._start(instance, Input.STATE_OVER, now + self._length())
        self._visit(instance, 0, now)

    def hop(self, instance: Instance, now: int) -> None:
        """Go to the next channel of the list."""
        self._visit(instance, instance.position + 1, now)

    def pause(self, instance: Instance, selected: tuple[str, int], now: int) -> None:
        """Stay on this channel with one subscriber, silent."""
        self._stop(instance, (*_TOUR, *_CYCLE))
        instance.selected = selected
        self._start(instance, Input.PAUSE_OVER, now + self._settings.pause_us)

    def suspend(self, instance: Instance, now: int) -> None:
        """Switch the radio off for a while."""
        self._stop(instance, _TOUR)
        self._tune(instance, None)
        self._start(instance, Input.CYCLE, now + self._settings.suspend_us)

    def resume(self, instance: Instance, now: int) -> None:
        """Settle after a pause or with the radio on again; the next cycle begins."""
        self._begin_cycle(instance, now)
        self.settle(instance, now)

    def announced(self, instance: Instance, now: int) -> None:
        """Plan the next announcement or query."""
        self._start(instance, Input.PERIOD, now + self._settings.period_us)

    def _length(self) -> int:
        """µs of one state."""
        settings = self._settings
        choices = max(1, settings.most - settings.least)
        drawn = self._engine.station.draw("usd_state", 1)[0]
        return (settings.least + drawn * choices // 256) * settings.unit_us

    def _visit(self, instance: Instance, at: int, now: int) -> None:
        channels = self._settings.channels or (self._settings.channel,)
        instance.position = at % len(channels)
        self._tune(instance, channels[instance.position])
        self._start(instance, Input.DWELL_OVER, now + self._settings.dwell_us)
        self._start(instance, Input.PERIOD, now)

    def _begin_cycle(self, instance: Instance, now: int) -> None:
        settings = self._settings
        if settings.suspend_us and instance.service.publish:
            on_us = settings.cycle_us - settings.suspend_us
            self._start(instance, Input.CYCLE, now + on_us)

    def _tune(self, instance: Instance, channel: int | None) -> None:
        if channel != instance.channel:
            instance.channel = channel
            self._engine.station.emit(Tuned(handle=instance.handle, channel=channel))

    def _start(self, instance: Instance, timer: Input, due: int) -> None:
        def ended(now: int) -> None:
            self._step(instance, timer, now)

        self._engine.start_timer(_name(instance, timer), due, ended)

    def _stop(self, instance: Instance, timers: tuple[Input, ...]) -> None:
        for timer in timers:
            self._engine.stop_timer(_name(instance, timer))


def _name(instance: Instance, timer: Input) -> str:
    return f"discovery {instance.handle}: {timer.value}"
