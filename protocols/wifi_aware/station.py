"""What the engines of one Wi-Fi Aware device share: who it is, its peers, counters, link keys and queues.

Rule 1: an engine takes octets and `now` (integer microseconds) and gives octets, timers and events; chance is
`draw(purpose, octets)`. Rule 2: every frame leaves through `Station.send`, which numbers and protects it, and every
frame arrives as a `Heard`, decoded once. No clock, no IO.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from protocols.errors import DecodeError, ProtocolError
from protocols.format import Keys
from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import frames, group_protection, matching
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
from protocols.wifi_aware.events import Dropped, Event, GroupKeySet
from protocols.wifi_aware.group_protection import BEACON_KEY_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from protocols.wifi_aware.elements import Element

__all__ = [
    "BROADCAST",
    "DUAL",
    "NETWORK_ID",
    "PUBLIC",
    "Draw",
    "Engine",
    "Heard",
    "Identity",
    "LinkKey",
    "Outgoing",
    "Peer",
    "RefusedError",
    "Service",
    "Station",
    "StationSettings",
    "attribute_of",
    "hear",
    "is_group",
    "octets_of",
]

NETWORK_ID = "51:6f:9a:01:00:00"
"""Destination of group-addressed service discovery frames and synchronisation beacons."""
BROADCAST = "ff:ff:ff:ff:ff:ff"
PUBLIC, DUAL = 4, 9
"""Categories: public action, and its protected dual."""
HEADER = 24
NIK, NIRA_NONCE = 16, 8
GROUP_SECURITY = 1
"""Lowest bit of the group security field in the CSIA capabilities: 0 none, 1 IGTK, 2 IGTK and BIGTK."""
GMAC_256 = 0x10
"""CSIA capability: IGTK and BIGTK are for BIP-GMAC-256, otherwise BIP-CMAC-128."""
OWN_KEY_IDS = {"gtk": 1, "igtk": 4, "bigtk": 6}
_SEQUENCE_NUMBERS = 4096


class Draw(Protocol):
    """Chance: `length` octets for a purpose, named as in the recordings."""

    def __call__(self, purpose: str, length: int) -> bytes:
        """Draw."""
        ...


class RefusedError(ProtocolError):
    """A command that the device refuses here and now; nothing was sent."""


def octets_of(address: str) -> bytes:
    """Six octets of "aa:bb:cc:dd:ee:ff"."""
    return bytes.fromhex(address.replace(":", ""))


def is_group(address: str) -> bool:
    """Whether an address is one of a group."""
    return bool(int(address[:2], 16) & 1)


def attribute_of(complete: str) -> Attr:
    """The attribute whose octets, header included, are written as hex."""
    octets = bytes.fromhex(complete)
    return Attr(octets[0], octets[3:])


class Heard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A frame as a radio heard it, decoded once for whoever looks at it."""

    octets: bytes
    frame: Any
    """of `frames`; None when it is malformed."""
    error: DecodeError | None = None
    rssi_dbm: int | None = None
    channel: int | None = None
    opened: bool = False
    """link protection was taken off, `octets` are in clear."""

    @property
    def body(self) -> bytes:
        """Everything behind the management header, in clear when a key opened it."""
        return self.octets[HEADER:]


