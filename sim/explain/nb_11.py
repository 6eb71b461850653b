"""NB-11: a data path request stays unanswered; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_pairs import REQUEST, TERMINATE
from sim.explain.aware_parts import is_over, reason_words, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import DataPath, NdpStep

WAIT_S, LIVED_US = 30, 40_000_000
"""Patience of both sides; an end that comes later is that of a path that lived."""


def _judge(case: Case) -> Iterator[Verdict]:
    path, scene = case.path, case.scene
    furthest = path.furthest
    if furthest is None or furthest.type != REQUEST or path.is_up or path.rejection is not None:
        return
    end = path.step(TERMINATE)
    if end is not None and end.t_us - furthest.t_us > LIVED_US:
        return
    if end is None and not is_over(scene, furthest.t_us, WAIT_S):
        return
    words = f"{path.responder} does not answer the data path request{tail(scene, furthest.t_us)}"
    if end is not None:
        side = "responder" if end.sender == path.responder else "initiator"
        words = f"no response is seen, and the {side} ends it with {reason_words(end.reason)}"
        words += ": the response was lost" if side == "responder" else ""
    yield Verdict(
        severity="note" if retried(case) else "error",
        evidence=words + "".join(f"; {why}" for why in causes(path, furthest)),
        frames=path.frames,
        device=path.responder,
    )


def causes(path: DataPath, request: NdpStep) -> list[str]:
    """What a request with security must have, and this one has not."""
    if not path.is_secure:
        return []
    needed = {
        "the Cipher Suite Information": request.suites is not None,
        "the Security Context Information": request.has_context,
        "the Shared Key Descriptor": request.has_key,
    }
    return [f"{what} is missing" for what, there in needed.items() if not there]


def retried(case: Case) -> bool:
    """Whether the two got a data path later."""
    return any(one.t_us > case.path.t_us and one.is_up for one in case.pair.paths)


RULE = Rule(
    id="NB-11",
    title="data path request unanswered",
    statement="A responder passes over a request for a service that it does not publish, one that is malformed or lacks "
    "its security attributes, and one that comes while another is open; an unprotected one from a paired peer "
    "it drops.",
    source="hostap src/nan/nan_ndp.c, nan_sec.c; digest of frames 5.4",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-04", "US-44"),
    remedy="Correct what is named; otherwise look at the responder: still publishing that instance, awake at its "
    "slots, and its keys those of the initiator.",
    on="aware_data_path",
    judge=_judge,
)
