"""Crowds of a scenario: their fields are numbered, their places and addresses come from the seed, errors are placed."""

from __future__ import annotations

import pytest

from protocols.errors import ScenarioError
from tests.sim.worlds import run, world

TEXT = """
title = "t"
duration = "5s"
[[node]]
name = "ph"
phone = "generic"
[[crowd]]
name = "many"
count = 30
interval = "200ms"
{crowd}
[[step]]
node = "ph"
do = "scan"
set = {{ for = "3s", active = false }}
"""
IBEACON = 'format = "ibeacon"\nfields = { uuid = "fda50693-a4e2-4fb1-afcf-c6eb07647825", major = 3, minor = "{n}", measured_power_1m_dbm = -59 }'


def scenario(crowd: str = IBEACON) -> str:
    """A phone and a crowd."""
    return TEXT.format(crowd=crowd)


def test_members_are_numbered_and_each_has_an_address() -> None:
    ran = run(scenario())
    heard = ran.of("heard")
    assert {e.peer for e in heard} == {"many"}
    minors = {e.fields["address"]: e.fields["decoded"]["ibeacon"]["minor"] for e in heard}
    assert len(minors) == 30
    assert sorted(minors.values()) == list(range(30))
    assert all(int(address[:2], 16) >= 0xC0 for address in minors)
    assert not any(e.fields["connectable"] or e.fields["scannable"] for e in heard)


def test_number_in_a_text_and_its_format() -> None:
    fields = 'format = "eddystone-uid"\nfields = { frame = "uid", tx_power_0m_dbm = -20, namespace = "000102030405060708{n:02x}", instance = "aabbccdd{n:04x}" }'
    ran = run(scenario(fields))
    ids = {
        (
            e.fields["decoded"]["eddystone"]["namespace"][-2:],
            e.fields["decoded"]["eddystone"]["instance"][-4:],
        )
        for e in ran.of("heard")
    }
    assert ids == {(f"{n:02x}", f"{n:04x}") for n in range(30)}


def test_places_are_in_the_area_and_from_the_seed() -> None:
    wide = run(scenario(IBEACON + "\narea = [100.0, 100.0]\nat = [50.0, 0.0]"))
    again = run(scenario(IBEACON + "\narea = [100.0, 100.0]\nat = [50.0, 0.0]"))
    near = run(scenario(IBEACON + "\narea = [2.0, 2.0]\nat = [3.0, 0.0]"))
    strength = [
        {e.fields["address"]: e.fields["rssi_dbm"] for e in ran.of("heard")}
        for ran in (wide, again, near)
    ]
    assert strength[0] == strength[1]
    assert len(set(strength[0].values())) > 8
    # 2 to 4.2 m away: -46.2 to -52.7 dBm
    assert all(-53 <= rssi <= -46 for rssi in strength[2].values())


@pytest.mark.parametrize(
    ("crowd", "key", "line", "words"),
    [
        (IBEACON.replace("major = 3, ", ""), "fields", 12, "major"),
        (IBEACON.replace('"{n}"', '"{n:zz}"'), "fields", 12, "write {n} or {n:04x}"),
        (IBEACON.replace("major = 3", "major = 99999"), "fields", 12, "major"),
        ('format = "nonsense"', "format", 11, "unknown format 'nonsense'"),
        (
            'format = "eddystone-config"\nfields = { lock_state = 1 }',
            "format",
            11,
            "characteristic",
        ),
        (
            IBEACON.replace("-59", "-59").replace("interval", "interval") + "\ntx_power_dbm = 'a'",
            "tx_power_dbm",
            13,
            "expected int",
        ),
    ],
)
def test_errors_name_crowd_key_and_line(crowd, key, line, words) -> None:
    with pytest.raises(ScenarioError) as caught:
        world(scenario(crowd))
    assert f"test.toml:{line}: crowd[0].{key}" in str(caught.value)
    assert words.lower() in str(caught.value).lower()


def test_interval_out_of_range_is_an_error_of_the_interval() -> None:
    with pytest.raises(ScenarioError, match=r"test\.toml:10: crowd\[0\]\.interval"):
        world(scenario().replace('"200ms"', '"5ms"'))


def test_count_must_be_positive() -> None:
    with pytest.raises(ScenarioError, match=r"crowd\[0\]\.count: 0 members"):
        world(scenario().replace("count = 30", "count = 0"))


def test_too_much_data_says_what_costs_how_much() -> None:
    long = 'format = "ad"\nfields = { local_name = "a name that is much too long for one advert" }'
    with pytest.raises(
        ScenarioError, match=r"more than the 31 that fit \(Complete local name 45\)"
    ):
        world(scenario(long))
