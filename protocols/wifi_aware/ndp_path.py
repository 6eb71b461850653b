"""Setting up and ending one data path: its states, the table of its transitions, what is kept of it and of its link.

Wi-Fi Aware 4.0, NDP; digest 5.1 to 5.4 and 5.7. Rule: a path changes its state by `TRANSITIONS` alone; the names in
it are actions of the engine in `datapath.py`. A path is one NDP, a link is what all NDPs with one peer share (its NDL,
the one setup that may be open). No clock, no randomness, no IO.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from protocols.wifi_aware import ndl
from protocols.wifi_aware.frames import Naf
from protocols.wifi_aware.ndp_frames import Additions, Step
from protocols.wifi_aware.ndp_security import Handshake, Secured

__all__ = [
    "TRANSITIONS",
    "Agreement",
    "Link",
    "Path",
    "Row",
    "State",
]


class State(StrEnum):
    """Where a path is."""

    IDLE = "idle"
    REQUESTED = "requested"
    """initiator: M1 is out."""
    COUNTERED = "countered"
    """initiator: the application decides on a counter-proposal."""
    CONFIRMED = "confirmed"
    """initiator of a secure path: M3 is out."""
    ASKED = "asked"
    """responder: the application decides."""
    ANSWERED = "answered"
    """responder: M2 is out."""
    FINISHING = "finishing"
    """the own last frame is out; its transmit status connects."""
    REFUSING = "refusing"
    """a refusal is out; its transmit status ends."""
    ENDING = "ending"
    """a termination is out; its transmit status ends."""
    CONNECTED = "connected"
    ENDED = "ended"


class Row(NamedTuple):
    """What an input does: an action of the engine, and the next state."""

    action: str
    after: State


_S = State
TRANSITIONS: dict[tuple[State, str], Row] = {
    # initiator
    (_S.IDLE, "request"): Row("send_request", _S.REQUESTED),
    (_S.REQUESTED, "refused"): Row("end", _S.ENDED),
    (_S.REQUESTED, "accepted"): Row("connect", _S.CONNECTED),
    (_S.REQUESTED, "continued"): Row("send_confirm", _S.FINISHING),
    (_S.REQUESTED, "continued secure"): Row("send_confirm", _S.CONFIRMED),
    (_S.REQUESTED, "countered"): Row("ask_counter", _S.COUNTERED),
    (_S.REQUESTED, "counter unacceptable"): Row("refuse_counter", _S.REFUSING),
    (_S.REQUESTED, "timeout"): Row("end", _S.ENDED),
    (_S.REQUESTED, "gives way"): Row("end", _S.ENDED),
    (_S.COUNTERED, "accept"): Row("send_confirm", _S.FINISHING),
    (_S.COUNTERED, "accept secure"): Row("send_confirm", _S.CONFIRMED),
    (_S.COUNTERED, "reject"): Row("refuse_counter", _S.REFUSING),
    (_S.COUNTERED, "timeout"): Row("send_termination", _S.ENDING),
    (_S.CONFIRMED, "installed"): Row("connect", _S.CONNECTED),
    (_S.CONFIRMED, "timeout"): Row("send_termination", _S.ENDING),
    # responder
    (_S.IDLE, "requested"): Row("ask", _S.ASKED),
    (_S.IDLE, "refuse"): Row("send_refusal", _S.REFUSING),
    (_S.ASKED, "accept"): Row("send_response", _S.ANSWERED),
    (_S.ASKED, "accept at once"): Row("send_response", _S.FINISHING),
    (_S.ASKED, "refuse"): Row("send_refusal", _S.REFUSING),
    (_S.ASKED, "timeout"): Row("send_termination", _S.ENDING),
    (_S.ANSWERED, "confirmed"): Row("connect", _S.CONNECTED),
    (_S.ANSWERED, "confirmed secure"): Row("send_install", _S.FINISHING),
    (_S.ANSWERED, "counter refused"): Row("end", _S.ENDED),
    (_S.ANSWERED, "timeout"): Row("send_termination", _S.ENDING),
    # both
    (_S.FINISHING, "sent"): Row("connect", _S.CONNECTED),
    (_S.FINISHING, "timeout"): Row("send_termination", _S.ENDING),
    (_S.REFUSING, "sent"): Row("end", _S.ENDED),
    (_S.REFUSING, "timeout"): Row("end", _S.ENDED),
    (_S.ENDING, "sent"): Row("end", _S.ENDED),
    (_S.ENDING, "timeout"): Row("end", _S.ENDED),
    **{
        (state, "terminated"): Row("end", _S.ENDED)
        for state in (_S.REQUESTED, _S.COUNTERED, _S.CONFIRMED, _S.ASKED, _S.ANSWERED, _S.FINISHING, _S.CONNECTED)
    },
    **{
        (state, "terminate"): Row("send_termination", _S.ENDING)
        for state in (_S.REQUESTED, _S.COUNTERED, _S.CONFIRMED, _S.ANSWERED, _S.FINISHING, _S.CONNECTED)
    },
    **{(state, "dropped"): Row("end", _S.ENDED) for state in _S if state not in (_S.IDLE, _S.ENDED)},
}  # fmt: skip
"""(state, input) -> action and next state; what is not in here is not taken.

