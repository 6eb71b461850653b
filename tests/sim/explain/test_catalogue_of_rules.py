"""Every rule of the phone profiles is there once, and says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.errors import UnknownNameError
from sim.explain import (
    AWARE_PROFILES,
    BASES,
    BLE_PROFILES,
    PROFILES,
    RULES,
    Rule,
    View,
    all_rules,
    default_views,
    rule_of,
    rules_on,
    view_of,
)
from sim.explain._documented import DOCUMENTED
from sim.explain._documented_aware import AWARE

IDS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "phone-rule-ids.json").read_text("utf-8")
)["sections"]
OURS = "NB-"
"""What no profile of a phone has: findings that hold for every host."""
BY_THE_PHONE = {
    "AA-01",
    "AA-10",
    "AA-21",
    "AA-26",
    "AA-29",
    "AA-31",
    "AA-33",
    "AA-44",
    "AA-46",
    "AB-01",
    "AB-02",
    "AB-03",
    "AB-06",
    "AB-07",
    "AK-16",
    "AK-19",
    "AK-21",
    "IA-01",
    "IA-50",
    "IA-50a",
    "IA-51",
    "IA-52",
    "IA-63",
    "IB-12",
    "IB-13",
    "IB-25",
    "IB-37",
}
"""Rules without a judge: the phone itself carries them out (tests of the phones name them)."""


def test_every_id_of_the_profiles_is_a_rule_exactly_once():
    executed = RULES.names()
    documented = [rule.id for rule in (*DOCUMENTED, *AWARE)]
    wanted = [name for names in IDS.values() for name in names]
    of_phones = [name for name in executed + documented if not name.startswith(OURS)]
    assert sorted(of_phones) == sorted(wanted)


def test_rules_of_our_own_stand_on_specifications_and_hold_for_every_phone():
    ours = {name: rule for name, rule in RULES if name.startswith(OURS)}
    assert set(ours) == {f"NB-{number:02}" for number in range(1, 19)}
    for rule in ours.values():
        if rule.on == "link":
            assert rule.source.startswith("Core Specification 5.4 Vol")
            assert rule.profiles == BLE_PROFILES
        else:
            assert any(name in rule.source for name in ("Wi-Fi Aware 4.0", "hostap", "IEEE 802.11"))
            assert rule.profiles == AWARE_PROFILES


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
    assert not [rule.id for rule in (*DOCUMENTED, *AWARE) if "waits for" in rule.switch]


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
        ("ios-aware", "27.0"),
    ]
    assert view_of("ios-ask@18.2")[0].version == "18.2"
    assert not view_of("ios-ask@18.2")[0].since("18.7.2")
    with pytest.raises(UnknownNameError, match=r"18\.7\.2"):
        view_of("ios-ble@18.7")
    with pytest.raises(UnknownNameError, match="ios-ble"):
        view_of("iphone")


def test_a_group_with_a_version_is_the_profiles_that_have_it():
    assert [one.profile for one in view_of("ios@18.2")] == ["ios-ble", "ios-ask"]
    assert [one.profile for one in view_of("ios@26.6")] == ["ios-aware"]
    with pytest.raises(UnknownNameError, match=r"26\.6"):
        view_of("ios@26.5")


def test_a_device_keeps_the_rules_of_its_base_and_is_judged_when_asked_for():
    base = {
        rule.id for rule in rules_on("aware_pairing", View(profile="android-aware", version="17"))
    }
    for name, of in BASES.items():
        (view,) = view_of(name)
        assert of == view.base == "android-aware"
        assert base <= {rule.id for rule in rules_on("aware_pairing", view)}
        assert view.since(PROFILES[name][0])
    assert not view_of("android-s25-2025")[0].since("17")  # a version that only the base has
    assert not {view.profile for view in default_views()} & set(BASES)


def test_every_rule_of_wifi_aware_can_be_switched_off():
    rule = rule_of("IA-04")
    assert isinstance(rule, Rule)
    view = View(profile="ios-aware", version="26.0", off=frozenset({"IA-04"}))
    assert "IA-04" not in {one.id for one in rules_on("aware_service", view, simulated=True)}
    assert "IA-24" not in {
        one.id for one in rules_on("app", view, simulated=True)
    }  # off by default
    on = View(profile="ios-aware", version="26.0", on=frozenset({"IA-24"}))
    assert "IA-24" in {one.id for one in rules_on("app", on, simulated=True)}


def test_a_users_rule_is_found_by_its_path(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from sim.explain import Rule\n"
        "RULE = Rule(id='X-1', title='t', statement='s.', source='me', confidence='O', profiles=('ios-ble',))\n",
        encoding="utf-8",
    )
    assert RULES.get(str(file)).id == "X-1"
