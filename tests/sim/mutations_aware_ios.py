"""What takes the cause of a scenario of the iPhone's Wi-Fi Aware away: rows for `test_scenarios_library.py`.

Scenario -> (what is taken away, text, replacement, words of the expectation or step that must fail).
"""

from __future__ import annotations

__all__ = ["MUTATIONS"]


def _without(rule: str) -> tuple[str, str, str, str]:
    """The phone does not keep the rule."""
    declared = "services = {"
    return (
        "the phone does not mind",
        declared,
        f'rules = {{ "{rule}" = false }}, {declared}',
        rule,
    )


MUTATIONS: dict[str, list[tuple[str, str, str, str]]] = {
    "two_iphones": [
        ("the bit that iPhones were seen to want", 'method_matching = "complement", ', "", "pin_displayed"),
        ("Alice does not listen", 'do = "aware_listen"', 'do = "aware_browse"', "hello Alice"),
        ("Bob's phone does not restart", 'do = "restart"', 'do = "aware_stop"', "verified"),
        ("Bob's phone forgets", 'do = "restart"', 'do = "forget_paired"', "verified"),
        ("nobody declares it", "Publishable = {}", "Subscribable = {}", "pin_displayed"),
    ],
    "us01_no_dcea": [
        ("it has one", "dcea_in_publish = false", "dcea_in_publish = true", "IA-04"),
        ("another service", 'set = { dcea', 'set = { service_name = "_other._udp", dcea', "IA-04"),
        _without("IA-04"),
    ],
    "us01_no_dcea_repaired": [
        ("it has none", "dcea_in_publish = true", "dcea_in_publish = false", "picker_shows"),
        ("nobody taps it", 'choose = "display"', 'choose = "lamp"', "pin_displayed"),
        ("nobody types", 'phone = "ios", set = {', 'phone = "ios", set = { person = "asked",', "pin_entered"),
        ("an Android's haste", 'phone = "ios", set = {', 'phone = "ios", set = { aware = { nik_follow_up = "30ms" },', "paired_device_added"),
        ("no data paths", "set = { dcea", "set = { data_path = false, dcea", "connection_ready"),
    ],
    "us01_galaxy_s25": [
        ("another model", 'model = "s25_2025"', 'model = "aosp"', "IA-04"),
        _without("IA-04"),
    ],
    "us01_galaxy_s25_repaired": [
        ("the Galaxy", 'model = "aosp"', 'model = "s25_2025"', "picker_shows"),
        ("it reads the method as AOSP does", 'method_matching = "complement"', 'method_matching = "same_bit"', "aware_paired"),
        ("no pairing info", 'pairing_info = "generic"', 'pairing_info = "none"', "picker_shows"),
    ],
    "us02_keypad_bit": [
        ("PIN display", 'method_matching = "complement"', 'method_matching = "same_bit"', "IA-35"),
        _without("IA-35"),
    ],
    "us02_keypad_bit_repaired": [
        ("PIN keypad", 'method_matching = "same_bit"', 'method_matching = "complement"', "pin_displayed"),
    ],
    "us02_no_pairing_info": [
        ("there is some", 'pairing_info = "none"', 'pairing_info = "generic"', "IA-36"),
        _without("IA-36"),
    ],
    "us02_no_pairing_info_repaired": [
        ("there is none", 'pairing_info = "generic"', 'pairing_info = "none"', "pin_displayed"),
        ("a wrong PIN", 'phone = "android", set = {', 'phone = "android", set = { wrong_pins = 1,', "aware_paired"),
    ],
    "us03_android_passphrase": [
        ("pairing", 'passphrase = "correct horse"', 'passphrase = "correct horse", pairing = { methods = ["pin_display"] }', "IA-04"),
        _without("IA-04"),
    ],
    "us03_android_passphrase_repaired": [
        ("no pairing", ', pairing = { methods = ["pin_display"] }', "", "picker_shows"),
        ("an old Pixel", 'phone = "android", at = [2.0, 0.0], set = {', 'phone = "android", at = [2.0, 0.0], set = { model = "pixel6a_17",', "picker_shows"),
    ],
    "us03_no_pairing_on_offer": [
        ("pairing is on offer", "cipher_suites = [1]", "cipher_suites = [1, 7]", "IA-30"),
        ("it is out of range", "at = [2.0, 0.0]", "at = [9000.0, 0.0]", "IA-30"),
        _without("IA-30"),
    ],
    "us03_no_pairing_on_offer_repaired": [
        ("a passphrase only", "cipher_suites = [7]", "cipher_suites = [1]", "aware_paired"),
        ("PASN-256 only", "cipher_suites = [7]", "cipher_suites = [8]", "aware_paired"),
    ],
    "us04_no_nira": [
        ("a NIRA", "nira_in_follow_up = false", "nira_in_follow_up = true", "IA-42"),
        ("a wrong PIN", 'phone = "ios", set = {', 'phone = "ios", set = { wrong_pins = 1,', "IA-42"),
        _without("IA-42"),
    ],
    "us04_no_nira_repaired": [
        ("no NIRA", "nira_in_follow_up = true", "nira_in_follow_up = false", "paired_device_added"),
        ("no caching", "nira_in_follow_up = true", "npk_caching = false", "paired_device_added"),
    ],
    "us04_sheet_closed": [
        ("it is done", "finish = false", "finish = true", "paired_devices"),
        ("nobody taps", 'choose = "display"', 'choose = "x"', "aware_paired"),
        ("the app may browse for nobody", *_without("IA-27")[1:]),
    ],
    "us04_sheet_closed_repaired": [
        ("the sheet is closed", "finish = true", "finish = false", "paired_devices"),
    ],
    "us05_no_paired_device": [
        ("somebody is paired", 'choose = ""', 'choose = "display"', "IA-27"),
        ("the service is not declared", '"_nearbench._udp" = {', '"_other._udp" = {', "browser_ready"),
        _without("IA-27"),
    ],
    "us05_no_paired_device_repaired": [
        ("nobody is paired", 'choose = "display"', 'choose = ""', "connection_ready"),
    ],
    "us06_network_down": [
        ("Wi-Fi stays on", "on = false", "on = true", "browser_waiting"),
        ("Wi-Fi stays off", '"5s"', '"50s"', "browser_ready"),
        ("somebody is paired", 'choose = ""', 'choose = "display"', "IA-27"),
    ],
    "us06_network_down_repaired": [
        ("nobody is paired", 'choose = "display"', 'choose = ""', "verified"),
        ("Wi-Fi stays on", "on = false", "on = true", "browser_waiting"),
    ],
    "us07_erased_accessory": [
        ("nothing is erased", 'do = "forget"', 'do = "reboot"', "IA-54"),
        ("the user removes it", 'do = "aware_stop"', 'do = "forget_paired"', "IA-54"),
    ],
    "us07_erased_accessory_repaired": [
        ("the user does not remove it", 'do = "forget_paired"', 'do = "aware_stop"', "AK-16"),
    ],
    "us08_unsupported": [
        ("the feature is there", "supported_after_reinstall = false", "supported_after_reinstall = true", "IA-52"),
        ("the app stays", 'do = "reinstall"', 'do = "aware_stop"', "reinstalled"),
    ],
    "us08_unsupported_repaired": [
        ("it is gone", "supported_after_reinstall = true", "supported_after_reinstall = false", "connection_ready"),
        ("the same id", "supported_after_reinstall = true", "access_after_reinstall = false", "connection_ready"),
    ],
    "us09_plist_boolean": [
        ("a dictionary", "Subscribable = true", "Subscribable = {}", "IA-22"),
        _without("IA-22"),
    ],
    "us09_plist_boolean_repaired": [
        ("a Boolean", "Subscribable = {}", "Subscribable = true", "paired_device_added"),
    ],
    "us09_service_name": [
        ("a shorter one", 'service = "_nearbench-living-room-lamp._udp"', 'service = "_nearbench-lamp._udp"', "IA-23"),
        _without("IA-23"),
    ],
    "us09_service_name_repaired": [
        ("a longer one", 'service = "_nearbench-lamp._udp"', 'service = "_nearbench-living-room-lamp._udp"', "picker_did_present"),
    ],
    "us10_no_pin": [
        ("a PIN, too", 'methods = ["opportunistic"]', 'methods = ["opportunistic", "pin_display"]', "IA-31"),
        _without("IA-31"),
    ],
    "us10_no_pin_repaired": [
        ("a QR code", 'methods = ["pin_display"]', 'methods = ["qr_display"]', "aware_paired"),
        ("no PIN", 'methods = ["pin_display"]', 'methods = ["opportunistic"]', "aware_paired"),
    ],
    "us34_suspended": [
        ("in the background", 'state = "suspended"', 'state = "background"', "IA-66"),
        _without("IA-66"),
    ],
    "us34_suspended_repaired": [
        ("suspended", 'state = "background"', 'state = "suspended"', "connection_closed"),
    ],
    "us44_browser_stopped": [
        ("it is kept", "keep_browsing = false", "keep_browsing = true", "IA-58"),
        _without("IA-58"),
    ],
    "us44_browser_stopped_repaired": [
        ("it is stopped", "keep_browsing = true", "keep_browsing = false", "connection_ready"),
    ],
    "us45_nik_timeout": [
        ("3 s", 'nik_timeout = "2s"', 'nik_timeout = "3s"', "nik_missing"),
        ("a faster phone", 'phone = "ios", set = {', 'phone = "ios", set = { aware = { nik_follow_up = "1s" },', "nik_missing"),
    ],
    "us45_nik_timeout_repaired": [
        ("2 s", 'nik_timeout = "5s"', 'nik_timeout = "2s"', "aware_paired"),
        ("a slower phone", 'phone = "ios", set = {', 'phone = "ios", set = { aware = { nik_follow_up = "6s" },', "aware_paired"),
    ],
    "us46_keys_lost": [
        ("they are kept", "persistent_keys = false", "persistent_keys = true", "IA-54"),
        ("no restart", 'do = "reboot"', 'do = "accept"', "IA-54"),
    ],
    "us46_keys_lost_repaired": [
        ("they are lost", "persistent_keys = true", "persistent_keys = false", "verified"),
    ],
    "us47_second_browser": [
        ("the first is gone", 'do = "aware_paired_devices"', 'do = "aware_stop"', "IA-14"),
        _without("IA-14"),
    ],
    "us47_second_browser_repaired": [
        ("the first is there", 'do = "aware_stop"', 'do = "aware_paired_devices"', "browser_cancelled"),
    ],
    "us47_system_subscribes": [
        ("the app tries again", "tries = 1", "tries = 3", "connection_ready"),
        ("the system does not", 'held_time = "1500ms"', 'held_time = "0s"', "IA-15"),
        _without("IA-15"),
    ],
    "us47_system_subscribes_repaired": [
        ("one try", "tries = 5", "tries = 1", "connection_ready"),
        ("a minute", 'held_time = "1500ms"', 'held_time = "1min"', "connection_ready"),
    ],
}  # fmt: skip
