"""What the link of a data path needs of the radio of its device.

The link decides when a frame may go (the slots of the NDL) and hands over one frame at a time; the radio contends,
sends, waits for the Ack, sends again with the retry bit, and drops repeated frames or leaves that to the link.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DataRadio", "Fate"]


class Fate(StrEnum):
    """What became of a frame."""

    ACKED = "acked"
    LOST = "lost"
    """sent as often as the radio tries, and no Ack came."""
    LATE = "late"
    """the time was over before the radio got through, or had tried as often as it does."""


class DataRadio(Protocol):
    """The lower edge of a link."""

    def tsf_us(self) -> int:
        """TSF of the cluster, now."""
        ...

    def airtime_us(self, octets: int, channel: int) -> int:
        """From the start of a frame of that many octets (FCS aside) to the end of its Ack, without back-off."""
        ...

    def send_data(
        self, octets: bytes, channel: int, until_us: int, done: Callable[[Fate], object]
    ) -> None:
        """Contend for `channel` from now on and send; nothing of it may last past `until_us` of simulated time.

        `done` is called once, later.
        """
        ...
