"""What takes the cause of a scenario of the Android's Wi-Fi Aware away: rows for `test_scenarios_library.py`.

Scenario -> (what is taken away, text, replacement, words of the expectation or step that must fail).
"""

from __future__ import annotations

__all__ = ["MUTATIONS"]

MUTATIONS: dict[str, list[tuple[str, str, str, str]]] = {
    "us48_app_answers_late": [
        ("the app is faster", 'answer_delay = "25s"', 'answer_delay = "15s"', "AA-42"),
        ("the framework waits longer", 'answer_delay = "25s"', 'answer_delay = "25s", aware = { auth_timeout = "40s" }', "AA-42"),
        ("the app rejects at once", 'answer_delay = "25s"', 'answers_pairing = "reject"', "AA-42"),
        ("the publisher has no pairing", 'service = "_lamp._udp", pairing = { methods = ["pin_display"] } }', 'service = "_lamp._udp" }', "pairing_request_received"),
    ],
    "us48_app_answers_late_repaired": [
        ("the app is slower", 'answer_delay = "1s"', 'answer_delay = "21s"', "pairing_setup_succeeded"),
        ("the person types a wrong PIN", 'name = "phone", phone = "android"', 'name = "phone", phone = "android", set = { wrong_pins = 1 }', "pairing_setup_succeeded"),
    ],
    "us48_doze": [
        ("no Doze", "set = { on = true }", "set = { on = false }", "AA-29"),
        ("Doze does not matter", 'answer_delay = "5s"', 'answer_delay = "5s", rules = { "AA-29" = false }', "AA-29"),
        ("the app is faster", 'answer_delay = "5s"', 'answer_delay = "0s"', "AA-23"),
    ],
    "us48_doze_repaired": [
        ("Doze", "set = { on = false }", "set = { on = true }", "pairing_setup_succeeded"),
    ],
    "us49_new_address": [
        ("it keeps its address", 'address_time = "30s"', 'address_time = "0s"', "AA-30"),
        ("the rule is off", 'aware = { address_time = "30s" }', 'aware = { address_time = "30s" }, rules = { "AA-30" = false }', "AA-30"),
        ("the app asks by alias", 'to = "#1"', 'to = "kitchen"', "network_unavailable"),
        ("pairings are not cached", '["pin_keypad"] }', '["pin_keypad"], caching = false }', "alias = kitchen"),
    ],
    "us49_new_address_repaired": [
        ("it keeps its address", 'address_time = "30s"', 'address_time = "0s"', "AA-30"),
        ("the old handle", 'set = { to = "kitchen" }\nat', 'set = { to = "#1" }\nat', "pairing_verified"),
        ("pairings are not cached", '["pin_keypad"] }', '["pin_keypad"], caching = false }', "pairing_verified"),
    ],
    "us50_no_network_request": [
        ("it asks in time", 'at = "20s"', 'at = "9s"', "AA-47"),
        ("the framework does not mind", 'name = "tablet", phone = "android", at = [2.0, 0.0]', 'name = "tablet", phone = "android", at = [2.0, 0.0], set = { rules = { "AA-47" = false } }', "AA-47"),
        ("they have not paired", 'do = "aware_pair"\nset = { to = "tablet" }', 'do = "wait"\nset = { for = "1s" }', "pairing_setup_succeeded"),
        ("the phone asks nobody", 'do = "request_network"\nset = { to = "tablet" }\nat = "10s"', 'do = "wait"\nset = { for = "1s" }', "AA-47"),
    ],
    "us50_no_network_request_repaired": [
        ("it asks too late", 'at = "0s"', 'at = "11s"', "network_available"),
        ("another port", 'role = "responder", port = 7000', 'role = "responder", port = 7001', "port = 7000"),
    ],
    "us51_removed_alias": [
        ("a later framework", '"AA-45" = true', '"AA-45" = false', "AA-45"),
        ("nothing is removed", 'alias = "first" }', 'alias = "third" }', "AA-45"),
        ("the cache does not matter", 'do = "request_network"\nset = { to = "tablet" }', 'do = "wait"\nset = { for = "1s" }', "AA-43"),
    ],
    "us51_removed_alias_repaired": [
        ("AOSP of 2024", '"AA-45" = false', '"AA-45" = true', "pairing_verified"),
        ("the other alias", 'alias = "first" }', 'alias = "second" }', "aliases"),
    ],
    "us52_radio_taken": [
        ("the radio is free", '"soft_ap"', '"free"', "AA-01"),
        ("the phone does not mind", 'radio_use = "soft_ap"', 'radio_use = "soft_ap", rules = { "AA-01" = false }', "AA-01"),
    ],
    "us52_radio_taken_repaired": [
        ("Wi-Fi is off", '"free"', '"wifi_off"', "service_discovered"),
        ("it is out of range", "at = [2.0, 0.0]", "at = [9000.0, 0.0]", "service_discovered"),
    ],
    "us52_permission": [
        ("it has the permission", "permission = false", "permission = true", "AA-50"),
        ("the phone does not mind", "permission = false", 'permission = false, rules = { "AA-50" = false }', "AA-50"),
    ],
    "us52_permission_repaired": [
        ("it lacks the permission", "permission = true", "permission = false", "service_discovered"),
    ],
    "us52_other_name": [
        ("the same name", 'service = "lamp"', 'service = "_lamp._udp"', "NB-17"),
        ("case does not matter", 'service = "lamp"', 'service = "_LAMP._udp"', "NB-17"),
        ("nobody publishes", 'do = "aware_publish"', 'do = "aware_subscribe"', "NB-17"),
    ],
    "us52_other_name_repaired": [
        ("another name", 'service = "_lamp._udp", active', 'service = "_lamp._tcp", active', "service_discovered"),
    ],
    "us52_no_pairing": [
        ("another model", "pixel6a_17", "aosp", "AA-02"),
        ("no pairing configuration", 'service = "_lamp._udp", pairing = { methods = ["pin_display"] } }', 'service = "_lamp._udp" }', "AA-02"),
        ("the chip can", 'model = "pixel6a_17"', 'model = "pixel6a_17", pairing_supported = "yes"', "AA-02"),
    ],
    "us52_no_pairing_repaired": [
        ("the other Pixel", "pixel9pro_17", "pixel6a_17", "pairing_setup_succeeded"),
        ("the chip cannot", 'model = "pixel9pro_17"', 'model = "pixel9pro_17", pairing_supported = "no"', "pairing_setup_succeeded"),
    ],
}  # fmt: skip
