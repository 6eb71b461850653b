"""`nearbench list attributes` and `nearbench show attribute` as users call them."""

from __future__ import annotations

import json

from protocols.wifi_aware.attributes import ids
from tui.cli import main


def call(capsys, *arguments):
    """(exit status, standard output, standard error)."""
    status = main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def test_all_are_listed_by_id(capsys):
    status, out, _ = call(capsys, "list", "attributes", "--json")
    rows = json.loads(out)
    assert status == 0
    assert [row["id"] for row in rows] == sorted(ids())
    assert {row["id"]: row["name"] for row in rows} == ids()
    assert all(row["source"] and row["fields"] for row in rows)
    cluster = next(row for row in rows if row["id"] == 1)
    assert cluster["fields"] == [
        "anchor_master", "random_factor", "master_preference", "hop_count", "ambtt_us",
    ]  # fmt: skip
    assert (cluster["minimum_octets"], cluster["maximum_octets"]) == (13, 13)


def test_the_list_tells_name_and_id(capsys):
    _, out, _ = call(capsys, "list", "attributes")
    (line,) = [line for line in out.splitlines() if line.startswith("pairing_bootstrapping ")]
    assert line.split(None, 1)[1] == "0x2c NAN Pairing Bootstrapping (NPBA)"


def test_every_one_can_be_shown(capsys):
    for number, name in ids().items():
        status, by_name, _ = call(capsys, "show", "attribute", name, "--json")
        assert status == 0
        assert call(capsys, "show", "attribute", hex(number), "--json")[1] == by_name
        assert json.loads(by_name)["id"] == number


def test_fields_are_told_with_ranges_and_paths(capsys):
    _, out, _ = call(capsys, "show", "attribute", "service_descriptor_extension")
    assert "fsd_method: number 0 to 1" in out
    assert "range_limit.ingress_cm: number 0 to 65535" in out
    assert "service_info.oui: 3 octets as hex, may be left out" in out
    _, out, _ = call(capsys, "show", "attribute", "service_descriptor", "--json")
    about = {field["name"]: field["about"] for field in json.loads(out)["fields"]}
    assert about["service_id"] == "6 octets as hex"
    assert (
        about["response_filter.addresses"] == "list of address aa:bb:cc:dd:ee:ff, may be left out"
    )


def test_an_unknown_one_names_its_neighbours(capsys):
    status, _, err = call(capsys, "show", "attribute", "clutser")
    assert status == 2
    assert "cluster" in err
    assert call(capsys, "show", "attribute", "0xc8")[0] == 2
