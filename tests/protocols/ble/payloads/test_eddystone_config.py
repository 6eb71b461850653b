"""Values of the Eddystone Configuration Service: layouts by characteristic and direction, faults, keys."""

from __future__ import annotations

import pytest

from protocols.data.eddystone_gatt import (
    CONFIG_CHARACTERISTICS,
    URL_CONFIG_CHARACTERISTICS,
)
from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import EncodeError, UsageError

LOCK_CODE = "000102030405060708090a0b0c0d0e0f"
# RFC 7748, 6.1
ALICE = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
BOB_PUBLIC = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"


def context(digits: str, op: str | None, **more: str) -> dict[str, str]:
    given = {"characteristic": f"a3c8{digits}-8ed3-4bdf-8a39-a01bebede295", **more}
    return given | ({"op": op} if op else {})


def value(octets: str, digits: str, op: str | None, **more: str) -> Dissection:
    block = Block(kind="gatt_value", data=bytes.fromhex(octets))
    return dissect(block, context(digits, op, **more))


# characteristic, operation, allowed lengths; every other length from 0 to 40 is frame_length
LENGTHS = [
    ("7501", "read", set(range(7, 41))),
    ("7502", "read", {1}), ("7502", "write", {1}),
    ("7503", "read", {2}), ("7503", "write", {2}),
    ("7504", "read", {1}), ("7504", "write", {1}),
    ("7505", "read", {1}), ("7505", "write", {1}),
    ("7506", "read", {1}), ("7506", "write", {1, 17}),
    ("7507", "read", {16}), ("7507", "write", {16}),
    ("7508", "read", {32}),
    ("7509", "read", {16}),
    ("750b", "write", {1}),
    ("750c", "read", {1}), ("750c", "write", {1}),
]  # fmt: skip


@pytest.mark.parametrize(("digits", "op", "allowed"), LENGTHS)
def test_lengths(digits, op, allowed):
    for size in range(41):
        found = value("01" * size, digits, op)
        if size in allowed:
            assert found.error is None, size
        else:
            assert found.error is not None, size
            assert (found.error.code, found.error.offset) == ("frame_length", None)
            assert found.plain == {}


# first octets, operation, allowed total lengths of slot data
SLOT_LENGTHS = [
    ("00", "write", {1, 17}),
    ("00", "read", {1, 18, 20}),
    ("10", "write", set(range(3, 20))),
    ("10", "read", set(range(4, 21))),
    ("20", "write", {1}),
    ("2000", "read", {14}),
    ("2001", "read", {18}),
    ("30", "write", {18, 34}),
    ("30", "read", {14}),
]


