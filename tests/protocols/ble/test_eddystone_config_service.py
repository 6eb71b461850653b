"""The configuration service engine: every access in every lock state, the lock, slots, and broadcasts."""

from __future__ import annotations

import itertools

import pytest

from protocols.ble import eddystone_crypto as crypto
from protocols.ble.eddystone_config_service import (
    LOCK_MOVES,
    AttError,
    Capabilities,
    ConfigService,
    LockState,
)
from protocols.dissect import Block, dissect
from protocols.errors import UnknownNameError, UsageError

READ, WRITE, LENGTH = (
    AttError.READ_NOT_PERMITTED,
    AttError.WRITE_NOT_PERMITTED,
    AttError.INVALID_LENGTH,
)
LOCKED, UNLOCKED, FOR_GOOD = LockState
CODE = bytes(range(16))
PRIVATE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
RESOLVER = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
IDENTITY = bytes.fromhex("93f4d2ceb47a10a82d72af751ef2673a")  # of these two keys, from the vectors
UID = b"\x00" + b"\xa0" * 10 + b"\xb1" * 6
URL = b"\x10\x03a\x07"
TLM = b"\x20"
EID = b"\x30" + RESOLVER + b"\x0a"
S = 1_000_000


def uuid(digits: str) -> str:
    return f"a3c8{digits}-8ed3-4bdf-8a39-a01bebede295"


class Chance:
    """Draws that tell themselves apart and are counted by purpose."""

    def __init__(self) -> None:
        self.purposes: list[str] = []

    def __call__(self, purpose: str, octets: int) -> bytes:
        self.purposes.append(purpose)
        if purpose == "ecdh_private_key":
            return PRIVATE
        return len(self.purposes).to_bytes(octets, "big")


def service(state: LockState = UNLOCKED, *, factory=None, chance=None, **can) -> ConfigService:
    capabilities = Capabilities(**({"max_slots": 4, "max_eid_slots": 2} | can))
    beacon = ConfigService(
        capabilities, chance or Chance(), 0, lock_code=CODE, lock_state=state,
        factory={0: URL} if factory is None else factory,
    )  # fmt: skip
    beacon.connect()
    return beacon


# --- access ---------------------------------------------------------------------------------------

OK = None
# characteristic, write value, then (read, write) in the states locked, unlocked, unlocked for good:
# the lock rules and error codes of the document, one row per characteristic
TABLE = [
    ("7501", b"\0" * 7, (READ, WRITE), (OK, WRITE), (OK, WRITE)),
    ("7502", b"\1", (READ, WRITE), (OK, OK), (OK, OK)),
    ("7503", b"\3\xe8", (READ, WRITE), (OK, OK), (OK, OK)),
    ("7504", b"\0", (READ, WRITE), (OK, OK), (OK, OK)),
    ("7505", b"\0", (READ, WRITE), (OK, OK), (OK, OK)),
    ("7506", b"\0", (OK, WRITE), (OK, OK), (OK, OK)),
    ("7507", b"\0" * 16, (OK, WRITE), (READ, WRITE), (READ, WRITE)),
    ("7508", b"\0" * 32, (READ, WRITE), (OK, WRITE), (OK, WRITE)),
    ("7509", b"\0" * 16, (READ, WRITE), (READ, WRITE), (READ, WRITE)),  # the slot is no EID slot
    ("750a", TLM, (READ, WRITE), (OK, OK), (OK, OK)),
    ("750b", b"\x0b", (READ, WRITE), (READ, OK), (READ, WRITE)),
    ("750c", b"\1", (OK, WRITE), (OK, OK), (OK, OK)),
]  # fmt: skip
CASES = [
    (digits, value, state, op, cells[state][op])
    for digits, value, *cells in TABLE
    for state, op in itertools.product(LockState, (0, 1))
]


@pytest.mark.parametrize(("digits", "value", "state", "op", "answer"), CASES)
def test_every_operation_in_every_lock_state(digits, value, state, op, answer):
    beacon = service(state)
    if op:
        assert beacon.write(uuid(digits), value, 0) == answer
    else:
        got = beacon.read(uuid(digits), 0)
        assert (None if isinstance(got, bytes) else got) == answer


