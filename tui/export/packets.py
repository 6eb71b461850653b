"""The writers of an export: packets of the air, of HCI and of captures through `protocols.capture`, events as JSON lines.

Rules of the file: everything here runs on the export's thread, over sources that do not change; nothing holds more than
one chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from protocols.capture import Packet, copy, formats
from sim.trace import line_of
from tui.export.replay import revealed
from tui.models.packets import is_packet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from protocols.capture import Direction
    from sim.trace import TraceEvent
    from tui.capture_source import CaptureSource
    from tui.export.job import Write
    from tui.export.log import AirSpool
    from tui.feed import Source

__all__ = [
    "air_packets", "capture_packets", "events_at", "hci_packets", "json_lines", "line_writer", "packet_writer",
]  # fmt: skip

_T = TypeVar("_T")
_HCI_H4 = 187
_CHUNK = 512
_TELL_EVERY = 256


def events_at(source: Source, positions: Sequence[int]) -> Iterator[TraceEvent]:
    """The events at these positions, those that are gone left out."""
    if isinstance(positions, range) and positions.step == 1:
        for start in range(positions.start, positions.stop, _CHUNK):
            yield from source.span(start, min(positions.stop, start + _CHUNK))
        return
    for position in positions:
        if source.first <= position < source.end:
            yield source.at(position)


def air_packets(air: AirSpool, events: Iterable[TraceEvent] | None, end: int) -> Iterator[Packet]:
    """What these events (None = everything up to packet `end`) put on the air, as an ideal sniffer recorded it."""
    if events is None:
        yield from air.packets(0, end)
        return
    for row in air.rows_of([event.seq for event in events if event.layer == "air"]):
        yield from air.packets(row, row + 1)


def hci_packets(events: Iterable[TraceEvent], node: str) -> Iterator[Packet]:
    """The HCI packets of a node among these."""
    number = 0
    for event in events:
        if event.layer == "hci" and event.node == node and event.data is not None:
            number += 1
            way: Direction = "sent" if event.direction == "tx" else "received"
            data = event.data
            yield Packet(number, event.t_us, _HCI_H4, data, len(data), way, node)


def capture_packets(
    source: CaptureSource, positions: Sequence[int], *, hci_only: bool = False
) -> Iterator[Packet]:
    """Packets of a capture as they stand in it."""
    for start in range(0, len(positions), _CHUNK):
        some = positions[start : start + _CHUNK]
        together = some[-1] - some[0] + 1 == len(some)
        found = (
            source.packets(some[0], some[-1] + 1)
            if together
            else [source.packets(one, one + 1)[0] for one in some]
        )
        yield from (one for one in found if not hci_only or one.link_type == _HCI_H4)


def packet_writer(form: str, packets: Callable[[], Iterable[Packet]]) -> Write:
    """Writes packets in a capture format."""

    def write(stream: BinaryIO, tell: Callable[[int], None]) -> int:
        writer = formats()[form].writer(stream)
        return copy(_told(packets(), tell), writer).written

    return write


def json_lines(
    source: Source, positions: Sequence[int], *, packets_only: bool, reveal: bool
) -> Iterator[bytes]:
    """Events as `run --jsonl` writes them; PINs as they are when `reveal`."""
    for event in events_at(source, positions):
        if packets_only and not is_packet(event):
            continue
        yield line_of(_open(event) if reveal else event)


def _open(event: TraceEvent) -> TraceEvent:
    fields: Any = revealed(event.fields)
    return msgspec.structs.replace(event, fields=fields)


def line_writer(lines: Callable[[], Iterable[bytes]]) -> Write:
    """Writes lines."""

    def write(stream: BinaryIO, tell: Callable[[int], None]) -> int:
        number = 0
        for line in _told(lines(), tell):
            stream.write(line)
            number += 1
        return number

    return write


def _told(items: Iterable[_T], tell: Callable[[int], None]) -> Iterator[_T]:
    """The same, telling now and then how many there were."""
    tell(0)
    for number, item in enumerate(items, 1):
        if number % _TELL_EVERY == 0:
            tell(number)
        yield item