def hear(octets: bytes, rssi_dbm: int | None = None, channel: int | None = None) -> Heard:
    """Decode a frame without FCS and radiotap header; never raises for what is in it."""
    try:
        return Heard(octets=octets, frame=codec.read(octets), rssi_dbm=rssi_dbm, channel=channel)
    except DecodeError as exc:
        return Heard(octets=octets, frame=None, error=exc, rssi_dbm=rssi_dbm, channel=channel)


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A frame to be sent; `sent(number, ...)` reports what became of it."""

    number: int
    octets: bytes
    """as they go on the air."""
    clear: bytes
    """before link protection."""
    destination: str
    name: str
    """what it is: `publish`, `auth1`, `ndp_m1`, ..."""
    engine: str
    """whose it is."""
    at_once: bool = False
    """not bound to a discovery window: unsynchronised discovery, or an instant channel."""
    channel: int | None = None
    """where to send it; None: where the receiver is met."""


class LinkKey:
    """Pairwise protection between two addresses: cipher, key, and the packet number of each direction."""

    __slots__ = ("cipher", "key", "received", "sent")

    def __init__(self, cipher: str, key: bytes) -> None:
        self.cipher = cipher
        self.key = key
        self.sent = 0
        self.received = 0


class Service(msgspec.Struct, kw_only=True):
    """A publish or subscribe instance of this device, as far as other engines care; discovery keeps the rest."""

    id: int
    publish: bool
    name: str
    service_id: str
    """6 octets, hex."""
    methods: int = 0
    """bootstrapping methods it advertises."""
    cipher_suites: tuple[int, ...] = ()
    pmkid: str = ""
    """ND-PMKID that it advertises, hex."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A paired device as it is remembered: by it a NIRA is recognised and a verification is run."""

    nik: bytes
    npk: bytes
    """32 octets."""
    akm: str
    """`sae` or `pasn`: that of the pairing."""
    lifetime_s: int | None = None
    since_us: int = 0


class Peer:
    """What a device knows of another one, by its NMI; each engine keeps its part in here."""

    def __init__(self, nmi: str) -> None:
        self.nmi = nmi
        self.pairing_setup: bool | None = None
        """bits of its last DCEA; None when none was seen."""
        self.npk_caching: bool | None = None
        self.methods = 0
        """bootstrapping methods of its last advertisement."""
        self.nira: tuple[str, str] | None = None
        """nonce and tag it shows, hex."""
        self.availability: Attr | None = None
        self.pairing_info: dict[str, str] = {}
        """vendorName, modelName, pairingName, as it showed them last."""
        self.bootstrapping = False
        """an exchange is open."""
        self.request_sent: Attr | None = None
        """NPBA of the own request that opened the last bootstrapping, as first sent."""
        self.request_received: Attr | None = None
        """NPBA of the last request that it sent."""
        self.method = 0
        """own method that was agreed on."""
        self.paired = False
        """a pairing stands: unicast frames between the NMIs are of category 9."""
        self.csid = 0
        """suite of that pairing, 7 or 8."""
        self.akm = ""
        """`sae` or `pasn`."""
        self.nd_pmk = b""
        """for data paths of that pairing."""
        self.data_interface: tuple[str, str] | None = None
        """(own NDI, its NDI) that carry action frames: not paired, a secure data path exists."""
        self.ndpe: bool | None = None
        """it knows NDPE, by its Device Capability; None when none was seen."""
        self.group_keys: dict[int, LinkKey] = {}
        """its IGTK (4, 5) and BIGTK (6, 7) by key ID, `received` is the last packet number."""


class StationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who a device is and what it shows on the air, as its maker configured it.

    The attributes are complete ones (hex, header included) whose variable octets are zero.
    """

    nmi: str
    ndi: str
    cluster_id: str = "50:6f:9a:01:00:00"
    device_capability: str = "0f09000049041400220a0008"
    availability: str = "121c000031000e00e112180004fefffeff11512000000700fa021151200000"
    dcea: str = "2a02000003"
    """empty: the device has none."""
    ndc: str = "130c0000000000000001011800010e"
    ndl: str = "140600000000141900"
    element_container: str = ""
    security_capabilities: int = 0
    """Capabilities octet of the CSIA."""
    ndpe: bool = True
    """data paths with NDPE attributes, otherwise NDP."""
    nik: str = ""
    """own identity key, 16 octets as hex; drawn when empty."""
    group_integrity: bool = False
    """protect own group-addressed frames by BIP from the start (an iPhone does, IA-11; hostap leaves it to the driver)."""
    link_protection: bool = True
    """encrypt unicast frames of category 9; without it they are only marked."""
    fresh_nira: bool = True
    """compute the NIRA anew for a new NMI; without it the tag of the old one goes on, which nobody can resolve (IA-55)."""


class Station:
    """One device's common state. `send` queues frames, `emit` queues events, `peer` finds or makes a peer."""

    def __init__(self, settings: StationSettings, draw: Draw) -> None:
        self.settings = settings
        self.draw = draw
        self.nmi = settings.nmi
        self.cluster_id = settings.cluster_id
        self.peers: dict[str, Peer] = {}
        self.services: dict[int, Service] = {}
        self.link_keys: dict[tuple[str, str], LinkKey] = {}
        """(own address, peer's address) -> protection of category 9 between them."""
        self.interfaces: dict[str, str] = {}
        """peer's NDI -> its NMI."""
        self.outgoing: deque[Outgoing] = deque()
        self.events: deque[Event] = deque()
        self.identities: dict[int, Identity] = {}
        """paired devices by the number of their place in the store."""
        self.availability_sequence = 0
        self.nik = bytes.fromhex(settings.nik) or draw("nik", NIK)
        self.nira_nonce = draw("nira_nonce", NIRA_NONCE)
        self._old_tag = b""
        self.own_group_keys = self._draw_group_keys()
        """`igtk` and `bigtk` as the CSIA capabilities ask for them."""
        self._group_numbers = dict(OWN_KEY_IDS)
        """packet number of the last frame with each own group key: that of its KDE at first."""
        self._sequence = 0
        self._token = 0
        self._number = 0

    # Peers and counters

    def peer(self, nmi: str) -> Peer:
        """The peer with that NMI, a new one when it was unknown."""
        found = self.peers.get(nmi)
        if found is None:
            found = self.peers[nmi] = Peer(nmi)
        return found

    def next_token(self) -> int:
        """A dialog token, 1 to 255, never 0."""
        self._token = self._token % 255 + 1
        return self._token

    def next_instance(self) -> int:
        """An instance ID, 1 to 255. Raises RefusedError when all are taken."""
        for number in range(1, 256):
            if number not in self.services:
                return number
        raise RefusedError("all 255 instance IDs are in use: end a publish or subscribe first")

    # Identity and group keys

    def nira(self, nonce: bytes | None = None) -> Attr:
        """The own NIRA: with the nonce of its discovery frames, or another one."""
        used = self.nira_nonce if nonce is None else nonce
        old = b"" if nonce is not None else self._old_tag
        tag = old or matching.nira_tag(self.nik, self.nmi, used)
        return make(IdentityResolution(cipher_version=0, nonce=used.hex(), tag=tag.hex()))

    def identity_of(self, nira: IdentityResolution, nmi: str) -> int | None:
        """Place in the store of the device that shows this NIRA, None when it is unknown."""
        places = sorted(self.identities)
        found = matching.resolve(nira, nmi, [self.identities[place].nik for place in places])
        return None if found is None else places[found]

    def remember(self, identity: Identity) -> int:
        """Store an identity, in the place of an older one with the same NIK; its place."""
        known = (at for at, one in self.identities.items() if one.nik == identity.nik)
        place = next(known, max(self.identities, default=-1) + 1)
        self.identities[place] = identity
        return place

    def move(self, nmi: str) -> None:
        """Use another NMI from now on: a new nonce, and everything bound to the old one is gone."""
        if self.settings.fresh_nira:
            self.nira_nonce = self.draw("nira_nonce", NIRA_NONCE)
        elif not self._old_tag:
            self._old_tag = matching.nira_tag(self.nik, self.nmi, self.nira_nonce)
        self.nmi = nmi
        self.link_keys.clear()
        self.interfaces.clear()
        self.peers.clear()

    def _draw_group_keys(self) -> dict[str, bytes]:
        capabilities = self.settings.security_capabilities
        length = 32 if capabilities & GMAC_256 else 16
        kept = capabilities >> GROUP_SECURITY & 3
        names = ("igtk", "bigtk")[:kept]
        keys = {name: self.draw(name, length) for name in names}
        for name, key in keys.items():
            key_id = OWN_KEY_IDS[name]
            self.events.append(
                GroupKeySet(
                    key_type=name,
                    address=BROADCAST,
                    key_id=key_id,
                    packet_number=key_id,
                    key=key.hex(),
                )
            )
        return keys

    # Attributes as configured

    def availability_attribute(self, sequence: int | None = None) -> Attr:
        """The Availability with a Sequence ID, the current one unless given."""
        number = self.availability_sequence if sequence is None else sequence
        attr = attribute_of(self.settings.availability)
        return Attr(attr.id, bytes((number & 0xFF,)) + attr.octets[1:])

    def device_attributes(self) -> list[Attr]:
        """Device Capability and Availability, as every frame of service discovery shows them."""
        return [attribute_of(self.settings.device_capability), self.availability_attribute()]

    # Events

    def emit(self, event: Event) -> None:
        """Queue an event for the application."""
        self.events.append(event)

    def drop(self, heard: Heard, reason: str) -> None:
        """Tell that a frame is not taken."""
        frame = heard.frame
        source = frame.source if isinstance(frame, frames.Header) else ""
        kind = "malformed" if frame is None else str(frame.__struct_config__.tag)
        self.emit(Dropped(peer=source, frame=kind, reason=reason))

    # Frames going out

    def category(self, peer: Peer) -> int:
        """Category of a unicast action frame between the NMIs."""
        return DUAL if peer.paired else PUBLIC

    def sdf(
        self, destination: str, attributes: Iterable[Attr], *, category: int = PUBLIC
    ) -> frames.Sdf:
        """A service discovery frame, not sent yet."""
        return frames.Sdf(
            **self._header(destination), category=category, attributes=tuple(attributes)
        )

    def naf(
        self,
        destination: str,
        subtype: int,
        attributes: Iterable[Attr],
        *,
        category: int = PUBLIC,
        source: str = "",
    ) -> frames.Naf:
        """A NAN action frame, not sent yet; from the NMI unless a source is given."""
        return frames.Naf(
            **self._header(destination, source),
            category=category,
            subtype=subtype,
            attributes=tuple(attributes),
        )

    def authentication(
        self, destination: str, transaction: int, status: int, elements: Iterable[Element]
    ) -> frames.Authentication:
        """A PASN Authentication frame, not sent yet."""
        return frames.Authentication(
            **self._header(destination),
            algorithm=7,
            transaction=transaction,
            status=status,
            elements=tuple(elements),
        )

    def _header(self, destination: str, source: str = "") -> dict[str, Any]:
        return {
            "destination": destination,
            "source": source or self.nmi,
            "bssid": self.cluster_id,
            "sequence_number": 0,
        }

    @staticmethod
    def body(frame: frames.Header) -> bytes:
        """Octets behind the header, in clear: what MICs and tokens are computed over. Raises EncodeError."""
        return codec.build(frame)[HEADER:]

    def send(
        self,
        frame: frames.Header,
        name: str,
        engine: str,
        *,
        at_once: bool = False,
        channel: int | None = None,
    ) -> int:
        """Number, protect and queue a frame; its number. Raises EncodeError."""
        self._number += 1
        frame = msgspec.structs.replace(frame, sequence_number=self._sequence)
        self._sequence = (self._sequence + 1) % _SEQUENCE_NUMBERS
        clear = codec.build(frame)
        if is_group(frame.destination):
            clear = self.guarded(clear, "igtk")
        self.outgoing.append(
            Outgoing(
                number=self._number,
                octets=self._sealed(frame) or clear,
                clear=clear,
                destination=frame.destination,
                name=name,
                engine=engine,
                at_once=at_once,
                channel=channel,
            )
        )
        return self._number

    def _sealed(self, frame: frames.Header) -> bytes | None:
        key = self.link_keys.get((frame.source, frame.destination))
        if key is None or getattr(frame, "category", 0) != DUAL:
            return None
        if not self.settings.link_protection:
            return None
        key.sent += 1
        cipher: Any = key.cipher
        protected = msgspec.structs.replace(
            frame, protected=True, packet_number=key.sent, key_id=0, cipher=cipher
        )
        return codec.build(protected, Keys({"tk": [key.key.hex()]}))

    def guarded(self, octets: bytes, name: str) -> bytes:
        """A group-addressed frame (`igtk`) or beacon (`bigtk`) with its MME, when this device protects such."""
        key = self.own_group_keys.get(name)
        if key is None or not self.settings.group_integrity:
            return octets
        self._group_numbers[name] += 1
        return group_protection.protect(key, octets, OWN_KEY_IDS[name], self._group_numbers[name])

    # Frames coming in

    def is_genuine(self, heard: Heard) -> bool:
        """Whether a group-addressed frame may be taken: false, with an event, when its sender's key says it is forged.

        Of senders whose keys are not known every frame may be taken, whatever MIC it carries (IA-11).
        """
        peer = self.peers.get(heard.octets[10:16].hex(":"))
        beacon = group_protection.is_beacon(heard.octets)
        if peer is None or not any((at in BEACON_KEY_IDS) == beacon for at in peer.group_keys):
            return True
        verdict = group_protection.check(peer.group_keys, heard.octets)
        if verdict == "valid":
            return True
        self.drop(heard, f"integrity of a frame to all: {verdict}")
        return False

    def open(self, heard: Heard) -> Heard | None:
        """The frame in clear; None, with an event that says why, when no key opens it or it was heard before."""
        frame = heard.frame
        if not isinstance(frame, frames.Protected):
            return heard
        key = self.link_keys.get((frame.destination, frame.source))
        if key is None:
            self.drop(heard, "encrypted, and there is no key with its sender")
            return None
        number = cast("int", frame.packet_number)
        opened = codec.read(heard.octets, keys=Keys({"tk": [key.key.hex()], "unopened": True}))
        if isinstance(opened, frames.Protected) or not isinstance(opened, frames.Header):
            self.drop(heard, "encrypted with another key than that of its sender")
            return None
        if number <= key.received:
            self.drop(heard, f"replayed: packet number {number}, {key.received} was heard already")
            return None
        key.received = number
        clear = codec.clear_octets(opened, heard.octets)
        return msgspec.structs.replace(
            heard, frame=opened, octets=_plain(opened, clear), opened=True
        )


