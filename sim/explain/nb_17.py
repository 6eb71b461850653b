"""NB-17: services that nobody shares; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict
from sim.explain.parts import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    sides: dict[str, dict[str, dict[str, list[int]]]] = {}
    for device in case.scene.aware.devices.values():
        for service in device.services.values():
            if service.service_id.strip("0"):  # all zero is a wildcard
                for cluster in device.clusters:
                    table = sides.setdefault(cluster, {}).setdefault(service.kind, {})
                    table.setdefault(service.service_id, list(service.frames[:2]))
    for cluster, kinds in sides.items():
        published, wanted = kinds.get("publish", {}), kinds.get("subscribe", {})
        if not published or not wanted or set(published) & set(wanted):
            continue
        yield Verdict(
            severity="warning",
            evidence=f"in cluster {cluster} the published services are {listed(sorted(published))} and the wanted ones "
            f"{listed(sorted(wanted))}",
            frames=tuple(
                frame
                for table in (published, wanted)
                for frames in table.values()
                for frame in frames
            ),
            device="",
        )


RULE = Rule(
    id="NB-17",
    title="no service in common",
    statement="Publisher and subscriber meet by the service ID, the first 6 octets of SHA-256 of the name in small "
    "letters: one different character, and nothing matches and nobody says so.",
    source="Wi-Fi Aware 4.0, service ID; hostap src/common/nan_de.c",
    confidence="D",
    profiles=AWARE_PROFILES,
    stories=("US-52",),
    remedy="Compare the names on both sides, with underscore and transport: _example-service._udp.",
    on="scene",
    judge=_judge,
)
