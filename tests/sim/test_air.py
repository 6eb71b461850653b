"""The air: path loss, range, capture, half duplex, listening since, movement, chance, observers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from protocols.errors import SimulationError, UsageError
from sim.air import Air, AirSettings, Outcome, Path, Radio, Reception, Sniffer, Transmission
from sim.clock import VirtualLoop
from sim.propagation import SHADOWING_CUT, path_loss_db, reach_m, shadowing_db
from sim.rng import Streams

if TYPE_CHECKING:
    from collections.abc import Iterator


LOOPS: list[VirtualLoop] = []


@pytest.fixture(autouse=True)
def close_loops() -> Iterator[None]:
    yield
    while LOOPS:
        LOOPS.pop().close()


class Node(Radio):
    """A radio that keeps what it hears."""

    def __init__(self, name: str, x: float = 0.0, **options: int) -> None:
        super().__init__(name, (x, 0.0, 0.0), **options)
        self.heard: list[Reception] = []

    def on_air(self, reception: Reception) -> None:
        self.heard.append(reception)

    @property
    def octets(self) -> list[bytes]:
        return [reception.transmission.data for reception in self.heard]


class Field:
    """An air with nodes `names`, all at the same spot unless placed; the last one listens on 37."""

    def __init__(self, *nodes: Node, seed: int = 1, **settings: Any) -> None:
        self.loop = VirtualLoop()
        LOOPS.append(self.loop)
        self.air = Air(self.loop, Streams(seed), AirSettings(**settings))
        self.nodes = nodes
        for node in nodes:
            self.air.attach(node)
        self.air.listen(nodes[-1], 37)
        self.outcomes: list[tuple[bytes, Outcome]] = []
        self.air.observe(self._note)

    def _note(self, sent: Transmission, outcomes: tuple[Outcome, ...]) -> None:
        self.outcomes += [(sent.data, outcome) for outcome in outcomes]

    def at(
        self,
        t_us: int,
        node: Node,
        data: bytes,
        duration_us: int = 100,
        channel: object = 37,
        **options: int,
    ) -> None:
        self.loop.at_us(
            t_us, lambda: self.air.transmit(node, channel, data, duration_us, **options)
        )

    def run(self, until_us: int = 10_000_000) -> Field:
        self.loop.run_until_us(until_us)
        return self

    def reasons(self) -> dict[bytes, str]:
        return {data: outcome.reason for data, outcome in self.outcomes}


# Propagation


@pytest.mark.parametrize(
    ("exponent", "near_m", "far_m", "more_db"),
    [
        (2.0, 1, 10, 20.0),
        (2.0, 1, 2, 6.0206),
        (3.0, 1, 10, 30.0),
        (2.0, 5, 50, 20.0),
        (0.0, 1, 1000, 0.0),
    ],
)
def test_path_loss_grows_by_the_exponent(
    exponent: float, near_m: float, far_m: float, more_db: float
):
    settings = AirSettings(path_loss_exponent=exponent)
    assert path_loss_db(settings, far_m) - path_loss_db(settings, near_m) == pytest.approx(
        more_db, abs=1e-4
    )


def test_the_default_reference_loss_is_free_space_at_2440_mhz():
    expected = 20 * math.log10(4 * math.pi * 2.44e9 / 299_792_458)
    assert path_loss_db(AirSettings(), 1.0) == pytest.approx(expected, abs=0.05)


def test_received_power_is_whole_dbm_and_touching_radios_are_finite():
    """0 dBm at 1 m and 10 m of free space: -40 and -60 dBm; at the same spot the loss of 10 cm."""
    for x, rssi_dbm in [(1.0, -40), (10.0, -60), (0.0, -20)]:
        a, b = Node("a"), Node("b", x)
        field = Field(a, b)
        field.at(0, a, b"x")
        field.run()
        assert [reception.rssi_dbm for reception in b.heard] == [rssi_dbm]
        assert type(b.heard[0].rssi_dbm) is int


def test_power_can_be_given_per_packet():
    a, b = Node("a", tx_power_dbm=4), Node("b", 1.0)
    field = Field(a, b)
    field.at(0, a, b"radio's")
    field.at(1000, a, b"own", power_dbm=-8)
    field.run()
    assert [reception.rssi_dbm for reception in b.heard] == [-36, -48]
    assert [reception.transmission.power_dbm for reception in b.heard] == [4, -8]


def test_sensitivity_is_the_weakest_packet_heard():
    a, exact, short = (
        Node("a"),
        Node("b", 10.0, sensitivity_dbm=-60),
        Node("c", 10.0, sensitivity_dbm=-59),
    )
    field = Field(a, exact, short)
    field.air.listen(exact, 37)
    field.at(0, a, b"x")
    field.run()
    assert exact.octets == [b"x"]
    assert short.octets == []
    assert field.air.counts["out_of_range"] == 1


def test_nothing_is_heard_below_the_noise_floor():
    a, b = Node("a"), Node("b", 10.0, sensitivity_dbm=-120)
    field = Field(a, b, noise_floor_dbm=-59)
    field.at(0, a, b"x")
    field.run()
    assert b.octets == []


def test_shadowing_is_symmetric_constant_bounded_and_per_link():
    settings, streams = AirSettings(shadowing_sigma_db=6.0), Streams(4)
    values = [shadowing_db(settings, streams, "a", f"n{i}") for i in range(500)]
    assert values[7] == shadowing_db(settings, streams, "n7", "a")
    assert len(set(values)) > 450
    assert max(map(abs, values)) <= 6.0 * SHADOWING_CUT
    assert shadowing_db(AirSettings(), streams, "a", "n7") == 0.0
    assert values[7] != shadowing_db(settings, Streams(5), "a", "n7")


@pytest.mark.parametrize(("exponent", "sigma_db"), [(2.0, 0.0), (3.0, 0.0), (2.7, 5.0)])
def test_reach_is_a_bound(exponent: float, sigma_db: float):
    """Just inside it a packet may be above the noise floor, beyond it never."""
    settings = AirSettings(path_loss_exponent=exponent, shadowing_sigma_db=sigma_db)
    best_db = SHADOWING_CUT * sigma_db
    reach = reach_m(settings, 0)
    assert round(0 - path_loss_db(settings, reach * 1.001) + best_db) < settings.noise_floor_dbm
    assert round(0 - path_loss_db(settings, reach * 0.97) + best_db) >= settings.noise_floor_dbm


@pytest.mark.parametrize(
    "bad",
    [{"loss": 1.1}, {"loss": -0.1}, {"fading_sigma_db": -1.0}, {"path_loss_exponent": math.nan}],
)
def test_senseless_settings_are_refused(bad: dict[str, Any]):
    with pytest.raises(UsageError, match=next(iter(bad))):
        AirSettings(**bad)


# Collisions


@pytest.mark.parametrize(
    ("strong_dbm", "survives"), [(8, True), (7, False), (9, True), (0, False), (-20, False)]
)
def test_capture_border(strong_dbm: int, survives: bool):
    """Exactly capture_db above the other is enough; the weaker one is lost in any case."""
    a, b, c = Node("a"), Node("b"), Node("c", 3.0)
    field = Field(a, b, c, capture_db=8.0)
    field.at(0, a, b"strong", power_dbm=strong_dbm)
    field.at(99, b, b"weak", power_dbm=0)
    field.run()
    assert (b"strong" in c.octets) is survives
    assert (b"weak" in c.octets) is (strong_dbm == -20)


def test_capture_is_judged_at_each_receiver():
    """Two senders far apart: each neighbour hears its own."""
    a, near_a, near_b, b = (
        Node("a", 0.0),
        Node("near a", 1.0),
        Node("near b", 99.0),
        Node("b", 100.0),
    )
    field = Field(a, b, near_a, near_b)
    field.air.listen(near_a, 37)
    field.at(0, a, b"from a")
    field.at(50, b, b"from b")
    field.run()
    assert near_a.octets == [b"from a"]
    assert near_b.octets == [b"from b"]


def test_interference_adds_up():
    """10 dB above each of two is 7 dB above both."""
    for capture_db, survives in [(6.9, True), (7.1, False)]:
        a, b, c, d = Node("a"), Node("b"), Node("c"), Node("d", 3.0)
        field = Field(a, b, c, d, capture_db=capture_db)
        field.at(0, a, b"strong", power_dbm=10)
        field.at(10, b, b"1", power_dbm=0)
        field.at(20, c, b"2", power_dbm=0)
        field.run()
        assert (b"strong" in d.octets) is survives


def test_packets_that_touch_do_not_overlap():
    a, b, c = Node("a"), Node("b"), Node("c", 3.0)
    field = Field(a, b, c)
    field.at(0, a, b"1", 100)
    field.at(100, b, b"2", 100)
    field.at(199, a, b"3", 100)
    field.at(400, b, b"other channel", 100, 38)
    field.at(450, a, b"4", 100)
    field.run()
    assert c.octets == [b"1", b"4"]
    assert field.reasons() == {b"1": "", b"2": "collision", b"3": "collision", b"4": ""}


def test_a_long_packet_is_hit_by_a_short_one_that_ended_long_ago():
    """The interferer is over when the victim ends, 15 ms later, after many others on the channel."""
    a, b, c = Node("a"), Node("b"), Node("c", 3.0)
    field = Field(a, b, c)
    field.at(0, b, b"before", 50)
    field.at(1000, a, b"long", 17_000)
    field.at(1100, b, b"short", 50)
    field.at(30_000, b, b"after", 50)
    field.run()
    assert c.octets == [b"before", b"after"]


def test_what_is_below_the_noise_floor_does_not_disturb():
    a, b, c = Node("a"), Node("b", 100.0), Node("c", 1.0)
    for floor_dbm, survives in [(-79, True), (-80, False)]:  # b arrives with -80 dBm
        field = Field(
            Node("a", 0.0),
            Node("b", 101.0),
            Node("c", 1.0),
            noise_floor_dbm=floor_dbm,
            capture_db=60.0,
        )
        a, b, c = field.nodes
        field.at(0, a, b"x")
        field.at(10, b, b"y")
        field.run()
        assert (b"x" in c.octets) is survives


def test_collisions_can_be_switched_off():
    a, b, c = Node("a"), Node("b"), Node("c", 3.0)
    field = Field(a, b, c, collisions=False)
    field.at(0, a, b"1")
    field.at(50, b, b"2")
    field.run()
    assert c.octets == [b"1", b"2"]


def test_opaque_channels_are_apart():
    a, b, c = Node("a"), Node("b"), Node("c", 3.0)
    field = Field(a, b, c)
    field.air.listen(c, ("wifi", 6))
    field.at(0, a, b"wifi", channel=("wifi", 6))
    field.at(0, b, b"ble")
    field.run()
    assert sorted(c.octets) == [b"ble", b"wifi"]


# Listening


def test_half_duplex_in_any_part_of_the_packet_and_on_any_channel():
    a, b = Node("a"), Node("b", 3.0)
    field = Field(a, b)
    for t_us, name in [(1000, b"1"), (2000, b"2"), (3000, b"3"), (4000, b"4"), (5000, b"5")]:
        field.at(t_us, a, name)
    field.at(920, b, b"tail", 81, 12)  # until 1001: hits 1
    field.at(1950, b, b"touches", 50, 12)  # until 2000: touches 2
    field.at(3050, b, b"inside", 10, 12)  # hits 3
    field.at(4099, b, b"head", 500, 12)  # hits 4
    field.at(5100, b, b"touches", 50, 12)  # from the end of 5
    field.run()
    assert b.octets == [b"2", b"5"]
    assert field.reasons() == {
        b"1": "transmitting",
        b"2": "",
        b"3": "transmitting",
        b"4": "transmitting",
        b"5": "",
    }


def test_the_sender_does_not_hear_itself_and_is_no_outcome():
    a = Node("a")
    field = Field(a)
    field.at(0, a, b"x")
    field.run()
    assert a.heard == []
    assert field.outcomes == []


@pytest.mark.parametrize(
    ("listen_us", "deafen_us", "heard"),
    [(1000, 9999, True), (1001, 9999, False), (0, 1100, False), (0, 1099, False), (0, 1101, True)],
)
def test_a_packet_needs_listening_from_start_to_end(listen_us: int, deafen_us: int, heard: bool):
    """Who stops listening at the instant of the end, before the packet's event, misses it."""
    a, b = Node("a"), Node("b", 3.0)
    field = Field(a, Node("c"))
    field.air.attach(b)
    field.loop.at_us(listen_us, field.air.listen, b, 37)
    field.loop.at_us(deafen_us, field.air.deafen, b, 37)
    field.at(1000, a, b"x", 100)
    field.run()
    assert bool(b.heard) is heard


