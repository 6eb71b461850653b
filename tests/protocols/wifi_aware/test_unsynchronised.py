"""Discovery without a cluster: channels and states over time, pausing, and every row of the table of transitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import discovery
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.discovery_settings import DiscoverySettings, UnsynchronisedSettings
from protocols.wifi_aware.discovery_table import TRANSITIONS, Input
from protocols.wifi_aware.events import (
    Discovered,
    Dropped,
    FollowUp,
    Replied,
    ServiceEnded,
    Stepped,
    Tuned,
)
from protocols.wifi_aware.frame import read
from protocols.wifi_aware.heard import NETWORK_ID
from protocols.wifi_aware.service_options import State
from tests.protocols.wifi_aware.test_bootstrapping import Log
from tests.protocols.wifi_aware.wire import SERVICE, A, B, C, Wire, device

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

MS, SECOND = 1_000, 1_000_000
NPBA = Attr(0x2C, bytes.fromhex("0101000100"))
FIXED = UnsynchronisedSettings(least=5, most=6, channels=(1, 11))
"""Every state lasts 500 TU, 512 ms."""


def wire(settings: UnsynchronisedSettings = FIXED, *, active: bool = False, **publish: Any) -> Wire:
    """A publishes, B and C subscribe; nothing has happened yet."""
    apart = DiscoverySettings(unsynchronised=settings)
    made = Wire(
        A=device(A, discovery=apart), B=device(B, discovery=apart), C=device(C, discovery=apart)
    )
    made.devices["A"].discovery.publish(SERVICE, unsynchronised=True, now=0, **publish)
    for name in ("B", "C"):
        made.devices[name].discovery.subscribe(
            SERVICE, unsynchronised=True, active=active and name == "B", now=0
        )
    return made


def alone(settings: UnsynchronisedSettings = FIXED, **publish: Any) -> Wire:
    """A publishes, nobody hears it."""
    made = wire(settings, **publish)
    made.carry = lambda *_: []
    for name in ("B", "C"):
        made.devices[name].discovery.cancel(1, 0)
    made.flush()
    return made


def states(made: Wire, name: str = "A") -> list[str]:
    return [one.after.removeprefix("1: ") for one in made.events(name, Stepped)]


# --- channels and times -----------------------------------------------------------------------------


def test_a_publisher_is_on_its_default_channel_then_goes_through_its_list() -> None:
    made = alone()
    made.run(1_024 * MS + 400)
    tuned = [one.channel for one in made.events("A", Tuned)]
    assert tuned == [6, 1, 11, 1, 11, 6]
    assert states(made) == ["multi-channel", "single-channel"]


def test_a_publisher_announces_every_period_where_it_is() -> None:
    made = alone()
    made.run(700 * MS)
    sent = [(at // MS, one.channel) for at, _, one in made.sent]
    assert sent == [
        (0, 6), (100, 6), (200, 6), (300, 6), (400, 6), (500, 6),
        (512, 1), (612, 1), (662, 11),
    ]  # fmt: skip
    assert all(one.at_once and one.destination == NETWORK_ID for _, _, one in made.sent)


def test_frames_without_a_cluster_show_no_cluster() -> None:
    made = alone(methods=2)
    made.run(1 * MS)
    frame = read(made.sent[0][2].octets)
    assert frame.bssid == NETWORK_ID
    names = [attr.name for attr in frame.nan_attributes]
    assert names == ["service_descriptor", "service_descriptor_extension", "pairing_bootstrapping"]
    made = alone(UnsynchronisedSettings(extras=True))
    made.run(1 * MS)
    assert len(read(made.sent[0][2].octets).nan_attributes) == 6


def test_the_length_of_a_state_is_drawn_between_the_limits() -> None:
    """Nmin to Nmax - 1 times 100 TU (digest 3.7); with equal limits that many."""
    unit = 102_400
    for least, most, allowed in ((5, 10, {5, 6, 7, 8, 9}), (4, 4, {4})):
        seen: set[int] = set()
        for octet in range(0, 256, 15):
            made = device(
                discovery=DiscoverySettings(
                    unsynchronised=UnsynchronisedSettings(least=least, most=most)
                )
            )
            made.station.draw = lambda _purpose, _length, octet=octet: bytes((octet,))
            made.discovery.publish(SERVICE, unsynchronised=True, now=0)
            seen.add(made.timers()["discovery 1: state over"] // unit)
        assert seen == allowed


def test_a_suspended_radio_is_off_for_its_part_of_each_cycle() -> None:
    settings = UnsynchronisedSettings(
        least=5, most=6, channels=(), suspend_us=200 * MS, cycle_us=1_000 * MS
    )
    made = alone(settings)
    made.run(2_500 * MS)
    assert made.sent
    assert not [at for at, _, _ in made.sent if 800 * MS <= at % SECOND < SECOND]
    assert [one.channel for one in made.events("A", Tuned)] == [6, None, 6, None, 6]
    assert states(made)[:3] == ["multi-channel", "suspended", "single-channel"]


def test_an_unsolicited_publish_listens_only_when_it_is_solicited() -> None:
    made = alone(unsolicited=False)
    made.run(3 * SECOND)
    assert not made.sent
    assert len(states(made)) > 3, "it still goes from channel to channel"


def test_its_life_is_counted_in_window_intervals() -> None:
    made = alone(ttl_windows=2)
    made.run(2 * 524_288 - 1)
    assert not made.events("A", ServiceEnded)
    made.run(1)
    assert [one.reason for one in made.events("A", ServiceEnded)] == ["its time is over"]
    assert made.devices["A"].next_timer() is None
    assert made.events("A", Tuned)[-1].channel is None


# --- meeting and pausing ----------------------------------------------------------------------------


def test_a_passive_subscriber_answers_with_an_empty_follow_up() -> None:
    made = wire()
    made.devices["C"].discovery.cancel(1, 0)
    made.run(1 * MS)
    assert [(name, one.name, one.destination) for _, name, one in made.sent] == [
        ("A", "publish", NETWORK_ID),
        ("B", "follow_up", A),
    ]
    assert len(made.events("B", Discovered)) == 1
    assert [one.consumed for one in made.events("A", FollowUp)] == [False]
    assert states(made) == ["paused"]


def test_an_active_subscriber_asks_by_name_and_pauses_the_publisher() -> None:
    made = wire(active=True)
    made.devices["C"].discovery.cancel(1, 0)
    b = made.devices["B"].discovery
    b.cancel(1, 0)
    made.run(50 * MS)
    b.subscribe(SERVICE, unsynchronised=True, active=True, now=made.now)
    made.run(1 * MS)
    assert states(made) == ["paused"]
    assert [(one.peer, one.subscribe_id) for one in made.events("A", Replied)] == [(B, 1)]
    assert made.events("B", Discovered)[-1].publish_id == 1

    made = wire(active=True)
    made.devices["C"].discovery.cancel(1, 0)
    made.devices["B"].discovery._air.end(made.devices["B"].discovery.instances[1])
    made.run(1 * MS)
    asked = [one for _, name, one in made.sent if name == "B"]
    assert [(one.name, one.destination) for one in asked] == [("subscribe", NETWORK_ID)]
    assert read(asked[0].octets).first("service_descriptor").requestor_instance_id == 1


def paused() -> Wire:
    """A is paused for B."""
    made = wire()
    made.devices["C"].discovery.cancel(1, 0)
    made.run(1 * MS)
    assert states(made) == ["paused"]
    made.sent.clear()
    return made


def test_a_paused_publisher_is_silent_for_a_minute() -> None:
    made = paused()
    made.devices["B"].discovery.cancel(1, made.now)
    made.run(60 * SECOND - 1 * MS - 1)
    assert not made.sent
    made.run(1)
    assert states(made) == ["paused", "single-channel"]
    made.run(0)
    assert made.names("A") == ["publish"]


def test_a_paused_publisher_can_be_resumed_by_its_application() -> None:
    made = paused()
    made.devices["A"].discovery.unpause(1, made.now)
    made.devices["B"].discovery.cancel(1, made.now)
    made.run(1 * MS)
    assert made.names("A") == ["publish"]
    c = made.devices["C"].discovery
    c.subscribe(SERVICE, unsynchronised=True, active=True, now=made.now)
    made.run(1 * MS)
    assert [one.peer for one in made.events("A", Replied)] == [C], "anybody may come now"


def test_a_paused_publisher_keeps_its_radio_on() -> None:
    made = wire(UnsynchronisedSettings(suspend_us=100 * MS, cycle_us=300 * MS))
    made.run(1 * MS)
    assert set(made.devices["A"].timers()) == {"discovery 1: pause over"}


def test_a_paused_publisher_hears_its_subscriber_and_nobody_else() -> None:
    made = paused()
    a, b, c = (made.devices[name].discovery for name in "ABC")
    c.subscribe(SERVICE, unsynchronised=True, active=True, now=made.now)
    made.run(1 * MS)
    assert not made.events("A", Replied)
    assert f"paused for instance 1 of {B}" in made.events("A", Dropped)[-1].reason
    b.follow_up(A, 1, 1, (), name="x", engine="discovery")
    made.run(1 * MS)
    assert "empty follow-up while paused" in made.events("A", Dropped)[-1].reason
    b.follow_up(A, 1, 1, (NPBA,), name="x", engine="discovery")
    b.transmit(A, 1, 1, b"hello", made.now)
    made.run(1 * MS)
    assert len(made.events("A", FollowUp)) == 3
    assert a.instances[1].state is State.PAUSED


def test_a_service_that_does_not_pause_goes_on() -> None:
    """P2P services (digest 3.7)."""
    made = wire(UnsynchronisedSettings(pauses=False), active=True)
    made.run(250 * MS)
    assert made.names("A").count("publish") >= 3
    assert "paused" not in states(made)
    assert made.events("A", Replied)


def test_clusters_and_their_absence_do_not_mix() -> None:
    """Windows are nothing to an instance without a cluster, timers nothing to one in a cluster."""
    one = device()
    one.discovery.publish(SERVICE, unsynchronised=True, now=0)
    one.to_send(0)
    one.window(0)
    assert not one.to_send(0)
    one.discovery.cancel(1, 0)
    one.discovery.publish(SERVICE, now=0)
    assert one.next_timer() is None


# --- the table --------------------------------------------------------------------------------------


def in_a_cluster() -> None:
    made = Wire(A=device(A), B=device(B))
    a, b = made.devices["A"].discovery, made.devices["B"].discovery
    a.publish(SERVICE, ttl_windows=2, now=0)
    b.subscribe(SERVICE, active=True, ttl_windows=2, now=0)
    made.window()
    for info, more in ((b"x", ()), (None, (NPBA,)), (None, ())):
        a.follow_up(B, 1, 1, more, name="x", engine="discovery", service_info=info)
        b.follow_up(A, 1, 1, more, name="x", engine="discovery", service_info=info)
    made.run(1 * MS)
    made.window()
    made.window()
    a.cancel(a.publish(SERVICE, now=0), 0)
    b.cancel(b.subscribe(SERVICE, now=0), 0)


def at(state: State, settings: UnsynchronisedSettings = FIXED) -> Wire:
    """A publishes and has come to that state; it hears B, and nobody hears it."""
    made = wire(settings)
    made.carry = lambda sender, frame: [(0, frame.octets)] if sender == "B" else []
    for _ in range(2_000):
        if made.devices["A"].discovery.instances[1].state is state:
            break
        made.run(1 * MS)
    assert made.devices["A"].discovery.instances[1].state is state
    return made


def frames_of_a_subscriber(made: Wire, given: int) -> None:
    """One of: follow-up with service info, of an exchange, empty, subscribe."""
    b = made.devices["B"].discovery
    if given == 3:
        b.cancel(1, made.now)
        b.subscribe(SERVICE, unsynchronised=True, active=True, now=made.now)
    else:
        info, more = ((b"x", ()), (None, (NPBA,)), (None, ()))[given]
        b.follow_up(A, 1, 1, more, name="x", engine="discovery", service_info=info)
    made.run(0)


def without_a_cluster() -> None:
    brief = UnsynchronisedSettings(pauses=False, least=5, most=6)
    cycle = UnsynchronisedSettings(suspend_us=100 * MS, cycle_us=300 * MS)
    late_cycle = UnsynchronisedSettings(suspend_us=100 * MS, cycle_us=800 * MS, least=5, most=6)
    for state in (State.SINGLE_CHANNEL, State.MULTI_CHANNEL):
        for given in range(4):
            frames_of_a_subscriber(at(state), given)
        frames_of_a_subscriber(at(state, brief), 3)
        at(state).devices["A"].discovery.cancel(1, 0)
    at(State.SUSPENDED, cycle).devices["A"].discovery.cancel(1, 0)
    at(State.SUSPENDED, late_cycle).run(2 * SECOND)
    alone().run(2 * SECOND)
    off = UnsynchronisedSettings(suspend_us=400 * MS, cycle_us=800 * MS, least=9, most=9)
    for settings in (FIXED, UnsynchronisedSettings(least=9, most=9), off):
        alone(settings, ttl_windows=1).run(1 * SECOND)


def while_paused() -> None:
    for given in range(4):
        frames_of_a_subscriber(paused(), given)
    paused().devices["A"].discovery.unpause(1, 1 * MS)
    paused().devices["A"].discovery.cancel(1, 1 * MS)
    made = paused()
    made.devices["B"].discovery.cancel(1, made.now)
    made.run(60 * SECOND)
    wire(ttl_windows=1).run(1 * SECOND)


def searching() -> None:
    for act in range(4):
        made = wire(active=True)
        a, b = made.devices["A"].discovery, made.devices["B"].discovery
        if act == 3:
            b.cancel(1, 0)
            b.subscribe(SERVICE, unsynchronised=True, ttl_windows=1, now=0)
        made.run(5 * MS)
        for info, more in ((b"x", ()), (None, (NPBA,)), (None, ())):
            a.follow_up(B, 1, 1, more, name="x", engine="discovery", service_info=info)
        made.run(1 * SECOND)
        if act < 3:
            b.cancel(1, made.now)


SCENARIOS: list[Callable[[], None]] = [in_a_cluster, without_a_cluster, while_paused, searching]


def test_every_row_of_the_table_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(TRANSITIONS)
    monkeypatch.setattr(discovery, "TRANSITIONS", log)
    for scenario in SCENARIOS:
        scenario()
    assert not sorted(f"{s.name} {i.name}" for s, i in set(TRANSITIONS) - log.reached)


def test_every_state_can_be_ended() -> None:
    for state in State:
        if state is not State.ENDED:
            for given in (Input.CANCEL, Input.LIFE_SPENT):
                assert TRANSITIONS[state, given] == ("end", State.ENDED)
