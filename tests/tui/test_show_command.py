"""`nearbench show`: parameters as they are set, one by one."""

from __future__ import annotations

import json
import re

import pytest

from tui.cli import main


def shown(capsys, *words) -> str:
    assert main(["show", *words]) == 0
    return capsys.readouterr().out


def test_a_phone_shows_its_tables_by_their_members(capsys):
    text = shown(capsys, "phone", "ios")
    assert "IosFirmware" not in text
    assert "\n  - aware (" not in text
    assert "\n  - aware.wake (type int, default 1): " in text
    assert "\n  - aware.data_suite (one of sk | pairing, default sk): " in text
    assert "\n  - plist.supports (type list of str): " in text


def test_choices_are_listed_and_defaults_stand_as_they_are_typed(capsys):
    text = " ".join(shown(capsys, "accessory", "lock").split())
    assert "- mitm (one of no | wanted | required, default required): " in text
    assert '- keys (list of encryption | identity | signing | link, default ["' in text
    assert "- bonding (type bool, default true): " in text
    assert "Literal" not in text


def test_commands_are_shown_with_their_arguments(capsys):
    text = " ".join(shown(capsys, "phone", "ios").split())
    assert "- app_state (state: foreground | background | suspended): " in text
    assert "typing." not in text
    assert "parameters {" not in text


@pytest.mark.parametrize("phone", ["ios", "android"])
def test_what_is_shown_can_be_set(capsys, phone):
    """Each name that `show` prints is one that `--set` knows."""
    settings = json.loads(shown(capsys, "phone", phone, "--json"))["settings"]
    for row in settings:
        if "values" not in row:
            continue
        status = main(["node", phone, "--stdio", "--set", f"{row['name']}=nonsense"])
        said = capsys.readouterr().err
        assert status == 2
        assert re.match(rf"nearbench: --set {re.escape(row['name'])}\b", said), said
        assert "unknown" not in said
