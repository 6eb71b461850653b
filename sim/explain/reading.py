"""Captures and traces as scenes: btsnoop, PacketLogger, pcap and pcapng of a host or of a sniffer, and the trace of a run.

LINKTYPE numbers of the tcpdump.org registry: 105 and 127 802.11, 187 HCI, 251 and 256 Bluetooth LE link layer, 272 nRF
Sniffer (its header as Wireshark's packet-nordic_ble documents it). Damage ends the reading; what came before is judged. No clock; the only
IO is on the reader that was passed in.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.ble.link_layer import channel_of_rf
from protocols.capture import text_of
from protocols.conversion import as_typed
from protocols.errors import CaptureError, UsageError
from sim.explain import aware_capture
from sim.explain.air_source import AirPacket, AirSource
from sim.explain.app import App, as_app
from sim.explain.aware_source import AwareSource, Heard
from sim.explain.host_source import HostSource
from sim.explain.observations import Scene
from sim.trace import TraceEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from protocols.capture import Packet, Reader

__all__ = ["events_of_lines", "scene_of_capture", "scene_of_events", "scene_of_trace"]

_HCI, _LL, _LL_PHDR, _NORDIC = 187, 251, 256, 272
_PHDR = struct.Struct("<BbbBIH")
_DEWHITENED, _SIGNAL, _DECRYPTED, _CRC_CHECKED, _CRC_VALID = 0x0001, 0x0002, 0x0008, 0x0400, 0x0800
_PHYS = {0: "1M", 1: "2M", 2: "coded"}
_KINDS = {2: True, 3: False}
_CRC_OCTETS = 3
_TRUNCATED = "truncated"
"""how msgspec words that JSON ends too early."""
_NORDIC_HEADER = struct.Struct("<BBBHI")
_NORDIC_PREFIX, _NORDIC_VERSION_AT, _NORDIC_FLAGS_AT = 17, 3, 8
_NORDIC_OWN_CLOCK = 3
"""protocol version from which the header has the time of the packet's start instead of a difference."""


def scene_of_capture(reader: Reader) -> tuple[Scene, str]:
    """(scene, what went wrong) of a capture; the words are empty when all of it was read.

    Raises UsageError when no packet is of a kind that says anything about Bluetooth LE or 802.11.
    """
    scene = Scene()
    hosts: dict[str, HostSource] = {}
    air = AirSource(scene)
    wifi = AwareSource(scene)
    damage, kinds, other = "", set[str](), set[int]()
    try:
        for packet in reader:
            _span(scene, packet.number, packet.t_us)
            if packet.link_type == _HCI:
                kinds.add("hci")
                host = hosts.setdefault(packet.interface, HostSource(scene))
                host.packet(
                    packet.number, packet.t_us, packet.data, sent=packet.direction != "received"
                )
            elif packet.link_type in aware_capture.LINK_TYPES:
                kinds.add("wifi")
                wifi.learn_from(packet.comment)
                frame = aware_capture.heard_of(scene, packet)
                if frame is not None:
                    wifi.frame(frame)
            elif packet.link_type in _READERS:
                kinds.add("air")
                found = _READERS[packet.link_type](scene, packet)
                if found is not None:
                    air.packet(found)
            else:
                other.add(packet.link_type)
                if text := text_of(packet.link_type, packet.data):
                    scene.notes.append((packet.number, text))
                else:
                    scene.skip(f"link type {packet.link_type}")
    except CaptureError as exc:
        damage = str(exc)
    if not kinds and scene.notes:
        raise UsageError(
            f"{reader.name}: no packet is in it, only what the recorder said of itself; the last: {scene.notes[-1][1]}"
        )
    if not kinds and other:
        raise UsageError(
            f"{reader.name}: link type {', '.join(map(str, sorted(other)))} holds neither Bluetooth LE nor 802.11; "
            "explain reads HCI (187, 201, btsnoop), LE link layer (251, 256, 272) and 802.11 (105, 127)"
        )
    air.finish()
    scene.source = "+".join(sorted(kinds)) or "empty"
    return scene, damage


def _span(scene: Scene, frame: int, t_us: int) -> None:
    if not scene.frames:
        scene.start_us = t_us
    scene.frames, scene.end_us = max(frame, scene.frames), max(t_us, scene.end_us)


