"""What peers say that write no trace of their own: whoever hears it writes the same as they would have."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from hw_bridge.bench_person import put_on_bench
from hw_bridge.bench_world import BenchWorld
from sim.ble.att_trace import AttTrace
from sim.ladder import Ladder
from sim.scenario import parse
from tests.hw_bridge.served import ROOM
from tests.hw_bridge.test_attach import PHONE, VISIT, Bench, steps

VALUES = ["discover", "read uuid=2a00", "subscribe uuid=2a1c", "wait for=3s"]


def spoken(events, node: str, direction: str) -> list[tuple[str, bytes, str]]:
    """ATT and SMP that a node wrote for one direction, with its words."""
    return [
        (one.event, bytes(one.data), str(one.fields.get("label")))
        for one in events
        if (one.node, one.direction, one.layer) == (node, direction, "ble")
        and one.data
        and one.event not in ("heard", "discover")
    ]


def everybody_is_a_stranger(bench: Bench) -> None:
    bench.world.is_stranger = lambda _name: True


def test_what_a_stranger_says_by_att_is_written_as_it_would_write_it():
    bench = Bench(PHONE + steps("phone", *VISIT, *VALUES), "thermometer")
    everybody_is_a_stranger(bench)
    bench.run(5)
    for speaker, hearer in (("phone", "thermometer"), ("thermometer", "phone")):
        said, heard = (spoken(bench.events, speaker, "tx"), spoken(bench.events, hearer, "rx"))
        assert len(said) >= 4
        assert heard == said
    events = {one.event for one in bench.events if one.direction == "rx"}
    assert {"mtu_request", "mtu_response", "read_request", "read_response"} <= events
    assert {"subscribe", "write_response", "indicate", "confirm"} <= events
    assert [one.peer for one in bench.of("discover", "thermometer")] == ["phone"]


def test_what_a_stranger_says_by_smp_is_written_as_it_would_write_it():
    text = ROOM + '[[node]]\nname = "phone"\nphone = "generic"\n'
    bench = Bench(text + steps("phone", "connect to=lock", "pair", "wait for=1s"), "lock")
    everybody_is_a_stranger(bench)
    put_on_bench(bench.world.devices["phone"], lambda _: None, pin="047115")
    bench.run(5)
    assert bench.of("paired", "lock")
    assert spoken(bench.events, "lock", "rx") == spoken(bench.events, "phone", "tx")
    assert "pairing_request" in {one.event for one in bench.events if one.direction == "rx"}


def test_a_node_of_the_world_writes_its_own():
    bench = Bench(PHONE + steps("phone", *VISIT, *VALUES), "thermometer")
    bench.run(5)
    assert spoken(bench.events, "thermometer", "tx")
    assert spoken(bench.events, "thermometer", "rx") == []


def test_hosts_and_devices_of_the_real_air_are_strangers():
    world = BenchWorld(parse(ROOM), speed=None)
    world.add_foreign("host")
    assert world.is_stranger("host")
    assert world.is_stranger("66:55:44:33:22:11")
    assert not world.is_stranger("lock")
    world.close()


class Log:
    """A place that keeps what is written."""

    def __init__(self) -> None:
        self.trace = self
        self.events = []

    def emit(self, node, layer, event, **fields):
        self.events.append(SimpleNamespace(node=node, event=event, **fields))


# Vol 3 Part F 3.4: opcode, attribute handle, value
@pytest.mark.parametrize(
    ("pdu", "event", "label"),
    [
        ("020502", "mtu_request", "MTU 517"),
        ("0a0300", "read_request", "read Device Name"),
        ("0a3412", "read_request", "read handle 0x1234"),
        ("1204000200", "subscribe", "subscribe: indicate"),
        ("52030041", "write_command", "write without response Device Name"),
        ("1001 00ff ff00 28", "discover", "discover services"),
        ("1b050041", "notify", "notify Battery Level"),
        ("0b41", "read_response", "Battery Level"),
        ("010a050005", "att_error", "error: insufficient authentication"),
    ],
)
def test_names_come_from_the_table_that_the_message_is_about(pdu, event, label):
    trace = AttTrace("lamp", Log())
    trace.local = {3: "2a00", 4: "2902"}
    trace.remote[1] = {5: "2a19"}
    trace.sent(1, "peer", bytes.fromhex("0a0500"))
    trace.heard(1, bytes.fromhex(pdu), "peer")
    found = trace.place.events[-1]
    assert (found.event, found.label.lower()) == (event, label.lower())
    assert (found.node, found.direction, found.peer) == ("lamp", "rx", "peer")


def test_any_octets_of_a_stranger_can_be_written():
    trace, chance = AttTrace("lamp", Log()), random.Random(9)
    trace.local = dict(enumerate(("2a00", "2902", "2a19", "2a1c", "2a37", "6b0a0022"), 1))
    trace.remote[1] = dict(trace.local)
    for opcode in range(256):
        for size in (0, 1, 2, 3, 4, 5, 9, 30):
            trace.heard(1, bytes((opcode, chance.randrange(8))) + chance.randbytes(size), "peer")
            trace.heard(1, bytes((opcode,)), "peer")
    trace.heard(1, b"", "peer")
    assert len(trace.place.events) > 100


def test_a_ladder_shows_the_way_of_a_message_without_a_second_lane():
    bench = Bench(PHONE + steps("phone", *VISIT, "read uuid=2a00"), "thermometer")
    everybody_is_a_stranger(bench)
    bench.run(5)
    ladder = Ladder(["thermometer"])
    lines = [line for one in bench.events for line in ladder.draw(one)]
    asked = next(line for line in lines if "read Device Name" in line)
    told = next(line for line in lines if 'Device Name: "Thermometer"' in line)
    assert "• ← read" in asked
    assert "• → Device Name" in told
    assert not [line for line in lines if "connected" in line and ("←" in line or "→" in line)]
