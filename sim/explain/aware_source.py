"""From 802.11 frames to observations: what a monitor heard of Wi-Fi Aware, among whatever else was on the air.

IEEE 802.11-2020 9.2 and 9.3, Wi-Fi Aware 4.0. Fixed places are read from the octets (a capture has hundreds of
thousands of frames), everything with a layout through `protocols.wifi_aware`. Frames of other networks are counted,
nothing more. A malformed frame is noted with its sender and whatever of it can be read still counts. A
retransmission (Retry bit, sequence number and all other octets of a recent frame of that sender) counts once. Encrypted bodies stay
closed, unless a trace or a comment reveals the key. No clock, no IO.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.errors import DecodeError
from protocols.format import Keys, run
from protocols.wifi_aware import frames, walker
from protocols.wifi_aware.elements import WFA_NAN
from protocols.wifi_aware.frame import FORMAT, read
from protocols.wifi_aware.key_data import KeyLifetime
from protocols.wifi_aware.protection import TK_NAMES, UNOPENED
from sim.explain.aware_exchanges import CLUSTERS, Exchanges
from sim.explain.aware_facts import (
    Facts,
    auth_of,
    facts_of,
    ndp_step_of,
    offer_of,
    said_of,
    step_of,
)
from sim.explain.aware_observations import Committed, Kind, Malformed
from sim.explain.aware_pairs import KeyFollowUp, Message, keep

if TYPE_CHECKING:
    from sim.explain.aware_observations import AwareDevice, Protection
    from sim.explain.observations import Scene

__all__ = ["AwareSource", "Heard"]

_HEADER = 24
_KEY = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
_REVEALED = re.compile(
    rf"(?:^|; )({'|'.join(TK_NAMES)}) of [^;\n]* = ([0-9a-f]+)(?=;|$)", re.MULTILINE
)
_MOST_KEYS = 64
_BEACON, _AUTHENTICATION, _ACTION, _ACTION_NO_ACK = 8, 11, 13, 14
_RETRY, _PROTECTED_BIT, _ORDER = 0x08, 0x40, 0x80
_PASN = b"\x07\x00"
_ACK, _ACK_OCTETS = b"\xd4", 10
_NAN_ACTION = bytes.fromhex("09506f9a")
_NAN_TYPES = (b"\x13", b"\x18")
_PROTECTED_DUAL = 9
_MOST_DEVICES, _MOST_CLUSTERS, _SENDERS = 10_000, 16, 4096
_SAME_IDENTITY = 4
_RECENT = 4
"""Frames of a sender among which a retransmission finds its first copy."""
_FOLLOW_UP = 2
_ADVERTISE = 0


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One 802.11 frame without radiotap header and frame check sequence."""

    frame: int
    t_us: int
    data: bytes
    rssi_dbm: int | None = None
    interface: str = ""
    node: str = ""
    """who sent it, where a trace says so."""


