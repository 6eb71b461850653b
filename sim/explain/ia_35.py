"""IA-35: which method a publishing iPhone takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import REJECTED
from sim.explain.aware_parts import PIN_KEYPAD, known_phone, method_words, reason_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.aware_pairs import Bootstrap

NO_REASON = 0


def _judge(case: Case) -> Iterator[Verdict]:
    if case.view.choice("npba_bit", "same") != "same":
        return
    for one in case.pair.bootstraps:
        if not one.methods & PIN_KEYPAD or one.accepted or one.responder != _phone(case, one):
            continue
        refusal = next((step for step in one.responses if step.status == REJECTED), None)
        if refusal is not None:
            outcome = f"{one.responder} rejects it with {reason_words(refusal.reason)}"
        else:
            outcome = f"{one.responder} has not answered it"
        yield Verdict(
            severity="error" if refusal is not None else "warning",
            evidence=f"{one.requester} asks for {method_words(one.methods)}; {outcome}",
            short="PIN keypad in the request",
            effect=f"reject:{NO_REASON}",
            frames=one.frames,
            device=one.requester,
        )


def _phone(case: Case, one: Bootstrap) -> str:
    """The responder when it may be a publishing iPhone: known, asked for, or giving itself away by reason 0."""
    if case.phones or case.concerns_phone:
        return one.responder if known_phone(case, one.responder) else ""
    gives_away = any(step.status == REJECTED and step.reason == NO_REASON for step in one.responses)
    return one.responder if gives_away else ""


RULE = Rule(
    id="IA-35",
    title="a publishing iPhone rejects PIN keypad",
    statement="With its pairing view open (as publisher) an iPhone rejects a request that carries PIN keypad (0x0020) "
    "with status 1 and reason 0; one with PIN display (0x0002), its own advertised method, is not rejected, but"
    " no PIN appears (IA-36).",
    source="github.com/espressif/esp-idf/issues/16743 (ESP32-C5 and iPhone 17, iOS 26.6)",
    confidence="O",
    profiles=("ios-aware",),
    stories=("US-02",),
    remedy="Ask for the method that the phone advertises (0x0002), with pairing info in the request; or let the "
    "accessory publish and the phone subscribe, which works.",
    switch='on; option npba_bit: "same" (default: the request names the responder\'s own method) or "complement" (as '
    "hostap has it)",
    on="aware_pairing",
    judge=_judge,
)
