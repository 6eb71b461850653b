"""A scenario brought to life: loop, air, trace, devices, steps and expectations of one run.

The world is the only composition root below the screens: it knows all parts, and no part knows it but
through `Place` (devices) and `RadioPlace` (their radios). It runs on its own loop, in whatever thread calls
`run`; other threads talk to it through `sim.control` and the trace.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from protocols.errors import (
    EncodeError,
    NearbenchError,
    UnknownNameError,
    UsageError,
)
from sim import wifi_aware
from sim.air import Air
from sim.air import Path as Walk
from sim.air_trace import AirTrace
from sim.assembly import build_devices, check_scripts, load_formats
from sim.causes import Causes
from sim.clock import VirtualLoop
from sim.crowds import join_crowd
from sim.defects import Defects
from sim.device import Device, node_error
from sim.expect import Outcome, Watch
from sim.fault_schedule import Faults
from sim.redaction import Secret, redacted
from sim.rng import Streams
from sim.scenario_time import ScenarioTime
from sim.scripts import Scripts
from sim.setting_errors import wrong_setting
from sim.strays import Strays, closing, order_of
from sim.trace import TraceEvent, TraceLog

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator

    from protocols.format import Format
    from sim.person import Face
    from sim.scenario import NodeSpec, Scenario

__all__ = ["RadioPlace", "RunResult", "World"]


_SHUT_DOWN_ROUNDS = 20  # a task that waits for another ends a round after it


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to; `passed` decides the exit status."""

    scenario: str
    title: str
    seed: int
    simulated_us: int
    passed: bool
    expectations: tuple[Outcome, ...]
    failures: tuple[str, ...]
    """steps that failed though they may not, and those that the end of the run cut off."""
    events: int
    """length of the trace."""
    air: dict[str, int]
    """packets sent, heard, and lost by reason."""


