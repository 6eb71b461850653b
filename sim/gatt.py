"""GATT tables and advertisements as values, independent of the stack that serves them.

Bluetooth Core Vol 3 Part G. No IO, no stack: sim/ble turns these into a running server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from protocols.errors import NearbenchError

__all__ = [
    "ACCESS",
    "Advert",
    "AttError",
    "Characteristic",
    "Descriptor",
    "LinkError",
    "LinkParameters",
    "Peer",
    "Service",
    "Sort",
]

Property = Literal["read", "write", "write_without_response", "notify", "indicate"]
Security = Literal["open", "encrypted", "authenticated", "authorized"]
ACCESS: tuple[str, ...] = ("read", "write", "write_without_response", "notify", "indicate")
Sort = Literal["connectable", "scannable", "non_connectable"]


class Peer(msgspec.Struct, frozen=True):
    """The other end of a connection."""

    name: str
    """node name, or the address when it is no node of this world."""
    address: str
    handle: int
    """connection handle of our controller."""
    encrypted: bool = False
    authenticated: bool = False
    """encrypted with a key that no man in the middle can have made."""
    bonded: bool = False


class LinkParameters(msgspec.Struct, frozen=True):
    """What a connection runs with."""

    interval_ms: float
    latency: int
    """connection events that the peripheral may sleep through."""
    timeout_ms: int


class AttError(Exception):
    """Raised by a read or write callback: the ATT error `code` is what the client gets (Vol 3 Part F 3.4.1.1)."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        super().__init__(message or f"ATT error {code:#04x}")


class LinkError(NearbenchError):
    """A connection could not be made, or ended while something was still to be done over it."""


class Descriptor(msgspec.Struct, frozen=True, kw_only=True):
    """A descriptor with a constant value (the CCCD is added by the server)."""

    uuid: str
    value: bytes = b""


class Characteristic(msgspec.Struct, frozen=True, kw_only=True):
    """One characteristic. `read` and `write` are called per request; without `read` the `value` is served."""

    uuid: str
    """4, 8 or 32 hex digits (dashes allowed)."""
    properties: tuple[Property, ...]
    value: bytes = b""
    read: Callable[[Peer], bytes] | None = None
    write: Callable[[Peer, bytes], None] | None = None
    read_security: Security = "open"
    """authenticated: an encrypted link whose key is protected against a man in the middle; authorized: an encrypted
    link, and the device's `authorize` says yes. Subscribing takes the same."""
    write_security: Security = "open"
    descriptors: tuple[Descriptor, ...] = ()
    name: str = ""
    """for people: "Battery Level"."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service and its characteristics, in handle order."""

    uuid: str
    characteristics: tuple[Characteristic, ...] = ()
    primary: bool = True
    name: str = ""


class Advert(msgspec.Struct, frozen=True, kw_only=True):
    """What one advertising set sends."""

    data: bytes = b""
    """AD structures, at most 31 octets unless `extended`."""
    scan_response: bytes = b""
    sort: Sort = "connectable"
    interval_ms: float = 100.0
    tx_power_dbm: int | None = None
    """the device's when None."""
    extended: bool = False
    set_address: str | None = None
    """random address of this set alone; the device's (random or public) when None."""
