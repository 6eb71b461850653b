"""What transports that carry octets share: the options of their framers, addresses, a port without memory."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import TYPE_CHECKING

from hw_bridge.errors import BadMonikerError
from hw_bridge.moniker import Option
from protocols.hci.h4 import H4Framer
from protocols.hci.h5 import H5Framer
from protocols.hci.h5_packets import Config

if TYPE_CHECKING:
    from hw_bridge.moniker import Moniker
    from protocols.hci.framing import Framer

__all__ = [
    "FRAMING",
    "NOT_OURS",
    "NO_LISTENER",
    "OctetPort",
    "host_and_port",
    "is_loopback",
    "is_not_ours",
]

FRAMING = (
    Option(
        name="framing",
        kind="choice",
        default="h4",
        choices=("h4", "h5"),
        summary="how packets are told apart: h4, or h5 (three-wire)",
    ),
    Option(
        name="window",
        kind="number",
        default=4,
        least=1,
        summary="h5: packets on their way unacknowledged, 1 to 7",
    ),
    Option(name="crc", kind="switch", default=False, summary="h5: offer the data integrity check"),
    Option(
        name="idle",
        kind="number",
        default=100,
        least=1,
        summary="h4: ms of silence after which an incomplete packet is given up",
    ),
)
NO_LISTENER = {
    "busy": "choose another port",
    "no-permission": "choose another port: low ones are the system's",
    "unknown": "choose another address or port",
}
"""What to do when an address cannot be listened on."""
NOT_OURS = "this machine has no such address to listen on; 127.0.0.1 is always there"
_HIGHEST_WINDOW = 7
_HIGHEST_PORT = 65535


def is_not_ours(exc: OSError) -> bool:
    """Whether listening failed because the address is none of this machine's."""
    numbers = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return isinstance(exc, socket.gaierror) or exc.errno in numbers


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach an address; a name that is not looked up counts as no."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OctetPort:
    """Base of ports whose links carry octets."""

    needs_probe = True

    def __init__(self, moniker: Moniker) -> None:
        self.moniker = moniker
        if moniker.number("window") > _HIGHEST_WINDOW:
            raise BadMonikerError(f"{moniker.text}: window is 1 to {_HIGHEST_WINDOW}")

    def framer(self) -> Framer:
        """A new framer for a new link."""
        if self.moniker.choice("framing") == "h5":
            return H5Framer(Config(self.moniker.number("window"), self.moniker.switch("crc")))
        return H4Framer(idle_us=1000 * self.moniker.number("idle"))

    def present(self) -> bool:
        """Always: only trying tells."""
        return True

    async def close(self) -> None:
        """Nothing stays between two links."""


def host_and_port(moniker: Moniker, default_host: str = "") -> tuple[str, int]:
    """`host:port`, `[v6]:port`, or `port` alone where there is a default. Raises BadMonikerError."""
    host, colon, number = moniker.target.rpartition(":")
    if not colon and default_host:
        host, number = default_host, moniker.target
    host = host.removeprefix("[").removesuffix("]")
    if not host or not number.isascii() or not number.isdigit() or int(number) > _HIGHEST_PORT:
        raise BadMonikerError(
            f"{moniker.text}: after the scheme come a host and a port, as in {moniker.scheme}:127.0.0.1:6402"
        )
    return host, int(number)
