"""The recorded exchanges as captures: no error in one that worked, the right finding in one that did not."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from protocols.capture import open_reader
from sim.explain import Finding, explain, view_of
from sim.explain.aware_source import AwareSource, Heard
from sim.explain.observations import Scene
from sim.explain.reading import scene_of_capture

VECTORS = Path(__file__).parents[2] / "vectors"

FAILED = {
    # recording -> rule, a frame that must be named, words that must be in the evidence
    "bootstrap-rejected": ("NB-03", 5, "reason 13"),
    "neg-followup-unprotected": ("NB-10", 9, "category 4"),
    "neg-ndp-m1-no-csia": ("NB-11", 4, "Cipher Suite Information is missing"),
    "neg-ndp-m1-no-scia": ("NB-11", 4, "Security Context Information is missing"),
    "neg-ndp-m1-no-skda": ("NB-11", 4, "Shared Key Descriptor is missing"),
    "neg-ndp-m1-tampered": ("NB-13", 6, "M4"),
    "neg-ndp-m2-lost": ("NB-11", 5, "the response was lost"),
    "neg-ndp-m2-mic": ("NB-13", 5, "M3"),
    "neg-ndp-m2-mic-sk256": ("NB-13", 5, "M3"),
    "neg-ndp-m3-lost": ("NB-13", 5, "reason 1"),
    "neg-ndp-m3-mic": ("NB-13", 6, "M4"),
    "neg-ndp-m3-nonce": ("NB-13", 6, "its nonce is not that of the request"),
    "neg-ndp-m3-replay-counter": ("NB-13", 6, "replay counter (0) is lower"),
    "neg-ndp-m4-lost": ("NB-13", 7, "M4"),
    "neg-ndp-rejected": ("NB-12", 5, "reason 10"),
    "neg-ndp-wrong-passphrase": ("NB-12", 5, "reason 3"),
    "neg-pair-abort": ("NB-06", 5, "status 1"),
    "neg-pair-akm-mismatch": ("NB-06", 5, "status 72"),
    "neg-pair-auth1-bad-element-point": ("NB-06", 5, "status 1"),
    "neg-pair-auth1-csia-cipher": ("NB-05", 4, "NCS-PK-PASN-256, and the RSNE another cipher"),
    "neg-pair-auth1-group21": ("NB-06", 5, "uses group 21, the responder knows 19"),
    "neg-pair-auth1-mfpr-cleared": ("NB-06", 5, "does not require management frame protection"),
    "neg-pair-auth1-missing-csia": ("NB-05", 4, "Cipher Suite Information is missing"),
    "neg-pair-auth1-missing-dcea": ("NB-08", 7, "no Device Capability Extension"),
    "neg-pair-auth1-missing-nan-element": ("NB-05", 4, "NAN element is missing"),
    "neg-pair-auth1-no-rsne": ("NB-06", 5, "no RSNE"),
    "neg-pair-auth1-tampered": ("NB-08", 7, "sends none"),
    "neg-pair-auth1-truncated-frame": ("NB-05", 4, "malformed: element_length at octet 210"),
    "neg-pair-auth1-truncated-params": ("NB-06", 5, "message 1 is malformed: PASN Parameters"),
    "neg-pair-auth1-wrapped-truncated": ("NB-06", 5, "message 1 is malformed: Wrapped Data"),
    "neg-pair-auth2-confirm": ("NB-07", 5, "different PINs"),
    "neg-pair-auth2-groups": ("NB-07", 5, "Supported Groups (21) do not have the group in use, 19"),
    "neg-pair-auth2-mic": ("NB-07", 5, "altered on the way"),
    "neg-pair-auth2-no-mic": ("NB-07", 5, "it has no MIC"),
    "neg-pair-auth3-dropped": ("NB-08", 6, "third message is not in the capture"),
    "neg-pair-auth3-mic": ("NB-08", 7, "sends none"),
    "neg-pair-both-initiate": ("NB-05", 5, "both sides start"),
    "neg-pair-duplicate-auth1": ("NB-09", 5, "frames 4 and 5"),
    "neg-pair-forged-rejection": ("NB-06", 5, "status 1"),
    "neg-pair-forged-rejection-responder": ("NB-06", 7, "message 3"),
    "neg-pair-replayed-auth1-after-success": ("NB-09", 9, "after the pairing was complete"),
    "neg-pair-skda-corrupt": ("NB-08", 7, "sends none"),
    "neg-pair-wrong-pin": ("NB-07", 5, "different PINs"),
    "neg-pair-wrong-pin-gcmp256": ("NB-07", 5, "different PINs"),
    "neg-verify-unknown-nik": ("NB-05", 4, "no NIRA"),
    "neg-verify-wrong-npk": ("NB-07", 5, "remember different keys"),
}
UNHARMED = {"neg-pair-replayed-auth1-after-success"}
"""Both sides stay paired: a warning."""
UNSEEN = {
    "bootstrap-publisher-initiates": "the command was refused inside the device, no frame was sent",
    "neg-ndp-m1-lost": "the frame that was lost is not in the capture",
    "neg-ndp-m4-mic": "four messages as in a good exchange; whether a MIC checks takes the keys",
}
ONE_SIDED = {
    ("full-opportunistic-ccmp128-ndp-pk128", 14),
    ("full-sae-ccmp128-ndp-pk128", 16),
    ("full-sae-gcmp256-ndp-pk256", 16),
    ("ndp-open", 6),
}
"""Last messages of a data path that is ended 2 ms later: without them it is `neg-ndp-m4-lost`."""


@functools.cache
def recorded(stem: str) -> tuple[tuple[int, int, bytes], ...]:
    file = VECTORS / f"wifi-aware-{stem}.pcap"
    with file.open("rb") as stream:
        return tuple((one.number, one.t_us, one.data) for one in open_reader(stream, file.name))


@functools.cache
def stems(expect: str) -> tuple[str, ...]:
    found: list[str] = []
    for file in sorted(VECTORS.glob("wifi-aware-*.pcap")):
        told = json.loads(file.with_suffix(".json").read_text("utf-8"))
        found += [file.stem.removeprefix("wifi-aware-")] if told["expect"] == expect else []
    return tuple(found)


def scene_of(stem: str) -> Scene:
    file = VECTORS / f"wifi-aware-{stem}.pcap"
    with file.open("rb") as stream:
        scene, damage = scene_of_capture(open_reader(stream, file.name))
    assert damage == ""
    assert scene.source == "wifi"
    return scene


def errors(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.rule, one.evidence) for one in found if one.severity == "error"]


@pytest.mark.parametrize("stem", stems("success"))
def test_an_exchange_that_worked_has_no_error(stem):
    scene = scene_of(stem)
    assert errors(explain(scene)) == []
    assert scene.passed_over == {}
    assert all(not device.malformed for device in scene.aware.devices.values())
    (pair,) = scene.aware.pairs.values()
    assert pair.works


@pytest.mark.parametrize("stem", stems("success"))
def test_a_phone_that_is_asked_for_refuses_only_what_its_rules_name(stem):
    """Two devices that are no phones: an iPhone would not take an open path, nor pair without a PIN; Android would."""
    scene = scene_of(stem)
    assert errors(explain(scene, view_of("android"))) == []
    refused = {rule for rule, _ in errors(explain(scene, view_of("ios-aware")))}
    told = json.loads((VECTORS / f"wifi-aware-{stem}.json").read_text("utf-8"))
    wanted = set[str]()
    if stem.startswith("ndp-"):
        wanted = {"IA-30", "IA-57"} if "open" in stem else {"IA-30"}
    methods = {step.get("pbm", 0) for step in told["timeline"] if step.get("cmd") == "publish"} - {
        0
    }
    if methods and not any(int(one) & 0x22 for one in methods):
        wanted = {"IA-31"}
    if methods == {0x20}:
        wanted = {"IA-32"}
    if stem.startswith("verify-"):  # they have paired before, however that was
        wanted = set()
    assert refused == wanted


@pytest.mark.parametrize("stem", stems("failure"))
def test_an_exchange_that_failed_is_explained(stem):
    found = explain(scene_of(stem))
    if stem in UNSEEN:
        assert errors(found) == []
        return
    rule, frame, words = FAILED[stem]
    told = [one for one in found if one.rule == rule]
    assert {one.severity for one in told} == {"warning" if stem in UNHARMED else "error"}
    for one in told:
        assert frame in one.frames
        assert words in one.evidence
        assert one.device


def test_every_failure_is_in_one_table():
    assert set(FAILED) | set(UNSEEN) == set(stems("failure"))
    assert not set(FAILED) & set(UNSEEN)


@pytest.mark.parametrize("stem", stems("success"))
def test_a_monitor_may_miss_any_frame_but_the_last_of_an_exchange(stem):
    """What comes later shows that it worked; without the last message nobody can tell."""
    frames = recorded(stem)
    for missed in range(len(frames) - 1):
        if (stem, missed + 1) in ONE_SIDED:
            continue
        scene = Scene(source="wifi", start_us=frames[0][1], end_us=frames[-1][1])
        source = AwareSource(scene)
        for number, t_us, data in frames[:missed] + frames[missed + 1 :]:
            source.frame(Heard(number, t_us, data))
        assert errors(explain(scene)) == [], missed + 1


def test_in_a_trace_the_end_is_no_failure_before_its_time():
    """The same octets: in a run that is still going, an answer may yet come."""
    for stem, wait_s in (("neg-pair-wrong-pin", 2), ("neg-ndp-m1-no-csia", 30)):
        frames = recorded(stem)
        for source, after_s, is_error in (
            ("trace", wait_s - 0.1, False),
            ("trace", wait_s, True),
            ("wifi", 0, True),
        ):
            scene = Scene(source=source, start_us=frames[0][1])
            reader = AwareSource(scene)
            for number, t_us, data in frames:
                reader.frame(Heard(number, t_us, data))
            scene.end_us = frames[-1][1] + round(after_s * 1e6)
            assert bool(errors(explain(scene))) is is_error, (stem, source, after_s)
