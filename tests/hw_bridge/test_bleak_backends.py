"""bleak's public API in the simulated air: scanning, connections, GATT and its errors, several clients, endings."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends import BleakBackend
from bleak.exc import (
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

if TYPE_CHECKING:
    from hw_bridge.testing import Opener

ROOM = Path(__file__).parents[2] / "examples" / "bleak_room.toml"
THERMOMETER, TAG, VAULT = (f"C0:00:00:00:00:0{n}" for n in (1, 2, 3))
SECRET, COUNTER, PICKY, MUTE = (f"7a0c000{n}-5a3e-4a7b-9c55-2f0f4c1d9e10" for n in range(1, 5))
TEMPERATURE = "00002a1c-0000-1000-8000-00805f9b34fb"
TWICE = "fff1"


def alone(more: str = "") -> str:
    """A scenario with nobody but the computer (and `more`)."""
    return f'title = "t"\nduration = "10s"\n[[node]]\nname = "computer"\nphone = "computer"\n{more}'


# Scanning


def test_discover_takes_its_simulated_time_and_finds_everyone(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)
    found = air.run(BleakScanner.discover(5.0, return_adv=True))
    assert sorted(found) == [THERMOMETER, TAG, VAULT]
    assert air.now_s == pytest.approx(5.0, abs=0.01)
    device, advert = found[TAG]
    assert (device.name, advert.local_name, advert.tx_power) == ("Tag", "Tag", -4)
    assert advert.manufacturer_data == {0xFFFF: b"\x01\x02"}
    assert -70 < advert.rssi < -30
    # the scenario can expect what the program was shown, once per device and scan
    assert sorted(event.peer for event in air.of("discovered", "computer")) == [
        "tag",
        "thermometer",
        "vault",
    ]


def test_find_by_name_ends_at_the_first_advert(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)
    device = air.run(BleakScanner.find_device_by_name("Vault"))
    assert device is not None
    assert device.address == VAULT
    assert air.now_s < 1
    assert air.run(BleakScanner.find_device_by_name("Nobody", timeout=2.0)) is None
    assert 2 <= air.now_s < 3.1


def test_service_filter(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)
    found = air.run(
        BleakScanner.discover(2.0, service_uuids=["00001809-0000-1000-8000-00805f9b34fb"])
    )
    assert [device.address for device in found] == [THERMOMETER]


def test_callbacks_come_in_the_program_and_stop_with_the_scan(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> tuple[int, int]:
        calls: list[str] = []
        scanner = BleakScanner(lambda device, _: calls.append(device.address))
        await scanner.start()
        await asyncio.sleep(1)
        await scanner.stop()
        count = len(calls)
        await asyncio.sleep(1)
        return count, len(calls)

    during, after = air.run(main())
    assert during > 20  # three advertisers at 100 ms
    assert during == after


def test_bluez_refuses_a_second_active_scan_and_passive_needs_patterns(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        async with BleakScanner():
            with pytest.raises(BleakDBusError, match="InProgress"):
                await BleakScanner().start()
        with pytest.raises(BleakError, match="or_patterns"):
            BleakScanner(scanning_mode="passive")

    air.run(main())


def test_passive_scan_asks_nobody_and_patterns_filter(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)
    pattern = (0, 0xFF, b"\xff\xff")  # manufacturer data of company 0xffff
    bluez = {"or_patterns": [pattern]}
    found = air.run(BleakScanner.discover(2.0, scanning_mode="passive", bluez=bluez))
    assert [device.address for device in found] == [TAG]
    assert not air.of("scan_req", "computer")


def test_macos_names_devices_by_uuids_of_its_own(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, os="corebluetooth")
    first = air.run(BleakScanner.discover(1.0))
    again = air.run(BleakScanner.discover(1.0))
    assert {len(device.address) for device in first} == {36}
    assert {d.address for d in first} == {d.address for d in again}
    by_address = air.run(BleakScanner.find_device_by_address(TAG, cb={"use_bdaddr": True}))
    assert by_address is not None
    with pytest.raises(BleakError, match="passive"):
        BleakScanner(scanning_mode="passive")


@pytest.mark.parametrize(
    ("system", "backend"),
    [
        ("bluez", BleakBackend.BLUEZ_DBUS),
        ("corebluetooth", BleakBackend.CORE_BLUETOOTH),
        ("winrt", BleakBackend.WIN_RT),
    ],
)
def test_the_backend_id_is_the_emulated_systems(
    bleak_air: Opener, system: str, backend: BleakBackend
) -> None:
    bleak_air(alone(), os=system)
    assert BleakScanner().backend_id == backend


def test_windows_scan_starts_once(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, os="winrt")

    async def main() -> None:
        async with BleakScanner() as scanner:
            with pytest.raises(BleakError, match="already started"):
                await scanner.start()

    air.run(main())


# Connections


def test_connect_by_address_scans_first_and_fails_by_name(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        async with BleakClient(TAG) as client:
            assert client.is_connected
            assert client.name == "Tag"  # the Device Name of GAP, which systems read
        with pytest.raises(BleakDeviceNotFoundError):
            await BleakClient("C0:FF:FF:FF:FF:FF", timeout=2.0).connect()

    air.run(main())


def test_connect_times_out_in_simulated_time_and_the_next_one_works(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        device = await BleakScanner.find_device_by_name("Vault")
        assert device is not None
        loop, vault = asyncio.get_running_loop(), air.device("vault")
        await air.bench.on_air(vault.ble.stop_advertising())  # type: ignore[attr-defined]  # an accessory
        begin = loop.time()
        with pytest.raises(TimeoutError):
            await BleakClient(device, timeout=5.0).connect()
        assert loop.time() - begin == pytest.approx(5.0, abs=0.01)
        await air.bench.on_air(vault.start())
        async with BleakClient(device, timeout=5.0) as client:
            assert client.is_connected

    air.run(main())


def test_a_cancelled_connect_does_not_connect_later(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        device = await BleakScanner.find_device_by_name("Vault")
        assert device is not None
        vault = air.device("vault")
        await air.bench.on_air(vault.ble.stop_advertising())  # type: ignore[attr-defined]  # an accessory
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await BleakClient(device).connect()
        await air.bench.on_air(vault.start())
        await asyncio.sleep(5)

    air.run(main())
    assert not air.of("connected", "vault")


def test_several_clients_at_once(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> list[bytes]:
        found = {device.address: device for device in await BleakScanner.discover(2.0)}
        clients = [BleakClient(found[address]) for address in (THERMOMETER, TAG, VAULT)]
        await asyncio.gather(*(client.connect() for client in clients))
        assert [client.is_connected for client in clients] == [True] * 3
        names = await asyncio.gather(*(client.read_gatt_char("2a00") for client in clients))
        connected = await (await BleakAdapter.get()).get_connected_devices()
        assert sorted(device.address for device in connected) == [THERMOMETER, TAG, VAULT]
        await asyncio.gather(*(client.disconnect() for client in clients))
        return [bytes(name) for name in names]

    assert air.run(main()) == [b"Thermometer", b"Tag", b"vault"]
    assert len(air.of("disconnected", "computer")) == 3


def test_the_disconnected_callback_comes_once_whoever_ends_it(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> list[str]:
        ended: list[str] = []
        device = await BleakScanner.find_device_by_name("Vault")
        assert device is not None
        client = BleakClient(device, lambda c: ended.append(f"ours {c.is_connected}"))
        await client.connect()
        await client.disconnect()
        await client.disconnect()  # harmless
        gone = asyncio.Event()
        client = BleakClient(device, lambda c: (ended.append("theirs"), gone.set()))  # type: ignore[func-returns-value]  # two statements
        await client.connect()
        await air.bench.on_air(
            air.device("vault").do("reboot", {})
        )  # drops everything without a word
        begin = asyncio.get_running_loop().time()
        await gone.wait()
        # 5 s supervision timeout of the computer (its setting supervision_timeout_ms)
        assert asyncio.get_running_loop().time() - begin == pytest.approx(5.0, abs=0.2)
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.read_gatt_char(PICKY)
        return ended

    assert air.run(main()) == ["ours False", "theirs"]


def test_a_program_that_leaves_without_a_word_is_tidied_up_after(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        device = await BleakScanner.find_device_by_name("Vault")
        assert device is not None
        await BleakClient(device).connect()
        await BleakScanner().start()

    air.run(main())
    assert not air.of("disconnected", "vault")
    air.pass_time(1)
    assert air.of("disconnected", "vault")
    asked = len(air.of("scan_req", "computer"))
    air.pass_time(2)
    assert len(air.of("scan_req", "computer")) == asked


def test_linux_forgets_devices_that_were_scanned_long_ago(bleak_air: Opener) -> None:
    async def main() -> None:
        device = await BleakScanner.find_device_by_name("Vault")
        assert device is not None
        await asyncio.sleep(60)
        async with BleakClient(device):
            pass

    with pytest.raises(BleakDeviceNotFoundError):
        bleak_air(ROOM).run(main())


def test_windows_keeps_devices_that_were_scanned_long_ago(bleak_air: Opener) -> None:
    async def main() -> bool:
        device = await BleakScanner.find_device_by_name("Vault")
        assert device is not None
        await asyncio.sleep(60)
        async with BleakClient(device) as client:
            return client.is_connected

    assert bleak_air(ROOM, os="winrt").run(main())


# GATT


def test_services_with_one_uuid_twice_are_told_apart_by_handle(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> list[bytes]:
        async with BleakClient(TAG) as client:
            with pytest.raises(BleakError, match="Multiple Characteristics"):
                await client.read_gatt_char(TWICE)
            service = client.services.get_service("fff0")
            assert service is not None
            both = [one for one in service.characteristics if one.uuid.startswith("0000fff1")]
            # handles are those of the declarations, as the systems' APIs have them (Vol 3 Part G 3.3.1)
            assert [one.handle for one in both] == [service.handle + 1, service.handle + 3]
            return [bytes(await client.read_gatt_char(one.handle)) for one in both]

    assert air.run(main()) == [b"left", b"right"]


@pytest.mark.parametrize("system", ["bluez", "winrt"])
def test_requested_services_are_the_only_ones(bleak_air: Opener, system: str) -> None:
    air = bleak_air(ROOM, os=system)

    async def main() -> list[str]:
        async with BleakClient(TAG, services=["fff0"]) as client:
            return [service.uuid for service in client.services]

    assert air.run(main()) == ["0000fff0-0000-1000-8000-00805f9b34fb"]


def test_macos_hides_gap_and_gatt(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, os="corebluetooth")

    async def main() -> list[str]:
        device = await BleakScanner.find_device_by_name("Tag")
        assert device is not None
        async with BleakClient(device) as client:
            return [service.uuid[4:8] for service in client.services]

    assert air.run(main()) == ["fff0"]


def test_cached_reads_do_not_ask_the_device(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        async with BleakClient(VAULT) as client:
            assert (
                await client.read_gatt_char(PICKY, use_cached=True) == b""
            )  # BlueZ: nothing known
            await client.write_gatt_char(PICKY, b"on", response=True)
            assert await client.read_gatt_char(PICKY) == b"on"
            await client.write_gatt_char(PICKY, b"of", response=True)
            asked = len(air.of("read_request", "computer"))
            assert await client.read_gatt_char(PICKY, use_cached=True) == b"on"
            assert len(air.of("read_request", "computer")) == asked
            assert await client.read_gatt_char(PICKY) == b"of"

    air.run(main())


def test_windows_reads_what_is_not_cached(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, os="winrt")

    async def main() -> bytes:
        async with BleakClient(TAG) as client:
            return bytes(await client.read_gatt_char("fff2", use_cached=True))

    assert air.run(main()) == b"\0"


def test_descriptors(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        async with BleakClient(VAULT) as client:
            counter = client.services.get_characteristic(COUNTER)
            assert counter is not None
            described = counter.get_descriptor("2901")
            assert described is not None
            assert await client.read_gatt_descriptor(described) == b"a counter"
            assert (
                await client.read_gatt_descriptor(described.handle, use_cached=True) == b"a counter"
            )
            with pytest.raises(BleakGATTProtocolError) as refused:
                await client.write_gatt_descriptor(described, b"x")
            assert refused.value.code == BleakGATTProtocolErrorCode.WRITE_NOT_PERMITTED
            cccd = counter.get_descriptor("2902")
            assert cccd is not None
            with pytest.raises(ValueError, match="CCCD"):
                await client.write_gatt_descriptor(cccd, b"\1\0")

    air.run(main())


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (lambda c: c.read_gatt_char(PICKY), 0x80),
        (lambda c: c.write_gatt_char(PICKY, b"odd", response=True), 0x13),
        (lambda c: c.read_gatt_char(MUTE), 0x02),
        (lambda c: c.write_gatt_char(SECRET, b"x", response=True), 0x03),
    ],
    ids=["application error", "value not allowed", "read not permitted", "write not permitted"],
)
def test_att_errors_keep_their_code(bleak_air: Opener, attempt, code: int) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        async with BleakClient(VAULT) as client:
            with pytest.raises(BleakGATTProtocolError) as failed:
                await attempt(client)
            assert failed.value.code == code

    air.run(main())


def test_the_first_notification_is_not_lost(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> list[int]:
        values: list[int] = []
        async with BleakClient(VAULT) as client:
            # the vault sends 0 at the moment of the subscription, maybe before it has answered it
            await client.start_notify(COUNTER, lambda _, value: values.append(value[0]))
            await asyncio.sleep(1.1)
            await client.stop_notify(COUNTER)
            count = len(values)
            await asyncio.sleep(1)
            assert len(values) == count
        return values

    assert air.run(main())[:4] == [0, 1, 2, 3]


def test_indications_are_confirmed_and_coroutine_callbacks_run(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> int:
        seen: asyncio.Queue[bytes] = asyncio.Queue()

        async def on_value(_: object, value: bytearray) -> None:
            await asyncio.sleep(0)
            seen.put_nowait(bytes(value))

        async with BleakClient(THERMOMETER) as client:
            await client.start_notify(TEMPERATURE, on_value)
            for _ in range(3):
                assert len(await seen.get()) == 6  # flags, FLOAT, type
        return len(air.of("confirm", "computer"))

    assert air.run(main()) >= 3


@pytest.mark.parametrize(
    ("system", "error"), [("bluez", "Failed to initiate write"), ("winrt", "514 fit")]
)
def test_writes_without_response_and_their_limit(
    bleak_air: Opener, system: str, error: str
) -> None:
    air = bleak_air(ROOM, os=system)

    async def main() -> None:
        async with BleakClient(VAULT) as client:
            picky = client.services.get_characteristic(PICKY)
            assert picky is not None
            assert picky.max_write_without_response_size == 514  # MTU 517 less opcode and handle
            await client.write_gatt_char(picky, bytes(512), response=False)
            assert await client.read_gatt_char(picky) == bytes(512)  # no value is longer
            with pytest.raises(BleakError, match=error):
                await client.write_gatt_char(picky, bytes(515), response=False)

    air.run(main())


def test_mtu_size_on_linux_needs_its_detour(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        async with BleakClient(TAG) as client:
            with pytest.warns(UserWarning, match="default MTU"):
                assert client.mtu_size == 23
            await client._backend._acquire_mtu()  # type: ignore[attr-defined]  # as bleak's mtu_size.py does
            assert client.mtu_size == 517

    air.run(main())


def test_mtu_size_elsewhere(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, os="winrt")

    async def main() -> int:
        async with BleakClient(TAG) as client:
            return client.mtu_size

    assert air.run(main()) == 517


@pytest.mark.parametrize(("system", "kind"), [("bluez", BleakDBusError), ("winrt", BleakError)])
def test_subscribing_to_what_cannot_notify(
    bleak_air: Opener, system: str, kind: type[BleakError]
) -> None:
    air = bleak_air(ROOM, os=system)

    async def main() -> None:
        async with BleakClient(TAG) as client:
            with pytest.raises(kind, match=r"[Nn]ot.*support"):
                await client.start_notify("fff2", lambda *_: None)

    air.run(main())


def test_a_given_up_read_does_not_disturb_the_next(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> bytes:
        async with BleakClient(TAG) as client:
            left, right = (
                one
                for one in client.services.characteristics.values()
                if one.uuid.startswith("0000fff1")
            )
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await client.read_gatt_char(left)
            return bytes(await client.read_gatt_char(right))

    assert air.run(main()) == b"right"


# The bench


def test_the_air_goes_on_between_two_runs(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)
    air.run(asyncio.sleep(1))
    air.pass_time(2)
    device = air.run(BleakScanner.find_device_by_name("Tag"))
    assert device is not None
    assert 3 <= air.now_s < 4


def test_one_air_at_a_time_and_bleak_is_given_back(bleak_air: Opener) -> None:
    import bleak

    from protocols.errors import UsageError

    before = bleak.get_platform_client_backend_type
    bleak_air(alone())
    assert bleak.get_platform_client_backend_type is not before
    with pytest.raises(UsageError, match="already"):
        bleak_air(alone())


def test_afterwards_bleak_is_itself_again() -> None:
    import bleak

    assert bleak.get_platform_client_backend_type.__module__ == "bleak.backends.client"


def test_a_foreign_event_loop_is_told_so(bleak_air: Opener) -> None:
    bleak_air(alone())
    loop = asyncio.SelectorEventLoop()
    try:
        with pytest.raises(BleakError, match="of its own"):
            loop.run_until_complete(BleakScanner().start())
    finally:
        loop.close()


def test_a_computer_that_is_off_has_no_bluetooth(bleak_air: Opener) -> None:
    from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

    air = bleak_air(alone('power = "5s"\n'))

    async def main() -> None:
        with pytest.raises(BleakBluetoothNotAvailableError) as refused:
            BleakScanner()
        assert refused.value.reason == BleakBluetoothNotAvailableReason.POWERED_OFF
        await asyncio.sleep(6)
        async with BleakScanner():
            pass

    air.run(main())


def test_expectations_of_the_scenario_see_the_program(bleak_air: Opener) -> None:
    expect = '\n[[expect]]\nevent = "discovered"\nnode = "computer"\nwhy = "the program scans"\n'
    air = bleak_air(alone(expect))
    air.run(BleakScanner.discover(1.0))
    assert not air.finish().passed  # nobody is there