def test_listening_again_starts_anew_but_listening_twice_does_not():
    for again, heard in [(True, False), (False, True)]:
        a, b = Node("a"), Node("b", 3.0)
        field = Field(a, b)
        field.at(1000, a, b"x", 100)
        if again:
            field.loop.at_us(1050, field.air.deafen, b, 37)
        field.loop.at_us(1050, field.air.listen, b, 37)
        field.run()
        assert bool(b.heard) is heard


def test_delivery_is_at_the_end_and_carries_the_packet():
    a, b = Node("a"), Node("b", 1.0)
    field = Field(a, b)
    at_us: list[int] = []
    b.on_air = lambda reception: at_us.append(field.loop.now_us)  # type: ignore[method-assign]
    sent: list[Transmission] = []
    field.loop.at_us(1000, lambda: sent.append(field.air.transmit(a, 37, b"x", 376, meta="m")))
    field.run()
    assert at_us == [1376]
    assert sent == [Transmission(1, 1000, 1376, 37, "a", b"x", 0, "m")]


def test_a_receiver_may_change_the_listeners():
    """All who heard the packet get it, though the first one silences the second."""
    a, b, c = Node("a"), Node("b", 3.0), Node("c", 3.0)
    field = Field(a, b)
    field.air.attach(c)
    field.air.listen(c, 37)
    b.on_air = lambda _: field.air.deafen(c, 37)  # type: ignore[method-assign]
    field.at(0, a, b"x")
    field.run()
    assert c.octets == [b"x"]


