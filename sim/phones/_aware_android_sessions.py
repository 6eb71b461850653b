"""Publish and subscribe sessions of an Android app: what they show, whom they meet, what comes from them.

Rules AA-02, AA-03, AA-05 to AA-07, AA-33, AA-46, AA-50 to AA-52. An app knows its peers by handles (PeerHandle), and those
it has paired with by alias; addresses are no business of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from protocols.wifi_aware.matching import service_id
from protocols.wifi_aware.station import RefusedError
from sim.explain.aa_07 import NEW_METHODS, SINCE
from sim.gatt import LinkError
from sim.phones._aware_android_messages import Messages
from sim.phones._aware_android_settings import DATA_SUITE, PairingConfig

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.phones._aware_android import AwareAndroid
    from sim.units import Duration

__all__ = ["Ask", "PeerHandle", "Session", "Sessions"]

_GTK_SUITE = 5
"""NCS-GTK-CCMP-128, which Android lists in its CSIA (IA-12)."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """PublishConfig or SubscribeConfig."""

    kind: Literal["publish", "subscribe"]
    service: str
    pairing: PairingConfig | None = None
    info: bytes = b""
    """serviceSpecificInfo."""
    passphrase: str = ""
    pmk: bytes = b""
    solicited: bool = False
    """PUBLISH_TYPE_SOLICITED, or SUBSCRIBE_TYPE_ACTIVE: the subscriber speaks first."""

    @property
    def has_key(self) -> bool:
        """Whether data paths are secured by a passphrase or a PMK."""
        return bool(self.passphrase or self.pmk)


class Session:
    """A session that has started."""

    def __init__(self, ask: Ask, handle: int) -> None:
        self.ask = ask
        self.handle = handle
        """of the engines."""
        self.service_id = service_id(ask.service)

    @property
    def caches(self) -> bool:
        """Whether pairings of it are remembered."""
        return self.ask.pairing is not None and self.ask.pairing.caching

    @property
    def verifies(self) -> bool:
        """Whether paired peers of it are verified by their cached keys."""
        return self.ask.pairing is not None and self.ask.pairing.verification


class PeerHandle:
    """A peer as a session knows it."""

    def __init__(self, number: int, session: Session, nmi: str, instance: int) -> None:
        self.number = number
        self.session = session
        self.nmi = nmi
        self.instance = instance
        self.methods = 0
        """bootstrapping methods that it advertises."""
        self.place: int | None = None
        """of its keys, when its NIRA was resolved."""
        self.is_lost = False

    def __str__(self) -> str:
        return f"PeerHandle #{self.number}"


class Sessions:
    """All of the app's."""

    def __init__(self, phone: AwareAndroid) -> None:
        self._phone = phone
        self.open: dict[int, Session] = {}
        """by handle of the engines."""
        self.peers: list[PeerHandle] = []
        self._waiting: list[tuple[str, asyncio.Future[PeerHandle]]] = []
        self.messages = Messages(phone)

    # Starting and ending

    def start(self, ask: Ask) -> Session | None:
        """Publish or subscribe; None when the app got an exception or a callback that says no."""
        phone = self._phone
        if not phone.attach():
            return None
        before = phone.aware_app
        app = phone.set_aware(**self._wishes(ask))
        words = "publishes" if ask.kind == "publish" else "subscribes"
        note = f"{ask.service}, {_said(ask)}"
        phone.emit(f"aware_{ask.kind}", note=note, label=f"app {words}", app=app)
        if phone.app_fails(ask.kind) or self._is_too_new(ask):
            phone.restore_aware(before)
            return None
        phone.show_pairing([*(one.ask.pairing for one in self.open.values()), ask.pairing])
        try:
            session = Session(ask, self._begin(ask))
        except RefusedError as exc:
            phone.restore_aware(before)
            phone.emit(f"{ask.kind}_failed", note=str(exc), label="onSessionConfigFailed")
            return None
        self.open[session.handle] = session
        phone.emit(f"{ask.kind}_started", note=ask.service, label=f"{ask.kind} started")
        return session

    def _wishes(self, ask: Ask) -> dict[str, Any]:
        app = self._phone.aware_app
        wishes: dict[str, Any] = {
            "pairing_config": app.pairing_config or ask.pairing is not None,
            "passphrase_octets": len(ask.passphrase.encode()) if ask.passphrase else None,
            "pmk_octets": len(ask.pmk) if ask.pmk else None,
        }
        if ask.kind == "publish":
            waits = bool(app.network_requested)
            return wishes | {"publishing": (*app.publishing, ask.service), "network_requested": waits}  # fmt: skip
        return wishes | {"subscribing": (*app.subscribing, ask.service)}

    def _is_too_new(self, ask: Ask) -> bool:
        """Whether the pairing configuration names methods that the API does not have yet (AA-07)."""
        phone = self._phone
        bits = 0 if ask.pairing is None else ask.pairing.bits & NEW_METHODS
        if not bits or phone.views[phone.aware_profile].since(SINCE) or not phone.keeps("AA-07"):
            return False
        note = "IllegalArgumentException: a bootstrapping method of API 37 (AA-07)"
        code = "IllegalArgumentException"
        phone.emit(f"{ask.kind}_failed", note=note, rule="AA-07", code=code)
        return True

    def _begin(self, ask: Ask) -> int:
        half, config = self._phone.aware, ask.pairing
        options: dict[str, Any] = {
            "service_info": ask.info,
            "methods": 0 if config is None else config.bits,
            "pairing_mode": config is not None and config.setup,
        }
        if ask.kind == "subscribe":
            return half.subscribe(ask.service, active=ask.solicited, **options)
        return half.publish(
            ask.service,
            unsolicited=not ask.solicited,
            passphrase=ask.passphrase.encode(),
            pmk=ask.pmk,
            cipher_suites=self._suites(ask),
            **options,
        )

    def _suites(self, ask: Ask) -> tuple[int, ...]:
        """What the CSIA lists: the suite of the key first, then those of pairing and of groups."""
        firmware = self._phone.firmware()
        keyed = (DATA_SUITE,) if ask.has_key else ()
        if ask.pairing is None:
            return keyed
        group = () if firmware.group_security == "none" else (_GTK_SUITE,)
        return (*keyed, *firmware.cipher_suites, *group)

    def end_all(self) -> None:
        """All sessions are gone, and the peers with them."""
        self.open.clear()
        self.peers.clear()
        self.messages.end_all()

    def latest(self, kind: str) -> Session | None:
        """The session of a kind that was started last."""
        found = [one for one in self.open.values() if one.ask.kind == kind]
        return found[-1] if found else None

    # Peers

    def handle_of(self, session: Session, nmi: str, instance: int) -> PeerHandle:
        """The handle of a peer in a session, a new one when there is none."""
        for one in self.peers:
            if (one.session, one.nmi, one.instance) == (session, nmi, instance):
                return one
        made = PeerHandle(len(self.peers) + 1, session, nmi, instance)
        self.peers.append(made)
        return made

    def on_discovered(self, event: ev.Discovered) -> None:
        """A publish matches: tell the app, unless a rule hides it."""
        phone, session = self._phone, self.open.get(event.subscribe_id)
        if session is None:
            return
        name = phone.aware.name(event.peer)
        why = phone.view.hidden(event, session.service_id)
        if why is not None:
            note = f"heard, not shown to the app: {why.verdict.short} ({why.rule})"
            phone.emit(
                "not_shown", peer=name, note=note, label=f"not shown: {why.rule}", rule=why.rule,
                nmi=event.peer, evidence=why.verdict.evidence,
            )  # fmt: skip
            return
        peer = self.handle_of(session, event.peer, event.publish_id)
        peer.methods, peer.place, peer.is_lost = event.methods, event.identity, False
        if event.identity is not None:
            phone.pairings.cache.seen(event.peer, event.identity)
        alias = phone.pairings.cache.alias_of(event.identity)
        known = f", paired alias {alias!r} (AA-46)" if alias else ""
        phone.emit(
            "service_discovered", peer=name, note=f"{peer}{known}", label="onServiceDiscovered",
            handle=peer.number, alias=alias, nmi=event.peer, rule="AA-46" if alias else "",
        )  # fmt: skip
        for what, future in list(self._waiting):
            if peer in self._called(what) and not future.done():
                future.set_result(peer)

    def on_lost(self, event: ev.MatchExpired) -> None:
        """A publish was not heard for some time."""
        session = self.open.get(event.subscribe_id)
        for peer in self.peers:
            if (peer.session, peer.nmi, peer.instance) == (session, event.peer, event.publish_id):
                peer.is_lost = True
                name = self._phone.aware.name(event.peer)
                self._phone.emit("service_lost", peer=name, note=f"{peer}", label="onServiceLost", handle=peer.number)  # fmt: skip

    def recognised(self, nmi: str, place: int) -> None:
        """The peer at that address is a paired one from now on."""
        for peer in self.peers:
            if peer.nmi == nmi:
                peer.place = place

    def on_message(self, event: ev.FollowUp) -> None:
        """A message of a peer."""
        phone, session = self._phone, self.open.get(event.handle)
        if session is None or not event.service_info:
            return
        peer = self.handle_of(session, event.peer, event.peer_instance_id)
        peer.place = phone.pairings.cache.place_of(event.peer)
        octets = event.service_info
        phone.emit(
            "message_received", peer=phone.aware.name(event.peer), label="onMessageReceived",
            note=f"{len(octets) // 2} octets from {peer}", hex=octets, handle=peer.number,
        )  # fmt: skip

    def _called(self, what: str) -> list[PeerHandle]:
        """Peers of that alias, number (#1), node or NMI; those that are there first, the newest first."""
        phone = self._phone
        place = phone.pairings.cache.aliases.get(what)
        found = [one for one in self.peers if place is not None and one.place == place]
        if not found:
            found = [
                one
                for one in self.peers
                if what in (f"#{one.number}", one.nmi, phone.aware.name(one.nmi))
            ]
        return sorted(found, key=lambda one: (one.is_lost, -one.number))

    async def meet(self, what: str, patience: Duration) -> PeerHandle:
        """The peer of that alias, number, node or NMI; waits until there is one. Raises LinkError."""
        found = self._called(what)
        if found:
            return found[0]
        future: asyncio.Future[PeerHandle] = asyncio.get_running_loop().create_future()
        entry = (what, future)
        self._waiting.append(entry)
        try:
            return await asyncio.wait_for(future, patience / 1e6)
        except TimeoutError:
            raise self._nobody(what, patience / 1e6) from None
        finally:
            self._waiting.remove(entry)

    def _nobody(self, what: str, seconds: float) -> LinkError:
        """The error of waiting for a peer in vain; the trace has the likeliest rule."""
        phone = self._phone
        why = f"no session has met {what} in {seconds:g} s"
        found = phone.view.surroundings(phone.now_us)
        rule = found[0].rule if found else ""
        because = f"; {found[0].verdict.evidence} ({rule})" if found else ""
        phone.emit("peer_unknown", note=f"{why}{because}", label="nobody there", rule=rule)
        return LinkError(f"{phone.name}: {why}")


def _said(ask: Ask) -> str:
    """What a configuration says, in words."""
    config = ask.pairing
    if config is not None:
        return f"pairing by {', '.join(config.methods)}"
    return "no pairing configuration" + (", with a key for data" if ask.has_key else "")
