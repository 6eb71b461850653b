"""What exports write: the same octets as the recorders of `run`, nothing masked by mistake, and no half of a file."""

from __future__ import annotations

import errno
import io
import json
import stat
import threading
import tomllib
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.capture import Packet, formats, open_reader
from protocols.errors import UsageError
from sim import scenario as scenarios
from sim.recording import Recorder
from sim.world import World
from tests.tui.exports import asked, hold, saved, session_of
from tui.cli import main
from tui.export import FORMS, Choice, form_of, plan_of
from tui.export.job import Job, Part
from tui.export.material import WHAT, Material, spread
from tui.export.paths import files_of, remark_on, target_of
from tui.export.toml import moved, scenario_toml, toml_value
from tui.session import Request, open_session

BESIDE_A_CROWD = """
title = "two beside a crowd"
duration = "1s"
[[node]]
name = "lock"
accessory = "lock"
at = [1, 0]
[[node]]
name = "phone"
phone = "generic"
[[crowd]]
name = "others"
count = 20
format = "ibeacon"
fields = { uuid = "fda50693-a4e2-4fb1-afcf-c6eb07647825", major = 1, minor = "{n}", measured_power_1m_dbm = -59 }
[[step]]
node = "phone"
do = "scan"
set = { for = "1s" }
"""
AWARE = """
title = "no Bluetooth"
duration = "1s"
[[node]]
name = "display"
accessory = "aware_display"
"""


def recorded(name, *targets, jsonl=""):
    """What `run` records of a scenario."""
    world = World(scenarios.load(name))
    recorder = Recorder(world)
    for target in targets:
        recorder.capture(target)
    if jsonl:
        recorder.jsonl(jsonl, io.BytesIO())
    world.run()
    recorder.close()
    world.close()


@pytest.fixture
def ended(tmp_path, monkeypatch):
    """A run that nobody had a hand in, at its end."""
    monkeypatch.chdir(tmp_path)
    session = session_of("passkey_lock", play=("none",))
    session.control.resume()
    assert session.control.wait("ended")
    session.pull()
    yield session
    session.close()


def test_all_of_the_air_and_of_one_nodes_hci_are_what_run_records(ended, tmp_path):
    recorded("passkey_lock", "air.pcapng", "lock:lock.btsnoop")
    for form, node, name in (("pcapng", "", "air.pcapng"), ("btsnoop", "lock", "lock.btsnoop")):
        ours = saved(Material(ended), tmp_path / f"ours{name}", what="all", form=form, node=node)
        assert ours.read_bytes() == (tmp_path / name).read_bytes()


def test_all_events_are_the_lines_of_run_jsonl(ended, tmp_path):
    recorded("passkey_lock", jsonl="run.jsonl")
    ours = saved(Material(ended), tmp_path / "ours.jsonl", what="all", form="jsonl").read_bytes()
    theirs = (tmp_path / "run.jsonl").read_bytes().splitlines()
    kept = [line for line in ours.splitlines() if b'"clock"' not in line]
    without_numbers = [
        [
            {key: value for key, value in json.loads(line).items() if key not in ("seq", "cause")}
            for line in lines
        ]
        for lines in (kept, theirs[:-1])  # the last one tells that the world was switched off
    ]
    assert without_numbers[0] == without_numbers[1]


def test_the_ladder_is_what_run_prints(ended, tmp_path, capsys):
    ours = saved(Material(ended), tmp_path / "ladder.txt", form="ladder").read_text(
        encoding="utf-8"
    )
    assert main(["run", "passkey_lock"]) == 0
    printed = capsys.readouterr().out.splitlines()
    different = [line for line in ours.splitlines() if line not in printed]
    assert [line for line in different if "events; air" not in line] == []
    assert len(printed) == len(ours.splitlines())


def test_what_is_shown_is_written_packet_by_packet(tmp_path):
    """Packets of a crowd are no events: the others must still find theirs."""
    (tmp_path / "own.toml").write_text(BESIDE_A_CROWD, encoding="utf-8")
    session = session_of(tmp_path / "own.toml", play=("none",))
    session.control.run_for(1_000_000)
    hold(session)
    session.packets.set_filter("from:lock && adv")
    session.packets.look(lambda: False)
    shown = [session.packets.event(row).data for row in range(len(session.packets))]
    material = Material(session)
    with saved(material, tmp_path / "some.pcapng").open("rb") as stream:
        packets = list(open_reader(stream, "some"))
    session.close()
    assert len(shown) > 5
    assert [packet.data[14:-3] for packet in packets] == shown
    assert {packet.comment.partition(";")[0] for packet in packets} == {"from lock"}
    assert material.kinds["all"]["air"] < material.air_end, "the crowd is in the air alone"


