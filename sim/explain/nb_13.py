"""NB-13: the set-up of a data path stops half-way; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_pairs import CONFIRM, REQUEST, RESPONSE, TERMINATE
from sim.explain.aware_parts import is_over, reason_words, tail
from sim.explain.nb_11 import retried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import DataPath, NdpStep

WAIT_S = 2
LIVED_US = 5_000_000
"""An end that comes later than this after a message is that of a path that lived: the rest was not captured."""
NEXT = {RESPONSE: "confirm (M3)", CONFIRM: "key installment (M4)"}


def _judge(case: Case) -> Iterator[Verdict]:
    path, scene = case.path, case.scene
    furthest = path.furthest
    if furthest is None or furthest.type not in NEXT or path.is_up or path.rejection is not None:
        return
    ends = [one for one in path.steps if one.type == TERMINATE]
    if ends and ends[0].t_us - furthest.t_us > LIVED_US:
        return
    if not ends and not is_over(scene, furthest.t_us, WAIT_S):
        return
    peer = path.responder if furthest.sender == path.initiator else path.initiator
    words = f"no {NEXT[furthest.type]} of {peer} follows the message of frame {furthest.frame}"
    words += (
        f"; {' and '.join(one.sender for one in ends)} ended it with {reason_words(ends[0].reason)}"
        if ends
        else tail(scene, furthest.t_us)
    )
    yield Verdict(
        severity="note" if retried(case) else "error",
        evidence=f"{words}; {cause(path, furthest)}",
        frames=path.frames,
        device=peer,
    )


def cause(path: DataPath, last: NdpStep) -> str:
    """Why the receiver of a message says nothing, as far as it can be seen."""
    if not path.is_secure:
        return "the message was lost"
    request = path.step(REQUEST)
    if last.type == CONFIRM and request is not None:
        if last.nonce and last.nonce != request.nonce:
            return "its nonce is not that of the request"
        if last.replay_counter is not None and last.replay_counter < (request.replay_counter or 0):
            return f"its replay counter ({last.replay_counter}) is lower than that of the request"
    return "the message was lost, or its MIC does not check (other keys, or a message altered on the way)"


RULE = Rule(
    id="NB-13",
    title="the key handshake of a data path stops",
    statement="No error is sent for a message of the handshake whose MIC, nonce or replay counter does not check: it is "
    "passed over, and about 2 s later the timers end the data path with reason 1.",
    source="hostap src/nan/nan_sec.c, nan_ndp.c; digest of pairing 9.5",
    confidence="D (behaviour), I (cause)",
    profiles=AWARE_PROFILES,
    stories=("US-44",),
    remedy="Compare the keys of both sides (passphrase, PMK, pairing), and every octet of the request as sent and as "
    "received: the third message covers a hash of it.",
    on="aware_data_path",
    judge=_judge,
)
