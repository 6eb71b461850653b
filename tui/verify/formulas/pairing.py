"""Values of pairing: SAE and PASN of every exchange that a device took part in, from its draws and the frames it knows.

Which of its draws went into an exchange is told by the public key that it sent. What comes out is the pool that the
recorded values have to come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from protocols.errors import ProtocolError
from protocols.wifi_aware import keys, p_curves, sae
from protocols.wifi_aware.sae import HASHES, Pt, Sae
from tui.verify.formulas.messages import Auth, Commit, clear_of
from tui.verify.formulas.recording import other

if TYPE_CHECKING:
    from protocols.wifi_aware.keys import Akm
    from tui.verify.formulas.pool import Pool
    from tui.verify.formulas.recording import Recording, Side

__all__ = ["pairing_values"]

GROUP_OF = {"CCMP": 19, "GCMP-256": 20}
_CSID_OF = {4: 7, 9: 8}
"""Cipher of the RSNE -> suite."""
FIRST, SECOND, THIRD = 1, 2, 3
_AKM_OF: dict[int, Akm] = {8: "sae", 21: "pasn"}


class _Draws(NamedTuple):
    """What a device drew for one exchange."""

    ecdh: bytes
    rand: bytes | None
    mask: bytes | None


class _Exchange:
    """The frames of one exchange; `own` is what brought the device's key, None when it sent none."""

    def __init__(self, first: Auth, theirs: Auth, own: Auth | None) -> None:
        self.first = first
        self.theirs = theirs
        self.own = own
        self.third: list[Auth] = []


class _Role:
    """The exchanges that a device knows as an initiator, or as a responder.

    Frames may be repeated, and a recording does not say which of them an answer belongs to: each Auth2 makes an
    exchange with each Auth1 before it, and an Auth3 is part of all of them.
    """

    def __init__(self, initiator: str, responder: str, *, is_initiator: bool) -> None:
        self.nmis = initiator, responder
        self.is_initiator = is_initiator
        self.exchanges: list[_Exchange] = []
        self._first: list[Auth] = []

    def take(self, auth: Auth) -> None:
        """The next frame in order."""
        if auth.transaction == FIRST:
            self._first.append(auth)
            if not self.is_initiator:
                self.exchanges.append(_Exchange(auth, auth, None))
        elif auth.transaction == SECOND and self.is_initiator:
            self.exchanges += [_Exchange(first, auth, first) for first in self._first]
        elif auth.transaction == SECOND:
            self.exchanges += [_Exchange(first, first, auth) for first in self._first]
        elif auth.transaction == THIRD:
            for exchange in self.exchanges:
                exchange.third.append(auth)

    def settled(self) -> list[_Exchange]:
        """The exchanges, those that got no Auth2 only where the same Auth1 has no other."""
        answered = [each.first for each in self.exchanges if each.own is not None]
        return [
            each for each in self.exchanges if each.own is not None or each.first not in answered
        ]


class _Terms(NamedTuple):
    """What both sides agreed on."""

    group: int
    csid: int
    akm: Akm
    renews: bool
    """Auth1 names a PMKID: a pairing with cached keys."""


class _Own(NamedTuple):
    """Draws, and the SAE side that they make with a password."""

    draws: _Draws
    engine: Sae | None


class _Peer(NamedTuple):
    """What the peer's frame brought."""

    public_key: bytes
    commit: Commit | None


def pairing_values(recording: Recording, side: Side, pool: Pool) -> None:
    """Add what a device computed for its pairings to the pool."""
    pool.add("ecdh_private", *recording.drawn(side, "ecdh_private"))
    pool.add("sae_rng_scalar", *recording.drawn(side, "sae_rand", "sae_mask"))
    elements = _password_values(recording, side, pool)
    engines = _own_commits(recording, side, elements, pool)
    for role in _roles(recording, side):
        _exchange_values(recording, side, role, engines, pool)


# --- before the first frame -----------------------------------------------------------------------


def _password(recording: Recording, side: Side) -> bytes | None:
    inputs = recording.inputs
    told = inputs.password
    if side == inputs.pairing_responder and inputs.password_responder is not msgspec.UNSET:
        told = inputs.password_responder
    return None if told is msgspec.UNSET else told.encode()


def _password_values(recording: Recording, side: Side, pool: Pool) -> list[Pt]:
    """PT of the device's password, in the group of the file's cipher or, when it names none, in both."""
    password = _password(recording, side)
    if password is None:
        return []
    group = GROUP_OF.get(recording.inputs.cipher)
    groups = tuple(HASHES) if group is None else (group,)
    return [_element_values(recording, side, group, password, pool) for group in groups]


