"""docs/tui.md shows the keys and the screens that there are."""

from __future__ import annotations

import re

import pytest

from tests.tui.documents import DOCS, PAGE, PICTURES, take, text_of, with_keys
from tui import modals, screens
from tui.keys import EVERYWHERE, KEYS


def test_the_key_tables_are_those_of_the_program():
    page = PAGE.read_text(encoding="utf-8")
    assert with_keys(page) == page, "`python -m tests.tui.documents` writes them anew"


def test_every_scope_of_keys_is_that_of_a_screen_or_modal():
    scopes = {key.scope for key in KEYS} - {EVERYWHERE}
    of_modals = {scope.removeprefix("modal:") for scope in scopes if scope.startswith("modal:")}
    assert of_modals <= set(modals.FOLDER.names())
    of_screens = {scope.partition(":")[0] for scope in scopes if not scope.startswith("modal:")}
    assert of_screens <= set(screens.FOLDER.names())


def test_every_picture_is_shown_and_every_one_shown_is_there():
    shown = re.findall(r"\(pictures/([a-z_]+)\.svg\)", PAGE.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(PICTURES)
    assert sorted(file.stem for file in (DOCS / "pictures").iterdir()) == sorted(PICTURES)


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_the_program_shows(name):
    kept = (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert "http" not in kept.replace("http://www.w3.org/2000/svg", "")
    assert text_of(take(name)) == text_of(kept), "`python -m tests.tui.documents` takes them anew"
