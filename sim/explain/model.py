"""What a rule is, and what it looks at: the phone (`View`), the `Case`, its verdicts and findings.

Types and the table of profiles; no rule, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from sim.explain.aware_observations import AwareDevice, Service
from sim.explain.aware_pairs import DataPath, Pair
from sim.explain.aware_phones import family_of, is_concerned
from sim.explain.observations import Device, Scene

__all__ = [
    "AWARE_PROFILES",
    "BASES",
    "BLE_PROFILES",
    "CONFIDENCE",
    "GROUPS",
    "PROFILES",
    "SEVERITIES",
    "Case",
    "Finding",
    "On",
    "Rule",
    "Severity",
    "Status",
    "Verdict",
    "View",
    "confidence_in_words",
]

Severity = Literal["error", "warning", "note"]
Status = Literal["executed", "documented", "not simulated"]
On = Literal[
    "advert", "link", "app", "scene",
    "aware_service", "aware_pairing", "aware_data_path", "aware_device",
]  # fmt: skip
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

PROFILES: dict[str, tuple[str, ...]] = {
    "ios-ble": ("18.2", "18.7.2", "26.0", "26.1"),
    "ios-ask": ("18.2", "18.7.2", "26.0", "26.1"),
    "android-ble": ("14", "15", "16", "17"),
    "ios-aware": ("26.0", "26.1", "26.4", "26.6", "27.0"),
    "android-aware": ("14", "15", "16", "17"),
    "android-s25-2025": ("15", "16"),
    "android-pixel9pro-17": ("17",),
    "android-pixel6a-17": ("17",),
}
"""Phone profile -> its versions, the newest last."""
BASES = {
    "android-s25-2025": "android-aware",
    "android-pixel9pro-17": "android-aware",
    "android-pixel6a-17": "android-aware",
}
"""Profile of one device -> the profile whose rules it keeps beside its own; judged when asked for by name."""
BLE_PROFILES = ("ios-ble", "ios-ask", "android-ble")
AWARE_PROFILES = ("ios-aware", "android-aware")
GROUPS = {
    "ios": ("ios-ble", "ios-ask", "ios-aware"),
    "android": ("android-ble", "android-aware"),
}


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The phone through whose eyes a case is seen."""

    profile: str
    version: str
    asked: bool = False
    """somebody wants to know about exactly this phone."""
    off: frozenset[str] = frozenset()
    """rules that are switched off."""
    on: frozenset[str] = frozenset()
    """rules that are off unless named here, and are."""
    options: dict[str, str] = {}
    """choices where the sources leave it open (`supervision_window`, `ibeacon`, ...)."""

    @property
    def base(self) -> str:
        """The profile whose rules it keeps; its own when it is no variant."""
        return BASES.get(self.profile, self.profile)

    def since(self, version: str) -> bool:
        """Whether this phone runs `version` or a newer one."""
        known = PROFILES[self.base]
        return known.index(self.version) >= known.index(version)

    def choice(self, option: str, default: str) -> str:
        """What was chosen where the sources leave it open."""
        return self.options.get(option, default)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule looks at."""

    view: View
    scene: Scene
    device: Device = msgspec.field(default_factory=lambda: Device(""))
    """empty for rules about the app and about several devices."""
    aware: AwareDevice = msgspec.field(default_factory=AwareDevice)
    service: Service = msgspec.field(default_factory=Service)
    """a service of `aware`."""
    pair: Pair = msgspec.field(default_factory=Pair)
    path: DataPath = msgspec.field(default_factory=DataPath)
    phones: frozenset[str] = frozenset()
    """NMIs that are known to be such phones."""

    @property
    def nmis(self) -> tuple[str, ...]:
        """The Wi-Fi Aware devices that it is about."""
        named = (self.aware.nmi, self.pair.a, self.pair.b, self.path.initiator, self.path.responder)
        return tuple(nmi for nmi in dict.fromkeys(named) if nmi)

    @property
    def concerns_phone(self) -> bool:
        """Whether such a phone has to do with it (see the package's header)."""
        if self.phones:
            return is_concerned(self.scene.aware, self.phones, self.nmis)
        app = self.scene.app.aware
        family = family_of(self.view.profile)
        return self.view.asked or (app is not None and family_of(app.profile) == family)

    @property
    def certain(self) -> bool:
        """Whether a lack is a failure: the app's wish is known, or this phone was asked for by name."""
        return self.scene.app.known or self.view.asked


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says about a case."""

    severity: Severity
    evidence: str
    """what was seen, with values."""
    short: str = ""
    """the same in a few words, for the phone's "heard, not shown to the app: ..."."""
    effect: str = ""
    """what a simulated phone does: `drop`, `hide:FIELD`, `refuse`, `scale`, `crash`, `no_discovery`, `error:CODE`; those
    of Wi-Fi Aware are in the package's header.
    """
    frames: tuple[int, ...] = ()
    device: str = ""
    """address, from rules about several devices."""
    remedy: str = ""
    """better than the rule's own, in this case."""


CONFIDENCE = {
    "D": ("documented", "the vendor or the standard says so"),
    "D†": ("attributed", "said to be in the source named; the page was not quoted"),
    "O": ("observed", "developers, issues and shipping code tell of it"),
    "I": ("inferred", "follows from others, nobody states it"),
}
"""Sign of a confidence -> word, and what it means."""


def confidence_in_words(signs: str) -> str:
    """The confidence of a rule with words for signs: "D / O" is "documented / observed"."""
    return re.sub(r"D†|\b[DOI]\b", lambda found: CONFIDENCE[found.group()][0], signs)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a phone."""

    id: str
    title: str
    statement: str
    source: str
    confidence: str
    status: Status = "executed"
    profiles: tuple[str, ...] = ()
    stories: tuple[str, ...] = ()
    remedy: str = ""
    default: bool = True
    """whether a simulated phone keeps it unless told otherwise."""
    switch: str = ""
    """why it is on or off by default, and the setting behind it."""
    versions: dict[str, str] = {}
    """version -> how it differs there."""
    on: On = "advert"
    causes: tuple[str, ...] = ()
    """rules of which this one may be the consequence: where they find something as well, that is told first."""
    judge: Callable[[Case], Iterable[Verdict]] | None = None
    """None: the phone itself carries it out, or nobody does."""

    def enabled(self, view: View) -> bool:
        """Whether `view` keeps the rule."""
        return self.id not in view.off and (self.default or self.id in view.on)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with everything a reader needs (contract, explain)."""

    rule: str
    severity: Severity
    title: str
    phone: str
    device: str
    frames: tuple[int, ...]
    evidence: str
    why: str
    remedy: str
    source: str
    confidence: str
    stories: tuple[str, ...]
