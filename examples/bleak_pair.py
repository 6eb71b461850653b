"""Reads a value that needs an encrypted link: pairs first, and comes back over the bond without pairing again."""

import asyncio

from bleak import BleakClient, BleakScanner

VALUE = "7a0c0001-5a3e-4a7b-9c55-2f0f4c1d9e10"


async def main() -> None:
    device = await BleakScanner.find_device_by_name("Vault")
    async with BleakClient(device, pair=True) as client:
        print(f"after pairing: {bytes(await client.read_gatt_char(VALUE)).decode()}")
    async with BleakClient(device) as client:
        print(f"over the bond: {bytes(await client.read_gatt_char(VALUE)).decode()}")
        await client.unpair()
        print(f"connected after unpair: {client.is_connected}")


if __name__ == "__main__":
    asyncio.run(main())
