"""Where a service is to be found: port, protocol, name and strings in a Generic service info.

Wi-Fi Aware 4.0, Generic service protocol; digest 2.5, 2.16, 12.2. The octets are those behind OUI and protocol, which is what publish frames (SDEA) and data paths (NDPE)
take and give; where a frame puts them is the business of `saying.py` and `ndp_frames.py`. Sub-attribute IDs 0x00, 0x01
and 0x03 are documented, that of the strings is provisional and may be chosen. No clock, no randomness, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping  # msgspec reads it
from typing import TYPE_CHECKING

import msgspec

from protocols.errors import EncodeError
from protocols.wifi_aware import service_info
from protocols.wifi_aware.service_info import (
    INSTANCE_NAME,
    PORT,
    TEXT_INFO,
    TRANSPORT,
    SubAttribute,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["TCP", "UDP", "Endpoint", "endpoint_of", "octets_of"]

TCP, UDP = 6, 17
"""IP protocol numbers."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a service says of itself; None and empty: nothing said."""

    port: int | None = None
    transport: int | None = None
    """IP protocol number: 6 TCP, 17 UDP."""
    instance_name: str = ""
    text: Mapping[str, str] = {}
    """strings of a DNS-SD TXT record."""


def octets_of(endpoint: Endpoint, *, text_id: int = TEXT_INFO) -> bytes:
    """The Generic service info of an endpoint: port, protocol, name, strings, in this order. Raises EncodeError.

    Android sends port and protocol; an endpoint that says nothing is the empty list that ESP-IDF sends.
    """
    return service_info.generic(_items(endpoint, text_id))


def _items(endpoint: Endpoint, text_id: int) -> Iterable[SubAttribute]:
    if endpoint.port is not None:
        yield SubAttribute(PORT, _number(endpoint.port, 2, "port"))
    if endpoint.transport is not None:
        yield SubAttribute(TRANSPORT, _number(endpoint.transport, 1, "transport"))
    if endpoint.instance_name:
        yield SubAttribute(INSTANCE_NAME, endpoint.instance_name.encode())
    if endpoint.text:
        yield SubAttribute(text_id, service_info.txt_data(endpoint.text))


def _number(value: int, size: int, name: str) -> bytes:
    most = (1 << 8 * size) - 1
    if not 0 <= value <= most:
        raise EncodeError(name, f"{value} does not fit: 0 to {most}")
    return value.to_bytes(size, "little")


def endpoint_of(octets: bytes, *, text_id: int = TEXT_INFO) -> Endpoint | None:
    """What a Generic service info says; None when the octets are no list of sub-attributes.

    Lenient: an item of another size than its kind has, and text that is none, says nothing. The last of a kind counts.
    """
    items = service_info.sub_attributes(octets)
    if items is None:
        return None
    last = {item.id: item.value for item in items}
    port, transport = last.get(PORT, b""), last.get(TRANSPORT, b"")
    return Endpoint(
        port=int.from_bytes(port, "little") if len(port) == 2 else None,
        transport=transport[0] if len(transport) == 1 else None,
        instance_name=_text(last.get(INSTANCE_NAME, b"")),
        text=service_info.strings(last.get(text_id, b"")) or {},
    )


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return ""
