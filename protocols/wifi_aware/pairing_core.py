"""The machine under pairing: one context per peer, driven by the table of `pairing_states`.

Digest of pairing, section 6. What the actions do is in `pairing_identities` and `pairing`; here is how they are called,
what ends an exchange, and the timers. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.engine import Engine
from protocols.wifi_aware.events import PairingResult, Stepped
from protocols.wifi_aware.identity_store import IdentityStore
from protocols.wifi_aware.keys import SUITES
from protocols.wifi_aware.pairing_states import TRANSITIONS, Input, State
from protocols.wifi_aware.pairing_terms import Wishes
from protocols.wifi_aware.pasn_checks import IgnoredError, Message, PasnError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.nik_exchange import Received
    from protocols.wifi_aware.pairing_settings import PairingSettings
    from protocols.wifi_aware.pasn import Exchange, Terms
    from protocols.wifi_aware.station import Station

    Action = Callable[["Context", int, Message | None], Input | None]

__all__ = ["Context", "PairingCore"]

TIMERS = ("auth", "stored", "grace", "come_back", "nik", "nik_timeout")


class Context:
    """What a device knows of its pairing with one peer, while one runs."""

    def __init__(self, peer: str, own: str) -> None:
        self.peer = peer
        self.own = own
        """NMI that it runs with: another one ends it."""
        self.state = State.IDLE
        self.role = "responder"
        self.terms: Terms | None = None
        self.exchange: Exchange | None = None
        self.stored: Message | None = None
        """Auth1 that is kept for the application."""
        self.stored_suite = 0
        self.stored_akm = ""
        self.failure: PasnError | None = None
        """why the next `FAILED`, `UNSUITABLE` or `TIMEOUT` comes."""
        self.answered = 0
        """Auth1 that one `accept` has answered."""
        self.cookie = b""
        """that the peer is to come back with."""
        self.comebacks = 0
        self.comeback: tuple[int, bytes] | None = None
        """TU and cookie with which this side is to come back."""
        self.auth3_number = 0
        self.installed = False
        """NM-TK is in use before the exchange is over."""
        self.received: Received | None = None
        """the peer's identity."""

    def begin(self, role: str) -> None:
        """Forget earlier exchanges; the terms stay."""
        self.role = role
        self.exchange, self.stored, self.failure, self.received = None, None, None, None
        self.answered, self.comebacks, self.auth3_number = 0, 0, 0
        self.cookie, self.comeback = b"", None

    @property
    def agreed(self) -> Terms:
        """Terms of a context that has some."""
        if self.terms is None:
            raise IgnoredError("the application has not said how to pair")
        return self.terms

    @property
    def run(self) -> Exchange:
        """Exchange of a context that has one."""
        if self.exchange is None:
            raise IgnoredError("no exchange runs")
        return self.exchange


class PairingCore(Engine):
    """Contexts and their transitions; subclasses bring the actions."""

    NAME = "pairing"

    def __init__(self, station: Station, settings: PairingSettings) -> None:
        super().__init__(station)
        self.settings = settings
        self.store = IdentityStore(station, settings.identity_limit)
        self._wishes = Wishes(station, settings, self.store)
        self._contexts: dict[str, Context] = {}
        self._actions: dict[str, Action] = {"close": self._close, "end": self._end}

    def state(self, peer: str) -> State:
        """Where the pairing with a peer stands."""
        context = self._current(peer)
        return State.IDLE if context is None else context.state

    # Contexts

    def _current(self, peer: str) -> Context | None:
        """The context with a peer; one of an earlier NMI of this device is given up."""
        context = self._contexts.get(peer)
        if context is not None and context.own != self.station.nmi:
            self._stop_timers(context)
            del self._contexts[peer]
            return None
        return context

    def _context(self, peer: str) -> Context:
        """The context with a peer, a new one when there is none; it is kept once it leaves IDLE."""
        return self._current(peer) or Context(peer, self.station.nmi)

    # Transitions

    def _step(
        self, context: Context, given: Input, now: int, message: Message | None = None
    ) -> None:
        """Run an input and what follows from it. Raises IgnoredError when the state takes none such."""
        following: Input | None = given
        while following is not None:
            cause = following
            name, after = self._row(context, cause)
            following = self._actions[name](context, now, message)
            self._enter(context, after, cause)

    @staticmethod
    def _row(context: Context, given: Input) -> tuple[str, State]:
        row = TRANSITIONS.get((context.state, given))
        if row is None:
            raise IgnoredError(f"{given.value} is not expected in state {context.state.value}")
        return row

    def _takes(self, context: Context, given: Input) -> bool:
        return (context.state, given) in TRANSITIONS

    def _enter(self, context: Context, after: State, cause: Input) -> None:
        before, context.state = context.state, after
        if after is State.IDLE:
            self._stop_timers(context)
            if self._contexts.get(context.peer) is context:
                del self._contexts[context.peer]
        else:
            self._contexts[context.peer] = context
        if before is not after:
            self.station.emit(
                Stepped(
                    engine=self.NAME,
                    peer=context.peer,
                    before=before.value,
                    after=after.value,
                    cause=cause.value,
                )
            )

    # Timers

    def _expect(
        self, context: Context, name: str, due: int, given: Input, failure: PasnError | None = None
    ) -> None:
        """Run an input at `due`, in place of the timer of that name."""

        def run(now: int) -> None:
            if self._current(context.peer) is not context or not self._takes(context, given):
                return
            if failure is not None:
                context.failure = failure
            self._step(context, given, now)

        self.start_timer((name, context.peer), due, run)

    def _stop_timers(self, context: Context, *names: str) -> None:
        """Stop those timers of a context, all when none is named."""
        for name in names or TIMERS:
            self.stop_timer((name, context.peer))

    def _runs(self, context: Context, name: str) -> bool:
        return (name, context.peer) in self._timers

    # Ends

    def _close(self, context: Context, now: int, message: Message | None) -> None:
        """Nothing more is to be done."""

    def _end(self, context: Context, now: int, message: Message | None) -> None:
        """The exchange failed: tell its status."""
        failure = context.failure or PasnError("ended by the application")
        if context.installed:
            self._uninstall(context.peer)
        akm, csid = context.stored_akm, context.stored_suite
        if context.terms is not None:
            akm, csid = context.terms.akm, context.terms.suite.csid
        self.station.emit(
            PairingResult(
                peer=context.peer,
                role=context.role,
                akm=akm,
                cipher=SUITES[csid].cipher,
                status=failure.status if isinstance(failure, RejectedError) else PasnError.code,
                cause=str(failure),
            )
        )

    def _uninstall(self, nmi: str) -> None:
        """The pairing stands no more: unicast frames are of category 4 again."""
        self.station.link_keys.pop((self.station.nmi, nmi), None)
        peer = self.station.peers.get(nmi)
        if peer is not None:
            peer.paired = False
            peer.nd_pmk = b""
