"""Who is there? Prints every device that is heard within some seconds, nearest first."""

import argparse
import asyncio

from bleak import BleakScanner


async def main(seconds: float) -> None:
    found = await BleakScanner.discover(seconds, return_adv=True)
    for device, advert in sorted(found.values(), key=lambda pair: -pair[1].rssi):
        told = [f"{advert.rssi} dBm"]
        if advert.tx_power is not None:
            told.append(f"sent with {advert.tx_power} dBm")
        told += [
            f"company {key:#06x}: {data.hex()}" for key, data in advert.manufacturer_data.items()
        ]
        told += [f"service {uuid}" for uuid in advert.service_uuids]
        print(f"{device.address} {device.name or '(no name)'}: {', '.join(told)}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=3.0)
    asyncio.run(main(options.parse_args().seconds))
