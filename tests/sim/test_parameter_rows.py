"""Parameters one by one: tables by their members, allowed values, defaults as they would be typed."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from protocols.errors import UsageError
from sim.accessories import ACCESSORIES
from sim.device import Settings, convert
from sim.faults import FAULTS
from sim.parameter_rows import parameter_rows
from sim.phones import PHONES
from sim.typed import type_text
from sim.units import Duration

DEVICES = [
    (name, model.Settings) for folder in (PHONES, ACCESSORIES, FAULTS) for name, model in folder
]


class Radio(Settings, frozen=True, kw_only=True):
    """A table inside."""

    power_dbm: int = 0
    """how strong."""
    mode: Literal["slow", "fast"] = "slow"
    """how it is."""


class Lamp(Settings, frozen=True, kw_only=True):
    """Settings of every kind."""

    radio: Radio = Radio(power_dbm=15)
    """its radio."""
    spare: Radio | None = None
    """a second one."""
    colours: tuple[Literal["red", "green"], ...] = ("red",)
    """what it can."""
    wait: Duration = Duration(2_500_000)
    """a duration."""
    level: int | Literal["auto"] = "auto"
    """how bright."""
    table: dict[str, bool] = msgspec.field(default_factory=lambda: {"a": True})
    """anything."""


def rows_of(kind: Any) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in parameter_rows(kind)}


def test_a_table_is_told_by_its_members_with_the_defaults_it_has_there():
    rows = rows_of(Lamp)
    assert "radio" not in rows
    assert rows["radio.power_dbm"] == {
        "name": "radio.power_dbm", "type": "int", "default": 15, "about": "how strong.",
    }  # fmt: skip
    assert rows["radio.mode"]["values"] == ["slow", "fast"]
    assert (rows["spare"]["default"], rows["spare.power_dbm"]["default"]) == (None, 0)


def test_values_and_defaults_stand_as_they_would_be_typed():
    rows = rows_of(Lamp)
    assert (rows["colours"]["type"], rows["colours"]["values"]) == ("list", ["red", "green"])
    assert rows["colours"]["default"] == ["red"]
    assert rows["wait"]["default"] == "2500ms"
    assert (rows["level"]["type"], rows["level"].get("values")) == ("int | auto", None)
    assert rows["table"]["default"] == {"a": True}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, "int"),
        (Duration | None, "Duration | None"),
        (Literal["a", "b", ""], 'a | b | ""'),
        (Literal["a"] | Literal["b"], "a | b"),
        (tuple[str, ...], "list of str"),
        (list[Literal["a", "b"]] | None, "list of a | b | None"),
        (dict[str, bool], "table"),
        (Radio | None, "table | None"),
        (Any, "Any"),
    ],
)
def test_types_in_words(kind, text):
    assert type_text(kind) == text


@pytest.mark.parametrize(("name", "kind"), DEVICES, ids=[name for name, _ in DEVICES])
def test_every_default_is_one_that_may_be_given_and_every_value_too(name, kind):
    """What is shown can be typed: each default, and each allowed value, is taken as `--set` takes it."""
    for row in parameter_rows(kind):
        given = [] if row["default"] in (None, "") else [row["default"]]
        values = row.get("values", [])
        given += [[one] for one in values] if row["type"] == "list" else values
        for value in given:
            said = refusal(kind, row["name"], value)  # it may need another setting beside it
            assert "allowed:" not in said, row["name"]
            assert "Expected" not in said, row["name"]


def refusal(kind: Any, dotted: str, value: Any) -> str:
    """Why a setting is not taken; empty when it is."""
    try:
        convert(_nested(dotted, value), kind, "settings")
    except UsageError as exc:
        return str(exc)
    return ""


def _nested(dotted: str, value: Any) -> dict[str, Any]:
    key, _, rest = dotted.partition(".")
    return {key: _nested(rest, value) if rest else value}
