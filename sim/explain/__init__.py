"""Why a phone does not find, pair or keep a device: rules of phones, each with its evidence and remedy.

One file per executed rule (`ib_04.py`, constant RULE, called "IB-04" as in the phone profiles); the others are rows
of `_documented*.py`. A rule looks at a `Case` (observations and a phone) and gives verdicts; a simulated phone acts on
their `effect`, `explain` turns the same verdicts into findings. Nothing here knows a stack or a file format.

How a simulated phone asks about Wi-Fi Aware: it describes what it just met with the structs of `aware_observations`
and `aware_pairs`, puts its app into the scene, and calls every judge of the subject:

    scene = Scene(source="phone", app=App(known=True, aware=AwareApp(profile="ios-aware", ...)))
    case = Case(view=view, scene=scene, aware=AwareDevice(nmi), service=Service(...), phones=frozenset({own_nmi}))
    for rule in rules_on("aware_service", view, simulated=True): rule.judge(case) -> verdicts

| Subject | Fields of the case | Effects to act on |
|---|---|---|
| `aware_service` (a publish or subscribe heard) | `aware`, `service` with the offer heard | `drop`, `hide` |
| `aware_pairing` (bootstrapping, PASN, identity keys with a peer) | `pair`; both devices in `scene.aware.devices` | `reject:REASON`, `ignore`, `drop`, `no_pin`, `fail` |
| `aware_data_path` (a request, response, end) | `path`, `pair` where there is one | `reject:REASON`, `ignore`, `fail` |
| `aware_device` (everything about one address) | `aware` | `error:NAME` (about the phone itself) |
| `app` (what an app declares and asks for) | `scene.app.aware` | `crash`, `error:NAME`, `silent` |

A verdict without effect is for people. What the phone did not do yet (an answer of its own) is not in the case; a
response already given ends most rules. Rules on time (20 s and the like) look at the times of the messages given.
Choices that the sources leave open are `View.options`: `npba_bit`, `tcp_names`, `key_lifetime`, `descriptor_role`,
`pairing_supported`; the rule's `switch` names values and default. The phone puts each change of its `App` into the
trace (field `app`, `aware.profile` filled in), so that a trace knows which node is which phone.

When is a finding about a phone an error? When that phone was asked for by name (or its app is known) and no device
of the capture is known to be such a phone; or when one is known (`aware_phones`) and has to do with the device.
Otherwise the error is lowered to a warning: a capture of two other devices is no failure of an iPhone. It stays an
error when nobody is known to be a phone and the device got nowhere with anybody: an accessory that only publishes is
judged for the phones it is to meet. Failures that a phone of a run named itself (`sayings`) are errors, unless it got over them. Rules called
NB judge what is visible of an exchange, whatever the phone; they are errors where the exchange failed. A capture file
says no more than it holds: an exchange that it ends in counts as unanswered, and the evidence says how much of the
capture was left; in a trace the time to wait has to be over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from protocols.errors import UnknownNameError
from protocols.registry import Folder
from sim.explain.model import (
    AWARE_PROFILES,
    BASES,
    BLE_PROFILES,
    GROUPS,
    PROFILES,
    SEVERITIES,
    Case,
    Finding,
    On,
    Rule,
    Status,
    Verdict,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sim.explain.observations import Scene

__all__ = [
    "AWARE_PROFILES",
    "BASES",
    "BLE_PROFILES",
    "PROFILES",
    "RULES",
    "SEVERITIES",
    "Case",
    "Finding",
    "On",
    "Rule",
    "Status",
    "Verdict",
    "View",
    "all_rules",
    "default_views",
    "explain",
    "finding_of",
    "findings_of",
    "order",
    "rule_of",
    "rules_on",
    "view_of",
]


class Rules(Folder[Rule]):
    """The rule files of this folder; names are the IDs of the phone profiles."""

    _FILE = re.compile(r"([a-z]{2})_(\d+[a-z]?)")
    _found: tuple[tuple[str, Rule], ...] = ()

    def __iter__(self) -> Iterator[tuple[str, Rule]]:
        """(name, rule) of every file; the folder is listed once, because phones ask for every packet."""
        self._found = self._found or tuple(super().__iter__())
        return iter(self._found)

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
    from sim.explain._documented import DOCUMENTED  # tables that only listings need
    from sim.explain._documented_aware import AWARE

    listed = (*DOCUMENTED, *AWARE)
    found = {rule.id: rule for _, rule in RULES} | {rule.id: rule for rule in listed}
    return dict(sorted(found.items(), key=lambda item: order(item[0])))


def rule_of(name: str) -> Rule:
    """The rule of that ID. Raises UnknownNameError."""
    known = all_rules()
    rule = known.get(name) or known.get(name.upper())
    if rule is None:
        raise UnknownNameError("rule", name, known)
    return rule


def order(identifier: str) -> tuple[str, int, str]:
    """By letters, then by number: AK-02 before AK-10."""
    letters, _, number = identifier.partition("-")
    digits = re.match(r"\d+", number)
    return letters, int(digits.group()) if digits else 0, number


def view_of(text: str) -> tuple[View, ...]:
    """Views for `--phone PROFILE[@VERSION]`; `ios` and `android` mean all their profiles (that have the
    version). Raises UnknownNameError.
    """
    name, _, version = text.partition("@")
    if name not in PROFILES and name not in GROUPS:
        raise UnknownNameError("phone profile", name, [*PROFILES, *GROUPS])
    named = GROUPS.get(name, (name,))
    chosen = [one for one in named if not version or version in PROFILES[one]]
    if not chosen:
        known = dict.fromkeys(number for one in named for number in PROFILES[one])
        raise UnknownNameError(f"version of {name}", version, known)
    return tuple(
        View(profile=one, version=version or PROFILES[one][-1], asked=True) for one in chosen
    )


def rules_on(subject: On, view: View, *, simulated: bool = False) -> list[Rule]:
    """The rules with a judge about `subject`. A simulated phone acts on those it keeps; a diagnosis looks for all of
    them, because a real phone does what it does.
    """
    return [
        rule
        for _, rule in RULES
        if rule.on == subject
        and (view.profile in rule.profiles or view.base in rule.profiles)
        and rule.judge
        and (rule.enabled(view) if simulated else rule.id not in view.off)
    ]


def findings_of(rule: Rule, case: Case) -> list[Finding]:
    """What one rule finds in one case."""
    if rule.judge is None:
        return []
    return [finding_of(rule, case, verdict) for verdict in rule.judge(case)]


def finding_of(rule: Rule, case: Case, verdict: Verdict) -> Finding:
    """A verdict of a rule, with what a reader needs."""
    return Finding(
        rule=rule.id,
        severity=verdict.severity,
        title=rule.title,
        phone=case.view.profile,
        device=verdict.device or case.device.address or case.aware.nmi,
        frames=tuple(sorted(set(verdict.frames))),
        evidence=verdict.evidence,
        why=rule.statement,
        remedy=verdict.remedy or rule.remedy,
        source=rule.source,
        confidence=rule.confidence,
        stories=rule.stories,
    )


def default_views() -> list[View]:
    """All phones but the variants, in their newest version."""
    return [
        View(profile=name, version=versions[-1])
        for name, versions in PROFILES.items()
        if name not in BASES
    ]


def explain(scene: Scene, views: Iterable[View] = ()) -> list[Finding]:
    """Findings for every phone in `views` (`default_views` when none is given), worst first.

    Among those of one severity the cause comes before what comes of it (`Rule.causes`). A trace has evidence that no
    capture of the same run holds (what an app or a phone did), so the two may differ in what they name.
    """
    from sim.explain.diagnosis import diagnose  # which walks through the rules of this package

    return diagnose(scene, list(views) or default_views())