@pytest.mark.parametrize("state", LockState)
def test_refused_writes_change_nothing(state):
    beacon = service(state)
    before = [frame.data for frame in beacon.frames(0)]
    for digits, value, *cells in TABLE:
        if cells[state][1] is not None:
            beacon.write(uuid(digits), value, 0)
    assert beacon.lock_state == state
    assert beacon.active_slot == 0
    assert [frame.data for frame in beacon.frames(0)] == before
    assert not beacon.remain_connectable


# characteristic and the lengths it takes; every other from 0 to 40 is 0x0D
WRITE_LENGTHS = [
    ("7502", {1}), ("7503", {2}), ("7504", {1}), ("7505", {1}), ("7506", {1, 17}), ("750b", {1}), ("750c", {1}),
]  # fmt: skip


@pytest.mark.parametrize(("digits", "lengths"), WRITE_LENGTHS)
def test_write_lengths(digits, lengths):
    for size in range(41):
        answer = service().write(uuid(digits), b"\0" * size, 0)
        assert answer == (OK if size in lengths else LENGTH), size


def test_permission_is_checked_before_length():
    assert service(LOCKED).write(uuid("7502"), b"", 0) == WRITE
    assert service(LOCKED).write(uuid("7507"), b"\0" * 15, 0) == LENGTH


def test_unknown_characteristic_is_named():
    with pytest.raises(UnknownNameError, match="7500"):
        service().read(uuid("7500"), 0)


# --- the lock -------------------------------------------------------------------------------------


def unlock(beacon: ConfigService, code: bytes = CODE) -> AttError | None:
    challenge = beacon.read(uuid("7507"), 0)
    assert isinstance(challenge, bytes)
    return beacon.write(uuid("7507"), crypto.unlock_token(code, challenge), 0)


def test_unlock_with_the_code():
    beacon = service(LOCKED)
    assert unlock(beacon) is None
    assert beacon.read(uuid("7506"), 0) == b"\1"


def test_wrong_code_stays_locked_and_spends_the_challenge():
    beacon = service(LOCKED)
    challenge = beacon.read(uuid("7507"), 0)
    assert isinstance(challenge, bytes)
    assert beacon.write(uuid("7507"), bytes(16), 0) == WRITE
    assert beacon.write(uuid("7507"), crypto.unlock_token(CODE, challenge), 0) == WRITE
    assert beacon.lock_state == LOCKED
    assert unlock(beacon) is None


def test_token_cannot_be_replayed():
    beacon = service(LOCKED)
    challenge = beacon.read(uuid("7507"), 0)
    assert isinstance(challenge, bytes)
    token = crypto.unlock_token(CODE, challenge)
    assert beacon.write(uuid("7507"), token, 0) is None
    beacon.write(uuid("7506"), b"\0", 0)
    assert beacon.write(uuid("7507"), token, 0) == WRITE
    assert beacon.read(uuid("7507"), 0) != challenge


def test_challenge_does_not_outlive_the_connection():
    beacon = service(LOCKED)
    challenge = beacon.read(uuid("7507"), 0)
    assert isinstance(challenge, bytes)
    beacon.disconnect()
    beacon.connect()
    assert beacon.write(uuid("7507"), crypto.unlock_token(CODE, challenge), 0) == WRITE


def test_newest_challenge_counts():
    beacon = service(LOCKED)
    old = beacon.read(uuid("7507"), 0)
    assert isinstance(old, bytes)
    beacon.read(uuid("7507"), 0)
    assert beacon.write(uuid("7507"), crypto.unlock_token(CODE, old), 0) == WRITE


@pytest.mark.parametrize(
    ("state", "value", "after"),
    [
        (UNLOCKED, b"\0", LOCKED),
        (UNLOCKED, b"\2", FOR_GOOD),
        (FOR_GOOD, b"\0", LOCKED),
        (FOR_GOOD, b"\2", FOR_GOOD),
    ],
)
def test_lock_state_writes(state, value, after):
    beacon = service(state)
    assert beacon.write(uuid("7506"), value, 0) is None
    assert beacon.read(uuid("7506"), 0) == bytes([after])


