"""Keeps bumble from formatting packets that nobody logs.

bumble 0.0.236 writes `logger.debug(f"... {packet}")` for every packet, so each is formatted to text whether or not
the text is used: half of its CPU time. `quiet` replaces `__str__` of its packet classes by their name while the
"bumble" logger is above DEBUG, and leaves everything else alone. Rules of the file: what it changes it gives back,
nested uses count, and with debug logging on nothing is changed at all.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from bumble import att, hci, l2cap, smp

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["quiet"]

_ROOTS: tuple[type[Any], ...] = (
    hci.HCI_Packet,
    l2cap.L2CAP_PDU,
    l2cap.L2CAP_Control_Frame,
    att.ATT_PDU,
    smp.SMP_Command,
)
_depth = 0
_saved: list[tuple[type[Any], Callable[[Any], str]]] = []


def _classes() -> list[type[Any]]:
    found: list[type[Any]] = []
    pending = list(_ROOTS)
    while pending:
        kind = pending.pop()
        pending.extend(kind.__subclasses__())
        if "__str__" in vars(kind) and kind not in found:
            found.append(kind)
    return found


def _plain(packet: Any) -> str:
    return type(packet).__name__


@contextlib.contextmanager
def quiet() -> Generator[None, None, None]:
    """Inside the block `str()` of a bumble packet is its class name; nothing changes when bumble logs at DEBUG."""
    global _depth  # nested blocks share the patch
    if logging.getLogger("bumble").isEnabledFor(logging.DEBUG):
        yield
        return
    _depth += 1
    if _depth == 1:
        for kind in _classes():
            _saved.append((kind, vars(kind)["__str__"]))
            type.__setattr__(kind, "__str__", _plain)
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            for kind, original in _saved:
                type.__setattr__(kind, "__str__", original)
            _saved.clear()
