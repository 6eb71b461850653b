"""What an iPhone makes of the Wi-Fi Aware frames it hears: what the rules keep from being shown, or answered.

Effects of rules are carried out on frames here: `drop`, `ignore` and `hide`; the others the phone carries out itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from protocols.wifi_aware import frames
from protocols.wifi_aware.heard import is_group
from protocols.wifi_aware.peer_facts import readable
from sim.explain.aware_parts import has_spoken
from sim.phones._aware_hearing import AwareHearing, exchange_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.heard import Heard
    from sim.explain.aware_observations import Offer
    from sim.phones._aware_ios_core import AwareIosCore
    from sim.phones._judged import Judgement

__all__ = ["PROFILE", "AwareView", "Published"]

PROFILE = "ios-aware"
_ASK = "ios-ask"
_PUBLISH = 0
_OTHER_NAME = "IA-25"
"""Rule about services that the phone does not look for."""
_NOT_HEARD = "NB-16"
"""Rule about frames that nobody acknowledges."""
_OLD_NIRA = "IA-55"
"""Rule about a NIRA that is seen at two addresses."""
_NOTHING = ("drop", "ignore")
"""Effects that keep a frame from the engines."""


class Published(NamedTuple):
    """A service that was just heard, and what the phone lets the app see of it."""

    nmi: str
    instance: int
    service_id: str
    offer: Offer
    refused: Judgement | None
    """what keeps it from being shown."""


class AwareView(AwareHearing):
    """What one phone has heard; `Tap` of its node."""

    def __init__(self, phone: AwareIosCore) -> None:
        super().__init__(phone.views[PROFILE], lambda: phone.app)
        self._phone = phone
        self._told: set[tuple[str, str, str]] = set()

    def heard(self, heard: Heard, now: int) -> bool:
        """Judge a frame; True: the phone does nothing about it."""
        number = self.note(heard.octets, now, heard.rssi_dbm)
        frame = heard.frame
        if isinstance(frame, frames.Sdf) and (is_group(frame.destination) or _publishes(frame)):
            return self._judge_services(frame)
        if isinstance(frame, frames.Sdf | frames.Authentication | frames.Protected):
            return self._judge_exchange(frame.source, number)
        return False

    # Services

    def _judge_services(self, frame: frames.Sdf) -> bool:
        """Tell the phone of each publish in a frame; True when one that it looks for is dropped."""
        if not self._phone.aware_app.subscribing:
            return False
        self._phone.recognise(frame)
        dropped = False
        for descriptor in readable(frame, "service_descriptor"):
            if descriptor.type != _PUBLISH:
                continue
            found = self._published(frame.source, descriptor.service_id, descriptor.instance_id)
            if found is None:
                continue
            if found.refused is not None:
                self._tell_refused(found, found.refused)
                wanted = found.refused.rule != _OTHER_NAME
                dropped |= wanted and found.refused.verdict.effect == "drop"
            self._phone.on_published(found)
        return dropped

    def _published(self, nmi: str, service_id: str, instance: int) -> Published | None:
        device = self.scene.aware.devices.get(nmi)
        key = ("publish", service_id, instance)
        if device is None or key not in device.services:
            return None
        phone = self._phone
        profiles = (PROFILE, _ASK) if phone.app.picker is not None else (PROFILE,)
        judged = [
            one
            for profile in profiles
            for one in self.judge_publish(nmi, service_id, instance, phone.views[profile])
            if one.verdict.effect in ("drop", "hide")
        ]
        judged.sort(key=lambda one: (one.rule != _OTHER_NAME, one.verdict.effect))
        offer = device.services["publish", service_id, instance].latest
        return Published(nmi, instance, service_id, offer, judged[0] if judged else None)

    def _tell_refused(self, found: Published, why: Judgement) -> None:
        key = (found.nmi, found.service_id, why.rule)
        if key in self._told:
            return
        self._told.add(key)
        verdict = why.verdict
        what = "dropped" if verdict.effect == "drop" else "not shown to the app"
        self._phone.emit(
            "not_shown",
            peer=self._phone.aware.name(found.nmi),
            note=f"heard, {what}: {verdict.short} ({why.rule})",
            label=f"not shown: {why.rule}",
            rule=why.rule,
            nmi=found.nmi,
            service_id=found.service_id,
            evidence=verdict.evidence,
        )

    def look_anew(self) -> None:
        """A new search: what is not shown is told again."""
        self._told.clear()

    # Exchanges

    def _judge_exchange(self, nmi: str, number: int) -> bool:
        """Carry out what the rules say about a message of a peer; True when it is not to be answered."""
        pair = self.pair_with(nmi)
        if pair is None:
            return False
        concerned = exchange_of(pair, number)
        acted = [
            one
            for one in self.judge("aware_pairing", pair=pair)
            if one.verdict.effect and concerned.intersection(one.verdict.frames)
        ]
        for one in acted:
            self._phone.on_message_judged(nmi, one)
        return any(one.verdict.effect in _NOTHING for one in acted)

    def causes(self, nmi: str, now: int) -> list[Judgement]:
        """As for every phone; before it what keeps others from hearing this one, or a silent one from understanding it."""
        found, pair = super().causes(nmi, now), self.pair_with(nmi)
        silent = pair is not None and not has_spoken(pair, nmi)
        own = self.own_peculiarities() if silent else []
        return [*self.unheard(), *(one for one in own if one.rule != _NOT_HEARD), *found]

    def unheard(self) -> list[Judgement]:
        """That what this phone sends is not acknowledged, when it is so."""
        return [one for one in self.own_peculiarities() if one.rule == _NOT_HEARD]

    def last_dbm(self, nmi: str) -> int | None:
        """How strong the latest frame of a device was."""
        device = self.scene.aware.devices.get(nmi)
        return device.rssi_dbm[-1] if device is not None and device.rssi_dbm else None

    def moved(self, nmis: Iterable[str]) -> list[Judgement]:
        """That one of these shows the NIRA of another address."""
        wanted = set(nmis)
        return [
            one
            for one in self.judge("scene")
            if one.rule == _OLD_NIRA and one.verdict.device in wanted
        ]

    def own_peculiarities(self) -> list[Judgement]:
        """What is wrong with this phone's own frames by the rules: why others may not understand, or hear, it."""
        own, radio = self.scene.aware.devices.get(self.nmi), self._phone.aware.radio
        if own is None:
            return []
        if radio is not None:
            own.unicast, own.retries = radio.sent_and_again
        found = self.judge("aware_device", aware=own)
        return [one for one in found if one.verdict.severity != "note"]


def _publishes(frame: frames.Sdf) -> bool:
    return any(one.type == _PUBLISH for one in readable(frame, "service_descriptor"))
