"""When the others are awake: what their frames say, and the slots that two devices have in common."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.wifi_aware import frames, timing
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.frame import build
from protocols.wifi_aware.heard import hear
from protocols.wifi_aware.timing import SLOT_US, SLOTS
from sim.wifi_aware.presence import Presence
from sim.wifi_aware.slots import change_us, common_run, meeting_us

PEER = "02:00:00:00:00:02"


def told(*attributes: Attr) -> Presence:
    presence = Presence()
    learn(presence, *attributes)
    return presence


def learn(presence: Presence, *attributes: Attr, source: str = PEER) -> None:
    sdf = frames.Sdf(
        destination="51:6f:9a:01:00:00",
        source=source,
        bssid="50:6f:9a:01:00:01",
        sequence_number=0,
        category=4,
        attributes=attributes,
    )
    presence.learn(hear(build(sdf)))


def availability(entry: str) -> Attr:
    """One entry, hex, without its length."""
    octets = bytes.fromhex(entry)
    return Attr(0x12, b"\x01\x11\x00" + len(octets).to_bytes(2, "little") + octets)


def capability(wake_2_4: int, wake_5: int) -> Attr:
    return Attr(0x0F, bytes((0, wake_2_4 | wake_5 << 3, 0, 0x14, 0, 0x11, 0, 0, 0)))


def test_who_told_nothing_is_awake_in_every_window_of_2_4_ghz():
    wake = Presence().of(PEER)
    assert all(wake.attends(2, index) for index in range(16))
    assert not any(wake.attends(4, index) for index in range(16))
    assert not wake.is_there(6, 5)


def test_committed_windows_are_those_of_the_device_capability():
    wake = told(capability(3, 2)).of(PEER)
    assert [i for i in range(16) if wake.attends(2, i)] == [0, 4, 8, 12]
    assert [i for i in range(16) if wake.attends(4, i)] == list(range(0, 16, 2))


@pytest.mark.parametrize(
    ("entry", "slots"),
    [
        # committed on channel 6 in all slots but the first of each 512 TU
        ("e1121800" + "04feffffff" + "1151200000", 512 - 16),
        ("e11011510020" + "00", None),
        ("e2121800" + "04feffffff" + "1151200000", 0),  # potential
        ("e4121800" + "04feffffff" + "1151200000", 0),  # conditional
        ("e102" + "1151200000", 512),  # no bitmap: all slots
        ("e102" + "100204", 0),  # bands are no channel
    ],
)
def test_committed_slots_are_those_of_the_availability(entry, slots):
    wake = told(availability(entry)).of(PEER)
    if slots is None:  # malformed: as if nothing had been said
        assert dict(wake.slots) == {}
    else:
        assert len(wake.slots.get(6, ())) == slots
        assert set(wake.slots) <= {6}


def test_a_newer_schedule_replaces_the_older_and_a_frame_without_changes_nothing():
    presence = told(availability("e1021151200000"), capability(1, 0))
    learn(presence)
    assert len(presence.of(PEER).slots[6]) == 512
    learn(presence, availability("e1121800" + "04feffffff" + "1151200000"))
    assert not presence.of(PEER).is_there(6, 0)
    assert presence.of(PEER).is_there(6, 1)
    presence.alias("02:00:00:00:01:02", PEER)
    assert presence.of("02:00:00:00:01:02") == presence.of(PEER)


SENDERS = 20_000


def address_of(number: int) -> str:
    return f"02:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def test_of_many_senders_the_latest_are_remembered():
    presence = Presence()
    for number in range(SENDERS):
        learn(presence, capability(3, 2), source=address_of(number))
        presence.alias(address_of(number | 1 << 16), address_of(number))
    kept = [n for n in range(SENDERS) if presence.of(address_of(n)).wake_2_4 == 3]
    assert kept
    assert kept == list(range(SENDERS - len(kept), SENDERS))
    assert len(kept) <= 1024
    learn(presence, capability(3, 2), source=address_of(0))
    assert presence.of(address_of(0)).wake_2_4 == 3, "heard again, it is known again"
    tables = (presence._known, presence._sources)
    assert all(len(table) <= 1024 for table in tables)


SETS = st.frozensets(st.integers(0, SLOTS - 1), max_size=40)


@given(SETS, SETS, st.integers(0, 2 * timing.DW0_INTERVAL_US), st.integers(-5000, 5_000_000))
def test_runs_and_edges_are_those_of_a_walk_through_the_slots(own, theirs, now, offset):
    own_map, their_map = {6: own}, {6: theirs, 149: own}
    common = own & theirs

    def inside(slots: Any, at: int) -> bool:
        return timing.slot_of(at + offset) in slots

    now = max(now, -offset)
    start = now - (now + offset) % SLOT_US
    steps = [start + k * SLOT_US for k in range(1, SLOTS + 1)]
    changed = (at for at in steps if inside(own, at) != inside(own, at - SLOT_US))
    assert change_us(own_map, now, offset) == next(changed, None)
    run = common_run(own_map, their_map, now, offset)
    if not inside(common, now):
        assert run is None
        assert meeting_us(own_map, their_map, now, offset) == next(
            (at for at in steps if inside(common, at)), None
        )
        return
    assert meeting_us(own_map, their_map, now, offset) is None
    assert run is not None
    ends = [at for at in steps[:32] if not inside(common, at)] or [start + 32 * SLOT_US]
    before = [start - k * SLOT_US for k in range(1, 33) if not inside(common, start - k * SLOT_US)]
    began = before[0] + SLOT_US if before else start - 32 * SLOT_US
    assert (run.channel, run.since_us, run.until_us) == (6, began, ends[0])
