"""All rules over all that was seen: one pass for every phone, findings sorted by weight.

Which errors of a phone are lowered to warnings is told in the package's header. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from sim.explain import (
    AWARE_PROFILES,
    RULES,
    SEVERITIES,
    Case,
    Finding,
    On,
    Rule,
    Verdict,
    all_rules,
    finding_of,
    findings_of,
    order,
    rules_on,
)
from sim.explain.aware_pairs import Pair
from sim.explain.aware_phones import family_of, phones, works_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sim.explain import View
    from sim.explain.observations import Scene

__all__ = ["diagnose"]

_MEANT_FOR_OTHERS = {"IA-30", "IA-31", "IA-32"}
"""A service without pairing, or with another kind of it, is no fault of a device that nobody means for this phone."""
_LOST = "NB-18"
_ABOUT_SILENCE = {"AA-23", "AA-24", "IA-10", "IA-40", "NB-04", "NB-05", "NB-07", "NB-08"}
"""What a phone takes silence for; where the air shows that a frame was lost, that is what it was."""
_FAMILIES = dict.fromkeys(map(family_of, AWARE_PROFILES))


def diagnose(scene: Scene, views: Iterable[View]) -> list[Finding]:
    """Findings for every phone in `views`, worst first, and causes before what comes of them.

    A device nobody connected to, in a scene where another one works, is a bystander: what keeps a phone from
    finding it is a warning there, unless the app's wish or the phone is known.
    """
    found: list[Finding] = []
    for view in views:
        for subject in ("app", "scene"):
            case = Case(view=view, scene=scene)
            for rule in rules_on(subject, view):
                found += findings_of(rule, case)
        found += _of_devices(view, scene)
        found += _of_aware(view, scene)
        found += _said(view, scene, {one.rule for one in found if one.phone == view.profile})
    ranks = _ranks({one.rule for one in found})
    return sorted(
        found, key=lambda one: (SEVERITIES.index(one.severity), ranks[one.rule], one.device)
    )


def _ranks(rules: set[str]) -> dict[str, int]:
    """Place of each rule: by its ID, but behind the rules that may be its cause."""
    causes = {name: rules.intersection(rule.causes) for name, rule in RULES}
    ranks: dict[str, int] = {}

    def place(rule: str) -> None:
        for cause in sorted(causes.get(rule, ()), key=order):
            if cause not in ranks:
                place(cause)
        ranks.setdefault(rule, len(ranks))

    for rule in sorted(rules, key=order):
        place(rule)
    return ranks


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


def _of_aware(view: View, scene: Scene) -> list[Finding]:
    """Findings about what was seen of Wi-Fi Aware."""
    aware = scene.aware
    known = frozenset(phones(aware, family_of(view.profile)))
    bare = Case(view=view, scene=scene, phones=known)
    found: list[Finding] = []
    for subject, cases in _CASES.items():
        rules = rules_on(cast(On, subject), view)
        for case in cases(bare) if rules else ():
            found += [one for rule in rules for one in _weighed(rule, case)]
    return found


def _devices(bare: Case) -> Iterator[Case]:
    aware = bare.scene.aware
    for device in (*aware.devices.values(), *aware.interfaces.values()):
        yield replace(bare, aware=device)


def _services(bare: Case) -> Iterator[Case]:
    for device in bare.scene.aware.devices.values():
        for service in device.services.values():
            yield replace(bare, aware=device, service=service)


def _pairs(bare: Case) -> Iterator[Case]:
    for pair in bare.scene.aware.pairs.values():
        yield replace(bare, pair=pair)


def _paths(bare: Case) -> Iterator[Case]:
    pairs = bare.scene.aware.pairs
    for path in bare.scene.aware.paths:
        yield replace(bare, path=path, pair=pairs.get(path.peers) or Pair())


_CASES: dict[str, Callable[[Case], Iterator[Case]]] = {
    "aware_device": _devices,
    "aware_service": _services,
    "aware_pairing": _pairs,
    "aware_data_path": _paths,
}


def _said(view: View, scene: Scene, found: set[str]) -> Iterator[Finding]:
    """What a phone of a run said by a rule that is not among those `found`."""
    rules = all_rules() if scene.sayings.found else {}
    for said in scene.sayings.found.values():
        rule = rules.get(said.rule)
        if rule is None or rule.id in found or not {view.profile, view.base} & {*rule.profiles}:
            continue
        if said.profile and family_of(said.profile) != family_of(view.profile):
            continue
        if _LOST in found and rule.id in _ABOUT_SILENCE:
            continue
        yield finding_of(
            rule,
            Case(view=view, scene=scene),
            Verdict(
                severity="warning" if scene.sayings.got_over(said) else "error",
                evidence=said.note,
                frames=tuple(said.frames),
                device=_address(scene, said.peer) or said.node,
            ),
        )


def _address(scene: Scene, name: str) -> str:
    """The address behind the name of a node; the name when it has none."""
    names = {address: one.name for address, one in scene.devices.items()}
    names |= {nmi: one.name for nmi, one in scene.aware.devices.items()}
    return next((address for address, known in names.items() if name and known == name), name)


def _weighed(rule: Rule, case: Case) -> list[Finding]:
    """What a rule finds; an error that is none of the phone's concern, or that the phone got over, is a warning."""
    found = findings_of(rule, case)
    if not any(one.severity == "error" for one in found) or rule.id.startswith("NB-"):
        return found
    got_over = rule.on == "aware_service" and works_between(
        case.scene.aware, case.aware.nmi, case.phones
    )
    matters = case.concerns_phone or (_may_be_meant(rule, case) and _got_nowhere(case))
    return found if matters and not got_over else [_lowered(one) for one in found]


def _may_be_meant(rule: Rule, case: Case) -> bool:
    """Whether what a rule finds may be a fault of something that is meant for such a phone: it offers pairing."""
    if rule.on == "aware_service" and not any(offer.methods for offer in case.service.offers):
        return False
    return rule.id not in _MEANT_FOR_OTHERS


def _got_nowhere(case: Case) -> bool:
    """Whether nobody is known to be a phone, and none of the devices agreed on anything with anybody; a device with
    malformed frames may have said more than could be read.
    """
    aware = case.scene.aware
    if any(phones(aware, family) for family in _FAMILIES):
        return False
    devices = [aware.devices[nmi] for nmi in case.nmis if nmi in aware.devices]
    return not any(one.malformed or works_between(aware, one.nmi) for one in devices)


def _lowered(finding: Finding) -> Finding:
    if finding.severity != "error":
        return finding
    return replace(finding, severity="warning")
