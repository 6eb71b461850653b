"""Arithmetic of NAN time: TSF, discovery windows, slots.

Wi-Fi Aware 4.0, synchronisation; constants as in Linux drivers/net/wireless/virtual/mac80211_hwsim_nan.c. A TSF is
an integer in microseconds. Slot numbers count 16-TU slots from DW0, the discovery window whose start has its low
23 bits zero; after 512 slots they start again. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ALL_SLOTS",
    "BAND_2_4",
    "BAND_5",
    "DW0_INTERVAL_US",
    "DW_INTERVAL_US",
    "DW_US",
    "SLOTS",
    "SLOTS_PER_DW_INTERVAL",
    "SLOT_US",
    "TU_US",
    "attends",
    "dw_index",
    "dw_slots",
    "dw_start",
    "in_dw",
    "is_jump",
    "next_dw",
    "ranges",
    "repeated",
    "slot_of",
]

TU_US = 1024
SLOT_US = 16 * TU_US
DW_US = SLOT_US
"""length of a discovery window."""
DW_INTERVAL_US = 512 * TU_US
DW0_INTERVAL_US = 8192 * TU_US
SLOTS_PER_DW_INTERVAL = 32
SLOTS = 512
"""slots from one DW0 to the next."""
ALL_SLOTS = frozenset(range(SLOTS))

BAND_2_4, BAND_5 = 2, 4
"""Band IDs of the two bands that have discovery windows."""
_DW_SLOT = {BAND_2_4: 0, BAND_5: 8}
_JUMP_US = 4 * TU_US


def dw_index(tsf_us: int) -> int:
    """Number 0 to 15 of the discovery window whose interval this is; 0 is DW0."""
    return tsf_us // DW_INTERVAL_US % 16


def dw_start(tsf_us: int, band: int = BAND_2_4) -> int:
    """TSF of the start of the last discovery window of `band` that began by then (negative before the first)."""
    offset = _DW_SLOT[band] * SLOT_US
    return (tsf_us - offset) // DW_INTERVAL_US * DW_INTERVAL_US + offset


def in_dw(tsf_us: int, band: int = BAND_2_4) -> bool:
    """Whether a discovery window of `band` is going on."""
    return tsf_us - dw_start(tsf_us, band) < DW_US


def attends(index: int, wake: int) -> bool:
    """Whether a device with this committed wake value (0 to 7) is awake in discovery window `index`.

    1 to 5: every 2**(wake - 1)th, counted from DW0; 0 and the reserved values: never.
    """
    return 1 <= wake <= 5 and index % (1 << wake - 1) == 0


def next_dw(tsf_us: int, band: int = BAND_2_4, wake: int = 1) -> int | None:
    """TSF of the next start, from `tsf_us` on, of a discovery window that such a device attends; None: never."""
    if not attends(0, wake):
        return None
    start = dw_start(tsf_us + DW_INTERVAL_US - 1, band)
    while not attends(dw_index(start), wake):
        start += DW_INTERVAL_US
    return start


def dw_slots(band: int = BAND_2_4, wake: int = 1) -> frozenset[int]:
    """Slots of the discovery windows that a device with this committed wake value attends."""
    first = _DW_SLOT[band]
    return frozenset(
        index * SLOTS_PER_DW_INTERVAL + first for index in range(16) if attends(index, wake)
    )


def slot_of(tsf_us: int) -> int:
    """Slot 0 to 511 of this instant."""
    return tsf_us // SLOT_US % SLOTS


def is_jump(adjustment_us: int) -> bool:
    """Whether a correction of the TSF is so large that the schedule starts over at the next discovery window."""
    return abs(adjustment_us) > _JUMP_US


def repeated(ons: Iterable[int], period: int | None, offset: int) -> frozenset[int]:
    """Slots `ons` of one period (None: not repeated), moved by `offset`, over the 512 slots; none wraps around.

    As hostap, a period that does not fit whole into the 512 slots any more is left out.
    """
    starts = (0,) if period is None else range(0, SLOTS - period + 1, period)
    marks = tuple(ons)
    return frozenset(
        slot for start in starts for on in marks if (slot := start + offset + on) < SLOTS
    )


def ranges(slots: Iterable[int]) -> list[tuple[int, int]]:
    """(first, last) of each run of neighbouring slots, in order."""
    out: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if out and out[-1][1] == slot - 1:
            out[-1] = (out[-1][0], slot)
        else:
            out.append((slot, slot))
    return out
