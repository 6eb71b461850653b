"""IB-31: who starts pairing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

SECURITY_REQUEST = 0x0B
_ASKED_FOR_SECURITY = (0x05, 0x0F)


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        first = next((one for one in connection.smp if one.code == SECURITY_REQUEST), None)
        if first is None:
            continue
        refused = [
            one
            for one in connection.att_errors
            if one.code in _ASKED_FOR_SECURITY and one.t_us <= first.t_us
        ]
        if refused:
            continue
        after_ms = (first.t_us - connection.t_us) / 1000
        came_up = connection.encrypted
        yield Verdict(
            severity="warning" if came_up else "error",
            evidence=f"Security Request {after_ms:.0f} ms after the connection, before any request was refused; "
            + ("this central went along" if came_up else "no encryption came of it"),
            short="the accessory asks for pairing before anything was refused",
            frames=(first.frame,),
        )


RULE = Rule(
    id="IB-31",
    title="the accessory asks for pairing first",
    statement="The accessory does not ask for pairing first: it rejects the ATT request with Insufficient "
    "Authentication, and the phone then starts to pair.",
    source="Accessory Design Guidelines for Apple Devices 40.10",
    confidence="D",
    profiles=("ios-ble",),
    stories=("US-17",),
    remedy="Send no Security Request; answer reads and writes of protected values with error 0x05.",
    on="link",
    judge=_judge,
)
