"""Doors by which foreign hosts reach a controller of ours: TCP, a UNIX socket, a pseudo terminal.

Digest 6.8, 8.3. Rules of the file: TCP listens on the loopback address unless told otherwise; a UNIX socket has mode
0600, and one that a dead program left is replaced, a live one never; a pseudo terminal is emptied between two clients
and removed at the end. A pseudo terminal does not tell who opens it: that two programs do not open it at once is up to
their locks.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hw_bridge.errors import BusyError, NoBackendError, advice_for, opening_error, words_of
from hw_bridge.exposure import Visit
from hw_bridge.link import LinkInfo
from hw_bridge.links.descriptor import DescriptorLink
from hw_bridge.links.stream import StreamLink
from hw_bridge.locks import PortLock
from hw_bridge.transports._octets import NO_LISTENER, NOT_OURS, is_loopback, is_not_ours
from hw_bridge.transports.pty import Pty, check_link
from hw_bridge.transports.unix import check_length
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.exposure import Exposure

__all__ = ["PtyDoor", "TcpDoor", "UnixDoor", "is_loopback"]

_LOOK_S: Final = 0.05
_GRACE_S: Final = 0.1
"""Who follows another may be seen before the end of that one."""
_SOCKET_MODE: Final = 0o600
_BACKLOG: Final = 8
_ALIVE_S: Final = 0.5
_OTHER_PORT: Final = {
    kind: advice.replace("port", "--port", 1) for kind, advice in NO_LISTENER.items()
}
_NO_TERMINAL: Final = advice_for(
    "this system gives out no pseudo terminal; use --as tcp",
    *("not-found", "busy", "no-permission", "unknown"),
)


class _Nobody:
    """Receiver of a connection before it is made."""

    def on_data(self, data: bytes) -> None:
        """Not reached."""

    def on_writable(self) -> None:
        """Not reached."""

    def on_trouble(self, text: str) -> None:
        """Not reached."""

    def on_lost(self, error: object) -> None:
        """It was cut off."""


class _Caller(StreamLink):
    """A connection that came in."""

    def __init__(self, exposure: Exposure, name_of: Callable[[Any], str]) -> None:
        super().__init__(_Nobody(), LinkInfo())
        self._exposure = exposure
        self._name_of = name_of

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in; while another is there, wait a moment: that one may be about to leave."""
        super().connection_made(transport)
        self._info = LinkInfo(node=self._name_of(transport))
        if self._exposure.visit is None:
            self._decide()
        else:
            self.pause_reading()
            asyncio.get_running_loop().call_later(_GRACE_S, self._decide)

    def _decide(self) -> None:
        """Let it in, refuse it, or cut it off."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        guest = self._exposure.guest(self._info.node)
        if guest is None:
            transport.abort()
            return
        self._receiver = guest
        guest.begin(self)
        self.resume_reading()


class TcpDoor:
    """A listener on `host`:`port`; port 0 is any. Raises UsageError (no host)."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        if not host.strip():
            raise UsageError(
                "the address to listen on is empty, which would be all of them; give one (0.0.0.0 for all)"
            )
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None

    async def open(self, exposure: Exposure) -> str:
        """Listen. Raises BridgeError."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Caller(exposure, _tcp_name), self._host, self._port, backlog=_BACKLOG
            )
        except OSError as exc:
            if is_not_ours(exc):
                raise UsageError(f"{self._host}: {NOT_OURS}") from exc
            where = f"{self._host}:{self._port}"
            raise opening_error(exc, where, remedies=_OTHER_PORT) from exc
        address = self._server.sockets[0].getsockname()
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"tcp-client:{host}:{address[1]}"

    def left(self) -> None:
        """What was on its way went with the connection."""

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None


def _tcp_name(transport: Any) -> str:
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else "a client"


def _check_socket(path: str) -> None:
    """Whether a socket may be made there. Raises UsageError."""
    if path.startswith("@"):
        raise UsageError(f"{path}: an abstract name has no permissions; give the path of a file")
    check_length(path)
    place = Path(path)
    if not place.parent.is_dir():
        raise UsageError(f"{path}: No such file or directory; choose another --path")
    if os.path.lexists(place) and not stat.S_ISSOCK(place.lstat().st_mode):
        raise UsageError(f"{path} is there and is no socket; choose another --path")


class UnixDoor:
    """A UNIX socket at `path` that only its user may open. Raises UsageError (a path that cannot be one)."""

    def __init__(self, path: str) -> None:
        _check_socket(path)
        self._path = Path(path)
        self._server: asyncio.Server | None = None
        self._lock: PortLock | None = None
        self._identity: tuple[int, int] | None = None

    async def open(self, exposure: Exposure) -> str:
        """Listen. Raises BridgeError, UsageError."""
        if sys.platform == "win32":
            raise NoBackendError("Python on Windows has no UNIX sockets; use --as tcp")
        self._lock = PortLock(str(self._path), "exposed controller", follow=False)
        try:
            self._make_room()
            own = self._bound()
        except BaseException:
            self._lock.release()
            raise
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: _Caller(exposure, lambda _: "a program of this user"),
            sock=own,
            backlog=_BACKLOG,
        )
        return f"unix:{self._path}"

    def _make_room(self) -> None:
        """Remove a socket that nobody listens on. Raises BusyError, UsageError."""
        _check_socket(str(self._path))
        if not os.path.lexists(self._path):
            return
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(_ALIVE_S)
            try:
                caller.connect(str(self._path))
            except ConnectionRefusedError:
                self._path.unlink()
                return
            except OSError:
                pass
        raise BusyError(f"a program listens on {self._path}; stop it, or choose another --path")

    def _bound(self) -> socket.socket:
        own = socket.socket(socket.AF_UNIX)
        before = os.umask(0o777 & ~_SOCKET_MODE)
        try:
            own.bind(str(self._path))
        except OSError as exc:
            own.close()
            raise UsageError(f"{self._path}: {words_of(exc)}; choose another --path") from exc
        finally:
            os.umask(before)
        found = self._path.stat()
        self._identity = (found.st_dev, found.st_ino)
        return own

    def left(self) -> None:
        """What was on its way went with the connection."""

    async def close(self) -> None:
        """Listen no more, and remove the socket if it is still ours."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._identity is not None:
            with contextlib.suppress(OSError):
                found = self._path.lstat()
                if (found.st_dev, found.st_ino) == self._identity:
                    self._path.unlink()
            self._identity = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class PtyDoor:
    """A pseudo terminal, under `link` where one is given; looked at now and then for somebody who opened it.

    Raises UsageError (a link that cannot be one).
    """

    def __init__(self, link: str = "") -> None:
        if link and sys.platform != "win32":
            check_link(link)
        self._link = link
        self._pty: Pty | None = None
        self._exposure: Exposure | None = None
        self._visit: object = None
        self._timer: asyncio.TimerHandle | None = None

    async def open(self, exposure: Exposure) -> str:
        """Make the terminal. Raises BridgeError."""
        if sys.platform == "win32":
            raise NoBackendError("Windows has no pseudo terminals; use --as tcp")
        try:
            self._pty = Pty(self._link)
        except (OSError, ImportError) as exc:
            raise opening_error(exc, "a pseudo terminal", remedies=_NO_TERMINAL) from exc
        self._exposure = exposure
        self._look()
        return f"serial:{self._pty.name}"

    def _look(self) -> None:
        """Let somebody in who opened the other side; throw away what was written before."""
        pty, exposure = self._pty, self._exposure
        if pty is None or exposure is None:
            return
        self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look)
        if self._visit is not None and exposure.visit is self._visit:
            return
        self._visit = None
        if not pty.is_open():
            pty.drain()
            return
        guest = exposure.guest(pty.name)
        if isinstance(guest, Visit):
            self._visit = guest
            guest.begin(DescriptorLink(os.dup(pty.master), guest, info=LinkInfo(node=pty.name)))

    def left(self) -> None:
        """Throw away what the client did not read: it waits on the other side, and is reached only from there."""
        if self._pty is None or sys.platform == "win32":
            return
        import termios

        self._pty.drain()
        with contextlib.suppress(OSError, termios.error):
            side = os.open(self._pty.node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                termios.tcflush(side, termios.TCIFLUSH)
            finally:
                os.close(side)

    async def close(self) -> None:
        """Remove the terminal."""
        if self._timer is not None:
            self._timer.cancel()
        if self._pty is not None:
            self._pty.close()
            self._pty = None
