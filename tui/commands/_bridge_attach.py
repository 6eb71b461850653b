"""`nearbench bridge attach`: a simulated accessory or phone on a real controller, in real time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from protocols.errors import UsageError
from tui.commands._bench_options import (
    add_person_options,
    add_reveal_option,
    add_time_option,
    ladder_of,
    record,
    say,
)
from tui.commands._bridge_options import check_options
from tui.commands._bridge_wifi import is_wifi, run_wifi
from tui.commands._bridge_words import summarise, warn_of
from tui.commands.run import duration_of

if TYPE_CHECKING:
    import argparse

    from hw_bridge.attach import AttachPlan
    from hw_bridge.bench_world import BenchWorld
    from hw_bridge.session import Session

SUMMARY = "a simulated accessory or phone on a real controller, in real time"
EXAMPLE = """  nearbench bridge attach usb:0 --accessory thermometer
  nearbench bridge attach serial:/dev/ttyACM0 --phone ios --peer Thermometer --pair
  nearbench bridge attach hci-socket:hci0 --observe --record air.pcapng
  nearbench bridge attach --via bleak --phone generic --peer Thermometer
  nearbench bridge attach monitor:wlan0mon --accessory aware_display
  nearbench bridge attach wpa:/run/wpa_supplicant/nan0"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("moniker", nargs="?", help="the dongle (`nearbench bridge list`)")
    parser.add_argument(
        "--via", choices=("dongle", "bleak"), default="dongle",
        help="bleak: no dongle, but the Bluetooth of this machine's system; phones only",
    )  # fmt: skip
    parser.add_argument("--adapter", default="", metavar="hci1", help="with --via bleak on Linux")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--accessory", metavar="NAME", help="accessory by name or path of its file")
    what.add_argument("--phone", metavar="NAME", help="phone by name or path of its file")
    what.add_argument(
        "--observe", action="store_true", help="listen, and decode what the real air looks like"
    )
    parser.add_argument(
        "--passive", action="store_true", help="with --observe: ask nobody for scan responses"
    )
    parser.add_argument(
        "--peer", default="", metavar="ADDRESS|NAME",
        help="with --phone: find this device, connect and read its table",
    )  # fmt: skip
    parser.add_argument("--pair", action="store_true", help="with --peer: pair, too")
    parser.add_argument(
        "--do", action="append", default=[], metavar="'COMMAND KEY=VALUE ...'",
        help="a command of the device (repeatable, one after the other; with --peer while it is connected; "
        "`nearbench show phone NAME`)",
    )  # fmt: skip
    parser.add_argument("--name", default="", help="of the device in trace and ladder")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the device"
    )
    add_person_options(parser)
    parser.add_argument(
        "--record", metavar="FILE", help="keep what host and controller say as pcapng"
    )
    parser.add_argument("--jsonl", metavar="FILE|-", help="the trace as JSON lines")
    parser.add_argument(
        "--format", action="append", default=[], metavar="FILE", help="your own advertised format"
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="draw everything from it, keys too; keys are the system's otherwise",
    )
    add_time_option(parser)
    add_reveal_option(parser)


def run(options: argparse.Namespace) -> int:
    """0 stopped, or every command was carried out; 1 one was not, or the dongle was never in use."""
    check_options(options)
    if is_wifi(options.moniker):
        return run_wifi(options)
    from hw_bridge.bench_world import BenchWorld
    from hw_bridge.running import run_world
    from sim.recording import Recorder

    plan = _plan(options)
    for_us = duration_of(options.duration)
    world = BenchWorld(plan.scenario, seed=options.seed, reveal=options.reveal)
    recorder = Recorder(world)
    try:
        session = _controller(world, plan.node, options)
        _put_person(world, plan.node, options)
        options.capture = []
        record(recorder, options)
        if options.jsonl != "-":
            ladder_of(world)
        result = run_world(
            world,
            _attached(world, session, options),
            for_us=for_us,
            until=lambda: plan.ends and world.steps_are_done,
        )
    finally:
        with contextlib.closing(world):
            recorder.close()
    if session is not None and not session.was_in_use:
        raise session.why_not()  # in place of what could not be done without it
    for failure in result.failures:
        say(f"FAIL  {failure}")
    return 1 if result.failures else 0


def _controller(world: BenchWorld, node: str, options: argparse.Namespace) -> Session | None:
    """Give the node its radio; the session of a dongle. Raises UsageError."""
    from hw_bridge.pcapng_file import check_writable
    from hw_bridge.session import Session

    if options.via == "bleak":
        world.use_system(node, adapter=options.adapter)
        return None
    session = Session(options.moniker)
    world.use_dongle(node, session)
    if options.record:
        check_writable(options.record, private=options.reveal)
    warn_of(session)
    return session


def _plan(options: argparse.Namespace) -> AttachPlan:
    from hw_bridge.attach import plan_accessory, plan_observer, plan_phone

    settings, name = _settings(options.set), options.name
    if (options.moniker is None) is not (options.via == "bleak"):
        raise UsageError("name the dongle, or give --via bleak; one of the two")
    if options.via == "bleak" and options.accessory:
        raise UsageError("--via bleak is for phones: bleak is a central only")
    if options.record and not options.record.endswith(".pcapng"):
        raise UsageError(f"--record {options.record}: a recording is a .pcapng file")
    if options.observe:
        return plan_observer(active=not options.passive, name=name, formats=options.format)
    if options.accessory:
        return plan_accessory(options.accessory, settings, commands=options.do, name=name)
    if options.pair and not options.peer:
        raise UsageError("--pair needs --peer, the device to pair with")
    return plan_phone(
        options.phone,
        settings,
        peer=options.peer,
        pair=options.pair,
        commands=options.do,
        name=name,
        formats=options.format,
        on_system=options.via == "bleak",
    )


def _settings(pairs: list[str]) -> dict[str, Any]:
    from sim.typed import typed

    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair!r}: write it as key=value")
        settings[key] = typed(text)
    return settings


def _put_person(world: BenchWorld, node: str, options: argparse.Namespace) -> None:
    """Who answers when the device pairs: the options, else whoever sits at the terminal."""
    from hw_bridge.bench_person import put_on_bench
    from sim.pairing import PairingDevice, pin_text

    if options.pin:
        pin_text(options.pin)
    device = world.devices[node]
    if isinstance(device, PairingDevice):
        put_on_bench(device, say, pin=options.pin, yes=options.yes)


async def _attached(
    world: BenchWorld, session: Session | None, options: argparse.Namespace
) -> None:
    """Keep what the dongle says until cancelled, then leave the dongle."""
    from hw_bridge.record import Recording

    recording = None
    if options.record and session is not None:
        recording = Recording(session, options.record, reveal=options.reveal, tell=say)
    forever: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    try:
        await forever
    finally:
        await world.close_dongles()
        if recording is not None:
            recording.close()
            say(f"wrote {options.record}: {recording.told}")
        if session is not None:
            summarise(session)
        sys.stdout.flush()