def _element_values(
    recording: Recording, side: Side, group: int, password: bytes, pool: Pool
) -> Pt:
    curve = p_curves.curve_of(group)
    seed = sae.password_seed(group, password)
    values = sae.password_values(group, seed)
    numbers = sae.password_numbers(group, values)
    pool.add_named({"pwd_seed": seed, "pwd_value_1": values[0], "pwd_value_2": values[1]})
    for name, number in zip(("u1", "u2"), numbers, strict=True):
        pool.add(name, number.to_bytes(curve.octets, "big"))
        _add_point(pool, "sswu", group, p_curves.sswu(curve, number))
    pt = sae.password_element(group, password)
    _add_point(pool, "pt", group, (pt.x, pt.y))
    devices = recording.devices
    hashed = sae.address_hash(group, devices[side].nmi, devices[other(side)].nmi)
    factor = sae.address_scalar(group, hashed)
    pool.add_named({"pwe_hash": hashed, "pwe_val": factor.to_bytes(curve.octets, "big")})
    _add_point(pool, "pwe", group, p_curves.multiply(curve, factor, (pt.x, pt.y)))
    return pt


def _add_point(pool: Pool, name: str, group: int, point: p_curves.Point | None) -> None:
    octets = p_curves.curve_of(group).octets
    for axis, value in zip("xy", point or (), strict=False):
        pool.add(f"{name}_{axis}", value.to_bytes(octets, "big"))


def _own_draws(recording: Recording, side: Side) -> list[_Draws]:
    """One entry per ephemeral key, with the SAE draws that follow it."""
    found: list[_Draws] = []
    for draw in recording.draws.get(side, []):
        octets = bytes.fromhex(draw.hex)
        if draw.purpose == "ecdh_private":
            found.append(_Draws(octets, None, None))
        elif draw.purpose in ("sae_rand", "sae_mask") and found:
            found[-1] = found[-1]._replace(**{draw.purpose.removeprefix("sae_"): octets})
    return found


def _own_commits(recording: Recording, side: Side, elements: list[Pt], pool: Pool) -> list[_Own]:
    """The device's draws with the SAE side that they make."""
    devices = recording.devices
    nmis = devices[side].nmi, devices[other(side)].nmi
    found: list[_Own] = []
    for draws in _own_draws(recording, side):
        engines = [
            engine
            for pt in elements
            if draws.rand is not None
            and draws.mask is not None
            and (engine := _engine(pt, nmis, draws.rand, draws.mask)) is not None
        ]
        for engine in engines:
            _add_commit(pool, "own", Commit(engine.group, engine.scalar, engine.element))
        found += [_Own(draws, engine) for engine in engines] or [_Own(draws, None)]
    return found


def _engine(pt: Pt, nmis: tuple[str, str], rand: bytes, mask: bytes) -> Sae | None:
    try:
        return Sae(pt, *nmis, rand, mask)
    except ProtocolError:
        return None


def _add_commit(pool: Pool, whose: str, commit: Commit) -> None:
    size = len(commit.element) // 2
    if commit.scalar:
        pool.add(f"sae_{whose}_scalar", commit.scalar)
    if commit.element:
        pool.add(f"sae_{whose}_element_x", commit.element[:size])
        pool.add(f"sae_{whose}_element_y", commit.element[size:])


# --- exchanges --------------------------------------------------------------------------------------


def _roles(recording: Recording, side: Side) -> list[_Role]:
    """The Authentication frames that the device knows, in its two roles."""
    own, peer = recording.devices[side].nmi, recording.devices[other(side)].nmi
    roles = [_Role(own, peer, is_initiator=True), _Role(peer, own, is_initiator=False)]
    for seen in recording.seen_by(side):
        frame = clear_of(seen.octets, ())
        auth = None if frame is None else Auth.of(frame)
        if auth is not None and auth.status == 0:
            by_initiator = auth.transaction != 2
            roles[0 if by_initiator == seen.sent else 1].take(auth)
    return roles


def _exchange_values(
    recording: Recording, side: Side, role: _Role, engines: list[_Own], pool: Pool
) -> None:
    """Keys and MICs of every exchange in this role."""
    for exchange in role.settled():
        received = [exchange.theirs] if role.is_initiator else exchange.third
        pool.add("pasn_mic_received", *(auth.mic for auth in received if auth.mic is not None))
        peer, terms = _peer_of(exchange.theirs), _terms(exchange.first, exchange.theirs)
        if peer is None:
            continue
        if peer.commit is not None:
            _add_commit(pool, "peer", peer.commit)
        for own in _used(exchange.own, engines):
            confirms = [auth.sae()[1] for auth in received]
            shared = _shared(own.engine, peer, confirms, pool)
            if terms is not None:
                pmks = _pmks(recording, side, terms, shared, pool)
                _pasn_values(role, exchange, terms, own.draws, pmks, pool)


