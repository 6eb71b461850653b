"""Writing an export on a thread: under another name in the same folder, and renamed when all of it is there.

Whatever goes wrong is one sentence, and leaves no file and no half of one. Rules of the file: nothing is overwritten
unless that was allowed; files with PINs or keys are for their owner alone (0600); `cancel` is heeded within some packets.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from protocols.errors import NearbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cancelled", "Job", "Part", "Write"]

Write = Callable[[BinaryIO, Callable[[int], None]], int]
"""Puts records on a stream, tells how far it is (records so far), and gives their number."""

_BUFFER_OCTETS = 1 << 18


class Cancelled(Exception):  # noqa: N818  # no error: somebody asked for it
    """The export is not wanted any more."""


class Part(msgspec.Struct, frozen=True):
    """One file of an export."""

    path: Path
    write: Write


class _Unhurried(io.BufferedWriter):
    """A file that is flushed when it is closed: writers of captures flush after each packet."""

    def flush(self) -> None:
        """Wait; `close` flushes."""
        if self.closed or getattr(self, "closing", False):
            super().flush()

    def close(self) -> None:
        """Flush and close."""
        self.closing = True
        super().close()


class Job:
    """One export. `done` is true when nothing more will happen; `error` is then empty, or says why there is no file."""

    def __init__(self, parts: Sequence[Part], *, private: bool, overwrite: bool = False) -> None:
        self.parts = parts
        self.records = 0
        """written so far."""
        self.written = 0
        """records of the first file, once it is there."""
        self.error = ""
        self.cancelled = False
        self._private = private
        self._overwrite = overwrite
        self._stopping = False
        self._temporary: list[Path] = []
        self._thread = threading.Thread(target=self._run, name="export", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return not self._thread.is_alive()

    def cancel(self, timeout_s: float = 5.0) -> None:
        """Stop, and leave nothing behind; harmless when it is over."""
        self._stopping = True
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def wait(self, timeout_s: float = 60.0) -> bool:
        """Block until it is over; False when that took too long."""
        self._thread.join(timeout_s)
        return self.done

    def _run(self) -> None:
        try:
            counts = [self._write(part) for part in self.parts]
            for part, temporary in zip(self.parts, tuple(self._temporary), strict=True):
                self._settle(temporary, part.path)
            self.written = counts[0]
        except Cancelled:
            self.cancelled = True
        except NearbenchError as exc:
            self.error = str(exc)
        except (OSError, ValueError) as exc:
            name = self.parts[0].path
            self.error = f"{name}: {getattr(exc, 'strerror', None) or exc}; nothing was written"
        except Exception as exc:  # noqa: BLE001  # on a thread nobody else would hear of it
            self.error = (
                f"a fault of nearbench itself: {type(exc).__name__}: {exc}; nothing was written"
            )
        finally:
            for path in self._temporary:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def _write(self, part: Part) -> int:
        temporary = part.path.with_name(f".{part.path.name[:200]}.{os.getpid()}.part")
        temporary.unlink(missing_ok=True)
        mode = 0o600 if self._private else 0o666
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        self._temporary.append(temporary)
        with _Unhurried(io.FileIO(number, "wb"), _BUFFER_OCTETS) as stream:
            return part.write(stream, self._tell)

    def _tell(self, records: int) -> None:
        self.records = records
        if self._stopping:
            raise Cancelled

    def _settle(self, temporary: Path, path: Path) -> None:
        if not self._overwrite and path.exists():
            raise FileExistsError(0, "has come to exist in the meantime", str(path))
        if path.is_dir():
            raise IsADirectoryError(0, "is a folder", str(path))
        temporary.replace(path)
