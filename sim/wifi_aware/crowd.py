"""Crowds of Wi-Fi Aware devices in a scenario: what each publishes, where it stands, when it is switched on.

`{n}` in a text setting becomes the member's number, as in other crowds. Errors name `crowd[i]` and the key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from protocols.errors import EncodeError, UsageError
from protocols.wifi_aware.cluster_settings import ClusterSettings
from protocols.wifi_aware.timing import DW_INTERVAL_US
from sim.crowds import numbered
from sim.device import Settings, convert
from sim.units import Duration
from sim.wifi_aware.medium import Medium
from sim.wifi_aware.swarm import Swarm
from sim.wifi_aware.swarm_member import Service, SwarmMember

if TYPE_CHECKING:
    from sim.scenario import CrowdSpec
    from sim.world import World

__all__ = ["AwareCrowd", "CrowdSettings", "join_aware_crowd"]

_INTERVAL_US = 10_000_000
_POWER_DBM = 15
_LOCAL, _GROUP = 0x02, 0x01


class CrowdSettings(Settings, frozen=True, kw_only=True):
    """Settings of a crowd of Wi-Fi Aware devices."""

    service_name: str = "_crowd{n}._udp"
    """name of the service that a member publishes."""
    service_info: str = ""
    """service specific info of its publish, hex, 255 octets at most."""
    start_within: Duration = Duration(5_000_000)
    """members are switched on at times drawn within this; the first one at once; a duration."""
    master_preference: int = 2
    """master preference, 0 to 254."""
    wake: int = 1
    """discovery windows they attend: every 2^(n-1)th, n 1 to 5."""
    scan_time: Duration = Duration(1_000_000)
    """how long a member looks for a cluster at the start; a duration."""
    warm_up: Duration = Duration(120_000_000)
    """how long the member that began the cluster keeps master preference 0; a duration."""

    def cluster(self) -> ClusterSettings:
        """Settings of the cluster engines. Raises UsageError."""
        return ClusterSettings(
            master_preference=self.master_preference,
            wake_2_4=self.wake,
            scan_us=int(self.scan_time),
            warm_up_us=int(self.warm_up),
        )


class AwareCrowd(NamedTuple):
    """A crowd that has joined an air."""

    name: str
    swarm: Swarm
    members: tuple[SwarmMember, ...]


def join_aware_crowd(world: World, index: int, spec: CrowdSpec) -> AwareCrowd:
    """Put the crowd `spec`, entry `index` of the scenario, on the world's air. Raises ScenarioError."""
    fail = world.scenario.error_in
    if spec.fields:
        raise fail(("crowd", index, "fields"), "a Wi-Fi Aware crowd has no fields; use set")
    try:
        settings: CrowdSettings = convert(spec.set, CrowdSettings, "set")
        cluster = settings.cluster()
    except UsageError as exc:
        raise fail(("crowd", index, "set"), str(exc)) from None
    swarm = Swarm.on(Medium.on(world.air))
    members: list[SwarmMember] = []
    for n in range(spec.count):
        try:
            service = _service(world, spec, settings, n)
        except (EncodeError, UsageError, ValueError) as exc:
            raise fail(("crowd", index, "set"), f"service_info or service_name: {exc}") from None
        members.append(_add(world, swarm, spec, settings, cluster, service, n))
    return AwareCrowd(spec.name, swarm, tuple(members))


def _nmi(world: World, spec: CrowdSpec, n: int) -> str:
    octets = bytearray(world.streams.octets(f"crowd/{spec.name}/{n}/nmi", 6))
    octets[0] = octets[0] & ~_GROUP | _LOCAL
    return octets.hex(":")


def _service(world: World, spec: CrowdSpec, settings: CrowdSettings, n: int) -> Service:
    interval_us = _INTERVAL_US if spec.interval is None else int(spec.interval)
    every = max(1, round(interval_us / DW_INTERVAL_US))
    info = bytes.fromhex(str(numbered(settings.service_info, n)))
    name = str(numbered(settings.service_name, n))
    if not re.fullmatch(r"\S+", name):
        raise UsageError(f"{name!r} is no service name")
    return Service.of(_nmi(world, spec, n), name, info, every=every, wake=settings.wake)


def _add(
    world: World,
    swarm: Swarm,
    spec: CrowdSpec,
    settings: CrowdSettings,
    cluster: ClusterSettings,
    service: Service,
    n: int,
) -> SwarmMember:
    places = world.streams.stream(f"crowd/{spec.name}/place")
    width_m, depth_m = spec.area
    x_m, y_m, z_m = (*spec.at, 0.0)[:3]
    position = (
        x_m + (places.random() - 0.5) * width_m,
        y_m + (places.random() - 0.5) * depth_m,
        z_m,
    )
    start_us = 0 if n == 0 else int(places.random() * settings.start_within)
    nmi = _nmi(world, spec, n)
    world.claim(spec.name, nmi)
    power_dbm = _POWER_DBM if spec.tx_power_dbm is None else spec.tx_power_dbm
    member = SwarmMember.make(
        len(swarm.members),
        f"{spec.name}/{n}",
        nmi,
        power_dbm,
        service,
        cluster,
        world.streams,
        start_us,
    )
    swarm.add(member, position)
    world.loop.at_us(start_us, swarm.start, member)
    return member
