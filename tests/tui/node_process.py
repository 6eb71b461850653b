"""`nearbench node` as a process, driven line by line."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


class NodeProcess:
    """One node; `events` and `frames` collect what it says."""

    def __init__(self, name: str, *options: str) -> None:
        command = [sys.executable, "-m", "tui", "node", name, "--stdio", *options]
        self.process = subprocess.Popen(  # closed by `close`
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.events: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self._count = 0
        try:
            while not self.of("ready"):
                self.read()
        except AssertionError:
            self.__exit__()
            raise

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def of(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == event]

    def write(self, **line: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read().decode()
        told: dict[str, Any] = json.loads(line)
        if "frame" in told:
            self.frames.append(told)
        elif "event" in told:
            self.events.append(told)
        return told

    def tell(self, **line: Any) -> dict[str, Any]:
        """Give a line and read up to its answer."""
        self._count += 1
        self.write(**line, id=self._count)
        while (told := self.read()).get("id") != self._count:
            pass
        return told

    def do(self, cmd: str, **arguments: Any) -> Any:
        """The result of a command that succeeds."""
        answer = self.tell(cmd=cmd, **arguments)
        assert "ok" in answer, answer
        return answer["ok"]

    def close(self) -> tuple[int, bytes]:
        """End of its input: exit status and what it said on stderr."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


def carry(*nodes: NodeProcess) -> bool:
    """Hand every frame to the other nodes and report it as acknowledged; whether there was one."""
    waiting = [(node, node.frames.pop(0)) for node in nodes if node.frames]
    for sender, frame in waiting:
        if not int(frame["frame"][8:10], 16) & 1:
            sender.tell(sent=frame["n"], acked=True)
        for node in nodes:
            if node is not sender:
                node.tell(frame=frame["frame"], rssi_dbm=-50, channel=frame["channel"])
    return bool(waiting)


def run(*nodes: NodeProcess, until: str, at: NodeProcess, seconds: float = 10.0) -> dict[str, Any]:
    """Let time pass for all until a node tells such an event; that event."""
    before = len(at.of(until))
    for _ in range(int(seconds * 50)):
        while carry(*nodes):
            pass
        if len(at.of(until)) > before:
            return at.of(until)[-1]
        for node in nodes:
            node.tell(advance_us=20_000)
    raise AssertionError(f"no {until} in {seconds} s; {[e['event'] for e in at.events]}")
