"""Pairings that fail and connections that are lost, for every phone alike (NB-01, NB-02)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from protocols.capture import open_reader
from sim import scenario
from sim.explain import explain
from sim.explain.reading import scene_of_capture
from sim.recording import Recorder
from sim.world import World
from tests.sim.explain.logs import Air, Hci, rules, the

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "02010603030d18020a0406094b6974656e"
JUST_WORKS = ("0103000d100303", "0203000d100303")
"""Pairing Request and Response: NoInputNoOutput on both sides, Secure Connections, bonding."""
PASSKEY = ("0104000d100303", "0200000d100303")
"""Keyboard and display against a display: the PIN is typed at the phone."""
KEY = "0c" + "11" * 64


def paired(log: Hci, features: tuple[str, str], *, more: int = 0) -> None:
    """Features, and `more` of: both public keys."""
    log.smp(features[0], sent=True)
    log.smp(features[1], sent=False)
    for sent in (True, False)[:more]:
        log.smp(KEY, sent=sent)


@pytest.fixture
def log() -> Hci:
    made = Hci()
    made.advert(GOOD, times=8, every_ms=157.5)
    made.connect()
    return made


def test_who_ended_it_at_which_step_and_why(log: Hci) -> None:
    paired(log, PASSKEY, more=2)
    log.smp("03" + "22" * 16, sent=True)
    frame = log.smp("0504", sent=False)
    log.disconnect(0x16)
    found = the(log.findings(), "NB-01", "android-ble")
    assert found.severity == "error"
    assert "the accessory ended it at confirm values: confirm value failed (0x04)" in found.evidence
    assert frame in found.frames
    assert "PIN that is shown now" in found.remedy


def test_the_phone_may_end_it_too(log: Hci) -> None:
    paired(log, PASSKEY)
    log.smp("0503", sent=True)
    assert (
        "the phone ended it at feature exchange"
        in the(log.findings("android-ble"), "NB-01").evidence
    )


@pytest.mark.parametrize(
    ("features", "silent"),
    [(PASSKEY, "the phone stayed silent"), (JUST_WORKS, "the accessory stayed silent")],
)  # after the public keys the phone's confirm value comes first with a PIN, else the accessory's (2.3.5.6.2, 2.3.5.6.3)
def test_thirty_seconds_of_silence(log: Hci, features: tuple[str, str], silent: str) -> None:
    paired(log, features, more=2)
    log.t_us += 30_100_000
    log.disconnect(0x16)
    assert silent in the(log.findings("android-ble"), "NB-01").evidence


def test_less_silence_at_the_end_of_a_capture_says_nothing(log: Hci) -> None:
    paired(log, PASSKEY, more=2)
    log.t_us += 29_000_000
    log.advert(GOOD)
    assert "NB-01" not in rules(log.findings())


def test_a_connection_that_ends_on_the_way(log: Hci) -> None:
    paired(log, PASSKEY, more=1)
    log.disconnect(0x13)
    assert "the connection ended at public keys" in the(log.findings("ios-ask"), "NB-01").evidence


def test_an_encryption_that_fails_after_it(log: Hci) -> None:
    paired(log, PASSKEY, more=2)
    log.encryption(0x3D)
    assert "0x3d" in the(log.findings("ios-ble"), "NB-01").evidence


def test_a_pairing_that_succeeds_is_none(log: Hci) -> None:
    paired(log, PASSKEY, more=2)
    log.encryption(0)
    log.served()
    log.t_us += 60_000_000
    log.disconnect(0x16)
    assert not rules(log.findings()) & {"NB-01", "NB-02"}


def test_what_succeeds_later_makes_it_a_note(log: Hci) -> None:
    paired(log, PASSKEY)
    log.smp("0504", sent=False)
    paired(log, PASSKEY, more=2)
    log.encryption(0)
    assert the(log.findings("ios-ble"), "NB-01").severity == "note"


@pytest.mark.parametrize(
    ("reason", "words"), [(0x08, "supervision"), (0x3D, "MIC"), (0x3E, "established")]
)
def test_lost_connections(log: Hci, reason: int, words: str) -> None:
    log.served()
    frame = log.disconnect(reason)
    found = the(log.findings("ios-ble"), "NB-02")
    assert (found.severity, found.frames[-1]) == ("error", frame)
    assert words in found.evidence
    log.connect()
    log.served()
    assert the(log.findings("ios-ble"), "NB-02").severity == "note"


@pytest.mark.parametrize("reason", [0x13, 0x15, 0x16])
def test_connections_that_were_closed(log: Hci, reason: int) -> None:
    log.served()
    log.disconnect(reason)
    assert "NB-02" not in rules(log.findings())


def test_silence_on_the_air_is_a_loss_only_while_the_end_could_be_read() -> None:
    for encrypted in (False, True):
        log = Air()
        log.advert(GOOD)
        log.connect()
        log.data(bytes.fromhex("0300040002f700"), central=True)
        if encrypted:
            log.control(0x03, bytes(22), central=True)
            log.control(0x05, central=False)
            log.data(b"\x55" * 9, central=True)
        log.t_us += 5_000_000
        log.advert(GOOD)
        found = [one for one in log.findings("ios-ble") if one.rule == "NB-02"]
        assert [one.severity for one in found] == ([] if encrypted else ["warning"])


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("rejected_comparison", "error"),
        ("wrong_pin", "note"),
        ("silent_peer", "note"),
        ("numeric_comparison", ""),
        ("passkey_lock", ""),
        ("oob_pairing", ""),
        ("just_works_headset", ""),
        ("thermometer_session", ""),
        ("lossy_air", ""),
    ],
)
def test_captures_of_library_scenarios(name: str, severity: str, tmp_path: Path) -> None:
    made = World(scenario.load(name))
    recorder = Recorder(made)
    recorder.capture(f"phone:{tmp_path / 'phone.btsnoop'}")
    try:
        assert made.run().passed
    finally:
        recorder.close()
        made.close()
    octets = (tmp_path / "phone.btsnoop").read_bytes()
    scene, _ = scene_of_capture(open_reader(io.BytesIO(octets), "phone.btsnoop"))
    found = explain(scene)
    assert {one.severity for one in found if one.rule.startswith("NB-")} == {
        *filter(None, [severity])
    }
    assert not {one.rule for one in found if one.severity == "error"} - {"NB-01"}
    assert not {one.rule for one in found if one.severity == "warning"} & {"AK-05", "IB-06"}
