"""Rows for `test_scenarios_library.py` about an iPhone and the edges of an accessory: range, periods, transports, addresses.

Scenario -> (what is taken away, text, replacement, words of the expectation or step that must fail).
"""

from __future__ import annotations

__all__ = ["MUTATIONS"]

_PHONE = 'phone = "ios", set = {'


def _without(rule: str) -> tuple[str, str, str, str]:
    """The phone does not keep the rule."""
    return ("the phone does not mind", _PHONE, f'{_PHONE} rules = {{ "{rule}" = false }},', rule)


MUTATIONS: dict[str, list[tuple[str, str, str, str]]] = {
    "us11_follow_ups_only": [
        ("a data path, too", "data_path = false", "data_path = true", "connection_ready"),
        ("nothing is said", 'do = "send_follow_up"\nset = { to = "iphone", hex = "68656c6c6f" }', 'do = "new_address"', "IA-09"),
        _without("IA-09"),
    ],
    "us11_follow_ups_only_repaired": [
        ("no data path", "data_path = true", "data_path = false", "connection_ready"),
        ("nobody serves the port", "port = 7000", "port = 0", "data_received"),
        ("over TCP", '_udp" }\nat = "15s"', '_udp", transport = "tcp" }\nat = "15s"', "data_received"),
    ],
    "us36_too_far": [
        ("the walk ends early", "at = [60.0, 0.0]", "at = [12.0, 0.0]", "NB-16"),
        ("free space", "path_loss_exponent = 4.0", "path_loss_exponent = 2.0", "NB-16"),
        ("from the start", "at = [2.0, 0.0]", "at = [900.0, 0.0]", "on the desk"),
    ],
    "us36_too_far_repaired": [
        ("the walk goes on", "at = [12.0, 0.0]", "at = [60.0, 0.0]", "data_received"),
        ("one thing less", 'do = "aware_send"\nset = { text = "in the next room" }', 'do = "aware_paired_devices"', "data_received"),
        ("suspended", 'do = "aware_send"\nset = { text = "at the end of the corridor" }', 'do = "app_state"\nset = { state = "suspended" }', "connection_closed"),
    ],
    "us38_quic": [
        ("another transport", 'transport = "quic"', 'transport = "tcp"', "IA-63"),
        _without("IA-63"),
    ],
    "us38_quic_repaired": [
        ("QUIC", 'transport = "udp"', 'transport = "quic"', "connection_ready"),
        ("another port", 'accessory = "aware_display", at = [2.0, 0.0] }', 'accessory = "aware_display", at = [2.0, 0.0], set = { port = 0 } }', "data_received"),
    ],
    "us43_long_availability": [
        ("it can read more", "availability_period_limit_tu = 512", "availability_period_limit_tu = 1024", "invalid time bitmap"),
        ("a shorter period", _PHONE, f"{_PHONE} aware = {{ availability_period_tu = 512 }},", "invalid time bitmap"),
        _without("IA-10"),
    ],
    "us43_long_availability_repaired": [
        ("it can read less", "availability_period_limit_tu = 8192", "availability_period_limit_tu = 512", "aware_paired"),
    ],
    "us46_old_nira": [
        ("a new NIRA", "fresh_nira = false", "fresh_nira = true", "IA-55"),
        ("the old address", 'do = "new_address"', 'do = "forget"\nset = { peer = "nobody" }\nmay_fail = true', "IA-55"),
        _without("IA-55"),
    ],
    "us46_old_nira_repaired": [
        ("the old NIRA", "fresh_nira = true", "fresh_nira = false", "recognised"),
        ("a new identity", 'do = "new_address"', 'do = "factory_reset"', "recognised"),
    ],
}  # fmt: skip