def test_names_are_unique_and_strangers_cannot_listen():
    field = Field(Node("a"))
    with pytest.raises(SimulationError, match="two radios are called 'a'"):
        field.air.attach(Node("a"))
    with pytest.raises(SimulationError, match="attached"):
        field.air.listen(Node("b"), 37)
    with pytest.raises(SimulationError, match="duration"):
        field.air.transmit(field.nodes[0], 37, b"", 0)
    field.run()


def test_a_detached_radio_hears_nothing_and_its_name_is_free():
    a, b = Node("a"), Node("b", 3.0)
    field = Field(a, b)
    field.at(0, a, b"1")
    field.loop.at_us(500, field.air.detach, b)
    field.at(1000, a, b"2")
    field.loop.at_us(2000, field.air.attach, Node("b"))
    field.run()
    assert b.octets == [b"1"]
    assert not field.air.listening() or all(radio is not b for radio, _ in field.air.listening())


# Movement


def test_power_falls_steadily_as_a_node_walks_away_and_rests_at_the_end():
    a, b = Node("a"), Node("b")
    b.position = Path([(1_000_000, (1.0, 0.0, 0.0)), (5_000_000, (41.0, 0.0, 0.0))])
    field = Field(a, b)
    for i in range(60):
        field.at(i * 100_000, a, bytes([i]))
    field.run()
    rssi = [reception.rssi_dbm for reception in b.heard]
    assert rssi[:10] == [-40] * 10
    assert rssi == sorted(rssi, reverse=True)
    assert len(set(rssi)) > 20
    assert set(rssi[51:]) == {round(-40.2 - 20 * math.log10(41))}


