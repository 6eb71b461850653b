"""Whether two schedules make a data link: what a device offers, and the checks a proposal goes through.

Wi-Fi Aware 4.0, NDL setup; digest 5.5, as in hostap src/nan/nan_ndl.c. Rule 1: a proposal is judged by `CHECKS`, in
their order, the first that fails decides. Rule 2: only committed and conditional slots count, potential ones are no
promise; an entry that names several channels means its first one. Map IDs belong to their device: those of two devices
are never compared. Slots are those of `timing`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from protocols.wifi_aware import schedule, timing
from protocols.wifi_aware.attributes.nan_availability import COMMITTED, CONDITIONAL
from protocols.wifi_aware.attributes.ndl_qos import NO_LATENCY
from protocols.wifi_aware.channels import ChannelEntry, channels_of
from protocols.wifi_aware.schedule import ScheduleEntry
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from protocols.wifi_aware.attributes.nan_availability import NanAvailability

__all__ = [
    "ACCEPTED",
    "CHECKS",
    "CONTINUED",
    "REJECTED",
    "Check",
    "Offer",
    "Usable",
    "Verdict",
    "bitmap_text",
    "common",
    "common_by_channel",
    "evaluate",
    "longest_gap",
    "meets",
    "scheduled",
    "slots_in",
    "uncovered",
    "usable",
]

CONTINUED, ACCEPTED, REJECTED = 0, 1, 2
"""Statuses of NDP and NDL."""
UNSPECIFIED, INVALID_AVAILABILITY, IMMUTABLE, QOS = 1, 6, 7, 9
"""Reason codes (digest 2.28)."""
_SHIFT = timing.SLOTS_PER_DW_INTERVAL


class Usable(NamedTuple):
    """Slots that a device commits to, and where it is then."""

    map_id: int
    channel: ChannelEntry
    primary_mhz: int | None
    """centre of the primary 20 MHz, None when the entry does not say."""
    slots: frozenset[int]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What one side brings to a link."""

    usable: tuple[Usable, ...]
    ndc: tuple[ScheduleEntry, ...] | None = None
    """schedule of the NDC it selects; None: it leaves that to the other side."""
    immutable: tuple[ScheduleEntry, ...] = ()
    min_slots: int = 0
    """16-TU slots in each 512 TU; 0: no preference."""
    max_latency_slots: int = NO_LATENCY


class Verdict(NamedTuple):
    """How a proposal ends, and the check that decided."""

    status: int
    reason: int
    check: str


class Check(NamedTuple):
    """One check: what it is, whether it passes, and the end when it does not."""

    name: str
    passes: Callable[[Offer, Offer], bool]
    """own offer, peer's offer."""
    status: int
    reason: int


def usable(availability: Iterable[NanAvailability]) -> tuple[Usable, ...]:
    """Committed and conditional slots. Raises DecodeError (`bit_duration`) for a reserved code."""
    out: list[Usable] = []
    for attribute in availability:
        for entry in attribute.entries:
            if not entry.type & (COMMITTED | CONDITIONAL) or not entry.channels:
                continue
            channel = entry.channels[0]
            bitmap = None if entry.time_bitmap is UNSET else entry.time_bitmap
            slots = schedule.slots_of(bitmap)
            out.append(Usable(attribute.map_id, channel, _primary(channel), slots))
    return tuple(out)


def _primary(channel: ChannelEntry) -> int | None:
    found = channels_of(channel, "hostap") or channels_of(channel)
    return found[0].primary_mhz if found else None


def _meet(one: Usable, other: Usable) -> bool:
    """The same channel, or the same primary 20 MHz."""
    alike = one.primary_mhz is not None and one.primary_mhz == other.primary_mhz
    return alike or one.channel == other.channel


def common_by_channel(
    own: Iterable[Usable], peer: Iterable[Usable]
) -> dict[int | None, frozenset[int]]:
    """Slots in which both are on a channel, by the own primary frequency in MHz."""
    theirs = tuple(peer)
    out: dict[int | None, frozenset[int]] = {}
    for one in own:
        met = [one.slots & other.slots for other in theirs if _meet(one, other)]
        slots = frozenset[int]().union(*met)
        if slots:
            out[one.primary_mhz] = out.get(one.primary_mhz, frozenset()) | slots
    return out


