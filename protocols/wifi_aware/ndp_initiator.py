"""The side of a data path that asks: its commands, what it does with M2 and M4, the frames it sends.

Wi-Fi Aware 4.0, NDP; digest 5.3 and 5.5, digest of pairing 9.4 and 9.5. Base of the engine in `datapath.py`. No clock,
no IO; chance is `Station.draw`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import msgspec

from protocols.wifi_aware import ndl, ndp_build, ndp_checks, ndp_frames
from protocols.wifi_aware.events import DataPathCountered
from protocols.wifi_aware.ndp_frames import CONFIRM, REQUEST, Step
from protocols.wifi_aware.ndp_path import Agreement, Link, Path, State
from protocols.wifi_aware.ndp_setup import (
    NDL_UNACCEPTABLE,
    Arguments,
    PathWish,
    Setups,
    max_idle_of,
    sequence_of,
)
from protocols.wifi_aware.station import RefusedError
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.heard import Heard

__all__ = ["Initiator"]

_NDP_IDS = 255
_NDC_ID = 6


class Initiator(Setups):
    """Asking for paths."""

    _ndp_id = 0

    def request(
        self,
        peer: str,
        handle: int,
        publish_id: int,
        *,
        now: int,
        **wish: Unpack[PathWish],
    ) -> int:
        """Ask a publisher for a data path; its NDP ID.

        `handle` is the own subscription. `csid` 0: open, 1 and 2 with a passphrase or an ND-PMK of 32 octets; a
        paired peer gets the suite and the key of the pairing. `gtk_csid` 5 or 6 offers a GTK. Raises RefusedError.
        """
        return self._request(peer, publish_id, Arguments(handle=handle, **wish), now)

    def rekey(self, peer: str, initiator_ndi: str, ndp_id: int, now: int) -> int:
        """Set up a connected path of this side's anew, on the same NDIs with the same arguments; its new NDP ID.

        Once it stands there are new keys, and the old path is terminated. Raises RefusedError.
        """
        link = self.links.get(peer)
        old = None if link is None else link.path(initiator_ndi, ndp_id)
        if link is None or old is None or old.state is not State.CONNECTED or old.given is None:
            raise RefusedError(
                f"no connected data path {ndp_id} of {initiator_ndi} that this side asked {peer} for"
            )
        renewed = self._request(peer, old.publish_id, old.given, now)
        if link.setup is not None:
            link.setup.replaces = [old]
        return renewed

    def accept_counter(self, peer: str, initiator_ndi: str, ndp_id: int, now: int) -> None:
        """Take the schedule that the responder proposed. Raises RefusedError."""
        _, path = self._in_setup(peer, initiator_ndi, ndp_id, State.COUNTERED)
        self.step(path, "accept secure" if path.csid else "accept", now)

    def reject_counter(self, peer: str, initiator_ndi: str, ndp_id: int, now: int) -> None:
        """Turn the schedule down that the responder proposed: the setup ends. Raises RefusedError."""
        _, path = self._in_setup(peer, initiator_ndi, ndp_id, State.COUNTERED)
        path.cause = "the application turned the other schedule down"
        self.step(path, "reject", now)

    # M1

    def _request(self, peer: str, publish_id: int, given: Arguments, now: int) -> int:
        self._count_command()
        service = self._service(given)
        link = self._free_link(peer)
        credential = self._credential(peer, service, given.csid, given)
        ndi = given.ndi or self.station.settings.ndi
        path = Path(
            peer=peer,
            initiator=True,
            initiator_ndi=ndi,
            ndp_id=self._next_ndp_id(link, ndi),
            token=self.station.next_token(),
            publish_id=publish_id,
            own_ndi=ndi,
            csid=credential.csid,
            gtk_csid=given.gtk_csid if credential.csid else 0,
            confirm_required=self.settings.confirm_required,
            ndpe=self._speaks_ndpe(peer),
            own=given.additions,
            asked=given.additions,
            negotiates=link.agreement is None,
            given=given,
        )
        self._gtk(path.gtk_csid)
        if path.negotiates:
            link.sequence = self.station.availability_sequence
            path.ndc_id = self.station.draw("ndc_id", _NDC_ID) if self.station.settings.ndc else b""
        if credential.csid:
            self._begin_handshake(path, credential, service)
        self.links[peer] = link
        link.setup = path
        self.step(path, "request", now)
        return path.ndp_id

    def _free_link(self, peer: str) -> Link:
        """The link with a peer, nothing being set up on it."""
        link = self.links.get(peer) or Link(peer=peer)
        if link.setup is not None:
            raise RefusedError(f"a data path with {peer} is being set up: wait for its end")
        if self._is_full():
            raise RefusedError(f"{self.settings.max_paths} data paths are open: end one first")
        return link

    def _next_ndp_id(self, link: Link, ndi: str) -> int:
        for _ in range(_NDP_IDS):
            self._ndp_id = self._ndp_id % _NDP_IDS + 1
            if link.path(ndi, self._ndp_id) is None:
                return self._ndp_id
        raise RefusedError(f"{_NDP_IDS} data paths with {link.peer} are open: end one first")

    def _speaks_ndpe(self, nmi: str) -> bool:
        peer = self.station.peers.get(nmi)
        return self.station.settings.ndpe and (peer is None or peer.ndpe is not False)

    def _send_request(self, path: Path, now: int) -> None:
        frame = ndp_build.request(self.station, self.settings, self.links[path.peer], path)
        self._send(path, frame, REQUEST.name)

    # M2

    def _take_m2(self, heard: Heard, step: Step, nmi: str, now: int) -> None:
        link, path = self._setup_for(nmi, step, State.REQUESTED, initiator=True)
        cause = ndp_checks.response(path, step)
        if cause == "refused":
            self._take_refusal(heard, path, step, now)
            return
        ndi = step.setup.responder_ndi
        path_ndi = "" if ndi is UNSET else ndi
        self._check_ndi(nmi, path_ndi)
        offered = self._judge_response(step) if path.negotiates else None
        self._take_keys(heard, step, path, path_ndi)
        self._taken(path, heard)
        path.peer_ndi, path.answered, path.doubted = path_ndi, step.additions, False
        if offered is not None:
            path.verdict, path.agreement = offered
            path.ndc_id = path.agreement.ndc_id
            link.peer_sequence = sequence_of(step)
            if path.verdict.status == ndl.REJECTED:
                cause, path.cause = "counter unacceptable", f"NDL: {path.verdict.check}"
        self.step(path, cause, now)

    def _take_keys(self, heard: Heard, step: Step, path: Path, ndi: str) -> None:
        """The security of M2. Raises NotTakenError."""
        if path.handshake is None:
            return
        terms = ndp_checks.response_terms(path, step)
        pair = (path.initiator_ndi, ndi)
        found = path.handshake.take_m2(step, heard.frame, heard.body, pair)
        path.peer_gtk_rsc = found.key_rsc
        path.peer_gtk_csid, path.peer_group_support = terms.gtk_csid, terms.group_support
        self._tell_keys(path)

    def _judge_response(self, step: Step) -> tuple[ndl.Verdict, Agreement]:
        """What the NDL of a response comes to: agreed, a counter-proposal that can be taken, or one that cannot."""
        own, peer = ndp_frames.own_offer(self.station.settings), step.offer
        verdict = ndl.Verdict(ndl.ACCEPTED, 0, "")
        if step.ndl is not None and step.ndl.status == ndl.CONTINUED:
            adopted = msgspec.structs.replace(own, ndc=peer.ndc)
            verdict = ndl.evaluate(adopted, peer, can_counter=False)
            if verdict.status == ndl.ACCEPTED:
                verdict = ndl.Verdict(ndl.CONTINUED, step.ndl.reason, "")
        agreed = Agreement(
            ndc_id=b"" if step.ndc is None else bytes.fromhex(step.ndc.ndc_id),
            ndc=ndl.scheduled(peer.ndc or ()),
            own=own,
            peer=peer,
            peer_max_idle=max_idle_of(step.ndl),
        )
        return verdict, agreed

    def _take_refusal(self, heard: Heard, path: Path, step: Step, now: int) -> None:
        reason = step.setup.reason if ndp_checks.is_refusal(step) else NDL_UNACCEPTABLE
        words = f"refused by the peer, reason {reason}"
        if self._is_doubtful(heard, path):
            self._doubt(path, reason, words, now)
            return
        path.reason, path.local, path.cause = reason, False, words
        self.step(path, "refused", now)

    # A counter-proposal, M3, M4

    def _ask_counter(self, path: Path, now: int) -> None:
        agreed, verdict = path.agreement, path.verdict
        self.station.emit(
            DataPathCountered(
                peer=path.peer,
                initiator_ndi=path.initiator_ndi,
                ndp_id=path.ndp_id,
                reason=0 if verdict is None else verdict.reason,
                ndc=ndl.bitmap_text(frozenset() if agreed is None else agreed.ndc),
            )
        )

    def _send_confirm(self, path: Path, now: int) -> None:
        kdes = self._own_kdes(path) if path.handshake is not None else b""
        frame = ndp_build.confirm(self.station, self.links[path.peer], path, kdes=kdes)
        self._send(path, frame, CONFIRM.name, awaited=path.state is State.FINISHING)

    def _refuse_counter(self, path: Path, now: int) -> None:
        path.local, path.reason = True, NDL_UNACCEPTABLE
        frame = ndp_build.confirm(self.station, self.links[path.peer], path, refused=True)
        self._send(path, frame, CONFIRM.name, awaited=True)

    def _take_m4(self, heard: Heard, step: Step, nmi: str, now: int) -> None:
        _, path = self._setup_for(nmi, step, State.CONFIRMED, initiator=True)
        cause = ndp_checks.install(path, step)
        if path.handshake is not None:
            found, kdes = path.handshake.take_m4(
                step, heard.frame, heard.body, same_nonce=self.settings.check_m4_nonce
            )
            self._keep_group_keys(heard, path, kdes, found.key_rsc)
        self._taken(path, heard)
        self.step(path, cause, now)
