"""From reports to AdvertisementData: AD structures as systems read them, merged as each system merges them.

Octets are written out by hand from the Core Specification Supplement Part A 1.
"""

from __future__ import annotations

import pytest

from hw_bridge.bleak_air.adverts import Book, Merger, Sight, merger_for, read_parts
from hw_bridge.bleak_air.systems import SYSTEMS
from sim.phones import Report

A, B = "c0:00:00:00:00:0a", "c0:00:00:00:00:0b"
FLAGS = bytes.fromhex("020106")
NAME = bytes.fromhex("0409414243")  # complete local name ABC
SHORT = bytes.fromhex("03084142")  # shortened local name AB
POWER = bytes.fromhex("020afc")  # -4 dBm
MAKER_1 = bytes.fromhex("05ff34120102")  # company 0x1234: 01 02
MAKER_2 = bytes.fromhex("04ff785603")  # company 0x5678: 03
BATTERY_LIST = bytes.fromhex("03020f18")  # incomplete list: 0x180f
BATTERY_DATA = bytes.fromhex("04160f1864")  # service data of 0x180f: 64
LONG_180F = "0000180f-0000-1000-8000-00805f9b34fb"


def report(
    data: bytes,
    address: str = A,
    *,
    response: bool = False,
    rssi_dbm: int | None = -50,
    scannable: bool = True,
    t_us: int = 0,
) -> Report:
    return Report(address, "random", rssi_dbm, data, not response, scannable and not response, False, response, True, t_us)  # fmt: skip


def merger(
    system: str, *, active: bool = True, replace: bool = False, book: Book | None = None
) -> Merger:
    known = book or Book(str.upper, SYSTEMS[system].forget_us)
    return merger_for(SYSTEMS[system], known, active=active, replace=replace)


def fed(one: Merger, *reports: Report) -> list[Sight]:
    return [sight for each in reports for sight in one.feed(each)]


def test_every_member_is_read() -> None:
    parts = read_parts(FLAGS + NAME + POWER + MAKER_1 + BATTERY_LIST + BATTERY_DATA)
    assert parts.local_name == "ABC"
    assert parts.tx_power_dbm == -4
    assert parts.flags == 6
    assert parts.manufacturer == {0x1234: b"\1\2"}
    assert parts.uuids == (LONG_180F,)
    assert parts.service_data == {LONG_180F: b"\x64"}


def test_uuids_of_all_sizes_in_air_order() -> None:
    lists = bytes.fromhex("05030f180a18") + bytes.fromhex("050578563412")
    long = bytes.fromhex("1107") + bytes(range(16))
    data = bytes.fromhex("0620785634129a") + bytes.fromhex("1221") + bytes(range(16)) + b"\x9b"
    parts = read_parts(lists + long + data)
    # Vol 3 Part B 2.5.1: a short UUID stands in the first 32 bits of the base; octets on air are reversed
    whole = "0f0e0d0c-0b0a-0908-0706-050403020100"
    assert parts.uuids == (
        LONG_180F,
        "0000180a-0000-1000-8000-00805f9b34fb",
        "12345678-0000-1000-8000-00805f9b34fb",
        whole,
    )
    assert parts.service_data == {"12345678-0000-1000-8000-00805f9b34fb": b"\x9a", whole: b"\x9b"}


@pytest.mark.parametrize(
    "tail", ["", "00", "0009", "05", "05ff", "05ff3412", "ff"], ids=lambda tail: tail or "nothing"
)
def test_a_malformed_tail_loses_nothing_before_it(tail: str) -> None:
    parts = read_parts(FLAGS + NAME + bytes.fromhex(tail))
    assert (parts.local_name, parts.manufacturer) == ("ABC", {})


@pytest.mark.parametrize(
    "octets", ["01ff", "02ff34", "0216aa", "010a", "0101", "020f18", "0305ab12"]
)
def test_structures_too_short_for_their_kind_are_passed_over(octets: str) -> None:
    parts = read_parts(bytes.fromhex(octets) + NAME)
    assert parts.local_name == "ABC"
    assert not parts.manufacturer
    assert not parts.service_data
    assert not parts.uuids


def test_a_name_that_is_no_utf8_is_shown_all_the_same() -> None:
    assert read_parts(bytes.fromhex("030941ff")).local_name == "A\N{REPLACEMENT CHARACTER}"


# BlueZ


def test_bluez_waits_for_the_scan_response() -> None:
    one = merger("bluez")
    assert fed(one, report(FLAGS)) == []
    (sight,) = fed(one, report(NAME, response=True, rssi_dbm=-48))
    assert sight.parts.local_name == "ABC"
    assert sight.rssi_dbm == -48
    # the next advert without an answer comes with whatever is heard next
    assert fed(one, report(FLAGS)) == []
    assert [sight.known.address for sight in fed(one, report(FLAGS, B, scannable=False))] == [A, B]


