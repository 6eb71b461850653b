"""`nearbench explain`, `list rules` and `show rule` as users and scripts meet them."""

from __future__ import annotations

import json
import re

import pytest

from hw_bridge.pcapng_file import UPPER_PDU, PcapngFile, text_pdu
from sim.explain import all_rules
from sim.explain.model import CONFIDENCE, confidence_in_words
from tests.sim.explain.aware_logs import A, B, Wifi
from tests.sim.explain.logs import ACCESSORY, SEAT, Air, Hci
from tui.cli import main

KEYS = {
    "rule",
    "severity",
    "title",
    "phone",
    "device",
    "frames",
    "evidence",
    "why",
    "remedy",
    "source",
    "confidence",
    "stories",
}


@pytest.fixture
def broken(tmp_path):
    """A capture of an advert without Flags."""
    log = Hci()
    log.advert(SEAT, times=3)
    file = tmp_path / "seat.btsnoop"
    file.write_bytes(log.octets(".btsnoop"))
    return file


@pytest.fixture
def working(tmp_path):
    """A capture of a session that has nothing wrong."""
    log = Hci()
    log.advert("02010603030d18020a0406094b6974656e", times=8, every_ms=157.5)
    log.connect()
    log.served()
    log.disconnect(0x16)
    file = tmp_path / "good.btsnoop"
    file.write_bytes(log.octets(".btsnoop"))
    return file


def test_json_is_the_contracts(broken, capsys):
    assert main(["explain", str(broken), "--json"]) == 1
    out = json.loads(capsys.readouterr().out)
    assert set(out) == {"capture", "devices", "findings"}
    assert all(set(one) == KEYS for one in out["findings"])
    first = out["findings"][0]
    assert (first["rule"], first["severity"], first["device"], first["frames"]) == (
        "IB-04",
        "error",
        ACCESSORY,
        [1, 2, 3],
    )
    assert first["stories"] == ["US-16"]
    order = [("error", "warning", "note").index(one["severity"]) for one in out["findings"]]
    assert order == sorted(order)
    assert out["devices"][0]["adverts"] == 3


