"""Service Descriptor, SDA (0x03): one service that is published, looked for, or spoken to.

Wi-Fi Aware 4.0, Service Descriptor attribute; as in hostap src/common/nan_de.c and Wireshark packet-wifi-nan.c.
The parts behind Service Control stand in this order, each with its own bit. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.format import Example
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Choice,
    Flagged,
    Flags,
    Hex,
    Mac,
    Mapped,
    Record,
    Records,
)
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    Hex6,
    HexText,
    Int1,
    Int2,
    Int4,
    Int8,
    Int16,
    MacText,
    UnsetType,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = 0x03
TYPES = {0: "publish", 1: "subscribe", 2: "follow-up"}


class ResponseFilter(Body, frozen=True, kw_only=True):
    """Service response filter: who is to answer a subscribe."""

    bloom: bool
    """the set is a Bloom filter, else a list of addresses."""
    include: bool
    """members answer, else all others do."""
    bloom_index: Int2
    reserved_4: Int4 = 0
    bloom_filter: HexText | UnsetType = UNSET
    addresses: list[MacText] | UnsetType = UNSET


class ServiceDescriptor(Body, frozen=True, kw_only=True):
    """One service; what is UNSET is not in the octets."""

    service_id: Hex6
    """first octets of the hash of the name; all zero for a wildcard."""
    instance_id: Int8
    """the sender's publish or subscribe instance, 1 to 255."""
    requestor_instance_id: Int8
    """the instance that is answered, 0 for none."""
    type: Int2
    range_limited: bool
    reserved_7: Int1 = 0
    binding_bitmap: Int16 | UnsetType = UNSET
    matching_filter: HexText | UnsetType = UNSET
    """length octet and value, again and again; an empty value matches anything."""
    response_filter: ResponseFilter | UnsetType = UNSET
    service_info: HexText | UnsetType = UNSET


def _filter_text(text: str) -> str:
    """A matching filter in words: its elements, "any" for an empty one."""
    data, at = bytes.fromhex(text), 0
    out: list[str] = []
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            out.append("(cut off)")
            break
        out.append(data[at + 1 : end].hex() or "any")
        at = end
    return ", ".join(out) or "empty"


ADDRESS_SET = Choice(
    lambda fields: bool(fields.bloom),
    {True: Record("bloom_filter" / Hex(REST))},
    Record("addresses" / Records(Mac, "attribute_length")),
)
RESPONSE_FILTER = Record(
    Flags(U8, bloom=0, include=1, bloom_index=(2, 2), reserved_4=(4, 4)), ADDRESS_SET
)
LAYOUT = Record(
    "service_id" / Hex(6),
    "instance_id" / Words(U8, {0: "reserved"}, "of the sender"),
    "requestor_instance_id" / Words(U8, {0: "nobody's"}, "of the receiver"),
    Flags(
        U8,
        type=(0, 2, Words(U8, TYPES)),
        _matching_filter_present=(2, "matching_filter"),
        _response_filter_present=(3, "response_filter"),
        _service_info_present=(4, "service_info"),
        range_limited=5,
        _binding_bitmap_present=(6, "binding_bitmap"),
        reserved_7=(7, 1),
    ),
    "binding_bitmap" / Flagged("_binding_bitmap_present", U16LE),
    "matching_filter"
    / Flagged(
        "_matching_filter_present",
        Prefixed(U8, Mapped(Hex(REST), lambda text: text, lambda text: text, _filter_text)),
    ),
    "response_filter" / Flagged("_response_filter_present", Prefixed(U8, RESPONSE_FILTER)),
    "service_info" / Flagged("_service_info_present", Prefixed(U8, Hex(REST))),
)


def doubts(fields: ServiceDescriptor) -> Iterator[tuple[str, str]]:
    """A set of nobody: an empty Bloom filter, or one behind an index, which only Bloom filters have."""
    who = fields.response_filter
    if who is UNSET:
        return
    if who.bloom and not who.bloom_filter:
        yield "response_filter.bloom_filter", "an empty Bloom filter: nobody answers (hostap)"
    if not who.bloom and who.bloom_index:
        yield "response_filter.bloom_index", "a list of addresses has no index"


def strategy() -> Any:
    """Valid values: the kind of the address set goes with its bit."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    addresses, bloom = draw.lists(draw.macs()), draw.hexes()
    only, never, none = draw.just(value=True), draw.just(value=False), draw.just(UNSET)
    lists = draw.fields_of(ResponseFilter, bloom=never, addresses=addresses, bloom_filter=none)
    blooms = draw.fields_of(ResponseFilter, bloom=only, addresses=none, bloom_filter=bloom)
    return draw.fields_of(ServiceDescriptor, response_filter=draw.one_of(none, lists, blooms))


ATTRIBUTE = Attribute(
    id=ID,
    name="service_descriptor",
    title="Service Descriptor (SDA)",
    source="Wi-Fi Aware 4.0, Service Descriptor attribute",
    fields=ServiceDescriptor,
    layout=LAYOUT,
    minimum=9,
    doubts=doubts,
    multiple=True,
    strategy=strategy,
    examples=(
        Example("f51b9c480c52050000", note="publish _test, instance 5"),
        Example(
            "f51b9c480c5207000d0a0101010201030104010503071122",
            note="subscribe with a matching filter and a Bloom filter",
        ),
        Example("f51b9c480c520700090702020000000000", note="subscribe, one address is to answer"),
    ),
)
