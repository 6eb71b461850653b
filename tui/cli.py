"""`nearbench`: finds the command's file, parses its options, and turns errors into one sentence and a status.

0 it did what was asked, 1 it ran and the expectation did not hold, 2 the request is wrong (contract, "Exit
status"). Only the file of the command that runs is imported.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from protocols.errors import NearbenchError, UnknownNameError, UsageError
from tui.charset import fit_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Command(Protocol):
    SUMMARY: str
    EXAMPLE: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Do it; the exit status."""
        ...


class _Parser(argparse.ArgumentParser):
    """argparse whose complaints are ours: one sentence, status 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].lower() + message[1:]}; see `{self.prog} --help`")


def _names() -> list[str]:
    folder = Path(__file__).parent / "commands"
    return sorted(
        file.stem.rstrip("_") for file in folder.glob("*.py") if not file.name.startswith("_")
    )


def _load(name: str) -> _Command:
    if name not in _names():
        raise UnknownNameError("command", name, _names())
    stem = f"{name}_" if name == "list" else name
    return cast(_Command, importlib.import_module(f"tui.commands.{stem}"))


def _parser(name: str, command: _Command) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"nearbench {name}",
        description=command.SUMMARY,
        epilog=f"example:\n{command.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    command.configure(parser)
    return parser


def _help() -> str:
    lines = [
        "usage: nearbench COMMAND [options]",
        "",
        "BLE and Wi-Fi Aware accessories and phones, simulated and on the bench.",
        "",
    ]
    lines += [f"  {name.ljust(9)} {_load(name).SUMMARY}" for name in _names()]
    lines += [
        "",
        "`nearbench COMMAND --help` shows the options and an example; `nearbench --version` the version.",
    ]
    return "\n".join(lines)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nearbench")
    except PackageNotFoundError:
        return "not installed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    closed = _prepare_streams()
    if closed:
        _say_closed(closed)
        return 2
    try:
        return _main(words)
    except KeyboardInterrupt:
        print("nearbench: stopped", file=sys.stderr)
        return 130
    except Exception as exc:  # no traceback reaches a user who did not ask for it
        if isinstance(exc, BrokenPipeError) or isinstance(exc.__cause__, BrokenPipeError):
            return _reader_left()
        if "--debug" in _split(words)[0]:
            raise
        return _tell(exc)


class _NoInput(io.RawIOBase):
    """A standard input that is closed."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any, /) -> int:
        raise UsageError("standard input is closed; redirect it, from /dev/null say")


def _prepare_streams() -> str:
    """Name of a closed stream that we would write to, else empty. What a terminal cannot show becomes ASCII.

    A closed standard input is a fault of commands that read it only: a daemon has none.
    """
    given: Any = sys.stdin
    if given is None:
        os.open(os.devnull, os.O_RDONLY)  # the lowest free number, so that no file of ours gets it
        sys.stdin = io.TextIOWrapper(io.BufferedReader(_NoInput()))
    streams: dict[str, Any] = {"standard output": sys.stdout, "standard error": sys.stderr}
    for name, stream in streams.items():
        if stream is None:
            return name
        if isinstance(stream, io.TextIOWrapper):
            fit_stream(cast("io.TextIOWrapper", stream))
    return ""


def _say_closed(name: str) -> None:
    """Say on the stream that is still open that the other one is not."""
    stream = sys.stderr if sys.stderr is not None else sys.stdout
    if stream is not None:
        print(f"nearbench: {name} is closed; redirect it, to /dev/null say", file=stream)


def _tell(exc: Exception) -> int:
    """Say in one sentence what went wrong; the exit status."""
    if isinstance(exc, NearbenchError):
        message, status = str(exc), exc.exit_status
    elif isinstance(exc, OSError):
        message, status = f"{exc.filename or _place_of(exc)}: {exc.strerror or exc}", 1
    else:
        message = f"a fault of nearbench itself: {type(exc).__name__}: {exc}; --debug shows where"
        status = 1
    print(f"nearbench: {message}", file=sys.stderr)
    return status


def _place_of(exc: OSError) -> str:
    """Where a fault without a file name was: files of ours are named where they are written, so no room is left for stdout."""
    return "standard output" if exc.errno in _NO_ROOM else "input or output"


def _reader_left() -> int:
    """The reader of our output went away (`| head`): nothing to say, and nothing to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """What stands before the first `--`, and after it: a program's own words, which nobody reads."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _main(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"nearbench {_version()}")
        return 0
    command = _load(words[0])
    own, program = _split(words[1:]) if getattr(command, "RUNS_PROGRAM", False) else (words[1:], [])
    options = _parser(words[0], command).parse_args(own)
    options.program = program
    status = command.run(options)
    sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.exit(main())
