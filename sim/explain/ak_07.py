"""AK-07: one accessory in the picker, by the app's name for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ak_05 import mismatch
from sim.explain.parts import APPLE, frames_of, listed, uuid_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sim.explain import Case
    from sim.explain.observations import Device

LISTS_ALL_BEFORE = "18.7.2"
_COMPANY = "company "


def lists_one(*, is_new: bool, filters: bool) -> bool:
    """Whether the picker shows a single accessory: from 18.7.2 on, unless the app filters itself (AK-08)."""
    return is_new and not filters


def identity_of(device: Device) -> frozenset[tuple[str, bytes]]:
    """What could tell a unit from its twins: its manufacturer data."""
    return frozenset(one for ad in device.ads for one in ad.manufacturer)


def _keys(device: Device) -> frozenset[str]:
    """What a descriptor could name: service UUIDs and companies (Apple's own phones and tags aside)."""
    uuids = {uuid for ad in device.ads for uuid in ad.service_uuids}
    makers = {company for ad in device.ads for company, _ in ad.manufacturer} - {APPLE}
    return frozenset(uuids | {f"{_COMPANY}{company}" for company in makers})


def _twins(case: Case) -> Iterable[tuple[str, list[Device]]]:
    """Devices that one descriptor would match."""
    picker = case.scene.app.picker
    candidates = [
        one for one in case.scene.devices.values() if one.connectable and not one.is_central
    ]
    if picker is not None:
        for descriptor in picker.descriptors:
            yield descriptor.name, [one for one in candidates if not mismatch(descriptor, one)]
        return
    groups: dict[str, list[Device]] = {}
    for device in candidates:
        for key in sorted(_keys(device), key=lambda key: (key.startswith(_COMPANY), key)):
            groups.setdefault(key, []).append(device)
    told: set[str] = set()
    for key, devices in groups.items():
        fresh = [one for one in devices if one.address not in told]
        if len(fresh) > 1:
            told.update(one.address for one in fresh)
            yield uuid_words([key]), fresh


def _judge(case: Case) -> Iterator[Verdict]:
    picker = case.scene.app.picker
    filters = picker is not None and picker.filter
    if not lists_one(is_new=case.view.since(LISTS_ALL_BEFORE), filters=filters):
        return
    if case.scene.app.known and picker is None:
        return
    for what, devices in _twins(case):
        if len(devices) < 2:
            continue
        same = len({identity_of(one) for one in devices}) < len(devices)
        telling = (
            "nothing in their manufacturer data tells them apart"
            if same
            else "their manufacturer data differs, so that an app can tell them apart"
        )
        names = listed(one.name or one.address for one in devices[:4])
        yield Verdict(
            severity="warning" if same or not what.startswith(_COMPANY) else "note",
            evidence=f"{len(devices)} accessories with {what} on the air ({names}{', ...' * (len(devices) > 4)}): "
            f"the picker shows one of them and no advertised name; {telling}",
            frames=frames_of(sight for one in devices for sight in list(one.sights.values())[:1]),
            device=", ".join(one.address for one in devices[:4]),
        )


RULE = Rule(
    id="AK-07",
    title="the picker shows one accessory and no advertised name",
    statement="The picker shows the app's name and image of the product, not the advertised name. On iOS 18.2 several "
    "accessories could be scrolled and the advertised name was visible; on 18.7.2 there was one, without it.",
    source='Apple Developer Forums, "Accessory Setup Kit (BLE) not showing multiple options nor the advertising name"',
    confidence="O",
    profiles=("ios-ask",),
    stories=("US-13",),
    remedy="Put something that differs per unit into the manufacturer data and use filterDiscoveryResults (iOS 26.1) "
    "to name each unit, or give each unit a display item of its own.",
    versions={
        "18.2": "lists all, with the advertised name",
        "18.7.2": "one, without",
        "26.0": "as 18.7.2",
        "26.1": "as 18.7.2, unless the app filters (AK-08)",
    },
    on="scene",
    judge=_judge,
)