def _of_ll(scene: Scene, packet: Packet) -> AirPacket | None:
    data = packet.data
    if len(data) < 4 + 2 + _CRC_OCTETS:
        scene.skip("link-layer packet cut short")
        return None
    return AirPacket(
        frame=packet.number,
        t_us=packet.t_us,
        access_address=int.from_bytes(data[:4], "little"),
        pdu=data[4:-_CRC_OCTETS],
    )


def _of_phdr(scene: Scene, packet: Packet) -> AirPacket | None:
    if len(packet.data) < _PHDR.size + 4 + 2 + _CRC_OCTETS:
        scene.skip("link-layer packet cut short")
        return None
    rf, signal, _, _, _, flags = _PHDR.unpack_from(packet.data)
    if not flags & _DEWHITENED or (flags & _CRC_CHECKED and not flags & _CRC_VALID):
        scene.skip(
            "packet with a wrong CRC"
            if flags & _DEWHITENED
            else "packet captured with whitening on"
        )
        return None
    phy = _PHYS.get(flags >> 14, "1M")
    data = packet.data[_PHDR.size :]
    start = 5 if phy == "coded" else 4
    return AirPacket(
        frame=packet.number,
        t_us=packet.t_us,
        access_address=int.from_bytes(data[:4], "little"),
        pdu=data[start:-_CRC_OCTETS],
        channel=channel_of_rf(rf) if rf < 40 else None,
        rssi_dbm=signal if flags & _SIGNAL else None,
        from_central=_KINDS.get(flags >> 7 & 7),
        decrypted=bool(flags & _DECRYPTED),
        phy=phy,
    )


def _of_nordic(scene: Scene, packet: Packet) -> AirPacket | None:
    data = packet.data
    if len(data) < _NORDIC_PREFIX + 4 + 2 + _CRC_OCTETS:
        scene.skip("nRF Sniffer packet cut short")
        return None
    flags, channel, rssi, _, time = _NORDIC_HEADER.unpack_from(data, _NORDIC_FLAGS_AT)
    if not flags & 1:
        scene.skip("packet with a wrong CRC")
        return None
    version = data[_NORDIC_VERSION_AT]
    phy = _PHYS.get(flags >> 4 & 7, "1M") if version >= _NORDIC_OWN_CLOCK else "1M"
    body = data[_NORDIC_PREFIX:]
    start = 5 if phy == "coded" else 4
    return AirPacket(
        frame=packet.number,
        t_us=time if version >= _NORDIC_OWN_CLOCK else packet.t_us,
        access_address=int.from_bytes(body[:4], "little"),
        pdu=body[start:-_CRC_OCTETS],
        channel=channel,
        rssi_dbm=-rssi,
        from_central=bool(flags & 2),
        decrypted=flags & 0x0C == 0x0C,
        phy=phy,
    )


_READERS = {_LL: _of_ll, _LL_PHDR: _of_phdr, _NORDIC: _of_nordic}


def events_of_lines(lines: Iterable[bytes], name: str) -> Iterator[TraceEvent]:
    """Events of a trace as `nearbench run --jsonl` writes it. Raises UsageError that names the line, CaptureError when
    the last one is cut.
    """
    offset = 0
    for number, line in enumerate(lines, 1):
        try:
            event = _event(line)
        except (msgspec.DecodeError, TypeError, ValueError, AttributeError) as exc:
            if _TRUNCATED in str(exc) and not line.endswith(b"\n"):
                offset += len(line)
                raise CaptureError(name, offset, f"line {number} is cut short") from None
            raise UsageError(f"{name}: line {number} is no event of a trace: {exc}") from None
        offset += len(line)
        yield event


def _event(line: bytes) -> TraceEvent:
    """An event from a line. Raises msgspec.DecodeError, TypeError, ValueError, AttributeError."""
    plain = msgspec.json.decode(line)
    if plain.get("data") is not None:
        plain["data"] = bytes.fromhex(plain["data"])
    unknown = plain.keys() - set(TraceEvent.__struct_fields__)
    if unknown:
        raise ValueError(f"unknown key {min(unknown)!r}")
    event = as_typed(plain, TraceEvent)
    if "app" in event.fields:
        as_app(event.fields["app"])
    return event


