"""AA-02: pairing on a phone that cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import aware_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case, View

INCAPABLE = ("android-pixel6a-17",)


def can_pair(view: View) -> bool:
    """isAwarePairingSupported(), as measured or chosen."""
    return view.choice("pairing_supported", "no" if view.profile in INCAPABLE else "yes") == "yes"


def _judge(case: Case) -> Iterator[Verdict]:
    app = aware_app(case)
    if app is not None and app.pairing_config and not can_pair(case.view):
        yield Verdict(
            severity="error",
            evidence="the session has an AwarePairingConfig, and isAwarePairingSupported() is false",
            short="Aware Pairing is not supported",
            effect="error:Aware Pairing is not supported",
        )


RULE = Rule(
    id="AA-02",
    title="pairing is not supported",
    statement="isAwarePairingSupported() means pairing with NIK caching and protection of unicast, group, management "
    "frames and beacons of version 4.0. A session with a pairing configuration on a phone without it throws "
    '"Aware Pairing is not supported".',
    source="Android Characteristics documentation; AOSP PublishConfig",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-52",),
    remedy="Ask isAwarePairingSupported() first; without it use a passphrase or an open data path (not with iPhones).",
    switch='on; option pairing_supported: "yes" (default) or "no" (default of android-pixel6a-17)',
    on="app",
    judge=_judge,
)
