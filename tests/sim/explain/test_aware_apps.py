"""What apps declare and ask for, and how a simulated phone asks the rules about what it just met."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.wifi_aware.matching import service_id
from sim.explain import AWARE_PROFILES, RULES, Case, View, explain, rules_on, view_of
from sim.explain.app import App, Descriptor, Picker, Plist, as_app
from sim.explain.aware_observations import AwareApp, AwareDevice, Offer, PairingInfo, Service
from sim.explain.aware_pairs import Bootstrap, DataPath, NdpStep, Pair, Step
from sim.explain.observations import Scene
from sim.explain.reading import scene_of_events
from sim.trace import TraceEvent
from tests.sim.explain.aware_logs import A, B, Wifi
from tests.sim.explain.logs import Hci

NAME = "_lamp._udp"
RIGHT = AwareApp(
    profile="ios-aware",
    services={NAME: {"Publishable": {}, "Subscribable": {}}},
    subscribing=(NAME,),
    paired=(A,),
)
DROID = AwareApp(profile="android-aware", subscribing=(NAME,))


def effects(app: AwareApp, phone: str, **picker: Any) -> dict[str, str]:
    """Rule -> effect, of the rules about apps."""
    (view,) = view_of(phone)
    case = Case(view=view, scene=Scene(source="phone", app=App(known=True, aware=app, **picker)))
    return {
        rule.id: verdict.effect
        for rule in rules_on("app", view)
        if rule.judge
        for verdict in rule.judge(case)
    }


@pytest.mark.parametrize(
    ("change", "rule", "effect"),
    [
        ({"held_by_system": (NAME,)}, "IA-15", "error:serviceAlreadySubscribing"),
        ({"entitlement": ("Publish",)}, "IA-20", "error:entitlementMissing"),
        ({"entitlement": ()}, "IA-20", "error:entitlementMissing"),
        ({"services": {NAME: {"Subscribable": True}}}, "IA-22", "crash"),
        ({"services": {NAME: {"Subscribable": {}}, "_lamp._tcp2": {"Subscribable": {}}}}, "IA-23", "crash"),
        ({"devices": "selected"}, "IA-26", "silent"),
        ({"paired": ()}, "IA-27", "error:-11992"),
        ({"services": {NAME: {"Publishable": {}}}}, "IA-28", "error:serviceNotDeclared"),
    ],
)  # fmt: skip
def test_one_mistake_of_an_app_of_ios_is_one_rule(change, rule, effect):
    assert effects(RIGHT, "ios-aware") == {}
    assert effects(msgspec.structs.replace(RIGHT, **change), "ios-aware") == {rule: effect}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"subscribing": ("_lamp_udp!",)}, "AA-05"),
        ({"passphrase_octets": 6}, "AA-06"),
        ({"pmk_octets": 31}, "AA-06"),
        ({"permission": False}, "AA-50"),
    ],
)
def test_one_mistake_of_an_app_of_android_is_one_rule(change, rule):
    right = msgspec.structs.replace(DROID, passphrase_octets=8, pmk_octets=32, pmkid_octets=16)
    assert effects(right, "android-aware") == {}
    assert list(effects(msgspec.structs.replace(right, **change), "android-aware")) == [rule]


def test_pairing_on_a_phone_that_cannot_throws():
    app = msgspec.structs.replace(DROID, pairing_config=True)
    assert effects(app, "android-pixel6a-17") == {"AA-02": "error:Aware Pairing is not supported"}
    assert effects(app, "android-pixel9pro-17") == {}
    assert effects(DROID, "android-pixel6a-17") == {}


@pytest.mark.parametrize(
    ("name", "is_right"),
    [
        ("_example-service._tcp", True),
        ("_a._udp", True),
        ("_0a234567890123456._udp", False),  # 17 characters
        ("_abcdefghijklmno._udp", True),  # 15
        ("_abcdefghijklmnop._udp", False),  # 16
        ("_12345._udp", False),  # no letter
        ("_-lamp._udp", False),
        ("_lamp-._udp", False),
        ("lamp._udp", False),
        ("_lamp", False),
        ("org.wifi.nan.test", False),
    ],
)
def test_the_grammar_of_service_names(name, is_right):
    """Apple's article on adopting Wi-Fi Aware: one label of 1 to 15 characters with a letter, no hyphen at its ends."""
    app = msgspec.structs.replace(RIGHT, services={name: {"Subscribable": {}}}, subscribing=(name,))
    assert ("IA-23" in effects(app, "ios-aware")) is not is_right


