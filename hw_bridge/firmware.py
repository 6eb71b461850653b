"""Firmware of Realtek dongles, which they need at each power-up.

Linux drivers/bluetooth/btrtl.c (project ids, fragment numbers), bumble 0.0.236 drivers/rtk.py (driver table, file
format); digest 1.2. Rules of the file: every step is bounded; files that distributions compress are found and
opened; a file for another chip is refused before the first fragment; whatever fails is named with what was tried.
"""

from __future__ import annotations

import asyncio
import importlib
import lzma
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hw_bridge.errors import FirmwareError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hw_bridge.identify import Commander, Facts
    from hw_bridge.quirks import Quirk

__all__ = [
    "Fragments",
    "find_file",
    "fragments_of",
    "load_firmware",
    "needed_file",
    "needs_firmware",
]

_READ_ROM_VERSION, _DOWNLOAD = 0xFC6D, 0xFC20
_FRAGMENT_OCTETS: Final = 252
_LAST: Final = 0x80
_FRAGMENT_US: Final = (2_000_000,)
_ALL_S: Final = 30.0
_UNPACK_S: Final = 10.0
_LARGEST_OCTETS: Final = 1 << 20
# LMP subversion of the ROM -> project ids of firmware that fits
_PROJECTS: Final[dict[int, tuple[int, ...]]] = {
    0x8723: (1, 9),
    0x8821: (2, 10),
    0x8761: (3, 14, 51),
    0x8822: (8, 13),
    0x8852: (18, 20, 25),
}


class Fragments(NamedTuple):
    """What is sent, and of which version it is."""

    parts: list[bytes]
    """Parameters of the download commands: number and octets."""
    version: int


def needs_firmware(quirk: Quirk | None, facts: Facts) -> bool:
    """Whether the controller runs on its ROM and a loader is known."""
    return quirk is not None and quirk.firmware == "rtk" and facts.lmp_subversion in _PROJECTS


def needed_file(facts: Facts) -> str:
    """Which file a controller on its ROM wants and where that is, in one sentence for a report."""
    try:
        name = str(_driver_of(facts).fw_name)
        return f"its firmware {find_file(name)} is loaded whenever it is opened for use"
    except FirmwareError as exc:
        return f"{exc}; without it the dongle runs on its ROM"


async def load_firmware(commander: Commander, facts: Facts) -> str:
    """Find it and load it; what was loaded. Raises FirmwareError."""
    try:
        async with asyncio.timeout(_ALL_S):
            return await _load(commander, facts)
    except TimeoutError:
        raise FirmwareError(
            f"loading firmware took more than {_ALL_S:g} s; unplug it and plug it in"
        ) from None


def _driver_of(facts: Facts) -> Any:
    """bumble's row for a chip. Raises FirmwareError."""
    from bumble.drivers import rtk  # third parties are imported when they are used

    table: Any = rtk.Driver
    driver = table.find_driver_info(facts.hci_version, facts.hci_revision, facts.lmp_subversion)
    if driver is None:
        raise FirmwareError(
            f"no firmware is known for LMP subversion {facts.lmp_subversion:#06x}, HCI revision {facts.hci_revision:#06x}"
        )
    return driver


async def _load(commander: Commander, facts: Facts) -> str:
    driver = _driver_of(facts)
    image = read_file(find_file(driver.fw_name))
    config = _optional(driver.config_name) if driver.config_name else b""
    if driver.config_needed and not config:
        raise FirmwareError(f"{driver.config_name} is needed beside {driver.fw_name} and not there")
    reply = await commander.command(_READ_ROM_VERSION, attempts_us=_FRAGMENT_US)
    if reply is None or reply.status or len(reply.parameters) < 2:
        raise FirmwareError("it does not tell the version of its ROM")
    fragments = fragments_of(
        image, config, facts.lmp_subversion, reply.parameters[1], driver.fw_name
    )
    await _download(commander, fragments)
    return f"firmware {driver.fw_name} version {fragments.version:#010x} is loaded"


async def _download(commander: Commander, fragments: Fragments) -> None:
    count = len(fragments.parts)
    for number, part in enumerate(fragments.parts, 1):
        reply = await commander.command(_DOWNLOAD, part, attempts_us=_FRAGMENT_US)
        if reply is None:
            raise FirmwareError(f"no reply to fragment {number} of {count} of the firmware")
        if reply.status:
            raise FirmwareError(
                f"fragment {number} of {count} of the firmware was refused (status {reply.status:#04x})"
            )


