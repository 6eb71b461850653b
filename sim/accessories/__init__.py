"""Accessory firmware models, one file each; a file is registered by being here and defining ACCESSORY.

`Accessory` is the base of the built-in ones and of a user's own (named by the path of its file).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from protocols.errors import UnknownNameError, UsageError
from protocols.registry import Folder
from sim.console import given, help_lines, parse, setting_kinds
from sim.device import Settings, check_address, command, convert
from sim.pairing import PairingDevice, PairingSettings
from sim.redaction import masked

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine

    from sim.device import Place
    from sim.gatt import Advert, LinkParameters, Peer, Service

__all__ = ["ACCESSORIES", "Accessory", "AccessorySettings", "Peripheral"]


_LOG_LINES = 200


class Peripheral(Protocol):
    """The BLE radio of an accessory: a GATT server and advertising sets (served by sim/ble/peripheral.py)."""

    @property
    def address(self) -> str:
        """Address in use, `aa:bb:cc:dd:ee:ff`."""
        ...

    async def power_on(self, services: tuple[Service, ...]) -> None:
        """Start controller and host with this GATT table."""
        ...

    async def power_off(self) -> None:
        """Drop everything at once, as when the battery is pulled."""
        ...

    async def advertise(self, advert: Advert, handle: int = 0) -> None:
        """Start (or replace) advertising set `handle`; a connectable one rests while a central is connected by it."""
        ...

    async def set_data(
        self, data: bytes, scan_response: bytes | None = None, handle: int = 0
    ) -> None:
        """New octets for a running set, without a gap."""
        ...

    async def stop_advertising(self, handle: int = 0) -> None:
        """Stop one set; harmless when it is not running."""
        ...

    async def notify(self, characteristic: str, value: bytes, peer: Peer | None = None) -> int:
        """Notify subscribers (or one peer); the number of peers it was sent to."""
        ...

    async def indicate(self, characteristic: str, value: bytes, peer: Peer | None = None) -> int:
        """Indicate and wait for the confirmations; the number of peers that confirmed."""
        ...

    async def disconnect(self, peer: Peer) -> None:
        """Close a connection."""
        ...

    async def request_parameters(
        self, peer: Peer, low_ms: float, high_ms: float, latency: int, timeout_ms: int
    ) -> bool:
        """Ask the central for connection parameters; whether it accepted. False when the connection is gone."""
        ...

    def parameters(self, peer: Peer) -> LinkParameters | None:
        """Connection parameters in force, None when the connection is gone."""
        ...

    async def request_security(self, peer: Peer) -> None:
        """Send a Security Request; harmless when the connection is gone."""
        ...

    async def forget(self, peer: str = "") -> int:
        """Remove bonds with `peer` (a node or address; empty = all); how many."""
        ...

    def bonded_with(self) -> list[str]:
        """Names (or addresses) of the bonded peers, oldest first."""
        ...

    def connected_with(self) -> list[str]:
        """Names (or addresses) of the connected peers, oldest first."""
        ...

    def cancel_pairing(self) -> bool:
        """End running pairings; False when there is none."""
        ...


class AccessorySettings(PairingSettings, frozen=True, kw_only=True):
    """Settings every accessory has."""

    address: str = ""
    """radio address; drawn from the seed (a static random one) when empty."""
    tx_power_dbm: int = 0
    """transmit power, dBm."""

    def __post_init__(self) -> None:
        if self.address:
            check_address(self.address)
        self.check_pairing()


class Accessory(PairingDevice):
    """One simulated accessory: override `services`, `start` and the `on_...` methods you need."""

    Settings: ClassVar[type[Settings]] = AccessorySettings
    layer: ClassVar[str] = "accessory"
    button: ClassVar[str] = "press_button"
    """the command that its button gives; a model without such a command has no button."""
    ble: Peripheral

    def __init__(self, name: str, settings: Any, place: Place) -> None:
        super().__init__(name, settings, place)
        self._background: list[asyncio.Task[Any]] = []
        self._factory = settings
        self.stored: dict[str, Any] = {}
        """what it keeps in flash: over reboots, not over a factory reset."""
        self.lines: deque[str] = deque(maxlen=_LOG_LINES)
        """the last lines of its log."""
        self.leds: dict[str, str] = {}
        """LED -> what it does, in words; empty when the model has none."""
        self.changed: set[str] = set()
        """settings that were changed since it was started, and count from the next start on."""
        self.is_off = False
        """whether somebody has switched it off."""

    def log(self, text: str) -> None:
        """A line on the console."""
        self.lines.append(text)
        super().log(text)

    def store(self, key: str, value: Any) -> None:
        """Keep `value` over reboots."""
        self.stored[key] = value

    def show_led(self, led: str, state: str) -> None:
        """Let an LED do something else; "off" is dark."""
        if self.leds.setdefault(led, "off") != state:
            self.leds[led] = state
            self.emit("led", note=f"{led}: {state}", label="LED", led=led, state=state)

    async def do(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run a command. Raises UsageError while it is switched off, and as `Device.do`."""
        if self.is_off and name not in ("switch_on", "console"):
            raise UsageError(f"{self.name} is switched off; switch_on gives it its power back")
        return await super().do(name, arguments)

    def background(self, task: Coroutine[Any, Any, Any]) -> None:
        """Run `task` beside everything else until it ends or the device is switched off."""
        self._background = [one for one in self._background if not one.done()]
        self._background.append(self.place.spawn(self.name, task))

    def services(self) -> tuple[Service, ...]:
        """The GATT table; asked for once at each power-on."""
        return ()

    def local_name(self) -> str:
        """Device Name of the Generic Access service."""
        return self.name

    def on_connect(self, peer: Peer) -> None:
        """A central connected."""

    def on_disconnect(self, peer: Peer, reason: int) -> None:
        """The connection ended; `reason` is the HCI error code."""

    def authorize(self, peer: Peer, characteristic: str, kind: str) -> bool:
        """Whether `peer` may "read" or "write" a characteristic with the security `authorized`."""
        return False

    def tells_service_changed(self) -> bool:
        """Whether bonded clients are told by an indication that the GATT table has changed."""
        return True

    def on_subscribe(self, peer: Peer, characteristic: str, mode: str) -> None:
        """The peer wrote the CCCD: `mode` is "notify", "indicate" or "off"."""

    @command
    async def console(self, line: str) -> None:
        """Type a line on its console: `help`, `log`, or a command as in "change setting=io value=none"."""
        found = parse(self.name, line, self.place.secret)
        if found is None:
            return
        name, arguments = found
        if name in ("log", "help"):
            for text in list(self.lines) if name == "log" else self._help():
                self.emit(f"{name}_line", note=text)
            return
        await self.do(name, given(self, name, arguments))

    def _help(self) -> list[str]:
        """A line for each thing that can be typed."""
        return ["help: this list", "log: the last lines of its log", *help_lines(self)]

    @command
    async def change(self, setting: str, value: Any) -> None:
        """Change a setting for good; in force after the next reboot, undone by a factory reset."""
        kind: type[AccessorySettings] = self.settings.__class__
        known = setting_kinds(self)
        if setting not in known:
            raise UnknownNameError(f"setting of {self.name}", setting, known)
        checked = convert(value, known[setting], f"{self.name}.change: value")
        plain = {name: getattr(self.settings, name) for name in known} | {setting: checked}
        try:
            self.settings = kind(**plain)
        except ValueError as exc:
            raise UsageError(f"{self.name}.change: {exc}") from None
        self.changed.add(setting)
        shown = masked({"setting": setting, "value": value}, self.place.secret)["value"]
        self.log(f"{setting} is {shown} from the next start on")

    @command
    async def factory_reset(self) -> None:
        """Forget bonds, stored values and changed settings, and start again. Address and IRK stay."""
        self.emit("factory_reset", note="bonds and settings are erased")
        await self.ble.forget()
        self.stored.clear()
        self.settings = self._factory
        await self.reboot()

    @command
    async def reboot(self) -> None:
        """Switch off at once and on again: connections drop by supervision timeout."""
        if not self.is_off:
            await self.lose_power()
            await self.get_power()

    @command
    async def switch_off(self) -> None:
        """Take its power away: connections drop by supervision timeout, and nothing works until switch_on."""
        self.is_off = True
        await self.lose_power()
        self.emit("switched_off", note="nothing works until it is switched on")

    @command
    async def switch_on(self) -> None:
        """Give it its power back; harmless when it is on."""
        if self.is_off:
            self.is_off = False
            self.emit("switched_on")
            await self.get_power()

    async def lose_power(self) -> None:
        """Everything that runs ends at once."""
        await self.stop()
        for task in self._background:
            task.cancel()
        await self._radio_off()
        for led in self.leds:
            self.show_led(led, "off")

    async def get_power(self) -> None:
        """Start as after power-on, with the settings as they are now."""
        self.changed.clear()
        await self._radio_on()
        await self.start()

    async def _radio_off(self) -> None:
        await self.ble.power_off()

    async def _radio_on(self) -> None:
        await self.ble.power_on(self.services())


ACCESSORIES: Folder[type[Accessory]] = Folder("sim.accessories", "ACCESSORY", "accessory")
