"""bleak's adapter on the simulated air.

bleak 3.1.0 backends/adapter.py (the interface); the devices it returns can be given to BleakClient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.device import BLEDevice

from hw_bridge.bleak_air.adverts import RawPair
from hw_bridge.bleak_air.bench import current

if TYPE_CHECKING:
    from hw_bridge.bleak_air.adverts import Known
    from hw_bridge.bleak_air.bench import Bench

__all__ = ["AirAdapter"]


class AirAdapter(BaseBleakAdapter):
    """`BleakAdapter`'s backend: the computer's one adapter."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @classmethod
    async def get(cls, **kwargs: Any) -> AirAdapter:
        """The adapter; BlueZ's choice of one by name is ignored. Raises BleakBluetoothNotAvailableError."""
        bench = current()
        bench.program_loop()
        bench.radio  # noqa: B018  # raises when the computer is off
        return cls(bench)

    async def get_connected_devices(self, service_uuids: frozenset[str]) -> list[BLEDevice]:
        """Devices the computer is connected to that have one of the services."""
        radio = self._bench.radio
        found = filter(None, (radio.find(address) for address in radio.links))
        return [
            BLEDevice(known.key, known.name, self._details(known))
            for known in found
            if service_uuids & set(known.uuids)
        ]

    def _details(self, known: Known) -> Any:
        system = self._bench.radio.system.name
        if system == "bluez":
            return {"path": known.path, "props": known.properties()}
        return RawPair(None, None) if system == "winrt" else (known, None)
