"""`nearbench doctor`: what this machine can do, with a remedy for what it cannot."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

SUMMARY = "what this machine can do: Python, packages, ports, permissions, outside judges"
EXAMPLE = "  nearbench doctor"

PACKAGES = ("bleak", "bumble", "construct", "cryptography", "msgspec", "serial", "textual")
JUDGES = {
    "tshark": "reads captures in the tests; Debian: apt install tshark",
    "btmon": "reads btsnoop in the tests; Debian: apt install bluez",
    "tmux": "drives the terminal interface in the tests; Debian: apt install tmux",
}
HOUSE = ("protocols", "sim", "hw_bridge", "tui")


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(options: argparse.Namespace) -> int:
    """0 everything that is needed is there, 1 something needed is missing."""
    findings = list(_findings())
    if options.json:
        print(json.dumps({"findings": findings}, indent=2))
    else:
        for finding in findings:
            mark = "ok     " if finding["ok"] else ("missing" if finding["needed"] else "without")
            print(f"{mark}  {finding['name']:<14} {finding['detail']}")
            if not finding["ok"]:
                print(f"         {'':<14} → {finding['remedy']}")
    return 0 if all(finding["ok"] or not finding["needed"] for finding in findings) else 1


def _finding(
    name: str, *, ok: bool, detail: str, remedy: str = "", needed: bool = True
) -> dict[str, Any]:
    return {"name": name, "ok": ok, "needed": needed, "detail": detail, "remedy": remedy}


def _findings() -> Iterator[dict[str, Any]]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield _finding(
        "Python",
        ok=sys.version_info >= (3, 11),
        detail=version,
        remedy="install Python 3.11 or newer",
    )
    yield from _packages()
    yield _house()
    for name, use in JUDGES.items():
        found = shutil.which(name)
        yield _finding(
            name, ok=found is not None, detail=found or "not on PATH", remedy=use, needed=False
        )
    yield from _ports()
    yield from _radios()


def _packages() -> Iterator[dict[str, Any]]:
    from importlib.metadata import PackageNotFoundError, version

    for name in PACKAGES:
        distribution = {"serial": "pyserial"}.get(name, name)
        try:
            detail, ok = version(distribution), importlib.util.find_spec(name) is not None
        except PackageNotFoundError:
            detail, ok = "not installed", False
        remedy = f"install nearbench again in its own environment, or: pip install {distribution}"
        yield _finding(distribution, ok=ok, detail=detail, remedy=remedy)


def _house() -> dict[str, Any]:
    """Whether our four packages come from one place: another distribution may have taken a name."""
    roots: dict[str, list[str]] = {}
    for name in HOUSE:
        spec = importlib.util.find_spec(name)
        origin = str(Path(spec.origin).parent.parent) if spec and spec.origin else "nowhere"
        roots.setdefault(origin, []).append(name)
    detail = "; ".join(f"{', '.join(names)} from {root}" for root, names in roots.items())
    remedy = "another distribution ships a package of that name; install nearbench in an environment of its own"
    return _finding("packages", ok=len(roots) == 1, detail=detail, remedy=remedy)


def _ports() -> Iterator[dict[str, Any]]:
    from serial.tools import list_ports

    ports = sorted(port.device for port in list_ports.comports())
    detail = ", ".join(ports) if ports else "no serial ports"
    yield _finding("serial ports", ok=True, detail=detail, needed=False)
    for port in ports:
        path = Path(port)
        if path.exists() and not _writable(path):
            remedy = "add yourself to the group that owns it (often dialout) and log in again"
            yield _finding(port, ok=False, detail="no permission", remedy=remedy, needed=False)


def _radios() -> Iterator[dict[str, Any]]:
    """What bridges want of this machine; nothing of it is needed."""
    from hw_bridge.machine import findings

    for each in findings():
        remedy = "" if each.ok else each.remedy
        yield _finding(each.name, ok=each.ok, detail=each.detail, remedy=remedy, needed=False)


def _writable(path: Path) -> bool:
    import os

    return os.access(path, os.R_OK | os.W_OK)
