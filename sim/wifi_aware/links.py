"""How strongly many devices hear a sender: a row of powers, and bit masks of those above a threshold.

Rules:
* All stand still; powers are whole dBm, as the air rounds them. Bit i of a mask is device i.
* A row holds one octet for each device, a thousand are made in a fraction of a millisecond. Rows and masks of those
  who have sent last are kept.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from sim.propagation import NEAR_M, path_loss_db, shadowing_db

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sim.air import Air
    from sim.propagation import Position

__all__ = ["ROW_OFFSET", "Links", "Origin", "bits", "mask_of"]

ROW_OFFSET = 200
"""What is added to powers in a row: -200 dBm and less is 0."""
KEPT_ROWS_OCTETS = 1_000_000
"""Rows that are kept, octets in all."""
KEPT_MASKS_OCTETS = 100_000
"""Masks that are kept, with their keys."""
_KEY_OCTETS = 200
_DIGITS = bytes.maketrans(b"\x00\x01", b"01")

Origin = tuple[str, tuple[float, float, float], float]
"""Name of a sender, its place, and its power less what the channel loses beyond 2.4 GHz."""


def bits(mask: int) -> Iterator[int]:
    """Numbers of the bits that are set, from the lowest."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def mask_of(flags: Iterable[bool]) -> int:
    """The mask whose bit i is flag i."""
    return int(bytes(flags).translate(_DIGITS)[::-1] or b"0", 2)


class Links:
    """Devices at `positions`, a list that may grow; `name` gives the name of each, for shadowing."""

    def __init__(self, air: Air, positions: list[Position], name: Callable[[int], str]) -> None:
        self._air = air
        self._positions = positions
        self._name = name
        self._rows: dict[Origin, bytes] = {}
        self._masks: dict[tuple[Origin, int], int] = {}
        self._tables: dict[int, bytes] = {}

    def grown(self) -> None:
        """Devices were added: everything is made anew."""
        self._rows.clear()
        self._masks.clear()

    def reach(self, origin: Origin, least_dbm: int, *, keep: bool) -> int:
        """Devices at which a sender has at least that power; `keep` it for the next time."""
        key = (origin, least_dbm)
        known = self._masks.pop(key, None)
        if known is None:
            table = self._tables.get(least_dbm)
            if table is None:
                digits = (b"1" if n - ROW_OFFSET >= least_dbm else b"0" for n in range(256))
                table = self._tables[least_dbm] = b"".join(digits)
            known = int(self.row(origin, keep=keep).translate(table)[::-1] or b"0", 2)
        if keep:
            size = len(self._positions) // 8 + _KEY_OCTETS
            while len(self._masks) * size > KEPT_MASKS_OCTETS:
                del self._masks[next(iter(self._masks))]
            self._masks[key] = known
        return known

    def row(self, origin: Origin, *, keep: bool) -> bytes:
        """Power at every device: whole dBm plus `ROW_OFFSET`, 0 to 255."""
        row = self._rows.pop(origin, None)
        if row is None:
            row = self._made(*origin)
        if keep:
            while len(self._rows) * len(row) > KEPT_ROWS_OCTETS:
                del self._rows[next(iter(self._rows))]
            self._rows[origin] = row
        return row

    def rssi_dbm(self, origin: Origin, device: int) -> int:
        """Power at one device, whole dBm."""
        row = self._rows.get(origin)
        if row is not None:
            return row[device] - ROW_OFFSET
        return round(self.mean_dbm(origin, device))

    def mean_dbm(self, origin: Origin, device: int) -> float:
        """Power at one device, before it is rounded."""
        name, at, power_dbm = origin
        settings = self._air.settings
        loss_db = path_loss_db(settings, math.dist(at, self._positions[device]))
        if settings.shadowing_sigma_db:
            loss_db += shadowing_db(settings, self._air.streams, name, self._name(device))
        return power_dbm - loss_db

    def _made(self, name: str, at: Position, power_dbm: float) -> bytes:
        settings = self._air.settings
        if settings.shadowing_sigma_db:
            origin = (name, at, power_dbm)
            powers = [round(self.mean_dbm(origin, i)) for i in range(len(self._positions))]
        else:
            fixed, factor = settings.reference_loss_db, 10.0 * settings.path_loss_exponent
            metres = map(math.dist, itertools.repeat(at), self._positions)
            logs = map(math.log10, map(max, metres, itertools.repeat(NEAR_M)))
            powers = [round(power_dbm - (fixed + factor * log)) for log in logs]
        try:
            return bytes([power + ROW_OFFSET for power in powers])
        except ValueError:  # farther than a row can say
            return bytes([min(255, max(0, power + ROW_OFFSET)) for power in powers])
