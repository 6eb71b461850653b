"""rootcanal as outside judge: the same scenarios on both controllers, and every difference explained in the docs."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from bumble import hci
from judged import SCENARIOS, OurWorld
from rootcanal_world import RootcanalWorld, binary

DOCUMENT = Path(__file__).parents[3] / "docs" / "controllers.md"


def listed() -> list[tuple[str, str]]:
    """Scenario and value of each row of the document's table; both may hold `*`."""
    rows = re.findall(r"(?m)^\| `([^`]+)` \| `([^`]+)` \|", DOCUMENT.read_text(encoding="utf-8"))
    assert len(rows) > 10
    return rows


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_rows_of_the_document_are_values_of_our_scenarios(name):
    """Without the judge: each scenario runs on our controller and gives the values that the document names."""
    with OurWorld() as world:
        seen = SCENARIOS[name](world)
    assert seen
    for scenario, value in listed():
        if fnmatchcase(name, scenario):
            assert any(fnmatchcase(key, value) for key in seen), (scenario, value)


def test_every_row_of_the_document_names_a_scenario():
    for scenario, _ in listed():
        assert any(fnmatchcase(name, scenario) for name in SCENARIOS), scenario


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_hosts_see_the_same_on_both_controllers(name):
    with RootcanalWorld() as world:
        theirs = SCENARIOS[name](world)
    with OurWorld() as world:
        ours = SCENARIOS[name](world)
    different = {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
    rows = [value for scenario, value in listed() if fnmatchcase(name, scenario)]
    unexplained = {
        key: (ours.get(key), theirs.get(key))
        for key in different
        if not any(fnmatchcase(key, value) for value in rows)
    }
    assert unexplained == {}
    stale = [value for value in rows if not any(fnmatchcase(key, value) for key in different)]
    assert stale == []


@pytest.mark.slow
def test_both_number_the_supported_commands_alike():
    """The bits of Read Local Supported Commands (Vol 4 Part E, 6.27) as rootcanal's own packet definitions have them."""
    binary()
    from rootcanal.packets.hci import (  # pyright: ignore[reportMissingImports] # optional
        OpCode,
        OpCodeIndex,
    )

    ours = {
        opcode: mask.bit_length() - 1 for opcode, mask in hci.HCI_SUPPORTED_COMMANDS_MASKS.items()
    }
    checked = 0
    for index in OpCodeIndex:
        opcode = int(getattr(OpCode, index.name, 0))
        if opcode in ours:
            octet, bit = divmod(int(index), 10)
            assert ours[opcode] == 8 * octet + bit, index.name
            checked += 1
    assert checked > 200
