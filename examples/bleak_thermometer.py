"""How warm is it? Subscribes to a Health Thermometer and prints each measurement, for as many as asked for."""

import asyncio
import sys

from bleak import BleakClient, BleakScanner

HEALTH_THERMOMETER = "00001809-0000-1000-8000-00805f9b34fb"
MEASUREMENT = "00002a1c-0000-1000-8000-00805f9b34fb"


def celsius(value: bytearray) -> float:
    mantissa = int.from_bytes(value[1:4], "little", signed=True)
    return round(mantissa * 10.0 ** int.from_bytes(value[4:5], "little", signed=True), 3)


async def main(count: int) -> None:
    device = await BleakScanner.find_device_by_filter(
        lambda device, advert: HEALTH_THERMOMETER in advert.service_uuids,
        service_uuids=[HEALTH_THERMOMETER],
    )
    assert device is not None, "no thermometer within 10 s"
    measured: asyncio.Queue[float] = asyncio.Queue()
    gone = asyncio.Event()
    async with BleakClient(device, lambda client: gone.set()) as client:
        await client.start_notify(MEASUREMENT, lambda _, value: measured.put_nowait(celsius(value)))
        for _ in range(count):
            async with asyncio.timeout(5):
                print(f"{await measured.get()} degrees")
        await client.stop_notify(MEASUREMENT)
    assert gone.is_set(), "the disconnected callback did not come"


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
