"""`nearbench explain`: why it did not work, from a capture (or a trace) alone."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.files import reading
from tui.output import document, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from sim.explain import Finding, View
    from sim.explain.aware_observations import AwareDevice
    from sim.explain.observations import Connection, Device, Scene

SUMMARY = "why it did not work: findings from a capture, worst first"
EXAMPLE = """  nearbench explain phone.btsnoop --phone ios
  nearbench explain monitor.pcapng --phone ios-aware
  nearbench explain sniffer.pcapng --phone ios-ble@18.2 --phone android-ble --json"""
_COLUMNS, _SHOWN_DEVICES, _SHOWN_FRAMES = 80, 3, 8
_SHOWN_NOTES = 8
_SOURCES = {
    "hci": "HCI of a host", "air": "air, by a sniffer", "trace": "trace of a run", "empty": "no packets",
    "wifi": "802.11, by a monitor",
}  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "capture",
        type=Path,
        metavar="CAPTURE",
        help="btsnoop, PacketLogger, pcap or pcapng: HCI of a phone or host, LE link layer, or 802.11 (Wi-Fi Aware); or a trace "
        "(run --jsonl)",
    )
    parser.add_argument(
        "--phone",
        action="append",
        default=[],
        metavar="PROFILE",
        help="judge for this phone (repeatable): ios-ble, ios-ask, ios-aware, android-ble, android-aware, ios, android, "
        "or one device (android-pixel9pro-17); @VERSION behind it",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(options: argparse.Namespace) -> int:
    """0 no error finding, 1 an error finding, or the capture is damaged."""
    from sim.explain import explain, view_of

    views = [view for text in options.phone for view in view_of(text)]
    scene, damage = _scene(options.capture)
    findings = explain(scene, views)
    if options.json:
        print(document(_document(str(options.capture), scene, findings)))
    else:
        for text in _report(str(options.capture), scene, findings, views):
            print(text)
    if damage:
        say(f"nearbench: {damage}; what came before it is judged")
    return int(bool(damage) or any(one.severity == "error" for one in findings))


def _scene(path: Path) -> tuple[Scene, str]:
    from protocols.capture import open_reader
    from sim.explain.reading import scene_of_capture, scene_of_trace

    with reading(path) as file:
        if file.is_trace:
            return scene_of_trace(file.stream, file.name)
        return scene_of_capture(open_reader(file.stream, file.name))


# JSON


def _document(capture: str, scene: Scene, findings: Sequence[Finding]) -> dict[str, Any]:
    import msgspec

    return {
        "capture": capture,
        "devices": [_device(one) for one in scene.devices.values()]
        + [_aware(one) for one in scene.aware.devices.values()],
        "findings": [msgspec.to_builtins(one) for one in findings],
    }


def _device(device: Device) -> dict[str, Any]:
    return {
        "address": device.address,
        "address_type": device.address_type or None,
        "name": device.name or None,
        "central": device.is_central,
        "adverts": sum(sight.count for sight in device.sights.values()),
        "pdus": sorted({sight.advert.pdu for sight in device.sights.values()}),
        "interval_ms": device.interval_ms(),
        "connections": [_connection(one) for one in device.connections],
    }


def _connection(connection: Connection) -> dict[str, Any]:
    end = connection.disconnection
    return {
        "frame": connection.frame,
        "interval_ms": connection.parameters.interval_ms,
        "latency": connection.parameters.latency,
        "timeout_ms": connection.parameters.timeout_ms,
        "encrypted": connection.encrypted,
        "reason": None if end is None else end.reason,
    }


def _aware(device: AwareDevice) -> dict[str, Any]:
    return {
        "address": device.nmi,
        "name": device.name or None,
        "frames": device.count,
        "clusters": sorted(device.clusters),
        "services": [
            {"kind": one.kind, "service_id": one.service_id, "instance": one.instance}
            for one in device.services.values()
        ],
        "peers": sorted(device.peers),
    }


# Text


def _report(
    capture: str, scene: Scene, findings: Sequence[Finding], views: Sequence[View]
) -> Iterator[str]:
    yield from _head(capture, scene, views)
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.severity, one.rule), []).append(one)
    for (severity, _), group in groups.items():
        yield ""
        yield from _group(severity, group, scene)
    yield ""
    counts = [
        (name, sum(one.severity == name for one in findings))
        for name in ("error", "warning", "note")
    ]
    said = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts if count)
    yield said or _nothing(scene)


def _head(capture: str, scene: Scene, views: Sequence[View]) -> Iterator[str]:
    from sim.explain import default_views

    seconds = (scene.end_us - scene.start_us) / 1e6
    source = ", and ".join(_SOURCES.get(one, one) for one in scene.source.split("+"))
    yield from _wrapped(
        f"{capture}: {source}, {scene.frames} frames in {seconds:.1f} s; {'; '.join(_contents(scene))}"
    )
    judged = [f"{view.profile} {view.version}" for view in list(views) or default_views()]
    yield from _wrapped(f"judged for {', '.join(judged)}")
    for number, text in scene.notes[:_SHOWN_NOTES]:
        yield from _wrapped(f"said by the recorder at frame {number}: {text}")
    if len(scene.notes) > _SHOWN_NOTES:
        yield f"and {len(scene.notes) - _SHOWN_NOTES} more notes of the recorder (decode shows all)"
    for what, count in scene.passed_over.items():
        yield from _wrapped(f"passed over: {what} ({count})")
    hidden = [
        one for device in scene.devices.values() for one in device.connections if one.unread_from
    ]
    for one in hidden[:_SHOWN_DEVICES]:
        yield from _wrapped(
            f"connection of frame {one.frame}: encrypted from frame {one.unread_from}, the rest cannot be judged"
        )
    if len(hidden) > _SHOWN_DEVICES:
        yield f"and {len(hidden) - _SHOWN_DEVICES} more encrypted connections"


def _contents(scene: Scene) -> Iterator[str]:
    """What there was of Bluetooth LE, and of Wi-Fi Aware."""
    aware = scene.aware
    has_wifi = bool(aware.devices or aware.others)
    if scene.devices or not has_wifi:
        links = sum(len(one.connections) for one in scene.devices.values())
        devices = sum(not one.is_central for one in scene.devices.values())
        yield f"{_count(devices, 'device')}, {_count(links, 'connection')}"
    if has_wifi:
        exchanges = sum(len(one.pasns) for one in aware.pairs.values())
        others = f", {_count(aware.others, 'frame')} of other networks" if aware.others else ""
        yield (
            f"{_count(len(aware.devices), 'device')} of Wi-Fi Aware, {_count(exchanges, 'authentication')}, "
            f"{_count(aware.path_count, 'data path')}{others}"
        )


def _nothing(scene: Scene) -> str:
    """What to say without findings."""
    if not scene.aware.devices and all(one.is_central for one in scene.devices.values()):
        return "nothing to judge: no device of Bluetooth LE or Wi-Fi Aware was heard"
    return "no findings: nothing here keeps these phones from working with it"


def _group(severity: str, group: Sequence[Finding], scene: Scene) -> Iterator[str]:
    from sim.explain.model import confidence_in_words

    first = group[0]
    phones = ", ".join(dict.fromkeys(one.phone for one in group))
    head = f"{severity.upper():<8}{first.rule:<6} {first.title}"
    gap = _COLUMNS - len(head) - len(phones)
    yield f"{head}{' ' * gap}{phones}" if gap > 1 else head
    if gap <= 1:
        yield f"{'':8}for {phones}"
    distinct = {(one.device, one.evidence): one for one in group}
    for one in list(distinct.values())[:_SHOWN_DEVICES]:
        yield from _wrapped(_where(one, scene), indent=2)
        yield from _labelled("seen", one.evidence)
    if len(distinct) > _SHOWN_DEVICES:
        yield f"  and {len(distinct) - _SHOWN_DEVICES} more (--json has them all)"
    if severity != "note":
        yield from _labelled("why", first.why)
    yield from _labelled("do", first.remedy)
    stories = f"; {', '.join(first.stories)}" if first.stories else ""
    yield from _labelled(
        "source", f"{first.source} [{confidence_in_words(first.confidence)}]{stories}"
    )


def _where(finding: Finding, scene: Scene) -> str:
    known = scene.devices.get(finding.device) or scene.aware.devices.get(finding.device)
    name = f' "{known.name}"' if known is not None and known.name else ""
    frames = [str(number) for number in finding.frames if number][:_SHOWN_FRAMES]
    more = ", ..." * (len(finding.frames) > _SHOWN_FRAMES)
    words = f"frame{'s' * (len(frames) > 1)} {', '.join(frames)}{more}" if frames else ""
    return "  ".join(part for part in (f"{finding.device}{name}", words) if part)


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, _COLUMNS, initial_indent=f"  {label:<8}", subsequent_indent=" " * 10)


def _wrapped(text: str, *, indent: int = 0) -> list[str]:
    return textwrap.wrap(
        text, _COLUMNS, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2)
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
