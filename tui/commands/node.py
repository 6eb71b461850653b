"""`nearbench node`: one simulated Wi-Fi Aware device alone, its radio and its commands as lines of JSON."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

from protocols.errors import OutputError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sim.scenario import NodeSpec, Scenario
    from sim.wifi_aware.stdio import LoneNode

SUMMARY = "one simulated Wi-Fi Aware device alone, its radio on stdin and stdout"
EXAMPLE = """  nearbench node aware_display --stdio --auto-ack --set pin=271828
  nearbench node ios --stdio --speed 1 --set aware.address=02:11:22:33:44:55
  nearbench node my_sensor.py --stdio --seed 7 --reveal"""
_LONGEST_LINE = 1 << 20
_NO_END_US = 1 << 53


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "name", help="an accessory or phone with Wi-Fi Aware, or the path of a Python file"
    )
    parser.add_argument(
        "--stdio",
        action="store_true",
        help="lines of JSON on stdin and stdout (the only way so far)",
    )
    parser.add_argument("--seed", type=int, help="chance of this run; 1 when not given")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting of the device (repeatable): `nearbench show accessory NAME`",
    )  # fmt: skip
    parser.add_argument(
        "--auto-ack", action="store_true", help="every frame sent counts as acknowledged at once"
    )
    parser.add_argument(
        "--speed", metavar="1", help="time passes by itself, 1 = real time; else by advance_us only"
    )
    parser.add_argument(
        "--no-windows", action="store_true",
        help="discovery windows begin by the command `window` only, else every 512 TU",
    )  # fmt: skip
    parser.add_argument(
        "--reveal", action="store_true", help="tell PINs and keys as they are; else they are dots"
    )


def run(options: argparse.Namespace) -> int:
    """0 at the end of stdin."""
    from sim.wifi_aware.stdio import LoneNode
    from tui.commands.run import speed_of

    if not options.stdio:
        raise UsageError("node: say how it is to be reached: --stdio")
    speed = speed_of(options.speed, default=None)
    node = LoneNode(
        alone(options.name, options.set),
        _write,
        seed=options.seed,
        speed=speed,
        reveal=options.reveal,
        auto_ack=options.auto_ack,
        windows=not options.no_windows,
    )
    try:
        with node.world.session():
            node.begin()
            _serve(node, paced=speed is not None)
    finally:
        node.world.close()
    return 0


def alone(name: str, settings: list[str]) -> Scenario:
    """A scenario of that node alone, with `key=value` settings. Raises UsageError."""
    from pathlib import Path

    from sim.scenario import Scenario, with_settings
    from sim.typed import typed
    from sim.units import Duration

    spec = _spec(name)
    scenario = Scenario(
        title=f"{spec.name} alone",
        duration=Duration(0),
        node=(spec,),
        base=str(Path.cwd()),
        file=f"node {name}",
    )
    given: dict[str, Any] = {}
    for pair in settings:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair!r}: write it as key=value")
        given[f"{spec.name}.{key}"] = typed(text)
    return with_settings(scenario, given)


def _spec(name: str) -> NodeSpec:
    """The node: a registered accessory or phone, or a user's file. Raises UnknownNameError, UsageError."""
    from pathlib import Path

    from sim.accessories import ACCESSORIES
    from sim.phones import PHONES
    from sim.scenario import NodeSpec

    folders: dict[str, Any] = {"accessory": ACCESSORIES, "phone": PHONES}
    if name.endswith(".py"):
        found = [kind for kind, folder in folders.items() if _defines(folder, name)]
    else:
        found = [kind for kind, folder in folders.items() if name in folder.names()]
    if not found:
        known = [one for folder in folders.values() for one in folder.names()]
        raise UnknownNameError("accessory or phone", name, known)
    kind = found[0]
    model: Any = folders[kind].get(name)
    stem = Path(name).stem
    more = {} if "person" not in model.Settings.__struct_fields__ else {"person": "asked"}
    path = str(Path(name).absolute()) if name.endswith(".py") else name
    if kind == "accessory":
        return NodeSpec(name=stem, accessory=path, set=more)
    return NodeSpec(name=stem, phone=path, set=more)


def _defines(folder: Any, name: str) -> bool:
    """Whether a user's file defines one of that folder; a file that is broken says so itself."""
    from pathlib import Path

    from protocols.registry import load_file

    return hasattr(load_file(Path(name), folder.kind), folder.constant)


def _write(answer: dict[str, Any]) -> None:
    from sim.wifi_aware.stdio import encoded

    out = sys.stdout.buffer
    try:
        out.write(encoded(answer) + b"\n")
        out.flush()
    except OSError as exc:
        raise OutputError("standard output", exc) from exc


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines; one that is too long is cut, and is then no JSON."""
    while line := stream.readline(_LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n"):
            rest = stream.readline(_LONGEST_LINE)
            if not rest:
                break
        yield line


def _serve(node: LoneNode, *, paced: bool) -> None:
    """Take lines until there are no more."""
    if not paced:
        for line in _lines(sys.stdin.buffer):
            node.line(line)
        return
    from hw_bridge.terminal_lines import on_lines

    over = threading.Event()
    on_lines(node.line, at_end=over.set, loop=node.world.loop)
    node.world.loop.run_until(over.is_set, _NO_END_US)
