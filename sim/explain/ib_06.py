"""IB-06: scans that filter by service need the UUID on the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.ad import uuid_key
from sim.explain.parts import frames_of, picked, uuid_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def lists_one_of(case: Case, wanted: tuple[str, ...]) -> bool:
    """Whether the device lists one of the UUIDs in its advert or scan response."""
    on_air = {uuid for ad in case.device.ads for uuid in ad.service_uuids}
    if case.view.options.get("service_data_matches") == "yes":
        on_air |= {uuid for ad in case.device.ads for uuid in ad.data_uuids}
    return bool(on_air & {uuid_key(uuid) for uuid in wanted})


def _judge(case: Case) -> Iterator[Verdict]:
    app, device = case.scene.app, case.device
    sights = picked(device, lambda _: True)
    if not sights or (app.known and (not app.scanning or app.background or app.services is None)):
        return
    on_air = {uuid for ad in device.ads for uuid in ad.service_uuids}
    if app.known:
        wanted = app.services or ()
        if lists_one_of(case, wanted):
            return
        has = f"it lists {uuid_words(sorted(on_air))}" if on_air else "it lists none"
        yield Verdict(
            severity="error",
            evidence=f"the app scans for {uuid_words(wanted)}; {has}",
            short="none of the services the app scans for is in its advert or scan response",
            effect="drop",
            frames=frames_of(sights),
        )
    elif not on_air and device.connectable:
        unsure = device.awaits_response
        yield Verdict(
            severity="note" if unsure else "warning",
            evidence="no list of service UUIDs (AD types 02 to 07) in the advert"
            + (
                " (no scan response was seen: it may be there)"
                if unsure
                else " or the scan response"
            ),
            frames=frames_of(sights),
        )


RULE = Rule(
    id="IB-06",
    title="service UUID not advertised",
    statement="A service UUID must be listed in the advert or the scan response to be found by scans that filter by "
    "it, and iOS apps nearly always filter. UUIDs that only GATT has do not count.",
    source="nkolban/esp32-snippets PR #517; h2zero/NimBLE-Arduino #222",
    confidence="O",
    profiles=("ios-ble",),
    stories=("US-14", "US-16"),
    remedy="List the UUID that apps scan for in the advertising data; move the name to the scan response if it does "
    "not fit.",
    switch="on; whether the UUID of service data alone matches a filter is open: service_data_matches (no)",
    on="advert",
    judge=_judge,
)
