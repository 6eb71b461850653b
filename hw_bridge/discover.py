"""Which ports and USB devices may be controllers. Never opens a port: what only looks cannot disturb a 3D printer.

Digest 1.8 (identification), 4.1 (pyserial's list and its race). Rules of the file: a dongle's key is its ids, serial
number and interface, or the physical port where several have the same; never a node name or an index.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hw_bridge.link import LinkInfo
from hw_bridge.locks import holders_of
from hw_bridge.quirks import quirk_for

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Candidate",
    "candidates",
    "is_key",
    "kernel_adapters",
    "node_for",
    "serial_info",
    "serial_ports",
    "usb_candidate",
    "usb_controllers",
    "usb_devices",
]

HCI_CLASS: Final = (0xE0, 0x01, 0x01)
SYSFS: Final = Path("/sys/bus/usb/devices")
ADAPTERS: Final = Path("/sys/class/bluetooth")
_ADAPTER: Final = re.compile(r"hci\d+")
_USELESS_SERIALS: Final = frozenset(("", "0001", "0000", "000000000000"))
_TRIES: Final = 3
_KEY: Final = re.compile(
    r"(?P<vid>[0-9a-fA-F]{4}):(?P<pid>[0-9a-fA-F]{4})(/(?P<serial>[^#]+))?(#(?P<interface>\d+))?"
)
_LOCATION: Final = re.compile(r"@(?P<location>.+)")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be a controller."""

    moniker: str
    """Names it whatever node it gets, where that is possible."""
    info: LinkInfo
    protocols: tuple[str, ...]
    """What it may speak; the ids only suggest it."""
    holders: tuple[str, ...] = ()
    """Processes that have it open."""
    may_open: bool = True
    """Whether its permissions let us in, as far as that can be seen."""
    note: str = ""
    """A warning or a hint."""


def serial_ports() -> list[LinkInfo]:
    """Serial ports in the order of their names; one that vanishes meanwhile is left out."""
    for _ in range(_TRIES):
        with contextlib.suppress(TypeError, OSError, ValueError):  # a file of it read as empty
            return sorted(map(_info_of, _comports()), key=lambda info: info.node)
    nodes = [*Path("/dev").glob("ttyACM*"), *Path("/dev").glob("ttyUSB*")]
    return [LinkInfo(node=str(node)) for node in sorted(nodes)]


def _comports() -> Iterable[Any]:
    from serial.tools import list_ports  # third parties are imported when they are used

    return list(list_ports.comports())


def _info_of(port: Any) -> LinkInfo:
    return LinkInfo(
        node=str(port.device),
        vid=port.vid,
        pid=port.pid,
        serial=port.serial_number or "",
        location=port.location or "",
        product=port.product or port.description or "",
    )


def serial_info(node: str) -> LinkInfo:
    """What is known of the serial port at `node`, a link to it included."""
    real = os.path.realpath(node)
    for info in serial_ports():
        if os.path.realpath(info.node) == real:
            return msgspec.structs.replace(info, node=node)
    return LinkInfo(node=node)


def is_key(target: str) -> bool:
    """Whether it is `VID:PID[/SERIAL][#INTERFACE]`."""
    return _KEY.fullmatch(target) is not None


def node_for(target: str) -> str | None:
    """The node behind `VID:PID[/SERIAL][#INTERFACE]` or `@LOCATION`; the target itself when it is neither.

    None when no such device is there.
    """
    key, place = _KEY.fullmatch(target), _LOCATION.fullmatch(target)
    if key is None and place is None:
        return target
    for info in serial_ports():
        if place is not None and info.location == place["location"]:
            return info.node
        if key is not None and _matches(info, key):
            return info.node
    return None


def _matches(info: LinkInfo, key: re.Match[str]) -> bool:
    return (
        (info.vid, info.pid) == (int(key["vid"], 16), int(key["pid"], 16))
        and key["serial"] in (None, info.serial)
        and key["interface"] in (None, _interface(info))
    )


def _interface(info: LinkInfo) -> str:
    """Number of the USB interface in a location like `1-2:1.0`."""
    return info.location.rpartition(".")[2] if ":" in info.location else "0"


def usb_devices(sysfs: Path = SYSFS) -> list[tuple[LinkInfo, bool]]:
    """(device, whether it says that it is a Bluetooth controller), from the kernel's files alone; Linux only."""
    if not sysfs.is_dir():
        return []
    found: list[tuple[LinkInfo, bool]] = []
    for folder in sorted(sysfs.iterdir()):
        if ":" in folder.name or folder.name.startswith("usb"):
            continue
        with contextlib.suppress(OSError, ValueError):  # it vanished while it was read
            found.append((_usb_info(folder), _says_hci(folder, sysfs)))
    return found