`dropped`: the path ends without a frame (its peer starts anew, the own address changes).
"""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """An NDL that stands."""

    ndc_id: bytes
    ndc: frozenset[int]
    """slots of the NDC."""
    own: ndl.Offer
    peer: ndl.Offer
    peer_max_idle: int | None
    """units after which the peer ends an idle link; None: it said none."""


class Path(msgspec.Struct, kw_only=True, eq=False):
    """One NDP, from its request to its end."""

    peer: str
    """NMI."""
    number: int = 0
    """of the device's paths, in order; two may have one name, for a time."""
    initiator: bool
    """this side sent M1."""
    initiator_ndi: str
    ndp_id: int
    token: int
    publish_id: int
    own_ndi: str
    peer_ndi: str = ""
    csid: int = 0
    """0: open."""
    akm: str = ""
    gtk_csid: int = 0
    peer_gtk_csid: int = 0
    peer_group_support: int = 0
    pmkid: bytes = b""
    confirm_required: bool = True
    ndpe: bool = True
    in_clear: bool = False
    """a responder answers between the NMIs, as it was asked, though an older path has a key."""
    state: State = State.IDLE
    own: Additions = Additions()
    asked: Additions = Additions()
    """of M1."""
    answered: Additions = Additions()
    """of M2."""
    handshake: Handshake | None = None
    request: Step | None = None
    """M1, at the responder."""
    negotiates: bool = False
    """the NDL is part of this setup."""
    verdict: ndl.Verdict | None = None
    ndc_id: bytes = b""
    agreement: Agreement | None = None
    """of this setup, when it negotiates."""
    peer_gtk: bytes = b""
    peer_gtk_rsc: int = 0
    reason: int = 0
    local: bool = True
    cause: str = ""
    doubted: bool = False
    """a refusal in clear was heard: it counts when the timer fires."""
    by_application: bool = True
    """the refusal is that of the application."""
    connected: bool = False
    replaces: list[Path] = msgspec.field(default_factory=list["Path"])
    """paths that end when this one stands."""
    heard: bytes = b""
    """body of the last frame that was taken."""
    reply: tuple[Naf, str] | None = None
    """the own frame that came after it, and its name."""
    m1_nonce: str = ""
    awaited: int = 0
    """number of the frame whose transmit status counts."""
    deadline: int = 0
    repeats: int = 0
    given: Any = None
    """arguments of the own request (`ndp_setup.Arguments`), for a rekeying."""

    @property
    def key(self) -> tuple[str, int]:
        """What names it between two peers."""
        return self.initiator_ndi, self.ndp_id

    @property
    def pair(self) -> tuple[str, str]:
        """Own NDI and the peer's."""
        return self.own_ndi, self.peer_ndi


class Link(msgspec.Struct, kw_only=True, eq=False):
    """All that stands or is being set up with one peer."""

    peer: str
    setup: Path | None = None
    paths: list[Path] = msgspec.field(default_factory=list[Path])
    """connected ones, that of the last connection first."""
    agreement: Agreement | None = None
    sequence: int = 0
    """Availability Sequence ID in NAFs: of the command that negotiated the NDL."""
    peer_sequence: int | None = None
    secured: dict[tuple[str, str], Secured] = msgspec.field(
        default_factory=dict[tuple[str, str], "Secured"]
    )
    """pair of NDIs -> its key."""
    traffic: int = 0
    """when data last went either way."""

    def path(self, initiator_ndi: str, ndp_id: int) -> Path | None:
        """The path of that name, set up or being set up."""
        return next((one for one in self.every() if one.key == (initiator_ndi, ndp_id)), None)

    def every(self) -> tuple[Path, ...]:
        """The setup, then the connected ones."""
        return (*(() if self.setup is None else (self.setup,)), *self.paths)
