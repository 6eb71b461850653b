"""Scenarios at full speed beside the screen: each is `nearbench run` in a process of its own.

Two worlds cannot live in one process, for the host stack's chance belongs to all of it. Rules of the file: nothing
blocks, `poll` is asked from time to time; every process is ended by `stop`, or for it when the interpreter ends; wall
time is an argument. What a run writes is in a folder that goes with it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui.models.scenario_results import Result, of_output, stopped, with_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LIMIT_S", "Process", "Runs"]

LIMIT_S = 600.0
"""Wall time that one run may take."""
_END_S = 2.0
"""How long a killed process may take to be gone."""
_READ = 1_000_000
"""Octets of what a process says that are read."""


class Process(Protocol):
    """What is needed of a process."""

    def poll(self) -> int | None:
        """Exit status; None while it runs."""
        ...

    def kill(self) -> None:
        """End it."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        ...


def start(arguments: Sequence[str], folder: Path, name: str) -> Process:
    """Begin a command of nearbench, output to files of `folder`. Raises OSError."""
    with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
        return subprocess.Popen(  # noqa: S603  # our own interpreter and program
            [sys.executable, "-X", "utf8", "-P", "-m", "tui", *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip


class _Job:
    """One scenario that runs, and then, when it failed, the search for the rule."""

    def __init__(self, key: str, arguments: Sequence[str], now_s: float) -> None:
        self.key = key
        self.since_s = now_s
        self.result: Result | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="nearbench-", ignore_cleanup_errors=True)
        self._path = Path(self._folder.name)
        self._trace = self._path / "trace.jsonl"
        try:
            self._process = start(
                [*arguments, "--json", "--jsonl", str(self._trace)], self._path, "run"
            )
        except OSError:
            self._folder.cleanup()
            raise

    def poll(self) -> Result | None:
        """The result, once it is there."""
        status = self._process.poll()
        if status is None:
            return None
        if self.result is not None:
            return with_rule(self.result, self._said("explain.out"))
        result = of_output(
            status, self._said("run.out"), self._said("run.err").decode("utf-8", "replace")
        )
        if result.verdict != "failed":
            return result
        self.result = result
        try:
            self._process = start(["explain", "--json", str(self._trace)], self._path, "explain")
        except OSError:
            return result
        return None

    def _said(self, name: str) -> bytes:
        try:
            with (self._path / name).open("rb") as stream:
                return stream.read(_READ)
        except OSError:
            return b""

    def end(self) -> None:
        """End the process and drop what it wrote; harmless when it has ended."""
        if self._process.poll() is None:
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # the system does not let it go
            self._process.wait(_END_S)
        self._folder.cleanup()


class Runs:
    """What waits and what runs; at most `most` at once, one processor stays for the screen."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most or max(1, (os.cpu_count() or 2) - 1)
        self._waiting: deque[tuple[str, list[str]]] = deque()
        self._jobs: list[_Job] = []
        self.total = self.done = self.failed = 0
        """of what was asked for since nothing ran."""
        atexit.register(self.stop)

    @property
    def is_busy(self) -> bool:
        """Whether something runs or waits."""
        return bool(self._jobs or self._waiting)

    @property
    def running(self) -> int:
        """How many run."""
        return len(self._jobs)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def state(self, key: str) -> str:
        """running, waiting, or nothing."""
        if any(job.key == key for job in self._jobs):
            return "running"
        return "waiting" if any(key == one for one, _ in self._waiting) else ""

    def add(self, key: str, arguments: Sequence[str]) -> bool:
        """Have `nearbench` do this; False when `key` runs or waits already."""
        if self.state(key):
            return False
        if not self.is_busy:
            self.total = self.done = self.failed = 0
        self._waiting.append((key, list(arguments)))
        self.total += 1
        return True

    def poll(self, now_s: float) -> list[tuple[str, Result]]:
        """Results that have come, in the order they came; begins what waits."""
        found = [*self._ended(now_s), *self._begun(now_s)]
        self.done += len(found)
        self.failed += sum(result.verdict != "passed" for _, result in found)
        return found

    def _ended(self, now_s: float) -> list[tuple[str, Result]]:
        found: list[tuple[str, Result]] = []
        for job in list(self._jobs):
            result = job.poll()
            if result is None and now_s - job.since_s > LIMIT_S:
                result = job.result or stopped(f"it took longer than {LIMIT_S:g} s and was ended")
            if result is not None:
                self._jobs.remove(job)
                job.end()
                found.append((job.key, result))
        return found

    def _begun(self, now_s: float) -> list[tuple[str, Result]]:
        """Begin what may; what cannot is a result too."""
        found: list[tuple[str, Result]] = []
        while self._waiting and len(self._jobs) < self.most:
            key, arguments = self._waiting.popleft()
            try:
                self._jobs.append(_Job(key, arguments, now_s))
            except OSError as exc:
                found.append((key, stopped(f"it could not be started: {exc.strerror or exc}")))
        return found

    def stop(self) -> int:
        """End everything; how many were not done."""
        left = len(self._jobs) + len(self._waiting)
        self._waiting.clear()
        for job in self._jobs:
            job.end()
        self._jobs.clear()
        self.total -= left
        return left

    def close(self) -> None:
        """End everything for good."""
        self.stop()
        atexit.unregister(self.stop)
