"""A repaired twin is its scenario with one setting changed: otherwise the file would not show what the cause is."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from sim import scenario

ENDING = "_repaired"
TWINS = [name for name in scenario.names() if name.endswith(ENDING)]
IN_WORDS = ("title", "about", "expect")
"""What says what happens and what is expected; everything else is what is simulated."""


def content(name: str) -> dict[str, Any]:
    """What a built-in scenario simulates, as its file has it."""
    plain = tomllib.loads((scenario.LIBRARY / f"{name}.toml").read_text("utf-8"))
    return {key: value for key, value in plain.items() if key not in IN_WORDS}


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Paths of the leaves in which two values differ; a list of another length is one more difference."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [
            found
            for key in keys
            for found in differing(one.get(key), other.get(key), f"{path}.{key}")
        ]
    if isinstance(one, list) and isinstance(other, list):
        paired = zip(one, other, strict=False)
        found = [p for n, (a, b) in enumerate(paired) for p in differing(a, b, f"{path}[{n}]")]
        return [*found, *([f"{path}.length"] if len(one) != len(other) else [])]
    return [] if one == other else [path]


def test_every_story_about_an_advert_a_pairing_or_a_connection_has_twins() -> None:
    stories = {name.partition("_")[0] for name in TWINS}
    assert {f"us{number}" for number in range(13, 20)} <= stories


@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_differs_in_exactly_one_setting(twin: str) -> None:
    found = differing(content(twin.removesuffix(ENDING)), content(twin))
    assert len(found) == 1, found


def test_the_comparison_sees_what_is_added_moved_and_changed() -> None:
    one = {"node": [{"set": {"a": 1, "b": [1, 2]}}], "step": [{"do": "x"}]}
    other = {"node": [{"set": {"a": 2, "b": [1, 2]}}], "step": [{"do": "x", "may_fail": True}, {}]}
    assert differing(one, other) == [".node[0].set.a", ".step[0].may_fail", ".step.length"]
    assert differing(one, one) == []
