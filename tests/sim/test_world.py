"""Runs as a whole: causes, what the end cuts off, users' own code that fails, own formats, values that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

import protocols.ble.payloads
from protocols.errors import NearbenchError, ScenarioError, UsageError
from sim import scenario as scenarios
from sim.inspection import dissection_of
from sim.recording import Recorder
from sim.world import World

NEAR = """
title = "near"
duration = "2s"
[[node]]
name = "thermometer"
accessory = "thermometer"
at = [1.0, 0.0]
[[node]]
name = "phone"
phone = "generic"
"""


def step(do, **set_):
    arguments = ", ".join(f"{key.rstrip('_')} = {value}" for key, value in set_.items())
    return f'[[step]]\nnode = "phone"\ndo = "{do}"\nset = {{ {arguments} }}\n'


def run(text, base=None):
    """(result, events)."""
    world = World(scenarios.parse(text, base=base))
    events = []
    world.trace.add_sink(events.append)
    try:
        return world.run(), events
    finally:
        world.close()


def by_seq(events):
    return {event.seq: event for event in events}


def test_an_advert_heard_is_traced_to_its_packet():
    """heard <- HCI report <- packet on the air, and a scan response to the request it answers."""
    _, events = run(NEAR + step("scan"))
    known = by_seq(events)
    heard = next(e for e in events if e.event == "heard" and not e.fields["scan_response"])
    report = known[heard.cause]
    assert (report.layer, report.direction, report.node) == ("hci", "rx", "phone")
    packet = known[report.cause]
    assert (packet.layer, packet.event, packet.node) == ("air", "adv_ind", "thermometer")
    response = next(e for e in events if e.event == "scan_rsp")
    request = known[response.cause]
    assert (request.event, request.node) == ("scan_req", "phone")
    assert known[request.cause].event == "adv_ind"


def test_a_cause_is_earlier_and_never_of_the_future():
    _, events = run(
        NEAR + step("connect", to="'thermometer'") + step("read", uuid="'Battery Level'")
    )
    causes = [(event, by_seq(events)[event.cause]) for event in events if event.cause is not None]
    assert len(causes) > 30
    assert all(cause.seq < event.seq and cause.t_us <= event.t_us for event, cause in causes)
    read = next(event for event, _ in causes if event.event == "read")
    assert by_seq(events)[read.cause].layer == "hci"


def test_the_tree_of_an_event_is_decoded_on_demand():
    _, events = run(NEAR + step("scan"))
    air = dissection_of(next(e for e in events if e.event == "adv_ind"))
    assert air is not None
    assert air.error is None
    assert air.plain["pdu"] == "ADV_IND"
    hci = dissection_of(next(e for e in events if e.layer == "hci"))
    assert hci is not None
    assert hci.plain["name"] == "Reset"
    heard = dissection_of(next(e for e in events if e.event == "heard"))
    assert heard is not None
    assert heard.plain["flags"] == 6
    assert dissection_of(events[0]) is None


def test_steps_that_the_end_cuts_off_are_failures():
    result, _ = run(NEAR + step("scan", for_="'10s'") + step("connect", to="'thermometer'"))
    assert not result.passed
    assert result.failures == (
        "phone: step 'scan' (for = 10s) had not finished when the run ended",
        "phone: step 'connect' (to = thermometer) was not reached when the run ended",
    )


def test_a_step_that_may_fail_may_also_be_cut_off():
    text = NEAR + step("scan", for_="'10s'") + "may_fail = true\n"
    assert run(text)[0].passed


@pytest.mark.parametrize(
    ("expect", "part"),
    [
        ('peer = "thermometr"', "no node is called 'thermometr'"),
        ("where = { rssi_dbm = { mim = 3 } }", "'mim' is no comparison"),
        ("where = { rssi_dbm = { min = 3, most = 4 } }", "'most' is no comparison"),
        ('rule = "IB-999"', "unknown rule 'IB-999'"),
    ],
)
def test_an_expectation_that_cannot_be_meant_is_refused(expect, part):
    with pytest.raises(ScenarioError, match="expect") as caught:
        run(NEAR + f'[[expect]]\nevent = "heard"\n{expect}\n')
    assert part in str(caught.value)
    assert caught.value.line is not None


def test_things_that_cannot_be_compared_do_not_match():
    text = (
        NEAR + step("scan") + '[[expect]]\nevent = "heard"\nwhere = { local_name = { min = 3 } }\n'
    )
    assert not run(text)[0].passed


ACCESSORY = '''
import asyncio
from sim.accessories import Accessory
class Mine(Accessory):
    """Mine."""
    about = "me"
    async def start(self):
        {code}
ACCESSORY = Mine
'''


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(7)", "SystemExit"),
        ("asyncio.get_running_loop().call_later(.5, lambda: 1 / 0)", "ZeroDivisionError"),
        ("self.kept = asyncio.create_task(bad())", "ValueError"),
        ("asyncio.create_task(bad())", "ValueError"),
    ],
)
def test_what_a_users_accessory_raises_is_named_with_its_line(tmp_path, code, said):
    source = "async def bad():\n    raise ValueError('lost')\n" + ACCESSORY.format(code=code)
    (tmp_path / "mine.py").write_text(source)
    text = 'title = "t"\nduration = "2s"\n[[node]]\nname = "mine"\naccessory = "mine.py"\n'
    with pytest.raises(NearbenchError) as caught:
        run(text, tmp_path)
    assert said in str(caught.value)
    assert "mine.py:" in str(caught.value)


def test_a_file_that_exits_is_a_sentence(tmp_path):
    (tmp_path / "mine.py").write_text("import sys\nsys.exit(3)\n")
    text = 'title = "t"\nduration = "2s"\n[[node]]\nname = "mine"\naccessory = "mine.py"\n'
    with pytest.raises(ScenarioError, match=r"mine\.py:2: SystemExit: 3"):
        run(text, tmp_path)


def test_own_formats_are_sent_and_decoded(tmp_path):
    """A copy of a built-in format under another UUID, beside the scenario."""
    model = Path(protocols.ble.payloads.__file__).parent / "atc1441.py"
    source = (
        model.read_text()
        .replace('name="atc1441"', 'name="mine"')
        .replace("service_data/181a", "service_data/abcd")
    )
    (tmp_path / "mine.py").write_text(source)
    fields = 'mac = "a4:c1:38:40:52:38", temperature_c = 24.3, humidity_pct = 37, battery_pct = 85, battery_mv = 2975, counter = 222'
    text = (
        'title = "t"\nduration = "2s"\nformats = ["mine.py"]\n'
        f'[[node]]\nname = "dev"\naccessory = "custom"\nset = {{ advertising = [{{ format = "mine.py", fields = {{ {fields} }} }}] }}\n'
        '[[node]]\nname = "phone"\nphone = "generic"\n' + step("scan")
        + '[[expect]]\nevent = "heard"\npeer = "dev"\nwhere = { "decoded.mine.counter" = 222 }\n'
    )  # fmt: skip
    assert run(text, tmp_path)[0].passed
    with pytest.raises(ScenarioError, match="formats"):
        run(text.replace('formats = ["mine.py"]', 'formats = ["missing.py"]'), tmp_path)


def test_not_available_can_be_said_in_toml():
    fields = 'frame = "tlm", version = 0, battery_mv = 3046, temperature_c = "not available", adv_count = 1, uptime_s = 1'
    text = (
        'title = "t"\nduration = "2s"\n'
        f'[[node]]\nname = "dev"\naccessory = "custom"\nset = {{ advertising = [{{ format = "eddystone", fields = {{ {fields} }} }}] }}\n'
        '[[node]]\nname = "phone"\nphone = "generic"\n' + step("scan")
    )  # fmt: skip
    _, events = run(text)
    heard = next(e for e in events if e.event == "heard")
    assert heard.fields["decoded"]["eddystone"]["temperature_c"] is None


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ("tx_power_dbm = 9999", "tx_power_dbm"),
        ("temperature_c = nan", "temperature_c"),
        ("advertising_interval_ms = 0", "interval"),
        (f"local_name = '{'x' * 400}'", "local_name"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_line(setting, part):
    with pytest.raises(ScenarioError, match=part) as caught:
        run(NEAR.replace("at = [1.0, 0.0]", f"at = [1.0, 0.0]\n[node.set]\n{setting}"))
    assert caught.value.line is not None
    assert caught.value.line >= 8


@pytest.mark.parametrize("place", ["[nan, 0.0]", "[inf, 0.0]", "[0.0]"])
def test_nobody_stands_nowhere(place):
    with pytest.raises(ScenarioError, match="numbers"):
        run(NEAR.replace("[1.0, 0.0]", place))


def test_outputs_do_not_overwrite_each_other_or_the_scenario(tmp_path):
    file = tmp_path / "near.toml"
    file.write_text(NEAR)
    world = World(scenarios.load(str(file)))
    recorder = Recorder(world)
    try:
        recorder.capture(str(tmp_path / "a.pcapng"))
        with pytest.raises(UsageError, match="already"):
            recorder.capture(f"phone:{tmp_path / 'a.pcapng'}")
        with pytest.raises(UsageError, match="scenario itself"):
            recorder.jsonl(str(file), None)  # type: ignore[arg-type]  # never reached
    finally:
        recorder.close()
        world.close()
    assert file.read_text() == NEAR


def test_the_library_has_no_stray_files():
    """Everything a scenario names beside itself is there."""
    for name in scenarios.names():
        loaded = scenarios.load(name)
        for spec in loaded.node:
            clone = spec.set.get("clone")
            assert clone is None or (Path(loaded.base) / clone).is_file()
