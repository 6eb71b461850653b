"""Data frames of a data path through the NAN radio of its device: the radio as `Link` needs it.

Rules: a frame goes only while the link's own opening lasts, and never in a discovery window that the device attends; its
acknowledgement, retries and duplicates are those of all frames (`mac.py`). Data frames go at their own rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware.airtime import ACK_OCTETS, airtime_us, sifs_us
from protocols.wifi_aware.openings import GUARD_US
from sim.wifi_aware.data_radio import Fate
from sim.wifi_aware.mac import Job, Opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.wifi_aware.radio import NanRadio

__all__ = ["DataOutgoing", "DataSending"]


class DataOutgoing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A data frame, and the opening that its link found for it."""

    number: int
    octets: bytes
    destination: str
    channel: int
    until_us: int
    """end of the opening, in simulated time."""
    name: str = "data"
    at_once: bool = False

    @property
    def opening(self) -> Opening:
        """For the MAC, which keeps the guard itself."""
        return Opening(self.channel, None, self.until_us + GUARD_US, None)


class DataSending:
    """One link's way to the air."""

    def __init__(
        self, radio: NanRadio, carried: Callable[[], object], lost: Callable[[bytes, int], object]
    ) -> None:
        """`carried` is called when the peer has acknowledged a frame; `lost` with one that it did not, and the tries."""
        self._radio = radio
        self._carried = carried
        self._lost = lost
        self._number = 0
        self._waiting: dict[int, tuple[Job, Callable[[Fate], object]]] = {}

    def tsf_us(self) -> int:
        """TSF of the cluster, now."""
        return self._radio.tsf_us(self._radio.now_us)

    def airtime_us(self, octets: int, channel: int) -> int:
        """From the start of a frame of that many octets (FCS aside) to the end of its Ack, without back-off."""
        acked = sifs_us(channel) + airtime_us(ACK_OCTETS, channel)
        return airtime_us(octets, channel, self._radio.settings.rate_mbit_s) + acked

    def send_data(
        self, octets: bytes, channel: int, until_us: int, done: Callable[[Fate], object]
    ) -> None:
        """Contend for `channel` from now on and send; nothing of it may last past `until_us` of simulated time."""
        self._number += 1
        out = DataOutgoing(
            number=self._number,
            octets=octets,
            destination=octets[4:10].hex(":"),
            channel=channel,
            until_us=until_us,
        )
        job = Job(out, self, until_us)
        self._waiting[out.number] = (job, done)
        self._radio.carry(job)

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of a frame."""
        found = self._waiting.pop(number, None)
        if found is None:
            return
        job, done = found
        if acked:
            self._carried()
        tired = job.tries > self._radio.settings.retry_limit
        if tired and not acked:
            self._lost(job.octets, job.tries)
        done(Fate.ACKED if acked else Fate.LOST if tired else Fate.LATE)
