"""Wi-Fi Aware on real radios: the lines of `nearbench node --stdio`, with the frames on the air.

`monitor:INTERFACE` and `frames:MONIKER` carry the frames of a simulated device; `wpa:SOCKET` is a device of its own.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final

from protocols.errors import UsageError
from tui.commands._bench_options import report, say
from tui.commands.run import duration_of
from tui.output import json_object, line

if TYPE_CHECKING:
    import argparse

SCHEMES: Final = ("monitor", "frames", "wpa")


def is_wifi(moniker: str | None) -> bool:
    """Whether a moniker names a Wi-Fi radio."""
    return moniker is not None and moniker.partition(":")[0] in SCHEMES


def run_wifi(options: argparse.Namespace) -> int:
    """0 when stopped, or at the end of standard input."""
    scheme, _, target = options.moniker.partition(":")
    if not target:
        raise UsageError(
            f"{options.moniker}: an interface, a moniker or a socket follows the colon"
        )
    if scheme == "wpa":
        return _run_wpa(target, options)
    device = options.accessory or options.phone
    if not device:
        raise UsageError(
            f"{options.moniker}: give --accessory or --phone, a device with Wi-Fi Aware"
        )
    return _run_frames(scheme, target, device, options)


def _write(answer: dict[str, Any]) -> None:
    from sim.wifi_aware.stdio import encoded

    print(encoded(answer).decode(), flush=True)


def _run_frames(scheme: str, target: str, device: str, options: argparse.Namespace) -> int:
    from hw_bridge.raw_frames import MonitorRadio, RawRadio, SerialRadio
    from hw_bridge.raw_node import RawNode
    from hw_bridge.running import run_world
    from hw_bridge.terminal_lines import on_lines
    from tui.commands.node import alone

    radio: RawRadio = MonitorRadio(target) if scheme == "monitor" else SerialRadio(target)
    for_us = duration_of(options.duration)
    scenario = alone(device, options.set)
    node = RawNode(scenario, radio, _write, seed=options.seed, reveal=options.reveal)
    world = node.node.world

    ended = threading.Event()

    def take_lines() -> None:
        on_lines(node.line, at_end=ended.set)

    work = node.serve(take_lines)
    try:
        run_world(world, work, for_us=for_us, until=ended.is_set, begin=node.node.begin)
    finally:
        world.close()
        report(radio.counts)
    return 0


def _run_wpa(path: str, options: argparse.Namespace) -> int:
    from hw_bridge.running import run_real

    for_us = duration_of(options.duration)
    run_real(_wpa(path, options), for_us=for_us)
    return 0


async def _wpa(path: str, options: argparse.Namespace) -> None:
    from hw_bridge.terminal_lines import on_lines
    from hw_bridge.wpa_control import WpaControl
    from hw_bridge.wpa_node import WpaNode

    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    control = WpaControl(path)
    node = WpaNode(control, _write, reveal=options.reveal)
    control.on_event, control.on_state = node.on_event, node.on_state

    def take(text: bytes) -> None:
        if not text.strip():
            return
        try:
            task = loop.create_task(node.do(json_object(text, "standard input")))
        except UsageError as exc:
            print(line({"error": str(exc)}), flush=True)
            return
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    try:
        await control.open()
        found = sorted(await control.abilities())
        say(f"{path} has {', '.join(found) or 'no NAN commands: build it with CONFIG_NAN=y'}")
        ended = asyncio.Event()
        on_lines(take, at_end=ended.set)
        await ended.wait()
        await asyncio.gather(*tasks)
    finally:
        await control.close()
        report(control.counts)
