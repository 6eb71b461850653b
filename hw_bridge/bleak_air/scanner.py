"""bleak's scanner on the simulated air.

bleak 3.1.0 backends/scanner.py (the interface) and backends/bluezdbus/scanner.py (BlueZ's filters). On the program's
loop; sights come from the world's by `post`. Rules of the file: what a system refuses, it refuses here with the same
exception and words; after `stop` no callback comes any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.exc import BleakDBusError, BleakError
from bleak.uuids import normalize_uuid_str

from hw_bridge.bleak_air.bench import current, post
from hw_bridge.bleak_air.radio import Listener

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hw_bridge.bleak_air.adverts import Parts, Sight
    from hw_bridge.bleak_air.bench import Bench
    from hw_bridge.bleak_air.loops import ProgramLoop

__all__ = ["AirScanner"]


class AirScanner(BaseBleakScanner):
    """`BleakScanner`'s backend: the computer's scan as the emulated system reports it."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        *,
        bluez: Mapping[str, Any] | None = None,
        cb: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._bench = current()
        self._system = self._bench.radio.system
        self._active = scanning_mode.lower() != "passive"
        self._use_bdaddr = bool((cb or {}).get("use_bdaddr", False))
        self._filters: Mapping[str, Any] = (bluez or {}).get("filters") or {}
        self._patterns: Sequence[Any] = (bluez or {}).get("or_patterns") or ()
        self._listener: Listener | None = None
        if not self._active and self._system.passive == "no":
            raise BleakError("macOS does not support passive scanning")
        if not self._active and self._system.passive == "with_patterns" and not self._patterns:
            raise BleakError("passive scanning mode requires bluez or_patterns")

    async def start(self) -> None:
        """Start scanning. Raises BleakError (it scans already), BleakDBusError (BlueZ: somebody of the program does)."""
        bench, loop = self._bench, self._bench.program_loop()
        if self._listener is not None and self._system.name == "winrt":
            raise BleakError("Scanner already started")
        if self._active and self._system.one_scan and bench.radio.scans_actively:
            raise BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])
        if self._listener is not None:
            await self.stop()
        self.seen_devices = {}
        replace = bool(self._filters.get("DuplicateData", False))

        def on_sight(sight: Sight) -> None:
            self._heard(bench, loop, listener, sight)

        listener = Listener(on_sight, active=self._active, replace=replace)
        self._listener = listener
        loop.on_close.append(self._abandon)
        await bench.on_air(bench.radio.listen(listener), keep=True)

    async def stop(self) -> None:
        """Stop scanning; harmless when not scanning."""
        listener, self._listener = self._listener, None
        if listener is not None:
            loop = self._bench.program_loop()
            if self._abandon in loop.on_close:
                loop.on_close.remove(self._abandon)
            await self._bench.on_air(self._bench.radio.leave(listener), keep=True)

    def _abandon(self) -> None:
        """The program closed its loop without stopping."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._bench.start(self._bench.radio.leave(listener))

    def _heard(self, bench: Bench, loop: ProgramLoop, listener: Listener, sight: Sight) -> None:
        """On the world's loop."""
        if listener is not self._listener or not self._passes(sight):
            return
        if self.is_allowed_uuid(list(sight.parts.uuids)) and post(
            loop, self._seen, listener, sight
        ):
            bench.radio.meet(listener, sight)

    def _passes(self, sight: Sight) -> bool:
        """The system's own filters."""
        if self._system.name != "bluez":
            return True
        if not self._active:
            return any(_matches(sight.parts, pattern) for pattern in self._patterns)
        wanted = self._filters.get("UUIDs", self._service_uuids) or ()
        uuids = {normalize_uuid_str(uuid) for uuid in wanted}
        if uuids and not uuids & set(sight.advertised):
            return False
        power_dbm, rssi_dbm = sight.parts.tx_power_dbm, sight.rssi_dbm
        if "RSSI" in self._filters and rssi_dbm < self._filters["RSSI"]:
            return False
        if "Pathloss" in self._filters and (
            power_dbm is None or power_dbm - rssi_dbm > self._filters["Pathloss"]
        ):
            return False
        pattern = str(self._filters.get("Pattern", ""))
        address = sight.known.address.startswith(pattern.lower())
        return address or (sight.name or "").startswith(pattern)

    def _seen(self, listener: Listener, sight: Sight) -> None:
        """On the program's loop."""
        if listener is not self._listener:
            return
        parts, known = sight.parts, sight.known
        advertisement = AdvertisementData(
            local_name=parts.local_name,
            manufacturer_data=parts.manufacturer,
            service_data=parts.service_data,
            service_uuids=list(parts.uuids),
            tx_power=parts.tx_power_dbm,
            rssi=sight.rssi_dbm,
            platform_data=sight.platform_data,
        )
        key = known.path if self._system.name == "bluez" else known.key
        address = known.address.upper() if self._use_bdaddr else known.key
        device = self.create_or_update_device(
            key, address, sight.name, sight.details, advertisement
        )
        self.call_detection_callbacks(device, advertisement)


def _matches(parts: Parts, pattern: Any) -> bool:
    """Whether a structure of the advert has the octets of an or-pattern (start, AD type, octets)."""
    start, kind, content = pattern
    return any(
        ad_type == kind and data[start : start + len(content)] == content
        for ad_type, data in parts.structures
    )
