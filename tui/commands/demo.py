"""`nearbench demo`: the main job with nothing to configure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tui.commands.run import add_run_options, run_scenario, speed_of

if TYPE_CHECKING:
    import argparse

SUMMARY = "the main job with nothing to configure: a phone meets accessories"
EXAMPLE = "  nearbench demo --headless"
CAPTURE = "nearbench-demo.pcapng"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "--headless", action="store_true", help="as fast as possible even on a terminal"
    )
    add_run_options(parser)


def run(options: argparse.Namespace) -> int:
    """0 every expectation held, 1 one did not."""
    live = sys.stdout.isatty() and not options.headless
    options.capture = options.capture or [CAPTURE]
    return run_scenario(
        "demo", options, speed=speed_of(options.speed, default=1.0 if live else None)
    )
