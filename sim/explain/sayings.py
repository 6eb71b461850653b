"""What the phones of a run said themselves: refusals and failures that carry the rule behind them.

Only a trace has them. They count where no frame, advert or app shows the same to the rules. `FAILURES` are the events
of `sim.phones` that tell of something that did not come about, `WORKED` those that tell of the opposite: a refusal that the
phone got over with the same peer is no failure any more. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from sim.trace import TraceEvent

__all__ = ["FAILURES", "WORKED", "Saying", "Sayings"]

_KEPT, _KEPT_FRAMES = 1000, 8
_PHONE = "phone"
FAILURES = frozenset({
    "app_crashed", "aware_state", "bond_lost", "bootstrapping_rejected", "companion_nothing", "connect_refused",
    "connection_closed", "data_path_rejected", "identity_refused", "key_missing", "keys_refused", "message_refused",
    "network_lost", "network_unavailable", "not_shown", "parameters_refused", "path_refused", "peer_unknown",
    "pairing_answer_late", "picker_blind", "session_terminated", "verification_rejected",
})  # fmt: skip
"""Beside these, whatever ends in `_failed` or `_silent`."""
_ENDINGS = ("_failed", "_silent")
WORKED = frozenset({
    "aware_paired", "connected", "connection_ready", "data_received", "network_available", "pairing_setup_succeeded",
    "pairing_verified", "read",
})  # fmt: skip
_WHOEVER = "not_shown"
"""Bystanders are never shown: it is got over as soon as the phone works with anybody, before or after."""


class Saying(msgspec.Struct, kw_only=True):
    """A refusal or failure, with all its repetitions."""

    node: str
    event: str
    rule: str
    peer: str
    note: str
    profile: str = ""
    """profile of the phone, where the trace says so."""
    frames: list[int] = []
    """`seq` of the first few."""
    is_got_over: bool = False


class Sayings(msgspec.Struct):
    """All of a run."""

    found: dict[tuple[str, str, str, str], Saying] = {}
    """by node, event, rule, peer; in the order of their first time."""
    working: set[str] = set()
    """nodes for which something worked."""

    def hear(self, event: TraceEvent) -> None:
        """Take in an event; those of other layers say nothing here."""
        if event.layer != _PHONE:
            return
        if event.event in WORKED:
            self._worked(event)
        elif event.rule and _is_failure(event):
            self._failed(event)

    def _worked(self, event: TraceEvent) -> None:
        self.working.add(event.node)
        for one in self.found.values():
            if one.node == event.node and (not one.peer or one.peer == event.peer):
                one.is_got_over = True

    def _failed(self, event: TraceEvent) -> None:
        key = (event.node, event.event, event.rule, event.peer)
        known = self.found.get(key)
        if known is None:
            if len(self.found) >= _KEPT:
                return
            known = self.found[key] = Saying(
                node=event.node,
                event=event.event,
                rule=event.rule,
                peer=event.peer,
                note=event.note,
            )
        known.is_got_over = False
        if len(known.frames) < _KEPT_FRAMES:
            known.frames.append(event.seq)

    def got_over(self, saying: Saying) -> bool:
        """Whether it worked all the same."""
        return saying.is_got_over or (saying.event == _WHOEVER and saying.node in self.working)


def _is_failure(event: TraceEvent) -> bool:
    if event.fields.get("available") is True:
        return False
    return event.event in FAILURES or event.event.endswith(_ENDINGS)
