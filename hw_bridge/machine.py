"""What this machine lets a bridge do: libusb, the USB bus, the kernel's Bluetooth, rights, wpa_supplicant.

Rules of the file: only looks, opens no device and changes nothing; what a system does not have is not spoken of; each
finding says what it is for, and each that is missing what to do.
"""

from __future__ import annotations

import ctypes.util
import errno
import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from hw_bridge.discover import ADAPTERS, SYSFS, kernel_adapters, usb_devices
from hw_bridge.transports.hci_socket import AF_BLUETOOTH, BTPROTO_HCI
from hw_bridge.usb_bus import NODES, bus_fault, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

__all__ = [
    "Looked",
    "capabilities",
    "control_sockets",
    "findings",
    "groups",
    "kernel_bluetooth",
    "libusb",
    "radio_switches",
    "usb_bus",
]

RADIO_SWITCHES: Final = Path("/sys/class/rfkill")
STATUS: Final = Path("/proc/self/status")
CONTROL_SOCKETS: Final = (Path("/run/wpa_supplicant"), Path("/var/run/wpa_supplicant"))
PORT_GROUPS: Final = ("dialout", "uucp")
"""Who owns serial ports: Debian and Fedora, Arch."""
_CAPABILITIES: Final = {
    "CAP_NET_ADMIN": (12, "hci-socket: takes an adapter of the kernel"),
    "CAP_NET_RAW": (13, "monitor: sends and hears Wi-Fi frames"),
}
"""Name -> bit (linux/capability.h), what wants it."""
_BOTH: Final = ",".join(name.lower() for name in _CAPABILITIES)
"""setcap replaces what a file had: both in one."""
_KINDS: Final = {"bluetooth": "Bluetooth", "wlan": "Wi-Fi"}


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    """What was found, and what it is for."""
    remedy: str = ""
    """What to do where it is not ok."""


def findings() -> Iterator[Looked]:
    """Everything that this system has."""
    yield libusb()
    if sys.platform.startswith("linux"):
        yield usb_bus()
        yield kernel_bluetooth()
        yield from radio_switches()
        yield from capabilities(STATUS.read_text() if STATUS.exists() else "")
        yield from _own_groups()
        yield control_sockets()
    else:
        yield _usb_elsewhere()


def _system_libusb() -> str:
    return ctypes.util.find_library("usb-1.0") or ctypes.util.find_library("libusb-1.0") or ""


def _packaged_libusb() -> str:
    if importlib.util.find_spec("libusb_package") is None:
        return ""
    import libusb_package  # third parties are imported when they are used

    path = libusb_package.get_library_path()
    return "" if path is None else str(path)


def libusb(
    packaged: Callable[[], str] = _packaged_libusb, system: Callable[[], str] = _system_libusb
) -> Looked:
    """Which library would be taken, in the order in which bumble looks."""
    for place, find in (("package libusb_package", packaged), ("the system", system)):
        if path := find():
            return Looked(name="libusb", ok=True, detail=f"{path}, from {place}; for usb:")
    return Looked(
        name="libusb",
        ok=False,
        detail="not found, neither in Python's packages nor on the system; for usb:",
        remedy="pip install libusb-package, or the system's: apt install libusb-1.0-0, brew install libusb",
    )


def usb_bus(sysfs: Path = SYSFS, nodes: Path = NODES) -> Looked:
    """Whether programs reach the USB bus, and what is on it."""
    if fault := bus_fault(sysfs, nodes):
        remedy = "plug the dongle into a machine with USB; to a container give /dev/bus/usb, to a virtual machine the device"
        return Looked(name="USB bus", ok=False, detail=f"{fault}; for usb:", remedy=remedy)
    infos = [info for info, _ in usb_devices(sysfs)]
    return Looked(
        name="USB bus", ok=True, detail=f"{shown(infos) or 'nothing plugged in'}; for usb:"
    )


def _usb_elsewhere() -> Looked:
    words = {
        "win32": "a USB dongle needs WinUSB, put there with Zadig, and is lost to Windows until you take it back",
        "darwin": "the system keeps USB controllers; use a serial board",
    }
    return Looked(name="USB drivers", ok=True, detail=words.get(sys.platform, "not looked at"))


def _bluetooth_socket() -> None:
    socket.socket(AF_BLUETOOTH, socket.SOCK_RAW, BTPROTO_HCI).close()


