"""`nearbench demo`: the main job with nothing to configure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.commands.run import add_result_option, add_run_options, run_scenario, speed_of
from tui.commands.tui import add_screen_options, has_terminal, open_interface

if TYPE_CHECKING:
    import argparse

SUMMARY = "the main job with nothing to configure: a phone meets accessories"
EXAMPLE = "  nearbench demo --headless"
CAPTURE = "nearbench-demo.pcapng"
"""Written when nobody names a file: over an older one without a terminal, beside it by the interface."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "--headless", action="store_true", help="print the ladder, as without a terminal"
    )
    add_run_options(parser)
    add_result_option(parser)
    add_screen_options(parser)


def run(options: argparse.Namespace) -> int:
    """0 every expectation held, 1 one did not."""
    interface = (has_terminal() or options.plain) and not (
        options.headless or options.json or options.jsonl == "-"
    )
    if not options.capture:
        options.capture, options.unasked = [CAPTURE], (CAPTURE,)
        options.new_files = (CAPTURE,) if interface else ()
    if interface:
        return open_interface(options, "demo")
    return run_scenario("demo", options, speed=speed_of(options.speed, default=None))
