"""What is known of particular dongles, as a table; every row that is applied is shown.

Sources: digest 1.1 and 1.2 (Zephyr samples, bumble's driver tables, Linux btusb, vendors' documents, issue reports as
linked). Rules of the file: the first row that fits wins, a user's rows come first; an id alone names candidates and
proves nothing.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hw_bridge.link import LinkInfo

__all__ = ["QUIRKS", "Quirk", "quirk_for", "quirk_of_version", "user_quirks"]


class Quirk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. What is not said is left as the transport has it."""

    name: str
    vid: int | None = None
    pid: int | None = None
    bcd_least: int = 0
    bcd_most: int = 0xFFFF
    manufacturer: int | None = None
    """Company identifier of Read Local Version Information."""
    lmp_subversions: tuple[int, ...] = ()
    protocols: tuple[str, ...] = ("hci",)
    """What may speak: `hci`, `h5`, `nrf-sniffer`, `sniffle`, `dfu`, `console`, ..."""
    baud: tuple[int, ...] = ()
    parity: str | None = None
    rtscts: bool | None = None
    dtr: bool | None = None
    chunk: int | None = None
    """Octets of one write at most."""
    open_delay_ms: int | None = None
    reset_count: int = 0
    """Resets that are sent at most before it counts as mute, where that is more than three."""
    ignore_supported_bits: bool = False
    """Commands that it lists and fails on are no reason to give up."""
    int_read_size: int | None = None
    """Octets of a read of the interrupt endpoint; 0 for its packet size."""
    no_ext_scan: bool = False
    random_address_required: bool = False
    firmware: str = ""
    """Kind: `rtk` is loaded, `intel` is named with the program that loads it; empty for none."""
    no_reply_opcodes: tuple[int, ...] = ()
    note: str = ""
    link: str = ""

    def options(self) -> dict[str, Any]:
        """Defaults of moniker options that it changes."""
        wanted = {
            "baud": self.baud[0] if self.baud else None,
            "parity": self.parity,
            "rtscts": self.rtscts,
            "dtr": self.dtr,
            "chunk": self.chunk,
            "open-delay": self.open_delay_ms,
        }
        return {name: value for name, value in wanted.items() if value is not None}


def _usb(*ids: tuple[int, int], **rest: Any) -> list[Quirk]:
    return [Quirk(vid=vid, pid=pid, **rest) for vid, pid in ids]


_REALTEK_BU: Final = (
    *((0x0BDA, pid) for pid in (0x8771, 0xA728, 0xA729, 0x877B)),
    *((0x0B05, 0x190E), (0x2357, 0x0604), (0x2550, 0x8761), (0x2B89, 0x8761), (0x2C0A, 0x8761)),
    *((0x2230, 0x0016), (0x7392, 0xC611)),
)
_REALTEK_CU: Final = ((0x0B05, 0x1BF6), (0x0BDA, 0xC761), (0x7392, 0xF611))
_REALTEK_NOTE: Final = "needs its firmware at each power-up; without it runs on its ROM"