def _plain(opened: frames.Header, clear: bytes) -> bytes:
    """Header and body in clear, without cipher header and tag."""
    body = Station.body(
        msgspec.structs.replace(
            opened,
            packet_number=msgspec.UNSET,
            key_id=msgspec.UNSET,
            cipher=msgspec.UNSET,
            protected=False,
        )
    )
    return clear[:HEADER] + body


class Engine:
    """Base of an engine that shares a station: its timers, and the queues that all of them share."""

    NAME = ""

    def __init__(self, station: Station) -> None:
        self.station = station
        self._timers: dict[Hashable, tuple[int, Callable[[int], None]]] = {}

    def receive(self, heard: Heard, now: int) -> None:
        """Take a frame (opened, addressed to this device)."""
        raise NotImplementedError

    def to_send(self, now: int) -> list[Outgoing]:  # one signature for all engines
        """Frames to be sent, in order; each is given once."""
        out = list(self.station.outgoing)
        self.station.outgoing.clear()
        return out

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of frame `number`."""

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called, None when nothing runs."""
        return min((due for due, _ in self._timers.values()), default=None)

    def handle_timer(self, now: int) -> None:
        """Run what is due, the earliest first."""
        while self._timers:
            name = min(self._timers, key=lambda one: self._timers[one][0])
            due, action = self._timers[name]
            if due > now:
                return
            del self._timers[name]
            action(now)

    def next_event(self) -> Event | None:
        """The next event, None when there is none."""
        return self.station.events.popleft() if self.station.events else None

    def start_timer(self, name: Hashable, due: int, action: Callable[[int], None]) -> None:
        """Call `action(now)` at `due`; a timer of that name is replaced."""
        self._timers[name] = (due, action)

    def stop_timer(self, name: Hashable) -> None:
        """Stop a timer; harmless when it does not run."""
        self._timers.pop(name, None)

    def timers(self) -> dict[str, int]:
        """Running timers and when they are due, for a ladder."""
        return {str(name): due for name, (due, _) in self._timers.items()}
