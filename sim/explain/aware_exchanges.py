"""Messages put together to exchanges: which request a response belongs to, which Auth2 to which Auth1.

Digest of frames 5 and 6, digest of pairing 6. Messages may be missing, repeated, or of an exchange that began before
the capture. Addresses of data interfaces (NDI) lead to the device they belong to once a data path has named them. No
clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from sim.explain.aware_observations import AwareDevice
from sim.explain.aware_pairs import (
    CONFIRM,
    REQUEST,
    RESPONSE,
    TERMINATE,
    Auth,
    Bare,
    Bootstrap,
    DataPath,
    Guarded,
    Pair,
    Pasn,
    Traffic,
    keep,
)

if TYPE_CHECKING:
    from sim.explain.aware_observations import Aware
    from sim.explain.aware_pairs import NdpStep, Step

__all__ = ["CLUSTERS", "Exchanges"]

_MOST_PAIRS, _MOST_PATHS, _MOST_STEPS, _MOST_NDIS = 10_000, 4096, 64, 20_000
_GUARDED_EACH, _MOST_GUARDED = 4, 4096
"""Protected frames of each side that are kept after an authentication, and of all."""
_NULL = (4, 12)
"""Subtypes of data frames without data: NULL and QoS NULL."""
_BOOTSTRAP_REQUEST = 1
_RETRY = 0x08
CLUSTERS = bytes.fromhex("506f9a01")
"""What a Cluster ID begins with: Address 3 of all frames but Authentication."""


class Exchanges:
    """Follows what devices say to each other."""

    def __init__(self, aware: Aware) -> None:
        self._aware = aware
        self._ndis: dict[str, str] = {}
        self._paths: dict[tuple[str, int, tuple[str, str]], DataPath] = {}
        self._links: dict[bytes, DataPath] = {}
        self._fresh: dict[tuple[str, str, str], int] = {}

    def device(self, nmi: str, most: int) -> AwareDevice:
        """The device of that address, made when it is new; beyond `most` it is forgotten again."""
        found = self._aware.devices.get(nmi)
        if found is None:
            found = AwareDevice(nmi)
            if len(self._aware.devices) < most:
                self._aware.devices[nmi] = found
        return found

    def nmi_of(self, address: str) -> str:
        """The NMI behind an address, which may be that of a data interface."""
        if address in self._aware.devices:
            return address
        return self._ndis.get(address, address)

    def pair(self, one: str, other: str) -> Pair | None:
        """The two devices, None when `other` is a group or the same."""
        if other[1] in "13579bdf" or one == other:
            return None
        a, b = sorted((one, other))
        found = self._aware.pairs.get((a, b))
        if found is None and len(self._aware.pairs) < _MOST_PAIRS:
            found = self._aware.pairs[a, b] = Pair(a=a, b=b)
            for nmi, peer in ((a, b), (b, a)):
                if nmi in self._aware.devices:
                    self._aware.devices[nmi].peers.add(peer)
        return found

    # Pairing

    def bootstrap(self, pair: Pair, sender: str, npba: Any, step: Step) -> None:
        """A bootstrapping request or response."""
        is_request = npba.type == _BOOTSTRAP_REQUEST
        requester = sender if is_request else pair.other(sender)
        known = [
            one
            for one in pair.bootstraps
            if (one.requester, one.token) == (requester, npba.dialog_token)
        ]
        last = known[-1] if known else None
        if last is None or (is_request and (last.accepted or last.rejected)):
            last = Bootstrap(
                requester=requester, responder=pair.other(requester), token=npba.dialog_token
            )
            keep(pair.bootstraps, last)
        keep(last.requests if is_request else last.responses, step)

    def auth(self, destination: str, auth: Auth) -> None:
        """A PASN message."""
        pair = self.pair(auth.sender, destination)
        if pair is None or auth.transaction not in (1, 2, 3):
            return
        if auth.transaction == 1:
            keep(self._started(pair, auth).firsts, auth)
            return
        is_answer = auth.transaction == 2
        initiator = destination if is_answer else auth.sender
        mine = [one for one in pair.pasns if one.initiator == initiator]
        last = mine[-1] if mine else None
        known = last is not None and any(one.identity == auth.identity for one in last.seconds)
        if last is None or (is_answer and last.thirds and not known):
            last = self._begun(pair, initiator)
        keep(last.seconds if is_answer else last.thirds, auth)

    def _started(self, pair: Pair, auth: Auth) -> Pasn:
        """The exchange of an Auth1: a repeated one belongs to the exchange that it began."""
        for one in reversed(pair.pasns):
            if one.initiator == auth.sender and any(
                auth.identity == first.identity for first in one.firsts
            ):
                return one
        return self._begun(pair, auth.sender)

    def _begun(self, pair: Pair, initiator: str) -> Pasn:
        pasn = Pasn(initiator=initiator, responder=pair.other(initiator))
        keep(pair.pasns, pasn)
        for nmi in (pair.a, pair.b):
            self._fresh.pop((pair.a, pair.b, nmi), None)
        return pasn

    def sealed(self, source: str, destination: str, frame: int, t_us: int) -> None:
        """A protected unicast frame: between NMIs it shows the keys of a pairing, between NDIs those of a data path."""
        if source not in self._aware.devices or destination not in self._aware.devices:
            self._carried(_octets(source), _octets(destination), t_us)
            return
        pair = self.pair(source, destination)
        if pair is None:
            return
        key = (pair.a, pair.b, source)
        count = self._fresh.get(key, 0)
        if count < _GUARDED_EACH:
            self._fresh[key] = count + 1
            keep(pair.guarded, Guarded(t_us, frame, source), _MOST_GUARDED)

    def bare(self, source: str, destination: str, frame: int, t_us: int, what: str) -> None:
        """A unicast frame that could have been protected; it counts between devices that have paired."""
        pair = self._aware.pairs.get((min(source, destination), max(source, destination)))
        if pair is not None and pair.pasns:
            keep(pair.bares, Bare(t_us, frame, source, what))

    # Data paths

    def data_path(self, destination: str, setup: Any, step: NdpStep) -> None:
        """A message of a data path; `setup` is its NDP or NDP Extension attribute."""
        peer = self.nmi_of(destination)
        low, high = sorted((step.sender, peer))
        key = (setup.initiator_ndi, setup.ndp_id, (low, high))
        path = self._paths.get(key)
        if path is None or (step.type == REQUEST and not _is_repeated(path, setup)):
            path = _path(setup, step, peer)
            if len(self._aware.paths) >= _MOST_PATHS:
                return
            self._aware.paths.append(path)
            self._paths[key] = path
            pair = self.pair(low, high)
            if pair is not None:
                keep(pair.paths, path)
        keep(path.steps, step, _MOST_STEPS)
        path.is_secure = path.is_secure or setup.security
        self._name(setup, step, path)

    def _name(self, setup: Any, step: NdpStep, path: DataPath) -> None:
        """Learn whose data interfaces those are."""
        if len(self._ndis) > _MOST_NDIS:
            return
        if step.type == REQUEST:
            path.needs_confirm = setup.confirm_required
            self._ndis[setup.initiator_ndi] = step.sender
        if setup.responder_ndi is UNSET:
            return
        path.responder_ndi = setup.responder_ndi
        if step.type == RESPONSE:
            self._ndis[setup.responder_ndi] = step.sender
        self._links[_link(_octets(path.initiator_ndi), _octets(path.responder_ndi))] = path

    def data(self, data: bytes, t_us: int, rssi_dbm: int | None = None) -> None:
        """A data frame, from its octets; it belongs to a path when it runs between the interfaces of a known one."""
        self._carried(data[10:16], data[4:10], t_us, is_empty=data[0] >> 4 in _NULL)
        if data[4] & 1 or data[16:20] != CLUSTERS:
            return
        device = self._sender(data[10:16].hex(":"), t_us, rssi_dbm)
        device.unicast += 1
        device.retries += bool(data[1] & _RETRY)

    def _sender(self, address: str, t_us: int, rssi_dbm: int | None) -> AwareDevice:
        """The device behind a data interface; one that no readable message has named stands for itself."""
        known = self._aware.devices.get(self.nmi_of(address))
        if known is not None:
            return known
        found = self._aware.interfaces.get(address) or AwareDevice(address)
        if len(self._aware.interfaces) < _MOST_NDIS:
            self._aware.interfaces[address] = found
        found.seen(t_us, rssi_dbm)
        return found

    def _carried(
        self, source: bytes, destination: bytes, t_us: int, *, is_empty: bool = False
    ) -> None:
        path = self._links.get(_link(source, destination))
        if path is None:
            return
        traffic = path.traffic.setdefault(source.hex(":"), Traffic())
        traffic.count += 1
        traffic.empty += is_empty
        traffic.last_us = t_us


def _path(setup: Any, step: NdpStep, peer: str) -> DataPath:
    """A path that `step` is the first known message of."""
    by_initiator = step.type in (REQUEST, CONFIRM, TERMINATE)
    return DataPath(
        initiator=step.sender if by_initiator else peer,
        responder=peer if by_initiator else step.sender,
        initiator_ndi=setup.initiator_ndi,
        number=setup.ndp_id,
        token=setup.dialog_token,
        is_partial=step.type != REQUEST,
    )


def _is_repeated(path: DataPath, setup: Any) -> bool:
    """Whether a request belongs to the path that is known: same token, and nothing came after it."""
    return path.token == setup.dialog_token and all(one.type == REQUEST for one in path.steps)


def _octets(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


def _link(one: bytes, other: bytes) -> bytes:
    return one + other if one < other else other + one