def common(own: Iterable[Usable], peer: Iterable[Usable]) -> frozenset[int]:
    """Slots in which both are on one channel."""
    return frozenset[int]().union(*common_by_channel(own, peer).values())


def scheduled(entries: Iterable[ScheduleEntry]) -> frozenset[int]:
    """Slots of schedule entries of all maps; a bitmap without period repeats (hostap). Raises DecodeError."""
    slots = (schedule.slots_of(entry.time_bitmap, span_repeats=True) for entry in entries)
    return frozenset[int]().union(*slots)


def uncovered(offer: Offer) -> str:
    """Which schedule of an offer is not inside its own availability of the same map; empty when all are."""
    for name, entries in (("NDC", offer.ndc or ()), ("immutable schedule", offer.immutable)):
        for entry in entries:
            there = (one.slots for one in offer.usable if one.map_id == entry.map_id)
            if not scheduled((entry,)) <= frozenset[int]().union(*there):
                return name
    return ""


def longest_gap(slots: frozenset[int]) -> int:
    """Slots of the longest stretch, over the end of the 512 and on, in which none of these is."""
    if not slots:
        return timing.SLOTS
    ordered = sorted(slots)
    ends = [*ordered[1:], ordered[0] + timing.SLOTS]
    return max(end - start - 1 for start, end in zip(ordered, ends, strict=True))


def meets(slots: frozenset[int], min_slots: int, max_latency_slots: int) -> bool:
    """Whether common slots are enough; hostap counts the first 512 TU and wants more than the minimum."""
    if min_slots and sum(slot < _SHIFT for slot in slots) <= min_slots:
        return False
    return max_latency_slots == NO_LATENCY or longest_gap(slots) <= max_latency_slots


def _has_expandable_ndc(own: Offer, _peer: Offer) -> bool:
    return own.ndc is None or bool(scheduled(own.ndc))


def _have_common_slots(own: Offer, peer: Offer) -> bool:
    return bool(common(own.usable, peer.usable))


def _covers_own_ndc(own: Offer, _peer: Offer) -> bool:
    return uncovered(msgspec.structs.replace(own, immutable=())) == ""


def _has_room_for_immutable(own: Offer, peer: Offer) -> bool:
    return scheduled(peer.immutable) <= common(own.usable, peer.usable)


def _have_one_ndc(own: Offer, peer: Offer) -> bool:
    """A side that names none takes the other's."""
    if own.ndc is None or peer.ndc is None:
        return True
    return scheduled(own.ndc) == scheduled(peer.ndc)


def _meets_peer_qos(own: Offer, peer: Offer) -> bool:
    slots = common(own.usable, peer.usable)
    return meets(slots, peer.min_slots, peer.max_latency_slots)


CHECKS = (
    Check("own NDC has slots", _has_expandable_ndc, REJECTED, UNSPECIFIED),
    Check("common slots on one channel", _have_common_slots, CONTINUED, INVALID_AVAILABILITY),
    Check("own NDC inside the own availability", _covers_own_ndc, REJECTED, UNSPECIFIED),
    Check("the peer's immutable schedule inside the common slots", _has_room_for_immutable, REJECTED, IMMUTABLE),
    Check("the peer's NDC is the own one", _have_one_ndc, CONTINUED, INVALID_AVAILABILITY),
    Check("enough common slots for the peer's QoS", _meets_peer_qos, CONTINUED, QOS),
)  # fmt: skip
"""In the order in which they are made; CONTINUED is a counter-proposal."""


def evaluate(own: Offer, peer: Offer, *, can_counter: bool = True) -> Verdict:
    """What to answer to a proposal; without `can_counter` a counter-proposal becomes a refusal. Raises DecodeError."""
    for check in CHECKS:
        if not check.passes(own, peer):
            status = check.status if can_counter else REJECTED
            return Verdict(status, check.reason, check.name)
    return Verdict(ACCEPTED, 0, "")


def bitmap_text(slots: Iterable[int]) -> str:
    """Slots as the hex of 64 octets, bit 0 of the first octet is slot 0."""
    return sum(1 << slot for slot in slots).to_bytes(timing.SLOTS // 8, "little").hex()


def slots_in(text: str) -> frozenset[int]:
    """The inverse of `bitmap_text`."""
    number = int.from_bytes(bytes.fromhex(text), "little")
    return frozenset(slot for slot in range(timing.SLOTS) if number >> slot & 1)