def _usb_info(folder: Path) -> LinkInfo:
    return LinkInfo(
        node=folder.name,
        vid=int(_text(folder / "idVendor"), 16),
        pid=int(_text(folder / "idProduct"), 16),
        serial=_text(folder / "serial", ""),
        location=folder.name,
        product=_text(folder / "product", ""),
        bcd_device=int(_text(folder / "bcdDevice", "ffff"), 16),
    )


def _says_hci(folder: Path, sysfs: Path) -> bool:
    places = [(folder, "bDevice")] + [
        (interface, "bInterface") for interface in sysfs.glob(f"{folder.name}:*")
    ]
    for place, prefix in places:
        names = ("Class", "SubClass", "Protocol")
        if tuple(int(_text(place / f"{prefix}{name}", "0"), 16) for name in names) == HCI_CLASS:
            return True
    return False


def _text(file: Path, default: str | None = None) -> str:
    if default is not None and not file.is_file():
        return default
    return file.read_text(errors="replace").strip()


def usb_controllers() -> list[LinkInfo]:
    """USB devices that say they are controllers, or that the quirk table knows as such."""
    return [
        info
        for info, says_so in usb_devices()
        if says_so or ((quirk := quirk_for(info)) is not None and "hci" in quirk.protocols)
    ]


def candidates() -> list[Candidate]:
    """Everything on this machine that may be a controller or a sniffer."""
    serial = serial_ports()
    shared = Counter((info.vid, info.pid, info.serial) for info in serial if info.vid is not None)
    found = [_serial_candidate(info, shared) for info in serial if info.vid is not None]
    return [*found, *map(usb_candidate, usb_controllers()), *kernel_adapters()]


def kernel_adapters(folder: Path = ADAPTERS) -> list[Candidate]:
    """Adapters that the Linux kernel drives, in the order of their numbers."""
    if not folder.is_dir():
        return []
    names = [each.name for each in folder.iterdir() if _ADAPTER.fullmatch(each.name)]
    return [
        Candidate(
            moniker=f"hci-socket:{name}",
            info=LinkInfo(node=name, product="adapter of the kernel"),
            protocols=("hci",),
            note="needs CAP_NET_ADMIN and the adapter down "
            f"(`sudo hciconfig {name} down`); bluetoothd takes it back",
        )
        for name in sorted(names, key=lambda name: (len(name), name))
    ]


def usb_candidate(
    info: LinkInfo, sysfs: Path = SYSFS, nodes: Path = Path("/dev/bus/usb")
) -> Candidate:
    """A USB controller, named by its physical port: finding it by its serial number would mean to open it."""
    quirk, folder = quirk_for(info), sysfs / info.node
    may_open, notes = True, list[str]()
    if quirk is not None:
        notes.append(f"{quirk.name}: {quirk.note}".rstrip(": "))
    with contextlib.suppress(OSError, ValueError):  # it vanished while it was read
        bus, number = (int(_text(folder / name)) for name in ("busnum", "devnum"))
        node = nodes / f"{bus:03}" / f"{number:03}"
        if node.exists() and not os.access(node, os.R_OK | os.W_OK):
            may_open = False
            notes.append(
                f"you may not open {node}: `nearbench bridge list --udev` prints the rules"
            )
    drivers = {link.resolve().name for link in sysfs.glob(f"{info.node}:*/driver")} - {"usbfs"}
    if drivers:
        notes.append(f"the kernel's {', '.join(sorted(drivers))} has it, and loses it while we do")
    return Candidate(
        moniker=f"usb:{info.location}",
        info=info,
        protocols=("hci",) if quirk is None else quirk.protocols,
        may_open=may_open,
        note="; ".join(notes),
    )


def _serial_candidate(info: LinkInfo, shared: Counter[tuple[Any, ...]]) -> Candidate:
    quirk = quirk_for(info)
    note = "" if quirk is None else f"{quirk.name}: {quirk.note}".rstrip(": ")
    siblings = shared[info.vid, info.pid, info.serial]
    key = f"{info.vid:04x}:{info.pid:04x}"
    if info.serial not in _USELESS_SERIALS:
        key += f"/{info.serial}" + (f"#{_interface(info)}" if siblings > 1 else "")
    elif siblings > 1 and info.location:
        key = f"@{info.location}"
        note = f"{note}; no serial number of its own: named by its physical port".lstrip("; ")
    may_open = os.access(info.node, os.R_OK | os.W_OK)
    if not may_open:
        note = f"{note}; you may not open it: join the group of the device".lstrip("; ")
    return Candidate(
        moniker=f"serial:{key}",
        info=info,
        protocols=("hci", "h5", "console") if quirk is None else quirk.protocols,
        holders=tuple(holders_of(info.node)),
        may_open=may_open,
        note=note,
    )
