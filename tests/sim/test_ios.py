"""The iPhone: what its app is shown, what it is not, and the rule in every answer."""

from __future__ import annotations

import re

import pytest

from sim.explain import explain, view_of
from sim.explain.reading import scene_of_events
from tests.sim.worlds import run, two

KITCHEN = "02010603030d1808094b69746368656e"
"""Flags, service 180d, name "Kitchen"."""
HEX = f'advertising_hex = "{KITCHEN}"'
PLIST = 'plist = { supports = ["Bluetooth"], services = ["180D"], companies = ["FFFF"], names = ["Kit"] }'


def ios(steps: str, accessory: str = HEX, phone: str = "", **how):
    """One custom accessory, one iPhone with settings `phone`."""
    text = two("custom", steps, settings=accessory, phone="ios", **how)
    return run(text.replace('phone = "ios"\n', f'phone = "ios"\nset = {{ {phone} }}\n'))


def test_the_dictionary_that_core_bluetooth_delivers():
    ran = ios(
        'app_scan for = "1s"',
        'advertising_hex = "02010603030d18020afc05ffffff0102", scan_response_hex = "08094b69746368656e"',
    )
    last = ran.of("discovered", "ph")[-1].fields
    assert last["advertisement_data"] == {
        "kCBAdvDataLocalName": "Kitchen",
        "kCBAdvDataManufacturerData": "ffff0102",  # company identifier first, as it is sent
        "kCBAdvDataServiceUUIDs": ["180D"],
        "kCBAdvDataTxPowerLevel": -4,
        "kCBAdvDataIsConnectable": 1,
    }
    assert last["name"] == "Kitchen"


def test_the_first_callback_lacks_what_the_scan_response_brings():
    ran = ios(
        'app_scan for = "1s"',
        'advertising_hex = "020106", scan_response_hex = "08094b69746368656e"',
    )
    first, second = ran.of("discovered", "ph")  # and none after that: nothing is new
    assert first.fields["name"] is None
    assert second.fields["name"] == "Kitchen"
    assert ran.of("coalesced", "ph")


def test_duplicates_when_the_app_asks_for_them():
    ran = ios('app_scan for = "1s", allow_duplicates = true')
    assert len(ran.of("discovered", "ph")) > 5
    assert not ran.of("coalesced", "ph")


def test_apps_get_an_identifier_instead_of_the_address():
    """IB-12"""
    ran = ios('app_scan for = "1s", allow_duplicates = true')
    fields = [event.fields for event in ran.of("discovered", "ph")]
    assert len({one["identifier"] for one in fields}) == 1
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", fields[0]["identifier"])
    assert "address" not in fields[0]


def test_a_background_scan_without_services_finds_nothing():
    """IB-10"""
    ran = ios('app_state state = "background"\napp_scan for = "4s"')
    shown = ran.of("not_shown", "ph")
    assert {event.rule for event in shown} == {"IB-10"}
    assert (
        shown[0].note == "heard, not shown to the app: no service UUID in a background scan (IB-10)"
    )
    assert not ran.of("discovered", "ph")


def test_a_background_scan_finds_the_listed_service_once():
    """IB-10: AllowDuplicates is ignored."""
    ran = ios(
        'app_state state = "background"\napp_scan services = ["180D"], allow_duplicates = true, for = "6s"'
    )
    assert len(ran.of("discovered", "ph")) == 1
    assert {event.rule for event in ran.of("coalesced", "ph")} == {"IB-10"}


def test_a_background_scan_hears_less():
    """IB-10: a longer interval."""
    heard = [len(ios(f'{steps}app_scan services = ["180D"], for = "10s"').of("heard", "ph"))
             for steps in ("", 'app_state state = "background"\n')]  # fmt: skip
    assert heard[1] < heard[0] / 3


def test_a_scan_that_goes_to_the_background_obeys_its_rules():
    ran = ios(
        'app_scan\nwait for = "1s"\napp_state state = "background"\nwait for = "3s"\nstop_scan'
    )
    assert ran.of("discovered", "ph")
    assert ran.of("not_shown", "ph")[0].rule == "IB-10"


