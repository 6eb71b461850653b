"""A controller program that opens a pseudo terminal of ours, as it would a serial port.

Rules of the file: a link with the wanted name is replaced only if it is ours and its maker is gone; octets that one
peer left unread are not given to the next; the link goes away with the port. A PTY knows no baud, parity or modem
lines: what works here says nothing about those.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
from pathlib import Path
from typing import TYPE_CHECKING

from hw_bridge.errors import NotFoundError, opening_error, words_of
from hw_bridge.link import Link, LinkInfo, Transport
from hw_bridge.links.descriptor import DescriptorLink
from hw_bridge.locks import PortLock
from hw_bridge.transports._octets import FRAMING, OctetPort
from protocols.errors import UsageError

if TYPE_CHECKING:
    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker

__all__ = ["TRANSPORT", "Pty", "PtyPort", "check_link"]


class Pty:
    """A raw pseudo terminal, its other side closed, and a link to that side under a name of the user's.

    Raises BusyError (the name is in use), UsageError (there can be no link there), OSError (no terminal is to be had).
    """

    node: str
    """Its other side."""
    link: Path | None

    def __init__(self, link: str = "") -> None:
        import tty

        self._lock = _claim(link) if link else None
        self.master, self.link = -1, None
        atexit.register(self.close)
        try:
            self.master, slave = os.openpty()
            tty.setraw(slave)
            self.node = os.ttyname(slave)
            os.fchmod(slave, 0o600)
            os.close(slave)
            self.link = _linked(link, self.node) if link else None
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What to tell the other side to open."""
        return self.node if self.link is None else str(self.link)

    def is_open(self) -> bool:
        """Whether somebody has the other side open."""
        poll = select.poll()
        poll.register(self.master, select.POLLIN)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))

    def drain(self) -> None:
        """Throw away what is unread in both directions."""
        import termios

        with contextlib.suppress(termios.error):
            termios.tcflush(self.master, termios.TCIOFLUSH)

    def close(self) -> None:
        """Remove the link and the terminal."""
        atexit.unregister(self.close)
        if self.link is not None:
            with contextlib.suppress(OSError):
                if str(self.link.readlink()) == self.node:
                    self.link.unlink()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
        if self._lock is not None:
            self._lock.release()


def _linked(link: str, node: str) -> Path:
    """The link to a terminal. Raises UsageError."""
    try:
        Path(link).symlink_to(node)
    except OSError as exc:
        raise UsageError(f"{link}: {words_of(exc)}; choose another path for the link") from exc
    return Path(link)


def check_link(link: str) -> None:
    """Whether there may be a link of ours; nothing is made or removed. Raises UsageError."""
    path = Path(link)
    if not path.parent.is_dir():
        raise UsageError(f"{link}: No such file or directory; choose another path for the link")
    if os.path.lexists(path):
        is_ours = path.is_symlink() and path.lstat().st_uid == os.getuid()
        if not is_ours or not str(path.readlink()).startswith("/dev/"):
            raise UsageError(
                f"{link} is there and is no link to a terminal of ours; choose another name"
            )


def _claim(link: str) -> PortLock:
    """The lock of the name, with what a dead maker left under it removed. Raises BusyError, UsageError."""
    lock = PortLock(link, "pty", follow=False)
    try:
        check_link(link)
    except UsageError:
        lock.release()
        raise
    if os.path.lexists(link):
        Path(link).unlink()
    return lock


class PtyPort(OctetPort):
    """One pseudo terminal; made at the first opening."""

    def __init__(self, moniker: Moniker) -> None:
        super().__init__(moniker)
        self._pty: Pty | None = None

    @property
    def name(self) -> str:
        """What the controller program is to open; empty before the first opening."""
        return "" if self._pty is None else self._pty.name

    def present(self) -> bool:
        """Whether the other side is open."""
        return self._pty is None or self._pty.is_open()

    async def open(self, receiver: Receiver) -> Link:
        """The link; NotFoundError while nobody has the other side open. Raises BridgeError."""
        if self._pty is None:
            try:
                self._pty = Pty(self.moniker.target)
            except (OSError, ImportError) as exc:
                raise opening_error(exc, self.moniker.text) from exc
        if not self._pty.is_open():
            self._pty.drain()
            raise NotFoundError(f"{self.moniker.text}: nobody has opened {self._pty.name} yet")
        return DescriptorLink(
            os.dup(self._pty.master), receiver, info=LinkInfo(node=self._pty.name)
        )

    async def close(self) -> None:
        """Remove the terminal."""
        if self._pty is not None:
            self._pty.close()
            self._pty = None


TRANSPORT = Transport(
    summary="a controller program that opens a pseudo terminal which we make",
    form="pty:[LINK]",
    example="pty:/tmp/controller",
    carries="octets",
    options=FRAMING,
    platforms=("linux", "darwin"),
    port=PtyPort,
)
