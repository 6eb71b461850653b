"""Files that commands are given: what one holds is told from its first octets, never from its name.

Pipes will do: nothing is read twice and nothing is sought. `-` is standard input.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from protocols.capture import HEAD_OCTETS, describe, formats, recognise
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from protocols.capture import CaptureFormat

__all__ = ["STANDARD_INPUT", "GivenFile", "given_file", "is_file", "means_capture", "reading"]

STANDARD_INPUT = "-"
_TRACE_START = b'{"seq"'
_LOOK_S = 0.1
_OTHERS = (".cap", ".log")


def is_file(text: str) -> bool:
    """Whether a word is a file, a pipe say, or meant as one; octets in hex can be too long for a name."""
    if text == STANDARD_INPUT or means_capture(text):
        return True
    return os.path.exists(text) and not os.path.isdir(text)  # noqa: PTH110, PTH112  # Path's raise on long names


def means_capture(text: str) -> bool:
    """Whether a name ends as those of captures do."""
    known = {suffix for each in formats().values() for suffix in each.suffixes}
    return Path(text).suffix.lower() in (*known, *_OTHERS)


class _Ahead(io.RawIOBase):
    """A stream of which the first octets were read, from its beginning; `stop` ends a pipe that nobody writes to."""

    def __init__(self, stream: Any, head: bytes, *, is_pipe: bool) -> None:
        self._stream = stream
        self._head = head
        self._is_pipe = is_pipe
        self.stopped = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._head:
            part = self._head[: len(buffer)]
            buffer[: len(part)] = part
            self._head = self._head[len(part) :]
            return len(part)
        while self._is_pipe and not self.stopped:
            if select.select([self._stream], [], [], _LOOK_S)[0]:
                break
        return 0 if self.stopped else int(self._stream.readinto(buffer) or 0)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class GivenFile:
    """A file, open. Its first octets are known; `stream` gives all of them."""

    def __init__(self, name: str, raw: Any) -> None:
        self.name = name
        self.is_pipe = not stat.S_ISREG(os.fstat(raw.fileno()).st_mode)
        """Whether it has no end yet, and cannot be read again."""
        self.head = b"".join(_first(raw, HEAD_OCTETS))
        self._raw = _Ahead(raw, self.head, is_pipe=self.is_pipe and sys.platform != "win32")
        self.stream: BinaryIO = io.BufferedReader(self._raw)

    @property
    def capture(self) -> CaptureFormat | None:
        """The format of a capture; None when it is none."""
        return recognise(self.head)

    @property
    def is_trace(self) -> bool:
        """Whether it is the trace of a run, as `--jsonl` writes it."""
        return self.head.startswith(_TRACE_START)

    @property
    def is_text(self) -> bool:
        """Whether it may be text, as scenarios are."""
        return bool(self.head) and describe(self.head) == "it looks like text"

    def stop(self) -> None:
        """Whoever waits for a pipe waits no longer, and finds its end."""
        self._raw.stopped = True

    def close(self) -> None:
        """Give it back."""
        self.stream.close()


def _first(raw: Any, size: int) -> Iterator[bytes]:
    """The first `size` octets, in the pieces in which they come."""
    while size:
        part = raw.read(size)
        if not part:
            return
        size -= len(part)
        yield part


def given_file(name: str | Path) -> GivenFile:
    """The file of that name, open. Raises UsageError; a pipe is waited for."""
    text = str(name)
    try:
        raw = _standard_input() if text == STANDARD_INPUT else _file(text)
    except OSError as exc:
        raise UsageError(f"{text}: {exc.strerror or exc}") from None
    try:
        return GivenFile("standard input" if text == STANDARD_INPUT else text, raw)
    except OSError as exc:
        raw.close()
        raise UsageError(f"{text}: cannot be read: {exc.strerror or exc}") from None


def _file(name: str) -> io.FileIO:
    return Path(name).open("rb", buffering=0)


def _standard_input() -> io.FileIO:
    try:
        number = os.dup(sys.stdin.fileno())
    except io.UnsupportedOperation:
        raise UsageError("standard input is closed; redirect it, or name a file") from None
    return io.FileIO(number, "rb")


@contextlib.contextmanager
def reading(name: str | Path) -> Generator[GivenFile]:
    """The file of that name for as long as it is read. Raises UsageError."""
    found = given_file(name)
    try:
        yield found
    finally:
        found.close()
