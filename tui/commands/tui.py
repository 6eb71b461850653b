"""`nearbench tui`: the terminal interface on a scenario that runs, or on a capture file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from protocols.errors import UsageError
from tui.commands.run import settings_of, speed_of

if TYPE_CHECKING:
    import argparse

    from tui.session import Session

SUMMARY = "the terminal interface: watch, pair, type the PIN; also opens captures"
EXAMPLE = """  nearbench tui
  nearbench tui passkey_lock --play phone,accessory
  nearbench tui air.pcapng"""
DEFAULT = "demo"
_SWITCH_S = 0.0005
"""How long the world's thread may keep the screen waiting."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "what", nargs="?", default=DEFAULT, metavar="SCENARIO|CAPTURE",
        help=f"scenario by name or path, or a capture file; {DEFAULT} when not given",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, help="chance of this run; the scenario's own when not given"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.KEY=VALUE", help="a setting of a node"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:KEY=VALUE,...]",
        help="something that goes wrong",
    )
    parser.add_argument(
        "--speed", metavar="max|1", help="1 = real time (default), another factor, or max"
    )
    parser.add_argument(
        "--capture",
        action="append",
        default=[],
        metavar="[NODE:]FILE",
        help="write the air, or a node's HCI",
    )
    parser.add_argument("--jsonl", metavar="FILE", help="write the trace as JSON lines")
    parser.add_argument(
        "--play", default="phone", metavar="WHO,...",
        help="whose people you play: phone (default), accessory, none, or names of nodes; the others answer by themselves",
    )  # fmt: skip
    parser.add_argument(
        "--reveal", action="store_true", help="write PINs and keys as they are into files"
    )
    parser.add_argument(
        "--ascii",
        action="store_true",
        help="draw with ASCII alone; by itself where the locale is not UTF-8",
    )
    parser.add_argument("--keys", metavar="FILE", help='your keys: a TOML file of id = "key"')


def run(options: argparse.Namespace) -> int:
    """0, or 1 when the run did not hold what it was to."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("tui needs a terminal; `nearbench run SCENARIO` tells the same as text")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    from tui.keys import user_keys

    if options.jsonl == "-":
        raise UsageError("--jsonl -: the screen has the standard output; give it a file")
    settings, speed = settings_of(options.set), speed_of(options.speed, default=1.0)
    keymap = user_keys(Path(options.keys)) if options.keys else None
    from tui.app import NearbenchApp  # Textual is loaded by this command alone

    def open_it() -> Session:
        from tui.session import Request, open_session  # the simulator, once the screen is painted

        return open_session(
            Request(
                what=options.what,
                seed=options.seed,
                settings=settings,
                faults=tuple(options.fault),
                speed=speed,
                captures=tuple(options.capture),
                jsonl=options.jsonl or "",
                reveal=options.reveal,
                play=tuple(options.play.split(",")),
            )
        )

    sys.setswitchinterval(_SWITCH_S)
    app = NearbenchApp(open_it, ascii_only=options.ascii or not _is_utf8(), keymap=keymap)
    try:
        status = app.run()
    finally:
        app.finish()
    if app.failure is not None:
        raise app.failure
    for file, packets in app.written.items():
        print(f"wrote {file}: {packets} packets")
    return status or 0


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
