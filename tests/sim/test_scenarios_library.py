"""The built-in scenarios: each passes, each fails when its cause is taken away, each is the same in every process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest

from sim import scenario
from sim.trace import line_of
from sim.world import World
from tests.sim import mutations_aware_android, mutations_aware_edges, mutations_aware_ios

# scenario -> (what is taken away, text, replacement, words of the expectation or step that must fail)
MUTATIONS = {
    "demo": [
        ("the accessory is out of range", "at = [2.0, 0.0]", "at = [900.0, 0.0]", "paired_device_added"),
        ("its publish lacks the DCEA", "port = 7024", "port = 7024, dcea_in_publish = false", "paired_device_added"),
        ("it waits two seconds for the identity key", "port = 7024", 'port = 7024, nik_timeout = "2s"', "paired_device_added"),
        ("the person mistypes the PIN", 'phone = "ios", set = {', 'phone = "ios", set = { wrong_pins = 9,', "paired_device_added"),
        ("it forgets its keys", 'do = "new_address"', 'do = "factory_reset"', "verified"),
        ("nothing is sent", 'do = "aware_send"\nset = { text = "again" }', 'do = "wait"\nset = { for = "1s" }', "data_received"),
        ("the thermometer is out of range", "at = [1.5, 1.0]", "at = [9000.0, 0.0]", "discovered"),
    ],
    "four_accessories": [
        ("the thermometer is out of range", "at = [1.5, 0.0]", "at = [9000.0, 0.0]", "connect"),
        ("the iBeacon says another minor", "minor = 42 }", "minor = 43 }", "ibeacon.minor = 42"),
        ("no URL in turn", 'accessory = "eddystone_beacon"', 'accessory = "eddystone_beacon"\nset = { frames = ["uid", "eid"] }', "url"),
        ("no EID in turn", 'accessory = "eddystone_beacon"', 'accessory = "eddystone_beacon"\nset = { frames = ["uid", "url"] }', "frame = eid"),
        ("the Feasycom beacon is another device", 'accessory = "fsc_bp105n"', 'accessory = "ibeacon"', "3046"),
        ("the Feasycom beacon has another name", 'accessory = "fsc_bp105n"', 'accessory = "fsc_bp105n"\nset = { local_name = "X" }', "FSC-BP105N"),
        ("the battery is low", 'set = { swing_period = "8s" }', "set = { battery_pct = 5 }", "battery_pct"),
        ("nobody subscribes", 'do = "subscribe"\nset = { uuid = "Temperature Measurement" }', 'do = "wait"\nset = { for = "1s" }', "indication"),
    ],
    "beacon_walk": [
        ("the phone stands still at the start", "at = [105.0, 0.0]", "at = [0.0, 0.0]", "b10"),
        ("the phone walks the other way", "t = \"0s\", at = [0.0, 0.0] }, { t = \"75s\", at = [105.0, 0.0]", "t = \"0s\", at = [105.0, 0.0] }, { t = \"75s\", at = [0.0, 0.0]", "b01"),
        ("distance does not matter", "path_loss_exponent = 2.5", "path_loss_exponent = 0.5", "b10"),
        ("the last beacon is missing", 'name = "b20", accessory = "ibeacon", at = [100.0', 'name = "b20", accessory = "ibeacon", at = [900.0', "b20"),
    ],
    "fsc_connectable": [
        ("it is set to not connectable", "connectable = true }", "connectable = false }", "connect"),
        ("it is another device", 'accessory = "fsc_bp105n"\nat = [3.0, 0.0]\nset = { connectable = true }', 'accessory = "ibeacon"\nset = { connectable = true }', "3046"),
        ("one frame only", "connectable = true }", 'connectable = true, frame_time = "1h" }', "feasycom"),
    ],
    "fsc_nonconnectable": [
        ("it is set to connectable", "connectable = false }", "connectable = true }", "connect"),
        ("one frame only", "connectable = false }", 'connectable = false, frame_time = "1h" }', "FSC-BP105N"),
        ("it is out of range", "at = [3.0, 0.0]", "at = [9000.0, 0.0]", "3046"),
    ],
    "crowd_1000": [
        ("a tenth of the crowd", "count = 1000", "count = 100", "at least 1000"),
        ("the crowd stops at 900", "count = 1000", "count = 900", "minor"),
        ("the accessory is out of range", "at = [1.0, 0.0]", "at = [9000.0, 0.0]", "Thermometer"),
        ("everything collides", 'interval = "1s"', 'interval = "20ms"', "at least"),
    ],
    "thermometer_session": [
        ("not a thermometer", 'accessory = "thermometer"\nat = [2.0, 0.0]\nset = { temperature_c = 36.6, swing_c = 0.4, swing_period = "8s", battery_pct = 80 }', 'accessory = "ibeacon"\nset = { connectable = true }', "1809"),
        ("somebody has a fever", "temperature_c = 36.6", "temperature_c = 39.6", "temperature_c"),
        ("the battery is low", "battery_pct = 80", "battery_pct = 8", "battery_pct"),
        ("it measures every ten seconds", "swing_c = 0.4", 'swing_c = 0.4, measurement_interval = "10s"', "indication"),
        ("another maker", "swing_c = 0.4", 'swing_c = 0.4, manufacturer = "x"', "nearbench"),
        ("the phone stays", 'do = "disconnect"', 'do = "wait"\nset = { for = "2s" }', "disconnected"),
    ],
    "lossy_air": [
        ("nothing is lost", "loss = 0.3", "loss = 0.0", "again"),
        ("everything is lost", "loss = 0.3", "loss = 1.0", "connect"),
        ("nobody subscribes", 'do = "subscribe"\nset = { uuid = "Temperature Measurement" }', 'do = "wait"\nset = { for = "1s" }', "indication"),
        ("the phone stays", 'do = "disconnect"', 'do = "wait"\nset = { for = "2s" }', "disconnected"),
    ],
    "clone_and_custom": [
        ("another minor in the octets", "0001 000a c5", "0001 000b c5", "minor = 10"),
        ("warmer", "temperature_c = 21.5", "temperature_c = 22.5", "21.5"),
        ("another name", 'local_name = "Workshop"', 'local_name = "Kitchen"', "Workshop"),
        ("another maker", 'text = "Me"', 'text = "You"', "Me"),
        ("another octet is written", 'def1", hex = "cafe"', 'def1", hex = "beef"', "cafe"),
        ("the clone is no clone", 'clone = "fsc_bp105n.pcap"', 'advertising_hex = "020106"', "dc:0d:30:15:ae:b1"),
        ("the clone is made connectable", 'clone = "fsc_bp105n.pcap"', 'clone = "fsc_bp105n.pcap", sort = "connectable"', "dc:0d:30:15:ae:b1"),
    ],
    "us13_picker_shows_one": [
        ("the app filters", "filter = false", "filter = true", "AK-07"),
        ("an older iPhone lists all", 'set = { plist', 'set = { version = "18.2", plist', "AK-07"),
        ("the second lamp is another product", "c616d703203035bfe", "c616d703203035cfe", "AK-07"),
    ],
    "us13_picker_shows_one_repaired": [
        ("the app does not filter", "filter = true", "filter = false", "accessory_added"),
        ("the version has no filter", 'set = { plist', 'set = { version = "26.0", plist', "accessory_added"),
    ],
    "us14_picker_empty": [
        ("the service is advertised", "5363616c65", "5363616c6503031d18", "AK-05"),
        ("nobody is there", "at = [1.0, 0.0]", "at = [9000.0, 0.0]", "AK-05"),
        ("the plist lacks the service", 'services = ["181D"]', 'services = ["181E"]', "200"),
    ],
    "us14_picker_empty_repaired": [
        ("the service is not advertised", "03031d18", "", "accessory_added"),
        ("the plist is in lower case", 'services = ["181D"]', 'services = ["181d"]', "accessory_added"),
    ],
    "us14_lower_case_uuid": [
        ("the plist is in upper case", 'services = ["181d"]', 'services = ["181D"]', "AK-03"),
        ("the phone does not mind", 'set = { plist', 'set = { rules = { "AK-03" = false }, plist', "AK-03"),
    ],
    "us14_lower_case_uuid_repaired": [
        ("the plist is in lower case", 'services = ["181D"]', 'services = ["181d"]', "accessory_added"),
    ],
    "us14_undeclared_uuid": [
        ("the plist declares it", 'services = ["180F"]', 'services = ["181D"]', "AK-02"),
        ("the app does not crash", 'set = { plist', 'set = { plist_mismatch = "no_discovery", plist', "AK-02"),
    ],
    "us14_undeclared_uuid_repaired": [
        ("the plist declares another one", 'services = ["181D"]', 'services = ["180F"]', "accessory_added"),
    ],
    "us14_slow_advert": [
        ("the scale is faster", "interval_ms = 10240", "interval_ms = 100", "AK-09"),
        ("the air is clear", "loss = 0.99", "loss = 0.0", "AK-09"),
        ("the plist is in lower case", 'services = ["181D"]', 'services = ["181d"]', "AK-09"),
    ],
    "us14_slow_advert_repaired": [
        ("the scale is slow", "interval_ms = 100", "interval_ms = 10240", "accessory_added"),
        ("it is out of range", "at = [1.0, 0.0]", "at = [9000.0, 0.0]", "accessory_added"),
    ],
    "us15_service_data_missing": [
        ("it is connectable", 'sort = "non_connectable"', 'sort = "connectable"', "IB-07"),
        ("it is no telemetry", "aafe2000", "aafe1000", "IB-07"),
        ("the phone does not withhold it", 'phone = "ios"', 'phone = "ios", set = { rules = { "IB-07" = false } }', "IB-07"),
    ],
    "us15_service_data_missing_repaired": [
        ("it is not connectable", 'sort = "connectable"', 'sort = "non_connectable"', "kCBAdvDataServiceData"),
    ],
    "us16_no_flags": [
        ("it has flags", "070953", "020106070953", "IB-04"),
        ("the phone does not mind", 'phone = "ios"', 'phone = "ios", set = { rules = { "IB-04" = false } }', "IB-04"),
        ("the Android app filters", 'node = "android"\ndo = "app_scan"\nset = { for', 'node = "android"\ndo = "app_scan"\nset = { filters = [{ name = "X" }], for', "android"),
    ],
    "us16_no_flags_repaired": [
        ("it has no flags", "020106070953", "070953", "connected"),
    ],
    "us16_malformed_tail": [
        ("the octet is gone", "6561740A", "656174", "IB-05"),
        ("the octet is padding", "6561740A", "65617400", "IB-05"),
        ("the phone does not mind", 'phone = "ios"', 'phone = "ios", set = { rules = { "IB-05" = false } }', "IB-05"),
    ],
    "us16_malformed_tail_repaired": [
        ("an octet too many", "656174", "6561740A", "discovered"),
    ],
    "us16_uuid_missing": [
        ("the service is advertised", "5374726170", "537472617003030d18", "IB-06"),
        ("the app does not filter", 'services = ["180D"], for', "for", "IB-06"),
    ],
    "us16_uuid_missing_repaired": [
        ("the service is not advertised", "03030d18", "", "discovered"),
        ("the app wants another service", 'services = ["180D"], for', 'services = ["180F"], for', "discovered"),
    ],
    "passkey_lock": [
        ("the lock has no display", 'accessory = "lock"', 'accessory = "lock"\nset = { io = "none" }', "pair"),
        ("the phone does not bond", 'phone = "generic"', 'phone = "generic"\nset = { bonding = false }', "no bond"),
        ("no Secure Connections", 'phone = "generic"', 'phone = "generic"\nset = { secure_connections = "no" }', "secure_connections = True"),
        ("the control point takes anybody", 'accessory = "lock"', 'accessory = "keypad"', "refused"),
        ("the phone is wrong three times", 'phone = "generic"', 'phone = "generic"\nset = { wrong_pins = 3 }', "paired"),
    ],
    "wrong_pin": [
        ("the PIN is right at once", "wrong_pins = 1", "wrong_pins = 0", "reason = 4"),
        ("it is wrong twice", "wrong_pins = 1", "wrong_pins = 2", "paired"),
        ("one wrong PIN locks out", 'accessory = "lock"', 'accessory = "lock"\nset = { wrong_pins_allowed = 1 }', "locked_out"),
        ("the PIN is fixed", 'accessory = "lock"', 'accessory = "lock"\nset = { io = "none", mitm = "no" }', "pin_displayed"),
    ],
    "numeric_comparison": [
        ("legacy", 'accessory = "badge"', 'accessory = "badge"\nset = { secure_connections = "no" }', "numeric_comparison"),
        ("the phone has no display", 'phone = "generic"', 'phone = "generic"\nset = { io = "none" }', "numeric_comparison"),
        ("the phone's person says no", 'phone = "generic"', 'phone = "generic"\nset = { confirms = false }', "paired"),
        ("somebody else wears it", 'accessory = "badge"', 'accessory = "badge"\nset = { wearer = "Bob" }', "416461"),
    ],
    "rejected_comparison": [
        ("the person says yes", "confirms = false", "confirms = true", "rejected"),
        ("the phone's person says no first", "confirms = false", 'confirms = true, person_delay = "9s"', "rejected"),
    ],
    "just_works_headset": [
        ("the headset has a display", 'accessory = "headset"', 'accessory = "headset"\nset = { io = "display_only" }', "just_works"),
        ("the headset does not bond", 'accessory = "headset"', 'accessory = "headset"\nset = { bonding = false }', "bonded = True"),
        ("one phone fits", 'accessory = "headset"', 'accessory = "headset"\nset = { phones = 1 }', "tablet"),
        ("nobody pairs", 'accessory = "headset"', 'accessory = "headset"\nset = { pairable = false }', "paired"),
        ("the phone wants protection", 'phone = "generic"', 'phone = "generic"\nset = { mitm = "required" }', "paired"),
    ],
    "oob_pairing": [
        ("the badge has no tag", "oob = true", "oob = false", "tapped"),
        ("nobody holds the phone to it", 'do = "tap"\nset = { to = "badge" }', 'do = "wait"\nset = { for = "1s" }', "tapped"),
    ],
    "lost_bond": [
        ("a reboot is no reset", 'do = "factory_reset"', 'do = "reboot"', "factory_reset"),
        ("the phone keeps the bond", 'do = "forget"\nset = { peer = "lock" }', 'do = "cancel"', "bond_removed"),
        ("it was never bonded", 'accessory = "lock"', 'accessory = "lock"\nset = { bonding = false }', "bond_missing"),
    ],
    "silent_peer": [
        ("somebody types", 'person = "asked"', 'person = "policy"', "30 s"),
        ("somebody types the wrong PIN", 'at = [2.0, 0.0]\nset = { pin = "271828" }', 'at = [2.0, 0.0]\nset = { pin = "314159" }', "paired"),
        ("nobody disconnects", 'do = "disconnect"', 'do = "wait"\nset = { for = "1s" }', "paired"),
    ],
    "legacy_passkey": [
        ("the lock has a newer chip", 'secure_connections = "no"', 'secure_connections = "wanted"', "secure_connections = False"),
        ("the phone insists on Secure Connections", 'phone = "generic"', 'phone = "generic"\nset = { secure_connections = "required" }', "authenticated"),
        ("the PIN is mistyped", 'phone = "generic"', 'phone = "generic"\nset = { wrong_pins = 1 }', "paired"),
    ],
    "keypad_types": [
        ("the keypad has a display, too", 'accessory = "keypad"', 'accessory = "keypad"\nset = { io = "display_only" }', "passkey_initiator_displays"),
        ("somebody mistypes", 'accessory = "keypad"', 'accessory = "keypad"\nset = { wrong_pins = 1 }', "paired"),
        ("other keys are pressed", 'keys = "42#"', 'keys = "43#"', "343223"),
        ("the phone has no display", 'phone = "generic"', 'phone = "generic"\nset = { io = "none" }', "paired"),
    ],
    "both_type": [
        ("they did not agree", 'io = "keyboard_only", pin = "246810"', 'io = "keyboard_only", pin = "246811"', "paired"),
        ("the phone has a display", 'io = "keyboard_only", pin', 'io = "keyboard_display", pin', "passkey_both_type"),
    ],
    "passkey_000000": [
        ("the lock shows another PIN", '"lock"\nat = [2.0, 0.0]\nset = { pin = "000000" }', '"lock"\nat = [2.0, 0.0]\nset = { pin = "000001" }', "paired"),
        ("somebody types 000001", 'do = "enter_pin"\nset = { pin = "000000" }', 'do = "enter_pin"\nset = { pin = "000001" }', "paired"),
        ("the lock has no display", '"lock"\nat = [2.0, 0.0]\nset = { pin', '"lock"\nat = [2.0, 0.0]\nset = { io = "none", mitm = "no", pin', "pin_displayed"),
    ],
    "bond_lost_by_phone": [
        ("the phone keeps the bond", 'do = "forget"\nset = { peer = "lock" }', 'do = "cancel"', "bond_removed"),
        ("the lock forgets, too", 'do = "connect"\nset = { to = "lock" }\n\n[[step]]\nnode = "phone"\ndo = "pair"\n\n[[step]]\nnode = "phone"\ndo = "disconnect"', 'do = "connect"\nset = { to = "lock" }\n\n[[step]]\nnode = "lock"\ndo = "forget"\nat = "10s"\n\n[[step]]\nnode = "phone"\ndo = "pair"\n\n[[step]]\nnode = "phone"\ndo = "wait"\nset = { for = "15s" }\n\n[[step]]\nnode = "phone"\ndo = "disconnect"', "bond_replaced"),
        ("nothing is stored", 'accessory = "lock"', 'accessory = "lock"\nset = { bonding = false }', "bond_removed"),
    ],
    "mitm_refuses_just_works": [
        ("the lock has a display", 'io = "none"', 'io = "display_only"', "just_works"),
        ("the lock takes what it gets", 'io = "none"', 'io = "none", mitm = "wanted"', "reason = 3"),
    ],
    "mitm_refuses_just_works_repaired": [
        ("the lock has no display", 'io = "display_only"', 'io = "none"', "passkey"),
        ("the PIN is mistyped", 'phone = "generic"', 'phone = "generic"\nset = { wrong_pins = 1 }', "paired"),
    ],
    "lockout_after_wrong_pins": [
        ("somebody guesses twice", "wrong_pins = 3", "wrong_pins = 2", "three wrong PINs"),
        ("the lock is patient", 'accessory = "lock"', 'accessory = "lock"\nset = { wrong_pins_allowed = 0 }', "locked_out"),
        ("the lock sulks for an hour", 'accessory = "lock"', 'accessory = "lock"\nset = { lockout = "1h" }', "pair"),
    ],
    "wifi_provisioning": [
        ("the passphrase is wrong", '65"', '00"', "joined"),
        ("the network is not there", "04486f6d65", "04486f6d66", "joined"),
        ("the plug takes it in the clear", 'accessory = "wifi_provisioner"', 'accessory = "wifi_provisioner"\nset = { security = "open" }', "security_wanted"),
        ("nobody pairs", 'when_refused = "secure"', 'when_refused = "report"', "subscribe"),
    ],
    "dfu_update": [
        ("a damaged image", "1415161718191a1b1c1d1e1f2021222324252627", "ff15161718191a1b1c1d1e1f2021222324252627", "write"),
        ("the checksum is another", "023c2ea60d", "023c2ea600", "write"),
        ("the bond is not kept", 'accessory = "dfu_target"', 'accessory = "dfu_target"\nset = { bonding = false }', "encrypt"),
    ],
    "wrong_pin_repaired": [
        ("the PIN is mistyped", "wrong_pins = 0", "wrong_pins = 1", "not_paired"),
    ],
    "rejected_comparison_repaired": [
        ("the person says no", "confirms = true", "confirms = false", "paired"),
    ],
    "lost_bond_repaired": [
        ("the lock is reset", 'do = "reboot"', 'do = "factory_reset"', "bond_missing"),
    ],
    "silent_peer_repaired": [
        ("nobody types", 'person = "policy"', 'person = "asked"', "paired"),
    ],
    "us17_security_request_first": [
        ("the lock waits for a refusal", "asks_first = true", "asks_first = false", "IB-31"),
        ("the iPhone pairs when asked", 'phone = "ios"', 'phone = "ios"\nset = { rules = { "IB-31" = false } }', "IB-31"),
    ],
    "us17_security_request_first_repaired": [
        ("the lock asks first", "asks_first = false", "asks_first = true", "paired"),
    ],
    "us17_zero_identity": [
        ("a true identity", 'identity = "zero"', 'identity = "own"', "00:00:00:00:00:00"),
        ("the phone does not mind", 'phone = "ios"', 'phone = "ios"\nset = { rules = { "IB-33" = false } }', "IB-33"),
    ],
    "us17_zero_identity_repaired": [
        ("an identity of zeros", 'identity = "own"', 'identity = "zero"', "paired"),
    ],
    "us18_factory_reset": [
        ("a reboot is no reset", 'do = "factory_reset"', 'do = "reboot"', "IB-34"),
        ("the user forgets the lock", 'do = "cancel"', 'do = "forget"', "IB-34"),
        ("the phone does not mind", 'phone = "ios"', 'phone = "ios"\nset = { rules = { "IB-34" = false }, when_bond_lost = "repair" }', "IB-34"),
    ],
    "us18_factory_reset_repaired": [
        ("nobody forgets", 'do = "forget"', 'do = "cancel"', "connect"),
    ],
    "us18_bond_lost": [
        ("nothing happens to the lock", 'from = "20s"', 'from = "50s"', "bond_missing"),
        ("the bond is with somebody else", 'peer = "phone"', 'peer = "tablet"', "IB-34"),
        ("the user forgets the lock, too", "other_side_too = false", "other_side_too = true", "IB-34"),
    ],
    "us18_bond_lost_repaired": [
        ("the user does not forget it", "other_side_too = true", "other_side_too = false", "connect"),
    ],
    "gatt_table_cached": [
        ("the sensor tells", "service_changed = false", "service_changed = true", "told"),
        ("no update", 'do = "update"', 'do = "reboot"', "calibration"),
        ("the iPhone keeps no table", 'phone = "ios"', 'phone = "ios"\nset = { rules = { "IB-37" = false } }', "IB-37"),
        ("they do not bond", 'service_changed = false', 'service_changed = false, bonding = false', "IB-37"),
    ],
    "gatt_table_cached_repaired": [
        ("the sensor does not tell", "service_changed = true", "service_changed = false", "IB-37"),
    ],
    "us19_parameter_loop": [
        ("the phone keeps what it accepts", "set = { rules = { \"IB-24\" = true } }", "", "IB-24"),
        ("the sensor asks once", "times = 0", "times = 1", "asks again"),
        ("the sensor asks for what breaks a rule", "interval_max_ms = 60", "interval_max_ms = 30", "IB-24"),
    ],
    "us19_parameter_loop_repaired": [
        ("the sensor asks twice", "times = 1", "times = 2", "asks once"),
    ],
    "us19_parameters_refused": [
        ("the range is wide enough", "interval_max_ms = 30", "interval_max_ms = 45", "IB-20"),
        ("the phone does not mind", 'phone = "ios"', 'phone = "ios"\nset = { rules = { "IB-20" = false } }', "IB-20"),
    ],
    "us19_parameters_refused_repaired": [
        ("the range is too narrow", "interval_max_ms = 45", "interval_max_ms = 30", "accepted at once"),
        ("the phone overwrites it", 'phone = "ios"', 'phone = "ios"\nset = { rules = { "IB-24" = true } }', "never asked for again"),
    ],
}  # fmt: skip
MUTATIONS |= mutations_aware_ios.MUTATIONS
MUTATIONS |= mutations_aware_android.MUTATIONS
MUTATIONS |= mutations_aware_edges.MUTATIONS
PARTS = 4
FAST_MUTATIONS = 2
"""So many of each scenario run every time."""
CASES = [
    pytest.param(
        name,
        *row,
        id=f"{name}-{row[0]}",
        marks=[pytest.mark.slow] if number >= FAST_MUTATIONS else [],
    )
    for name, rows in MUTATIONS.items()
    for number, row in enumerate(rows)
]


def result(text: str, name: str):
    """The verdict on a (changed) built-in scenario."""
    made = World(scenario.parse(text, file=name, base=scenario.LIBRARY))
    try:
        return made.run()
    finally:
        made.close()


@pytest.mark.parametrize("name", scenario.names())
def test_scenario_passes_and_explains_itself(name) -> None:
    loaded = scenario.load(name)
    assert loaded.text.startswith("# "), "a comment in a user's words opens the file"
    assert loaded.about
    assert loaded.expect
    assert all(expect.why for expect in loaded.expect)
    found = result(loaded.text, name)
    assert found.passed, [o.expected for o in found.expectations if not o.held] + list(
        found.failures
    )


def test_every_scenario_has_mutations() -> None:
    assert set(MUTATIONS) == set(scenario.names())


@pytest.mark.parametrize(("name", "what", "old", "new", "words"), CASES)
def test_scenario_fails_when_its_cause_is_taken_away(name, what, old, new, words) -> None:
    text = scenario.load(name).text
    assert old in text, "the mutation speaks of what the file says"
    found = result(text.replace(old, new), name)
    broken = [f"{o.expected} {o.why}" for o in found.expectations if not o.held] + list(
        found.failures
    )
    assert not found.passed, what
    assert any(words in text for text in broken), broken


def digests(part: int) -> dict[str, str]:
    """SHA-256 of the whole trace of every fourth scenario, from number `part` on."""
    out = {}
    for name in scenario.names()[part::PARTS]:
        made = World(scenario.load(name))
        digest = hashlib.sha256()
        made.trace.add_sink(lambda event, digest=digest: digest.update(line_of(event)))
        made.run()
        made.close()
        out[name] = digest.hexdigest()
    return out


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, PARTS))]
)
def test_traces_are_byte_identical_in_processes_with_different_hash_seeds(part) -> None:
    code = f"import json; from tests.sim.test_scenarios_library import digests; print(json.dumps(digests({part})))"
    found = []
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
    assert list(found[0]) == scenario.names()[part::PARTS]
    assert len(set(found[0].values())) == len(found[0])


def test_another_seed_is_another_run() -> None:
    runs = []
    for seed in (1, 2):
        made = World(scenario.load("thermometer_session"), seed=seed)
        made.run()
        runs.append([line_of(event) for event in made.trace])
        made.close()
    assert runs[0] != runs[1]


SEEDS = [
    pytest.param(name, seed, marks=[] if seed == 2 and number % PARTS == 0 else [pytest.mark.slow])
    for number, name in enumerate(scenario.names())
    for seed in (2, 3, 4)
]


@pytest.mark.parametrize(("name", "seed"), SEEDS)
def test_scenarios_do_not_depend_on_a_lucky_seed(name, seed) -> None:
    made = World(scenario.load(name), seed=seed)
    found = made.run()
    made.close()
    assert found.passed, [o.expected for o in found.expectations if not o.held] + list(
        found.failures
    )
