"""Ways to a controller: one file of this folder per scheme, each with a constant TRANSPORT.

Rules of the folder: what a file needs from third parties or from one platform it imports when a port is opened, so
that every transport can be listed and every moniker checked everywhere.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hw_bridge.errors import BadMonikerError, NoBackendError
from hw_bridge.link import Transport
from hw_bridge.moniker import Moniker, read_moniker, split_moniker
from protocols.registry import Folder

if TYPE_CHECKING:
    from hw_bridge.link import Port

__all__ = ["TRANSPORTS", "parse", "port_for"]

TRANSPORTS = Folder[Transport](__name__, "TRANSPORT", "transport", separator="-")
"""Every transport by its scheme; the path of a Python file is a scheme, too."""


_NEEDS_NOTHING = "pty"
_WIFI = frozenset(("monitor", "frames", "wpa"))
"""Not of this folder: what `bridge attach` opens beside controllers."""


def parse(text: str) -> Moniker:
    """The moniker `text`. Raises BadMonikerError, UnknownNameError."""
    if text != _NEEDS_NOTHING and text in TRANSPORTS.names():
        example = TRANSPORTS.get(text).example
        raise BadMonikerError(f"{text!r} is a transport: what it opens follows, as in {example}")
    scheme, target, written = split_moniker(text)
    if scheme in _WIFI:
        raise BadMonikerError(
            f"{text}: a Wi-Fi radio is no Bluetooth controller; `nearbench bridge attach` takes it"
        )
    return read_moniker(text, target, written, TRANSPORTS.get(scheme).options)


def port_for(moniker: str | Moniker) -> Port:
    """The port that a moniker names, not opened. Raises BadMonikerError, UnknownNameError, NoBackendError."""
    found = parse(moniker) if isinstance(moniker, str) else moniker
    transport = TRANSPORTS.get(found.scheme)
    if sys.platform not in transport.platforms:
        raise NoBackendError(
            f"{found.text}: {found.scheme} works on {', '.join(transport.platforms)}, this is {sys.platform}"
        )
    return transport.port(found)
