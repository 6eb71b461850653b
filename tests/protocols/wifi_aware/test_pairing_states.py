"""The table of pairing: every row is run by a real exchange, and what it does not hold changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from protocols.wifi_aware.pairing import HOSTAP, TRANSITIONS, Input, PairingSettings, State
from tests.protocols.wifi_aware.pairing_sides import (
    A,
    Air,
    B,
    Frame,
    Side,
    accept,
    pair,
    sides,
    status_frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable

S, I = State, Input  # noqa: E741  # as the table names them
PLAIN = {"link_protection": False}


class Scene:
    """Device `x` in some state of its pairing with `y`; frames that matter later are kept."""

    def __init__(self, settings: PairingSettings, *, x_is: str = A) -> None:
        self.air = sides(settings, **PLAIN)
        if x_is == B:
            first = Side(A, PairingSettings(), **PLAIN)
            self.air = Air(first, Side(B, settings, **PLAIN))
        self.x = self.air.a if x_is == A else self.air.b
        self.y = self.air.other(self.x)
        self.y.pairing.settings = msgspec.structs.replace(
            self.y.pairing.settings, auth_timeout_us=None, nik_timeout_us=None
        )
        self.kept: dict[str, Frame] = {}

    @property
    def now(self) -> int:
        return self.air.now

    @property
    def state(self) -> State:
        return self.x.pairing.state(self.y.nmi)

    def next(self) -> Frame:
        frame = self.air.next()
        self.kept[frame.name if frame.sender is self.y else "own"] = frame
        return frame

    def deliver(self) -> None:
        self.air.deliver(self.next())

    def start(self, mode: str = "sae") -> None:
        pair(self.x, self.y.nmi, mode=mode, now=self.now)

    def meet(self) -> None:
        """y starts, x gets Auth1."""
        pair(self.y, self.x.nmi, now=self.now)
        self.deliver()

    def answer_of_y(self) -> None:
        """x has sent Auth1; y's Auth2 waits."""
        self.start()
        accept(self.y, self.x.nmi, now=self.now)
        self.deliver()

    def initiate(self) -> None:
        self.answer_of_y()
        self.deliver()
        self.deliver()

    def respond(self) -> None:
        accept(self.x, self.y.nmi, now=self.now)
        self.meet()
        self.deliver()
        self.deliver()

    def nik_of_y(self) -> None:
        """y's identity key is on the air."""
        self.air.advance(self.now + 100_000)
        while self.next().sender is not self.y:
            pass

    def give(self, name: str) -> None:
        """x gets a frame of y that was kept."""
        self.x.take(self.kept[name].octets, self.now)
        self.air.collect()

    def fresh_auth1(self, mode: str = "sae") -> bytes:
        """Another right Auth1 of y."""
        double = Side(self.y.nmi, PairingSettings(), seed="double", **PLAIN)
        Air(Side(self.x.nmi, PairingSettings(), **PLAIN), double)
        pair(double, self.x.nmi, mode=mode, now=0)
        (out,) = double.pairing.to_send(0)
        return out.octets

    def forged(self, status: int, elements: str = "", transaction: int = 2) -> bytes:
        octets = status_frame(self.air, status, elements, transaction)
        return (
            octets if self.x.nmi == B else octets[:4] + octets[10:16] + octets[4:10] + octets[16:]
        )

    def pass_time(self) -> None:
        self.air.advance(self.now + 60_000_000)


COMEBACK = "ff0a640100" + "6400" + "047f632408"


def coming_back(scene: Scene) -> None:
    scene.answer_of_y()
    scene.x.take(scene.forged(30, COMEBACK), scene.now)
    scene.next()


def auth3_sent(scene: Scene) -> None:
    scene.answer_of_y()
    scene.deliver()


def auth2_sent(scene: Scene) -> None:
    accept(scene.x, scene.y.nmi, now=scene.now)
    scene.meet()


def nik_awaited(scene: Scene) -> None:
    scene.initiate()
    scene.air.advance(scene.now + 30_000)
    scene.deliver()
    scene.next()


def nik_owed(scene: Scene) -> None:
    scene.respond()
    scene.nik_of_y()
    scene.give("nik")


def torn_down(scene: Scene) -> None:
    scene.respond()
    scene.nik_of_y()
    scene.pass_time()


REACH: dict[State, Callable[[Scene], None]] = {
    S.IDLE: lambda scene: None,
    S.STORED: Scene.meet,
    S.ARMED: lambda scene: accept(scene.x, scene.y.nmi, now=scene.now),
    S.AUTH1_SENT: Scene.answer_of_y,
    S.COMING_BACK: coming_back,
    S.AUTH3_SENT: auth3_sent,
    S.AUTH2_SENT: auth2_sent,
    S.NIK_DUE: Scene.initiate,
    S.NIK_WANTED: Scene.respond,
    S.NIK_AWAITED: nik_awaited,
    S.NIK_OWED: nik_owed,
    S.TORN_DOWN: torn_down,
}
NEEDS: dict[State, dict[str, Any]] = {
    S.NIK_OWED: {"nik_answer_delay_us": 500_000},
    S.TORN_DOWN: {"after_nik_timeout": "teardown"},
}