class AwareSource:
    """Reads frames into `scene.aware`."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._aware = scene.aware
        self._exchanges = Exchanges(scene.aware)
        self._last: dict[bytes, deque[tuple[bytes, str, int]]] = {}
        self._keys: list[str] = []

    def learn(self, name: str, value: str) -> None:
        """A key that a trace or a comment reveals (hex); those of links open the frames that come after it."""
        if name in TK_NAMES and _KEY.fullmatch(value) and value not in self._keys:
            self._keys = [value, *self._keys[: _MOST_KEYS - 1]]

    def tell_path(self, initiator_ndi: str, number: object, node: str) -> None:
        """A node of a trace says that a data path is up; `number` is its NDP ID."""
        if isinstance(number, int):
            self._aware.tell_path(initiator_ndi, number, node)

    def learn_from(self, comment: str) -> None:
        """The keys in a comment of a frame, as captures of runs that reveal them have them: `nm_tk of a and b = HEX`."""
        for found in _REVEALED.finditer(comment):
            self.learn(found[1], found[2])

    def frame(self, heard: Heard) -> None:
        """Take one frame in. Raises nothing, whatever the octets are."""
        data = heard.data
        if len(data) < _HEADER:
            self._short(data)
            return
        kind, subtype = data[0] >> 2 & 3, data[0] >> 4
        if kind == 2:
            self._aware.deliveries.passed(data[10:16].hex(":"))
            self._exchanges.data(data, heard.t_us, heard.rssi_dbm)
        elif kind == 0 and subtype in (_BEACON, _AUTHENTICATION, _ACTION, _ACTION_NO_ACK):
            if not self._is_ours(data, subtype):
                self._aware.others += 1
            elif not self._is_again(heard):
                self._aware.frames += 1
                self._read(heard)

    def _short(self, data: bytes) -> None:
        """A frame without all of a management header: an Ack, or one that was cut."""
        if data[:1] == _ACK and len(data) >= _ACK_OCTETS:
            self._aware.deliveries.acked(data[4:_ACK_OCTETS].hex(":"))
        elif data[:1] and not data[0] & 0x0C and len(data) > 1:
            self._scene.skip("802.11 frame cut short")

    def _is_ours(self, data: bytes, subtype: int) -> bool:
        """Whether a frame belongs to Wi-Fi Aware, from its fixed places alone."""
        in_cluster = data[16:20] == CLUSTERS
        if subtype == _BEACON:
            return WFA_NAN in data and in_cluster
        if subtype == _AUTHENTICATION:
            return data[24:26] == _PASN and (in_cluster or WFA_NAN in data)
        if data[1] & _PROTECTED_BIT:
            return in_cluster
        start = _HEADER + (4 if data[1] & _ORDER else 0)
        return (
            data[start + 1 : start + 5] == _NAN_ACTION and data[start + 5 : start + 6] in _NAN_TYPES
        )

    def _is_again(self, heard: Heard) -> bool:
        """Whether the frame repeats the last one of its sender: a retransmission, or another interface heard it too."""
        data = heard.data
        sender, rest = data[10:16], data[:1] + data[4:]
        if len(self._last) >= _SENDERS:
            self._last.clear()
        last = self._last.setdefault(sender, deque(maxlen=_RECENT))
        copies = [(interface, first) for known, interface, first in last if known == rest]
        first = copies[0][1] if copies else heard.frame
        last.append((rest, heard.interface, first))
        is_retry = bool(data[1] & _RETRY)
        device = self._aware.devices.get(sender.hex(":"))
        if device is not None and not data[4] & 1:
            device.unicast += 1
            device.retries += is_retry
        known_at = {interface for interface, _ in copies}
        is_again = bool(copies) and (is_retry or heard.interface not in known_at)
        self._follow(heard, first, is_again=is_again, is_retry=is_retry)
        return is_again

    def _follow(self, heard: Heard, first: int, *, is_again: bool, is_retry: bool) -> None:
        """Note that a unicast frame wants an Ack; `first` is the first of its copies."""
        data, deliveries = heard.data, self._aware.deliveries
        if data[4] & 1:
            return
        if not is_again:
            deliveries.sent(heard.frame, data[10:16].hex(":"), data[4:10].hex(":"), heard.interface)
        elif is_retry:
            deliveries.again(first, heard.interface)

    def _read(self, heard: Heard) -> None:
        faults: tuple[str, ...] = ()
        frame: frames.Frame | None
        try:
            frame = read(heard.data, keys=self._context(heard.data))
        except DecodeError as exc:
            faults = (str(exc),)
            frame = _leniently(heard.data)
        if not isinstance(frame, frames.Header):
            self._note_malformed(heard, heard.data[10:16].hex(":"), faults)
            return
        if frame.cipher is not msgspec.UNSET:  # the key that fitted is the likeliest to fit again
            self._keys.insert(0, self._keys.pop(frame.tk_number))
        if isinstance(frame, frames.Protected):
            self._exchanges.sealed(frame.source, frame.destination, heard.frame, heard.t_us)
            return
        attributes, fault = _attributes(frame)
        facts = facts_of(attributes)
        faults += tuple(facts.faults) + ((fault,) if fault else ())
        device = self._device(heard, self._exchanges.nmi_of(frame.source))
        if faults:
            self._note_malformed(heard, device.nmi, faults)
        self._sort(heard, frame, facts, device, faults)

    def _context(self, data: bytes) -> Keys | None:
        """The keys for an encrypted frame, when there are any."""
        if not self._keys or not data[1] & _PROTECTED_BIT:
            return None
        return Keys({"tk": ",".join(self._keys), UNOPENED: True})

    def _sort(
        self,
        heard: Heard,
        frame: frames.Header,
        facts: Facts,
        device: AwareDevice,
        faults: tuple[str, ...],
    ) -> None:
        """Hand a readable frame to what is noted of its kind."""
        if len(device.clusters) < _MOST_CLUSTERS:
            device.clusters.add(frame.bssid)
        self._note_sender(heard, frame, facts, device)
        match frame:
            case frames.Beacon():
                _count(device.beacons, frame, heard.frame)
            case frames.Sdf():
                if frame.destination[1] in "13579bdf":
                    _count(device.group_frames, frame, heard.frame)
                self._service(heard, frame, facts, device)
            case frames.Naf() if facts.ndp is not None:
                step = ndp_step_of(facts, heard.frame, heard.t_us, device.nmi)
                self._exchanges.data_path(frame.destination, facts.ndp, step)
                self._protection(heard, frame, "data path frame")
            case frames.Authentication():
                self._exchanges.auth(
                    frame.destination, auth_of(frame, facts, heard.frame, heard.t_us, faults)
                )
            case _:
                pass

    def _device(self, heard: Heard, nmi: str) -> AwareDevice:
        device = self._exchanges.device(nmi, _MOST_DEVICES)
        device.seen(heard.t_us, heard.rssi_dbm)
        device.name = device.name or heard.node
        return device

    def _note_malformed(self, heard: Heard, nmi: str, faults: tuple[str, ...]) -> None:
        device = self._exchanges.device(nmi, _MOST_DEVICES)
        for what in faults:
            keep(device.malformed, Malformed(heard.t_us, heard.frame, what))

    def _note_sender(
        self, heard: Heard, frame: frames.Header, facts: Facts, device: AwareDevice
    ) -> None:
        """What a frame says about its sender, whatever it is for."""
        if facts.dcea is not None:
            device.dcea_in.setdefault(_kind(frame, facts), heard.frame)
        for period in facts.periods_tu:
            device.period(period).add(heard.frame, heard.t_us)
        if facts.identity and not isinstance(frame, frames.Authentication):
            self._identity(heard, device, facts.identity)
        awake = facts.capability
        if awake is not None:
            last = device.windows[-1] if device.windows else None
            if last is None or (last.low, last.high) != (awake.wake_2_4, awake.wake_5):
                now = Committed(heard.t_us, heard.frame, awake.wake_2_4, awake.wake_5)
                keep(device.windows, now)

    def _identity(self, heard: Heard, device: AwareDevice, identity: str) -> None:
        device.identity(identity).add(heard.frame, heard.t_us)
        known = self._aware.identities
        if identity not in known and len(known) >= _MOST_DEVICES:
            return
        senders = known.setdefault(identity, [])
        if device.nmi not in senders and device.nmi in self._aware.devices:
            keep(senders, device.nmi, _SAME_IDENTITY)

    # Discovery

    def _service(self, heard: Heard, frame: frames.Sdf, facts: Facts, device: AwareDevice) -> None:
        for descriptor in facts.descriptors:
            if descriptor.type == _FOLLOW_UP:
                self._follow_up(heard, frame, facts, descriptor, device)
                self._protection(heard, frame, "follow-up")
                break
            if descriptor.type < _FOLLOW_UP:
                offer = offer_of(facts, descriptor)
                kind: Kind = "subscribe" if descriptor.type else "publish"
                service = device.service(kind, descriptor.service_id, descriptor.instance_id)
                service.add(offer, heard.frame, heard.t_us)
                if offer.info is not None and not device.name:
                    device.name = offer.info.name

    def _follow_up(
        self, heard: Heard, frame: frames.Sdf, facts: Facts, descriptor: Any, device: AwareDevice
    ) -> None:
        pair = self._exchanges.pair(device.nmi, self._exchanges.nmi_of(frame.destination))
        if pair is None:
            return
        is_protected = frame.category == _PROTECTED_DUAL
        if facts.npba is not None and facts.npba.type != _ADVERTISE:
            step = step_of(facts, descriptor, heard.frame, heard.t_us)
            self._exchanges.bootstrap(pair, device.nmi, facts.npba, step)
        elif facts.skda is not None:
            key = KeyFollowUp(
                t_us=heard.t_us,
                frame=heard.frame,
                sender=device.nmi,
                is_protected=is_protected,
                has_nira=facts.nira is not None,
                has_mic=facts.skda.key_mic,
                has_lifetime=_has_lifetime(facts.skda),
            )
            keep(pair.keys, key)
        else:
            octets = said_of(descriptor, facts.extensions.get(descriptor.instance_id))
            keep(pair.messages, Message(heard.t_us, heard.frame, device.nmi, octets))

    def _protection(self, heard: Heard, frame: frames.Sdf | frames.Naf, what: str) -> None:
        """Note whether a unicast frame to a peer was protected."""
        if frame.category == _PROTECTED_DUAL:
            self._exchanges.sealed(frame.source, frame.destination, heard.frame, heard.t_us)
        else:
            self._exchanges.bare(frame.source, frame.destination, heard.frame, heard.t_us, what)


def _attributes(frame: frames.Header) -> tuple[Any, str]:
    """The attributes of a frame, and what keeps the rest of its list from being read."""
    try:
        return frame.nan_attributes, ""
    except DecodeError as exc:
        elements: Any = getattr(frame, "elements", ())
        lists = [one.octets for one in elements if one.octets.startswith(WFA_NAN)]
        found = [
            attr for octets in lists for attr in walker.scan(octets, len(WFA_NAN), len(octets))[0]
        ]
        return found, str(exc)


def _leniently(data: bytes) -> frames.Frame | None:
    """What can be read of a malformed frame."""
    fields, _, _ = run(FORMAT, data, Keys(), strict=False)
    return cast("frames.Frame | None", fields)


def _kind(frame: frames.Header, facts: Facts) -> str:
    """In what kind of frame something stands."""
    if isinstance(frame, frames.Authentication):
        return "authentication"
    if not isinstance(frame, frames.Sdf) or not facts.descriptors:
        return "action"
    return {0: "publish", 1: "subscribe"}.get(facts.descriptors[0].type, "follow-up")


def _count(protection: Protection, frame: frames.Beacon | frames.Sdf, number: int) -> None:
    protection.count += 1
    if any(element.name == "mme" for element in frame.elements):
        protection.protected += 1
        protection.frame = protection.frame or number


def _has_lifetime(skda: Any) -> bool | None:
    """Whether open Key Data hold the lifetime of the key; None when they are closed."""
    if skda.kdes is msgspec.UNSET:
        return None
    return any(isinstance(one, KeyLifetime) for one in skda.kdes)