def _used(sent: Auth | None, engines: list[_Own]) -> list[_Own]:
    """The draws whose public key the device sent; all of them when none fits, so that a false one shows."""
    public = None if sent is None else sent.public_key()
    if public is None or public[0] not in HASHES:
        return engines
    return [own for own in engines if _public(public[0], own.draws.ecdh) == public[1]] or engines


def _public(group: int, private: bytes) -> bytes | None:
    try:
        return keys.ecdh_public(group, private)
    except ProtocolError:
        return None


def _peer_of(auth: Auth) -> _Peer | None:
    found = auth.public_key()
    return None if found is None else _Peer(found[1], auth.sae()[0])


def _terms(first: Auth, theirs: Auth) -> _Terms | None:
    """Suite and AKM of the peer's frame; whether it renews a pairing is seen in Auth1."""
    suite, asked, public = theirs.suite(), first.suite(), theirs.public_key()
    if suite is None or public is None or public[0] not in HASHES:
        return None
    csid, akm = _CSID_OF.get(suite[0]), _AKM_OF.get(suite[1])
    if csid is None or akm is None:
        return None
    return _Terms(public[0], csid, akm, renews=asked is not None and asked[2] > 0)


def _shared(
    engine: Sae | None, peer: _Peer, confirms: list[tuple[int, bytes] | None], pool: Pool
) -> bytes | None:
    """PMK of SAE with the peer's commit, None when there is none."""
    if engine is None or peer.commit is None:
        return None
    try:
        engine.process(peer.commit.scalar, peer.commit.element)
    except ProtocolError:
        return None
    pool.add_named(
        {
            "sae_k": engine.k, "sae_keyseed_salt": bytes(len(engine.k)), "sae_keyseed": engine.keyseed,
            "sae_kck": engine.kck, "sae_pmk": engine.pmk, "sae_pmkid": engine.pmkid,
        }
    )  # fmt: skip
    for number, received in filter(None, confirms):
        pool.add("sae_confirm_received", received)
        pool.add("sae_confirm_expected", engine.expected_confirm(number))
    return engine.pmk


def _pmks(
    recording: Recording, side: Side, terms: _Terms, shared: bytes | None, pool: Pool
) -> list[bytes]:
    """PMKs of PASN: that of SAE; without one the keys of earlier pairings, or the opportunistic one."""
    if shared is not None:
        return [shared]
    if not terms.renews:
        return [keys.OPPORTUNISTIC_PMK] if terms.akm == "pasn" else []
    inputs = recording.inputs
    own = inputs.cached_npk_B if side == "B" and inputs.cached_npk_B else inputs.cached_npk
    cached = [] if own is msgspec.UNSET else [bytes.fromhex(own)]
    name = "sae_pmk" if terms.akm == "sae" else "npk_opportunistic"
    return cached + pool.octets_of(name)


def _pasn_values(
    role: _Role, exchange: _Exchange, terms: _Terms, draws: _Draws, pmks: list[bytes], pool: Pool
) -> None:
    public = exchange.theirs.public_key()
    try:
        dhss = keys.ecdh_shared(terms.group, draws.ecdh, public[1] if public else b"")
    except ProtocolError:
        return
    pool.add("pasn_dhss", dhss)
    for pmk in pmks:
        found = keys.pasn_keys(pmk, *role.nmis, dhss, csid=terms.csid, akm=terms.akm)
        of_kdk = (found.nm_kdk, *role.nmis, terms.csid)
        pool.add_named(
            {
                "pasn_pmk": pmk, "pasn_ptk": found.ptk, "pasn_kck": found.kck, "nm_tk": found.nm_tk,
                "nm_kdk": found.nm_kdk, "nd_pmk_from_kdk": keys.nd_pmk(*of_kdk), "nm_kek": keys.nm_kek(*of_kdk),
            }
        )  # fmt: skip
        if terms.akm == "pasn":
            pool.add("npk_opportunistic", keys.npk_opportunistic(*of_kdk))
        _add_mics(role, exchange, terms, found.kck, pool)


def _add_mics(role: _Role, exchange: _Exchange, terms: _Terms, kck: bytes, pool: Pool) -> None:
    """MICs that a key makes of Auth2 and Auth3, with what goes into them."""
    initiator, responder = role.nmis
    second = exchange.theirs if role.is_initiator else exchange.own
    hashed = keys.auth1_hash(exchange.first.body, csid=terms.csid, akm=terms.akm)
    covered = [(initiator, responder, hashed, auth.with_zero_mic()) for auth in exchange.third]
    if second is not None:
        covered.append((responder, initiator, second.security_elements(), second.with_zero_mic()))
    for sender, receiver, context, body in covered:
        pool.add("pasn_mic_context", context)
        pool.add("pasn_mic_input", keys.pasn_mic_input(sender, receiver, context, body))
        mic = keys.pasn_mic(kck, sender, receiver, context, body, csid=terms.csid, akm=terms.akm)
        pool.add("pasn_mic", mic)