@pytest.mark.parametrize("value", [b"\1", b"\3", b"\xff", b"\2" + bytes(16), b"\1" + bytes(16)])
def test_lock_state_values_that_do_not_exist(value):
    beacon = service()
    assert beacon.write(uuid("7506"), value, 0) == LENGTH
    assert beacon.lock_state == UNLOCKED
    beacon.write(uuid("7506"), b"\0", 0)
    assert unlock(beacon) is None  # the code is the old one


@pytest.mark.parametrize(
    ("state", "after"), [(LOCKED, LOCKED), (UNLOCKED, LOCKED), (FOR_GOOD, FOR_GOOD)]
)
def test_disconnection_relocks_state_1_only(state, after):
    beacon = service(state)
    beacon.disconnect()
    assert beacon.lock_state == after


@pytest.mark.parametrize("state", [UNLOCKED, FOR_GOOD])
def test_new_lock_code_locks_and_replaces_the_old_one(state):
    beacon = service(state)
    new = b"\x5a" * 16
    assert beacon.write(uuid("7506"), b"\0" + crypto.encrypt_key(CODE, new), 0) is None
    assert beacon.lock_state == LOCKED
    assert unlock(beacon, CODE) == WRITE
    assert unlock(beacon, new) is None


def test_every_move_the_access_rules_allow_is_in_the_table():
    assert {state for state, _ in LOCK_MOVES} == set(LockState)
    assert {event for _, event in LOCK_MOVES} == {"unlock", "lock", "stop_relocking", "disconnect"}
    assert {state for state, event in LOCK_MOVES if event == "disconnect"} == set(LockState)


def test_one_client_at_a_time():
    beacon = service()
    assert beacon.connect() is False
    beacon.disconnect()
    assert beacon.connect() is True


# --- slots ----------------------------------------------------------------------------------------


def test_active_slot_is_0_on_each_connection_and_checked():
    beacon = service(FOR_GOOD)
    assert beacon.write(uuid("7502"), b"\3", 0) is None
    assert beacon.read(uuid("7502"), 0) == b"\3"
    assert beacon.write(uuid("7502"), b"\4", 0) == LENGTH
    assert beacon.read(uuid("7502"), 0) == b"\3"
    beacon.disconnect()
    beacon.connect()
    assert beacon.read(uuid("7502"), 0) == b"\0"


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [(0, 100), (99, 100), (100, 100), (1000, 1000), (10240, 10240), (65535, 10240)],
)
def test_interval_is_clamped(wanted, kept):
    beacon = service()
    assert beacon.write(uuid("7503"), wanted.to_bytes(2, "big"), 0) is None
    assert beacon.read(uuid("7503"), 0) == kept.to_bytes(2, "big")
    assert beacon.frames(0)[0].interval_ms == kept


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [(-128, -20), (-20, -20), (-19, -10), (-10, -10), (-1, 0), (0, 0), (1, 0), (127, 0)],
)
def test_radio_power_is_rounded_up_to_a_supported_one(wanted, kept):
    beacon = service()
    assert beacon.write(uuid("7504"), bytes([wanted & 0xFF]), 0) is None
    assert beacon.read(uuid("7504"), 0) == bytes([kept & 0xFF])
    assert beacon.frames(0)[0].radio_tx_power_dbm == kept


@pytest.mark.parametrize("per_slot", [True, False])
def test_interval_and_power_per_slot_or_for_all(per_slot):
    beacon = service(variable_adv_supported=per_slot, variable_tx_power_supported=per_slot)
    beacon.write(uuid("7502"), b"\1", 0)
    beacon.write(uuid("7503"), b"\2\0", 0)
    beacon.write(uuid("7504"), bytes([0xEC]), 0)
    beacon.write(uuid("7502"), b"\2", 0)
    assert (beacon.read(uuid("7503"), 0) == b"\2\0") == (not per_slot)
    assert (beacon.read(uuid("7504"), 0) == bytes([0xEC])) == (not per_slot)


