"""A port and its link, opened together and given back together: for who speaks no HCI over it (sniffers, radios).

Rules of the file: what is written while it is closed is dropped; so is what a line does not take, which is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hw_bridge.link import Link, Port, Receiver

__all__ = ["Line"]

_WAITING_OCTETS: Final = 65536


class Line:
    """Closed until it is opened; may be opened again."""

    def __init__(self) -> None:
        self._port: Port | None = None
        self._link: Link | None = None

    async def open(self, port: Port, receiver: Receiver) -> None:
        """Open a port. Raises BridgeError."""
        self._port = port
        self._link = await port.open(receiver)

    def write(self, octets: bytes) -> bool:
        """Send octets; False when the line takes none any more, or is closed."""
        if self._link is None or self._link.buffered >= _WAITING_OCTETS:
            return False
        self._link.write(octets)
        return True

    async def close(self) -> None:
        """Give both back."""
        link, port, self._link, self._port = self._link, self._port, None, None
        if link is not None:
            await link.close()
        if port is not None:
            await port.close()
