"""A device of a crowd: the cluster engine, and one service that it publishes. Everything else is the swarm's.

Small on purpose: scenarios have thousands. What it draws depends on its name and the number of the draw alone, so
that no stream is kept. No clock of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from protocols.wifi_aware import frames
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
from protocols.wifi_aware.cluster import Cluster
from protocols.wifi_aware.frame import build
from protocols.wifi_aware.heard import NETWORK_ID, PUBLIC, octets_of
from protocols.wifi_aware.matching import service_id

if TYPE_CHECKING:
    from protocols.wifi_aware.cluster_settings import ClusterSettings
    from sim.rng import Streams
    from sim.wifi_aware.contention import Backoff
    from sim.wifi_aware.links import Origin

__all__ = ["MemberDraw", "MemberJob", "Service", "SwarmMember"]

_DESTINATION, _BSSID, _SEQUENCE = slice(4, 10), slice(16, 22), slice(22, 24)
_SERVICE_ID, _REQUESTOR = slice(33, 39), 40
"""Of the Service Descriptor, which stands first in the frame."""
_SEQUENCE_NUMBERS = 4096
_CAPABILITY = 0x0F
_NO_CLUSTER = "00:00:00:00:00:00"


class Service(NamedTuple):
    """What a member publishes, as a frame whose Cluster ID and sequence number are still missing."""

    octets: bytes
    every: int
    """discovery window intervals from one announcement to the next."""

    @classmethod
    def of(cls, nmi: str, name: str, info: bytes, *, every: int, wake: int) -> Service:
        """A service by its name, with the Service Info of its descriptor. Raises EncodeError when that is too long."""
        descriptor = ServiceDescriptor(
            service_id=service_id(name),
            instance_id=1,
            requestor_instance_id=0,
            type=0,
            range_limited=False,
            service_info=info.hex() if info else UNSET,
        )
        frame = frames.Sdf(
            destination=NETWORK_ID,
            source=nmi,
            bssid=_NO_CLUSTER,
            sequence_number=0,
            category=PUBLIC,
            attributes=(make(descriptor), Attr(_CAPABILITY, _capability(wake))),
        )
        return cls(build(frame), every)

    @property
    def service_id(self) -> bytes:
        """Six octets that subscribers look for."""
        return self.octets[_SERVICE_ID]

    def frame(self, cluster_id: str, sequence: int, to: bytes = b"", requestor: int = 0) -> bytes:
        """The publish in a cluster; to everybody, or in answer to instance `requestor` of the device `to`."""
        made = bytearray(self.octets)
        made[_BSSID] = octets_of(cluster_id)
        made[_SEQUENCE] = (sequence % _SEQUENCE_NUMBERS << 4).to_bytes(2, "little")
        if to:
            made[_DESTINATION] = to
            made[_REQUESTOR] = requestor
        return bytes(made)


def _capability(wake: int) -> bytes:
    """A Device Capability of 2.4 GHz alone: committed wake value, one antenna each way."""
    return bytes((0, wake, 0, 0x04, 0, 0x11, 0, 0, 0))


class MemberDraw:
    """Chance of a member: each draw has a value of its own."""

    __slots__ = ("_count", "_name", "_streams")

    def __init__(self, streams: Streams, name: str) -> None:
        self._streams = streams
        self._name = name
        self._count = 0

    def __call__(self, purpose: str, length: int) -> bytes:
        """Draw."""
        self._count += 1
        return self._streams.octets(f"{self._name}/{purpose}/{self._count}", length)


class MemberJob(NamedTuple):
    """A frame that a member is to send."""

    octets: bytes
    duration_us: int
    until_us: int
    """it is no use after that."""
    slots: tuple[int, int]
    """from which its back-off is drawn."""


class SwarmMember:
    """Device `number` of the swarm, member of the crowd whose name stands before the slash in `name`."""

    __slots__ = (
        "backoff", "bit", "cluster", "contending", "due_us", "jobs", "name", "nmi", "number", "origin", "power_dbm",
        "rank", "reach", "sequence", "service", "way", "window_until_us",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        name: str,
        nmi: str,
        power_dbm: int,
        service: Service,
        cluster: Cluster,
    ) -> None:
        self.number = number
        self.bit = 1 << number
        self.name = name
        self.nmi = nmi
        self.power_dbm = power_dbm
        self.service = service
        self.cluster = cluster
        self.rank = cluster.rank
        self.way = cluster.way
        self.due_us = -1
        self.origin: Origin = (name, (0.0, 0.0, 0.0), power_dbm)
        self.reach = -1
        """whom its frames reach, as a mask; -1 until it has sent one."""
        self.window_until_us = 0
        self.sequence = 0
        self.jobs: list[MemberJob] = []
        self.backoff: Backoff | None = None
        self.contending = False

    @classmethod
    def make(
        cls,
        number: int,
        name: str,
        nmi: str,
        power_dbm: int,
        service: Service,
        settings: ClusterSettings,
        streams: Streams,
        now: int,
    ) -> SwarmMember:
        """A member that begins to scan at `now`."""
        cluster = Cluster(nmi, settings, MemberDraw(streams, f"crowd/{name}"), now)
        return cls(number, name, nmi, power_dbm, service, cluster)

    def next_sequence(self) -> int:
        """Number of its next service discovery frame."""
        self.sequence += 1
        return self.sequence

    def announces(self, tsf_us: int, interval_us: int) -> bool:
        """Whether it publishes in the window that begins at that TSF; members of a crowd take turns."""
        return (tsf_us // interval_us + self.number) % self.service.every == 0
