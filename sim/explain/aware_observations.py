"""What was seen of Wi-Fi Aware: devices, what each publishes and looks for, and what happens between two of them.

The rules of `sim.explain` look at these and at nothing else: the same values come from a capture, from a trace, and
from a live phone that describes what it just heard. `Offer` and what has a frame of its own are frozen; the others
grow while frames are read. All lists are bounded. Times are microseconds, frame numbers those of the
capture. No clock, no IO.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, TypeVar

import msgspec

from sim.explain.aware_deliveries import Deliveries
from sim.explain.aware_pairs import DataPath, Pair, keep

__all__ = [
    "Aware",
    "AwareApp",
    "AwareDevice",
    "Committed",
    "Kind",
    "Malformed",
    "Offer",
    "PairingInfo",
    "Protection",
    "Service",
    "Sighting",
]

_KEPT_FRAMES, _KEPT_OFFERS, _KEPT_SERVICES, _KEPT_LEVELS = 8, 64, 256, 4000
K = TypeVar("K", str, int)


class Sighting(msgspec.Struct):
    """When something was seen: the first few frames, how often, from when to when."""

    frames: list[int] = []
    count: int = 0
    first_us: int = 0
    last_us: int = 0

    def add(self, frame: int, t_us: int) -> None:
        """Note one frame."""
        if not self.count:
            self.first_us = t_us
        self.count += 1
        self.last_us = t_us
        keep(self.frames, frame, _KEPT_FRAMES)


class PairingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The strings that a person is shown before the first pairing (digest 12); "" where one is not there."""

    vendor: str = ""
    model: str = ""
    name: str = ""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What one discovery frame says about one service and about pairing with its sender."""

    dcea: bool = False
    """a Device Capability Extension is in the frame."""
    pairing_setup: bool = False
    caching: bool = False
    methods: int | None = None
    """bits of the bootstrapping methods on offer; None: no such attribute."""
    suites: tuple[int, ...] | None = None
    """cipher suites for the service; None: no Cipher Suite Information."""
    group_support: int | None = None
    """0 none, 1 GTK and IGTK, 2 BIGTK too; None: not said."""
    info: PairingInfo | None = None
    info_octets: int = 0
    """octets of service info of any kind."""
    security_required: bool = False
    has_identity: bool = False
    """a NIRA is in the frame: the sender has paired before, or may have."""


Kind = Literal["publish", "subscribe"]


class Service(msgspec.Struct, kw_only=True):
    """One publish or subscribe instance of a device."""

    kind: Kind = "publish"
    service_id: str = ""
    """6 octets as hex."""
    instance: int = 0
    offers: dict[Offer, Sighting] = {}

    def add(self, offer: Offer, frame: int, t_us: int) -> None:
        """Note one frame about it."""
        sighting = self.offers.get(offer)
        if sighting is None:
            if len(self.offers) >= _KEPT_OFFERS:
                return
            sighting = self.offers[offer] = Sighting()
        sighting.add(frame, t_us)

    @property
    def count(self) -> int:
        """Frames about it."""
        return sum(one.count for one in self.offers.values())

    @property
    def frames(self) -> tuple[int, ...]:
        """The first frames of every offer, in order."""
        return tuple(sorted({frame for one in self.offers.values() for frame in one.frames}))

    @property
    def latest(self) -> Offer:
        """The offer seen last; an empty one when there is none."""
        return max(self.offers, key=lambda one: self.offers[one].last_us, default=Offer())


class Protection(msgspec.Struct):
    """How many group-addressed frames of a kind there were, and the first with a Management MIC element."""

    count: int = 0
    protected: int = 0
    frame: int = 0


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A frame that could not be read whole."""

    t_us: int
    frame: int
    what: str


class Committed(msgspec.Struct, frozen=True, gc=False):
    """The discovery windows at which a device promises to be awake; 0 never, n: every 2**(n-1)th."""

    t_us: int
    frame: int
    low: int
    """at 2.4 GHz."""
    high: int
    """at 5 GHz."""


def _noted(table: dict[K, Sighting], key: K) -> Sighting:
    """The entry of `key`, made when it is new and there is room."""
    found = table.get(key)
    if found is None:
        found = Sighting()
        if len(table) < _KEPT_OFFERS:
            table[key] = found
    return found