def test_marked_packets_and_what_pcapng_cannot_hold(ended, tmp_path):
    ended.packets.look(lambda: False)
    events = list(ended.source.span(ended.source.first, ended.source.end))
    chosen = [
        next(e for e in events if e.layer == layer and e.data) for layer in ("air", "hci", "ble")
    ]
    ended.packets.marks |= {event.seq for event in chosen}
    material = Material(ended)
    material.look(lambda: False)
    plan = plan_of(material, Choice(what="marked"))
    assert plan.records == 1
    assert plan.notes == ("Left out: 1 HCI packet and 1 protocol message; jsonl has them.",)
    lines = (
        saved(material, tmp_path / "marked.jsonl", what="marked", form="jsonl")
        .read_bytes()
        .splitlines()
    )
    assert [json.loads(line)["seq"] for line in lines] == sorted(event.seq for event in chosen)


def test_pins_are_dots_unless_asked_for(tmp_path):
    session = session_of("passkey_lock")
    pin = asked(session)
    session.control.answer("phone", pin).result(10)
    hold(session)
    material = Material(session)
    masked = saved(material, tmp_path / "masked.jsonl", what="all", form="jsonl")
    opened = saved(material, tmp_path / "opened.jsonl", what="all", form="jsonl", secrets=True)
    session.close()
    assert pin not in masked.read_text(encoding="utf-8")
    assert pin in opened.read_text(encoding="utf-8")
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600
    assert stat.S_IMODE(masked.stat().st_mode) != 0o600


def test_a_run_that_reveals_keeps_its_files_to_the_owner(tmp_path):
    session = session_of("passkey_lock", play=("none",), reveal=True)
    session.control.run_for(3_000_000)
    hold(session)
    material = Material(session)
    for form in ("pcapng", "btsnoop", "jsonl", "ladder"):
        path = saved(material, tmp_path / form, what="all", form=form, node="lock")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    session.close()


@pytest.mark.parametrize("what", ["shown", "all"])
def test_the_size_that_is_told_is_about_right(ended, tmp_path, what):
    """The beginning of a run is unlike its middle: what is told comes from all of it."""
    ended.packets.set_filter("!empty")
    ended.packets.look(lambda: False)
    material = Material(ended)
    material.look(lambda: False)
    for form in ("pcapng", "btsnoop", "jsonl"):
        plan = plan_of(material, Choice(what=what, form=form, node="phone"))
        size = saved(material, tmp_path / form, what=what, form=form, node="phone").stat().st_size
        assert plan.octets == pytest.approx(size, rel=0.1), form


@given(st.integers(0, 5000), st.integers(1, 300))
def test_what_a_size_is_told_from_comes_from_everywhere(whole, most):
    found = list(spread(range(7, 7 + whole), most))
    assert found == sorted(set(found))
    assert len(found) <= most
    assert whole > most or len(found) == whole
    assert all(7 <= position < 7 + whole for position in found)
    gaps = [after - before for before, after in pairwise([6, *found, 7 + whole])]
    assert max(gaps) <= 3 * whole / most + 2


def test_a_run_without_bluetooth_has_no_hci(tmp_path):
    (tmp_path / "own.toml").write_text(AWARE, encoding="utf-8")
    session = session_of(tmp_path / "own.toml", play=("none",))
    session.control.run_for(500_000)
    hold(session)
    material = Material(session)
    material.look(lambda: False)
    plan = plan_of(material, Choice(what="all", form="btsnoop"))
    session.close()
    assert "no HCI" in plan.refusal


# Captures


def capture_of(path, link_type, number):
    with path.open("wb") as stream:
        writer = formats()["pcapng"].writer(stream)
        for n in range(number):
            data = (
                bytes.fromhex("01030c00")
                if link_type == 187
                else bytes(10) + bytes.fromhex("d6be898e0201aabbcc")
            )
            way = "sent" if link_type == 187 else None
            writer.write(
                Packet(n + 1, 1_000_000 + n, link_type, data, len(data) + 3, way, "if0", f"n{n}")
            )
    session = open_session(Request(what=str(path)))
    while not session.source.done:
        pass
    return session


def test_a_capture_keeps_what_its_packets_had(tmp_path):
    session = capture_of(tmp_path / "in.pcapng", 256, 1500)
    session.packets.marks |= {3, 700, 701}
    material = Material(session)
    assert material.counted
    for what, wanted in (("all", list(range(1500))), ("marked", [2, 699, 700])):
        path = saved(material, tmp_path / f"{what}.pcapng", what=what)
        with path.open("rb") as stream:
            packets = list(open_reader(stream, what))
        assert [packet.comment for packet in packets] == [f"n{n}" for n in wanted]
        assert all(packet.original_length == len(packet.data) + 3 for packet in packets)
        assert packets[0].t_us == 1_000_000 + wanted[0]
    assert (tmp_path / "all.pcapng").read_bytes() == (tmp_path / "in.pcapng").read_bytes()
    lines = (
        saved(material, tmp_path / "x.jsonl", what="all", form="jsonl").read_bytes().splitlines()
    )
    assert len(lines) == 1500
    session.close()


def test_a_capture_of_the_air_is_no_btsnoop_and_has_no_ladder(tmp_path):
    session = capture_of(tmp_path / "in.pcapng", 256, 5)
    material = Material(session)
    for form, part in (("btsnoop", "take"), ("ladder", "no run"), ("test", "no run")):
        refusal = plan_of(material, Choice(what="all", form=form)).refusal
        assert part in refusal, refusal
    session.close()


