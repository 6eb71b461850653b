"""The side of a data path that is asked: which requests it lets through, its answer, what it does with M3.

Wi-Fi Aware 4.0, NDP; digest 5.4 and 5.5, digest of pairing 9.4 and 9.5, IA-57, IA-62. Base of the engine in
`datapath.py`. M1 is sent by anybody: nothing is kept of it beyond one setup per peer and `max_setups` in all, and no
standing path ends by it unless a setting says so. No clock, no IO; chance is `Station.draw`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from protocols.wifi_aware import ndl, ndp_build, ndp_checks, ndp_frames, ndp_security
from protocols.wifi_aware.events import DataPathRequested
from protocols.wifi_aware.heard import octets_of
from protocols.wifi_aware.ndp_frames import INSTALL, RESPONSE, NotTakenError, Step
from protocols.wifi_aware.ndp_machine import UNSPECIFIED
from protocols.wifi_aware.ndp_path import Agreement, Link, Path, State
from protocols.wifi_aware.ndp_setup import (
    AVAILABILITY,
    NDL_UNACCEPTABLE,
    PARAMETERS,
    POLICY,
    RESOURCES,
    SHARED_KEY,
    Arguments,
    Credential,
    PathWish,
    Setups,
    max_idle_of,
    sequence_of,
)
from protocols.wifi_aware.station import RefusedError
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.heard import Heard
    from protocols.wifi_aware.ndp_security import Terms
    from protocols.wifi_aware.peers import Service

__all__ = ["Responder"]

_NDC_ID = 6


class Responder(Setups):
    """Answering requests for paths."""

    def answer(
        self,
        peer: str,
        initiator_ndi: str,
        ndp_id: int,
        *,
        handle: int,
        accept: bool = True,
        reason: int = 0,
        now: int,
        **wish: Unpack[PathWish],
    ) -> None:
        """Accept a data path that was requested, or refuse it for a reason (10: NDP rejected).

        `handle` is the own publish instance; the rest is as in `request`. Raises RefusedError.
        """
        given = Arguments(handle=handle, **wish)
        self._count_command()
        service = self._service(given)
        link, path = self._in_setup(peer, initiator_ndi, ndp_id, State.ASKED)
        path.own, path.own_ndi = given.additions, given.ndi or self.station.settings.ndi
        if accept:
            self._accept(link, path, service, given, now)
        else:
            self._refuse(path, reason, "the application refuses", now, by_application=True)

    def _accept(self, link: Link, path: Path, service: Service, given: Arguments, now: int) -> None:
        credential = self._answering(path, service, given)
        path.gtk_csid = given.gtk_csid if credential.csid else 0
        self._gtk(path.gtk_csid)
        if path.negotiates:
            link.sequence = self.station.availability_sequence
        if credential.csid and not self._take_request(path, credential, service):
            self._refuse(path, PARAMETERS, "M1 has another ND-PMKID: the keys differ", now)
        elif path.negotiates:
            self._agree(link, path, now)
        else:
            self._let_in(path, now)

    def _answering(self, path: Path, service: Service, given: Arguments) -> Credential:
        """What a request is answered with: its suite, and the key for it."""
        paired = self._is_paired(path.peer)
        if not paired and given.csid and given.csid != path.csid:
            asked = f"suite {path.csid}" if path.csid else "an open path"
            raise RefusedError(
                f"{path.peer} asked for {asked}, not for suite {given.csid}: refuse it"
            )
        found = self._credential(path.peer, service, path.csid, given)
        return found._replace(csid=path.csid)

    def _refuse(
        self, path: Path, reason: int, cause: str, now: int, *, by_application: bool = False
    ) -> None:
        path.reason, path.cause, path.by_application = reason, cause, by_application
        self.step(path, "refuse", now)

    # M1

    def _take_m1(self, heard: Heard, step: Step, nmi: str, now: int) -> None:
        terms = ndp_checks.request(step, self.station.services)
        self._check_ndi(nmi, step.setup.initiator_ndi)
        nonce = ndp_security.nonce_of(step)
        link = self.links.get(nmi) or Link(peer=nmi)
        if nonce and any(one.m1_nonce == nonce for one in link.paths):
            raise NotTakenError("a replay of the M1 of a connected path")
        self._make_room(link, now)
        path = self._path_of(step, terms, nmi)
        path.in_clear = heard.frame.source == nmi and not self._is_protected(heard)
        path.m1_nonce = nonce
        path.negotiates = step.ndl is not None or link.agreement is None
        path.replaces = self._replaced(link, path)
        reason, cause = self._objection(path, step, link)
        self._taken(path, heard)
        self.links[nmi] = link
        link.setup = path
        if reason:
            self._refuse(path, reason, cause, now)
            return
        if self.settings.reinitiation == "replace_at_once":
            for old in path.replaces:
                self._drop(old, "its peer starts anew", now, local=False)
        self.step(path, "requested", now)

    def _path_of(self, step: Step, terms: Terms | None, nmi: str) -> Path:
        setup = step.setup
        path = Path(
            peer=nmi,
            initiator=False,
            initiator_ndi=setup.initiator_ndi,
            ndp_id=setup.ndp_id,
            token=setup.dialog_token,
            publish_id=0 if setup.publish_id is UNSET else setup.publish_id,
            own_ndi=self.station.settings.ndi,
            peer_ndi=setup.initiator_ndi,
            confirm_required=setup.confirm_required,
            ndpe=ndp_checks.is_ndpe(step),
            asked=step.additions,
            request=step,
        )
        if terms is not None:
            path.csid, path.pmkid = terms.csid, terms.pmkid
            path.peer_gtk_csid, path.peer_group_support = terms.gtk_csid, terms.group_support
        return path

    def _make_room(self, link: Link, now: int) -> None:
        """Raises NotTakenError when there is no room for one more setup."""
        if link.setup is not None:
            self._clear_setup(link, link.setup, now)
        others = sum(one.setup is not None for one in self.links.values())
        if others >= self.settings.max_setups:
            raise NotTakenError(f"{others} setups are open")

    def _clear_setup(self, link: Link, open_one: Path, now: int) -> None:
        """Make an open setup give way to a request. Raises NotTakenError when it does not."""
        lower = octets_of(self.station.nmi) < octets_of(link.peer)
        own = open_one.initiator and open_one.state is State.REQUESTED
        if own and lower and self.settings.simultaneous == "lower_gives_way":
            open_one.reason, open_one.local = UNSPECIFIED, True
            open_one.cause = "gave way to the peer's request"
            self.step(open_one, "gives way", now)
            return
        if open_one.initiator or not self.settings.reinitiation.startswith("replace"):
            raise NotTakenError("another setup with this peer is open")
        self._drop(open_one, "its peer starts anew", now, local=False)

    def _replaced(self, link: Link, path: Path) -> list[Path]:
        """Paths that this one is in place of."""
        replaces = self.settings.reinitiation.startswith("replace")
        same_ndi = [one for one in link.paths if one.initiator_ndi == path.initiator_ndi]
        return [one for one in same_ndi if replaces or one.key == path.key]

    def _objection(self, path: Path, step: Step, link: Link) -> tuple[int, str]:
        """Reason and words with which a request is refused before the application hears of it; 0: it may pass."""
        objection = self._policy_objection(path)
        if objection:
            return POLICY, objection
        if self._is_full() and not path.replaces:
            return RESOURCES, f"{self.settings.max_paths} data paths are open"
        if link.paths and self.settings.reinitiation == "reject":
            return RESOURCES, "this peer has a data path"
        if path.negotiates and step.ndl is None:
            return NDL_UNACCEPTABLE, "it takes an NDL for granted that does not stand here"
        outside = ndl.uncovered(step.offer) if path.negotiates else ""
        if outside:
            path.verdict = ndl.Verdict(ndl.REJECTED, AVAILABILITY, outside)
            return NDL_UNACCEPTABLE, f"its {outside} is not inside its availability"
        return 0, ""

    def _policy_objection(self, path: Path) -> str:
        peer = self.station.peers.get(path.peer)
        if peer is not None and peer.paired:
            allowed = (peer.csid, SHARED_KEY.get(peer.csid, 0))
            return "" if path.csid in allowed else f"suite {path.csid} is not that of the pairing"
        if self.settings.policy == "paired":
            return "only paired peers get a data path"
        if path.csid in SHARED_KEY:
            return f"suite {path.csid} needs a pairing"
        return "" if path.csid or self.settings.policy == "any" else "an open data path"

    def _ask(self, path: Path, now: int) -> None:
        self.station.emit(
            DataPathRequested(
                peer=path.peer,
                initiator_ndi=path.initiator_ndi,
                ndp_id=path.ndp_id,
                publish_id=path.publish_id,
                csid=path.csid,
                pmkid=path.pmkid.hex(),
                ndp_status=ndl.CONTINUED,
                ndl_status=ndl.CONTINUED if path.negotiates else ndl.ACCEPTED,
                service_info=path.asked.service_info.hex(),
            )
        )

    # M2

    def _take_request(self, path: Path, credential: Credential, service: Service) -> bool:
        """Begin the handshake with the M1 that waited; False when its ND-PMKID is another."""
        asked = path.pmkid
        handshake = self._begin_handshake(path, credential, service)
        if path.request is not None:
            found = handshake.take_m1(path.request, path.heard)
            path.peer_gtk_rsc = found.key_rsc
        if path.pmkid != asked:
            return False
        handshake.derive((path.initiator_ndi, path.own_ndi))
        self._tell_keys(path)
        return True

    def _agree(self, link: Link, path: Path, now: int) -> None:
        """Accept, counter or refuse by the schedules."""
        request = path.request
        if request is None:
            return
        own, peer = ndp_frames.own_offer(self.station.settings), request.offer
        path.verdict = ndl.evaluate(own, peer)
        if path.verdict.status == ndl.REJECTED:
            self._refuse(path, NDL_UNACCEPTABLE, f"NDL: {path.verdict.check}", now)
            return
        if request.ndc is not None:
            path.ndc_id = bytes.fromhex(request.ndc.ndc_id)
        elif self.station.settings.ndc:
            path.ndc_id = self.station.draw("ndc_id", _NDC_ID)
        path.agreement = Agreement(
            ndc_id=path.ndc_id,
            ndc=ndl.scheduled(own.ndc or peer.ndc or ()),
            own=own,
            peer=peer,
            peer_max_idle=max_idle_of(request.ndl),
        )
        link.peer_sequence = sequence_of(request)
        self._let_in(path, now)

    def _let_in(self, path: Path, now: int) -> None:
        countered = path.verdict is not None and path.verdict.status == ndl.CONTINUED
        goes_on = path.confirm_required or path.csid or countered
        self.step(path, "accept" if goes_on else "accept at once", now)

    def _send_response(self, path: Path, now: int) -> None:
        frame = ndp_build.response(self.station, self.settings, self.links[path.peer], path)
        path.answered = path.own
        self._send(path, frame, RESPONSE.name, awaited=path.state is State.FINISHING)

    def _send_refusal(self, path: Path, now: int) -> None:
        path.local = True
        link = self.links[path.peer]
        frame = ndp_build.refusal(self.station, link, path, by_application=path.by_application)
        self._send(path, frame, RESPONSE.name, awaited=True)

    # M3

    def _take_m3(self, heard: Heard, step: Step, nmi: str, now: int) -> None:
        _, path = self._setup_for(nmi, step, State.ANSWERED, initiator=False)
        cause = ndp_checks.confirm(path, step)
        if cause == "counter refused":
            self._take_counter_refusal(heard, path, step, now)
            return
        if path.handshake is not None:
            found, kdes = path.handshake.take_m3(step, heard.frame, heard.body)
            self._keep_group_keys(heard, path, kdes, found.key_rsc)
        self._taken(path, heard)
        self.step(path, cause, now)

    def _take_counter_refusal(self, heard: Heard, path: Path, step: Step, now: int) -> None:
        reason, words = step.setup.reason, "the peer turned the other schedule down"
        if self._is_doubtful(heard, path):
            self._doubt(path, reason, words, now)
            return
        path.reason, path.local, path.cause = reason, False, words
        self.step(path, "counter refused", now)

    def _send_install(self, path: Path, now: int) -> None:
        kdes = self._own_kdes(path)
        frame = ndp_build.install(self.station, self.links[path.peer], path, kdes=kdes)
        self._send(path, frame, INSTALL.name, awaited=True)
