"""What a capture, a trace or a phone saw of each device: typed values without stack, file format or verdict.

The rules of `sim.explain` look at these and at nothing else, so that one rule judges a live phone, a trace and the
capture of a real device alike. `Device`, `Connection` and `Scene` grow while packets are read; everything else is
frozen. Frame numbers are those of the capture (of a trace: the `seq` of the event). No clock, no IO.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from sim.explain.ad import Ad, ad_of
from sim.explain.app import App
from sim.explain.aware_observations import Aware
from sim.explain.sayings import Sayings

__all__ = [
    "Advert",
    "AttError",
    "Connection",
    "Device",
    "Disconnection",
    "Encryption",
    "ParameterRequest",
    "Parameters",
    "Scene",
    "Sight",
    "Smp",
    "Timing",
    "Update",
]

_KEPT_FRAMES, _KEPT_TIMES, _KEPT_PAYLOADS = 8, 4000, 2000
_EVENT_GAP_US, _DELAY_MAX_US, _DELAY_MEAN_US = 10_000, 10_000, 5_000
"""Packets closer than 10 ms are one advertising event; advDelay is 0 to 10 ms (Core Vol 6 Part B 4.4.2.2)."""


class Advert(msgspec.Struct, frozen=True, gc=False):
    """One kind of packet of a device: what it may be used for and its octets."""

    pdu: str
    """`ADV_IND`, `ADV_DIRECT_IND`, `ADV_NONCONN_IND`, `ADV_SCAN_IND`, `SCAN_RSP`, or `extended`."""
    data: bytes
    connectable: bool = False
    scannable: bool = False
    directed: bool = False
    complete: bool = True
    """False when the octets are only a part of what was sent."""

    @property
    def ad(self) -> Ad:
        """The AD structures in it."""
        return ad_of(self.data)


class Sight(msgspec.Struct):
    """An advert and when it was seen."""

    advert: Advert
    frames: list[int]
    """the first few."""
    count: int
    first_us: int
    last_us: int
    rssi_dbm: int | None


class Timing(msgspec.Struct, frozen=True, gc=False):
    """Time from the end of a SCAN_REQ to the start of its SCAN_RSP."""

    frame: int
    t_ifs_us: int


class Parameters(msgspec.Struct, frozen=True, gc=False):
    """Of a connection."""

    interval_ms: float
    latency: int
    timeout_ms: int

    def __str__(self) -> str:
        return f"{self.interval_ms:g} ms, latency {self.latency}, timeout {self.timeout_ms} ms"


class ParameterRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A peripheral's wish for other parameters (Core Vol 3 Part A 4.20, Vol 6 Part B 5.1.7) and its answer."""

    t_us: int
    frame: int
    interval_min_ms: float
    interval_max_ms: float
    latency: int
    timeout_ms: int
    accepted: bool | None = None
    """None: no answer was seen."""
    answer_frame: int | None = None

    def admits(self, got: Parameters) -> bool:
        """Whether `got` is what was asked for."""
        return (
            self.interval_min_ms <= got.interval_ms <= self.interval_max_ms
            and got.latency == self.latency
            and got.timeout_ms == self.timeout_ms
        )

    def __str__(self) -> str:
        wish = f"{self.interval_min_ms:g} to {self.interval_max_ms:g} ms"
        return f"{wish}, latency {self.latency}, timeout {self.timeout_ms} ms"


class Update(msgspec.Struct, frozen=True, gc=False):
    """New parameters came into force (or were announced by the central)."""

    t_us: int
    frame: int
    parameters: Parameters


class AttError(msgspec.Struct, frozen=True, gc=False):
    """An Error Response."""

    t_us: int
    frame: int
    request: int
    """opcode of the request."""
    handle: int
    code: int
    discovery: bool
    """whether the request asked for the table, not for a value."""


class Smp(msgspec.Struct, frozen=True, gc=False):
    """A Security Manager PDU in the clear."""

    t_us: int
    frame: int
    code: int
    data: bytes
    """after the code."""
    from_central: bool


class Encryption(msgspec.Struct, frozen=True, gc=False):
    """An attempt to encrypt: `status` 0 encrypted, else the HCI error, None when only the attempt was seen."""

    t_us: int
    frame: int
    status: int | None


class Disconnection(msgspec.Struct, frozen=True, gc=False):
    """The end of a connection."""

    t_us: int
    frame: int
    reason: int


