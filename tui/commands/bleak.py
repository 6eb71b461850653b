"""`nearbench bleak`: an unmodified program that uses bleak, inside the simulated air of a scenario."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from tui.commands._bench_options import place_of
from tui.commands.run import duration_of, settings_of, speed_of

if TYPE_CHECKING:
    import argparse

    from hw_bridge.bleak_air.bench import Bench
    from sim.scenario import Scenario

SUMMARY = "an unmodified program that uses bleak, run inside the simulated air"
EXAMPLE = """  nearbench bleak thermometer_session -- my_program.py --name Thermometer
  nearbench bleak my_room.toml --os winrt --capture air.pcapng -- -m my_package
  nearbench bleak thermometer_session --fault loss:probability=0.2 -- my_program.py"""
RUNS_PROGRAM = True  # what stands after `--` is in options.program
DEFAULT_LIMIT_US = 3_600_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.usage = "nearbench bleak [options] SCENARIO -- PROGRAM [ARGS]"
    parser.add_argument("scenario", help="name (`nearbench list scenarios`) or path of a TOML file")
    parser.add_argument(
        "--os", choices=("bluez", "corebluetooth", "winrt"),
        help="whose Bluetooth stack bleak sees; the scenario's, else bluez, on every machine",
    )  # fmt: skip
    parser.add_argument(
        "--at",
        metavar="X,Y",
        help="where the program's computer stands, metres; 0,0 when not given",
    )
    parser.add_argument(
        "--seed", type=int, help="chance of this run; the scenario's own when not given"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.KEY=VALUE",
        help="a setting of a node, for example computer.pin=123456",
    )  # fmt: skip
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:KEY=VALUE,...]",
        help="something that goes wrong (repeatable; `nearbench list faults`); node, from and until are keys too",
    )  # fmt: skip
    parser.add_argument(
        "--for", dest="duration", metavar="30s",
        help="simulated time the program may take; 1h when not given and not in real time",
    )  # fmt: skip
    parser.add_argument(
        "--speed", metavar="max|1", help="max (default), 1 = real time, or any factor"
    )
    parser.add_argument(
        "--capture", action="append", default=[], metavar="[NODE:]FILE",
        help="write the air, or a node's HCI; the suffix picks the format",
    )  # fmt: skip
    parser.add_argument("--jsonl", metavar="FILE|-", help="the trace as JSON lines")
    parser.add_argument(
        "--reveal", action="store_true",
        help="write PINs and keys as they are into trace and captures; without it they are dots and zeros",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """The program's exit status; 1 when that is 0 and an expectation of the scenario did not hold."""
    from hw_bridge.bleak_air.bench import Bench
    from hw_bridge.bleak_air.program import check_program
    from sim.recording import Recorder

    check_program(options.program)
    speed = speed_of(options.speed, default=None)
    limit_us = _limit_us(options.duration, paced=speed is not None)
    bench = Bench(
        _scenario(options),
        seed=options.seed,
        speed=speed,
        limit_us=limit_us,
        reveal=options.reveal,
    )
    recorder = Recorder(bench.world)
    try:
        for target in options.capture:
            recorder.capture(target)
        if options.jsonl:
            recorder.jsonl(options.jsonl, sys.stdout.buffer)
        status, result = _run(bench, options.program, simulated=speed is None)
    finally:
        with contextlib.closing(bench):
            written = recorder.close()
    _report(result, written)
    return status or (0 if result.passed else 1)


def _run(bench: Bench, program: list[str], *, simulated: bool) -> tuple[int, Any]:
    from hw_bridge.bleak_air.clocks import simulated_clocks
    from hw_bridge.bleak_air.program import run_program

    with bench.open():
        with simulated_clocks(bench.drive) if simulated else contextlib.nullcontext():
            status = run_program(program)
        return status, bench.finish()


def _scenario(options: argparse.Namespace) -> Scenario:
    from hw_bridge.bleak_air.bench import with_computer
    from sim import scenario
    from sim.fault_schedule import with_faults

    given = {} if options.os is None else {"os": options.os}
    chosen = with_computer(scenario.load(options.scenario), at=place_of(options.at), settings=given)
    return with_faults(scenario.with_settings(chosen, settings_of(options.set)), options.fault)


def _limit_us(text: str | None, *, paced: bool) -> int | None:
    given_us = duration_of(text)
    return given_us if given_us is not None or paced else DEFAULT_LIMIT_US


def _report(result: Any, written: dict[str, int]) -> None:
    """What the scenario had to say; standard output is the program's."""
    for outcome in result.expectations:
        if not outcome.held:
            print(f"FAIL  {outcome.expected}: {outcome.seen} seen", file=sys.stderr)
            if outcome.why:
                print(f"      {outcome.why}", file=sys.stderr)
    for failure in result.failures:
        print(f"FAIL  {failure}", file=sys.stderr)
    for file, packets in written.items():
        print(f"wrote {file}: {packets} packets", file=sys.stderr)
