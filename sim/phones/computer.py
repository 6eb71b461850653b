"""A computer whose Bluetooth a program uses; the person in front of it answers what pairing asks.

`nearbench bleak` gives its radio to the program; in a plain `nearbench run` it sits there. Rules of the file: nothing
happens by itself; pairing is as the settings and commands of every phone say (`io = "none"` is a Linux without a
pairing agent).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from sim.phones import Phone, PhoneSettings

if TYPE_CHECKING:
    from sim.device import Settings


class ComputerSettings(PhoneSettings, frozen=True, kw_only=True):
    """Settings of the computer."""

    os: Literal["bluez", "corebluetooth", "winrt"] = "bluez"
    """whose Bluetooth stack is played, as far as bleak shows it: Linux, macOS or Windows."""
    scan_interval_ms: float = 60.0
    """scan interval, ms."""
    scan_window_ms: float = 60.0
    """scan window, ms."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2.5 <= self.scan_window_ms <= self.scan_interval_ms <= 10240:
            raise ValueError(
                f"scan_window_ms {self.scan_window_ms:g}: allowed are 2.5 to 10240 ms, not longer than the interval"
            )


class Computer(Phone):
    """A computer with Bluetooth LE."""

    Settings: ClassVar[type[Settings]] = ComputerSettings
    about = (
        "Bluetooth Core 5.4; what each stack shows to bleak is in hw_bridge/bleak_air/systems.py with its sources. "
        "confidence: documented"
    )
    settings: ComputerSettings
    ready = False
    """whether it is switched on."""

    async def start(self) -> None:
        """Be on."""
        self.ready = True


PHONE = Computer
