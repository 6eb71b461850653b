"""What the parameters of HCI commands and events share: how a body is read, and the members that both have.

Core Specification 5.4 Vol 4 Part E clauses 5.2 (formats), 7.7 and 7.8; little-endian, times in milliseconds. No
clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.data.hci_names import error_name
from protocols.format import Fields
from protocols.layout import S8, U8, U16LE, U24LE, Codec, Coded, MacLE, Named, Nullable, Scaled

__all__ = [
    "ADDRESS_TYPE",
    "CODE",
    "ERROR",
    "HANDLE",
    "INTERVAL",
    "LATENCY_AND_TIMEOUT",
    "LONG_SLOTS",
    "PEER",
    "POWER",
    "SLOTS",
    "TENS_OF_MS",
    "AddressType",
    "Empty",
    "Kind",
]

AddressType = str | int
"""`public`, `random`, `public_identity`, `random_identity`, `unresolved`, `anonymous`; a number when unassigned."""


class Kind(NamedTuple):
    """How the parameters of a command or event are read: their type, their layout, the list that is counted."""

    fields: type[Fields]
    layout: Codec
    counted: str = ""
    """a list whose length the raw member `count` says, or whose items the bits of `phys` announce."""


class Empty(Fields, frozen=True):
    """No parameters."""


CODE = "parameter_length"
"""The fault of parameters that are too few or too many."""
ADDRESS_TYPE: Codec = Coded(
    U8,
    {
        0x00: "public",
        0x01: "random",
        0x02: "public_identity",
        0x03: "random_identity",
        0xFE: "unresolved",
        0xFF: "anonymous",
    },
)
PEER = ("peer_address_type" / ADDRESS_TYPE, "peer_address" / MacLE)
ERROR = Named(U8, error_name)
HANDLE = "handle" / U16LE
POWER = Nullable(S8, 127)
"""Power or signal strength in dBm, None when it is not available or the host has no preference."""
SLOTS = Scaled(U16LE, 0.625)
LONG_SLOTS = Scaled(U24LE, 0.625)
INTERVAL = Scaled(U16LE, 1.25)
TENS_OF_MS = Scaled(U16LE, 10)
LATENCY_AND_TIMEOUT = ("latency" / U16LE, "timeout_ms" / TENS_OF_MS)
