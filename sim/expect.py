"""Whether what had to come out came out: expectations counted on the trace as it happens.

No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.scenario import Expect
    from sim.scenario_time import ScenarioTime
    from sim.trace import TraceEvent

__all__ = ["Outcome", "Watch", "matches"]


class Outcome(msgspec.Struct, frozen=True):
    """Verdict on one expectation."""

    expected: str
    """in words."""
    held: bool
    seen: int
    """matching events in the time asked for."""
    first_us: int | None
    """time of the first of them."""
    why: str = ""
    """the scenario's sentence, when it did not hold."""


def matches(expect: Expect, event: TraceEvent, put_off_us: int = 0) -> bool:
    """Whether `event` is one the expectation counts (the time window included, which people have put off so far)."""
    if event.event != expect.event or event.layer == "world":
        return False
    for wanted, got in (
        (expect.node, event.node),
        (expect.peer, event.peer),
        (expect.rule, event.rule),
    ):
        if wanted and wanted != got:
            return False
    t_us = event.t_us - put_off_us
    if t_us < expect.after or (expect.before is not None and t_us > expect.before):
        return False
    return all(_agrees(wanted, _value(event, name)) for name, wanted in expect.where.items())


_NOTHING = object()


def _value(event: TraceEvent, name: str) -> Any:
    if name == "data":
        return event.data.hex() if event.data is not None else _NOTHING
    if name == "note":
        return event.note
    value: Any = event.fields
    for part in name.split("."):
        value = (
            cast("dict[str, Any]", value).get(part, _NOTHING)
            if isinstance(value, dict)
            else _NOTHING
        )
    return value


def _agrees(wanted: Any, got: Any) -> bool:
    if got is _NOTHING:
        return False
    if not isinstance(wanted, dict):
        return bool(wanted == got)
    bounds = cast("dict[str, Any]", wanted)
    tests: dict[str, Callable[[Any], bool]] = {
        "min": lambda limit: got is not None and got >= limit,
        "max": lambda limit: got is not None and got <= limit,
        "contains": lambda part: part in got,
        "not": lambda other: got != other,
    }
    if not bounds.keys() <= tests.keys():
        return bool(wanted == got)
    try:
        return all(tests[name](limit) for name, limit in bounds.items())
    except TypeError:  # a text is not above 3, a number contains nothing
        return False


class Watch:
    """Counts one expectation on the running trace."""

    def __init__(self, expect: Expect, times: ScenarioTime | None = None) -> None:
        self.expect = expect
        self._times = times
        bounded = expect.at_least is not None or expect.at_most is not None
        self.at_least = expect.at_least if expect.at_least is not None else (0 if bounded else 1)
        self.seen = 0
        self.first_us: int | None = None

    def feed(self, event: TraceEvent) -> None:
        """Count `event` if it matches."""
        if event.event != self.expect.event:
            return
        if matches(self.expect, event, 0 if self._times is None else self._times.put_off_us):
            self.seen += 1
            if self.first_us is None:
                self.first_us = event.t_us

    def settled(self, now_us: int) -> bool:
        """Whether nothing that may still happen can change the verdict; `now_us` is scenario time."""
        over = self.expect.before is not None and now_us > self.expect.before
        if self.expect.at_most is not None:
            return over or self.seen > self.expect.at_most
        return over or self.seen >= self.at_least

    def outcome(self) -> Outcome:
        """The verdict now."""
        held = self.seen >= self.at_least
        if self.expect.at_most is not None:
            held = held and self.seen <= self.expect.at_most
        return Outcome(
            self.words(), held, self.seen, self.first_us, "" if held else self.expect.why
        )

    def words(self) -> str:
        """The expectation as a phrase: "phone: connected to thermometer, at least 1"."""
        expect = self.expect
        parts = [f"{expect.node or 'anyone'}: {expect.event}"]
        if expect.peer:
            parts.append(f"with {expect.peer}")
        if expect.rule:
            parts.append(f"by rule {expect.rule}")
        parts += [f"{name} {_phrase(wanted)}" for name, wanted in expect.where.items()]
        if expect.after:
            parts.append(f"after {expect.after / 1e6:g} s")
        if expect.before is not None:
            parts.append(f"before {expect.before / 1e6:g} s")
        bounds = [f"at least {self.at_least}"] if self.at_least or expect.at_most is None else []
        if expect.at_most is not None:
            bounds.append(f"at most {expect.at_most}" if expect.at_most else "never")
        return f"{' '.join(parts)} ({', '.join(bounds)})"


def _phrase(wanted: Any) -> str:
    if isinstance(wanted, dict):
        return " and ".join(f"{k} {v}" for k, v in cast("dict[str, Any]", wanted).items())
    return f"= {wanted}"
