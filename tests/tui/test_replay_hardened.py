"""Recorded pairings played by a device with default settings: the same frames, and an end as recorded or a better one.

The recordings are hostap's. What a careful device does otherwise is listed here, exchange by exchange, with the reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from protocols.wifi_aware.events import Derived, PairingResult
from protocols.wifi_aware.pairing import PairingSettings
from tui.verify import replay as verify_replay
from tui.verify.replay import Replay

if TYPE_CHECKING:
    from protocols.wifi_aware.device import DeviceSettings

VECTORS = Path(__file__).parents[1] / "vectors"
TOPICS = ("pair", "verify", "neg-pair", "neg-verify", "neg-followup")
EXCHANGES = sorted(path for topic in TOPICS for path in VECTORS.glob(f"wifi-aware-{topic}-*.json"))
WAITED = "hostap waits for ever; status 1 when the time is over"
FINAL: dict[tuple[str, str], tuple[list[int], str]] = {
    ("neg-pair-auth1-csia-cipher", "B"): ([1], WAITED),
    ("neg-pair-auth1-missing-csia", "B"): ([1], WAITED),
    ("neg-pair-auth1-missing-nan-element", "B"): ([1], WAITED),
    ("neg-pair-auth1-truncated-frame", "B"): ([1], WAITED),
    ("neg-pair-auth2-confirm", "A"): ([1], WAITED),
    ("neg-pair-auth2-groups", "A"): ([1], WAITED),
    ("neg-pair-auth2-mic", "A"): ([1], WAITED),
    ("neg-pair-auth2-no-mic", "A"): ([1], WAITED),
    ("neg-pair-auth3-dropped", "A"): ([1], WAITED),
    ("neg-pair-both-initiate", "A"): ([1], WAITED),
    ("neg-pair-both-initiate", "B"): ([1], WAITED),
    ("neg-pair-forged-rejection", "A"): ([1], WAITED),
    ("neg-pair-wrong-pin", "A"): ([1], WAITED),
    ("neg-pair-wrong-pin-gcmp256", "A"): ([1], WAITED),
    ("neg-verify-unknown-nik", "A"): ([1], "the kept Auth1 is dropped when the time is over"),
    ("neg-verify-unknown-nik", "B"): ([1], WAITED),
    ("neg-verify-wrong-npk", "A"): ([1], WAITED),
    ("neg-pair-duplicate-auth1", "A"): ([0], "a doubled Auth1 gets the same Auth2 again"),
    ("neg-pair-duplicate-auth1", "B"): ([0], "a doubled Auth2 is passed over"),
}
"""final statuses where they are others than recorded, and why."""
OTHER_FRAMES = {("neg-pair-duplicate-auth1", "A")}


def careful(settings: DeviceSettings) -> DeviceSettings:
    return msgspec.structs.replace(settings, pairing=PairingSettings())


@pytest.mark.parametrize("side", ["A", "B"])
@pytest.mark.parametrize("path", EXCHANGES, ids=lambda path: path.stem.removeprefix("wifi-aware-"))
def test_a_careful_device_sends_what_hostap_sends_and_ends_no_worse(
    path: Path, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_replay, "as_recorded", careful)
    plain: dict[str, Any] = json.loads(path.read_text())
    name = path.stem.removeprefix("wifi-aware-")
    replay = Replay(plain, side)
    checks = list(replay.checks())
    wrong = [
        check.name
        for check in checks
        if not check.ok and any(word in check.name for word in ("sends frame", "beyond", "draws"))
    ]
    assert bool(wrong) is ((name, side) in OTHER_FRAMES), wrong
    while (due := replay.device.next_timer()) is not None:
        replay.device.handle_timer(due)
        replay._collect()
    got = [event.status for event in replay.events if isinstance(event, PairingResult)]
    recorded = plain["outcome"][side].get("pairing_status", [])
    expected, why = FINAL.get((name, side), (recorded, "as recorded"))
    assert got == expected, why


DERIVED = {
    "sae_k", "sae_kck", "sae_pmk", "pasn_dhss", "pasn_pmk", "pasn_ptk", "pasn_kck", "nm_tk", "nm_kdk", "nm_kek",
    "nd_pmk_from_kdk", "npk_opportunistic", "nik",
}  # fmt: skip


@pytest.mark.parametrize("side", ["A", "B"])
@pytest.mark.parametrize("path", EXCHANGES, ids=lambda path: path.stem.removeprefix("wifi-aware-"))
def test_every_key_that_is_told_is_the_recorded_one(path: Path, side: str) -> None:
    plain: dict[str, Any] = json.loads(path.read_text())
    replay = Replay(plain, side)
    list(replay.checks())
    told = [event for event in replay.events if isinstance(event, Derived)]
    recorded = plain["secrets"][side]
    for event in told:
        if event.name in DERIVED:
            assert event.value in recorded.get(event.name, []), event.name
    succeeded = 0 in plain["outcome"][side].get("pairing_status", [])
    assert not succeeded or {"pasn_ptk", "nm_tk", "nd_pmk_from_kdk"} <= {one.name for one in told}
