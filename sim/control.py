"""Commands to a running world from other threads: device commands, answers, faults, and the clock.

A `Control` runs its world on a thread and loop of their own. Whatever changes the world is carried out on that
thread at the simulated time it arrives, and traced in the layer `control`: `command` (with `do` and `set`), `fault` (with `do`
= set_fault or clear_fault, the option's `text` and the fault's `number`) and `clock` (pause, step, speed; for
machines). From the first two `commands_of` and `repeat` make the run again. Nothing here reads a wall clock.
The thread, its commands and its end are here; the clock, people and faults have files of their own.

After the scenario's end the devices live on with the clock held, so that people can look and go on.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal

from protocols.errors import NearbenchError, SimulationError, UnknownNameError, origin_of
from sim.device import node_error
from sim.fault_control import FaultControl
from sim.given_commands import CLEAR_FAULT, SET_FAULT, Command, commands_of
from sim.people_control import NOW, Asking, PeopleControl
from sim.redaction import masked
from sim.strays import closing
from sim.units import Duration, duration_text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from sim.trace import TraceEvent
    from sim.world import RunResult, World

__all__ = ["Asking", "Command", "Control", "State", "commands_of"]

State = Literal["ready", "running", "paused", "ended", "stopped", "died"]
"""ended: the verdict is there and the clock is held; it may be let go on. stopped, died: nothing can follow."""
_OVER = ("stopped", "died")
_FOR_EVER_US = 1 << 60


class Control(PeopleControl, FaultControl):
    """A world on a thread of its own, and what others may ask of it. Every public method may be called from any thread.

    `played`: nodes whose people are played at the screen; the others answer by themselves. `until_us`: end of the
    run, the scenario's duration when None; time in which questions wait for the screen is added to it. Scenario time
    stands still while a question waits longer than the person would have needed.
    """

    def __init__(
        self, world: World, *, played: Iterable[str] = (), until_us: int | None = None
    ) -> None:
        PeopleControl.__init__(self, world, played)
        FaultControl.__init__(self)
        self.result: RunResult | None = None
        """the verdict, once it is there."""
        self.error = ""
        """why the world died, as a sentence."""
        self._until_us = int(world.scenario.duration) if until_us is None else until_us
        self._state: State = "ready"
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)
        world.trace.add_sink(self._on_event)

    # The thread

    def start(self) -> None:
        """Let the world live."""
        self._enter("running")
        self._thread.start()

    def _run(self) -> None:
        cut_off = False
        try:
            with self.world.session():
                self._until_the_end()
                if not self._stopping:
                    self.result = self.world.result()
                    self.world.loop.pause()
                    self._enter("ended")
                    self.world.loop.run_until_us(_FOR_EVER_US)
                self.result = self.result or self.world.result()
                cut_off = True
        except BaseException as exc:  # noqa: BLE001  # nobody else would hear of it: the screen tells it
            # what devices raise when they are switched off in mid-action concerns nobody
            if not cut_off:
                self._die(exc)
                return
        self._enter("stopped")

    def _until_the_end(self) -> None:
        """Run the scenario; its end moves by the time that people took."""
        end_us = self._until_us
        while True:
            self.world.settle(end_us)
            if self._stopping or self.world.now_us < end_us:
                return
            later_us = self._until_us + sum(human.waited_us for human in self._humans.values())
            if later_us <= end_us:
                return
            end_us = later_us

    def _die(self, exc: BaseException) -> None:
        if isinstance(exc, NearbenchError):
            self.error = str(exc)
        else:
            where = f"{type(exc).__name__}: {exc} ({origin_of(exc)})"
            self.error = f"a fault of nearbench itself: {where}"
        self._enter("died")

    def _enter(self, state: State) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _on_event(self, event: TraceEvent) -> None:
        if (
            event.direction
            and event.layer in ("ble", "aware")
            and "often" not in event.fields
            and "quiet" not in event.fields
        ):
            self._messages += 1

    # What there is to see

    @property
    def state(self) -> State:
        """Where the run is."""
        held = self._state in ("running", "ended")
        if not held:
            return self._state
        if not self.world.loop.paused:
            return "running"
        return "ended" if self._state == "ended" else "paused"

    @property
    def now_us(self) -> int:
        """Simulated time."""
        return self.world.loop.now_us

    def wait(self, *states: State, timeout_s: float = 10.0) -> bool:
        """Block until the run is in one of `states` by itself (not by pausing); False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._state in states, timeout_s)

    def sync(self, timeout_s: float = 10.0) -> bool:
        """Block until the world's thread has begun what was asked for so far; False when that took too long."""
        begun = threading.Event()
        try:
            self._call(begun.set)
        except SimulationError:
            return True
        return begun.wait(timeout_s)

    # Commands to devices

    def do(self, node: str, command: str, **arguments: Any) -> Future[Any]:
        """Give a device a command; the result (or what went wrong, as NearbenchError) comes in the future."""
        done: Future[Any] = Future()
        done.set_running_or_notify_cancel()
        self._call(self._begin, done, node, command, arguments)
        return done

    def _begin(self, done: Future[Any], node: str, command: str, arguments: dict[str, Any]) -> None:
        device = self.world.devices.get(node)
        if device is None:
            done.set_exception(UnknownNameError("node", node, self.world.devices))
            return
        plain = {key: _written(value) for key, value in arguments.items()}
        shown = masked(plain, self.world.secret)
        note = ", ".join(f"{key} = {value}" for key, value in shown.items() if key != NOW)
        event = self.world.emit(
            node, "control", "command", note=note, label=command, do=command, set=shown
        )
        self._spawn(done, node, device.do(command, arguments), event)

    def _spawn(
        self, done: Future[Any], node: str, task: Coroutine[Any, Any, Any], event: TraceEvent
    ) -> None:
        carried_out = self.world.spawn(node, self._carried_out(done, node, task, event))
        closing(carried_out, task).add_done_callback(lambda _: _give_up(done))

    async def _carried_out(
        self, done: Future[Any], node: str, task: Coroutine[Any, Any, Any], event: TraceEvent
    ) -> None:
        command = str(event.fields["do"])
        try:
            done.set_result(await task)
        except Exception as raised:  # noqa: BLE001  # a command by hand ends no run, whatever the device makes of it
            exc = raised
            if not isinstance(raised, NearbenchError):
                exc = node_error(node, self.now_us, command, raised)
            note = f"{command}: {exc}"
            self.world.emit(
                node, "control", "command_failed", note=note, cause=event.seq, label="failed"
            )
            done.set_exception(exc)
        finally:
            _give_up(done)

    # The end

    def repeat(self, commands: Iterable[Command]) -> RunResult:
        """Run the world to its end with these commands at their times, on the caller's thread and without `start`."""
        loop = self.world.loop
        self._stepping = True  # full speed, whoever is asked
        with self.world.session():
            for command in commands:
                self.world.settle(command.t_us)
                loop.run_until_us(max(command.t_us, loop.now_us))
                self._again(command)
            self._until_the_end()
        self.result = self.world.result()
        return self.result

    def _again(self, command: Command) -> None:
        if command.do == SET_FAULT:
            self._set_fault(Future(), str(command.set["text"]))
        elif command.do == CLEAR_FAULT:
            number = command.set["number"]
            for fault in self.faults():
                if fault.number == number:
                    self._clear_fault(Future(), fault)
        else:
            self._begin(Future(), command.node, command.do, command.set)

    def stop(self, timeout_s: float = 10.0) -> bool:
        """End the run and switch everything off; False when the world does not answer in time."""
        self._stopping = True
        if not self._thread.is_alive():
            if self._state == "ready":
                self._enter("stopped")
            self.world.close()
            return True
        self._call(self.world.loop.stop)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self.world.close()
        return True

    def _call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Have the world's thread call `function`, now in simulated time. Raises SimulationError when the run is over."""
        if self._state in _OVER:
            raise _over()
        try:
            self.world.loop.call_soon_threadsafe(lambda: function(*arguments, **named))
        except RuntimeError:  # closed in the meantime
            raise _over() from None


def _give_up(done: Future[Any]) -> None:
    """Who waits for a command that the end of the run cut off waits no longer."""
    if not done.done():
        done.set_exception(_over())


def _over() -> SimulationError:
    return SimulationError("the run is over; restart the scenario to go on")


def _written(value: Any) -> Any:
    return duration_text(value) if isinstance(value, Duration) else value
