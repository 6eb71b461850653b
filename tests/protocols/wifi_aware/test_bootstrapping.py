"""Pairing bootstrapping between two devices: both roles, exact times, lost frames, stacks that differ, hostile peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from protocols.wifi_aware import bootstrapping
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.pairing_bootstrapping import PairingBootstrapping
from protocols.wifi_aware.bootstrapping_settings import (
    COMPLEMENTS,
    PATIENT,
    BootstrappingSettings,
)
from protocols.wifi_aware.bootstrapping_table import TRANSITIONS, Input, State
from protocols.wifi_aware.discovery_settings import DiscoverySettings, PairingStrings
from protocols.wifi_aware.events import BootstrapCompleted, BootstrapRequested, Dropped, Stepped
from protocols.wifi_aware.frame import build, read
from protocols.wifi_aware.station import RefusedError
from tests.protocols.wifi_aware.wire import SERVICE, A, B, Wire, device, faulty

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.heard import Outgoing

DISPLAY, KEYPAD, OPPORTUNISTIC = 0x0002, 0x0020, 0x0001
MS, SECOND = 1_000, 1_000_000
ANY = 0x01FF


def wire(
    a: BootstrappingSettings | None = None,
    b: BootstrappingSettings | None = None,
    *,
    methods: int = ANY,
    asked: int = 0,
    carry: Any = None,
    discovery: DiscoverySettings | None = None,
) -> Wire:
    """A publishes with `methods`, B subscribes with `asked`; both have heard each other."""
    extra = {} if discovery is None else {"discovery": discovery}
    made = Wire(
        A=device(A, bootstrapping=a or BootstrappingSettings(), **extra),
        B=device(B, bootstrapping=b or BootstrappingSettings(), **extra),
    )
    made.devices["A"].discovery.publish(SERVICE, methods=methods, now=0)
    made.devices["B"].discovery.subscribe(SERVICE, active=True, methods=asked, now=0)
    made.window()
    if carry is not None:
        made.carry = carry
    return made


def start(made: Wire, method: int, name: str = "B") -> None:
    made.devices[name].bootstrapping.start(B if name == "A" else A, 1, 1, method, made.now)


def authorize(made: Wire, method: int) -> None:
    made.devices["A"].bootstrapping.authorize(B, 1, 1, method, made.now)


def ends(made: Wire, name: str) -> list[tuple[bool, int, int]]:
    """(success, method, reason) of each completion."""
    found = made.events(name, BootstrapCompleted)
    return [(one.success, one.method, one.reason) for one in found]


def states(made: Wire) -> tuple[State, State]:
    a, b = made.devices["A"].bootstrapping, made.devices["B"].bootstrapping
    return a.state_of(B), b.state_of(A)


def lose(*numbers: int) -> Any:
    """Carrier that loses the frames with these places, counted from now."""
    count = iter(range(1_000))
    return lambda _sender, frame: [] if next(count) in numbers else [(0, frame.octets)]


def npbas(made: Wire) -> list[str]:
    """NPBA of every bootstrapping frame that was sent, hex."""
    frames = [one for _, _, one in made.sent if one.name.startswith("bootstrap")]
    return [
        attr.octets.hex()
        for one in frames
        for attr in read(one.octets).nan_attributes
        if attr.name == "pairing_bootstrapping"
    ]


# --- scenarios: each reaches some rows of the table -------------------------------------------------


def by_user() -> None:
    made = wire(BootstrappingSettings(comeback_tu=100))
    start(made, KEYPAD)
    made.run(50 * MS)
    asked = made.events("A", BootstrapRequested)
    assert [(one.method, one.handle, one.peer_instance_id) for one in asked] == [(DISPLAY, 1, 1)]
    assert made.devices["A"].station.peers[B].bootstrapping
    made.run(100 * MS)
    assert npbas(made)[1] == npbas(made)[3], "the user has not spoken: the same answer again"
    authorize(made, DISPLAY)
    made.run()
    assert ends(made, "A") == [(True, DISPLAY, 0)]
    assert ends(made, "B") == [(True, KEYPAD, 0)]
    assert states(made) == (State.IDLE, State.IDLE)
    assert not made.devices["A"].station.peers[B].bootstrapping
    assert made.devices["A"].next_timer() is None
    assert made.devices["B"].next_timer() is None


def automatically() -> None:
    limits = BootstrappingSettings(timeout_us=20 * SECOND, pending_timeout_us=20 * SECOND)
    made = wire(limits, limits)
    start(made, OPPORTUNISTIC)
    made.run(10 * MS)
    assert made.devices["B"].next_timer() is None, "neither a repetition nor the timeout is left"
    made.run(30 * SECOND)
    assert ends(made, "A") == ends(made, "B") == [(True, OPPORTUNISTIC, 0)]
    assert not made.events("A", BootstrapRequested)


def unsupported() -> None:
    made = wire(b=BootstrappingSettings(requires_advertisement=False), methods=DISPLAY)
    start(made, 0x0080)
    made.run()
    assert ends(made, "A") == [(False, 0x0008, 13)]
    assert ends(made, "B") == [(False, 0, 13)]


def refused_by_user() -> None:
    made = wire()
    start(made, KEYPAD)
    made.run(10 * MS)
    made.devices["A"].bootstrapping.reject(B, made.now, reason=13)
    made.run()
    assert ends(made, "A") == [(False, DISPLAY, 13)]
    assert ends(made, "B") == [(False, 0, 13)]


def mismatched() -> None:
    """The responder accepts with a method that is not the complement."""
    made = wire()
    start(made, OPPORTUNISTIC)
    answer(made, status=0, methods=KEYPAD)
    assert ends(made, "B") == [(False, 0, 1)]


def unknown_status() -> None:
    made = wire()
    start(made, OPPORTUNISTIC)
    answer(made, status=7, methods=OPPORTUNISTIC)
    assert ends(made, "B") == [(False, 0, 1)]


def put_off_too_often() -> None:
    """AOSP comes back once."""
    made = wire(BootstrappingSettings(comeback_tu=100), BootstrappingSettings(comeback_limit=1))
    start(made, KEYPAD)
    made.run()
    assert ends(made, "B") == [(False, 0, 1)]
    assert made.names("B").count("bootstrap_request") == 2


def answered_while_it_waits() -> None:
    """In the comeback period a response of any kind still counts (hostap)."""
    for status, methods, expected in (
        (0, DISPLAY, (True, KEYPAD, 0)),
        (0, KEYPAD, (False, 0, 1)),
        (1, 0, (False, 0, 13)),
        (7, 0, (False, 0, 1)),
    ):
        made = wire()
        start(made, KEYPAD)
        made.run(10 * MS)
        answer(made, status=status, methods=methods, reason=13)
        assert ends(made, "B") == [expected]
    made = wire(b=BootstrappingSettings(comeback_limit=2))
    start(made, KEYPAD)
    made.run(10 * MS)
    answer(made, status=2, comeback_after_tu=5, cookie="aa")
    assert states(made)[1] is State.COMEBACK
    answer(made, status=2, comeback_after_tu=5, cookie="aa")
    assert ends(made, "B") == [(False, 0, 1)]


def crossing(settings: BootstrappingSettings, method: int) -> Wire:
    """Both ask at once."""
    made = wire(settings, settings, asked=ANY)
    start(made, method)
    start(made, COMPLEMENTS[method], "A")
    made.run(1 * MS)
    return made


def crossing_automatic() -> None:
    made = crossing(BootstrappingSettings(), OPPORTUNISTIC)
    assert ends(made, "A") == ends(made, "B") == [(True, OPPORTUNISTIC, 0)]


def crossing_for_user() -> None:
    made = crossing(BootstrappingSettings(), KEYPAD)
    made.run(600 * SECOND)
    assert states(made) == (State.PENDING, State.PENDING), "hostap: each waits for the other"
    made.devices["A"].bootstrapping.abort(B, made.now)
    assert states(made)[0] is State.IDLE


def crossing_unsupported() -> None:
    lone = BootstrappingSettings(requires_advertisement=False)
    made = wire(lone, lone, methods=DISPLAY, asked=0)
    start(made, KEYPAD)
    start(made, DISPLAY, "A")
    made.run(1 * MS)
    assert (False, KEYPAD, 13) in ends(made, "B")


def crossing_while_put_off() -> None:
    for method in (OPPORTUNISTIC, KEYPAD, 0x0004):
        lone = BootstrappingSettings(requires_advertisement=False)
        made = wire(lone, lone, asked=OPPORTUNISTIC | KEYPAD)
        start(made, KEYPAD)
        made.run(10 * MS)
        assert states(made) == (State.PENDING, State.COMEBACK)
        made.devices["A"].bootstrapping.abort(B, made.now)
        start(made, COMPLEMENTS[method], "A")
        made.run(1 * MS)
        assert states(made)[1] is (State.PENDING if method == KEYPAD else State.IDLE)


def lost_response() -> None:
    """Ours answers a repeated request again."""
    made = wire(PATIENT, PATIENT, carry=lose(1))
    start(made, KEYPAD)
    made.run(1_500 * MS)
    authorize(made, DISPLAY)
    made.run()
    assert ends(made, "A") == [(True, DISPLAY, 0)]
    assert ends(made, "B") == [(True, KEYPAD, 0)]


def lost_acceptance() -> None:
    """The comeback request is repeated, the acceptance too, and nobody is asked twice."""
    made = wire(PATIENT, PATIENT, carry=lose(3))
    start(made, KEYPAD)
    made.run(10 * MS)
    authorize(made, DISPLAY)
    made.run(10 * SECOND)
    assert ends(made, "A") == [(True, DISPLAY, 0)]
    assert ends(made, "B") == [(True, KEYPAD, 0)]
    assert len(made.events("A", BootstrapRequested)) == 1


def answered_long_ago() -> None:
    """An old comeback request is answered again only until the peer asks anew."""
    made = wire(PATIENT, PATIENT)
    start(made, KEYPAD)
    made.run(10 * MS)
    authorize(made, DISPLAY)
    made.run()
    old = [one for _, name, one in made.sent if name == "B"][-1].octets
    made.hand("B", old)
    made.flush()
    assert npbas(made)[-1] == npbas(made)[-2]
    start(made, OPPORTUNISTIC)
    made.run()
    made.hand("B", old)
    made.flush()
    assert npbas(made)[-1].startswith("0122"), "a request like any other"
    assert len(made.events("A", BootstrapRequested)) == 2


def tries_spent() -> None:
    made = wire(b=BootstrappingSettings(retry_limit=2), carry=lambda *_: [])
    start(made, KEYPAD)
    begun = made.now
    made.run(2_999_999)
    assert not ends(made, "B")
    made.run(1)
    assert ends(made, "B") == [(False, 0, 1)]
    at = [time - begun for time, _, one in made.sent if one.name == "bootstrap_request"]
    assert at == [0, 1 * SECOND, 2 * SECOND]


def timeouts() -> None:
    limits = BootstrappingSettings(timeout_us=20 * SECOND, pending_timeout_us=20 * SECOND)
    made = wire(limits, limits, carry=lambda *_: [])
    start(made, KEYPAD)
    made.run(20 * SECOND - 1)
    assert not ends(made, "B")
    made.run(1)
    assert ends(made, "B") == [(False, 0, 1)]
    made = wire(limits, limits)
    start(made, KEYPAD)
    made.run(20 * SECOND - 1)
    assert not ends(made, "A")
    made.run(1)
    assert ends(made, "A") == [(False, DISPLAY, 1)]
    made = wire(BootstrappingSettings(comeback_tu=0xFFFF), limits)
    start(made, KEYPAD)
    made.run(20 * SECOND)
    assert ends(made, "B") == [(False, 0, 1)], "put off for longer than it waits"


def service_ends() -> None:
    for delay in (10 * MS, 2 * SECOND):
        made = wire(carry=None if delay < SECOND else lambda *_: [])
        start(made, KEYPAD)
        made.run(delay)
        made.devices["B"].discovery.cancel(1, made.now)
        made.run()
        assert ends(made, "B") == [(False, 0, 1)]
        assert made.devices["B"].next_timer() is None


def crowded_out() -> None:
    made = wire(BootstrappingSettings(pending_limit=2))
    for number in range(3):
        forged(made, source=f"02:00:00:00:01:{number:02x}", methods=KEYPAD)
    made.run(1 * MS)
    assert [one.peer[-2:] for one in made.events("A", BootstrapCompleted)] == ["00"]


def aborted() -> None:
    made = wire(carry=lambda *_: [])
    start(made, KEYPAD)
    made.devices["B"].bootstrapping.abort(A, made.now)
    assert states(made)[1] is State.IDLE
    made = wire()
    start(made, KEYPAD)
    made.run(10 * MS)
    for name, peer in (("A", B), ("B", A)):
        made.devices[name].bootstrapping.abort(peer, made.now)
    made.run()
    assert states(made) == (State.IDLE, State.IDLE)
    assert not ends(made, "A"), "an application that aborts is told nothing new"


SCENARIOS: list[Callable[[], None]] = [
    by_user, automatically, unsupported, refused_by_user, mismatched, unknown_status, put_off_too_often,
    answered_while_it_waits, crossing_automatic, crossing_for_user, crossing_unsupported, crossing_while_put_off,
    lost_response, lost_acceptance, answered_long_ago, tries_spent, timeouts, service_ends, crowded_out, aborted,
]  # fmt: skip


def answer(made: Wire, **fields: Any) -> None:
    """A response to B's open request, put on the air instead of A's."""
    token = made.devices["B"].station.peers[A].request_sent
    assert token is not None
    given = {"dialog_token": token.octets[0], "type": 2, "reason": 0, "methods": 0, **fields}
    inject(made, "B", PairingBootstrapping(**given), source=A)


def forged(made: Wire, *, source: str = B, **fields: Any) -> None:
    """A request to A that says it is of `source`."""
    given = {"dialog_token": 1, "type": 1, "status": 0, "reason": 0, **fields}
    inject(made, "A", PairingBootstrapping(**given), source=source)


def inject(made: Wire, receiver: str, npba: PairingBootstrapping, *, source: str) -> None:
    """Hand a follow-up to a device that carries an NPBA; its frame is a true one with another NPBA."""
    own = device(source)
    own.discovery.subscribe(SERVICE, now=0)
    number = own.discovery.follow_up(
        made.devices[receiver].nmi, 1, 1, (make(npba),), name="forged", engine="bootstrapping"
    )
    (frame,) = own.to_send(0)
    assert frame.number == number
    made.devices[receiver].receive(frame.octets, made.now)
    made.flush()


class Log(dict[Any, Any]):
    """A table that remembers which rows were looked up."""

    def __init__(self, rows: Any) -> None:
        super().__init__(rows)
        self.reached: set[Any] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            self.reached.add(key)
        return super().get(key, default)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
def test_scenario(scenario: Callable[[], None]) -> None:
    scenario()


def test_every_row_of_the_table_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(TRANSITIONS)
    monkeypatch.setattr(bootstrapping, "TRANSITIONS", log)
    for scenario in SCENARIOS:
        scenario()
    assert not set(TRANSITIONS) - log.reached


def test_the_table_can_be_left_from_every_state() -> None:
    for state in State:
        if state is not State.IDLE:
            assert TRANSITIONS[state, Input.ABORT][1] is State.IDLE
            assert TRANSITIONS[state, Input.TIMEOUT][1] is State.IDLE


def test_every_change_of_state_is_told() -> None:
    made = wire(BootstrappingSettings(comeback_tu=100))
    start(made, KEYPAD)
    made.run(10 * MS)
    authorize(made, DISPLAY)
    made.run()
    told = [(one.before, one.after) for one in made.events("B", Stepped)]
    assert told == [("idle", "wait"), ("wait", "comeback"), ("comeback", "wait"), ("wait", "idle")]
    told = [(one.before, one.after) for one in made.events("A", Stepped)]
    assert told == [("idle", "pending"), ("pending", "idle")]


# --- methods ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(COMPLEMENTS))
def test_each_method_is_met_by_its_complement(method: int) -> None:
    """Digest 6.2: display and keypad, display and scan, tag and reader meet; the others meet themselves."""
    everything = BootstrappingSettings(supported=0xFFFF, automatic=0)
    made = wire(everything, everything, methods=0xC1FF)
    start(made, method)
    made.run(10 * MS)
    (asked,) = made.events("A", BootstrapRequested)
    pairs = [{1, 5}, {2, 6}, {3, 7}, {4, 8}, {0}, {14}, {15}]
    assert {method.bit_length() - 1, asked.method.bit_length() - 1} in pairs
    authorize(made, asked.method)
    made.run()
    assert ends(made, "B") == [(True, method, 0)]
    assert ends(made, "A") == [(True, asked.method, 0)]
    assert made.devices["A"].station.peers[B].method == asked.method


@pytest.mark.parametrize(
    ("method", "why"),
    [
        (0, "needs one of"),
        (0x0003, "needs one of"),
        (0x4000, "needs one of"),
        (0x0100, "does not offer"),
    ],
)
def test_a_method_that_cannot_be_is_refused(method: int, why: str) -> None:
    made = wire(methods=DISPLAY)
    with pytest.raises(RefusedError, match=why):
        start(made, method)
    assert "bootstrap_request" not in made.names()


def test_commands_out_of_turn_are_refused() -> None:
    made = wire()
    b = made.devices["B"].bootstrapping
    with pytest.raises(RefusedError, match="unknown"):
        b.start("02:00:00:00:00:99", 1, 1, KEYPAD, 0)
    with pytest.raises(RefusedError, match="handle 7"):
        b.start(A, 7, 1, KEYPAD, 0)
    for act in (b.abort, b.reject):
        with pytest.raises(RefusedError, match="bootstrapping is idle"):
            act(A, made.now)
    with pytest.raises(RefusedError, match="bootstrapping is idle"):
        b.authorize(A, 1, 1, DISPLAY, made.now)
    start(made, KEYPAD)
    with pytest.raises(RefusedError, match="bootstrapping is wait"):
        start(made, KEYPAD)
    made.run(10 * MS)
    with pytest.raises(RefusedError, match="asks instance 1"):
        made.devices["A"].bootstrapping.authorize(B, 2, 1, DISPLAY, made.now)


def test_an_iphone_that_publishes_wants_its_own_bit() -> None:
    """espressif/esp-idf issue 16743: 0x0020 is rejected with reason 0, 0x0002 is not."""
    phone = BootstrappingSettings(matching="same_bit", reject_reason=0)
    made = wire(phone, methods=DISPLAY)
    start(made, KEYPAD)
    made.run()
    assert npbas(made) == ["0101002000", "0112000000"]
    assert ends(made, "B") == [(False, 0, 0)]

    made = wire(phone, BootstrappingSettings(request_bit="peer"), methods=DISPLAY)
    start(made, KEYPAD)
    made.run(10 * MS)
    authorize(made, DISPLAY)
    made.run()
    assert npbas(made)[0] == "0101000200"
    assert ends(made, "B") == [(True, KEYPAD, 0)]


@pytest.mark.parametrize("request_bit", ["own", "peer"])
def test_a_tolerant_publisher_understands_both(request_bit: Any) -> None:
    made = wire(
        BootstrappingSettings(matching="either", automatic=DISPLAY),
        BootstrappingSettings(request_bit=request_bit),
        methods=DISPLAY,
    )
    start(made, KEYPAD)
    made.run()
    assert ends(made, "A") == [(True, DISPLAY, 0)]
    assert ends(made, "B") == [(True, KEYPAD, 0)]


@pytest.mark.parametrize(
    ("check", "accepted"),
    [("complement", {DISPLAY}), ("either", {DISPLAY, KEYPAD}), ("any", {DISPLAY, KEYPAD, 0})],
)
def test_which_acceptance_counts_is_a_setting(check: Any, accepted: set[int]) -> None:
    for named in (DISPLAY, KEYPAD, 0):
        made = wire(b=BootstrappingSettings(response_check=check))
        start(made, KEYPAD)
        answer(made, status=0, methods=named)
        assert ends(made, "B")[0][0] is (named in accepted)


def test_a_refused_method_is_rejected_though_it_is_offered() -> None:
    made = wire(BootstrappingSettings(refused=DISPLAY), methods=DISPLAY)
    start(made, KEYPAD)
    made.run()
    assert ends(made, "B") == [(False, 0, 13)]


# --- what a person is shown -------------------------------------------------------------------------

LAMP = DiscoverySettings(
    pairing_strings=PairingStrings(vendor_name="Acme", model_name="M1", pairing_name="Lamp")
)


def test_the_request_tells_who_asks() -> None:
    made = wire(discovery=LAMP)
    start(made, KEYPAD)
    made.run(10 * MS)
    (asked,) = made.events("A", BootstrapRequested)
    assert asked.pairing_info == {"vendorName": "Acme", "modelName": "M1", "pairingName": "Lamp"}


def test_pairing_strings_are_in_requests_and_not_in_responses() -> None:
    """Octets of the digest, 12.5 PI3, of instance 1; a comeback request has them too, a response never."""
    made = wire(BootstrappingSettings(comeback_tu=100), discovery=LAMP)
    start(made, KEYPAD)
    made.run(150 * MS)
    text = "0f" + b"vendorName=Acme".hex() + "0c" + b"modelName=M1".hex()
    text += "10" + b"pairingName=Lamp".hex()
    extensions = {
        one.name + one.octets[1:].hex(): attr.octets.hex()
        for _, _, one in made.sent
        if one.name.startswith("bootstrap")
        for attr in read(one.octets).nan_attributes
        if attr.id == 0x0E
    }
    requests = [info for name, info in extensions.items() if "request" in name]
    responses = [info for name, info in extensions.items() if "response" in name]
    assert requests == ["01" + "0000" + "3500" + "506f9a02" + "04" + "2e00" + text] * 2
    assert responses == ["01" + "0400"] * 2


def test_nobody_is_asked_when_the_request_does_not_tell() -> None:
    """The hypothesis of why an iPhone shows no PIN (phone profiles, IA-36)."""
    curious = BootstrappingSettings(requires_pairing_info=True)
    made = wire(curious)
    start(made, KEYPAD)
    made.run(10 * MS)
    assert not made.events("A", BootstrapRequested)
    assert states(made)[0] is State.PENDING, "it is put off all the same"
    made = wire(curious, discovery=LAMP)
    start(made, KEYPAD)
    made.run(10 * MS)
    assert len(made.events("A", BootstrapRequested)) == 1


# --- time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "tu", "wait_us"),
    [
        ("hostap", 200, 200 * MS),
        ("hostap", 1500, 1 * SECOND + 476 * MS),
        ("tu", 1500, 1500 * 1024),
        ("seconds", 3, 3 * SECOND),
        ("hostap", 0, 16_384),
    ],
)
def test_it_comes_back_when_it_was_told_to(clock: Any, tu: int, wait_us: int) -> None:
    made = wire(BootstrappingSettings(comeback_tu=tu), BootstrappingSettings(comeback_clock=clock))
    start(made, KEYPAD)
    begun = made.now
    made.run(wait_us - 1)
    assert made.names("B").count("bootstrap_request") == 1
    made.run(1)
    at = [time - begun for time, _, one in made.sent if one.name == "bootstrap_request"]
    assert at == [0, wait_us]


def test_an_unanswered_request_is_repeated_every_second_with_its_token() -> None:
    made = wire(carry=lambda *_: [])
    start(made, KEYPAD)
    begun = made.now
    made.run(3_500 * MS)
    at = [time - begun for time, _, one in made.sent if one.name == "bootstrap_request"]
    assert at == [0, SECOND, 2 * SECOND, 3 * SECOND]
    assert set(npbas(made)) == {"0101002000"}


@pytest.mark.parametrize("lost", [1, 2])
def test_as_hostap_a_lost_comeback_hangs_both(lost: int) -> None:
    """Digest 8.3, 45, and 6.4: the response or the comeback request is lost, and nothing ends it but the application."""
    made = wire(carry=lose(lost))
    start(made, KEYPAD)
    made.run(10 * MS)
    authorize(made, DISPLAY)
    made.run(600 * SECOND)
    assert states(made) == (State.PENDING, State.WAIT)


# --- both at once -----------------------------------------------------------------------------------


def test_of_two_that_ask_at_once_the_lower_one_yields() -> None:
    made = crossing(PATIENT, KEYPAD)
    made.run()
    assert ends(made, "A") == [(True, DISPLAY, 0)]
    assert ends(made, "B") == [(True, KEYPAD, 0)]
    assert not made.events("A", BootstrapRequested), "its application has asked for the same"


def test_the_lower_one_asks_its_user_when_the_methods_differ() -> None:
    made = wire(PATIENT, PATIENT, asked=ANY)
    start(made, KEYPAD)
    start(made, 0x0004, "A")
    made.run(10 * MS)
    assert [one.method for one in made.events("A", BootstrapRequested)] == [DISPLAY]
    authorize(made, DISPLAY)
    made.run()
    assert ends(made, "B") == [(True, KEYPAD, 0)]


# --- a bad wire and bad peers -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_patience_ends_whatever_is_lost(seed: int) -> None:
    """Within the stated minute both are idle, and a requester that succeeded is not alone with that."""
    made = wire(PATIENT, PATIENT)
    made.carry = faulty(seed, loss=0.4, double=0.3, delay_us=40 * MS)
    start(made, KEYPAD)
    for _ in range(60):
        made.run(1 * SECOND)
        if states(made)[0] is State.PENDING:
            authorize(made, DISPLAY)
    assert states(made)[1] is State.IDLE
    made.run(61 * SECOND)
    assert states(made) == (State.IDLE, State.IDLE)
    (end,) = ends(made, "B")
    assert end in ((True, KEYPAD, 0), (False, 0, 1))
    if end[0]:
        assert (True, DISPLAY, 0) in ends(made, "A")
    assert made.devices["B"].next_timer() is None


def exchange_frames() -> list[tuple[str, Outgoing]]:
    made = wire(BootstrappingSettings(comeback_tu=100))
    start(made, KEYPAD)
    made.run(10 * MS)
    authorize(made, DISPLAY)
    made.run()
    return [(name, one) for _, name, one in made.sent if one.name.startswith("bootstrap")]


def test_a_frame_cut_at_any_octet_is_not_taken() -> None:
    for sender, frame in exchange_frames():
        receiver = "A" if sender == "B" else "B"
        made = wire()
        if receiver == "B":
            start(made, KEYPAD)
            made.devices["B"].to_send(made.now)
        before = states(made)
        for size in range(len(frame.octets)):
            made.devices[receiver].receive(frame.octets[:size], made.now)
        made.flush()
        assert states(made) == before
        assert not ends(made, receiver)


def test_a_recording_played_back_opens_nothing_but_a_question() -> None:
    """A request cannot be told from an old one, but no acceptance comes of it without the user."""
    frames = exchange_frames()
    made = wire()
    for _ in range(3):
        for sender, frame in frames:
            made.devices["A" if sender == "B" else "B"].receive(frame.octets, made.now)
            made.flush()
    assert not ends(made, "A")
    assert not ends(made, "B")
    assert len(made.events("A", BootstrapRequested)) == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"dialog_token": 9}, "dialog token 9"),
        ({"cookie": "00000000"}, "another cookie"),
        ({"status": 0}, "does not come back"),
        ({"source": "02:00:00:00:00:66", "type": 2}, "no request is open"),
        ({"type": 5}, "reserved type 5"),
    ],
)
def test_what_does_not_belong_to_the_open_request_is_dropped(
    fields: dict[str, Any], why: str
) -> None:
    made = wire()
    start(made, KEYPAD)
    made.run(10 * MS)
    authorize(made, DISPLAY)
    (asked,) = [one for one in npbas(made) if one.startswith("0122")]
    cookie = asked[12:20]
    given = {"status": 2, "cookie": cookie, "methods": KEYPAD, **fields}
    if given["status"] != 2:
        del given["cookie"]
    if given.get("type") == 2:
        given["comeback_after_tu"] = 1
    forged(made, **given)
    assert any(why in one.reason for one in made.events("A", Dropped))
    assert states(made)[0] is State.PENDING
    assert not ends(made, "A")


def test_a_response_to_another_instance_is_dropped() -> None:
    made = wire(carry=lambda *_: [])
    made.devices["B"].discovery.subscribe(SERVICE, now=0)
    made.devices["B"].bootstrapping.start(A, 2, 1, OPPORTUNISTIC, made.now)
    made.flush()
    inject(
        made,
        "B",
        PairingBootstrapping(dialog_token=1, type=2, status=0, reason=0, methods=1),
        source=A,
    )
    assert [one.success for one in made.events("B", BootstrapCompleted)] == [True]
    assert any("instance 1" in one.reason for one in made.events("B", Dropped))


def test_coming_back_without_a_method_is_not_being_authorized() -> None:
    """hostap compares two zeros there and accepts."""
    made = wire()
    start(made, KEYPAD)
    made.run(10 * MS)
    cookie = npbas(made)[1][12:20]
    forged(made, status=2, cookie=cookie, methods=0)
    assert npbas(made)[-1] == npbas(made)[1], "taken as one that comes back early"
    assert not ends(made, "A")
    assert states(made)[0] is State.PENDING


def test_a_flood_of_requests_fills_bounded_memory() -> None:
    made = wire()
    a = made.devices["A"]
    template = exchange_frames()[0][1]
    request = read(template.octets)
    for number in range(600):
        source = f"06:00:00:00:{number >> 8:02x}:{number & 255:02x}"
        a.receive(build(msgspec.structs.replace(request, source=source)), made.now)
        a.to_send(made.now)
        while a.next_event() is not None:
            pass
    assert sum(peer.bootstrapping for peer in a.station.peers.values()) == 32
    assert len(a.station.peers) <= a.settings.discovery.peer_limit
    assert len(a.timers()) <= 32


def test_a_peer_that_always_puts_off_cannot_make_a_storm() -> None:
    patience = msgspec.structs.replace(PATIENT, timeout_us=3 * SECOND)
    made = wire(BootstrappingSettings(comeback_tu=0), patience)
    start(made, KEYPAD)
    made.run(1 * SECOND)
    assert made.names("B").count("bootstrap_request") <= 1 + SECOND // 16_384
    made.run(2 * SECOND)
    assert ends(made, "B") == [(False, 0, 1)]


def test_the_same_chance_makes_the_same_octets() -> None:
    first, second = exchange_frames(), exchange_frames()
    assert [one.octets for _, one in first] == [one.octets for _, one in second]
