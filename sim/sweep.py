"""Sweep over the packets of a crowd on one channel, as one receiver hears them: who overlaps whom, and how strongly.

Packets are sorted ints `start_us << shift | member`. Members without a power at the receiver are skipped: they
neither are heard nor disturb. Intervals are [start, end).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Swept", "sweep"]

Swept = tuple[int, int, float]
"""Start (us), member, sum of the powers (mW) that overlap it."""


def sweep(
    keys: Iterable[int], shift: int, power_mw: Mapping[int, float], duration_us: Sequence[int]
) -> list[Swept]:
    """List the packets of members in `power_mw` by start, each with the interference it meets."""
    mask = (1 << shift) - 1
    swept: list[Swept] = []
    append = swept.append
    crowded: list[tuple[int, int]] = []
    last_start_us = last_member = busy_until_us = -1
    for key in keys:
        member = key & mask
        if member not in power_mw:
            continue
        start_us = key >> shift
        if start_us >= busy_until_us:
            if crowded:
                _resolve(crowded, power_mw, duration_us, swept)
                crowded = []
            elif last_member >= 0:
                append((last_start_us, last_member, 0.0))
            last_start_us = start_us
            last_member = member
            busy_until_us = start_us + duration_us[member]
        else:
            if not crowded:
                crowded.append((last_start_us, last_member))
            crowded.append((start_us, member))
            end_us = start_us + duration_us[member]
            if end_us > busy_until_us:  # max() is a call, and this is the hot loop
                busy_until_us = end_us
    if crowded:
        _resolve(crowded, power_mw, duration_us, swept)
    elif last_member >= 0:
        append((last_start_us, last_member, 0.0))
    return swept


def _resolve(
    crowded: list[tuple[int, int]],
    power_mw: Mapping[int, float],
    duration_us: Sequence[int],
    swept: list[Swept],
) -> None:
    """Append a run of packets in which each overlaps some other, sorted by start."""
    if len(crowded) == 2:
        (start_a, a), (start_b, b) = crowded
        swept.append((start_a, a, power_mw[b]))
        swept.append((start_b, b, power_mw[a]))
        return
    noise_mw = [0.0] * len(crowded)
    for i, (start_us, member) in enumerate(crowded):
        end_us = start_us + duration_us[member]
        own_mw = power_mw[member]
        for j in range(i + 1, len(crowded)):
            other_us, other = crowded[j]
            if other_us >= end_us:
                break
            noise_mw[i] += power_mw[other]
            noise_mw[j] += own_mw
    swept.extend(
        (start_us, member, noise)
        for (start_us, member), noise in zip(crowded, noise_mw, strict=True)
    )
