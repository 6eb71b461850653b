"""What happens between two Wi-Fi Aware devices: bootstrapping, authentication, identity keys, data paths.

Wi-Fi Aware 4.0 and IEEE 802.11az-2022 (PASN) as hostap speaks them; digest of frames 5 and 6, digest of pairing 6
to 9. Each message is frozen, with time and frame number; exchanges grow while frames are read and their lists are
bounded. A message that was not captured is simply not there. No clock, no IO.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

__all__ = [
    "Auth",
    "Bare",
    "Bootstrap",
    "DataPath",
    "Guarded",
    "KeyFollowUp",
    "Message",
    "NdpStep",
    "Pair",
    "Pasn",
    "Step",
    "Traffic",
    "keep",
]

ACCEPTED, REJECTED, COMEBACK = range(3)
"""Status of a bootstrapping step."""
NDP_REJECTED = 2
REQUEST, RESPONSE, CONFIRM, INSTALL, TERMINATE = range(5)
"""Types of a data path step."""
REFUSED_FOR_NOW = 30
"""Status code: come back later."""
_KEPT = 256
T = TypeVar("T")


def keep(items: list[T], item: T, most: int = _KEPT) -> None:
    """Append `item` while there are fewer than `most`."""
    if len(items) < most:
        items.append(item)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A bootstrapping request or response."""

    t_us: int
    frame: int
    status: int = ACCEPTED
    reason: int = 0
    methods: int = 0
    comeback_tu: int | None = None
    has_info: bool = False
    """pairing info is in the frame."""
    info_octets: int = 0
    """octets of service info of any kind."""


class Bootstrap(msgspec.Struct, kw_only=True):
    """One bootstrapping handshake (Wi-Fi Aware 4.0, NPBA; digest 6)."""

    requester: str
    responder: str
    token: int = 0
    requests: list[Step] = []
    responses: list[Step] = []

    @property
    def answer(self) -> Step | None:
        """The last response, None when none was seen."""
        return self.responses[-1] if self.responses else None

    @property
    def accepted(self) -> bool:
        """Whether it came to an agreement."""
        return any(one.status == ACCEPTED for one in self.responses)

    @property
    def rejected(self) -> bool:
        """Whether the responder refused."""
        return any(one.status == REJECTED for one in self.responses)

    @property
    def comebacks(self) -> int:
        """How often the requester was told to come back."""
        return sum(one.status == COMEBACK for one in self.responses)

    @property
    def methods(self) -> int:
        """What was asked for."""
        return self.requests[0].methods if self.requests else 0

    @property
    def steps(self) -> list[Step]:
        """All of it, in order."""
        return sorted((*self.requests, *self.responses), key=lambda one: (one.t_us, one.frame))

    @property
    def frames(self) -> tuple[int, ...]:
        """All of it."""
        return tuple(one.frame for one in self.steps)

    @property
    def t_us(self) -> int:
        """When it began."""
        return self.steps[0].t_us

    @property
    def last_us(self) -> int:
        """When its last message was seen."""
        return self.steps[-1].t_us


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """An Authentication frame with PASN; what could not be read has the value of what is not there."""

    t_us: int
    frame: int
    sender: str
    transaction: int
    status: int = 0
    identity: str = ""
    """its ephemeral key, or a digest of it: the same in a repetition, another in a new attempt."""
    group: int | None = None
    akm: str = ""
    cipher: str = ""
    pmkid: str = ""
    has_rsne: bool = False
    is_mfp: bool = True
    """both bits of management frame protection are set, where there is an RSNE."""
    has_wrapped: bool = False
    has_mic: bool = False
    groups: tuple[int, ...] | None = None
    """Supported Groups."""
    has_nan: bool = False
    """a NAN element is in the frame."""
    suites: tuple[int, ...] | None = None
    dcea: bool = False
    caching: bool = False
    nira: str = ""
    faults: tuple[str, ...] = ()


class Pasn(msgspec.Struct, kw_only=True):
    """One PASN exchange: setup of a pairing, or verification with a cached key (digest of pairing 3 and 6)."""

    initiator: str
    responder: str
    firsts: list[Auth] = []
    seconds: list[Auth] = []
    thirds: list[Auth] = []

    @property
    def messages(self) -> list[Auth]:
        """All of it, in order."""
        every = (*self.firsts, *self.seconds, *self.thirds)
        return sorted(every, key=lambda one: (one.t_us, one.frame))

    @property
    def frames(self) -> tuple[int, ...]:
        """All of it."""
        return tuple(one.frame for one in self.messages)

    @property
    def t_us(self) -> int:
        """When it began."""
        return self.messages[0].t_us

    @property
    def last_us(self) -> int:
        """When its last message was seen."""
        return self.messages[-1].t_us

    @property
    def is_verification(self) -> bool:
        """Whether it uses a key of an earlier pairing: Auth1 names it, and wraps nothing."""
        return any(one.pmkid and not one.has_wrapped for one in self.firsts or self.seconds)

    @property
    def refusal(self) -> Auth | None:
        """The first message with a status that ends it."""
        return next((one for one in self.messages if one.status not in (0, REFUSED_FOR_NOW)), None)

    @property
    def is_complete(self) -> bool:
        """Whether the initiator answered an Auth2, and nobody refused."""
        return any(one.status == 0 for one in self.thirds) and self.refusal is None


class KeyFollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """A follow-up that carries the sender's identity key (digest of pairing 7)."""

    t_us: int
    frame: int
    sender: str
    is_protected: bool = True
    has_nira: bool = True
    has_mic: bool = False
    has_lifetime: bool | None = None
    """the Key Lifetime KDE is in it; None: the key data are closed."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A follow-up for an application."""

    t_us: int
    frame: int
    sender: str
    octets: int


