"""What both sides of a setup share: arguments and credentials of commands, the handshake's beginning, doubtful frames.

Wi-Fi Aware 4.0, NDP security; digest 5.3 and 5.4, digest of pairing 9.1, 9.2 and 9.6. Base of the engine in
`datapath.py`. A command that cannot be carried out raises RefusedError; nothing was sent then. No clock, no IO; chance
is `Station.draw`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

import msgspec

from protocols.wifi_aware import keys, ndp_security
from protocols.wifi_aware.events import Derived
from protocols.wifi_aware.heard import DUAL, is_group
from protocols.wifi_aware.ndp_frames import Additions, NotTakenError, Step
from protocols.wifi_aware.ndp_links import DataLinks
from protocols.wifi_aware.ndp_security import Handshake
from protocols.wifi_aware.station import RefusedError
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.ndl import Ndl
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.ndp_path import Link, Path, State
    from protocols.wifi_aware.peers import Service

__all__ = [
    "AVAILABILITY",
    "NDL_UNACCEPTABLE",
    "PARAMETERS",
    "POLICY",
    "RESOURCES",
    "SHARED_KEY",
    "Arguments",
    "Credential",
    "PathWish",
    "Setups",
    "max_idle_of",
    "sequence_of",
]

RESOURCES, PARAMETERS, AVAILABILITY, POLICY, NDL_UNACCEPTABLE = 2, 3, 6, 8, 11
"""Reason codes (digest 2.28)."""
SHARED_KEY = {7: 1, 8: 2}
"""Suite of a pairing -> the shared-key suite of its strength."""
_PMK = 32
_IDENTIFIER = 8
_LONGEST_INFO = 1024
"""Octets of a service info that leave room for the rest of a management frame."""
_GROUP_SUITES = (0, 5, 6)


class PathWish(TypedDict, total=False):
    """What `request` and `answer` may be given, as `Arguments` has it."""

    csid: int
    passphrase: bytes
    pmk: bytes
    service_info: bytes
    interface_identifier: bytes
    ndi: str
    gtk_csid: int


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """What `request` and `answer` are given alike, with the defaults."""

    handle: int
    csid: int = 0
    passphrase: bytes = b""
    pmk: bytes = b""
    service_info: bytes = b""
    interface_identifier: bytes = b""
    ndi: str = ""
    gtk_csid: int = 0

    @property
    def additions(self) -> Additions:
        """What goes to the peer's application."""
        return Additions(self.service_info, self.interface_identifier)


class Credential(NamedTuple):
    """Suite of a path, how its peer was paired, ND-PMK; suite 0: open."""

    csid: int
    akm: str
    pmk: bytes


