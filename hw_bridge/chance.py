"""Chance of a world that has real devices in it: what must stay secret comes from the system, the rest from the seed.

Rules of the file: a run that is given a seed by the user draws everything from it, so that it can be repeated; its keys
are then no secrets.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from sim.rng import Streams

if TYPE_CHECKING:
    from sim.rng import Random

__all__ = ["SystemStreams"]

_KEYS: Final = "crypto/"
_ADDRESSES: Final = ("/address", "/public")


class SystemStreams(Streams):
    """Keys, nonces and pins from the system; addresses and what is no secret from the seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._system = random.SystemRandom()

    def stream(self, name: str) -> Random:
        """The stream `name`; streams of secrets are one, and cannot be repeated."""
        if name.startswith(_KEYS) and not name.endswith(_ADDRESSES):
            return self._system
        return super().stream(name)
