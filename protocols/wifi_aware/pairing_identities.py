"""The end of a pairing: keys come into use, and both sides give each other their identity keys.

Digest of pairing, sections 5, 7 and 8; phone profiles IA-40 to IA-44. The key descriptor is that of `nik_exchange`. No
clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from protocols.errors import DecodeError
from protocols.wifi_aware import matching, ndp_group_keys, nik_exchange
from protocols.wifi_aware.events import (
    Derived,
    NikMissing,
    NikReceived,
    PairingResult,
)
from protocols.wifi_aware.nik_exchange import NikError
from protocols.wifi_aware.pairing_core import PairingCore
from protocols.wifi_aware.pairing_states import Input
from protocols.wifi_aware.peers import Identity, LinkKey
from protocols.wifi_aware.station import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
    from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.pairing_core import Context
    from protocols.wifi_aware.pairing_settings import PairingSettings
    from protocols.wifi_aware.pasn_checks import Message
    from protocols.wifi_aware.peers import Service
    from protocols.wifi_aware.station import Station

__all__ = ["PairingIdentities", "SendFollowUp"]

_AKMS = ("sae", "pasn")
_NO_IDENTITY = "the peer's identity key did not come in time"


class SendFollowUp(Protocol):
    """Sends a follow-up with attributes; the number of its frame."""

    def __call__(
        self,
        peer: str,
        handle: int,
        peer_instance_id: int,
        attributes: Sequence[Attr],
        *,
        name: str,
        engine: str,
    ) -> int:
        """Send."""
        ...


class PairingIdentities(PairingCore):
    """Actions from the moment on at which the keys are good."""

    def __init__(
        self, station: Station, follow_up: SendFollowUp, settings: PairingSettings
    ) -> None:
        super().__init__(station, settings)
        self._send_follow_up = follow_up
        self._actions |= {
            "install": self._install,
            "schedule_nik": self._schedule_nik,
            "await_nik": self._await_nik,
            "send_nik": self._send_nik,
            "store_nik": self._store_nik,
            "store_nik_and_answer": self._store_nik_and_answer,
            "give_up_nik": self._give_up_nik,
            "tear_down": self._tear_down,
        }

    # Identities

    def add_identity(self, nik: bytes, npk: bytes, akm: str, now: int) -> int:
        """Store a device: identity key of 16 octets, NPK of 32, AKM `sae` or `pasn`; its place."""
        if akm not in _AKMS:
            raise RefusedError(f"no AKM {akm!r}: use one of {', '.join(_AKMS)}")
        return self._remember(Identity(nik=nik, npk=npk, akm=akm, since_us=now), now)

    def forget(self, identity: int, now: int) -> None:
        """Drop a stored identity. Raises RefusedError when there is none in that place."""
        self.store.forget(identity)
        self.stop_timer(("lifetime", identity))

    def recognise(self, peer: str, nira: IdentityResolution) -> int | None:
        """Place of the identity that shows this NIRA with that NMI; an event says so either way."""
        return self.store.recognise(peer, nira)

    def _remember(self, identity: Identity, now: int) -> int:
        before = set(self.station.identities)
        place = self.store.add(identity)
        for over in (place, *before.difference(self.station.identities)):
            self.stop_timer(("lifetime", over))
        if self.settings.enforce_lifetime and identity.lifetime_s is not None:
            due = now + identity.lifetime_s * 1_000_000
            self.start_timer(("lifetime", place), due, lambda at: self.forget(place, at))
        return place

    # Keys come into use

    def _use_keys(self, context: Context) -> None:
        """Unicast frames with the peer are of category 9 from now on, packet numbers begin again."""
        terms, exchange = context.agreed, context.run
        peer = self.station.peer(context.peer)
        peer.paired, peer.csid, peer.akm = True, terms.suite.csid, terms.akm
        peer.nd_pmk = exchange.nd_pmk
        pair = (self.station.nmi, context.peer)
        self.station.link_keys[pair] = LinkKey(terms.suite.cipher, exchange.keys.nm_tk)

    def _install(self, context: Context, now: int, message: Message | None) -> Input:
        """The exchange succeeded on this side."""
        terms, exchange = context.agreed, context.run
        if not context.installed:
            self._use_keys(context)
        context.installed = False
        self._stop_timers(context)
        found = exchange.keys
        self.station.emit(
            PairingResult(
                peer=context.peer,
                role=context.role,
                akm=terms.akm,
                cipher=terms.suite.cipher,
                status=0,
                kck=found.kck.hex(),
                nm_tk=found.nm_tk.hex(),
                nm_kdk=found.nm_kdk.hex(),
                nd_pmk=exchange.nd_pmk.hex(),
            )
        )
        return self._after_success(context)

    def _after_success(self, context: Context) -> Input:
        peer = self.station.peer(context.peer)
        caches = self._wishes.own_dcea("npk_nik_caching") and peer.npk_caching
        if context.agreed.mode == "verification" or not caches:
            return Input.NO_NIK
        first = context.role == "initiator" or self.settings.nik_start == "both"
        return Input.OWN_NIK_FIRST if first else Input.PEER_NIK_FIRST

    # Own identity key

    def _schedule_nik(self, context: Context, now: int, message: Message | None) -> None:
        due = now + self.settings.nik_delay_us
        self._expect(context, "nik", due, Input.TIME_FOR_NIK)
        self._await_nik(context, now, message)

    def _await_nik(self, context: Context, now: int, message: Message | None) -> None:
        patience = self.settings.nik_timeout_us
        if patience is not None:
            ends = self.settings.after_nik_timeout == "teardown"
            given = Input.NIK_TEARDOWN if ends else Input.NIK_TIMEOUT
            self._expect(context, "nik_timeout", now + patience, given)

    def _send_nik(self, context: Context, now: int, message: Message | None) -> None:
        terms = context.agreed
        self.station.emit(Derived(name="nik", peer=context.peer, value=self.station.nik.hex()))
        skda = nik_exchange.build(
            self.settings,
            terms.suite,
            context.run.nm_kek,
            terms.handle,
            self.station.nik,
            self.station.own_group_keys,
        )
        try:
            self._send_follow_up(
                context.peer,
                terms.handle,
                terms.peer_instance_id,
                [skda],
                name="nik",
                engine=self.NAME,
            )
        except RefusedError as exc:  # the service has ended since
            self._tell_missing(context, f"the own identity key was not sent: {exc}", paired=True)

    # The peer's identity key

    def follow_up(
        self, heard: Heard, descriptor: ServiceDescriptor, service: Service, now: int
    ) -> bool:
        """Take a follow-up that carries a Shared Key Descriptor; whether its identity key was stored."""
        frame = heard.frame
        found = [one for one in frame.nan_attributes if one.name == "shared_key_descriptor"]
        if not found:
            return False
        context = self._current(frame.source)
        if context is None or not self._takes(context, Input.NIK):
            self.station.drop(heard, "a key descriptor, and no identity key is waited for")
            return False
        try:
            self._check_instances(context, descriptor, service)
            context.received = nik_exchange.read(found[0], context.run.nm_kek, self.settings)
            self._check_nira(frame, context.received.nik)
        except NikError as exc:
            self.station.drop(heard, str(exc))
            self._lose_nik(context, str(exc), now)
            return False
        self._step(context, Input.NIK, now)
        return True

    def _check_instances(
        self, context: Context, descriptor: ServiceDescriptor, service: Service
    ) -> None:
        terms = context.agreed
        found = (descriptor.instance_id, descriptor.requestor_instance_id, service.id)
        wanted = (terms.peer_instance_id, terms.handle, terms.handle)
        if self.settings.check_instance_ids and found != wanted:
            raise NikError(
                f"follow-up of instance {found[0]} for {found[1]}; paired are {wanted[0]} and {wanted[1]}"
            )

    def _check_nira(self, frame: Any, nik: bytes) -> None:
        if not self.settings.require_nira_in_peer_follow_up:
            return
        try:
            nira: IdentityResolution | None = frame.first("identity_resolution")
        except DecodeError as exc:
            raise NikError(f"NIRA: {exc}") from exc
        if nira is None or matching.resolve(nira, frame.source, [nik]) is None:
            raise NikError("the follow-up shows no NIRA that its identity key made")

    def _lose_nik(self, context: Context, cause: str, now: int) -> None:
        if self.settings.bad_nik == "end":
            self._tell_missing(context, cause, paired=True)
            self._step(context, Input.NIK_LOST, now)

    def _store_nik(self, context: Context, now: int, message: Message | None) -> None:
        terms, received = context.agreed, context.received
        if received is None:
            return
        self._stop_timers(context, "nik_timeout")
        identity = Identity(
            nik=received.nik,
            npk=context.run.npk,
            akm=terms.akm,
            lifetime_s=received.lifetime_s,
            since_us=now,
        )
        place = self._remember(identity, now)
        self.station.emit(
            NikReceived(
                peer=context.peer,
                id=place,
                nik=received.nik.hex(),
                cipher_version=received.cipher_version,
                lifetime_s=received.lifetime_s,
                akm=terms.akm,
                npk=context.run.npk.hex(),
            )
        )
        if self.settings.take_group_keys:
            for key in received.group_keys:
                ndp_group_keys.install(self.station, context.peer, key)

    def _store_nik_and_answer(
        self, context: Context, now: int, message: Message | None
    ) -> Input | None:
        self._store_nik(context, now, message)
        delay = self.settings.nik_answer_delay_us
        if delay == 0:
            return Input.TIME_FOR_NIK
        self._expect(context, "nik", now + delay, Input.TIME_FOR_NIK)
        return None

    # It does not come

    def _give_up_nik(self, context: Context, now: int, message: Message | None) -> None:
        self._tell_missing(context, _NO_IDENTITY, paired=True)

    def _tear_down(self, context: Context, now: int, message: Message | None) -> None:
        """Own frames are unprotected from now on; those of the peer are still opened."""
        self._stop_timers(context)
        self.station.peer(context.peer).paired = False
        self._tell_missing(context, _NO_IDENTITY, paired=False)

    def _tell_missing(self, context: Context, cause: str, *, paired: bool) -> None:
        self.station.emit(NikMissing(peer=context.peer, paired=paired, cause=cause))
