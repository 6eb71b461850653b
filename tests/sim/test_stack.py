"""A node's stack: addresses from the seed or the settings, the HCI tap, names, and being switched off."""

from __future__ import annotations

import asyncio

import pytest

from protocols.errors import ScenarioError
from tests.sim.worlds import Ran, run, two, world

QUIET = two("ibeacon", "scan for='300ms'")


def _addresses(ran: Ran) -> dict[str, set[str]]:
    return {
        peer: {e.fields["address"] for e in ran.of("heard") if e.peer == peer}
        for peer in ("dev", "ph")
    }


def test_drawn_address_is_static_random_and_depends_on_seed_and_name_only() -> None:
    first, again = run(QUIET), run(QUIET)
    (address,) = _addresses(first)["dev"]
    assert int(address[:2], 16) >= 0xC0
    assert _addresses(again)["dev"] == {address}
    other_seed = run(QUIET.replace('title = "t"', 'title = "t"\nseed = 2'))
    assert _addresses(other_seed)["dev"] != {address}
    # another node before it does not shift what it draws
    more = QUIET.replace("[[node]]", '[[node]]\nname = "x"\naccessory = "ibeacon"\n\n[[node]]', 1)
    assert _addresses(run(more))["dev"] == {address}


@pytest.mark.parametrize(
    ("setting", "address", "tx_add"),
    [
        ("00:11:22:33:44:55", "00:11:22:33:44:55", 0),
        ("DC:0D:30:15:AE:B1 public", "dc:0d:30:15:ae:b1", 0),
        ("c0:11:22:33:44:55", "c0:11:22:33:44:55", 1),
    ],
)
def test_address_of_the_settings_is_on_the_air(setting: str, address: str, tx_add: int) -> None:
    ran = run(two("ibeacon", "scan for='300ms'", settings=f'address = "{setting}"'))
    assert _addresses(ran)["dev"] == {address}
    pdus = [e.data for e in ran.of("adv_nonconn_ind", "dev")]
    assert pdus
    assert all(pdu is not None and pdu[0] >> 6 & 1 == tx_add for pdu in pdus)


@pytest.mark.parametrize("setting", ["nonsense", "00:11:22:33:44:55 random", "c0:11:22:33:44"])
def test_wrong_address_names_file_line_and_key(setting: str) -> None:
    with pytest.raises(
        ScenarioError, match=r"test\.toml:9: node\[0\]\.set\.address: .*address '"
    ) as caught:
        world(two("ibeacon", "", settings=f'address = "{setting}"'))
    assert caught.value.exit_status == 2


def test_public_device_can_be_connected_to() -> None:
    ran = run(
        two(
            "thermometer",
            "scan for='300ms'\nconnect to='dev'\nread uuid='2a19'",
            settings='address = "00:11:22:33:44:55"',
        )
    )
    assert not ran.result.failures
    assert [e.fields["value"] for e in ran.of("read", "ph")] == [{"battery_pct": 80}]


def test_hci_tap_sees_commands_and_events_of_both_sides() -> None:
    made = world(QUIET)
    taken: list[tuple[str, str, bytes]] = []
    made.hci_taps.append(
        lambda node, _t, direction, packet: taken.append((node, direction, packet))
    )
    ran = Ran(made)
    made.close()
    reset = bytes.fromhex("01030c00")
    for node in ("dev", "ph"):
        mine = [(direction, packet) for name, direction, packet in taken if name == node]
        assert mine[0] == ("tx", reset)
        assert mine[1][0] == "rx"
        assert mine[1][1][:3] == bytes.fromhex("040e04")
    in_trace = [(e.node, e.direction, e.data) for e in ran.events if e.layer == "hci"]
    assert in_trace == taken


def test_switched_off_device_is_silent_and_comes_back_with_the_same_address(tmp_path) -> None:
    ran = run(
        two("blinker.py", "scan for='2s'\nwait for='2s'", duration="5s"),
        tmp_path,
        blinker="""
import asyncio
from sim.accessories import Accessory
from sim.gatt import Advert
class Blinker(Accessory):
    async def start(self):
        await self.ble.advertise(Advert(data=b"\\x02\\x01\\x06"))
        if self.now_us < 100:
            self.place.spawn(self.name, self.blink())
    async def blink(self):
        await asyncio.sleep(0.5)
        await self.ble.power_off()
        await asyncio.sleep(1.0)
        await self.ble.power_on(self.services())
        await self.start()
ACCESSORY = Blinker
""",
    )
    heard = [e.t_us for e in ran.of("heard", "ph") if not e.fields["scan_response"]]
    assert heard[0] < 500_000
    assert not [t for t in heard if 510_000 < t < 1_500_000]
    assert [t for t in heard if t > 1_500_000]
    assert len(_addresses(ran)["dev"]) == 1


def test_reboot_of_a_connected_accessory_ends_the_link_by_supervision_timeout() -> None:
    ran = run(
        two(
            "thermometer",
            "connect to='dev'\nwait_for what='disconnected', timeout='20s'\nconnect to='dev'\nread uuid='2a19'",
        )
        + '\n[[step]]\nnode = "dev"\ndo = "reboot"\nat = "2s"\n'
    )
    assert not ran.result.failures
    assert [e.fields["reason"] for e in ran.of("disconnected", "ph", "phone")] == [0x08]
    assert not ran.of("disconnected", "dev")  # it had no power to notice
    assert len(ran.of("read", "ph")) == 1


def test_nothing_of_a_run_is_left_running() -> None:
    made = world(QUIET)
    Ran(made)
    assert not asyncio.all_tasks(made.loop)
    made.close()
