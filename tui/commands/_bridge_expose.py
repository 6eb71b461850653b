"""`nearbench bridge expose`: a controller of the simulated air for a foreign host, until stopped."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from protocols.errors import UsageError
from tui.commands._bench_options import (
    add_door_options,
    add_person_options,
    add_world_options,
    door_of,
    place_of,
    record,
    say,
)
from tui.commands._bridge_words import summarise
from tui.commands.run import duration_of

if TYPE_CHECKING:
    import argparse

    from hw_bridge.bench_world import BenchWorld
    from hw_bridge.exposure import Exposure

SUMMARY = "one more controller in the simulated air of a scenario, for a foreign host"
EXAMPLE = """  nearbench bridge expose thermometer_session --as tcp --port 9000
  bumble-scan tcp-client:127.0.0.1:9000
  nearbench bridge expose my_room.toml --as pty --path /tmp/controller --node lock
  nearbench bridge expose numeric_comparison --yes"""
NAME = "host"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("scenario", help="name (`nearbench list scenarios`) or path of a TOML file")
    add_door_options(parser)
    parser.add_argument("--node", help="hand over this node's controller instead of adding one")
    parser.add_argument("--name", help=f"of the added controller in trace and ladder; {NAME!r}")
    parser.add_argument(
        "--at", metavar="X,Y", help="where the added controller stands, metres; 0,0 when not given"
    )
    add_person_options(parser)
    add_world_options(parser)


def run(options: argparse.Namespace) -> int:
    """0 when stopped."""
    from hw_bridge.bench_world import BenchWorld, without_steps_of
    from hw_bridge.running import run_world
    from sim import scenario
    from sim.recording import Recorder
    from tui.commands.run import settings_of

    if options.node and (options.name or options.at):
        raise UsageError(
            "--node hands over a controller that has its name and place; --name and --at are for others"
        )
    chosen = scenario.with_settings(scenario.load(options.scenario), settings_of(options.set))
    if options.node:
        chosen = without_steps_of(chosen, options.node)
    for_us = duration_of(options.duration)
    world = BenchWorld(chosen, seed=options.seed, reveal=options.reveal)
    recorder = Recorder(world)
    try:
        exposure = _exposure(world, options)
        record(recorder, options)
        _put_people(world, options)
        run_world(world, serve(exposure, quiet=options.jsonl == "-"), for_us=for_us)
    finally:
        with contextlib.closing(world):
            recorder.close()
    return 0


def _put_people(world: BenchWorld, options: argparse.Namespace) -> None:
    """Who answers when the host pairs with a device, and what displays show. Raises UsageError."""
    from hw_bridge.bench_person import Answers, put_before_hosts, tell_displays
    from sim.pairing import pin_text

    pin = pin_text(options.pin) if options.pin else ""
    put_before_hosts(world, Answers(say, pin=pin, yes=options.yes))
    tell_displays(world, say)


def _exposure(world: BenchWorld, options: argparse.Namespace) -> Exposure:
    """The session of the controller, with its packets in the trace."""
    from hw_bridge.air_port import AirPort
    from hw_bridge.bench_world import HciTrace
    from hw_bridge.exposure import Exposure
    from hw_bridge.session import Session, SessionSettings

    name = options.node or options.name or NAME
    if options.node:
        controller = world.hand_over(name)
    else:
        controller = world.add_foreign(name, place_of(options.at))
    port = AirPort(controller)
    session = Session(name, port=port, settings=SessionSettings(listen_ms=0))
    port.counts = session.counts
    session.tap(HciTrace(world, name))
    return Exposure(session, door_of(options), say)


async def serve(exposure: Exposure, *, quiet: bool) -> None:
    """Print the moniker, and serve until cancelled."""
    forever: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    try:
        moniker = await exposure.open()
        (say if quiet else _print)(moniker)
        await forever
    finally:
        await exposure.close()
        summarise(exposure.session)


def _print(text: str) -> None:
    print(text, flush=True)
