"""A simulated Wi-Fi Aware device on a radio that carries raw frames: its node interface, with the frames on the air.

Digest 3.1, 3.2. Rules of the file: the lines of `nearbench node --stdio` are spoken on both sides; those about frames go
to the radio and come from it, all others are the user's. Such a radio is not synchronised and sends no beacons, its
discovery windows are of its own clock: it meets peers that are told to listen all the time, and others by chance.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from hw_bridge.chance import SystemStreams
from sim.wifi_aware.stdio import LoneNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.raw_frames import Heard, RawRadio
    from sim.scenario import Scenario

__all__ = ["RawNode"]


class RawNode:
    """One device and its radio; `write` gets what the device tells. Keys are the system's unless there is a seed."""

    def __init__(
        self,
        scenario: Scenario,
        radio: RawRadio,
        write: Callable[[dict[str, Any]], object],
        *,
        seed: int | None = None,
        speed: float | None = 1.0,
        reveal: bool = False,
    ) -> None:
        self.radio = radio
        self.node = LoneNode(scenario, self._out, seed=seed, speed=speed, reveal=reveal)
        if seed is None:
            self.node.world.streams = SystemStreams(self.node.world.seed)
        self._write = write
        radio.on_heard = self._heard
        radio.on_sent = self._sent

    def _out(self, answer: dict[str, Any]) -> None:
        if "frame" in answer and "n" in answer:
            self.radio.send(answer["n"], bytes.fromhex(answer["frame"]), answer["channel"])
        else:
            self._write(answer)

    def _heard(self, heard: Heard) -> None:
        line: dict[str, Any] = {"frame": heard.frame.hex()}
        if heard.rssi_dbm is not None:
            line["rssi_dbm"] = heard.rssi_dbm
        if heard.channel is not None:
            line["channel"] = heard.channel
        self.line(msgspec.json.encode(line))

    def _sent(self, number: int, acked: bool) -> None:  # the radio's callback
        self.line(msgspec.json.encode({"sent": number, "acked": acked}))

    def line(self, text: bytes) -> None:
        """A line of the user's: a command."""
        self.node.line(text)

    async def serve(self, opened: Callable[[], object] = lambda: None) -> None:
        """Open the radio, call `opened`, serve until cancelled. Raises BridgeError, also when the radio is lost."""
        lost: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

        def gone(error: BaseException) -> None:
            if not lost.done():
                lost.set_result(error)

        self.radio.on_gone = gone
        try:
            await self.radio.open()
            opened()
            raise await lost
        finally:
            await self.radio.close()
