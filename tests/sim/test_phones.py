"""The neutral phone: what it reports of what it hears, what its commands say when they fail."""

from __future__ import annotations

import re

import pytest

from protocols.errors import ScenarioError
from sim.phones import PHONES, Phone, PhoneSettings, Report
from sim.phones._heard import HeardBook, Payload
from tests.sim.worlds import run, two, world


def report(
    address: str, data: str = "", *, connectable: bool = True, rssi_dbm: int | None = -50
) -> Report:
    """A report as the central gives it."""
    return Report(
        address=address,
        address_type="random",
        rssi_dbm=rssi_dbm,
        data=bytes.fromhex(data),
        connectable=connectable,
        scannable=True,
        directed=False,
        scan_response=False,
        legacy=True,
        t_us=0,
    )


@pytest.mark.parametrize("name", PHONES.names())
def test_every_phone_is_documented(name) -> None:
    model = PHONES.get(name)
    assert issubclass(model, Phone)
    assert issubclass(model.Settings, PhoneSettings)
    assert "confidence" in model.about
    for info in model.commands().values():
        assert info.about, info.name


def test_commands_are_shown_as_users_write_them() -> None:
    commands = PHONES.get("generic").commands()
    assert commands["scan"].parameters["for"].endswith("= None")
    assert commands["connect"].parameters["timeout"] == "Duration = '10s'"
    assert {"scan", "stop_scan", "wait_for", "wait", "connect", "discover", "read", "write", "subscribe",
            "unsubscribe", "disconnect"} <= set(commands)  # fmt: skip


# What is heard


def test_payload_names_every_format_in_it() -> None:
    run_ = "020106" + "0303aafe" + "1116aafe20000be680000339ffa229bbce8a"
    payload = Payload(bytes.fromhex(run_))
    assert payload.formats == ["eddystone"]
    assert payload.kinds == ["eddystone tlm"]
    assert payload.decoded["eddystone"]["temperature_c"] is None
    assert not payload.wrong
    two_formats = "0e16f0ff36021892dc0d3015aeb164" + "0503aafef0ff" + "0b09" + b"FSC-BP105N".hex()
    payload = Payload(bytes.fromhex(two_formats))
    assert payload.formats == ["feasycom"]
    assert payload.local_name == "FSC-BP105N"


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ("0201060303aafe0816aafe20000be680", ["eddystone: frame_length"]),
        ("020106ff", ["ad: ad_length_overrun"]),
        ("1aff4c0002150102030405060708090a0b0c0d0e0f10000100", ["ad: "]),
    ],
)
def test_what_is_wrong_is_said_and_not_decoded(data, wrong) -> None:
    payload = Payload(bytes.fromhex(data))
    assert [text.startswith(start) for text, start in zip(payload.wrong, wrong, strict=True)] == [
        True
    ]
    assert not payload.decoded
    assert payload.named["wrong"] == payload.wrong


def test_unknown_structures_and_no_data_are_no_fault() -> None:
    assert Payload(b"").note == "no data"
    payload = Payload(bytes.fromhex("05ff3412aabb" + "0416cdab01"))
    assert not payload.wrong
    assert not payload.formats
    assert payload.note == "11 octets"


def test_each_distinct_payload_is_decoded_once(monkeypatch) -> None:
    made = []
    monkeypatch.setattr(
        "sim.phones._heard.Payload", lambda data, own: made.append(data) or Payload(data, own)
    )
    book = HeardBook()
    for _ in range(50):
        book.add("a", report("c0:00:00:00:00:01", "020106"))
        book.add("b", report("c0:00:00:00:00:02", "020106"))
        book.add("b", report("c0:00:00:00:00:02", "02010a"))
    assert made == [bytes.fromhex("020106"), bytes.fromhex("02010a")]


