"""What a bootstrapping request or response amounts to, given what is open with its sender.

Wi-Fi Aware 4.0, pairing bootstrapping; digest 6.2 to 6.4, as in hostap src/nan/nan_bootstrap.c. Each function gives an
input of the table, or in words why the frame is not taken. Unlike hostap, a comeback request without method is never
an authorised one. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from protocols.wifi_aware.attributes.pairing_bootstrapping import ACCEPTED, COMEBACK, REJECTED
from protocols.wifi_aware.bootstrapping_settings import complement
from protocols.wifi_aware.bootstrapping_table import Input, State
from protocols.wifi_aware.heard import octets_of

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.pairing_bootstrapping import PairingBootstrapping
    from protocols.wifi_aware.bootstrapping_settings import BootstrappingSettings

__all__ = ["Answered", "Exchange", "Said", "own_method", "request_input", "response_input"]


class Exchange:
    """Bootstrapping with one peer while it is open."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.state = State.IDLE
        self.asks = False
        """as the requester."""
        self.handle = 0
        self.peer_instance_id = 0
        self.token = 0
        self.method = 0
        """own one."""
        self.cookie = ""
        self.authorized = 0
        self.refusal: int | None = None
        """reason, once the user has refused."""
        self.request: Attr | None = None
        """that was sent last."""
        self.repetitions = 0
        self.rounds = 0
        """times it was put off."""


class Answered(NamedTuple):
    """A comeback request that got its answer, in case the answer is lost."""

    token: int
    cookie: str
    handle: int
    peer_instance_id: int
    response: Attr


class Said(NamedTuple):
    """An NPBA that arrived in a follow-up, and for which instances."""

    npba: PairingBootstrapping
    attr: Attr
    peer: str
    handle: int
    """own instance."""
    peer_instance_id: int
    offered: int
    """methods of the own instance."""

    @property
    def cookie(self) -> str:
        """Its cookie, empty when it has none."""
        return "" if self.npba.cookie is UNSET else self.npba.cookie


def own_method(settings: BootstrappingSettings, said: Said) -> int:
    """Method that a request asks of this side, 0 when it asks for none."""
    named = said.npba.methods
    common = named & said.offered
    same, other = common & -common or named, complement(named)
    match settings.matching:
        case "complement":
            return other
        case "same_bit":
            return same
        case "either":
            return other if other & said.offered or not common else same


def request_input(
    settings: BootstrappingSettings,
    nmi: str,
    exchange: Exchange | None,
    answered: Answered | None,
    said: Said,
) -> Input | str:
    """What a request is; `nmi` is the own one."""
    if exchange is not None and exchange.state is State.PENDING:
        return _to_pending(settings, exchange, said)
    yields = settings.crossing == "lower_yields"
    if exchange is not None and yields and octets_of(nmi) > octets_of(said.peer):
        return "the own request goes first"
    if answered is not None and _comes_again(answered, said):
        return Input.COMEBACK_AGAIN
    own = own_method(settings, said)
    if not own & said.offered & ~settings.refused:
        return Input.REQUEST_UNSUPPORTED
    wanted = exchange is not None and yields and exchange.method == own
    return Input.REQUEST_AUTOMATIC if own & settings.automatic or wanted else Input.REQUEST_FOR_USER


def _comes_again(answered: Answered, said: Said) -> bool:
    npba = said.npba
    known = (answered.token, answered.cookie, answered.handle, answered.peer_instance_id)
    given = (npba.dialog_token, said.cookie, said.handle, said.peer_instance_id)
    return npba.status == COMEBACK and known == given


def _to_pending(settings: BootstrappingSettings, exchange: Exchange, said: Said) -> Input | str:
    npba = said.npba
    if npba.status != COMEBACK:
        again = settings.repeat_response and not _strange(exchange, said)
        return (
            Input.REQUEST_AGAIN if again else "a request is open, and this one does not come back"
        )
    if said.cookie != exchange.cookie:
        return "it comes back with another cookie"
    strange = _strange(exchange, said)
    if strange:
        return strange
    if exchange.refusal is not None:
        return Input.COMEBACK_REFUSED
    if exchange.authorized and exchange.authorized == own_method(settings, said):
        return Input.COMEBACK_AUTHORIZED
    return Input.COMEBACK_EARLY


def response_input(
    settings: BootstrappingSettings, exchange: Exchange | None, said: Said
) -> Input | str:
    """What a response is."""
    if exchange is None or not exchange.asks:
        return "a response, and no request is open"
    strange = _strange(exchange, said)
    if strange:
        return strange
    status, limit = said.npba.status, settings.comeback_limit
    if status == ACCEPTED:
        return _accepted(settings, exchange.method, said.npba.methods)
    if status == REJECTED:
        return Input.REJECTED
    if status != COMEBACK:
        return Input.UNKNOWN_STATUS
    too_often = limit is not None and exchange.rounds >= limit
    return Input.PUT_OFF_TOO_OFTEN if too_often else Input.PUT_OFF


def _accepted(settings: BootstrappingSettings, own: int, named: int) -> Input:
    match settings.response_check:
        case "complement":
            fits = complement(named) == own
        case "either":
            fits = own in (complement(named), named)
        case "any":
            fits = True
    return Input.ACCEPTED if fits else Input.MISMATCHED


def _strange(exchange: Exchange, said: Said) -> str:
    """Why an NPBA does not belong to the open exchange, empty when it does."""
    if said.npba.dialog_token != exchange.token:
        return f"dialog token {said.npba.dialog_token}, {exchange.token} is open"
    if (said.handle, said.peer_instance_id) != (exchange.handle, exchange.peer_instance_id):
        return f"for instance {said.handle} from {said.peer_instance_id}, others are at it"
    return ""
