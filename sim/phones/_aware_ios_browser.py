"""Browsers of an app on an iPhone: what they find of its paired devices, and how they fail.

Rules IA-08, IA-14, IA-15, IA-20 to IA-28. A browser is a subscribe; the phone has one for each service.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, NamedTuple

from protocols.wifi_aware.matching import service_id

if TYPE_CHECKING:
    from sim.phones._aware_ios_core import AwareIosCore
    from sim.phones._aware_ios_store import PairedDevice
    from sim.phones._aware_ios_view import Published

__all__ = ["ALL_PAIRED", "Browser", "Browsers", "Devices", "Whom"]

Devices = Literal["all_paired", "selected", "user_specified"]
_AGAIN_S = 1.0


class Whom(NamedTuple):
    """Whom a browser or listener is for."""

    devices: Devices = "all_paired"
    selected: tuple[str, ...] = ()
    """NMIs, with `selected`."""

    def admits(self, nmi: str) -> bool:
        """Whether it is for the device at that address."""
        return self.devices != "selected" or nmi in self.selected


ALL_PAIRED = Whom()


class Browser:
    """NetworkBrowser of one service: the paired devices it has found."""

    def __init__(self, service: str, handle: int, whom: Whom) -> None:
        self.service = service
        self.whom = whom
        self.service_id = service_id(service)
        self.handle = handle
        self.found: dict[int, Published] = {}
        """by place of the paired device."""
        self.strangers: set[str] = set()
        """NMIs of others that publish it."""
        self.waiting: list[tuple[int, asyncio.Future[Published]]] = []

    async def visible(self, device: PairedDevice, seconds: float) -> Published:
        """Wait until a paired device is found. Raises TimeoutError."""
        known = self.found.get(device.place)
        if known is not None:
            return known
        future: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        entry = (device.place, future)
        self.waiting.append(entry)
        try:
            return await asyncio.wait_for(future, seconds)
        finally:
            self.waiting.remove(entry)


class Browsers:
    """All of the app's."""

    def __init__(self, phone: AwareIosCore) -> None:
        self._phone = phone
        self._running: dict[str, Browser] = {}
        self._held_us: dict[str, int] = {}
        """service -> until when the system itself subscribes to it."""

    def runs(self, service: str) -> bool:
        """Whether one is for that service."""
        return service in self._running

    async def get(self, service: str, tries: int, seconds: float) -> Browser | None:
        """The browser that runs, or a new one; the app tries again every second."""
        if service in self._running:
            return self._running[service]
        for number in range(tries):
            if number:
                await asyncio.sleep(_AGAIN_S)
            browser = await self.browse(service, seconds)
            if browser is not None:
                return browser
        return None

    async def browse(self, service: str, seconds: float, whom: Whom = ALL_PAIRED) -> Browser | None:
        """Begin to look for paired devices; None when the app got an error."""
        phone = self._phone
        held = tuple(name for name, until in self._held_us.items() if until > phone.now_us)
        subscribing = (*phone.aware_app.subscribing, service)
        app = phone.set_aware(
            subscribing=subscribing,
            held_by_system=held,
            devices=whom.devices,
            selected=whom.selected,
        )
        phone.emit("aware_browse", note=f"for {service}", label="app browses", app=app)
        if phone.is_supported("browser") and not phone.app_fails("browser"):
            browser = await self._ready_browser(service, seconds, whom)
            if browser is not None:
                return browser
        phone.set_aware(subscribing=phone.without(phone.aware_app.subscribing, service))
        return None

    async def _ready_browser(self, service: str, seconds: float, whom: Whom) -> Browser | None:
        phone = self._phone
        if not await phone.network_is_up("browser", seconds):
            return None
        handle = phone.look_for(service, "browser")
        if handle is None:
            return None
        phone.emit("browser_ready", note=service, label="browser ready")
        if phone.app_fails("browser", late=True):
            phone.stop_looking(service)
            return None
        browser = self._running[service] = Browser(service, handle, whom)
        return browser

    def stop(self, service: str) -> None:
        """The app cancels its browser; harmless without one."""
        browser = self._running.pop(service, None)
        if browser is None:
            return
        phone = self._phone
        phone.stop_looking(service)
        phone.set_aware(subscribing=phone.without(phone.aware_app.subscribing, service))
        phone.emit("browser_cancelled", note=service, label="browser cancelled")

    def hold(self, service: str, time_us: int) -> None:
        """The system subscribes to a service itself for a time (IA-15)."""
        self._held_us[service] = self._phone.now_us + time_us

    def on_published(self, found: Published, device: PairedDevice | None) -> None:
        """A service was heard."""
        for browser in self._running.values():
            if browser.service_id != found.service_id:
                continue
            if device is None:
                browser.strangers.add(found.nmi)
            elif found.refused is None and browser.whom.admits(found.nmi):
                self._found(browser, found, device)

    def _found(self, browser: Browser, found: Published, device: PairedDevice) -> None:
        before = browser.found.get(device.place)
        browser.found[device.place] = found
        if before is None or before.nmi != found.nmi:
            note = f"{device.name!r}, WAPairedDevice {device.id}"
            self._phone.emit("browser_result", peer=device.node, note=note, label="browser finds")
        for place, future in browser.waiting:
            if place == device.place and not future.done():
                future.set_result(found)

    def on_lost(self, nmi: str) -> None:
        """A publish has not been heard for a while."""
        for browser in self._running.values():
            for place, found in list(browser.found.items()):
                if found.nmi == nmi:
                    del browser.found[place]
                    self._tell_lost(place, nmi)

    def _tell_lost(self, place: int, nmi: str) -> None:
        phone = self._phone
        device, strength_dbm = phone.store.get(place), phone.view.last_dbm(nmi)
        name = device.name if device is not None else nmi
        phone.emit(
            "browser_lost",
            peer=phone.aware.name(nmi),
            note=f"{name!r} is no longer heard, {strength_dbm} dBm at the last",
            label="browser loses",
            rssi_dbm=strength_dbm,
        )

    def stop_all(self) -> None:
        """The app cancels all of them."""
        for service in list(self._running):
            self.stop(service)
