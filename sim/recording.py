"""Trace and captures written to files as things happen: JSON lines, the air, the HCI of one node.

Times in captures are simulated microseconds from the start of the run. The air is recorded as an ideal
sniffer would: every packet, with the strength it has where the sniffer stands. Files are opened by the
caller's name and closed by `close`; no clock.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from protocols.capture import Direction, Packet, Writer, writer_for
from protocols.errors import UnknownNameError, UsageError
from sim.air_capture import AirTap, write_packet
from sim.redaction import hides
from sim.trace import TraceEvent, line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.world import World

__all__ = ["Recorder"]

_HCI_H4 = 187
_ZEROED = "key octets replaced by zeros; --reveal keeps them"


class Recorder:
    """All files of one run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._paths: set[Path] = set()
        self._files: list[BinaryIO] = []
        self._writers: list[tuple[str, Writer]] = []

    def capture(self, target: str) -> None:
        """Record "FILE" (the air) or "NODE:FILE" (that node's HCI). Raises UsageError, UnknownNameError."""
        node, colon, file = target.partition(":")
        if not colon or node not in self._world.devices:
            if colon and "/" not in node and not Path(target).suffix == "" and not _is_drive(node):
                raise UnknownNameError("node", node, self._world.devices)
            node, file = "", target
        if not node and file.endswith(".btsnoop"):
            raise UsageError(
                f"{file}: btsnoop holds the HCI of one node; write it as NODE:{file}, or use .pcapng for the air"
            )
        writer = writer_for(file)(self._open(file))
        self._writers.append((file, writer))
        if node:
            self._world.hci_taps.append(_hci_tap(node, file, writer, reveal=self._world.reveal))
        else:
            tap = AirTap(file, writer, reveal=self._world.reveal)
            self._world.air.observe(tap.on_air)
            if self._world.reveal:
                self._world.trace.add_sink(tap.on_event)

    def jsonl(self, file: str, stdout: BinaryIO) -> None:
        """Write the trace as JSON lines to `file`, "-" for standard output."""
        stream = stdout if file == "-" else self._open(file)

        def sink(event: TraceEvent) -> None:
            stream.write(line_of(event))

        self._world.trace.add_sink(sink)

    def close(self) -> dict[str, int]:
        """Finish all files; packets per capture file."""
        for _, writer in self._writers:
            writer.finish()
        for stream in self._files:
            stream.close()
        return {file: writer.written for file, writer in self._writers}

    def _open(self, file: str) -> BinaryIO:
        """Open a file for writing; the scenario and what is written already are refused. Raises UsageError."""
        scenario = self._world.scenario
        taken = {Path(scenario.base, scenario.file).resolve(), Path(scenario.file).resolve()}
        path = Path(file).resolve()
        if path in taken | self._paths:
            raise UsageError(
                f"{file}: is the scenario itself, or is written to already; give each output its own file"
            )
        self._paths.add(path)
        try:
            stream = Path(file).open("wb")  # noqa: SIM115  # closed by `close`
        except OSError as exc:
            raise UsageError(f"{file}: {exc.strerror}") from None
        self._files.append(stream)
        return stream


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
