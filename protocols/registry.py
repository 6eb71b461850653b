"""The folder is the registry: one file, one module-level constant, found by the file's name.

Names are listed without importing anything; a file is imported when its name is asked for. A user's own
file is loaded by its path through the same interface. No clock, no randomness.
"""

from __future__ import annotations

import importlib
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from protocols.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["Folder", "load_file"]

T = TypeVar("T")

_LONGEST_STEM = 80
"""Characters of a file's name; a longer one is no file of ours, and may be none that the system can name."""


class Folder(Generic[T]):
    """Registered things of one package: file `x_y.py` with constant `constant` is the thing `x-y` (or `x_y`).

    `kind` is the word used in error messages; `separator` is the one names are shown with.
    """

    def __init__(self, package: str, constant: str, kind: str, *, separator: str = "_") -> None:
        self.package = package
        self.constant = constant
        self.kind = kind
        self.separator = separator
        self._loaded: dict[str, T] = {}

    @property
    def path(self) -> Path:
        """The folder on disk."""
        module = sys.modules.get(self.package) or importlib.import_module(self.package)
        return Path(cast("str", module.__file__)).parent

    def names(self) -> list[str]:
        """Names of all registered files, sorted; imports none of them."""
        return [self._shown(file.stem) for file in self.files()]

    def files(self) -> list[Path]:
        """The registered files, sorted by name."""
        return sorted(file for file in self.path.glob("*.py") if not file.name.startswith("_"))

    def get(self, name: str) -> T:
        """The thing called `name` (or in the Python file at that path). Raises UnknownNameError, UsageError."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def registered(self, name: str) -> T:
        """As `get`, for names that came as data: never a path, no file is loaded. Raises UnknownNameError."""
        if not self._is_registered(name):
            raise UnknownNameError(self.kind, name, self.names())
        return self.get(name)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """(name, thing) of every registered file; imports them all."""
        for name in self.names():
            yield name, self.get(name)

    def _load(self, name: str) -> T:
        if name.endswith(".py"):
            return self._constant(load_file(Path(name), self.kind), name)
        if not self._is_registered(name):
            raise UnknownNameError(self.kind, name, self.names())
        stem = name.replace("-", "_")
        return self._constant(self._import(f"{self.package}.{stem}"), name)

    def _is_registered(self, name: str) -> bool:
        """Whether a file of the folder has that name."""
        stem = name.replace("-", "_")
        if not stem.isidentifier() or stem.startswith("_") or len(stem) > _LONGEST_STEM:
            return False
        return (self.path / f"{stem}.py").is_file()

    def _import(self, module: str) -> ModuleType:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as exc:
            if exc.name != module:
                raise
        importlib.invalidate_caches()  # the file is younger than Python's listing of its folder
        return importlib.import_module(module)

    def _constant(self, module: ModuleType, name: str) -> T:
        try:
            return cast("T", getattr(module, self.constant))
        except AttributeError:
            raise UsageError(
                f"{name}: defines no {self.constant}, so it is no {self.kind}"
            ) from None

    def _shown(self, stem: str) -> str:
        return stem.replace("_", self.separator)


def load_file(path: Path, kind: str) -> ModuleType:
    """The module in the user's Python file `path`. Raises UsageError when it is missing or raises."""
    if not _is_file(path):
        raise UsageError(f"{kind} file {path} does not exist")
    import importlib.util as loading  # for users' files only: start-up counts

    name = f"nearbench_user_{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    spec = loading.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{kind} file {path} cannot be loaded as Python")
    module = loading.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (
        Exception,
        SystemExit,
    ) as exc:  # a user's file may raise anything: say where, not our stack
        del sys.modules[name]
        line = _line_in(path, exc)
        where = f"{path}:{line}" if line else str(path)
        raise UsageError(f"{where}: {type(exc).__name__}: {exc}") from exc
    return module


def _is_file(path: Path) -> bool:
    """Whether a file is there; a name too long for the system is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _line_in(path: Path, exc: BaseException) -> int | None:
    """Last line of `path` in the exception's traceback."""
    if isinstance(exc, SyntaxError):
        return exc.lineno
    line = None
    trace = exc.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
