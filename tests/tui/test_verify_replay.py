"""Each recorded exchange played by our engines, as either device, compared octet by octet with the recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tui.verify.replay import Replay, replay_checks

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


ELEMENTS = {
    (48, None): "RSNE",
    (255, 8): "Wrapped Data",
    (244, None): "RSNXE",
    (255, 100): "PASN Parameters",
    (221, None): "NAN element",
    (255, 161): "Supported Groups",
    (140, None): "MIC",
}
"""(ID, ID extension) -> elements of recorded Authentication frames."""
FIRST_ELEMENT, CIPHER_HEADER, ENCRYPTED = 30, 24, 32
"""Places in Authentication frames, and in protected ones."""


def elements_at(octets: bytes) -> dict[str, int]:
    """Name -> place of the last octet of each element of an Authentication frame, read by hand."""
    places: dict[str, int] = {}
    at = FIRST_ELEMENT
    while at + 2 <= len(octets):
        extension = octets[at + 2] if octets[at] == 255 else None
        end = at + 2 + octets[at + 1]
        places[ELEMENTS[octets[at], extension]] = end - 1
        at = end
    assert at == len(octets)
    return places


@pytest.mark.parametrize(("cipher", "tag_octets"), [("ccmp128", 8), ("gcmp256", 16)])
def test_one_bit_of_an_element_or_of_a_protected_frame_makes_the_replay_fail(
    cipher: str, tag_octets: int
) -> None:
    plain = loaded(VECTORS / f"wifi-aware-pair-sae-{cipher}-encrypted-followup.json")
    tried: set[str] = set()
    for index, frame in enumerate(plain["frames"]):
        octets = bytes.fromhex(frame["hex"])
        spots: dict[str, int] = {}
        if octets[0] == 0xB0:
            spots = elements_at(octets)
        elif octets[1] & 0x40:
            tag = len(octets) - tag_octets
            spots = {"packet number": CIPHER_HEADER, "key ID": CIPHER_HEADER + 3}
            spots |= {"first octet": ENCRYPTED, "last octet": tag - 1}
            spots |= {"tag": tag, "end of tag": len(octets) - 1}
        for name, place in spots.items():
            tried.add(f"{frame['kind']} {name}")
            checks = Replay(flipped(plain, index, place), frame["dir"][0]).checks()
            assert any(not check.ok for check in checks), f"frame {index}, {name}"
    assert {name for name in tried if name.startswith("PASN-AUTH2")} == {
        f"PASN-AUTH2 {name}" for name in ELEMENTS.values()
    }
    assert len(tried) == 5 + 7 + 4 + 6


def test_an_event_that_the_recording_lacks_is_a_difference() -> None:
    plain = loaded(VECTORS / "wifi-aware-bootstrap-pin-display.json")
    kept = [one for one in plain["timeline"] if one.get("ev") != "followup"]
    assert len(kept) < len(plain["timeline"])
    plain["timeline"] = kept
    wrong = {check.name for check in replay_checks(plain) if not check.ok}
    assert wrong
    assert all("events followup" in name for name in wrong)


@pytest.mark.parametrize("gone", ["cause", "n", "t_ms", "type"])
def test_a_timeline_that_cannot_be_followed_is_a_failing_check(gone: str) -> None:
    plain = loaded(VECTORS / "wifi-aware-ndp-open.json")
    for entry in plain["timeline"]:
        entry.pop(gone, None)
    assert all(check.name for check in replay_checks(plain))
    if gone != "cause":
        assert any(not check.ok for check in replay_checks(plain))