class Guarded(msgspec.Struct, frozen=True, gc=False):
    """A unicast frame that only a paired peer can have sent, or have encrypted."""

    t_us: int
    frame: int
    sender: str


class Bare(msgspec.Struct, frozen=True, gc=False):
    """A unicast follow-up or action frame without protection."""

    t_us: int
    frame: int
    sender: str
    what: str


class NdpStep(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a data path."""

    t_us: int
    frame: int
    sender: str
    type: int
    status: int = 0
    reason: int = 0
    ndl_status: int | None = None
    ndl_reason: int = 0
    suites: tuple[int, ...] | None = None
    """without those of group keys; None: no Cipher Suite Information."""
    has_context: bool = False
    """Security Context Information is in the frame."""
    has_key: bool = False
    """a Shared Key Descriptor is in the frame."""
    nonce: str = ""
    replay_counter: int | None = None
    ports: tuple[str, ...] = ()
    """port sub-attributes of the service info (hex)."""


class Traffic(msgspec.Struct):
    """Data frames of one side of a data path."""

    count: int = 0
    empty: int = 0
    """frames without data (NULL)."""
    last_us: int = 0


class DataPath(msgspec.Struct, kw_only=True):
    """One data path, from its request on (digest 5)."""

    initiator: str = ""
    responder: str = ""
    initiator_ndi: str = ""
    responder_ndi: str = ""
    number: int = 0
    """NDP ID."""
    token: int = 0
    is_partial: bool = False
    """its request was not captured: who began it may be guessed."""
    is_secure: bool = False
    needs_confirm: bool = True
    steps: list[NdpStep] = []
    traffic: dict[str, Traffic] = {}
    """by the sender's NDI."""

    def step(self, kind: int) -> NdpStep | None:
        """The last message of a type."""
        return next((one for one in reversed(self.steps) if one.type == kind), None)

    @property
    def furthest(self) -> NdpStep | None:
        """The last message of the set-up."""
        setup = [one for one in self.steps if one.type != TERMINATE]
        return max(setup, key=lambda one: (one.type, one.t_us), default=None)

    @property
    def rejection(self) -> NdpStep | None:
        """The message of the set-up that refused."""
        return next(
            (
                one
                for one in self.steps
                if one.type != TERMINATE
                and (one.status == NDP_REJECTED or one.ndl_status == NDP_REJECTED)
            ),
            None,
        )

    @property
    def last_type(self) -> int:
        """The type of message that completes the set-up."""
        return INSTALL if self.is_secure else CONFIRM if self.needs_confirm else RESPONSE

    @property
    def is_up(self) -> bool:
        """Whether the set-up went through, or data went both ways."""
        if self.rejection is not None:
            return False
        furthest = self.furthest
        carried = sum(one.count > one.empty for one in self.traffic.values())
        return carried > 1 or (furthest is not None and furthest.type >= self.last_type)

    @property
    def peers(self) -> tuple[str, str]:
        """Both, the lower NMI first."""
        low, high = sorted((self.initiator, self.responder))
        return low, high

    @property
    def frames(self) -> tuple[int, ...]:
        """Its messages, in order."""
        return tuple(one.frame for one in self.steps)

    @property
    def t_us(self) -> int:
        """When it began."""
        return self.steps[0].t_us if self.steps else 0

    @property
    def last_us(self) -> int:
        """When its last message was seen."""
        return self.steps[-1].t_us if self.steps else 0


class Pair(msgspec.Struct, kw_only=True):
    """Two devices that spoke with each other."""

    a: str = ""
    b: str = ""
    bootstraps: list[Bootstrap] = []
    pasns: list[Pasn] = []
    keys: list[KeyFollowUp] = []
    messages: list[Message] = []
    guarded: list[Guarded] = []
    """all protected frames, identity keys and data paths too."""
    bares: list[Bare] = []
    paths: list[DataPath] = []

    def other(self, nmi: str) -> str:
        """The peer of `nmi`."""
        return self.b if nmi == self.a else self.a

    def guarded_by(self, nmi: str, from_us: int, until_us: int | None = None) -> Guarded | None:
        """The first protected frame of `nmi` at or after `from_us` and before `until_us`."""
        for one in self.guarded:
            if (
                one.sender == nmi
                and one.t_us >= from_us
                and (until_us is None or one.t_us < until_us)
            ):
                return one
        return None

    def end_of(self, pasn: Pasn) -> int | None:
        """When the next exchange of the two began, None when none did."""
        later = [one.t_us for one in self.pasns if one is not pasn and one.t_us > pasn.t_us]
        return min(later, default=None)

    def is_proven(self, pasn: Pasn) -> bool:
        """Whether both sides have the keys of `pasn`: the responder, who waits for the initiator, sent something
        protected before the next exchange.
        """
        return self.guarded_by(pasn.responder, pasn.t_us, self.end_of(pasn)) is not None

    def is_over(self, pasn: Pasn) -> bool:
        """Whether `pasn` succeeded, as far as one can see."""
        return self.is_proven(pasn) or (pasn.is_complete and len(pasn.firsts) < 2)

    def succeeded_after(self, t_us: int) -> bool:
        """Whether an exchange that began later succeeded."""
        return any(one.t_us > t_us and self.is_over(one) for one in self.pasns)

    @property
    def works(self) -> bool:
        """Whether the two agreed on something: a bootstrapping, a pairing, a data path."""
        return (
            any(one.accepted for one in self.bootstraps)
            or any(map(self.is_over, self.pasns))
            or any(one.is_up for one in self.paths)
        )
