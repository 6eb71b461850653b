"""In which opening a waiting frame may go: at once, in the discovery window that goes on, or in slots in which both are awake.

Wi-Fi Aware 4.0, NAN synchronisation and presence; digest 4. The rules read a radio and change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import timing
from protocols.wifi_aware.cluster import BeaconOutgoing
from protocols.wifi_aware.cluster_settings import CHANNEL_2_4
from protocols.wifi_aware.openings import GUARD_US
from sim.wifi_aware import slots
from sim.wifi_aware.data_sending import DataOutgoing
from sim.wifi_aware.mac import FOREVER, Opening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.wifi_aware.mac import Job
    from sim.wifi_aware.radio import NanRadio

__all__ = ["meetings", "opening_of"]


def opening_of(job: Job, radio: NanRadio) -> Opening | None:
    """The opening in which a frame may go now; None while it has to wait."""
    out: Any = job.out
    if isinstance(out, BeaconOutgoing):
        return _of_beacon(out, radio)
    window = radio.window
    if isinstance(out, DataOutgoing):
        return None if window is not None else out.opening
    if out.at_once:
        return Opening(out.channel or CHANNEL_2_4, -1, FOREVER, None)
    if window is not None:
        wake = radio.presence.of(out.destination)
        if not job.unicast or wake.attends(window.band, window.index):
            since_us = window.until_us - timing.DW_US
            return Opening(window.channel, since_us, window.until_us, radio.spread)
    return _of_slots(out.destination, radio) if job.unicast else None


def _of_beacon(out: BeaconOutgoing, radio: NanRadio) -> Opening | None:
    """Between the windows at once; in a window on its channel."""
    window = radio.window
    if out.at_once:
        return Opening(out.channel, None, out.until_us + GUARD_US, out.back_off)
    if window is None or window.channel != out.channel:
        return None
    return Opening(out.channel, None, window.until_us, out.back_off)


def _of_slots(destination: str, radio: NanRadio) -> Opening | None:
    """The slots that go on, in which both sides are awake."""
    theirs = radio.presence.of(destination).slots
    run = slots.common_run(radio.slots, theirs, radio.now_us, radio.cluster.offset_us)
    return None if run is None else Opening(*run, radio.spread)


def meetings(jobs: Iterable[Job], radio: NanRadio) -> list[int]:
    """When the next slot begins that a waiting unicast frame can use, for each destination."""
    now, offset_us = radio.now_us, radio.cluster.offset_us
    waiting = {
        job.out.destination
        for job in jobs
        if job.unicast and not isinstance(job.out, BeaconOutgoing | DataOutgoing)
    }
    found = (
        slots.meeting_us(radio.slots, radio.presence.of(one).slots, now, offset_us)
        for one in sorted(waiting)
    )
    return [at for at in found if at is not None]
