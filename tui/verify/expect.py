"""Checks of what a recorded Wi-Fi Aware exchange says it comes to (`expect`) against what its devices concluded.

An exchange is a failure when something went wrong in it, and else a success. What went wrong is read from `outcome`
and from frames that somebody made up or changed; a frame that was lost alone says nothing, it may have been repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tui.verify.check import Check, check

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["expect_checks"]

_EXPECTED = ("success", "failure")
_REFUSALS = ("command_failed", "auth_frames_refused", "naf_refused_subtype")
_REFUSED_NOTES = ("nira_no_match", "rx_dropped_unprotected_from_paired")
_TAMPERED = ("injected", "modified_in_flight")


def expect_checks(plain: dict[str, Any]) -> Iterator[Check]:
    """One check of what the file expects, one that it is what the devices concluded, if they did."""
    expect = plain.get("expect")
    yield check("expect", " or ".join(_EXPECTED), expect, ok=expect in _EXPECTED)
    if expect not in _EXPECTED or not _object(plain.get("outcome")):
        return
    wrong = list(_wrong(plain))
    wanted = "nothing that went wrong" if expect == "success" else "something that went wrong"
    yield check(f"expect {expect}", wanted, wrong, ok=bool(wrong) == (expect == "failure"))


def _wrong(plain: dict[str, Any]) -> Iterator[str]:
    """What went wrong, in words."""
    outcomes = {side: _object(one) for side, one in _object(plain["outcome"]).items()}
    for side, outcome in outcomes.items():
        yield from (f"{side}: {what}" for what in _failures(outcome))
    paired = {side: _list(one.get("pairing_status")).count(0) for side, one in outcomes.items()}
    if len(set(paired.values())) > 1:
        yield "a device has paired, its peer has not"
    for number, frame in enumerate(map(_object, _list(plain.get("frames")))):
        yield from (f"frame {number}: {what}" for what in _TAMPERED if frame.get(what))


def _failures(outcome: dict[str, Any]) -> Iterator[str]:
    """What one device concluded that is no success."""
    yield from (key for key in _REFUSALS if outcome.get(key))
    if any(status != 0 for status in _list(outcome.get("pairing_status"))):
        yield "pairing_status"
    if any(not _object(one).get("success") for one in _list(outcome.get("bootstrap"))):
        yield "bootstrap"
    yield from (note for note in _REFUSED_NOTES if note in _list(outcome.get("notes")))
    connected = outcome.get("ndp_connected", 0)
    ended = len(_list(outcome.get("ndp_disconnected_reason")))
    if isinstance(connected, int) and ended > connected:
        yield "a data path that ended before it was connected"


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []
