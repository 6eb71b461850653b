"""Trace and captures written to files as things happen: JSON lines, the air, the HCI of one node.

Times in captures are simulated microseconds from the start of the run. The air is recorded as an ideal
sniffer would: every packet, with the strength it has where the sniffer stands. Files are opened by the
caller's name and closed by `close`; no clock.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from protocols.ble.ll_capture import captured_packet
from protocols.capture import Direction, Packet, Writer, writer_for
from protocols.errors import OutputError, UnknownNameError, UsageError
from sim.redaction import hides
from sim.trace import TraceEvent, line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Outcome, Transmission
    from sim.world import World

__all__ = ["Recorder"]

_HCI_H4 = 187
_LE_LL_WITH_PHDR = 256
_FIRST_ADVERTISING_CHANNEL = 37
_ADVERTISING_ADDRESS, _ADVERTISING_CRC_INIT = (
    0x8E89BED6,
    0x555555,
)  # of packets that say nothing else: a crowd's
_ZEROED = "key octets replaced by zeros; --reveal keeps them"
_ADVERTISING, _AUXILIARY, _TO_PERIPHERAL, _TO_CENTRAL = range(4)


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
            self._world.air.observe(_AirTap(file, writer).on_air)

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


def _write(file: str, writer: Writer, packet: Packet) -> None:
    try:
        writer.write(packet)
    except OSError as exc:  # it is no fault of the node that was speaking
        raise OutputError(file, exc) from exc


def _hci_tap(
    node: str, file: str, writer: Writer, *, reveal: bool
) -> Callable[[str, int, str, bytes], None]:
    def tap(name: str, t_us: int, direction: str, packet: bytes) -> None:
        if name == node:
            way: Direction = "sent" if direction == "tx" else "received"
            number = writer.written + 1
            comment = "" if reveal or not hides(packet) else _ZEROED
            _write(
                file,
                writer,
                Packet(number, t_us, _HCI_H4, packet, len(packet), way, node, comment),
            )

    return tap


class _AirTap:
    """Writes every LE packet of the air with its pseudo-header."""

    def __init__(self, file: str, writer: Writer) -> None:
        self._file = file
        self._writer = writer
        self._centrals: dict[int, str] = {}  # access address -> node that opened the connection

    def on_air(self, sent: Transmission, heard: tuple[Outcome, ...]) -> None:
        """Record one packet: as strong as its best listener has it, or as it was sent when nobody listened."""
        meta = sent.meta
        connect = getattr(meta, "connect", None)
        if connect is not None:
            self._centrals[connect.access_address] = sent.sender
        reasons = sorted({outcome.reason for outcome in heard if outcome.reason})
        data = captured_packet(
            sent.data,
            channel=int(str(sent.channel)),
            rssi_dbm=max((outcome.rssi_dbm for outcome in heard), default=sent.power_dbm),
            access_address=getattr(meta, "access_address", _ADVERTISING_ADDRESS),
            crc_init=getattr(meta, "crc_init", _ADVERTISING_CRC_INIT),
            phy=int(getattr(meta, "phy", 1)),
            kind=self._kind(sent),
        )
        comment = f"from {sent.sender}" + (
            f"; lost at a listener: {', '.join(reasons)}" if reasons else ""
        )
        number = self._writer.written + 1
        packet = Packet(
            number, sent.start_us, _LE_LL_WITH_PHDR, data, len(data), None, "air", comment
        )
        _write(self._file, self._writer, packet)

    def _kind(self, sent: Transmission) -> int:
        central = self._centrals.get(getattr(sent.meta, "access_address", _ADVERTISING_ADDRESS))
        if central is not None:
            return _TO_PERIPHERAL if sent.sender == central else _TO_CENTRAL
        return _ADVERTISING if int(str(sent.channel)) >= _FIRST_ADVERTISING_CHANNEL else _AUXILIARY
