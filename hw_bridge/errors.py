"""What goes wrong between a program and a piece of hardware, and the one place where foreign exceptions become ours.

BridgeError (NearbenchError)   `kind` is what a program may ask for; the message says what, where and what to do
├── NotFoundError              not-found: no such port, device, file or listener
├── BusyError                  busy: somebody else has it
├── AccessError                no-permission
├── NoBackendError             no-backend: this Python, kernel or library cannot do it
├── RefusedError               refused: it is there and does not let us in, or another device answers
├── UnusableError              refused: it cannot be opened, for a reason that fits no other kind
├── LostError                  lost: it was open and is gone
├── MuteError                  mute: it does not answer
└── FirmwareError              firmware: its firmware cannot be loaded
BadMonikerError (UsageError)   bad-spec

Rules of the file: no exception of pyserial, libusb, bumble, termios or the socket module passes this file.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar, Final

from protocols.errors import NearbenchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AccessError",
    "BadMonikerError",
    "BridgeError",
    "BusyError",
    "FirmwareError",
    "LostError",
    "MuteError",
    "NoBackendError",
    "NotFoundError",
    "RefusedError",
    "UnusableError",
    "advice_for",
    "opening_error",
    "words_of",
]


class BridgeError(NearbenchError):
    """Something about a piece of hardware, or the way to it."""

    kind: ClassVar[str] = "bridge"


class NotFoundError(BridgeError):
    """No such port, device, file or listener."""

    kind = "not-found"


class BusyError(BridgeError):
    """Somebody else has it."""

    kind = "busy"


class AccessError(BridgeError):
    """We may not open it."""

    kind = "no-permission"


class NoBackendError(BridgeError):
    """This Python, kernel or library cannot do it."""

    kind = "no-backend"


class RefusedError(BridgeError):
    """It is there and does not let us in, or another device than expected answers."""

    kind = "refused"


class UnusableError(BridgeError):
    """It cannot be opened, for a reason that fits no other kind; trying again at once would not help."""

    kind = "refused"


class LostError(BridgeError):
    """It was open and is gone."""

    kind = "lost"


class MuteError(BridgeError):
    """It does not answer."""

    kind = "mute"


class FirmwareError(BridgeError):
    """Its firmware cannot be loaded."""

    kind = "firmware"


class BadMonikerError(UsageError):
    """A moniker that cannot be understood."""

    kind: ClassVar[str] = "bad-spec"


_BY_ERRNO: Final[Mapping[int, type[BridgeError]]] = {
    number: error
    for error, names in {
        NotFoundError: ("ENOENT", "ENODEV", "ENXIO", "ENOTDIR", "EADDRNOTAVAIL"),
        BusyError: ("EBUSY", "EAGAIN", "EADDRINUSE", "EEXIST"),
        AccessError: ("EACCES", "EPERM", "EROFS"),
        NoBackendError: ("EAFNOSUPPORT", "EPROTONOSUPPORT", "EOPNOTSUPP", "ENOSYS", "ENOTTY"),
        RefusedError: (
            *("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ECONNRESET"),
            "EHOSTDOWN",
        ),
        LostError: ("EIO", "EPIPE"),
    }.items()
    for name in names
    if (number := getattr(errno, name, None)) is not None
}  # fmt: skip
# Names of exception classes that are not there to be imported: libusb's wrappers, bumble, pyusb
_BY_CLASS: Final[Mapping[str, type[BridgeError]]] = {
    "USBErrorBusy": BusyError,
    "USBErrorAccess": AccessError,
    "USBErrorNoDevice": NotFoundError,
    "USBErrorNotFound": NotFoundError,
    "USBErrorNotSupported": NoBackendError,
    "USBErrorOther": NoBackendError,
    "USBErrorIO": LostError,
    "USBErrorPipe": LostError,
    "NoBackendError": NoBackendError,
    "ModuleNotFoundError": NoBackendError,
    "ImportError": NoBackendError,
    "TransportInitError": NotFoundError,
    "gaierror": NotFoundError,
    "TimeoutError": RefusedError,
}
_REMEDIES: Final[Mapping[str, str]] = {
    "not-found": "check the name with `nearbench bridge list`, and the plug",
    "busy": "close the other program; `nearbench bridge list` shows who has it where that can be seen",
    "no-permission": "add yourself to the group of the device (dialout or uucp), or add a udev rule",
    "no-backend": "see `nearbench doctor`",
    "refused": "start the other side first, and check where it is",
    "lost": "plug it in again",
    "unknown": "check its name; `nearbench bridge list` shows what may be a dongle",
}
"""By kind ("unknown" of UnusableError), for transports that know no better."""
_LIBUSB: Final[Mapping[str, str]] = {
    "USBErrorBusy": "somebody else has it",
    "USBErrorAccess": "this user may not open it",
    "USBErrorNoDevice": "it is gone",
    "USBErrorNotFound": "there is no such device or interface",
    "USBErrorNotSupported": "this system cannot drive it",
    "USBErrorIO": "it does not answer on the bus",
    "USBErrorPipe": "it refused a request",
    "USBErrorOther": "libusb cannot use it, and gives no reason",
}
"""What libusb's names of errors mean."""


def words_of(exc: BaseException) -> str:
    """What an exception says, in one line."""
    meaning = _LIBUSB.get(type(exc).__name__)
    if meaning is not None:
        return f"{meaning} ({' '.join(str(exc).split())})"
    if isinstance(exc, OSError) and exc.strerror and exc.errno is not None:
        return exc.strerror
    return " ".join(str(exc).split()) or type(exc).__name__


def advice_for(advice: str, *kinds: str) -> dict[str, str]:
    """The same advice for several kinds, as `opening_error` takes it."""
    return {kind: advice for kind in kinds}  # noqa: C420  # fromkeys would be a table of literals


def opening_error(
    exc: BaseException, where: str, *, remedies: Mapping[str, str] | None = None
) -> BridgeError:
    """The error to raise when opening `where` raised `exc`; one of ours stays as it is.

    `remedies` by kind are the transport's own; what is not among them has a general one.
    """
    if isinstance(exc, BridgeError):
        return exc
    kind = _kind_of(exc)
    key = "unknown" if kind is UnusableError else kind.kind
    advice = {**_REMEDIES, **(remedies or {})}.get(key, "")
    return kind(f"{where}: {words_of(exc)}{f'; {advice}' if advice else ''}")


def _kind_of(exc: BaseException) -> type[BridgeError]:
    """By its class, else by its number, else by what it was raised from."""
    for each in type(exc).__mro__:
        if each.__name__ in _BY_CLASS:
            return _BY_CLASS[each.__name__]
    number = exc.errno if isinstance(exc, OSError) else None
    if number is None and exc.args and isinstance(exc.args[0], int):
        number = exc.args[0]  # termios.error is no OSError
    if number is not None and number in _BY_ERRNO:
        return _BY_ERRNO[number]
    cause = exc.__cause__ or exc.__context__
    return UnusableError if cause is None or number is not None else _kind_of(cause)
