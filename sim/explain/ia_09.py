"""IA-09: no follow-up messages with an app of iOS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_parts import known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    pair = case.pair
    senders = {one.sender for one in pair.messages if one.octets}
    for sender in senders:
        receiver = pair.other(sender)
        if receiver in senders or sender in case.phones or not known_phone(case, receiver):
            continue
        sent = [one for one in pair.messages if one.sender == sender and one.octets]
        yield Verdict(
            severity="warning",
            evidence=f"{len(sent)} follow-up{'s' * (len(sent) > 1)} with a payload for an application from {sender} to "
            f"{receiver}, none back",
            short="no app of iOS hears follow-ups",
            effect="ignore",
            frames=tuple(one.frame for one in sent[:8]),
            device=sender,
        )


RULE = Rule(
    id="IA-09",
    title="follow-up messages that no app hears",
    statement="iOS has no interface for follow-ups and none for service info: an accessory whose protocol relies on "
    "messages before the data path cannot work with an app of iOS.",
    source="Apple Developer Forums, Samsung S25 and iOS 26 thread; symbol list of the framework",
    confidence="D/O",
    profiles=("ios-aware",),
    stories=("US-11",),
    remedy="Move the handshake behind the data path (UDP, TCP or TLS over it).",
    on="aware_pairing",
    judge=_judge,
)
