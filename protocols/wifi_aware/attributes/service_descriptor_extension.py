"""Service Descriptor Extension, SDEA (0x0E): what else goes with a Service Descriptor of the same Instance ID.

Wi-Fi Aware 4.0, Service Descriptor Extension attribute; as in hostap src/common/nan_de.c. Bit 10 (GTK required) is
of later revisions, and Wireshark does not show it. Range limits are in centimetres (unit unverified). No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example, Reader
from protocols.layout import (
    REST,
    U8,
    U16LE,
    Flagged,
    Flags,
    Hex,
    Mapped,
    Optional,
    Record,
    build,
)
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.service_info import SERVICE_INFO, ServiceInfo, explained
from protocols.wifi_aware.service_info import strategy as any_service_info
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    HexText,
    Int1,
    Int5,
    Int8,
    Int16,
    UnsetType,
    Words,
)

ID = 0x0E


class RangeLimit(Body, frozen=True, kw_only=True):
    """Distances at which the service is told of, in centimetres (unit unverified)."""

    ingress_cm: Int16
    egress_cm: Int16


class ServiceDescriptorExtension(Body, frozen=True, kw_only=True):
    """What a service asks for; what is UNSET is not in the octets."""

    instance_id: Int8
    """that of the Service Descriptor."""
    fsd_required: bool
    """further service discovery comes before a data path."""
    fsd_method: Int1
    """0: follow-ups, 1: GAS."""
    data_path_required: bool
    data_path_type: Int1
    reserved_4: Int1 = 0
    qos_required: bool
    security_required: bool
    ranging_required: bool
    gtk_required: bool
    reserved_11: Int5 = 0
    range_limit: RangeLimit | UnsetType = UNSET
    service_update_indicator: Int8 | UnsetType = UNSET
    """counts changes of the service info."""
    service_info: ServiceInfo | UnsetType = UNSET
    trailing: HexText | UnsetType = UNSET
    """octets behind, which 4.0 does not define."""


LAYOUT = Record(
    "instance_id" / Words(U8, {0: "reserved"}, "of the sender"),
    Flags(
        U16LE,
        fsd_required=0,
        fsd_method=(1, 1, Words(U8, {0: "follow-up", 1: "GAS"})),
        data_path_required=2,
        data_path_type=(3, 1, Words(U8, {0: "unicast data path"})),
        reserved_4=(4, 1),
        qos_required=5,
        security_required=6,
        ranging_required=7,
        _range_limit_present=(8, "range_limit"),
        _service_update_indicator_present=(9, "service_update_indicator"),
        gtk_required=10,
        reserved_11=(11, 5),
    ),
    "range_limit"
    / Flagged("_range_limit_present", Record("ingress_cm" / U16LE, "egress_cm" / U16LE)),
    "service_update_indicator" / Flagged("_service_update_indicator_present", U8),
    "service_info" / Optional(Prefixed(U16LE, SERVICE_INFO)),
    "trailing"
    / Optional(
        Mapped(Hex(REST), lambda text: text, lambda text: text, lambda _: "reserved for later")
    ),
)


def decode(reader: Reader) -> dict[str, Any]:
    """Fields by the layout; the tree also shows what a Generic or Bonjour service info says."""
    values = reader.read(LAYOUT)
    reader.walk.nodes[:] = explained(reader.walk.nodes)
    return values


def strategy() -> Any:
    """Valid values: nothing trails where no service info is."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    none, info = draw.just(UNSET), any_service_info()
    trailing = draw.one_of(none, draw.hexes(1, 4))
    bare = draw.fields_of(ServiceDescriptorExtension, service_info=none, trailing=none)
    full = draw.fields_of(ServiceDescriptorExtension, service_info=info, trailing=trailing)
    return draw.one_of(bare, full)


ATTRIBUTE = Attribute(
    id=ID,
    name="service_descriptor_extension",
    title="Service Descriptor Extension (SDEA)",
    source="Wi-Fi Aware 4.0, Service Descriptor Extension attribute",
    fields=ServiceDescriptorExtension,
    decode=decode,
    encode=lambda fields: build(LAYOUT, fields),
    minimum=3,
    multiple=True,
    strategy=strategy,
    examples=(
        Example("05" + "4400" + "0600" + "506f9a02" + "6677", note="data path with security"),
        Example("05" + "0003" + "6400" + "c800" + "09", note="range limits 100 and 200"),
        Example(
            "01"
            + "4400"
            + "1a00"
            + "506f9a02"
            + "000200701b"
            + "01010006"
            + "030a00"
            + "706f726368206c616d70",
            note="data path to TCP port 7024 of porch lamp",
        ),
        Example("07" + "0000" + "0300" + "001018", note="service info of a vendor, empty"),
    ),
)
