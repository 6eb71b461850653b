"""Runs a program in this process as `python FILE ARGS` (or `python -m MODULE ARGS`) would.

Rules of the file: `sys.argv`, `sys.path[0]` and `__main__` are the program's while it runs and ours again afterwards;
its exit status is what Python would give; an exception of its own is printed as Python prints it, one of the
simulation is raised.
"""

from __future__ import annotations

import contextlib
import runpy
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from protocols.errors import NearbenchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["check_program", "run_program"]

_FAILED, _INTERRUPTED = 1, 130


def check_program(words: Sequence[str]) -> None:
    """Raise UsageError unless `words` name a Python file, or `-m` and a module."""
    if not words:
        raise UsageError(
            "which program? write it after `--`: nearbench bleak SCENARIO -- program.py ARGS"
        )
    name = words[0]
    if name == "-m" and len(words) > 1:
        return
    if name in ("python", "python3") or not (name.endswith(".py") or Path(name).is_file()):
        raise UsageError(
            f"program {name!r} is no Python file; write it after `--` as program.py ARGS or -m MODULE ARGS"
        )
    if not Path(name).is_file():
        raise UsageError(f"program {name} does not exist")


@contextlib.contextmanager
def _as_main(words: Sequence[str]) -> Generator[None]:
    argv, path, main = sys.argv, list(sys.path), sys.modules.get("__main__")
    module = words[0] == "-m"
    sys.argv = list(words[1:] if module else words)
    sys.path.insert(0, str(Path.cwd()) if module else str(Path(words[0]).resolve().parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
        if main is not None:
            sys.modules["__main__"] = main


def run_program(words: Sequence[str]) -> int:
    """Run it; the exit status. Raises NearbenchError (the simulation could not go on)."""
    try:
        with _as_main(words):
            if words[0] == "-m":
                runpy.run_module(words[1], run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(words[0], run_name="__main__")
    except SystemExit as exc:
        return _status(exc.code)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except NearbenchError:
        raise
    except BaseException as exc:  # noqa: BLE001  # whatever the program raised is shown as Python would
        _print(exc, words[0])
        return _FAILED
    finally:
        sys.stdout.flush()
    return 0


def _status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return _FAILED


def _print(exc: BaseException, program: str) -> None:
    """The traceback from the program's first line on."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != program:
        trace = trace.tb_next
    traceback.print_exception(exc.with_traceback(trace or exc.__traceback__))
