"""Pairing from a bleak program: who is asked, what each system does with an access that lacks security, lost bonds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError

if TYPE_CHECKING:
    from hw_bridge.testing import BleakAir, Opener

ROOM = Path(__file__).parents[2] / "examples" / "bleak_room.toml"
GUARDED = "7a0c0001-5a3e-4a7b-9c55-2f0f4c1d9e10"
DISPLAY = {"vault.io": "display_only", "vault.mitm": "required"}


async def vault() -> Any:
    device = await BleakScanner.find_device_by_name("Vault")
    assert device is not None
    return device


async def read_guarded(client: BleakClient) -> bytes:
    return bytes(await client.read_gatt_char(GUARDED))


def methods(air: BleakAir) -> list[str]:
    return [event.fields["method"] for event in air.of("pairing_method", "computer")]


def test_linux_pairs_by_itself_when_a_value_asks_for_it(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> bytes:
        async with BleakClient(await vault()) as client:
            return await read_guarded(client)

    assert air.run(main()) == b"gold"
    assert methods(air) == ["just_works"]  # the vault has neither display nor keys


def test_windows_hands_the_error_to_the_program(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, os="winrt")

    async def main() -> None:
        async with BleakClient(await vault()) as client:
            with pytest.raises(BleakGATTProtocolError) as refused:
                await read_guarded(client)
            assert refused.value.code in (0x05, 0x0F)  # insufficient authentication, or encryption
            await client.pair()
            await client.pair()  # harmless
            assert await read_guarded(client) == b"gold"

    air.run(main())
    assert len(methods(air)) == 1


def test_macos_has_no_pair_but_pairs_by_itself(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, os="corebluetooth")

    async def main() -> bytes:
        async with BleakClient(await vault(), pair=True) as client:  # bleak: ignored there
            with pytest.raises(NotImplementedError):
                await client.pair()
            with pytest.raises(NotImplementedError):
                await client.unpair()
            return await read_guarded(client)

    assert air.run(main()) == b"gold"


def test_the_person_types_what_the_other_side_shows(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, settings=DISPLAY)

    async def main() -> bytes:
        async with BleakClient(await vault(), pair=True, timeout=60) as client:
            return await read_guarded(client)

    assert air.run(main()) == b"gold"
    assert methods(air) == ["passkey_responder_displays"]
    (paired,) = air.of("paired", "computer")
    assert paired.fields["authenticated"]
    assert paired.t_us > 2_000_000  # the person took its time (setting person_delay)


def test_a_mistyped_pin_fails_with_the_systems_words_and_can_be_tried_again(
    bleak_air: Opener,
) -> None:
    air = bleak_air(ROOM, settings={**DISPLAY, "computer.wrong_pins": 1})

    async def main() -> bytes:
        async with BleakClient(await vault()) as client:
            with pytest.raises(BleakDBusError, match=r"org\.bluez\.Error\.AuthenticationFailed"):
                await client.pair()
            assert client.is_connected
            await client.pair()
            return await read_guarded(client)

    assert air.run(main()) == b"gold"


def test_a_scenario_step_types_the_pin(bleak_air: Opener) -> None:
    step = '\n[[step]]\nnode = "computer"\ndo = "enter_pin"\nset = { pin = "042042", timeout = "60s" }\n'
    file = ROOM.read_text(encoding="utf-8") + step
    file = file.replace('"bleak_vault.py"', f'"{ROOM.parent / "bleak_vault.py"}"')
    settings = {**DISPLAY, "vault.pin": "042042", "computer.person": "asked"}
    air = bleak_air(file, settings=settings)

    async def main() -> bytes:
        async with BleakClient(await vault(), pair=True) as client:
            return await read_guarded(client)

    assert air.run(main()) == b"gold"
    assert air.finish().passed


def test_a_person_that_does_not_answer_lets_pairing_time_out(bleak_air: Opener) -> None:
    air = bleak_air(ROOM, settings={**DISPLAY, "computer.person": "asked"})

    async def main() -> float:
        async with BleakClient(await vault(), timeout=90) as client:
            begin = asyncio.get_running_loop().time()
            with pytest.raises(BleakDBusError, match="AuthenticationTimeout"):
                await client.pair()
            return asyncio.get_running_loop().time() - begin

    # Vol 3 Part H 3.4: 30 s without a command
    assert air.run(main()) == pytest.approx(30, abs=1)


def test_a_lost_bond_is_told_and_mended_by_pairing_anew(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> bytes:
        async with BleakClient(await vault(), pair=True):
            pass
        await air.bench.on_air(air.device("vault").do("forget", {}))
        client = BleakClient(await vault())
        with pytest.raises(BleakError, match="lost the key of the bond"):
            await client.connect()
        assert not client.is_connected
        await client.unpair()
        async with BleakClient(await vault(), pair=True) as again:
            return await read_guarded(again)

    assert air.run(main()) == b"gold"


def test_unpair_disconnects_and_linux_forgets_the_device(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        client = BleakClient(await vault(), pair=True)
        await client.connect()
        await client.unpair()
        assert not client.is_connected
        assert not air.bench.computer.ble.bonded_with()
        await client.connect()  # it is found by its address again
        assert client.is_connected
        await client.disconnect()

    air.run(main())


def test_pairing_needs_a_connection(bleak_air: Opener) -> None:
    air = bleak_air(ROOM)

    async def main() -> None:
        with pytest.raises(BleakError, match="Not connected"):
            await BleakClient(await vault()).pair()

    air.run(main())
