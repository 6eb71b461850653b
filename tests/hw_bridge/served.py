"""Programs in processes of their own: what they print, what they are told, and no waiting beyond a limit."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
ROOM = """
title = "A room"
duration = "1h"
[air]
collisions = false  # bumble's programs do not try again when their request to connect collides
[[node]]
name = "thermometer"
accessory = "thermometer"
at = [2.0, 0.0]
set = { address = "c0:11:22:33:44:55" }
[[node]]
name = "lock"
accessory = "lock"
at = [0.0, 2.0]
set = { address = "c0:11:22:33:44:66", pin = "047115" }
"""


class Program:
    """A running program; `until` reads its output up to a text."""

    def __init__(self, *words: object, terminal: bool = False) -> None:
        self.output = ""
        self._terminal = -1
        ends: dict[str, int] = {}
        if terminal:
            self._terminal, side = os.openpty()
            ends = {"stdin": side, "stdout": side, "stderr": side}
        else:
            ends = {
                "stdin": subprocess.PIPE,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.STDOUT,
            }
        self.process = subprocess.Popen(
            [str(word) for word in words],
            env={**os.environ, "TERM": "xterm", "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
            start_new_session=True,
            **ends,
        )
        if terminal:
            os.close(side)
        self._out = self._terminal if terminal else self.process.stdout.fileno()

    def until(self, *texts: str, limit_s: float = 15.0) -> str:
        """Output so far, once one of `texts` is in it."""
        self.match("|".join(re.escape(text) for text in texts), limit_s=limit_s)
        return self.output

    def match(self, pattern: str, limit_s: float = 15.0) -> re.Match[str]:
        """The first place in the output where `pattern` fits, once there is one."""
        end = time.monotonic() + limit_s
        while (found := re.search(pattern, self.output, re.MULTILINE)) is None:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._out], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} within {limit_s} s in:\n{self.output}")
            try:
                data = os.read(self._out, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"no {pattern!r} before the end of:\n{self.output}")
            self.output += data.decode(errors="replace")
        return found

    def type(self, text: str) -> None:
        """Give it input."""
        target = self._terminal if self._terminal >= 0 else self.process.stdin.fileno()
        os.write(target, text.encode())

    def finish(self, limit_s: float = 15.0) -> int:
        """Read to the end; the exit status."""
        end = time.monotonic() + limit_s
        while select.select([self._out], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                data = os.read(self._out, 65536)
            except OSError:
                break
            if not data:
                break
            self.output += data.decode(errors="replace")
        return self.process.wait(max(0.1, end - time.monotonic()))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal; the exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        status = self.finish()
        self.close()
        return status

    def close(self) -> None:
        """Whatever it does, it ends now."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def bumble_app(name: str, *words: object, terminal: bool = False) -> Program:
    """One of bumble's own programs."""
    return Program(BIN / f"bumble-{name}", *words, terminal=terminal)


def nearbench(*words: object, terminal: bool = False) -> Program:
    """Our own command line."""
    return Program(BIN / "nearbench", *words, terminal=terminal)
