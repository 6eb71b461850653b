"""One PASN exchange of a Wi-Fi Aware pairing, from one side: three frames, and the keys that they give.

IEEE 802.11az-2022, PASN; digest of pairing, sections 3 to 6, verified against hostap. Rule: `take_*` raises `PasnError`,
after which the same frame may be taken again from another sender's hand. Order of draws: `ecdh_private`, `sae_rand`, `sae_mask`.
No clock, no IO.
"""

from __future__ import annotations

import functools
import hmac
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from protocols.errors import LocalProtocolError
from protocols.wifi_aware import keys, pasn_frames
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.events import Derived
from protocols.wifi_aware.identity_store import NPK
from protocols.wifi_aware.pasn_checks import (
    Message,
    MismatchError,
    PasnError,
    PublicKeyRefusedError,
    check_group,
    check_npkid,
    check_rsne,
    commit_of,
    confirm_of,
)
from protocols.wifi_aware.sae import Pt, Sae, SaeError
from protocols.wifi_aware.station import RefusedError
from protocols.wifi_aware.suites import COORDINATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.elements import Element
    from protocols.wifi_aware.frames import Authentication
    from protocols.wifi_aware.keys import PasnKeys
    from protocols.wifi_aware.pairing_settings import PairingSettings
    from protocols.wifi_aware.station import Station

__all__ = ["MODES", "Exchange", "Mode", "Terms"]

