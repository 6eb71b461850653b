"""IB-36: a passkey needs an accessory that can show or take one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ib_32 import PAIRING_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

IO_CAPABILITIES = {
    0: "DisplayOnly", 1: "DisplayYesNo", 2: "KeyboardOnly", 3: "NoInputNoOutput", 4: "KeyboardDisplay",
}  # fmt: skip
_NO_IO, _MITM = 3, 0x04


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        for one in connection.smp:
            if one.code != PAIRING_RESPONSE or len(one.data) < 3:
                continue
            io, auth = one.data[0], one.data[2]
            wants_mitm = bool(auth & _MITM)
            if io != _NO_IO and wants_mitm:
                continue
            name = IO_CAPABILITIES.get(io, f"{io:#04x}")
            yield Verdict(
                severity="note",
                evidence=f"the accessory answers with {name} and {'MITM' if wants_mitm else 'no MITM'}: Just Works",
                short="Just Works, no passkey",
                frames=(one.frame,),
            )


RULE = Rule(
    id="IB-36",
    title="Just Works, no passkey",
    statement="A passkey needs MITM and a fitting IO capability on the accessory, else the phone only asks whether to "
    "pair.",
    source="e2e.ti.com 1074404",
    confidence="O",
    profiles=("ios-ble", "android-ble"),
    stories=("US-17",),
    remedy="Set the MITM flag and an IO capability with a display or a keyboard.",
    on="link",
    judge=_judge,
)