def test_book_finds_the_latest_connectable_advertiser_by_any_name() -> None:
    book = HeardBook()
    named = "0409" + b"abc".hex()
    book.add("node", report("c0:00:00:00:00:01", named))
    book.add("node", report("c0:00:00:00:00:02", connectable=False))
    for what in ("node", "NODE", "abc", "ABC", "c0:00:00:00:00:01"):
        found = book.find(what)
        assert found is not None
        assert found.report.address == "c0:00:00:00:00:01", what
    assert book.find("c0:00:00:00:00:02") is not None
    book.add("node", report("c0:00:00:00:00:03"))
    latest = book.find("node")
    assert latest is not None
    assert latest.report.address == "c0:00:00:00:00:03"
    assert book.find("nobody") is None


def test_name_from_the_scan_response_stays_with_the_advertiser() -> None:
    book = HeardBook()
    book.add("n", report("c0:00:00:00:00:01", "0409" + b"abc".hex()))
    book.add("n", report("c0:00:00:00:00:01", "020106"))
    assert book.find("abc") is not None


def test_heard_event_has_all_there_is_to_know() -> None:
    ran = run(two("ibeacon", "scan for='300ms'", settings="minor = 9"))
    event = ran.of("heard")[0]
    assert event.peer == "dev"
    assert event.layer == "phone"
    assert event.data is not None
    assert event.data[:3].hex() == "020106"
    assert event.fields["often"] is True
    assert event.fields["rssi_dbm"] == -46
    assert event.fields["formats"] == ["ibeacon"]
    assert event.fields["decoded"]["ibeacon"]["minor"] == 9
    assert (
        event.fields["connectable"],
        event.fields["scannable"],
        event.fields["scan_response"],
    ) == (False, False, False)


# Commands


def failure(
    steps: str, accessory: str = "thermometer", settings: str = "", base=None, **files
) -> str:
    """The one failure of a run."""
    (text,) = run(two(accessory, steps, settings=settings), base, **files).result.failures
    return text


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("read uuid='2a19'", "ph is not connected"),
        ("disconnect", "ph is not connected"),
        ("connect to='nobody'", "unknown node on the air 'nobody'; known: dev, ph"),
        ("connect to='c0:de:c0:de:c0:de', timeout='1s'", "nobody connectable answered within 1 s"),
        ("connect to='dev'\nread uuid='1234'", "unknown characteristic of dev '1234'"),
        ("connect to='dev'\nread uuid='2a19', peer='x'", "unknown connection of ph 'x'"),
        ("connect to='dev'\nwrite uuid='2a19', hex='zz'", "hex: 'zz' is not hexadecimal"),
        ("connect to='dev'\nsubscribe uuid='2a1c', mode='x'", "write auto, notify or indicate"),
        ("connect to='dev'\nsubscribe uuid='2a19'", "no CCCD"),
        ("wait_for what='nobody', timeout='1s'", "waited 1 s for nobody, in vain"),
        ("wait_for what='nobody', timeout='1s'", "in vain; nobody was heard"),
        ("connect to='dev'\nwait_for what='notification', timeout='2s'", "in vain"),
    ],
)
def test_failing_commands_say_why(steps, words) -> None:
    assert words in failure(steps)


@pytest.mark.parametrize(
    ("phone", "look"),
    [
        ("generic", "scan\nwait_for what='Lamp', timeout='5s'"),
        ("ios", "app_scan\nwait_discovered what='Lamp', timeout='5s'"),
    ],
)
def test_who_looks_in_vain_is_told_who_was_heard_instead(phone, look) -> None:
    (text,) = run(two("thermometer", look, phone=phone)).result.failures
    assert re.search(r'; heard: dev [0-9a-f:]{17} "Thermometer", -\d+ dBm$', text), text


