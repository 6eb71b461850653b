"""Options that the commands in real time share, and what they mean."""

from __future__ import annotations

import math
import shutil
import sys
from typing import TYPE_CHECKING

from protocols.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from hw_bridge.exposure import Door
    from sim.ladder import Ladder
    from sim.recording import Recorder
    from sim.trace import TraceEvent
    from sim.world import World

__all__ = [
    "add_door_options",
    "add_person_options",
    "add_reveal_option",
    "add_time_option",
    "add_world_options",
    "door_of",
    "ladder_of",
    "place_of",
    "record",
    "report",
    "say",
]

_HIGHEST_PORT = 65535
_LOOPBACK = "127.0.0.1"
_NOT_FOR = {
    "tcp": (("unix or pty", "path"),),
    "unix": (("tcp", "port"), ("tcp", "bind")),
    "pty": (("tcp", "port"), ("tcp", "bind")),
}
"""Way in -> (way that has it, option) of options that mean nothing for it."""


def say(text: str) -> None:
    """Progress and warnings go to standard error."""
    print(f"nearbench: {text}", file=sys.stderr, flush=True)  # as in the commands


def add_time_option(parser: argparse.ArgumentParser) -> None:
    """When it ends by itself."""
    parser.add_argument("--for", dest="duration", metavar="30s", help="end after this time")


def add_reveal_option(parser: argparse.ArgumentParser) -> None:
    """Whether secrets are shown."""
    parser.add_argument(
        "--reveal", action="store_true",
        help="write PINs and keys as they are; without it they are dots and zeros",
    )  # fmt: skip


def add_person_options(parser: argparse.ArgumentParser) -> None:
    """Who answers when a device pairs; without them whoever sits at the terminal."""
    parser.add_argument("--pin", default="", help="PIN that is typed when it asks for one")
    parser.add_argument("--yes", action="store_true", help="say yes when it compares numbers")


def add_door_options(parser: argparse.ArgumentParser) -> None:
    """How foreign hosts come in."""
    parser.add_argument(
        "--as", dest="door", choices=("tcp", "pty", "unix"), default="tcp",
        help="how the host reaches it; tcp when not given",
    )  # fmt: skip
    parser.add_argument("--port", type=int, help="of tcp; any free one when not given")
    parser.add_argument("--path", help="of the UNIX socket, or of a link to the pseudo terminal")
    parser.add_argument(
        "--bind", metavar="ADDRESS",
        help=f"address that tcp listens on, {_LOOPBACK} when not given; beyond the loopback ones, everybody "
        "who reaches it is let in",
    )  # fmt: skip


def add_world_options(parser: argparse.ArgumentParser) -> None:
    """What everything with a world in real time takes."""
    parser.add_argument(
        "--seed",
        type=int,
        help="draw everything from it, keys too; keys are the system's otherwise",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.KEY=VALUE", help="a setting of a node"
    )
    parser.add_argument(
        "--capture", action="append", default=[], metavar="[NODE:]FILE",
        help="write the simulated air, or a node's HCI; the suffix picks the format",
    )  # fmt: skip
    parser.add_argument("--jsonl", metavar="FILE|-", help="the trace as JSON lines")
    add_time_option(parser)
    add_reveal_option(parser)


def door_of(options: argparse.Namespace) -> Door:
    """The door that the options describe; warns of an address beyond the loopback one. Raises UsageError."""
    from hw_bridge.doors import PtyDoor, TcpDoor, UnixDoor, is_loopback

    for door, name in _NOT_FOR.get(options.door, ()):
        if getattr(options, name) is not None:
            raise UsageError(f"--{name} is for --as {door}; this is --as {options.door}")
    if options.door == "pty":
        return PtyDoor(options.path or "")
    if options.door == "unix":
        if not options.path:
            raise UsageError("--as unix needs --path, the path of the socket")
        return UnixDoor(options.path)
    port = options.port or 0
    if not 0 <= port <= _HIGHEST_PORT:
        raise UsageError(f"--port {port}: 0 to {_HIGHEST_PORT}")
    bind = _LOOPBACK if options.bind is None else options.bind
    made = TcpDoor(bind, port)
    if not is_loopback(bind):
        say(
            f"warning: everybody who reaches {bind} may use this controller and see "
            "what it hears; nothing is encrypted, and nobody is asked who he is"
        )
    return made


def record(recorder: Recorder, options: argparse.Namespace) -> None:
    """Open the files that the options name."""
    for target in options.capture:
        recorder.capture(target)
    if options.jsonl:
        recorder.jsonl(options.jsonl, sys.stdout.buffer)


def ladder_of(world: World) -> Ladder:
    """Print the ladder while it happens; what draws it."""
    from sim.ladder import drawing

    columns = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80
    ladder = drawing(world.parties(), columns=max(80, columns))
    print(ladder.header(), flush=True)  # as in the commands

    def sink(event: TraceEvent) -> None:
        for text in ladder.draw(event):
            print(text, flush=True)  # likewise

    world.trace.add_sink(sink)
    return ladder


def place_of(text: str | None) -> tuple[float, ...]:
    """`--at` in metres. Raises UsageError."""
    if text is None:
        return (0.0, 0.0)
    try:
        place = tuple(float(part) for part in text.split(","))
    except ValueError:
        place = ()
    if len(place) not in (2, 3) or not all(map(math.isfinite, place)):
        raise UsageError(f"--at {text}: write two or three numbers of metres as 2.5,0")
    return place


def report(counters: dict[str, int]) -> None:
    """Say what was dropped or went wrong."""
    for reason, count in sorted(counters.items()):
        if reason not in ("octets sent", "octets received") and not reason.endswith(" notes"):
            say(f"{count} {reason}")
