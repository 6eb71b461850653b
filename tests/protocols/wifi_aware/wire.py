"""Wi-Fi Aware devices on a wire in memory: virtual time, and a hook that loses, doubles, delays or changes frames."""

from __future__ import annotations

import hashlib
import heapq
import random
from typing import TYPE_CHECKING, Any, TypeVar

from protocols.wifi_aware.device import AwareDevice, DeviceSettings
from protocols.wifi_aware.station_settings import StationSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.events import Event
    from protocols.wifi_aware.heard import Outgoing

    Carry = Callable[[str, Outgoing], list[tuple[int, bytes]]]
    """(sender, frame) -> (delay in µs, octets) of each delivery."""

A, B, C = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01", "02:00:5e:30:c0:01"
SERVICE = "_pairtest._tcp"
TRANSMIT_US = 1_000
"""from a transmission to its status."""
E = TypeVar("E", bound="Event")


class Draws:
    """Chance of one device: the same octets for the same seed; `log` keeps purposes in order."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.log: list[str] = []

    def __call__(self, purpose: str, length: int) -> bytes:
        name = f"{self.seed} {len(self.log)} {purpose}".encode()
        self.log.append(purpose)
        return hashlib.shake_256(name).digest(length)


def device(
    nmi: str = A, seed: str = "", station: dict[str, Any] | None = None, **settings: Any
) -> AwareDevice:
    """A device; `station` are fields of its StationSettings, the rest those of DeviceSettings."""
    base = {"nmi": nmi, "ndi": nmi[:-2] + "11", **(station or {})}
    return AwareDevice(
        DeviceSettings(station=StationSettings(**base), **settings), Draws(f"{seed} {nmi}")
    )


def faultless(_sender: str, frame: Outgoing) -> list[tuple[int, bytes]]:
    """Every frame arrives, at once."""
    return [(0, frame.octets)]


def faulty(seed: int, *, loss: float, double: float = 0.0, delay_us: int = 0) -> Carry:
    """Frames get lost, arrive twice, and overtake each other."""
    chance = random.Random(seed)

    def carry(_sender: str, frame: Outgoing) -> list[tuple[int, bytes]]:
        if chance.random() < loss:
            return []
        copies = 2 if chance.random() < double else 1
        return [(chance.randint(0, delay_us), frame.octets) for _ in range(copies)]

    return carry


class Wire:
    """Devices by name; `sent` keeps (time, sender, frame), `told` every device's events."""

    def __init__(self, carry: Carry = faultless, **devices: AwareDevice) -> None:
        self.carry = carry
        self.devices = devices
        self.now = 0
        self.sent: list[tuple[int, str, Outgoing]] = []
        self.told: dict[str, list[Event]] = {name: [] for name in devices}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.flush()

    def at(self, time: int, action: Callable[[], None]) -> None:
        """Plan an action."""
        self._count += 1
        heapq.heappush(self._due, (time, self._count, action))

    def flush(self) -> None:
        """Carry what the devices have sent, collect what they have told."""
        for name, one in self.devices.items():
            for frame in one.to_send(self.now):
                self.sent.append((self.now, name, frame))
                copies = self.carry(name, frame)
                for delay, octets in copies:
                    self.at(
                        self.now + delay, lambda name=name, octets=octets: self.hand(name, octets)
                    )
                self.at(
                    self.now + TRANSMIT_US,
                    lambda one=one, frame=frame, acked=bool(copies): one.sent(
                        frame.number, acked=acked, now=self.now
                    ),
                )
            while (event := one.next_event()) is not None:
                self.told[name].append(event)

    def hand(self, sender: str, octets: bytes) -> None:
        """Let every device but the sender hear a frame."""
        for name, one in self.devices.items():
            if name != sender:
                one.receive(octets, self.now)

    def run(self, duration_us: int = 5_000_000) -> None:
        """Let time pass: deliveries and timers in order."""
        end = self.now + duration_us
        while True:
            self.flush()
            timers = [due for one in self.devices.values() if (due := one.next_timer()) is not None]
            upcoming = min([*timers, *(due for due, _, _ in self._due[:1])], default=end + 1)
            if upcoming > end:
                break
            self.now = max(self.now, upcoming)
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            for one in self.devices.values():
                one.handle_timer(self.now)
        self.now = end

    def window(self) -> None:
        """A discovery window: every device announces, everything arrives."""
        for one in self.devices.values():
            one.window(self.now)
        self.run(10_000)

    def events(self, name: str, kind: type[E]) -> list[E]:
        """Events of that kind that a device told, in order."""
        return [event for event in self.told[name] if isinstance(event, kind)]

    def names(self, sender: str | None = None) -> list[str]:
        """What was sent, in order."""
        return [frame.name for _, name, frame in self.sent if sender in (None, name)]
