"""The filter language: what it means, and where and why a text means nothing."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.filters import FilterError, Vocabulary, compile_filter, condition

ROW = {
    "proto": "smp",
    "rssi": -70,
    "from": "phone-A",
    "addr": ("c0:1f:22", "7e:00:11"),
    "ok": True,
    "text": "Pairing failed",
}
WORDS = Vocabulary(
    {"smp": lambda row: row["proto"] == "smp", "adv": lambda row: row["proto"] == "adv"},
    {key: (lambda row, key=key: row.get(key)) for key in (*ROW, "len")},
)


def fits(text, row=ROW):
    return compile_filter(text, WORDS).matches(row)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True), ("smp", True), ("SMP", True), ("adv", False), ("!adv", True), ("!!smp", True), ("not adv", True),
        ("rssi>-80", True), ("rssi>=-70", True), ("rssi<-70", False), ("rssi==-70", True), ("rssi!=-70", False),
        ("rssi==-0x46", True), ("from:phone-a", True), ("from==phone", False), ("from~HONE", True),
        ("from!~hone", False), ('from=="phone-A"', True), ("addr~7e", True), ("addr:7e:00:11", True),
        ("addr~ff", False), ("ok==1", True), ('"failed"', True), ("'nothing'", False), ("len>0", False), ("len!=0", False),
        ("!(len>0)", True), ("smp && adv || smp", True), ("smp && (adv || smp)", True), ("adv && adv || adv", False),
        ("adv || smp && !adv", True), ("smp and not adv or adv", True),
    ],
)  # fmt: skip
def test_what_fits(text, expected):
    assert fits(text) is expected


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("smpp", 1, "did you mean smp"), ("adv || frm:x", 8, "did you mean from"), ("rssi", 5, "comparison"),
        ("rssi>", 6, "value is missing"), ("rssi>loud", 6, "needs a number"), ("(smp", 1, "not closed"),
        ("smp)", 4, "never opened"), ("smp adv", 5, "&& or ||"), ("smp & adv", 5, "write &&"), ("smp | adv", 5, "write ||"),
        ("smp &&", 7, "missing here"), ("&& smp", 1, "missing before"), ('"open', 1, "second"), ("()", 2, "missing before"),
        ("!", 2, "missing here"), ("!" * 60 + "smp", 51, "more than 50"),
    ],
)  # fmt: skip
def test_what_means_nothing_says_where_and_why(text, column, part):
    with pytest.raises(FilterError, match=part.replace("|", r"\|")) as caught:
        compile_filter(text, WORDS)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: ")


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_an_error_at_a_column_in_it(text):
    column = 1
    try:
        compile_filter(text, WORDS).matches(ROW)
    except FilterError as exc:
        column = exc.column
    assert 1 <= column <= len(text) + 1


def test_expressions_mean_what_python_says():
    """Against Python's own and, or, not over random expressions."""
    rnd = random.Random(3)

    def make(depth):
        if depth == 0:
            name = rnd.choice(["smp", "adv"])
            return name, name
        kind = rnd.choice(["not", "and", "or"])
        ours, theirs = make(depth - 1)
        if kind == "not":
            return f"!({ours})", f"not ({theirs})"
        other, their_other = make(rnd.randrange(depth))
        sign = {"and": "&&", "or": "||"}[kind]
        return f"({ours}) {sign} {other}", f"({theirs}) {kind} {their_other}"

    for _ in range(300):
        ours, theirs = make(rnd.randrange(6))
        assert fits(ours) == eval(theirs, {"smp": True, "adv": False}), ours  # noqa: S307  # words of this test


@pytest.mark.parametrize("value", ["a b", "x&&y", "", "(", "7e", -70, True, 'with "quotes"', "'"])
def test_a_condition_made_of_a_value_fits_that_value(value):
    words = Vocabulary({}, {"key": lambda row: row})
    shown = str(value).replace('"', "?") if isinstance(value, str) else value
    assert compile_filter(condition("key", value), words).matches(shown)


def test_a_long_filter_is_no_trouble():
    letters = string.ascii_lowercase
    assert not fits(" || ".join(f"from=={one}" for one in letters * 40))
