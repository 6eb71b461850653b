"""Each recorded exchange played by our engines, as either device, compared octet by octet with the recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tui.verify_replay import Replay, replay_checks

VECTORS = Path(__file__).parents[1] / "vectors"
EXCHANGES = sorted(
    path for path in VECTORS.glob("wifi-aware-*.json") if path.name != "wifi-aware-crypto.json"
)


def loaded(path: Path) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(path.read_text())
    return plain


@pytest.mark.parametrize("side", ["A", "B"])
@pytest.mark.parametrize("path", EXCHANGES, ids=lambda path: path.stem.removeprefix("wifi-aware-"))
def test_our_device_does_what_the_recorded_one_did(path: Path, side: str) -> None:
    wrong = [check for check in Replay(loaded(path), side).checks() if not check.ok]
    assert not wrong, "\n".join(
        f"{c.name}\n  expected {c.expected}\n  got      {c.got}" for c in wrong[:5]
    )


def flipped(plain: dict[str, Any], index: int, place: int) -> dict[str, Any]:
    """The recording with one bit of one octet of a sent frame turned."""
    changed: dict[str, Any] = json.loads(json.dumps(plain))
    frame = changed["frames"][index]
    octets = bytearray.fromhex(frame["hex"])
    octets[place] ^= 1
    frame["hex"] = octets.hex()
    return changed


def attributes_at(body: bytes, start: int) -> dict[int, int]:
    """ID -> place of the last octet of each attribute from `start` on, read by hand."""
    places: dict[int, int] = {}
    at = start
    while at + 3 <= len(body):
        end = at + 3 + int.from_bytes(body[at + 1 : at + 3], "little")
        places[body[at]] = end - 1
        at = end
    return places


def test_one_bit_of_any_class_of_octets_makes_the_replay_fail() -> None:
    plain = loaded(VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.json")
    tried: set[str] = set()
    for index, frame in enumerate(plain["frames"]):
        octets = bytes.fromhex(frame["hex"])
        action = octets[24] in (4, 9) and octets[0] == 0xD0
        start = 31 if octets[29] == 0x18 else 30
        places = attributes_at(octets, start) if action else {}
        spots = {"address": 10, "cluster": 16, "sequence": 22, "last octet": len(octets) - 1}
        spots |= {f"attribute {number:#04x}": place for number, place in places.items()}
        side = frame["dir"][0]
        for name, place in spots.items():
            kind = f"{frame['kind']} {name}"
            if kind in tried:
                continue
            tried.add(kind)
            checks = Replay(flipped(plain, index, place), side).checks()
            assert any(not check.ok for check in checks), kind
    assert len(tried) > 80


@pytest.mark.parametrize("gone", ["cause", "n", "t_ms", "type"])
def test_a_timeline_that_cannot_be_followed_is_a_failing_check(gone: str) -> None:
    plain = loaded(VECTORS / "wifi-aware-ndp-open.json")
    for entry in plain["timeline"]:
        entry.pop(gone, None)
    assert all(check.name for check in replay_checks(plain))
    if gone != "cause":
        assert any(not check.ok for check in replay_checks(plain))
