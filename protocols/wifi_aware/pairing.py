"""Pairing of two Wi-Fi Aware devices: PASN with SAE, opportunistic or with cached keys, and the exchange of identities.

Wi-Fi Aware 4.0, pairing; IEEE 802.11az-2022, PASN; digest of pairing, sections 5 to 8. One pairing per peer, by its NMI.
Here are the commands. What moves a pairing, and to where, is the table of `pairing_states`; which input a frame is, and
what is done then, is in `pairing_inputs`, `pairing_exchange` and `pairing_identities`; frames are made and checked in
`pasn` and `nik_exchange`. Where implementations differ is a switch of `pairing_settings`. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.events import Stepped
from protocols.wifi_aware.pairing_inputs import PairingInputs
from protocols.wifi_aware.pairing_settings import HOSTAP, PairingSettings
from protocols.wifi_aware.pairing_states import TRANSITIONS, Input, State
from protocols.wifi_aware.pairing_terms import Wish
from protocols.wifi_aware.pasn_checks import IgnoredError, PasnError, RejectedError
from protocols.wifi_aware.station import RefusedError

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
    from protocols.wifi_aware.pairing_core import Context

__all__ = ["HOSTAP", "TRANSITIONS", "Input", "Pairing", "PairingSettings", "State"]


class Pairing(PairingInputs):
    """Pairing with the peers of one device, in both roles."""

    NAME = "pairing"

    def pair(
        self,
        peer: str,
        handle: int,
        peer_instance_id: int,
        *,
        mode: str,
        csid: int = 7,
        password: bytes = b"",
        now: int,
    ) -> None:
        """Start as the initiator: Auth1 goes out.

        `mode`: "sae" (with a password), "opportunistic", "verification"; `handle`: own instance. Raises RefusedError.
        """
        wish = Wish(
            peer=peer,
            handle=handle,
            peer_instance_id=peer_instance_id,
            mode=mode,
            csid=csid,
            password=password,
            initiator=True,
        )
        context = self._agree(wish)
        if context.state is State.STORED and self._is_to_yield(peer):
            self._respond(context, now)
        else:
            self._step(context, Input.START, now)

    def accept(
        self,
        peer: str,
        handle: int,
        peer_instance_id: int,
        *,
        mode: str,
        csid: int = 7,
        password: bytes = b"",
        now: int,
    ) -> None:
        """Be the responder: an Auth1 that is kept is answered now, otherwise the next one (arguments: `pair`)."""
        wish = Wish(
            peer=peer,
            handle=handle,
            peer_instance_id=peer_instance_id,
            mode=mode,
            csid=csid,
            password=password,
            initiator=False,
        )
        self._respond(self._agree(wish), now)

    def _agree(self, wish: Wish) -> Context:
        """The context with the peer, which has the terms of the wish."""
        self.station.availability_sequence += 1
        context = self._context(wish.peer)
        starting = context.state in (State.AUTH1_SENT, State.COMING_BACK, State.AUTH3_SENT)
        if not wish.initiator and starting:
            raise RefusedError(f"a pairing that was started with {wish.peer} runs: abort it first")
        context.terms = self._wishes.terms(wish, self._shown(context))
        return context

    @staticmethod
    def _shown(context: Context) -> IdentityResolution | None:
        """The identity in an Auth1 that is kept."""
        try:
            return None if context.stored is None else context.stored.nira()
        except IgnoredError:
            return None

    def _respond(self, context: Context, now: int) -> None:
        stored = context.stored
        back = stored is not None and self._wants_comeback(context, stored)
        try:
            self._run(context, Input.COMEBACK if back else Input.ACCEPT, stored, now)
        except PasnError as exc:
            if stored is not None:
                self.station.drop(stored.heard, str(exc))
            if context.state is State.STORED:
                self._step(context, Input.PASSED_OVER, now)

    def refuse(self, peer: str, now: int, status: int = 1) -> None:
        """Answer the Auth1 that is kept with a status other than 0. Raises RefusedError when there is none."""
        context = self._current(peer)
        if context is None or context.state is not State.STORED:
            raise RefusedError(f"no Auth1 of {peer} waits for an answer")
        context.failure = RejectedError(status, 2)
        self._step(context, Input.REFUSE, now)

    def abort(self, peer: str, now: int) -> None:
        """End what runs with a peer; nothing is sent. Raises RefusedError when nothing does."""
        context = self._current(peer)
        if context is None:
            raise RefusedError(f"no pairing with {peer} runs")
        context.failure = PasnError("ended by the application")
        self._step(context, Input.ABORT, now)

    def unpair(self, peer: str, now: int) -> None:
        """End a pairing: frames are of category 4 again, the identity stays. Raises RefusedError when none stands."""
        known = self.station.peers.get(peer)
        if known is None or not known.paired:
            raise RefusedError(f"{peer} is not paired")
        context = self._current(peer)
        if context is not None:
            context.failure = PasnError("the pairing was ended")
            self._step(context, Input.ABORT, now)
        self._uninstall(peer)
        before, after = State.PAIRED.value, State.IDLE.value
        self.station.emit(
            Stepped(engine=self.NAME, peer=peer, before=before, after=after, cause="unpair")
        )
