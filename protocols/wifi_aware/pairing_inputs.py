"""Which input of the table of pairing a received frame is, and what becomes of one that fails a check.

Digest of pairing, sections 6.2 to 6.4. A check that fails in an action becomes another input: `unsuitable` is answered
with its status, `failed` ends the exchange, `doubted` holds back what anyone could have sent. No clock, no randomness,
no IO.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from protocols.wifi_aware.events import AuthReceived
from protocols.wifi_aware.kinds import PASN
from protocols.wifi_aware.pairing_exchange import COMEBACK_STATUS, PairingExchange
from protocols.wifi_aware.pairing_states import Input, State
from protocols.wifi_aware.pasn_checks import (
    IgnoredError,
    Message,
    MismatchError,
    PasnError,
    RejectedError,
)
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.frames import Authentication
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.pairing_core import Context

__all__ = ["PairingInputs"]

_STARTED = (State.AUTH1_SENT, State.COMING_BACK)
_UNFINISHED = (
    State.IDLE,
    State.STORED,
    State.ARMED,
    State.AUTH2_SENT,
    State.TORN_DOWN,
    *_STARTED,
)
"""Where an Auth1 does no harm to a pairing that succeeded."""
_ANSWERS = (Input.AUTH1, Input.ACCEPT, Input.YIELD)
_REFUSALS = (Input.FAILED, Input.DOUBTED, Input.COMEBACK)


class PairingInputs(PairingExchange):
    """Takes Authentication frames."""

    def receive(self, heard: Heard, now: int) -> None:
        """Take an Authentication frame; whatever it is, an event says what became of it."""
        accepted = True
        try:
            self._take(Message(heard, self.station.nmi), now)
        except PasnError as exc:
            self.station.drop(heard, str(exc))
            accepted = False
        frame: Authentication = heard.frame
        if frame.algorithm == PASN:
            self.station.emit(
                AuthReceived(
                    peer=frame.source,
                    transaction=frame.transaction,
                    status=frame.status,
                    accepted=accepted,
                )
            )

    def _take(self, message: Message, now: int) -> None:
        """Run the input that a frame is. Raises PasnError when it is not accepted."""
        context = self._context(message.source)
        given = self._input_of(context, message)
        self._run(context, given, message, now)
        if given in _REFUSALS:
            raise context.failure or IgnoredError("the peer is told to come back")

    def _run(self, context: Context, given: Input, message: Message | None, now: int) -> None:
        """Run an input; when a check fails, the one that follows from it. Raises PasnError in any such case."""
        try:
            self._step(context, given, now, message)
        except IgnoredError:
            raise
        except PasnError as exc:
            context.failure = exc
            following = self._after_failure(given, exc)
            if self._takes(context, following):
                self._step(context, following, now)
            raise

    def _after_failure(self, given: Input, failure: PasnError) -> Input:
        if given in _ANSWERS:
            return Input.UNSUITABLE
        if given is Input.AUTH2 and isinstance(failure, MismatchError):
            return Input.FAILED
        return self._doubt()

    def _doubt(self) -> Input:
        return Input.DOUBTED if self.settings.rejection_grace_us else Input.FAILED

    def _input_of(self, context: Context, message: Message) -> Input:
        """What a frame means to a context. Raises IgnoredError when it is passed over."""
        if message.status != 0:
            return self._rejection(context, message)
        match message.transaction:
            case 1:
                return self._first(context, message)
            case 2:
                return self._second(context)
            case 3:
                return Input.AUTH3
            case other:
                raise IgnoredError(f"transaction {other}, PASN has 1 to 3")

    def _rejection(self, context: Context, message: Message) -> Input:
        failure = RejectedError(message.status, message.transaction)
        if context.state is State.AUTH2_SENT and self.settings.rejection_grace_us:
            raise IgnoredError(f"{failure}; an initiator refuses nothing")
        context.failure = failure
        comeback = _comeback(message)
        if comeback is None or context.comebacks >= self.settings.comeback_limit:
            return self._doubt()
        if self._takes(context, Input.COMEBACK):
            context.comeback = comeback
        return Input.COMEBACK

    def _second(self, context: Context) -> Input:
        if context.state in _STARTED:
            return Input.AUTH2
        if context.role == "initiator" and self.settings.repeated_auth2 == "fail":
            context.failure = PasnError("Auth2 came after Auth3 was sent")
            return Input.FAILED
        raise IgnoredError(f"Auth2 is not expected in state {context.state.value}")

    def _first(self, context: Context, message: Message) -> Input:
        settings, state = self.settings, context.state
        if settings.drop_replayed_auth1 and self._finished.get(message.source) == _hash(message):
            raise IgnoredError("replayed: the Auth1 of a pairing that succeeded")
        if state not in _UNFINISHED and settings.second_auth1 != "replace":
            raise IgnoredError("Auth1 while identities are exchanged")
        if state is State.AUTH1_SENT and self._is_to_yield(message.source):
            return Input.YIELD
        if state is State.AUTH2_SENT and settings.second_auth1 == "drop":
            raise IgnoredError("Auth1 while a pairing runs")
        if settings.second_auth1 == "repeat" and self._is_again(context, message):
            return Input.AUTH1_AGAIN
        limit = settings.attempts_limit
        if state is State.AUTH2_SENT and limit is not None and context.answered >= limit:
            context.failure = PasnError(f"{limit} Auth1 were answered, no right Auth3 came")
            return Input.FAILED
        if state in (State.ARMED, State.AUTH2_SENT) and self._wants_comeback(context, message):
            context.failure = None
            return Input.COMEBACK
        return Input.AUTH1

    @staticmethod
    def _is_again(context: Context, message: Message) -> bool:
        """Whether it has the octets of the Auth1 in hand."""
        if context.state is State.STORED:
            return context.stored is not None and context.stored.body == message.body
        return context.state is State.AUTH2_SENT and context.run.auth1_body == message.body

    def _is_to_yield(self, peer: str) -> bool:
        """Whether this side becomes the responder when both have started."""
        return self.settings.tie_break == "nmi" and self.station.nmi < peer

    def _wants_comeback(self, context: Context, message: Message) -> bool:
        if self.settings.comeback_after_tu is None:
            return False
        try:
            cookie = message.parameters().cookie
        except PasnError:
            return False  # its status answers it
        return not context.cookie or cookie is UNSET or cookie != context.cookie.hex()


def _comeback(message: Message) -> tuple[int, bytes] | None:
    """TU and cookie of an Auth2 that asks for another Auth1."""
    if message.transaction != 2 or message.status != COMEBACK_STATUS:
        return None
    try:
        found = message.parameters()
    except PasnError:
        return None
    if found.cookie is UNSET or found.comeback_after_tu is UNSET:
        return None
    return found.comeback_after_tu, bytes.fromhex(found.cookie)


def _hash(message: Message) -> bytes:
    return hashlib.sha256(message.body).digest()
