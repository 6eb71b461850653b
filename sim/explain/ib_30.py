"""IB-30: discovery must be free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.data.gatt_names import att_error_name
from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

SECURITY_ERRORS = (0x05, 0x08, 0x0C, 0x0F)
"""Insufficient Authentication, Authorization, Encryption Key Size, Encryption (Core Vol 3 Part F 3.4.1.1)."""


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        wrong = [
            one for one in connection.att_errors if one.discovery and one.code in SECURITY_ERRORS
        ]
        if wrong:
            code = wrong[0].code
            yield Verdict(
                severity="error",
                evidence=f"a discovery request was answered with {code:#04x} {att_error_name(code)}",
                short="discovery demands security",
                frames=tuple(one.frame for one in wrong[:8]),
            )


RULE = Rule(
    id="IB-30",
    title="discovery demands pairing",
    statement="Finding services and characteristics must not need pairing, authentication or encryption; only access to "
    "values may.",
    source="Accessory Design Guidelines for Apple Devices 40.9",
    confidence="D",
    profiles=("ios-ble",),
    stories=("US-17",),
    remedy="Put the security on the characteristic values, not on services or declarations.",
    on="link",
    judge=_judge,
)
