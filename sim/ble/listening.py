"""How a scanner and an initiator listen: windows on the primary channels, and auxiliary packets they are pointed to.

Bluetooth Core specification 5.4, Vol 6 Part B, 4.4.3 (scanning: a window per interval, the next channel of 37, 38, 39
at each interval) and 4.4.2.2 (auxiliary packets). Rules of the file:
* With several PHYs one rotation serves all, with the interval and window of the first.
* Following a pointer does not interrupt the primary window (the radio has a spare receiver).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Reception
    from sim.ble.ext_pdus import AuxPtr, ExtPdu
    from sim.ble.pdus import AdvPdu
    from sim.ble.radio import BleRadio
    from sim.clock import Event, VirtualLoop

__all__ = ["AuxListener", "Windows"]

UNIT_US = 625
CHANNELS = (37, 38, 39)
EARLY_US = 20  # an auxiliary window opens that much before the earliest start
LONGEST_US = {1: 2128, 2: 1064, 3: 17_040}  # longest packet of each PHY


class Windows:
    """Rotation over the primary channels; `channel` is the one heard now, None between windows.

    `first` (0..2) is where the rotation begins; it goes on from there when stopped and started again.
    """

    def __init__(self, radio: BleRadio, loop: VirtualLoop, first: int) -> None:
        self._radio = radio
        self._loop = loop
        self._timer: Event | None = None
        self._next = first
        self._interval_us = self._window_us = 0
        self.channel: int | None = None
        self.ends_us = 0

    def start(self, interval: int, window: int) -> None:
        """Begin now with the next channel; `interval` and `window` in 0.625 ms units, 1 <= window <= interval."""
        self.stop()
        self._interval_us = interval * UNIT_US
        self._window_us = window * UNIT_US
        self._open()

    def stop(self) -> None:
        """Hear no primary channel any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._close()

    def _open(self) -> None:
        self._close()
        self.channel = CHANNELS[self._next]
        self._next = (self._next + 1) % 3
        self._radio.listen(self.channel)
        self.ends_us = self._loop.now_us + self._window_us
        if self._window_us < self._interval_us:
            self._timer = self._loop.after_us(self._window_us, self._pause)
        else:
            self._timer = self._loop.after_us(self._interval_us, self._open)

    def _pause(self) -> None:
        self._close()
        self._timer = self._loop.after_us(self._interval_us - self._window_us, self._open)

    def _close(self) -> None:
        if self.channel is not None:
            self._radio.deafen(self.channel)
            self.channel = None


class AuxListener:
    """Waits for the one packet that an AuxPtr announces, or for an answer at T_IFS on a known channel."""

    def __init__(
        self,
        radio: BleRadio,
        loop: VirtualLoop,
        done: Callable[[AuxListener, Reception | None, AdvPdu | ExtPdu | None], None],
    ) -> None:
        self._radio = radio
        self._loop = loop
        self._done = done
        self._timer: Event | None = None
        self._heard = False
        self.channel = -1
        self.phy = 1

    def follow(self, pointer: AuxPtr, start_us: int) -> bool:
        """Listen for the packet announced by a packet that started at `start_us`; False when it is too late for it."""
        earliest_us = start_us + pointer.offset_us - EARLY_US
        if earliest_us < self._loop.now_us:
            return False
        self.channel, self.phy = pointer.channel, pointer.phy
        latest_us = start_us + pointer.offset_us + pointer.unit_us
        self._timer = self._loop.at_us(
            earliest_us, self._listen, latest_us + LONGEST_US[pointer.phy]
        )
        return True

    def answer(self, channel: int, phy: int, until_us: int) -> None:
        """Listen on `channel` from now until `until_us`."""
        self.channel, self.phy = channel, phy
        self._listen(until_us)

    def _listen(self, until_us: int) -> None:
        self._radio.listen(self.channel)
        self._heard = True
        self._timer = self._loop.at_us(until_us, self._missed)

    def _missed(self) -> None:
        self._end()
        self._done(self, None, None)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heard:
            self._heard = False
            self._radio.deafen(self.channel)

    @property
    def open(self) -> bool:
        """Whether it listens now."""
        return self._heard

    def take(self, reception: Reception, packet: AdvPdu | ExtPdu) -> None:
        """`packet` is the one it waited for."""
        self._end()
        self._done(self, reception, packet)

    def cancel(self) -> None:
        """Stop without a word."""
        self._end()