def test_path_is_linear_between_points():
    path = Path([(0, (0.0, 0.0, 0.0)), (10, (10.0, 20.0, -10.0)), (20, (10.0, 0.0, 0.0))])
    assert path.at(-5) == (0.0, 0.0, 0.0)
    assert path.at(5) == (5.0, 10.0, -5.0)
    assert path.at(10) == (10.0, 20.0, -10.0)
    assert path.at(15) == (10.0, 10.0, -5.0)
    assert path.at(99) == (10.0, 0.0, 0.0)
    for bad in (
        [],
        [(1, (0.0, 0.0, 0.0)), (1, (0.0, 0.0, 0.0))],
        [(2, (0.0, 0.0, 0.0)), (1, (0.0, 0.0, 0.0))],
    ):
        with pytest.raises(UsageError, match="path"):
            Path(bad)


def test_setting_a_position_forgets_the_remembered_power():
    a, b = Node("a"), Node("b", 1.0)
    field = Field(a, b)
    field.at(0, a, b"1")
    field.loop.at_us(500, setattr, a, "position", (11.0, 0.0, 0.0))
    field.at(1000, a, b"2")
    field.loop.at_us(1500, setattr, b, "position", (111.0, 0.0, 0.0))
    field.at(2000, a, b"3")
    field.run()
    assert [reception.rssi_dbm for reception in b.heard] == [-40, -60, -80]


