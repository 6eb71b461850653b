"""The accessories that pair: what each does beside pairing, and what their consoles keep."""

from __future__ import annotations

import zlib

import pytest

from sim.adverts import service_and_name
from tests.sim.worlds import Ran, run, two

KEYS = "6b0a0012-53c1-4a0d-9d0e-6f1a3c5b7d90"
WEARER = "6b0a0022-53c1-4a0d-9d0e-6f1a3c5b7d90"
VOLUME = "6b0a0032-53c1-4a0d-9d0e-6f1a3c5b7d90"
SCAN, NETWORK, CREDENTIALS, STATUS = (
    f"6b0a004{n}-53c1-4a0d-9d0e-6f1a3c5b7d90" for n in (2, 3, 4, 5)
)
READING, CALIBRATION = (f"6b0a005{n}-53c1-4a0d-9d0e-6f1a3c5b7d90" for n in (2, 3))
CONTROL, DATA = (f"6b0a006{n}-53c1-4a0d-9d0e-6f1a3c5b7d90" for n in (2, 3))
JOIN = "connect to='dev'\npair\n"


def scenario(accessory: str, steps: str, settings: str = "", at: str = "") -> str:
    """`at`: lines "time command key=value" for the accessory."""
    text = two(accessory, f"{steps}\nwait for='1s'", settings=settings, duration="120s")
    for line in at.splitlines():
        time, command, *arguments = line.split(" ", 2)
        text += (
            f'\n[[step]]\nnode = "dev"\ndo = "{command}"\nat = "{time}"\nmay_fail = true\n'
            f"set = {{ {arguments[0] if arguments else ''} }}\n"
        )
    return text


def values(ran: Ran, event: str) -> list[str]:
    return [e.fields["value_hex"] for e in ran.of(event, "ph")]


def test_keypad_tells_which_keys_were_pressed() -> None:
    ran = run(
        scenario(
            "keypad",
            f"{JOIN}subscribe uuid='{KEYS}'\nwait for='20s'",
            at="15s press keys='12*#'\n16s press keys='12a'",
        )
    )
    assert values(ran, "notification") == [b"12*#".hex()]
    assert "1 to 20 of 0123456789*#" in ran.of("step_failed", "dev")[0].note


def test_badge_is_read_and_given_to_somebody_else() -> None:
    name = b"Grace".hex()
    ran = run(
        scenario(
            "badge",
            f"{JOIN}read uuid='{WEARER}'\nwrite uuid='{WEARER}', hex='{name}'\nread uuid='{WEARER}'",
        )
    )
    assert values(ran, "read") == [b"Ada".hex(), name]


def test_badge_buttons_answer_the_comparison() -> None:
    settings = "person = 'asked'"
    yes = run(scenario("badge", JOIN, settings, "0s press_button"))
    assert {e.node for e in yes.of("paired")} == {"ph", "dev"}
    no = run(scenario("badge", "connect to='dev'\npair?", settings, "0s press_button yes=false"))
    assert [e.fields["reason"] for e in no.of("not_paired", "dev")] == [0x0C]


def test_headset_pairs_only_after_its_button() -> None:
    settings = "needs_button = true, pairing_time = '10s'"
    steps = "connect to='dev'\npair?\nwait for='20s'\npair\nwait for='20s'\nforget\npair?"
    ran = run(scenario("headset", steps, settings, "15s press_button"))
    assert [e.fields["reason"] for e in ran.of("not_paired", "ph")] == [0x05, 0x05]
    assert len(ran.of("paired", "ph")) == 1


@pytest.mark.parametrize(("hex_", "code"), [("65", 0x13), ("0101", 0x13), ("", 0x13)])
def test_headset_refuses_volumes_that_are_none(hex_: str, code: int) -> None:
    ran = run(scenario("headset", f"{JOIN}write uuid='{VOLUME}', hex='{hex_}'?"))
    assert [e.fields["code"] for e in ran.of("refused", "ph")] == [code]


# Wi-Fi provisioning


WATCH = f"{JOIN}subscribe uuid='{NETWORK}'\nsubscribe uuid='{STATUS}'\n"


def credentials(ssid: str, passphrase: str) -> str:
    return (
        bytes([len(ssid)]).hex()
        + ssid.encode().hex()
        + bytes([len(passphrase)]).hex()
        + passphrase.encode().hex()
    )


def status_words(ran: Ran) -> list[str]:
    return [e.fields["words"] for e in ran.of("wifi", "dev")]


def test_provisioner_reports_networks_strongest_first() -> None:
    ran = run(scenario("wifi_provisioner", f"{WATCH}write uuid='{SCAN}', hex='01'\nwait for='5s'"))
    heard = [bytes.fromhex(one) for one in values(ran, "notification") if len(one) > 2]
    assert [one[4:].decode() for one in heard] == ["Home", "Neighbour", "Cafe"]
    # place, of how many, RSSI as a signed octet, security (0 open, 1 WPA2, 2 WPA3)
    assert [tuple(one[:4]) for one in heard] == [
        (0, 3, 256 - 52, 1),
        (1, 3, 256 - 71, 2),
        (2, 3, 256 - 78, 0),
    ]
    assert status_words(ran) == ["scanning", "idle"]


@pytest.mark.parametrize(
    ("ssid", "passphrase", "end"),
    [
        ("Home", "correct horse", "joined"),
        ("Cafe", "", "joined"),
        ("Home", "wrong horse", "wrong passphrase"),
        ("Elsewhere", "correct horse", "network not found"),
    ],
)
def test_provisioner_joins_what_it_is_told(ssid: str, passphrase: str, end: str) -> None:
    ran = run(
        scenario(
            "wifi_provisioner",
            f"{WATCH}write uuid='{CREDENTIALS}', hex='{credentials(ssid, passphrase)}'\nwait for='5s'",
        )
    )
    assert status_words(ran) == ["joining", end]


