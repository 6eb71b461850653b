"""`nearbench bridge list`: what on this machine may be a dongle, without opening anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.output import document, hanging

if TYPE_CHECKING:
    import argparse

    from hw_bridge.discover import Candidate

SUMMARY = "what on this machine may be a dongle; opens nothing"
EXAMPLE = """  nearbench bridge list
  nearbench bridge list --udev | sudo tee /etc/udev/rules.d/70-nearbench.rules"""
RULES = "70-nearbench.rules"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--json", action="store_true", help="a JSON array")
    either.add_argument(
        "--udev", action="store_true", help="print udev rules that let you open them (Linux)"
    )


def run(options: argparse.Namespace) -> int:
    """0."""
    if options.udev:
        print(rules(), end="")
        return 0
    rows = _rows()
    if options.json:
        print(document(rows))
    elif not rows:
        print(
            "no dongle found; docs/hardware.md says what to buy, `nearbench doctor` what this machine"
        )
        print(
            "lacks for one (libusb, the USB bus, the kernel's Bluetooth, rights). Ports without USB"
        )
        print("ids can be named all the same: serial:/dev/ttyS0")
    for row in rows if not options.json else ():
        _print(row)
    return 0


def rules() -> str:
    """The udev rules that are shipped."""
    import hw_bridge

    return (Path(hw_bridge.__file__).parent / RULES).read_text(encoding="utf-8")


def _rows() -> list[dict[str, Any]]:
    from hw_bridge.discover import candidates

    return [*map(_row, candidates())]


def _row(candidate: Candidate) -> dict[str, Any]:
    info = candidate.info
    ids = "" if info.vid is None else f"{info.vid:04x}:{info.pid or 0:04x}"
    return {
        "moniker": candidate.moniker,
        "node": info.node,
        "product": info.product,
        "ids": ids,
        "serial": info.serial,
        "may_speak": list(candidate.protocols),
        "in_use_by": list(candidate.holders),
        "note": candidate.note,
    }


def _print(row: dict[str, Any]) -> None:
    print(f"{row['moniker']}  {row['product']}".rstrip())
    parts = [f"node {row['node']}"]
    parts += [f"ids {row['ids']}"] if row["ids"] else []
    parts += [f"serial {row['serial']}"] if row["serial"] else []
    parts.append(f"may speak {', '.join(row['may_speak']) or 'nothing that helps'}")
    if row["in_use_by"]:
        parts.append(f"IN USE by {', '.join(row['in_use_by'])}")
    for text in hanging("    ", "; ".join(parts)):
        print(text)
    for text in hanging("    ", row["note"]) if row["note"] else ():
        print(text)