def test_a_service_filter_does_not_match_service_data():
    """Open in the sources: a setting, no by default."""
    beacon = 'advertising_hex = "0201060616aafe10ee00"'
    assert (
        ios('app_scan services = ["FEAA"], for = "1s"', beacon).of("not_shown", "ph")[0].rule
        == "IB-06"
    )
    ran = ios('app_scan services = ["FEAA"], for = "1s"', beacon, "service_data_matches = true")
    assert ran.of("discovered", "ph")


def test_an_ibeacon_is_not_for_core_bluetooth():
    """IB-08, both readings."""
    beacon = (
        f'advertising_hex = "0201061aff4c000215{"11" * 16}00010002c5", sort = "non_connectable"'
    )
    assert ios('app_scan for = "1s"', beacon).of("not_shown", "ph")[0].rule == "IB-08"
    ran = ios('app_scan for = "1s"', beacon, 'ibeacon = "hide"')
    shown = ran.of("discovered", "ph")[0]
    assert shown.rule == "IB-08"
    assert "kCBAdvDataManufacturerData" not in shown.fields["advertisement_data"]


def test_service_data_withheld_by_pdu_type_alone():
    """IB-07: only TLM was observed; the setting takes the PDU type for the cause."""
    uid = 'advertising_hex = "0201060303aafe0616aafe10ee00", sort = "non_connectable"'
    assert (
        "kCBAdvDataServiceData"
        in ios('app_scan for = "1s"', uid).of("discovered", "ph")[0].fields["advertisement_data"]
    )
    ran = ios('app_scan for = "1s"', uid, 'service_data_hidden = "all"')
    assert ran.of("discovered", "ph")[0].rule == "IB-07"


@pytest.mark.parametrize("rule", ["IB-04", "IB-05"])
def test_a_rule_that_is_switched_off_hides_nothing(rule):
    octets = {"IB-04": "08094b69746368656e", "IB-05": "02010608094b69746368656e0a"}[rule]
    accessory = f'advertising_hex = "{octets}"'
    assert ios('app_scan for = "1s"', accessory).of("not_shown", "ph")[0].rule == rule
    assert ios('app_scan for = "1s"', accessory, f'rules = {{ "{rule}" = false }}').of(
        "discovered", "ph"
    )


def test_an_unknown_rule_is_named():
    from protocols.errors import ScenarioError

    with pytest.raises(ScenarioError, match=r"'IB-99' is no rule that is executed"):
        ios('app_scan for = "1s"', HEX, 'rules = { "IB-99" = false }')


def test_connecting_is_for_what_the_app_was_shown():
    ran = ios('app_scan services = ["180F"], for = "1s"\nconnect to = "dev"?')
    refused = ran.of("connect_refused", "ph")[0]
    assert refused.rule == "IB-06"
    ran = ios('app_scan services = ["180D"], for = "1s"\nconnect to = "dev"')
    assert ran.of("connected", "ph", "phone")


def test_the_parameters_a_connection_starts_with():
    """IB-25"""
    ran = ios('app_scan for = "1s"\nconnect to = "dev"')
    fields = ran.of("connected", "ph", "ble")[0].fields
    assert (fields["interval_ms"], fields["latency"], fields["timeout_ms"]) == (30.0, 0, 720)


def test_the_name_of_an_earlier_connection():
    """IB-13: GAP says Pantry, the advert says Kitchen."""
    steps = 'app_scan for = "1s"\nconnect to = "dev"\ndiscover\ndisconnect\napp_scan for = "2s"'
    accessory = f'{HEX}, local_name = "Pantry"'
    names = [
        event.fields["name"] for event in ios(steps, accessory).of("discovered", "ph", "phone")
    ]
    assert (names[0], names[-1]) == ("Kitchen", "Pantry")
    off = ios(steps, accessory, 'rules = { "IB-13" = false }').of("discovered", "ph", "phone")
    assert {event.fields["name"] for event in off} == {"Kitchen"}


# Connection parameters


