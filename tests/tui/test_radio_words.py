"""Words for radios, and the signal at who listened, over runs: each packet is of one radio."""

from __future__ import annotations

import msgspec
import pytest

from protocols.capture import Packet, writer_for
from tests.tui.test_capture_source import written
from tests.tui.test_models import feed_of, run
from tui.filters import compile_filter
from tui.models.packet_list import PacketList
from tui.models.packets import is_packet


@pytest.fixture(scope="module")
def demo():
    return run("demo")


def found_in(events, text):
    _, feed = feed_of(events)
    packets = PacketList(feed)
    matches = compile_filter(text, packets.vocabulary).matches
    return [event for event in events if is_packet(event) and matches(event)]


def test_every_packet_is_of_one_radio(demo):
    ble, wifi, aware = (found_in(demo, word) for word in ("ble", "wifi", "aware"))
    assert wifi == aware
    assert {e.layer for e in ble} <= {"air", "hci", "ble"}
    assert {e.layer for e in wifi} == {"air", "aware"}
    assert any(e.event == "adv_ind" for e in ble)
    everything = found_in(demo, "")
    assert len(ble) + len(wifi) == len(everything)
    assert not {e.seq for e in ble} & {e.seq for e in wifi}


def test_a_layer_alone_has_its_own_key(demo):
    assert {e.layer for e in found_in(demo, "layer:aware")} == {"aware"}
    assert {e.layer for e in found_in(run("passkey_lock"), "layer:ble")} == {"ble"}
    assert {e.layer for e in found_in(run("passkey_lock"), "ble")} == {"air", "hci", "ble"}


def test_packets_of_a_capture_are_of_their_radio(opened, tmp_path):
    source = opened(written(tmp_path / "a.pcap", 3))
    packets = PacketList(source, "ble")
    packets.look(lambda: False)
    assert len(packets) == 3
    path = tmp_path / "b.pcap"
    with path.open("wb") as stream:
        writer_for("pcap")(stream).write(Packet(1, 0, 1, b"ethernet", 8))
    packets = PacketList(opened(path), "ble || wifi")
    packets.look(lambda: False)
    assert len(packets) == 0


def test_the_signal_of_adverts_is_that_of_who_heard_them(demo):
    adverts = found_in(demo, "adv")
    heard = [e for e in adverts if "heard" in e.fields["outcomes"].values()]
    assert heard
    near = found_in(demo, "adv && rssi>-80")
    assert near
    assert {e.seq for e in near} <= {e.seq for e in adverts}
    for event in adverts:
        levels = event.fields["signal_dbm"]
        assert levels.keys() == event.fields["outcomes"].keys()
        reported = [e.data[-1] - 256 for e in demo if e.layer == "hci" and e.cause == event.seq
                    and e.data[:1] == b"\x04" and e.data[3:4] == b"\x02"]  # fmt: skip
        assert all(level in levels.values() for level in reported), "as the controllers report it"


def test_who_did_not_hear_it_says_nothing_of_the_signal():
    (event, *_) = [e for e in run("passkey_lock") if e.event == "adv_ind"]
    fields = {"signal_dbm": {"a": -40, "b": -70}, "outcomes": {"a": "collision", "b": "heard"}}
    only_b = msgspec.structs.replace(event, fields=fields)
    assert found_in([only_b], "rssi==-70") == [only_b]
    nobody = msgspec.structs.replace(event, fields=fields | {"outcomes": {"a": "collision"}})
    assert found_in([nobody], "rssi==-40") == [nobody]