class Setups(DataLinks):
    """Setting up paths, in either role."""

    # Commands

    def _count_command(self) -> None:
        """Each command counts the Availability up, refused ones too (recordings)."""
        self.station.availability_sequence = self.station.availability_sequence + 1 & 0xFF

    def _service(self, given: Arguments) -> Service:
        """The instance of a command, whose other arguments are in order. Raises RefusedError."""
        if len(given.service_info) > _LONGEST_INFO:
            raise RefusedError(
                f"a service info of {len(given.service_info)} octets: {_LONGEST_INFO} fit"
            )
        if len(given.interface_identifier) not in (0, _IDENTIFIER):
            raise RefusedError(f"an interface identifier has {_IDENTIFIER} octets")
        if given.gtk_csid not in _GROUP_SUITES:
            raise RefusedError(f"suite {given.gtk_csid} is no group suite: 5 or 6 are, 0 for none")
        service = self.station.services.get(given.handle)
        if service is None:
            raise RefusedError(f"no publish or subscribe instance {given.handle}: begin one first")
        return service

    def _in_setup(self, peer: str, ndi: str, ndp_id: int, state: State) -> tuple[Link, Path]:
        link = self.links.get(peer)
        path = None if link is None else link.setup
        if link is None or path is None or path.key != (ndi, ndp_id) or path.state is not state:
            raise RefusedError(
                f"no data path {ndp_id} of {ndi} with {peer} is {state.value}: it may have ended"
            )
        return link, path

    def _is_full(self) -> bool:
        most = self.settings.max_paths
        return most is not None and sum(len(link.paths) for link in self.links.values()) >= most

    # Credentials

    def _credential(self, nmi: str, service: Service, csid: int, given: Arguments) -> Credential:
        peer = self.station.peers.get(nmi)
        if peer is not None and peer.paired:
            if not peer.nd_pmk:
                raise RefusedError(f"the pairing with {nmi} gave no ND-PMK: pair again")
            suite = peer.csid
            if self.settings.paired_suite == "sk":
                suite = SHARED_KEY.get(suite, suite)
            return Credential(suite, peer.akm, peer.nd_pmk)
        if not csid:
            return Credential(0, "", b"")
        if csid not in SHARED_KEY.values():
            raise RefusedError(
                f"suite {csid} needs a pairing with {nmi}: pair first, or use 1 or 2"
            )
        return Credential(csid, "", self._shared_pmk(nmi, service, csid, given))

    def _shared_pmk(self, nmi: str, service: Service, csid: int, given: Arguments) -> bytes:
        if given.pmk:
            if len(given.pmk) != _PMK:
                raise RefusedError(f"an ND-PMK has {_PMK} octets, {len(given.pmk)} were given")
            return given.pmk
        if not given.passphrase:
            raise RefusedError(f"suite {csid} needs a passphrase or an ND-PMK")
        publisher = self.station.nmi if service.publish else nmi
        found = keys.nd_pmk_of_passphrase(given.passphrase, csid, service.service_id, publisher)
        self._tell(nmi, "nd_pmk_from_passphrase", found)
        return found

    def _begin_handshake(self, path: Path, credential: Credential, service: Service) -> Handshake:
        """Nonce, ND-PMKID, and what the four messages need."""
        handshake = path.handshake = Handshake(credential.csid, credential.pmk, path.publish_id)
        role = "initiator" if path.initiator else "responder"
        handshake.nonces[role] = self.station.draw("ndp_nonce", ndp_security.NONCE)
        ends = (self.station.nmi, path.peer) if path.initiator else (path.peer, self.station.nmi)
        path.akm = credential.akm
        path.pmkid = keys.nd_pmkid(credential.pmk, *ends, service.service_id, credential.csid)
        self._tell(path.peer, "ndp_pmk", credential.pmk)
        return handshake

    def _tell(self, nmi: str, name: str, value: bytes) -> None:
        self.station.emit(Derived(name=name, peer=nmi, value=value.hex()))

    def _tell_keys(self, path: Path) -> None:
        found = None if path.handshake is None else path.handshake.keys
        if found is not None:
            for name in ("ptk", "kck", "kek", "tk"):
                self._tell(path.peer, f"ndp_{name}", getattr(found, name))

    # Frames

    def _is_protected(self, heard: Heard) -> bool:
        marked = heard.frame.category == DUAL and not self.station.settings.link_protection
        return heard.opened or marked

    def _setup_for(
        self, nmi: str, step: Step, state: State, *, initiator: bool
    ) -> tuple[Link, Path]:
        """The setup that a frame belongs to. Raises NotTakenError."""
        link = self.links.get(nmi)
        path = None if link is None else link.setup
        key = (step.setup.initiator_ndi, step.setup.ndp_id)
        if link is None or path is None or path.key != key or path.initiator is not initiator:
            raise NotTakenError("no setup with that peer, initiator NDI and NDP ID")
        if path.state is not state:
            raise NotTakenError(f"not expected in state {path.state.value!r}")
        return link, path

    def _check_ndi(self, nmi: str, ndi: str) -> None:
        """An NDI is nobody else's address. Raises NotTakenError."""
        if ndi in (self.station.nmi, self.station.settings.ndi) or is_group(ndi):
            raise NotTakenError(f"{ndi} cannot be the NDI of a peer")
        owner = self.station.interfaces.get(ndi, ndi if ndi in self.station.peers else nmi)
        if owner != nmi:
            raise NotTakenError(f"NDI {ndi} belongs to another peer")

    @staticmethod
    def _taken(path: Path, heard: Heard) -> None:
        path.heard, path.reply = heard.body, None

    def _is_doubtful(self, heard: Heard, path: Path) -> bool:
        """An end that anybody could have sent."""
        known = self.settings.believe_unprotected or self._is_protected(heard)
        return bool(path.csid) and not known

    def _doubt(self, path: Path, reason: int, words: str, now: int) -> None:
        """It counts unless something better comes."""
        if path.doubted:
            return
        path.reason, path.local, path.cause = reason, False, f"{words}, in clear"
        path.doubted, path.repeats = True, 0
        path.deadline = min(path.deadline, now + self.settings.short_us)
        self._wait(path, now)


def sequence_of(step: Step) -> int | None:
    """Availability Sequence ID of a frame, None when it has none."""
    return step.availability[0].sequence_id if step.availability else None


def max_idle_of(link: Ndl | None) -> int | None:
    """Maximum idle period of an NDL in units of 1024 TU, None when it says none."""
    return None if link is None or link.max_idle is UNSET else link.max_idle
