"""What `verify` says of files that are not as they should be: words about the file, never the name of an error."""

from __future__ import annotations

import json

import pytest

from tui.cli import main
from tui.verify.words import words_of

VECTOR = {"name": "v", "kind": "manufacturer_data", "company_id": "004c", "hex": "0215", "format": "ibeacon"}  # fmt: skip


def got_of(capsys, tmp_path, plain):
    """What the checks that do not hold have got."""
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(plain))
    assert main(["verify", str(file), "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)["files"][0]["checks"]
    return [check["got"] for check in checks if not check["ok"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hex": "zz"}, "a member that holds octets is not hexadecimal"),
        ({"hex": 5}, "a member is of another type than it should be"),
        ({"kind": None, "context": 3}, "a member is of another type than it should be"),
        ({"company_id": 76, "format": None}, "a member is of another type than it should be"),
        ({"format": "ibeakon", "encode": True, "expected": {}}, "did you mean ibeacon"),
    ],
)
def test_a_vector_that_cannot_be_checked_is_told_in_words(capsys, tmp_path, change, said):
    (got, *_) = got_of(capsys, tmp_path, {"vectors": [VECTOR | change]})
    assert said in str(got)
    assert "Error" not in str(got)


def test_a_member_that_is_missing_is_named(capsys, tmp_path):
    vector = {key: value for key, value in VECTOR.items() if key != "kind"}
    assert got_of(capsys, tmp_path, {"vectors": [vector]}) == [
        "kind is missing, or is none of those known"
    ]


def test_a_frame_that_is_no_frame_is_told_in_words(capsys, tmp_path):
    got = got_of(capsys, tmp_path, {"frames": [{"n": 1, "hex": "zz"}]})
    assert "a member that holds octets is not hexadecimal" in got
    assert not [one for one in got if "Error" in str(one)]


@pytest.mark.parametrize("exc", [KeyError("a"), IndexError(3), TypeError("x"), AttributeError("y")])
def test_no_name_of_an_error_is_in_the_words(exc):
    assert type(exc).__name__ not in words_of(exc)
    assert words_of(exc)
