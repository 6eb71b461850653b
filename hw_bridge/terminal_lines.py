"""Lines of standard input on a loop.

Rules of the file: a thread reads the descriptor itself, never Python's buffered stream: a thread that waits in that at the
end of the program brings the interpreter down. Nobody waits for the thread.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
from typing import TYPE_CHECKING

from hw_bridge.threads import call_in_loop

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["on_lines"]

_READ_OCTETS = 65536


def on_lines(take: Callable[[bytes], object], *, once: bool = False) -> None:
    """Give lines of standard input, without their ends, to `take` on this loop: all, or the next one."""
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):
        return  # there is no such thing here
    loop = asyncio.get_running_loop()
    work = functools.partial(_read, descriptor, loop, take, once=once)
    threading.Thread(target=work, daemon=True, name="nearbench-lines").start()


def _read(
    descriptor: int, loop: asyncio.AbstractEventLoop, take: Callable[[bytes], object], *, once: bool
) -> None:
    rest = b""
    while True:
        try:
            data = os.read(descriptor, _READ_OCTETS)
        except OSError:
            return
        *lines, rest = (rest + data).split(b"\n")
        lines += [rest] if rest and not data else []
        for line in lines:
            if not call_in_loop(loop, functools.partial(take, line.rstrip(b"\r"))) or once:
                return
        if not data:
            return
