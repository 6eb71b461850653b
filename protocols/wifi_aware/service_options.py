"""What an application asks for when it publishes or subscribes, and what the discovery engine keeps of each instance.

Wi-Fi Aware 4.0, service discovery; digest 2.4, 2.5 and 3. The options of a command are the fields of `Publication` or
`Subscription`; the typed dictionaries beside them name the same keywords for the commands. No clock, no randomness,
no IO.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, TypedDict

import msgspec

from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.attributes.service_descriptor import ResponseFilter
from protocols.wifi_aware.service_info import GENERIC, WFA

if TYPE_CHECKING:
    from protocols.wifi_aware.peers import Service

__all__ = [
    "Instance",
    "Match",
    "Publication",
    "PublishOptions",
    "State",
    "SubscribeOptions",
    "Subscription",
    "Terms",
]


class State(enum.Enum):
    """Where a publish or subscribe stands."""

    PUBLISHING = "publishing"
    """in a cluster."""
    SUBSCRIBING = "subscribing"
    """in a cluster."""
    SINGLE_CHANNEL = "single-channel"
    """unsynchronised publisher on its default channel."""
    MULTI_CHANNEL = "multi-channel"
    """unsynchronised publisher that goes through its list."""
    PAUSED = "paused"
    """unsynchronised publisher that stays with one subscriber."""
    SUSPENDED = "suspended"
    """unsynchronised publisher whose radio is off for a while."""
    SEARCHING = "searching"
    """unsynchronised subscriber."""
    ENDED = "ended"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What publish and subscribe have in common."""

    service_info: bytes = b""
    """for the application of the other side, behind OUI and protocol."""
    oui: str = WFA
    protocol: int = GENERIC
    """service protocol type, only sent with the OUI of Wi-Fi Alliance."""
    methods: int = 0
    """bootstrapping methods on offer, a bit mask; 0: no NPBA."""
    tx_filter: bytes | None = None
    """matching filter that is sent."""
    rx_filter: bytes | None = None
    """matching filter that decides."""
    close_range: bool = False
    """only for devices that are near."""
    ttl_windows: int = 0
    """discovery windows until it ends; 0: see `DiscoverySettings.zero_ttl`."""
    pairing_mode: bool = True
    """shows the pairing strings of the device, if it has any."""
    attributes: tuple[Attr, ...] = ()
    """further ones, behind those of the device."""
    unsynchronised: bool = False
    """without a cluster, on the channels of `UnsynchronisedSettings`."""


class Publication(Terms, frozen=True, kw_only=True):
    """A publish, as its application asked for it."""

    unsolicited: bool = True
    """announced by itself."""
    solicited: bool = True
    """answers subscribes."""
    multicast_reply: bool = False
    """answers go to everybody."""
    cipher_suites: tuple[int, ...] = ()
    """of the CSIA, in order; none: no CSIA."""
    passphrase: bytes = b""
    """8 to 63 octets; adds a SCIA with the ND-PMKID of the first suite."""
    pmk: bytes = b""
    """ND-PMK of 32 octets, instead of a passphrase."""
    data_path_required: bool = True
    security_required: bool = False
    qos_required: bool = False
    ranging_required: bool = False
    gtk_required: bool = False
    fsd_required: bool = False
    """further service discovery, by follow-ups."""
    range_limit_cm: tuple[int, int] | None = None
    """ingress and egress distance."""
    update_indicator: int | None = None
    """first value of the Service Update Indicator, None when there is none."""


class Subscription(Terms, frozen=True, kw_only=True):
    """A subscribe, as its application asked for it."""

    active: bool = False
    """asks; otherwise only listens."""
    response_filter: ResponseFilter | None = None
    """who is to answer."""


class TermsOptions(TypedDict, total=False):
    """Keywords of `Terms`."""

    service_info: bytes
    oui: str
    protocol: int
    methods: int
    tx_filter: bytes | None
    rx_filter: bytes | None
    close_range: bool
    ttl_windows: int
    pairing_mode: bool
    attributes: tuple[Attr, ...]
    unsynchronised: bool


class PublishOptions(TermsOptions, total=False):
    """Keywords of `Discovery.publish`."""

    unsolicited: bool
    solicited: bool
    multicast_reply: bool
    cipher_suites: tuple[int, ...]
    passphrase: bytes
    pmk: bytes
    data_path_required: bool
    security_required: bool
    qos_required: bool
    ranging_required: bool
    gtk_required: bool
    fsd_required: bool
    range_limit_cm: tuple[int, int] | None
    update_indicator: int | None


class SubscribeOptions(TermsOptions, total=False):
    """Keywords of `Discovery.subscribe`."""

    active: bool
    response_filter: ResponseFilter | None


class Match:
    """A publish instance that a subscribe has met."""

    __slots__ = ("service_info", "window")

    def __init__(self, service_info: str, window: int) -> None:
        self.service_info = service_info
        self.window = window
        """number of the window in which it was heard last."""


class Instance:
    """A publish or subscribe while it runs."""

    __slots__ = (
        "announcement",
        "channel",
        "matches",
        "nmi",
        "position",
        "revision",
        "selected",
        "service",
        "state",
        "terms",
        "update_indicator",
        "windows",
        "windows_left",
    )

    def __init__(
        self, service: Service, terms: Publication | Subscription, state: State, nmi: str
    ) -> None:
        self.service = service
        self.terms = terms
        self.state = state
        self.nmi = nmi
        """that its ND-PMKID was made with."""
        self.windows = 0
        """discovery windows since it began."""
        self.windows_left: int | None = terms.ttl_windows or None
        """None: no end is set."""
        self.matches: dict[tuple[str, int], Match] = {}
        """by peer and its publish instance, the one that was heard longest ago first."""
        self.update_indicator = terms.update_indicator if isinstance(terms, Publication) else None
        self.revision = 0
        """counts changes of what it says."""
        self.announcement: tuple[object, tuple[Attr, ...]] | None = None
        """attributes of the last announcement, and what they were made from."""
        self.channel: int | None = None
        """where it is, unsynchronised."""
        self.position = 0
        """in its list of channels."""
        self.selected: tuple[str, int] | None = None
        """subscriber (address, instance) that a paused publisher stays with."""

    @property
    def handle(self) -> int:
        """Its instance ID."""
        return self.service.id