def test_whether_tcp_names_trap_is_a_switch():
    name = "_lamp._tcp"
    app = msgspec.structs.replace(RIGHT, services={name: {"Subscribable": {}}}, subscribing=(name,))
    scene = Scene(source="phone", app=App(known=True, aware=app))
    plain = View(profile="ios-aware", version="26.0")
    for view, traps in (
        (plain, False),
        (msgspec.structs.replace(plain, options={"tcp_names": "trap"}), True),
        (msgspec.structs.replace(plain, on=frozenset({"IA-24"})), True),
    ):
        case = Case(view=view, scene=scene)
        assert bool(list(RULES.get("IA-24").judge(case) or ())) is traps


def test_a_listener_is_not_for_user_specified_devices():
    app = msgspec.structs.replace(RIGHT, publishing=(NAME,), devices="user_specified")
    assert effects(app, "ios-aware") == {"IA-26": "error:invalid"}


def test_rules_of_one_system_leave_apps_of_the_other_alone():
    assert effects(msgspec.structs.replace(DROID, paired=()), "ios-aware") == {}
    assert effects(msgspec.structs.replace(RIGHT, permission=False), "android-aware") == {}


# What a phone hears, judged while it runs

VIEW = View(profile="ios-aware", version="26.1", asked=True)
GOOD = Offer(
    dcea=True, pairing_setup=True, caching=True, methods=0x0002, suites=(7,), group_support=2,
    info=PairingInfo(vendor="Acme", model="M1", name="Lamp"), info_octets=50,
)  # fmt: skip


def heard(offer: Offer, app: AwareApp, name: str = NAME, view: View = VIEW) -> dict[str, str]:
    """Rule -> effect of one publish that the phone B hears."""
    service = Service(kind="publish", service_id=service_id(name), instance=1, offers={})
    service.add(offer, 1, 0)
    scene = Scene(source="phone", app=App(known=True, aware=app))
    case = Case(
        view=view, scene=scene, aware=AwareDevice(A), service=service, phones=frozenset({B})
    )
    rules = rules_on("aware_service", view, simulated=True)
    found = [(rule.id, one) for rule in rules if rule.judge for one in rule.judge(case)]
    return {rule: one.effect for rule, one in found if one.effect}


PICKING = msgspec.structs.replace(RIGHT, paired=(), picker_open=True)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, {}),
        ({"dcea": False, "pairing_setup": False, "caching": False}, {"IA-04": "drop"}),
        ({"pairing_setup": False}, {"IA-06": "hide"}),
        ({"methods": 0x0010}, {"IA-31": "hide"}),
        ({"suites": (8,)}, {"IA-39": "hide"}),
        ({"info": PairingInfo(vendor="Acme", name="Lamp")}, {"IA-37": "hide"}),
        ({"info": PairingInfo(vendor="Acme", model="M" * 64, name="Lamp")}, {"IA-37": "hide"}),
    ],
)
def test_a_phone_with_its_picker_open_hides_what_lacks_something(change, wanted):
    assert heard(msgspec.structs.replace(GOOD, **change), PICKING) == wanted


def test_a_phone_lists_strangers_in_its_picker_only():
    assert heard(GOOD, PICKING) == {}
    assert heard(GOOD, msgspec.structs.replace(PICKING, picker_open=False)) == {"IA-08": "hide"}