def phone(settings: str = ""):
    """A running iPhone, to be asked directly."""
    ran = ios('app_scan for = "1s"', HEX, settings)
    return ran, ran.world.devices["ph"]


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        ((30, 45, 0, 6000), ""),
        ((7.5, 30, 0, 6000), "IB-20"),
        ((15, 30, 0, 1900), "IB-21"),
        ((15, 30, 0, 4000), ""),
    ],
)
def test_parameter_requests_are_judged(wish, rule):
    ran, ph = phone()
    answer = ph.on_parameter_request("dev", *wish)
    event = ran.events[-1]
    assert answer.accepted == (not rule)
    assert event.event == ("parameters_refused" if rule else "parameters_accepted")
    assert event.rule == rule


def test_the_edition_of_the_guidelines_is_a_setting():
    """IB-21: 4 s is in the old window, 10 s in the new one."""
    for edition, timeout_ms, accepted in (
        ("r7_r21", 4000, True), ("r30_plus", 4000, False), ("r7_r21", 10000, False), ("r30_plus", 10000, True)
    ):  # fmt: skip
        _, ph = phone(f'supervision_window = "{edition}"')
        assert ph.on_parameter_request("dev", 15, 30, 0, timeout_ms).accepted == accepted


def test_what_the_guidelines_say_may_happen_is_a_switch():
    """IB-22: 15 ms scaled to 30 ms. IB-24: accepted and overwritten."""
    _, ph = phone()
    assert ph.on_parameter_request("dev", 15, 15, 0, 6000)[:2] == (15, 15)
    assert not ph.on_parameter_request("dev", 30, 60, 30, 6000).override
    ran, ph = phone('rules = { "IB-22" = true, "IB-24" = true }')
    assert ph.on_parameter_request("dev", 15, 15, 0, 6000)[:2] == (30, 30)
    assert ph.on_parameter_request("dev", 30, 60, 30, 6000).override
    assert ran.events[-1].rule == "IB-24"


def test_hid_accessories_may_ask_for_less():
    """IB-22: 11.25 ms."""
    _, ph = phone()
    assert not ph.on_parameter_request("dev", 11.25, 11.25, 0, 6000).accepted
    assert ph.on_parameter_request("dev", 11.25, 11.25, 0, 6000, uuids=("1812",)).accepted


# AccessorySetupKit

ASK = 'ask_picker descriptors = [{ name = "Oven", service = "180D" }], choose = "dev"'


def test_the_picker_adds_and_then_goes_away():
    """AK-21: accessoryAdded comes while the sheet is up."""
    ran = ios(ASK, phone=PLIST)
    order = [
        e.event for e in ran.events if e.layer == "phone" and e.node == "ph" and e.event != "heard"
    ]
    assert order == [
        "ask_picker",
        "picker_did_present",
        "picker_shows",
        "accessory_added",
        "picker_did_dismiss",
    ]
    assert ran.of("accessory_added")[0].rule == "AK-21"


@pytest.mark.parametrize(
    ("settings", "steps", "event", "rule", "code"),
    [
        ("", ASK, "app_crashed", "AK-01", None),
        ('plist = { supports = ["WiFi"], services = ["180D"] }', ASK, "app_crashed", "AK-01", None),
        ('plist = { supports = ["Bluetooth"] }', ASK, "app_crashed", "AK-02", None),
        (PLIST, 'ask_picker descriptors = [{ name_substring = "Kit" }]', "picker_failed", "AK-04", 450),
        (PLIST, 'ask_picker descriptors = [{ service = "180D", manufacturer_hex = "01", manufacturer_mask_hex = "ff" }]', "picker_failed", "AK-04", 450),
        (PLIST, 'ask_picker descriptors = [{ company = "FFFF", manufacturer_hex = "0102", manufacturer_mask_hex = "ff" }]', "picker_failed", "AK-04", 450),
        (PLIST, f'app_state state = "background"\n{ASK}', "picker_failed", "AK-06", 550),
        (f"{PLIST}, version = \"26.0\"", f"{ASK}, filter = true", "app_crashed", "AK-08", None),
        (f"{PLIST}, version = \"18.7.2\"", f'{ASK}, discovery_timeout = "long"', "app_crashed", "AK-09", None),
        (f"{PLIST}, version = \"26.0\"", f'{ASK}, discovery_timeout = "unbounded"', "app_crashed", "AK-09", None),
        (f"{PLIST}, bluetooth_permission = true", f'app_scan\n{ASK}', "picker_failed", "AK-20", 550),
    ],
)  # fmt: skip
def test_what_keeps_the_picker_from_opening(settings, steps, event, rule, code):
    ran = ios(steps, phone=settings)
    seen = ran.of(event, "ph")[0]
    assert seen.rule == rule
    assert seen.fields.get("code") == code
    assert not ran.of("picker_did_present")
    found = [one.rule for one in explain(scene_of_events(ran.events), view_of(f"ios-ask@{ran.world.devices['ph'].version()}"))
             if one.severity == "error"]  # fmt: skip
    assert rule in found


