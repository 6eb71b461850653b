"""What the actions of the table of transitions do: announce, reply, indicate, deliver, end.

Wi-Fi Aware 4.0, service discovery; digest 3.5 to 3.7. Actions know nothing of states. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from protocols.errors import EncodeError
from protocols.wifi_aware import discovery_frames, saying, service_start
from protocols.wifi_aware.events import Discovered, FollowUp, MatchExpired, Replied, ServiceEnded
from protocols.wifi_aware.heard import NETWORK_ID, PUBLIC, is_group
from protocols.wifi_aware.peer_facts import advertised_methods, readable
from protocols.wifi_aware.service_options import Instance, Match, Publication, Subscription
from protocols.wifi_aware.station import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
    from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
    from protocols.wifi_aware.discovery_checks import Arrival
    from protocols.wifi_aware.discovery_settings import DiscoverySettings
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.peers import Service
    from protocols.wifi_aware.station import Station
    from protocols.wifi_aware.unsynchronised import Unsynchronised

__all__ = ["NAME", "Actions", "Cause"]

NAME = "discovery"


class Cause(NamedTuple):
    """What a step of the table is about."""

    now: int
    arrival: Arrival | None = None
    reason: str = ""


class Actions:
    """The actions of one engine."""

    def __init__(self, station: Station, settings: DiscoverySettings, air: Unsynchronised) -> None:
        self._station = station
        self._settings = settings
        self._air = air
        self.consumers: list[Callable[[Heard, ServiceDescriptor, Service, int], bool]] = []
        self.table: dict[str, Callable[[Instance, Cause], None]] = {
            "announce": self._announce,
            "reply": self._reply,
            "reply_and_pause": self._reply_and_pause,
            "indicate": self._indicate,
            "indicate_and_answer": self._indicate_and_answer,
            "deliver": self._deliver,
            "deliver_and_pause": self._deliver_and_pause,
            "tour": lambda instance, cause: air.tour(instance, cause.now),
            "hop": lambda instance, cause: air.hop(instance, cause.now),
            "settle": lambda instance, cause: air.settle(instance, cause.now),
            "suspend": lambda instance, cause: air.suspend(instance, cause.now),
            "resume": lambda instance, cause: air.resume(instance, cause.now),
            "end": self._end,
        }
        """by their names in the table of transitions."""

    # Sending

    def follow_up(
        self,
        instance: Instance,
        peer: str,
        peer_instance_id: int,
        attributes: Sequence[Attr],
        *,
        name: str,
        engine: str,
        service_info: bytes | None,
        category: int | None,
        pairing_info: bool,
    ) -> int:
        """Send a follow-up; number of its frame. Raises RefusedError when it cannot be encoded."""
        strings = pairing_info and not instance.service.publish
        said = saying.said(self._settings, instance.terms, service_info, strings=strings)
        try:
            content = discovery_frames.follow_up(
                self._station, self._settings, instance, peer_instance_id, said, attributes
            )
            return self._send(instance, peer, content, name, engine=engine, category=category)
        except EncodeError as exc:
            raise RefusedError(f"follow-up cannot be sent: {exc}") from exc

    def _send(
        self,
        instance: Instance,
        destination: str,
        content: Sequence[Attr],
        name: str,
        *,
        engine: str = NAME,
        category: int | None = None,
    ) -> int:
        if category is None:
            peer = None if is_group(destination) else self._station.peers.get(destination)
            category = PUBLIC if peer is None else self._station.category(peer)
        frame = self._station.sdf(destination, content, category=category)
        if not instance.terms.unsynchronised:
            return self._station.send(frame, name, engine)
        frame = msgspec.structs.replace(frame, bssid=NETWORK_ID)
        return self._station.send(frame, name, engine, at_once=True, channel=instance.channel)

    def _announcement(self, instance: Instance, requestor: int = 0) -> tuple[Attr, ...]:
        """Attributes of a publish or subscribe; those that go to nobody are made once for as long as they hold."""
        station = self._station
        basis = (instance.revision, station.availability_sequence, station.nira_nonce, station.nmi)
        kept = instance.announcement
        if not requestor and kept is not None and kept[0] == basis:
            return kept[1]
        service_start.renew(station, instance)
        content = discovery_frames.announcement(station, self._settings, instance, requestor)
        if not requestor:
            instance.announcement = basis, content
        return content

    # Actions

    def _announce(self, instance: Instance, cause: Cause) -> None:
        terms = instance.terms
        speaks = terms.unsolicited if isinstance(terms, Publication) else terms.active
        if speaks:
            name = "publish" if instance.service.publish else "subscribe"
            self._send(instance, NETWORK_ID, self._announcement(instance), name)
        if terms.unsynchronised:
            self._air.announced(instance, cause.now)

    def _reply(self, instance: Instance, cause: Cause) -> None:
        arrival = _arrival(cause)
        subscriber, peer = arrival.sighting.descriptor.instance_id, arrival.frame.source
        terms = instance.terms
        everybody = isinstance(terms, Publication) and terms.multicast_reply
        content = self._announcement(instance, subscriber)
        self._send(instance, NETWORK_ID if everybody else peer, content, "publish")
        self._station.emit(
            Replied(
                publish_id=instance.handle,
                peer=peer,
                subscribe_id=subscriber,
                service_info=arrival.sighting.service_info,
            )
        )

    def _reply_and_pause(self, instance: Instance, cause: Cause) -> None:
        self._reply(instance, cause)
        self._pause(instance, cause)

    def _pause(self, instance: Instance, cause: Cause) -> None:
        arrival = _arrival(cause)
        selected = arrival.frame.source, arrival.sighting.descriptor.instance_id
        self._air.pause(instance, selected, cause.now)

    def _indicate(self, instance: Instance, cause: Cause) -> None:
        arrival = _arrival(cause)
        key = arrival.frame.source, arrival.sighting.descriptor.instance_id
        known = instance.matches.pop(key, None)
        if known is None and len(instance.matches) >= self._settings.match_limit:
            del instance.matches[next(iter(instance.matches))]
        instance.matches[key] = Match(arrival.sighting.service_info, instance.windows)
        if self._is_told(known, arrival.sighting.service_info):
            self._station.emit(self._discovered(instance, arrival))

    def _is_told(self, known: Match | None, service_info: str) -> bool:
        match self._settings.indication:
            case "every":
                return True
            case "changed":
                return known is None or known.service_info != service_info
            case "once":
                return known is None
            case "never":
                return False

    def _discovered(self, instance: Instance, arrival: Arrival) -> Discovered:
        frame, sighting = arrival.frame, arrival.sighting
        publish_id, extension = sighting.descriptor.instance_id, sighting.extension
        dcea = next(readable(frame, "device_capability_extension"), None)
        strings = saying.strings_of(sighting.descriptor, extension, self._settings.pairing_info_id)
        return Discovered(
            subscribe_id=instance.handle,
            peer=frame.source,
            publish_id=publish_id,
            pairing_setup=None if dcea is None else dcea.pairing_setup,
            npk_caching=None if dcea is None else dcea.npk_nik_caching,
            methods=advertised_methods(frame) or 0,
            cipher_suites=discovery_frames.suites_of(frame, publish_id),
            pmkids=discovery_frames.pmkids_of(frame, publish_id),
            service_info=sighting.service_info,
            pairing_info=strings,
            identity=self._identity(arrival),
            data_path=extension is not None and extension.data_path_required,
            security_required=extension is not None and extension.security_required,
            rssi_dbm=arrival.heard.rssi_dbm,
        )

    def _identity(self, arrival: Arrival) -> int | None:
        nira: IdentityResolution | None = next(readable(arrival.frame, "identity_resolution"), None)
        if nira is None or not self._station.identities:
            return None
        return self._station.identity_of(nira, arrival.frame.source)

    def _indicate_and_answer(self, instance: Instance, cause: Cause) -> None:
        self._indicate(instance, cause)
        arrival = _arrival(cause)
        publish_id, terms = arrival.sighting.descriptor.instance_id, instance.terms
        if isinstance(terms, Subscription) and terms.active:
            self._send(instance, NETWORK_ID, self._announcement(instance, publish_id), "subscribe")
            return
        self.follow_up(
            instance,
            arrival.frame.source,
            publish_id,
            (),
            name="follow_up",
            engine=NAME,
            service_info=None,
            category=None,
            pairing_info=False,
        )

    def _deliver(self, instance: Instance, cause: Cause) -> None:
        arrival = _arrival(cause)
        heard, descriptor = arrival.heard, arrival.sighting.descriptor
        consumed = any(
            consumer(heard, descriptor, instance.service, cause.now) for consumer in self.consumers
        )
        self._station.emit(
            FollowUp(
                handle=instance.handle,
                peer=arrival.frame.source,
                peer_instance_id=descriptor.instance_id,
                service_info=arrival.sighting.service_info,
                consumed=consumed,
            )
        )

    def _deliver_and_pause(self, instance: Instance, cause: Cause) -> None:
        self._pause(instance, cause)
        self._deliver(instance, cause)

    def _end(self, instance: Instance, cause: Cause) -> None:
        self._station.services.pop(instance.handle, None)
        if instance.terms.unsynchronised:
            self._air.end(instance)
        self._station.emit(ServiceEnded(handle=instance.handle, reason=cause.reason))

    # Matches

    def expire_matches(self, instance: Instance) -> None:
        """Tell of publishes that were not heard for too many windows."""
        patience = self._settings.match_expiry_windows
        if patience is None:
            return
        gone = [
            key
            for key, match in instance.matches.items()
            if instance.windows - match.window > patience
        ]
        for peer, publish_id in gone:
            del instance.matches[peer, publish_id]
            self._station.emit(
                MatchExpired(subscribe_id=instance.handle, peer=peer, publish_id=publish_id)
            )


def _arrival(cause: Cause) -> Arrival:
    if cause.arrival is None:
        raise ValueError("this action answers a frame: give the frame with its cause")
    return cause.arrival
