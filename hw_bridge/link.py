"""What a transport gives: a port that can be opened again and again, and the open link.

Rules of the file: a link never blocks the loop, calls its receiver only from the loop, keeps what it could not write
yet in one buffer that the single writer looks at, and tells that it is lost exactly once. `close` never raises and
ends within CLOSE_S.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from hw_bridge.moniker import Moniker, Option

if TYPE_CHECKING:
    from hw_bridge.errors import LostError
    from protocols.hci.framing import Framer

__all__ = ["CLOSE_S", "OPEN_S", "Carries", "Link", "LinkInfo", "Port", "Receiver", "Transport"]

OPEN_S = 5.0
CLOSE_S = 2.0

Carries = Literal["octets", "packets"]
"""A stream of octets that needs a framer, or whole H4 packets."""


class LinkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a device before it says anything."""

    node: str = ""
    """What was opened: `/dev/ttyACM0`, `127.0.0.1:6402`."""
    vid: int | None = None
    pid: int | None = None
    serial: str = ""
    location: str = ""
    """Physical port, as `1-2.3`; with the interface where there are several."""
    product: str = ""
    bcd_device: int | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells two devices on one node apart; empty where nothing does."""
        if self.vid is None:
            return ()
        return (self.vid, self.pid, self.serial or self.location)


class Receiver(Protocol):
    """Who is told what comes over a link."""

    def on_data(self, data: bytes) -> None:
        """Octets came, or one packet."""
        ...

    def on_writable(self) -> None:
        """Everything written so far has been taken."""
        ...

    def on_trouble(self, text: str) -> None:
        """Something was lost and the link goes on (a stalled USB transfer, say)."""
        ...

    def on_lost(self, error: LostError) -> None:
        """The link is gone; nothing comes after this."""
        ...


class Link(Protocol):
    """An open way to a controller."""

    @property
    def info(self) -> LinkInfo:
        """What it leads to."""
        ...

    @property
    def buffered(self) -> int:
        """Octets written and not taken yet."""
        ...

    @property
    def taken(self) -> int:
        """Octets taken so far; it grows while the other side reads."""
        ...

    def write(self, data: bytes) -> None:
        """Send octets or one packet; what cannot go now stays in the buffer. Ignored on a lost link."""
        ...

    def pause_reading(self) -> None:
        """Leave what comes where it is, until `resume_reading`."""
        ...

    def resume_reading(self) -> None:
        """Read again."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


class Port(Protocol):
    """Something that can be opened, lost and opened again."""

    @property
    def needs_probe(self) -> bool:
        """Whether a controller is asked who it is before it is used; a recording is not."""
        ...

    def framer(self) -> Framer:
        """A new framer for a new link."""
        ...

    def present(self) -> bool:
        """Whether opening is worth a try; cheap, never raises."""
        ...

    async def open(self, receiver: Receiver) -> Link:
        """Open it. Raises BridgeError."""
        ...

    async def close(self) -> None:
        """Give back what stays between two links (a listening socket, a PTY)."""
        ...


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of `hw_bridge/transports` registers as TRANSPORT."""

    summary: str
    form: str
    """How its monikers are written."""
    example: str
    carries: Carries
    options: tuple[Option, ...] = ()
    platforms: tuple[str, ...] = ("linux", "darwin", "win32")
    """Values of sys.platform on which it works."""
    port: Callable[[Moniker], Port]
    """Makes the port; imports third parties only when it is opened. Raises BadMonikerError."""
