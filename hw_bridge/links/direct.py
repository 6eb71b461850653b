"""What links to something in this process have in common: nothing ever waits to be taken.

Rules of the file: who inherits counts what it was given in `_taken`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hw_bridge.link import LinkInfo, Receiver

__all__ = ["DirectLink"]


class DirectLink:
    """Base of a link without a line."""

    def __init__(self, receiver: Receiver, info: LinkInfo) -> None:
        self._receiver = receiver
        self._info = info
        self._reading = True
        self._taken = 0

    @property
    def info(self) -> LinkInfo:
        """What it leads to."""
        return self._info

    @property
    def buffered(self) -> int:
        """Nothing ever waits."""
        return 0

    @property
    def taken(self) -> int:
        """Octets taken so far."""
        return self._taken

    def pause_reading(self) -> None:
        """Keep what comes."""
        self._reading = False
