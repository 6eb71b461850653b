"""Lines of standard input on a loop.

Rules of the file: a thread reads the descriptor itself, never Python's buffered stream: a thread that waits in that at the
end of the program brings the interpreter down. Nobody waits for the thread. A line that is longer than LONGEST_LINE
is cut there, and its rest is thrown away; no more is read before the loop has taken what was.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
from typing import TYPE_CHECKING, Final

from hw_bridge.threads import call_in_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LONGEST_LINE", "Lines", "is_attended", "on_lines"]

LONGEST_LINE: Final = 1 << 20
_READ_OCTETS: Final = 65536


class Lines:
    """Cuts octets into lines without their ends; `rest` never grows beyond the longest line."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole now."""
        *ended, last = data.split(b"\n")
        for each in ended:
            self._keep(each)
            yield self._take()
        self._keep(last)

    def end(self) -> Iterator[bytes]:
        """What stands behind the last line end."""
        if self._rest:
            yield self._take()

    def _keep(self, piece: bytes) -> None:
        self._rest += piece[: self._longest - len(self._rest)]

    def _take(self) -> bytes:
        line = bytes(self._rest).rstrip(b"\r")
        self._rest.clear()
        return line


def is_attended() -> bool:
    """Whether somebody can be asked: standard input is a terminal, and this program is not in the background of it."""
    try:
        descriptor = sys.stdin.fileno()
        is_terminal = os.isatty(descriptor)
    except (OSError, ValueError, AttributeError):
        return False
    try:
        return is_terminal and os.tcgetpgrp(descriptor) == os.getpgrp()
    except (
        OSError,
        AttributeError,
    ):  # it rules no terminal, or there is no such thing here: nothing stops a reader
        return is_terminal


def on_lines(
    take: Callable[[bytes], object],
    *,
    once: bool = False,
    at_end: Callable[[], object] | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
) -> None:
    """Give lines of standard input, without their ends, to `take` on `loop` (this one): all, or the next one.

    `at_end` is called on the loop when there are no more, at once where there is no standard input.
    """
    chosen = asyncio.get_running_loop() if loop is None else loop
    ended = at_end or _nothing
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):
        call_in_loop(chosen, ended)  # there is no such thing here
        return
    work = functools.partial(_read, descriptor, chosen, take, ended, once=once)
    threading.Thread(target=work, daemon=True, name="nearbench-lines").start()


def _nothing() -> None:
    """Nobody waits for the end."""


def _read(
    descriptor: int,
    loop: asyncio.AbstractEventLoop,
    take: Callable[[bytes], object],
    at_end: Callable[[], object],
    *,
    once: bool,
) -> None:
    lines, data = Lines(), b"begin"
    while data:
        try:
            data = os.read(descriptor, _READ_OCTETS)
        except OSError:
            data = b""
        for line in lines.feed(data) if data else lines.end():
            if not call_in_loop(loop, functools.partial(take, line)) or once:
                return
        taken = threading.Event()
        if not call_in_loop(loop, taken.set):
            return
        taken.wait()
    call_in_loop(loop, at_end)
