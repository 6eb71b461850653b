"""IB-21: the window of the supervision timeout, which changed between editions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import all_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

WINDOWS = {"r7_r21": (2000, 6000), "r30_plus": (6000, 18000)}
"""edition -> allowed supervision timeout, ms."""
EITHER = "either"


def _judge(case: Case) -> Iterator[Verdict]:
    edition = case.view.options.get("supervision_window", EITHER)
    windows = WINDOWS if edition == EITHER else {edition: WINDOWS[edition]}
    seen: set[int] = set()
    for request in all_requests(case.device):
        timeout = request.timeout_ms
        keeps = [name for name, (low, high) in WINDOWS.items() if low <= timeout <= high]
        if len(keeps) == len(WINDOWS) or timeout in seen:
            continue
        seen.add(timeout)
        allowed = any(name in windows for name in keeps)
        within = "2 to 6 s (R7 to R21)" if "r7_r21" in keeps else "6 to 18 s (R30, R31)"
        yield Verdict(
            severity="note" if allowed or request.accepted else "warning",
            evidence=f"asked for a supervision timeout of {timeout} ms, "
            + (
                f"which only the window {within} has"
                if keeps
                else "outside 2 to 6 s and 6 to 18 s alike"
            ),
            short=f"supervision timeout {timeout} ms",
            effect="" if allowed else "refuse",
            frames=(request.frame,),
        )


RULE = Rule(
    id="IB-21",
    title="supervision timeout outside the window",
    statement="The guidelines want a supervision timeout of 2 to 6 s (R7 to R21), or of 6 to 18 s (R30, R31).",
    source="R17 text; two repositories citing R30 and R31 58.6",
    confidence="D (old) / O (new)",
    profiles=("ios-ble",),
    stories=("US-19",),
    remedy="Ask for exactly 6 s: both editions have it.",
    switch="on; supervision_window = either refuses only what neither edition has, r7_r21 and r30_plus keep to one",
    on="link",
    judge=_judge,
)