@pytest.mark.parametrize(("first", "op", "allowed"), SLOT_LENGTHS)
def test_slot_data_lengths(first, op, allowed):
    for size in range(len(first) // 2, 41):
        octets = first + "03" + "61" * 40 if first == "10" and op == "write" else first + "01" * 40
        found = value(octets[: 2 * size], "750a", op)
        assert (found.error is None) == (size in allowed), (size, found.error)
        if found.error is not None:
            assert found.error.offset is None
            assert found.plain == {}


# octets, operation, code, offset: a tolerant decoder gives nothing for any of them
SLOT_FAULTS = [
    ("01", "write", "frame_type", 0),
    ("0f" * 17, "write", "frame_type", 0),
    ("40", "read", "frame_type", 0),
    ("ff", "read", "frame_type", 0),
    ("10", "write", "frame_length", None),
    ("1003", "write", "url_empty", None),
    ("1003" + "61" * 18, "write", "url_too_long", None),
    ("1009" + "0e" * 18, "write", "url_too_long", None),
    ("100461", "write", "url_scheme", 1),
    ("10040e", "write", "url_scheme", 1),
    ("10036161200e", "write", "url_code", 4),
    ("10f8", "read", "frame_length", None),
    ("10f803", "read", "url_empty", None),
    ("10f8047f", "read", "url_scheme", 2),
    ("10f8037f", "read", "url_code", 3),
    ("20", "read", "frame_length", None),
    ("2002", "read", "tlm_version", 1),
    ("2000", "write", "frame_length", None),
]


@pytest.mark.parametrize(("octets", "op", "code", "offset"), SLOT_FAULTS)
def test_slot_data_faults(octets, op, code, offset):
    found = value(octets, "750a", op)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == (code, offset)
    assert found.plain == {}


@pytest.mark.parametrize("op", ["read", "write"])
@pytest.mark.parametrize("octets", ["", "00"])
def test_empty_slot_is_null(octets, op):
    assert value(octets, "750a", op).plain == {"frame_type": None}
    assert encode("eddystone-config", {"frame_type": None}, context("750a", op)) == b""


def test_exponent_above_15_is_kept_and_has_no_id():
    written = value("30" + BOB_PUBLIC + "10", "750a", "write", beacon_private_key=ALICE).plain
    assert written["rotation_exponent"] == 16
    assert "identity_key" in written
    assert "eid_at_65280_s" not in written


def test_public_key_is_derived_when_only_the_private_one_is_given():
    """Identity key known from the RFC 7748 keys and HKDF, as with both keys given."""
    written = value("30" + BOB_PUBLIC + "0a", "750a", "write", beacon_private_key=ALICE).plain
    assert written["identity_key"] == "93f4d2ceb47a10a82d72af751ef2673a"
    assert written["shared_secret"].startswith("4a5d9d5ba4ce2de1")


def test_key_of_small_order_gives_no_identity_key():
    found = value("30" + "00" * 32 + "0a", "750a", "write", beacon_private_key=ALICE)
    assert found.error is None
    assert not {"identity_key", "shared_secret"} & found.plain.keys()
    node = next(n for n in found.tree if n.name == "resolver_public_key")
    assert "all zero" in (node.meaning or "")


def test_without_keys_derived_fields_are_absent():
    assert value("30" + BOB_PUBLIC + "0a", "750a", "write").plain == {
        "frame_type": "eid", "resolver_public_key": BOB_PUBLIC, "rotation_exponent": 10,
    }  # fmt: skip
    assert value("5a" * 16, "7509", "read").plain == {"encrypted_identity_key": "5a" * 16}


def test_identity_key_read_is_decrypted_with_the_lock_code():
    found = value("d4dce4f2de17e66e06ef882a8bc08322", "7509", "read", lock_code=LOCK_CODE)
    assert found.plain["identity_key"] == "589417b0324b1b71d7a6751852867ae8"


def test_token_says_whether_it_opens_the_lock():
    """FIPS-197 C.1: the token of challenge 0011..ff under code 0001..0f."""
    more = {"lock_code": LOCK_CODE, "challenge": "00112233445566778899aabbccddeeff"}
    good = value("69c4e0d86a7b0430d8cdb78070b4c55a", "7507", "write", **more)
    assert good.tree[0].meaning == "opens the lock"
    assert value("00" * 16, "7507", "write", **more).tree[0].meaning == "does not open the lock"


def test_unnamed_capability_and_frame_type_bits_are_ignored():
    plain = value("000501fffff200", "7501", "read").plain
    assert plain["frame_types"] == ["url"]
    assert plain["variable_adv_supported"] is True
    assert plain["supported_tx_power_dbm"] == [0]


def test_reading_a_slot_gives_the_broadcast_frame_with_its_power():
    assert value("00e3" + "11" * 10 + "22" * 6 + "0000", "750a", "read").plain == {
        "frame_type": "uid", "tx_power_0m_dbm": -29, "namespace": "11" * 10, "instance": "22" * 6,
        "rfu_present": True,
    }  # fmt: skip
    tlm = value("2000000080000000000100000001", "750a", "read").plain
    assert (tlm["battery_mv"], tlm["temperature_c"], tlm["uptime_s"]) == (None, None, 0.1)


# --- which value ----------------------------------------------------------------------------------


def test_direction_may_be_left_out_where_only_one_exists():
    assert value("0b", "750b", None).plain == {"factory_reset": 11}
    with pytest.raises(UsageError, match="read or write"):
        value("00", "750a", None)


@pytest.mark.parametrize(("digits", "op"), [("7501", "write"), ("750b", "read"), ("7600", "read")])
def test_value_that_cannot_exist_stays_raw_and_is_refused_by_name(digits, op):
    assert value("00", digits, op).format is None
    block = Block(kind="gatt_value", data=b"\0")
    with pytest.raises(UsageError):
        dissect(block, context(digits, op), form="eddystone-config")


def test_characteristic_uuid_in_capitals():
    keys = {"characteristic": "A3C87502-8ED3-4BDF-8A39-A01BEBEDE295", "op": "read"}
    assert dissect(Block(kind="gatt_value", data=b"\x03"), keys).plain == {"active_slot": 3}


# --- encoding -------------------------------------------------------------------------------------

_CAPABILITIES = {
    "version": 0, "max_slots": 5, "max_eid_slots": 1, "variable_adv_supported": True,
    "variable_tx_power_supported": False, "frame_types": ["eid", "uid"], "supported_tx_power_dbm": [-4, 4],
}  # fmt: skip


def test_capabilities_bits():
    built = encode("eddystone-config", _CAPABILITIES, context("7501", "read"))
    assert built.hex() == "000501" + "01" + "0009" + "fc04"


def test_missing_tokens_are_computed_from_the_lock_code():
    keys = context(
        "7507", "write", lock_code=LOCK_CODE, challenge="00112233445566778899aabbccddeeff"
    )
    assert encode("eddystone-config", {}, keys).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    key = {"identity_key": "589417b0324b1b71d7a6751852867ae8"}
    keys = context("750a", "write", lock_code=LOCK_CODE)
    built = encode("eddystone-config", key | {"frame_type": "eid", "rotation_exponent": 12}, keys)
    assert built.hex() == "30d4dce4f2de17e66e06ef882a8bc083220c"


ENCODE_ERRORS = [
    ("7501", "read", _CAPABILITIES | {"supported_tx_power_dbm": []}, "supported_tx_power_dbm"),
    ("7501", "read", _CAPABILITIES | {"supported_tx_power_dbm": [128]}, "supported_tx_power_dbm"),
    ("7501", "read", _CAPABILITIES | {"frame_types": ["ibeacon"]}, "frame_types"),
    ("7501", "read", {k: v for k, v in _CAPABILITIES.items() if k != "frame_types"}, "frame_types"),
    ("7501", "read", {k: v for k, v in _CAPABILITIES.items() if k != "max_slots"}, "max_slots"),
    ("7502", "write", {"active_slot": 256}, "active_slot"),
    ("7502", "write", {}, "active_slot"),
    ("7502", "write", {"active_slot": 1, "lock_state": 1}, "lock_state"),
    ("7503", "write", {"adv_interval_ms": 65536}, "adv_interval_ms"),
    ("7506", "write", {"lock_state": 0, "encrypted_lock_code": "00"}, "encrypted_lock_code"),
    ("7507", "write", {}, "unlock_token"),
    ("750a", "write", {}, "frame_type"),
    ("750a", "write", {"frame_type": "ibeacon"}, "frame_type"),
    ("750a", "write", {"frame_type": "url"}, "url"),
    ("750a", "write", {"frame_type": "url", "url": "https://" + "a" * 19}, "2 octets too long"),
    ("750a", "write", {"frame_type": "tlm", "version": 0}, "version"),
    ("750a", "write", {"frame_type": "eid", "rotation_exponent": 1}, "encrypted_identity_key"),
    ("750a", "read", {"frame_type": "tlm", "version": 2}, "version"),
    ("750a", "read", {"frame_type": "uid", "namespace": "11" * 10, "instance": "22" * 6}, "tx_power_0m_dbm"),
]  # fmt: skip


@pytest.mark.parametrize(("digits", "op", "fields", "words"), ENCODE_ERRORS)
def test_fields_that_do_not_make_the_value_are_named(digits, op, fields, words):
    with pytest.raises(EncodeError, match=words):
        encode("eddystone-config", fields, context(digits, op))


# --- tables ---------------------------------------------------------------------------------------


def test_tables_hold_both_services_whole():
    assert [row.uuid[4:8] for row in CONFIG_CHARACTERISTICS] == [f"75{n:02x}" for n in range(1, 13)]
    assert [row.uuid[4:8] for row in URL_CONFIG_CHARACTERISTICS] == [
        f"208{n}" for n in range(1, 10)
    ]
    rows = (*CONFIG_CHARACTERISTICS, *URL_CONFIG_CHARACTERISTICS)
    assert {row.access for row in rows} == {"r", "w", "rw"}
