"""The accessory's radio: advertising sets, GATT server, subscriptions, and callbacks that refuse or raise."""

from __future__ import annotations

from itertools import pairwise

import pytest

from protocols.errors import NodeError, UsageError
from tests.sim.worlds import PUSHER, accessory, run, table, two

# Advertising


@pytest.mark.parametrize(
    ("sort", "event", "connectable", "scannable"),
    [
        ("connectable", "adv_ind", True, True),
        ("scannable", "adv_scan_ind", False, True),
        ("non_connectable", "adv_nonconn_ind", False, False),
    ],
)
def test_sort_decides_pdu_type_and_report(tmp_path, sort, event, connectable, scannable) -> None:
    source = accessory(
        f'async def start(self):\n    await self.ble.advertise(Advert(data=b"\\x02\\x01\\x06", sort="{sort}"))'
    )
    ran = run(two("dev.py", "scan for='500ms'"), tmp_path, dev=source)
    kinds = {e.event for e in ran.events if e.layer == "air" and e.node == "dev"}
    assert kinds - {"scan_rsp"} == {event}
    assert ("scan_rsp" in kinds) == scannable
    flags = {(e.fields["connectable"], e.fields["scannable"]) for e in ran.of("heard")}
    assert flags == {(connectable, scannable)}


@pytest.mark.parametrize("interval_ms", [20.0, 100.0, 417.5])
def test_interval_is_the_one_asked_for_plus_the_advertising_delay(tmp_path, interval_ms) -> None:
    source = accessory(
        f'async def start(self):\n    await self.ble.advertise(Advert(sort="non_connectable", interval_ms={interval_ms}))'
    )
    ran = run(two("dev.py", "wait for='10s'"), tmp_path, dev=source)
    starts = [e.t_us for e in ran.of("adv_nonconn_ind", "dev") if e.fields["channel"] == 37]
    gaps = [b - a for a, b in pairwise(starts)]
    assert min(gaps) >= interval_ms * 1000
    assert max(gaps) <= interval_ms * 1000 + 10_000 + 1
    assert len(set(gaps)) > 5  # the delay is drawn anew for each event


def test_sets_have_their_own_data_address_and_interval(tmp_path) -> None:
    source = accessory(
        """
async def start(self):
    await self.ble.advertise(Advert(data=b"\\x02\\x0a\\x01", sort="non_connectable", interval_ms=50))
    await self.ble.advertise(
        Advert(data=b"\\x02\\x0a\\x02", sort="non_connectable", interval_ms=200, set_address="11:22:33:44:55:66"), 1)
"""
    )
    ran = run(two("dev.py", "scan for='2s'"), tmp_path, dev=source)
    of_address: dict[str, list[str]] = {}
    for e in ran.of("heard"):
        of_address.setdefault(e.fields["address"], []).append((e.data or b"").hex())
    slow = of_address.pop("11:22:33:44:55:66")
    ((address, fast),) = of_address.items()
    assert int(address[:2], 16) >= 0xC0
    assert set(slow) == {"020a02"}
    assert set(fast) == {"020a01"}
    assert 3.0 < len(fast) / len(slow) < 4.5
    assert ran.world.name_of("11:22:33:44:55:66") == "dev"


def test_set_data_changes_the_octets_without_a_gap(tmp_path) -> None:
    source = accessory(
        """
async def start(self):
    await self.ble.advertise(Advert(data=b"\\x02\\x0a\\x00", sort="non_connectable", interval_ms=20))
    self.background(self.change())
async def change(self):
    for n in range(1, 20):
        await asyncio.sleep(0.033)
        await self.ble.set_data(bytes((2, 10, n)))
"""
    )
    ran = run(two("dev.py", "wait for='700ms'"), tmp_path, dev=source)
    sent = [e for e in ran.of("adv_nonconn_ind", "dev") if e.fields["channel"] == 37]
    gaps = [b.t_us - a.t_us for a, b in pairwise(sent)]
    assert max(gaps) <= 30_001
    values = [e.data[-1] for e in sent if e.data is not None]
    assert values == sorted(values)
    assert set(values) == set(range(20))


@pytest.mark.parametrize(
    ("advert", "message"),
    [
        ("Advert(data=bytes(32))", "32 octets, 1 more than the 31"),
        ("Advert(scan_response=bytes(40))", "scan response of 40 octets, 9 more"),
        ("Advert(interval_ms=5)", "interval of 5 ms; allowed are 20 to 10240"),
        ('Advert(sort="non_connectable", scan_response=b"x")', "make it scannable"),
        ('Advert(sort="scannable", extended=True, data=b"x")', "all its data in the scan response"),
        ('Advert(set_address="1122")', "is no address"),
    ],
)
def test_what_no_controller_accepts_is_said_in_words(tmp_path, advert, message) -> None:
    source = accessory(f"async def start(self):\n    await self.ble.advertise({advert})")
    with pytest.raises(UsageError, match=message):
        run(two("dev.py", ""), tmp_path, dev=source)


