"""What the Bluetooth stack of each operating system does differently, as far as a bleak program notices.

Sources: bleak 3.1.0 (its three desktop backends), BlueZ 5.87 (src/adapter.c, src/device.c, src/gatt-client.c,
src/shared/att.c). Confidence letters: S = read in the source, D = documented by the maker, O = observed and reported
by developers. What is not here is the same for all three.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from bleak.backends import BleakBackend

__all__ = ["SYSTEMS", "System"]


class System(msgspec.Struct, frozen=True):
    """One operating system's stack."""

    name: str
    backend: BleakBackend
    merging: Literal["accumulated", "paired", "latest"]
    """what AdvertisementData is made of; see `adverts`."""
    uuid_addresses: bool = False
    """devices are named by a UUID of this computer instead of their address."""
    passive: Literal["yes", "with_patterns", "no"] = "yes"
    one_scan: bool = False
    """a second active scan of the same program is refused as in progress."""
    forget_us: int | None = None
    """time after which a device that is not heard, connected or bonded is unknown again; None = never."""
    pairing: Literal["any", "just_works", "no"] = "any"
    """what `pair()` can do."""
    elevates: bool = False
    """an access that lacks security starts encryption or pairing by itself and is tried again."""
    says_not_paired: bool = False
    """an ATT error for lacking security reaches the program as a D-Bus error without a code."""
    hides_mtu: bool = False
    """`mtu_size` is 23 with a warning."""
    hidden_services: tuple[str, ...] = ()
    """services that programs are not shown, 16-bit UUIDs."""
    notify_needs_property: Literal["dbus", "error"] = "error"
    """how `start_notify` refuses a characteristic that cannot notify: before anything is sent."""
    notes: tuple[tuple[str, str], ...] = ()
    """(statement, confidence and source)."""


SYSTEMS: Final[dict[str, System]] = {
    "bluez": System(
        "bluez",
        BleakBackend.BLUEZ_DBUS,
        merging="accumulated",
        passive="with_patterns",
        one_scan=True,
        forget_us=30_000_000,
        elevates=True,
        says_not_paired=True,
        hides_mtu=True,
        notify_needs_property="dbus",
        notes=(
            ("one report per advert and its scan response together", "S: the kernel holds ADV_IND until SCAN_RSP"),
            ("data of earlier adverts stays in the device's properties", "S: device.c, DuplicateData = false"),
            ("UUIDs of service data count as service UUIDs", "S: device.c add_service_data"),
            ("every report is a callback", "S: adapter.c up to 5.87: RSSI delta 0 under a discovery filter"),
            ("a controller's own duplicate filter is not played: it differs by chip", "O"),
            ("a device is forgotten 30 s after it was last heard", "S: main.conf TemporaryTimeout"),
            ("the second active scan of a program is refused: InProgress", "S: adapter.c start_discovery"),
            ("lacking security that cannot be had is NotPermitted \"Not paired\"", "S: gatt-client.c create_gatt_dbus_error"),
            ("lacking security is answered by pairing and a second try", "S: shared/att.c"),
        ),
    ),
    "corebluetooth": System(
        "corebluetooth",
        BleakBackend.CORE_BLUETOOTH,
        merging="latest",
        uuid_addresses=True,
        passive="no",
        pairing="no",
        elevates=True,
        hidden_services=("1800", "1801"),
        notes=(
            ("one callback per device and scan, and one more when its data grew", "O: no allow-duplicates option in bleak"),
            ("one manufacturer block is delivered", "O"),
            ("the scan response joins the advert in later callbacks", "S: comment in bleak's CentralManagerDelegate"),
            ("pair() and unpair() are not implemented", "S: bleak corebluetooth/client.py"),
            ("Generic Access and Generic Attribute are not shown", "O"),
        ),
    ),
    "winrt": System(
        "winrt",
        BleakBackend.WIN_RT,
        merging="paired",
        pairing="just_works",
        notes=(
            ("every packet is a callback; bleak joins last advert and last scan response", "S: bleak winrt/scanner.py"),
            ("the service filter is applied by bleak to that pair", "S: bleak winrt/scanner.py"),
            ("pair() takes ceremonies without numbers only", "S: bleak winrt/client.py, CONFIRM_ONLY"),
            ("an access that lacks security fails with its ATT error", "O"),
        ),
    ),
}  # fmt: skip
"""By the value of the computer's setting `os`."""
