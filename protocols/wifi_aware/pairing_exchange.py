"""Actions of both roles of a pairing, up to the keys: what is checked, sent and waited for.

Digest of pairing, section 6, in the order of its tables. An action raises `PasnError` when a check fails, before it has
changed anything but what it drew. No clock, no IO.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware import pasn_frames
from protocols.wifi_aware.events import AuthSent, PairingRequested
from protocols.wifi_aware.pairing_identities import PairingIdentities
from protocols.wifi_aware.pairing_states import Input, State
from protocols.wifi_aware.pasn import Exchange
from protocols.wifi_aware.pasn_checks import (
    GroupError,
    IgnoredError,
    Message,
    PasnError,
    RsneError,
    akm_of,
)
from protocols.wifi_aware.timing import TU_US
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.elements import Element
    from protocols.wifi_aware.frames import Authentication
    from protocols.wifi_aware.pairing_core import Context
    from protocols.wifi_aware.pairing_identities import SendFollowUp
    from protocols.wifi_aware.pairing_settings import PairingSettings
    from protocols.wifi_aware.station import Station

__all__ = ["COMEBACK_STATUS", "PairingExchange"]

COMEBACK_STATUS = 30
COOKIE = 8
_REMEMBERED = 64
"""Frames whose transmit status is awaited, and Auth1 of pairings that succeeded."""


class PairingExchange(PairingIdentities):
    """Actions of both roles up to the keys."""

    def __init__(
        self, station: Station, follow_up: SendFollowUp, settings: PairingSettings
    ) -> None:
        super().__init__(station, follow_up, settings)
        self._awaited: dict[int, tuple[str, int]] = {}
        """number of an Authentication frame -> (peer, transaction)."""
        self._finished: dict[str, bytes] = {}
        """peer -> hash of the Auth1 of its last pairing that succeeded."""
        self._actions |= {
            "send_auth1": self._send_auth1,
            "send_auth1_again": self._send_auth1_again,
            "come_back_later": self._come_back_later,
            "arm": self._arm,
            "keep_auth1": self._keep_auth1,
            "answer_auth1": self._answer_auth1,
            "repeat_auth2": self._repeat_auth2,
            "turn_down": self._turn_down,
            "ask_back": self._ask_back,
            "refuse_auth1": self._refuse_auth1,
            "take_auth2": self._take_auth2,
            "take_auth3": self._take_auth3,
            "hold_back": self._hold_back,
        }

    # Frames that go out

    def _send(self, context: Context, frame: Authentication) -> int:
        number = self.station.send(frame, f"auth{frame.transaction}", self.NAME)
        while len(self._awaited) >= _REMEMBERED:
            del self._awaited[next(iter(self._awaited))]
        self._awaited[number] = context.peer, frame.transaction
        return number

    def _send_status(
        self, context: Context, status: int, found: list[Element], attributes: tuple[Attr, ...]
    ) -> None:
        """Auth2 with a status other than 0."""
        shown = [*found, pasn_frames.nan(attributes)]
        frame = self.station.authentication(context.peer, 2, status, shown)
        if self.settings.a3 == "responder":
            frame = msgspec.structs.replace(frame, bssid=self.station.nmi)
        self._send(context, frame)

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of a frame; that of Auth3 is an initiator's success (digest 6.1)."""
        peer, transaction = self._awaited.pop(number, ("", 0))
        if not transaction:
            return
        context = self._current(peer)
        if context is not None and self._takes(context, Input.SENT):
            self._after_auth3(context, number, now, acked=acked)
        self.station.emit(AuthSent(peer=peer, transaction=transaction, acked=acked))

    def _after_auth3(self, context: Context, number: int, now: int, *, acked: bool) -> None:
        if number != context.auth3_number:
            return
        if acked or not self.settings.require_auth3_ack:
            self._step(context, Input.SENT, now)
            return
        context.failure = PasnError("Auth3 was not acknowledged")
        self._step(context, Input.FAILED, now)

    def _limit_time(self, context: Context, now: int, awaited: str) -> None:
        patience = self.settings.auth_timeout_us
        if patience is not None:
            failure = PasnError(f"{awaited} did not come in time")
            self._expect(context, "auth", now + patience, Input.TIMEOUT, failure)

    # Initiator

    def _send_auth1(self, context: Context, now: int, message: Message | None) -> None:
        context.begin("initiator")
        self._stop_timers(context)
        self._limit_time(context, now, "a right Auth2")
        self._send_auth1_again(context, now, message)

    def _send_auth1_again(self, context: Context, now: int, message: Message | None) -> None:
        terms = context.agreed
        exchange = Exchange(self.station, self.settings, context.peer, terms, initiator=True)
        cookie = None if context.comeback is None else context.comeback[1]
        self._send(context, exchange.auth1(cookie))
        context.exchange = exchange

    def _come_back_later(self, context: Context, now: int, message: Message | None) -> None:
        after_tu = 0 if context.comeback is None else context.comeback[0]
        context.comebacks += 1
        self._expect(context, "come_back", now + after_tu * TU_US, Input.TIME_TO_COME_BACK)

    def _take_auth2(self, context: Context, now: int, message: Message | None) -> None:
        received = _given(message)
        if self.settings.check_auth2_a3 and received.frame.bssid != self.station.cluster_id:
            raise PasnError(f"A3 of Auth2 is {received.frame.bssid}, not the cluster ID")
        context.run.take_auth2(received)
        self._stop_timers(context, "grace", "come_back")
        context.auth3_number = self._send(context, context.run.auth3())

    # Responder

    def _arm(self, context: Context, now: int, message: Message | None) -> None:
        context.begin("responder")
        self._stop_timers(context)

    def _keep_auth1(self, context: Context, now: int, message: Message | None) -> None:
        received = _given(message)
        suites = received.suites()
        pairing = [one for one in suites if one in self.settings.suites]
        if not pairing or not (self.settings.csia_any_order or pairing[0] == suites[0]):
            raise IgnoredError(f"suites {suites} of the CSIA are none that this device pairs with")
        try:
            rsne = received.rsne()
            akm = akm_of(rsne)
        except RsneError as exc:
            raise IgnoredError(str(exc)) from exc
        self._check_room(context)
        context.begin("responder")
        context.terms, context.stored = None, received
        context.stored_suite, context.stored_akm = pairing[0], akm
        if context.state is not State.STORED:
            self._stop_timers(context)
            self._limit_wait(context, now)
        self.station.emit(
            PairingRequested(
                peer=context.peer,
                csid=pairing[0],
                handle=received.publish_id(),
                akm=akm,
                pmkids=0 if rsne.pmkids is UNSET else len(rsne.pmkids),
            )
        )

    def _limit_wait(self, context: Context, now: int) -> None:
        """From the first Auth1: anyone can send more of them."""
        if self.settings.stored_timeout_us is not None:
            failure = PasnError("the application did not answer in time")
            due = now + self.settings.stored_timeout_us
            self._expect(context, "stored", due, Input.TIMEOUT, failure)

    def _check_room(self, context: Context) -> None:
        limit = self.settings.stored_limit
        if limit is None or context.state is State.STORED:
            return
        if sum(one.state is State.STORED for one in self._contexts.values()) >= limit:
            raise IgnoredError(f"{limit} Auth1 of others wait for the application already")

    def _answer_auth1(self, context: Context, now: int, message: Message | None) -> None:
        terms, received = context.agreed, _given(message)
        suites = received.suites()
        if terms.suite.csid not in (suites if self.settings.csia_any_order else suites[:1]):
            raise IgnoredError(f"suites {suites} of the CSIA, armed for {terms.suite.csid}")
        if terms.mode == "verification" and received.nira() is None:
            raise IgnoredError("a verification without NIRA")
        peer = self.station.peer(context.peer)
        caching = received.caching() if peer.npk_caching is None else peer.npk_caching
        exchange = Exchange(self.station, self.settings, context.peer, terms, initiator=False)
        exchange.take_auth1(received)
        answer = exchange.answer()
        context.answered += 1
        context.role, context.stored, context.exchange = "responder", None, exchange
        peer.npk_caching = caching
        self._stop_timers(context)
        self._send(context, answer)
        if self.settings.install_before_auth2:
            self._use_keys(context)
            context.installed = True
        self._limit_time(context, now, "a right Auth3")

    def _repeat_auth2(self, context: Context, now: int, message: Message | None) -> None:
        answer = context.run.auth2
        if answer is not None:
            self._send(context, answer)

    def _turn_down(self, context: Context, now: int, message: Message | None) -> None:
        failure, terms = context.failure, context.agreed
        found = [pasn_frames.groups(terms.group)] if isinstance(failure, GroupError) else []
        self._send_status(context, failure.status if failure else 1, found, terms.responding)

    def _ask_back(self, context: Context, now: int, message: Message | None) -> None:
        if not context.cookie:
            context.cookie = self.station.draw("pasn_cookie", COOKIE)
        after_tu = self.settings.comeback_after_tu or 0
        found = [pasn_frames.comeback(after_tu, context.cookie)]
        self._send_status(context, COMEBACK_STATUS, found, context.agreed.responding)

    def _refuse_auth1(self, context: Context, now: int, message: Message | None) -> None:
        status = context.failure.status if context.failure else 1
        self._send_status(context, status, [], self._wishes.refusing())

    def _take_auth3(self, context: Context, now: int, message: Message | None) -> Input:
        context.run.take_auth3(_given(message))
        self._finished.pop(context.peer, None)
        while len(self._finished) >= _REMEMBERED:
            del self._finished[next(iter(self._finished))]
        self._finished[context.peer] = hashlib.sha256(context.run.auth1_body).digest()
        return self._install(context, now, message)

    # Both

    def _hold_back(self, context: Context, now: int, message: Message | None) -> None:
        """End later with that failure, unless a right frame comes; the first one counts."""
        if not self._runs(context, "grace"):
            due = now + self.settings.rejection_grace_us
            self._expect(context, "grace", due, Input.FAILED, context.failure)


def _given(message: Message | None) -> Message:
    if message is None:
        raise IgnoredError("there is no frame to take")
    return message
