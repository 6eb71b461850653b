"""Serial ports, with H4 or H5, on pyserial.

Digest 1.1 (lines), 1.7, 4 (pyserial). Where the system gives a descriptor the loop reads and writes it; elsewhere
(Windows, pyserial's URLs) threads do. The port is locked three times over: by our own lock file, by flock, and by
TIOCEXCL, because each alone is only advisory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hw_bridge.discover import is_key, node_for, serial_info
from hw_bridge.errors import BadMonikerError, BusyError, NotFoundError, opening_error
from hw_bridge.link import OPEN_S, Link, LinkInfo, Transport
from hw_bridge.links.descriptor import DescriptorLink
from hw_bridge.links.threaded import ThreadedLink
from hw_bridge.locks import PortLock, holders_of
from hw_bridge.moniker import Moniker, Option
from hw_bridge.quirks import Quirk, quirk_for
from hw_bridge.threads import in_thread
from hw_bridge.transports._octets import FRAMING, OctetPort

if TYPE_CHECKING:
    from collections.abc import Callable

    from hw_bridge.link import Receiver

__all__ = ["TRANSPORT", "SerialPort"]

_PARITIES = {"none": "N", "even": "E", "odd": "O"}
_IDS = re.compile(r"(?!//)[^/\\:@]*:(?!//)")
"""How ids begin; no path of a port does."""
_REMEDIES = {
    "no-backend": "it is no serial port that this system can set up; `nearbench bridge list` shows what is",
    "unknown": "another baud= may help, or another port: `nearbench bridge list`",
}
_READ_TIMEOUT_S = 0.1
_WRITE_TIMEOUT_S = 2.0

_BAUD = Option(name="baud", kind="number", default=1_000_000, least=1, summary="line speed in baud")


class SerialPort(OctetPort):
    """One serial port; its quirks give defaults for what the moniker leaves open."""

    def __init__(self, moniker: Moniker) -> None:
        moniker = _with_commas(moniker)
        super().__init__(moniker)
        if not moniker.target:
            raise BadMonikerError(f"{moniker.text}: the port is missing, as in serial:/dev/ttyACM0")
        self._is_url = "://" in moniker.target
        if _IDS.match(moniker.target) and not is_key(moniker.target):
            raise BadMonikerError(
                f"{moniker.text}: ids are four hexadecimal digits each, as in serial:1366:1015"
            )

    def present(self) -> bool:
        """Whether the node, or a device with these ids, is there."""
        if self._is_url or sys.platform == "win32":
            return True
        node = node_for(self.moniker.target)
        return node is not None and os.path.lexists(node)

    async def open(self, receiver: Receiver) -> Link:
        """Open it. Raises BridgeError."""
        moniker = self.moniker
        try:
            opened = await in_thread(
                lambda: _open(moniker, is_url=self._is_url), OPEN_S, _Opened.close
            )
        except BadMonikerError:
            raise
        except Exception as exc:
            raise opening_error(exc, moniker.text, remedies=_REMEDIES) from exc
        delay_ms = opened.moniker.number("open-delay")
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)
        return opened.link(receiver)


class _Opened:
    """An open pyserial object with its locks."""

    def __init__(
        self, moniker: Moniker, info: LinkInfo, serial: Any, lock: PortLock | None
    ) -> None:
        self.moniker = moniker
        self.info = info
        self.serial = serial
        self.lock = lock

    def link(self, receiver: Receiver) -> Link:
        """The link over it; from here on the link closes it."""
        try:
            descriptor = os.dup(self.serial.fileno())
        except (OSError, AttributeError, NotImplementedError):
            return ThreadedLink(_Closing(self), receiver, info=self.info)
        return DescriptorLink(
            descriptor,
            receiver,
            info=self.info,
            chunk=self.moniker.number("chunk"),
            baud=self.moniker.number("baud"),
            release=self.close,
            may_block=True,
        )

    def close(self) -> None:
        """Give everything back; what is not sent is not waited for."""
        for step in (self._quieten, self.serial.close):
            with contextlib.suppress(Exception):  # a vanished port raises four unrelated kinds
                step()
        if self.lock is not None:
            self.lock.release()

    def _quieten(self) -> None:
        import fcntl
        import termios

        descriptor = self.serial.fileno()
        for step in (
            lambda: termios.tcflush(descriptor, termios.TCOFLUSH),
            lambda: fcntl.ioctl(descriptor, termios.TIOCNXCL),
        ):
            with contextlib.suppress(OSError, termios.error):
                step()


class _Closing:
    """A blocking port whose `close` gives back the locks as well."""

    def __init__(self, opened: _Opened) -> None:
        self._opened = opened

    @property
    def in_waiting(self) -> int:
        return int(self._opened.serial.in_waiting)

    def read(self, size: int = 1) -> bytes:
        return bytes(self._opened.serial.read(size))

    def write(self, data: bytes, /) -> int | None:
        written: int | None = self._opened.serial.write(data)
        return written

    def close(self) -> None:
        self._opened.close()


def _open(moniker: Moniker, *, is_url: bool) -> _Opened:
    """Find, lock and open; in a thread, because a driver may block."""
    import serial  # third parties are imported when they are used

    if is_url:
        port = serial.serial_for_url(moniker.target, do_not_open=True)
        info = LinkInfo(node=moniker.target)
        return _configured(moniker, info, port, lock=None)
    node = node_for(moniker.target)
    if node is None:
        raise NotFoundError(
            f"{moniker.text}: no serial port with these ids or at this place is there"
        )
    if sys.platform != "win32" and not Path(node).exists():
        raise NotFoundError(
            f"{moniker.text}: there is no {node}; `nearbench bridge list` shows what is"
        )
    if sys.platform != "win32" and not _may_be_line(Path(node)):
        raise BadMonikerError(
            f"{moniker.text}: {node} is no serial port; `nearbench bridge list` shows what is"
        )
    info = serial_info(node)
    moniker = moniker.with_defaults(_defaults(quirk_for(info)))
    holders = holders_of(node)
    if holders:
        raise BusyError(f"{node} is open in {', '.join(holders)}; close it there first")
    lock = PortLock(node, moniker.text)
    try:
        port = serial.Serial()
        port.port = node
        if sys.platform != "win32":
            port.exclusive = True
        return _configured(moniker, info, port, lock)
    except BaseException:
        lock.release()
        raise


def _may_be_line(node: Path, kinds: Path = Path("/sys/dev/char")) -> bool:
    """Whether it may be a serial line, without opening it: what Linux knows as no terminal is none."""
    if not node.is_char_device():
        return False
    number = node.stat().st_rdev
    known = kinds / f"{os.major(number)}:{os.minor(number)}" / "subsystem"
    return not known.exists() or known.resolve().name == "tty"


def _defaults(quirk: Quirk | None) -> dict[str, Any]:
    found = {} if quirk is None else quirk.options()
    if "dtr" in found:
        found["dtr"] = "on" if found["dtr"] else "off"
    return found


def _configured(moniker: Moniker, info: LinkInfo, port: Any, lock: PortLock | None) -> _Opened:
    port.baudrate = moniker.number("baud")
    port.parity = _PARITIES[moniker.choice("parity")]
    port.rtscts = moniker.switch("rtscts")
    port.timeout = _READ_TIMEOUT_S
    port.write_timeout = _WRITE_TIMEOUT_S
    if moniker.choice("dtr") != "keep":
        port.dtr = moniker.choice("dtr") == "on"
    port.open()
    _exclude_others(port)
    return _Opened(moniker, info, port, lock)


def _exclude_others(port: Any) -> None:
    with contextlib.suppress(ImportError, OSError, AttributeError, NotImplementedError):
        import fcntl
        import termios

        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)


def _with_commas(moniker: Moniker) -> Moniker:
    """Also bumble's way to write it: `serial:/dev/ttyACM0,1000000,rtscts`."""
    target, *parts = moniker.target.split(",")
    words: dict[str, Callable[[], dict[str, Any]]] = {
        "rtscts": lambda: {"rtscts": True},
        "dsrdtr": lambda: {"dtr": "on"},
        "delay": lambda: {"open-delay": 500},
        "resync": dict,
    }
    if not parts or not all(part.isdigit() or part in words for part in parts):
        return moniker
    given = dict(moniker.given)
    for part in parts:
        given.update({"baud": _BAUD.read(part)} if part.isdigit() else words[part]())
    options = {**moniker.options, **given}
    return msgspec.structs.replace(moniker, target=target, given=given, options=options)


TRANSPORT = Transport(
    summary="a serial port: USB-UART, CDC ACM, built-in UART; H4 or H5",
    form="serial:PATH | serial:VID:PID[/SERIAL][#INTERFACE] | serial:@LOCATION | serial:URL [?baud=N&rtscts=on&...]",
    example="serial:/dev/ttyACM0?baud=1000000&rtscts=on",
    carries="octets",
    options=(
        _BAUD,
        Option(
            name="parity",
            kind="choice",
            default="none",
            choices=tuple(_PARITIES),
            summary="parity bit",
        ),
        Option(name="rtscts", kind="switch", default=False, summary="hardware flow control"),
        Option(
            name="dtr",
            kind="choice",
            default="on",
            choices=("on", "off", "keep"),
            summary="level of DTR after opening; it resets some boards",
        ),
        Option(
            name="chunk",
            kind="number",
            default=0,
            summary="octets of one write at most, 0 for no limit",
        ),
        Option(
            name="open-delay",
            kind="number",
            default=0,
            summary="ms between opening and the first octet",
        ),
        *FRAMING,
    ),
    port=SerialPort,
)