def test_the_picker_opens_after_the_central_was_released():
    """AK-20: the remedy."""
    ran = ios(f"app_scan\nrelease_central\n{ASK}", phone=f"{PLIST}, bluetooth_permission = true")
    assert ran.of("accessory_added")


def test_a_lower_case_uuid_in_the_plist_finds_nothing():
    """AK-03"""
    ran = ios(
        ASK, phone='plist = { supports = ["Bluetooth"], services = ["180d"] }', duration="70s"
    )
    assert ran.of("picker_blind")[0].rule == "AK-03"
    assert ran.of("picker_failed")[0].fields["code"] == 200
    assert ran.of("picker_failed")[0].rule == "AK-03"


def test_an_undeclared_descriptor_may_also_just_find_nothing():
    """AK-02: the sources have both."""
    settings = (
        'plist = { supports = ["Bluetooth"], services = ["180F"] }, plist_mismatch = "no_discovery"'
    )
    ran = ios(ASK, phone=settings, duration="70s")
    assert ran.of("picker_failed")[0].rule == "AK-02"


@pytest.mark.parametrize(("timeout", "seconds"), [("short", 60), ("medium", 120), ("long", 300)])
def test_the_time_of_the_picker(timeout, seconds):
    """AK-09"""
    steps = f'ask_picker descriptors = [{{ service = "180D" }}], discovery_timeout = "{timeout}"'
    ran = ios(steps, 'advertising_hex = "020106"', PLIST, duration="310s")
    failed = ran.of("picker_failed")[0]
    assert (failed.rule, failed.fields["code"], failed.t_us) == ("AK-09", 200, seconds * 1_000_000)


@pytest.mark.slow
def test_unbounded_looks_until_the_user_has_enough():
    steps = 'ask_picker descriptors = [{ service = "180D" }], discovery_timeout = "unbounded", for = "400s"'
    ran = ios(steps, 'advertising_hex = "020106"', PLIST, duration="500s")
    failed = ran.of("picker_failed")[0]
    assert (failed.fields["code"], failed.t_us) == (700, 400_000_000)


@pytest.mark.parametrize(
    ("descriptor", "matches"),
    [
        ('service = "180D"', True),
        ('service = "180F"', False),
        ('company = "FFFF"', True),
        ('company = "FFFE"', False),
        ('service = "180D", name_substring = "Kit"', True),
        ('service = "180D", name_substring = "Oven"', False),
        ('company = "FFFF", manufacturer_hex = "0102", manufacturer_mask_hex = "ff00"', True),
        ('company = "FFFF", manufacturer_hex = "0202", manufacturer_mask_hex = "ff00"', False),
        (
            'company = "FFFF", manufacturer_hex = "010203", manufacturer_mask_hex = "ffffff"',
            False,
        ),  # longer than sent
    ],
)
def test_descriptors(descriptor, matches):
    """AK-05: all that is set must match."""
    plist = 'plist = { supports = ["Bluetooth"], services = ["180D", "180F"], companies = ["FFFF", "FFFE"], names = ["Kit", "Oven"] }'
    accessory = 'advertising_hex = "02010603030d1808094b69746368656e05ffffff01ff"'
    ran = ios(
        f'ask_picker descriptors = [{{ {descriptor} }}], choose = "dev", for = "2s"',
        accessory,
        plist,
    )
    assert bool(ran.of("accessory_added")) == matches
    if not matches:
        assert ran.of("not_shown", "ph")[0].rule == "AK-05"


