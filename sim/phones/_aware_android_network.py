"""Networks over Wi-Fi Aware as an Android app asks for them: requestNetwork on both sides, its callbacks, the peer's address.

Rules AA-04, AA-22, AA-26, AA-43, AA-47 to AA-49, AA-55. The subscriber initiates; the publisher must have asked for a network before
a request comes. A peer that was paired is verified first, and its data path has the key of the pairing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Never

import msgspec

from protocols.wifi_aware.station import RefusedError
from sim.gatt import LinkError
from sim.phones import _aware_android_traffic as traffic
from sim.phones._aware_android_sessions import Session  # msgspec reads the annotations
from sim.phones._aware_android_settings import DATA_SUITE
from sim.phones._aware_android_traffic import Network, NetworkWish
from sim.wifi_aware.ceremony import AwareError

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.phones._aware_android import AwareAndroid
    from sim.phones._aware_android_sessions import PeerHandle
    from sim.wifi_aware.half import AwareHalf

__all__ = ["Networks"]

_NO_RESOURCES, _NDP_REJECTED = 2, 10


class _Waiting(msgspec.Struct, frozen=True):
    """A network request of a responder."""

    session: Session
    peer: str
    """NMI; empty: any peer."""
    wish: NetworkWish


class Networks:
    """All of the app's."""

    def __init__(self, phone: AwareAndroid) -> None:
        self._phone = phone
        self.open: list[Network] = []
        self._waiting: list[_Waiting] = []
        self._wishes: dict[str, NetworkWish] = {}
        """NMI -> what the data path that is being set up with it is for."""

    @property
    def _half(self) -> AwareHalf:
        return self._phone.aware

    def end_all(self, why: str, rule: str) -> None:
        """Wi-Fi Aware is gone, and the networks with it."""
        self._waiting.clear()
        for one in list(self.open):
            self._lose(one, why, rule)

    # As the initiator

    async def request(self, peer: PeerHandle, wish: NetworkWish) -> Network:
        """A network to a peer. Raises LinkError."""
        phone, nmi, half = self._phone, peer.nmi, self._half
        before = phone.aware_app
        app = phone.set_aware(passphrase_octets=len(wish.passphrase) or None, pmk_octets=len(wish.pmk) or None)  # fmt: skip
        note = f"to {peer}" + (", with a key" if wish.has_key else "")
        name = half.name(nmi)
        phone.emit("network_requested", peer=name, note=note, label="requestNetwork", app=app)
        if phone.app_fails("network"):
            phone.restore_aware(before)
            raise AwareError(phone.name, name, "requestNetwork", "the app got an exception")
        self._check_room(nmi)
        if self._needs_verification(peer):
            await self._verify(peer)
        self._wishes[nmi] = wish
        try:
            path = await half.ceremony.open_path(
                nmi, peer.session.handle, peer.instance, csid=DATA_SUITE if wish.has_key else 0,
                passphrase=wish.passphrase.encode(), pmk=wish.pmk,
            )  # fmt: skip
        except AwareError as exc:
            self._unavailable(nmi, f"{exc.step}: {exc.why}")
        return await self._validated(path)

    def _check_room(self, nmi: str) -> None:
        """One network on the one interface, and no more data paths than the chip has. Raises LinkError."""
        phone, most = self._phone, self._phone.firmware().data_paths
        if self.open and phone.keeps("AA-49"):
            self._unavailable(nmi, "no interface available: another network is on it", "AA-49")
        if most and len(self.open) >= most and phone.keeps("AA-04"):
            self._unavailable(nmi, f"{most} data paths are open", "AA-04")

    def _needs_verification(self, peer: PeerHandle) -> bool:
        nmi = peer.nmi
        known = peer.session.verifies and self._half.identity_of(nmi) is not None
        if not known or self._phone.pairings.cache.is_fresh(nmi):
            return False
        return all(one.path.peer != nmi for one in self.open)

    async def _verify(self, peer: PeerHandle) -> None:
        try:
            await self._phone.pairings.verify(peer)
        except AwareError as exc:
            self._unavailable(peer.nmi, f"verification: {exc.why}")

    def _unavailable(self, nmi: str, why: str, rule: str = "") -> Never:
        """onUnavailable, with the likeliest rule. Raises LinkError."""
        phone = self._phone
        phone.explain_failure("network_unavailable", nmi, f"onUnavailable: {why}", rule)
        raise AwareError(phone.name, self._half.name(nmi), "requestNetwork", why)

    # As the responder

    def wait(self, session: Session, peer: str, wish: NetworkWish) -> None:
        """requestNetwork on the publisher's side: data path requests of `peer` (empty: anybody) are accepted from now on."""
        self._waiting.append(_Waiting(session, peer, wish))
        app = self._phone.set_aware(network_requested=True)
        whom = self._half.name(peer) if peer else "any peer"
        self._phone.emit("network_requested", note=f"as the responder, for {whom}", label="requestNetwork", app=app)  # fmt: skip

    def on_request(self, event: ev.DataPathRequested) -> None:
        """A peer asks for a data path: answer it."""
        half, found = self._half, self._waiting_for(event)
        accept, reason = self.decide(event)
        wish = NetworkWish() if found is None else found.wish
        session = self._phone.sessions.open.get(event.publish_id)
        if not wish.has_key and session is not None and event.csid == DATA_SUITE:
            ask = session.ask
            wish = msgspec.structs.replace(wish, passphrase=ask.passphrase, pmk=ask.pmk)
        self._wishes[event.peer] = wish
        try:
            half.command(
                lambda now: half.engine.data_path.answer(
                    event.peer, event.initiator_ndi, event.ndp_id, handle=event.publish_id, accept=accept,
                    reason=reason, csid=event.csid, passphrase=wish.passphrase.encode(), pmk=wish.pmk,
                    service_info=wish.info if accept else b"", now=now,
                )
            )  # fmt: skip
        except RefusedError as exc:
            note = f"cannot be answered: {exc}"
            self._phone.emit("data_path_not_answered", peer=half.name(event.peer), note=note)

    def _waiting_for(self, event: ev.DataPathRequested) -> _Waiting | None:
        fits = (
            one
            for one in self._waiting
            if one.session.handle == event.publish_id and one.peer in ("", event.peer)
        )
        return next(fits, None)

    def decide(self, event: ev.DataPathRequested) -> tuple[bool, int]:
        """Whether a data path is accepted, and the reason when not; the trace says by which rule."""
        phone, found = self._phone, self._waiting_for(event)
        phone.set_aware(network_requested=found is not None)
        why = phone.view.path_rejected(event)
        if why is not None:
            reason = int(why.verdict.effect.rpartition(":")[2])
            self._tell_rejected(event, why.verdict.short, why.rule)
            return False, reason
        others = [one for one in self.open if not self._is_served_by(found, one)]
        if others and phone.keeps("AA-49"):
            self._tell_rejected(event, "no interface available", "AA-49")
            return False, _NO_RESOURCES
        if found is not None and found.wish.has_key and not event.csid:
            self._tell_rejected(event, "the app wants a key, and the request is open", "")
            return False, _NDP_REJECTED
        return True, 0

    @staticmethod
    def _is_served_by(request: _Waiting | None, network: Network) -> bool:
        """Whether a network belongs to a request for any peer."""
        return request is not None and not request.peer and not network.path.initiator

    def _tell_rejected(self, event: ev.DataPathRequested, why: str, rule: str) -> None:
        because = f" ({rule})" if rule else ""
        self._phone.emit(
            "data_path_rejected", peer=self._half.name(event.peer), note=f"{why}{because}",
            label=f"rejected: {rule}" if rule else "rejected", rule=rule,
        )  # fmt: skip

    # Connected

    def on_connected(self, event: ev.DataPathConnected) -> None:
        """A data path is up."""
        network = Network(event, self._wishes.pop(event.peer, NetworkWish()))
        self.open.append(network)
        if not event.initiator:
            self._phone.place.spawn(self._phone.name, self._quietly(network))

    async def _quietly(self, network: Network) -> None:
        try:
            await self._validate(network)
        except AwareError:
            return  # told already

    async def _validated(self, path: ev.DataPathConnected) -> Network:
        """The network of a data path once its address can be used. Raises LinkError."""
        network = next((one for one in self.open if one.path == path), None)
        if network is None:
            self._unavailable(path.peer, "the data path has ended already")
        await self._validate(network)
        return network

    async def _validate(self, network: Network) -> None:
        """Wait until the own address can be used, polling as the framework does (AA-26). Raises LinkError."""
        firmware = self._phone.firmware()
        check_us, poll_us = int(firmware.address_check), int(firmware.address_poll)
        ready_us = -(-check_us // poll_us) * poll_us
        patience_us = int(firmware.address_patience)
        await asyncio.sleep(min(ready_us, patience_us) / 1e6)
        if network not in self.open:
            self._unavailable(network.path.peer, "the data path has ended")
        if ready_us > patience_us:
            self._terminate(network)
            self.open.remove(network)
            why = f"its own IPv6 address could not be used within {patience_us / 1e6:g} s"
            self._unavailable(network.path.peer, why, "AA-26")
        self._make_available(network)

    def _make_available(self, network: Network) -> None:
        phone, path = self._phone, network.path
        link = self._half.paths.with_peer(path.peer)
        if link is None:
            self._unavailable(path.peer, "the data path has ended")
        told = traffic.told_by(path.service_info, strict=phone.keeps("AA-48"))
        network.channel = traffic.open_channel(network, link, told)
        where = f"[{link.peer}]" + (f":{told.port} {told.protocol}" if told.port else "")
        fault = f"; {told.fault} (AA-48)" if told.fault else ""
        phone.emit(
            "network_available", peer=self._half.name(path.peer), note=f"{where}{fault}", label="onAvailable",
            ipv6=str(link.peer), port=told.port, protocol=told.protocol, rule="AA-48" if fault else "",
        )  # fmt: skip

    def with_peer(self, nmi: str) -> Network:
        """The latest network (with a peer, by its NMI). Raises LinkError."""
        found = [one for one in self.open if nmi in ("", one.path.peer)]
        if not found:
            whom = f" with {self._half.name(nmi)}" if nmi else ""
            raise LinkError(f"{self._phone.name}: no network{whom}")
        return found[-1]

    # Ends

    def release(self, peer: str = "") -> int:
        """unregisterNetworkCallback: end the networks with a peer (empty: all), and those that are waited for; how many."""
        gone = [one for one in self.open if peer in ("", one.path.peer)]
        waiting = [one for one in self._waiting if not peer or one.peer == peer]
        self._waiting = [one for one in self._waiting if one not in waiting]
        if not self._waiting:
            self._phone.set_aware(network_requested=False)
        for network in gone:
            self._terminate(network)
            self.open.remove(network)
            name = self._half.name(network.path.peer)
            self._phone.emit("network_released", peer=name, label="network released")
        return len(gone) + len(waiting)

    def terminate_all(self, why: str, rule: str) -> bool:
        """End all data paths; whether there were any. What the responder waits for stays."""
        gone = list(self.open)
        for network in gone:
            self._lose(network, why, rule)
            self._terminate(network)
        return bool(gone)

    def _terminate(self, network: Network) -> None:
        half = self._half
        nmi, ndi, number = network.key
        try:
            half.command(lambda now: half.engine.data_path.terminate(nmi, ndi, number, now))
        except RefusedError:
            return  # it is ending already

    def on_ended(self, event: ev.DataPathEnded) -> None:
        """A data path, or the set-up of one, ended."""
        key = (event.peer, event.initiator_ndi, event.ndp_id)
        for network in [one for one in self.open if one.key == key]:
            self._lose(network, event.cause or f"reason {event.reason}", "")

    def _lose(self, network: Network, why: str, rule: str) -> None:
        if network not in self.open:
            return
        self.open.remove(network)
        if network.channel is not None:
            because = f" ({rule})" if rule else ""
            name = self._half.name(network.path.peer)
            self._phone.emit("network_lost", peer=name, note=f"{why}{because}", label="onLost", rule=rule)  # fmt: skip
