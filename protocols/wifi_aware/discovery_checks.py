"""Which frames of its service a publish or subscribe takes, and as what.

Wi-Fi Aware 4.0, service discovery; digest 3.2 to 3.5 and 8.3, as in hostap src/common/nan_de.c. Each check gives the
reason why it refuses, in words; a frame that names another instance concerns nobody here and is no refusal. No clock,
no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from protocols.wifi_aware import matching
from protocols.wifi_aware.discovery_frames import FOLLOW_UP, PUBLISH, SUBSCRIBE, Sighting
from protocols.wifi_aware.discovery_table import Input
from protocols.wifi_aware.peer_facts import readable
from protocols.wifi_aware.service_options import Instance, Publication, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.discovery_settings import DiscoverySettings
    from protocols.wifi_aware.frames import Sdf
    from protocols.wifi_aware.heard import Heard

__all__ = ["Arrival", "concerns", "input_of", "objection"]

_EXCHANGES = frozenset(("pairing_bootstrapping", "shared_key_descriptor"))


class Arrival(NamedTuple):
    """A Service Descriptor that arrived for an instance."""

    heard: Heard
    sighting: Sighting
    settings: DiscoverySettings
    nmi: str
    cluster_id: str
    """those of this device."""

    @property
    def frame(self) -> Sdf:
        """The frame that it is in."""
        frame: Sdf = self.heard.frame
        return frame


def concerns(instance: Instance, arrival: Arrival) -> bool:
    """Whether a frame of the service speaks to this instance at all (digest 3.2)."""
    descriptor = arrival.sighting.descriptor
    to_it = descriptor.requestor_instance_id in (0, instance.handle)
    if descriptor.type == FOLLOW_UP:
        return to_it or arrival.settings.deliver_to == "service"
    if descriptor.type == SUBSCRIBE:
        return instance.service.publish
    return not instance.service.publish and to_it


def objection(instance: Instance, arrival: Arrival) -> str:
    """Why an instance does not take a frame that concerns it, empty when it does."""
    for check in CHECKS[arrival.sighting.descriptor.type]:
        reason = check(instance, arrival)
        if reason:
            return reason
    return ""


def input_of(instance: Instance, arrival: Arrival) -> Input:
    """What the frame is to the table of transitions."""
    descriptor, pauses = arrival.sighting.descriptor, arrival.settings.unsynchronised.pauses
    if descriptor.type == PUBLISH:
        return Input.PUBLISH if descriptor.requestor_instance_id else Input.UNSOLICITED
    apart = instance.terms.unsynchronised
    if descriptor.type == SUBSCRIBE:
        paused = instance.state is State.PAUSED
        return Input.SUBSCRIBE if pauses or paused or not apart else Input.BRIEF_SUBSCRIBE
    if arrival.sighting.service_info or (apart and not pauses):
        return Input.FOLLOW_UP
    names = {attr.name for attr in arrival.frame.attributes}
    return Input.EXCHANGE if names & _EXCHANGES else Input.BARE


# --- the checks -------------------------------------------------------------------------------------


def _cluster(instance: Instance, arrival: Arrival) -> str:
    frame, own = arrival.frame, arrival.settings.check_cluster
    if own and not instance.terms.unsynchronised and frame.bssid != arrival.cluster_id:
        return f"it is of cluster {frame.bssid}"
    return ""


def _response_filter(instance: Instance, arrival: Arrival) -> str:
    """In a frame of any type (hostap)."""
    who = arrival.sighting.descriptor.response_filter
    if who is UNSET or matching.answers(who, arrival.nmi):
        return ""
    return "its response filter leaves this device out"


def _matching_filter(instance: Instance, arrival: Arrival) -> str:
    sent = arrival.sighting.descriptor.matching_filter
    theirs, ours = None if sent is UNSET else bytes.fromhex(sent), instance.terms.rx_filter
    pair = (ours, theirs) if instance.service.publish else (theirs, ours)
    return "" if matching.matches(*pair) else "the matching filters do not meet"


def _range(instance: Instance, arrival: Arrival) -> str:
    """Of a publish only without a cluster (digest 3.5)."""
    descriptor, limit = arrival.sighting.descriptor, arrival.settings.close_proximity_dbm
    if descriptor.type == PUBLISH and not instance.terms.unsynchronised:
        return ""
    limited, rssi = descriptor.range_limited or instance.terms.close_range, arrival.heard.rssi_dbm
    if limited and rssi is not None and rssi < limit:
        return f"its sender is too far away: {rssi} dBm, {limit} dBm is the limit"
    return ""


def _solicited(instance: Instance, arrival: Arrival) -> str:
    terms = instance.terms
    answers = isinstance(terms, Publication) and terms.solicited
    return "" if answers else "this publish does not answer subscribes"


def _pairing_shown(instance: Instance, arrival: Arrival) -> str:
    settings = arrival.settings
    dcea = next(readable(arrival.frame, "device_capability_extension"), None)
    if dcea is None:
        wanted = settings.require_dcea or settings.require_pairing_setup
        return "it shows no Device Capability Extension (DCEA)" if wanted else ""
    if settings.require_pairing_setup and not dcea.pairing_setup:
        return "its DCEA does not offer pairing setup"
    return ""


def _selected(instance: Instance, arrival: Arrival) -> str:
    chosen, sender = instance.selected, arrival.sighting.descriptor.instance_id
    if chosen is None or chosen == (arrival.frame.source, sender):
        return ""
    return f"this publish is paused for instance {chosen[1]} of {chosen[0]}"


CHECKS: dict[int, tuple[Callable[[Instance, Arrival], str], ...]] = {
    PUBLISH: (_cluster, _response_filter, _matching_filter, _range, _pairing_shown),
    SUBSCRIBE: (_cluster, _response_filter, _matching_filter, _range, _solicited, _selected),
    FOLLOW_UP: (_cluster, _response_filter, _selected),
}
"""Checks of a frame by its type, in order."""