def scene_of_trace(lines: Iterable[bytes], name: str) -> tuple[Scene, str]:
    """(scene, what went wrong) of a trace; the words are empty when all of it was read. Raises UsageError."""
    damage: list[str] = []

    def whole() -> Iterator[TraceEvent]:
        try:
            yield from events_of_lines(lines, name)
        except CaptureError as exc:
            damage.append(str(exc))

    return scene_of_events(whole()), "".join(damage)


def scene_of_events(events: Iterable[TraceEvent], node: str = "") -> Scene:
    """What the phones of a run heard and did (`node`: that one alone); frame numbers are `seq`."""
    scene = Scene(source="trace")
    hosts: dict[str, HostSource] = {}
    packets: list[tuple[str, int, int, bytes, bool]] = []
    apps: list[App] = []
    names: dict[str, str] = {}
    phones: set[str] = set()
    profiles: dict[str, str] = {}
    wifi = AwareSource(scene)
    for event in events:
        _span(scene, event.seq, event.t_us)
        _hear(wifi, event, node)
        if node and event.node != node:
            continue
        if event.layer == "hci" and event.data is not None:
            packets.append((event.node, event.seq, event.t_us, event.data, event.direction == "tx"))
        elif event.layer == "phone":
            phones.add(event.node)
            scene.sayings.hear(event)
            _learn(event, names, apps)
            if apps and apps[-1].aware is not None and "app" in event.fields:
                profiles[event.node] = apps[-1].aware.profile
    for name, seq, t_us, data, sent in packets:
        if name in phones:
            hosts.setdefault(name, HostSource(scene, name)).packet(seq, t_us, data, sent=sent)
    for address, name in names.items():
        if address in scene.devices:
            scene.devices[address].name = name
    for device in scene.aware.devices.values():
        device.phone = profiles.get(device.name, "")
    for said in scene.sayings.found.values():
        said.profile = profiles.get(said.node, "")
    scene.app = _merged(apps)
    return scene


def _hear(wifi: AwareSource, event: TraceEvent, node: str) -> None:
    """Take in a frame of Wi-Fi that `node` sent or heard (any when empty), or what the trace tells of keys
    and data paths.
    """
    fields = event.fields
    if event.layer == "aware" and event.event == "derived":
        wifi.learn(str(fields.get("name")), str(fields.get("value")))
    if event.event == "ndp_connected" and event.layer == "aware" and node in ("", event.node):
        wifi.tell_path(str(fields.get("initiator_ndi")), fields.get("ndp_id"), event.node)
    if event.data is None or fields.get("phy") != "wifi":
        return
    heard_by = _table(fields.get("outcomes"))
    if node and event.node != node and heard_by.get(node) != "heard":
        return
    levels = [one for one in _table(fields.get("signal_dbm")).values() if isinstance(one, int)]
    rssi_dbm = max(levels, default=None)
    wifi.frame(Heard(event.seq, event.t_us, event.data, rssi_dbm, node=event.node))


def _table(value: object) -> dict[str, Any]:
    """What stands in a field of a trace, when it is a table."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _learn(event: TraceEvent, names: dict[str, str], apps: list[App]) -> None:
    address: Any = event.fields.get("address")
    if isinstance(address, str) and event.peer and event.peer != address:
        names[address] = event.peer
    if "app" in event.fields:
        apps.append(as_app(event.fields["app"]))


def _merged(apps: list[App]) -> App:
    """The last state of the app, with its last scan, its last picker and its last use of Wi-Fi Aware."""
    if not apps:
        return App()
    states = [one.aware for one in reversed(apps) if one.aware is not None]
    used = (one for one in states if one.publishing or one.subscribing)
    aware = next(used, states[0] if states else None)
    scan = next((one for one in reversed(apps) if one.scanning), None)
    picker = next((one.picker for one in reversed(apps) if one.picker is not None), None)
    if scan is None:
        return msgspec.structs.replace(apps[-1], picker=picker, aware=aware)
    return msgspec.structs.replace(
        scan,
        picker=picker,
        aware=aware,
        plist=apps[-1].plist or scan.plist,
        authorised=scan.authorised,
    )
