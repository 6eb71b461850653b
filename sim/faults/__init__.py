"""Faults, one file each; a file is registered by being here and defining FAULT.

`Fault` is the base of the built-in ones and of a user's own (named by the path of its file): `apply` does the harm
and notes with `on_clear` what undoes it. A fault sees the world through `FaultPlace`; its chance is `self.stream`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from protocols.registry import Folder
from sim.device import Place, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Air
    from sim.defects import Defects
    from sim.device import Device
    from sim.rng import Random, Streams
    from sim.trace import TraceEvent, TraceLog

__all__ = ["FAULTS", "Fault", "FaultPlace", "counted"]

Befalls = Literal["air", "node", "accessory"]


class FaultPlace(Place, Protocol):
    """The part of the world a fault sees: what a device sees, and what is behind it."""

    air: Air
    streams: Streams
    trace: TraceLog
    devices: dict[str, Device]

    def defects(self, node: str) -> Defects:
        """Where the radio and the host of `node` ask before they act."""
        ...

    def position_of(self, node: str) -> Any:
        """Place or walk of a node, as the air takes it."""
        ...

    def join(self, device: Device, beside: str, at: tuple[float, ...] = ()) -> None:
        """Add a device that the scenario does not have, at that place or beside a node; before time begins."""
        ...


class Fault:
    """One thing that goes wrong. Subclasses set `Settings` and write `apply`."""

    Settings: ClassVar[type[Settings]] = Settings
    befalls: ClassVar[Befalls] = "node"
    """what it is addressed to: the air (all packets, or with a node those to and from it), a node, an accessory."""
    momentary: ClassVar[bool] = False
    """it happens at one instant, which the user has to give, and cannot be cleared."""
    not_simulated: ClassVar[str] = ""
    """why there is nothing behind the name; empty when there is."""
    about: ClassVar[str] = ""
    """where it comes from: documents, products, stories."""

    def __init__(self, name: str, node: str, settings: Any, world: FaultPlace, number: int) -> None:
        self.name = name
        self.node = node
        self.settings = settings
        self.world = world
        self.number = number
        """which fault of the run it is; part of the names of its random streams."""
        self.count: int = 0
        """how often it has made a difference, as far as it can tell."""
        self._undo: list[Callable[[], None]] = []

    @classmethod
    def title(cls) -> str:
        """What it does, in one sentence."""
        return (cls.__doc__ or "").strip().split("\n")[0].rstrip(".")

    def check(self) -> None:
        """Raise UsageError for what settings and node together cannot be."""

    def enter(self, world: FaultPlace) -> None:
        """Before time begins: bring what it needs into the world, as devices of its own. Raises UsageError."""

    def apply(self, world: FaultPlace) -> None:
        """Do the harm, now; what undoes it goes to `on_clear`."""
        raise NotImplementedError

    def on_clear(self, undo: Callable[[], None]) -> None:
        """Call `undo` when the fault is cleared; the last one first."""
        self._undo.append(undo)

    def clear(self) -> None:
        """Undo the harm; harmless when it is undone."""
        while self._undo:
            self._undo.pop()()

    def deeds(self) -> str:
        """How often it has made a difference, in words; empty where nothing can be said of that."""
        return f"acted {counted(self.count, 'time')}" if self.count else ""

    def stream(self, receiver: str) -> Random:
        """Chance of this fault at `receiver`."""
        return self.world.streams.stream(f"fault/{self.number}/{receiver}")

    def acted(self, note: str, **details: Any) -> TraceEvent:
        """Say in the trace that it has just made a difference."""
        self.count += 1
        label = f"fault: {self.name}"
        return self.world.emit(
            self.node, "control", "fault_acted", note=note, label=label, fault=self.name, **details
        )


def counted(count: int, what: str) -> str:
    """1 packet, 2 packets."""
    return f"{count} {what}{'' if count == 1 else 's'}"


FAULTS: Folder[type[Fault]] = Folder("sim.faults", "FAULT", "fault")
