"""What a phone knows of Wi-Fi Aware from its own receptions: observations, and what the rules say about them.

The observations are those of a capture's reader (`sim.explain.aware_source`), the rules those of `sim.explain`; what
has an effect is carried out by the phone. Rules of the file: nothing is decided here, no maker is known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sim.explain import Case, rules_on
from sim.explain.aware_observations import AwareDevice, Service, Sighting
from sim.explain.aware_source import AwareSource
from sim.explain.aware_source import Heard as Observed
from sim.explain.observations import Scene
from sim.phones._judged import Judgement

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.heard import Outgoing
    from sim.explain import On, View
    from sim.explain.app import App
    from sim.explain.aware_pairs import Pair

__all__ = ["LOST", "AwareHearing", "exchange_of", "remedy_of"]

LOST = "NB-18"
"""Rule about frames that nobody acknowledged: where it holds, silence needs no other cause."""

_MOST_OWN = 256
"""Own frames that are remembered until they are given up."""
_SEVERITIES = ("error", "warning", "note")


class AwareHearing:
    """What one phone has heard and sent."""

    def __init__(self, view: View, app: Callable[[], App]) -> None:
        """`view`: rules that the phone keeps; `app`: what its app asks for at the moment."""
        self.view = view
        self.nmi = ""
        """own address, the last one when the radio is off."""
        self._app = app
        self._scene = Scene(source="phone")
        self._source = AwareSource(self._scene)
        self._number = 0
        self._own: dict[int, int] = {}
        """own frame that may still be acknowledged -> its number here."""

    # Frames

    def note(self, octets: bytes, now: int, rssi_dbm: int | None) -> int:
        """Take a frame in; its number."""
        self._number += 1
        self._scene.end_us = now
        self._source.frame(Observed(self._number, now, octets, rssi_dbm))
        return self._number

    def sent(self, out: Outgoing, now: int) -> None:
        """Take in an own frame that goes on the air."""
        if len(self._own) >= _MOST_OWN:
            del self._own[next(iter(self._own))]
        self._own[out.number] = self.note(out.clear, now, None)

    def lost(self, number: int) -> None:
        """Nobody acknowledged that own frame."""
        self._scene.aware.deliveries.gave_up(self._own.pop(number, 0))

    def learn(self, name: str, value: str) -> None:
        """A key that the phone has (hex): frames that it opens are looked into."""
        self._source.learn(name, value)

    # What is known

    def pair_with(self, nmi: str) -> Pair | None:
        """What was said between the phone and a peer."""
        return self._scene.aware.pairs.get((min(self.nmi, nmi), max(self.nmi, nmi)))

    @property
    def scene(self) -> Scene:
        """All of it."""
        return self._scene

    # Rules

    def judge(
        self, subject: On, scene: Scene | None = None, view: View | None = None, **about: Any
    ) -> list[Judgement]:
        """Verdicts of all rules (of another `view`) about `subject` that are switched on; `about` are fields of the case."""
        seen, kept = scene or self._scene, view or self.view
        seen.app = self._app()
        case = Case(view=kept, scene=seen, phones=frozenset((self.nmi,)), **about)
        return [
            Judgement(rule.id, verdict)
            for rule in rules_on(subject, kept, simulated=True)
            if rule.judge is not None
            for verdict in rule.judge(case)
        ]

    def judge_publish(
        self, nmi: str, service_id: str, instance: int, view: View | None = None
    ) -> list[Judgement]:
        """What the rules say about the latest publish of a service, the rest of its sender aside."""
        key = ("publish", service_id, instance)
        device = self._scene.aware.devices.get(nmi)
        service = None if device is None else device.services.get(key)
        if device is None or service is None:
            return []
        now = Service(
            kind="publish",
            service_id=service_id,
            instance=instance,
            offers={service.latest: Sighting()},
        )
        alone = AwareDevice(nmi, dcea_in=device.dcea_in, services={key: now})
        return self.judge("aware_service", view=view, aware=alone, service=now)

    def surroundings(self, now: int) -> list[Judgement]:
        """What the rules say about all devices around: who changed its address, who shares no service."""
        scene = msgspec.structs.replace(self._scene, source="wifi", end_us=now)
        return self.judge("scene", scene)

    def causes(self, nmi: str, now: int) -> list[Judgement]:
        """Why something with a peer came to nothing, the likeliest first.

        What explains that it is not there any more comes before the rules about what was said, and by whom.
        """
        scene = msgspec.structs.replace(self._scene, source="wait", end_us=now)
        pair = self.pair_with(nmi)
        gone = [one for one in self.surroundings(now) if nmi in one.verdict.evidence]
        found: list[Judgement] = []
        if pair is not None:
            found += self.judge("aware_pairing", scene, pair=pair)
            if pair.paths:
                found += self.judge("aware_data_path", scene, pair=pair, path=pair.paths[-1])
        bad = [one for one in found if one.verdict.severity != "note"]
        bad.sort(key=lambda one: (one.rule != LOST, _SEVERITIES.index(one.verdict.severity)))
        return gone + bad


def exchange_of(pair: Pair, number: int) -> set[int]:
    """Frames of the exchange that frame `number` belongs to."""
    exchanges = [one.frames for one in pair.bootstraps] + [one.frames for one in pair.pasns]
    return next((set(some) for some in exchanges if number in some), {number})


def remedy_of(causes: list[Judgement]) -> dict[str, str]:
    """What to do about the likeliest of `causes`, as a detail of an event, when that is a lost frame; else nothing."""
    first = causes[0] if causes else None
    return {"remedy": first.verdict.remedy} if first is not None and first.rule == LOST else {}
