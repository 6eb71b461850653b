"""IB-07: service data of a non-connectable advert that apps do not get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, picked, uuid_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.ad import Ad

_EDDYSTONE, _TLM = "feaa", 0x20


def _has_tlm(ad: Ad) -> bool:
    return any(uuid == _EDDYSTONE and data[:1] == bytes((_TLM,)) for uuid, data in ad.service_data)


def _judge(case: Case) -> Iterator[Verdict]:
    hides_all = case.view.options.get("service_data_hidden") == "all"
    sights = picked(
        case.device, lambda advert: not advert.connectable and bool(advert.ad.service_data)
    )
    tlm = [sight for sight in sights if _has_tlm(sight.advert.ad)]
    chosen = sights if hides_all else tlm or sights
    if not chosen:
        return
    is_hidden = hides_all or bool(tlm)
    uuids = [uuid for sight in chosen for uuid in sight.advert.ad.data_uuids]
    frames = (
        "Eddystone-TLM service data"
        if tlm and not hides_all
        else f"service data of {uuid_words(uuids)}"
    )
    yield Verdict(
        severity="warning" if is_hidden else "note",
        evidence=f"{frames} is on the air in {chosen[0].advert.pdu} (not connectable)",
        short="service data of a non-connectable advert withheld",
        effect="hide:service_data" if is_hidden else "",
        frames=frames_of(chosen),
    )


RULE = Rule(
    id="IB-07",
    title="service data of a non-connectable advert",
    statement="A non-connectable advert with Eddystone-TLM service data surfaced in CoreBluetooth without "
    "kCBAdvDataServiceData, the connectable one with it. Whether the PDU type or the content is the cause is open. "
    "The octets are on the air: the accessory is not at fault.",
    source='Apple Developer Forums, "CoreBluetooth and BLE AdvertisementData"',
    confidence="O",
    profiles=("ios-ble",),
    stories=("US-15",),
    remedy="Advertise connectable while an iPhone app has to read the service data, or read the value over GATT.",
    switch="on for what was observed (TLM, not connectable); service_data_hidden = all takes the PDU type for the cause",
    on="advert",
    judge=_judge,
)
