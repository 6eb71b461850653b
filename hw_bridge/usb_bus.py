"""Why a USB device cannot be had, from what the kernel shows of the bus: libusb itself gives the same number for all.

Linux only; elsewhere nothing is known. Rules of the file: opens nothing; says something only where it is certain, so
that libusb's own words stand in every other case.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hw_bridge.discover import SYSFS, usb_devices
from hw_bridge.errors import AccessError, BridgeError, NoBackendError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hw_bridge.link import LinkInfo

__all__ = ["NODES", "bus_fault", "fits", "node_of", "shown", "why_not"]

NODES: Final = Path("/dev/bus/usb")
_SHOWN: Final = 6
_CONTAINER: Final = "a container or a virtual machine has to be given the bus"


def fits(info: LinkInfo, target: str) -> bool:
    """Whether what stands behind `usb:` may mean this device; an index may mean any."""
    target = _bare(target)
    if target.isdigit():
        return True
    if "-" in target and ":" not in target:
        return info.location == target
    ids, _, serial = target.partition("#")[0].partition("/")
    key = f"{info.vid or 0:04x}:{info.pid or 0:04x}"
    return ids.lower() == key and serial in ("", info.serial)


def why_not(target: str, sysfs: Path = SYSFS, nodes: Path = NODES) -> BridgeError | None:
    """What keeps `usb:TARGET` from being opened, without its name; None when nothing that can be seen does."""
    if not sys.platform.startswith("linux"):
        return None
    if fault := bus_fault(sysfs, nodes):
        return NoBackendError(fault)
    if not sysfs.is_dir():
        return None
    every = usb_devices(sysfs)
    meant = _meant(target, every)
    if not meant:
        return NotFoundError(_none_of(target, [info for info, _ in every]))
    for info in meant:
        node = node_of(info, sysfs, nodes)
        if node is None or os.access(node, os.R_OK | os.W_OK):
            return None
    return AccessError(
        f"this user may not open {node_of(meant[0], sysfs, nodes)}; "
        "`nearbench bridge list --udev` prints the rules that let you"
    )


def bus_fault(sysfs: Path = SYSFS, nodes: Path = NODES) -> str:
    """What is wrong with the bus as a whole; empty when there is one that programs reach."""
    if any(nodes.glob("*/*")):
        return ""
    count = len(usb_devices(sysfs))
    if count:
        return (
            f"the kernel has {count} USB device{'s' * (count > 1)}, and no program here can reach "
            f"{'it' if count == 1 else 'them'}, because {nodes} is {_state(nodes)}; {_CONTAINER}"
        )
    return f"no USB devices on this machine ({nodes} is {_state(nodes)}); {_CONTAINER}"


def node_of(info: LinkInfo, sysfs: Path = SYSFS, nodes: Path = NODES) -> Path | None:
    """The file by which programs reach a device; None when it is not there."""
    with contextlib.suppress(OSError, ValueError):  # it vanished while it was read
        bus, number = (int((sysfs / info.node / name).read_text()) for name in ("busnum", "devnum"))
        node = nodes / f"{bus:03}" / f"{number:03}"
        return node if node.exists() else None
    return None


def shown(infos: Iterable[LinkInfo]) -> str:
    """Devices in a line: port, ids and name of each, the first few of many."""
    words = [
        f"{info.location} {info.vid or 0:04x}:{info.pid or 0:04x} {info.product}".rstrip()
        for info in infos
    ]
    more = [f"and {len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    return "; ".join([*words[:_SHOWN], *more])


def _bare(target: str) -> str:
    return target.rstrip("!").partition("+sco=")[0]


def _state(nodes: Path) -> str:
    return "empty" if nodes.is_dir() else "missing"


def _meant(target: str, every: list[tuple[LinkInfo, bool]]) -> list[LinkInfo]:
    """The devices that a target may mean: an index counts those that say they are controllers."""
    bare = _bare(target)
    if bare.isdigit():
        controllers = [info for info, says_so in every if says_so]
        # libusb's order is its own: as long as there are enough, it may be any of them
        return controllers if int(bare) < len(controllers) else []
    return [info for info, _ in every if fits(info, target)]


def _none_of(target: str, infos: list[LinkInfo]) -> str:
    bare = _bare(target)
    if bare.isdigit():
        which = f"no USB device number {bare} that says it is a Bluetooth controller"
    elif "-" in bare and ":" not in bare:
        which = f"nothing at USB port {bare}"
    else:
        which = f"no USB device with {bare}"
    return f"{which}; those there: {shown(infos) or 'none, plug the dongle in'}"
