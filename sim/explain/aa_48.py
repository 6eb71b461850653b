"""AA-48: the port in the responder's service info."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.aware_pairs import RESPONSE
from sim.explain.aware_parts import known_phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

PORT_OCTETS = 2


def _judge(case: Case) -> Iterator[Verdict]:
    path = case.path
    response = path.step(RESPONSE)
    if response is None or not known_phone(case, path.initiator):
        return
    wrong = [port for port in response.ports if len(port) != 2 * PORT_OCTETS or not int(port, 16)]
    if wrong:
        yield Verdict(
            severity="warning",
            evidence=f"the port in the response of {path.responder} is {wrong[0] or 'empty'} (hex)",
            short="port that makes the service info invalid",
            effect="ignore",
            frames=(response.frame,),
            device=path.responder,
        )


RULE = Rule(
    id="AA-48",
    title="port that makes the service info invalid",
    statement="Android takes the peer's address from the EUI-64 of its data interface unless TLV 0 of the NDP Extension "
    "overrides it, port and protocol from TLV 1 of the responder; a port of 0 or of another length than 2 "
    "invalidates the whole TLV.",
    source="AOSP NetworkInformationData",
    confidence="D",
    profiles=("android-aware",),
    remedy="Send the port as two octets, little-endian, and not 0.",
    on="aware_data_path",
    judge=_judge,
)
