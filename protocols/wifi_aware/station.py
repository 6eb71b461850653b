"""What the engines of one Wi-Fi Aware device share: who it is, its peers, counters, link keys and queues.

Rule 1: an engine takes octets and `now` (integer microseconds) and gives octets, timers and events; chance is
`draw(purpose, octets)`. Rule 2: every frame leaves through `Station.send`, which numbers and protects it, and every
frame arrives as a `Heard`, decoded once. No clock, no IO.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from protocols.errors import ProtocolError
from protocols.format import Keys
from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import frames, group_protection, matching
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
from protocols.wifi_aware.events import Dropped, Event, GroupKeySet
from protocols.wifi_aware.group_protection import BEACON_KEY_IDS
from protocols.wifi_aware.heard import BROADCAST, DUAL, HEADER, PUBLIC, Heard, Outgoing, is_group
from protocols.wifi_aware.peers import Identity, LinkKey, Peer, Service
from protocols.wifi_aware.station_settings import StationSettings, attribute_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.elements import Element


__all__ = ["Draw", "RefusedError", "Station"]

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
