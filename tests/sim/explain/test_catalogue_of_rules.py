"""Every rule of the phone profiles is there once, and says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.errors import UnknownNameError
from sim.explain import PROFILES, RULES, all_rules, rule_of, view_of
from sim.explain._documented import DOCUMENTED

IDS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "phone-rule-ids.json").read_text("utf-8")
)["sections"]
OURS = "NB-"
"""What no profile of a phone has: findings that hold for every host."""
BY_THE_PHONE = {
    "AB-01",
    "AB-02",
    "AB-03",
    "AB-06",
    "AB-07",
    "AK-16",
    "AK-19",
    "AK-21",
    "IB-12",
    "IB-13",
    "IB-25",
    "IB-37",
}
"""Rules without a judge: the phone itself carries them out (tests of the phones name them)."""


def test_every_id_of_the_profiles_is_a_rule_exactly_once():
    executed = RULES.names()
    documented = [rule.id for rule in DOCUMENTED]
    wanted = [name for names in IDS.values() for name in names]
    of_phones = [name for name in executed + documented if not name.startswith(OURS)]
    assert sorted(of_phones) == sorted(wanted)


def test_rules_of_our_own_stand_on_the_core_specification():
    ours = {name: rule for name, rule in RULES if name.startswith(OURS)}
    assert set(ours) == {"NB-01", "NB-02"}
    for rule in ours.values():
        assert rule.source.startswith("Core Specification 5.4 Vol")
        assert set(rule.profiles) == set(PROFILES)


def test_a_rule_is_called_as_its_file():
    for name, rule in RULES:
        assert rule.id == name


def test_status_says_whether_there_is_code():
    for rule in all_rules().values():
        assert (rule.status == "executed") == (rule.id in RULES.names()), rule.id
        assert (rule.judge is not None) == (
            rule.status == "executed" and rule.id not in BY_THE_PHONE
        ), rule.id


def test_every_rule_can_be_listed_and_believed():
    for rule in all_rules().values():
        assert rule.title
        assert rule.statement.endswith("."), rule.id
        assert rule.source, rule.id
        assert rule.confidence[0] in "DOI", rule.id
        assert set(rule.profiles) <= set(PROFILES), rule.id
        assert rule.profiles, rule.id
        assert rule.status != "executed" or rule.remedy, rule.id
        assert rule.default or rule.switch.startswith("off"), rule.id


def test_rules_without_code_say_what_they_are_about_and_wait_for_nothing_that_is_there():
    subjects = {rule.id: rule.on for rule in DOCUMENTED}
    assert subjects["AK-11"] == "app"
    assert subjects["IB-14"] == "advert"
    assert {subjects[one] for one in ("IB-27", "IB-35", "IB-38", "IB-39", "AB-08")} == {"link"}
    waiting = {rule.id for rule in DOCUMENTED if "waits for" in rule.switch}
    assert all(
        "Wi-Fi Aware" in rule_of(one).switch for one in waiting
    )  # pairing and bonds are simulated


def test_rules_are_listed_by_number_not_by_letter():
    names = list(all_rules())
    assert names.index("AK-02") < names.index("AK-10")
    assert names.index("IB-07") < names.index("IB-10")


def test_names_are_taken_in_any_case_and_wrong_ones_get_a_hint():
    assert rule_of("ib-04").id == "IB-04"
    with pytest.raises(UnknownNameError, match="IB-04"):
        rule_of("IB-044")


def test_phones_are_named_by_profile_group_and_version():
    assert [(one.profile, one.version) for one in view_of("ios")] == [
        ("ios-ble", "26.1"),
        ("ios-ask", "26.1"),
    ]
    assert view_of("ios-ask@18.2")[0].version == "18.2"
    assert not view_of("ios-ask@18.2")[0].since("18.7.2")
    with pytest.raises(UnknownNameError, match=r"18\.7\.2"):
        view_of("ios-ble@18.7")
    with pytest.raises(UnknownNameError, match="ios-ble"):
        view_of("iphone")


def test_a_users_rule_is_found_by_its_path(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from sim.explain import Rule\n"
        "RULE = Rule(id='X-1', title='t', statement='s.', source='me', confidence='O', profiles=('ios-ble',))\n",
        encoding="utf-8",
    )
    assert RULES.get(str(file)).id == "X-1"
