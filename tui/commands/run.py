"""`nearbench run`: a scenario, by name or by path; its expectations decide the exit status."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from protocols.errors import NearbenchError, UsageError
from tui.output import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from sim.ladder import Ladder
    from sim.recording import Recorder
    from sim.world import RunResult, World

SUMMARY = "a scenario by name or path; its expectations decide the exit status"
EXAMPLE = """  nearbench run thermometer_session --capture air.pcapng --capture phone:phone.btsnoop
  nearbench run my_beacon.toml --set beacon.interval_ms=500 --for 30s --json
  nearbench run thermometer_session --fault loss:probability=0.2,node=phone"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("scenario", help="name (`nearbench list scenarios`) or path of a TOML file")
    add_run_options(parser)
    add_result_option(parser)


def add_result_option(parser: argparse.ArgumentParser) -> None:
    """`--json`, where nothing else has the screen."""
    parser.add_argument("--json", action="store_true", help="the result as one JSON document")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options that `run`, `demo` and `tui` share."""
    parser.add_argument(
        "--seed", type=int, help="chance of this run; the scenario's own when not given"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.KEY=VALUE", help="a setting of a node"
    )
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:KEY=VALUE,...]",
        help="something that goes wrong (repeatable; `nearbench list faults`); node, from and until are keys too",
    )  # fmt: skip
    parser.add_argument(
        "--for",
        dest="duration",
        metavar="30s",
        help="simulated time; the scenario's when not given",
    )
    parser.add_argument(
        "--speed",
        default=None,
        metavar="max|1",
        help="max, 1 = real time, or any factor",
    )
    parser.add_argument(
        "--capture", action="append", default=[], metavar="[NODE:]FILE",
        help="write the air, or a node's HCI; the suffix picks the format (.pcapng, .pcap, .btsnoop with NODE)",
    )  # fmt: skip
    parser.add_argument("--jsonl", metavar="FILE|-", help="the trace as JSON lines")
    parser.add_argument(
        "--reveal",
        action="store_true",
        help="write PINs and keys as they are into ladder, trace and captures; without it they are dots and zeros",
    )


def run(options: argparse.Namespace) -> int:
    """0 every expectation held, 1 one did not (or the run could not go on)."""
    return run_scenario(options.scenario, options, speed=speed_of(options.speed, default=None))


def speed_of(text: str | None, *, default: float | None) -> float | None:
    """`--speed` as a factor, None = as fast as possible. Raises UsageError."""
    if text is None:
        return default
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise UsageError(f"--speed {text}: give max, 1 (real time) or another factor above 0")
    return value


def duration_of(text: str | None) -> int | None:
    """`--for` in microseconds. Raises UsageError."""
    from sim.units import parse_duration_us

    try:
        return None if text is None else int(parse_duration_us(text))
    except ValueError as exc:
        raise UsageError(f"--for: {exc}") from None


def settings_of(pairs: list[str]) -> dict[str, Any]:
    """`node.key=value` options; a value is TOML (3, true, [1, 2], "text") or plain text, as its setting takes it."""
    from sim.typed import typed

    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or "." not in key:
            raise UsageError(f"--set {pair!r}: write it as node.key=value")
        settings[key] = typed(text)
    return settings


def run_scenario(name: str, options: argparse.Namespace, *, speed: float | None) -> int:
    """Run a scenario as the options say, print what was asked for."""
    from sim import scenario
    from sim.fault_schedule import with_faults
    from sim.recording import Recorder
    from sim.world import World

    if options.json and options.jsonl == "-":
        raise UsageError("--json and --jsonl - both write to standard output; give --jsonl a file")
    until_us = duration_of(options.duration)
    chosen = scenario.with_settings(scenario.load(name), settings_of(options.set))
    chosen = with_faults(chosen, options.fault)
    world = World(chosen, seed=options.seed, speed=speed, reveal=options.reveal)
    recorder = Recorder(world)
    try:
        for target in options.capture:
            _capture(recorder, target, unasked=getattr(options, "unasked", ()))
        if options.jsonl:
            recorder.jsonl(options.jsonl, sys.stdout.buffer)
        quiet = options.json or options.jsonl == "-"
        drawing = None if quiet else _draw(world)
        result = world.run(until_us)
    finally:
        with contextlib.closing(world):  # a file that cannot be finished is told from here
            written = recorder.close()
    if options.json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    elif drawing is not None:
        _report(world, result, drawing, written)
    return 0 if result.passed else 1


def _capture(recorder: Recorder, target: str, *, unasked: Collection[str]) -> None:
    """Open a capture; one that nobody asked for may be missing."""
    try:
        recorder.capture(target)
    except NearbenchError as exc:
        if target not in unasked:
            raise
        say(f"nearbench: {exc}: this run is in no file")


def _draw(world: World) -> Ladder:
    """Print the ladder while it happens."""
    from tui.commands._bench_options import ladder_of
    from tui.run_text import heading

    for text in heading(world):
        print(text)
    return ladder_of(world)


def _report(world: World, result: RunResult, ladder: Ladder, written: dict[str, int]) -> None:
    from tui.run_text import verdict

    for text in (*ladder.summary(), *verdict(world, result, written)):
        print(text)
