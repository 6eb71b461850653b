"""IB-33: an identity address of zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

IDENTITY_ADDRESS = 0x09


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        for one in connection.smp:
            if one.code == IDENTITY_ADDRESS and not one.from_central and not any(one.data[1:7]):
                yield Verdict(
                    severity="error",
                    evidence="Identity Address Information with address 00:00:00:00:00:00",
                    short="identity address of zeros",
                    effect="refuse",
                    frames=(one.frame,),
                )


RULE = Rule(
    id="IB-33",
    title="identity address of zeros",
    statement="Pairing fails when the accessory's Identity Address Information is 00:00:00:00:00:00.",
    source="devzone.nordicsemi.com 9811",
    confidence="O",
    profiles=("ios-ble",),
    stories=("US-17",),
    remedy="Distribute the real public or static random address with the IRK, or do not distribute an identity.",
    on="link",
    judge=_judge,
)
