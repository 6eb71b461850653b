"""Pairing bootstrapping: two devices agree on the way in which a password comes to both, or on doing without.

Wi-Fi Aware 4.0, pairing bootstrapping; digest 6, as in hostap src/nan/nan_bootstrap.c. Rule 1: what happens is
classified first (`bootstrapping_reading.py`), and `bootstrapping_table.TRANSITIONS` says what follows. Rule 2: nothing
here is authenticated: an acceptance means no more than that pairing may be tried. Rule 3: at most one exchange per
peer, and a bounded number that wait for the user. No clock, no IO; a cookie is drawn (`bootstrap_cookie`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from protocols.errors import DecodeError
from protocols.wifi_aware import bootstrapping_frames as contents
from protocols.wifi_aware.attributes.pairing_bootstrapping import (
    ACCEPTED,
    ADVERTISE,
    COMEBACK,
    REJECTED,
    REQUEST,
    RESPONSE,
)
from protocols.wifi_aware.bootstrapping_reading import (
    Answered,
    Exchange,
    Said,
    own_method,
    request_input,
    response_input,
)
from protocols.wifi_aware.bootstrapping_settings import (
    BootstrappingSettings,
    comeback_us,
    complement,
)
from protocols.wifi_aware.bootstrapping_table import TRANSITIONS, Input, State
from protocols.wifi_aware.engine import Engine
from protocols.wifi_aware.events import BootstrapCompleted, BootstrapRequested, Stepped
from protocols.wifi_aware.station import RefusedError, Station

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.pairing_bootstrapping import PairingBootstrapping
    from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.peers import Service

__all__ = ["Bootstrapping", "BootstrappingSettings"]

UNSPECIFIED, REFUSED = 1, 13
"""Reasons: of a failure that no frame gave one for, and of a user who refuses."""

_ENDS = {
    Input.TIMEOUT: "it was not finished in time",
    Input.SPENT: "no answer to any request",
    Input.SERVICE_GONE: "its service was ended",
    Input.CROWDED_OUT: "too many requests wait",
}
"""Why an exchange ended that nobody refused."""


class _Cause(NamedTuple):
    """What a step is about; what does not matter to an input keeps its default."""

    now: int
    said: Said | None = None
    method: int = 0
    """own one."""
    handle: int = 0
    peer_instance_id: int = 0
    reason: int = UNSPECIFIED
    why: str = ""
    """in words, where no frame is the cause."""
    pairing_info: dict[str, str] | None = None


class Bootstrapping(Engine):
    """Bootstrapping with each peer of one device."""

    NAME = "bootstrapping"

    def __init__(
        self, station: Station, follow_up: Callable[..., int], settings: BootstrappingSettings
    ) -> None:
        super().__init__(station)
        self.settings = settings
        self._follow_up = follow_up
        self._open: dict[str, Exchange] = {}
        """by peer, the one that was opened first at the front."""
        self._answered: dict[str, Answered] = {}
        self._actions: dict[str, Callable[[Exchange, _Cause], None]] = {
            "request": self._request,
            "repeat": self._repeat,
            "wait_to_come_back": self._wait_to_come_back,
            "come_back": self._come_back,
            "succeed": self._succeed,
            "fail": self._fail,
            "forget": lambda _exchange, _cause: None,
            "ask_user": self._ask_user,
            "put_off": self._put_off,
            "note_authorization": self._note_authorization,
            "note_refusal": self._note_refusal,
            "accept": self._accept,
            "reject": self._reject,
            "answer_again": self._answer_again,
        }

    def state_of(self, peer: str) -> State:
        """Where bootstrapping with a peer stands."""
        exchange = self._open.get(peer)
        return State.IDLE if exchange is None else exchange.state

    # Commands

    def start(self, peer: str, handle: int, peer_instance_id: int, method: int, now: int) -> None:
        """Ask a peer for the complement of `method`, the own one. Raises RefusedError."""
        self._check_method(method)
        if handle not in self.station.services:
            raise RefusedError(f"no publish or subscribe has handle {handle}: begin one first")
        known = self.station.peers.get(peer)
        if known is None:
            raise RefusedError(f"{peer} is unknown: wait until it was heard")
        if self.settings.requires_advertisement and not complement(method) & known.methods:
            needs, offers = complement(method), known.methods
            raise RefusedError(f"{peer} does not offer {needs:#06x}, its methods are {offers:#06x}")
        self._command(peer, Input.START, _Cause(now, None, method, handle, peer_instance_id))

    def authorize(
        self, peer: str, handle: int, peer_instance_id: int, method: int, now: int
    ) -> None:
        """The user is ready for `method`, the own one; nothing is sent until the peer comes back. Raises RefusedError."""
        self._check_method(method)
        exchange = self._open.get(peer)
        if exchange is not None and (handle, peer_instance_id) != (
            exchange.handle,
            exchange.peer_instance_id,
        ):
            raise RefusedError(f"{peer} asks instance {exchange.handle}, not {handle}")
        self._command(peer, Input.AUTHORIZE, _Cause(now, method=method))

    def reject(self, peer: str, now: int, reason: int = REFUSED) -> None:
        """Refuse the open request of a peer when it comes back. Raises RefusedError."""
        self._command(peer, Input.REFUSE, _Cause(now, reason=reason))

    def abort(self, peer: str, now: int) -> None:
        """Forget what is open with a peer. Raises RefusedError."""
        self._command(peer, Input.ABORT, _Cause(now))

    def _check_method(self, method: int) -> None:
        if method.bit_count() != 1 or not method & self.settings.supported:
            supported = self.settings.supported
            raise RefusedError(f"method {method:#06x}: needs one of {supported:#06x}, which it has")

    def _command(self, peer: str, given: Input, cause: _Cause) -> None:
        if not self._step(peer, given, cause):
            state = self.state_of(peer).value
            raise RefusedError(f"{given.value} with {peer}: not while bootstrapping is {state}")

    # Running on the table

    def _step(self, peer: str, given: Input, cause: _Cause) -> bool:
        """Do what the table says; False when it has no row."""
        exchange = self._open.get(peer) or Exchange(peer)
        row = TRANSITIONS.get((exchange.state, given))
        if row is None:
            return False
        action, after = row
        before, exchange.state = exchange.state, after
        if after is State.IDLE:
            self._open.pop(peer, None)
            self._stop(peer, "timeout")
        else:
            self._open[peer] = exchange
        if after is not before:
            self._stop(peer, "next")
            self.station.peer(peer).bootstrapping = after is not State.IDLE
            step = {"before": before.value, "after": after.value, "cause": given.value}
            self.station.emit(Stepped(engine=self.NAME, peer=peer, **step))
        self._actions[action](exchange, cause)
        return True

    # Timers

    def _start(self, exchange: Exchange, name: str, due: int, given: Input) -> None:
        def ended(now: int) -> None:
            found = self._in_vain(exchange, given) or given
            self._step(exchange.peer, found, _Cause(now, why=_ENDS.get(found, "")))

        self.start_timer(f"bootstrapping {exchange.peer}: {name}", due, ended)

    def _stop(self, peer: str, name: str) -> None:
        self.stop_timer(f"bootstrapping {peer}: {name}")

    def _in_vain(self, exchange: Exchange, given: Input) -> Input | None:
        """Why it is no use to send again, None when it is some."""
        if given is Input.TIMEOUT:
            return None
        if exchange.handle not in self.station.services:
            return Input.SERVICE_GONE
        limit = self.settings.retry_limit
        spent = given is Input.RETRY_DUE and limit is not None and exchange.repetitions >= limit
        return Input.SPENT if spent else None

    def _limit(self, exchange: Exchange, patience_us: int | None, now: int) -> None:
        self._stop(exchange.peer, "timeout")
        if patience_us is not None:
            self._start(exchange, "timeout", now + patience_us, Input.TIMEOUT)

    # Frames coming in

    def follow_up(
        self, heard: Heard, descriptor: ServiceDescriptor, service: Service, now: int
    ) -> bool:
        """Take a follow-up that carries an NPBA; whether it did."""
        attr = contents.npba_in(heard)
        if attr is None:
            return False
        try:
            npba: PairingBootstrapping = attr.fields
        except DecodeError as exc:
            self.station.drop(heard, f"NPBA: {exc}")
            return False
        peer, handle = heard.frame.source, service.id
        said = Said(npba, attr, peer, handle, descriptor.instance_id, service.methods)
        if npba.type == ADVERTISE:
            return False
        given = self._input(said)
        if isinstance(given, str):
            self.station.drop(heard, f"bootstrapping: {given}")
            return False
        own = own_method(self.settings, said)
        reason = npba.reason if given is Input.REJECTED else UNSPECIFIED
        if given is Input.REQUEST_FOR_USER:
            self._make_room(now)
        told = contents.strings_in(heard, descriptor)
        cause = _Cause(now, said, own, handle, said.peer_instance_id, reason, pairing_info=told)
        return self._step(peer, given, cause)

    def _input(self, said: Said) -> Input | str:
        exchange = self._open.get(said.peer)
        if said.npba.type == REQUEST:
            answered = self._answered.get(said.peer)
            return request_input(self.settings, self.station.nmi, exchange, answered, said)
        if said.npba.type == RESPONSE:
            return response_input(self.settings, exchange, said)
        return f"reserved type {said.npba.type}"

    def _make_room(self, now: int) -> None:
        pending = [one.peer for one in self._open.values() if one.state is State.PENDING]
        if len(pending) >= self.settings.pending_limit:
            self._step(pending[0], Input.CROWDED_OUT, _Cause(now, why=_ENDS[Input.CROWDED_OUT]))

    # Actions of the requester

    def _request(self, exchange: Exchange, cause: _Cause) -> None:
        exchange.asks, exchange.method = True, cause.method
        exchange.handle, exchange.peer_instance_id = cause.handle, cause.peer_instance_id
        exchange.token = self.station.next_token()
        self._send_request(exchange, None)
        peer = self.station.peer(exchange.peer)
        peer.request_sent, peer.request_received, peer.method = exchange.request, None, 0
        self._start(exchange, "next", cause.now + self.settings.retry_us, Input.RETRY_DUE)
        self._limit(exchange, self.settings.timeout_us, cause.now)

    def _send_request(self, exchange: Exchange, cookie: str | None) -> None:
        own = exchange.method
        method = own if self.settings.request_bit == "own" else complement(own)
        exchange.request = contents.request(exchange.token, method, cookie)
        self._send(exchange, exchange.request, asks=True)

    def _repeat(self, exchange: Exchange, cause: _Cause) -> None:
        exchange.repetitions += 1
        if exchange.request is not None:
            self._send(exchange, exchange.request, asks=True)
        self._start(exchange, "next", cause.now + self.settings.retry_us, Input.RETRY_DUE)

    def _wait_to_come_back(self, exchange: Exchange, cause: _Cause) -> None:
        said = _said(cause)
        exchange.rounds += 1
        exchange.cookie = said.cookie or exchange.cookie
        wait = comeback_us(self.settings, said.npba.comeback_after_tu or 0)
        self._start(exchange, "next", cause.now + wait, Input.COMEBACK_DUE)

    def _come_back(self, exchange: Exchange, cause: _Cause) -> None:
        self._send_request(exchange, exchange.cookie)
        if self.settings.retry_comeback:
            self._start(exchange, "next", cause.now + self.settings.retry_us, Input.RETRY_DUE)

    def _succeed(self, exchange: Exchange, _cause: _Cause) -> None:
        self.station.peer(exchange.peer).method = exchange.method
        self._complete(exchange, exchange.method)

    def _fail(self, exchange: Exchange, cause: _Cause) -> None:
        method = 0 if exchange.asks else exchange.method
        self._complete(exchange, method, cause)

    # Actions of the responder

    def _ask_user(self, exchange: Exchange, cause: _Cause) -> None:
        self._take_up(exchange, cause)
        exchange.cookie = self.station.draw("bootstrap_cookie", self.settings.cookie_octets).hex()
        self._limit(exchange, self.settings.pending_timeout_us, cause.now)
        told = cause.pairing_info or {}
        if told or not self.settings.requires_pairing_info:
            self.station.emit(
                BootstrapRequested(
                    peer=exchange.peer,
                    handle=exchange.handle,
                    peer_instance_id=exchange.peer_instance_id,
                    method=exchange.method,
                    pairing_info=told,
                )
            )
        self._put_off(exchange, cause)

    def _take_up(self, exchange: Exchange, cause: _Cause) -> None:
        """Make the exchange that of the request, whatever it was before."""
        exchange.asks, exchange.method = False, cause.method
        exchange.handle, exchange.peer_instance_id = cause.handle, cause.peer_instance_id
        exchange.token = _said(cause).npba.dialog_token
        self._answered.pop(exchange.peer, None)

    def _put_off(self, exchange: Exchange, _cause: _Cause) -> None:
        after_tu = self.settings.comeback_tu
        self._send(exchange, contents.put_off(exchange.token, after_tu, exchange.cookie))

    def _note_authorization(self, exchange: Exchange, cause: _Cause) -> None:
        exchange.authorized = cause.method

    def _note_refusal(self, exchange: Exchange, cause: _Cause) -> None:
        exchange.refusal = cause.reason

    def _accept(self, exchange: Exchange, cause: _Cause) -> None:
        said = _said(cause)
        self._take_up(exchange, cause)
        self._answer(
            exchange, said, contents.response(exchange.token, ACCEPTED, method=cause.method)
        )
        peer = self.station.peer(exchange.peer)
        peer.request_received, peer.request_sent, peer.method = said.attr, None, cause.method
        self._complete(exchange, cause.method)

    def _reject(self, exchange: Exchange, cause: _Cause) -> None:
        refusal = exchange.refusal
        reason = self.settings.reject_reason if refusal is None else refusal
        self._take_up(exchange, cause)
        response = contents.response(exchange.token, REJECTED, reason=reason)
        self._answer(exchange, _said(cause), response)
        self._complete(exchange, cause.method, cause._replace(reason=reason))

    def _answer(self, exchange: Exchange, said: Said, response: Attr) -> None:
        """Send the last response, and keep it when a lost one can be asked for again."""
        self._send(exchange, response)
        if said.npba.status == COMEBACK and self.settings.repeat_response:
            if len(self._answered) >= self.settings.pending_limit:
                del self._answered[next(iter(self._answered))]
            ids = exchange.handle, exchange.peer_instance_id
            self._answered[said.peer] = Answered(exchange.token, said.cookie, *ids, response)

    def _answer_again(self, exchange: Exchange, _cause: _Cause) -> None:
        known = self._answered[exchange.peer]
        exchange.handle, exchange.peer_instance_id = known.handle, known.peer_instance_id
        self._send(exchange, known.response)

    # Both

    def _send(self, exchange: Exchange, npba: Attr, *, asks: bool = False) -> None:
        self._follow_up(
            exchange.peer,
            exchange.handle,
            exchange.peer_instance_id,
            (npba,),
            name="bootstrap_request" if asks else "bootstrap_response",
            engine=self.NAME,
            pairing_info=asks,
        )

    def _complete(self, exchange: Exchange, method: int, failure: _Cause | None = None) -> None:
        self.station.emit(
            BootstrapCompleted(
                peer=exchange.peer,
                handle=exchange.handle,
                peer_instance_id=exchange.peer_instance_id,
                method=method,
                success=failure is None,
                reason=0 if failure is None else failure.reason,
                cause="" if failure is None else failure.why,
            )
        )


def _said(cause: _Cause) -> Said:
    if cause.said is None:
        raise ValueError("this action answers a frame: give the frame with its cause")
    return cause.said
