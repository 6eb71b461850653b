"""The device of one's own: by hex, by fields of formats, cloned from a capture; and a user's Python files."""

from __future__ import annotations

import pytest

from protocols.capture import Packet, writer_for
from protocols.dissect import Block, dissect
from protocols.errors import NodeError, ScenarioError, UsageError
from sim.clone import read_clone
from sim.recording import Recorder
from tests.sim.worlds import Ran, run, two, world

NAME = "0409" + b"abc".hex()


def custom(settings: str, steps: str = "scan for='500ms'", base=None, **files) -> Ran:
    """The run of a phone against a custom device."""
    return run(two("custom", steps, settings=settings), base, **files)


def heard(ran: Ran, *, scan_response: bool = False) -> set[str]:
    """Distinct data the phone heard."""
    return {
        e.data.hex()
        for e in ran.of("heard")
        if e.fields["scan_response"] == scan_response and e.data is not None
    }


# By hex


def test_hex_is_sent_as_it_is_right_or_wrong() -> None:
    ran = custom(f"advertising_hex = '02 01 06 ff', scan_response_hex = '{NAME}'")
    assert heard(ran) == {"020106ff"}
    assert heard(ran, scan_response=True) == {NAME}
    assert ran.of("heard")[0].fields["wrong"][0].startswith("ad: ad_length_overrun")


@pytest.mark.parametrize("sort", ["connectable", "scannable", "non_connectable"])
def test_sort_and_interval(sort) -> None:
    ran = custom(
        f"advertising_hex = '020106', sort = '{sort}', interval_ms = 50.0",
        "scan for='1s', active=false",
    )
    assert {e.fields["connectable"] for e in ran.of("heard")} == {sort == "connectable"}
    assert 16 <= len(ran.of("heard")) <= 21


def test_extended_hex_up_to_1650_octets() -> None:
    data = (b"\xfa\xff\xff\xff" + bytes(247)) * 2
    ran = custom(f"advertising_hex = '{data.hex()}', extended = true, sort = 'non_connectable'")
    assert heard(ran) == {data.hex()}


# By fields


def test_fields_become_the_right_structures() -> None:
    settings = (
        "advertising = [{ format = 'eddystone-url', fields = { frame = 'url', tx_power_0m_dbm = -20, url = 'https://goo.gl/x' } }],"
        " scan_response = [{ format = 'ibeacon', fields = { uuid = '00112233-4455-6677-8899-aabbccddeeff', major = 1, minor = 2, measured_power_1m_dbm = -59 } }]"
    )
    ran = custom(settings)
    assert heard(ran) == {"020106" + "0303aafe" + "0e16aafe" + "10ec03" + b"goo.gl/x".hex()}
    assert heard(ran, scan_response=True) == {
        "1aff4c00021500112233445566778899aabbccddeeff00010002c5"
    }


def test_parts_share_one_run_and_flags_can_be_left_out() -> None:
    settings = (
        "flags = false, advertising = [{ format = 'eddystone-tlm', fields = { frame = 'tlm', version = 0, battery_mv = 3000,"
        " temperature_c = 20.5, adv_count = 1, uptime_s = 1.0 } }, { format = 'ad', fields = { local_name = 'abc' } }]"
    )
    ran = custom(settings)
    assert heard(ran) == {"0303aafe" + "1116aafe20000bb81480000000010000000a" + NAME}


def test_company_of_an_altbeacon_comes_from_the_context() -> None:
    source = "1bff1801beac" + "aabbccddeeff00112233445566778899" + "00010002" + "c500"
    fields = dissect(
        Block(kind="manufacturer_data", company_id="0118", data=bytes.fromhex(source)[4:])
    ).plain
    assert fields
    words = ", ".join(f"{key} = {value!r}" for key, value in fields.items())
    part = (
        f"{{ format = 'altbeacon', fields = {{ {words} }}, context = {{ company_id = '0059' }} }}"
    )
    ran = custom(f"advertising = [{part}]")
    assert heard(ran) == {"020106" + source.replace("1801", "5900", 1)}


