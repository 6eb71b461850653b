"""Pairing as an Android app meets it: bootstrapping that the framework answers, requests that the app answers, aliases.

Rules AA-09, AA-10, AA-23 to AA-25, AA-40 to AA-46. The app initiates bootstrapping with one of the peer's methods, then the pairing
with a password; on the other side the framework has accepted or rejected by then, and the app accepts or rejects
the pairing. A verification is answered by the framework alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Never

import msgspec

from protocols.wifi_aware.bootstrapping_settings import complement
from sim.phones._aware_android_cache import PairingCache
from sim.phones._aware_android_ceremony import SUCCESS, RuledError
from sim.phones._aware_android_requests import Requests, too_short
from sim.phones._aware_android_settings import CIPHERS, Cipher
from sim.wifi_aware.ceremony import AwareError
from sim.wifi_aware.firmware import BITS, method_name

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.phones._aware_android import AwareAndroid
    from sim.phones._aware_android_sessions import PeerHandle
    from sim.wifi_aware.half import AwareHalf

__all__ = ["PairWish", "Pairings"]

_PREFERENCE = (
    "pin_display", "pin_keypad", "passphrase_display", "passphrase_keypad", "qr_display", "nfc_tag", "qr_scan",
    "nfc_reader", "opportunistic",
)  # fmt: skip
"""Methods of the peer in the order in which the app tries them."""


class PairWish(msgspec.Struct, frozen=True, kw_only=True):
    """What an app wants of a pairing."""

    method: int = 0
    """bit of the peer's method; 0: the app chooses."""
    alias: str = ""
    password: str = ""
    """empty: typed by the person, or made here and shown."""
    cipher: Cipher = "pk_pasn_128"