def fragments_of(
    image: bytes, config: bytes, lmp_subversion: int, rom: int, name: str
) -> Fragments:
    """The download of a firmware file for a chip. Raises FirmwareError."""
    from bumble.drivers import rtk  # likewise

    try:
        firmware: Any = rtk.Firmware(image)
    except (rtk.RtkFirmwareError, struct.error, ValueError, IndexError) as exc:
        raise FirmwareError(f"{name} is damaged or no firmware ({exc}); fetch it again") from None
    if firmware.project_id not in _PROJECTS.get(lmp_subversion, ()):
        raise FirmwareError(
            f"{name} is for another chip: project {firmware.project_id}, and this one has LMP subversion {lmp_subversion:#06x}"
        )
    for chip, patch, _ in firmware.patches:
        if chip == rom + 1:
            return Fragments(list(_numbered(patch + config)), firmware.version)
    chips = ", ".join(str(chip - 1) for chip, _, _ in firmware.patches) or "none"
    raise FirmwareError(f"{name} has nothing for ROM version {rom} (it has {chips})")


def _numbered(payload: bytes) -> Iterator[bytes]:
    """Numbers go from 0 to 0x7F and then from 1, as in Linux; the last one has its highest bit set."""
    starts = range(0, len(payload), _FRAGMENT_OCTETS)
    for place, start in enumerate(starts):
        number = place if place < _LAST else (place - 1) % (_LAST - 1) + 1
        last = _LAST if start == starts[-1] else 0
        yield bytes((number | last,)) + payload[start : start + _FRAGMENT_OCTETS]


def find_file(
    name: str, folders: list[Path] | None = None, fetcher: str = "bumble-rtk-fw-download"
) -> Path:
    """Where the file is, packed or not; in Realtek's folders unless others are given.

    Raises FirmwareError naming every place that was looked at, and the program that fetches it.
    """
    folders = _folders() if folders is None else folders
    for folder in folders:
        for suffix in ("", ".zst", ".xz"):
            if (path := folder / f"{name}{suffix}").is_file():
                return path
    places = ", ".join(map(str, folders))
    raise FirmwareError(f"{name} (also .zst, .xz) is in none of: {places}; `{fetcher}` fetches it")


def _folders() -> list[Path]:
    """bumble's folders, without the working directory: what lies about is not loaded into hardware."""
    from bumble.drivers import rtk  # likewise

    if given := os.environ.get(rtk.RTK_FIRMWARE_DIR_ENV):
        return [Path(given)]
    package = Path(rtk.__file__).parent / "rtk_fw"
    return [rtk.rtk_firmware_dir(), package, Path(rtk.RTK_LINUX_FIRMWARE_DIR)]


def read_file(path: Path) -> bytes:
    """The file's octets, unpacked. Raises FirmwareError."""
    try:
        packed = path.read_bytes()
        if path.suffix == ".xz":
            return lzma.LZMADecompressor().decompress(packed, _LARGEST_OCTETS)
        return _unpack_zst(path, packed) if path.suffix == ".zst" else packed
    except (OSError, lzma.LZMAError) as exc:
        raise FirmwareError(f"{path} cannot be read: {exc}") from None


def _optional(name: str) -> bytes:
    try:
        return read_file(find_file(name))
    except FirmwareError:
        return b""


def _unpack_zst(path: Path, packed: bytes) -> bytes:
    """With whatever is there: Python 3.14, a package, or the program."""
    for module, function in (("compression.zstd", "decompress"), ("zstandard", "decompress")):
        try:
            unpack = getattr(importlib.import_module(module), function)
        except (ImportError, AttributeError):
            continue
        try:
            return bytes(unpack(packed))
        except Exception as exc:  # noqa: BLE001 # each of them has errors of its own
            raise FirmwareError(f"{path} cannot be unpacked: {exc}") from None
    if program := shutil.which("zstd"):
        done = subprocess.run(  # noqa: S603 # a fixed program on a file that was found above
            [program, "-dc", str(path)], capture_output=True, timeout=_UNPACK_S, check=False
        )
        if done.returncode == 0:
            return done.stdout
        raise FirmwareError(
            f"{path} cannot be unpacked: {done.stderr.decode(errors='replace').strip()}"
        )
    raise FirmwareError(
        f"{path} is packed with zstd and nothing here unpacks that: run `zstd -d {path}`"
    )