def test_hci_of_a_capture_becomes_btsnoop(tmp_path):
    session = capture_of(tmp_path / "in.pcapng", 187, 5)
    path = saved(Material(session), tmp_path / "out.btsnoop", what="all", form="btsnoop")
    with path.open("rb") as stream:
        assert [packet.data for packet in open_reader(stream, "out")] == [
            bytes.fromhex("01030c00")
        ] * 5
    session.close()


@pytest.mark.parametrize("form", [form.name for form in FORMS if form.chooses])
def test_nothing_to_write_is_said(tmp_path, form):
    session = capture_of(tmp_path / "in.pcapng", 187, 2)
    assert "nothing" in plan_of(Material(session), Choice(what="marked", form=form)).refusal
    session.close()


# Writing


def lines(number, step=lambda n: None):
    def write(stream, tell):
        for n in range(number):
            step(n)
            tell(n)
            stream.write(b"line\n")
        return number

    return write


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path):
    def full(n):
        if n == 5:
            raise OSError(errno.ENOSPC, "No space left on device")

    job = Job([Part(tmp_path / "a", lines(3)), Part(tmp_path / "b", lines(9, full))], private=False)
    job.start()
    assert job.wait()
    assert "No space left on device" in job.error
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_export_leaves_nothing_and_no_thread(tmp_path):
    (tmp_path / "a").write_bytes(b"before")
    begun, go_on = threading.Event(), threading.Event()

    def slow(n):
        begun.set()
        go_on.wait(10)

    job = Job([Part(tmp_path / "a", lines(1_000_000, slow))], private=False, overwrite=True)
    job.start()
    assert begun.wait(10)
    threading.Timer(0.05, go_on.set).start()
    job.cancel()
    assert (job.done, job.cancelled, job.error) == (True, True, "")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a", b"before")]


def test_nothing_is_overwritten_that_came_to_exist_meanwhile(tmp_path):
    def meanwhile(n):
        (tmp_path / "a").write_bytes(b"theirs")

    job = Job([Part(tmp_path / "a", lines(3, meanwhile))], private=False)
    job.start()
    assert job.wait()
    assert "come to exist" in job.error
    assert (tmp_path / "a").read_bytes() == b"theirs"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", "give the file a name"),
        ("a\x1b[2Jb", "cannot be seen"),
        ("nowhere/at/all.pcapng", "no folder"),
        (".", "is a folder"),
        ("in.pcapng", "read from it"),
    ],
)
def test_names_that_cannot_be(tmp_path, monkeypatch, name, part):
    monkeypatch.chdir(tmp_path)
    session = capture_of(tmp_path / "in.pcapng", 187, 2)
    with pytest.raises(UsageError, match=part):
        target_of(name, session)
    session.close()


@pytest.mark.parametrize(
    ("name", "form", "part"),
    [
        ("a.txt", "pcapng", ".pcapng"),
        ("a", "btsnoop", ".btsnoop"),
        ("a.pcapng", "ladder", ".txt"),
        ("lock.py", "test", "test_NAME.py"),
        ("test_lock", "test", "test_NAME.py"),
        ("a.PCAPNG", "pcapng", ""),
        ("over/there/a.jsonl ", "jsonl", ""),
        ("ladder.md", "ladder", ""),
        ("~/test_lock.py", "test", ""),
        ("", "pcapng", ""),
    ],
)
def test_a_name_that_says_another_format_is_remarked_on(name, form, part):
    said = remark_on(name, form_of(form))
    assert (part in said) if part else said == ""


def test_two_files_of_one_name_are_refused(ended, tmp_path):
    """The scenario of a test takes the suffix .toml: it would replace a test of that name."""
    material = Material(ended)
    material.look(lambda: False)
    plan = plan_of(material, Choice(form="test"))
    with pytest.raises(UsageError, match=r"\.py"):
        files_of(plan, tmp_path / "test_lock.toml")
    assert len(files_of(plan, tmp_path / "test_lock.py")) == 2


def test_every_choice_has_a_count(ended):
    material = Material(ended)
    material.look(lambda: True)
    material.look(lambda: False)
    assert material.counted
    assert material.count("all") == ended.packets.total or material.count("all") > 0
    assert set(material.kinds) == set(WHAT)
    assert sorted(material.nodes) == ["lock", "phone"]


def bare(scenario):
    return msgspec.structs.replace(scenario, base="", file="", text="")


def test_every_scenario_reads_as_it_was_written():
    for name in scenarios.names():
        scenario = scenarios.load(name)
        assert bare(scenarios.parse(scenario_toml(scenario, ["a", "b"]))) == bare(scenario), name


def test_files_that_a_scenario_names_are_found_from_anywhere(tmp_path):
    text = scenario_toml(moved(scenarios.load("clone_and_custom")))
    World(scenarios.parse(text, base=tmp_path)).close()
    assert str(scenarios.LIBRARY) in text


VALUES = st.recursive(
    st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_toml_reads_what_was_written(value):
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}
