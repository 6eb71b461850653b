"""AK-05: what the picker looks for must be on the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ad import uuid_key
from sim.explain.parts import frames_of, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.app import Descriptor
    from sim.explain.observations import Device


def mismatch(descriptor: Descriptor, device: Device) -> str:
    """What keeps `device` from matching; empty when it matches."""
    if _is_aware(descriptor):
        return "the descriptor looks for Wi-Fi Aware"
    ads = device.ads
    uuids = {uuid for ad in ads for uuid in (*ad.service_uuids, *ad.data_uuids)}
    if descriptor.service and uuid_key(descriptor.service) not in uuids:
        return f"service UUID {descriptor.service} is not on the air"
    company = descriptor.company.lower().rjust(4, "0") if descriptor.company else ""
    makers = [data for ad in ads for name, data in ad.manufacturer if name == company]
    if company and not makers:
        return f"company identifier {company} is not on the air"
    if descriptor.name_substring and not any(descriptor.name_substring in ad.name for ad in ads):
        return f"no advertised name has {descriptor.name_substring!r} in it"
    blobs = (
        ("manufacturer data", descriptor.manufacturer_hex, descriptor.manufacturer_mask_hex, makers),
        (
            "service data", descriptor.service_data_hex, descriptor.service_data_mask_hex,
            [data for ad in ads for uuid, data in ad.service_data if uuid == uuid_key(descriptor.service)],
        ),
    )  # fmt: skip
    for what, blob, mask, found in blobs:
        if blob and not any(
            _masked(bytes.fromhex(blob), bytes.fromhex(mask), data) for data in found
        ):
            return f"{what} does not match {blob} under {mask}"
    return ""


def _is_aware(descriptor: Descriptor) -> bool:
    """Whether a descriptor is for Wi-Fi Aware and not for Bluetooth."""
    return bool(descriptor.wifi_aware_service) and not (descriptor.service or descriptor.company)


def _masked(blob: bytes, mask: bytes, data: bytes) -> bool:
    same = all(a & m == b & m for a, m, b in zip(blob, mask, data, strict=False))
    return len(data) >= len(blob) and same


def _judge(case: Case) -> Iterator[Verdict]:
    device, picker = case.device, case.scene.app.picker
    sights = picked(device, lambda _: True)
    if not sights or (case.scene.app.known and picker is None):
        return
    if picker is not None:
        reasons = [mismatch(one, device) for one in picker.descriptors if not _is_aware(one)]
        if reasons and all(reasons):
            yield Verdict(
                severity="error",
                evidence="; ".join(dict.fromkeys(reasons)),
                short=reasons[0],
                effect="drop",
                frames=frames_of(sights),
            )
        return
    if any(ad.service_uuids or ad.data_uuids or ad.manufacturer for ad in device.ads):
        return
    unsure = device.awaits_response
    yield Verdict(
        severity="note" if unsure else "error" if case.certain else "warning",
        evidence="no service UUID and no company identifier (AD types 02 to 07, 16, FF) in the advert"
        + (
            " (no scan response was seen: they may be there)" if unsure else " or the scan response"
        ),
        frames=frames_of(sights),
    )


RULE = Rule(
    id="AK-05",
    title="nothing for the picker to find",
    statement="The service UUID or company identifier of a descriptor must be on the air, in the advert or the scan "
    "response, while the picker is open; services that only GATT has do not count.",
    source="CoreBluetooth and AccessorySetupKit descriptor semantics; nkolban/esp32-snippets PR #517",
    confidence="I/O",
    profiles=("ios-ask",),
    stories=("US-14",),
    remedy="Advertise the service UUID (or manufacturer data with the company identifier) that the descriptor names.",
    on="advert",
    judge=_judge,
)
