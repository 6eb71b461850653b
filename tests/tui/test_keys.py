"""The key table: rules that every binding keeps."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

from protocols.errors import UsageError
from tui import modals, screens
from tui.keys import EVERYWHERE, KEYS, SCREENS, as_markdown, keys_of, shown, user_keys

TAKEN = re.compile(r"alt\+|f\d+$|ctrl\+[wtnbac]$|meta")
"""alt is slow over ssh, function keys belong to browsers, ctrl+w/t/n too, ctrl+b/a to tmux and screen, ctrl+c copies."""
DESTROYS = ("restart", "quit")


def test_ids_are_unique_and_every_key_says_what_it_does():
    assert max(Counter(key.id for key in KEYS).values()) == 1
    for key in KEYS:
        assert key.label, key.id
        assert len(key.tooltip) > 3, key.id
        assert not key.tooltip.endswith("."), key.id


@pytest.mark.parametrize("scope", sorted({key.scope for key in KEYS}))
def test_a_key_does_one_thing_in_its_scope(scope):
    names = [name for key in keys_of(scope) for name in key.key.split(",")]
    assert max(Counter(names).values()) == 1


@pytest.mark.parametrize("name", SCREENS)
def test_screens_take_no_key_from_everywhere(name):
    everywhere = {one for key in keys_of(EVERYWHERE) for one in key.key.split(",")}
    own = {one for key in keys_of(name) for one in key.key.split(",")}
    assert not own & everywhere


def test_no_key_is_one_that_terminals_and_browsers_keep():
    for key in KEYS:
        for name in key.key.split(","):
            assert not TAKEN.match(name), key.id


def test_lower_case_destroys_nothing():
    """What may lose something asks first, or is a capital letter."""
    for key in KEYS:
        if key.id in DESTROYS:
            assert "asks" in key.tooltip, key.id


def modal_classes():
    """Every modal that has keys, whichever file it is in."""
    from tui.modals._base import BenchModal

    for found in pkgutil.iter_modules(modals.__path__):
        module = importlib.import_module(f"tui.modals.{found.name}")
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, BenchModal) and one.SCOPE:
                yield one


def test_every_action_exists():
    """A binding whose action nobody has written would be a key that does nothing."""
    from tui.app import NearbenchApp

    made = {one.SCOPE: one for one in modal_classes()}
    there = {name: screens.FOLDER.get(name) for name in screens.FOLDER.names()}
    for key in KEYS:
        if key.needs and key.needs not in (*screens.FOLDER.names(), *modals.FOLDER.names()):
            continue
        action = key.does.partition("(")[0]
        if action.startswith("app."):
            owners = [NearbenchApp]
        elif key.scope == EVERYWHERE:
            owners = list(there.values())
        elif key.scope.startswith("modal:"):
            owners = [made[key.scope]]
        else:
            owners = [there[key.scope]] if key.scope in there else []
        for owner in owners:
            assert hasattr(owner, f"action_{action.removeprefix('app.')}"), (key.id, owner.__name__)


def test_keys_are_shown_as_people_write_them():
    assert shown("slash") == "/"
    assert shown("up,k") == "↑ k"
    assert shown("up,k", ascii_only=True) == "up k"
    assert shown("question_mark") == "?"


def test_the_table_of_the_documents_has_every_key():
    table = as_markdown("packets").splitlines()
    assert len(table) == 2 + len(keys_of("packets"))
    assert all(
        line.count("|") - line.count("\\|") == 4
        for scope in (EVERYWHERE, "air")
        for line in as_markdown(scope).splitlines()
    )


def test_a_users_keys(tmp_path):
    file = tmp_path / "keys.toml"
    file.write_text('"clock.pause" = "S"\n"pin" = "space"\n', encoding="utf-8")
    assert user_keys(file) == {"clock.pause": "S", "pin": "space"}, "what became free may be taken"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('"quit" = "1"', r"quit: the key 1 is that of screen\.air"),
        ('"screen.air" = "q"', r"the key q is that of quit"),
        ('"clock.pause" = "P"', r"the key P is that of accessory\.power"),
        ('"filter" = "?"', r"the key \? is that of help"),
        ('"pin.hide" = "escape"', r"the key esc is that of pin\.cancel"),
        ('"quit" = "S"\n"restart" = "S"', r"the key S is that of"),
    ],
)
def test_two_actions_on_one_key_are_refused(tmp_path, text, part):
    file = tmp_path / "keys.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=part) as caught:
        user_keys(file)
    assert str(file) in str(caught.value)


def test_a_modal_may_have_the_key_of_a_screen(tmp_path):
    file = tmp_path / "keys.toml"
    file.write_text('"outcome.retry" = "1"', encoding="utf-8")
    assert user_keys(file) == {"outcome.retry": "1"}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no endless file")
def test_keys_from_an_endless_file_are_refused():
    with pytest.raises(UsageError, match="longer than"):
        user_keys(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("clock.pause = 3", "no key is called 'clock'"),
        ('"clock.pause" = 3', "as text"),
        ("=", "Invalid"),
        (None, "No such"),
    ],
)
def test_a_users_keys_that_cannot_be(tmp_path, text, part):
    file = tmp_path / "keys.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=part) as caught:
        user_keys(file)
    assert str(file) in str(caught.value)
