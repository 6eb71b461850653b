"""What a pairing needs before it can begin, and the attributes that go with it.

Digest of pairing, sections 2.6, 6.1 and 6.5. A command that cannot be carried out raises `RefusedError`, which says what
is missing. No clock, no IO; chance is that of the station (`nira_nonce_pairing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware import keys, pasn_frames
from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
from protocols.wifi_aware.pasn import MODES, Terms
from protocols.wifi_aware.sae import Pt, SaeError, password_element
from protocols.wifi_aware.security_attributes import csia_of
from protocols.wifi_aware.station import NIRA_NONCE, RefusedError
from protocols.wifi_aware.station_settings import attribute_of

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.identity_store import IdentityStore
    from protocols.wifi_aware.keys import Akm, Suite
    from protocols.wifi_aware.pairing_settings import PairingSettings
    from protocols.wifi_aware.pasn import Mode
    from protocols.wifi_aware.peers import Identity, Peer
    from protocols.wifi_aware.station import Station

__all__ = ["Wish", "Wishes"]

_ELEMENTS = 16
"""Password elements that are kept: one costs as much as half an exchange."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A command as the application gave it."""

    peer: str
    handle: int
    peer_instance_id: int
    mode: str
    csid: int
    password: bytes
    initiator: bool


class Wishes:
    """Makes terms of wishes, for one device."""

    def __init__(self, station: Station, settings: PairingSettings, store: IdentityStore) -> None:
        self.station = station
        self.settings = settings
        self.store = store
        self._elements: dict[tuple[int, bytes], Pt] = {}

    def terms(self, wish: Wish, shown: IdentityResolution | None = None) -> Terms:
        """What the exchange will run with; `shown`: identity in an Auth1 that is kept. Raises RefusedError."""
        mode, suite = self._mode(wish.mode), self._suite(wish.csid)
        if wish.handle not in self.station.services:
            known = ", ".join(str(one) for one in self.station.services) or "none"
            raise RefusedError(
                f"no publish or subscribe has handle {wish.handle}; running: {known}"
            )
        peer = self._peer(wish)
        if peer.bootstrapping:
            raise RefusedError(
                f"bootstrapping with {wish.peer} runs: let it end, or abort it, before pairing"
            )
        if mode == "verification":
            return self._verification(wish, suite, self._identity(wish, peer, shown))
        self._check_setup(wish, peer)
        return Terms(
            mode=mode,
            suite=suite,
            akm="sae" if mode == "sae" else "pasn",
            handle=wish.handle,
            peer_instance_id=wish.peer_instance_id,
            element=self._element(suite, wish.password) if mode == "sae" else None,
            initiating=self._attributes(wish, peer, initiator=True),
            responding=self._attributes(wish, peer, initiator=False),
        )

    def _mode(self, name: str) -> Mode:
        mode = MODES.get(name)
        if mode is None:
            raise RefusedError(f"no way of pairing is called {name!r}; known: {', '.join(MODES)}")
        if mode == "verification" and not self.settings.verification:
            raise RefusedError("this device verifies no pairings: pair it anew")
        return mode

    def _suite(self, csid: int) -> Suite:
        suite = keys.SUITES.get(csid)
        if suite is None or suite.group is None or csid not in self.settings.suites:
            known = ", ".join(str(one) for one in self.settings.suites)
            raise RefusedError(f"suite {csid} is not for pairing here; use one of {known}")
        return suite

    def _peer(self, wish: Wish) -> Peer:
        if wish.initiator and wish.peer not in self.station.peers:
            raise RefusedError(f"{wish.peer} was never heard: discover it before pairing")
        return self.station.peer(wish.peer)

    def _check_setup(self, wish: Wish, peer: Peer) -> None:
        if not self.own_dcea("pairing_setup"):
            raise RefusedError("this device does not show pairing setup in its DCEA")
        if wish.initiator and not peer.pairing_setup:
            raise RefusedError(f"{wish.peer} does not show pairing setup in its DCEA")

    def own_dcea(self, bit: str) -> bool:
        """A bit of the own DCEA, False without one."""
        shown = self.station.settings.dcea
        return bool(shown) and bool(getattr(attribute_of(shown).fields, bit))

    def _element(self, suite: Suite, password: bytes) -> Pt:
        least = max(self.settings.minimum_password_octets, 1)
        if len(password) < least:
            raise RefusedError(
                f"the password has {len(password)} octets, this device needs {least} or more"
            )
        key = (suite.group or 0, password)
        if key not in self._elements:
            try:
                element = password_element(*key)
            except SaeError as exc:
                raise RefusedError(str(exc)) from exc
            while len(self._elements) >= _ELEMENTS:
                del self._elements[next(iter(self._elements))]
            self._elements[key] = element
        return self._elements[key]

    def _verification(self, wish: Wish, suite: Suite, identity: Identity) -> Terms:
        nira = self.station.nira(self.station.draw("nira_nonce_pairing", NIRA_NONCE))
        own: IdentityResolution = nira.fields
        capabilities = self.station.settings.security_capabilities
        more = self._dcea() if self.settings.dcea_in_verification else []
        akm: Akm = "sae" if identity.akm == "sae" else "pasn"
        return Terms(
            mode="verification",
            suite=suite,
            akm=akm,
            handle=wish.handle,
            peer_instance_id=wish.peer_instance_id,
            npk=identity.npk,
            peer_nik=identity.nik,
            npkid=bytes.fromhex(f"{own.nonce}{own.tag}"),
            initiating=(
                csia_of(capabilities, wish.handle, suite.csid),
                *more,
                nira,
            ),
            responding=(
                csia_of(capabilities, wish.handle, *self._answered(suite.csid)),
                *more,
                nira,
            ),
        )

    def _identity(self, wish: Wish, peer: Peer, shown: IdentityResolution | None) -> Identity:
        """By the NIRA of an Auth1 that is kept, or by that of its discovery frames where only that one is known."""
        found = [] if shown is None else [shown]
        if peer.nira is not None:
            nonce, tag = peer.nira
            found.append(IdentityResolution(cipher_version=0, nonce=nonce, tag=tag))
        if not found:
            raise RefusedError(f"{wish.peer} has shown no NIRA: discover it before verifying")
        known = (one for one in found if self.station.identity_of(one, wish.peer) is not None)
        place = self.store.recognise(wish.peer, next(known, found[0]))
        if place is None:
            raise RefusedError(f"no stored identity made the NIRA of {wish.peer}: pair it anew")
        return self.station.identities[place]

    # Attributes of the NAN element

    def _attributes(self, wish: Wish, peer: Peer, *, initiator: bool) -> tuple[Attr, ...]:
        suites = (wish.csid,) if initiator else self._answered(wish.csid)
        service = self.station.services.get(wish.handle)
        methods = 0 if service is None else service.methods
        capabilities = self.station.settings.security_capabilities
        return (
            csia_of(capabilities, wish.handle, *suites),
            *self._dcea(),
            *pasn_frames.npba(self.settings.npba, peer, methods, initiator=initiator),
        )

    def refusing(self, csid: int = 7) -> tuple[Attr, ...]:
        """Attributes of a refusal by a device that made no terms: Publish ID 0, no bootstrapping."""
        capabilities = self.station.settings.security_capabilities
        return csia_of(capabilities, 0, csid), *self._dcea()

    def _answered(self, csid: int) -> tuple[int, ...]:
        return self.settings.csia_responder or (csid,)

    def _dcea(self) -> list[Attr]:
        shown = self.station.settings.dcea
        return [attribute_of(shown)] if shown else []
