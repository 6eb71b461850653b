"""What is on the air and who takes part in it: transmissions, receptions, radios, backgrounds.

The rules are in sim/air.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable  # msgspec reads the annotations
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from sim.propagation import Path, Position

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.air import Air

__all__ = [
    "ADVERTISING_CHANNELS",
    "Background",
    "Filter",
    "Outcome",
    "Radio",
    "Reception",
    "Sniffer",
    "Transmission",
]

ADVERTISING_CHANNELS = (37, 38, 39)


class Transmission(msgspec.Struct, frozen=True):
    """One packet on the air: [start_us, end_us) on `channel`; `data` from the PDU header on, `meta` the sender's own."""

    number: int
    start_us: int
    end_us: int
    channel: Hashable
    sender: str
    data: bytes
    power_dbm: int
    meta: Any = None


class Reception(msgspec.Struct, frozen=True):
    """A transmission as one radio hears it."""

    transmission: Transmission
    rssi_dbm: int


class Outcome(msgspec.Struct, frozen=True):
    """What became of a transmission at one radio that listened; `reason` is "" when it was heard."""

    radio: str
    rssi_dbm: int
    reason: str


class Radio(ABC):
    """A node's antenna: `position` is a point or a Path, `sensitivity_dbm` the weakest packet it can receive."""

    kind: ClassVar[str] = "ble"
    """A node may have one radio of each kind, all with its name."""

    def __init__(
        self,
        name: str,
        position: Position | Path = (0.0, 0.0, 0.0),
        *,
        tx_power_dbm: int = 0,
        sensitivity_dbm: int = -95,
    ) -> None:
        self.name = name
        self.tx_power_dbm = tx_power_dbm
        self.sensitivity_dbm = sensitivity_dbm
        self.air: Air | None = None
        self.sending: list[tuple[int, int]] = []  # spans of its own transmissions, kept by the air
        self._position = position

    @property
    def chance(self) -> str:
        """What its streams of chance are called."""
        return self.name if self.kind == "ble" else f"{self.name}/{self.kind}"

    @property
    def position(self) -> Position | Path:
        """Where it is; may be set at any time."""
        return self._position

    @position.setter
    def position(self, value: Position | Path) -> None:
        self._position = value
        if self.air is not None:
            self.air.forget_links(self)

    def position_at(self, t_us: int) -> Position:
        """Return where it is at `t_us`."""
        return self._position.at(t_us) if isinstance(self._position, Path) else self._position

    def moving_at(self, t_us: int) -> bool:
        """Whether its place at `t_us` may differ from that of earlier or later."""
        return isinstance(self._position, Path) and self._position.moving(t_us)

    @abstractmethod
    def on_air(self, reception: Reception) -> None:
        """Take a packet; called at its end."""


class Sniffer(Radio):
    """A radio that only listens and hands every reception to `callback`; attach it, then `listen_to` channels."""

    def __init__(
        self,
        name: str,
        position: Position | Path,
        callback: Callable[[Reception], object],
        *,
        sensitivity_dbm: int = -95,
    ) -> None:
        super().__init__(name, position, sensitivity_dbm=sensitivity_dbm)
        self._callback = callback

    def on_air(self, reception: Reception) -> None:
        """Hand it on."""
        self._callback(reception)


class Filter(Protocol):
    """Something between senders and receivers."""

    def __call__(self, radio: Radio, sender: str, data: bytes, meta: Any, /) -> str:
        """Why `radio` does not get a packet of the radio or crowd `sender`, "" when it does."""
        ...


class Background(Protocol):
    """A source of packets beside the radios."""

    def listens(self, radio: Radio, channel: Hashable) -> None:
        """`radio` begins to listen on `channel` now."""
        ...

    def deafens(self, radio: Radio, channel: Hashable) -> None:
        """`radio` no longer listens on `channel`."""
        ...

    def moved(self, radio: Radio) -> None:
        """`radio` has another position now."""
        ...

    def power_mw(self, radio: Radio, channel: Hashable, start_us: int, end_us: int) -> float:
        """Sum of the powers at `radio` of the packets overlapping [start_us, end_us), which has ended."""
        ...