# GATT table


def test_gatt_table_of_the_scenario() -> None:
    services = (
        "[{ uuid = '180f', characteristics = [{ uuid = '2a19', value_hex = '2a' }] },"
        " { uuid = '12345678-1234-5678-1234-56789abcdef0', characteristics = ["
        "{ uuid = 'fff1', properties = ['read', 'write', 'notify'], text = 'grüße' }] }]"
    )
    steps = "connect to='dev'\nread uuid='2a19'\nread uuid='fff1'\nsubscribe uuid='fff1'\nwrite uuid='fff1', hex='00'\nread uuid='fff1'\nread uuid='Device Name'"
    ran = custom(f"advertising_hex = '020106', local_name = 'Mine', services = {services}", steps)
    assert not ran.result.failures
    values = [e.fields["value_hex"] for e in ran.of("read", "ph")]
    assert values == ["2a", "grüße".encode().hex(), "00", b"Mine".hex()]


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ("advertising_hex = '0201zz'", "advertising_hex", "not hexadecimal"),
        (
            "advertising_hex = '020106', clone = 'x.pcap'",
            "clone",
            "given by advertising_hex already",
        ),
        (
            "advertising_hex = '" + "00" * 32 + "'",
            "advertising_hex",
            "32 octets, 1 more than the 31 that fit",
        ),
        ("scan_response_hex = '00', sort = 'non_connectable'", "sort", "scannable"),
        ("clone_address = 'aa:bb:cc:dd:ee:ff'", "clone_address", "there is no clone"),
        ("clone = 'missing.pcap'", "clone", "No such file"),
        ("interval_ms = 5.0", "interval_ms", "20 to 10240"),
        ("advertising = [{ format = 'nope' }]", "advertising", "unknown format 'nope'"),
        (
            "advertising = [{ format = 'ibeacon', fields = { major = 1 } }]",
            "advertising",
            "advertising[0] (ibeacon)",
        ),
        ("advertising = [{ form = 'x' }]", "advertising", "form"),
        ("services = [{ uuid = '18' }]", "services", "no UUID"),
        (
            "services = [{ uuid = '180f', characteristics = [{ uuid = '2a19', value_hex = 'q' }] }]",
            "services",
            "not hexadecimal",
        ),
        (
            "services = [{ uuid = '180f', characteristics = [{ uuid = '2a19', value_hex = '00', text = 'a' }] }]",
            "services",
            "not both",
        ),
        (
            "services = [{ uuid = '180f', characteristics = [{ uuid = '2a19', properties = ['reed'] }] }]",
            "services",
            "reed",
        ),
    ],
)
def test_wrong_settings_name_file_line_and_key(tmp_path, settings, key, words) -> None:
    with pytest.raises(ScenarioError) as caught:
        world(two("custom", "", settings=settings), tmp_path)
    assert str(caught.value).startswith(f"test.toml:9: node[0].set.{key}"), str(caught.value)
    assert words in str(caught.value)


# Clones


def recorded(
    tmp_path, accessory: str, settings: str, target: str, steps: str = "scan for='4s'"
) -> None:
    """Run an accessory and record the air, or a node's HCI, to `target` in `tmp_path`."""
    made = world(two(accessory, steps, settings=settings))
    recorder = Recorder(made)
    node, _, file = target.rpartition(":")
    recorder.capture(f"{node}:{tmp_path / file}" if node else str(tmp_path / file))
    Ran(made)
    recorder.close()
    made.close()


