"""Values as typed behind `=`: what is meant is what the declared type takes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from protocols.errors import UsageError
from sim.device import Settings, convert
from sim.typed import as_declared, plain, typed
from sim.units import Duration


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["red", "green"] = "red"


class Mine(Settings, frozen=True, kw_only=True):
    pin: str = ""
    version: Literal["18.2", "26.0"] = "26.0"
    count: int = 0
    ratio: float = 0.0
    either: str | int = ""
    on: bool = False
    time: Duration = Duration(0)
    inner: tuple[Inner, ...] = ()
    name: str | None = None


@pytest.mark.parametrize(
    ("key", "text", "wanted"),
    [
        ("pin", "123456", "123456"),
        ("pin", "000000", "000000"),  # no TOML number: leading zeros
        ("pin", '"123456"', "123456"),
        ("pin", "0x10", "0x10"),  # 16 to TOML
        ("version", "26.0", "26.0"),
        ("name", "true", "true"),
        ("count", "3", 3),
        ("ratio", "3", 3.0),
        ("either", "3", 3),
        ("on", "true", True),
        ("time", "2s", 2_000_000),
        ("inner", '[{kind = "green"}]', (Inner("green"),)),
    ],
)
def test_the_declared_type_decides(key: str, text: str, wanted: Any) -> None:
    found = convert({key: typed(text)}, Mine, "set")
    assert getattr(found, key) == wanted


def test_what_fits_neither_way_is_said_for_the_likelier_one() -> None:
    with pytest.raises(UsageError, match=r"set\.version: .*'25'; allowed: 18\.2, 26\.0"):
        convert({"version": typed("25")}, Mine, "set")
    with pytest.raises(UsageError, match=r"set\.on: Expected `bool`, got `int`"):
        convert({"on": typed("25")}, Mine, "set")


def test_without_a_declared_type_it_is_what_toml_says() -> None:
    assert as_declared(typed("3"), Any) == 3
    assert plain(typed("3")) == 3
    assert plain(typed("abc")) == "abc"


def test_an_unknown_setting_gets_the_names_that_are_near() -> None:
    with pytest.raises(UsageError, match="unknown setting 'versoin'; did you mean version"):
        convert({"versoin": 1}, Mine, "set")
    with pytest.raises(UsageError, match=r"set\.inner\[0\]: unknown setting 'x'; known: kind"):
        convert({"inner": [{"x": 1}]}, Mine, "set")
    with pytest.raises(UsageError, match=r"set\.inner\[0\]\.kind: .*'x'; allowed: red, green"):
        convert({"inner": [{"kind": "x"}]}, Mine, "set")