Mode = Literal["sae", "opportunistic", "verification"]
MODES: dict[str, Mode] = {
    "sae": "sae",
    "opportunistic": "opportunistic",
    "verification": "verification",
}
_TRIES = 16
"""Draws of a number before chance is held to be broken: one in 2**32 cannot be used."""
T = TypeVar("T")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an application asked for, and what of the NAN element goes with it."""

    mode: Mode
    suite: keys.Suite
    akm: keys.Akm
    handle: int
    """own instance."""
    peer_instance_id: int
    element: Pt | None = None
    """password element, with mode `sae`."""
    npk: bytes = b""
    """with mode `verification`, like the next two."""
    peer_nik: bytes = b""
    npkid: bytes = b""
    """own: nonce and tag of the NIRA of this exchange."""
    initiating: tuple[Attr, ...] = ()
    """attributes of the own frames as the initiator."""
    responding: tuple[Attr, ...] = ()
    """and as the responder."""

    @property
    def group(self) -> int:
        """Finite cyclic group of the suite."""
        return self.suite.group or 0


class Exchange:
    """One side of one exchange. `keys` and what comes of them exist once Auth2 was taken or can be built."""

    keys: PasnKeys

    def __init__(
        self,
        station: Station,
        settings: PairingSettings,
        peer: str,
        terms: Terms,
        *,
        initiator: bool,
    ) -> None:
        self.station = station
        self.settings = settings
        self.peer = peer
        self.terms = terms
        self.initiator = initiator
        self.own = station.nmi
        self.auth1_body = b""
        self.auth2: Authentication | None = None
        """the responder's answer, as it was sent."""
        self._sae: Sae | None = None
        self._private = b""
        self._public = b""

    # The three frames

    def auth1(self, cookie: bytes | None = None) -> Authentication:
        """The initiator's first frame."""
        self._draw_ecdh()
        self._draw_sae()
        terms = self.terms
        found = [pasn_frames.rsne(terms.suite, terms.akm, terms.npkid)]
        if self._sae is not None:
            found.append(pasn_frames.wrapped(pasn_frames.commit(self._sae)))
        found += [*self._rsnxe(), self._parameters(cookie), pasn_frames.nan(terms.initiating)]
        frame = self._frame(1, found)
        self.auth1_body = self.station.body(frame)
        return frame

    def take_auth1(self, message: Message) -> None:
        """Check the initiator's first frame, draw what the answer needs, and derive the keys."""
        terms = self.terms
        check_rsne(message.rsne(), terms.suite, terms.akm)
        public = check_group(message, terms.group)
        if terms.mode == "verification" and self.settings.check_npkid:
            check_npkid(message, terms.peer_nik)
        self._draw_ecdh()
        shared = self._shared(public)
        if terms.element is not None:
            commit = commit_of(message.sae(), terms.group)
            self._draw_sae()
            self._process(commit)
        self.auth1_body = message.body
        self._derive(shared)

    def answer(self) -> Authentication:
        """The responder's frame, after `take_auth1`."""
        terms, sae = self.terms, self._sae
        pmkid = terms.npkid if sae is None else sae.pmkid
        found = [pasn_frames.rsne(terms.suite, terms.akm, pmkid)]
        if sae is not None:
            found.append(
                pasn_frames.wrapped(pasn_frames.commit(sae), pasn_frames.confirm(sae)),
            )
        found += [*self._rsnxe(), self._parameters(), pasn_frames.nan(terms.responding)]
        found.append(pasn_frames.groups(terms.group))
        self.auth2 = self._sealed(2, found, _rsn_octets(found))
        return self.auth2

    def take_auth2(self, message: Message) -> None:
        """Check the responder's answer and derive the keys."""
        terms = self.terms
        check_rsne(message.rsne(), terms.suite, terms.akm)
        public = check_group(message, terms.group)
        if terms.mode == "verification" and self.settings.check_npkid:
            check_npkid(message, terms.peer_nik)
        if terms.element is not None:
            messages = message.sae()
            self._process(commit_of(messages, terms.group))
            self._check_confirm(message)
        self._derive(self._shared(public))
        present = [message.element(name) for name in ("rsne", "rsnxe")]
        self._check_mic(message, b"".join(one.written() for one in present if one is not None))
        self._check_groups(message)

    def auth3(self) -> Authentication:
        """The initiator's second frame, after `take_auth2`."""
        sae = self._sae
        found = [] if sae is None else [pasn_frames.wrapped(pasn_frames.confirm(sae))]
        found += [pasn_frames.parameters(sae is not None), pasn_frames.nan(self.terms.initiating)]
        return self._sealed(3, found, self._auth1_hash())

    def take_auth3(self, message: Message) -> None:
        """Check the initiator's second frame: it has the same keys, and Auth1 came as it was sent."""
        message.parameters()
        if self._sae is not None:
            self._check_confirm(message)
        self._check_mic(message, self._auth1_hash())

    # Secrets

    def _draw_ecdh(self) -> None:
        group = self.terms.group

        def use(octets: bytes) -> bytes:
            return keys.ecdh_public(group, octets)

        self._private, self._public = self._drawn("ecdh_private", use)

    def _draw_sae(self) -> None:
        element = self.terms.element
        if element is None:
            return
        octets = COORDINATE[self.terms.group]
        for _ in range(_TRIES):
            rand, mask = (self.station.draw(name, octets) for name in ("sae_rand", "sae_mask"))
            try:
                self._sae = Sae(element, self.own, self.peer, rand, mask)
            except SaeError:
                continue
            return
        raise _broken_chance("sae_rand and sae_mask")

    def _drawn(self, purpose: str, use: Callable[[bytes], T]) -> tuple[bytes, T]:
        """Octets that `use` takes, and what it makes of them."""
        for _ in range(_TRIES):
            octets = self.station.draw(purpose, COORDINATE[self.terms.group])
            try:
                return octets, use(octets)
            except LocalProtocolError:
                continue
        raise _broken_chance(purpose)

    def _shared(self, public: bytes) -> bytes:
        try:
            return keys.ecdh_shared(self.terms.group, self._private, public)
        except keys.PublicKeyError as exc:
            raise PublicKeyRefusedError(type(exc).code, str(exc)) from exc

    def _process(self, commit: tuple[bytes, bytes]) -> None:
        sae = self._required_sae()
        try:
            sae.process(*commit)
        except SaeError as exc:
            raise PasnError(str(exc)) from exc
        for name, value in (("sae_k", sae.k), ("sae_kck", sae.kck), ("sae_pmk", sae.pmk)):
            self._tell(name, value)

    def _required_sae(self) -> Sae:
        if self._sae is None:
            raise PasnError("SAE was not begun")
        return self._sae

    def _derive(self, shared: bytes) -> None:
        """PTK and its parts."""
        terms, pmk = self.terms, self._pmk()
        csid, roles = terms.suite.csid, self._roles()
        self.keys = found = keys.pasn_keys(pmk, *roles, shared, csid=csid, akm=terms.akm)
        told = {"pasn_dhss": shared, "pasn_pmk": pmk, "pasn_ptk": found.ptk, "pasn_kck": found.kck}
        for name, value in (told | {"nm_tk": found.nm_tk, "nm_kdk": found.nm_kdk}).items():
            self._tell(name, value)

    def _roles(self) -> tuple[str, str]:
        """NMIs of initiator and responder."""
        return (self.own, self.peer) if self.initiator else (self.peer, self.own)

    @functools.cached_property
    def nm_kek(self) -> bytes:
        """Key that wraps identity keys, 16 or 32 octets."""
        csid, kdk = self.terms.suite.csid, self.keys.nm_kdk
        found = keys.nm_kek(kdk, *self._roles(), csid, hash_name=self._nm_hash())
        self._tell("nm_kek", found)
        return found

    @functools.cached_property
    def nd_pmk(self) -> bytes:
        """PMK of data paths between the two, 32 octets."""
        csid, kdk = self.terms.suite.csid, self.keys.nm_kdk
        always = "sha256" if self.settings.nd_pmk_hash == "sha256" else None
        found = keys.nd_pmk(kdk, *self._roles(), csid, hash_name=always)
        self._tell("nd_pmk_from_kdk", found)
        return found

    @functools.cached_property
    def npk(self) -> bytes:
        """What a later verification runs with, 32 octets."""
        if self.terms.mode != "opportunistic":
            return self._pmk()
        suite = self.terms.suite
        octets = suite.tk if self.settings.npk_length == "tk" else NPK
        found = keys.npk_opportunistic(
            self.keys.nm_kdk, *self._roles(), suite.csid, hash_name=self._nm_hash(), octets=octets
        )
        self._tell("npk_opportunistic", found)
        return found.ljust(NPK, b"\0")

    def _nm_hash(self) -> str | None:
        if self.settings.nm_hash == "suite":
            return None
        return keys.pasn_hash(self.terms.suite.csid, self.terms.akm)

    def _pmk(self) -> bytes:
        if self.terms.mode == "sae":
            return self._required_sae().pmk
        return self.terms.npk or keys.OPPORTUNISTIC_PMK

    def _tell(self, name: str, value: bytes) -> None:
        self.station.emit(Derived(name=name, peer=self.peer, value=value.hex()))

    # Proofs

    def _check_confirm(self, message: Message) -> None:
        counter, confirm = confirm_of(message.sae())
        expected = self._required_sae().expected_confirm(counter)
        if not hmac.compare_digest(expected, confirm):
            raise MismatchError("SAE confirm: the peer has another password")

    def _check_mic(self, message: Message, third: bytes) -> None:
        mic, body = message.mic()
        expected = self._mic(self.peer, self.own, third, body)
        if not hmac.compare_digest(expected, mic):
            raise MismatchError(f"MIC of Auth{message.transaction}: changed, or other keys")

    def _check_groups(self, message: Message) -> None:
        listed = message.groups()
        if listed is not None and self.terms.group not in listed:
            raise PasnError(f"Supported Groups of Auth2 lack group {self.terms.group}")

    def _mic(self, sender: str, receiver: str, third: bytes, body: bytes) -> bytes:
        csid, akm = self.terms.suite.csid, self.terms.akm
        return keys.pasn_mic(self.keys.kck, sender, receiver, third, body, csid=csid, akm=akm)

    def _auth1_hash(self) -> bytes:
        return keys.auth1_hash(self.auth1_body, csid=self.terms.suite.csid, akm=self.terms.akm)

    # Parts of frames

    def _parameters(self, cookie: bytes | None = None) -> Element:
        wraps = self._sae is not None
        return pasn_frames.parameters(wraps, self.terms.group, self._public, cookie)

    def _rsnxe(self) -> list[Element]:
        terms, settings = self.terms, self.settings
        if terms.mode == "opportunistic" and not settings.rsnxe_opportunistic:
            return []
        with_password = terms.akm == "sae" or terms.mode == "opportunistic"
        return [pasn_frames.rsnxe(settings.rsnxe_octets, hash_to_element=with_password)]

    def _frame(self, transaction: int, found: list[Element], status: int = 0) -> Authentication:
        frame = self.station.authentication(self.peer, transaction, status, found)
        if self.settings.a3 == "cluster":
            return frame
        responder = self.peer if self.initiator else self.own
        return msgspec.structs.replace(frame, bssid=responder)

    def _sealed(self, transaction: int, found: list[Element], third: bytes) -> Authentication:
        octets = keys.pasn_mic_octets(self.terms.suite.csid, self.terms.akm)
        frame = self._frame(transaction, [*found, pasn_frames.mic(bytes(octets))])
        mic = self._mic(self.own, self.peer, third, self.station.body(frame))
        return msgspec.structs.replace(frame, elements=(*found, pasn_frames.mic(mic)))


def _rsn_octets(found: list[Element]) -> bytes:
    return b"".join(one.written() for one in found if one.name in ("rsne", "rsnxe"))


def _broken_chance(purpose: str) -> RefusedError:
    return RefusedError(
        f"{purpose}: {_TRIES} draws in a row cannot be used; the source of randomness is broken"
    )