QUIRKS: Final[tuple[Quirk, ...]] = (
    *_usb(
        (0x2FE3, 0x000B),
        (0x2FE3, 0x0100),
        (0x2FE3, 0x0008),
        name="Zephyr hci_usb",
        note="its public address may be zeros: the host then sets a random static one",
    ),
    *_usb(
        (0x2FE3, 0x000C),
        name="Zephyr hci_usb_h4",
        protocols=(),
        note="H4 inside USB bulk transfers: flash hci_usb or hci_uart instead",
    ),
    *_usb(
        (0x1915, 0x521F),
        name="Nordic Open DFU Bootloader",
        protocols=("dfu",),
        note="no controller yet: flash an HCI image with nrfutil dfu usb-serial",
    ),
    *_usb(
        (0x1915, 0x522A),
        name="nRF Sniffer",
        protocols=("nrf-sniffer",),
        baud=(1_000_000, 460_800),
        rtscts=True,
    ),
    *_usb(
        (0x1915, 0xC00A),
        name="Nordic connectivity firmware or Power Profiler Kit II",
        protocols=(),
        note="the id is shared by both, and neither speaks HCI",
    ),
    Quirk(
        name="SEGGER J-Link virtual port",
        vid=0x1366,
        protocols=("hci", "h5", "nrf-sniffer"),
        baud=(1_000_000, 115_200),
        rtscts=True,
        dtr=True,
        chunk=64,
        note="drives its lines after DTR only, corrupts writes above 64 octets, has no 921,600 baud; "
        "disable its mass storage",
        link="https://github.com/google/bumble/issues/956",
    ),
    *_usb(
        (0x0451, 0xBEF3),
        name="TI XDS110",
        protocols=("sniffle", "hci"),
        baud=(2_000_000, 921_600, 115_200),
        note="two ports: the lower one carries the data",
        link="https://github.com/nccgroup/Sniffle/issues/74",
    ),
    *_usb(
        (0x10C4, 0xEA60),
        name="Silicon Labs CP2102",
        protocols=("sniffle", "hci", "h5"),
        baud=(1_000_000, 2_000_000, 921_600, 115_200),
        note="many products have this id; 2,000,000 baud works on CP2102N only",
    ),
    *_usb((0x2E8A, 0x00C0), name="CatSniffer", protocols=("sniffle",), baud=(921_600,)),
    *_usb(
        *((0x0A12, 0x0001), (0x10D7, 0xB012)),
        name="CSR8510 or a clone of it",
        reset_count=3,
        ignore_supported_bits=True,
        int_read_size=0,
        note="clones fail on commands they list, and die when USB suspends them "
        "(power/control=on keeps them awake)",
        link="https://github.com/google/bumble/issues/476",
    ),
    *_usb(*_REALTEK_BU, name="Realtek RTL8761B", firmware="rtk", note=_REALTEK_NOTE),
    *_usb(*_REALTEK_CU, name="Realtek RTL8761CU", firmware="rtk", note=_REALTEK_NOTE),
    *_usb(
        *((0x8087, pid) for pid in (0x0032, 0x0033, 0x0036)),
        name="Intel AX210, AX211 or BE200",
        firmware="intel",
        note="needs its firmware at each power-up",
    ),
    *_usb(
        *((0x8087, pid) for pid in (0x0029, 0x0026, 0x0025, 0x0AAA)),
        name="Intel AX200, AX201 or older",
        protocols=(),
        note="let the kernel load its firmware and use hci-socket:",
    ),
    *_usb((0x0A5C, 0x21E8), name="Broadcom BCM20702", note="works on its ROM firmware"),
    Quirk(
        name="FTDI USB serial",
        vid=0x0403,
        protocols=("hci", "h5", "sniffle", "console"),
        note="holds octets up to 16 ms: set its latency timer to 1 ms",
    ),
    Quirk(
        name="Realtek",
        manufacturer=0x005D,
        firmware="rtk",
        no_reply_opcodes=(0xFC66,),
        note=_REALTEK_NOTE,
    ),
)
"""The built-in table."""


def quirk_for(info: LinkInfo, rows: Sequence[Quirk] | None = None) -> Quirk | None:
    """The row of a USB device; None for one without ids or rows."""
    if info.vid is None:
        return None
    bcd = info.bcd_device
    for row in all_quirks() if rows is None else rows:
        if row.vid != info.vid or row.pid not in (None, info.pid):
            continue
        if bcd is None or row.bcd_least <= bcd <= row.bcd_most:
            return row
    return None


def quirk_of_version(
    manufacturer: int, lmp_subversion: int, rows: Sequence[Quirk] | None = None
) -> Quirk | None:
    """The row of a controller by what it says of itself; None where there is none."""
    for row in all_quirks() if rows is None else rows:
        if row.vid is not None or row.manufacturer != manufacturer:
            continue
        if not row.lmp_subversions or lmp_subversion in row.lmp_subversions:
            return row
    return None


@cache
def all_quirks() -> tuple[Quirk, ...]:
    """A user's rows, then the built-in ones."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    file = Path(base) / "nearbench" / "quirks.toml"
    return (*(user_quirks(file) if file.is_file() else ()), *QUIRKS)


def user_quirks(file: Path) -> tuple[Quirk, ...]:
    """The rows `[[quirk]]` of a TOML file. Raises UsageError with what is wrong in it."""

    class _File(msgspec.Struct, forbid_unknown_fields=True):
        quirk: list[Quirk] = []

    try:
        return tuple(msgspec.toml.decode(file.read_bytes(), type=_File).quirk)
    except (OSError, msgspec.DecodeError) as exc:
        raise UsageError(f"{file}: {exc}") from None