def take_auth2(scene: Scene) -> None:
    if scene.state is S.AUTH1_SENT:
        scene.next()
    scene.give("auth2")


def come_back(scene: Scene) -> None:
    if scene.state is S.AUTH1_SENT:
        scene.x.take(scene.forged(30, COMEBACK), scene.now)
    elif scene.state is S.STORED:
        accept(scene.x, scene.y.nmi, now=scene.now)
    else:
        scene.x.take(scene.fresh_auth1(), scene.now)


def unsuitable(scene: Scene) -> None:
    if scene.state is S.STORED:
        accept(scene.x, scene.y.nmi, mode="opportunistic", now=scene.now)
    else:
        scene.x.take(scene.fresh_auth1("opportunistic"), scene.now)


def doubt(scene: Scene) -> None:
    if scene.state is S.AUTH1_SENT:
        scene.x.take(scene.forged(1), scene.now)
    else:
        auth3 = scene.kept["auth1"].octets
        scene.x.take(auth3[:26] + b"\3\0" + auth3[28:], scene.now)


def own_nik(scene: Scene) -> None:
    due = scene.x.pairing.next_timer()
    assert due is not None
    scene.air.advance(due)


def lost_nik(scene: Scene) -> None:
    peer_nik(scene, broken=True)


def peer_nik(scene: Scene, *, broken: bool = False) -> None:
    if "nik" not in scene.kept:
        context = scene.y.pairing._contexts[scene.x.nmi]
        scene.y.pairing._send_nik(context, scene.now, None)
        scene.air.collect()
        while scene.next().name != "nik" or scene.kept.get("nik") is None:
            pass
    octets = scene.kept["nik"].octets
    scene.x.take(octets[:-1] + bytes((octets[-1] ^ broken,)), scene.now)


def pass_over(scene: Scene) -> None:
    accept(scene.x, scene.y.nmi, csid=8, now=scene.now)


GIVE: dict[Input, Callable[[Scene], Any]] = {
    I.START: Scene.start,
    I.ACCEPT: lambda scene: accept(scene.x, scene.y.nmi, now=scene.now),
    I.PASSED_OVER: pass_over,
    I.REFUSE: lambda scene: scene.x.pairing.refuse(scene.y.nmi, scene.now),
    I.ABORT: lambda scene: scene.x.pairing.abort(scene.y.nmi, scene.now),
    I.AUTH1: lambda scene: scene.x.take(scene.fresh_auth1(), scene.now),
    I.AUTH1_AGAIN: lambda scene: scene.give("auth1"),
    I.AUTH2: take_auth2,
    I.AUTH3: lambda scene: (scene.deliver(), scene.next(), scene.give("auth3")),
    I.COMEBACK: come_back,
    I.YIELD: lambda scene: scene.x.take(scene.fresh_auth1(), scene.now),
    I.UNSUITABLE: unsuitable,
    I.DOUBTED: doubt,
    I.FAILED: lambda scene: scene.x.take(scene.forged(1), scene.now),
    I.SENT: lambda scene: scene.air.report(scene.next()),
    I.TIMEOUT: Scene.pass_time,
    I.TIME_TO_COME_BACK: lambda scene: scene.air.advance(scene.now + 200_000),
    I.TIME_FOR_NIK: own_nik,
    I.NIK: peer_nik,
    I.NIK_LOST: lost_nik,
    I.NIK_TIMEOUT: Scene.pass_time,
    I.NIK_TEARDOWN: Scene.pass_time,
    I.OWN_NIK_FIRST: Scene.initiate,
    I.PEER_NIK_FIRST: Scene.respond,
    I.NO_NIK: Scene.initiate,
}
WITH: dict[Input, dict[str, Any]] = {
    I.AUTH1: {"second_auth1": "replace"},
    I.COMEBACK: {"comeback_after_tu": 10},
    I.YIELD: {"tie_break": "nmi"},
    I.UNSUITABLE: {"tie_break": "nmi"},
    I.FAILED: {"rejection_grace_us": 0},
    I.NIK_LOST: {"bad_nik": "end"},
    I.NIK_TIMEOUT: {"nik_delay_us": 100_000_000},
    I.NIK_TEARDOWN: {"after_nik_timeout": "teardown", "nik_delay_us": 100_000_000},
}
INSTEAD: dict[tuple[State, Input], dict[str, Any]] = {
    (S.NIK_AWAITED, I.NIK_TIMEOUT): {"nik_delay_us": 30_000},
    (S.NIK_AWAITED, I.NIK_TEARDOWN): {"nik_delay_us": 30_000},
    (S.AUTH2_SENT, I.COMEBACK): {"comeback_after_tu": None},
    (S.COMING_BACK, I.TIMEOUT): {"auth_timeout_us": 50_000},
}