def kernel_bluetooth(
    try_socket: Callable[[], None] = _bluetooth_socket, adapters: Path = ADAPTERS
) -> Looked:
    """Whether the kernel knows Bluetooth, and its adapters."""
    name, use = "Bluetooth", "for hci-socket:"
    try:
        try_socket()
    except OSError as exc:
        if exc.errno in (errno.EACCES, errno.EPERM):
            detail = f"{exc.strerror}: this program may open no Bluetooth socket; {use}"
            return Looked(name=name, ok=False, detail=detail, remedy="run it outside the sandbox")
        remedy = "`sudo modprobe bluetooth btusb`; in a container use usb:, serial: or tcp-client:"
        detail = f"this kernel has no Bluetooth ({exc.strerror}); {use}"
        return Looked(name=name, ok=False, detail=detail, remedy=remedy)
    found = ", ".join(each.info.node for each in kernel_adapters(adapters))
    return Looked(name=name, ok=True, detail=f"{found or 'no adapter'}; {use}")


def radio_switches(folder: Path = RADIO_SWITCHES) -> Iterator[Looked]:
    """Radios that are switched off (rfkill); nothing where there are none."""
    for place in sorted(folder.glob("rfkill*")) if folder.is_dir() else ():
        kind = _KINDS.get(_text(place / "type"), "")
        if not kind:
            continue
        soft, hard = _text(place / "soft") == "1", _text(place / "hard") == "1"
        switch = f"rfkill unblock {_text(place / 'type')}"
        yield Looked(
            name=place.name,
            ok=not soft and not hard,
            detail=f"{kind} {_text(place / 'name')}: {'switched off' if soft or hard else 'on'}",
            remedy="the switch or key on the machine" if hard else f"`{switch}`",
        )


def capabilities(status: str) -> Iterator[Looked]:
    """What this process may do with networks; `status` is what the kernel says of it."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "CapEff" not in lines:
        return
    effective = int(lines["CapEff"], 16)
    for name, (bit, use) in _CAPABILITIES.items():
        yield Looked(
            name=name,
            ok=bool(effective >> bit & 1),
            detail=f"{'held' if effective >> bit & 1 else 'not held'}; for {use}",
            remedy=f"sudo, or for all that this Python runs: `sudo setcap {_BOTH}+ep $(realpath {sys.executable})`",
        )


def _own_groups() -> Iterator[Looked]:
    try:
        import grp  # not on Windows
    except ImportError:
        return
    known = {each.gr_name: each.gr_gid for each in grp.getgrall()}
    yield from groups(known, {*os.getgroups(), os.getegid()}, is_root=os.geteuid() == 0)


def groups(known: dict[str, int], own: Collection[int], *, is_root: bool) -> Iterator[Looked]:
    """Whether this user is in the group that owns serial ports; nothing where there is none."""
    there = [name for name in PORT_GROUPS if name in known]
    if not there:
        return
    inside = [name for name in there if known[name] in own]
    who = "root, who needs none" if is_root else ", ".join(inside) or f"not in {', '.join(there)}"
    yield Looked(
        name="groups",
        ok=is_root or bool(inside),
        detail=f"{who}; for serial:",
        remedy=f"`sudo usermod -aG {there[0]} $USER`, then log in again",
    )


def control_sockets(folders: tuple[Path, ...] = CONTROL_SOCKETS) -> Looked:
    """Sockets of a running wpa_supplicant."""
    use = "for wpa: (Wi-Fi Aware)"
    found: dict[Path, Path] = {}
    for folder in folders:
        try:
            found |= {each.resolve(): each for each in sorted(folder.iterdir()) if each.is_socket()}
        except PermissionError:
            remedy = (
                "the group that `ctrl_interface=DIR=... GROUP=...` of wpa_supplicant names, or sudo"
            )
            detail = f"{folder} may not be read; {use}"
            return Looked(name="wpa_supplicant", ok=False, detail=detail, remedy=remedy)
        except OSError:
            continue  # no such folder
    if found:
        names = ", ".join(map(str, found.values()))
        return Looked(name="wpa_supplicant", ok=True, detail=f"{names}; {use}")
    return Looked(
        name="wpa_supplicant",
        ok=False,
        detail=f"no control socket in {folders[0]}; {use}",
        remedy="start wpa_supplicant, built with CONFIG_NAN=y, with `ctrl_interface=/run/wpa_supplicant`",
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:  # it vanished
        return ""
