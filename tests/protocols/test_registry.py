"""The folder as registry: listing without importing, near misses, a user's own file, what a broken file says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from protocols.ble import payloads
from protocols.dissect import Block, dissect
from protocols.errors import UnknownNameError, UsageError
from protocols.registry import Folder, load_file

FORMAT_FILE = '''
"""A user's own format."""
from protocols.format import Fields, Format
from protocols.layout import U8, Record, build

KEYS = ("service_data/abcd",)


class Mine(Fields, frozen=True):
    level: int


LAYOUT = Record("level" / U8)


def decode(reader):
    return Mine(**reader.read(LAYOUT))


FORMAT = Format(name="mine", title="Mine", source="me", fields=Mine, decode=decode, encode=lambda f, k: build(LAYOUT, f))
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An importable package of things, forgotten afterwards."""
    root = tmp_path / "shelf_of_things"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "red_ball.py").write_text("THING = 'red'\n")
    (root / "_helper.py").write_text("raise RuntimeError('not a thing')\n")
    (root / "notes.txt").write_text("not Python")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield root
    for name in [
        name for name in sys.modules if name.startswith(("shelf_of_things", "nearbench_user_"))
    ]:
        del sys.modules[name]


def shelf(separator="-"):
    return Folder("shelf_of_things", "THING", "thing", separator=separator)


# --- the folder -----------------------------------------------------------------------------------


def test_a_file_is_registered_by_being_there(package):
    """No list to edit: also while the program runs."""
    things = shelf()
    assert things.names() == ["red-ball"]
    (package / "blue_box.py").write_text("THING = 'blue'\n")
    assert things.names() == ["blue-box", "red-ball"]
    assert things.get("blue-box") == "blue"
    assert dict(things) == {"blue-box": "blue", "red-ball": "red"}
    (package / "red_ball.py").unlink()
    assert things.names() == ["blue-box"]


def test_a_file_younger_than_the_listing_of_its_folder(package):
    """Python remembers what a folder held; a file that came within the same tick of its clock is found."""
    (package / "blue_box.py").write_text("THING = 'blue'\n")
    things = shelf()
    things.get("red-ball")  # makes the folder of compiled files
    things.get("blue-box")  # lists the folder again
    stamp = package.stat()
    (package / "new.py").write_text("THING = 'new'\n")
    os.utime(package, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert things.get("new") == "new"


def test_either_spelling_is_found(package):
    assert shelf().get("red-ball") == shelf().get("red_ball") == "red"
    assert shelf("_").names() == ["red_ball"]


def test_listing_imports_nothing(package):
    (package / "bomb.py").write_text("raise RuntimeError('boom')\n")
    things = shelf()
    assert things.names() == ["bomb", "red-ball"]
    things.get("red-ball")
    assert "shelf_of_things.bomb" not in sys.modules


def test_a_thing_is_imported_once(package):
    (package / "counted.py").write_text("THING = []\n")
    things = shelf()
    assert things.get("counted") is things.get("counted")


@pytest.mark.parametrize("name", ["red-bal", "redball", "read-ball"])
def test_unknown_name_offers_the_near_misses(package, name):
    with pytest.raises(
        UnknownNameError, match=f"unknown thing '{name}'; did you mean red-ball"
    ) as caught:
        shelf().get(name)
    assert (caught.value.kind, caught.value.name, caught.value.known) == (
        "thing",
        name,
        ["red-ball"],
    )
    assert caught.value.exit_status == 2


def test_unknown_name_without_near_misses_lists_all(package):
    with pytest.raises(UnknownNameError, match="known: red-ball"):
        shelf().get("zzz")


@pytest.mark.parametrize(
    "name", ["", "_helper", "-helper", "__init__", "../red_ball", "red ball", "a.b", "notes"]
)
def test_what_is_no_thing(package, name):
    with pytest.raises(UnknownNameError):
        shelf().get(name)


def test_file_without_the_constant(package):
    (package / "empty.py").write_text("OTHER = 1\n")
    with pytest.raises(UsageError, match="empty: defines no THING, so it is no thing"):
        shelf().get("empty")


# --- a user's own file ----------------------------------------------------------------------------


def test_user_file_by_path(package, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("THING = 'mine'\n")
    assert shelf().get(str(file)) == "mine"
    assert shelf().names() == ["red-ball"]


def test_two_user_files_of_one_name(package, tmp_path):
    things = shelf()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"THING = {folder!r}\n")
    assert [things.get(str(tmp_path / folder / "mine.py")) for folder in ("a", "b")] == ["a", "b"]


def test_missing_user_file(package, tmp_path):
    with pytest.raises(UsageError, match=r"thing file .*gone\.py does not exist"):
        shelf().get(str(tmp_path / "gone.py"))
    with pytest.raises(UsageError, match="does not exist"):
        load_file(tmp_path, "thing")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\ny = x / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError('bad day')\n\n\nf()\n", 2, "ValueError: bad day"),
        ("x = 1\n\nx = = 2\n", 3, "SyntaxError"),
        ("import json\njson.loads('{')\n", 2, "JSONDecodeError"),
        ("import no_such_module_at_all\n", 1, "ModuleNotFoundError"),
    ],
)
def test_user_file_that_raises(package, tmp_path, text, line, said):
    """File and line in the user's file, what was raised, no module left behind."""
    file = tmp_path / "broken.py"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        shelf().get(str(file))
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert said in str(caught.value)
    assert not [name for name in sys.modules if name.startswith("nearbench_user_broken")]