class RadioPlace(Protocol):
    """The part of the world a radio sees."""

    loop: VirtualLoop
    air: Air
    streams: Streams
    trace: TraceLog
    base: Path
    reveal: bool
    faces: dict[str, Face]

    def secret(self, value: str) -> Any:
        """A PIN or key for the trace."""
        ...

    def defects(self, node: str) -> Defects:
        """What faults have done to a node."""
        ...

    def position_of(self, node: str) -> Any:
        """Place or walk of a node, as the air takes it."""
        ...

    def claim(self, node: str, address: str, kind: str = "random") -> None:
        """`node` uses the radio address `address` ("aa:bb:cc:dd:ee:ff", `kind` random or public) from now on."""
        ...

    def name_of(self, address: str) -> str:
        """Name of the node that uses `address`, else the address."""
        ...

    def is_stranger(self, name: str) -> bool:
        """Whether what goes by that name writes no trace of its own: whoever hears it writes what it says."""
        ...

    def hci(self, node: str, direction: str, packet: bytes) -> None:
        """An HCI packet between host and controller of `node`; "tx" = from the host."""
        ...

    def spawn(self, node: str, task: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine of `node`; what it raises ends the run with the node's name."""
        ...


class World:
    """One run of one scenario. Build it, add sinks and captures, then `run`.

    `reveal`: PINs and keys stand in trace and captures as they are; otherwise as dots and zeros.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        speed: float | None = None,
        capacity: int = 200_000,
        reveal: bool = False,
    ) -> None:
        self.scenario = scenario
        self.reveal = reveal
        self.faces: dict[str, Face] = {}
        self.seed = scenario.seed if seed is None else seed
        self.streams = Streams(self.seed)
        self.loop = VirtualLoop(speed=speed)
        self.times = ScenarioTime(self.loop)
        self.air = Air(self.loop, self.streams, scenario.air)
        self._causes = Causes()
        self.trace = TraceLog(lambda: self.loop.now_us, capacity, self._causes.of)
        self.base = Path(scenario.base or ".")
        self.devices: dict[str, Device] = {}
        self.formats: tuple[Format, ...] = ()
        self.hci_taps: list[Callable[[str, int, str, bytes], None]] = []
        self._specs = {spec.name: spec for spec in scenario.node}
        self._defects: dict[str, Defects] = {}
        self._addresses: dict[str, str] = {}
        self._latest: dict[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._strays = Strays()
        self._scripts = Scripts(scenario.step, self.trace, self.times, self.secret)
        self._begun = False
        self._watches = [Watch(expect, self.times) for expect in scenario.expect]
        for watch in self._watches:
            self.trace.add_sink(watch.feed)
        try:
            self.formats = load_formats(scenario, self.base)
            self.devices = build_devices(self)
            check_scripts(scenario, self.devices)
            self.crowds = [join_crowd(self, i, spec) for i, spec in enumerate(scenario.crowd)]
            self.faults = Faults(self)
        except BaseException:
            self.close()
            raise

    # What devices and radios see

    @property
    def now_us(self) -> int:
        """Simulated time."""
        return self.loop.now_us

    def after_us(self, delay_us: int, callback: Callable[..., None], *args: Any) -> Any:
        """Call back later in simulated time."""
        return self.loop.after_us(delay_us, callback, *args)

    def spawn(self, node: str, task: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine of `node`."""
        return closing(self._watched(self._named(node, task)), task)

    def _watched(self, task: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task whose exception ends the run at once, not when the garbage collector finds it."""
        running = self.loop.create_task(task)
        self._tasks.add(running)
        running.add_done_callback(self._finished)
        return running

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.loop.call_exception_handler({"message": "in a task", "exception": error})

    def draw(self, purpose: str, length: int) -> bytes:
        """Random octets from the seed."""
        return self.streams.bytes(f"device/{purpose}", length)

    def emit(self, node: str, layer: Any, event: str, **details: Any) -> TraceEvent:
        """Write to the trace."""
        return self.trace.emit(node, layer, event, **details)

    def claim(self, node: str, address: str, kind: str = "random") -> None:
        """`node` uses this radio address."""
        plain = address.lower()
        self._addresses[plain] = node
        self._latest[node] = f"{plain} {kind}"

    def name_of(self, address: str) -> str:
        """Node name of an address, else the address."""
        return self._addresses.get(address.lower(), address)

    def is_stranger(self, name: str) -> bool:
        """Nobody is one where everything is simulated."""
        return False

    def address_of(self, name: str) -> str:
        """Last claimed address of a node, "aa:bb:cc:dd:ee:ff random". Raises UnknownNameError."""
        if name not in self._latest:
            raise UnknownNameError("node on the air", name, self._latest)
        return self._latest[name]

    def defects(self, node: str) -> Defects:
        """What faults have done to a node."""
        return self._defects.setdefault(node, Defects())

    def position_of(self, node: str) -> Any:
        """Place or walk of a node."""
        return _place(self._specs[node])

    def join(self, device: Device, beside: str, at: tuple[float, ...] = ()) -> None:
        """A device that the scenario does not have, a fault's: at that place, else beside a node."""
        near = self._specs[beside]
        self._specs[device.name] = msgspec.structs.replace(
            near, name=device.name, at=at or near.at, path=() if at else near.path, power=None
        )
        self.devices[device.name] = device

    def hci(self, node: str, direction: str, packet: bytes) -> None:
        """Trace and capture one HCI packet."""
        shown = packet if self.reveal else redacted(packet)
        event = self.emit(node, "hci", "packet", direction=direction, data=shown)
        if direction == "rx":
            self._causes.told(node, event)
        for tap in self.hci_taps:
            tap(node, self.loop.now_us, direction, shown)

    def secret(self, value: str) -> Any:
        """A PIN or key for the trace: as it is when revealed, else dots that compare equal to it."""
        return value if self.reveal else Secret(value)

    # Running

    def run(self, until_us: int | None = None) -> RunResult:
        """Run until the scenario's duration (or `until_us`), or earlier when everything is settled."""
        with self.session():
            self.settle(int(self.scenario.duration) if until_us is None else until_us)
        return self.result()

    @contextlib.contextmanager
    def session(self) -> Generator[None]:
        """Inside the block the devices live and the steps are taken, whoever drives `loop`; afterwards all is off."""
        # bumble is imported when a radio is built, not before
        from sim.ble.determinism import seeded
        from sim.ble.quiet import quiet

        stop_observing = self.air.observe(AirTrace(self.trace, self.devices, self._causes).on_air)
        asyncio.set_event_loop(self.loop)
        self.loop.set_task_factory(self._strays.make)
        try:
            with seeded(self.streams), quiet():
                self.trace.emit("", "world", "start", note=self.scenario.title, seed=self.seed)
                self._watched(self._begin())
                try:
                    yield
                    self.trace.emit("", "world", "end")
                except BaseException as exc:
                    with contextlib.suppress(Exception):  # the first error is the one to tell
                        self._shut_down()
                    if isinstance(exc, NearbenchError) or not isinstance(
                        exc, Exception | SystemExit
                    ):
                        raise
                    raise self._strays.error(exc, self.now_us) from exc
                self._shut_down()
                self._strays.look(self.now_us)
        finally:
            stop_observing()
            asyncio.set_event_loop(None)

    def settle(self, until_us: int) -> None:
        """Run until the steps are done and the expectations cannot change any more, at most until `until_us`."""
        while (at_us := self._scripts.by_hand_us) is not None and at_us <= until_us:
            self.loop.run_until_us(max(at_us, self.now_us))
            if self.now_us < at_us:
                return  # somebody has stopped it
            self._scripts.give(self.devices, self.spawn)
        self.loop.run_until(self._settled, until_us)

    def result(self) -> RunResult:
        """The verdict as it stands."""
        outcomes = tuple(watch.outcome() for watch in self._watches)
        failures = (*self._scripts.failures, *self._scripts.unfinished())
        return RunResult(
            scenario=self.scenario.file,
            title=self.scenario.title,
            seed=self.seed,
            simulated_us=self.loop.now_us,
            passed=not failures and all(outcome.held for outcome in outcomes),
            expectations=outcomes,
            failures=failures,
            events=self.trace.count,
            air=dict(sorted(self.air.counts.items())),
        )

    def close(self) -> None:
        """Give back what the loop holds."""
        if not self.loop.is_closed():
            self.loop.close()

    async def _begin(self) -> None:
        self.faults.begin()
        for name, device in self.devices.items():
            spec = self._specs[name]
            if spec.power is not None:
                self.spawn(name, self._power_up(device, int(spec.power)))
            else:
                await self._named(name, self._power_up(device, 0))
        self._scripts.start(self.devices, self.spawn)
        self._begun = True

    async def _power_up(self, device: Device, at_us: int) -> None:
        await self.times.reach(at_us)
        try:
            await self._give_radios(device)
            await device.start()
        except (EncodeError, UsageError) as exc:  # what its settings say cannot be sent
            index = self.scenario.node.index(self._specs[device.name])
            raise wrong_setting(self.scenario, index, str(exc), who=device.name) from exc

    async def _give_radios(self, device: Device) -> None:
        if "ble" in device.radios:
            from sim.ble.stack import build  # bumble is imported when a radio is built, not before

            await build(device, self)
        if "wifi_aware" in device.radios:
            wifi_aware.build(device, self)

    async def _named(self, node: str, task: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await task
        except (NearbenchError, asyncio.CancelledError):
            raise
        except (
            Exception,
            SystemExit,
        ) as exc:  # code of a device, perhaps a user's: name it, not our stack
            raise node_error(node, self.now_us, "it", exc) from exc

    def _settled(self) -> bool:
        """Whether all steps are done, all faults set and no expectation can change any more, if that ends the run."""
        wanted = self.scenario.stop_when_done
        stops = bool(self._watches) if wanted is None else wanted
        if not (stops and self._begun and self._scripts.done and self.now_us > 0):
            return False
        if not self.faults.happened:
            return False
        return all(watch.settled(self.times.now_us) for watch in self._watches)

    def _shut_down(self) -> None:
        """End all tasks; raises the first exception that this brings up."""
        first: Exception | None = None
        for _ in range(_SHUT_DOWN_ROUNDS):
            tasks = sorted(asyncio.all_tasks(self.loop), key=order_of)
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            try:
                self.loop.run_until_us(self.loop.now_us)
            except Exception as exc:  # noqa: BLE001  # kept; the other tasks still have to end
                first = first or exc
        if first is not None:
            raise first

    def parties(self) -> Iterator[str]:
        """Names of the devices, in the scenario's order."""
        yield from self.devices


def _place(spec: NodeSpec) -> Any:
    if not spec.path:
        return _xyz(spec.at)
    return Walk([(int(point.t), _xyz(point.at)) for point in spec.path])


def _xyz(at: tuple[float, ...]) -> tuple[float, float, float]:
    x, y, z = (*at, 0.0)[:3]
    return (x, y, z)
