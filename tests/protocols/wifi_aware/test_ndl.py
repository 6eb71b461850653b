"""Schedules of two devices: each check of a proposal with slots counted by hand, counter-proposals, changes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.errors import DecodeError
from protocols.wifi_aware import ndl, ndp_frames, schedule
from protocols.wifi_aware.attributes.nan_availability import AvailabilityEntry, NanAvailability
from protocols.wifi_aware.attributes.ndl_qos import NO_LATENCY
from protocols.wifi_aware.channels import ChannelEntry, entry_of
from protocols.wifi_aware.datapath import DataPathSettings
from protocols.wifi_aware.events import DataPathCountered
from protocols.wifi_aware.schedule import ScheduleEntry, TimeBitmap, bitmap_of
from protocols.wifi_aware.station_settings import attribute_of
from tests.protocols.wifi_aware.paths import (
    NDI_B,
    SECOND,
    SECRET,
    ask,
    connect,
    connected,
    ended,
    reply,
    state_of,
    wire,
)
from tests.protocols.wifi_aware.wire import A, B

CHANNEL_6 = entry_of(81, 6)
COMMITTED, POTENTIAL, CONDITIONAL = 1, 2, 4
TABLE = {check.name: check for check in ndl.CHECKS}


def slots(*first: int) -> set[int]:
    """These slots of every 32."""
    return {32 * index + slot for index in range(16) for slot in first}


def entry(
    marked: set[int] | None, kind: int = COMMITTED, channel: ChannelEntry = CHANNEL_6
) -> AvailabilityEntry:
    bitmap: Any = msgspec.UNSET if marked is None else bitmap_of(marked)
    return AvailabilityEntry(
        type=kind, usage_preference=0, utilization=7, rx_nss=1, time_bitmap=bitmap,
        non_contiguous=False, channels=(channel,),
    )  # fmt: skip


def availability(*entries: AvailabilityEntry, map_id: int = 1) -> NanAvailability:
    return NanAvailability(
        sequence_id=0, map_id=map_id, committed_changed=True, potential_changed=False,
        public_availability_changed=False, ndc_changed=False, entries=entries,
    )  # fmt: skip


def planned(marked: set[int], map_id: int = 1) -> tuple[ScheduleEntry, ...]:
    return (ScheduleEntry(map_id=map_id, time_bitmap=bitmap_of(marked)),)


def offer(*entries: AvailabilityEntry, **fields: Any) -> ndl.Offer:
    usable = ndl.usable([availability(*(entries or (entry(slots(*range(1, 16))),)))])
    return ndl.Offer(usable=usable, **{"ndc": planned(slots(1, 2, 3)), **fields})


PLAIN = offer()


# --- what counts ------------------------------------------------------------------------------------


def test_potential_slots_are_no_promise() -> None:
    other = offer(entry(slots(1, 2, 3), POTENTIAL))
    assert ndl.common(PLAIN.usable, other.usable) == frozenset()
    assert ndl.common(PLAIN.usable, offer(entry(slots(1), CONDITIONAL)).usable) == slots(1)


def test_entry_without_bitmap_is_always_there() -> None:
    assert ndl.common(PLAIN.usable, offer(entry(None)).usable) == slots(*range(1, 16))


def test_one_primary_frequency_is_one_channel() -> None:
    """Channel 6 as 20 MHz, and as the primary of a 40 MHz channel of class 83; class 84 has its primary above."""
    forty = entry_of(83, 6)
    assert ndl.common(PLAIN.usable, offer(entry(slots(5), channel=forty)).usable) == slots(5)
    below = entry_of(84, 6)
    assert ndl.common(PLAIN.usable, offer(entry(slots(5), channel=below)).usable) == slots(5)
    elsewhere = entry_of(81, 11)
    assert not ndl.common(PLAIN.usable, offer(entry(slots(5), channel=elsewhere)).usable)


def test_channels_are_kept_apart() -> None:
    eleven = entry_of(81, 11)
    both = offer(entry(slots(1, 2)), entry(slots(3), channel=eleven))
    other = offer(entry(slots(2, 3)), entry(slots(3, 4), channel=eleven))
    found = ndl.common_by_channel(both.usable, other.usable)
    assert found == {2437: slots(2), 2462: slots(3)}


def test_bitmap_text_is_two_way() -> None:
    marked = frozenset({0, 9, 511})
    assert ndl.bitmap_text(marked) == "0102" + "00" * 61 + "80"
    assert ndl.slots_in(ndl.bitmap_text(marked)) == marked


@pytest.mark.parametrize(("marked", "gap"), [
    (set(), 512), ({0}, 511), ({0, 256}, 255), ({10, 11, 500}, 488), (set(range(512)), 0),
])  # fmt: skip
def test_longest_gap_goes_over_the_end(marked: set[int], gap: int) -> None:
    assert ndl.longest_gap(frozenset(marked)) == gap


@pytest.mark.parametrize(("first", "least", "enough"), [(3, 3, False), (4, 3, True), (0, 0, True)])
def test_minimum_must_be_exceeded(first: int, least: int, enough: bool) -> None:
    """hostap, digest 8.3, 43."""
    assert ndl.meets(frozenset(slots(*range(first))), least, NO_LATENCY) is enough


def test_reserved_bit_duration_is_a_fault() -> None:
    wrong = TimeBitmap(bit_duration=5, period=3, start_offset_slots=0, bitmap="01")
    with pytest.raises(DecodeError):
        ndl.scheduled((ScheduleEntry(map_id=1, time_bitmap=wrong),))


# --- the table of checks ------------------------------------------------------------------------------


EMPTY = TimeBitmap(bit_duration=0, period=3, start_offset_slots=0, bitmap="00")
CASES = {
    "own NDC has slots": (
        offer(ndc=(ScheduleEntry(map_id=1, time_bitmap=EMPTY),)),
        PLAIN,
    ),
    "common slots on one channel": (PLAIN, offer(entry(slots(20)), ndc=None)),
    "own NDC inside the own availability": (offer(ndc=planned(slots(0))), PLAIN),
    "the peer's immutable schedule inside the common slots": (
        PLAIN,
        offer(immutable=planned(slots(20))),
    ),
    "the peer's NDC is the own one": (PLAIN, offer(ndc=planned(slots(4)))),
    "enough common slots for the peer's QoS": (PLAIN, offer(min_slots=15)),
}


@pytest.mark.parametrize("name", TABLE)
def test_each_check_decides_as_the_table_says(name: str) -> None:
    own, peer = CASES[name]
    check = TABLE[name]
    assert ndl.evaluate(own, peer) == ndl.Verdict(check.status, check.reason, name)
    assert ndl.evaluate(own, peer, can_counter=False).status == ndl.REJECTED


def test_table_is_that_of_the_digest() -> None:
    """Digest 5.5, in order: result and reason code."""
    continued, rejected = 0, 2
    assert [(check.status, check.reason) for check in ndl.CHECKS] == [
        (rejected, 1), (continued, 6), (rejected, 1), (rejected, 7), (continued, 6), (continued, 9),
    ]  # fmt: skip


def test_first_failing_check_decides() -> None:
    peer = offer(entry(slots(20)), immutable=planned(slots(20)), min_slots=30, ndc=planned(slots(20)))  # fmt: skip
    assert ndl.evaluate(PLAIN, peer).check == "common slots on one channel"


def test_good_proposal_passes_with_and_without_ndc() -> None:
    for peer in (PLAIN, offer(ndc=None), offer(min_slots=14, max_latency_slots=17)):
        assert ndl.evaluate(PLAIN, peer) == ndl.Verdict(ndl.ACCEPTED, 0, "")
    assert ndl.evaluate(PLAIN, offer(max_latency_slots=16)).reason == 9


def test_map_ids_of_two_devices_are_not_compared() -> None:
    usable = ndl.usable([availability(entry(slots(*range(1, 16))), map_id=4)])
    peer = ndl.Offer(usable=usable, ndc=planned(slots(1, 2, 3), map_id=4))
    assert ndl.evaluate(PLAIN, peer).status == ndl.ACCEPTED
    assert ndl.uncovered(ndl.Offer(usable=usable, ndc=planned(slots(1), map_id=1))) == "NDC"
    assert ndl.uncovered(peer) == ""


def test_conditional_slots_are_committed_when_the_link_stands() -> None:
    before = ndp_frames.make(availability(entry(slots(1), CONDITIONAL), entry(slots(2), POTENTIAL)))
    after: NanAvailability = ndp_frames.agreed_availability(before).fields
    assert [one.type for one in after.entries] == [COMMITTED, POTENTIAL]


# --- between two devices ------------------------------------------------------------------------------


def written(attribute: NanAvailability) -> str:
    return ndp_frames.make(attribute).written().hex()


def ndc_text(*first: int) -> str:
    """Configuration: an NDC in these slots of 32."""
    number = sum(1 << slot for slot in first)
    octets = number.to_bytes(4, "little").rstrip(b"\0").hex()
    body = "00" * 6 + "01" + "01" + "1800" + f"{len(octets) // 2:02x}" + octets
    return f"13{len(body) // 2:02x}00{body}"


@pytest.mark.parametrize("arguments", [{}, SECRET])
def test_counter_proposal_that_is_taken(arguments: dict[str, Any]) -> None:
    """Three-way NDL: NDC in slots 1-3 asked for, 1 and 2 proposed; both sides then have that one."""
    made = wire(station_a={"ndc": ndc_text(1, 2)})
    ask(made, **arguments)
    reply(made, **arguments)
    (event,) = made.events("b", DataPathCountered)
    assert event.reason == 6
    assert ndl.slots_in(event.ndc) == slots(1, 2)
    made.run(20 * SECOND)
    assert ended(made, "a") == ended(made, "b") == []
    made.devices["b"].data_path.accept_counter(A, NDI_B, 1, made.now)
    made.run(10_000)
    for name in ("a", "b"):
        (told,) = connected(made, name)
        assert ndl.slots_in(told.ndc) == slots(1, 2)


def test_counter_proposal_that_is_turned_down() -> None:
    made = wire(station_a={"ndc": ndc_text(1, 2)})
    ask(made, **SECRET)
    reply(made, **SECRET)
    made.devices["b"].data_path.reject_counter(A, NDI_B, 1, made.now)
    made.run(10_000)
    assert [(event.reason, event.local) for event in ended(made, "b")] == [(11, True)]
    assert [(event.reason, event.local) for event in ended(made, "a")] == [(11, False)]


def test_counter_proposal_nobody_decides_on_ends_in_time() -> None:
    made = wire(station_a={"ndc": ndc_text(1, 2)})
    ask(made)
    reply(made)
    made.run(30 * SECOND + 2_000)
    assert state_of(made, "a") == state_of(made, "b") == "none"


def test_quality_that_is_not_met_is_countered() -> None:
    made = wire(b=DataPathSettings(qos_min_slots=20))
    ask(made)
    reply(made)
    assert [event.reason for event in made.events("b", DataPathCountered)] == []
    made = wire(b=DataPathSettings(qos_min_slots=31))
    ask(made)
    reply(made)
    assert [event.reason for event in made.events("b", DataPathCountered)] == [9]


def test_ndc_that_its_own_side_does_not_cover_is_refused_unasked() -> None:
    made = wire(station_b={"ndc": ndc_text(0)})
    ask(made, **SECRET)
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == [11]
    assert ended(made, "a")[0].cause == "its NDC is not inside its availability"


def test_responder_that_cannot_offer_a_schedule_refuses() -> None:
    made = wire(station_a={"ndc": ndc_text(0)})
    ask(made, **SECRET)
    reply(made, **SECRET)
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == [11]
    assert "own NDC" in ended(made, "a")[0].cause


def test_responder_without_ndc_takes_that_of_the_request() -> None:
    made = wire(station_a={"ndc": ""})
    connect(made)
    (one,), (two,) = connected(made, "a"), connected(made, "b")
    assert one.ndc == two.ndc
    assert ndl.slots_in(one.ndc) == slots(1, 2, 3)


def test_request_without_ndc_gets_one() -> None:
    made = wire(station_b={"ndc": ""})
    connect(made)
    assert connected(made, "b")[0].ndc_id == connected(made, "a")[0].ndc_id != ""


def test_changed_availability_ends_links_that_break() -> None:
    """Slots 1-15 of 32 still hold the NDC; slots 17-31 do not, and both sides see it (digest 5.5)."""
    made = wire()
    connect(made, **SECRET)
    engine = made.devices["b"].data_path
    engine.announce(written(availability(entry(slots(*range(1, 16))))), made.now)
    made.run(10_000)
    assert made.names("b")[-1] == "schedule_update"
    assert state_of(made, "a") == state_of(made, "b") == "connected"
    engine.announce(written(availability(entry(slots(*range(17, 32))))), made.now)
    made.run(10_000)
    assert state_of(made, "a") == state_of(made, "b") == "none"
    assert "come apart" in ended(made, "b")[0].cause


@pytest.mark.parametrize(("stored", "received", "newer"), [
    (5, 5, False), (5, 4, False), (127, 0, False), (128, 0, True), (5, 6, True), (255, 0, True), (5, 250, True),
])  # fmt: skip
def test_older_availability_is_passed_over(stored: int, received: int, newer: bool) -> None:
    """Digest 2.13 and 8.3, 41: within 128 below the stored number it is old; 250 after 5 is not."""
    made = wire()
    connect(made, **SECRET)
    engine = made.devices["a"].data_path
    engine.links[B].peer_sequence = stored
    gone = msgspec.structs.replace(availability(entry(slots(31))), sequence_id=received)
    engine.renegotiate(B, (gone,), made.now)
    assert (state_of(made, "a") == "connected") is not newer


def test_configured_attributes_are_what_is_thought() -> None:
    """The defaults that the other tests count on."""
    own = ndp_frames.own_offer(wire().devices["a"].station.settings)
    assert own.usable[0].slots == slots(*range(1, 16), *range(17, 32))
    assert ndl.scheduled(own.ndc or ()) == slots(1, 2, 3)
    assert schedule.slots_of(attribute_of(ndc_text(1, 2)).fields.schedule[0].time_bitmap) == slots(1, 2)  # fmt: skip
