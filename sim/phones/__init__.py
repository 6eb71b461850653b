"""Phone profiles, one file each; a file is registered by being here and defining PHONE.

`Phone` is the base of the built-in ones and of a user's own (named by the path of its file).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from protocols.data.smp_names import Io  # noqa: TC001  # msgspec reads the annotations
from protocols.registry import Folder
from sim.device import Settings, check_address
from sim.pairing import PairingDevice, PairingSettings, Want

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "PHONES",
    "Central",
    "Discovered",
    "Link",
    "Phone",
    "PhoneSettings",
    "RemoteCharacteristic",
    "Report",
]


class Report(msgspec.Struct, frozen=True, gc=False):
    """One advertising report as the phone's controller gave it."""

    address: str
    address_type: str
    """`public`, `random`, `public_identity`, `random_identity` or `anonymous`."""
    rssi_dbm: int | None
    data: bytes
    connectable: bool
    scannable: bool
    directed: bool
    scan_response: bool
    legacy: bool
    t_us: int


class RemoteCharacteristic(msgspec.Struct, frozen=True):
    """A characteristic found by discovery."""

    service: str
    uuid: str
    handle: int
    properties: tuple[str, ...]


class Discovered(msgspec.Struct, frozen=True):
    """What the radio needs to know of a discovered table, to use it on another connection; opaque to phones."""

    characteristics: dict[int, Any]
    cccds: dict[int, int]
    """handle of a value -> handle of its CCCD."""


class Link(Protocol):
    """A connection the phone has."""

    @property
    def peer(self) -> str:
        """Address of the other end."""
        ...

    @property
    def connected(self) -> bool:
        """Whether it still stands."""
        ...

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted."""
        ...

    @property
    def bonded(self) -> bool:
        """Whether there is a bond with the other end."""
        ...

    async def pair(self) -> None:
        """Pair. Raises PairingError (side, step, reason, what to do), LinkError, UsageError (it pairs already)."""
        ...

    async def encrypt(self) -> bool:
        """Encrypt with the bond's key; False when the other end has lost it. Raises LinkError (no bond here, lost)."""
        ...

    async def discover(self) -> list[RemoteCharacteristic]:
        """All services and characteristics, in handle order. Raises AttError, LinkError."""
        ...

    @property
    def discovered(self) -> Discovered:
        """What was discovered on it, for `reuse`; grows with what is discovered later."""
        ...

    def reuse(self, discovered: Discovered) -> None:
        """Take what was discovered on an earlier connection for true."""
        ...

    def listen(self, handle: int, callback: Callable[[bytes], None], *, indicate: bool) -> None:
        """Values of a subscription that the other end has kept go to `callback`; nothing is sent."""
        ...

    async def read(self, handle: int) -> bytes:
        """Read a value. Raises AttError, LinkError."""
        ...

    async def write(self, handle: int, value: bytes, *, response: bool = True) -> None:
        """Write a value. Raises AttError, LinkError."""
        ...

    async def subscribe(
        self, handle: int, callback: Callable[[bytes], None], *, indicate: bool
    ) -> None:
        """Write the CCCD; values go to `callback`."""
        ...

    async def unsubscribe(self, handle: int) -> None:
        """Write zero to the CCCD. Raises AttError, LinkError."""
        ...

    async def disconnect(self) -> None:
        """Close it; harmless when it is gone."""
        ...


class Central(Protocol):
    """The BLE radio of a phone (served by sim/ble/central.py)."""

    async def power_on(self) -> None:
        """Start controller and host."""
        ...

    async def scan(
        self,
        on_report: Callable[[Report], None],
        *,
        active: bool,
        interval_ms: float,
        window_ms: float,
        filter_duplicates: bool,
    ) -> None:
        """Scan until `stop_scan`."""
        ...

    async def stop_scan(self) -> None:
        """Stop scanning; harmless when not scanning."""
        ...

    async def connect(
        self, address: str, address_type: str, timeout_us: int, on_disconnect: Callable[[int], None]
    ) -> Link:
        """Connect. Raises TimeoutError when nobody connectable answered in time."""
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

    def tap(self, node: str) -> bool:
        """Read the out-of-band data on the tag of `node`; False when it has none."""
        ...


class PhoneSettings(PairingSettings, frozen=True, kw_only=True):
    """Settings every phone has."""

    address: str = ""
    """radio address; drawn from the seed (a static random one) when empty."""
    tx_power_dbm: int = 0
    """transmit power, dBm."""
    connection_interval_ms: float = 30.0
    """connection interval it asks for, ms, in steps of 1.25."""
    supervision_timeout_ms: int = 5000
    """silence after which it takes a connection for lost, ms, in steps of 10."""
    io: Io = "keyboard_display"
    """display and keys: display_only, display_yes_no, keyboard_only, keyboard_display or none."""
    mitm: Want = "wanted"
    """protection against a man in the middle: no, wanted, or required (Just Works is refused)."""

    def __post_init__(self) -> None:
        if self.address:
            check_address(self.address)
        self.check_pairing()
        if not 7.5 <= self.connection_interval_ms <= 4000:
            raise ValueError(
                f"connection_interval_ms {self.connection_interval_ms}: allowed are 7.5 to 4000 ms"
            )
        if not 2 * self.connection_interval_ms < self.supervision_timeout_ms <= 32000:
            raise ValueError(
                f"supervision_timeout_ms {self.supervision_timeout_ms}: allowed are more than two connection "
                "intervals and at most 32000 ms"
            )


class Phone(PairingDevice):
    """One simulated phone; its commands are what a scenario's steps call."""

    Settings: ClassVar[type[Settings]] = PhoneSettings
    layer: ClassVar[str] = "phone"
    ble: Central

    def on_security_request(self, link: Link) -> None:
        """The accessory asks for encryption or pairing."""

    def on_parameter_request(
        self,
        peer: str,
        interval_min_ms: float,
        interval_max_ms: float,
        latency: int,
        timeout_ms: int,
        uuids: tuple[str, ...] = (),
    ) -> Any:
        """The accessory asks for connection parameters: what to do (`sim.phones._judged.Answer`), None to accept."""


PHONES: Folder[type[Phone]] = Folder("sim.phones", "PHONE", "phone")