def test_advertised_power_follows_the_radio_until_set():
    beacon = service()
    beacon.write(uuid("7504"), bytes([0xF6]), 0)  # -10
    assert beacon.read(uuid("7505"), 0) == bytes([0xF6])
    assert beacon.frames(0)[0].data[1] == 0xF6
    beacon.write(uuid("7505"), b"\x04", 0)
    beacon.write(uuid("7504"), bytes([0xEC]), 0)
    assert beacon.read(uuid("7505"), 0) == b"\x04"
    assert beacon.frames(0)[0].data[1] == 0x04


def test_capabilities_value():
    """Octets by hand: version, 4 slots, 2 of them EID, interval per slot only, UID and EID, two powers."""
    beacon = service(
        factory={}, variable_tx_power_supported=False, frame_types=("uid", "eid"), supported_tx_power_dbm=(-4, 4),
    )  # fmt: skip
    assert beacon.read(uuid("7501"), 0) == bytes.fromhex("000402010009fc04")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (UID, b"\x00\x00" + UID[1:] + b"\0\0"),
        (URL, b"\x10\x00\x03a\x07"),
        (b"\x10\x02www.b.com", b"\x10\x00\x02www.b.com"),  # another encoder's octets are kept
        (TLM, bytes.fromhex("2000000080000000000000000000")),
        (b"", b""),
        (b"\0", b""),
    ],
)
def test_slot_data_is_read_as_broadcast(written, read):
    beacon = service(factory={})
    assert beacon.write(uuid("750a"), written, 0) is None
    assert beacon.read(uuid("750a"), 0) == read
    assert [frame.data for frame in beacon.frames(0)] == ([read] if read else [])


@pytest.mark.parametrize(
    "value",
    [
        b"\x01", b"\x40", UID[:-1], UID + b"\0", b"\x10", b"\x10\x03", b"\x10\x04a", b"\x10\x03\x20",
        b"\x10\x03" + b"a" * 18, TLM + b"\0", EID[:-1], EID + b"\0", EID[:-1] + b"\x10",
        b"\x30" + bytes(16) + b"\x10",
    ],
)  # fmt: skip
def test_slot_data_that_is_not_allowed_leaves_the_slot_alone(value):
    beacon = service()
    before = beacon.read(uuid("750a"), 0)
    assert beacon.write(uuid("750a"), value, 0) == LENGTH
    assert beacon.read(uuid("750a"), 0) == before


def test_frame_type_the_beacon_lacks():
    beacon = service(frame_types=("url",))
    assert beacon.write(uuid("750a"), TLM, 0) == LENGTH
    assert beacon.write(uuid("750a"), URL, 0) is None
    assert beacon.write(uuid("750a"), b"", 0) is None


# --- EID ------------------------------------------------------------------------------------------


def test_eid_by_key_exchange():
    """RFC 7748 6.1 keys; identity key and the id at 65280 s are those of the public vectors."""
    beacon = service()
    assert beacon.read(uuid("7508"), 0) == crypto.public_key(PRIVATE)
    assert beacon.write(uuid("750a"), EID, 5 * S) is None
    registration = beacon.read(uuid("750a"), 5 * S)
    assert registration == bytes.fromhex("300a0000ff00158ac83d2714af32")
    assert beacon.read(uuid("7509"), 0) == crypto.encrypt_key(CODE, IDENTITY)
    assert beacon.frames(5 * S)[0].data == bytes.fromhex("3000158ac83d2714af32")


def test_eid_by_shared_key():
    beacon = service()
    written = b"\x30" + crypto.encrypt_key(CODE, IDENTITY) + b"\x0a"
    assert beacon.write(uuid("750a"), written, 0) is None
    assert beacon.read(uuid("750a"), 0) == bytes.fromhex("300a0000ff00158ac83d2714af32")


