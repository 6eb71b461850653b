"""The Wi-Fi Aware accessories: what they publish, whom they pair with and how, what they serve, keep and forget."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocols.errors import ScenarioError
from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import frames
from sim.accessories import ACCESSORIES
from sim.accessories._aware import AwareAccessory, AwareSettings
from sim.device import settings_table
from sim.trace import line_of
from sim.wifi_aware.engines import engine_settings
from sim.wifi_aware.firmware import Firmware
from sim.wifi_aware.radio_settings import settings_of
from tests.sim.worlds import Ran, run

BASE = Path(__file__).parent / "wifi_aware"
AWARE = [name for name in ACCESSORIES.names() if name.startswith("aware_")]
WAIT = 'ph pair to="nobody"'


def scene(
    accessory: str,
    steps: str,
    settings: str = "",
    *,
    duration: str = "60s",
    phone: str = "",
    phones: tuple[str, ...] = ("ph",),
) -> str:
    """An accessory `dev` 2 m from bare initiators; lines are "node [@time] command key=value, ..."."""
    nodes = f'[[node]]\nname = "dev"\naccessory = "{accessory}"\nat = [2.0, 0.0]\nset = {{ {settings} }}\n'
    for number, name in enumerate(phones):
        nodes += (
            f'[[node]]\nname = "{name}"\naccessory = "initiator.py"\nat = [{float(number)}, 0.0]\n'
            f"set = {{ {phone} }}\n"
        )
    blocks = [f'title = "t"\nduration = "{duration}"\nstop_when_done = true\n', nodes]
    for line in filter(None, map(str.strip, steps.splitlines())):
        node, _, rest = line.partition(" ")
        at, _, after = rest.partition(" ")
        when = f'at = "{at[1:]}"\n' if at.startswith("@") else ""
        do, _, arguments = (after if when else rest).partition(" ")
        blocks.append(f'[[step]]\nnode = "{node}"\ndo = "{do}"\n{when}set = {{ {arguments} }}\n')
    return "\n".join(blocks)


def play(accessory: str, steps: str, settings: str = "", **more: Any) -> Ran:
    return run(scene(accessory, steps, settings, **more), BASE)


def first_publish(ran: Ran, node: str = "dev") -> frames.Sdf:
    found = next(e for e in ran.of("publish", node, "aware") if e.data)
    frame = codec.read(found.data or b"")
    assert isinstance(frame, frames.Sdf)
    return frame


def values(ran: Ran, event: str, field: str, node: str = "ph") -> list[Any]:
    return [e.fields.get(field) for e in ran.of(event, node)]


# From nothing to data and back

MEETING = """
ph pair to="dev"
ph open to="dev"
ph ask to="dev", text="a word in private"
ph stream to="dev", text="and a longer one"
ph @8s new_address
dev @10s new_address
ph verify to="dev"
ph open to="dev"
ph ask to="dev", text="again"
"""


@pytest.fixture(scope="module")
def meeting() -> Ran:
    return play("aware_display", MEETING, 'pin = "271828"')


def test_two_devices_pair_by_pin_and_exchange_identities(meeting) -> None:
    assert not meeting.of("failed")
    for node in ("dev", "ph"):
        statuses = values(meeting, "pairing_result", "status", node)
        assert statuses == [0, 0]
        assert len(meeting.of("nik_received", node)) == 1
    own, told = (meeting.of("derived", n) for n in ("dev", "ph"))
    nik = next(e.fields["value"] for e in own if e.fields["name"] == "nik")
    assert nik == meeting.of("nik_received", "ph")[0].fields["nik"]
    assert nik not in [e.fields["value"] for e in told if e.fields["name"] == "nik"]


def test_the_data_path_is_encrypted_and_moves_data_both_ways(meeting) -> None:
    assert values(meeting, "opened", "csid") == [7, 7]
    assert values(meeting, "answered", "text") == ["a word in private", "again"]
    assert values(meeting, "streamed", "text") == ["and a longer one"]
    assert values(meeting, "streamed", "greeting") == ["hello\n"]
    assert values(meeting, "data_received", "transport", "dev") == ["udp", "tcp", "udp"]
    on_air = b"".join(e.data or b"" for e in meeting.events if e.layer == "air")
    for text in (b"a word in private", b"longer one", b"hello", b"again"):
        assert text not in on_air


def test_they_know_each_other_after_both_changed_their_addresses(meeting) -> None:
    before, after = (
        {e.fields["address"] for e in meeting.of("new_address", n)} for n in ("ph", "dev")
    )
    assert before
    assert after
    assert meeting.of("verified", "ph")
    second = meeting.of("auth1", "ph", "aware")[1].data or b""
    assert {second[4:10].hex(":")} == after
    assert {second[10:16].hex(":")} == before
    assert len(meeting.of("nik_received")) == 2  # the two of the first pairing: none is sent again


def test_a_pin_is_nowhere_in_the_trace_unless_revealed(meeting) -> None:
    assert not any(b"271828" in line_of(event) for event in meeting.events)


def test_the_same_seed_gives_the_same_trace_octet_by_octet(meeting) -> None:
    again = play("aware_display", MEETING, 'pin = "271828"')
    assert list(map(line_of, again.events)) == list(map(line_of, meeting.events))


def test_a_wrong_pin_can_be_corrected_while_it_is_on_the_display() -> None:
    ran = play("aware_display", 'ph pair to="dev"\nph pair to="dev"', phone="wrong_pins = 1")
    assert len(ran.of("pin_displayed", "dev")) == 1
    assert [status == 0 for status in values(ran, "pairing_result", "status", "ph")] == [
        False,
        True,
    ]
    assert values(ran, "pairing_result", "status", "dev") == [0]


@pytest.mark.parametrize(
    ("steps", "guesses"),
    [('ph pair to="dev"\nph @20s pair to="dev"', 1), ('ph pair to="dev"\n' * 6, 5)],
)
def test_a_pin_is_worth_some_guesses_and_ends_with_its_exchange(steps, guesses) -> None:
    ran = play("aware_display", steps, phone=f"wrong_pins = {guesses}")
    shown = [e.fields["pin"] for e in ran.of("pin_displayed", "dev")]
    assert [str(one) for one in shown] == ["••••••"] * 2
    assert shown[0] != shown[1]
    assert [status == 0 for status in values(ran, "pairing_result", "status", "dev")] == [
        False,
        True,
    ]


# Each kind


@pytest.mark.parametrize("name", AWARE)
def test_every_accessory_publishes_its_defaults_and_is_documented(name) -> None:
    model = ACCESSORIES.get(name)
    assert issubclass(model, AwareAccessory)
    assert issubclass(model.Settings, AwareSettings)
    assert "confidence" in model.about
    assert [row["name"] for row in settings_table(model.Settings) if not row["about"]] == []
    ran = play(name, "ph @3s new_address")
    found = ran.of("discovery", "ph")
    assert found[0].peer == "dev"
    assert "io" not in {field.name for field in msgspec.structs.fields(model.Settings)}


def test_a_pin_that_nobody_types_is_taken_away() -> None:
    ran = play(
        "aware_display",
        'ph pair to="dev"\ndev @7s warm_up\n'.replace(
            "dev @7s warm_up", 'dev @9s console line="help"'
        ),
        "pin_time = '3s'",
        phone="person_delay = '6s', looks_at = 'nobody'",
        duration="10s",
    )
    assert ran.of("pin_displayed", "dev")
    assert ran.world.faces["dev"].pin == ""
    assert not ran.world.devices["dev"].aware.ceremony.passwords


def test_a_label_shows_its_pin_all_the_time_and_locks_out_who_guesses() -> None:
    guesses = 'ph pair to="dev"\n' * 7
    late = 'ph @85s pair to="dev"'
    ran = play("aware_label", guesses + late, phone="wrong_pins = 5", duration="100s")
    pin = ran.world.faces["dev"].pin
    assert len(pin) == 6
    assert not ran.of("pin_displayed")
    results = values(ran, "pairing_result", "status", "dev")
    assert [status == 0 for status in results] == [False, True]
    answers = [e.t_us for e in ran.of("auth2", "dev", "aware") if (e.data or b"")[28:30] == b"\0\0"]
    assert len([at for at in answers if at < 30_000_000]) == 5  # status 0: each is a guess
    assert len(ran.of("locked_out", "dev")) == 1
    locked_us = ran.of("locked_out")[0].t_us
    refused = [e.fields["step"] for e in ran.of("failed", "ph") if e.t_us > locked_us]
    assert refused == ["pairing", "bootstrapping"]  # the one that was under way, and the next
    assert len(ran.of("paired", "ph")) == 1


@pytest.mark.parametrize(
    ("phone", "fault"),
    [("wrong_pins = 1", ""), ("", "../explain/lost_frames.py")],
    ids=["a wrong PIN", "a lost Auth2"],
)
def test_a_label_cannot_tell_a_wrong_pin_from_a_lost_frame_and_says_so(phone, fault) -> None:
    steps = 'ph pair to="dev"\nph @35s new_address'
    text = scene("aware_label", steps, phone=phone)
    if fault:
        text += f'\n[[fault]]\nname = "{fault}"\nset = {{ kind = "auth2" }}\n'
    said = [e.note for e in run(text, BASE).of("log", "dev") if "guess" in e.note]
    assert said == ["1 of 5 guesses, the last by ph: a wrong PIN, a lost frame, or it gave up"]


def test_who_pairs_with_a_label_without_a_pin_has_not_guessed() -> None:
    fault = '\n[[fault]]\nname = "../explain/lost_frames.py"\nset = { kind = "auth3" }\n'
    text = scene(
        "aware_label", 'ph pair to="dev", method="opportunistic"', 'methods = ["opportunistic"]'
    )
    said = [e.note for e in run(text + fault, BASE).of("log", "dev")]
    assert "not paired with ph: no PIN was tried, it does not count" in said


def test_a_label_has_one_pin_per_device_and_seed() -> None:
    first, again = (play("aware_label", "ph @2s new_address").world.faces["dev"].pin for _ in "ab")
    text = scene("aware_label", "ph @2s new_address")
    other = run(text.replace('title = "t"', 'title = "t"\nseed = 7'), BASE).world.faces["dev"].pin
    assert first == again != other


def test_on_a_keypad_the_person_types_what_the_phone_shows() -> None:
    ran = play("aware_keypad", 'ph pair to="dev", method="pin_display"')
    assert ran.of("pin_displayed", "ph")
    assert ran.of("pin_entered", "dev")
    assert values(ran, "pairing_result", "status", "dev") == [0]


@pytest.mark.parametrize("comeback_tu", [0, 100])
def test_the_keypad_asks_for_a_pin_when_the_method_is_agreed_on_and_the_phone_shows_one(
    comeback_tu,
) -> None:
    """Before the response the requester does not know that it is to show a PIN (digest 6.3)."""
    settings = f"comeback_tu = {comeback_tu}"
    ran = play("aware_keypad", 'ph pair to="dev", method="pin_display"', settings)
    names = [
        (e.event, e.node)
        for e in ran.events
        if e.event in ("bootstrap_completed", "pin_required", "pin_displayed", "pin_entered")
    ]
    assert names == [
        ("bootstrap_completed", "dev"),
        ("pin_required", "dev"),
        ("bootstrap_completed", "ph"),
        ("pin_displayed", "ph"),
        ("pin_entered", "dev"),
    ]


def test_a_wrong_pin_on_the_keypad_shows_in_the_confirm_that_the_phone_checks() -> None:
    fault = '[[fault]]\nname = "wrong_pin"\nnode = "dev"\n'
    steps = 'ph pair to="dev", method="pin_display"'
    ran = run(f"{scene('aware_keypad', steps)}\n{fault}", BASE)
    assert ran.of("fault_acted", "dev")
    assert values(ran, "pairing_result", "status", "ph") == [1]
    assert [e.fields["step"] for e in ran.of("failed", "ph")] == ["pairing"]
    assert not ran.of("auth3")


def test_who_refuses_to_type_a_pin_ends_the_pairing_at_once() -> None:
    ran = play(
        "aware_keypad",
        'ph pair to="dev", method="pin_display"\ndev reject',
        'person = "asked"',
    )
    failed = ran.of("failed", "ph")[0]
    assert (
        failed.fields["step"] == "pairing"
    )  # what was agreed on is not taken back, the pairing is
    assert failed.note.endswith("status 1")
    assert failed.t_us < 5_000_000


def test_who_refuses_later_refuses_the_authentication() -> None:
    ran = play(
        "aware_keypad",
        'ph pair to="dev", method="pin_display"\ndev @3s reject',
        'person = "asked"',
    )
    assert values(ran, "pairing_result", "status") == [1]
    assert ran.of("failed", "ph")[0].t_us < 6_000_000


def test_open_data_paths_are_for_those_who_offer_them() -> None:
    opened = play("aware_open", 'ph open to="dev"\nph ask to="dev", text="x"')
    assert values(opened, "opened", "csid") == [0]
    assert values(opened, "answered", "text") == ["x"]
    refused = play("aware_display", 'ph open to="dev"')
    assert values(refused, "ndp_disconnected", "reason", "ph") == [8]  # security policy


@pytest.mark.parametrize(("typed", "works"), [("open sesame", True), ("open barley", False)])
def test_a_passphrase_is_for_those_who_know_it(typed, works) -> None:
    ran = play(
        "aware_open",
        f'ph open to="dev", csid=1, passphrase="{typed}"',
        'cipher_suites = [1], passphrase = "open sesame", open_data_path = false',
    )
    assert bool(ran.of("opened")) is works
    assert bool(ran.of("failed")) is not works


def test_several_services_have_ports_of_their_own() -> None:
    steps = """
    ph pair to="dev"
    ph look_for service="_nearbench-log._tcp"
    ph open to="dev"
    ph ask to="dev", text="log", port=7001
    """
    ran = play("aware_multi", steps, 'datagrams = "counter"')
    assert values(ran, "answered", "text") == ["1"]
    # sub-attributes of the answer: transport port 0x1b59 = 7001, protocol UDP
    assert values(ran, "opened", "service_info") == ["000200591b01010011"]


def test_a_third_phone_takes_the_place_of_the_first() -> None:
    steps = """
    one pair to="dev"
    two @10s pair to="dev"
    one @18s verify to="dev"
    three @20s pair to="dev"
    one @30s verify to="dev"
    two @30s verify to="dev"
    """
    ran = play("aware_multi", steps, phones=("one", "two", "three"))
    verified = [(e.node, e.t_us // 10_000_000) for e in ran.of("verified")]
    assert verified == [("one", 1), ("two", 3)]
    assert [e.node for e in ran.of("failed")] == ["one"]


# A sensor that has follow-ups only


def test_a_sensor_tells_those_who_ask_until_they_are_gone() -> None:
    steps = 'ph tell_text to="dev", text="?"\ndev @6s warm temperature_c=30.0\nph @14s new_address\ndev @19s warm temperature_c=1.0'
    ran = play("aware_sensor_follow_up", steps, duration="30s")
    assert values(ran, "told", "text")[0] == "1 21.5"
    assert [text.split()[1] for text in values(ran, "told", "text")[1:]] == ["21.5", "30.0"]
    assert any("is gone" in e.note for e in ran.of("log", "dev"))
    data_paths = first_publish(ran).first("service_descriptor_extension")
    assert not data_paths.data_path_required
    assert data_paths.fsd_required


def test_a_sensor_for_paired_phones_speaks_in_cipher() -> None:
    settings, ask = 'listeners = "paired"', 'ph tell_text to="dev", text="?"\n'
    silent = play("aware_sensor_follow_up", ask + "ph @9s new_address", settings)
    assert not silent.of("told")
    ran = play(
        "aware_sensor_follow_up", f'ph pair to="dev"\n{ask}ph @9s look_for service="x"', settings
    )
    assert values(ran, "told", "text")[0] == "1 21.5"
    assert b"21.5" not in b"".join(e.data or b"" for e in ran.events if e.layer == "air")


# What is kept and what is lost

REBOOT = """
ph pair to="dev"
dev @8s reboot
ph @12s verify to="dev"
"""


def test_pairings_and_addresses_outlive_a_loss_of_power() -> None:
    ran = play("aware_display", REBOOT)
    assert ran.of("verified", "ph")
    sources = {(e.data or b"")[10:16] for e in ran.of("publish", "dev", "aware")}
    assert len(sources) == 1


def test_keys_in_memory_alone_are_lost_and_the_verification_is_refused() -> None:
    again = 'ph @30s forget\nph pair to="dev"'
    ran = play("aware_display", REBOOT + again, "persistent_keys = false")
    assert not ran.of("verified")
    assert [e.fields["step"] for e in ran.of("failed", "ph")] == ["pairing"]
    assert ran.of("paired", "ph")[1:], "paired anew, once both have forgotten"


@pytest.mark.parametrize("enforces", ["true", "false"])
@pytest.mark.parametrize("reboots", ["", "dev @20s reboot\n"])
def test_a_pairing_goes_when_the_lifetime_of_its_key_is_over(enforces, reboots) -> None:
    """The phone says that its key is good for 30 s; without enforcement it is recognised for ever."""
    ran = play(
        "aware_display",
        f'ph pair to="dev"\n{reboots}ph @25s verify to="dev"\nph @50s verify to="dev"',
        f"enforces_lifetime = {enforces}",
        phone="key_lifetime = '30s'",
    )
    over = enforces == "true"
    paired_us = ran.of("nik_received", "dev")[0].t_us
    gone = ran.of("pairing_outlived", "dev")
    assert [e.t_us - paired_us for e in gone] == ([30_000_000] if over else [])
    assert all("30 s" in e.note for e in gone)
    assert bool(ran.world.devices["dev"].aware.identities) is not over
    assert bool(ran.world.devices["dev"].aware.engine.station.identities) is not over
    assert len(ran.of("verified", "ph")) == (1 if over else 2)


def test_an_accessory_that_was_told_to_forget_refuses_the_verification() -> None:
    ran = play("aware_display", REBOOT.replace("reboot", 'forget peer="ph"'))
    assert values(ran, "pairing_result", "status") == [0, 53]  # invalid PMKID
    assert ran.of("failed", "ph")[0].t_us < 16_000_000


def test_a_factory_reset_takes_the_identity_too() -> None:
    ran = play("aware_display", REBOOT.replace("reboot", "factory_reset"))
    assert not ran.of("verified")


def test_new_addresses_at_each_start_do_not_end_pairings() -> None:
    ran = play("aware_display", REBOOT, "new_address_at_start = true")
    sources = {(e.data or b"")[10:16] for e in ran.of("publish", "dev", "aware")}
    assert len(sources) == 2


def test_addresses_change_by_the_clock() -> None:
    ran = play("aware_display", "ph @21s new_address", "address_time = '5s'")
    assert [e.t_us for e in ran.of("new_address", "dev")] == [
        5_000_000,
        10_000_000,
        15_000_000,
        20_000_000,
    ]
    assert len({e.fields["address"] for e in ran.of("new_address", "dev")}) == 4


# Every parameter of a firmware does something


def body(**settings: Any) -> Any:
    """Everything that is made of a firmware before time begins."""
    firmware = Firmware(**settings)
    engines = engine_settings(firmware, "02:00:00:00:00:01", "02:00:00:00:00:02")
    return engines, settings_of(firmware)


MADE: dict[str, Any] = {
    "service_info_in": "sda",
    "vendor_name": "Other",
    "model_name": "Other",
    "pairing_name": "Other",
    "pairing_info": "bonjour",
    "pairing_mode": False,
    "methods": ("service_managed",),
    "method_matching": "same_bit",
    "open_methods": ("pin_display",),
    "comeback_tu": 7,
    "request_time": 2_000_000,
    "cipher_suites": (8,),
    "group_security": "igtk",
    "dcea_in_publish": False,
    "pairing_setup": False,
    "npk_caching": False,
    "nira_in_follow_up": False,
    "fresh_nira": False,
    "nik_timeout": 1_000_000,
    "after_nik_timeout": "keep",
    "auth_timeout": 1_000_000,
    "attempts": 1,
    "key_lifetime": 0,
    "requires_lifetime": True,
    "enforces_lifetime": True,
    "pairings": 2,
    "data_path": False,
    "reinitiation": "beside",
    "keep_alive": False,
    "max_idle": 7,
    "availability_period_tu": 1024,
    "data_slots": (3, 9),
    "wake": 3,
    "master_preference": 9,
    "scan_time": 2_000_000,
    "warm_up": 9_000_000,
    "tx_power_dbm": 1,
}
"""Parameters that change what engines and radio are made of."""
ON_THE_AIR = {
    "address": "'02:11:22:33:44:55'",
    "interface_address": "'02:11:22:33:44:56'",
    "service_name": "'_other._udp'",
    "service_info": "'dd0200aabb'",
    "port": "9",
    "protocol": "'tcp'",
    "passphrase": "'correct horse'",
    "csia_in_publish": "false",
    "close_range": "true",
}
"""Parameters that change what it sends."""
TOLD = {
    "persistent_keys", "new_address_at_start", "address_time", "open_data_path", "responder_ready",
    "availability_period_limit_tu", "pin_time", "takes_counter_proposals", "unsynchronised",
}  # fmt: skip
"""Parameters with a test of their own here."""


def test_no_parameter_is_forgotten() -> None:
    assert {one.name for one in msgspec.structs.fields(Firmware)} == {*MADE, *ON_THE_AIR, *TOLD}


@pytest.mark.parametrize("name", MADE)
def test_a_parameter_reaches_engines_or_radio(name) -> None:
    assert body(**{name: MADE[name]}) != body()


@pytest.mark.parametrize("name", ON_THE_AIR)
def test_a_parameter_reaches_the_air(name) -> None:
    plain, changed = (
        play("aware_display", "ph @3s new_address", f"cipher_suites = [7, 1]{more}")
        for more in ("", f", {name} = {ON_THE_AIR[name]}")
    )
    assert said(plain) != said(changed)


def said(ran: Ran) -> tuple[Any, ...]:
    """What a publish says, and the addresses of the device."""
    station = ran.world.devices["dev"].aware.engine.station
    return first_publish(ran).attributes, station.nmi, station.settings.ndi


def test_an_application_that_does_not_wait_rejects_data_paths() -> None:
    ran = play("aware_display", 'ph pair to="dev"\nph open to="dev"', "responder_ready = false")
    assert values(ran, "ndp_disconnected", "reason", "ph") == [10]


@pytest.mark.parametrize("takes", ["true", "false"])
def test_a_schedule_that_the_responder_proposes_is_taken_or_turned_down(takes) -> None:
    """The accessory is not there in the phone's first slot, and proposes its own."""
    ran = play(
        "aware_display",
        'ph pair to="dev"\nph open to="dev"\ndev @8s console line="help"',
        "data_slots = [5, 31]",
        phone=f"takes_counter_proposals = {takes}",
    )
    assert len(ran.of("ndl_countered", "ph")) == 1
    assert [len(ran.of("ndp_connected", node)) for node in ("dev", "ph")] == (
        [1, 1] if takes == "true" else [0, 0]
    )
    ended = [] if takes == "true" else [11]
    assert values(ran, "ndp_disconnected", "reason", "dev") == ended
    assert values(ran, "ndp_disconnected", "reason", "ph") == ended


