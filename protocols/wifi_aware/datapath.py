"""Data paths of one Wi-Fi Aware device: NDPs, their NDLs and keys, behind the verbs of an engine.

Wi-Fi Aware 4.0, NDP, NDL and NDP security; digest 5, digest of pairing 9 and 10, as in hostap src/nan/nan_ndp.c,
nan_ndl.c and nan_sec.c. Rule 1: a path moves by the table of `ndp_path.py`; its actions are methods of the bases here
(`ndp_initiator`, `ndp_responder`, `ndp_links`). Rule 2: a frame that a check refuses (`ndp_checks`, `ndp_security`)
changes nothing. Rule 3: one setup per peer at a time. No clock, no IO; chance is `Station.draw`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from protocols.errors import DecodeError
from protocols.wifi_aware import ndl, ndp_build, ndp_frames
from protocols.wifi_aware.events import NafReceived
from protocols.wifi_aware.heard import DUAL, PUBLIC, is_group
from protocols.wifi_aware.ndp_frames import (
    CONFIRM,
    INSTALL,
    REQUEST,
    RESPONSE,
    TERMINATION,
    NotTakenError,
    Step,
)
from protocols.wifi_aware.ndp_initiator import Initiator
from protocols.wifi_aware.ndp_machine import UNSPECIFIED
from protocols.wifi_aware.ndp_path import Path, State
from protocols.wifi_aware.ndp_responder import Responder
from protocols.wifi_aware.ndp_settings import DataPathSettings
from protocols.wifi_aware.station import RefusedError

if TYPE_CHECKING:
    from protocols.wifi_aware import frames
    from protocols.wifi_aware.attributes.nan_availability import NanAvailability
    from protocols.wifi_aware.heard import Heard

__all__ = ["DataPath", "DataPathSettings"]

_RANGING = range(1, 5)
_SCHEDULE = range(10, 14)
"""NAF subtypes of which hostap looks at nothing, and only at the attributes."""


class DataPath(Initiator, Responder):
    """Data paths of a device."""

    TAKES: ClassVar[dict[int, str]] = {
        REQUEST.subtype: "_take_m1",
        RESPONSE.subtype: "_take_m2",
        CONFIRM.subtype: "_take_m3",
        INSTALL.subtype: "_take_m4",
        TERMINATION.subtype: "_take_termination",
    }

    def terminate(self, peer: str, initiator_ndi: str, ndp_id: int, now: int) -> None:
        """End a path, connected or being set up. Raises RefusedError."""
        link = self.links.get(peer)
        path = None if link is None else link.path(initiator_ndi, ndp_id)
        if path is None:
            raise RefusedError(f"no data path {ndp_id} of {initiator_ndi} with {peer}")
        if path.state is State.ASKED:
            raise RefusedError(f"data path {ndp_id} waits for an answer: refuse it instead")
        try:
            self._terminate(path, "the application ends it", now)
        except NotTakenError as exc:
            raise RefusedError(f"data path {ndp_id} with {peer} is ending already: {exc}") from exc

    # Frames heard

    def receive(self, heard: Heard, now: int) -> None:
        """Take a NAN action frame; an event tells whether it was taken, and why not."""
        frame: frames.Naf = heard.frame
        nmi, cause = frame.source, ""
        try:
            nmi = self._sender(heard)
            self._take(heard, nmi, now)
        except NotTakenError as exc:
            cause = str(exc)
            self.station.drop(heard, cause)
        self.station.emit(
            NafReceived(peer=nmi, subtype=frame.subtype, accepted=not cause, cause=cause)
        )

    def _sender(self, heard: Heard) -> str:
        """NMI of who sent a frame; between NDIs only what is protected counts (digest 5.8)."""
        frame: frames.Naf = heard.frame
        if is_group(frame.destination):
            raise NotTakenError("a NAN action frame to a group")
        if frame.category not in (PUBLIC, DUAL):
            raise NotTakenError(f"category {frame.category}")
        nmi = self.station.interfaces.get(frame.source, frame.source)
        if nmi != frame.source and self._is_paired(nmi):
            raise NotTakenError("a paired peer sends between NMIs, not between NDIs")
        if nmi != frame.source and not self._is_protected(heard):
            raise NotTakenError("in clear between NDIs")
        return nmi

    def _take(self, heard: Heard, nmi: str, now: int) -> None:
        subtype = heard.frame.subtype
        if subtype in _RANGING or self._repeated(heard, nmi):
            return
        if subtype not in self.TAKES and subtype not in _SCHEDULE:
            raise NotTakenError(f"subtype {subtype} is reserved")
        try:
            availability = tuple(heard.frame.all("nan_availability"))
            ndl.usable(availability)
        except DecodeError as exc:
            raise NotTakenError(f"malformed availability: {exc}") from exc
        if subtype in self.TAKES:
            step = ndp_frames.read(heard.frame)
            getattr(self, self.TAKES[subtype])(heard, step, nmi, now)
            self._remember(nmi, step)
        self.take_schedule(heard, nmi, availability, now)

    def _repeated(self, heard: Heard, nmi: str) -> bool:
        """Whether it is the frame that was taken last, once more; its answer may go out again."""
        link = self.links.get(nmi)
        for path in () if link is None else link.every():
            if path.heard == heard.body:
                if self.settings.answer_repeats:
                    self._send_again(path)
                return True
        return False

    def _remember(self, nmi: str, step: Step) -> None:
        peer = self.station.peers.get(nmi)
        if peer is not None and step.ndpe is not None:
            peer.ndpe = step.ndpe

    def take_schedule(
        self, heard: Heard, nmi: str, availability: tuple[NanAvailability, ...], now: int
    ) -> None:
        """The Availability of a peer with a link, in whatever frame; in clear it counts only for who believes such."""
        link = self.links.get(nmi)
        if link is None or link.agreement is None:
            return
        trusted = self.settings.believe_unprotected or self._is_protected(heard)
        if trusted or not link.secured:
            self.renegotiate(nmi, availability, now)

    # Termination

    def _take_termination(self, heard: Heard, step: Step, nmi: str, now: int) -> None:
        link = self.links.get(nmi)
        path = None if link is None else link.path(step.setup.initiator_ndi, step.setup.ndp_id)
        if path is None or path.state in (State.ENDING, State.REFUSING):
            return
        words = f"ended by the peer, reason {step.setup.reason}"
        if self._is_doubtful(heard, path):
            if path.connected:
                raise NotTakenError("a termination in clear for a secure path")
            self._doubt(path, UNSPECIFIED, words, now)
            return
        path.reason = step.setup.reason if path.connected else UNSPECIFIED
        path.local, path.cause = False, words
        self.step(path, "terminated", now)

    def _send_termination(self, path: Path, now: int) -> None:
        """Not for a setup that has the name of a connected path: that one would end."""
        link = self.links[path.peer]
        if not path.connected and any(one.key == path.key for one in link.paths):
            self.step(path, "sent", now)
            return
        frame = ndp_build.termination(self.station, link, path)
        self._send(path, frame, TERMINATION.name, awaited=True)