def test_eid_clock_starts_with_the_slot_and_rotates():
    beacon = service()
    beacon.write(uuid("750a"), EID, 100 * S)
    first = beacon.frames(100 * S)[0].data
    # 65280 = 63 * 1024 + 768: the quantum ends 256 s after the start, with the temporary key
    assert beacon.frames(356 * S - 1)[0].data == first
    assert beacon.frames(356 * S)[0].data != first
    assert beacon.frames(356 * S)[0].data[2:] == crypto.ephemeral_id(IDENTITY, 10, 65536)
    assert beacon.read(uuid("750a"), 356 * S)[2:6] == (65536).to_bytes(4, "big")


def test_weak_resolver_key_is_refused():
    beacon = service()
    before = beacon.read(uuid("750a"), 0)
    assert beacon.write(uuid("750a"), b"\x30" + bytes(32) + b"\x0a", 0) == WRITE
    assert beacon.read(uuid("750a"), 0) == before


def test_no_more_eid_slots_than_the_beacon_has():
    beacon = service(max_eid_slots=1)
    assert beacon.write(uuid("750a"), EID, 0) is None
    assert beacon.write(uuid("750a"), EID, 0) is None  # the same slot again
    beacon.write(uuid("7502"), b"\1", 0)
    assert beacon.write(uuid("750a"), EID, 0) == WRITE
    beacon.write(uuid("7502"), b"\0", 0)
    beacon.write(uuid("750a"), b"", 0)
    beacon.write(uuid("7502"), b"\1", 0)
    assert beacon.write(uuid("750a"), EID, 0) is None


def test_clearing_an_eid_slot_destroys_its_key():
    beacon = service()
    beacon.write(uuid("750a"), EID, 0)
    beacon.write(uuid("750a"), b"\0", 0)
    assert beacon.read(uuid("7509"), 0) == READ
    assert beacon.frames(0) == []


def test_keys_are_not_in_the_representation():
    beacon = service()
    beacon.write(uuid("750a"), EID, 0)
    shown = repr(beacon.slot)
    assert IDENTITY.hex() not in shown
    assert repr(IDENTITY) not in shown


# --- telemetry ------------------------------------------------------------------------------------


def opened(data: bytes, identity_key: bytes, clock_s: int) -> dict | None:
    keys = {
        "identity_key": identity_key.hex(),
        "rotation_exponent": 10,
        "beacon_time_s": clock_s,
    }
    found = dissect(Block(kind="service_data", service_uuid="feaa", data=data), keys)
    assert found.format == "eddystone-etlm"
    return found.plain.get("tlm")


def test_plain_telemetry_counts_frames_and_time():
    chance = Chance()
    beacon = service(factory={0: URL, 1: TLM}, chance=chance)
    beacon.beacon.measure(2950, 21.5)
    first, second = beacon.frames(0), beacon.frames(90 * S)
    assert [frame.slot for frame in first] == [0, 1]
    assert first[1].data.hex() == "20000b8615800000000100000000"
    assert second[1].data.hex() == "20000b8615800000000300000384"
    assert "etlm_salt" not in chance.purposes


def test_telemetry_is_encrypted_while_a_slot_is_eid():
    beacon = service(factory={0: URL, 1: TLM})
    beacon.beacon.measure(2950, 21.5)
    beacon.write(uuid("750a"), EID, 0)
    frame = beacon.frames(0)[1].data
    assert opened(frame, IDENTITY, 65280) == {
        "battery_mv": 2950, "temperature_c": 21.5, "adv_count": 1, "uptime_s": 0.0,
    }  # fmt: skip
    beacon.write(uuid("750a"), b"", 0)
    assert beacon.frames(0)[0].data[:2] == b"\x20\x00"


