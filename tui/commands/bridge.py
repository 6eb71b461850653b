"""`nearbench bridge`: real hardware. Each of its verbs is a file `_bridge_VERB.py` beside this one."""

from __future__ import annotations

import argparse
import importlib
from typing import Any, Final

SUMMARY = "real dongles: list, probe, attach, expose, record, replay"
EXAMPLE = """  nearbench bridge list
  nearbench bridge probe serial:/dev/ttyACM0
  nearbench bridge attach usb:0 --accessory thermometer
  nearbench bridge expose thermometer_session --as tcp --port 9000"""
VERBS: Final = ("list", "probe", "attach", "expose", "record", "replay")


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of every verb."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
    for name in VERBS:
        verb = _verb(name)
        made = verbs.add_parser(
            name,
            help=verb.SUMMARY,
            description=verb.SUMMARY,
            epilog=f"example:\n{verb.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show the traceback of an error",
        )
        verb.configure(made)


def run(options: argparse.Namespace) -> int:
    """As the verb says."""
    from hw_bridge.running import interrupted

    with interrupted():
        status: int = _verb(options.verb).run(options)
    return status


def _verb(name: str) -> Any:
    return importlib.import_module(f"tui.commands._bridge_{name}")