@pytest.mark.parametrize(
    "target", ["air.pcapng", "air.pcap", "ph:phone.btsnoop", "ph:phone.pcapng"]
)
def test_clone_is_like_the_original(tmp_path, target) -> None:
    settings = "address = 'c4:11:22:33:44:55', advertising_hex = '02010605ff34120102', scan_response_hex = '0409616263', interval_ms = 211.25"
    recorded(tmp_path, "custom", settings, target)
    file = target.rpartition(":")[2]
    # in the air capture the phone's own packets are no adverts, so there is one advertiser
    clone = read_clone(tmp_path / file)
    assert (clone.address, clone.address_type, clone.sort) == (
        "c4:11:22:33:44:55",
        "random",
        "connectable",
    )
    assert clone.frames == (bytes.fromhex("02010605ff34120102"),)
    assert clone.scan_response == bytes.fromhex("0409616263")
    assert clone.interval_us == pytest.approx(211_250, abs=2500)
    ran = custom(f"clone = '{file}'", "scan for='2s'", tmp_path)
    assert {e.fields["address"] for e in ran.of("heard")} == {"c4:11:22:33:44:55"}
    assert heard(ran) == {"02010605ff34120102"}
    assert heard(ran, scan_response=True) == {"0409616263"}


@pytest.mark.parametrize(
    ("accessory", "sort"), [("ibeacon", "non_connectable"), ("thermometer", "connectable")]
)
def test_clone_takes_the_pdu_type(tmp_path, accessory, sort) -> None:
    recorded(tmp_path, accessory, "", "air.pcapng")
    assert read_clone(tmp_path / "air.pcapng").sort == sort


def test_clone_of_interleaved_frames_sends_them_in_turn(tmp_path) -> None:
    recorded(tmp_path, "fsc_bp105n", "frame_time = '300ms'", "air.pcapng")
    clone = read_clone(tmp_path / "air.pcapng")
    assert len(clone.frames) == 2
    assert clone.address_type == "public"
    assert 250_000 < clone.frame_us < 350_000
    ran = custom("clone = 'air.pcapng'", "scan for='2s', active=false", tmp_path)
    assert heard(ran) == {frame.hex() for frame in clone.frames}


def test_clone_of_a_private_address_keeps_it(tmp_path) -> None:
    recorded(tmp_path, "eddystone_beacon", "frames = ['eid'], rotation_exponent = 10", "air.pcapng")
    clone = read_clone(tmp_path / "air.pcapng")
    assert int(clone.address[:2], 16) < 0x40
    ran = custom("clone = 'air.pcapng'", "scan for='1s'", tmp_path)
    assert {e.fields["address"] for e in ran.of("heard")} == {clone.address}


def test_own_address_and_sort_override_the_clone(tmp_path) -> None:
    recorded(tmp_path, "ibeacon", "", "air.pcapng")
    ran = custom(
        "clone = 'air.pcapng', address = 'c9:00:00:00:00:01', sort = 'connectable'", base=tmp_path
    )
    assert {(e.fields["address"], e.fields["connectable"]) for e in ran.of("heard")} == {
        ("c9:00:00:00:00:01", True)
    }


def test_several_advertisers_need_a_choice(tmp_path) -> None:
    text = two("ibeacon", "scan for='1s'", settings="address = 'c0:00:00:00:00:01'")
    text += "\n[[node]]\nname = 'x'\naccessory = 'ibeacon'\nset = { address = 'c0:00:00:00:00:02', minor = 9 }\n"
    made = world(text)
    recorder = Recorder(made)
    recorder.capture(str(tmp_path / "air.pcapng"))
    Ran(made)
    recorder.close()
    made.close()
    with pytest.raises(
        UsageError,
        match=r"several advertisers, give clone_address: c0:00:00:00:00:0[12] \(\d+ packets\), c0:",
    ):
        read_clone(tmp_path / "air.pcapng")
    (frame,) = read_clone(tmp_path / "air.pcapng", "C0:00:00:00:00:02").frames
    assert frame[-3:-1] == b"\x00\x09"  # minor 9
    with pytest.raises(UsageError, match=r"clone_address: .* has no packet of c0:00:00:00:00:03"):
        read_clone(tmp_path / "air.pcapng", "c0:00:00:00:00:03")