def test_text_fits_a_terminal(broken, capsys):
    assert main(["explain", str(broken), "--phone", "ios"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    text = "\n".join(lines)
    assert "ERROR   IB-04" in text
    assert "ios-ble, ios-ask" in text
    assert "02 01 06" in " ".join(text.split())


def test_a_working_exchange(working, capsys):
    assert main(["explain", str(working)]) == 0
    assert "no findings" in capsys.readouterr().out


def test_only_the_phones_that_were_asked_for(broken, capsys):
    assert main(["explain", str(broken), "--phone", "android-ble", "--json"]) == 0
    phones = {one["phone"] for one in json.loads(capsys.readouterr().out)["findings"]}
    assert phones == {"android-ble"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--phone", "iphone"], "unknown phone profile 'iphone'"),
        (["--phone", "ios-ble@17"], "unknown version of ios-ble '17'"),
    ],
)
def test_wrong_phones_are_a_sentence(broken, arguments, words, capsys):
    assert main(["explain", str(broken), *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("octets", [b"", b"hello", b"\x00" * 100])
def test_what_is_no_capture_is_a_sentence(octets, tmp_path, capsys):
    file = tmp_path / "x.pcap"
    file.write_bytes(octets)
    assert main(["explain", str(file)]) == 2
    err = capsys.readouterr().err
    assert str(file) in err
    assert "Traceback" not in err
    assert main(["explain", str(tmp_path / "nowhere.pcap")]) == 2


def test_damage_is_said_and_the_rest_is_judged(broken, capsys):
    broken.write_bytes(broken.read_bytes()[:-3])
    assert main(["explain", str(broken)]) == 1
    shown = capsys.readouterr()
    assert "what came before it is judged" in shown.err
    assert "IB-04" in shown.out


def test_a_trace_is_explained_too(tmp_path, capsys):
    file = tmp_path / "trace.jsonl"
    assert main(["run", "us14_picker_empty", "--jsonl", str(file), "--json"]) == 0
    capsys.readouterr()
    assert main(["explain", str(file), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert (findings[0]["rule"], findings[0]["phone"]) == ("AK-05", "ios-ask")


def test_a_trace_that_was_cut_is_judged_up_to_there(tmp_path, capsys):
    file = tmp_path / "trace.jsonl"
    assert main(["run", "us50_no_network_request", "--jsonl", str(file), "--json"]) == 0
    file.write_bytes(file.read_bytes()[:-9])
    capsys.readouterr()
    assert main(["explain", str(file)]) == 1
    shown = capsys.readouterr()
    assert "is cut short" in shown.err
    assert "what came before it is judged" in shown.err
    assert "ERROR   AA-47" in shown.out


def test_an_accessory_that_only_publishes_is_judged_for_the_phone_it_is_to_meet(tmp_path, capsys):
    log = Wifi()
    log.publish(A, dcea=None)
    file = tmp_path / "monitor.pcap"
    file.write_bytes(log.octets(".pcap"))
    assert main(["explain", str(file)]) == 1
    out = capsys.readouterr().out
    assert "ERROR   IA-04" in out
    assert "ios-aware" in out


def test_data_paths_behind_encryption_are_counted(tmp_path, capsys):
    file = tmp_path / "trace.jsonl"
    assert main(["run", "us34_suspended", "--jsonl", str(file), "--json"]) == 0
    capsys.readouterr()
    main(["explain", str(file)])
    assert "1 data path" in " ".join(capsys.readouterr().out.split())


def test_list_rules(capsys):
    assert main(["list", "rules", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [set(row) for row in rows] == [{"id", "title", "confidence", "source", "status"}] * len(
        rows
    )
    assert {row["status"] for row in rows} == {"executed", "documented", "not simulated"}
    assert main(["list", "rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    for rule in all_rules().values():
        assert any(line.startswith(rule.id) and rule.status in line for line in lines)


def test_show_rule(capsys):
    assert main(["show", "rule", "IB-04"]) == 0
    text = capsys.readouterr().out
    assert "nordicsemi/IOS-nRF-Connect #54" in text
    assert "observed (cause inferred)" in text
    assert main(["show", "rule", "IB-35", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "documented"
    assert main(["show", "rule", "IB-999"]) == 2


@pytest.mark.parametrize(
    "line",
    [
        b'{"seq": "one", "t_us": 1, "node": "a", "layer": "hci", "event": "x"}',
        b'{"seq": 1, "t_us": 1, "node": "a", "layer": "hci", "event": "x", "fields": 3}',
        b'{"seq": 1, "t_us": 1, "node": 7, "layer": "hci", "event": "x"}',
        b'{"seq": 1, "t_us": 1, "node": "a", "layer": "hci", "event": "x", "data": 5}',
        b'{"seq": 1, "t_us": 1, "node": "a", "layer": "hci", "event": "x", "extra": 5}',
        b'{"seq": 1, "t_us": 1, "node": "a", "layer": "phone", "event": "x", "fields": {"app": 5}}',
    ],
)
def test_a_wrong_line_of_a_trace_is_named(line, tmp_path, capsys):
    file = tmp_path / "trace.jsonl"
    good = b'{"seq":1,"t_us":1,"node":"a","layer":"world","event":"x"}\n'
    file.write_bytes(good + line.replace(b'{"seq": ', b'{"seq":') + b"\n")
    assert main(["explain", str(file)]) == 2
    err = capsys.readouterr().err
    assert "line 2 is no event of a trace" in err
    assert "fault of nearbench" not in err


def test_without_devices_there_is_nothing_to_judge(tmp_path, capsys):
    log = Hci()
    log.command(0x0C03)
    file = tmp_path / "reset.btsnoop"
    file.write_bytes(log.octets(".btsnoop"))
    assert main(["explain", str(file)]) == 0
    out = capsys.readouterr().out
    assert "nothing to judge" in out
    assert "no findings" not in out


def test_what_encryption_hides_is_said(tmp_path, capsys):
    log = Air()
    log.advert("02010603030d18020a0406094b6974656e")
    start = log.connect()
    log.control(0x03, bytes(22), central=True)
    log.control(0x05, central=False)
    hidden = log.data(b"\x55" * 9, central=True)
    file = tmp_path / "air.pcapng"
    file.write_bytes(log.octets(".pcapng"))
    main(["explain", str(file)])
    out = " ".join(capsys.readouterr().out.split())
    assert f"frame {start}: encrypted from frame {hidden}, the rest cannot be judged" in out


@pytest.fixture
def wrong_pin(tmp_path):
    """A monitor's capture of a pairing that ends behind its second message."""
    log = Wifi().discovery().bootstrap()
    log.auth(1, B, A)
    log.auth(2, A, B, key=2)
    file = tmp_path / "monitor.pcap"
    file.write_bytes(log.octets(".pcap"))
    return file


def test_wifi_aware_as_json(wrong_pin, capsys):
    assert main(["explain", str(wrong_pin), "--phone", "ios-aware", "--json"]) == 1
    out = json.loads(capsys.readouterr().out)
    assert set(out) == {"capture", "devices", "findings"}
    assert all(set(one) == KEYS for one in out["findings"])
    first = out["findings"][0]
    assert (first["rule"], first["severity"], first["phone"]) == ("NB-07", "error", "ios-aware")
    assert (first["device"], first["frames"]) == (B, [9, 10])
    assert [(one["address"], one["name"], one["peers"]) for one in out["devices"]] == [
        (A, "Lamp", [B]),
        (B, None, [A]),
    ]
    assert out["devices"][0]["services"][0]["kind"] == "publish"


def test_wifi_aware_as_text(wrong_pin, capsys):
    assert main(["explain", str(wrong_pin)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "2 devices of Wi-Fi Aware, 1 authentication, 0 data paths" in text
    assert "0 devices" not in text
    assert "ERROR NB-07" in text
    assert "wrong PIN" in text


def test_a_working_exchange_of_wifi_aware(tmp_path, capsys):
    file = tmp_path / "good.pcap"
    file.write_bytes(Wifi().paired(suites=(7, 5)).path(category=9).octets(".pcap"))
    assert main(["explain", str(file)]) == 0
    assert "no findings" in capsys.readouterr().out


def test_a_device_is_a_phone_of_its_own(wrong_pin, capsys):
    assert main(["explain", str(wrong_pin), "--phone", "android-pixel6a-17", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {one["phone"] for one in found} == {"android-pixel6a-17"}
    assert {"AA-03", "NB-07"} <= {one["rule"] for one in found}


# What a recorder says of itself


@pytest.fixture
def recording(tmp_path):
    """As the bridge writes it: a state, a Reset, its answer, a state."""
    file = tmp_path / "session.pcapng"
    out = PcapngFile(file, [(201, "dongle", "HCI"), (UPPER_PDU, "dongle bridge", "its state")])
    out.packet(1, 1_000, text_pdu("ready: it answers"))
    out.packet(0, 2_000, bytes(4) + bytes.fromhex("01030c00"), sent=True)
    out.packet(0, 3_000, bytes.fromhex("00000001 040e0401030c00"), sent=False)
    out.packet(1, 4_000, text_pdu("lost: the cable was pulled"))
    out.close()
    return file


def test_notes_of_a_recorder_are_told_and_not_passed_over(recording, capsys):
    assert main(["explain", str(recording)]) == 0
    out = capsys.readouterr().out
    assert "said by the recorder at frame 1: ready: it answers" in out
    assert "said by the recorder at frame 4: lost: the cable was pulled" in out
    assert "passed over" not in out


def test_notes_of_a_recorder_are_decoded_as_text(recording, capsys):
    assert main(["decode", str(recording)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("  ")[2] for line in (lines[0], lines[3])] == [
        "ready: it answers",
        "lost: the cable was pulled",
    ]
    assert main(["decode", str(recording), "--jsonl"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["summary"] == "lost: the cable was pulled"


def test_a_recording_of_notes_alone_is_told_as_such(tmp_path, capsys):
    file = tmp_path / "empty.pcapng"
    out = PcapngFile(file, [(UPPER_PDU, "dongle bridge", "its state")])
    out.packet(0, 1_000, text_pdu("closed: nobody came"))
    out.close()
    assert main(["explain", str(file)]) == 2
    err = capsys.readouterr().err
    assert "no packet is in it" in err
    assert "closed: nobody came" in err


# Confidence


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ("D", "documented"),
        ("D†", "attributed"),
        ("D/O", "documented/observed"),
        ("O / I (mechanism)", "observed / inferred (mechanism)"),
        ("D; 100 and 150: D†", "documented; 100 and 150: attributed"),
        ("O (15 characters)", "observed (15 characters)"),
    ],
)
def test_confidence_in_words(signs, words):
    assert confidence_in_words(signs) == words


def test_every_rule_has_words_and_the_list_says_what_they_mean(capsys):
    for rule in all_rules().values():
        assert not re.search(r"\b[A-Z]\b|†", confidence_in_words(rule.confidence)), rule.id
    assert main(["list", "rules"]) == 0
    legend = capsys.readouterr().out.partition("how sure a rule is:")[2]
    assert [line.split()[0] for line in legend.splitlines() if line] == [
        word for word, _ in CONFIDENCE.values()
    ]
    assert main(["list", "rules", "--json"]) == 0
    assert {"D", "O", "D†"} <= {one["confidence"] for one in json.loads(capsys.readouterr().out)}
