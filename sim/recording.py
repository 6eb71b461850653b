"""Trace and captures written to files as things happen: JSON lines, the air, the HCI of one node.

Times in captures are simulated microseconds from the start of the run. The air is recorded as an ideal
sniffer would: every packet, with the strength it has where the sniffer stands. Files are opened by the
caller's name (or, when they shall be new, by the next one that is free) and closed by `close`; no clock. Two
processes never write one file: who opens it is its only writer as long as it is open.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec

from protocols.capture import Direction, Packet, Writer, writer_for
from protocols.errors import OutputError, UnknownNameError, UsageError, writing
from sim.air_capture import AirTap, write_packet
from sim.redaction import hides
from sim.trace import TraceEvent, line_of

if sys.platform != "win32":  # without a lock the later writer wins
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.world import World

__all__ = ["Recorder", "free_name"]

_P = ParamSpec("_P")
_HCI_H4 = 187
_ZEROED = "key octets replaced by zeros; --reveal keeps them"


class Recorder:
    """All files of one run. `new`: a file that exists is left alone, and `air.pcapng` becomes `air-2.pcapng`.

    What cannot be written any more ends the run with OutputError; with `goes_on` it is left out, and told by `troubles`.
    """

    def __init__(self, world: World, *, goes_on: bool = False) -> None:
        self._world = world
        self._goes_on = goes_on
        self.troubles: dict[str, str] = {}
        """file -> why nothing more is written to it; only where the run goes on without a file that is lost."""
        self._paths: set[Path] = set()
        self._files: list[tuple[str, BinaryIO]] = []
        self._writers: list[tuple[str, Writer]] = []

    def capture(self, target: str, *, new: bool = False) -> str:
        """Record "FILE" (the air) or "NODE:FILE" (that node's HCI); the target with the name that the file got.

        Raises UsageError, UnknownNameError.
        """
        node, colon, file = target.partition(":")
        if not colon or node not in self._world.devices:
            if colon and "/" not in node and not Path(target).suffix == "" and not _is_drive(node):
                raise UnknownNameError("node", node, self._world.devices)
            node, file = "", target
        if not node and file.endswith(".btsnoop"):
            raise UsageError(
                f"{file}: btsnoop holds the HCI of one node; write it as NODE:{file}, or use .pcapng for the air"
            )
        make = writer_for(file)
        stream, file = self._open(file, new=new)
        with writing(file):
            writer = make(stream)
        self._writers.append((file, writer))
        if node:
            tap_hci = _hci_tap(node, file, writer, reveal=self._world.reveal)
            self._world.hci_taps.append(self._kept_from_the_run(file, tap_hci))
        else:
            tap = AirTap(file, writer, reveal=self._world.reveal)
            self._world.air.observe(self._kept_from_the_run(file, tap.on_air))
            if self._world.reveal:
                self._world.trace.add_sink(self._kept_from_the_run(file, tap.on_event))
        return f"{node}:{file}" if node else file

    def jsonl(self, file: str, stdout: BinaryIO, *, new: bool = False) -> str:
        """Write the trace as JSON lines to `file`, "-" for standard output; the name that the file got."""
        stream, file = (stdout, file) if file == "-" else self._open(file, new=new)
        name = "standard output" if file == "-" else file

        def sink(event: TraceEvent) -> None:
            with writing(name):
                stream.write(line_of(event))

        self._world.trace.add_sink(self._kept_from_the_run(name, sink))
        return file

    def _kept_from_the_run(self, file: str, write: Callable[_P, None]) -> Callable[_P, None]:
        """`write`, whose trouble is noted once where the run goes on without the file."""
        if not self._goes_on:
            return write

        def write_on(*args: _P.args, **named: _P.kwargs) -> None:
            if file in self.troubles:
                return
            try:
                write(*args, **named)
            except OutputError as exc:
                self.troubles[file] = str(exc)

        return write_on

    def close(self) -> dict[str, int]:
        """Finish all files; packets per capture file. Raises OutputError, and has closed every one all the same."""
        with contextlib.ExitStack() as all_of_them:
            for file, stream in self._files:
                all_of_them.callback(self._end, _closed, file, stream)
            for file, writer in self._writers:
                all_of_them.callback(self._end, _finished, file, writer)
        return {file: writer.written for file, writer in self._writers}

    def _end(self, end: Callable[[str, Any], None], file: str, one: Any) -> None:
        try:
            end(file, one)
        except OutputError as exc:
            if not self._goes_on:
                raise
            self.troubles.setdefault(file, str(exc))

    def _open(self, file: str, *, new: bool) -> tuple[BinaryIO, str]:
        """Open a file for writing, and its name; the scenario and what is written already are refused. Raises UsageError."""
        scenario = self._world.scenario
        taken = {Path(scenario.base, scenario.file).resolve(), Path(scenario.file).resolve()}
        path = Path(file).resolve()
        if path in taken | self._paths:
            raise UsageError(
                f"{file}: is the scenario itself, or is written to already; give each output its own file"
            )
        self._paths.add(path)
        try:
            stream, file = _created(file) if new else (_owned(file), file)
        except BlockingIOError:
            raise UsageError(
                f"{file}: another nearbench is writing it; end that one, or give this one another file"
            ) from None
        except OSError as exc:
            raise UsageError(f"{file}: {exc.strerror}") from None
        self._files.append((file, stream))
        return stream, file


def _finished(file: str, writer: Writer) -> None:
    with writing(file):
        writer.finish()


def _closed(file: str, stream: BinaryIO) -> None:
    with writing(file):
        stream.close()


def free_name(file: str) -> str:
    """The name, or the next of its kind that no file has: air.pcapng, air-2.pcapng, air-3.pcapng."""
    path = Path(file)
    stem, _, number = path.stem.rpartition("-")
    counted = bool(stem) and number.isdecimal()
    stem, at = (stem, int(number)) if counted else (path.stem, 1)
    while _is_taken(path):
        at += 1
        path = path.with_stem(f"{stem}-{at}")
    return str(path)


def _is_taken(path: Path) -> bool:
    """Whether a file has this name, or a link that leads nowhere; devices and pipes hold nothing."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def _created(file: str) -> tuple[BinaryIO, str]:
    """A file that nobody else had, and its name."""
    while True:
        name = free_name(file)
        if Path(name).exists() and not Path(name).is_file():
            return _owned(name), name
        try:
            stream = Path(name).open("xb")  # noqa: SIM115  # closed by `close`
        except FileExistsError:  # somebody was faster
            continue
        _lock(stream)
        return stream, name


def _owned(file: str) -> BinaryIO:
    """An empty file that nobody else is writing. Raises BlockingIOError when somebody is, and leaves it as it is."""
    stream: BinaryIO = open(file, "wb", opener=_untouched)  # noqa: SIM115  # closed by `close`; no `opener` there
    try:
        if Path(file).is_file():  # no device, no pipe
            _lock(stream)
            stream.truncate(0)
    except BaseException:
        stream.close()
        raise
    return stream


def _untouched(file: str, flags: int) -> int:
    return os.open(file, flags & ~os.O_TRUNC, 0o666)


def _lock(stream: BinaryIO) -> None:
    """Be its only writer until it is closed, where the file system knows locks."""
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in (errno.EAGAIN, errno.EACCES):
            raise BlockingIOError(exc.errno, exc.strerror) from None


def _is_drive(node: str) -> bool:
    return len(node) == 1  # C:\file


def _hci_tap(
    node: str, file: str, writer: Writer, *, reveal: bool
) -> Callable[[str, int, str, bytes], None]:
    def tap(name: str, t_us: int, direction: str, packet: bytes) -> None:
        if name == node:
            way: Direction = "sent" if direction == "tx" else "received"
            number = writer.written + 1
            comment = "" if reveal or not hides(packet) else _ZEROED
            write_packet(
                file,
                writer,
                Packet(number, t_us, _HCI_H4, packet, len(packet), way, node, comment),
            )

    return tap
