"""How pairings end: which side, at which step, why, by which rule, and what to do; from what the trace says.

Each end is told once, from the side that says most. The rule comes from the event, or from `sim.explain` when that has
looked at the trace. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sim.redaction import Secret
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.trace import TraceEvent

__all__ = ["Outcome", "Outcomes"]

_WRONG_PIN = (0x01, 0x04, 0x0B)
_NO_COMPARISON = 0x0C
_BEGINS = frozenset(("pairing_request", "security_request", "auth1", "bootstrap_request"))
"""What a pairing, or the authentication in one, begins with for the node that tells of it."""
_SILENT_REFUSAL = (
    "NB-04",
    "pair again and type the PIN; {peer} is told nothing, and waits until its time is over",
)
"""Rule and remedy where somebody refuses over Wi-Fi Aware: nothing goes on the air."""
_QUESTIONS = {
    "pin_required": ("nobody typed the PIN on {node}", "type the PIN"),
    "compare_required": ("nobody compared the numbers on {node}", "say whether they are the same"),
    "consent_required": ("nobody said on {node} whether to pair", "say yes"),
}
"""Event with which a person is asked -> (what did not happen, what to do)."""
_ANSWERS = frozenset(("pin_entered", "accepted", "pairing_failed", "dhkey_check"))
_NO_ANSWER = "no answer for"
"""In the words of an end by the Security Manager's timer (Core Specification 5.4 Vol 3 Part H 3.4)."""
_SAME_US = 1_000_000
"""Ends of both sides of one pairing lie closer together than this."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a pairing."""

    t_us: int
    seq: int
    """of the event that tells it."""
    node: str
    """who tells it."""
    peer: str
    good: bool
    words: str
    """one sentence: who ended it at which step, and why."""
    step: str = ""
    code: int | None = None
    remedy: str = ""
    message: int | None = None
    """seq of the message that ended it."""
    rule: str = ""
    begun: int = 0
    """seq of the message with which it began for that node; that of the end where none was seen."""

    @property
    def kind(self) -> str:
        """In two words: what a headline says."""
        if self.good:
            return "paired"
        text = self.words.lower()
        if "the controller of" in text:  # whatever its end was like
            return "controller lost"
        if _NO_ANSWER in text or "timeout" in text or "in time" in text:
            return "timeout"
        if self.code == _NO_COMPARISON:
            return "numbers differ"
        if self.code == 0x01 or "cancelled" in text or "does not want" in text:  # SMP reason
            return "cancelled"
        if self.code in _WRONG_PIN or "password" in text or "same pin" in text:
            return "wrong PIN"
        return "not paired"


