"""IB-32: key distribution of a pairing that the accessory asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ib_31 import SECURITY_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

PAIRING_RESPONSE, PAIRING_FAILED = 0x02, 0x05
SIGN, LINK = 0x04, 0x08
_KEYS = slice(4, 6)
"""initiator's and responder's key distribution, after IO capability, OOB, AuthReq and key size."""


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        codes = [one.code for one in connection.smp]
        response = next((one for one in connection.smp if one.code == PAIRING_RESPONSE), None)
        if response is None or SECURITY_REQUEST not in codes or connection.encrypted:
            continue
        keys = response.data[_KEYS]
        if len(keys) < 2 or any(bits & (SIGN | LINK) for bits in keys):
            continue
        failed = "failed" if PAIRING_FAILED in codes else "came to nothing"
        yield Verdict(
            severity="warning",
            evidence=f"key distribution {keys[0]:#04x}/{keys[1]:#04x} has neither the sign nor the link key, and the "
            f"pairing that the accessory had asked for {failed}",
            frames=(response.frame,),
        )


RULE = Rule(
    id="IB-32",
    title="key distribution without sign and link keys",
    statement="From iOS 14 on, a pairing that the peer had asked for failed or timed out until the key distribution "
    "flags had the sign and link keys in them, on one stack.",
    source="devzone.nordicsemi.com 66416",
    confidence="O",
    profiles=("ios-ble",),
    stories=("US-17",),
    remedy="Set the sign and link bits of both key distribution fields, or let the phone start the pairing (IB-31).",
    default=False,
    switch="off in the simulated phone: seen with one stack, when a Security Request is met at all (IB-31 off); looked "
    "for in captures",
    on="link",
    judge=_judge,
)