def test_damaged_capture_gives_what_came_before(tmp_path) -> None:
    recorded(tmp_path, "ibeacon", "", "air.pcapng")
    whole = (tmp_path / "air.pcapng").read_bytes()
    (tmp_path / "cut.pcapng").write_bytes(whole[: len(whole) // 2 + 3])
    assert read_clone(tmp_path / "cut.pcapng").frames == read_clone(tmp_path / "air.pcapng").frames


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "clone: "), (b"hello, this is text", "clone: ")]
)
def test_what_is_no_capture_is_said_in_words(tmp_path, content, words) -> None:
    (tmp_path / "x.pcap").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_clone(tmp_path / "x.pcap")


def test_capture_without_adverts(tmp_path) -> None:
    with (tmp_path / "x.pcap").open("wb") as stream:
        writer = writer_for("x.pcap")(stream)
        writer.write(Packet(number=1, t_us=0, link_type=251, data=b"\x00" * 12, original_length=12))
        writer.finish()
    with pytest.raises(UsageError, match="no advertising packet"):
        read_clone(tmp_path / "x.pcap")


# Python files of the user's

BEACON = """
from sim.accessories import Accessory, AccessorySettings
from sim.gatt import Advert
class MineSettings(AccessorySettings, frozen=True, kw_only=True):
    octet: int = 1
    \"\"\"the octet it sends.\"\"\"
class Mine(Accessory):
    Settings = MineSettings
    async def start(self):
        await self.ble.advertise(Advert(data=bytes((2, 10, self.settings.octet))))
ACCESSORY = Mine
"""


def test_users_accessory_and_phone_files_work_by_path(tmp_path) -> None:
    phone = "from sim.phones.generic import Generic\nclass P(Generic):\n    pass\nPHONE = P\n"
    ran = run(
        two("mine.py", "scan for='300ms'", settings="octet = 7", phone="ph.py"),
        tmp_path,
        mine=BEACON,
        ph=phone,
    )
    assert heard(ran) == {"020a07"}


def test_users_settings_are_checked_like_built_in_ones(tmp_path) -> None:
    with pytest.raises(ScenarioError, match=r"test\.toml:9: node\[0\]\.set\.octet"):
        world(two("mine.py", "", settings="octet = 'seven'"), tmp_path, mine=BEACON)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise KeyError('boom')", r"mine\.py:1: KeyError: 'boom'"),
        ("import nothing_of_that_name", r"mine\.py:1: ModuleNotFoundError"),
        ("def broken(:\n", r"mine\.py:1: SyntaxError"),
        ("x = 1", "defines no ACCESSORY"),
        ("ACCESSORY = 5", "gives no subclass of Accessory"),
    ],
)
def test_file_that_is_no_accessory_names_file_line_and_key(tmp_path, source, words) -> None:
    with pytest.raises(ScenarioError, match=rf"^test\.toml:7: node\[0\]\.accessory: .*{words}"):
        world(two("mine.py", ""), tmp_path, mine=source)


def test_missing_file(tmp_path) -> None:
    with pytest.raises(ScenarioError, match=r"node\[0\]\.accessory: .*does not exist"):
        world(two("mine.py", ""), tmp_path)


def test_constructor_that_raises_is_a_node_error(tmp_path) -> None:
    source = BEACON.replace(
        "    async def start",
        "    def __init__(self, *args):\n        raise KeyError('boom')\n    async def start",
    )
    with pytest.raises(
        NodeError, match=r"dev at 0\.000000 s: setting it up raised KeyError: 'boom' .*mine\.py:\d+"
    ):
        world(two("mine.py", ""), tmp_path, mine=source)


def test_background_task_that_raises_ends_the_run(tmp_path) -> None:
    source = BEACON.replace(
        "octet))))",
        "octet))))\n        self.background(self.later())\n    async def later(self):\n        raise KeyError('boom')",
    )
    with pytest.raises(NodeError, match=r"KeyError: 'boom' .*mine\.py:\d+"):
        run(two("mine.py", "wait for='1s'"), tmp_path, mine=source)
