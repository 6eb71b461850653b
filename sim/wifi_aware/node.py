"""The Wi-Fi Aware half of a device: its engines between a radio below and an application above.

Towards the radio it has the engines' five verbs; each frame and each event goes into the trace, and the events on to
the application. What an application commands goes through `command`, which wakes the radio. No bytes are made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from protocols.wifi_aware.device import AwareDevice
from protocols.wifi_aware.heard import Heard, Outgoing, hear
from sim.device import check_address
from sim.wifi_aware.engines import engine_settings, unreadable
from sim.wifi_aware.flash import Flash
from sim.wifi_aware.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.events import Event
    from protocols.wifi_aware.peers import Identity
    from sim.wifi_aware.firmware import Firmware
    from sim.wifi_aware.half import AwareOwner
    from sim.world import RadioPlace

__all__ = ["AwareNode", "Radio", "Tap"]

T = TypeVar("T")
_LOCAL, _GROUP = 0x02, 0x01


class Radio(Protocol):
    """What a node needs of the radio below it."""

    def kick(self) -> None:
        """There is something to send, or another timer."""
        ...


class Tap(Protocol):
    """Who hears along: a phone that judges what it meets."""

    def heard(self, heard: Heard, now: int) -> bool:
        """A frame came from the air; True keeps it from the engines."""
        ...

    def sent(self, out: Outgoing, now: int) -> None:
        """An own frame goes on the air."""
        ...

    def lost(self, number: int) -> None:
        """Nobody acknowledged the own unicast frame of that number, and it is given up."""
        ...


class AwareNode:
    """Engines of one device; `on_event` gets what they tell."""

    def __init__(
        self,
        owner: AwareOwner,
        place: RadioPlace,
        firmware: Firmware,
        on_event: Callable[[Event], None],
        identities: dict[int, Identity] | None = None,
        flash: Flash | None = None,
    ) -> None:
        self.owner = owner
        self.place = place
        self.firmware = firmware
        self.telling = Telling(owner.name, place)
        self.radio: Radio | None = None
        self.on_data: Callable[[bytes, int], bool] | None = None
        """takes data frames; whether one was for a link of this device."""
        self.tap: Tap | None = None
        kept = flash or Flash()
        nmi, ndi = kept.addresses(firmware)
        nmi = self._address("nmi", nmi)
        ndi = nmi if ndi == "nmi" else self._address("ndi", ndi)
        nik = kept.nik if firmware.persistent_keys else b""
        settings = firmware.refine(engine_settings(firmware, nmi, ndi, nik))
        self.engine = AwareDevice(settings, owner.draw)
        self.engine.station.identities.update(identities or {})
        self._on_event = on_event
        self._draining = False
        self._waits: dict[str, int] = {}
        self._on_air: dict[int, Outgoing] = {}
        """frames that went on the air, until it is known what became of them."""
        self._flash = kept
        self._claim()

    def _address(self, purpose: str, given: str) -> str:
        if given:
            return check_address(given)[0]
        octets = bytearray(self.owner.draw(purpose, 6))
        octets[0] = octets[0] & ~_GROUP | _LOCAL
        return octets.hex(":")

    def _claim(self) -> None:
        station = self.engine.station
        self._flash.note(station)
        self.place.claim(self.owner.name, station.settings.ndi)
        self.place.claim(self.owner.name, station.nmi)

    @property
    def now_us(self) -> int:
        """Simulated time."""
        return self.owner.now_us

    @property
    def nmi(self) -> str:
        """The NMI in use."""
        return self.engine.station.nmi

    def command(self, call: Callable[[int], T]) -> T:
        """Do something with the engines at this instant. Raises RefusedError."""
        try:
            return call(self.now_us)
        finally:
            self._drain()
            if self.radio is not None:
                self.radio.kick()

    def move(self, nmi: str = "") -> str:
        """Take a new NMI, a drawn one unless given; what was bound to the old one is gone."""
        address = self._address("nmi", nmi)
        self.command(lambda now: self.engine.move(address, now))
        self._claim()
        return address

    # The five verbs, for the radio

    def receive(self, data: bytes | Heard, now: int) -> None:
        """A frame was heard."""
        given = hear(data) if isinstance(data, bytes) else data
        fault = unreadable(given, self.firmware.availability_period_limit_tu)
        if fault:
            self.engine.station.drop(given, fault)
        elif self.tap is None or not self.tap.heard(given, now):
            self.engine.receive(given, now)
        self._drain()

    def to_send(self, now: int) -> list[Outgoing]:
        """Frames for the radio."""
        return self.engine.to_send(now)

    def sending(self, out: Outgoing) -> None:
        """The radio puts a frame on the air now: that is when the trace tells of it."""
        frame = hear(out.clear).frame
        self._on_air[out.number] = out
        if frame is not None:
            self.telling.sent(out, frame)
        if self.tap is not None:
            self.tap.sent(out, self.now_us)

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of a frame."""
        out = self._on_air.pop(number, None)
        if out is not None and not acked:
            self.telling.not_acknowledged(out)
            if self.tap is not None:
                self.tap.lost(number)
        self.engine.sent(number, acked, now)
        self._drain()

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called."""
        return self.engine.next_timer()

    def handle_timer(self, now: int) -> None:
        """Time passed."""
        self.engine.handle_timer(now)
        self._drain()

    def window(self, now: int) -> None:
        """A discovery window begins."""
        self.engine.window(now)
        self._drain()

    def beacon(self, octets: bytes) -> bytes:
        """A beacon as it goes out: with its MME when the device protects beacons."""
        return self.engine.station.guarded(octets, "bigtk")

    def believes(self, heard: Heard) -> bool:
        """Whether a beacon may be taken."""
        return self.engine.station.is_genuine(heard)

    def data(self, octets: bytes, now: int) -> None:
        """A data frame was heard."""
        if self.on_data is not None and self.on_data(octets, now):
            self._drain()

    def _drain(self) -> None:
        """Tell events, in order; what the application does in answer is told after them."""
        if self._draining:
            return
        self._draining = True
        try:
            while (event := self.engine.next_event()) is not None:
                self.telling.told(event)
                self._on_event(event)
            self._tell_timers()
        finally:
            self._draining = False

    def _tell_timers(self) -> None:
        """Tell of waits that have begun, or were given up, since the last look."""
        engine = self.engine
        waits: dict[str, int] = {}
        for one in (engine.bootstrapping, engine.pairing, engine.data_path):
            waits |= one.timers()
        for name, due in waits.items():
            if self._waits.get(name) != due:
                self.telling.waits(name, due - self.now_us)
        for name, due in self._waits.items():
            if name not in waits and due > self.now_us:
                self.telling.waits_no_more(name)
        self._waits = waits
