"""NDP Extension, NDPE (0x29): a step in setting up or ending a NAN data path, with addresses and service info.

Wi-Fi Aware 4.0, NDP Extension attribute; as in hostap src/nan/nan_ndp.c. Used when the peer's Device Capability says
so. Bit 5 of the control octet means something else than in NDP. TLVs stand in any order and may repeat, the last
one counts; hostap fails on an empty TLV at the very end, and passes over an interface identifier that has not eight
octets. When none is sent, the identifier made of the NDI's EUI-64 is assumed (unverified). No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.format import Example
from protocols.layout import REST, U8, U16LE, Choice, Hex, Record, Records, Sized, build
from protocols.layout import Body as Prefixed
from protocols.wifi_aware import data_path
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.service_info import SERVICE_INFO, ServiceInfo, explained
from protocols.wifi_aware.service_info import strategy as service_infos
from protocols.wifi_aware.vocabulary import UNSET, Body, Hex8, HexText, Int8, UnsetType, Words

if TYPE_CHECKING:
    from protocols.format import Reader

ID = 0x29
IPV6, SERVICE = 0, 1
SHORTEST_INFO = 4
"""Octets of a service info: OUI and, for Wi-Fi Alliance, protocol."""
TLVS = {IPV6: "IPv6 link-local address", SERVICE: "service info"}


class Tlv(Body, frozen=True, kw_only=True):
    """One addition; which member is there goes with the type."""

    type: Int8
    interface_identifier: Hex8 | UnsetType = UNSET
    """low 64 bits of the link-local address, of the IPv6 type."""
    service_info: ServiceInfo | UnsetType = UNSET
    """of the service info type."""
    value: HexText | UnsetType = UNSET
    """of other types, and of those two when the size is wrong."""


class Ndpe(data_path.Setup, frozen=True, kw_only=True):
    """One step of a data path."""

    gtk_required: bool
    tlvs: tuple[Tlv, ...]


def _kind(fields: Any) -> int | None:
    """The type; building, None when the octets are given as `value`."""
    given: int | None = None if getattr(fields, "value", None) is not None else fields.type
    return given


_VALUE = Record("value" / Hex(REST))
_IDENTIFIER = Sized(Record("interface_identifier" / Hex(8)), None, 8, otherwise=_VALUE)
_SERVICE = Sized(
    Record("service_info" / SERVICE_INFO), None, at_least=SHORTEST_INFO, otherwise=_VALUE
)
TLV = Record(
    "type" / Words(U8, TLVS),
    Prefixed(U16LE, Choice(_kind, {IPV6: _IDENTIFIER, SERVICE: _SERVICE}, _VALUE)),
)
LAYOUT = Record(
    *data_path.members(gtk_required=5), "tlvs" / Records(TLV, "attribute_length", pin=False)
)


def decode(reader: Reader) -> dict[str, Any]:
    """As `LAYOUT` says; the tree also shows what is in a service info."""
    found = reader.read(LAYOUT)
    nodes = reader.walk.nodes
    shown = tuple(
        msgspec.structs.replace(tlv, children=explained(tlv.children)) for tlv in nodes[-1].children
    )
    nodes[-1] = msgspec.structs.replace(nodes[-1], children=shown)
    return found


def _is_whole(info: ServiceInfo) -> bool:
    return len(build(SERVICE_INFO, info)) >= SHORTEST_INFO


def strategy() -> Any:
    """Valid values: each type of TLV with its member."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    unset = draw.just(UNSET)

    def tlv(kind: Any, **given: Any) -> Any:
        others = {"interface_identifier": unset, "service_info": unset, "value": unset}
        return draw.fields_of(Tlv, type=kind, **{**others, **given})

    wrong_size = draw.hexes().filter(lambda text: len(text) != 16)
    whole = service_infos().filter(_is_whole)
    kinds = draw.one_of(
        tlv(draw.just(IPV6), interface_identifier=draw.hexes(8, 8)),
        tlv(draw.just(IPV6), value=wrong_size),
        tlv(draw.just(SERVICE), service_info=whole),
        tlv(draw.just(SERVICE), value=draw.hexes(0, SHORTEST_INFO - 1)),
        tlv(draw.integers(8).filter(lambda kind: kind not in TLVS), value=draw.hexes()),
    )
    return draw.fields_of(Ndpe, tlvs=draw.lists(kinds, max_size=4).map(tuple))


ATTRIBUTE = Attribute(
    id=ID,
    name="ndpe",
    title="NDP Extension (NDPE)",
    source="Wi-Fi Aware 4.0, NDP Extension attribute",
    fields=Ndpe,
    layout=LAYOUT,
    decode=decode,
    minimum=11,
    doubts=data_path.doubts,
    strategy=strategy,
    examples=(
        Example(
            "0900000200000000010109050106" + "00506f9a02aabb" + "00080000000000fffe0001",
            note="request: publish ID 5, service info, interface identifier",
        ),
        Example("09010002000000000101300200000000020207" + "00deadbeef010203", note="unknown TLV"),
        Example("0024010200000000010100", note="terminated, reason 1"),
    ),
)