class Outcomes:
    """All ends of a run, the latest last."""

    def __init__(self) -> None:
        self.all: list[Outcome] = []
        self._failed_message: dict[frozenset[str], int] = {}
        self._acted: list[tuple[int, str]] = []
        self._begun: dict[tuple[str, str, bool], int] = {}  # node, peer, whether an authentication
        self._sent: dict[str, Any] = {}
        self._asked: dict[str, tuple[str, tuple[str, str]]] = {}

    def feed(self, events: Iterable[TraceEvent]) -> list[Outcome]:
        """Take in events; the ends among them."""
        found: list[Outcome] = []
        for event in events:
            if event.event == "fault_acted" and event.layer == "control":
                self._note_fault(event)
            self._note_question(event)
            if event.layer not in ("ble", "aware", "phone"):
                continue
            if event.event in _BEGINS:
                begun = event.node, event.peer, event.event != "bootstrap_request"
                self._begun[begun] = event.seq
            if event.event == "pin_entered":
                self._sent.pop(event.node, None)
            if event.direction and event.event == "pairing_failed":
                self._failed_message[frozenset((event.node, event.peer))] = event.seq
            made = self._made(event)
            if made is not None:
                self.all.append(made)
                found.append(made)
        del self.all[:-500]
        return found

    def _note_fault(self, event: TraceEvent) -> None:
        words = clean(f"{event.fields['fault']} at {event.node or 'the air'}: {event.note}")
        self._acted.append((event.t_us, words))
        del self._acted[:-500]
        if "pin" in event.fields:
            self._sent[event.node] = event.fields["pin"]

    def sent_pin(self, node: str) -> str:
        """PIN that a fault made of the one that was typed last at a node; empty when none did."""
        pin = self._sent.get(node, "")
        return pin.value if isinstance(pin, Secret) else str(pin)

    def told_of(self, outcome: Outcome) -> Outcome:
        """An end as both sides tell it: by the words of who told it first, with what the other knows besides."""
        parties = {outcome.node, outcome.peer}
        close = [
            one
            for one in self.all
            if {one.node, one.peer} == parties
            and not one.good
            and 0 <= one.t_us - outcome.t_us < _SAME_US
        ]
        if not close:
            return outcome
        best = next((one for one in reversed(close) if one.node == outcome.node), outcome)
        return msgspec.structs.replace(
            best,
            rule=next((one.rule for one in close if one.rule), ""),
            remedy=next((one.remedy for one in close if one.remedy), ""),
            message=next((one.message for one in close if one.message), best.message),
        )

    def fault_behind(self, outcome: Outcome) -> str:
        """The fault that made a difference last before this end and after the one before; empty when none did."""
        before = [one.t_us for one in self.all if one.t_us < outcome.t_us - _SAME_US]
        since_us = before[-1] if before else -1
        found = [words for t_us, words in self._acted if since_us < t_us <= outcome.t_us]
        return found[-1] if found else ""

    def latest(self, parties: set[str], since: int) -> Outcome | None:
        """The end of the pairing of two that began with the event `since`: a good one, unless one side gave up after all.

        Of failures the first that was told.
        """
        ends = [one for one in self.all if {one.node, one.peer} == parties and one.begun >= since]
        good = next((one for one in reversed(ends) if one.good), None)
        if good is None:
            return ends[0] if ends else None
        return self.given_up(good, since) or good

    def given_up(self, good: Outcome, since: int) -> Outcome | None:
        """The failure of a pairing (that began with the event `since`) which one side calls good; None when none is known."""
        parties = {good.node, good.peer}
        ends = [one for one in self.all if {one.node, one.peer} == parties and one.begun >= since]
        paired = {one.node: one.seq for one in ends if one.good}
        return next(
            (
                one
                for one in ends
                if not one.good and max(good.begun, paired.get(one.node, 0)) < one.seq
            ),
            None,
        )

    def is_open(self, end: Outcome) -> bool:
        """Whether a good end is that of one side alone so far."""
        return end.good and not any(
            (one.node, one.peer) == (end.peer, end.node) and one.seq > end.begun for one in self.all
        )

    def of_event(self, event: TraceEvent) -> Outcome | None:
        """The failure that an event tells, or is the message of; by who told it first."""
        parties = {event.node, event.peer}
        for one in self.all:
            if one.good or {one.node, one.peer} != parties:
                continue
            if event.seq in (one.seq, one.message):
                first = [
                    other
                    for other in self.all
                    if {other.node, other.peer} == parties
                    and not other.good
                    and 0 <= one.t_us - other.t_us < _SAME_US
                ]
                return first[0] if first else one
        return None

    def failures(self, node: str, peer: str) -> int:
        """How many pairings in a row failed between two, as `node` tells."""
        count, last_us = 0, None
        for one in reversed(self.all):
            if one.node == node and one.peer == peer:
                if one.good:
                    break
                if last_us is None or last_us - one.t_us >= _SAME_US:
                    count += 1
                last_us = one.t_us
        return count

    def _made(self, event: TraceEvent) -> Outcome | None:
        fields = event.fields
        message = self._failed_message.get(frozenset((event.node, event.peer)), event.cause)
        if event.event == "paired":
            return self._outcome(event, good=True, words=event.note)
        if event.event == "aware_paired" or (event.event == "nik_received" and fields.get("akm")):
            return self._outcome(event, good=True, words=event.note)
        if event.event == "not_paired":
            return self._asked_too_long(event, self._not_paired(event, message))
        if event.event == "pairing_failed" and event.layer == "phone":
            return self._phone_gave_up(event)
        if event.event == "pairing_result" and fields.get("status"):
            words = event.note.removeprefix(f"status {fields['status']}: ")
            return self._outcome(
                event, good=False, words=f"{event.node} noticed it: {words}", step="pairing", message=event.cause
            )  # fmt: skip
        return None

    def _not_paired(self, event: TraceEvent, message: int | None) -> Outcome:
        fields = event.fields
        code: Any = fields.get("reason")
        return self._outcome(
            event, good=False, words=event.note.partition("; ")[0], step=str(fields.get("step", "")),
            code=code, remedy=str(fields.get("remedy", "")), message=message,
        )  # fmt: skip

    def _asked_too_long(self, event: TraceEvent, end: Outcome) -> Outcome:
        """Where a person was asked when the time ran out, that is why, and not the connection."""
        late = [
            (node, what)
            for node, (peer, what) in self._asked.items()
            if {node, peer} == {event.node, event.peer} and _NO_ANSWER in event.note
        ]
        if not late:
            return end
        node, (missed, todo) = late[0]
        words = str(event.fields.get("words") or end.words)
        return msgspec.structs.replace(
            end,
            words=clean(f"{missed.format(node=node)}: {words}, at {end.step}"),
            remedy=f"{end.remedy}; then pair again and {todo} before the time is over".lstrip("; "),
        )

    def _note_question(self, event: TraceEvent) -> None:
        """Whom a person owes an answer."""
        if event.event in _QUESTIONS and event.layer in ("phone", "accessory"):
            self._asked[event.node] = event.peer, _QUESTIONS[event.event]
        elif event.event in _ANSWERS or (event.event in _BEGINS and event.direction == "tx"):
            self._asked.pop(event.node, None)

    def _phone_gave_up(self, event: TraceEvent) -> Outcome:
        words = event.note.partition(";")[0].removeprefix("pairing: ")
        step, colon, why = words.partition(": ")
        if "cancelled" not in words or not colon:
            return self._outcome(
                event, good=False, words=f"{event.node} noticed it: {words}", message=event.cause
            )
        rule, remedy = _SILENT_REFUSAL
        made = self._outcome(
            event, good=False, words=f"{event.node} ended it at {step}: {why}", step=step,
            message=event.cause, remedy=remedy.format(peer=event.peer),
        )  # fmt: skip
        return msgspec.structs.replace(made, rule=made.rule or rule)

    def _outcome(self, event: TraceEvent, **details: Any) -> Outcome:
        details["words"] = clean(details["words"])
        node, peer = event.node, event.peer
        return Outcome(
            t_us=event.t_us,
            seq=event.seq,
            node=node,
            peer=peer,
            rule=event.rule,
            begun=self._begun_of(event),
            **details,
        )

    def _begun_of(self, event: TraceEvent) -> int:
        """Messages of BLE are told by the sender alone; an authentication may end after the next bootstrapping began."""
        kinds = (True,) if event.event == "pairing_result" else (True, False)
        for ends in ((event.node, event.peer), (event.peer, event.node)):
            begun = max(self._begun.get((*ends, kind), 0) for kind in kinds)
            if begun:
                return begun
        return event.seq
