"""A computer whose Bluetooth a program uses: it does nothing by itself, and has a person who answers pairing questions.

`nearbench bleak` gives its radio to the program; in a plain `nearbench run` it sits there. Vol 3 Part H 2.3.5.1
(IO capabilities) says what the person may be asked. Rules of the file: the person is settings (what is typed, what
is answered, after how long), and commands of the scenario override them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal

from protocols.errors import UsageError
from sim.device import command
from sim.phones import Phone, PhoneSettings
from sim.units import Duration

if TYPE_CHECKING:
    from sim.device import Settings

Io = Literal["none", "display", "yes_no", "keyboard", "keyboard_display"]
_NOBODY = -1
_LAST_PASSKEY = 999_999


class ComputerSettings(PhoneSettings, frozen=True, kw_only=True):
    """Settings of the computer."""

    os: Literal["bluez", "corebluetooth", "winrt"] = "bluez"
    """whose Bluetooth stack is played, as far as bleak shows it: Linux, macOS or Windows."""
    scan_interval_ms: float = 60.0
    """scan interval, ms."""
    scan_window_ms: float = 60.0
    """scan window, ms."""
    io_capability: Io = "none"
    """what pairing may ask of the person: nothing, read a number, compare two, type one, or all of it."""
    passkey: int = _NOBODY
    """the six digits the person types when asked, -1 = waits for the command enter_passkey."""
    agrees: bool = True
    """whether the person says yes to a comparison and to a pairing without numbers."""
    thinking: Duration = Duration(2_000_000)
    """time the person takes to type or to answer; a duration."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _NOBODY <= self.passkey <= _LAST_PASSKEY:
            raise ValueError(f"passkey {self.passkey}: allowed are 0 to 999999, or -1")
        if not 2.5 <= self.scan_window_ms <= self.scan_interval_ms <= 10240:
            raise ValueError(
                f"scan_window_ms {self.scan_window_ms:g}: allowed are 2.5 to 10240 ms, not longer than the interval"
            )


class Computer(Phone):
    """A computer with Bluetooth LE and a person in front of it."""

    Settings: ClassVar[type[Settings]] = ComputerSettings
    about = (
        "Bluetooth Core 5.4; what each stack shows to bleak is in hw_bridge/bleak_air/systems.py with its sources. "
        "confidence: documented"
    )
    settings: ComputerSettings
    ready = False
    """whether it is switched on."""

    async def start(self) -> None:
        """Be on, with nothing typed yet."""
        self._typed: asyncio.Queue[int] = asyncio.Queue()
        self.ready = True

    @command
    async def enter_passkey(self, passkey: int) -> None:
        """Type the six digits now, or beforehand for the next time they are asked for."""
        if not 0 <= passkey <= _LAST_PASSKEY:
            raise UsageError(f"{self.name}: passkey {passkey}: allowed are 0 to 999999")
        self._typed.put_nowait(passkey)

    async def type_passkey(self, peer: str) -> int:
        """What the person types when asked for the passkey of `peer`."""
        self.emit("passkey_wanted", peer=peer, note="type the six digits that the other side shows")
        if self._typed.empty() and self.settings.passkey != _NOBODY:
            await self._think()
            return self.settings.passkey
        return await self._typed.get()

    async def answer(self, peer: str, question: str) -> bool:
        """Whether the person says yes to `question` about `peer`."""
        await self._think()
        words = "yes" if self.settings.agrees else "no"
        self.emit("answered", peer=peer, note=f"{question}: {words}", agrees=self.settings.agrees)
        return self.settings.agrees

    def show_passkey(self, peer: str) -> None:
        """Put the passkey on the screen; the number itself stays out of the trace."""
        self.emit("passkey_shown", peer=peer, note="shows six digits to be typed on the other side")

    async def _think(self) -> None:
        await asyncio.sleep(self.settings.thinking / 1e6)


PHONE = Computer
