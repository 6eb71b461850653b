"""A port whose cable can be pulled by a program: what happens then is what happens when a hand does it.

Rules of the file: pulling goes through `Receiver.on_lost`, as every loss; while it is out nothing is opened and the port
is not present. Called from the loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hw_bridge.errors import LostError, NotFoundError

if TYPE_CHECKING:
    from hw_bridge.link import Link, Port, Receiver
    from protocols.hci.framing import Framer

__all__ = ["PullablePort"]


class PullablePort:
    """`port`, as long as it is not out."""

    def __init__(self, name: str, port: Port) -> None:
        self.is_out = False
        self._name = name
        self._port = port
        self._receiver: Receiver | None = None

    @property
    def needs_probe(self) -> bool:
        """As the port says."""
        return self._port.needs_probe

    def framer(self) -> Framer:
        """As the port has it."""
        return self._port.framer()

    def present(self) -> bool:
        """Whether it is in, and there."""
        return not self.is_out and self._port.present()

    async def open(self, receiver: Receiver) -> Link:
        """Open the port. Raises BridgeError."""
        self._check()
        link = await self._port.open(receiver)
        if self.is_out:  # pulled in the meantime
            await link.close()
            self._check()
        self._receiver = receiver
        return link

    async def close(self) -> None:
        """Give the port back."""
        self._receiver = None
        await self._port.close()

    def pull(self) -> None:
        """Pull the cable."""
        self.is_out = True
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.on_lost(LostError(f"{self._name}: pulled out in software; plug it in again"))

    def plug(self) -> None:
        """Put it in again."""
        self.is_out = False

    def _check(self) -> None:
        if self.is_out:
            raise NotFoundError(f"{self._name}: pulled out in software; plug it in again")
