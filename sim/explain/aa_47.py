"""AA-47: the responder must have asked for a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import REQUEST
from sim.explain.aware_parts import aware_app, maybe_phone, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import DataPath

AT_ONCE_US = 50_000
OTHER_CAUSES = (3, 8, 11)
"""Reasons that speak of keys, security and schedule."""
NDP_REJECTED = 10


def _judge(case: Case) -> Iterator[Verdict]:
    path, app = case.path, aware_app(case)
    request, refusal = path.step(REQUEST), path.rejection
    if request is None or not maybe_phone(case, path.responder):
        return
    if refusal is None:
        if (
            not path.is_up
            and app is not None
            and app.network_requested is False
            and path.responder in case.phones
        ):
            yield _verdict(path, "the app has not called requestNetwork", (request.frame,))
        return
    took_us = refusal.t_us - request.t_us
    if (
        refusal.sender == path.responder
        and took_us <= AT_ONCE_US
        and refusal.reason not in OTHER_CAUSES
    ):
        words = f"{path.responder} rejects it after {ms(took_us)}, too fast for anybody to decide"
        yield _verdict(path, words, (request.frame, refusal.frame))


def _verdict(path: DataPath, words: str, frames: tuple[int, ...]) -> Verdict:
    return Verdict(
        severity="error",
        evidence=f"{path.initiator} asks for a data path; {words}",
        short="no network request waits for it",
        effect=f"reject:{NDP_REJECTED}",
        frames=frames,
        device=path.responder,
    )


RULE = Rule(
    id="AA-47",
    title="no network request on the responder",
    statement="Android rejects a data path request at once when the responder's app has no matching network request "
    "waiting: a publisher must call requestNetwork first.",
    source="AOSP onDataPathRequest",
    confidence="D",
    profiles=("android-aware",),
    stories=("US-50",),
    remedy="Call ConnectivityManager.requestNetwork with the peer's specifier on the responder before the initiator "
    "does.",
    switch="on; the reason on the air (10, NDP rejected) is a guess",
    on="aware_data_path",
    judge=_judge,
)