def test_a_paired_accessory_need_not_offer_pairing_any_more():
    off = msgspec.structs.replace(GOOD, pairing_setup=False, methods=None, info=None, info_octets=0)
    assert heard(off, RIGHT) == {}
    assert "IA-30" in heard(off, PICKING)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lamp._udp", "without underscore"),
        ("_lamp._tcp", "with the other transport"),
        ("lamp", "without underscore and transport"),
        ("_lamp._udp.local", "with a domain behind it"),
    ],
)
def test_a_name_that_is_nearly_right_is_guessed(name, words):
    log = Wifi()
    log.publish(name=name)
    scene = log.scene(".pcap")
    scene.app = App(known=True, aware=RIGHT)
    (found,) = [one for one in explain(scene, view_of("ios-aware")) if one.rule == "IA-25"]
    assert found.severity == "error"
    assert words in found.evidence
    assert heard(GOOD, PICKING, name)["IA-25"] == "drop"


def test_another_name_is_another_service():
    log = Wifi()
    log.publish(name="_printer._udp")
    log.publish(name=NAME, instance=2)
    scene = log.scene(".pcap")
    scene.app = App(known=True, aware=RIGHT)
    found = [one for one in explain(scene, view_of("ios-aware")) if one.rule == "IA-25"]
    assert [(one.severity, one.frames) for one in found] == [("note", (1,))]


@pytest.mark.parametrize(
    ("options", "methods", "effect"),
    [
        ({}, 0x0020, "reject:0"),
        ({}, 0x0002, ""),
        ({"npba_bit": "complement"}, 0x0020, ""),
    ],
)
def test_which_method_a_publishing_phone_takes_is_a_switch(options, methods, effect):
    """esp-idf issue 16743: the keypad's bit is rejected with reason 0, the display's is not."""
    view = msgspec.structs.replace(VIEW, options=options)
    asked = Bootstrap(requester=A, responder=B, token=1)
    asked.requests.append(Step(t_us=1, frame=1, methods=methods, has_info=True))
    case = Case(
        view=view,
        scene=Scene(source="phone"),
        pair=Pair(a=A, b=B, bootstraps=[asked]),
        phones=frozenset({B}),
    )
    rules = rules_on("aware_pairing", view, simulated=True)
    found = [one.effect for rule in rules if rule.judge for one in rule.judge(case) if one.effect]
    assert found == ([effect] if effect else [])


@pytest.mark.parametrize(("requested", "effects_"), [(False, ["reject:10"]), (True, [])])
def test_android_wants_a_network_request_first(requested, effects_):
    view = View(profile="android-aware", version="17", asked=True)
    app = AwareApp(profile="android-aware", publishing=(NAME,), network_requested=requested)
    ask = NdpStep(t_us=1, frame=1, sender=A, type=0, suites=(1,), has_context=True, has_key=True)
    case = Case(
        view=view,
        scene=Scene(source="phone", app=App(known=True, aware=app)),
        path=DataPath(initiator=A, responder=B, is_secure=True, steps=[ask]),
        phones=frozenset({B}),
    )
    rules = rules_on("aware_data_path", view, simulated=True)
    found = [one.effect for rule in rules if rule.judge for one in rule.judge(case) if one.effect]
    assert found == effects_


def test_a_phone_without_a_peer_in_sight_judges_nothing():
    """The empty case of every subject gives no verdict and no exception."""
    for profile in AWARE_PROFILES:
        (view,) = view_of(profile)
        for subject in ("aware_service", "aware_pairing", "aware_data_path", "aware_device", "app", "scene"):  # fmt: skip
            case = Case(view=view, scene=Scene(source="phone"))
            for rule in rules_on(subject, view):
                assert rule.judge is None or list(rule.judge(case)) == [], rule.id


# AccessorySetupKit

LAMP = Descriptor(name="Lamp", wifi_aware_service=NAME)


