"""Service ID List (0x02): services that are published, so that others need not stay awake for the descriptors.

Wi-Fi Aware 4.0, Service ID List attribute. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import Hex, Record, Records
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Hex6

ID = 0x02


class ServiceIdList(Body, frozen=True, kw_only=True):
    """Services that are published."""

    service_ids: list[Hex6]
    """one or more, each the first octets of the hash of a name."""


def strategy() -> Any:
    """Valid values: one service or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    some = draw.lists(draw.hexes(6, 6), min_size=1, max_size=4)
    return draw.fields_of(ServiceIdList, service_ids=some)


ATTRIBUTE = Attribute(
    id=ID,
    name="service_id_list",
    title="Service ID List",
    source="Wi-Fi Aware 4.0, Service ID List attribute",
    fields=ServiceIdList,
    layout=Record("service_ids" / Records(Hex(6), "attribute_length")),
    minimum=6,
    strategy=strategy,
    examples=(
        Example("f51b9c480c52", note="_test"),
        Example("f51b9c480c52" + "96b74ebcc024", note="_test and test_service"),
    ),
)
