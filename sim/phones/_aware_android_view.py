"""What an Android makes of the Wi-Fi Aware frames it hears: rules that reject a request, hide a service, explain a failure.

Rules AA-xx. The framework rejects, the app is told; nothing is kept from the engines, whose settings say the same as the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware import frames
from protocols.wifi_aware.heard import is_group
from sim.explain.aware_pairs import REQUEST, DataPath, NdpStep
from sim.phones._aware_hearing import AwareHearing, exchange_of

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from protocols.wifi_aware.heard import Heard
    from sim.phones._aware_android import AwareAndroid
    from sim.phones._judged import Judgement

__all__ = ["REJECT", "AndroidView"]

REJECT = "reject:"
"""What an effect begins with that is answered with a reason code."""


class AndroidView(AwareHearing):
    """`Tap` of an Android's node."""

    def __init__(self, phone: AwareAndroid) -> None:
        super().__init__(phone.views[phone.aware_profile], lambda: phone.app)
        self._phone = phone
        self._told: set[tuple[str, int]] = set()

    def heard(self, heard: Heard, now: int) -> bool:
        """Judge a frame; nothing is kept from the engines."""
        number = self.note(heard.octets, now, heard.rssi_dbm)
        frame = heard.frame
        if isinstance(frame, frames.Header) and not is_group(frame.destination):
            self._judge_exchange(frame.source, number)
        return False

    def _judge_exchange(self, nmi: str, number: int) -> None:
        """Tell which rule rejects a message of a peer, once."""
        pair = self.pair_with(nmi)
        if pair is None:
            return
        concerned = exchange_of(pair, number)
        for one in self.judge("aware_pairing", pair=pair):
            verdict = one.verdict
            key = (one.rule, min(verdict.frames, default=0))
            if not verdict.effect.startswith(REJECT) or key in self._told:
                continue
            if concerned.intersection(verdict.frames):
                self._told.add(key)
                self._phone.on_rejected(nmi, one)

    def hidden(self, event: ev.Discovered, service_id: str) -> Judgement | None:
        """The rule that keeps a service from the app, None when it is shown."""
        found = self.judge_publish(event.peer, service_id, event.publish_id)
        return next((one for one in found if one.verdict.effect in ("drop", "hide")), None)

    def path_rejected(self, event: ev.DataPathRequested) -> Judgement | None:
        """The rule that rejects a data path, None when there is none."""
        found = self.judge("aware_data_path", path=self._path(event))
        return next((one for one in found if one.verdict.effect.startswith(REJECT)), None)

    def _path(self, event: ev.DataPathRequested) -> DataPath:
        """A data path that was asked for, as it was heard; by its event when it was encrypted and not looked into."""
        key = (event.peer, event.initiator_ndi, event.ndp_id)
        for path in reversed(self.scene.aware.paths):
            if (path.initiator, path.initiator_ndi, path.number) == key:
                return path
        suites = (event.csid,) if event.csid else None
        asked = NdpStep(t_us=self.scene.end_us, frame=0, sender=event.peer, type=REQUEST, suites=suites)  # fmt: skip
        return DataPath(
            initiator=event.peer,
            responder=self.nmi,
            initiator_ndi=event.initiator_ndi,
            number=event.ndp_id,
            is_secure=bool(event.csid),
            steps=[asked],
        )