def test_set_data_of_a_set_that_does_not_run(tmp_path) -> None:
    source = accessory("async def start(self):\n    await self.ble.set_data(b'')")
    with pytest.raises(UsageError, match="advertising set 0 does not run"):
        run(two("dev.py", ""), tmp_path, dev=source)


def test_extended_advert_carries_more_than_31_octets(tmp_path) -> None:
    data = bytes((60, 0xFF, 0xFF, 0xFF)) + bytes(range(57))
    source = accessory(
        f'async def start(self):\n    await self.ble.advertise(Advert(data={data!r}, sort="non_connectable", extended=True))'
    )
    ran = run(two("dev.py", "scan for='1s'"), tmp_path, dev=source)
    assert {(e.data or b"").hex() for e in ran.of("heard")} == {data.hex()}


def test_connectable_set_rests_while_connected_and_starts_again(tmp_path) -> None:
    ran = run(
        two("dev.py", "connect to='dev'\nwait for='1s'\ndisconnect\nwait for='1s'"),
        tmp_path,
        dev=accessory(table()),
    )
    (up,) = (e.t_us for e in ran.of("connected", "dev"))
    (down,) = (e.t_us for e in ran.of("disconnected", "dev"))
    times = [e.t_us for e in ran.of("adv_ind", "dev")]
    assert min(times) < up
    assert not [t for t in times if up < t < down]
    assert max(times) > down


def test_stopped_set_does_not_come_back_after_the_connection(tmp_path) -> None:
    source = accessory(
        table()
        + "\ndef on_connect(self, peer):\n    self.background(self.ble.stop_advertising())\n"
    )
    ran = run(two("dev.py", "connect to='dev'\ndisconnect\nwait for='1s'"), tmp_path, dev=source)
    (down,) = (e.t_us for e in ran.of("disconnected", "dev"))
    assert not [e for e in ran.of("adv_ind", "dev") if e.t_us > down]


# Failures of the user's code

RAISING = {
    "services()": "def services(self):\n    raise KeyError('boom')",
    "start": "async def start(self):\n    raise KeyError('boom')",
    "on_connect()": table() + "\ndef on_connect(self, peer):\n    raise KeyError('boom')",
    "on_disconnect()": table()
    + "\ndef on_disconnect(self, peer, reason):\n    raise KeyError('boom')",
    "on_subscribe()": PUSHER.replace(
        'self.emit("subscription", peer=peer.name, characteristic=characteristic, mode=mode)',
        "raise KeyError('boom')",
    ),
    "reading": table('C(uuid="fff1", properties=("read",), read=self.bad)')
    + "\ndef bad(self, peer):\n    raise KeyError('boom')",
    "writing": table('C(uuid="fff1", properties=("read", "write"), write=self.bad)')
    + "\ndef bad(self, peer, value):\n    raise KeyError('boom')",
    "local_name()": table() + "\ndef local_name(self):\n    raise KeyError('boom')",
}


@pytest.mark.parametrize("place", RAISING)
def test_exception_of_the_users_code_ends_the_run_with_node_file_and_line(tmp_path, place) -> None:
    steps = "connect to='dev'\nread uuid='fff1'?\nwrite uuid='fff1', hex='00'?\nsubscribe uuid='fff1'?\ndisconnect\nwait for='1s'"
    source = accessory(RAISING[place])
    line = source.splitlines().index(next(x for x in source.splitlines() if "boom" in x)) + 1
    with pytest.raises(
        NodeError, match=rf"dev at [0-9.]+ s: .*KeyError: 'boom' .*dev\.py:{line}\b"
    ):
        run(two("dev.py", steps), tmp_path, dev=source)


def test_read_callback_that_returns_no_octets(tmp_path) -> None:
    body = table('C(uuid="fff1", properties=("read",), read=lambda peer: "text")')
    with pytest.raises(NodeError, match="must return bytes, not str"):
        run(two("dev.py", "connect to='dev'\nread uuid='fff1'?"), tmp_path, dev=accessory(body))


def test_uuid_that_is_none(tmp_path) -> None:
    with pytest.raises(UsageError, match="'xyz' is no UUID"):
        run(
            two("dev.py", ""), tmp_path, dev=accessory(table('C(uuid="xyz", properties=("read",))'))
        )
