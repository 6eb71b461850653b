"""The Wi-Fi Aware half of an accessory or phone: power, publishes and subscribes, ceremonies, data paths, memory.

What is bound to a power-on (engines, radio, links) is made anew each time; what is in flash (pairings) is kept here,
unless the firmware forgets it. A device reaches it as `aware`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
from protocols.wifi_aware.station import RefusedError
from sim.wifi_aware.ceremony import Ceremony
from sim.wifi_aware.data_paths import DataPaths
from sim.wifi_aware.firmware import method_bits
from sim.wifi_aware.flash import Flash
from sim.wifi_aware.node import AwareNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.device import AwareDevice
    from protocols.wifi_aware.peers import Identity
    from sim.person import Delegate
    from sim.wifi_aware.firmware import Firmware
    from sim.wifi_aware.node import Tap
    from sim.world import RadioPlace

__all__ = ["AwareHalf", "AwareOwner"]

T = TypeVar("T")
_PK = (7, 8)


class AwareOwner(Protocol):
    """What a device with a Wi-Fi Aware half may do when something happens; each has a default in its base."""

    name: str
    place: Any
    settings: Any

    @property
    def now_us(self) -> int:
        """Simulated time."""
        ...

    @property
    def person(self) -> Any:
        """Who stands in front of it."""
        ...

    def delegate(self) -> Delegate:
        """Who answers when it pairs."""
        ...

    def draw(self, purpose: str, length: int) -> bytes:
        """Random octets from the seed."""
        ...

    def emit(self, event: str, **details: Any) -> Any:
        """Write to the trace."""
        ...

    def firmware(self) -> Firmware:
        """What its maker decided."""
        ...

    def on_aware_event(self, event: ev.Event) -> None:
        """Any event of its engines, after the ceremony has answered it."""
        ...

    def may_open_path(self, event: ev.DataPathRequested) -> tuple[bool, int] | None:
        """Whether a data path request is accepted, and the reason code when not; None: it stays unanswered."""
        ...


class AwareHalf:
    """Wi-Fi Aware of one device."""

    def __init__(self, owner: AwareOwner, place: RadioPlace) -> None:
        self.owner = owner
        self.place = place
        self.identities: dict[int, Identity] = {}
        """pairings in flash."""
        self.flash = Flash()
        """addresses and own identity key."""
        self._places: dict[str, int] = {}
        """NMI -> pairing by which its device is known."""
        self.ceremony = Ceremony(owner, self)
        self.node: AwareNode | None = None
        self.radio: Any = None
        self.paths = DataPaths(self)
        """links of its data paths."""
        self.tap: Tap | None = None
        """who hears along, whenever it is on."""
        self.make_radio: Callable[[AwareNode, Firmware], Any] = self._nan_radio
        """another radio than that of the simulated air, when somebody has one."""
        self.listeners: list[Callable[[ev.Event], None]] = []
        """who else is told of events, before they are answered."""
        self.ports: dict[int, int] = {}
        """handle of a publish -> port of its service."""

    # Power

    @property
    def on(self) -> bool:
        """Whether it has power."""
        return self.node is not None

    def power_on(self) -> None:
        """Make engines and radio anew and join a cluster."""
        firmware = self.owner.firmware()
        if not firmware.persistent_keys:
            self.identities = {}
        self.node = AwareNode(
            self.owner, self.place, firmware, self._on_event, self.identities, self.flash
        )
        self.node.tap = self.tap
        self.radio = self.make_radio(self.node, firmware)
        self.node.radio = self.radio
        self.node.on_data = self.paths.receive
        self.radio.start()

    def _nan_radio(self, node: AwareNode, firmware: Firmware) -> Any:
        from sim.wifi_aware.radio import NanRadio  # the radio knows the node

        return NanRadio(self.owner.name, self.place, node, firmware)

    def power_off(self) -> None:
        """Fall silent at once."""
        self.paths.close("switched off")
        if self.radio is not None:
            self.radio.stop()
        self.node = self.radio = None
        self.ceremony.reset()
        self.ports.clear()
        self._places.clear()

    @property
    def engine(self) -> AwareDevice:
        """The engines. Raises RefusedError while it is off."""
        if self.node is None:
            raise RefusedError(f"{self.owner.name}: Wi-Fi Aware is off")
        return self.node.engine

    @property
    def delegate(self) -> Delegate:
        """Who answers when it pairs, as far as faults let the person through."""
        return self.place.defects(self.owner.name).person(self.owner.delegate())

    def command(self, call: Callable[[int], T]) -> T:
        """Command the engines now. Raises RefusedError."""
        if self.node is None:
            raise RefusedError(f"{self.owner.name}: Wi-Fi Aware is off")
        return self.node.command(call)

    def name(self, address: str) -> str:
        """Node of a radio address, else the address."""
        return self.place.name_of(address)

    def address_of(self, peer: str) -> str:
        """NMI of a node or address among the peers heard. Raises RefusedError."""
        for nmi in self.engine.station.peers:
            if peer in (nmi, self.name(nmi)):
                return nmi
        raise RefusedError(f"{self.owner.name}: nothing was heard of {peer} over Wi-Fi Aware")

    # Events

    def _on_event(self, event: ev.Event) -> None:
        if isinstance(event, ev.NikReceived | ev.NiraResolved):
            self.identities = dict(self.engine.station.identities)
            self._places[event.peer] = event.id
        if isinstance(event, ev.NikReceived):
            self._limit(event)
        if isinstance(event, ev.Tuned):
            self.radio.tune(event.handle, event.channel)
        self.paths.on_event(event)
        for listener in self.listeners:
            listener(event)
        self.ceremony.on_event(event)
        self.owner.on_aware_event(event)

    # Memory

    def identity_of(self, nmi: str) -> int | None:
        """Pairing by which the device at that address is known, by the NIRA it shows."""
        station = self.engine.station
        peer = station.peers.get(nmi)
        if peer is None or peer.nira is None:
            return None
        nonce, tag = peer.nira
        return station.identity_of(IdentityResolution(cipher_version=0, nonce=nonce, tag=tag), nmi)

    def forget(self, place: int | None = None) -> int:
        """Forget a pairing (None: all), and its keys that are in use; how many."""
        gone = [one for one in self.identities if place in (None, one)]
        for nmi in self._in_use(place):
            self.command(functools.partial(self.engine.pairing.unpair, nmi))
        for one in gone:
            del self.identities[one]
            if self.node is not None:
                self.command(functools.partial(self.engine.pairing.forget, one))
        return len(gone)

    def _limit(self, event: ev.NikReceived) -> None:
        """Forget a pairing when the lifetime of its key is over, in flash too, where the firmware enforces that."""
        identity, enforced = self.identities.get(event.id), self.owner.firmware().enforces_lifetime
        if enforced and identity is not None and event.lifetime_s is not None:
            time_us = event.lifetime_s * 1_000_000
            self.owner.place.after_us(time_us, self._outlived, event.id, identity)

    def _outlived(self, place: int, identity: Identity) -> None:
        if self.identities.get(place) is not identity:
            return  # forgotten meanwhile, or paired again
        del self.identities[place]
        if self.node is not None and place in self.engine.station.identities:
            self.command(functools.partial(self.engine.pairing.forget, place))
        self.owner.emit(
            "pairing_outlived",
            note=f"pairing {place} is forgotten: its key was good for {identity.lifetime_s} s",
            label="pairing forgotten",
            place=place,
        )

    def _in_use(self, place: int | None) -> list[str]:
        """NMIs that are paired now by a pairing (None: by any)."""
        peers = {} if self.node is None else self.engine.station.peers
        paired = [nmi for nmi, peer in peers.items() if peer.paired]
        return [nmi for nmi in paired if place is None or self._places.get(nmi) == place]

    # Data paths as a responder

    def answer_path(self, event: ev.DataPathRequested) -> None:
        """Answer a request as the firmware and its application decide."""
        decision = self.owner.may_open_path(event)
        if decision is None:
            return
        accept, reason = decision
        firmware = self.owner.firmware()
        secret = firmware.passphrase.encode() if event.csid and event.csid not in _PK else b""
        self.command(
            lambda now: self.engine.data_path.answer(
                event.peer,
                event.initiator_ndi,
                event.ndp_id,
                handle=event.publish_id,
                accept=accept,
                reason=reason,
                csid=event.csid,
                passphrase=secret,
                service_info=firmware.endpoint(self.ports.get(event.publish_id, firmware.port)),
                now=now,
            )
        )

    # Services

    def publish(self, name: str = "", *, port: int | None = None, **more: Any) -> int:
        """Publish a service as the firmware has it, with that port or its own; its handle. Raises RefusedError."""
        firmware = self.owner.firmware()
        number = firmware.port if port is None else port
        given = self._service(firmware, number) | more
        handle = self.command(
            lambda now: self.engine.discovery.publish(
                name or firmware.service_name, **given, now=now
            )
        )
        self.ports[handle] = number
        return handle

    def subscribe(self, name: str = "", **more: Any) -> int:
        """Subscribe to a service; its handle. Raises RefusedError."""
        wanted = name or self.owner.firmware().service_name
        return self.command(lambda now: self.engine.discovery.subscribe(wanted, **more, now=now))

    def cancel(self, handle: int) -> None:
        """End a publish or subscribe; harmless when it is over."""
        if self.node is not None:
            self.command(lambda now: self.engine.discovery.cancel(handle, now))

    @staticmethod
    def _service(firmware: Firmware, port: int) -> dict[str, Any]:
        """What a publish says, by the firmware."""
        return {
            "service_info": bytes.fromhex(firmware.service_info) or firmware.endpoint(port),
            "data_path_required": firmware.data_path,
            "methods": method_bits(firmware.methods) if firmware.pairing_mode else 0,
            "cipher_suites": firmware.cipher_suites if firmware.csia_in_publish else (),
            "passphrase": firmware.passphrase.encode(),
            "close_range": firmware.close_range,
            "unsynchronised": firmware.unsynchronised,
        }
