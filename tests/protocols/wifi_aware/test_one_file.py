"""Adding an attribute is one file: in a copy of the packages it is decoded, encoded, listed, shown, drawn and fuzzed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAME = "moon_phase"
FILE = '''"""Moon Phase (0x5C): an attribute that only this test has."""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, U16LE, Flags, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Int5, Int8, Int16, Words, Int3

ID = 0x5C


class MoonPhase(Body, frozen=True, kw_only=True):
    """How full it is."""

    phase: Int3
    reserved_3: Int5 = 0
    age_s: Int16
    mood: Int8


ATTRIBUTE = Attribute(
    id=ID,
    name="moon_phase",
    title="Moon Phase",
    source="this test",
    fields=MoonPhase,
    layout=Record(
        Flags(U8, phase=(0, 3, Words(U8, {4: "full"})), reserved_3=(3, 5)), "age_s" / U16LE, "mood" / U8
    ),
    minimum=4,
    maximum=4,
    examples=(Example("04100e07", note="full"),),
)
'''
HEADER = "d0000000516f9a01000002005e10a001506f9a014d211000" + "0409506f9a13"
FRAME = HEADER + "5c0400" + "04100e07"


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A copy of what is imported, with one file more."""
    folder = tmp_path_factory.mktemp("house")
    leave = shutil.ignore_patterns("__pycache__")
    for package in ("protocols", "tui", "sim"):
        shutil.copytree(ROOT / package, folder / package, ignore=leave)
    (folder / "protocols/wifi_aware/attributes" / f"{NAME}.py").write_text(FILE)
    tests = folder / "tests/protocols/wifi_aware"
    tests.mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "test_every_attribute.py", tests)
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n"
    )
    return folder


def call(folder, *arguments, stdin=None):
    """Output of a Python command in the copy; the folder it runs in is looked at first."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, input=stdin, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_decoded_and_encoded(house):
    line = call(house, "tui", "decode", "--kind", "frame", "--jsonl", FRAME)
    (attribute,) = json.loads(line)["fields"]["attributes"]
    assert attribute == {"attribute": NAME, "phase": 4, "age_s": 3600, "mood": 7}
    assert FRAME in call(house, "tui", "encode", "--jsonl", stdin=line).replace(" ", "")
    text = call(house, "tui", "decode", "--kind", "frame", FRAME)
    assert "Moon Phase" in text
    assert "full" in text


def test_it_is_listed_and_shown(house):
    rows = json.loads(call(house, "tui", "list", "attributes", "--json"))
    (row,) = [row for row in rows if row["name"] == NAME]
    assert (row["id"], row["minimum_octets"], row["maximum_octets"]) == (0x5C, 4, 4)
    assert row["fields"] == ["phase", "reserved_3", "age_s", "mood"]
    for name in (NAME, "0x5c"):
        shown = json.loads(call(house, "tui", "show", "attribute", name, "--json"))
        assert (shown["title"], shown["source"]) == ("Moon Phase", "this test")
        assert shown["fields"][0] == {"name": "phase", "about": "number 0 to 7"}


def test_it_is_tested_like_the_others(house):
    """Examples, exact rebuilds, valid values, truncations, flips and the fuzz come with the file."""
    out = call(house, "pytest", "-q", "-k", NAME, "tests")
    assert "7 passed" in out


def test_half_a_file_fails_with_a_sentence(house):
    """A layout that loses bits is found by the tests that came with it."""
    file = house / "protocols/wifi_aware/attributes" / f"{NAME}.py"
    whole = file.read_text()
    file.write_text(whole.replace(", reserved_3=(3, 5)", ""))
    try:
        with pytest.raises(AssertionError, match="test_fuzz_is_exact_or_named"):
            call(house, "pytest", "-q", "-k", NAME, "tests")
    finally:
        file.write_text(whole)
