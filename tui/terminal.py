"""The terminal of a person: what comes from it is read without trust, and an end from outside is an orderly one.

Octets that are no UTF-8 become "?" signs, sequences that no terminal sends are dropped, much text at once is a paste
also where the terminal does not say so, SIGTERM, SIGHUP and a terminal that went away end the app with its files
finished. POSIX only; elsewhere Textual's own driver serves.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import select
import signal
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.message import Message

__all__ = ["PASTE_FROM", "Input", "Terminal", "with_pastes"]

PASTE_FROM = 64
"""Characters that nobody types between two readings."""
_AT_ONCE = 65_536
"""Octets of one reading."""
_POLL_S = 0.1
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class _App(Protocol):
    """The part of the app that this needs."""

    def hang_up(self, number: int) -> None:
        """End because of a signal."""
        ...


class _Lasting:
    """A stream for the writing thread, which has to live on when the terminal is gone."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write what can be written."""
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        """Number of the stream."""
        return int(self._stream.fileno())


class Input:
    """Messages from the octets of a terminal, whatever they are."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser()

    def feed(self, octets: bytes) -> list[Message]:
        """Messages in what was read."""
        text = self._decode(octets)
        return list(with_pastes(self._parsed(text))) if text else []

    def _parsed(self, text: str) -> Iterator[Message]:
        for character in text:
            try:
                yield from self._parser.feed(character)
            except Exception:  # noqa: BLE001  # numbers beyond all characters, say: Textual's parser ends with them
                self._parser = XTermParser()

    def tick(self) -> list[Message]:
        """Messages that waited for more to come, in vain."""
        return list(self._parser.tick())


def with_pastes(messages: Iterable[Message]) -> Iterator[Message]:
    """The same, with each run of PASTE_FROM typed characters or more as one paste."""
    run: list[events.Key] = []
    for message in messages:
        if isinstance(message, events.Key) and message.is_printable:
            run.append(message)
            continue
        yield from _joined(run)
        run.clear()
        yield message
    yield from _joined(run)


def _joined(run: list[events.Key]) -> list[events.Key] | list[events.Paste]:
    if len(run) < PASTE_FROM:
        return list(run)
    return [events.Paste("".join(key.character or "" for key in run))]


class Terminal(LinuxDriver):
    """Textual's driver with a reader of ours."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        cast(Any, super()).__init__(*arguments, **named)
        self._file = cast(Any, _Lasting(self._file))

    def start_application_mode(self) -> None:
        """Take the terminal, and the signals that end us."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                asyncio.get_running_loop().add_signal_handler(number, self._hang_up, number)
        cast(Any, super()).start_application_mode()

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and lines of the terminal as it is now; `COLUMNS` and `LINES`, which do not change, only without one."""
        with contextlib.suppress(OSError):
            columns, lines = os.get_terminal_size(self.fileno)
            if columns and lines:
                return columns, lines
        size: tuple[int, int] = cast(Any, super())._get_terminal_size()
        return size

    def _hang_up(self, number: int) -> None:
        cast("_App", cast(Any, self)._app).hang_up(number)

    def run_input_thread(self) -> None:
        """Read until the app ends, or the terminal is gone."""
        found = Input()
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], _POLL_S)[0]:
                octets = self._read()
                if not octets:
                    self._tell_gone()
                    return
                self._pass_on(found.feed(octets))
            self._pass_on(found.tick())

    def _read(self) -> bytes:
        """What has come; nothing when the terminal is gone."""
        try:
            return os.read(self.fileno, _AT_ONCE)
        except OSError:
            return b""

    def _pass_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def _tell_gone(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed in the meantime
            self._loop.call_soon_threadsafe(self._hang_up, int(signal.SIGHUP))
