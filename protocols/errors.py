"""The exception tree. Every error says what, where, and what to do; nothing here knows how it is shown.

NearbenchError                    base; str() is one sentence for a user
├── UsageError                    the request is wrong (exit status 2)
│   ├── UnknownNameError          a name that no registry holds, with the near misses
│   └── ScenarioError             file, line and key of a scenario
├── ProtocolError                 bytes or fields that break a specification (exit status 1)
│   ├── DecodeError               code, byte offset and path of the first fault
│   ├── EncodeError               path of the field that cannot be encoded
│   ├── CaptureError              file and byte offset where a capture is damaged
│   ├── LocalProtocolError        we would have broken the protocol; `code` is the wire code
│   └── RemoteProtocolError       the peer broke the protocol; `code` is the wire code
└── SimulationError               a run cannot go on (exit status 1)
    ├── OutputError               a file or pipe that the run writes to failed
    ├── NodeError                 code of a node raised (a user's accessory, say): node and time
    └── WatchdogError             the run stopped making progress
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = [
    "CaptureError",
    "DecodeError",
    "EncodeError",
    "FormatCodeError",
    "LocalProtocolError",
    "NearbenchError",
    "NodeError",
    "OutputError",
    "ProtocolError",
    "RemoteProtocolError",
    "ScenarioError",
    "SimulationError",
    "UnknownNameError",
    "UsageError",
    "WatchdogError",
    "origin_of",
    "writing",
]


class NearbenchError(Exception):
    """Base of all our errors."""

    exit_status: ClassVar[int] = 1


class UsageError(NearbenchError):
    """The request itself is wrong: unknown name, bad option, unreadable or unparsable file."""

    exit_status: ClassVar[int] = 2


class UnknownNameError(UsageError):
    """No `kind` is called `name`; the message offers the nearest of `known`."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = sorted(known)
        import difflib  # on errors only: start-up counts

        near = difflib.get_close_matches(name, self.known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else _all_of(kind, self.known)
        super().__init__(f"unknown {kind} {name!r}; {hint}")


_MOST_NAMES = 40
"""More make a wall that nobody reads."""
_LISTS = {
    "accessory": "accessories", "attribute": "attributes", "fault": "faults", "format": "formats", "phone": "phones",
    "rule": "rules", "scenario": "scenarios", "transport": "transports",
}  # fmt: skip
"""Kind -> what `nearbench list` calls all of them."""


def _all_of(kind: str, known: list[str]) -> str:
    if len(known) <= _MOST_NAMES:
        return f"known: {', '.join(known)}"
    if kind in _LISTS:
        return f"`nearbench list {_LISTS[kind]}` has all {len(known)}"
    return f"known: {', '.join(known[:_MOST_NAMES])} and {len(known) - _MOST_NAMES} more"


class ScenarioError(UsageError):
    """A scenario file is wrong at `line` (1-based, None when unknown), key `key`."""

    def __init__(self, file: str, line: int | None, key: str, message: str) -> None:
        self.file = file
        self.line = line
        self.key = key
        where = f"{file}:{line}" if line is not None else file
        super().__init__(f"{where}: {key}: {message}" if key else f"{where}: {message}")


class ProtocolError(NearbenchError):
    """Bytes or fields that break a specification."""


class DecodeError(ProtocolError):
    """The first fault of an input.

    `code` is one of the codes of the vector files (`frame_length`, `mic`, ...); `offset` counts octets
    from the start of the input, None where no single field is at fault; `path` names the field.
    """

    def __init__(self, code: str, offset: int | None, message: str, *, path: str = "") -> None:
        self.code = code
        self.offset = offset
        self.message = message
        self.path = path
        where = "" if offset is None else f" at octet {offset}"
        super().__init__(f"{code}{where}: {f'{path}: ' if path else ''}{message}")


class EncodeError(ProtocolError):
    """A field that cannot be encoded; `path` names it."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}" if path else message)


class FormatCodeError(ProtocolError):
    """The code of format `name` (a user's own, most likely) raised `cause` at `where` ("file:line")."""

    def __init__(self, name: str, cause: BaseException) -> None:
        self.name = name
        self.where = origin_of(cause)
        super().__init__(f"format {name} raised {type(cause).__name__}: {cause} ({self.where})")


def origin_of(exc: BaseException) -> str:
    """ "file:line" where `exc` was raised; the innermost frame."""
    trace = exc.__traceback__
    where = "unknown place"
    while trace is not None:
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


class CaptureError(ProtocolError):
    """A capture is damaged at byte `offset` of `file`; what came before was already delivered."""

    def __init__(self, file: str, offset: int, message: str) -> None:
        self.file = file
        self.offset = offset
        self.message = message
        super().__init__(f"{file}: byte {offset}: {message}")


class LocalProtocolError(ProtocolError):
    """We would have broken the protocol."""

    code: ClassVar[int] = 0


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol; `code` is what goes on the wire in answer."""

    code: ClassVar[int] = 0


class SimulationError(NearbenchError):
    """A run cannot go on."""


class NodeError(SimulationError):
    """Code of node `node` raised at `t_us` of simulated time."""

    def __init__(self, node: str, t_us: int, message: str) -> None:
        self.node = node
        self.t_us = t_us
        super().__init__(f"{node} at {t_us / 1e6:.6f} s: {message}")


class OutputError(SimulationError):
    """Writing to `name` failed; `cause` says how (disk full, the reader left)."""

    def __init__(self, name: str, cause: OSError) -> None:
        self.name = name
        self.cause = cause
        super().__init__(f"cannot write to {name}: {cause.strerror or cause}")


@contextlib.contextmanager
def writing(name: str) -> Generator[None]:
    """What the system refuses meanwhile (disk full, the reader left) is an OutputError that names `name`."""
    try:
        yield
    except OSError as exc:
        raise OutputError(name, exc) from exc


class WatchdogError(SimulationError):
    """The run stopped making progress (or passed its simulated deadline)."""