class AwareDevice(msgspec.Struct):
    """Everything seen of one NAN Management Interface address (NMI)."""

    nmi: str = ""
    name: str = ""
    """name of the node in a trace, or the pairing name it sends."""
    phone: str = ""
    """profile of the phone that it is, where a trace says so."""
    clusters: set[str] = set()
    first_us: int = 0
    last_us: int = 0
    count: int = 0
    retries: int = 0
    unicast: int = 0
    """frames to one receiver, retransmissions too."""
    rssi_dbm: list[int] = []
    beacons: Protection = msgspec.field(default_factory=Protection)
    group_frames: Protection = msgspec.field(default_factory=Protection)
    """discovery frames to all."""
    services: dict[tuple[str, str, int], Service] = {}
    """by kind, service ID, instance."""
    identities: dict[str, Sighting] = {}
    """nonce and tag (hex) of the NIRAs it sent."""
    periods_tu: dict[int, Sighting] = {}
    """periods of its availability's time bitmaps."""
    windows: list[Committed] = []
    """each change of it."""
    dcea_in: dict[str, int] = {}
    """kind of frame (`publish`, `subscribe`, `follow-up`, `authentication`, `action`) -> first with a DCEA."""
    malformed: list[Malformed] = []
    peers: set[str] = set()
    """NMIs that it spoke with."""

    def seen(self, t_us: int, rssi_dbm: int | None = None) -> None:
        """Note a frame of it."""
        if not self.count:
            self.first_us = t_us
        self.count += 1
        self.last_us = t_us
        if rssi_dbm is not None:
            keep(self.rssi_dbm, rssi_dbm, _KEPT_LEVELS)

    def service(self, kind: Kind, service_id: str, instance: int) -> Service:
        """Its service of that kind, ID and instance, made when it is new."""
        key = (kind, service_id, instance)
        found = self.services.get(key)
        if found is None:
            found = Service(kind=kind, service_id=service_id, instance=instance)
            if len(self.services) < _KEPT_SERVICES:
                self.services[key] = found
        return found

    def identity(self, identity: str) -> Sighting:
        """When it sent that nonce and tag."""
        return _noted(self.identities, identity)

    def period(self, period_tu: int) -> Sighting:
        """When its availability had that period."""
        return _noted(self.periods_tu, period_tu)

    @property
    def offers(self) -> list[Offer]:
        """What it said about all its services."""
        return [offer for service in self.services.values() for offer in service.offers]

    @property
    def info(self) -> PairingInfo | None:
        """The first pairing info that it sent."""
        return next((one.info for one in self.offers if one.info is not None), None)


class AwareApp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the app on a phone declares and asks for; PINs and passphrases are not in it."""

    profile: str = ""
    """phone profile it runs on (`ios-aware`, `android-aware`, ...): in a trace this tells which device is the phone."""
    entitlement: tuple[str, ...] = ("Publish", "Subscribe")
    """com.apple.developer.wifi-aware."""
    services: dict[str, Any] = {}
    """WiFiAwareServices of Info.plist as it is: service name -> {"Publishable": {}, "Subscribable": {}}."""
    publishing: tuple[str, ...] = ()
    """service names it publishes, one for each publisher or listener."""
    subscribing: tuple[str, ...] = ()
    """service names it looks for, one for each browser."""
    held_by_system: tuple[str, ...] = ()
    """service names that the system itself subscribes to at the moment."""
    devices: Literal["all_paired", "selected", "user_specified"] = "all_paired"
    """whom the listener or browser is for."""
    selected: tuple[str, ...] = ()
    """NMIs, with `selected`."""
    paired: tuple[str, ...] = ()
    """NMIs of the paired devices that the app sees."""
    picker_open: bool = False
    """DevicePicker or an AccessorySetupKit picker: the phone subscribes, strangers are listed."""
    pairing_view_open: bool = False
    """DevicePairingView: the phone publishes, strangers may pair."""
    pairing_config: bool = False
    """Android: the session has an AwarePairingConfig."""
    permission: bool = True
    """Android: NEARBY_WIFI_DEVICES is granted."""
    passphrase_octets: int | None = None
    pmk_octets: int | None = None
    pmkid_octets: int | None = None
    """Android: lengths of what a data path is secured with; None: not given."""
    network_requested: bool | None = None
    """Android: the responder's app has called requestNetwork; None: not known."""


class Aware(msgspec.Struct):
    """All of Wi-Fi Aware in a scene."""

    devices: dict[str, AwareDevice] = {}
    interfaces: dict[str, AwareDevice] = {}
    """data interfaces (NDI) of which nobody knows whose they are, by address: what their data frames show."""
    pairs: dict[tuple[str, str], Pair] = {}
    """by both NMIs, the lower one first."""
    paths: list[DataPath] = []
    """in order of their first frame."""
    identities: dict[str, list[str]] = {}
    """nonce and tag of a NIRA -> the NMIs that sent it."""
    deliveries: Deliveries = msgspec.field(default_factory=Deliveries)
    """which unicast frames nobody acknowledged."""
    told_paths: dict[tuple[str, int], dict[str, int]] = {}
    """initiator's NDI and NDP ID -> how often each node of a trace says that it is up."""
    frames: int = 0
    """frames of Wi-Fi Aware."""
    others: int = 0
    """frames of other networks."""

    def tell_path(self, initiator_ndi: str, number: int, node: str) -> None:
        """A node says that a data path is up."""
        sides = self.told_paths.setdefault((initiator_ndi, number), {})
        sides[node] = sides.get(node, 0) + 1

    @property
    def path_count(self) -> int:
        """Data paths that were seen, and those of which only the trace tells because their frames are encrypted."""
        seen = Counter((one.initiator_ndi, one.number) for one in self.paths)
        return len(self.paths) + sum(
            max(max(sides.values()) - seen[key], 0) for key, sides in self.told_paths.items()
        )
