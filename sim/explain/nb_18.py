"""NB-18: a frame of a pairing got lost on the way, which is no refusal; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.aware_losses import (
    FIRST,
    KEY,
    REQUEST,
    RESPONSE,
    SECOND,
    THIRD,
    bootstrap_loss,
    lost_in,
)
from sim.explain.aware_parts import gone, is_over, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_losses import Lost

WAIT_S = 5
"""In which an exchange may still go on by itself (hostap repeats requests every second)."""
_CLOSER = "Bring the two closer together, look for disturbance, and for whether the receiver is awake at these slots"
_BOTH = f"{_CLOSER}; then remove the half pairing on both sides and pair again."
_CAME_OF_IT = {
    REQUEST: ("{to} knows of no request, and refused nothing", f"{_CLOSER}; then ask again."),
    RESPONSE: ("{to} does not know that it was answered", f"{_CLOSER}; then ask again."),
    FIRST: ("{to} knows of no authentication, and refused nothing", f"{_CLOSER}; then pair again."),
    SECOND: (
        "{to} has compared no PIN, and both wait for each other",
        f"{_CLOSER}; then pair again, with the same PIN or a new one.",
    ),
    THIRD: (
        "{by} takes the pairing for made (hostap does, with or without an acknowledgement), {to} has no keys and cannot "
        "read what follows",
        f"{_BOTH} Firmware of the initiator: begin anew when the third message is not acknowledged.",
    ),
    KEY: ("{to} waits for it, and the pairing is not kept on both sides", _BOTH),
}
"""What was lost -> what comes of it, and what to do."""


def _judge(case: Case) -> Iterator[Verdict]:
    pair, aware = case.pair, case.scene.aware
    if any(path.is_up for path in pair.paths):
        return
    for bootstrap in pair.bootstraps:
        if not bootstrap.rejected:
            again = any(one.t_us > bootstrap.last_us for one in pair.bootstraps)
            yield from _told(case, bootstrap_loss(aware, pair, bootstrap), is_over_it=again)
    for pasn in pair.pasns:
        yield from _told(
            case, lost_in(aware, pair, pasn), is_over_it=pair.succeeded_after(pasn.t_us)
        )


def _told(case: Case, lost: Lost | None, *, is_over_it: bool) -> Iterator[Verdict]:
    if lost is None or not is_over(case.scene, lost.t_us, WAIT_S):
        return
    came_of_it, remedy = _CAME_OF_IT[lost.what]
    often = f", sent {lost.tries} times," if lost.tries > 1 else ""
    yield Verdict(
        severity="note" if is_over_it else "error",
        evidence=f"the {lost.what} of {lost.sender}{often} was never acknowledged by {lost.receiver}"
        f"{tail(case.scene, lost.t_us)}{gone(case, lost.receiver, lost.t_us)}: "
        + came_of_it.format(by=lost.sender, to=lost.receiver),
        short=f"the {lost.what} got lost on the way",
        frames=lost.frames,
        device=lost.receiver,
        remedy=remedy,
    )


RULE = Rule(
    id="NB-18",
    title="a frame of the pairing got lost on the way",
    statement="A unicast frame that its receiver gets is acknowledged. One that goes out again and again without was lost, "
    "with whatever depends on it: nobody refused, and no PIN was wrong. Where only the Acks get lost it looks the "
    "same, but then the exchange goes on.",
    source="IEEE 802.11-2020 10.3 (acknowledgement, retransmission); hostap src/nan/nan_pairing.c (no repetition of Authentication frames)",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-36", "US-45"),
    remedy=_BOTH,
    on="aware_pairing",
    judge=_judge,
)
