"""A sniffer on a serial port, listening: its packets into a pcapng file and a trace.

Digest 2.5, 2.6 (opening), 8.4 (capture). Rules of the file: a sniffer answers before it is told to listen, at one of
its bauds, or it is refused; times are the sniffer's clock, tied to the date at its first packet; what it lost or
mangled is counted and said at the end. Written from the documents alone; not measured on a sniffer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING, Final, Literal, Protocol

from hw_bridge.errors import MuteError
from hw_bridge.links.line import Line
from hw_bridge.pcapng_file import PcapngFile
from hw_bridge.transports import parse, port_for
from protocols.hci import nrf_sniffer, sniffle
from protocols.hci.sniffed import LINK_TYPE, Sniffed, event_name, in_capture

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from hw_bridge.errors import LostError
    from hw_bridge.link import Port
    from hw_bridge.moniker import Moniker
    from sim.trace import TraceLog

__all__ = ["CaptureOf", "Kind", "Sniffer", "to_trace"]

Kind = Literal["nrf-sniffer", "sniffle"]
_BAUDS: Final[dict[Kind, tuple[int, ...]]] = {
    "nrf-sniffer": (1_000_000, 460_800),
    "sniffle": (2_000_000, 921_600),
}
_ANSWER_S: Final = 0.5
_FLUSH_S: Final = 0.05


class _Decoder(Protocol):
    counts: Counter[str]

    def receive(self, data: bytes) -> list[Sniffed]:
        """Packets that are whole with these octets."""
        ...


class Sniffer:
    """One sniffer; `start` it, get packets in `on_packet`, `close` it."""

    def __init__(
        self,
        moniker: str,
        kind: Kind,
        on_packet: Callable[[Sniffed], object],
        *,
        port: Callable[[Moniker], Port] = port_for,
    ) -> None:
        self.moniker = parse(moniker)
        self.kind: Kind = kind
        self.lost: asyncio.Future[LostError] = asyncio.get_running_loop().create_future()
        """Done when the port is gone."""
        self.counts: Counter[str]
        self._began_s = asyncio.get_running_loop().time()
        self._on_packet = on_packet
        self._make_port = port
        self._line = Line()
        self._heard = asyncio.Event()
        self._new_decoder()

    def _new_decoder(self) -> None:
        self._nrf = nrf_sniffer.NrfSniffer()
        self._sniffle = sniffle.SniffleSniffer()
        self._decoder: _Decoder = self._nrf if self.kind == "nrf-sniffer" else self._sniffle
        self.counts = self._decoder.counts

    async def start(self) -> None:
        """Open it, see that it answers, and make it listen. Raises BridgeError."""
        for baud in self._bauds():
            variant = self.moniker.with_defaults(
                {"baud": baud, "rtscts": self.kind == "nrf-sniffer"}
            )
            self._new_decoder()
            await self._line.open(self._make_port(variant), self)
            if await (self._ping() if self.kind == "nrf-sniffer" else self._mark()):
                return
            await self.close()
        tried = ", ".join(f"{baud:,}" for baud in self._bauds())
        raise MuteError(
            f"{self.moniker.text}: no {self.kind} answers at {tried} baud; check its firmware, that "
            "this is its data port, and `nearbench bridge probe`"
        )

    @property
    def now_us(self) -> int:
        """Time since it was made."""
        return round((asyncio.get_running_loop().time() - self._began_s) * 1e6)

    def _bauds(self) -> tuple[int, ...]:
        if "baud" in self.moniker.given or "baud" not in self.moniker.options:
            return (int(self.moniker.options.get("baud", 0)),)
        return _BAUDS[self.kind]

    async def _ping(self) -> bool:
        """nRF Sniffer: any frame is an answer."""
        reader = self._nrf.reader
        self._line.write(nrf_sniffer.simple(nrf_sniffer.PING))
        if not await self._until(lambda: reader.frames > 0):
            return False
        self._line.write(nrf_sniffer.scan(counter=1))
        return True

    async def _mark(self) -> bool:
        """Sniffle: the same octets must come back; what came before them is of somebody else's time."""
        octets = os.urandom(4)
        self._line.write(sniffle.RESYNC)
        self._line.write(sniffle.marker(octets))
        if not await self._until(lambda: octets in self._sniffle.markers):
            return False
        for command in sniffle.listen():
            self._line.write(command)
        return True

    async def _until(self, answered: Callable[[], bool]) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                while not answered():
                    self._heard.clear()
                    await self._heard.wait()
        return answered()

    async def close(self) -> None:
        """Stop it, and give the port back."""
        if self.kind == "nrf-sniffer":
            self._line.write(nrf_sniffer.simple(nrf_sniffer.IDLE, 2))
        await self._line.close()

    # Receiver

    def on_data(self, data: bytes) -> None:
        """Octets came."""
        for packet in self._decoder.receive(data):
            self._on_packet(packet)
        self._heard.set()

    def on_writable(self) -> None:
        """Commands are short."""

    def on_trouble(self, text: str) -> None:
        """The counts say what was lost."""

    def on_lost(self, error: LostError) -> None:
        """The port is gone."""
        if not self.lost.done():
            self.lost.set_result(error)


class CaptureOf:
    """A pcapng file of sniffed packets; `close` it. Raises UsageError (the file cannot be made)."""

    def __init__(
        self,
        path: str | Path,
        name: str,
        *,
        tell: Callable[[str], object] = lambda text: None,
        wall_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._file = PcapngFile(path, [(LINK_TYPE, name, "sniffer")], failed=tell)
        self._wall_us = wall_us
        self._offset_us: int | None = None
        self._last_us = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def written(self) -> int:
        """Packets in the file."""
        return self._file.written

    def add(self, packet: Sniffed) -> None:
        """Keep a packet; it is in the file soon."""
        if self._offset_us is None:
            self._offset_us = self._wall_us() - packet.t_us
        self._last_us = max(self._last_us, packet.t_us + self._offset_us)
        self._file.packet(0, self._last_us, in_capture(packet))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_S, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        if self._timer is not None:
            self._timer.cancel()
        self._file.close()


def to_trace(trace: TraceLog, name: str, packet: Sniffed) -> None:
    """Write a sniffed packet to a trace, as the simulated air writes its own."""
    trace.emit(
        name,
        "air",
        event_name(packet),
        direction="rx",
        data=packet.pdu,
        channel=packet.channel,
        rssi_dbm=packet.rssi_dbm,
        access_address=f"{packet.access_address:08x}",
        crc_ok=packet.crc_ok,
        sniffer_us=packet.t_us,
    )
