"""IB-20: connection parameters an iPhone accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import all_requests, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.observations import Device, ParameterRequest

MAX_LATENCY, STEP_MS, MAX_SILENCE_MS, FACTOR = 30, 15.0, 2000.0, 3
_HID, _HID_MS = "1812", 11.25


def violations(request: ParameterRequest, *, is_hid: bool = False) -> list[str]:
    """What the guidelines say against a request; empty when it keeps them (the supervision window is IB-21)."""
    low, high, latency = request.interval_min_ms, request.interval_max_ms, request.latency
    silence_ms = high * (latency + 1)
    wrong: list[str] = []
    if latency > MAX_LATENCY:
        wrong.append(f"latency {latency} is more than 30")
    if not (is_hid and low == _HID_MS):
        if low < STEP_MS:
            wrong.append(f"minimum interval {low:g} ms is less than 15 ms")
        elif low % STEP_MS:
            wrong.append(f"minimum interval {low:g} ms is no multiple of 15 ms")
        if high < low + STEP_MS and not low == high == STEP_MS:
            wrong.append(f"maximum interval {high:g} ms is less than minimum + 15 ms")
    if silence_ms > MAX_SILENCE_MS:
        wrong.append(f"maximum interval x (latency + 1) = {silence_ms:g} ms is more than 2 s")
    if request.timeout_ms <= FACTOR * silence_ms:
        wrong.append(
            f"timeout {request.timeout_ms} ms is not more than 3 x {silence_ms:g} ms (maximum interval x (latency + 1))"
        )
    return wrong


def is_hid(device: Device) -> bool:
    """Whether the device advertises the HID service, for which shorter intervals are allowed (IB-22)."""
    return any(_HID in ad.service_uuids for ad in device.ads)


def _judge(case: Case) -> Iterator[Verdict]:
    seen: set[str] = set()
    for request in all_requests(case.device):
        wrong = violations(request, is_hid=is_hid(case.device))
        if not wrong or str(request) in seen:
            continue
        seen.add(str(request))
        answer = {
            None: "no answer was seen",
            True: "this central accepted it",
            False: "it was rejected",
        }
        yield Verdict(
            severity="note" if request.accepted else "warning",
            evidence=f"asked for {request}: {listed(wrong)}; {answer[request.accepted]}",
            short=listed(wrong),
            effect="refuse",
            frames=tuple(f for f in (request.frame, request.answer_frame) if f is not None),
        )


RULE = Rule(
    id="IB-20",
    title="connection parameters against the guidelines",
    statement="A request may be rejected unless all of these hold: latency at most 30; minimum interval at least 15 ms "
    "and a multiple of 15 ms; maximum at least 15 ms above it, or both 15 ms; maximum x (latency + 1) at most 2 s; "
    "supervision timeout more than three times that.",
    source="Accessory Design Guidelines for Apple Devices R7 11.6, R17 40.6",
    confidence="D",
    profiles=("ios-ble",),
    stories=("US-19",),
    remedy="Ask for 30 to 45 ms, latency 0, timeout 6 s (or another set that keeps all five rules), once.",
    on="link",
    judge=_judge,
)