class Pairings:
    """Pairings under way, and what became of them."""

    def __init__(self, phone: AwareAndroid) -> None:
        self._phone = phone
        self.cache = PairingCache(phone)
        self.requests = Requests(phone)
        self._verifying: set[str] = set()
        self._initiating: set[str] = set()

    @property
    def _half(self) -> AwareHalf:
        return self._phone.aware

    def end_all(self) -> None:
        """Nothing is under way any more."""
        self.requests.end_all()
        self._verifying.clear()
        self._initiating.clear()
        self.cache.stale()

    # As the initiator

    async def pair(self, peer: PeerHandle, wish: PairWish) -> None:
        """Bootstrapping, then the pairing. Raises LinkError."""
        phone, nmi = self._phone, peer.nmi
        method = wish.method or _chosen(peer.methods)
        name = self._half.name(nmi)
        if not method & peer.methods:
            self._fail("bootstrapping_failed", nmi, self._error(nmi, "bootstrapping", f"{name} offers no such method"))  # fmt: skip
        note = f"{method_name(method)} of {peer}"
        phone.emit("bootstrapping_initiated", peer=name, note=note, label="app initiates")
        self._initiating.add(nmi)
        self.requests.aliases[nmi] = wish.alias or name
        try:
            await self._bootstrap(peer, complement(method))
            await self._authenticate(peer, complement(method), wish)
        finally:
            self._initiating.discard(nmi)

    async def _bootstrap(self, peer: PeerHandle, own: int) -> None:
        nmi = peer.nmi
        try:
            await self._phone.ceremony.bootstrap(nmi, peer.session.handle, peer.instance, own)
        except AwareError as exc:
            self._fail("bootstrapping_failed", nmi, exc)
        self._tell_bootstrapped(nmi, own)

    async def _authenticate(self, peer: PeerHandle, own: int, wish: PairWish) -> None:
        phone, nmi, ceremony = self._phone, peer.nmi, self._phone.ceremony
        try:
            password = wish.password.encode() or await self._password(nmi, own)
            self._check_length(nmi, password)
            note = f"{wish.cipher}, {'a password' if password else 'no password'}"
            phone.emit("pairing_initiated", peer=self._half.name(nmi), note=note, label="app pairs")
            await ceremony.authenticate(
                nmi, peer.session.handle, peer.instance, mode="sae" if password else "opportunistic",
                csid=CIPHERS[wish.cipher], password=password,
            )  # fmt: skip
            key = await ceremony.identity(nmi) if phone.caches_with(nmi) else None
        except AwareError as exc:
            self._fail("pairing_setup_failed", nmi, exc)
        self._succeed(nmi, None if key is None else key.id)

    async def _password(self, nmi: str, own: int) -> bytes:
        """What goes with a method: typed, shown, or nothing. Raises AwareError."""
        patience_s = self._phone.settings.pin_patience / 1e6
        try:
            return await asyncio.wait_for(self._phone.ceremony.password(nmi, own), patience_s)
        except TimeoutError:
            why = f"nobody has typed a PIN in {patience_s:g} s"
            raise self._error(nmi, "PIN entry", why) from None

    def _check_length(self, nmi: str, password: bytes) -> None:
        octets, least = len(password), self._phone.firmware().shortest_password
        if 0 < octets < least:
            name, why = self._half.name(nmi), too_short(octets, least)
            raise RuledError(self._phone.name, name, "pairing", why, "AA-10")

    def _error(self, nmi: str, step: str, why: str) -> AwareError:
        return AwareError(self._phone.name, self._half.name(nmi), step, why)

    def _fail(self, event: str, nmi: str, error: AwareError) -> Never:
        """Tell the app, with the likeliest rule. Raises LinkError."""
        rule = error.rule if isinstance(error, RuledError) else ""
        self._phone.explain_failure(event, nmi, f"{error.step}: {error.why}", rule)
        raise error

    def _succeed(self, nmi: str, place: int | None) -> None:
        """onPairingSetupSucceeded; remembered when identity keys came."""
        alias = self.requests.aliases.pop(nmi, "") or self._half.name(nmi)
        self.cache.mark(nmi)
        if place is None:
            alias, kept = "", "not cached"
        else:
            self.cache.keep(alias, nmi, place)
            self._phone.sessions.recognised(nmi, place)
            kept = f"alias {alias!r}"
        self._phone.emit(
            "pairing_setup_succeeded", peer=self._half.name(nmi), note=kept,
            label="onPairingSetupSucceeded", alias=alias,
        )  # fmt: skip

    # As the responder

    def on_bootstrapped(self, event: ev.BootstrapCompleted) -> None:
        """The framework has answered a request: the app shows or asks for what goes with the method."""
        if event.peer not in self._initiating and event.success:
            self._tell_bootstrapped(event.peer, event.method)
            self.requests.prepare(event.peer, event.method)

    def _tell_bootstrapped(self, nmi: str, own: int) -> None:
        note, name = method_name(own), self._half.name(nmi)
        self._phone.emit("bootstrapping_succeeded", peer=name, note=note, label="onBootstrappingSucceeded")  # fmt: skip

    def on_request(self, event: ev.PairingRequested) -> None:
        """An Auth1 waits: the framework verifies, the app decides about a new pairing."""
        if event.pmkids:
            self._verify(event)
        else:
            self.requests.add(event)

    # Verification

    def _verify(self, event: ev.PairingRequested) -> None:
        """The framework answers by its cache (AA-43)."""
        nmi = event.peer
        if not any(one.verifies for one in self._phone.sessions.open.values()):
            note = "no session has verification in its pairing configuration"
            self._phone.emit("verification_rejected", peer=self._half.name(nmi), note=note)
            self._phone.ceremony.refuse(nmi)
        elif self._phone.ceremony.verify(event):
            self._verifying.add(nmi)
        else:
            note = "its NIRA matches nobody in the pairing cache: the framework rejects (AA-43)"
            self._phone.emit("verification_rejected", peer=self._half.name(nmi), note=note, rule="AA-43")  # fmt: skip

    async def verify(self, peer: PeerHandle) -> None:
        """Verify a peer with cached keys, as the initiator. Raises LinkError."""
        nmi, csid = peer.nmi, self._phone.firmware().cipher_suites[0]
        self._initiating.add(nmi)
        try:
            await self._phone.ceremony.authenticate(
                nmi, peer.session.handle, peer.instance, mode="verification", csid=csid
            )
        except AwareError as exc:
            self._fail("pairing_verification_failed", nmi, exc)
        finally:
            self._initiating.discard(nmi)
        self._tell_verified(nmi)

    def _tell_verified(self, nmi: str) -> None:
        alias = self.cache.alias_of(self.cache.place_of(nmi))
        self.cache.mark(nmi)
        self._phone.emit(
            "pairing_verified", peer=self._half.name(nmi), note=f"alias {alias!r}",
            label="onPairingVerificationSucceed", alias=alias,
        )  # fmt: skip

    # Results on the responder's side

    def on_result(self, event: ev.PairingResult) -> None:
        """PASN ended."""
        nmi = event.peer
        if nmi in self._initiating:
            return
        verified = nmi in self._verifying
        self._verifying.discard(nmi)
        if event.status != SUCCESS:
            what = "pairing_verification_failed" if verified else "pairing_setup_failed"
            rule = "AA-42" if self.requests.drop(nmi) else ""
            self._phone.explain_failure(what, nmi, event.cause or f"status {event.status}", rule)
        elif verified:
            self._tell_verified(nmi)
        elif not self._phone.caches_with(nmi):
            self._succeed(nmi, None)

    def on_key(self, event: ev.NikReceived) -> None:
        """The peer's identity key came."""
        if event.peer not in self._initiating:
            self._succeed(event.peer, event.id)


def _chosen(offered: int) -> int:
    """The method that the app takes of those that a peer offers, 0 when it knows none of them."""
    return next((BITS[name] for name in _PREFERENCE if BITS[name] & offered), 0)