def picked(options: dict[str, str] | None = None, **descriptor: Any) -> dict[str, str]:
    """Rule -> effect of showing the picker for Acme's M1 with that descriptor."""
    one = msgspec.structs.replace(LAMP, **descriptor)
    view = View(profile="ios-ask", version="26.1", asked=True, options=options or {})
    service = Service(kind="publish", service_id=service_id(NAME), instance=1, offers={})
    service.add(GOOD, 1, 0)
    plist = Plist(supports=("WiFi",))
    app = App(known=True, plist=plist, picker=Picker(descriptors=(one,)))
    case = Case(view=view, scene=Scene(source="phone", app=app), service=service)
    rules = [*rules_on("app", view), *rules_on("aware_service", view)]
    return {rule.id: verdict.effect for rule in rules if rule.judge for verdict in rule.judge(case)}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, {}),
        ({"wifi_aware_role": 10}, {}),
        ({"wifi_aware_role": 20}, {"AK-13": "hide"}),
        ({"wifi_aware_role": 15}, {"AK-12": "error:450"}),
        ({"wifi_aware_vendor": "acme"}, {}),
        ({"wifi_aware_vendor": "Other"}, {"AK-14": "hide"}),
        ({"wifi_aware_model": "M2"}, {"AK-14": "hide"}),
    ],
)
def test_descriptors_for_wifi_aware(change, wanted):
    assert picked(**change) == wanted


def test_whose_role_a_descriptor_names_is_a_switch():
    options = {"descriptor_role": "accessory"}
    assert picked(options, wifi_aware_role=20) == {}
    assert picked(options) == {"AK-13": "hide"}


def test_a_vendor_needs_a_service():
    assert "AK-12" in picked(wifi_aware_service="", wifi_aware_vendor="Acme", company="004c")


# Traces


def test_a_trace_tells_who_is_the_phone_and_what_its_app_wants():
    log = Wifi().discovery(dcea=None)
    app = msgspec.to_builtins(App(known=True, aware=PICKING))
    events = [TraceEvent(1, 0, "phone", "phone", "app", fields={"app": app})]
    for number, packet in enumerate(log.packets, 2):
        node = "lamp" if packet.data[10:16].hex(":") == A else "phone"
        fields = {"phy": "wifi", "signal_dbm": {"phone": -40}, "outcomes": {"phone": "heard"}}
        events.append(
            TraceEvent(number, packet.t_us, node, "air", "sdf", "tx", "", packet.data, fields)
        )
    scene = scene_of_events(events)
    assert as_app(app).aware == PICKING
    assert (scene.aware.devices[A].name, scene.aware.devices[A].phone) == ("lamp", "")
    assert (scene.aware.devices[B].name, scene.aware.devices[B].phone) == ("phone", "ios-aware")
    assert scene.aware.devices[A].rssi_dbm[0] == -40
    found = [one for one in explain(scene) if one.rule == "IA-04"]
    assert [(one.severity, one.device, one.frames) for one in found] == [("error", A, (2, 4, 6))]
    assert [one for one in explain(scene) if one.phone.startswith("android") and one.severity == "error"] == []  # fmt: skip


def test_the_app_of_a_trace_is_as_it_last_used_wifi_aware():
    """It failed without a paired device, and was closed: the finding stays (IA-27)."""
    states = (
        AwareApp(profile="ios-aware"),
        msgspec.structs.replace(RIGHT, paired=()),
        AwareApp(profile="ios-aware"),
    )
    events = [
        TraceEvent(number, number, "phone", "phone", "app", fields={"app": msgspec.to_builtins(App(known=True, aware=one))})
        for number, one in enumerate(states, 1)
    ]  # fmt: skip
    found = [one.rule for one in explain(scene_of_events(events)) if one.severity == "error"]
    assert found == ["IA-27"]


def test_a_picker_for_wifi_aware_leaves_bluetooth_alone():
    log = Hci()
    log.advert("02010603030d1809094b69746368656e31")
    scene = log.scene(".btsnoop")
    for one, found in ((LAMP, []), (Descriptor(name="Lamp", service="180A"), ["AK-05"])):
        plist = Plist(supports=("WiFi", "Bluetooth"), services=("180A",))
        scene.app = App(known=True, plist=plist, picker=Picker(descriptors=(one,)))
        errors = [one.rule for one in explain(scene, view_of("ios-ask")) if one.severity == "error"]
        assert errors == found
