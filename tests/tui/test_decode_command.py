"""`nearbench decode` and `encode` as users and other programs call them (contract, "decode and encode")."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import main

TLM = "20000be680000339ffa229bbce8a"
AS_TLM = ["--kind", "service_data", "--service-uuid", "feaa"]
LL_TERMINATE = "5a1c6caf03020213561818"
"""CRC by initial value 0x345678."""
ADV_EXT = "d6be898e070706187b504c2102000000"
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ble-adverts.json").read_text())[
    "vectors"
]


def call(capsys, *words):
    """(status, stdout, stderr)."""
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def piped(arguments, text, tmp_path=None):
    """Run the installed command in its own process."""
    command = [sys.executable, "-m", "tui", *arguments]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def test_json_has_format_fields_and_tree(capsys):
    status, out, err = call(capsys, "decode", *AS_TLM, TLM, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert found["format"] == "eddystone"
    assert found["fields"]["battery_mv"] == 3046
    assert found["fields"]["temperature_c"] is None
    battery = next(node for node in found["tree"] if node["name"] == "battery_mv")
    assert battery == {
        "name": "battery_mv",
        "value": 3046,
        "unit": "mV",
        "start": 2,
        "end": 4,
        "children": [],
    }


def test_text_stands_beside_its_octets_within_80_columns(capsys):
    status, out, _ = call(capsys, "decode", *AS_TLM, TLM)
    assert status == 0
    row = next(line for line in out.splitlines() if "battery_mv" in line)
    assert row.split() == ["2", "0be6", "battery_mv", "3046", "mV"]
    assert "not available" in out
    assert max(map(len, out.splitlines())) <= 80


def test_malformed_gives_the_error_and_what_is_left(capsys):
    status, out, _ = call(capsys, "decode", *AS_TLM, "10ec04616263", "--json")
    found = json.loads(out)
    assert status == 1
    assert found["error"]["code"] == "url_scheme"
    assert found["error"]["offset"] == 2
    assert found["lenient"]["tx_power_0m_dbm"] == -20
    assert "url" not in found["lenient"]


def test_lenient_names_each_doubt(capsys):
    status, out, _ = call(capsys, "decode", *AS_TLM, "10ec04616263", "--json", "--lenient")
    found = json.loads(out)
    assert status == 1
    assert found["fields"]["frame"] == "url"
    assert [doubt["code"] for doubt in found["doubts"]] == ["url_scheme"]


def test_a_format_by_name_needs_no_kind(capsys):
    status, out, _ = call(capsys, "decode", "--format", "eddystone", TLM, "--json")
    assert (status, json.loads(out)["format"]) == (0, "eddystone")


def test_octets_alone_say_what_they_can_be(capsys):
    status, out, _ = call(capsys, "decode", TLM, "--json")
    assert status == 0
    assert "eddystone" in [found["format"] for found in json.loads(out)["can_be"]]


def test_rebuild_makes_the_octets_from_the_fields_alone(capsys):
    _, out, _ = call(capsys, "decode", *AS_TLM, TLM, "--rebuild", "--json")
    assert json.loads(out)["rebuilt"] == TLM


def test_spaces_and_colons_in_hex_are_fine(capsys):
    status, out, _ = call(
        capsys, "decode", *AS_TLM, "20 00 0b:e6", "80000339ffa229bbce8a", "--json"
    )
    assert (status, json.loads(out)["fields"]["battery_mv"]) == (0, 3046)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["decode", *AS_TLM, "zz"], "neither hexadecimal nor a file"),
        (["decode", "--kind", "service", TLM], "--kind"),
        (["decode", "--format", "eddyston", TLM], "did you mean eddystone"),
        (["decode", *AS_TLM, TLM, "--context", "novalue"], "key=value"),
        (
            ["decode", *AS_TLM, "30efec4521309b51d267", "--context", "identity_key=12"],
            "identity_key",
        ),
        (["decode", "missing.pcapng"], "missing.pcapng"),
        (["decode"], "hex"),
        (["decode", ""], "no octets"),
        (["decode", "0x020106"], "character 2 is 'x'"),
        (["decode", "--kind", "ad", "0201:0"], "5 digits, and an octet takes two"),
        (["decode", "--kind", "ad", "02 0 106"], "a gap inside an octet"),
        (
            ["decode", "--kind", "ad_value", "--ad-type", "abc", "00"],
            "'abc' is not a number from 0 to 255",
        ),
        (
            ["decode", "--kind", "ad_value", "--ad-type", "256", "00"],
            "'256' is not a number from 0 to 255",
        ),
        (
            ["decode", "--kind", "ll", LL_TERMINATE, "--context", "crc_init=0x1000000"],
            "0 to 16777215",
        ),
        (
            ["decode", "--kind", "ll", ADV_EXT, "--context", "channel=40"],
            "channel: 40 is not one of 0 to 39",
        ),
        (
            ["decode", "--kind", "advertisement", "--also", '{"local_name": 5}'],
            "local_name: expected text, got 5",
        ),
        (
            ["decode", "--kind", "advertisement", "--also", '{"service_data": 5}'],
            "service_data: expected an object",
        ),
        (["decode", "--format", "eddystone-config", "00"], "characteristic: nothing is not one of"),
        (["encode", "eddystone", "{"], "JSON"),
        (["encode"], "format"),
        (["nonsense"], "unknown command"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_status_2(capsys, words, part):
    status, out, err = call(capsys, *words)
    assert (status, out) == (2, "")
    assert part in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('{"kind": "ad", "hex": 20106}', "hex '20106' is not text"),
        ('{"kind": "ad", "hex": ["02"]}', "is not text"),
        ('{"kind": "ad", "hex": "020106", "pdu": 5}', "pdu 5 is not text"),
        ('{"kind": "ad_value", "hex": "00", "ad_type": -1}', "ad_type -1 is not a number from 0 to 255"),
        ('{"kind": "ll", "hex": "5a1c6caf03020213000000", "context": {"crc_init": 1e400}}', "inf is not an integer"),
        ('{"kind": "advertisement", "also": {"service_data": []}}', "service_data: expected an object"),
    ],
)  # fmt: skip
def test_a_line_with_a_value_of_the_wrong_kind_is_told_which(line, part):
    done = piped(["decode", "--jsonl"], line)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "request"
    assert part in error["message"]
    assert "raised" not in error["message"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "ll", "d6be898e"], "frame_length: 4 octets, needs at least 9"),
        (["--kind", "hci", "010620020000"], "parameter_length at octet 4: 2 octets are too few, interval_max_ms needs more"),
        (["--kind", "frame", "d0"], "frame_length at octet 0: 1 octets are no frame"),
    ],
)  # fmt: skip
def test_what_is_too_short_says_for_what(capsys, words, told):
    status, out, _ = call(capsys, "decode", *words)
    assert status == 1
    assert told in out.splitlines()[0]


def test_a_context_that_means_nothing_to_a_packet_is_named(capsys):
    _, _, err = call(capsys, "decode", "--kind", "ll", LL_TERMINATE, "--context", "crcinit=1")
    assert "ll has no use for the context crcinit" in err
    for init, expected in (("0x345678", 0), ("0x345679", 1)):
        status, _, err = call(
            capsys, "decode", "--kind", "ll", LL_TERMINATE, "--context", f"crc_init={init}"
        )
        assert (status, err) == (expected, "")


def test_fields_that_do_not_fit_are_status_1_and_name_the_field(capsys):
    fields = json.dumps(
        {
            "frame": "tlm",
            "version": 0,
            "battery_mv": 70000,
            "temperature_c": 20,
            "adv_count": 1,
            "uptime_s": 1,
        }
    )
    status, _, err = call(capsys, "encode", "eddystone", fields)
    assert status == 1
    assert "battery_mv" in err


def test_lines_are_answered_in_order_and_bad_ones_do_not_stop_it():
    lines = [
        json.dumps({"kind": "service_data", "service_uuid": "feaa", "hex": TLM}),
        "no json",
        json.dumps({"kind": "service_data", "service_uuid": "feaa", "hex": "20"}),
        json.dumps({"kind": "nonsense", "hex": "00"}),
        json.dumps({"format": "ibeacon", "hex": "0215" + "00" * 21}),
    ]
    done = piped(["decode", "--jsonl"], "\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    assert answers[0]["fields"]["battery_mv"] == 3046
    assert answers[1]["error"]["code"] == "request"
    assert answers[2]["error"]["code"] == "frame_length"
    assert answers[3]["error"]["code"] == "request"
    assert answers[4]["format"] == "ibeacon"
    assert done.returncode == 2
    assert done.stderr == ""


def test_decode_lines_pipe_into_encode_and_give_the_octets_back():
    """All encodable vectors through two processes; then one field edited in between."""
    chosen = [v for v in VECTORS if v.get("encode")]
    keys = ("kind", "hex", "format", "ad_type", "service_uuid", "company_id", "context")
    text = "".join(json.dumps({k: v[k] for k in keys if k in v}) + "\n" for v in chosen)
    decoded = piped(["decode", "--jsonl"], text)
    assert decoded.returncode == 0, decoded.stdout[-300:]
    encoded = piped(["encode", "--jsonl"], decoded.stdout)
    assert encoded.returncode == 0, encoded.stdout[-300:]
    assert [json.loads(line)["hex"] for line in encoded.stdout.splitlines()] == [
        v["hex"] for v in chosen
    ]
    edited = json.loads(decoded.stdout.splitlines()[0])
    assert edited["fields"]


def test_an_edited_field_is_in_the_octets():
    request = json.dumps({"format": "eddystone", "hex": TLM}) + "\n"
    answer = json.loads(piped(["decode", "--jsonl"], request).stdout)
    answer["fields"]["battery_mv"] = 3000
    encoded = json.loads(piped(["encode", "--jsonl"], json.dumps(answer) + "\n").stdout)
    assert encoded["hex"] == TLM.replace("0be6", "0bb8")


def test_a_users_own_format_file(tmp_path, capsys):
    file = tmp_path / "my_format.py"
    file.write_text(
        '"""Two octets of mine."""\n'
        "from protocols.format import Example, Fields, Format\n"
        "from protocols.layout import Record, U16LE, build\n"
        "class Mine(Fields, frozen=True):\n    number: int\n"
        'LAYOUT = Record("number" / U16LE)\n'
        "def decode(reader):\n    reader.length(2)\n    return Mine(**reader.read(LAYOUT))\n"
        "def encode(fields, keys):\n    return build(LAYOUT, fields)\n"
        'FORMAT = Format(name="mine", title="Mine", source="me", fields=Mine, decode=decode, encode=encode,\n'
        '                examples=(Example("0100"),))\n'
    )
    status, out, _ = call(
        capsys, "decode", "--kind", "manufacturer_data", "--format", str(file), "0201", "--json"
    )
    assert (status, json.loads(out)["fields"]) == (0, {"number": 258})
    assert call(capsys, "encode", str(file), '{"number": 1}')[1] == "0100\n"


def test_a_users_format_file_that_raises_is_named_with_its_line(tmp_path, capsys):
    file = tmp_path / "broken.py"
    file.write_text("x = 1\nraise RuntimeError('oops')\n")
    status, _, err = call(capsys, "decode", "--format", str(file), "00")
    assert status == 2
    assert f"{file}:2" in err
    assert "oops" in err


def test_a_users_decoder_that_raises_is_no_traceback(tmp_path, capsys):
    file = tmp_path / "raises.py"
    file.write_text(
        "from protocols.format import Fields, Format\n"
        "def decode(reader):\n    return 1 // 0\n"
        'FORMAT = Format(name="raises", title="t", source="s", fields=Fields, decode=decode)\n'
    )
    status, _, err = call(capsys, "decode", "--kind", "ad_value", "--format", str(file), "00")
    assert status == 1
    assert "ZeroDivisionError" in err
    assert f"{file}:3" in err


def test_decode_imports_nothing_heavy():
    """No bumble, bleak, textual, asyncio, serial; no cryptography without a key."""
    code = (
        "import sys; from tui.cli import main; "
        f"main(['decode', '--kind', 'service_data', '--service-uuid', 'feaa', '{TLM}']); "
        "bad = {'bumble', 'bleak', 'textual', 'asyncio', 'serial', 'cryptography', 'hypothesis'} & set(sys.modules); "
        "sys.exit(', '.join(sorted(bad)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_packages_import_nothing_heavy():
    code = (
        "import sys, protocols, sim, protocols.dissect, sim.scenario, sim.trace; "
        "bad = {'bumble', 'bleak', 'textual', 'serial'} & set(sys.modules); sys.exit(', '.join(sorted(bad)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_long_stream_needs_no_more_memory_than_a_short_one():
    """Peak memory of the process for 300 and for 60,000 lines differs by noise only."""
    line = json.dumps({"format": "ibeacon", "hex": "0215" + "00" * 21}) + "\n"
    code = (
        "import resource, sys; from tui.cli import main; main(['decode', '--jsonl']); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    peaks = []
    for count in (300, 60_000):
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=line * count,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert len(done.stdout.splitlines()) == count
        peaks.append(int(done.stderr))
    assert peaks[1] < peaks[0] * 1.2
