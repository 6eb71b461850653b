"""What bumble's host gets wrong (bumble 0.0.236: smp.py, device.py, keys.py), row by row, and the tests that hold ours to it.

The controller's rows are in tests/sim/ble/rows.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROWS = {
    "passkey 000000 with Secure Connections hangs for ever": (
        "test_pairing.py",
        "test_passkeys_at_the_ends",
    ),
    "no 30 s SMP timer": (
        "test_pairing.py",
        "test_silent_peer_ends_after_30_s_on_both_sides_and_the_link_pairs_no_more",
        "test_an_answer_just_before_the_timer_is_in_time",
    ),
    "an exception in a delegate is swallowed and the pairing hangs": (
        "test_pairing.py",
        "test_a_delegate_that_raises_ends_the_pairing_with_its_reason",
    ),
    "a security request is met by nothing": (
        "test_security.py",
        "test_security_request_is_met_by_pairing_then_by_the_bond",
        "test_ignored_security_request_times_out_after_30_s",
    ),
    "bonding=False stores keys all the same": (
        "test_security.py",
        "test_without_bonding_on_either_side_nothing_is_stored",
    ),
    "Just Works counts as authenticated": (
        "test_security.py",
        "test_authenticated_values_refuse_a_link_in_the_clear_and_one_of_just_works",
        "test_a_just_works_bond_stays_just_works_after_a_reconnection",
    ),
    "authorization has no hook": (
        "test_security.py",
        "test_authorization_is_a_question_to_the_device",
    ),
    "a bond is not found behind another address": (
        "test_bonds.py",
        "test_bonds_are_found_behind_new_private_addresses",
        "test_the_identity_trap",
    ),
    "update_rpa gives the controller the old address": (
        "test_bonds.py",
        "test_the_controller_has_the_address_that_the_host_believes_in",
    ),
    "a legacy bond encrypts with the wrong key": (
        "test_bonds.py",
        "test_legacy_bonds_encrypt_with_the_key_of_the_accessory",
    ),
    "a second pairing on one connection hangs": (
        "test_pairing.py",
        "test_the_second_try_is_right_on_the_same_connection",
    ),
    "encrypt() on an encrypted link never returns": (
        "test_security.py",
        "test_encrypting_again_refreshes_the_key",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_tests(row):
    file, *names = ROWS[row]
    defined = set(
        re.findall(r"^(?:async )?def (test_\w+)", (HERE / file).read_text(), re.MULTILINE)
    )
    assert set(names) <= defined
