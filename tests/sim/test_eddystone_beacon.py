"""The Eddystone beacon: frames, rotation, encryption, and its configuration service behind the lock."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ble import eddystone_crypto as crypto
from protocols.dissect import Block, dissect
from protocols.errors import ScenarioError
from tests.sim.worlds import Ran, run, two, world

CONFIG = "a3c8{}-8ed3-4bdf-8a39-a01bebede295"


def payloads(ran: Ran) -> list[bytes]:
    """Advertising data of `dev` in order, each event once (channel 37)."""
    kinds = ("adv_ind", "adv_nonconn_ind", "adv_scan_ind")
    return [
        e.data[8:]
        for e in ran.events
        if e.node == "dev" and e.event in kinds and e.data and e.fields["channel"] == 37
    ]


def feaa(data: bytes) -> bytes | None:
    """Eddystone service data in a run of AD structures."""
    found = dissect(Block(kind="ad", data=data))
    assert found.error is None
    text = found.plain.get("service_data", {}).get("feaa")
    return None if text is None else bytes.fromhex(text)


KEY = "0123456789abcdef0123456789abcdef"


def test_eddystone_frames_in_order_with_their_settings() -> None:
    settings = (
        f"frame_time = '300ms', namespace = '00112233445566778899', instance = 'aabbccddeeff', url = 'https://goo.gl/x',"
        f" tx_power_0m_dbm = -21, identity_key = '{KEY}', frames = ['url', 'uid', 'eid']"
    )
    ran = run(two("eddystone_beacon", "wait for='1200ms'", settings=settings))
    frames = [frame for data in payloads(ran) if (frame := feaa(data)) is not None]
    kinds = list(dict.fromkeys(frame[0] for frame in frames))
    assert kinds == [0x10, 0x00, 0x30]
    by_kind = {frame[0]: frame for frame in frames}
    assert by_kind[0x00].hex() == "00eb" + "00112233445566778899" + "aabbccddeeff" + "0000"
    assert by_kind[0x10].hex() == "10eb" + "03" + b"goo.gl/x".hex()
    # EID: the clock starts at 65280 (Eddystone-EID), exponent 4
    assert by_kind[0x30][2:] == crypto.ephemeral_id(bytes.fromhex(KEY), 4, 65280)


def test_eddystone_telemetry_counts_time_and_adverts() -> None:
    ran = run(
        two(
            "eddystone_beacon",
            "scan for='20s', active=false",
            settings="frames = ['tlm'], battery_mv = 2900, temperature_c = -3.5",
        )
    )
    frames = [e.fields["decoded"]["eddystone"] for e in ran.of("heard")]
    last = frames[-1]
    assert last["battery_mv"] == 2900
    assert last["temperature_c"] == -3.5
    assert last["uptime_s"] == pytest.approx(19.5, abs=1.0)
    events = len([e for e in ran.of("adv_nonconn_ind", "dev") if e.fields["channel"] == 37])
    assert last["adv_count"] == pytest.approx(events, rel=0.06)
    counts = [frame["adv_count"] for frame in frames]
    assert counts == sorted(counts)


def test_eddystone_telemetry_not_supported() -> None:
    ran = run(
        two(
            "eddystone_beacon",
            "scan for='2s'",
            settings="frames = ['tlm'], battery_mv = 0, temperature_c = -128.0",
        )
    )
    frame = ran.of("heard")[-1].fields["decoded"]["eddystone"]
    assert frame["battery_mv"] is None
    assert frame["temperature_c"] is None


def test_eddystone_telemetry_is_encrypted_while_a_slot_is_eid() -> None:
    settings = f"frames = ['tlm', 'eid'], identity_key = '{KEY}', rotation_exponent = 3, frame_time = '500ms', battery_mv = 2750"
    ran = run(two("eddystone_beacon", "wait for='3s'", settings=settings))
    encrypted = [
        frame for data in payloads(ran) if (frame := feaa(data)) is not None and frame[0] == 0x20
    ]
    assert encrypted
    context = {"identity_key": KEY, "rotation_exponent": 3, "beacon_time_s": 65280}
    found = dissect(
        Block(kind="service_data", service_uuid="feaa", data=encrypted[0]),
        context,
        form="eddystone-etlm",
    )
    assert found.error is None
    assert found.plain["tlm"]["battery_mv"] == 2750
    wrong = dissect(
        Block(kind="service_data", service_uuid="feaa", data=encrypted[0]),
        {**context, "identity_key": "00" * 16},
        form="eddystone-etlm",
    )
    assert wrong.error is not None
    assert wrong.error.code == "mic"


@pytest.mark.parametrize("rotate", [True, False])
def test_eddystone_eid_rotates_and_the_address_with_it(rotate) -> None:
    settings = f"frames = ['eid'], identity_key = '{KEY}', rotation_exponent = 2, frame_time = '500ms', rotate_address = {str(rotate).lower()}"
    ran = run(two("eddystone_beacon", "scan for='14s', active=false", settings=settings))
    seen: dict[str, set[str]] = {}
    for e in ran.of("heard"):
        seen.setdefault(e.fields["decoded"]["eddystone"]["eid"], set()).add(e.fields["address"])
    turns = [crypto.ephemeral_id(bytes.fromhex(KEY), 2, 65280 + 4 * n).hex() for n in range(4)]
    assert list(seen) == turns
    addresses = set().union(*seen.values())
    assert all(len(found) == 1 for found in seen.values())
    assert len(addresses) == (4 if rotate else 1)
    if rotate:
        assert all(int(address[:2], 16) < 0x40 for address in addresses)  # non-resolvable private
    assert {e.peer for e in ran.of("heard")} == {"dev"}


PHONE = """
from protocols.ble.eddystone_crypto import unlock_token
from sim.device import command
from sim.phones.generic import Generic
CODE = bytes(range(16))
class P(Generic):
    async def handle(self, digits):
        _, one = await self._characteristic(f"a3c8{digits}-8ed3-4bdf-8a39-a01bebede295", "")
        return one.handle
    @command
    async def unlock(self, wrong: bool = False):
        link = self._connection("").link
        handle = await self.handle("7507")
        challenge = await link.read(handle)
        token = unlock_token(CODE, challenge)
        await self._asked("unlocking", self._connection(""), link.write(handle, bytes(16) if wrong else token))
