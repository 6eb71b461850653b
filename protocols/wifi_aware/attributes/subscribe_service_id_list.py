"""Subscribe Service ID List (0x28): services that are looked for, so that others need not stay awake for the descriptors.

Wi-Fi Aware 4.0, Subscribe Service ID List attribute. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import Hex, Record, Records
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Hex6

ID = 0x28


class SubscribeServiceIdList(Body, frozen=True, kw_only=True):
    """Services that are looked for."""

    service_ids: list[Hex6]
    """one or more, each the first octets of the hash of a name."""


def strategy() -> Any:
    """Valid values: one service or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    some = draw.lists(draw.hexes(6, 6), min_size=1, max_size=4)
    return draw.fields_of(SubscribeServiceIdList, service_ids=some)


ATTRIBUTE = Attribute(
    id=ID,
    name="subscribe_service_id_list",
    title="Subscribe Service ID List",
    source="Wi-Fi Aware 4.0, Subscribe Service ID List attribute",
    fields=SubscribeServiceIdList,
    layout=Record("service_ids" / Records(Hex(6), "attribute_length")),
    minimum=6,
    strategy=strategy,
    examples=(
        Example(
            "44774db10160", note="from a captured discovery beacon (OpenNAN tests/test_crc32.cpp)"
        ),
        Example("f51b9c480c52" + "96b74ebcc024", note="_test and test_service"),
    ),
)
