"""What firmware does with its engines: answers as a responder, and whole ceremonies as an initiator.

A responder reacts to events by a table; an initiator is a coroutine that commands and waits for the event that answers
it. PINs come from the person in front of the device (`sim.person`). No bytes, no radio here.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, Any, TypeVar

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.pairing_states import State
from protocols.wifi_aware.station import RefusedError
from sim.gatt import LinkError
from sim.wifi_aware.firmware import BITS, method_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.wifi_aware.half import AwareHalf, AwareOwner

__all__ = ["AwareError", "Ceremony"]

E = TypeVar("E", bound=ev.Event)
_BOOTSTRAP_WAIT_S, _PAIRING_WAIT_S, _NIK_WAIT_S, _PATH_WAIT_S = 60.0, 20.0, 10.0, 35.0
_SHOWS = BITS["pin_display"] | BITS["passphrase_display"] | BITS["qr_display"] | BITS["nfc_tag"]
_ASKS = BITS["pin_keypad"] | BITS["passphrase_keypad"] | BITS["qr_scan"] | BITS["nfc_reader"]
_WITHOUT = BITS["opportunistic"]
_PIN_US = 120_000_000
"""How long a PIN that nobody pairs with stays on the display."""
_PARTNERS = 64
_ANSWERING = (State.ARMED, State.AUTH2_SENT)
_FAILED, _INVALID_PMKID = 1, 53
"""802.11 statuses."""


class AwareError(LinkError):
    """Something of Wi-Fi Aware did not come about: at which step, and why."""

    def __init__(self, node: str, peer: str, step: str, why: str) -> None:
        self.step = step
        self.why = why
        super().__init__(f"{node}: {step} with {peer}: {why}")


class Ceremony:
    """Events of one device's engines, and what it does about them."""

    def __init__(self, owner: AwareOwner, half: AwareHalf) -> None:
        self.owner = owner
        self.half = half
        self.passwords: dict[str, bytes] = {}
        """NMI -> what was agreed on while bootstrapping."""
        self.automatic = True
        """whether it answers as a responder; otherwise somebody else does."""
        self.kept: dict[str, ev.PairingRequested] = {}
        """NMI -> its Auth1 that waits for an answer."""
        self._instances: dict[str, tuple[int, int]] = {}
        """NMI -> own instance and its instance that are to pair."""
        self._shown = ""
        """NMI whose PIN is on the display."""
        self._superseded: set[str] = set()
        """NMIs whose last pairing ends because a new one begins."""
        self._prepared: set[str] = set()
        """NMIs for whose request a PIN is shown or asked for already."""
        self._refused: set[str] = set()
        """NMIs that the person does not want to pair with."""
        self._waiting: list[tuple[type[ev.Event], str, asyncio.Future[Any]]] = []
        self._answers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.BootstrapRequested: self._on_bootstrap_requested,
            ev.BootstrapCompleted: self._on_bootstrap_completed,
            ev.PairingRequested: self._on_pairing_requested,
            ev.PairingResult: self._on_pairing_result,
            ev.DataPathRequested: self._on_path_requested,
        }

    # Events

    def on_event(self, event: ev.Event) -> None:
        """Answer an event, and wake who waits for it."""
        answer = self._answers.get(type(event))
        if answer is not None:
            try:
                answer(event)
            except RefusedError as exc:
                peer = self.name(getattr(event, "peer", ""))
                self.owner.emit("not_answered", peer=peer, note=f"{event.kind}: {exc}")
        for kind, peer, future in self._waiting:
            if (
                isinstance(event, kind)
                and not future.done()
                and peer in ("", getattr(event, "peer", ""))
            ):
                future.set_result(event)

    def reset(self) -> None:
        """The power is gone: nothing is open any more."""
        for peer in list(self.passwords):
            self._done_with(peer, "switched off")
        self.kept.clear()
        self._instances.clear()
        self._superseded.clear()
        self._prepared.clear()
        self._refused.clear()

    def abort_all(self) -> None:
        """End every bootstrapping and pairing that goes on."""
        engine = self.half.engine
        for peer in list(engine.station.peers):
            for abort in (engine.pairing.abort, engine.bootstrapping.abort):
                with contextlib.suppress(RefusedError):  # nothing goes on with that one
                    self.half.command(functools.partial(abort, peer))
        self.reset()

    async def wait_for(self, kind: type[E], peer: str, seconds: float) -> E | None:
        """The next event of a kind (of a peer, by its NMI); None when none comes in time."""
        future: asyncio.Future[E] = asyncio.get_running_loop().create_future()
        entry = (kind, peer, future)
        self._waiting.append(entry)
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return None
        finally:
            self._waiting.remove(entry)

    def name(self, nmi: str) -> str:
        """Node of an NMI."""
        return self.half.name(nmi)

    # As a responder

    def _on_bootstrap_requested(self, event: ev.BootstrapRequested) -> None:
        self._meet(event)
        if not self.automatic:
            return
        self._prepared.add(event.peer)
        self._prepare(event.peer, event.method)
        self.authorize(event)

    def authorize(self, event: ev.BootstrapRequested) -> None:
        """Agree to the method that a peer asks for. Raises RefusedError."""
        peer, handle, instance = event.peer, event.handle, event.peer_instance_id
        self.half.command(
            lambda now: self.half.engine.bootstrapping.authorize(
                peer, handle, instance, event.method, now
            )
        )

    def _on_bootstrap_completed(self, event: ev.BootstrapCompleted) -> None:
        """What was agreed on at once has asked nobody for a PIN yet."""
        self._meet(event)
        peer = self.half.engine.station.peers.get(event.peer)
        asked = peer is not None and peer.request_sent is None
        prepared = event.peer in self._prepared
        self._prepared.discard(event.peer)
        if event.success and asked and not prepared and self.automatic:
            self._prepare(event.peer, event.method)

    def _meet(self, event: ev.BootstrapRequested | ev.BootstrapCompleted) -> None:
        self._instances.pop(event.peer, None)
        while len(self._instances) >= _PARTNERS:
            del self._instances[next(iter(self._instances))]
        self._instances[event.peer] = (event.handle, event.peer_instance_id)

    def _prepare(self, peer: str, method: int) -> None:
        """Show a PIN, or ask for one, as an own method wants it; what ran with an earlier one is over."""
        pairing = self.half.engine.pairing
        self._refused.discard(peer)
        if pairing.state(peer) in _ANSWERING:
            self._superseded.add(peer)
            self.half.command(functools.partial(pairing.abort, peer))
        if method & _SHOWS:
            self.show_pin(peer)
        elif method & _ASKS:
            self.owner.place.spawn(self.owner.name, self._ask(peer))

    def show_pin(self, peer: str) -> str:
        """A PIN for a pairing with `peer`, on the display."""
        person = self.owner.person
        pin = person.new_pin(peer) or self._drawn_pin()
        self.passwords[peer] = pin.encode()
        self._shown = peer
        person.display_pin(self.name(peer), pin)
        self.owner.place.after_us(_PIN_US, self._expire, peer, self.passwords[peer])
        return pin

    def _expire(self, peer: str, password: bytes) -> None:
        if self.passwords.get(peer) is password:
            self._done_with(peer, f"nobody has paired in {_PIN_US / 1e6:g} s")

    def _drawn_pin(self) -> str:
        return f"{int.from_bytes(self.owner.draw('aware_pin', 8), 'big') % 1_000_000:06}"

    async def _ask(self, peer: str) -> None:
        pin = await self.owner.person.ask_pin(self.name(peer))
        if pin is None:
            self._turn_away(peer)
            return
        self.passwords[peer] = pin.encode()
        kept = self.kept.get(peer)
        if kept is not None:
            self.accept(kept)

    def _turn_away(self, peer: str) -> None:
        """The person refuses: so does whatever goes on with that peer, or comes next."""
        if not self.half.on:
            return
        try:
            self.half.command(functools.partial(self.half.engine.bootstrapping.reject, peer))
        except RefusedError:
            if peer in self.kept:
                self.refuse(peer)
            else:
                self._refused.add(peer)

    def _on_pairing_requested(self, event: ev.PairingRequested) -> None:
        self.kept.pop(event.peer, None)
        while len(self.kept) >= _PARTNERS:
            del self.kept[next(iter(self.kept))]
        self.kept[event.peer] = event
        if event.peer in self._refused:
            self._refused.discard(event.peer)
            self.refuse(event.peer)
        elif self.automatic and self._is_ready(event):
            self.accept(event)

    def _is_ready(self, event: ev.PairingRequested) -> bool:
        """Whether an Auth1 can be answered: known by a cached key, agreed on as opportunistic, or there is a PIN."""
        if event.pmkids:
            return True
        if event.akm != "pasn":
            return event.peer in self.passwords
        peer = self.half.engine.station.peers.get(event.peer)
        return peer is not None and peer.method == _WITHOUT

    def accept(self, event: ev.PairingRequested) -> None:
        """Answer an Auth1 that is kept; one that cannot be accepted is refused."""
        mode = "verification" if event.pmkids else {"sae": "sae"}.get(event.akm, "opportunistic")
        peer = event.peer
        handle, instance = self._instances_for(event)
        try:
            self.half.command(
                lambda now: self.half.engine.pairing.accept(
                    peer,
                    handle,
                    instance,
                    mode=mode,
                    csid=event.csid,
                    password=self.passwords.get(peer, b""),
                    now=now,
                )
            )
        except RefusedError as exc:
            self.owner.emit("pairing_not_accepted", peer=self.name(peer), note=str(exc))
            self.refuse(peer, _INVALID_PMKID if event.pmkids else _FAILED)

    def _instances_for(self, event: ev.PairingRequested) -> tuple[int, int]:
        """Own instance, and that of the peer."""
        services = self.half.engine.station.services
        found = self._instances.get(event.peer)
        if found is not None and found[0] in services:
            return found
        own = services.get(event.handle)
        if own is not None and own.publish:
            return event.handle, 1
        return next(iter(services), 1), event.handle

    def refuse(self, peer: str, status: int = _FAILED) -> None:
        """Refuse an Auth1 that is kept; harmless when none is."""
        self.kept.pop(peer, None)
        try:
            self.half.command(lambda now: self.half.engine.pairing.refuse(peer, now, status))
        except RefusedError:
            return  # it was given up meanwhile

    def _on_pairing_result(self, event: ev.PairingResult) -> None:
        if event.peer in self._superseded:
            self._superseded.discard(event.peer)
            return
        why = "" if event.status == 0 else event.cause or f"status {event.status}"
        self.kept.pop(event.peer, None)
        self._done_with(event.peer, why)

    def _done_with(self, peer: str, why: str) -> None:
        """A pairing is over: displays and questions go, unless they are about another one."""
        self._instances.pop(peer, None)
        self.passwords.pop(peer, None)
        person = self.owner.person
        question = person.question
        asked = question is None or question.peer == self.name(peer)
        if self._shown in ("", peer) and asked:
            self._shown = ""
            person.cancelled(self.name(peer), why)

    def _on_path_requested(self, event: ev.DataPathRequested) -> None:
        if self.automatic:
            self.half.answer_path(event)

    # As an initiator

    async def bootstrap(self, peer: str, handle: int, instance: int, method: int) -> None:
        """Ask for a method; returns when it is agreed. Raises AwareError."""
        engine = self.half.engine.bootstrapping
        self._do(
            "bootstrapping", peer, lambda now: engine.start(peer, handle, instance, method, now)
        )
        done = await self.wait_for(ev.BootstrapCompleted, peer, _BOOTSTRAP_WAIT_S)
        if done is None:
            raise self._error(
                peer,
                "bootstrapping",
                f"no answer to {method_name(method)} in {_BOOTSTRAP_WAIT_S:g} s",
            )
        if not done.success:
            raise self._error(peer, "bootstrapping", f"refused, reason {done.reason}")

    async def password(self, peer: str, method: int) -> bytes:
        """What goes with a method: typed, shown, or nothing. Raises AwareError when the person refuses."""
        if method & _WITHOUT:
            return b""
        if method & _SHOWS:
            return self.show_pin(peer).encode()
        pin = await self.owner.person.ask_pin(self.name(peer))
        if pin is None:
            raise self._error(peer, "PIN entry", "the person cancelled")
        return str(pin).encode()

    async def authenticate(
        self, peer: str, handle: int, instance: int, *, mode: str, csid: int, password: bytes = b""
    ) -> ev.PairingResult:
        """PASN as the initiator; its result. Raises AwareError."""
        engine = self.half.engine.pairing
        self._do(
            "pairing",
            peer,
            lambda now: engine.pair(
                peer, handle, instance, mode=mode, csid=csid, password=password, now=now
            ),
        )
        result = await self.wait_for(ev.PairingResult, peer, _PAIRING_WAIT_S)
        if result is None:
            self.half.command(lambda now: engine.abort(peer, now))
            raise self._error(peer, "pairing", f"no answer in {_PAIRING_WAIT_S:g} s")
        if result.status:
            raise self._error(peer, "pairing", result.cause or f"status {result.status}")
        return result

    async def identity(self, peer: str) -> ev.NikReceived:
        """The peer's identity key. Raises AwareError when it does not come."""
        got = await self.wait_for(ev.NikReceived, peer, _NIK_WAIT_S)
        if got is None:
            raise self._error(peer, "identity keys", f"its key did not come in {_NIK_WAIT_S:g} s")
        return got

    async def open_path(
        self, peer: str, handle: int, publish_id: int, **wish: Any
    ) -> ev.DataPathConnected:
        """A data path as the initiator. Raises AwareError."""
        engine = self.half.engine.data_path
        self._do(
            "data path", peer, lambda now: engine.request(peer, handle, publish_id, **wish, now=now)
        )
        up = asyncio.ensure_future(self.wait_for(ev.DataPathConnected, peer, _PATH_WAIT_S))
        down = asyncio.ensure_future(self.wait_for(ev.DataPathEnded, peer, _PATH_WAIT_S))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if up.done() and (connected := up.result()) is not None:
                return connected
            ended = down.result() if down.done() else None
            why = "no answer" if ended is None else ended.cause or f"reason {ended.reason}"
            raise self._error(peer, "data path", why)
        finally:
            up.cancel()
            down.cancel()

    def _do(self, step: str, peer: str, call: Callable[[int], object]) -> None:
        try:
            self.half.command(call)
        except RefusedError as exc:
            raise self._error(peer, step, str(exc)) from None

    def _error(self, peer: str, step: str, why: str) -> AwareError:
        return AwareError(self.owner.name, self.name(peer), step, why)
