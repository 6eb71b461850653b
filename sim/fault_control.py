"""The faults of a running world as others may set and undo them. One part of `sim.control.Control`.

Each change is carried out on the world's thread and traced as `fault` with `do`, the option's `text` and the fault's number.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import NearbenchError, UsageError
from sim.fault_schedule import fault_of, fault_words
from sim.faults import FAULTS, Fault
from sim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.world import World

__all__ = ["FaultControl"]


class FaultControl:
    """Faults set and undone; `_call` is another part's."""

    world: World

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def _call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Have the world's thread call `function`."""
        raise NotImplementedError

    def faults(self) -> list[Fault]:
        """Faults of the scenario and those set by command."""
        return [*self.world.faults.all, *self._faults]

    def set_fault(self, text: str) -> Future[Fault]:
        """Let something go wrong from now on: NAME[:key=value,...], as the option `--fault` takes it."""
        done: Future[Fault] = Future()
        done.set_running_or_notify_cancel()
        self._call(self._set_fault, done, text)
        return done

    def _set_fault(self, done: Future[Fault], text: str) -> None:
        faults = self.world.faults
        try:
            option = fault_of(text)
            model: Any = FAULTS.get(option.name)
            if model.enter is not Fault.enter:
                raise UsageError(
                    f"{option.name} needs a device of its own: restart the scenario with --fault {text}"
                )
            begin = Duration(max(1, self.world.now_us)) if model.momentary else Duration(0)
            option = msgspec.structs.replace(option, from_=begin, until=None)
            number = len(self.faults())
            fault = faults.made(number, option)
            faults.set(fault, text)
        except NearbenchError as exc:
            done.set_exception(exc)
            return
        self._faults.append(fault)
        done.set_result(fault)

    def clear_fault(self, fault: Fault) -> Future[None]:
        """Undo a fault; harmless when it is not set."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()
        self._call(self._clear_fault, done, fault)
        return done

    def _clear_fault(self, done: Future[None], fault: Fault) -> None:
        try:
            self.world.faults.clear(fault, by_hand=True)
        except NearbenchError as exc:
            done.set_exception(exc)
            return
        done.set_result(None)

    def fault_words(self) -> list[str]:
        """Faults in words."""
        return [fault_words(fault) for fault in self.faults()]
