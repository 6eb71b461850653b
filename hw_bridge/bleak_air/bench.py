"""A world with a computer in it, and a program in this process whose bleak is that computer's Bluetooth.

Rules of the file: `open` puts bleak's backends, the event loops and the world together and takes all of it apart
again; nothing of it outlives the block. One bench is open at a time: bleak's backend is found by process-wide names.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
)

from hw_bridge.bleak_air.loops import Drive, ProgramLoop, program_loops
from hw_bridge.bleak_air.radio import HostRadio
from protocols.errors import UsageError
from sim.phones.computer import Computer
from sim.scenario import NodeSpec, Scenario
from sim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from sim.world import RunResult

__all__ = ["COMPUTER", "Bench", "current", "post", "with_computer"]

COMPUTER = "computer"
_T = TypeVar("_T")
_START_UP_US = 60_000_000

# modules that hold the functions bleak finds its backend with
_LOOKUPS = {
    "get_platform_scanner_backend_type": ("bleak", "bleak.backends.scanner"),
    "get_platform_client_backend_type": ("bleak", "bleak.backends.client"),
    "get_platform_adapter_backend_type": ("bleak", "bleak.backends.adapter"),
    "get_default_backend": (
        "bleak.backends",
        "bleak.backends.scanner",
        "bleak.backends.client",
        "bleak.backends.adapter",
    ),
}

_open: list[Bench] = []


def current() -> Bench:
    """The bench whose computer bleak uses. Raises BleakBluetoothNotAvailableError without one."""
    if not _open:
        raise BleakBluetoothNotAvailableError(
            "the simulated air is gone", BleakBluetoothNotAvailableReason.NO_BLUETOOTH
        )
    return _open[-1]


def with_computer(
    scenario: Scenario,
    *,
    at: tuple[float, ...] = (0.0, 0.0),
    settings: dict[str, Any] | None = None,
) -> Scenario:
    """`scenario` with a computer at `at` (metres), unless it has one; `settings` go over the computer's."""
    found = [spec for spec in scenario.node if spec.phone == COMPUTER]
    nodes = {spec.name: spec for spec in scenario.node}
    if not found and COMPUTER in nodes:
        raise UsageError(
            f"{scenario.file}: a node is called {COMPUTER!r} and is none; rename it, or give it phone = {COMPUTER!r}"
        )
    spec = found[0] if found else NodeSpec(name=COMPUTER, phone=COMPUTER, at=at)
    nodes[spec.name] = msgspec.structs.replace(spec, set={**spec.set, **(settings or {})})
    return msgspec.structs.replace(scenario, node=tuple(nodes.values()))


class Bench:
    """One run of `scenario` with a program in it; `limit_us` of simulated time is what the program may take.

    `reveal`: PINs and keys stand in the trace as they are.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        speed: float | None = None,
        limit_us: int | None = None,
        reveal: bool = False,
    ) -> None:
        self.world = World(with_computer(scenario), seed=seed, speed=speed, reveal=reveal)
        self.computer = next(
            device for device in self.world.devices.values() if isinstance(device, Computer)
        )
        self.drive = Drive(self.world.loop, limit_us)
        self._radio: HostRadio | None = None

    @contextlib.contextmanager
    def open(self) -> Generator[Bench]:
        """Inside the block the world lives, and bleak is the computer's. Raises UsageError when one is open already."""
        if _open:
            raise UsageError("another program lives in a simulated air of this process already")
        with self.world.session(), program_loops(self.drive), _installed(self):
            self._switch_on()
            yield self

    def _switch_on(self) -> None:
        """Let what is switched on at the start get ready, as long as the computer needs for it."""
        spec = next(one for one in self.world.scenario.node if one.name == self.computer.name)
        if spec.power is None:
            self.world.loop.run_until(lambda: self.computer.ready, _START_UP_US)

    def finish(self) -> RunResult:
        """After the program: the scenario's steps and expectations up to its duration; the verdict."""
        scenario = self.world.scenario
        left = int(scenario.duration) > self.world.now_us
        if left and (scenario.step or scenario.expect):
            self.world.settle(int(scenario.duration))
        return self.world.result()

    def close(self) -> None:
        """Give back what the world holds."""
        self.world.close()

    @property
    def radio(self) -> HostRadio:
        """The computer's Bluetooth. Raises BleakBluetoothNotAvailableError while the computer is off."""
        if self._radio is None:
            if not self.computer.ready:
                raise BleakBluetoothNotAvailableError(
                    f"{self.computer.name} is switched off",
                    BleakBluetoothNotAvailableReason.POWERED_OFF,
                )
            self._radio = HostRadio(self.computer)
        return self._radio

    # Between the two loops

    def program_loop(self) -> ProgramLoop:
        """The loop that runs now. Raises BleakError when it is none of ours."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, ProgramLoop) or loop.drive is not self.drive:
            raise BleakError(
                f"the program runs on a {type(loop).__name__} of its own; in the simulated air it needs the loop "
                "that asyncio.run or asyncio.new_event_loop gives it"
            )
        return loop

    async def on_air(self, work: Coroutine[Any, Any, _T], *, keep: bool = False) -> _T:
        """Await `work`, which runs on the world's loop. Raises what it raises.

        When the program cancels the wait, `work` is cancelled too, or goes on unheeded with `keep`, as a request does
        that an operating system has taken.
        """
        try:
            loop = self.program_loop()
        except BleakError:
            work.close()
            raise
        task = self.world.loop.create_task(work)
        done: asyncio.Future[None] = loop.create_future()

        def finished(task: asyncio.Task[_T]) -> None:
            if not task.cancelled():
                task.exception()  # looked at: the program may not wait for it any more
            if not loop.is_closed() and not done.done():
                done.set_result(None)

        task.add_done_callback(finished)
        try:
            await done
        except asyncio.CancelledError:
            if not keep:
                task.cancel()
            raise
        if task.cancelled():
            raise BleakError("the simulated world has ended")
        return task.result()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Have `work` done on the world's loop; nobody waits for it."""
        self.world.spawn(self.computer.name, work)


def post(loop: ProgramLoop, call: Callable[..., object], *arguments: Any) -> bool:
    """Call back on a program's loop, from the world's; False when the program has closed it."""
    if loop.is_closed():
        return False
    loop.call_soon(call, *arguments)
    return True


@contextlib.contextmanager
def _installed(bench: Bench) -> Generator[None]:
    """Inside the block bleak finds our backends."""
    from hw_bridge.bleak_air.adapter import AirAdapter  # they look up `current`
    from hw_bridge.bleak_air.client import AirClient  # likewise
    from hw_bridge.bleak_air.scanner import AirScanner  # likewise
    from hw_bridge.bleak_air.systems import SYSTEMS

    backend = SYSTEMS[bench.computer.settings.os].backend
    values: dict[str, Callable[[], Any]] = {
        "get_platform_scanner_backend_type": lambda: (AirScanner, backend),
        "get_platform_client_backend_type": lambda: (AirClient, backend),
        "get_platform_adapter_backend_type": lambda: (AirAdapter, backend),
        "get_default_backend": lambda: backend,
    }
    replaced: list[tuple[Any, str, Any]] = []
    for name, modules in _LOOKUPS.items():
        for module in map(importlib.import_module, modules):
            replaced.append((module, name, getattr(module, name)))
            setattr(module, name, values[name])
    _open.append(bench)
    try:
        yield
    finally:
        _open.remove(bench)
        for module, name, value in replaced:
            setattr(module, name, value)
