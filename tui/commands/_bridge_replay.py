"""`nearbench bridge replay`: a recording plays the controller for a foreign host."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tui.commands._bench_options import add_door_options, add_time_option, door_of, say
from tui.commands._bridge_words import summarise
from tui.commands.run import duration_of
from tui.output import document

if TYPE_CHECKING:
    import argparse

    from hw_bridge.replay import ReplayReport
    from hw_bridge.transports.replay import ReplayPort

SUMMARY = "a recording plays the controller for a foreign host, and tells where the host differs"
EXAMPLE = """  nearbench bridge replay session.pcapng --as tcp --port 9000
  bumble-scan tcp-client:127.0.0.1:9000"""
_READ_S = 600.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("file", help="capture of HCI with directions: pcapng, pcap, btsnoop")
    add_door_options(parser)
    parser.add_argument("--json", action="store_true", help="the report as one JSON document")
    add_time_option(parser)


def run(options: argparse.Namespace) -> int:
    """0 the host did what was recorded, to the end; 1 it did something else, or less."""
    from hw_bridge.running import run_real
    from protocols.errors import UsageError

    try:
        Path(options.file).open("rb").close()
    except OSError as exc:
        raise UsageError(f"{options.file}: {exc.strerror}; name a capture to play") from None
    reports: list[ReplayReport] = []
    for_us = duration_of(options.duration)
    run_real(_replay(options, reports), for_us=for_us)
    report = reports[0]
    if options.json:
        import msgspec

        print(document({**msgspec.to_builtins(report), "agrees": report.agrees}))
    else:
        print("\n".join(report.lines()))
    return 0 if report.agrees else 1


async def _replay(options: argparse.Namespace, reports: list[ReplayReport]) -> None:
    from hw_bridge.exposure import Exposure
    from hw_bridge.session import Session
    from hw_bridge.transports import port_for

    moniker = f"replay:{options.file}"
    port = cast("ReplayPort", port_for(moniker))
    session = Session(moniker, port=port)
    exposure = Exposure(session, door_of(options), say)
    left = asyncio.Event()

    def leave() -> None:
        reports.append(port.report)
        left.set()

    exposure.on_leave = leave
    try:
        await port.load(_READ_S)
        where = await exposure.open()
        (say if options.json else _print)(where)
        await left.wait()
    finally:
        await exposure.close()
        summarise(session)
        reports.append(port.report)


def _print(text: str) -> None:
    print(text, flush=True)