def test_bluez_does_not_wait_when_nobody_was_asked() -> None:
    assert len(fed(merger("bluez", active=False), report(FLAGS))) == 1
    assert len(fed(merger("bluez"), report(FLAGS, scannable=False))) == 1


def test_bluez_drops_a_scan_response_without_its_advert() -> None:
    assert fed(merger("bluez"), report(FLAGS), report(NAME, B, response=True)) == []


def test_bluez_keeps_what_a_device_ever_said() -> None:
    one = merger("bluez")
    first, second = fed(one, report(MAKER_1 + NAME, scannable=False), report(MAKER_2 + BATTERY_DATA, scannable=False))  # fmt: skip
    assert first.parts.manufacturer == {0x1234: b"\1\2"}
    assert second.parts.manufacturer == {0x1234: b"\1\2", 0x5678: b"\3"}
    assert second.name == "ABC"
    assert second.parts.uuids == (LONG_180F,)  # BlueZ counts service data
    assert second.advertised == ()  # its discovery filter does not


def test_bluez_replaces_when_duplicate_data_is_asked_for() -> None:
    one = merger("bluez", replace=True)
    _, second = fed(one, report(MAKER_1, scannable=False), report(MAKER_2, scannable=False))
    assert second.parts.manufacturer == {0x5678: b"\3"}


def test_bluez_prefers_the_complete_name() -> None:
    one = merger("bluez")
    seen = fed(one, *(report(data, scannable=False) for data in (SHORT, NAME, SHORT)))
    assert [sight.name for sight in seen] == ["AB", "ABC", "ABC"]


def test_bluez_gives_path_and_properties() -> None:
    (sight,) = fed(merger("bluez"), report(FLAGS + MAKER_1, scannable=False))
    path, properties = sight.platform_data
    assert path == "/org/bluez/hci0/dev_C0_00_00_00_00_0A"
    assert (
        properties["Alias"] == "C0-00-00-00-00-0A"
    )  # a name made of the address when there is none
    assert "Name" not in properties
    assert properties["ManufacturerData"] == {0x1234: b"\1\2"}
    assert sight.details == {"path": path, "props": properties}


def test_bluez_forgets_after_thirty_seconds() -> None:
    book = Book(str.upper, SYSTEMS["bluez"].forget_us)
    one = merger("bluez", book=book)
    fed(one, report(MAKER_1, scannable=False))
    assert book.find(A.upper(), 30_000_000) is not None
    assert book.find(A, 30_000_001) is None
    (again,) = fed(one, report(MAKER_2, scannable=False, t_us=31_000_000))
    assert again.parts.manufacturer == {0x5678: b"\3"}
    known = book.find(A, 31_000_000)
    assert known is not None
    known.connected = True
    assert book.find(A, 600_000_000) is known


# Windows


def test_winrt_calls_for_each_packet_and_joins_the_last_pair() -> None:
    one = merger("winrt")
    first, second, third = fed(
        one, report(FLAGS + MAKER_1), report(NAME, response=True), report(FLAGS + MAKER_2)
    )
    assert (first.parts.local_name, second.parts.local_name) == (None, "ABC")
    assert second.parts.manufacturer == {0x1234: b"\1\2"}
    # the last advert counts, not what an earlier one said
    assert third.parts.manufacturer == {0x5678: b"\3"}
    assert third.parts.local_name == "ABC"


# macOS


def test_corebluetooth_calls_once_and_again_for_news() -> None:
    one = merger("corebluetooth")
    seen = fed(one, report(FLAGS), report(NAME, response=True), report(FLAGS), report(NAME, response=True))  # fmt: skip
    assert [sight.parts.local_name for sight in seen] == [None, "ABC"]
    assert len(fed(one, report(FLAGS + MAKER_1))) == 1
    assert fed(one, report(FLAGS + MAKER_1)) == []
    assert len(fed(merger("corebluetooth"), report(FLAGS))) == 1  # a new scan tells all again


def test_corebluetooth_delivers_one_manufacturer_block() -> None:
    (sight,) = fed(merger("corebluetooth"), report(MAKER_1 + MAKER_2))
    assert sight.parts.manufacturer == {0x1234: b"\1\2"}
    assert sight.platform_data[1]["kCBAdvDataManufacturerData"] == bytes.fromhex("34120102")
    assert sight.platform_data[1]["kCBAdvDataIsConnectable"] == 1


def test_a_report_without_a_strength_has_bleaks_stand_in() -> None:
    (sight,) = fed(merger("winrt"), report(FLAGS, rssi_dbm=None))
    assert sight.rssi_dbm == -127
