"""An iPhone's Wi-Fi Aware as its app and its user use it: the commands.

Rules IA-xx and AK-12 to AK-16 (`nearbench list rules`) decide; the phone carries out their effects and says which rule made it
do what. `_aware_ios_core.py` holds the parts together.
"""

from __future__ import annotations

from typing import Literal

from protocols.errors import UsageError
from sim.device import command
from sim.phones._aware_ios_browser import Devices, Whom
from sim.phones._aware_ios_connection import Wanted
from sim.phones._aware_ios_core import AwareIosCore
from sim.phones._aware_ios_data import (
    Transport,  # noqa: TC001  # commands read their annotations
)
from sim.phones._aware_ios_picker import AwarePicker, Sheet, Wish
from sim.units import Duration

__all__ = ["AwareIos"]

_PATIENCE, _CONNECT = Duration(60_000_000), Duration(30_000_000)


def _octets(what: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"{what}: {text!r} is not hexadecimal") from None


class AwareIos(AwareIosCore):
    """Base of iPhones: the Wi-Fi Aware half."""

    # Commands

    @command
    async def aware_picker(
        self,
        service: str,
        choose: str = "",
        sheet: Sheet = "device_picker",
        vendor: str = "",
        model: str = "",
        role: int | None = None,
        finish: bool = True,
        patience: Duration = _PATIENCE,
    ) -> None:
        """Show DevicePicker (or AccessorySetupKit's picker) for a service; the user taps `choose` and pairs by PIN.

        `vendor`, `model` and `role` are those of the descriptor; `finish` = false: the user closes the sheet too early.
        """
        wish = Wish(
            service=service, sheet=sheet, choose=choose, vendor=vendor, model=model, role=role, finish=finish
        )  # fmt: skip
        picker = AwarePicker(self, wish)
        if self.picker is not None:
            picker.allowed()
            return
        before = self.aware_app.subscribing
        self.picker = picker
        try:
            if picker.allowed():
                await picker.run(patience)
        finally:
            self.picker = None
            self.set_aware(subscribing=before, picker_open=False, picker=None)
            self.browsers.hold(service, int(self.settings.aware.held_time))

    @command
    async def aware_browse(
        self, service: str, devices: Devices = "all_paired", selected: list[str] | None = None
    ) -> None:
        """Start a NetworkBrowser: the app is told of its paired devices that publish the service.

        `devices` is whom it is for; with "selected" those in `selected` (nodes, names or ids).
        """
        await self.browsers.browse(service, _CONNECT / 1e6, self._whom(devices, selected))

    def _whom(self, devices: Devices, selected: list[str] | None) -> Whom:
        """The paired devices of these names, by where they were met last."""
        found = [self.store.find(name) for name in selected or ()]
        nmis = tuple(self.store.address_of(one) for one in found if one is not None)
        return Whom(devices, nmis)

    @command
    async def aware_connect(
        self,
        to: str,
        service: str,
        keep_browsing: bool = True,
        tries: int = 1,
        transport: Transport = "udp",
        port: int = 0,
        timeout: Duration = _CONNECT,  # noqa: ASYNC109  # simulated time, as users write it
    ) -> None:
        """Connect to a paired device (a node, name or id) and send something: a data path is opened, after a verification.

        A browser is started when none runs, up to `tries` times; `keep_browsing` = false: the app stops it at the first result.
        """
        wanted = Wanted(
            to=to,
            service=service,
            patience_us=int(timeout),
            keep_browsing=keep_browsing,
            tries=tries,
            transport=transport,
            port=port,
        )
        await self.connections.connect(wanted)

    @command
    async def aware_send(
        self,
        text: str = "",
        hex: str = "",  # noqa: A002  # as users write it
        to: str = "",
        timeout: Duration = _CONNECT,  # noqa: ASYNC109  # likewise
    ) -> None:
        """Send a text, or octets, over the latest connection (or that with a node, name or id)."""
        octets = _octets(f"{self.name}.aware_send: hex", hex) if hex else text.encode()
        await self.connections.send(self.connections.with_peer(to), octets, timeout / 1e6)

    @command
    async def aware_receive(self, to: str = "", timeout: Duration = _CONNECT) -> None:  # noqa: ASYNC109  # likewise
        """Wait for data on the latest connection (or that with a node, name or id)."""
        await self.connections.receive(self.connections.with_peer(to), timeout / 1e6)

    @command
    async def aware_pairing_view(self, service: str, patience: Duration = _PATIENCE) -> None:
        """Show DevicePairingView: the phone publishes a service, and shows a PIN to who wants to pair."""
        await self.publisher.show(service, patience)

    @command
    async def aware_listen(
        self, service: str, devices: Devices = "all_paired", selected: list[str] | None = None
    ) -> None:
        """Start a NetworkListener: paired devices may connect; `devices` and `selected` as in aware_browse."""
        await self.publisher.listen(service, self._whom(devices, selected), _CONNECT / 1e6)

    @command
    async def aware_stop(
        self, what: Literal["browser", "listener", "connections", "all"] = "all"
    ) -> None:
        """The app cancels its browsers, its listeners, its connections, or all of them."""
        if what in ("connections", "all"):
            for one in list(self.connections.open):
                self.connections.close(one, "", "cancelled by the app", "")
        if what in ("browser", "all"):
            self.browsers.stop_all()
        if what in ("listener", "all"):
            self.publisher.stop_listening()

    # The app and the phone

    def suspend_aware(self) -> None:
        """The app is suspended: what it has is closed, and nothing wakes it (IA-66)."""
        if not self.keeps("IA-66"):
            return
        self.connections.close_all("the app is suspended", "IA-66")
        self.browsers.stop_all()
        self.publisher.stop_listening()

    @command
    async def aware_paired_devices(self) -> None:
        """Say which paired devices Settings list, and which the app is given."""
        listed = [one.name for one in self.store.all]
        given = [one.name for one in self.store.of_app]
        note = f"Settings: {', '.join(listed) or 'none'}; the app: {', '.join(given) or 'none'}"
        self.emit("paired_devices", note=note, settings=listed, app_sees=given)

    @command
    async def forget_paired(self, peer: str = "") -> None:
        """The user removes a paired device (a node, name or id; all of them) in Settings; it is not told (AK-16)."""
        wanted = self.store.all if not peer else filter(None, (self.store.find(peer),))
        for device in list(wanted):
            self.end_session(self.store.remove(device.place))
            self.aware.forget(device.place)
            note = f"{device.name!r} is removed in Settings; nothing was sent to it (AK-16)"
            app = self.app_with_paired()
            self.emit("paired_device_removed", peer=device.node, note=note, rule="AK-16", app=app)
            if device.by_accessory_setup:
                note = f"{device.name!r}: accessoryRemoved (AK-16)"
                self.emit("accessory_removed", peer=device.node, note=note, rule="AK-16")

    @command
    async def reinstall(self) -> None:
        """The user removes the app and installs it again; paired devices belong to the system and stay (IA-50)."""
        settings = self.settings
        self.connections.close_all("the app is removed", "")
        self.browsers.stop_all()
        self.publisher.stop_listening()
        self.store.reinstalled(
            same_ids=settings.same_ids_after_reinstall, access=settings.access_after_reinstall
        )
        self.reinstalled = True
        self.set_app(aware=self.first_aware_app())
        app = self.app_with_paired()
        ids = ", ".join(one.id for one in self.store.of_app) or "none"
        note = f"paired devices of the app: {ids} (IA-50a)"
        self.emit("reinstalled", note=note, label="app installed again", rule="IA-50a", app=app)

    @command
    async def restart(self) -> None:
        """Switch the phone's Wi-Fi Aware off and on as a restart does: another address, the same paired devices."""
        self._lose_radio("the phone restarts")
        self.emit("restarted", note=f"{len(self.store.all)} paired devices are kept (IA-50)")

    @command
    async def switch_wifi(self, on: bool, for_: Duration | None = None) -> None:
        """Switch Wi-Fi on or off; `for` a time, without waiting for its end."""
        self._set_wifi(on=on)
        if for_ is not None:
            self.place.after_us(int(for_), lambda: self._set_wifi(on=not on))

    def _set_wifi(self, *, on: bool) -> None:
        self.emit("wifi", note="on" if on else "off", label=f"Wi-Fi {'on' if on else 'off'}")
        if on:
            self.wifi.set()
        else:
            self.wifi.clear()
            self._lose_radio("Wi-Fi is switched off")

    def _lose_radio(self, why: str) -> None:
        self.connections.close_all(why, "")
        self.browsers.stop_all()
        self.publisher.stop_listening()
        self.aware_off()