PHONE = P
"""
LOCKED = "lock_code = '000102030405060708090a0b0c0d0e0f'"


def configured(tmp_path, steps: str, settings: str = LOCKED, **more) -> Ran:
    """The run of a phone that knows the lock code against a beacon in configuration mode."""
    text = two(
        "eddystone_beacon", "scan for='500ms'\n" + steps, settings=settings, phone="ph.py", **more
    )
    return run(text + '\n[[step]]\nnode = "dev"\ndo = "configure"\n', tmp_path, ph=PHONE)


def test_configuration_service_is_locked_until_the_code_is_given(tmp_path) -> None:
    slot, state = CONFIG.format("750a"), CONFIG.format("7506")
    steps = f"""
        connect to='dev'
        read uuid='{state}'
        read uuid='{slot}'?
        unlock wrong=true?
        unlock
        read uuid='{state}'
        write uuid='{slot}', hex='1002' ?
        write uuid='{slot}', hex='1001636865657365'
        read uuid='{slot}'
        disconnect
        scan for='5s'
        connect to='dev'
        read uuid='{state}'
    """
    ran = configured(tmp_path, steps)
    assert not ran.result.failures
    assert [e.fields["code"] for e in ran.of("refused")] == [0x02, 0x03, 0x0D]
    values = [e.fields["value_hex"] for e in ran.of("read", "ph")]
    assert values == ["00", "01", "10f101636865657365", "00"]
    assert [e.note for e in ran.of("lock_state")] == ["unlocked"]
    urls = [
        e.fields["decoded"]["eddystone"]
        for e in ran.of("heard")
        if e.fields["decoded"].get("eddystone", {}).get("frame") == "url"
    ]
    assert {url["url"] for url in urls if url} == {
        "https://www.cheese",
        "https://example.com/",
    }  # slot 0 was UID


def test_configuration_mode_ends_after_its_time(tmp_path) -> None:
    ran = configured(tmp_path, "wait for='40s'\nconnect to='dev', timeout='3s'?", duration="60s")
    ends = [e.t_us for e in ran.of("adv_ind", "dev")]
    assert ends
    assert 29_000_000 < max(ends) < 32_000_000
    assert not ran.of("connected")


def test_configuration_mode_offers_service_and_name_in_the_scan_response(tmp_path) -> None:
    ran = configured(tmp_path, "wait for='100ms'")
    responses = {e.data.hex() for e in ran.of("heard") if e.fields["scan_response"] and e.data}
    assert responses == {
        "1107"
        + bytes.fromhex("a3c875008ed34bdf8a39a01bebede295")[::-1].hex()
        + "0a09"
        + b"Eddystone".hex()
    }


def test_frames_go_on_while_a_client_is_connected(tmp_path) -> None:
    ran = configured(tmp_path, "connect to='dev'\nwait for='3s'\ndisconnect\nwait for='2s'")
    (up,) = (e.t_us for e in ran.of("connected", "dev"))
    (down,) = (e.t_us for e in ran.of("disconnected", "dev"))
    between = {
        e.event
        for e in ran.events
        if e.node == "dev"
        and e.layer == "air"
        and up + 10_000 < e.t_us < down
        and e.event.startswith("adv")
    }
    assert between == {"adv_nonconn_ind"}
    assert [e for e in ran.of("adv_ind", "dev") if e.t_us > down]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("namespace = 'abc'", "namespace: 'abc' is not 20 hex digits"),
        ("url = 'ftp://x'", "url: .*does not begin with http"),
        ("url = 'https://a-very-long-name-indeed.example/'", "url: is [0-9]+ octets too long"),
        ("frames = []", "frames: 0 given"),
        ("frames = ['uid', 'xyz']", "frames"),
        ("rotation_exponent = 16", "rotation_exponent 16"),
        ("identity_key = 'zz'", "identity_key: 'zz' is not 32"),
        ("local_name = 'much too long'", "local_name: 13 octets"),
    ],
)
def test_wrong_eddystone_settings(settings, words) -> None:
    with pytest.raises(ScenarioError, match=rf"test\.toml:9: node\[0\]\.set.*{words}"):
        world(two("eddystone_beacon", "", settings=settings))


def test_keys_of_the_beacon_come_from_the_seed_and_are_not_in_the_trace() -> None:
    ran = run(two("eddystone_beacon", "scan for='1s'"))
    again = world(two("eddystone_beacon", "scan for='1s'"))
    beacon: Any = ran.world.devices["dev"]
    twin: Any = again.devices["dev"]
    assert beacon.identity_key == twin.identity_key
    again.close()
    text = repr(ran.events)
    assert beacon.identity_key.hex() not in text
    assert beacon.lock_code.hex() not in text
