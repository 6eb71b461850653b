"""Subscribe Service ID List (0x28): services that are looked for, so that others need not stay awake for the descriptors.

Wi-Fi Aware 4.0, Subscribe Service ID List attribute. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.service_list import MINIMUM, SERVICE_LIST, ServiceList, some_of

ID = 0x28


class SubscribeServiceIdList(ServiceList, frozen=True, kw_only=True):
    """Services that are looked for."""


ATTRIBUTE = Attribute(
    id=ID,
    name="subscribe_service_id_list",
    title="Subscribe Service ID List",
    source="Wi-Fi Aware 4.0, Subscribe Service ID List attribute",
    fields=SubscribeServiceIdList,
    layout=SERVICE_LIST,
    minimum=MINIMUM,
    strategy=lambda: some_of(SubscribeServiceIdList),
    examples=(
        Example(
            "44774db10160", note="from a captured discovery beacon (OpenNAN tests/test_crc32.cpp)"
        ),
        Example("f51b9c480c52" + "96b74ebcc024", note="_test and test_service"),
    ),
)
