"""Why a phone does not find, pair or keep a device: rules of phones, each with its evidence and remedy.

One file per executed rule (`ib_04.py`, constant RULE, called "IB-04" as in the phone profiles); the others are rows
of `_documented.py`. A rule looks at a `Case` (observations and a phone) and gives verdicts; a simulated phone acts on
their `effect`, `explain` turns the same verdicts into findings. Nothing here knows a stack or a file format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from protocols.errors import UnknownNameError
from protocols.registry import Folder
from sim.explain.observations import Device, Scene

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "PROFILES",
    "RULES",
    "Case",
    "Finding",
    "Rule",
    "Verdict",
    "View",
    "all_rules",
    "explain",
    "findings_of",
    "rule_of",
    "rules_on",
    "view_of",
]

Severity = Literal["error", "warning", "note"]
Status = Literal["executed", "documented", "not simulated"]
On = Literal["advert", "link", "app", "scene"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

PROFILES: dict[str, tuple[str, ...]] = {
    "ios-ble": ("18.2", "18.7.2", "26.0", "26.1"),
    "ios-ask": ("18.2", "18.7.2", "26.0", "26.1"),
    "android-ble": ("14", "15", "16", "17"),
}
"""Phone profile -> its versions, the newest last."""
GROUPS = {"ios": ("ios-ble", "ios-ask"), "android": ("android-ble",)}


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

    def since(self, version: str) -> bool:
        """Whether this phone runs `version` or a newer one."""
        known = PROFILES[self.profile]
        return known.index(self.version) >= known.index(version)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule looks at."""

    view: View
    scene: Scene
    device: Device = msgspec.field(default_factory=lambda: Device(""))
    """empty for rules about the app and about several devices."""

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
    """what a simulated phone does: `drop`, `hide:FIELD`, `refuse`, `scale`, `crash`, `no_discovery`, `error:CODE`."""
    frames: tuple[int, ...] = ()
    device: str = ""
    """address, from rules about several devices."""
    remedy: str = ""
    """better than the rule's own, in this case."""


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


class Rules(Folder[Rule]):
    """The rule files of this folder; names are the IDs of the phone profiles."""

    _FILE = re.compile(r"([a-z]{2})_(\d+[a-z]?)")

    def files(self) -> list[Path]:
        """Files named like an ID; the others are the machinery."""
        return [file for file in super().files() if self._FILE.fullmatch(file.stem)]

    def get(self, name: str) -> Rule:
        """The rule called `name` in any case, or in the Python file at that path."""
        return super().get(name if name.endswith(".py") else name.lower())

    def _shown(self, stem: str) -> str:
        letters, _, number = stem.partition("_")
        return f"{letters.upper()}-{number}"


RULES = Rules("sim.explain", "RULE", "rule")


def all_rules() -> dict[str, Rule]:
    """Every rule by ID, executed or not, in the order of the IDs."""
    from sim.explain._documented import DOCUMENTED  # a table that only listings need

    found = {rule.id: rule for _, rule in RULES} | {rule.id: rule for rule in DOCUMENTED}
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def rule_of(name: str) -> Rule:
    """The rule of that ID. Raises UnknownNameError."""
    known = all_rules()
    rule = known.get(name) or known.get(name.upper())
    if rule is None:
        raise UnknownNameError("rule", name, known)
    return rule


def _order(identifier: str) -> tuple[str, int, str]:
    letters, _, number = identifier.partition("-")
    digits = re.match(r"\d+", number)
    return letters, int(digits.group()) if digits else 0, number


def view_of(text: str) -> tuple[View, ...]:
    """Views for `--phone PROFILE[@VERSION]`; `ios` and `android` mean all their profiles. Raises UnknownNameError."""
    name, _, version = text.partition("@")
    if name not in PROFILES and name not in GROUPS:
        raise UnknownNameError("phone profile", name, [*PROFILES, *GROUPS])
    views: list[View] = []
    for profile in GROUPS.get(name, (name,)):
        if version and version not in PROFILES[profile]:
            raise UnknownNameError(f"version of {profile}", version, PROFILES[profile])
        views.append(View(profile=profile, version=version or PROFILES[profile][-1], asked=True))
    return tuple(views)


def rules_on(subject: On, view: View, *, simulated: bool = False) -> list[Rule]:
    """The rules with a judge about `subject`. A simulated phone acts on those it keeps; a diagnosis looks for all of
    them, because a real phone does what it does.
    """
    return [
        rule
        for _, rule in RULES
        if rule.on == subject
        and view.profile in rule.profiles
        and rule.judge
        and (rule.enabled(view) if simulated else rule.id not in view.off)
    ]


def findings_of(rule: Rule, case: Case) -> list[Finding]:
    """What one rule finds in one case."""
    if rule.judge is None:
        return []
    return [_finding(rule, case, verdict) for verdict in rule.judge(case)]


def _finding(rule: Rule, case: Case, verdict: Verdict) -> Finding:
    return Finding(
        rule=rule.id,
        severity=verdict.severity,
        title=rule.title,
        phone=case.view.profile,
        device=verdict.device or case.device.address,
        frames=tuple(sorted(set(verdict.frames))),
        evidence=verdict.evidence,
        why=rule.statement,
        remedy=verdict.remedy or rule.remedy,
        source=rule.source,
        confidence=rule.confidence,
        stories=rule.stories,
    )


def explain(scene: Scene, views: Iterable[View] = ()) -> list[Finding]:
    """Findings for every phone in `views` (all profiles when none is given), worst first.

    A device nobody connected to, in a scene where another one works, is a bystander: what keeps a phone from
    finding it is a warning there, unless the app's wish or the phone is known.
    """
    chosen = list(views) or [
        View(profile=name, version=versions[-1]) for name, versions in PROFILES.items()
    ]
    found: list[Finding] = []
    for view in chosen:
        for subject in ("app", "scene"):
            case = Case(view=view, scene=scene)
            for rule in rules_on(subject, view):
                found += findings_of(rule, case)
        found += _of_devices(view, scene)
    return sorted(
        found, key=lambda one: (SEVERITIES.index(one.severity), _order(one.rule), one.device)
    )


def _of_devices(view: View, scene: Scene) -> list[Finding]:
    found: list[Finding] = []
    on_advert, on_link = rules_on("advert", view), rules_on("link", view)
    for device in scene.devices.values():
        case = Case(view=view, scene=scene, device=device)
        if device.sights:
            seen = [one for rule in on_advert for one in findings_of(rule, case)]
            is_bystander = scene.works and not device.connections and not case.certain
            found += [_lowered(one) for one in seen] if is_bystander else seen
        if device.connections:
            found += [one for rule in on_link for one in findings_of(rule, case)]
    return found


def _lowered(finding: Finding) -> Finding:
    if finding.severity != "error":
        return finding
    return msgspec.structs.replace(finding, severity="warning")
