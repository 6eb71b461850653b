"""The radio of a node whose air is a line of text: what the engines send goes out at once, what is heard comes in.

Rules: nothing is synchronised here: discovery windows begin every 512 TU of the node's own clock, or when the other side
says so; no beacon is sent, none is needed. A frame is done with when the other side reports what became of it; one to a
group when it has gone out. Data frames wait for the slots of their NDL, as on any radio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from protocols.wifi_aware.cluster_settings import CHANNEL_2_4
from protocols.wifi_aware.heard import hear, is_group
from protocols.wifi_aware.timing import DW_INTERVAL_US
from sim.wifi_aware.presence import Presence
from sim.wifi_aware.radio_settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.clock import Event, VirtualLoop
    from sim.wifi_aware.firmware import Firmware
    from sim.wifi_aware.mac import Job
    from sim.wifi_aware.node import AwareNode
    from sim.wifi_aware.radio_settings import RadioSettings

__all__ = ["LineRadio", "Sent"]

_TYPE, _DATA, _BEACON = 0x0C, 0x08, 0x80
"""Of the first octet of Frame Control: bits of the type, data frames, beacons."""
_WAITING = 4096
"""Frames whose fate is awaited; the oldest is forgotten."""


class Sent(NamedTuple):
    """A frame that goes out."""

    number: int
    octets: bytes
    t_us: int
    channel: int
    name: str


class LineRadio:
    """Radio of one node; `out` gets each frame."""

    def __init__(
        self,
        node: AwareNode,
        firmware: Firmware,
        loop: VirtualLoop,
        out: Callable[[Sent], None],
        *,
        windows: bool = True,
        auto_ack: bool = False,
    ) -> None:
        self.settings = settings_of(firmware)
        self.presence = Presence()
        self.tsf_offset_us = 0
        """TSF less simulated time."""
        self._node = node
        self._loop = loop
        self._out = out
        self._windows = windows
        self._auto_ack = auto_ack
        self._number = 0
        self._waiting: dict[int, tuple[Any, int, Job | None]] = {}
        self._jobs: list[Job] = []
        self._timer: Event | None = None
        self._window_us: int | None = None
        self._driving = self._again = False
        self._on = False

    # Power

    def start(self) -> None:
        """Switch on."""
        self._on = True
        self._window_us = self._loop.now_us + DW_INTERVAL_US if self._windows else None
        self._arm()

    def stop(self) -> None:
        """Switch off at once."""
        self._on = False
        self._waiting.clear()
        self._jobs.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Time

    @property
    def now_us(self) -> int:
        """Simulated time."""
        return self._loop.now_us

    def tsf_us(self, now_us: int) -> int:
        """The TSF of its cluster."""
        return now_us + self.tsf_offset_us

    def window(self) -> None:
        """A discovery window begins now."""
        self._node.window(self.now_us)
        self.kick()

    # Sending

    def kick(self) -> None:
        """The node has something to send, or another timer."""
        if self._driving:
            self._again = True
            return
        self._driving = self._again = True
        try:
            while self._again and self._on:
                self._again = False
                self._turn()
        finally:
            self._driving = False
        if self._on:
            self._arm()

    def _turn(self) -> None:
        now = self.now_us
        if self._window_us is not None and self._window_us <= now:
            self._window_us += DW_INTERVAL_US
            self._node.window(now)
        due = self._node.next_timer()
        if due is not None and due <= now:
            self._node.handle_timer(now)
        for out in self._node.to_send(now):
            self._node.sending(out)
            self._send(self._node, out.number, out, None)
        while self._jobs:
            job = self._jobs.pop(0)
            self._send(job.engine, job.out.number, job.out, job)

    def _arm(self) -> None:
        """Set the timer to what comes next."""
        wanted = [at for at in (self._node.next_timer(), self._window_us) if at is not None]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wanted:
            self._timer = self._loop.at_us(max(self.now_us, min(wanted)), self.kick)

    def attend(self, settings: RadioSettings, *, slots: bool) -> None:
        """Other windows and slots: nothing to do, whoever carries the frames says when it hears them."""
        self.settings = settings

    def tune(self, who: object, channel: int | None) -> None:
        """Unsynchronised discovery listens on another channel; whoever carries the frames picks it."""

    def carry(self, job: Job) -> None:
        """Take a data frame of a link, in the opening that the link found for it."""
        self._jobs.append(job)
        self.kick()

    def _send(self, engine: Any, number: int, out: Any, job: Job | None) -> None:
        self._number += 1
        channel = CHANNEL_2_4 if out.channel is None else out.channel
        while len(self._waiting) >= _WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[self._number] = (engine, number, job)
        mine = self._number
        self._out(Sent(mine, out.octets, self.now_us, channel, out.name))
        if self._auto_ack or is_group(out.destination):
            self.sent(mine, acked=True)

    def sent(self, number: int, *, acked: bool) -> bool:
        """What became of a frame; told again it changes nothing. False for one that was never sent."""
        found = self._waiting.pop(number, None)
        if found is None:
            return 0 < number <= self._number
        engine, inner, job = found
        if job is not None:
            job.tries = self.settings.retry_limit + 1
        engine.sent(inner, acked, self.now_us)
        self.kick()
        return True

    # Hearing

    def heard(self, octets: bytes, rssi_dbm: int | None, channel: int | None) -> None:
        """A frame is heard, whatever it is; beacons say nothing here."""
        if not self._on or octets[:1] == bytes((_BEACON,)):
            return
        if octets and octets[0] & _TYPE == _DATA:
            self._node.data(octets, self.now_us)
        else:
            self._node.receive(hear(octets, rssi_dbm, channel), self.now_us)
        self.kick()
