"""wpa_supplicant's control interface: commands and their replies, events, and a daemon that dies and comes back.

hostap wpa_supplicant/ctrl_iface.c and nan_supplicant.c (2026-08 tree), read and not executed; digest 3.4. Rules of the
file: commands and events have a socket each, and what begins with `<level>` is an event on either; a daemon that is
silent is found by PING and attached to again; our own sockets lie in a folder of the user's and are removed. Which NAN
commands it has is asked at run time, by commands that do nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import sys
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from hw_bridge.errors import (
    BadMonikerError,
    MuteError,
    NoBackendError,
    RefusedError,
    advice_for,
    opening_error,
)
from hw_bridge.locks import private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.errors import BridgeError

__all__ = ["PROBED", "WpaControl", "WpaEvent", "WpaSettings", "read_event"]

_EVENT: Final = re.compile(r"<(\d)>([\w-]+) ?(.*)", re.DOTALL)
_LARGEST: Final = 8192
_CUT_FROM: Final = 4095
"""Octets of a reply from which on it may have been cut."""
_KEPT_EVENTS: Final = 1000
_KEPT_REPLIES: Final = 64
_AT_ONCE: Final = 64
"""Messages that are read before the loop has its turn."""
PROBED: Final = (
    *("NAN_STATUS", "NAN_SET", "NAN_PUBLISH", "NAN_SUBSCRIBE", "NAN_CANCEL_PUBLISH"),
    *("NAN_CANCEL_SUBSCRIBE", "NAN_TRANSMIT", "NAN_BOOTSTRAP", "NAN_PAIR", "NAN_PAIR_ABORT"),
    *("NAN_NDP_REQUEST", "NAN_NDP_RESPONSE", "NAN_NDP_TERMINATE", "NAN_PEER_INFO"),
)
"""Commands that do nothing without arguments but say whether they are there."""


class WpaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times."""

    answer_s: float = 2.0
    ping_s: float = 5.0
    retry_s: float = 1.0


class WpaEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event."""

    level: int
    name: str
    """As the daemon writes it: `NAN-DISCOVERY-RESULT`."""
    fields: dict[str, str]
    text: str
    """What stands behind the name."""


def read_event(text: str) -> WpaEvent | None:
    """The event in a message; None for a reply."""
    found = _EVENT.fullmatch(text)
    if found is None:
        return None
    words = [word.partition("=") for word in found[3].split()]
    fields = {key: value for key, equals, value in words if equals}
    return WpaEvent(level=int(found[1]), name=found[2], fields=fields, text=found[3].strip())


class WpaControl:
    """One control socket, `/run/wpa_supplicant/wlan0`; `open` it, `command`, `close` it.

    `on_event` gets every event; `on_state` True when the daemon is there (again), False when it is gone.
    """

    _made = 0

    def __init__(
        self,
        path: str,
        on_event: Callable[[WpaEvent], object] = lambda event: None,
        on_state: Callable[[bool], object] = lambda there: None,
        *,
        settings: WpaSettings | None = None,
    ) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self.events: deque[WpaEvent] = deque(maxlen=_KEPT_EVENTS)
        """Lately."""
        self._settings = settings or WpaSettings()
        self.on_event = on_event
        self.on_state = on_state
        self._commands: socket.socket | None = None
        self._news: socket.socket | None = None
        self._replies: asyncio.Queue[str] = asyncio.Queue(_KEPT_REPLIES)
        self._turn = asyncio.Lock()
        self._there = False
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_there(self) -> bool:
        """Whether the daemon answers."""
        return self._there

    async def open(self) -> None:
        """Connect, and listen to events. Raises BridgeError."""
        if sys.platform == "win32":
            raise NoBackendError(f"{self.path}: wpa_supplicant's control sockets are UNIX ones")
        await self._connect()
        self._watch = asyncio.get_running_loop().create_task(self._watch_over())

    async def _connect(self) -> None:
        """Both sockets, and ATTACH. Raises BridgeError."""
        self._drop()
        try:
            self._commands, self._news = self._socket("command"), self._socket("event")
        except OSError as exc:
            self._drop()
            raise self._cannot(exc) from exc
        loop = asyncio.get_running_loop()
        loop.add_reader(self._commands, self._read, self._commands)
        loop.add_reader(self._news, self._read, self._news)
        self._news.send(b"ATTACH")
        if await self.command("PING") != "PONG":
            raise RefusedError(
                f"{self.path}: it does not answer PING with PONG; is this wpa_supplicant?"
            )
        self._set_there(there=True)

    def _cannot(self, exc: OSError) -> BridgeError | BadMonikerError:
        """Why there is no way in."""
        path = Path(self.path)
        if path.is_dir():
            return BadMonikerError(
                f"{path} is a folder; in it lies a socket for each interface, as in {path}/wlan0"
            )
        if path.exists() and not path.is_socket():
            return BadMonikerError(
                f"{path} is no socket; wpa_supplicant's lie in the folder of its ctrl_interface="
            )
        hint = "start wpa_supplicant with ctrl_interface=, and be in the group that it names"
        remedies = advice_for(hint, "not-found", "no-permission", "refused", "unknown")
        return opening_error(exc, self.path, remedies=remedies)

    def _socket(self, purpose: str) -> socket.socket:
        WpaControl._made += 1
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            made.settimeout(0)
            own = private_folder() / f"wpa-{os.getpid()}-{WpaControl._made}-{purpose}"
            own.unlink(missing_ok=True)
            made.bind(str(own))
            own.chmod(0o600)
            made.connect(self.path)
        except OSError:
            _remove(made)
            raise
        return made

    def _drop(self) -> None:
        """Close both sockets, and remove their files."""
        loop = asyncio.get_running_loop()
        for each in (self._commands, self._news):
            if each is not None:
                loop.remove_reader(each)
                _remove(each)
        self._commands = self._news = None

    def _set_there(self, *, there: bool) -> None:
        if self._there is not there:
            self._there = there
            self.on_state(there)

    # Messages

    def _read(self, source: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                data = source.recv(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._set_there(there=False)
                return
            text = data.decode("utf-8", "replace").rstrip("\n")
            event = read_event(text)
            if event is not None:
                self.events.append(event)
                self.on_event(event)
            elif source is self._commands:
                if len(data) >= _CUT_FROM:
                    self.counts["replies that may be cut"] += 1
                if self._replies.full():
                    self.counts["replies that nobody asked for"] += 1
                else:
                    self._replies.put_nowait(text)
            # on the other socket a reply is the OK to ATTACH

    async def command(self, text: str) -> str:
        """The reply. Raises MuteError (none in time), RefusedError (FAIL), NoBackendError (unknown to this build)."""
        async with self._turn:
            while not self._replies.empty():
                self._replies.get_nowait()
                self.counts["replies that came too late"] += 1
            reply = await self._asked(text)
        name = text.split(" ", 1)[0]
        if reply == "UNKNOWN COMMAND":
            raise NoBackendError(
                f"{self.path}: this wpa_supplicant has no {name}; it needs CONFIG_NAN=y (and CONFIG_PASN=y)"
            )
        if reply.startswith("FAIL"):
            raise RefusedError(f"{self.path}: {name} failed ({reply}); its log says why")
        return reply

    async def _asked(self, text: str) -> str:
        try:
            if self._commands is None:
                raise ConnectionRefusedError
            self._commands.send(text.encode())
            async with asyncio.timeout(self._settings.answer_s):
                return await self._replies.get()
        except (OSError, TimeoutError) as exc:
            self._set_there(there=False)
            name = text.split(" ", 1)[0]
            raise MuteError(
                f"{self.path}: no reply to {name}; wpa_supplicant may have ended"
            ) from exc

    async def abilities(self) -> frozenset[str]:
        """The NAN commands that this build has. Raises MuteError."""
        found: set[str] = set()
        for name in PROBED:
            try:
                await self.command(name)
            except NoBackendError:
                continue
            except RefusedError:
                pass  # it wants arguments: it is there
            found.add(name)
        return frozenset(found)

    # The daemon's life

    async def _watch_over(self) -> None:
        """PING now and then; connect again when it is gone."""
        while True:
            await asyncio.sleep(self._settings.ping_s if self._there else self._settings.retry_s)
            with contextlib.suppress(MuteError, RefusedError, OSError):
                if self._there:
                    await self.command("PING")
            if not self._there:
                with contextlib.suppress(Exception):  # whatever keeps it away, the next try comes
                    await self._connect()

    async def close(self) -> None:
        """Detach, and remove our sockets."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._news is not None:
            with contextlib.suppress(OSError):
                self._news.send(b"DETACH")
        self._drop()


def _remove(made: socket.socket) -> None:
    """Close a socket, and remove its file."""
    with contextlib.suppress(OSError):
        own = made.getsockname()
        if own:
            os.unlink(own)  # noqa: PTH108  # a name that the system gave
    made.close()
