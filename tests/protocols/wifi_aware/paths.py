"""Two devices on a wire that are ready for data paths: A publishes instance 1, B has subscription 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import frames
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.datapath import DataPathSettings
from protocols.wifi_aware.events import (
    DataPathConnected,
    DataPathEnded,
    DataPathRequested,
    NafReceived,
)
from protocols.wifi_aware.keys import suite_of
from protocols.wifi_aware.peers import LinkKey, Service
from tests.protocols.wifi_aware.wire import A, B, Wire, device

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.device import AwareDevice
    from protocols.wifi_aware.heard import Outgoing
    from protocols.wifi_aware.ndp_path import Path

NDI_A, NDI_B = A[:-2] + "11", B[:-2] + "11"
SECRET: dict[str, Any] = {"csid": 1, "passphrase": b"a good passphrase"}
SERVICE_ID = "9904c1d05acb"
SECOND = 1_000_000


def ready(one: AwareDevice) -> AwareDevice:
    """Give a device the instance that paths are about, as its discovery would."""
    publish = one.nmi == A
    one.station.services[1] = Service(
        id=1, publish=publish, name="_pairtest._tcp", service_id=SERVICE_ID
    )
    return one


def wire(
    a: DataPathSettings | None = None,
    b: DataPathSettings | None = None,
    *,
    station: dict[str, Any] | None = None,
    station_a: dict[str, Any] | None = None,
    station_b: dict[str, Any] | None = None,
    seed: str = "",
) -> Wire:
    """The two; `station` are settings of both."""
    both = station or {}
    first = device(A, seed, {**both, **(station_a or {})}, data_path=a or DataPathSettings())
    second = device(B, seed, {**both, **(station_b or {})}, data_path=b or DataPathSettings())
    return Wire(a=ready(first), b=ready(second))


def pair(made: Wire, csid: int = 7, akm: str = "sae") -> None:
    """Leave what a pairing leaves."""
    for name, nmi in (("a", B), ("b", A)):
        station = made.devices[name].station
        peer = station.peer(nmi)
        peer.paired, peer.csid, peer.akm, peer.nd_pmk = True, csid, akm, bytes(range(32))
        suite = suite_of(csid)
        station.link_keys[station.nmi, nmi] = LinkKey(suite.cipher, bytes(suite.tk))


def ask(made: Wire, **arguments: Any) -> int:
    """B asks A; its NDP ID. The frame is on its way."""
    number = made.devices["b"].data_path.request(A, 1, 1, **arguments, now=made.now)
    made.run(0)
    return number


def reply(made: Wire, ndp_id: int = 1, *, ndi: str = NDI_B, **arguments: Any) -> None:
    """A answers."""
    made.devices["a"].data_path.answer(B, ndi, ndp_id, handle=1, **arguments, now=made.now)
    made.run(0)


def connect(made: Wire, **arguments: Any) -> int:
    """A whole setup that both sides want; its NDP ID."""
    number = ask(made, **arguments)
    ndi = arguments.pop("ndi", NDI_B)
    reply(made, number, ndi=ndi, **arguments)
    made.run(10_000)
    return number


def path_of(made: Wire, name: str) -> Path | None:
    """The path that a device has, being set up or connected; the newest."""
    links = made.devices[name].data_path.links.values()
    return next((path for link in links for path in link.every()), None)


def state_of(made: Wire, name: str) -> str:
    """State of that path; `none` without."""
    path = path_of(made, name)
    return "none" if path is None else path.state.value


def connected(made: Wire, name: str) -> list[DataPathConnected]:
    return made.events(name, DataPathConnected)


def ended(made: Wire, name: str) -> list[DataPathEnded]:
    return made.events(name, DataPathEnded)


def requested(made: Wire, name: str = "a") -> list[DataPathRequested]:
    return made.events(name, DataPathRequested)


def refused(made: Wire, name: str) -> list[str]:
    """Why NAFs were not taken."""
    return [one.cause for one in made.events(name, NafReceived) if not one.accepted]


def losing(*names: str) -> Callable[[str, Outgoing], list[tuple[int, bytes]]]:
    """A hook that loses frames of these names."""

    def carry(_sender: str, frame: Outgoing) -> list[tuple[int, bytes]]:
        return [] if frame.name in names else [(0, frame.octets)]

    return carry


def caught(made: Wire, name: str) -> bytes:
    """Octets of the last frame of that name that was sent."""
    return next(frame.octets for _, _, frame in reversed(made.sent) if frame.name == name)


def changed(whole: bytes, name: str, change: Callable[[Any], Any]) -> bytes:
    """The frame with the fields of one attribute changed."""
    frame = codec.read(whole)
    assert isinstance(frame, frames.Naf)
    attributes = tuple(make(change(one.fields)) if one.name == name else one for one in frame.attributes)  # fmt: skip
    return codec.build(msgspec.structs.replace(frame, attributes=attributes))


def without(whole: bytes, name: str) -> bytes:
    frame = codec.read(whole)
    assert isinstance(frame, frames.Naf)
    attributes = tuple(one for one in frame.attributes if one.name != name)
    return codec.build(msgspec.structs.replace(frame, attributes=attributes))


def fields(**values: Any) -> Callable[[Any], Any]:
    return lambda found: msgspec.structs.replace(found, **values)


def until(message: str) -> tuple[Wire, bytes]:
    """A setup in which that message is held back, and the message."""
    made = wire(station={"security_capabilities": 4})
    made.carry = losing(message)
    ask(made, **SECRET)
    if message != "ndp_m1":
        reply(made, **SECRET)
    return made, caught(made, message)
