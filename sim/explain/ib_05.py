"""IB-05: octets that are no run of AD structures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict
from sim.explain.parts import frames_of, picked, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.device
    broken = picked(device, lambda advert: bool(advert.ad.framing))
    responses = [one for one in device.responses.values() if one.advert.ad.framing]
    if broken:
        first = broken[0].advert
        yield Verdict(
            severity="error" if len(broken) == len(device.sights) else "warning",
            evidence=f"{share(broken, device)} malformed: {first.ad.framing} ({first.data.hex()})",
            short=f"malformed advertising data ({first.ad.framing})",
            effect="drop",
            frames=frames_of(broken),
        )
    if responses:
        first = responses[0].advert
        yield Verdict(
            severity="warning",
            evidence=f"the scan response is malformed: {first.ad.framing} ({first.data.hex()})",
            short=f"malformed scan response ({first.ad.framing})",
            effect="hide:scan_response",
            frames=frames_of(responses),
        )
    odd = picked(device, lambda advert: bool(advert.ad.values))
    if odd and not broken:
        yield Verdict(
            severity="warning",
            evidence=f"a value has the wrong length: {odd[0].advert.ad.values} ({odd[0].advert.data.hex()})",
            frames=frames_of(odd),
        )


RULE = Rule(
    id="IB-05",
    title="malformed advertising data",
    statement="When the lengths of the AD structures do not add up (a trailing octet, a wrong length octet), some "
    "iPhones drop the packet; Android shows it.",
    source="nordicsemi/IOS-nRF-Connect #192",
    confidence="O",
    profiles=("ios-ble", "ios-ask"),
    stories=("US-16",),
    remedy="Make each length octet count its type and data, and fill up with nothing but zeros, or not at all.",
    switch="on: seen on real phones (not on all)",
    on="advert",
    judge=_judge,
)
