"""`nearbench run`, `demo`, `list`, `show`, `verify`, `convert`, `doctor` as users call them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.capture import open_reader, writer_for
from tests.judges import judge
from tui.cli import main

SCENARIO = """title = "one phone, one beacon"
duration = "3s"
[[node]]
name = "beacon"
accessory = "ibeacon"
at = [{metres}, 0.0]
[[node]]
name = "phone"
phone = "generic"
[[step]]
node = "phone"
do = "scan"
[[expect]]
node = "phone"
event = "heard"
peer = "beacon"
at_least = 3
why = "the beacon is in reach"
"""


@pytest.fixture
def near(tmp_path):
    file = tmp_path / "near.toml"
    file.write_text(SCENARIO.format(metres="1.0"))
    return str(file)


@pytest.fixture
def far(tmp_path):
    file = tmp_path / "far.toml"
    file.write_text(SCENARIO.format(metres="99000.0"))
    return str(file)


def call(capsys, *words):
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def test_the_expectation_decides_the_status(near, far, capsys):
    status, out, _ = call(capsys, "run", near)
    assert (status, out.splitlines()[-1]) == (0, "PASSED")
    status, out, _ = call(capsys, "run", far)
    assert (status, out.splitlines()[-1]) == (1, "FAILED")
    assert "the beacon is in reach" in out


def test_json_is_one_document(far, capsys):
    status, out, err = call(capsys, "run", far, "--json")
    found = json.loads(out)
    assert (status, err) == (1, "")
    assert found["passed"] is False
    assert found["expectations"][0]["seen"] == 0
    assert found["simulated_us"] == 3_000_000


def test_the_trace_on_stdout_is_json_lines_only(near, capfdbinary):
    status = main(["run", near, "--jsonl", "-"])
    out, err = capfdbinary.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, b"")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {"air", "hci", "phone"} <= {event["layer"] for event in events}


def test_options_reach_the_run(near, capsys):
    status, out, _ = call(capsys, "run", near, "--for", "100ms", "--json")
    assert (status, json.loads(out)["simulated_us"]) == (1, 100_000)
    status, out, _ = call(capsys, "run", near, "--seed", "7", "--json")
    assert json.loads(out)["seed"] == 7
    status, out, _ = call(capsys, "run", near, "--set", "beacon.major=77", "--jsonl", "-")
    assert status == 0


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["run", "no_such_scenario"], "unknown scenario"),
        (["run", "missing.toml"], "missing.toml"),
        (["run", "{near}", "--set", "beacon"], "node.key=value"),
        (["run", "{near}", "--set", "nobody.x=1"], "nobody"),
        (["run", "{near}", "--set", "beacon.nothing=1"], "nothing"),
        (["run", "{near}", "--for", "3"], "--for"),
        (["run", "{near}", "--speed", "slow"], "--speed"),
        (["run", "{near}", "--speed", "-1"], "--speed"),
        (["run", "{near}", "--capture", "x.txt"], "x.txt"),
        (["run", "{near}", "--capture", "x.btsnoop"], "NODE:"),
        (["run", "{near}", "--capture", "/no/such/folder/x.pcapng"], "x.pcapng"),
        (["run", "{near}", "--jsonl", "/no/such/folder/x"], "/no/such/folder/x"),
        (["list", "scenery"], "scenarios"),
        (["show", "accessory", "thermo"], "thermometer"),
        (["show", "scenario", "demoo"], "demo"),
        (["verify", "missing.json"], "missing.json"),
        (["convert", "missing.pcap", "x.pcapng"], "missing.pcap"),
        (["demo", "--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_status_2(
    words, part, near, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    status, _, err = call(capsys, *[word.replace("{near}", near) for word in words])
    assert status == 2
    assert part in err
    assert len(err.splitlines()) == 1


def test_captures_are_read_by_wireshark_and_by_us(near, capsys, tmp_path):
    """The air as link-layer packets, the phone's HCI as btsnoop: nothing malformed, the strength the phone heard."""
    tshark = judge("tshark")
    air, hci = tmp_path / "air.pcapng", tmp_path / "phone.btsnoop"
    assert main(["run", near, "--capture", str(air), "--capture", f"phone:{hci}"]) == 0
    capsys.readouterr()
    fields = ["-T", "fields", "-e", "btle_rf.signal_dbm", "-e", "btle.advertising_header.pdu_type"]
    done = subprocess.run(
        [tshark, "-n", "-r", str(air), *fields], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) >= 6
    assert {int(row[1], 0) for row in rows} == {2}
    assert {row[0] for row in rows if row[0]} == {"-40", "0"} or {row[0] for row in rows} == {"-40"}
    for file in (air, hci):
        bad = subprocess.run(
            [tshark, "-n", "-r", str(file), "-Y", "_ws.malformed"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert bad.stdout == ""
        status, out, _ = call(capsys, "decode", str(file))
        assert status == 0
        count = subprocess.run(
            [tshark, "-n", "-r", str(file)], capture_output=True, text=True, check=True
        )
        assert len(out.splitlines()) == len(count.stdout.splitlines())


def test_btmon_reads_the_hci_of_a_node(near, capsys, tmp_path):
    btmon = judge("btmon")
    hci = tmp_path / "phone.btsnoop"
    main(["run", near, "--capture", f"phone:{hci}"])
    done = subprocess.run([btmon, "-r", str(hci)], capture_output=True, text=True, check=True)
    assert "LE Set Extended Scan Enable" in done.stdout or "LE Set Scan Enable" in done.stdout
    assert "LE" in done.stdout
    assert "invalid packet size" not in done.stdout


def _is_read_by_type(packet, types=(0x2803, 0x2902)):
    """Whether an HCI packet of H4 holds an ATT Read By Type Request for one of these types."""
    data = packet.data
    attribute = int.from_bytes(data[-2:], "little")
    return data[:1] == b"\x02" and data[7:10] == b"\x04\x00\x08" and attribute in types


@pytest.mark.parametrize("node", ["lock", "phone"])
def test_the_hci_of_a_whole_pairing_is_read_by_others(node, capsys, tmp_path):
    """tshark reads all of it; btmon too, but for the requests on which btmon 5.66 crashes whoever wrote them."""
    hci, without = tmp_path / "all.btsnoop", tmp_path / "without.btsnoop"
    assert main(["run", "passkey_lock", "--capture", f"{node}:{hci}"]) == 0
    with hci.open("rb") as stream:
        packets = list(open_reader(stream, hci.name))
    command = [judge("tshark"), "-n", "-r", str(hci), "-T", "fields", "-e", "_ws.malformed"]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert rows == [""] * len(packets)
    with without.open("wb") as stream:
        writer = writer_for(without.name)(stream)
        kept = [packet for packet in packets if not _is_read_by_type(packet)]
        for packet in kept:
            writer.write(packet)
        writer.finish()
    command = [judge("btmon"), "-r", str(without)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"^[<>] (HCI|ACL)", told, re.MULTILINE)) == len(kept)
    assert 0 < len(packets) - len(kept) < 20
    assert "Pairing Confirm" in told


def test_demo_without_a_terminal(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = call(capsys, "demo")
    assert (status, out.splitlines()[-1]) == (0, "PASSED")
    assert "nearbench-demo.pcapng" in out
    assert (tmp_path / "nearbench-demo.pcapng").stat().st_size > 1000
    assert max(map(len, out.splitlines())) <= 80 or "..." not in out


@pytest.mark.parametrize("kind", ["scenarios", "accessories", "phones", "formats"])
def test_everything_listed_can_be_shown(kind, capsys):
    status, out, _ = call(capsys, "list", kind, "--json")
    rows = json.loads(out)
    assert status == 0
    assert rows
    for row in rows:
        assert row["name"]
        assert row["title"]
        status, out, _ = call(capsys, "show", kind, row["name"], "--json")
        assert status == 0
        assert json.loads(out)["name"] == row["name"]


def test_every_setting_is_explained(capsys):
    for kind in ("accessories", "phones"):
        for row in json.loads(call(capsys, "list", kind, "--json")[1]):
            details = json.loads(call(capsys, "show", kind, row["name"], "--json")[1])
            assert all(setting["about"] for setting in details["settings"]), row["name"]
            assert all(info["about"] for info in details["commands"]), row["name"]
            assert details["source"], row["name"]


def test_verify_says_what_differs(capsys, tmp_path):
    vectors = Path(__file__).parents[1] / "vectors" / "ble-adverts.json"
    status, out, _ = call(capsys, "verify", str(vectors))
    assert status == 0
    assert "ok" in out
    wrong = json.loads(vectors.read_text())
    tlm = next(v for v in wrong["vectors"] if v["name"] == "eddystone-tlm-19c")
    tlm["expected"]["battery_mv"] = 1
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(wrong))
    status, out, _ = call(capsys, "verify", str(file))
    assert status == 1
    assert "eddystone-tlm-19c" in out
    status, out, _ = call(capsys, "verify", str(file), "--json")
    checks = json.loads(out)["files"][0]["checks"]
    assert {c["name"].split(":")[0] for c in checks if not c["ok"]} == {"eddystone-tlm-19c"}
    (tmp_path / "empty.json").write_text('{"vectors": []}')
    assert call(capsys, "verify", str(tmp_path / "empty.json"))[0] == 1


def test_convert_keeps_packets_and_filters(near, capsys, tmp_path):
    hci, copy, part = tmp_path / "phone.btsnoop", tmp_path / "phone.pcapng", tmp_path / "part.pcap"
    main(["run", near, "--capture", f"phone:{hci}"])
    capsys.readouterr()
    assert call(capsys, "convert", str(hci), str(copy))[0] == 0
    assert call(capsys, "decode", str(hci), "--jsonl")[1].count("\n") == call(
        capsys, "decode", str(copy), "--jsonl"
    )[1].count("\n")
    assert call(capsys, "convert", str(hci), str(part), "--filter", "RESET")[0] == 0
    assert call(capsys, "decode", str(part))[1].count("Reset") >= 1
    assert "Advertising Report" not in call(capsys, "decode", str(part))[1]


def test_a_cut_capture_shows_what_came_before(near, capsys, tmp_path):
    hci = tmp_path / "phone.btsnoop"
    main(["run", near, "--capture", f"phone:{hci}"])
    capsys.readouterr()
    cut = tmp_path / "cut.btsnoop"
    cut.write_bytes(hci.read_bytes()[:-5])
    whole = call(capsys, "decode", str(hci))[1].splitlines()
    status, out, err = call(capsys, "decode", str(cut))
    assert status == 1
    assert out.splitlines() == whole[:-1]
    assert "cut.btsnoop: byte" in err
    target = tmp_path / "out.pcapng"
    status, _, err = call(capsys, "convert", str(cut), str(target))
    assert status == 1
    assert len(call(capsys, "decode", str(target))[1].splitlines()) == len(whole) - 1


def test_doctor_says_what_is_there(capsys):
    status, out, _ = call(capsys, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(out)["findings"]}
    assert status == 0
    assert findings["Python"]["ok"]
    assert findings["bumble"]["detail"] == "0.0.236"
    radios = {"libusb", "USB bus", "Bluetooth", "wpa_supplicant"}
    if sys.platform.startswith("linux"):
        assert radios <= findings.keys()
        assert not any(findings[name]["needed"] for name in radios)


def test_a_reader_that_leaves_is_no_error(near):
    """`nearbench ... | head -1`."""
    command = f"{sys.executable} -m tui run {near} | head -1"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("one phone, one beacon")
    assert done.stderr == ""


def test_a_full_disk_is_a_sentence(near):
    command = [sys.executable, "-m", "tui", "run", near, "--jsonl", "/dev/full"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_has_an_example_for_every_command(capsys):
    for name in ("decode", "encode", "run", "demo", "list", "show", "verify", "convert", "doctor"):
        with pytest.raises(SystemExit) as left:
            main([name, "--help"])
        assert left.value.code == 0
        assert f"nearbench {name}" in capsys.readouterr().out.split("example:")[1]


def test_the_air_of_a_crowd_is_captured(capsys, tmp_path):
    """A crowd's packets say nothing of access address and CRC: they are ordinary advertising."""
    tshark, air = judge("tshark"), tmp_path / "air.pcapng"
    assert main(["run", "crowd_1000", "--for", "300ms", "--capture", str(air), "--json"]) in (0, 1)
    capsys.readouterr()
    wrong = [
        tshark,
        "-n",
        "-r",
        str(air),
        "-Y",
        "_ws.malformed || btle.crc.incorrect || !btle.advertising_address",
    ]
    assert subprocess.run(wrong, capture_output=True, text=True, check=True).stdout == ""
    assert len(call(capsys, "decode", str(air))[1].splitlines()) > 50
