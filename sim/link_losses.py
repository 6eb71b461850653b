"""What is lost on the way between two radios.

Rules: mean losses only, without the fading of a packet (`sim/air.py` draws that); a loss is worked out once and
remembered until one of the two moves; the models are those of `sim/propagation.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.propagation import distance_m, frequency_loss_db, path_loss_db, shadowing_db

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sim.clock import VirtualLoop
    from sim.propagation import AirSettings, Position
    from sim.radio import Radio
    from sim.rng import Streams

__all__ = ["LinkLosses"]


class LinkLosses:
    """Losses between the radios of a world."""

    def __init__(self, loop: VirtualLoop, streams: Streams, settings: AirSettings) -> None:
        self._loop = loop
        self._streams = streams
        self._settings = settings
        self._known: dict[Radio, dict[Radio, float]] = {}

    def loss_db(self, a: Radio, b: Radio) -> float:
        """Loss between two radios now, dB."""
        known = self._known.get(a)
        loss_db = None if known is None else known.get(b)
        if loss_db is not None:
            return loss_db
        now_us = self._loop.now_us
        loss_db = self.loss_from(a.name, a.position_at(now_us), b)
        if not a.moving_at(now_us) and not b.moving_at(now_us):
            self._known.setdefault(a, {})[b] = loss_db
            self._known.setdefault(b, {})[a] = loss_db
        return loss_db

    def rssi_dbm(self, sender: Radio, receiver: Radio, channel: Hashable = None) -> int:
        """Mean power of `sender` at `receiver` now, whole dBm; at 2.4 GHz unless a channel is given."""
        power_dbm = sender.tx_power_dbm - frequency_loss_db(channel)
        return round(power_dbm - self.loss_db(sender, receiver))

    def loss_from(self, name: str, position: Position, radio: Radio) -> float:
        """Loss between the node `name` at `position` and `radio` now, dB; nothing is remembered."""
        distance = distance_m(position, radio.position_at(self._loop.now_us))
        return path_loss_db(self._settings, distance) + shadowing_db(
            self._settings, self._streams, name, radio.name
        )

    def forget(self, radio: Radio) -> None:
        """Drop what was remembered of `radio`."""
        for other in self._known.pop(radio, {}):
            self._known.get(other, {}).pop(radio, None)
