"""What recorded exchanges say they come to, against what their devices concluded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tui.verify import verify_file
from tui.verify.expect import expect_checks
from tui.verify.replay import replay_checks

VECTORS = Path(__file__).parents[1] / "vectors"
EXCHANGES = sorted(
    path
    for path in VECTORS.glob("wifi-aware-*.json")
    if "expect" in json.loads(path.read_text(encoding="utf-8"))
)


def loaded(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_exchanges_of_both_kinds() -> None:
    kinds = [loaded(path)["expect"] for path in EXCHANGES]
    assert (kinds.count("success"), kinds.count("failure")) == (39, 49)


@pytest.mark.parametrize("path", EXCHANGES, ids=lambda path: path.stem)
def test_every_recording_came_to_what_it_expects_and_not_to_the_contrary(path: Path) -> None:
    plain = loaded(path)
    assert all(check.ok for check in expect_checks(plain))
    plain["expect"] = "failure" if plain["expect"] == "success" else "success"
    assert [check.ok for check in expect_checks(plain)] == [True, False]


@pytest.mark.parametrize("expect", [None, "", "maybe", "Success", 1, True, ["success"], {}])
def test_another_word_is_a_failing_check(expect: Any) -> None:
    plain = loaded(VECTORS / "wifi-aware-ndp-open.json") | {"expect": expect}
    (check,) = expect_checks(plain)
    assert (check.name, check.ok) == ("expect", False)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("command_failed", 1),
        ("pairing_status", [0, 1]),
        ("auth_frames_refused", [2]),
        ("naf_refused_subtype", [5]),
        ("bootstrap", [{"reason": 0}]),
        ("ndp_disconnected_reason", [1, 1]),
    ],
)
def test_a_failure_of_either_device_is_no_success(key: str, value: Any) -> None:
    for side in "AB":
        plain = loaded(VECTORS / "wifi-aware-full-sae-ccmp128-ndp-pk128.json")
        plain["outcome"][side][key] = value
        assert [check.ok for check in expect_checks(plain)] == [True, False]


@pytest.mark.parametrize("outcome", [7, [], {"A": 7, "B": {"bootstrap": 1, "notes": {}}}])
def test_an_outcome_of_another_form_makes_nothing_fall_over(outcome: Any) -> None:
    plain = loaded(VECTORS / "wifi-aware-ndp-open.json") | {"outcome": outcome}
    assert [check.ok for check in expect_checks(plain)]


def test_a_missing_outcome_is_said(tmp_path: Path) -> None:
    plain = loaded(VECTORS / "wifi-aware-ndp-open.json")
    del plain["outcome"]
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps(plain))
    assert "expect: outcome is missing or empty" in verify_file(mine).unchecked


@pytest.mark.parametrize(
    ("above", "key", "value"),
    [
        (("devices", "A"), "nmi", None),
        (("devices", "A"), "config", 7),
        (("devices", "A"), "static_attributes", {"colour": "red"}),
        (("timeline", 0), "t_ms", "soon"),
        (("timeline", 0), "type", None),
        (("draws",), "A", 7),
        ((), "timeline", 7),
        ((), "cluster_id", None),
    ],
)
def test_what_cannot_be_replayed_is_said_in_words(above: Any, key: str, value: Any) -> None:
    plain = loaded(VECTORS / "wifi-aware-ndp-open.json")
    inner = plain
    for step in above:
        inner = inner[step]
    inner[key] = value
    if value is None:
        del inner[key]
    wrong = [check for check in replay_checks(plain) if not check.ok]
    assert wrong
    told = [check.got for check in wrong if check.name.endswith(": replay")]
    assert all(one.startswith("the configuration or timeline cannot be used: ") for one in told)
    assert told
    assert not any("Error" in str(check.got) for check in wrong)
