"""Service discovery of one device: its publishes and subscribes, in discovery windows and without a cluster.

Wi-Fi Aware 4.0, service discovery; digest 3, as in hostap src/common/nan_de.c. Rule 1: what an instance does on what
is a row of `discovery_table.TRANSITIONS`, and the engine runs on that table; the actions are in
`discovery_actions.py`. Rule 2: which frames an instance takes is `discovery_checks.py`, what frames carry is
`discovery_frames.py`. Rule 3: nothing here is authenticated, so what others say fills a bounded memory. No clock, no
IO; chance decides how long a state of unsynchronised discovery lasts, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import msgspec

from protocols.wifi_aware import saying, service_start
from protocols.wifi_aware.discovery_actions import NAME, Actions, Cause
from protocols.wifi_aware.discovery_checks import CHECKS, Arrival, concerns, input_of, objection
from protocols.wifi_aware.discovery_frames import sightings
from protocols.wifi_aware.discovery_settings import DiscoverySettings
from protocols.wifi_aware.discovery_table import TRANSITIONS, Input
from protocols.wifi_aware.engine import Engine
from protocols.wifi_aware.events import Stepped
from protocols.wifi_aware.messages import Messages
from protocols.wifi_aware.peer_facts import admit, learn
from protocols.wifi_aware.service_options import (
    Instance,
    Publication,
    PublishOptions,
    State,
    SubscribeOptions,
    Subscription,
)
from protocols.wifi_aware.station import RefusedError
from protocols.wifi_aware.unsynchronised import Unsynchronised

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
    from protocols.wifi_aware.discovery_frames import Sighting
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.peers import Service
    from protocols.wifi_aware.station import Station

__all__ = ["Discovery", "DiscoverySettings"]


class Discovery(Engine):
    """Publishes and subscribes of one device."""

    NAME = NAME

    def __init__(self, station: Station, settings: DiscoverySettings) -> None:
        super().__init__(station)
        self.settings = settings
        self.instances: dict[int, Instance] = {}
        """by handle."""
        self._messages = Messages(self, settings)
        self._air = Unsynchronised(self, settings.unsynchronised, self._on_timer)
        self._actions = Actions(station, settings, self._air)

    @property
    def consumers(self) -> list[Callable[[Heard, ServiceDescriptor, Service, int], bool]]:
        """Who takes follow-ups before the application, in order."""
        return self._actions.consumers

    @consumers.setter
    def consumers(
        self, consumers: list[Callable[[Heard, ServiceDescriptor, Service, int], bool]]
    ) -> None:
        self._actions.consumers = consumers

    # Commands

    def publish(self, name: str, *, now: int, **options: Unpack[PublishOptions]) -> int:
        """Begin to publish a service; its handle, which is the instance ID. Raises RefusedError.

        The options are the fields of `Publication`.
        """
        return self._begin(name, Publication(**options), now)

    def subscribe(self, name: str, *, now: int, **options: Unpack[SubscribeOptions]) -> int:
        """Begin to look for a service; its handle. Raises RefusedError.

        The options are the fields of `Subscription`.
        """
        return self._begin(name, Subscription(**options), now)

    def _begin(self, name: str, terms: Publication | Subscription, now: int) -> int:
        instance = service_start.new_instance(self.station, self.settings, name, terms)
        handle = instance.handle
        self.instances[handle] = instance
        self.station.services[handle] = instance.service
        if terms.unsynchronised:
            self._air.begin(instance, now)
        return handle

    def update(
        self,
        handle: int,
        *,
        service_info: bytes | None = None,
        methods: int | None = None,
        pairing_mode: bool | None = None,
    ) -> None:
        """Change what an instance says; None leaves it as it is. Raises RefusedError.

        A Service Update Indicator counts one further when there is one.
        """
        instance = self._instance(handle)
        given = {"service_info": service_info, "methods": methods, "pairing_mode": pairing_mode}
        changes = {key: value for key, value in given.items() if value is not None}
        before = instance.terms
        instance.terms = msgspec.structs.replace(before, **changes)
        try:
            service_start.check(self.station, self.settings, instance)
        except RefusedError:
            instance.terms = before
            raise
        instance.service.methods = instance.terms.methods
        instance.revision += 1
        if instance.update_indicator is not None:
            instance.update_indicator = (instance.update_indicator + 1) % 256

    def cancel(self, handle: int, now: int) -> None:
        """End a publish or subscribe. Raises RefusedError."""
        self._step(self._instance(handle), Input.CANCEL, Cause(now, reason="cancelled"))

    def unpause(self, handle: int, now: int) -> None:
        """Let a paused publish announce again. Raises RefusedError."""
        if not self._step(self._instance(handle), Input.UNPAUSE, Cause(now)):
            raise RefusedError(f"publish {handle} is not paused: there is nothing to resume")

    def window(self, now: int) -> None:
        """A discovery window begins: what is announced goes out, what has lived long enough ends."""
        for instance in list(self.instances.values()):
            if not instance.terms.unsynchronised:
                self._window_of(instance, now)

    def _window_of(self, instance: Instance, now: int) -> None:
        if instance.windows_left == 0:
            self._step(instance, Input.LIFE_SPENT, Cause(now, reason="its time is over"))
            return
        instance.windows += 1
        if instance.windows_left is not None:
            instance.windows_left -= 1
        self._actions.expire_matches(instance)
        self._step(instance, Input.WINDOW, Cause(now))

    def transmit(
        self, peer: str, handle: int, peer_instance_id: int, service_info: bytes, now: int
    ) -> int:
        """Send an application's follow-up; its number, by which `Transmitted` tells its fate. Raises RefusedError."""
        self._messages.admit()

        def send() -> int:
            return self.follow_up(
                peer,
                handle,
                peer_instance_id,
                (),
                name="follow_up",
                engine=self.NAME,
                service_info=service_info,
            )

        number = send()
        self._messages.track(number, peer, send, now)
        return number

    def follow_up(
        self,
        peer: str,
        handle: int,
        peer_instance_id: int,
        attributes: Sequence[Attr],
        *,
        name: str,
        engine: str,
        service_info: bytes | None = None,
        category: int | None = None,
        pairing_info: bool = False,
    ) -> int:
        """Send a follow-up of an instance that carries `attributes`; number of its frame. Raises RefusedError.

        `category`: that of the peer unless given; `pairing_info`: with the pairing strings of a subscribe.
        """
        return self._actions.follow_up(
            self._instance(handle),
            peer,
            peer_instance_id,
            attributes,
            name=name,
            engine=engine,
            service_info=service_info,
            category=category,
            pairing_info=pairing_info,
        )

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of frame `number`."""
        self._messages.sent(number, acked, now)

    def _instance(self, handle: int) -> Instance:
        found = self.instances.get(handle)
        if found is None:
            known = ", ".join(str(one) for one in self.instances) or "none"
            raise RefusedError(f"no publish or subscribe has handle {handle}; running: {known}")
        return found

    # Running on the table

    def _step(self, instance: Instance, given: Input, cause: Cause) -> bool:
        """Do what the table says; False when it has no row."""
        row = TRANSITIONS.get((instance.state, given))
        if row is None:
            return False
        action, after = row
        before, instance.state = instance.state, after
        if before is not after:
            self._tell(instance, before, after, given)
        if after is State.ENDED:
            del self.instances[instance.handle]
        self._actions.table[action](instance, cause)
        return True

    def _tell(self, instance: Instance, before: State, after: State, given: Input) -> None:
        self.station.emit(
            Stepped(
                engine=self.NAME,
                before=f"{instance.handle}: {before.value}",
                after=f"{instance.handle}: {after.value}",
                cause=given.value,
            )
        )

    def _on_timer(self, instance: Instance, ended: Input, now: int) -> None:
        self._step(instance, ended, Cause(now, reason="its time is over"))

    # Frames coming in

    def receive(self, heard: Heard, now: int) -> None:
        """Take a service discovery frame."""
        found, faults = sightings(heard.frame, strip_header=self.settings.strip_sda_header)
        for fault in faults:
            self.station.drop(heard, fault)
        known = self.station.peers.get(heard.frame.source)
        if known is not None:
            learn(self.station, known, heard.frame)
        for sighting in found:
            self._take(heard, sighting, now)

    def _take(self, heard: Heard, sighting: Sighting, now: int) -> None:
        descriptor, station = sighting.descriptor, self.station
        if descriptor.type not in CHECKS:
            station.drop(heard, f"Service Descriptor of reserved type {descriptor.type}")
            return
        arrival = Arrival(heard, sighting, self.settings, station.nmi, station.cluster_id)
        for instance in list(self.instances.values()):
            ours = instance.service.service_id == descriptor.service_id
            if ours and concerns(instance, arrival):
                self._offer(instance, arrival, now)

    def _offer(self, instance: Instance, arrival: Arrival, now: int) -> None:
        given = input_of(instance, arrival)
        reason = objection(instance, arrival)
        if not reason and (instance.state, given) not in TRANSITIONS:
            reason = f"{given.value} while {instance.state.value}"
        if not reason and not self._is_admitted(arrival):
            reason = f"{len(self.station.peers)} peers are known and all are in use"
        if reason:
            self.station.drop(arrival.heard, f"instance {instance.handle}: {reason}")
            return
        self._step(instance, given, Cause(now, arrival))
        subscribed_once = self.settings.zero_ttl == "once" and not instance.service.publish
        if subscribed_once and given in _MATCHES and not instance.terms.ttl_windows:
            self._step(instance, Input.LIFE_SPENT, Cause(now, reason="it has its match"))

    def _is_admitted(self, arrival: Arrival) -> bool:
        """Make the sender known; False when there is no room for it."""
        frame, sighting = arrival.frame, arrival.sighting
        is_new = frame.source not in self.station.peers
        peer = admit(self.station, frame.source, self.settings.peer_limit)
        if peer is None:
            return False
        if is_new:
            learn(self.station, peer, frame)
        told = saying.strings_of(
            sighting.descriptor, sighting.extension, self.settings.pairing_info_id
        )
        if told:
            peer.pairing_info = told
        return True


_MATCHES = frozenset((Input.PUBLISH, Input.UNSOLICITED))
