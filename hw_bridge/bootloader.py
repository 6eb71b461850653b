"""Controllers that wait in a bootloader: they refuse even a Reset, and need their firmware first.

Linux drivers/bluetooth/btintel.c (version in TLV form, names of files), bumble 0.0.236 drivers/intel.py; digest 1.2.
Rules of the file: nothing is loaded here. What is missing is named, with the tools that load it; bumble's loader waits
without end, so it stays a program of its own that can be stopped.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hw_bridge.errors import FirmwareError
from hw_bridge.firmware import find_file

if TYPE_CHECKING:
    from hw_bridge.identify import Commander

__all__ = ["UNKNOWN_COMMAND", "image_name", "what_it_needs"]

UNKNOWN_COMMAND: Final = 0x01
"""Status of a Reset in a bootloader (Vol 1 Part F 2.1)."""
_INTEL_READ_VERSION: Final = 0xFC05
_AS_TLV: Final = b"\xff"
_ASK_US: Final = (1_000_000,)
_CNVI, _CNVR, _END = 0x10, 0x11, 0x00


async def what_it_needs(commander: Commander, moniker: str) -> str:
    """One sentence on the firmware of a controller that refuses Reset as unknown."""
    reply = await commander.command(_INTEL_READ_VERSION, _AS_TLV, attempts_us=_ASK_US)
    name = "" if reply is None or reply.status else image_name(reply.parameters[1:])
    if not name:
        return (
            "it answers Reset with `unknown command`: it waits in a bootloader for its firmware, or is no "
            "controller; plug it into a Linux whose kernel loads that, and use hci-socket:"
        )
    return (
        f"Intel in its bootloader: it needs its firmware {name}.sfi, which {_where(name)}; "
        f"`bumble-intel-util load {moniker}` loads it until power is cut, and so does the Linux kernel"
    )


def image_name(tlv: bytes) -> str:
    """`ibt-XXXX-YYYY` of a version in TLV form; empty where that does not say it."""
    found: dict[int, int] = {}
    while len(tlv) >= 2 and tlv[0] != _END:
        kind, octets = tlv[0], tlv[2 : 2 + tlv[1]]
        if kind in (_CNVI, _CNVR) and len(octets) == 4:
            found[kind] = _packed(int.from_bytes(octets, "little"))
        tlv = tlv[2 + tlv[1] :]
    if len(found) < 2:
        return ""
    return f"ibt-{found[_CNVI]:04x}-{found[_CNVR]:04x}"


def _packed(top: int) -> int:
    """Type (12 bits) and step (4 bits) of a chip's half, octets swapped (INTEL_CNVX_TOP_PACK_SWAB)."""
    both = (top & 0x0FFF) << 4 | top >> 24 & 0x0F
    return (both & 0xFF) << 8 | both >> 8


def _where(name: str) -> str:
    try:
        return f"is at {find_file(f'{name}.sfi', _folders(), 'bumble-intel-fw-download')}"
    except FirmwareError as exc:
        return f"is not here ({exc})"


def _folders() -> list[Path]:
    """bumble's, without the working directory."""
    from bumble.drivers import intel  # third parties are imported when they are used

    if given := os.environ.get(intel.INTEL_FIRMWARE_DIR_ENV):
        return [Path(given)]
    package = Path(intel.__file__).parent / "intel_fw"
    return [intel.intel_firmware_dir(), package, Path(intel.INTEL_LINUX_FIRMWARE_DIR)]
