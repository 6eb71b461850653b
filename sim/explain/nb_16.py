"""NB-16: a link at the edge of its range; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import AWARE_PROFILES, Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

MINIMUM, SHARE = 20, 0.3
"""Unicast frames needed for a word; share of retransmissions that is worth one. Choices of this project."""


def _judge(case: Case) -> Iterator[Verdict]:
    device = case.aware
    if device.unicast < MINIMUM or device.retries < SHARE * device.unicast:
        return
    levels = sorted(device.rssi_dbm)
    heard = f"; the capture heard it at {levels[len(levels) // 2]} dBm (median)" if levels else ""
    yield Verdict(
        severity="warning",
        evidence=f"{device.retries} of {device.unicast} unicast frames of {device.nmi} are retransmissions{heard}",
    )


RULE = Rule(
    id="NB-16",
    title="many retransmissions",
    statement="A sender that gets no acknowledgement sends the frame again with the Retry bit: a large share means that "
    "its peer hears it badly, or is not there at these slots.",
    source="IEEE 802.11-2020 10.3.4 (retransmission), 9.2.4.1.8 (Retry)",
    confidence="D (meaning), I (threshold)",
    profiles=AWARE_PROFILES,
    stories=("US-36",),
    remedy="Bring the devices closer together, look at antennas and the channel, and check that both agree on their "
    "slots.",
    on="aware_device",
    judge=_judge,
)