def scene_for(state: State, given: Input) -> Scene:
    changes = NEEDS.get(state, {}) | WITH.get(given, {}) | INSTEAD.get((state, given), {})
    scene = Scene(msgspec.structs.replace(PairingSettings(), **changes))
    if given is I.NO_NIK:
        scene.x.station.peers[scene.y.nmi].npk_caching = False
    if state is not S.PAIRED:
        REACH[state](scene)
        assert scene.state is state
    if (state, given) == (S.AUTH2_SENT, I.COMEBACK):
        scene.x.pairing.settings = msgspec.structs.replace(
            scene.x.pairing.settings, comeback_after_tu=10
        )
    return scene


@pytest.mark.parametrize(
    ("state", "given"), TRANSITIONS, ids=[f"{s.value}-{i.value}" for s, i in TRANSITIONS]
)
def test_every_row_is_run_by_an_exchange(state: State, given: Input) -> None:
    scene = scene_for(state, given)
    scene.x.pairing.rows.clear()
    GIVE[given](scene)
    assert (state, given) in scene.x.pairing.rows
    after = scene.x.pairing.rows
    reached = [TRANSITIONS[row][1] for row in after]
    assert scene.state is reached[-1]
    if scene.state is S.IDLE:
        assert scene.y.nmi not in scene.x.pairing._contexts
        assert not [name for name in scene.x.pairing._timers if name[1] == scene.y.nmi]


def test_the_table_has_no_dead_end_and_no_unknown_action() -> None:
    actions = Scene(PairingSettings()).x.pairing._actions
    assert {action for action, _ in TRANSITIONS.values()} == set(actions)
    assert {state for state, _ in TRANSITIONS} == set(S)
    assert {given for _, given in TRANSITIONS} == set(I)
    for state in S:
        seen, frontier = {state}, [state]
        while frontier:
            here = frontier.pop()
            after = {to for (at, _), (_, to) in TRANSITIONS.items() if at is here} - seen
            seen |= after
            frontier.extend(after)
        assert S.IDLE in seen, f"{state} cannot end"


FRAMES: dict[str, Callable[[Scene], bytes]] = {
    "fresh Auth1": Scene.fresh_auth1,
    "Auth2 of somebody": lambda scene: (
        scene.fresh_auth1()[:26] + b"\2\0" + scene.fresh_auth1()[28:]
    ),
    "Auth3 of somebody": lambda scene: (
        scene.fresh_auth1()[:26] + b"\3\0" + scene.fresh_auth1()[28:]
    ),
    "rejection of Auth1": lambda scene: scene.forged(1, transaction=1),
    "rejection in Auth2": lambda scene: scene.forged(72),
    "rejection of Auth2": lambda scene: scene.forged(1, transaction=3),
    "comeback": lambda scene: scene.forged(30, COMEBACK),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("state", REACH, ids=lambda state: state.value)
@pytest.mark.parametrize("settings", [PairingSettings(), HOSTAP], ids=["default", "hostap"])
def test_no_frame_of_a_stranger_makes_a_pairing_in_any_state(
    state: State, frame: str, settings: PairingSettings
) -> None:
    changes = NEEDS.get(state, {}) | ({"nik_timeout_us": 5_000_000} if state is S.TORN_DOWN else {})
    scene = Scene(msgspec.structs.replace(settings, **changes))
    REACH[state](scene)
    before = scene.x.station.peers[scene.y.nmi].paired
    good = scene.x.results.count(0)
    for _ in range(3):
        scene.x.take(FRAMES[frame](scene), scene.now)
    assert scene.x.station.peers[scene.y.nmi].paired is before
    assert scene.x.results.count(0) == good
    if settings is not HOSTAP and state not in (S.IDLE, S.AUTH1_SENT, S.ARMED, S.TORN_DOWN):
        assert scene.state is state, (
            "a frame that proves nothing moves a careful device only to wait"
        )


def test_every_change_of_state_is_told() -> None:
    from protocols.wifi_aware.events import Stepped

    scene = Scene(PairingSettings())
    scene.respond()
    scene.air.run(scene.now + 1_000_000)
    steps = [(one.before, one.cause, one.after) for one in scene.x.of(Stepped)]
    assert steps == [
        ("idle", "accept", "armed"),
        ("armed", "auth1", "auth2_sent"),
        ("auth2_sent", "auth3", "paired"),
        ("paired", "peer_nik_first", "nik_wanted"),
        ("nik_wanted", "nik", "nik_owed"),
        ("nik_owed", "time_for_nik", "idle"),
    ]
