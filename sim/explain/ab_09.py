"""AB-09: what Android forgives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ib_04 import lacks_flags
from sim.explain.parts import frames_of, listed, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    flagless = picked(case.device, lambda advert: advert.connectable and lacks_flags(advert))
    broken = picked(case.device, lambda advert: bool(advert.ad.framing))
    if not flagless and not broken:
        return
    what = [
        text
        for text, some in (("lacks Flags (IB-04)", flagless), ("is malformed (IB-05)", broken))
        if some
    ]
    yield Verdict(
        severity="note",
        evidence=f"the advert {listed(what)}; Android shows it all the same",
        short=f"shown, although the advert {listed(what)}",
        frames=frames_of([*flagless, *broken]),
    )


RULE = Rule(
    id="AB-09",
    title="works on Android is no proof",
    statement="Android has no strictness about Flags or the tail of AD data comparable to IB-04 and IB-05, so that "
    '"works on Android" is not evidence of a valid advert.',
    source="nordicsemi/IOS-nRF-Connect #54, #192",
    confidence="O",
    profiles=("android-ble",),
    stories=("US-16",),
    remedy="Correct the advert as IB-04 or IB-05 says.",
    on="advert",
    judge=_judge,
)
