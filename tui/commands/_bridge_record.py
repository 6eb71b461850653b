"""`nearbench bridge record`: a controller for a foreign host with everything between them kept, or a sniffer."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from protocols.errors import UsageError
from tui.commands._bench_options import (
    add_door_options,
    add_reveal_option,
    add_time_option,
    door_of,
    report,
    say,
)
from tui.commands._bridge_expose import serve
from tui.commands._bridge_words import warn_of
from tui.commands.run import duration_of

if TYPE_CHECKING:
    import argparse

    from protocols.hci.sniffed import Sniffed
    from sim.trace import TraceEvent

SUMMARY = "a dongle for a foreign host with everything between them kept as pcapng; or a sniffer"
EXAMPLE = """  nearbench bridge record serial:/dev/ttyACM0 session.pcapng --as tcp --port 9000
  bumble-scan tcp-client:127.0.0.1:9000
  nearbench bridge record serial:/dev/ttyACM1 air.pcapng --sniffer nrf-sniffer --for 1m"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("moniker", help="the dongle (`nearbench bridge list`)")
    parser.add_argument("file", help="pcapng file to write")
    add_door_options(parser)
    parser.add_argument(
        "--octets", action="store_true", help="keep the octets of the line, too; needs --reveal"
    )
    parser.add_argument(
        "--sniffer", choices=("nrf-sniffer", "sniffle"),
        help="the moniker is a sniffer: keep what it hears on the air",
    )  # fmt: skip
    parser.add_argument(
        "--jsonl", metavar="FILE|-", help="with --sniffer: its packets as a trace, too"
    )
    add_time_option(parser)
    add_reveal_option(parser)


def run(options: argparse.Namespace) -> int:
    """0 when stopped."""
    from hw_bridge.running import run_real

    if not options.file.endswith(".pcapng"):
        raise UsageError(f"{options.file}: a recording is a .pcapng file; `convert` makes others")
    if options.octets and not options.reveal:
        raise UsageError("--octets: octets of the line hold keys as they are; give --reveal, too")
    has_door = not (options.port is options.path is options.bind is None)
    if options.sniffer and (has_door or options.door != "tcp"):
        raise UsageError(
            "--sniffer: nobody connects to a sniffer; --as, --port, --path and --bind are for a dongle"
        )
    if options.sniffer and options.octets:
        raise UsageError("--sniffer: --octets is for a dongle")
    for_us = duration_of(options.duration)
    if options.jsonl and not options.sniffer:
        raise UsageError("--jsonl is for sniffers; `convert` and `decode` read a recording of HCI")
    run_real(_sniff(options) if options.sniffer else _record(options), for_us=for_us)
    return 0


async def _record(options: argparse.Namespace) -> None:
    from hw_bridge.exposure import Exposure
    from hw_bridge.record import Recording
    from hw_bridge.session import Session

    session = Session(options.moniker)
    warn_of(session)
    exposure = Exposure(session, door_of(options), say)
    recording = Recording(
        session, options.file, reveal=options.reveal, octets=options.octets, tell=say
    )
    try:
        await serve(exposure, quiet=False)
    except asyncio.CancelledError:
        if not session.was_in_use:
            raise session.why_not() from None
        raise
    finally:
        recording.close()
        say(f"wrote {options.file}: {recording.told}")


async def _sniff(options: argparse.Namespace) -> None:
    """Keep what a sniffer hears until cancelled. Raises BridgeError, also when it is unplugged."""
    from hw_bridge.sniffer import CaptureOf, Sniffer, to_trace
    from sim.trace import TraceLog, line_of

    with contextlib.ExitStack() as stack:
        capture = CaptureOf(options.file, options.moniker, tell=say)
        stack.callback(capture.close)
        trace = TraceLog(lambda: sniffer.now_us, capacity=1)
        if options.jsonl:
            stream = _stream(options.jsonl, stack)

            def sink(event: TraceEvent) -> None:
                stream.write(line_of(event))

            trace.add_sink(sink)

        def keep(packet: Sniffed) -> None:
            capture.add(packet)
            if options.jsonl:
                to_trace(trace, options.moniker, packet)

        sniffer = Sniffer(options.moniker, options.sniffer, keep)
        try:
            await sniffer.start()
            say(f"{options.moniker}: {options.sniffer} listens")
            raise await sniffer.lost
        finally:
            await sniffer.close()
            report(sniffer.counts)
            say(f"wrote {options.file}: {capture.written} packets")


def _stream(name: str, stack: contextlib.ExitStack) -> BinaryIO:
    """Where the trace goes. Raises UsageError."""
    if name == "-":
        return sys.stdout.buffer
    try:
        return stack.enter_context(Path(name).open("wb"))
    except OSError as exc:
        raise UsageError(f"{name}: {exc.strerror}") from None
