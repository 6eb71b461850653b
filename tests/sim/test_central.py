"""The phone's radio: scanning, connecting with a timeout that really cancels, the GATT client, the end of links."""

from __future__ import annotations

import pytest

from protocols.errors import NodeError
from tests.sim.worlds import run, two

PHONE = """
import asyncio
from sim.device import command
from sim.gatt import AttError, LinkError
from sim.phones import Phone
class P(Phone):
    reports = 0
    def count(self, report):
        self.reports += 1
    async def link(self, node="dev", timeout_us=5_000_000):
        address, _, kind = self.place.address_of(node).partition(" ")
        return await self.ble.connect(address, kind, timeout_us, lambda reason: self.emit("lost", reason=reason))
{body}
PHONE = P
"""


def phone(body: str) -> str:
    """Source of a phone file with these commands."""
    return PHONE.replace(
        "{body}", "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    )


def with_phone(tmp_path, body: str, steps: str, accessory: str = "thermometer", **more):
    """The run of `steps` by a phone with these commands."""
    return run(two(accessory, steps, phone="ph.py", **more), tmp_path, ph=phone(body))


# Scanning


def test_passive_scan_sends_nothing_and_active_scan_asks() -> None:
    passive = run(two("thermometer", "scan for='1s', active=false"))
    assert not [e for e in passive.events if e.layer == "air" and e.node == "ph"]
    assert not [e for e in passive.of("heard") if e.fields["scan_response"]]
    active = run(two("thermometer", "scan for='1s'"))
    assert active.of("scan_req", "ph")
    assert [e for e in active.of("heard") if e.fields["scan_response"]]


def test_window_is_the_share_of_time_that_is_heard() -> None:
    def count(window: str) -> int:
        ran = run(two("ibeacon", f"scan for='20s', interval='1s', window='{window}', active=false"))
        return len(ran.of("heard"))

    full, tenth = count("1s"), count("100ms")
    assert full > 150
    assert 0.04 < tenth / full < 0.2


def test_duplicate_filter_reports_each_advertiser_once() -> None:
    ran = run(two("ibeacon", "scan for='2s', duplicates=false"))
    assert len(ran.of("heard")) == 1


def test_report_has_the_rssi_of_the_distance() -> None:
    # 0 dBm, 40.2 dB over the first metre, 20 dB per decade: 46.2 dB at 2 m
    ran = run(two("ibeacon", "scan for='500ms'"))
    assert {e.fields["rssi_dbm"] for e in ran.of("heard")} == {-46}


@pytest.mark.parametrize("window", ["200ms", "1ms"])
def test_impossible_scan_window_is_said_in_words(window) -> None:
    ran = run(two("ibeacon", f"scan for='1s', interval='100ms', window='{window}'"))
    (failure,) = ran.result.failures
    assert "scan window" in failure
    assert "2.5 to 10240 ms" in failure


def test_scanning_again_replaces_the_scan_and_stopping_twice_is_harmless(tmp_path) -> None:
    body = """
@command
async def go(self):
    args = {"active": False, "interval_ms": 100, "window_ms": 100, "filter_duplicates": False}
    await self.ble.scan(self.count, **args)
    await asyncio.sleep(1)
    first = self.reports
    await self.ble.scan(self.count, **args)
    await asyncio.sleep(1)
    self.emit("counted", first=first, second=self.reports - first)
    await self.ble.stop_scan()
    await self.ble.stop_scan()
    before = self.reports
    await asyncio.sleep(1)
    self.emit("after", more=self.reports - before)
"""
    ran = with_phone(tmp_path, body, "go")
    (counted,) = ran.of("counted")
    assert 7 <= counted.fields["first"] <= 11
    assert 7 <= counted.fields["second"] <= 11
    assert ran.of("after")[0].fields["more"] == 0


# Connecting


def test_timeout_really_cancels(tmp_path) -> None:
    body = """
@command
async def go(self):
    for attempt in range(2):
        before = self.now_us
        try:
            await self.link(timeout_us=700_000)
        except TimeoutError:
            self.emit("timed_out", after_us=self.now_us - before)
@command
async def again(self):
    link = await self.link()
    self.emit("linked", up=link.connected)
    await link.disconnect()
"""
    text = two("thermometer", "go\nagain", phone="ph.py", duration="30s")
    text = text.replace('accessory = "thermometer"', 'accessory = "thermometer"\npower = "4s"')
    text = text.replace('do = "again"', 'do = "again"\nat = "6s"').replace(
        "[2.0, 0.0]", "[2.0, 0.0]"
    )
    late = phone(body).replace("self.place.address_of(node)", '"c0:11:22:33:44:55 random"')
    text = text.replace(
        'set = {  }\n\n[[node]]\nname = "ph"',
        'set = { address = "c0:11:22:33:44:55" }\n\n[[node]]\nname = "ph"',
    )
    ran = run(text, tmp_path, ph=late)
    waits = [e.fields["after_us"] for e in ran.of("timed_out")]
    assert len(waits) == 2
    assert all(700_000 <= wait < 720_000 for wait in waits)
    # the accessory appears at 4 s and advertises: nobody connects until asked again at 6 s
    assert [e.t_us >= 6_000_000 for e in ran.of("connected", "dev")] == [True]
    assert [e.fields["up"] for e in ran.of("linked")] == [True]


def test_who_is_not_connectable_is_never_connected(tmp_path) -> None:
    ran = run(two("ibeacon", "scan for='500ms'\nconnect to='dev', timeout='2s'?"))
    assert not ran.of("connected")
    assert not ran.of("connect_ind")
    (event,) = ran.of("connect_timeout")
    assert "not connectable" in event.note


def test_connection_parameters_are_the_phones_on_both_sides() -> None:
    text = two("thermometer", "connect to='dev'\nwait for='500ms'").replace(
        'phone = "generic"',
        'phone = "generic"\nset = { connection_interval_ms = 48.75, supervision_timeout_ms = 2000 }',
    )
    ran = run(text)
    both = ran.of("connected", layer="ble")
    assert [e.node for e in both] == ["dev", "ph"]
    for event in both:
        assert event.fields == {"interval_ms": 48.75, "latency": 0, "timeout_ms": 2000}


def test_missed_connect_request_is_tried_again() -> None:
    """Half of all packets are lost, so some CONNECT_IND are missed; over a few seeds each phone gets there."""
    retried = []
    for seed in range(1, 7):
        text = two("thermometer", "connect to='dev', timeout='25s'", duration="60s")
        ran = run(
            text.replace('title = "t"', f'title = "t"\nair = {{ loss = 0.5 }}\nseed = {seed}')
        )
        assert not ran.result.failures
        assert len(ran.of("connected", "ph", "phone")) == 1
        retried += ran.of("connect_failed", "ph")
    assert retried
    assert {e.fields["reason"] for e in retried} == {0x3E}


# Links


def test_link_loss_calls_back_and_what_waits_is_told(tmp_path) -> None:
    body = """
@command
async def go(self):
    link = await self.link()
    table = await link.discover()
    handle = next(one.handle for one in table if one.uuid == "2a19")
    self.emit("value", hex=(await link.read(handle)).hex())
    try:
        while True:
            await link.read(handle)
            await asyncio.sleep(0.4)
    except LinkError as exc:
        self.emit("told", note=str(exc), up=link.connected)
    try:
        await link.read(handle)
    except LinkError as exc:
        self.emit("told", note=str(exc), up=link.connected)
    await link.disconnect()
"""
    text = (
        two("thermometer", "go", phone="ph.py")
        + '\n[[step]]\nnode = "dev"\ndo = "reboot"\nat = "3s"\n'
    )
    ran = run(text, tmp_path, ph=phone(body))
    assert not ran.result.failures
    assert [e.fields["hex"] for e in ran.of("value")] == ["50"]
    assert [e.fields["reason"] for e in ran.of("lost")] == [0x08]
    told = ran.of("told")
    assert len(told) == 2
    assert all("the connection to dev is gone (0x08 connection timeout" in e.note for e in told)
    assert [e.fields["up"] for e in told] == [False, False]
    assert told[0].t_us == ran.of("lost")[0].t_us


NOTIFIER = """
from sim.accessories import Accessory
from sim.gatt import Advert, Characteristic, Service
class Dev(Accessory):
    def services(self):
        return (Service(uuid="fff0", characteristics=(Characteristic(uuid="fff1", properties=("notify",)),)),)
    async def start(self):
        await self.ble.advertise(Advert())
    def on_subscribe(self, peer, characteristic, mode):
        if mode == "notify":
            self.background(self.burst())
    async def burst(self):
        for n in range(5):
            await self.ble.notify("fff1", bytes((n,)))
ACCESSORY = Dev
"""


def test_notifications_that_overtake_the_answer_are_not_lost(tmp_path) -> None:
    ran = run(
        two("dev.py", "connect to='dev'\nsubscribe uuid='fff1'\nwait for='1s'"),
        tmp_path,
        dev=NOTIFIER,
    )
    assert [e.fields["value_hex"] for e in ran.of("notification", "ph")] == [
        "00",
        "01",
        "02",
        "03",
        "04",
    ]


def test_notification_in_front_of_the_write_response_reaches_the_callback(tmp_path) -> None:
    """The order on the link is forced: the server notifies inside the CCCD write."""
    source = NOTIFIER.replace(
        "self.background(self.burst())",
        """stack = self.ble._stack
            handle = next(h for h, u in stack.trace.local.items() if u == "fff1")
            stack.device.send_l2cap_pdu(peer.handle, 4, bytes((0x1B, handle, 0, 0x77)))""",
    )
    ran = run(
        two("dev.py", "connect to='dev'\nsubscribe uuid='fff1'\nwait for='1s'"),
        tmp_path,
        dev=source,
    )
    (early,) = ran.of("notification", "ph")
    (answered,) = ran.of("subscribed", "ph")
    assert early.fields["value_hex"] == "77"
    assert early.seq < answered.seq


def test_discovery_finds_services_characteristics_and_properties(tmp_path) -> None:
    body = """
@command
async def go(self):
    link = await self.link()
    for one in await link.discover():
        self.emit("found", service=one.service, uuid=one.uuid, properties=list(one.properties))
"""
    ran = with_phone(tmp_path, body, "go")
    found = {
        (e.fields["service"], e.fields["uuid"]): e.fields["properties"] for e in ran.of("found")
    }
    assert found["1809", "2a1c"] == ["indicate"]
    assert found["180f", "2a19"] == ["read"]
    assert found["180a", "2a29"] == ["read"]
    assert found["1800", "2a00"] == ["read"]


def test_128_bit_uuids_are_written_with_dashes() -> None:
    ran = run(two("eddystone_beacon", "connect to='dev'\ndiscover", settings="connectable = true"))
    (event,) = ran.of("discovered", "ph")
    assert "a3c87500-8ed3-4bdf-8a39-a01bebede295" in event.fields["services"]


def test_several_connections_at_once(tmp_path) -> None:
    text = two(
        "thermometer",
        "connect to='dev'\nconnect to='two'\nread uuid='2a19', peer='dev'\nread uuid='2a24', peer='two'",
    )
    text += '\n[[node]]\nname = "two"\naccessory = "thermometer"\nat = [0.0, 3.0]\nset = { model = "X" }\n'
    ran = run(text)
    assert not ran.result.failures
    assert [(e.peer, e.fields["value"]) for e in ran.of("read", "ph")] == [
        ("dev", {"battery_pct": 80}),
        ("two", {"text": "X"}),
    ]


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        (
            "def bad(self, report):\n    raise KeyError('boom')\n@command\nasync def go(self):\n"
            "    await self.ble.scan(self.bad, active=False, interval_ms=50, window_ms=50, filter_duplicates=False)\n"
            "    await asyncio.sleep(1)",
            "go",
        ),
        (
            "def bad(self, reason):\n    raise KeyError('boom')\n@command\nasync def go(self):\n"
            "    address, _, kind = self.place.address_of('dev').partition(' ')\n"
            "    link = await self.ble.connect(address, kind, 5_000_000, self.bad)\n    await link.disconnect()",
            "go",
        ),
        (
            "def bad(self, value):\n    raise KeyError('boom')\n@command\nasync def go(self):\n"
            "    link = await self.link()\n    table = await link.discover()\n"
            "    handle = next(one.handle for one in table if one.uuid == '2a1c')\n"
            "    await link.subscribe(handle, self.bad, indicate=True)\n    await asyncio.sleep(3)",
            "go",
        ),
        ("@command\nasync def go(self):\n    raise KeyError('boom')", "go"),
    ],
    ids=["report", "disconnection", "value", "command"],
)
def test_exception_of_the_users_phone_ends_the_run_with_file_and_line(
    tmp_path, body, steps
) -> None:
    with pytest.raises(NodeError, match=r"ph at [0-9.]+ s: .*KeyError: 'boom' .*ph\.py:\d+"):
        with_phone(tmp_path, body, steps)
