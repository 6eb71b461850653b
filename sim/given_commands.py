"""What was given by hand during a run, read from its trace, so that the run can be made again.

Rules of the file: layer `control` alone is read; `command` goes to a device, `fault` with `do` is a fault that somebody
set or took back. No world, no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sim.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.trace import TraceEvent

__all__ = ["CLEAR_FAULT", "SET_FAULT", "Command", "commands_of"]

SET_FAULT, CLEAR_FAULT = "set_fault", "clear_fault"
"""What somebody does to faults, in the trace and as `Command.do`."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was given to a device, or a fault that was set or taken back."""

    t_us: int
    node: str
    do: str
    set: dict[str, Any]
    """arguments, as they were given; set_fault has `text` as `--fault` takes it, both have the fault's `number`."""


def commands_of(events: Iterable[TraceEvent]) -> list[Command]:
    """What was given by hand during a run, in order; PINs as they were, where the trace still knows them."""
    found = (_command_of(event) for event in events if event.layer == "control")
    return [command for command in found if command is not None]


def _command_of(event: TraceEvent) -> Command | None:
    fields = event.fields
    if event.event == "command":
        given = dict(fields["set"])
    elif event.event == "fault" and "do" in fields:
        given = {key: fields[key] for key in ("text", "number")}
    else:
        return None
    arguments = {key: _plain(value) for key, value in given.items()}
    return Command(t_us=event.t_us, node=event.node, do=str(fields["do"]), set=arguments)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Secret) else value
