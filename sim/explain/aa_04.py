"""AA-04: what a data path of such a phone can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import REQUEST
from sim.explain.aware_parts import alive_at, known_phone, suite_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

NDP_SESSIONS = 8
DATA_SUITES = (1,)


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    request = path.step(REQUEST)
    if request is None or not known_phone(case, path.initiator, path.responder):
        return
    others = [suite for suite in request.suites or () if suite not in DATA_SUITES]
    if others and not path.is_up:
        yield Verdict(
            severity="warning",
            evidence=f"the request names {suite_words(others)}",
            short="cipher suite of the data path",
            effect="reject:8",
            frames=(request.frame,),
            device=request.sender,
        )
    alive = alive_at(case.scene.aware, path.responder, path)
    if len(alive) >= NDP_SESSIONS:
        yield Verdict(
            severity="warning",
            evidence=f"{path.responder} has {len(alive)} data paths already",
            short="no more data paths",
            effect="reject:2",
            frames=(request.frame,),
            device=path.responder,
        )


RULE = Rule(
    id="AA-04",
    title="limits of the phone's data paths",
    statement="Typical limits in a dump of Android 17: 255 octets of service info, one data interface, 8 data paths, and "
    "NCS-SK-128 as the only suite for data.",
    source="public dumpsys wifiaware table, 2026-09-09",
    confidence="O",
    profiles=("android-pixel9pro-17", "android-pixel6a-17"),
    remedy="Use NCS-SK-128, and end data paths that are no longer needed.",
    switch="on for the phones of that dump; the reasons of a refusal (8 and 2) are a choice of this project",
    on="aware_data_path",
    judge=_judge,
)