def test_user_file_without_the_constant(package, tmp_path):
    file = tmp_path / "half.py"
    file.write_text("OTHER = 1\n")
    with pytest.raises(UsageError, match=r"half\.py: defines no THING"):
        shelf().get(str(file))


def test_user_file_is_read_again_after_it_was_mended(package, tmp_path):
    """A failure is not remembered."""
    file = tmp_path / "broken.py"
    file.write_text("raise ValueError\n")
    things = shelf()
    with pytest.raises(UsageError):
        things.get(str(file))
    file.write_text("THING = 'mended'\n")
    assert things.get(str(file)) == "mended"


# --- the real ones --------------------------------------------------------------------------------


def test_user_format_decodes_like_a_built_in(package, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(FORMAT_FILE)
    found = dissect(Block(kind="service_data", data=b"\x07", service_uuid="abcd"), form=str(file))
    assert (found.format, found.plain) == ("mine", {"level": 7})
    assert found.tree[0].name == "level"
    short = dissect(Block(kind="service_data", data=b"", service_uuid="abcd"), form=str(file))
    assert short.error.code == "frame_length"


def test_unknown_format():
    with pytest.raises(UnknownNameError, match="did you mean bthome-v2"):
        payloads.FORMATS.get("bthome-v3")


def test_finding_a_format_imports_only_its_file():
    """Decoding one advert must not load the others, nor the cryptography."""
    program = (
        "import sys\n"
        "from protocols.dissect import Block, dissect\n"
        "found = dissect(Block(kind='service_data', data=bytes.fromhex('400109'), service_uuid='fcd2'))\n"
        "assert found.plain['objects'][0]['value'] == 9\n"
        "print(*sorted(n for n in sys.modules if n.startswith(('protocols.ble.payloads.', 'cryptography'))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["protocols.ble.payloads.bthome_v2"]


# --- names that came as data ----------------------------------------------------------------------


def test_a_registered_name_is_never_a_path(package, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("THING = 'mine'\n")
    things = shelf()
    assert things.registered("red-ball") == "red"
    assert things.get(str(file)) == "mine"
    with pytest.raises(UnknownNameError, match="red-ball"):
        things.registered(str(file))  # also when it was loaded before


@pytest.mark.parametrize(
    "name", ["x" * 300, "x" * 300 + ".py", "\ud800", "\ud800.py", "", "a/b", "a\0b.py"]
)
def test_names_that_no_file_can_have_are_unknown(package, name):
    with pytest.raises(UsageError):
        shelf().get(name)
    with pytest.raises(UnknownNameError):
        shelf().registered(name)
