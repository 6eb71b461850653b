"""Service info: what a publisher or subscriber says about its service, with the OUI that explains it.

Wi-Fi Aware 4.0, Service Descriptor Extension attribute (service info) and its Generic service protocol; digest 2.5
and 12. Rule 1: `specific` keeps the octets; sub-attributes and strings are views of them (`sub_attributes`,
`strings`), shown in the tree only when they fit to the last octet, because applications also put other things
there. Rule 2: the sub-attribute IDs 0x02 and 0x04 to 0x06 are unverified. Strings are those of DNS-SD TXT records
(RFC 6763 section 6). No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from msgspec import Meta

from protocols.errors import DecodeError, EncodeError
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Choice,
    Hex,
    Mapped,
    Node,
    Record,
    Records,
    Sized,
    Walk,
    When,
    build,
    parse,
)
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.parts import placed
from protocols.wifi_aware.vocabulary import UNSET, Body, HexText, Int8, UnsetType, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "BONJOUR",
    "GENERIC",
    "MATTER",
    "OUI",
    "SERVICE_INFO",
    "WFA",
    "Hex3",
    "ServiceInfo",
    "SubAttribute",
    "explained",
    "generic",
    "strategy",
    "strings",
    "sub_attributes",
    "txt_data",
]