def test_an_unsynchronised_publish_goes_through_channels_outside_of_windows() -> None:
    ran = play("aware_display", 'dev @5s console line="help"', "unsynchronised = true")
    told = [e.fields["channel"] for e in ran.of("tuned", "dev")]
    assert {1, 6, 11} <= set(told)
    gaps = [e.t_us for e in ran.of("publish", "dev", "aware")]
    assert min(b - a for a, b in itertools.pairwise(gaps)) < 400_000, "windows are 524 ms apart"


@pytest.mark.parametrize(("away_m", "near"), [(2.0, True), (300.0, False)])
def test_a_close_range_publish_is_for_those_who_are_near(away_m, near) -> None:
    text = scene("aware_display", "ph @6s new_address", "close_range = true", duration="8s")
    ran = run(text.replace("at = [2.0, 0.0]", f"at = [{away_m}, 0.0]"), BASE)
    assert first_publish(ran).first("service_descriptor").range_limited
    assert bool(ran.of("discovery", "ph")) is near


@pytest.mark.parametrize(("limit", "heard"), [(512, False), (1024, True)])
def test_a_firmware_with_a_short_bitmap_sees_nothing_of_others(limit, heard) -> None:
    ran = play(
        "aware_display",
        'ph pair to="dev"',
        f"availability_period_limit_tu = {limit}",
        phone="availability_period_tu = 1024",
        duration="20s",
    )
    assert bool(ran.of("bootstrap_request", "dev")) is heard
    reasons = values(ran, "dropped", "reason", "dev")
    assert any("time bitmap" in reason for reason in reasons) is not heard


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ('pin = "12"', "pin"),
        ("availability_period_tu = 100", "availability_period_tu"),
        ("data_slots = [9, 3]", "data_slots"),
        ("wake = 6", "wake"),
        ("cipher_suites = [3]", "cipher_suites"),
        ('address = "01:00:00:00:00:00"', "address"),
        ('passphrase = "short"', "passphrase"),
        ('service_info = "xyz"', "service_info"),
        ('methods = ["telepathy"]', "methods"),
        ("colour = 1", "colour"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings, named) -> None:
    with pytest.raises(ScenarioError, match=named):
        play("aware_display", "", settings)
