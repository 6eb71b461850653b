"""Two pairing engines with stations, and the air between them: every frame waits until it is delivered, lost or altered.

Discovery is left out: who the other is, is told at the start, and follow-ups are the least that carries an attribute.
"""

from __future__ import annotations

from collections import deque
from typing import Any, TypeVar

from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import frames
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
from protocols.wifi_aware.events import Event, PairingResult
from protocols.wifi_aware.heard import DUAL, hear
from protocols.wifi_aware.pairing import Input, Pairing, PairingSettings, State
from protocols.wifi_aware.peers import Service
from protocols.wifi_aware.station import Station
from protocols.wifi_aware.station_settings import StationSettings
from tests.protocols.wifi_aware.wire import Draws

A, B = "02:00:5e:10:a0:01", "02:00:5e:20:b0:01"
SERVICE_ID = "9904c1d05acb"
PIN = b"492137"
TRANSMIT_US = 1_000
E = TypeVar("E", bound=Event)


class RecordedPairing(Pairing):
    """Remembers the rows of the table that it ran."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.rows: list[tuple[State, Input]] = []

    def _row(self, context: Any, given: Input) -> tuple[str, State]:
        found = super()._row(context, given)
        self.rows.append((context.state, given))
        return found


class Side:
    """A station, its pairing engine, and one service."""

    def __init__(
        self, nmi: str, settings: PairingSettings, *, seed: str = "", **station: Any
    ) -> None:
        self.nmi = nmi
        chosen = StationSettings(nmi=nmi, ndi=f"02:ff{nmi[5:]}", **station)
        self.draws = Draws(seed or nmi)
        self.station = Station(chosen, self.draws)
        self.handle = 1
        self.station.services[1] = Service(
            id=1, publish=nmi == A, name="_x._tcp", service_id=SERVICE_ID, methods=3
        )
        self.pairing = RecordedPairing(self.station, self.send_follow_up, settings)
        self.events: list[Event] = []

    def meet(self, other: Side) -> None:
        """Know of the other side what discovery would tell."""
        peer = self.station.peer(other.nmi)
        peer.pairing_setup = peer.npk_caching = True
        nira: Any = other.station.nira().fields
        peer.nira = (nira.nonce, nira.tag)

    def send_follow_up(
        self,
        peer: str,
        handle: int,
        peer_instance_id: int,
        attributes: Any,
        *,
        name: str,
        engine: str,
    ) -> int:
        descriptor = ServiceDescriptor(
            service_id=SERVICE_ID,
            instance_id=handle,
            requestor_instance_id=peer_instance_id,
            type=2,
            range_limited=False,
        )
        found = [make(descriptor), self.station.nira(), *attributes]
        category = self.station.category(self.station.peer(peer))
        frame = self.station.sdf(peer, found, category=category)
        return self.station.send(frame, name, engine)

    def of(self, kind: type[E]) -> list[E]:
        """Events of a kind so far."""
        while (event := self.pairing.next_event()) is not None:
            self.events.append(event)
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def results(self) -> list[int]:
        """Statuses of the pairings that ended here."""
        return [event.status for event in self.of(PairingResult)]

    def take(self, octets: bytes, now: int) -> None:
        """As a device: open, refuse what should be protected, give it to the engine."""
        heard = self.station.open(hear(octets))
        if heard is None or heard.frame is None:
            return
        frame = heard.frame
        if isinstance(frame, frames.Authentication):
            self.pairing.receive(heard, now)
        elif isinstance(frame, frames.Sdf):
            peer = self.station.peers.get(frame.source)
            if peer is not None and peer.paired and frame.category != DUAL:
                return
            descriptor = frame.first("service_descriptor")
            for service in list(self.station.services.values()):
                self.pairing.follow_up(heard, descriptor, service, now)


class Frame:
    """One that waits to be delivered."""

    def __init__(self, sender: Side, receiver: Side, out: Any) -> None:
        self.sender, self.receiver, self.out = sender, receiver, out
        self.name: str = out.name
        self.octets: bytes = out.octets


class Air:
    """Two sides and the frames between them; `now` in microseconds."""

    def __init__(self, a: Side, b: Side) -> None:
        self.a, self.b, self.now = a, b, 1_000_000
        self.waiting: deque[Frame] = deque()
        self.log: list[Frame] = []
        a.meet(b)
        b.meet(a)

    def other(self, side: Side) -> Side:
        return self.b if side is self.a else self.a

    def collect(self) -> None:
        for side in (self.a, self.b):
            for out in side.pairing.to_send(self.now):
                frame = Frame(side, self.other(side), out)
                self.waiting.append(frame)
                self.log.append(frame)
            side.of(Event)

    def next(self) -> Frame:
        """The frame that waits longest, taken off the air."""
        self.collect()
        return self.waiting.popleft()

    def deliver(self, frame: Frame | None = None, octets: bytes | None = None) -> Frame:
        """Deliver a frame (or other octets in its place) and report its transmit status."""
        frame = frame or self.next()
        frame.receiver.take(frame.octets if octets is None else octets, self.now)
        self.report(frame)
        return frame

    def lose(self) -> Frame:
        """The next frame is lost; its transmit status is positive, as in the recordings."""
        frame = self.next()
        self.report(frame)
        return frame

    def report(self, frame: Frame, *, acked: bool = True) -> None:
        self.now += TRANSMIT_US
        frame.sender.pairing.sent(frame.out.number, acked, self.now)
        self.collect()

    def settle(self) -> None:
        """Deliver everything that waits, without letting timers run."""
        self.collect()
        while self.waiting:
            self.deliver()

    def run(self, until: int | None = None) -> None:
        """Deliver, and run the timers that are due until then (all when None)."""
        self.settle()
        while (due := self.due()) is not None and (until is None or due <= until):
            self.advance(due)
            self.settle()
        if until is not None:
            self.now = max(self.now, until)

    def due(self) -> int | None:
        times = [at for side in (self.a, self.b) if (at := side.pairing.next_timer()) is not None]
        return min(times, default=None)

    def advance(self, to: int) -> None:
        """Time passes; what is due runs."""
        self.now = max(self.now, to)
        for side in (self.a, self.b):
            side.pairing.handle_timer(self.now)
        self.collect()


def sides(
    a: PairingSettings | None = None, b: PairingSettings | None = None, **station: Any
) -> Air:
    """A publisher A and a subscriber B that know of each other."""
    first = Side(A, a or PairingSettings(), **station)
    return Air(first, Side(B, b or PairingSettings(), **station))


def pair(
    side: Side, peer: str, *, mode: str = "sae", csid: int = 7, password: bytes = PIN, now: int
) -> None:
    """Start towards instance 1."""
    side.pairing.pair(peer, 1, 1, mode=mode, csid=csid, password=password, now=now)


def accept(
    side: Side, peer: str, *, mode: str = "sae", csid: int = 7, password: bytes = PIN, now: int
) -> None:
    """Be ready for instance 1."""
    side.pairing.accept(peer, 1, 1, mode=mode, csid=csid, password=password, now=now)


def paired(air: Air, mode: str = "sae", csid: int = 7) -> Air:
    """B pairs with A, to the end."""
    accept(air.a, B, mode=mode, csid=csid, now=air.now)
    pair(air.b, A, mode=mode, csid=csid, now=air.now)
    air.run(air.now + 1_000_000)
    return air


def read(octets: bytes) -> Any:
    """A frame, whatever its kind."""
    return codec.read(octets)


def parameters_of(octets: bytes) -> Any:
    """PASN Parameters of an Authentication frame."""
    return next(one for one in read(octets).elements if one.name == "pasn_parameters").fields


def status_frame(air: Air, status: int, elements: str = "", transaction: int = 2) -> bytes:
    """A forged Authentication frame from A to B with a status."""
    nan = bytes.fromhex("dd0a506f9a13220300000701")
    addresses = (B + A + air.a.station.cluster_id).replace(":", "")
    body = b"\7\0" + transaction.to_bytes(2, "little") + status.to_bytes(2, "little")
    return bytes.fromhex("b0000000" + addresses + "0000") + body + bytes.fromhex(elements) + nan
