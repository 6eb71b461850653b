"""What can it do? Prints services, characteristics and descriptors of a device with what can be read of them."""

import asyncio
import sys

from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError


async def main(name: str) -> int:
    device = await BleakScanner.find_device_by_name(name, timeout=5.0)
    if device is None:
        print(f"nobody is called {name}")
        return 1
    async with BleakClient(device) as client:
        print(f"{client.name}")
        for service in client.services:
            print(f"service {service.uuid} ({service.description})")
            for one in service.characteristics:
                print(
                    f"  {one.handle:3} {one.uuid} {'/'.join(one.properties)}{await value_of(client, one)}"
                )
                for descriptor in one.descriptors:
                    text = bytes(await client.read_gatt_descriptor(descriptor)).hex()
                    print(f"      {descriptor.handle:3} {descriptor.description}: {text}")
    return 0


async def value_of(client, characteristic) -> str:
    if "read" not in characteristic.properties:
        return ""
    try:
        return f" = {bytes(await client.read_gatt_char(characteristic))!r}"
    except BleakError as error:
        return f" ({error})"


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
