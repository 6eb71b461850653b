"""Service ID List (0x02): services that are published, so that others need not stay awake for the descriptors.

Wi-Fi Aware 4.0, Service ID List attribute. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.service_list import MINIMUM, SERVICE_LIST, ServiceList, some_of

ID = 0x02


class ServiceIdList(ServiceList, frozen=True, kw_only=True):
    """Services that are published."""


ATTRIBUTE = Attribute(
    id=ID,
    name="service_id_list",
    title="Service ID List",
    source="Wi-Fi Aware 4.0, Service ID List attribute",
    fields=ServiceIdList,
    layout=SERVICE_LIST,
    minimum=MINIMUM,
    strategy=lambda: some_of(ServiceIdList),
    examples=(
        Example("f51b9c480c52", note="_test"),
        Example("f51b9c480c52" + "96b74ebcc024", note="_test and test_service"),
    ),
)
