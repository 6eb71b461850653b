"""IB-34: the accessory lost the bond, the iPhone did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.observations import Device, Encryption

KEY_MISSING = 0x06
PAIRING_REQUEST = 0x01


def refusals(device: Device) -> list[Encryption]:
    """Encryptions that ended with "PIN or Key Missing"."""
    return [
        one
        for connection in device.connections
        for one in connection.encryptions
        if one.status == KEY_MISSING
    ]


def paired_again(device: Device) -> bool:
    """Whether a later pairing brought encryption up."""
    lost = refusals(device)
    return any(
        one.status == 0 and one.t_us > lost[-1].t_us
        for connection in device.connections
        for one in connection.encryptions
    )


def _judge(case: Case) -> Iterator[Verdict]:
    lost = refusals(case.device)
    if not lost:
        return
    again = paired_again(case.device)
    tried = any(
        one.code == PAIRING_REQUEST
        for connection in case.device.connections
        for one in connection.smp
    )
    after = (
        "it was paired anew later"
        if again
        else "pairing was tried"
        if tried
        else "nobody tried to pair"
    )
    yield Verdict(
        severity="warning" if again else "error",
        evidence=f"encryption refused with 0x06 PIN or Key Missing, {len(lost)} time{'s' * (len(lost) > 1)}; {after}",
        short="Peer removed pairing information (CBError 14)",
        frames=tuple(one.frame for one in lost[:8]),
    )


RULE = Rule(
    id="IB-34",
    title="peer removed pairing information",
    statement="When the peripheral has lost the bond (factory reset), connecting fails with CBError 14 (encryption "
    "timeout: 15). The iPhone keeps its key and does not pair again by itself.",
    source="flutter_reactive_ble #809, #903; react-native-ble-manager #820; flutter_blue_plus #1336; nRF-Connect #168; "
    "polar-ble-sdk #389",
    confidence="O",
    profiles=("ios-ble",),
    stories=("US-18",),
    remedy="The user has to choose Forget This Device in Settings (or remove the accessory); let the app say so on "
    "CBError 14, and let a factory reset change the accessory's address.",
    on="link",
    judge=_judge,
)
