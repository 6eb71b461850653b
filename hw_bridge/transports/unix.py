"""A controller behind a UNIX socket; a name that begins with @ is in the abstract name space (Linux)."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hw_bridge.errors import BadMonikerError, NoBackendError, advice_for, opening_error
from hw_bridge.link import OPEN_S, Link, LinkInfo, Transport
from hw_bridge.links.stream import StreamLink
from hw_bridge.transports._octets import FRAMING, OctetPort
from protocols.errors import UsageError

if TYPE_CHECKING:
    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker

__all__ = ["TRANSPORT", "UnixPort", "check_length"]

_REMEDIES = advice_for(
    "start the program that listens there first, and check the path", "refused", "not-found"
)
_LONGEST = 107 if sys.platform == "linux" else 103
"""Octets of sun_path without the zero at the end (unix(7), and that of macOS)."""


def check_length(path: str, error: type[UsageError] = UsageError) -> None:
    """Whether a system takes the path of a socket. Raises `error`."""
    if len(os.fsencode(path)) > _LONGEST:
        raise error(
            f"{path[:20]}...: {len(path)} characters are too long for a socket, which takes {_LONGEST}"
        )


def _is_something_else(path: str) -> bool:
    """Whether something is there that is no socket."""
    return not path.startswith("@") and Path(path).exists() and not Path(path).is_socket()


class UnixPort(OctetPort):
    """One path."""

    def __init__(self, moniker: Moniker) -> None:
        super().__init__(moniker)
        if not moniker.target:
            raise BadMonikerError(
                f"{moniker.text}: the path is missing, as in unix:/tmp/controller"
            )
        check_length(moniker.target, BadMonikerError)

    def present(self) -> bool:
        """Whether the socket is there."""
        return self.moniker.target.startswith("@") or Path(self.moniker.target).exists()

    async def open(self, receiver: Receiver) -> Link:
        """Connect. Raises BridgeError."""
        if sys.platform == "win32":
            raise NoBackendError(f"{self.moniker.text}: Python on Windows has no UNIX sockets")
        loop = asyncio.get_running_loop()
        path = self.moniker.target
        if _is_something_else(path):
            raise BadMonikerError(
                f"{self.moniker.text}: {path} is no socket; give the path on which the controller listens"
            )
        info = LinkInfo(node=path)
        try:
            async with asyncio.timeout(OPEN_S):
                _, link = await loop.create_unix_connection(
                    lambda: StreamLink(receiver, info),
                    "\0" + path[1:] if path.startswith("@") else path,
                )
        except (OSError, TimeoutError) as exc:
            raise opening_error(exc, self.moniker.text, remedies=_REMEDIES) from exc
        return link


TRANSPORT = Transport(
    summary="a controller that listens on a UNIX socket",
    form="unix:PATH | unix:@NAME",
    example="unix:/run/user/1000/controller",
    carries="octets",
    options=FRAMING,
    platforms=("linux", "darwin"),
    port=UnixPort,
)
