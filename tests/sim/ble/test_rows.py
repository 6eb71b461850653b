"""Each row of what bumble's own controller gets wrong: right on ours, wrong on bumble's for the stated reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from raw_host import World
from rows import ROWS, SymptomError
from stock import StockWorld


@pytest.mark.parametrize("name", ROWS)
def test_row(name):
    with World() as world:
        ROWS[name].check(world)


@pytest.mark.parametrize("name", ROWS)
def test_row_fails_on_the_stock_controller(name):
    with StockWorld() as world, pytest.raises(SymptomError):
        ROWS[name].check(world)


def test_no_row_is_forgotten():
    """By their titles where the table was measured; "works" and "by design" rows have nothing to be put right."""
    assert sorted(ROWS) == sorted(
        [
            "advertising, default controller",
            "event types",
            "scan response",
            "legacy-only controller",
            "connect to a NON-connectable advertiser",
            "interval",
            "duration / max_events on a set",
            "Enable while already enabled",
            "several sets",
            "adv data > 229 B",
            "directed adv",
            "RSSI",
            "HCI_Read_RSSI",
            "duplicates filter",
            "scan window/interval",
            "active/passive",
            "PHY",
            "filter accept list",
            "filter accept list: auto-connect",
            "filter accept list: size",
            "resolving list / controller RPA",
            "periodic adv",
            "periodic adv: stop_periodic",
            "periodic adv: sync lost",
            "data length",
            "PHY update",
            '22 of 70 "supported" commands have no handler',
            "unknown opcode on the wire",
            "connection parameters",
            "connect timeout / cancel",
            "HCI_Reset",
            "two centrals connect in the same instant",
            "own address PUBLIC, or a set's own random address, or a random address changed during a connection",
            "supervision timeout / link loss",
            "ACL fragmentation",
            "CIS",
        ]
    )


@pytest.mark.parametrize("name", ROWS)
def test_the_tests_a_row_names_exist(name):
    for test in ROWS[name].also:
        file, _, function = test.partition("::")
        tree = ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        assert function in {node.name for node in tree.body if isinstance(node, kinds)}, test
