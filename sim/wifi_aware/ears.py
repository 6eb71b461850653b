"""The channels that one NAN radio listens on, and why: it listens on a channel as long as there is a reason.

Reasons are words: `window`, `search`, `slot` and `ack` end with the cluster, `tuned ...` is unsynchronised discovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.wifi_aware.on_air import WIFI

if TYPE_CHECKING:
    from sim.air import Radio

__all__ = ["Ears"]

_OF_CLUSTER = ("window", "search", "slot", "ack")
"""Reasons to listen that end with the cluster."""


class Ears:
    """Reasons to listen by channel number; the air hears of the first and the last one."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._reasons: dict[int, set[str]] = {}

    @property
    def channels(self) -> list[int]:
        """Channels on which it listens."""
        return list(self._reasons)

    def open_for(self, channel: int, why: str) -> bool:
        """Whether it listens on a channel for that reason."""
        return why in self._reasons.get(channel, ())

    def open(self, channel: int, why: str) -> None:
        """Listen on a channel for one more reason."""
        reasons, air = self._reasons.setdefault(channel, set()), self._radio.air
        if not reasons and air is not None:
            air.listen(self._radio, (WIFI, channel))
        reasons.add(why)

    def close(self, channel: int, why: str) -> None:
        """That reason is over."""
        reasons, air = self._reasons.get(channel, set[str]()), self._radio.air
        reasons.discard(why)
        if not reasons and air is not None:
            self._reasons.pop(channel, None)
            air.deafen(self._radio, (WIFI, channel))

    def stay(self, channel: int | None, why: str) -> None:
        """For that reason listen on one channel and no other, or on none."""
        if self._radio.air is None:
            return
        for old in [old for old in self._reasons if self.open_for(old, why)]:
            if old != channel:
                self.close(old, why)
        if channel is not None:
            self.open(channel, why)

    def leave_cluster(self) -> None:
        """What was listened to for the cluster is over."""
        for channel, why in [(c, why) for c, reasons in self._reasons.items() for why in reasons]:
            if why in _OF_CLUSTER:
                self.close(channel, why)

    def forget(self) -> None:
        """The radio is switched off: the air forgets it as a whole."""
        self._reasons.clear()
