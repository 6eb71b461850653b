"""Frames on the command line: captures that read like an explanation, pipes between two processes, `verify`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.capture import Packet, writer_for
from protocols.errors import EncodeError
from protocols.wifi_aware.context import CONTEXT
from tui.cli import main

VECTORS = Path(__file__).parents[1] / "vectors"
CAPTURES = sorted(VECTORS.glob("wifi-aware-*.pcap"))
PIN = VECTORS / "wifi-aware-pair-sae-ccmp128-pin.pcap"
ENCRYPTED = VECTORS / "wifi-aware-pair-sae-gcmp256-encrypted-followup.pcap"
CUT = {
    "wifi-aware-neg-pair-auth1-truncated-frame",
    "wifi-aware-neg-pair-auth1-truncated-params",
    "wifi-aware-neg-pair-auth1-wrapped-truncated",
}
"""Captures with a frame that was cut on the way."""


def call(capsys, *words):
    """(status, stdout, stderr)."""
    status = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


def piped(arguments, text):
    command = [sys.executable, "-m", "tui", *map(str, arguments)]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=120, check=False
    )


def recording(capture):
    return json.loads(capture.with_suffix(".json").read_text())


def delivered(capture):
    return [f["hex"] for f in recording(capture)["frames"] if f.get("delivered", True)]


def link_key(capture):
    return recording(capture)["secrets"]["A"]["nm_tk"][0]


def test_a_capture_tells_the_story_of_a_pairing(capsys):
    """The ceremony of the digest (pairing, section 1), message by message."""
    status, out, err = call(capsys, "decode", PIN)
    assert (status, err) == (0, "")
    story = [line[27:] for line in out.splitlines() if line[:6].strip()]
    assert story == [
        "publish: service 9904c1d05acb; pairing by PIN display",
        "subscribe: service 9904c1d05acb",
        "publish: service 9904c1d05acb; pairing by PIN display",
        "follow-up: bootstrapping request, PIN keypad",
        "follow-up: bootstrapping response, come back after",
        "follow-up: bootstrapping request, PIN keypad, with",
        "follow-up: bootstrapping response, PIN display",
        "PASN Auth 1: SAE commit, group 19 (P-256)",
        "PASN Auth 2: SAE commit and confirm, group 19 (P-256)",
        "PASN Auth 3: SAE confirm",
        "protected follow-up: identity key",
        "protected follow-up: identity key",
    ]


def test_a_key_opens_the_encrypted_part(capsys):
    _, sealed, _ = call(capsys, "decode", ENCRYPTED)
    assert sealed.count("encrypted action frame, packet") == 4
    status, out, _ = call(capsys, "decode", ENCRYPTED, "--context", f"tk={link_key(ENCRYPTED)}")
    assert status == 0
    assert out.count("encrypted follow-up: identity key") == 2
    status, out, _ = call(capsys, "decode", ENCRYPTED, "--context", f"nm_tk={link_key(ENCRYPTED)}")
    assert out.count("encrypted follow-up: identity key") == 2


def test_frames_that_no_key_opens_stay_protected_in_a_capture(capsys):
    """A capture holds frames of many devices; the doubt is in the tree. A single frame is malformed."""
    status, out, _ = call(capsys, "decode", ENCRYPTED, "--tree", "--context", f"tk={'00' * 32}")
    assert status == 0
    assert out.count("encrypted action frame, packet") == 4
    assert out.count("! no key of the context opens") == 4
    data = next(h for h in delivered(ENCRYPTED) if h.startswith("d040"))
    status, out, _ = call(capsys, "decode", "--kind", "frame", data, "--context", f"tk={'00' * 32}")
    assert status == 1
    assert "mic at octet 32" in out


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem[11:])
def test_every_capture_fits_80_columns(capsys, capture):
    status, out, _ = call(capsys, "decode", capture, "--tree")
    assert status == int(capture.stem in CUT)
    assert max(map(len, out.splitlines())) <= 80
    assert "unknown attribute" not in out
    assert "unknown element" not in out


def test_the_tree_shows_octets_in_clear(capsys):
    """With the key, the octets beside the fields are those of the plaintext."""
    data = next(h for h in delivered(ENCRYPTED) if h.startswith("d040"))
    words = ("decode", "--kind", "frame", data, "--context", f"tk={link_key(ENCRYPTED)}")
    status, out, _ = call(capsys, *words)
    assert status == 0
    assert "  32  09                category                  9 (protected dual of" in out
    assert "  33  09                action                    09" in out


def test_a_tree_names_sources_meanings_and_unset_bits(capsys):
    """The text form of one Authentication frame; its hex is longer than a file name may be."""
    auth1 = delivered(PIN)[7]
    status, out, _ = call(capsys, "decode", "--kind", "frame", auth1)
    assert status == 0
    for row in (
        "                        [IEEE 802.11-2020 9.4.2.24]",
        "  40  000fac04              [0]                   00-0f-ac:4 (CCMP-128)",
        "  46  000fac08              [0]                   00-0f-ac:8 (SAE)",
        "  50  c000 b6               mfp_required          yes",
        "  50  c000 b2-3             ptksa_replay_counters  0 (1 replay counter)",
        "  38  0100                  count                 1",
        "  50  c000 b0-1             not set               preauthentication, no_pairwise",
    ):
        assert row in out.splitlines()


@pytest.mark.parametrize(
    "capture",
    [*(c for c in CAPTURES if c in (PIN, ENCRYPTED)),
     *(pytest.param(c, marks=pytest.mark.slow) for c in CAPTURES if c not in (PIN, ENCRYPTED))],
    ids=lambda path: path.stem[11:],
)  # fmt: skip
def test_decode_piped_into_encode_gives_the_same_frames(capture):
    """Two processes, JSON lines between them (contract, decode and encode)."""
    decoded = piped(["decode", "--jsonl", capture], "")
    encoded = piped(["encode", "--jsonl"], decoded.stdout)
    wanted = delivered(capture)
    answers = [json.loads(line) for line in encoded.stdout.splitlines()]
    assert len(answers) == len(wanted)
    lost = [n for n, answer in enumerate(answers) if answer.get("hex") != wanted[n]]
    assert len(lost) == int(capture.stem in CUT)
    assert all("error" in json.loads(decoded.stdout.splitlines()[n]) for n in lost)


def test_all_captures_in_one_pipe():
    """Every frame of every recording through one pair of processes."""
    kinds = [{"kind": "frame", "hex": text} for capture in CAPTURES for text in delivered(capture)]
    decoded = piped(["decode", "--jsonl"], "".join(json.dumps(kind) + "\n" for kind in kinds))
    encoded = piped(["encode", "--jsonl"], decoded.stdout)
    answers = [json.loads(line) for line in encoded.stdout.splitlines()]
    wrong = [
        n for n, (a, k) in enumerate(zip(answers, kinds, strict=True)) if a.get("hex") != k["hex"]
    ]
    assert len(wrong) == len(CUT)


def test_an_edited_field_is_in_the_encoded_frame():
    """One field changed between the two processes: that frame, with that octet, and no other octet."""
    lines = [json.loads(line) for line in piped(["decode", "--jsonl", PIN], "").stdout.splitlines()]
    request = lines[3]["fields"]
    step = next(a for a in request["attributes"] if a["attribute"] == "pairing_bootstrapping")
    step["methods"] = 0x40
    encoded = piped(["encode", "--jsonl"], "".join(json.dumps(line) + "\n" for line in lines))
    answers = [json.loads(line)["hex"] for line in encoded.stdout.splitlines()]
    wanted = delivered(PIN)
    assert [n for n in range(len(wanted)) if answers[n] != wanted[n]] == [3]
    assert answers[3] == wanted[3].replace("2c05000101002000", "2c05000101004000")


def test_an_encrypted_frame_goes_through_the_pipe_with_its_key():
    context = ["--context", f"tk={link_key(ENCRYPTED)}"]
    decoded = piped(["decode", "--jsonl", ENCRYPTED, *context], "").stdout
    assert '"cipher":"gcmp_256"' in decoded
    answers = [json.loads(x) for x in piped(["encode", "--jsonl"], decoded).stdout.splitlines()]
    assert [answer["hex"] for answer in answers] == delivered(ENCRYPTED)


def test_rebuild_is_offered_for_frames(capsys):
    data = delivered(PIN)[8]
    status, out, _ = call(capsys, "decode", "--kind", "frame", data, "--json", "--rebuild")
    assert status == 0
    assert json.loads(out)["rebuilt"] == data


def test_verify_checks_every_frame_of_an_exchange(capsys):
    file = PIN.with_suffix(".json")
    status, out, err = call(capsys, "verify", file, "--json")
    (report,) = json.loads(out)["files"]
    assert status == 0
    assert set(report) == {"file", "checks", "deliberate"}
    assert [check["name"] for check in report["checks"][:2]] == [
        "frame 0 (SDF-publish (public)): decode",
        "frame 0 (SDF-publish (public)): rebuild",
    ]
    of_frames = [check for check in report["checks"] if check["name"].startswith("frame ")]
    assert len(of_frames) == 2 * len(recording(PIN)["frames"])
    sends = [check["name"] for check in report["checks"] if " sends frame " in check["name"]]
    played = [name for name in sends if not name.endswith(": timer")]
    assert len(played) == len(recording(PIN)["frames"])
    assert not err


def test_verify_takes_all_exchanges(capsys):
    files = [path.with_suffix(".json") for path in CAPTURES]
    status, out, err = call(capsys, "verify", *files)
    assert status == 0
    assert out.splitlines()[-1].startswith(f"{len(files)} of {len(files)} files ok")
    assert not err


def test_verify_wants_a_refusal_of_a_cut_frame(capsys, tmp_path):
    """A frame modified in flight may be malformed; the same octets without that mark may not."""
    plain = json.loads((VECTORS / "wifi-aware-neg-pair-auth1-truncated-params.json").read_text())
    (cut,) = [frame for frame in plain["frames"] if frame.get("modified_in_flight")]
    del cut["modified_in_flight"], cut["original_hex"]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(plain))
    status, out, _ = call(capsys, "verify", file, "--json")
    assert status == 1
    bad = {c["name"]: c["got"] for c in json.loads(out)["files"][0]["checks"] if not c["ok"]}
    (name, sent) = bad
    assert bad[name] == {"code": "element_length", "offset": 176, "path": "elements[3].public_key"}
    assert sent.startswith("B sends frame")


@pytest.mark.parametrize("change", [{"hex": "zz"}, {"hex": None}, 7])
def test_verify_says_what_is_no_frame(capsys, tmp_path, change):
    plain = json.loads(PIN.with_suffix(".json").read_text())
    plain["frames"] = [change]
    del plain["secrets"], plain["trace"]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(plain))
    status, out, _ = call(capsys, "verify", file)
    assert status == 1
    assert " checks differ" in out


def test_verify_opens_encrypted_frames_with_the_recorded_keys(capsys):
    _, out, _ = call(capsys, "verify", ENCRYPTED.with_suffix(".json"), "--json")
    checks = {c["name"]: c for c in json.loads(out)["files"][0]["checks"]}
    assert checks["frame 10 (ACTION-ENCRYPTED): decode"]["got"] == "sdf"


def test_a_file_in_which_nothing_could_be_checked_is_a_failure(capsys, tmp_path):
    """Contract, verify."""
    file = tmp_path / "mine.json"
    file.write_text('{"nira": [], "moon": []}')
    status, out, err = call(capsys, "verify", file, "--json")
    assert status == 1
    assert json.loads(out)["files"][0]["checks"] == []
    assert "not checked by this version: moon" in err


# --- captures with check sequences ----------------------------------------------------------------

BEACON = (
    "80000000ffffffffffff025f5a1ae301506f9a017f01d023973e4c0600000000640020"
    "04dd22506f9a1300020001bc010d00025f5a1ae301bc01000000000028060044774db10160"
)
FCS = "57e148ff"
"""Captured from the air with its FCS: OpenNAN tests/test_crc32.cpp."""


def saved(path, *frames, fcs_octets=4):
    """A pcap of link type 105 whose header says how long an FCS is."""
    with path.open("wb") as stream:
        writer = writer_for("pcap")(stream)
        for number, text in enumerate(frames, 1):
            data = bytes.fromhex(text)
            packet = Packet(number, number, 105, data, len(data), fcs_octets=fcs_octets)
            writer.write(packet)
    return path


def test_a_capture_says_that_an_fcs_is_there(capsys, tmp_path):
    file = saved(tmp_path / "a.pcap", BEACON + FCS, BEACON + "01020304")
    status, out, _ = call(capsys, "decode", file)
    assert status == 0
    assert out.count("discovery beacon") == 2
    assert out.splitlines()[-1].strip() == "wrong FCS"
    assert out.count("wrong FCS") == 1


def test_frames_with_an_fcs_go_through_the_pipe(tmp_path):
    file = saved(tmp_path / "a.pcap", BEACON + FCS, BEACON + "01020304")
    decoded = piped(["decode", "--jsonl", file], "").stdout
    answers = [json.loads(x) for x in piped(["encode", "--jsonl"], decoded).stdout.splitlines()]
    assert [answer["hex"] for answer in answers] == [BEACON + FCS, BEACON + "01020304"]


def test_a_conversion_keeps_the_fcs(capsys, tmp_path):
    file = saved(tmp_path / "a.pcap", BEACON + FCS)
    other = tmp_path / "b.pcapng"
    assert call(capsys, "convert", file, other)[0] == 0
    status, out, _ = call(capsys, "decode", other, "--rebuild")
    assert (status, out.splitlines()[-1]) == (0, "rebuilt: 1 the same, 0 different")


def test_rebuilding_a_capture_counts_and_names_what_differs(capsys, tmp_path, monkeypatch):
    file = saved(tmp_path / "a.pcap", BEACON + FCS, BEACON + FCS, "80")
    status, out, _ = call(capsys, "decode", file, "--rebuild")
    assert status == 1
    assert out.splitlines()[-1] == "rebuilt: 2 the same, 0 different, 1 not decoded"

    def other(form, fields, context):
        raise EncodeError("source", "no")

    monkeypatch.setattr("tui.captures.encode", other)
    status, out, _ = call(capsys, "decode", file, "--rebuild")
    assert "     2 not rebuilt: source: no" in out.splitlines()
    assert out.splitlines()[-1] == "rebuilt: 0 the same, 2 different, 1 not decoded"
    monkeypatch.setattr("tui.captures.encode", lambda *_: b"\1\2")
    _, out, _ = call(capsys, "decode", file, "--rebuild")
    assert "     1 rebuilt as 0102" in out.splitlines()


# --- context, kinds, and what is no frame ---------------------------------------------------------


def test_unknown_context_keys_are_warned_about(capsys):
    for words in (("--kind", "frame", BEACON), (PIN,)):
        status, _, err = call(capsys, "decode", *words, "--context", "fsc=1", "--context", "tk=")
        assert status == 0
        assert len(err.splitlines()) == 1
        assert "frame has no use for the context fsc;" in err
    lines = json.dumps({"kind": "frame", "hex": BEACON, "context": {"fsc": 1}}) + "\n"
    assert piped(["decode", "--jsonl"], lines * 3).stderr.count("fsc") == 1


def test_the_help_names_every_key_of_a_frames_context(capsys):
    with pytest.raises(SystemExit):
        main(["decode", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(name in text for name in CONTEXT)


@pytest.mark.parametrize("name", ["frame", "frame_radiotap", "hci", "ll", "ll_phdr"])
def test_packets_are_shown_as_formats(capsys, name):
    status, out, _ = call(capsys, "show", "format", name)
    assert status == 0
    assert f"name: {name}" in out
    assert ("- policy:" in out) == name.startswith("frame")


def test_a_packet_named_as_format_needs_no_kind(capsys):
    status, out, _ = call(capsys, "decode", "--format", "frame", BEACON)
    assert status == 0
    assert out.startswith("frame, ")


def test_octets_without_a_kind_are_tried_as_frames(capsys):
    status, out, _ = call(capsys, "decode", BEACON)
    assert status == 0
    assert out.startswith("as frame: frame\n")
    _, out, _ = call(capsys, "decode", "0000090002000000" + "10" + BEACON + FCS)
    assert out.startswith("as frame_radiotap: frame_radiotap\n")
    _, out, _ = call(capsys, "decode", "0201060303aafe")
    assert "as frame" not in out


def test_a_path_in_a_line_runs_nothing(tmp_path):
    """Lines are data; only the command line names files."""
    file = tmp_path / "evil.py"
    file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    line = json.dumps({"kind": "frame", "format": str(file), "hex": BEACON, "fields": {"a": 1}})
    for command in ("decode", "encode"):
        (answer,) = piped([command, "--jsonl"], line + "\n").stdout.splitlines()
        assert json.loads(answer)["error"]["code"] == "request"
    assert not (tmp_path / "ran").exists()


def test_half_a_surrogate_pair_does_not_stop_the_stream():
    line = '{"format": "frame", "fields": {"frame": "sdf", "\\ud800": 1}}\n'
    answers = piped(["encode", "--jsonl"], line * 2).stdout.splitlines()
    assert [json.loads(answer)["error"]["code"] for answer in answers] == ["encode"] * 2