# Chance


def lossy(seed: int, *more: Node, packets: int = 2000, **settings: Any) -> list[tuple[bytes, int]]:
    a, b = Node("a"), Node("b", 10.0)
    field = Field(a, *more, b, seed=seed, **settings)
    for node in more:
        field.air.listen(node, 37)
    for i in range(packets):
        field.at(i * 1000, a, i.to_bytes(2, "big"))
    field.run()
    return [(reception.transmission.data, reception.rssi_dbm) for reception in b.heard]


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.3, 1.0])
def test_loss_is_a_probability(loss: float):
    """Within 5 sigma of the binomial distribution."""
    heard = len(lossy(3, loss=loss))
    assert abs(heard - 2000 * (1 - loss)) <= 5 * math.sqrt(2000 * loss * (1 - loss))


def test_fading_varies_around_the_mean_and_reaches_past_the_border():
    values = [rssi for _, rssi in lossy(3, fading_sigma_db=4.0)]
    assert len(values) == 2000
    assert abs(sum(values) / 2000 + 60.2) < 5 * 4 / math.sqrt(2000) + 0.1
    assert len(set(values)) > 15


def test_chance_repeats_with_the_seed_and_ignores_other_receivers():
    settings: dict[str, Any] = {"loss": 0.2, "fading_sigma_db": 3.0}
    first = lossy(3, **settings)
    assert first == lossy(3, **settings)
    assert first == lossy(3, Node("sniffer 1", 5.0), Node("sniffer 2", 20.0), **settings)
    assert first != lossy(4, **settings)


# Observers


def test_observers_learn_who_heard_and_why_others_did_not():
    a, near, far, deaf, late = (
        Node("a"),
        Node("near", 1.0),
        Node("far", 1e6),
        Node("deaf", 2.0),
        Node("late", 2.0),
    )
    field = Field(a, far, deaf, late, near)
    field.air.listen(far, 37)
    field.loop.at_us(1050, field.air.listen, late, 37)
    field.at(1000, a, b"x")
    field.run()
    assert [outcome for _, outcome in field.outcomes] == [
        Outcome("near", -40, ""),
        Outcome("far", round(-40.2 - 120), "out_of_range"),
    ]
    assert dict(field.air.counts) == {"transmissions": 1, "heard": 1, "out_of_range": 1}


def test_observers_come_before_receivers_and_can_stop():
    a, b = Node("a"), Node("b", 1.0)
    field = Field(a, b)
    seen: list[str] = []
    stop = field.air.observe(lambda sent, outcomes: seen.append("observer"))
    b.on_air = lambda _: (seen.append("receiver"), stop())  # type: ignore[method-assign, assign]
    field.at(0, a, b"x")
    field.at(1000, a, b"y")
    field.run()
    assert seen == ["observer", "receiver", "receiver"]
    stop()  # again: harmless


def test_an_unheard_transmission_is_observed():
    a = Node("a")
    field = Field(a)
    seen: list[tuple[int, tuple[Outcome, ...]]] = []
    field.air.observe(lambda sent, outcomes: seen.append((sent.end_us, outcomes)))
    field.at(7, a, b"x", 100, 12)
    field.run()
    assert seen == [(107, ())]


def test_a_sniffer_hears_all_the_channels_it_is_told():
    a = Node("a")
    field = Field(a)
    got: list[object] = []
    sniffer = Sniffer(
        "sniffer", (1.0, 0.0, 0.0), lambda reception: got.append(reception.transmission.channel)
    )
    field.air.attach(sniffer)
    for channel in (37, 38, 39):
        field.air.listen(sniffer, channel)
        field.at(channel * 1000, a, b"x", channel=channel)
    field.run()
    assert got == [37, 38, 39]