@pytest.mark.parametrize(
    "hex_",
    ["00", "05486f6d65", credentials("Home", "correct horse") + "00", "21" + "41" * 33 + "00"],
)
def test_provisioner_refuses_credentials_of_the_wrong_length(hex_: str) -> None:
    ran = run(scenario("wifi_provisioner", f"{JOIN}write uuid='{CREDENTIALS}', hex='{hex_}'?"))
    assert [e.fields["code"] for e in ran.of("refused", "ph")] == [0x0D]
    assert not ran.of("wifi")


def test_provisioner_takes_nothing_in_the_clear() -> None:
    steps = f"connect to='dev'\nwrite uuid='{CREDENTIALS}', hex='{credentials('Home', 'correct horse')}'?\nsubscribe uuid='{NETWORK}'?"
    ran = run(scenario("wifi_provisioner", steps))
    assert [e.fields["code"] for e in ran.of("refused", "ph")] == [0x05, 0x05]
    assert not ran.of("wifi")


# Update over the air


def update(image: bytes, crc: int) -> str:
    begin = bytes([1]) + len(image).to_bytes(4, "little")
    activate = bytes([2]) + crc.to_bytes(4, "little")
    parts = [image[at : at + 100].hex() for at in range(0, len(image), 100)]
    data = "".join(f"write uuid='{DATA}', hex='{part}', response=false\n" for part in parts)
    first = f"{JOIN}write uuid='{CONTROL}', hex='{begin.hex()}'\n"
    return f"{first}{data}write uuid='{CONTROL}', hex='{activate.hex()}'?\n"


IMAGE = bytes(range(250))


def test_an_update_over_the_air_changes_the_table() -> None:
    steps = (
        update(IMAGE, zlib.crc32(IMAGE))
        + f"wait for='10s'\nconnect to='dev'\nencrypt\nread uuid='Firmware Revision'\nread uuid='{CALIBRATION}'"
    )
    ran = run(scenario("dfu_target", steps))
    assert ran.result.failures == ()
    assert values(ran, "read") == [b"2.0.0".hex(), "07"]


def test_a_damaged_image_is_refused_and_the_firmware_stays() -> None:
    steps = update(IMAGE, zlib.crc32(IMAGE) ^ 1) + "wait for='10s'\nread uuid='Firmware Revision'"
    ran = run(scenario("dfu_target", steps))
    assert [e.fields["code"] for e in ran.of("refused", "ph")] == [0x81]
    assert values(ran, "read") == [b"1.0.0".hex()]


# Console, settings, battery


def test_changed_settings_hold_over_reboots_until_the_factory_reset() -> None:
    at = "1s change setting='pin', value='246810'\n2s reboot\n20s factory_reset\n25s change setting='colour', value='red'\n26s change setting='pin', value='12'"
    steps = "wait for='5s'\nconnect to='dev'\npair\nwait for='25s'\nforget\nconnect to='dev'\npair"
    ran = run(scenario("lock", steps, at=at))
    shown = [e.fields["pin"].value for e in ran.of("pin_displayed", "dev")]
    assert shown[0] == "246810"
    assert shown[1] != "246810"
    wrong = [e.note for e in ran.of("step_failed", "dev")]
    assert "unknown setting of dev 'colour'" in wrong[0]
    assert "not six digits" in wrong[1]


def test_the_console_takes_lines_and_shows_its_log() -> None:
    at = '1s console line="change setting=wrong_pins_allowed value=5"\n2s console line="log"\n3s console line="turn now"\n4s console line="sing"'
    ran = run(scenario("lock", "wait for='5s'", at=at))
    assert [e.note for e in ran.of("log_line", "dev")] == [
        "wrong_pins_allowed is 5 from the next start on"
    ]
    wrong = [e.note for e in ran.of("step_failed", "dev")]
    assert "key=value" in wrong[0]
    assert "unknown command of dev 'sing'" in wrong[1]


def test_the_battery_runs_down() -> None:
    ran = run(
        scenario(
            "lock",
            "connect to='dev'\nread uuid='Battery Level'\nwait for='50s'\nread uuid='Battery Level'",
            "battery_life = '100s', battery_pct = 60",
        )
    )
    first, second = (e.fields["value"]["battery_pct"] for e in ran.of("read", "ph"))
    assert first == 60
    assert second == 60 - 50


@pytest.mark.parametrize(
    ("accessory", "uuid"),
    [
        ("lock", "6b0a0001-53c1-4a0d-9d0e-6f1a3c5b7d90"),
        ("badge", "6b0a0021-53c1-4a0d-9d0e-6f1a3c5b7d90"),
        ("headset", "6b0a0031-53c1-4a0d-9d0e-6f1a3c5b7d90"),
        ("wifi_provisioner", "6b0a0041-53c1-4a0d-9d0e-6f1a3c5b7d90"),
    ],
)
def test_apps_that_filter_by_service_find_them(accessory: str, uuid: str) -> None:
    text = two(accessory, f"app_scan services=['{uuid}'], for='1s'", phone="ios")
    assert run(text).of("discovered", "ph")


def test_a_name_without_room_beside_the_uuid_goes_to_the_scan_response() -> None:
    short, rest = service_and_name(WEARER, "n" * 8)
    assert (len(short), rest) == (31, b"")  # 3 Flags, 18 UUID, 2 + 8 name
    assert [len(part) for part in service_and_name(WEARER, "n" * 9)] == [21, 11]
