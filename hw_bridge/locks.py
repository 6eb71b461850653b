"""Who has a port: an advisory lock of ours with the owner's name, and a look at who else holds it open.

Rules of the file: a lock is a file that only its user may read, flocked, with process and purpose in it; it goes
away when the port is given back; after a crash the file stays, unlocked. Where there is no flock (Windows) the system itself opens ports exclusively.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from hw_bridge.errors import BusyError

__all__ = ["PortLock", "holders_of", "private_folder"]

_TERMINALS: Final = "/dev/pts/"
_NAME: Final = 64
"""Characters of a port's name in that of its lock."""
_MAKERS: Final = frozenset(("/dev/ptmx", "/dev/pts/ptmx"))


def private_folder() -> Path:
    """Folder for locks and sockets of this user, mode 0700."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(base or tempfile.gettempdir()) / f"nearbench-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and folder.stat().st_uid != os.getuid():
        raise BusyError(
            f"{folder} belongs to another user: set XDG_RUNTIME_DIR to a folder of yours"
        )
    return folder


class PortLock:
    """The lock of one port; a second one on the same port raises BusyError naming the owner.

    A link to a port is the port, unless `follow` is off: then the link itself is locked.
    """

    def __init__(self, node: str, purpose: str, *, follow: bool = True) -> None:
        self._fd = -1
        if sys.platform == "win32":
            return
        import fcntl

        real = os.path.realpath(node) if follow else str(Path(node).absolute())
        digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:8]
        self._path = private_folder() / f"{Path(real).name[:_NAME]}-{digest}.lock"
        fd = -1
        while fd < 0:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                owner = os.pread(fd, 200, 0).decode(errors="replace").strip() or "another program"
                os.close(fd)
                raise BusyError(f"{node} is in use by {owner}; close it there first") from None
            if not _is_still(fd, self._path):  # its owner removed it meanwhile: nobody else sees it
                os.close(fd)
                fd = -1
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"process {os.getpid()} ({purpose})\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Give it back, and remove its file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink()  # before it is unlocked: later it may be somebody else's
            os.close(fd)


def _is_still(fd: int, path: Path) -> bool:
    """Whether an open file is the one that has this name now."""
    opened = os.fstat(fd)
    try:
        named = path.stat()
    except OSError:
        return False
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)


def holders_of(node: str) -> list[str]:
    """Other processes that have `node` open, as "name (pid)"; only what /proc lets this user see."""
    proc = Path("/proc")
    if not proc.is_dir():
        return []
    real, own = os.path.realpath(node), str(os.getpid())
    found: list[str] = []
    for folder in proc.iterdir():
        if folder.name.isdigit() and folder.name != own and _holds(folder, real):
            with contextlib.suppress(OSError):
                found.append(f"{(folder / 'comm').read_text().strip()} ({folder.name})")
    return found


def _holds(process: Path, real: str) -> bool:
    """Whether a process has a node open; the maker of a pseudo terminal may."""
    try:
        opened = {str(each.readlink()) for each in (process / "fd").iterdir()}
    except OSError:
        return False
    is_maker = real.startswith(_TERMINALS) and not opened.isdisjoint(_MAKERS)
    return real in opened and not is_maker