def test_a_service_data_uuid_counts_for_the_picker():
    ran = ios(ASK, 'advertising_hex = "02010603160d18"', PLIST)
    assert ran.of("accessory_added")


def test_what_18_2_lists():
    """AK-07: all of them, with the advertised name."""
    ran = ios(ASK, phone=f'{PLIST}, version = "18.2"')
    assert ran.of("picker_shows")[0].fields["shown"] == "Kitchen"
    ran = ios(ASK, phone=f'{PLIST}, version = "18.7.2"')
    assert ran.of("picker_shows")[0].fields["shown"] == "Oven"


def test_the_app_that_filters_sees_the_adverts():
    """AK-08"""
    ran = ios(f"{ASK}, filter = true", phone=PLIST)
    assert ran.of("accessory_discovered")[0].rule == "AK-08"


def test_scans_of_an_app_with_accessory_setup_keys():
    """AK-10 before the picker, AK-22 for whoever it did not set up."""
    ran = ios('app_scan for = "1s"', phone=PLIST)
    assert {event.rule for event in ran.of("not_shown", "ph")} == {"AK-10"}
    ran = ios(f'{ASK}\napp_scan for = "1s"\nconnect to = "dev"', phone=PLIST)
    assert ran.of("discovered", "ph")
    assert ran.of("connected", "ph", "phone")
    text = two("custom", f'{ASK}\napp_scan for = "2s"', settings=HEX, phone="ios")
    other = f'\n[[node]]\nname = "other"\naccessory = "custom"\nset = {{ {HEX} }}\n'
    both = run(
        text.replace(
            'phone = "ios"\n',
            f'phone = "ios"\nset = {{ {PLIST}, rules = {{ "AK-07" = false }} }}\n',
        )
        + other
    )
    hidden = [event for event in both.of("not_shown", "ph") if event.peer == "other"]
    assert {event.rule for event in hidden} == {"AK-22"}
    assert {event.peer for event in both.of("discovered", "ph")} == {"dev"}


def test_removing_an_accessory_is_not_on_the_air():
    """AK-16"""
    ran = ios(f'{ASK}\nremove_accessory peer = "dev"\napp_scan for = "1s"', phone=PLIST)
    removed = ran.of("accessory_removed")[0]
    assert removed.rule == "AK-16"
    assert ran.of("not_shown", "ph")[0].rule == "AK-10"


def test_a_user_who_gives_up():
    """AK-19: 700."""
    ran = ios(ASK.replace('"dev"', '"nobody"') + ', for = "3s"', phone=PLIST)
    assert [(event.rule, event.fields["code"]) for event in ran.of("picker_failed")] == [
        ("AK-19", 700)
    ]


def test_a_second_picker_is_refused():
    """AK-19: 500. Steps of one node wait for each other, so the phone is asked directly."""
    ran, ph = phone(PLIST)
    ph._sheet = object()
    with pytest.raises(StopIteration):
        ph.ask_picker([]).send(None)
    assert (ran.events[-1].rule, ran.events[-1].fields["code"]) == ("AK-19", 500)


def test_same_seed_same_identifiers():
    first, second = (
        ios('app_scan for = "1s"').of("discovered")[0].fields["identifier"] for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    "step",
    [
        'app_scan services = ["nothex"], for = "1s"',
        'app_scan services = ["180d", "12345"], for = "1s"',
        'ask_picker descriptors = [{ service = "heart" }], for = "1s"',
    ],
)
def test_what_is_no_uuid_is_refused_by_name_of_the_argument(step):
    note = ios(f"{step}?").of("step_failed", "ph")[0].note
    assert re.search(
        r"ph\.(app_scan: services|ask_picker: descriptors: service): '\w+' is no UUID", note
    )
