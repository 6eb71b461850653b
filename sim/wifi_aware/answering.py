"""What firmware does as a responder: shows and asks for PINs, answers pairings, leaves data paths to its application.

Rule 1: nothing of bootstrapping is authenticated, so a request alone changes no pairing that runs, and does not change a
PIN that can still be typed. Rule 2: a PIN is worth `attempts` guesses, and is taken away when its time is over. Rule 3: a
pairing without PIN is answered when it was agreed on, and only then. Rule 4: a PIN is shown as soon as it is asked for,
and typed when the method is agreed on: before, the other side shows none (digest 6.3: a requester learns from the
response that it is to show one). PINs come from the person in front of the device (`sim.person`). No bytes, no radio here.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.pairing_states import State
from protocols.wifi_aware.station import RefusedError
from sim.wifi_aware.firmware import BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.wifi_aware.half import AwareHalf, AwareOwner

__all__ = ["ASKS", "SHOWS", "WITHOUT", "Answering"]

SHOWS = BITS["pin_display"] | BITS["passphrase_display"] | BITS["qr_display"] | BITS["nfc_tag"]
"""Own methods with which this side shows something."""
ASKS = BITS["pin_keypad"] | BITS["passphrase_keypad"] | BITS["qr_scan"] | BITS["nfc_reader"]
"""Own methods with which its person enters something."""
WITHOUT = BITS["opportunistic"]
_MOST = 64
"""Partners that are remembered at once."""
_ANSWERING = (State.ARMED, State.AUTH2_SENT)
_FAILED, _INVALID_PMKID = 1, 53
"""802.11 statuses."""


class _Partner:
    """How far it has come with one peer."""

    __slots__ = ("again", "agreed", "guesses", "instances", "prepared", "refused", "superseded")

    def __init__(self) -> None:
        self.instances: tuple[int, int] | None = None
        """own instance, and its instance."""
        self.prepared = False
        """a PIN is shown or asked for already for the request that is open."""
        self.agreed = False
        """bootstrapping came to its end."""
        self.again = False
        """and that while an earlier pairing ran."""
        self.superseded = False
        """the pairing that runs ends because of a new one."""
        self.refused = False
        """the person does not want to pair with it."""
        self.guesses = 0
        """exchanges that were answered with the PIN."""


class Answering:
    """Events of one device's engines, and what it answers."""

    def __init__(self, owner: AwareOwner, half: AwareHalf) -> None:
        self.owner = owner
        self.half = half
        self.passwords: dict[str, bytes] = {}
        """NMI -> what was agreed on while bootstrapping."""
        self.automatic = True
        """whether it answers by itself; otherwise somebody else does."""
        self.kept: dict[str, ev.PairingRequested] = {}
        """NMI -> its Auth1 that waits for an answer."""
        self._partners: dict[str, _Partner] = {}
        self._shown = ""
        """NMI whose PIN is on the display."""
        self._answers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.BootstrapRequested: self._on_bootstrap_requested,
            ev.BootstrapCompleted: self._on_bootstrap_completed,
            ev.PairingRequested: self._on_pairing_requested,
            ev.AuthReceived: self._on_auth,
            ev.PairingResult: self._on_pairing_result,
            ev.DataPathRequested: self._on_path_requested,
        }

    def on_event(self, event: ev.Event) -> None:
        """Answer an event."""
        answer = self._answers.get(type(event))
        if answer is None:
            return
        try:
            answer(event)
        except RefusedError as exc:
            peer = self.name(getattr(event, "peer", ""))
            self.owner.emit("not_answered", peer=peer, note=f"{event.kind}: {exc}")

    def name(self, nmi: str) -> str:
        """Node of an NMI."""
        return self.half.name(nmi)

    def reset(self) -> None:
        """Forget everything that is open, as when the power goes."""
        for peer in list(self.passwords):
            self._done_with(peer, "ended")
        self.kept.clear()
        self._partners.clear()

    def abort_all(self) -> None:
        """End every bootstrapping and pairing that goes on."""
        engine = self.half.engine
        for peer in list(engine.station.peers):
            for abort in (engine.pairing.abort, engine.bootstrapping.abort):
                self._attempt(abort, peer)
        self.reset()

    def _attempt(self, command: Callable[[str, int], object], peer: str) -> bool:
        """Command an engine about a peer; False when there is nothing to do."""
        try:
            self.half.command(functools.partial(command, peer))
        except RefusedError:
            return False
        return True

    def _partner(self, peer: str) -> _Partner:
        found = self._partners.pop(peer, None) or _Partner()
        while len(self._partners) >= _MOST:
            self._done_with(next(iter(self._partners)), "too many others ask")
        self._partners[peer] = found
        return found

    # Bootstrapping

    def _on_bootstrap_requested(self, event: ev.BootstrapRequested) -> None:
        partner = self._partner(event.peer)
        partner.instances = (event.handle, event.peer_instance_id)
        if not self.automatic:
            return
        partner.prepared = not event.method & ASKS
        if partner.prepared:
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
        """What was agreed on at once has shown no PIN yet, and nobody has been asked for one before."""
        partner = self._partner(event.peer)
        partner.instances = (event.handle, event.peer_instance_id)
        prepared, partner.prepared = partner.prepared, False
        partner.agreed |= event.success
        peer = self.half.engine.station.peers.get(event.peer)
        asked = peer is not None and peer.request_sent is None
        if event.success and asked and not prepared and self.automatic:
            self._prepare(event.peer, event.method)

    def _prepare(self, peer: str, method: int) -> None:
        """Show a PIN, or ask for one, as an own method wants it."""
        partner = self._partner(peer)
        partner.refused = False
        runs = self.half.engine.pairing.state(peer) in _ANSWERING
        if method & SHOWS:
            partner.again = runs
            self.show_pin(peer)
        elif method & ASKS:
            if runs:  # with a PIN that the peer shows no more
                self._supersede(peer)
            self.owner.place.spawn(self.owner.name, self._ask(peer))

    def _supersede(self, peer: str) -> None:
        """End the pairing that runs: a new one begins."""
        self.passwords.pop(peer, None)
        self._partner(peer).superseded = True
        self._attempt(self.half.engine.pairing.abort, peer)

    # PINs

    def show_pin(self, peer: str) -> str:
        """A PIN for a pairing with `peer`, on the display: the one that is there as long as it can be typed."""
        person, partner = self.half.delegate, self._partner(peer)
        known = self.passwords.get(peer)
        if known is not None and self._shown == peer:
            if partner.guesses < self._attempts:
                return known.decode()
            self._supersede(peer)
        pin = person.new_pin(peer) or self._drawn_pin()
        self.passwords[peer] = pin.encode()
        partner.guesses, partner.again, self._shown = 0, False, peer
        person.display_pin(self.name(peer), pin)
        time_us = int(self.owner.firmware().pin_time)
        self.owner.place.after_us(time_us, self._expire, peer, self.passwords[peer])
        return pin

    @property
    def _attempts(self) -> int:
        return self.owner.firmware().attempts

    def _expire(self, peer: str, password: bytes) -> None:
        if self.passwords.get(peer) is password:
            self._done_with(peer, "nobody has paired in time")

    def _drawn_pin(self) -> str:
        return f"{int.from_bytes(self.owner.draw('aware_pin', 8), 'big') % 1_000_000:06}"

    async def _ask(self, peer: str) -> None:
        pin = await self.half.delegate.ask_pin(self.name(peer))
        if pin is None:
            self._turn_away(peer)
            return
        self.passwords[peer] = pin.encode()
        kept = self.kept.get(peer)
        if kept is not None:
            self.accept(kept)

    def _turn_away(self, peer: str) -> None:
        """The person refuses: so does whatever goes on with that peer, or comes next."""
        if not self.half.on or self._attempt(self.half.engine.bootstrapping.reject, peer):
            return
        if peer in self.kept:
            self.refuse(peer)
        else:
            self._partner(peer).refused = True

    # Pairing

    def _on_pairing_requested(self, event: ev.PairingRequested) -> None:
        self.kept.pop(event.peer, None)
        while len(self.kept) >= _MOST:
            del self.kept[next(iter(self.kept))]
        self.kept[event.peer] = event
        partner = self._partners.get(event.peer)
        if partner is not None and partner.refused:
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
        return peer is not None and peer.method == WITHOUT

    def accept(self, event: ev.PairingRequested) -> None:
        """Answer an Auth1 that is kept; one that cannot be accepted is refused."""
        mode = "verification" if event.pmkids else {"sae": "sae"}.get(event.akm, "opportunistic")
        peer = event.peer
        handle, instance = self._instances_for(event)
        self._close_bootstrapping(peer)
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

    def _close_bootstrapping(self, peer: str) -> None:
        """Who begins to pair has agreed on how: a request that is open beside is an old one, or somebody else's."""
        partner = self._partners.get(peer)
        if partner is not None and partner.agreed:
            self._attempt(self.half.engine.bootstrapping.abort, peer)

    def _instances_for(self, event: ev.PairingRequested) -> tuple[int, int]:
        """Own instance, and that of the peer."""
        services = self.half.engine.station.services
        partner = self._partners.get(event.peer)
        found = None if partner is None else partner.instances
        if found is not None and found[0] in services:
            return found
        own = services.get(event.handle)
        if own is not None and own.publish:
            return event.handle, 1
        return next(iter(services), 1), event.handle

    def refuse(self, peer: str, status: int = _FAILED) -> None:
        """Refuse an Auth1 that is kept; harmless when none is."""
        self.kept.pop(peer, None)
        with contextlib.suppress(RefusedError):  # it was given up meanwhile
            self.half.command(lambda now: self.half.engine.pairing.refuse(peer, now, status))

    def _on_auth(self, event: ev.AuthReceived) -> None:
        """Count the exchanges that one PIN was tried in."""
        if event.transaction == 1 and event.accepted and event.peer in self.passwords:
            self._partner(event.peer).guesses += 1

    def _on_pairing_result(self, event: ev.PairingResult) -> None:
        partner = self._partners.get(event.peer)
        if partner is not None and partner.superseded:
            partner.superseded = False
            return
        self.kept.pop(event.peer, None)
        lasts = partner is not None and partner.again and partner.guesses < self._attempts
        if event.status and partner is not None and lasts:
            partner.again = False  # what was agreed on since is still to come
            return
        why = "" if event.status == 0 else event.cause or f"status {event.status}"
        self._done_with(event.peer, why)

    def _done_with(self, peer: str, why: str) -> None:
        """A pairing is over: displays and questions go, unless they are about another one."""
        self._partners.pop(peer, None)
        self.passwords.pop(peer, None)
        question = self.owner.person.question
        asked = question is None or question.peer == self.name(peer)
        if self._shown in ("", peer) and asked:
            self._shown = ""
            self.half.delegate.cancelled(self.name(peer), why)

    # Data paths

    def _on_path_requested(self, event: ev.DataPathRequested) -> None:
        if self.automatic:
            self.half.answer_path(event)
