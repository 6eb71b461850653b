"""IB-26: data length and MTU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

SMALLEST_MTU = 23


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        if connection.length_refused is not None:
            yield Verdict(
                severity="note",
                evidence="the device does not know LL_LENGTH_REQ: every packet stays at 27 octets",
                frames=(connection.length_refused,),
            )
        if connection.mtu is not None and connection.mtu[2] <= SMALLEST_MTU < connection.mtu[1]:
            frame, asked, given = connection.mtu
            yield Verdict(
                severity="note",
                evidence=f"the phone offered an MTU of {asked}, the device answered {given}",
                frames=(frame,),
            )


RULE = Rule(
    id="IB-26",
    title="short packets",
    statement="The phone negotiates Data Length Extension and starts the ATT MTU exchange (185 is the value logged most "
    "on older models); accessories should support both.",
    source="Accessory Design Guidelines for Apple Devices 40.7; innoveit/react-native-ble-manager #820 (log)",
    confidence="D/O",
    profiles=("ios-ble",),
    remedy="Support LL_LENGTH_REQ and answer the MTU request with what the buffers allow.",
    on="link",
    judge=_judge,
)
