"""Who is in the air: devices that are connected are not gone, and figures of the radio where something says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.trace import TraceEvent
from tests.tui.bench import assert_golden, bench, play
from tui.filters import compile_filter
from tui.models.advertisers import Advertisers
from tui.models.air_words import air_vocabulary

ADDRESS = bytes.fromhex("7dd3a5d8e5fc")
TEXT = "fc:e5:d8:a5:d3:7d"
PHONE = bytes.fromhex("e1be01005e42")


def event(t_us, name, node="lock", layer="air", data=None, peer="", **fields):
    return TraceEvent(t_us, t_us, node, layer, name, "tx" if data else "", peer, data, fields)


def advert(t_us, node="lock", ad=b"", **fields):
    pdu = bytes((0x60, 6 + len(ad))) + ADDRESS + ad
    return event(t_us, "adv_ind", node, data=pdu, channel=37, **fields)


def connect_ind(t_us, node="phone"):
    pdu = bytes((0xE5, 34)) + PHONE + ADDRESS + bytes(22)
    return event(t_us, "connect_ind", node, data=pdu)


def test_a_connected_device_is_silent_for_a_reason():
    air = Advertisers()
    air.feed([advert(n * 100_000, outcomes={"phone": "heard"}) for n in range(10)])
    one = air.all[TEXT]
    air.feed([event(1_000_000, "connected", layer="ble", peer="phone"), event(9_000_000, "tick")])
    assert one.is_stale(air.now_us)
    assert air.connected_to(one) == ("phone",)
    assert not air.is_stale(one)
    assert compile_filter("connected && !stale && peer:phone", air_vocabulary(lambda: air, set())).matches(one)  # fmt: skip
    air.feed([event(9_500_000, "disconnected", layer="ble", peer="phone")])
    assert air.is_stale(one)
    assert air.connected_to(one) == ()


def test_connections_are_counted_by_peer():
    air = Advertisers()
    air.feed([advert(0)])
    for name, peer in (
        ("connected", "a"),
        ("connected", "b"),
        ("connected", "a"),
        ("disconnected", "a"),
    ):
        air.feed([event(1, name, layer="ble", peer=peer)])
    assert air.connected_to(air.all[TEXT]) == ("b",)


def test_of_a_capture_the_request_for_a_connection_counts_until_the_next_advert():
    air = Advertisers()
    air.feed([advert(0, node=TEXT), connect_ind(1000, node="")])
    one = air.all[TEXT]
    assert air.connected_to(one) == ("42:5e:00:01:be:e1",)
    air.feed([event(30_000_000, "tick")])
    assert not air.is_stale(one)
    air.feed([advert(30_000_001, node=TEXT)])
    assert air.connected_to(one) == ()


@pytest.mark.parametrize(
    ("ad", "power"), [("020af4", -12), ("020a04", 4), ("020106", None), ("030a0102", None)]
)
def test_the_power_that_a_device_says_itself(ad, power):
    """TX Power Level is one signed octet (Supplement to the Core Specification, Part A 1.5)."""
    air = Advertisers()
    air.feed([advert(0, ad=bytes.fromhex(ad))])
    assert air.all[TEXT].tx_dbm == power


def test_what_nobody_listened_to_is_no_loss():
    air = Advertisers()
    air.feed([advert(n, outcomes={}) for n in range(3)])
    assert air.all[TEXT].lost_part is None
    air.feed([advert(9, outcomes={"phone": "collision"}), advert(10, outcomes={"phone": "heard"})])
    assert air.all[TEXT].lost_part == 0.5


def test_a_strength_gets_old_when_packets_come_without_one():
    air = Advertisers()
    air.feed([advert(0, signal_dbm={"phone": -45}, outcomes={"phone": "heard"})])
    one = air.all[TEXT]
    air.feed([advert(3_000_000, outcomes={})])
    assert not one.has_old_level
    air.feed([advert(3_000_001, outcomes={})])
    assert (one.rssi_dbm, one.has_old_level) == (-45, True)
    air.feed([advert(4_000_000, signal_dbm={"phone": -50}, outcomes={"phone": "heard"})])
    assert (one.rssi_dbm, one.has_old_level) == (-50, False)
    assert (one.sent, one.listened, one.heard) == (4, 2, 2)


def test_who_has_never_been_heard_has_no_old_strength():
    air = Advertisers()
    air.feed([advert(n * 5_000_000, outcomes={}) for n in range(3)])
    assert not air.all[TEXT].has_old_level


def test_the_screen_says_how_old_a_strength_is_and_what_a_loss_counts():
    async def story():
        async with bench(
            Path(__file__).with_name("bench.toml"), size=(120, 40), start="air", play=("none",)
        ) as one:
            await one.run_for(8)
            at = [row.owner for row in one.app.screen.rows.rows].index("thermometer")
            await one.press(*["down"] * at)
            about = one.app.screen.rows.selected()
            told = " ".join(one.text.replace("│", " ").split())
            assert about.has_old_level
            assert f"{about.rssi_dbm}?" in one.text
            assert "RSSI of" in told
            assert about.listened < about.sent
            assert f"sent {about.sent}, listened to {about.listened}," in one.text

    play(story())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_columns_are_a_choice(size):
    async def story():
        async with bench(
            Path(__file__).with_name("bench.toml"), size=size, start="air", play=("none",)
        ) as one:
            await one.run_for(8)
            assert "connected to phone" in one.text
            assert "(stale)" not in one.text
            await one.press("c")
            assert "columns: radio" in one.text
            assert_golden(f"air_radio_{size[0]}x{size[1]}", one.text)
            await one.press("c")
            assert_golden(f"air_words_{size[0]}x{size[1]}", one.text)
            await one.press("c")
            assert "columns:" not in one.text

    play(story())
