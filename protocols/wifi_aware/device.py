"""A whole Wi-Fi Aware device without a radio: its engines behind one set of five verbs.

Octets go to the engine they are for; frames, timers and events of all engines come out together, in order. The
synchronisation engine (`cluster.py`) belongs to the radio that knows the windows; `window` tells this device that one
begins. No clock, no IO; chance is `draw(purpose, octets)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware import frames
from protocols.wifi_aware.bootstrapping import Bootstrapping, BootstrappingSettings
from protocols.wifi_aware.datapath import DataPath, DataPathSettings
from protocols.wifi_aware.discovery import Discovery, DiscoverySettings
from protocols.wifi_aware.events import AuthReceived
from protocols.wifi_aware.heard import DUAL, HEADER, Heard, Outgoing, hear, is_group
from protocols.wifi_aware.pairing import Pairing, PairingSettings
from protocols.wifi_aware.peer_facts import readable
from protocols.wifi_aware.station import Station
from protocols.wifi_aware.station_settings import StationSettings

if TYPE_CHECKING:
    from protocols.wifi_aware.engine import Engine
    from protocols.wifi_aware.events import Event
    from protocols.wifi_aware.station import Draw

__all__ = ["AwareDevice", "DeviceSettings"]

_AUTHENTICATION, _AUTHENTICATION_FIXED = 0xB0, 6


class DeviceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a device, by engine."""

    station: StationSettings
    discovery: DiscoverySettings = DiscoverySettings()
    bootstrapping: BootstrappingSettings = BootstrappingSettings()
    pairing: PairingSettings = PairingSettings()
    data_path: DataPathSettings = DataPathSettings()


class AwareDevice:
    """One device: commands are those of its engines (`discovery`, `bootstrapping`, `pairing`, `data_path`)."""

    def __init__(self, settings: DeviceSettings, draw: Draw) -> None:
        self.settings = settings
        self.station = Station(settings.station, draw)
        self.discovery = Discovery(self.station, settings.discovery)
        follow_up = self.discovery.follow_up
        self.bootstrapping = Bootstrapping(self.station, follow_up, settings.bootstrapping)
        self.pairing = Pairing(self.station, follow_up, settings.pairing)
        self.data_path = DataPath(self.station, settings.data_path)
        self.discovery.consumers = [self.bootstrapping.follow_up, self.pairing.follow_up]
        self.engines: tuple[Engine, ...] = (
            self.discovery,
            self.bootstrapping,
            self.pairing,
            self.data_path,
        )
        self._sender: dict[int, Engine] = {}
        self._by_name = {engine.NAME: engine for engine in self.engines}

    @property
    def nmi(self) -> str:
        """The NMI in use."""
        return self.station.nmi

    # The five verbs

    def receive(self, data: bytes | Heard, now: int) -> None:
        """Take a frame from the air; whatever it is, this returns, and an event says why it was not taken."""
        heard = hear(data) if isinstance(data, bytes) else data
        if heard.frame is None:
            self._take_malformed(heard)
            return
        if not isinstance(heard.frame, frames.Header) or not self._is_mine(heard.frame):
            return
        if is_group(heard.frame.destination) and not self.station.is_genuine(heard):
            return
        opened = self.station.open(heard)
        if opened is None or not self._is_protected_enough(opened):
            return
        engine = self._engine_for(opened.frame)
        if engine is not None:
            engine.receive(opened, now)
        if engine is self.discovery and opened.frame.source in self.data_path.links:
            shown = tuple(readable(opened.frame, "nan_availability"))
            self.data_path.take_schedule(opened, opened.frame.source, shown, now)

    def move(self, nmi: str, now: int) -> None:
        """Use another NMI from now on: data paths end here, and what was bound to the old one is gone."""
        self.data_path.reset("this device took another address", now)
        self.station.move(nmi)

    def _take_malformed(self, heard: Heard) -> None:
        """Tell of a malformed frame, if it was for this device; an Authentication frame counts as refused."""
        octets = heard.octets
        if len(octets) < HEADER or octets[4:10].hex(":") != self.station.nmi:
            return
        self.station.drop(heard, str(heard.error))
        fixed = octets[HEADER : HEADER + _AUTHENTICATION_FIXED]
        if octets[0] == _AUTHENTICATION and len(fixed) == _AUTHENTICATION_FIXED:
            transaction, status = (int.from_bytes(fixed[at : at + 2], "little") for at in (2, 4))
            peer = octets[10:16].hex(":")
            self.station.emit(
                AuthReceived(peer=peer, transaction=transaction, status=status, accepted=False)
            )

    def _is_mine(self, frame: frames.Header) -> bool:
        destination = frame.destination
        if frame.source == self.station.nmi:
            return False
        own = destination in (self.station.nmi, self.station.settings.ndi)
        return own or is_group(destination) or (destination, frame.source) in self.station.link_keys

    def _is_protected_enough(self, heard: Heard) -> bool:
        """Unicast action frames of a paired peer must be protected (pairing digest, section 8)."""
        frame = heard.frame
        if not isinstance(frame, frames.Sdf | frames.Naf) or is_group(frame.destination):
            return True
        peer = self.station.peers.get(frame.source)
        if peer is None or not peer.paired:
            return True
        marked = frame.category == DUAL
        if marked and (heard.opened or not self.station.settings.link_protection):
            return True
        self.station.drop(heard, "not protected, and its sender is paired")
        return False

    def _engine_for(self, frame: frames.Header) -> Engine | None:
        match frame:
            case frames.Sdf():
                return self.discovery
            case frames.Naf():
                return self.data_path
            case frames.Authentication():
                return self.pairing
            case _:
                return None

    def to_send(self, now: int) -> list[Outgoing]:
        """Frames to be sent, in order; each is given once."""
        out = self.discovery.to_send(now)
        self._sender.update((one.number, self._by_name[one.engine]) for one in out)
        return out

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of frame `number`; unknown numbers are passed over."""
        engine = self._sender.pop(number, None)
        if engine is not None:
            engine.sent(number, acked, now)

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called, None when nothing runs."""
        due = [at for engine in self.engines if (at := engine.next_timer()) is not None]
        return min(due, default=None)

    def handle_timer(self, now: int) -> None:
        """Run what is due, the earliest first."""
        while True:
            due = [
                (at, i)
                for i, one in enumerate(self.engines)
                if (at := one.next_timer()) is not None
            ]
            if not due or min(due)[0] > now:
                return
            at, index = min(due)
            self.engines[index].handle_timer(at)

    def next_event(self) -> Event | None:
        """The next event, None when there is none."""
        return self.discovery.next_event()

    def window(self, now: int) -> None:
        """A discovery window begins: publishes and subscribes that are due go out."""
        self.discovery.window(now)

    def timers(self) -> dict[str, int]:
        """Running timers and when they are due, for a ladder."""
        return {name: due for engine in self.engines for name, due in engine.timers().items()}
