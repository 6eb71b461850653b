"""What can go wrong, and how does a program tell? Each failure by the exception that bleak raises for it."""

import asyncio

from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakCharacteristicNotFoundError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

PICKY = "7a0c0003-5a3e-4a7b-9c55-2f0f4c1d9e10"
MUTE = "7a0c0004-5a3e-4a7b-9c55-2f0f4c1d9e10"
TWICE = "0000fff1-0000-1000-8000-00805f9b34fb"


async def failure(what: str, attempt) -> None:
    try:
        await attempt
    except BleakGATTProtocolError as error:
        print(f"{what}: {error.code.name}")
    except (BleakCharacteristicNotFoundError, BleakDeviceNotFoundError, TimeoutError) as error:
        print(f"{what}: {type(error).__name__}")
    except BleakError as error:
        print(f"{what}: {error}")
    else:
        print(f"{what}: no failure")


async def main() -> None:
    await failure("nobody there", BleakClient("C0:FF:FF:FF:FF:FF", timeout=3.0).connect())
    vault = await BleakScanner.find_device_by_name("Vault")
    async with BleakClient(vault) as client:
        await failure("read too early", client.read_gatt_char(PICKY))
        await failure("an odd value", client.write_gatt_char(PICKY, b"odd", response=True))
        await failure("an even value", client.write_gatt_char(PICKY, b"even", response=True))
        await failure("read of what is write only", client.read_gatt_char(MUTE))
        await failure("no such characteristic", client.read_gatt_char(TWICE))
    tag = await BleakScanner.find_device_by_name("Tag")
    async with BleakClient(tag) as client:
        await failure("one UUID twice", client.read_gatt_char(TWICE))
    await failure("disconnected", client.read_gatt_char(TWICE))


if __name__ == "__main__":
    asyncio.run(main())
