"""Data paths and time: when setups and idle links end, and the table of transitions, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protocols.wifi_aware.datapath import DataPath, DataPathSettings
from protocols.wifi_aware.events import KeepAliveWanted, Stepped
from protocols.wifi_aware.ndp_path import TRANSITIONS, State
from tests.protocols.wifi_aware.paths import (
    NDI_A,
    NDI_B,
    SECOND,
    SECRET,
    ask,
    connect,
    connected,
    ended,
    losing,
    path_of,
    reply,
    state_of,
    wire,
)
from tests.protocols.wifi_aware.wire import A, B

if TYPE_CHECKING:
    from tests.protocols.wifi_aware.wire import Wire


# --- times ------------------------------------------------------------------------------------------


def test_lost_m1_ends_after_the_long_time_without_a_frame() -> None:
    made = wire()
    made.carry = losing("ndp_m1")
    ask(made, **SECRET)
    made.run(30 * SECOND - 1)
    assert ended(made, "b") == []
    made.run(1)
    (event,) = ended(made, "b")
    assert (event.reason, event.local, event.failure) == (1, True, True)
    assert made.names() == ["ndp_m1"]
    assert state_of(made, "b") == "none"


@pytest.mark.parametrize(("lost", "ends"), [
    ("ndp_m2", {"a": True, "b": False}), ("ndp_m3", {"a": True, "b": True}), ("ndp_m4", {"a": False, "b": True}),
])  # fmt: skip
def test_lost_frame_of_the_handshake_ends_both_after_the_short_time(
    lost: str, ends: dict[str, bool]
) -> None:
    """Pairing digest 9.5; `ends`: whether the side ended by its own timer."""
    made = wire()
    made.carry = losing(lost)
    connect(made, **SECRET)
    made.run(2 * SECOND - 10_000 - 1)
    assert ended(made, "a") == ended(made, "b") == []
    made.run(1 + 1_000)
    for name, local in ends.items():
        (event,) = ended(made, name)
        assert (event.reason, event.local) == (1, local)
        assert event.failure is not (lost == "ndp_m4" and name == "a")
        assert state_of(made, name) == "none"


def test_application_that_does_not_decide_ends_the_setup() -> None:
    made = wire()
    ask(made, **SECRET)
    made.run(30 * SECOND + 2_000)
    assert [event.reason for event in ended(made, "a")] == [1]
    assert [event.reason for event in ended(made, "b")] == [1]


def test_settings_move_the_times() -> None:
    """MediaTek: 10 s and 1 s."""
    made = wire(b=DataPathSettings(long_us=10 * SECOND, short_us=SECOND))
    made.carry = losing("ndp_m1")
    ask(made)
    made.run(10 * SECOND)
    assert len(ended(made, "b")) == 1


def test_unanswered_request_is_repeated() -> None:
    """MediaTek: twice, 4.5 s apart; the same octets but for the sequence number."""
    made = wire(b=DataPathSettings(retries=2))
    made.carry = losing("ndp_m1")
    ask(made, **SECRET)
    made.run(4_500_000)
    made.carry = losing()
    made.run(4_500_000)
    assert [time for time, _, _ in made.sent] == [0, 4_500_000, 9_000_000]
    assert len({frame.octets[24:] for _, _, frame in made.sent}) == 1
    reply(made, **SECRET)
    made.run(10_000)
    assert connected(made, "a")[0].nd_tk == connected(made, "b")[0].nd_tk


def test_idle_link_ends_and_traffic_keeps_it() -> None:
    made = wire()
    connect(made, **SECRET)
    start = made.now
    for name, peer in (("a", B), ("b", A)):
        made.at(start + 20 * SECOND, lambda name=name, peer=peer: made.devices[name].data_path.traffic(peer, made.now))  # fmt: skip
    made.run(45 * SECOND - 20_000)
    assert ended(made, "a") == ended(made, "b") == []
    made.run(40_000)
    assert {event.cause for event in ended(made, "a")} == {"idle for too long"}
    assert state_of(made, "a") == state_of(made, "b") == "none"


def test_keep_alive_is_wanted_before_the_peer_gives_up() -> None:
    made = wire(b=DataPathSettings(keep_alive_us=10 * SECOND))
    connect(made, **SECRET)
    made.run(25 * SECOND)
    wanted = made.events("b", KeepAliveWanted)
    assert [(one.local_ndi, one.peer_ndi) for one in wanted] == [(NDI_B, NDI_A)] * 2


# --- the table --------------------------------------------------------------------------------------


def test_every_action_exists_and_no_state_is_a_dead_end() -> None:
    for row in TRANSITIONS.values():
        assert callable(getattr(DataPath, f"_{row.action}"))
    for state in State:
        inputs = {cause for before, cause in TRANSITIONS if before is state}
        assert bool(inputs) == (state is not State.ENDED)
        if state not in (State.IDLE, State.ENDED, State.CONNECTED):
            assert "timeout" in inputs


INNER_NDC = "130c00000000000000010118000106"
"""Slots 1 and 2 of 32: another one than the usual 1 to 3."""
LATE = "121300000100" + "0e00e1121800" + "04f8ffffff" + "1151200000"
"""Available from slot 3 of 32 on, where the former NDC is not."""
LATE_NDC = "130c00000000000000010118000118"


def _in(state: State) -> tuple[Wire, str]:
    """A wire on which one device has a path in that state, and its name."""
    made = wire(station_a={"ndc": INNER_NDC} if state is State.COUNTERED else None)
    lost = {State.REQUESTED: "ndp_m1", State.ANSWERED: "ndp_m2", State.CONFIRMED: "ndp_m3"}
    made.carry = losing(lost.get(state, ""))
    ask(made, **SECRET)
    if state is State.REFUSING:
        made.devices["a"].data_path.answer(B, NDI_B, 1, handle=1, accept=False, now=made.now)
        return made, "a"
    if state not in (State.REQUESTED, State.ASKED):
        reply(made, **SECRET)
    if state in (State.CONNECTED, State.ENDING):
        made.run(10_000)
    made.carry = losing()
    if state is State.ENDING:
        made.devices["a"].data_path.terminate(B, NDI_B, 1, made.now)
    return made, "b" if state in (State.REQUESTED, State.COUNTERED, State.CONFIRMED) else "a"


ENDS = ("dropped", "terminate", "terminated", "timeout")
ENDING_ROWS = [(state, cause) for state, cause in TRANSITIONS if cause in ENDS]


@pytest.mark.parametrize(("state", "cause"), ENDING_ROWS)
def test_every_state_ends_by_every_input_that_ends(state: State, cause: str) -> None:
    made, name = _in(state)
    assert state_of(made, name) == state.value
    engine, path = made.devices[name].data_path, path_of(made, name)
    assert path is not None
    engine.step(path, cause, made.now)
    made.run(10_000)
    assert path.state is State.ENDED
    assert len(ended(made, name)) == 1
    assert engine.links == {}
    assert not [timer for timer in engine.timers() if "path" in timer]


def test_every_other_row_is_reached() -> None:
    """The rows that do not end anything, and the ones of schedules, by exchanges that a user could see."""
    seen: set[tuple[str, str]] = set()

    def note(made: Wire) -> None:
        for name in ("a", "b"):
            seen.update((one.before, one.cause) for one in made.events(name, Stepped))

    made = wire()
    connect(made, **SECRET)
    made.devices["a"].data_path.terminate(B, NDI_B, 1, made.now)
    made.run(10_000)
    note(made)
    made = wire(b=DataPathSettings(confirm_required=False))
    connect(made)
    note(made)
    made = wire()
    connect(made)
    ask(made)
    reply(made, 2, accept=False)
    made.run(10_000)
    note(made)
    made = wire(DataPathSettings(policy="secure"))
    ask(made)
    note(made)
    settings = DataPathSettings(simultaneous="lower_gives_way")
    made = wire(settings, settings)
    made.devices["b"].station.services[1].publish = True
    made.devices["a"].data_path.request(B, 1, 1, now=0)
    ask(made)
    note(made)
    for arguments, accept in (({}, True), (SECRET, True), ({}, False)):
        made = wire(station_a={"ndc": INNER_NDC})
        ask(made, **arguments)
        reply(made, **arguments)
        engine = made.devices["b"].data_path
        (engine.accept_counter if accept else engine.reject_counter)(A, NDI_B, 1, made.now)
        made.run(10_000)
        note(made)
    made = wire(station_a={"ndc": INNER_NDC}, station_b={"availability": LATE, "ndc": LATE_NDC})
    ask(made)
    reply(made)
    made.run(10_000)
    note(made)
    wanted = {(str(state), cause) for state, cause in TRANSITIONS if cause not in ENDS}
    assert wanted - seen == set()