def test_encrypted_telemetry_uses_the_keys_in_turn_with_new_salts():
    other = bytes(range(16, 32))
    beacon = service(factory={2: TLM})
    beacon.write(uuid("750a"), EID, 0)
    beacon.write(uuid("7502"), b"\1", 0)
    beacon.write(uuid("750a"), b"\x30" + crypto.encrypt_key(CODE, other) + b"\x0a", 0)
    frames = [beacon.frames(0)[2].data for _ in range(4)]
    assert [opened(data, IDENTITY, 65280) is not None for data in frames] == [True, False] * 2
    assert [opened(data, other, 65280) is not None for data in frames] == [False, True] * 2
    assert len({data[14:16] for data in frames}) == 4


def test_reading_a_slot_is_no_advertisement():
    beacon = service(factory={0: TLM})
    beacon.read(uuid("750a"), 0)
    assert beacon.read(uuid("750a"), 0) == bytes.fromhex("2000000080000000000000000000")


# --- reset and connectability ---------------------------------------------------------------------


def configured() -> ConfigService:
    beacon = service(factory={0: URL})
    beacon.write(uuid("7506"), b"\0" + crypto.encrypt_key(CODE, b"\x5a" * 16), 0)
    unlock(beacon, b"\x5a" * 16)
    for digits, value in (
        ("7502", b"\1"),
        ("750a", EID),
        ("7503", b"\2\0"),
        ("7505", b"\4"),
        ("750c", b"\1"),
    ):
        assert beacon.write(uuid(digits), value, 0) is None
    return beacon


def test_factory_reset_keeps_the_lock_code_only():
    beacon = configured()
    assert len(beacon.frames(0)) == 2
    assert beacon.write(uuid("750b"), b"\x0b", 0) is None
    assert beacon.lock_state == UNLOCKED
    assert [frame.data for frame in beacon.frames(0)] == [b"\x10\x00\x03a\x07"]
    beacon.write(uuid("7502"), b"\1", 0)
    assert beacon.read(uuid("7509"), 0) == READ
    assert beacon.read(uuid("7503"), 0) == (1000).to_bytes(2, "big")
    assert beacon.read(uuid("7505"), 0) == b"\0"
    assert not beacon.remain_connectable
    beacon.write(uuid("7506"), b"\0", 0)
    assert unlock(beacon, CODE) == WRITE
    assert unlock(beacon, b"\x5a" * 16) is None


@pytest.mark.parametrize("value", [b"\0", b"\1", b"\x0a", b"\xff"])
def test_other_reset_values_are_ignored(value):
    beacon = configured()
    assert beacon.write(uuid("750b"), value, 0) is None
    assert len(beacon.frames(0)) == 2


@pytest.mark.parametrize("supported", [True, False])
def test_remain_connectable(supported):
    beacon = service(non_connectable_supported=supported)
    assert beacon.read(uuid("750c"), 0) == bytes([supported])
    assert beacon.stays_connectable == (not supported)
    assert beacon.write(uuid("750c"), b"\x07", 0) is None
    assert beacon.stays_connectable
    assert beacon.write(uuid("750c"), b"\0", 0) is None
    assert beacon.stays_connectable == (not supported)


# --- construction ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "can", "factory"),
    [
        ("factory slot 4", {}, {4: URL}),
        ("factory slot 0: frame_type", {}, {0: b"\x50"}),
        ("factory slot 0: the beacon cannot", {"frame_types": ("url",)}, {0: TLM}),
        ("rising", {"supported_tx_power_dbm": (0, -4)}, {}),
        ("rising", {"supported_tx_power_dbm": ()}, {}),
        ("slots", {"max_slots": 0}, {}),
    ],
)
def test_impossible_beacons_are_refused_in_words(words, can, factory):
    with pytest.raises(UsageError, match=words):
        service(factory=factory, **can)


def test_lock_code_has_16_octets():
    with pytest.raises(UsageError, match="16 octets"):
        ConfigService(Capabilities(max_slots=1), Chance(), 0, lock_code=b"1234")


def test_same_draws_same_broadcasts():
    def run() -> list[bytes]:
        beacon = service(factory={1: TLM, 2: UID})
        beacon.write(uuid("750a"), EID, 0)
        return [frame.data for t in range(0, 2000 * S, 300 * S) for frame in beacon.frames(t)]

    assert run() == run()