class Connection(msgspec.Struct):
    """One connection to a device, with what was seen on it in order."""

    t_us: int
    frame: int
    parameters: Parameters
    updates: list[Update] = []
    requests: list[ParameterRequest] = []
    att_errors: list[AttError] = []
    smp: list[Smp] = []
    encryptions: list[Encryption] = []
    disconnection: Disconnection | None = None
    mtu: tuple[int, int, int] | None = None
    """frame, what the central asked for, what the device answered."""
    length_refused: int | None = None
    """frame in which the device said it does not know LL_LENGTH_REQ."""
    values: dict[str, tuple[int, bytes]] = {}
    """UUID of a characteristic that was read -> frame, value (only 2a00 and 2a04 are kept)."""
    unread_from: int | None = None
    """frame of the first packet that encryption hid."""
    answers: int = 0
    """ATT responses of the device that carry what was asked for."""

    @property
    def works(self) -> bool:
        """Whether the device served something over it."""
        return self.answers > 0

    @property
    def encrypted(self) -> bool:
        """Whether encryption came up at least once."""
        return any(one.status == 0 for one in self.encryptions)


class Device(msgspec.Struct):
    """Everything seen of one address."""

    address: str
    address_type: str = ""
    name: str = ""
    """node name, or the local name it sends."""
    sights: dict[tuple[str, bytes], Sight] = {}
    """adverts, by PDU and octets."""
    responses: dict[tuple[str, bytes], Sight] = {}
    """scan responses, likewise."""
    times_us: list[int] = []
    """of the adverts."""
    channels: set[int] = set()
    timings: list[Timing] = []
    connections: list[Connection] = []
    set_interval_ms: float | None = None
    """advertising interval as its host set it, where that was captured."""
    is_central: bool = False
    """it scans or connects: a phone, not an accessory."""

    def add(self, advert: Advert, frame: int, t_us: int, rssi_dbm: int | None = None) -> None:
        """Note one packet."""
        is_response = advert.pdu == "SCAN_RSP"
        table = self.responses if is_response else self.sights
        known = table.get((advert.pdu, advert.data))
        if known is None:
            if len(table) >= _KEPT_PAYLOADS:
                return
            table[advert.pdu, advert.data] = Sight(advert, [frame], 1, t_us, t_us, rssi_dbm)
            self.name = self.name or advert.ad.name
        else:
            known.count += 1
            known.last_us = t_us
            if len(known.frames) < _KEPT_FRAMES:
                known.frames.append(frame)
            if rssi_dbm is not None and (known.rssi_dbm is None or rssi_dbm > known.rssi_dbm):
                known.rssi_dbm = rssi_dbm
        if not is_response and len(self.times_us) < _KEPT_TIMES:
            self.times_us.append(t_us)

    @property
    def adverts(self) -> list[Advert]:
        """Each distinct advert once."""
        return [sight.advert for sight in self.sights.values()]

    @property
    def connectable(self) -> bool:
        """Whether any advert of it is."""
        return any(advert.connectable for advert in self.adverts)

    @property
    def awaits_response(self) -> bool:
        """Whether it would answer a scan request, and no answer was seen."""
        return not self.responses and any(advert.scannable for advert in self.adverts)

    @property
    def ads(self) -> list[Ad]:
        """AD structures of all adverts and scan responses."""
        return [one.advert.ad for one in (*self.sights.values(), *self.responses.values())]

    @property
    def works(self) -> bool:
        """Whether a connection to it served something."""
        return any(one.works for one in self.connections)

    def interval_ms(self) -> float | None:
        """Advertising interval, None with fewer than five gaps; gaps in which packets were missed do not count."""
        if self.set_interval_ms is not None:
            return self.set_interval_ms
        starts = self.times_us[:1]
        for t_us in self.times_us[1:]:
            if t_us - starts[-1] > _EVENT_GAP_US:
                starts.append(t_us)
        gaps = [b - a for a, b in pairwise(starts)]
        if len(gaps) < 5:
            return None
        direct = [gap for gap in gaps if gap <= min(gaps) + _DELAY_MAX_US]
        return (sum(direct) / len(direct) - _DELAY_MEAN_US) / 1000


class Scene(msgspec.Struct):
    """All devices of one capture, trace or phone."""

    source: str = ""
    """`hci`, `air`, `wifi` (or several with +), `trace` or `phone`."""
    devices: dict[str, Device] = {}
    app: App = App()
    frames: int = 0
    start_us: int = 0
    end_us: int = 0
    channels: set[int] = set()
    """advertising channels on which anything was seen."""
    passed_over: dict[str, int] = {}
    """what could not be read -> how many packets."""
    notes: list[tuple[int, str]] = []
    """frame number and text of what the recording program said of itself."""
    aware: Aware = msgspec.field(default_factory=Aware)
    """what was seen of Wi-Fi Aware."""
    sayings: Sayings = msgspec.field(default_factory=Sayings)

    def device(self, address: str, address_type: str = "") -> Device:
        """The device of that address, made when it is new."""
        found = self.devices.get(address)
        if found is None:
            found = self.devices[address] = Device(address, address_type)
        elif not found.address_type:
            found.address_type = address_type
        return found

    def skip(self, what: str) -> None:
        """Count a packet that could not be read."""
        self.passed_over[what] = self.passed_over.get(what, 0) + 1

    @property
    def works(self) -> bool:
        """Whether any device served something over a connection."""
        return any(device.works for device in self.devices.values())