def test_of_many_that_were_heard_the_strongest_are_named() -> None:
    book = HeardBook()
    for number, dbm in enumerate((-90, -40, None, -60, -50, -70)):
        address = f"c0:00:00:00:00:0{number}"
        book.add(address, report(address, rssi_dbm=dbm))
    assert book.told() == (
        "heard: c0:00:00:00:00:01 without a name, -40 dBm; c0:00:00:00:00:04 without a name, -50 dBm; "
        "c0:00:00:00:00:03 without a name, -60 dBm; c0:00:00:00:00:05 without a name, -70 dBm; 2 more"
    )


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("scan for=5", "write a number with a unit"),
        ("scan form='5s'", "unknown argument of ph.scan 'form'; did you mean for"),
        ("connect", "ph.connect needs to"),
        ("fly", "unknown command of ph 'fly'"),
        ("scan active=1", "scan: active: Expected `bool`"),
    ],
)
def test_wrong_steps_name_file_and_line_before_anything_runs(step, words) -> None:
    with pytest.raises(ScenarioError, match=r"^test\.toml:\d+: step\[0\]") as caught:
        world(two("ibeacon", step))
    assert words in str(caught.value)


def test_wait_for_returns_at_the_first_report_under_any_name() -> None:
    for what in ("dev", "Thermometer", "thermometer"):
        ran = run(two("thermometer", f"scan\nwait_for what='{what}'\nstop_scan"))
        assert not ran.result.failures
        assert ran.of("heard")[0].t_us == ran.of("step")[-1].t_us, what


def test_wait_for_a_format_and_for_values() -> None:
    ran = run(two("fsc_bp105n", "scan\nwait_for what='feasycom', timeout='3s'"))
    assert not ran.result.failures
    steps = "connect to='dev'\nsubscribe uuid='2a1c'\nwait_for what='indication'\nwait_for what='indication'\ndisconnect"
    ran = run(two("thermometer", steps))
    assert len(ran.of("indication", "ph")) == 2


def test_step_is_traced_as_control_and_not_mistaken_for_its_outcome() -> None:
    ran = run(two("thermometer", "connect to='dev'\nread uuid='2a1c'?"))
    assert not ran.of("read")
    assert [(e.layer, e.fields["label"]) for e in ran.of("step", "ph")] == [
        ("control", "connect"),
        ("control", "read"),
    ]
    (failed,) = ran.of("step_failed")
    assert failed.cause == ran.of("step", "ph")[1].seq


def test_each_att_message_is_traced_once_by_its_sender() -> None:
    steps = "connect to='dev'\ndiscover\nread uuid='2a19'\nsubscribe uuid='2a1c'\nwait_for what='indication'\nread uuid='2a1c'?\ndisconnect"
    ran = run(two("thermometer", steps))
    messages = [
        (e.node, e.event, e.fields["label"]) for e in ran.events if e.layer == "ble" and e.direction
    ]
    assert messages == [
        ("ph", "connect", "connect"),
        ("ph", "mtu_request", "MTU 517"),
        ("dev", "mtu_response", "MTU 517"),
        ("ph", "discover", "discover services"),
        ("ph", "read_request", "read Battery Level"),
        ("dev", "read_response", "Battery Level"),
        ("ph", "subscribe", "subscribe: indicate"),
        ("dev", "write_response", "written Client Characteristic Configuration"),
        ("dev", "indicate", "indicate Temperature Measurement"),
        ("ph", "confirm", "confirm"),
        ("ph", "read_request", "read Temperature Measurement"),
        ("dev", "att_error", "error: read not permitted"),
        ("ph", "disconnect", "disconnect"),
    ]
    assert all(e.direction == "tx" for e in ran.events if e.layer == "ble" and e.direction)
    (answer,) = ran.of("read_response")
    assert answer.fields["value"] == {"battery_pct": 80}
    assert answer.data == b"\x0b\x50"


def test_scan_goes_on_beside_a_connection() -> None:
    ran = run(
        two(
            "eddystone_beacon",
            "scan\nconnect to='dev'\nwait for='2s'\ndisconnect",
            settings="connectable = true",
        )
    )
    (up,) = (e.t_us for e in ran.of("connected", "dev"))
    assert [e for e in ran.of("heard") if e.t_us > up + 100_000]
