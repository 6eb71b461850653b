"""IB-23: the preferred parameters that the phone does not follow."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

_PREFERRED = "2a04"
_LAYOUT = struct.Struct("<4H")


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        frame, value = connection.values.get(_PREFERRED, (0, b""))
        if len(value) != _LAYOUT.size:
            continue
        low, high, latency, timeout = _LAYOUT.unpack(value)
        got = connection.updates[-1].parameters if connection.updates else connection.parameters
        if connection.requests or low * 1.25 <= got.interval_ms <= high * 1.25:
            continue
        yield Verdict(
            severity="note",
            evidence=f"the characteristic prefers {low * 1.25:g} to {high * 1.25:g} ms, latency {latency}, timeout "
            f"{timeout * 10} ms; the connection has {got}, and the device never asked for others",
            frames=(frame,),
        )


RULE = Rule(
    id="IB-23",
    title="preferred connection parameters ignored",
    statement="The phone ignores the Peripheral Preferred Connection Parameters characteristic.",
    source="Accessory Design Guidelines for Apple Devices R17 40.6",
    confidence="D",
    profiles=("ios-ble",),
    stories=("US-19",),
    remedy="Send an L2CAP Connection Parameter Update Request after the connection is up.",
    on="link",
    judge=_judge,
)
