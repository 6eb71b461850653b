"""An adapter of the Linux kernel, taken over through its user channel.

Linux net/bluetooth/hci_sock.c (HCI_CHANNEL_USER): the adapter must be down, the process needs CAP_NET_ADMIN, each
read and write is one H4 packet. Python cannot bind such an address itself, so the C library does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from typing import TYPE_CHECKING

from hw_bridge.errors import BadMonikerError, BusyError, opening_error
from hw_bridge.link import Link, LinkInfo, Transport
from hw_bridge.links.descriptor import DescriptorLink
from protocols.hci.framing import Framer, PacketFramer

if TYPE_CHECKING:
    from hw_bridge.link import Receiver
    from hw_bridge.moniker import Moniker

__all__ = ["TRANSPORT", "HciSocketPort"]

AF_BLUETOOTH, BTPROTO_HCI, HCI_CHANNEL_USER = 31, 1, 1
_REMEDIES = {
    "no-permission": "run it with CAP_NET_ADMIN (sudo, or setcap on the Python binary)",
    "no-backend": "this kernel has no Bluetooth; use usb: or serial:",
    "not-found": "see `ls /sys/class/bluetooth` for the adapters that are there",
}


class HciSocketPort:
    """Adapter `hciN`."""

    needs_probe = True

    def __init__(self, moniker: Moniker) -> None:
        target = moniker.target.removeprefix("hci") or "0"
        if not target.isascii() or not target.isdigit():
            raise BadMonikerError(
                f"{moniker.text}: after the colon comes an adapter, as in hci-socket:hci0"
            )
        self.moniker = moniker
        self._index = int(target)

    def framer(self) -> Framer:
        """The kernel keeps packet borders."""
        return PacketFramer()

    def present(self) -> bool:
        """Always: only trying tells."""
        return True

    async def open(self, receiver: Receiver) -> Link:
        """Take the adapter. Raises BridgeError."""
        node = f"hci{self._index}"
        try:
            descriptor = user_channel(self._index)
        except OSError as exc:
            if exc.errno == errno.EBUSY:
                raise BusyError(
                    f"{node} is up or taken by another program: stop bluetoothd or "
                    f"`hciconfig {node} down`, then try again"
                ) from exc
            raise opening_error(exc, self.moniker.text, remedies=_REMEDIES) from exc
        return DescriptorLink(descriptor, receiver, info=LinkInfo(node=node))

    async def close(self) -> None:
        """Nothing stays between two links."""


def user_channel(index: int) -> int:
    """Descriptor of a socket bound to the user channel of adapter `index`. Raises OSError."""
    kind = socket.SOCK_RAW | getattr(socket, "SOCK_CLOEXEC", 0)
    opened = socket.socket(AF_BLUETOOTH, kind, BTPROTO_HCI)
    descriptor = opened.detach()
    address = struct.pack("<HHH", AF_BLUETOOTH, index, HCI_CHANNEL_USER)
    library = ctypes.CDLL(None, use_errno=True)
    if library.bind(descriptor, ctypes.create_string_buffer(address), len(address)):
        number = ctypes.get_errno()
        os.close(descriptor)
        raise OSError(number, os.strerror(number))
    return descriptor


TRANSPORT = Transport(
    summary="an adapter of the Linux kernel, taken over while it is down",
    form="hci-socket:hciN",
    example="hci-socket:hci0",
    carries="packets",
    platforms=("linux",),
    port=HciSocketPort,
)
